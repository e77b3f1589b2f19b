"""The client's side of a registry: from a name to bytes that are what the name promised.

Owns endpoints and mirrors, tokens, resuming, Docker's words for every refusal, and a recording of what was asked and
answered. It checks digests and sizes while bytes arrive, and never stores any: `engine.pull` does.

Read first: `client`, then `in_process` (the same protocol without a socket).
"""
