"""One check: something that is true of a lab or not, and what is said of it in both languages.

`says` is its line in the checklist, `unmet` the sentence for a learner who is not there yet; a function where the
sentence depends on how things are. `test` looks at two scenes: the one the exercise starts with, and the one now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from imagelab.course.bilingual import Words
from imagelab.course.lab_snapshot import LabSnapshot

Test = Callable[[LabSnapshot, LabSnapshot], bool]
Saying = Callable[[LabSnapshot, LabSnapshot], Words]


@dataclass(frozen=True, slots=True)
class Check:
    """Something that is true of a lab or not. `says` as in a checklist; `unmet` when it is not true."""

    says: Words
    unmet: Words | Saying
    test: Test

    def holds(self, before: LabSnapshot, now: LabSnapshot) -> bool:
        return self.test(before, now)

    def missing(self, before: LabSnapshot, now: LabSnapshot) -> Words:
        """What is still to be done, as things are."""
        return self.unmet if isinstance(self.unmet, Words) else self.unmet(before, now)

    def __invert__(self) -> Check:
        said = Words(f"not: {self.says.en}", f"不成立：{self.says.zh}")
        return Check(said, said, lambda before, now: not self.test(before, now))

    def __and__(self, other: Check) -> Check:
        said = Words(f"{self.says.en}, and {other.says.en}", f"{self.says.zh}，并且{other.says.zh}")
        return Check(said, said, lambda before, now: self.test(before, now) and other.test(before, now))

    def __or__(self, other: Check) -> Check:
        said = Words(f"{self.says.en}, or {other.says.en}", f"{self.says.zh}，或者{other.says.zh}")
        return Check(said, said, lambda before, now: self.test(before, now) or other.test(before, now))

    def saying(self, en: str, zh: str) -> Check:
        """The same check, in words that suit a lesson better."""
        return Check(Words(en, zh), self.unmet, self.test)
