"""The layer graph: layers stacked on the ground, and the images, names and containers that stand on them.

It owns which things there are and what each stands on (`model`), where they go (`layout`), and the printers of that: `svg`, `text`,
`dot`, the `widget` to click in. It never asks a lab: a `State` comes in, also that of a running engine (`docker_state`).
The other pictures may use it; it knows none of them.

Read first: `model`, then `svg`.
"""
