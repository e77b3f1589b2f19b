"""Opening a lab: a lasting one, or a lesson's. This is the place of the Python face that reads the environment.

A setting comes from, in this order: an argument, the environment (IMAGELAB_HOME, IMAGELAB_UPSTREAM, IMAGELAB_ERA,
IMAGELAB_LANG, IMAGELAB_PORTS, DOCKER_DEFAULT_PLATFORM), the lab itself, the default. `kind` is the class: `Lab`, or one that adds to it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from imagelab.errors import UsageError
from imagelab.lab.host_access import HostAccess
from imagelab.lab.lab import Lab, Settings
from imagelab.state.events import ProgressSink, silent
from imagelab.store.store import Store

SETTINGS = ("IMAGELAB_UPSTREAM", "IMAGELAB_MIRRORS", "IMAGELAB_ERA", "IMAGELAB_LANG", "DOCKER_DEFAULT_PLATFORM")
"""What the environment may say about a lab of one's own."""
PORTS = ("exact", "auto", "private")
L = TypeVar("L", bound=Lab)


def open_lab(
    kind: type[L],
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
    host: HostAccess | None = None,
) -> L:
    """Open a lab of this `kind`, making it if it is not there yet.

    `directory`: else $IMAGELAB_HOME, else the platform's data folder. `upstream`: "classroom" (built in, offline),
    "hub", or the URL of a registry. `clock`: "system" or "class". `in_process`: containers run in this process, without
    ports of their own. `lang`: "en" or "zh", what panels speak. `ports`: what becomes of a published port that somebody has:
    "exact", an error, as in Docker; "auto", the next free one is used instead; "private", nobody can have it, since only this
    lab and `browse` reach it; else $IMAGELAB_PORTS, "auto" on a JupyterHub, "exact". `host`: what it may touch of the machine,
    else all. Raises StoreError when the directory cannot be used.
    """
    env = os.environ if environ is None else environ
    store = Store.open(Path(directory or env.get("IMAGELAB_HOME") or _data_folder()))
    settings = Settings(
        upstream=upstream or env.get("IMAGELAB_UPSTREAM") or store.setting("upstream") or "classroom",
        mirrors=tuple(mirrors or env.get("IMAGELAB_MIRRORS", "").split() or store.setting("mirrors").split()),
        era=era or env.get("IMAGELAB_ERA") or "",
        platform=platform or env.get("DOCKER_DEFAULT_PLATFORM") or store.setting("platform") or "linux/amd64",
        clock=clock or store.setting("clock") or "system",
        in_process=in_process or sys.platform == "emscripten",
        lang=lang or env.get("IMAGELAB_LANG") or "",
        ports=ports or ports_here(env),
        port_holders=_port_holders,
    )
    workers = 0 if sys.platform == "emscripten" else 3
    return kind(
        store,
        settings,
        progress=progress or _progress_here(settings.lang or store.setting("lang") or "en"),
        workers=workers,
        host=host,
    )


def ports_here(environ: Mapping[str, str]) -> str:
    """What becomes of a published port that somebody has: many learners share the ports of a JupyterHub's machine. UsageError."""
    ports = environ.get("IMAGELAB_PORTS", "")
    if ports and ports not in PORTS:
        raise UsageError(
            f"IMAGELAB_PORTS={ports}: not understood", hint=f"it is {', '.join(PORTS[:-1])} or {PORTS[-1]}"
        )
    shared = "JUPYTERHUB_API_TOKEN" in environ or "JUPYTERHUB_SERVICE_PREFIX" in environ
    return ports or ("auto" if shared else "exact")


def open_lesson(kind: type[L], name: str, *, lang: str = "") -> L:
    """A fresh lab for one lesson: empty, by the class clock, gone when Python ends. `lang`: "en" or "zh", what panels speak,
    else the language of the folder that the notebook stands in.

    `!docker …` in a cell and `%docker` work on it too: it becomes the process's $IMAGELAB_HOME.
    """
    import atexit
    import tempfile

    from imagelab.runtime.supervisor import OWNER
    from imagelab.store.locks import locked
    from imagelab.view.messages import language_here

    lang = lang or language_here(os.environ)
    _end_lessons()
    folder = tempfile.TemporaryDirectory(prefix=f"imagelab-{name}-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    lab = open_lab(kind, folder.name, environ={}, clock="class", lang=lang, ports=ports_here(os.environ))
    owned = locked(Path(folder.name) / OWNER)
    owned.__enter__()
    atexit.register(owned.__exit__, None, None, None)
    atexit.register(lab.close)
    atexit.register(_end_containers, lab)
    lab.store.remember("clock", "class")
    lab.lang = lang
    os.environ["IMAGELAB_HOME"] = folder.name
    _lessons.append(lab)
    for setting in SETTINGS:  # a lesson is the same on every machine
        os.environ.pop(setting, None)
    _in_ipython(lambda shell: shell.extension_manager.load_extension("imagelab"))
    return lab


_lessons: list[Lab] = []
"""The lesson's lab that this process works on, if any."""


def _end_lessons() -> None:
    """Another lab takes a lesson's place: its containers end, and their ports are free; its files stay to be looked at."""
    while _lessons:
        lab = _lessons.pop()
        if not lab.closed:
            lab.engine.containers.end_all()


def _end_containers(lab: Lab) -> None:
    """A lesson is over: nothing of it goes on."""
    if lab.closed:
        return
    for container in lab.store.state().containers.values():
        if container.running:
            lab.engine.containers.remove(container.id, force=True)


def _port_holders() -> Path:
    return cache_folder() / "ports"


def cache_folder() -> Path:
    """What this user's labs share, and may be deleted at any time."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("imagelab", appauthor=False))


def _data_folder() -> str:
    from platformdirs import user_data_dir

    return user_data_dir("imagelab", appauthor=False)


def _in_ipython(act: Callable[[Any], Any]) -> Any:
    """Do something with the running IPython, if there is one; never imports it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return act(shell) if shell is not None else None


def _progress_here(lang: str) -> ProgressSink:
    """Bars in a notebook; silence in a plain Python program."""

    def bars(shell: Any) -> ProgressSink | None:
        if not hasattr(shell, "kernel"):
            return None
        from imagelab.view.pull_progress import NotebookProgress, is_watched, publish

        return NotebookProgress(watched=is_watched(os.environ), lang=lang, show=publish)

    sink: ProgressSink = _in_ipython(bars) or silent
    return sink
