"""What BuildKit shows when it is done (R8.28), with every time as 0.0s: a lesson's output is the same every time.

[+] Building 0.0s (7/7) FINISHED                                  docker:default
 => [internal] load build definition from Dockerfile                       0.0s
 => CACHED [1/2] FROM docker.io/library/ubuntu:14.04                       0.0s
 => [2/2] RUN echo hi > /x                                                 0.0s
 => exporting to image                                                     0.0s
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from imagelab.dockerfile.instructions import Copy, From, Run, Workdir
from imagelab.engine.build import trace as build_trace
from imagelab.engine.build.request import BuildError
from imagelab.errors import ImageLabError
from imagelab.units import human_size

WIDTH = 80


@dataclass(slots=True)
class _Vertex:
    """One line of the screen: an instruction that does something."""

    text: str
    is_cached: bool = False
    output: list[bytes] = field(default_factory=list)


class KitPrinter:
    """Hears a build, and writes BuildKit's last screen. `size`: the context's bytes."""

    def __init__(self, err: TextIO, dockerfile: str, size: int) -> None:
        self._err, self._name, self._size = err, dockerfile, size
        self._stages: dict[int, tuple[str, list[_Vertex]]] = {}
        self._bases: list[str] = []
        self._uses_context = False
        self._last: _Vertex | None = None
        self.steps: list[build_trace.BuildStep] = []

    def __call__(self, what: build_trace.BuildEvent) -> None:
        match what:
            case build_trace.StepBegun(triggered=False):
                self._begin(what)
            case build_trace.StepOutput(_, data) if self._last:
                self._last.output.append(data)
            case build_trace.CacheUsed() if self._last:
                self._last.is_cached = True
            case build_trace.StepDone(step):
                self.steps.append(step)
            case build_trace.Built(id, names):
                self._write([*self._lines(), *_exported(id, names)], "FINISHED")
            case build_trace.Note(text):
                self._err.write(f"{text}\n")

    def _begin(self, what: build_trace.StepBegun) -> None:
        self._last = None
        match what.found:
            case From(base=base, name=name):
                vertices = self._stages.setdefault(what.stage, (name or f"stage-{what.stage}", []))[1]
                if base != "scratch" and not any(base == name for name, _ in self._stages.values()):
                    from imagelab.oci.reference import Reference

                    full = str(Reference.parse(base).with_default_tag())
                    self._bases += [full] if full not in self._bases else []
                    vertices.append(_Vertex(f"FROM {full}"))
            case Run() | Copy() | Workdir() as instruction:
                self._uses_context = self._uses_context or (
                    isinstance(instruction, Copy) and not instruction.source_image
                )
                self._last = _Vertex(what.written.text)
                self._stages[what.stage][1].append(self._last)

    def _lines(self) -> Iterator[str]:
        yield f"[internal] load build definition from {self._name}"
        yield from (f"[internal] load metadata for {base}" for base in self._bases)
        yield "[internal] load .dockerignore"
        if self._uses_context:
            yield "[internal] load build context"
            yield f"=> transferring context: {human_size(self._size, digits=4)}"
        for name, vertices in self._stages.values():
            for number, vertex in enumerate(vertices, 1):
                yield f"{'CACHED ' if vertex.is_cached else ''}[{self._label(name, number, len(vertices))}] {vertex.text}"

    def _label(self, name: str, number: int, total: int) -> str:
        return f"{name} {number}/{total}" if len(self._stages) > 1 else f"{number}/{total}"

    def _write(self, lines: list[str], ended: str) -> None:
        count = sum(not line.startswith("=> ") for line in lines)
        head = f"[+] Building 0.0s ({count}/{count}) {ended}".strip()
        self._err.write(f"{head:<{WIDTH - 14}}docker:default\n")
        for line in lines:
            text = f" => {line}"
            self._err.write(f"{text[: WIDTH - 6]:<{WIDTH - 6}} 0.0s\n")

    def failed(self, error: ImageLabError) -> None:
        """The screen of a build that did not end well."""
        lines = list(self._lines())
        if self._last is not None:
            lines[-1] = f"ERROR {lines[-1]}"
        self._write(lines, "")
        if self._last is not None and isinstance(error, BuildError):
            printed = b"".join(self._last.output).decode("utf-8", "replace").splitlines()
            self._err.write(
                f"------\n > {lines[-1].removeprefix('ERROR ')}:\n"
                + "".join(f"0.000 {line}\n" for line in printed)
                + "------\n"
            )
        self._err.write(f"ERROR: failed to solve: {kit_words(str(error))}\n")
        if error.hint:
            self._err.write(f"hint: {error.hint}\n")


def _exported(id: str, names: tuple[str, ...]) -> Iterator[str]:
    from imagelab.oci.reference import Reference

    yield "exporting to image"
    yield "=> exporting layers"
    yield f"=> writing image {id}"
    yield from (f"=> naming to {Reference.parse(name)}" for name in names)


_SAID = [
    (
        r"The command '(.*)' returned a non-zero code: (\d+)",
        r'process "\1" did not complete successfully: exit code: \2',
    ),
    (
        r"(?:COPY|ADD) failed: .*stat (\S+): file does not exist",
        r'failed to compute cache key: failed to calculate checksum of ref: "/\1": not found',
    ),
]


def kit_words(text: str) -> str:
    """The classic builder's sentence as BuildKit says it."""
    for pattern, instead in _SAID:
        text = re.sub(pattern, instead, text, flags=re.DOTALL)
    return text
