"""The timeline, step by step: the command, what happened, and the lab after it with the differences marked.

It owns how a step is shown: its picture, Docker's listings before and after, a container's files as lower, upper and merged. It never
moves the lab: all states come from the timeline, and all steps are in the page.

Read first: `widget`, the values and the text; then `frames`, which makes them from a timeline.
"""
