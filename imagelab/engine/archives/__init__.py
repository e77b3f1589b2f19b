"""Images as files: `save`, `load` and `import`, in the layouts of three eras of Docker.

Owns names and order inside an archive, both directions; it reads and writes streams. Files and pipes are the faces' affair, and
nothing of an archive is ever unpacked onto the machine.

Read first: `archives` (the verbs), then `manifest` (what an archive says of itself).
"""
