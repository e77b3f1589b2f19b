"""What a verb is: a record of what its page says, which flags it takes, how many arguments, and what it calls.

A command's function gets a `Invocation` (the streams, the parsed line, the lab) and returns an exit code. It asks the
Engine, hands the answer to `output`, and writes the text. Nothing here decides what Docker would do.
"""

from __future__ import annotations

import io
from importlib import import_module

from imagelab.cli.flags import Flag, Parsed
from imagelab.cli.verbs import VERBS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import IO, TextIO

    from imagelab.errors import ImageLabError
    from imagelab.lab.host_access import HostAccess
    from imagelab.lab.lab import Lab, Settings
    from imagelab.oci.digest import Digest
    from imagelab.state.events import ProgressSink
    from imagelab.store.journal import VerbRecord
    from imagelab.view.panel import Panel

    Function = Callable[["Invocation"], int]

GLOBAL_FLAGS = (
    Flag("era", "", "string", "Print as this Docker: 1.13, 28 or 29"),
    Flag("upstream", "", "string", "Where docker.io is: classroom (built in), hub, or a URL"),
    Flag("mirror", "", "strings", "A registry to ask before docker.io; may be repeated"),
    Flag("lab", "", "string", "The lab's directory (else $IMAGELAB_HOME)"),
    Flag("version", "v", "bool", "Print version information and quit"),
    Flag("debug", "D", "bool", "Accepted, for Docker's sake"),
    Flag("host", "H", "strings", "Accepted, for Docker's sake: there is no daemon"),
    Flag("context", "c", "string", "Accepted, for Docker's sake"),
    Flag("config", "", "string", "Accepted, for Docker's sake"),
    Flag("log-level", "l", "string", "Accepted, for Docker's sake"),
)


