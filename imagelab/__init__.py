"""imagelab: Docker images you can see, on real OCI bytes, with no Docker daemon.

    import imagelab
    lab = imagelab.connect()
    lab.pull("ubuntu:14.04")
    lab.images()

In a notebook `%load_ext imagelab` also gives `%docker pull ubuntu:14.04`; in a terminal it is `imagelab pull
ubuntu:14.04`. All three work on the same lab: one directory of blobs and one small database.

Importing this module does no I/O and loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab, connect, lesson

__version__ = "0.1.0"
__all__ = ["Lab", "__version__", "connect", "lesson", "load_ipython_extension"]


def __getattr__(name: str) -> Any:
    if name in {"Lab", "connect", "lesson"}:
        from imagelab.lab import lab

        return getattr(lab, name)
    raise AttributeError(f"module 'imagelab' has no attribute {name!r}")


def load_ipython_extension(ipython: Any) -> None:
    """What `%load_ext imagelab` calls: registers `%docker` and `%%docker`."""
    from imagelab.jupyter.docker_magic import load_ipython_extension as load

    load(ipython)
