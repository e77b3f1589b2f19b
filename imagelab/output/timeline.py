"""`imagelab steps`: the timeline as a table."""

from __future__ import annotations

from collections.abc import Sequence

from imagelab.output.eras import ago
from imagelab.output.tabwriter import columns
from imagelab.state.steps import Step, path_to


def listing(
    everything: Sequence[Step], branch: Sequence[Step], position: int, *, all: bool = False, no_trunc: bool = False, era: str, now: int
) -> str:  # fmt: skip
    """The steps of this branch, or `everything`; `*` marks the present (after step `position`), `+` what redo would bring
    back, `-` what lies on another branch."""
    behind = set(path_to({step.number: step.parent for step in everything}, position))
    ahead = {step.number for step in branch} - behind
    rows = ["\tSTEP\tAFTER\tDONE\tCOMMAND\tEVENTS"]
    for step in everything if all else branch:
        mark = "*" if step.number == position else "+" if step.number in ahead else "" if step.number in behind else "-"
        line = step.line if no_trunc or len(step.line) <= 60 else step.line[:59] + "…"
        done = ago(step.at, now, era) if step.at else ""
        rows.append(f"{mark}\t{step.number}\t{step.parent}\t{done}\t{line}\t{_events(step)}")
    return columns(rows)


def _events(step: Step) -> str:
    """`image pull, container create, start`: each thing that was done, once, in the order of its first time."""
    done: dict[str, dict[str, None]] = {}
    for event in step.events:
        done.setdefault(event.type, {})[event.action] = None
    return ", ".join(f"{kind} {', '.join(actions)}" for kind, actions in done.items())
