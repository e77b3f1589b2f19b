"""The part of Go's text/template that `docker … --format` is written in.

    text --lexer--> tokens --parser--> nodes --template, with values--> text

Owns the language, Go's functions and Docker's, Go's way of printing values, and the words of its errors, down to the
column. It never knows which fields a listing has: `output` gives it those.

Read first: `template` (what runs), then `nodes` (what there is to run).
"""
