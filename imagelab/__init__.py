"""imagelab: Docker images you can see, on real OCI bytes, with no Docker daemon.

    import imagelab
    lab = imagelab.connect()
    lab.pull("ubuntu:14.04")
    lab.images()

In a notebook `%load_ext imagelab` also gives `%docker pull ubuntu:14.04`; in a terminal it is `imagelab pull
ubuntu:14.04`. All three work on the same lab: one directory of blobs and one small database.

Importing this module does no I/O and loads nothing heavy: what it gives is found when it is first asked for.
"""

from __future__ import annotations

from imagelab.output.version import VERSION as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from imagelab.app import Lab, connect, lesson
    from imagelab.jupyter.docker_magic import load_ipython_extension


__all__ = ["Lab", "__version__", "connect", "lesson", "load_ipython_extension"]
_HOMES = {
    "Lab": "imagelab.app",
    "connect": "imagelab.app",
    "lesson": "imagelab.app",
    "load_ipython_extension": "imagelab.jupyter.docker_magic",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'imagelab' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
