"""The command line: Docker's grammar in, Docker's text out, the engine in between.

    verbs      every verb by name: where its function is, and the line that says what it does; imported when it is called
    flags      pflag's rules: `-aq`, `--filter=x`, and the exact words when they are broken
    command    what a verb is, and the line at work: its streams, its flags, its lab
    commands   the verbs, one module a family
    help       the pages of `--help`
    line       a cell's line, read as a shell would; `streams`: the ends of a container's standard streams
    lab_docker the same from Python: `lab.docker("images -a")`
    main       one command line, from words to exit code

It never decides what Docker would do (the engine does), and lays nothing out (`output` does). A verb of the rooms above is a name
in the table, and no import.

Read first: `main`, then `verbs`.
"""
