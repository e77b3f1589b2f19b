"""The pictures and panels of a lab, as methods of `Lab`: each is a value that shows itself in a notebook, and prints as text.

Every picture is made by a pure function under `view/`, from the state or from bytes; what is here only fetches what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagelab.engine import Engine
    from imagelab.state import State
    from imagelab.store import Store


class Views:
    """What `Lab` inherits."""

    if TYPE_CHECKING:  # what a lab has
        store: Store
        engine: Engine

        @property
        def lang(self) -> str: ...
        @property
        def state(self) -> State: ...
