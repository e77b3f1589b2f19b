"""What a container that runs in the background reads: nothing, or what `attach` types.

docker run -d ubuntu bash      no input: the shell reads its end, and is done
docker run -dit ubuntu bash    input that never ends: the shell waits, and the container stays up; -dt the same
"""

from __future__ import annotations

from pathlib import Path

from imagelab.runtime.session import InteractiveInput
from imagelab.runtime.streams import BytesInput, Stream
from imagelab.state.model import Container


class AttachedInput(InteractiveInput):
    """Standard input that stays open, or a terminal's: it never ends, and has what `attach` types into a file."""

    def __init__(self, file: Path, *, terminal: bool) -> None:
        super().__init__(self._typed)
        self._file, self._at, self.is_terminal = file, file.stat().st_size if file.exists() else 0, terminal

    def _typed(self) -> bytes:
        if not self._file.exists():
            return b""
        with self._file.open("rb") as handle:
            handle.seek(self._at)
            data = handle.read()
        self._at += len(data)
        return data

    def fill(self) -> None:
        super().fill()
        self.ended = False
        self.wanted = False


def standard_input(container: Container, folder: Path) -> Stream:
    """The input of a container in the background, whichever process drives it. `folder`: where `attach` leaves what is typed."""
    terminal = bool(container.config.get("Tty"))
    if terminal or container.config.get("OpenStdin"):
        return AttachedInput(folder / "stdin", terminal=terminal)
    return BytesInput()
