"""A lab as one immutable value, and every question that can be answered by looking at it.

Owns images, containers and what stands on what (`model`); filters, removals, reports and events as values; the steps of the
timeline. A listing, a picture, an exercise and an undo are all functions of a `State`; none of them reads the database.
Nothing here touches the world: the store makes a State, everything else reads it.

Read first: `model`, then `removal`.
"""
