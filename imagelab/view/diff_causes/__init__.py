"""`docker diff` with causes: which command made each line, what `docker commit` will write for it, and its bytes.

It owns how a line is traced to the steps of the timeline and what counts as noise. It never decides what has changed: the lines are
those of `docker diff`, the changes those of the container's writable layer.

Read first: `model`, then `printers`.
"""
