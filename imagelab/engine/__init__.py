"""Docker's verbs on a lab: what a face (a terminal, a notebook, a server) asks for, and all it may ask.

    engine.images   engine.containers   engine.builds   engine.archives   engine.timeline

Owns what each verb does, in which order, and in whose words it refuses. Each family is given a `Context` (the store, a clock, a
source of IDs …) and the families it stands on. It never prints, reads no environment and has no clock of its own: the
answer is a value, and `output` makes Docker's text of it.

Read first: `engine` (how the families are composed), then `images`.
"""
