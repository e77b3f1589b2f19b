"""The built-in images, and the registry behind docker.io that publishes them: offline, the same on every machine.

Owns the cast of the course: which tags there are and which builds they had (`upstream`), what goes wrong on demand
(`faults`), and how the images are made from their sources (`recipes`, `build`). They are shipped as bytes, so their digests
are the same everywhere. It is asked as any registry is asked, and knows nothing of labs.

Read first: `upstream`, then `recipes`.
"""
