"""One directory on the disk that holds a lab: blobs by digest, and one small database.

Owns every byte of a lab and every way to change it: transactions, the journal that undo and redo read, locks between
processes, what may be swept and what is damaged. It never decides what Docker would do (that is the engine) and never fetches
anything. What it gives out is a `State`, a blob, a tree.

Read first: `store` (the directory and its verbs), then `database`.
"""
