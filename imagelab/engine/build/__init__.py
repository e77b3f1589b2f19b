"""Building an image from a Dockerfile: one loop over instructions, and two ways to keep what a step leaves.

Owns the build cache, the context, COPY and ADD, and the trace of what was done and why. It runs nothing itself: containers are
`engine.containers`, images are stored by `engine.commit`.

Read first: `builder` (the loop), then `step_store` (what it asks of whatever keeps the steps).
"""