class Invocation:
    """One command line at work: its streams, its flags, and the lab once somebody needs it."""

    def __init__(
        self, stdin: TextIO, out: TextIO, err: TextIO, environ: Mapping[str, str], lab: Lab | None,
        progress: ProgressSink | None, given: Mapping[str, bytes] | None = None,
    ) -> None:  # fmt: skip
        self.stdin, self.out, self.err = stdin, out, err
        self._host = lab.host if lab is not None else None
        self.environ = environ if self._host is None else self._host.environ(environ)
        self.options, self.parsed = Parsed(), Parsed()
        self._given, self.progress = lab, progress
        self._lab: Lab | None = None
        self._verb: AbstractContextManager[VerbRecord] | None = None
        self.recorded = True
        """Is what this line changes a step of the timeline?"""
        self._heard = b""
        self._pieces: list[str] = []
        self._inputs = given
        self._read: dict[str, Digest] = {}

    @property
    def host(self) -> HostAccess:
        """What this line may touch of the machine: as much as the lab it was given, else all of it."""
        if self._host is None:
            from imagelab.lab.host_access import WholeMachine

            self._host = WholeMachine()
        return self._host

    @property
    def lab(self) -> Lab:
        """The lab of this line: the one given, or the one the flags and the environment name."""
        if self._lab is None:
            from imagelab.lab.lab import Lab
            from imagelab.lab.opening import open_lab

            era, upstream = self.options.text("era"), self.options.text("upstream")
            mirrors = self.options.all("mirror")
            if self._given is None:
                self._lab = open_lab(
                    Lab, self.options.text("lab") or None, era=era or None, upstream=upstream or None,
                    mirrors=mirrors or None, environ=self.environ,
                )  # fmt: skip
            elif self.options.text("lab") and not self.host.whole:
                from imagelab.errors import UsageError

                raise UsageError(f"--lab {self.options.text('lab')}: this line may use no other lab than its own")
            elif era or upstream or mirrors:
                settings = self._changed(self._given.settings, era, upstream, mirrors)
                self._lab = type(self._given)(self._given.store, settings, host=self._given.host)
            else:
                self._lab = self._given
            if self.recorded:
                self._verb = self._lab.store.verb(self._words(), self._lab.now())
                self._verb.__enter__()
        return self._lab

    def _words(self) -> list[str]:
        """The line as it can be run again: with the flags that change what it does, without those that say where."""
        chosen = [f"--{name}={self.options.text(name)}" for name in ("upstream", "era") if self.options.text(name)]
        return [*chosen, *(f"--mirror={mirror}" for mirror in self.options.all("mirror")), *self.options.arguments]

    def heard(self, data: bytes, *, fetched: bool = False) -> bytes:
        """Remember what was typed, so that the line can be run again; the same bytes. `fetched`: so much came at a time."""
        self._heard += data
        self._pieces += [str(len(data))] if fetched else []
        return data

    def take(self, name: str, fetch: Callable[[], IO[bytes]]) -> IO[bytes]:
        """What the line reads from outside the lab (a build's context, an archive), kept so that it can be run again."""
        given = (self._inputs or {}).get(name)
        file = _whole(fetch()) if given is None else io.BytesIO(given)
        if (kept := self.lab.store.keep(file)) is not None:
            self._read[name] = kept
        return file

    def take_words(self, name: str, fetch: Callable[[], Mapping[str, str | None]]) -> dict[str, str | None]:
        """The same for names and what they stand for on this machine (None: for nothing). TimelineError for a bad log."""
        import json

        data = self.take(name, lambda: io.BytesIO(json.dumps(fetch()).encode())).read()
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(value is None or isinstance(value, str) for value in found.values()):
            from imagelab.state.steps import TimelineError

            raise TimelineError(f"the log is damaged: what it says of the {name} is not names and their values")
        return found

    @property
    def again(self) -> bool:
        """Is this a line of a log, which is run again? Then the files that it left beside the lab are not written again."""
        return self._inputs is not None

    @property
    def at_a_terminal(self) -> bool:
        """Would standard input be typed? Not when the line is run again."""
        return self._inputs is None and self.stdin.isatty()

    def answer(self) -> str:
        """One line of an answer to a question."""
        line = self.stdin.readline()
        self.heard(line.encode("utf-8", "surrogateescape"))
        return line.strip()

    def _changed(self, settings: Settings, era: str, upstream: str, mirrors: Sequence[str]) -> Settings:
        from dataclasses import replace

        assert self._given is not None
        return replace(
            settings, era=era or self._given.era, upstream=upstream or settings.upstream,
            mirrors=tuple(mirrors) or settings.mirrors,
        )  # fmt: skip

    @property
    def era(self) -> str:
        """The era asked for, without opening a lab for it."""
        asked = self.options.text("era") or (self._given.era if self._given else "") or self.environ.get("IMAGELAB_ERA")
        return asked or (self._lab.era if self._lab else "28")

    def close(self, exit_code: int) -> None:
        """The line is over."""
        if self._verb is not None and self._lab is not None:
            store = self._lab.store
            with store.verb((), 0) as verb:  # the one that runs
                verb.exit_code = exit_code
                if verb.step_numbers:
                    typed = {"stdin": self._heard, "pieces": " ".join(self._pieces).encode()} if self._heard else {}
                    verb.inputs |= self._read | {name: store.put_blob(data) for name, data in typed.items() if data}
                unused = [] if verb.step_numbers else list(self._read.values())
            self._verb.__exit__(None, None, None)
            if unused:  # nothing came of it: nothing is kept
                store.drop(unused)
        if self._lab is not None and self._given is None:
            self._lab.close()

    def pull_progress(self) -> ProgressSink:
        """Who is told of a pull: whoever the caller named, the terminal, or a plain stream."""
        if self.progress is not None:
            return self.progress
        from imagelab.output.progress import lines_to, terminal_to

        if self.out.isatty():
            from shutil import get_terminal_size

            return terminal_to(self.out, width=get_terminal_size().columns)
        return lines_to(self.out)

    @property
    def in_notebook(self) -> bool:
        """Does whoever reads this take richer forms than text?"""
        return hasattr(self.out, "attach")

    def show_panel(self, panel: Panel) -> None:
        """A panel: its text, and in a notebook its page."""
        self.show(panel.text, {"text/html": panel.html} if self.in_notebook else {})

    def show(self, text: str, richer: Mapping[str, str]) -> None:
        """Write `text`; a notebook shows the best of `richer` (by mime type) instead, and keeps the text beside it."""
        self.out.write(text)
        attach = getattr(self.out, "attach", None)
        if attach is not None:
            attach(richer)

    def explain(self, error: ImageLabError) -> None:
        """One sentence, and what to try."""
        from imagelab.output import eras

        self.err.write(f"{eras.prefix(error, self.era)}{eras.error_text(error, self.era)}\n")
        if error.hint:
            self.err.write(f"hint: {error.hint}\n")


