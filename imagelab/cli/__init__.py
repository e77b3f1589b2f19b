"""The command line: Docker's grammar in, Docker's text out, the Engine in between.

flags      pflag's rules: `-aq`, `--filter=x`, and the exact words when they are broken
commands   every verb as a record: usage, flags, how many arguments, what to call
help       the pages of `--help`
format     values -> tables, templates, JSON;  `table` and `tree_view` lay them out, `eras` knows what changed when
progress   the lines of a pull, rewritten in place on a terminal
main       one command line from words to exit code
"""
