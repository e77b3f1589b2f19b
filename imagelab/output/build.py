"""What `docker build` prints, by era (R8.1-R8.6).

    28, 29   Step 2/3 : ENV A=$b             as it is written
              ---> Running in 9cdc27646c7b
              ---> Removed intermediate container 9cdc27646c7b
              ---> 44aa4490ce2c
             Successfully built 44aa4490ce2c
             Successfully tagged app:latest
    1.13     Step 2/3 : ENV A x              upper case, variables replaced
              ---> Running in 9cdc27646c7b
              ---> 44aa4490ce2c
             Removing intermediate container 9cdc27646c7b
             Successfully built 44aa4490ce2c

Docker 1.13 made a container for COPY as well, and said only that it removed it. There is none here, so its ID is made
from the image's: a projection, as all of an era is.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TextIO

from imagelab.dockerfile.instructions import (
    CommandInstruction,
    Copy,
    From,
    Healthcheck,
    Instruction,
    PairsInstruction,
    TextInstruction,
    WordsInstruction,
)
from imagelab.engine.build import trace as build_trace
from imagelab.oci.digest import Digest
from imagelab.output import eras
from imagelab.state.model import Image
from imagelab.units import human_size

DEPRECATED = """\
DEPRECATED: The legacy builder is deprecated and will be removed in a future release.
            BuildKit is currently disabled; enable it by removing the DOCKER_BUILDKIT=0
            environment-variable.

"""
"""What a client of 23 and later says when DOCKER_BUILDKIT=0 asks for this builder."""


def sending(size: int, era: str) -> str:
    """The client's line: how large the context is (R8.1)."""
    return f"Sending build context to Docker daemon {human_size(size, digits=4, space=era == '1.13'):>8}\n"


class Printer:
    """Hears a build, and writes what this Docker writes. `image` looks an image up by its ID."""

    def __init__(
        self, out: TextIO, err: TextIO, era: str, image: Callable[[Digest], Image], show: Callable[[int, bytes], None]
    ) -> None:
        self._out, self._err, self._era, self._image, self._show = out, err, era, image, show
        self._removed: list[str] = []
        self.steps: list[build_trace.BuildStep] = []

    def __call__(self, what: build_trace.BuildEvent) -> None:
        match what:
            case build_trace.StepBegun():
                self._begin(what)
            case build_trace.TriggersFound(count):
                dots = "..." if self._era == "1.13" else ""
                self._write(f"# Executing {count} build trigger{'s' if count > 1 else ''}{dots}\n")
            case build_trace.Note(text):
                (self._err if text.startswith("[WARNING]") else self._out).write(f"{text}\n")
            case build_trace.CacheUsed():
                self._write(" ---> Using cache\n")
            case build_trace.ContainerMade(id):
                self._write(f" ---> Running in {id[:12]}\n")
            case build_trace.StepOutput(_, data):
                self._show(1, data)
            case build_trace.Removed(id) if self._era == "1.13":
                self._removed.append(id)
            case build_trace.Removed(id):
                self._write(f" ---> Removed intermediate container {id[:12]}\n")
            case build_trace.ImageMade():
                self._made(what)
            case build_trace.StepDone(step):
                self.steps.append(step)
            case build_trace.Built(id, names):
                self._write(f"Successfully built {self._short(id)}\n")
                self._write("".join(f"Successfully tagged {name}\n" for name in names) if self._era != "1.13" else "")

    def _write(self, text: str) -> None:
        self._out.write(text)

    def _begin(self, event: build_trace.StepBegun) -> None:
        if self._era == "1.13":
            self._write(f"Step {event.number}/{event.total} : {old_text(event.found)}\n")
        elif not event.triggered:
            self._write(f"Step {event.number}/{event.total} : {event.written.text}\n")

    def _made(self, event: build_trace.ImageMade) -> None:
        short = self._short(event.id) if event.id else ""
        self._write(f" ---> {short}\n")
        if self._era == "1.13" and event.copied and event.id:
            self._removed.append(sha256(event.id.encode()).hexdigest())
        self._write("".join(f"Removing intermediate container {id[:12]}\n" for id in self._removed))
        self._removed = []

    def _short(self, id: Digest) -> str:
        return eras.image_id(self._image(id), self._era).hex[:12]


def old_text(instruction: Instruction) -> str:
    """An instruction as 1.13 shows it: the keyword in upper case, variables replaced, the words after each other."""
    words: list[str] = list(instruction.line.args)
    match instruction:
        case From(base=base):
            words = [base, *words[1:]]
        case CommandInstruction() | WordsInstruction():
            words = list(instruction.words)
        case PairsInstruction(pairs=pairs):
            words = [word for pair in pairs for word in pair]
        case Copy():
            words = [*instruction.sources, instruction.target]
        case TextInstruction(value=value):
            words = [value]
        case Healthcheck():
            words = list(instruction.line.args)
    return " ".join([instruction.line.keyword.upper(), *instruction.line.flags, *words])