def _whole(file: IO[bytes]) -> IO[bytes]:
    """A pipe's bytes as a file, so that they can be kept; a pipe with more of them than are kept goes on as a pipe."""
    from typing import IO, cast

    from imagelab.store.store import KEPT_INPUT

    if file.seekable():
        return file
    head = file.read(KEPT_INPUT + 1)
    return io.BytesIO(head) if len(head) <= KEPT_INPUT else cast(IO[bytes], Rest(head, file))


class Rest:
    """A pipe of which some has been read."""

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self._head, self._file = io.BytesIO(head), file

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        return self._head.read(size) or self._file.read(size) if size >= 0 else self._head.read() + self._file.read()

    def close(self) -> None:
        self._file.close()


class Command:
    """A verb as it was called: `name` is the canonical one (`image ls`), `called` how it was typed (`images`)."""

    __slots__ = (
        "about", "aliases", "call", "called", "flags", "interspersed", "least", "more", "most", "name", "of_machine", "raw",
        "recorded", "short", "usage",
    )  # fmt: skip

    def __init__(
        self, called: str, arguments: str, call: Function, flags: tuple[Flag, ...] = (), *, least: int = 0, most: int | None = 0,
        more: str = "", about: str = "", interspersed: bool = True, raw: bool = False, recorded: bool | None = None,
    ) -> None:  # fmt: skip
        """What the parameters mean: see `command`."""
        verb = VERBS[called]
        self.name, self.called, self.short, self.call, self.flags = verb.canonical, called, verb.short, call, flags
        self.usage = " ".join(filter(None, (verb.program, called, "[OPTIONS]" if flags else "", arguments)))
        self.aliases = tuple(f"{verb.program} {name}" for name in verb.names)
        self.least, self.most, self.more, self.about = least, most, more, about
        self.interspersed, self.raw = interspersed, raw
        self.recorded = verb.program == "docker" if recorded is None else recorded
        self.of_machine = verb.of_machine


_COMMANDS: dict[str, Command] = {}
"""Those whose modules are loaded, by every name."""


def command_of(name: str) -> Command:
    """A verb of the table, its module loaded."""
    if name not in _COMMANDS:
        import_module(VERBS[name].module)
    return _COMMANDS[name]


def command(
    name: str, arguments: str, *flags: Flag, least: int = 0, most: int | None = 0, more: str = "", about: str = "",
    interspersed: bool = True, raw: bool = False, recorded: bool | None = None,
) -> Callable[[Function], Function]:  # fmt: skip
    """Say how a verb of the table (by its canonical name) is called, and by which function.

    `least`, `most`: how many arguments. `about`, `more`: what the page says below the one line, and at its end.
    `interspersed`: may flags stand after the first argument? Not where the arguments are a command of their own. `raw`: the
    words go to the function as they are: it has a parser of its own. `recorded`: is what it changes a step of the timeline?
    Docker's verbs are, and few of imagelab's own.
    """

    def register(call: Function) -> Function:
        for called in VERBS[name].names:
            _COMMANDS[called] = Command(
                called, arguments, call, flags, least=least, most=most, more=more, about=about, interspersed=interspersed, raw=raw,
                recorded=recorded,
            )  # fmt: skip
        return call

    return register
