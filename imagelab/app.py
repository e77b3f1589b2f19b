"""The composition root: the only module that knows every face, and what `import imagelab` gives.

    Lab          a lab with everything: Docker's verbs, `lab.docker("…")`, the course's exercises
    connect      opens one that lasts
    lesson       opens one that is gone when Python ends

The verbs of the command line are composed in `cli.verbs`, as names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from imagelab.cli.lab_docker import DockerLines
from imagelab.course.lab_exercises import Exercises
from imagelab.lab.opening import open_lab, open_lesson
from imagelab.state.events import ProgressSink


class Lab(Exercises, DockerLines):
    """One lab: a store, an engine, and how to show what they answer. Made by `connect()` or `lesson()`."""


def connect(
    directory: str | Path | None = None,
    *,
    upstream: str | None = None,
    mirrors: Sequence[str] | None = None,
    era: str | None = None,
    clock: str | None = None,
    platform: str | None = None,
    in_process: bool = False,
    lang: str | None = None,
    ports: str | None = None,
    progress: ProgressSink | None = None,
    environ: Mapping[str, str] | None = None,
) -> Lab:
    """Open a lab, making it if it is not there yet.

    `directory`: else $IMAGELAB_HOME, else the platform's data folder. `upstream`: "classroom" (built in, offline),
    "hub", or the URL of a registry. `clock`: "system" or "class". `in_process`: containers run in this process, without
    ports of their own. `lang`: "en" or "zh", what panels speak. `ports`: what becomes of a published port that somebody has:
    "exact", an error, as in Docker; "auto", the next free one is used instead; "private", nobody can have it, since only this
    lab and `browse` reach it; else $IMAGELAB_PORTS, "auto" on a JupyterHub, "exact". Raises StoreError when the directory
    cannot be used.
    """
    return open_lab(
        Lab, directory, upstream=upstream, mirrors=mirrors, era=era, clock=clock, platform=platform, in_process=in_process, lang=lang,
        ports=ports, progress=progress, environ=environ,
    )  # fmt: skip


def lesson(name: str, *, lang: str = "") -> Lab:
    """A fresh lab for one lesson: empty, by the class clock, gone when Python ends. `lang`: "en" or "zh", what panels speak,
    else the language of the folder that the notebook stands in.

    `!docker …` in a cell and `%docker` work on it too: it becomes the process's $IMAGELAB_HOME.
    """
    return open_lesson(Lab, name, lang=lang)
