"""Words for learners, in both languages, side by side: neither can be written without the other.

    said = Words("no image is called `{name}`", "没有叫 `{name}` 的镜像")
    said.with_(name="nginx").in_("zh")

Docker's own output is never translated; what imagelab says about it is.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One sentence, in English and in Chinese."""

    en: str
    zh: str

    def in_(self, language: str) -> str:
        """The sentence in "en" or "zh"."""
        return self.zh if language == "zh" else self.en

    def with_(self, **values: object) -> Words:
        """Both sentences with the same `{name}`s put in."""
        return Words(self.en.format(**values), self.zh.format(**values))
