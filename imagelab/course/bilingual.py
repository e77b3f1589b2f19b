"""Words for learners, in both languages, side by side: neither can be written without the other.

    said = Words("no image is called `{name}`", "没有叫 `{name}` 的镜像")
    said.with_(name="nginx").in_("zh")

Docker's own output is never translated; what imagelab says about it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LANGUAGES = ("en", "zh")


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


def language_here(environ: Mapping[str, str], folder: Path | None = None) -> str:
    """The language to speak: that of the folder a notebook stands in (`en/`, `zh/`), else $IMAGELAB_LANG, else English."""
    here, asked = (folder or Path.cwd()).name, environ.get("IMAGELAB_LANG", "")
    return next((language for language in (here, asked) if language in LANGUAGES), "en")
