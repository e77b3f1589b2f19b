"""`*.conf`, `[a-z]?`: the shell's patterns, in `case`, in `${x%pattern}`, and as file names (POSIX 2.13).

A pattern is text in which a backslash keeps the next character from meaning anything; `escaped` puts the backslashes
before what was quoted. File names are matched name by name, so `*` never crosses a slash, and a dot at the beginning
must be written down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Process

CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r" \t\n\r\f\v", "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "cntrl": r"\x00-\x1f\x7f", "print": r"\x20-\x7e", "graph": r"\x21-\x7e"}  # fmt: skip
_BRACKET = re.compile(r"\[([!^]?)(\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]", re.S)


def escaped(text: str) -> str:
    """Text that is to match itself."""
    return re.sub(r"([\\*?\[\]!^-])", r"\\\1", text)


def unescaped(pattern: str) -> str:
    """The text a pattern was, when it matches nothing."""
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.S)


def is_pattern(pattern: str) -> bool:
    """Does anything in it mean something?"""
    return any(char in "*?[" for char in re.sub(r"\\.", "", pattern, flags=re.S))


@lru_cache(maxsize=1000)
def translate(pattern: str, *, greedy: bool = True) -> str:
    """A pattern -> the text of a regular expression."""
    pieces, position = [], 0
    while position < len(pattern):
        char = pattern[position]
        if char == "*":
            pieces.append(".*" if greedy else ".*?")
        elif char == "?":
            pieces.append(".")
        elif char == "[" and (match := _BRACKET.match(pattern, position)):
            pieces.append(_bracket(match))
            position = match.end()
            continue
        elif char == "\\" and position + 1 < len(pattern):
            position += 1
            pieces.append(re.escape(pattern[position]))
        else:
            pieces.append(re.escape(char))
        position += 1
    try:
        return re.compile("".join(pieces), re.S).pattern
    except re.error:  # [z-a]
        return re.escape(unescaped(pattern))


def _bracket(match: re.Match[str]) -> str:
    inside = re.sub(r"\[:([a-z]+):\]|\\(.)|(.)", _member, match[2], flags=re.S)
    return f"[{'^' if match[1] else ''}{inside}]"


def _member(match: re.Match[str]) -> str:
    if match[1]:
        return CLASSES.get(match[1], "")
    if match[2]:
        return re.escape(match[2])
    return match[3] if match[3] == "-" else re.escape(match[3])


def matches(pattern: str, text: str) -> bool:
    """Does the whole text match?"""
    return re.fullmatch(translate(pattern), text, re.S) is not None


def without(text: str, operator: str, pattern: str) -> str:
    """`${text#pattern}`, `##`, `%`, `%%`: the shortest or longest match at the beginning or the end taken off."""
    expression = re.compile(translate(pattern), re.S)
    at_start, longest = operator[0] == "#", len(operator) == 2
    cuts: Iterable[int] = range(len(text) + 1)
    if longest == at_start:
        cuts = reversed(range(len(text) + 1))
    for cut in cuts:
        if expression.fullmatch(text[:cut] if at_start else text[cut:]):
            return text[cut:] if at_start else text[:cut]
    return text


def replaced(text: str, pattern: str, new: str, *, all: bool) -> str:
    """`${text/pattern/new}` and `//`; a pattern after `/#` or `/%` is one of the beginning or the end."""
    anchor = pattern[:1] if pattern[:1] in ("#", "%") and not all else ""
    body = rf"(?:{translate(pattern[len(anchor) :])})"
    expression = {"": body, "#": rf"\A{body}", "%": rf"{body}\Z"}[anchor]
    return re.sub(expression, lambda match: new if match[0] or anchor else "", text, count=not all, flags=re.S)


def paths(p: Process, pattern: str) -> list[str]:
    """The file names that match, in order; [] when there are none."""
    names = ["/"] if pattern.startswith("/") else [""]
    parts = pattern.strip("/").split("/")
    for number, part in enumerate(parts):
        directory = number < len(parts) - 1 or pattern.endswith("/")
        names = [name for above in names for name in _names(p, above, part, directory=directory)]
        if number < len(parts) - 1:
            names = [name + "/" for name in names]
    return sorted(name + "/" for name in names) if pattern.endswith("/") else sorted(names)


def _names(p: Process, above: str, part: str, *, directory: bool) -> list[str]:
    if not is_pattern(part):
        name = above + unescaped(part)
        return [name] if p.find(name, follow=directory) is not None else []
    try:
        names = p.files.names(p.user, p.path(above or "."))
    except Errno:
        return []
    if part.startswith("."):
        names = [".", "..", *names]
    chosen = [above + n for n in names if (part[0] == "." or not n.startswith(".")) and matches(part, n)]
    return [name for name in chosen if not directory or ((node := p.find(name)) is not None and node.is_directory)]
