"""What a learner did to an exercise's lab, written so that somebody else can do it again: the lab's own log of its timeline.

Each line of the log holds a command line, what it read from outside, the lab's fingerprint after it, and the digest of the
line before. So a line cannot be changed, left out or put in without the next one showing it; and whoever forges the whole
chain has still only written down commands, which `grade` carries out and judges by what comes of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab


def written(lab: Lab) -> tuple[str, ...]:
    """The lines of the log, from the empty lab to the present."""
    return tuple(lab.timeline.log(exact=True))
