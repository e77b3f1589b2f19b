"""The documents and names that the whole field agrees on: digests, references, manifests, configs.

Owns the grammar of a reference, the name of exact bytes (`Digest`), the four JSON documents of the image specification as
frozen views over the bytes they came from, platforms, and chain IDs. Nothing here opens a file or asks a clock, and nothing
here knows of a lab: these are the values that a registry, an archive and the store hand to each other.

Read first: `reference` (a grammar and its parser, in one order), then `documents`.
"""
