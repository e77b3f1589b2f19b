"""Building an image from a Dockerfile: one loop over instructions, and two ways to keep what a step leaves.

Owns the build cache, the context, COPY and ADD, and the trace of what was done and why. It runs nothing itself: containers are
`engine.containers`, images are stored by `engine.commit`.

Read first: `classic` (the loop), then `cache` (when a step need not run).
"""
