"""The way of a lab, to walk along: for every step the command, what happened, and the lab afterwards with the differences marked.

    step 4 of 6   docker commit webserver nginx:v2
                  image commit sha256:1684…
                  image 168492091924 [new], layer 0a4cac88da10 [new], tag nginx:v2 [new]
                  webserver: /usr/share/nginx/html/index.html is now in layer 0a4cac88da10

A `Frame` is one step as a value, made from two states; a `Stepper` is a row of them. In a notebook it is a slider, and keys;
without a script it is a list to fold open, and in a terminal it is text. All steps are in the page: moving asks no kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imagelab.state.events import Event
from imagelab.view.graph.model import Graph
from imagelab.view.graph.text import kind_word, mark_words, summary
from imagelab.view.messages import say
from imagelab.view.panel import Panel
from imagelab.view.stepper.overlay import Overlay, OverlayRow
from imagelab.view.table import Cell, Table, headings

MOST_FILES = 12
"""Of a container's files, how many are shown."""
MOST_EVENTS = 8
_CHANGES = {"new", "gone", "moved", "changed"}


@dataclass(frozen=True, slots=True)
class Listing:
    """What one of Docker's listings says before and after a step; `title` is the command."""

    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Frame:
    """One step: what was typed, what happened, and the lab after it."""

    number: int
    command: str
    """The line as one would type it, with the word docker; "" for a change made otherwise."""
    events: tuple[Event, ...]
    graph: Graph
    listings: tuple[Listing, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    exit_code: int = 0
    ahead: bool = False
    """It was undone, and could be done again."""


@dataclass(frozen=True, repr=False)
class Stepper(Panel):
    """The steps of a lab. `start` is the one shown first, counted from 0."""

    kind = "stepper"
    sheets = ("split",)

    frames: tuple[Frame, ...]
    start: int
    lang: str

    @property
    def title(self) -> str:
        return say("stepper.title", self.lang)

    def lines(self) -> Iterator[str]:
        if not self.frames:
            yield say("stepper.empty", self.lang)
        for index in range(len(self.frames)):
            yield from ([""] if index else [])
            yield from self._frame_lines(index)

    def text_of(self, index: int) -> str:
        """One step as text. `index` counts from 0."""
        return "".join(f"{line}\n" for line in self._frame_lines(index))

    def _frame_lines(self, index: int) -> Iterator[str]:
        frame, step = self.frames[index], say("stepper.step", self.lang, number=index + 1, total=len(self.frames))
        yield f"{step}: {command_of(frame, self.lang)}"
        yield from (f"  {text}" for text in notes(frame, self.lang))
        yield from (f"  {event_text(event)}" for event in frame.events[:MOST_EVENTS])
        yield from (f"  {text}" for text in differences(frame.graph) or [summary(frame.graph)])
        for stack in frame.overlays:
            yield f"  {say('stepper.stack', self.lang, name=stack.container)}"
            yield from (f"    {line}" for line in overlay_table(stack, self.lang).lines(gap=3))

    @property
    def html(self) -> str:
        from imagelab.view.stepper.html import page

        return page(self, super().html)

    def body(self) -> str:
        from imagelab.view.stepper.html import body

        return body(self)


def command_of(frame: Frame, lang: str) -> str:
    return frame.command or say("stepper.by_hand", lang)


def notes(frame: Frame, lang: str) -> list[str]:
    """What is to be said of the step itself: that it failed, that it was undone."""
    failed = [say("stepper.failed", lang, code=frame.exit_code)] if frame.exit_code else []
    return failed + ([say("stepper.ahead", lang)] if frame.ahead else [])


def event_text(event: Event) -> str:
    """As `docker events` has it, without the time: `image tag nginx:v2`."""
    actor = event.actor
    if actor.startswith("sha256:"):
        actor = actor[7:19]
    elif len(actor) == 64:
        actor = actor[:12]
    name = event.attributes.get("name", "")
    return " ".join(
        part for part in (event.type, event.action, actor, f"({name})" if name and name != actor else "") if part
    )


def differences(graph: Graph) -> list[str]:
    """Everything in the picture that is new, gone, moved or changed, a line each."""
    return [
        f"{kind_word(thing, graph.lang)} {thing.title}  [{', '.join(mark_words(thing, graph.lang))}]"
        for thing in graph.things
        if _CHANGES & set(thing.marks)
    ]


# -- a container's files ------------------------------------------------------------------------------------


def overlay_table(stack: Overlay, lang: str) -> Table:
    """File, lower, upper and merged in words; a row that became so in this step is marked."""
    rows, left_out = chosen(stack.rows)
    columns = headings(say(f"stepper.{name}", lang) for name in ("path", "lower", "upper", "merged"))
    marks = [" class=is-new" if row.moved else "" for row in rows]
    cells = [_overlay_cells(row, lang) for row in rows]
    return Table(columns if rows else (), cells, tuple(_overlay_notes(stack, left_out, lang)), marks)


def _overlay_cells(row: OverlayRow, lang: str) -> tuple[Cell, str, str, str]:
    lower = say(f"stepper.{'absent' if not row.lower else 'there' if row.directory else 'hidden'}", lang)
    upper = say(f"stepper.kind.{row.kind}", lang) + (f" ({say('stepper.moved', lang)})" if row.moved else "")
    merged = "absent" if not row.merged else "from_both" if row.directory and row.lower else "from_upper"
    return Cell(row.path, attributes=' class="c"'), lower, upper, say(f"stepper.{merged}", lang)


def _overlay_notes(stack: Overlay, left_out: int, lang: str) -> Iterator[str]:
    """What is said below the table."""
    if not stack.rows:
        yield say("stepper.nothing_own", lang)
    if left_out:
        yield say("stepper.more", lang, count=left_out)
    if above := sum(row.is_above for row in stack.rows):
        yield say("stepper.above", lang, count=above)
    if stack.layer:
        yield say("stepper.became", lang, layer=stack.layer, image=stack.image)


def chosen(rows: Sequence[OverlayRow]) -> tuple[tuple[OverlayRow, ...], int]:
    """The rows to show, and how many are left out: directories above what changed, and of many files those that did not move."""
    shown = set(sorted((row for row in rows if not row.is_above), key=lambda row: not row.moved)[:MOST_FILES])
    return tuple(row for row in rows if row in shown), sum(not row.is_above for row in rows) - len(shown)
