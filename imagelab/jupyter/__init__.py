"""Notebooks: `%docker`, `%%docker` and `%%dockerfile`; the `docker` on a kernel's PATH; `imagelab lab`, which starts JupyterLab.

It owns what only IPython and JupyterLab know: magics, what a cell shows and when, the learner's own copy of the lessons, the first
page in the browser's language. It never decides what a command does or how its answer is worded: a magic hands its words to
`cli.main.run` on the notebook's lab, and shows what comes back.

Read first: `docker_magic`, then `launch`.
"""
