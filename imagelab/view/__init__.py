"""What a lab looks like: every answer of the engine as text for a terminal and as HTML or SVG for a page, with the same facts.

It owns the pictures (`graph`, `stepper`), the panels (`explorer`, `diff_causes`, `hash_chain`, `listings`, `sizes`, `pull_log`,
`pull_progress`), their colours and stylesheets (`style`, `assets/`) and their sentences in both languages (`messages`, `words/`).
It never changes a lab, asks a network or reads a clock: it is given states, trees and bytes, and gives back values.

Read first: `panel`, what all panels have in common; and `table`, rows that are made once and printed twice.
"""
