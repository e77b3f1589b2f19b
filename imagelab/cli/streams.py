"""The ends of a container's standard streams: a terminal with line editing, a pipe, a notebook's boxes, a script of lines.

a terminal            prompt_toolkit edits the line: history, completion with Tab, Ctrl-C, Ctrl-D, Ctrl-R
anything that `asks`  a notebook's input box, or the lines of a cell, one after the other
a pipe or a file      bytes, fetched when the program waits for them
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

from imagelab.errors import UsageError
from imagelab.runtime.session import Completion, InteractiveInput, Terminal
from imagelab.runtime.streams import BytesInput, Stream

Ask = Callable[[str, list[str], Completion], bytes]


def input_from(
    stdin: TextIO, *, interactive: bool, tty: bool, environ: Mapping[str, str], heard: Callable[..., bytes] = lambda data, **_: data
) -> Stream:  # fmt: skip
    """A program's standard input; `heard` is told what came. UsageError where a terminal was asked for and there is none (R6.8)."""
    ask: Ask | None = getattr(stdin, "ask", None)

    def terminal(ask: Ask) -> Terminal:
        return Terminal(lambda *prompt: heard(ask(*prompt)))

    if not interactive:
        return BytesInput()
    if tty and ask is not None:
        return terminal(ask)
    if tty and not stdin.isatty():
        raise UsageError("the input device is not a TTY", hint="leave -t out, or run it in a terminal")
    if tty and environ.get("JPY_PARENT_PID"):
        raise UsageError("the input device is not a TTY: nobody can type into a cell that runs", hint="%docker asks line by line; a terminal has everything; or put the lines below %%docker exec -it …")  # fmt: skip
    if tty:
        return terminal(_edited)
    binary = getattr(stdin, "buffer", None)
    if binary is None:
        return BytesInput(heard(stdin.read().encode("utf-8", "surrogateescape")))
    return InteractiveInput(lambda: heard(bytes(binary.read1(65536)), fetched=True))


class Pieces(io.BytesIO):
    """Bytes that come as they came before."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        super().__init__(data)
        self._sizes = list(sizes)

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.read(self._sizes.pop(0)) if self._sizes else b""


class Script(io.StringIO):
    """Lines that are typed into a terminal one after the other, with the prompts they answer; then Ctrl-D."""

    def __init__(self, text: str, screen: TextIO, pieces: Sequence[int] = ()) -> None:
        """`pieces`: how many bytes came at a time, when it was a pipe: each is a turn of the program that reads them."""
        super().__init__(text)
        self._screen = screen
        if pieces:
            self.buffer = Pieces(text.encode("utf-8", "surrogateescape"), pieces)  # type: ignore[misc]

    @classmethod
    def again(cls, inputs: Mapping[str, bytes], screen: TextIO) -> Script:
        """What a line of a log was given on its standard input."""
        pieces = inputs.get("pieces", b"").split()
        typed = inputs.get("stdin", b"").decode("utf-8", "surrogateescape")
        return cls(typed, screen, [int(piece) for piece in pieces if piece.isdigit() and len(piece) < 12])

    def isatty(self) -> bool:
        return True

    def ask(self, prompt: str, history: list[str], completion: Completion) -> bytes:
        """The next line, echoed as a terminal would."""
        line = self.readline()
        self._screen.write(prompt + (line.rstrip("\n") + "\n" if line else ""))
        return (line if line.endswith("\n") or not line else line + "\n").encode()


def _edited(prompt: str, history: list[str], completion: Completion) -> bytes:
    """One line from the real terminal; b"" for Ctrl-D.

    A program that reads without a prompt of the shell's (`read`, `cat`) gets what the terminal itself gives: what it
    printed before, on the same line, stays.
    """
    if not prompt:
        sys.stdout.flush()
        return sys.stdin.buffer.readline()
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.filters import is_searching
    from prompt_toolkit.formatted_text import ANSI
    from prompt_toolkit.history import InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.search import accept_search

    class Completions(Completer):
        def get_completions(self, document: Any, event: Any) -> Iterable[Any]:
            return _completions(document.text_before_cursor, completion)

    keys = KeyBindings()

    @keys.add("enter", filter=is_searching)
    def found(event: Any) -> None:
        """Enter takes what Ctrl-R found, and runs it, as in every shell."""
        accept_search()
        event.current_buffer.validate_and_handle()

    sys.stdout.flush()
    session: Any = PromptSession(history=InMemoryHistory([line for line in history if "\n" not in line]), completer=Completions(), complete_while_typing=False, key_bindings=keys)  # fmt: skip
    try:
        return (str(session.prompt(ANSI(prompt))) + "\n").encode("utf-8", "surrogateescape")
    except EOFError:
        return b""


def _completions(typed: str, completion: Completion) -> Iterable[Any]:
    import re

    from prompt_toolkit.completion import Completion as Candidate

    word = re.split(r"[\s;&|<>()=]", typed)[-1]
    for name in completion(typed):
        yield Candidate(
            name,
            start_position=-len(word),
            display=name.rstrip("/").rpartition("/")[2] + ("/" if name.endswith("/") else ""),
        )
