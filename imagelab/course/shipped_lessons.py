"""The lessons that came with this imagelab, and the names of what a learner's copy of them consists of."""

from __future__ import annotations

from pathlib import Path

from imagelab.errors import ImageLabError

LESSONS = "imagelab-lessons"
"""The folder of a learner's own copy."""
PRIVATE = ".imagelab"
"""Our corner in it."""


def shipped() -> Path:
    """The notebooks that came with this imagelab: in the package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    for folder in (package / "_notebooks", package.parent / "notebooks"):
        if any(folder.glob("*/*.ipynb")):
            return folder
    raise ImageLabError(
        "the lessons are not installed", origin="client", hint="reinstall imagelab, or run make notebooks"
    )
