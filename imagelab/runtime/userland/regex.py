"""POSIX regular expressions, basic and extended, as Python's `re` understands them.

    basic (grep, sed, expr)     \\( \\) \\{ \\} group and repeat, and ( ) { } are themselves; GNU adds \\+ \\? \\|
    extended (grep -E, awk)     ( ) { } + ? | group and repeat, and with a backslash they are themselves

`*` at the beginning of a basic expression is a star; `^` and `$` are anchors only at the ends of a basic one.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s", "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "cntrl": r"\x00-\x1f\x7f", "print": r"\x20-\x7e", "graph": r"\x21-\x7e"}  # fmt: skip
_SAME = {"w": r"\w", "W": r"\W", "s": r"\s", "S": r"\S", "b": r"\b", "B": r"\B", "<": r"\b(?=\w)", ">": r"\b(?<=\w)", "`": r"\A", "'": r"\Z", "n": r"\n", "t": r"\t"}  # fmt: skip
_BRACKET = re.compile(r"\[(\^?)(\]?(?:\[[:.=].*?[:.=]\]|[^\]])*)\]", re.S)


class BadPattern(Exception):
    """What GNU says of an expression that is none."""


@lru_cache(maxsize=500)
def compile(pattern: str, *, extended: bool, ignore_case: bool = False) -> re.Pattern[str]:
    """A POSIX expression -> a Python one. BadPattern."""
    try:
        return re.compile(_translated(pattern, extended), re.I if ignore_case else 0)
    except re.error as error:
        if "unterminated subpattern" in str(error) or "unbalanced parenthesis" in str(error):
            raise BadPattern("Unmatched ( or \\(" if "unterminated" in str(error) else "Unmatched ) or \\)") from None
        if "group reference" in str(error):
            raise BadPattern("Invalid back reference") from None
        raise BadPattern("Invalid preceding regular expression") from None


def _translated(pattern: str, extended: bool) -> str:
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        start = not out or out[-1] in ("(", "|", "^")
        if char == "[":
            match = _BRACKET.match(pattern, at)
            if match is None:
                raise BadPattern("Unmatched [, [^, [:, [., or [=")
            out.append(_bracket(match))
            at = match.end()
            continue
        if char == "\\":
            if at + 1 == len(pattern):
                raise BadPattern("Trailing backslash")
            out.append(_escaped(pattern[at + 1], extended, start))
            at += 2
            continue
        out.append(_plain(char, pattern, at, extended, start))
        at += 1
    return "".join(out)


def _escaped(char: str, extended: bool, start: bool) -> str:
    if char in _SAME:
        return _SAME[char]
    if char.isdigit() and char != "0":
        return f"(?:\\{char})"
    if not extended and char in "(){}|":
        return char
    if not extended and char in "+?":
        return "\\" + char if start else char
    return re.escape(char)


def _plain(char: str, pattern: str, at: int, extended: bool, start: bool) -> str:
    if char == "*":
        return r"\*" if start else "*"
    if char == ".":
        return "."
    if char == "^":
        return "^" if extended or start else r"\^"
    if char == "$":
        ends = at + 1 == len(pattern) or pattern[at + 1 : at + 3] in (r"\)", r"\|")
        return r"(?=\n?\Z)" if extended or ends else r"\$"
    if char in "+?(){}|":
        if not extended:
            return "\\" + char
        if char == "{" and not re.match(r"\{\d*,?\d*\}", pattern[at:]):
            return r"\{"
        return "\\" + char if start and char in "+?{" else char
    return re.escape(char)


def _bracket(match: re.Match[str]) -> str:
    def member(found: re.Match[str]) -> str:
        if found[1]:
            if found[1] not in _CLASSES:
                raise BadPattern("Invalid character class name")
            return _CLASSES[found[1]]
        char = found[2] or found[3]
        return char if char == "-" and not found[2] else re.escape(char)

    inside = re.sub(r"\[:(\w+):\]|\[[.=](.)[.=]\]|(.)", member, match[2], flags=re.S)
    return f"[{'^' if match[1] else ''}{inside}]"
