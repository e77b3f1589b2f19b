"""The Python face: what `imagelab.connect()` returns, and the values its verbs return.

It owns `Lab`: Docker's verbs as methods, each one step of the timeline; how a lab is opened, from arguments, the environment and
the lab itself (`opening`, the only module here that reads the environment); build contexts and files of this machine. It never
parses a command line and never knows the course: `cli.lab_docker` and `course.lab_exercises` add `docker`, `exercise` and
`progress`, and `imagelab.app` puts them together.

Read first: `lab`, then `results/images`.
"""
