"""POSIX regular expressions, basic and extended, said in the language of Python's `re`.

    basic (grep, sed)              \\( \\) \\{ \\} group and repeat, ( ) { } are themselves; GNU adds \\+ \\? \\|
    extended (grep -E, sed -E)    ( ) { } + ? | group and repeat, and with a backslash they are themselves

POSIX takes the longest of the leftmost matches, Python the first that fits: alternatives without groups are tried the
longest first, so that both mostly agree. In brackets a backslash is itself; a newline is a character like others.
"""

import re
from functools import lru_cache

_CLASSES = {"digit": "[0-9]", "xdigit": "[0-9A-Fa-f]", "space": r"[ \t-\r]", "blank": r"[ \t]", "cntrl": r"[\0-\x1f\x7f]", "alpha": r"[^\W\d_]", "alnum": r"[^\W_]", "upper": "[A-ZÀ-ÖØ-ÞΑ-ΫЀ-Я]", "lower": "[a-zß-öø-ÿά-ώа-џ]", "punct": r"[^\w\s\0-\x1f\x7f-\xa0]|_", "graph": r"[^\s\0-\x1f\x7f-\xa0]", "print": r"[^\0-\x1f\x7f-\x9f]"}  # fmt: skip
_SPECIAL = {"w": r"\w", "W": r"\W", "s": r"[ \t-\r]", "S": r"[^ \t-\r]", "b": r"\b", "B": r"\B", "<": r"\b(?=\w)", ">": r"\b(?<=\w)", "`": r"\A", "'": r"\Z"}  # fmt: skip
_ANCHORS = {"^": r"\A", "$": r"\Z"}
_BRACKET = re.compile(r"\[(\^?)(\]?(?:\[([:.=]).*?\3\]|\[(?![:.=])|[^][])*)\]", re.S)
_MEMBER = re.compile(r"\[:(\w*):\]|(?:\[[.=](.)[.=]\]|(.))(?:-(?:\[[.=](.)[.=]\]|(.)))?", re.S)
_BASIC = re.compile(r"(\\\()|(\\\))|(\\\|)|(\*|\\[+?]|\\\{(?:(\d*)(,?)(\d*)\\\})?)|\\(.?)|(.)", re.S)
_EXTENDED = re.compile(r"(\()|(\))|(\|)|([*+?]|\{(?=[\d,])(\d*)(,?)(\d*)\})|\\(.?)|(.)", re.S)


class BadPattern(Exception):
    """What GNU says of an expression that is none."""


@lru_cache(maxsize=500)
def compile(pattern: str, *, extended: bool, ignore_case: bool = False, lenient: bool = False) -> re.Pattern[str]:
    """A POSIX expression -> a Python one. `lenient`: as grep -E. BadPattern."""
    return re.compile(
        _Reader(pattern, extended=extended, lenient=lenient).expression(0), re.S | (re.I if ignore_case else 0)
    )


def _bracket(match: re.Match[str]) -> str:
    members, classes = "", list[str]()
    for name, *ends in _MEMBER.findall(match[2]):
        first, last = ends[0] or ends[1], ends[2] or ends[3]
        if not first and name not in _CLASSES or last and last < first:
            raise BadPattern("Invalid range end" if last else "Invalid character class name")
        classes += [] if first else [_CLASSES[name]]
        members += re.escape(first) + (f"-{re.escape(last)}" if last else "")
    either = "|".join(classes + ([f"[{members}]"] if members else []))
    return f"(?!{either})." if match[1] else either if "|" not in either else f"(?:{either})"


def _repeated(part: str, token: re.Match[str]) -> str:
    sign, low, comma, high = token.group(4, 5, 6, 7)
    if sign == r"\{":
        raise BadPattern(r"Invalid content of \{\}" if r"\}" in token.string[token.end() :] else r"Unmatched \{")
    if max(int(low or 0), int(high or 0)) > 32767:
        raise BadPattern("Regular expression too big")
    if high and int(high) < int(low or 0):
        raise BadPattern(r"Invalid content of \{\}")
    return f"(?:{part}){sign[-1] if low is None else f'{{{low or 0}{comma}{high}}}'}"


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, pattern: str, *, extended: bool, lenient: bool) -> None:
        self.pattern, self.lenient, self.extended = pattern, lenient and extended, extended
        self.at, self.opened, self.closed = 0, 0, set[str]()

    def expression(self, depth: int) -> str:
        """Alternatives, up to the parenthesis that closes them, or to the end."""
        before, alternatives = self.opened, [list[str]()]
        while self.at < len(self.pattern):
            bracket, parts = _BRACKET.match(self.pattern, self.at), alternatives[-1]
            token = bracket or (_EXTENDED if self.extended else _BASIC).match(self.pattern, self.at)
            assert token is not None
            self.at = token.end()
            if bracket:
                parts.append(_bracket(bracket))
            elif token[2] and depth:
                break
            elif token[3]:
                alternatives.append([])
            elif token[4] and parts and parts != [_ANCHORS["^"]]:
                parts[-1] = _repeated(parts[-1], token)
            else:
                parts.append(self.atom(token, depth, first=not parts))
        else:
            if depth:
                raise BadPattern(r"Unmatched ( or \(")
        branches = ["".join(parts) for parts in alternatives]
        if before == self.opened and not self.closed and len(branches) > 1:  # no group in them, nor a reference to one
            branches.sort(key=lambda part: (re.fullmatch(part, "") is not None, -len(part)))
        return "|".join(branches)

    def atom(self, token: re.Match[str], depth: int, *, first: bool) -> str:
        opened, closed, _, repeat, *_, escaped, char = token.groups()
        if opened:
            self.opened += 1
            number = self.opened
            inside = self.expression(depth + 1)
            self.closed.add(str(number))
            return f"({inside})"
        if repeat and self.lenient:
            return ""
        if (closed and not self.lenient) or char == "[" or (repeat and (self.extended or repeat[:2] == r"\{")):
            raise BadPattern(r"Unmatched ) or \)" if closed else "Invalid preceding regular expression" if repeat else "Unmatched [, [^, [:, [., or [=")  # fmt: skip
        if escaped is not None:
            if not escaped or escaped in "123456789" and escaped not in self.closed:
                raise BadPattern("Invalid back reference" if escaped else "Trailing backslash")
            return f"(?:\\{escaped})" if escaped in "123456789" else _SPECIAL.get(escaped, re.escape(escaped))
        ends = re.match(r"\\[)|]|\Z", self.pattern[self.at :]) is not None
        if char in ("^", "$") and (self.extended or (first if char == "^" else ends)):
            return _ANCHORS[char]
        return "." if char == "." else re.escape((closed or repeat or char)[-1])
