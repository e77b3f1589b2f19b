"""A log done again, entry by entry: the same commands in another lab, and whether the same comes of them.

What a container's program did by itself cannot be typed. The log says how things stood after each command (`Entry.after`),
and the programs here are let go on until they stand so: they are the same programs, and time is theirs alone. What they
cannot reach, they do not get.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imagelab.cli.main import run
from imagelab.cli.streams import Script
from imagelab.runtime.in_process import InProcess
from imagelab.state.steps import fingerprint
from imagelab.store.journal import LATE

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab
    from imagelab.state.steps import Entry


@contextmanager
def done_again(lab: Lab, *, exact: bool) -> Iterator[InProcess]:
    """While a log is done again, containers live in this process, and by its log; then as they always do.

    `exact`: it says how they stood; else they go on as time does.
    """
    containers = lab.engine.containers
    usual = containers.runner
    replayed = usual if isinstance(usual, InProcess) else InProcess()
    containers.runner = replayed
    if exact:
        replayed.hold()
    try:
        yield replayed
    finally:
        replayed.let_go()
        if usual is not replayed:
            running = replayed.release()
            containers.runner = usual
            lab.engine.timeline.bring_back(running)


def again(lab: Lab, runner: InProcess, entry: Entry, environ: Mapping[str, str]) -> str:
    """Run one entry; what is wrong with what came of it, as a sentence that begins with a verb, or ""."""
    out, err = io.StringIO(), io.StringIO()
    moments = {name.removeprefix(LATE): said for name, said in entry.inputs.items() if name.startswith(LATE)}
    runner.expect(entry.after, {key: int(said) for key, said in moments.items() if said.isdigit() and len(said) < 20})
    lab.pinned = entry.at
    try:
        code = run(
            entry.command, stdin=Script.again(entry.inputs, out), stdout=out, stderr=err, environ=environ, lab=lab, given=entry.inputs
        )  # fmt: skip
    finally:
        lab.pinned = None
    runner.settle_up(lab.store)
    if code != entry.exit_code and not runner.went_aside:
        return f"ended with exit code {code}, and not with {entry.exit_code}: {err.getvalue().strip()}"
    if entry.state is not None and fingerprint(lab.state) != entry.state:
        return "leaves another lab than the log says"
    return ""
