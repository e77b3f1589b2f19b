"""What pictures and panels say, in English and in Chinese, side by side in one table.

    say("dangling.why.no_tag", "zh", image="mongo")
         |        |
         |        the entry [why.no_tag] there
         the page words/dangling.toml of the table

An entry holds both languages, so that an author who changes one sees the other:

    [stands_on]
    en = "{image} stands on {layers:# layer|# layers}"
    zh = "{image} 由 {layers} 层构成"

`{name}` is filled in from the values. `{layers:# layer|# layers}` takes the first form for one and the second for any
other number, and puts the number in place of `#`. Chinese has one form and no need of that. A test holds that every
entry has both languages and the same names in them. What Docker prints stays English, as Docker's does.

The sentences are written in each language, with the terms of docs/glossary.md; they are not translated word by word.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from imagelab.errors import UsageError

LANGUAGES = ("en", "zh")

WORDS = Path(__file__).parent / "words"
"""The folder with the pages of the table."""


class _Plural(string.Formatter):
    """`str.format`, and `{n:# layer|# layers}`."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if "|" not in format_spec:
            return str(super().format_field(value, format_spec))
        singular, _, plural = format_spec.partition("|")
        return (singular if value == 1 else plural).replace("#", str(value))


_FORMAT = _Plural()


def say(key: str, lang: str, **values: object) -> str:
    """The sentence called `key` (`page.entry`) in a language, its names filled in. KeyError when there is none, or a value is missing."""
    page, _, entry = key.partition(".")
    return _FORMAT.vformat(_page(page)[entry][lang], (), values)


def names_in(sentence: str) -> set[str]:
    """The names that a sentence wants values for."""
    return {name for _, name, _, _ in _FORMAT.parse(sentence) if name is not None}


def pages() -> dict[str, dict[str, dict[str, str]]]:
    """The whole table: page -> entry -> language -> sentence."""
    return {path.stem: _page(path.stem) for path in sorted(WORDS.glob("*.toml"))}


@cache
def _page(name: str) -> dict[str, dict[str, str]]:
    import tomllib

    path = WORDS / f"{name}.toml"
    if not path.is_file():
        raise KeyError(f"there is no page {name!r} in {WORDS.name}/")
    return dict(_entries(tomllib.loads(path.read_text(encoding="utf-8")), ""))


def _entries(table: dict[str, Any], prefix: str) -> list[tuple[str, dict[str, str]]]:
    """`[why.no_tag]` is a table in a table; here it is one entry called "why.no_tag"."""
    entries: list[tuple[str, dict[str, str]]] = []
    for key, value in table.items():
        if all(isinstance(inner, str) for inner in value.values()):
            entries.append((prefix + key, value))
        else:
            entries += _entries(value, f"{prefix}{key}.")
    return entries


def checked_language(lang: str) -> str:
    """`lang`, or UsageError when there are no words in it."""
    if lang not in LANGUAGES:
        raise UsageError(f"unknown language {lang!r}", hint=f"imagelab speaks {' and '.join(LANGUAGES)}")
    return lang


def language_here(environ: Mapping[str, str], folder: Path | None = None) -> str:
    """The language to speak: that of the folder a notebook stands in (`en/`, `zh/`), else $IMAGELAB_LANG, else English."""
    here, asked = (folder or Path.cwd()).name, environ.get("IMAGELAB_LANG", "")
    return next((language for language in (here, asked) if language in LANGUAGES), "en")
