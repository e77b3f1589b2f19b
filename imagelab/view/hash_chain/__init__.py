"""The chain of hashes from a file to a tag: change one thing, and see which digests change with it.

It owns the changes (a bit, a time, the compression, the config, the tag) and hashes the changed bytes. It never looks a result up:
every digest is computed, and nothing is stored.

Read first: `model`, then `printers`.
"""
