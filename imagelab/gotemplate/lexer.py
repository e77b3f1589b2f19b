"""Templates as text -> tokens: what stands between `{{` and `}}`, word by word.

    text        everything outside of actions, trimmed where the delimiter beside it has a marker: `{{- x -}}`
    word        if, range, end … are keywords; anything else names a function
    field       .Name         variable  $name         dot  .
    string      "…" or `…`    char      'a'           number  1  0x1f  1.5e3
    space       matters: `print .A .B` is not `print .A.B`

Tokens are made one at a time, as the parser asks for them, so that of two mistakes the first is the one reported. A
mistake of spelling is a token as well, of kind `error`; nothing follows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from imagelab.gotemplate.values import quote

KEYWORDS = frozenset("if else end range with define block template break continue nil".split())
SPACES = " \t\r\n"

_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_QUOTED = {'"': re.compile(r'"(?:\\[^\n]|[^"\\\n])*"'), "'": re.compile(r"'(?:\\[^\n]|[^'\\\n])*'")}
_UNTERMINATED = {'"': "unterminated quoted string", "'": "unterminated character constant"}


@dataclass(frozen=True, slots=True)
class Token:
    """`at` is an offset in the source, `line` counts from 1."""

    kind: str
    text: str
    position: int
    line: int

    def __str__(self) -> str:
        """As an error quotes it: keywords in angle brackets, long ones cut."""
        if self.kind in ("error", "eof"):
            return self.text
        if self.kind in ("keyword", "dot"):
            return f"<{self.text}>"
        return f"{quote(self.text[:10])}..." if len(self.text.encode()) > 10 else quote(self.text)


def tokens(source: str) -> Iterator[Token]:
    """All tokens of a template; the last is `eof` or `error`."""
    return _Lexer(source).run()


class _Misspelt(Exception):
    pass


class _Lexer:
    def __init__(self, source: str) -> None:
        self.source, self.position, self.start, self.parens = source, 0, 0, 0

    def run(self) -> Iterator[Token]:
        try:
            while self.position < len(self.source):
                yield from self._text()
                if self.position < len(self.source):
                    yield from self._action()
        except _Misspelt as error:
            yield Token("error", str(error), self.start, self._line(self.start))
            return
        yield Token("eof", "EOF", self.position, self._line(self.position))

    def _line(self, position: int) -> int:
        return 1 + self.source.count("\n", 0, position)

    def _token(self, kind: str, text: str, position: int) -> Token:
        return Token(kind, text, position, self._line(position))

    def _text(self) -> Iterator[Token]:
        """Up to the next delimiter, less what its marker trims."""
        begin = self.source.find("{{", self.position)
        end = len(self.source) if begin < 0 else begin
        text = self.source[self.position : end]
        if begin >= 0 and self._marked(begin + 2):
            text = text.rstrip(SPACES)
        if text:
            yield self._token("text", text, self.position)
        self.position = end

    def _marked(self, position: int) -> bool:
        """`- ` behind an opening delimiter."""
        return self.source[position : position + 1] == "-" and self.source[position + 1 : position + 2] in set(SPACES)

    def _closing(self) -> int:
        """Length of a closing delimiter that stands here, with its marker: 0 for none."""
        rest = self.source[self.position : self.position + 4]
        if rest[:1] in set(SPACES) and rest[1:] == "-}}":
            return 4
        return 2 if rest[:2] == "}}" else 0

    def _close(self, length: int) -> Token:
        token = self._token("close", "}}", self.position + length - 2)
        self.position += length
        if length == 4:
            while self.source[self.position : self.position + 1] in set(SPACES):
                self.position += 1
        return token

    def _action(self) -> Iterator[Token]:
        delimiter = self._token("open", "{{", self.position)
        self.position += 4 if self._marked(self.position + 2) else 2
        if self.source.startswith("/*", self.position):
            self._comment()
            return
        yield delimiter
        self.parens = 0
        while True:
            length = self._closing()
            self.start = self.position
            if length and self.parens:
                raise _Misspelt("unclosed left paren")
            if length:
                yield self._close(length)
                return
            if self.position >= len(self.source):
                raise _Misspelt("unclosed action")
            kind = self._inside(self.source[self.position])
            yield self._token(kind, self.source[self.start : self.position], self.start)

    def _comment(self) -> None:
        self.start = self.position
        end = self.source.find("*/", self.position + 2)
        if end < 0:
            raise _Misspelt("unclosed comment")
        self.position = end + 2
        length = self._closing()
        if not length:
            raise _Misspelt("comment ends before closing delimiter")
        self._close(length)

    def _inside(self, char: str) -> str:
        """Moves past one token, which begins with this character; its kind."""
        if char in SPACES:
            return self._space()
        if char in _QUOTED:
            return self._quoted(char)
        if char == "`":
            return self._raw()
        after = self.source[self.position + 1 : self.position + 2]
        if char == "." and after and not "0" <= after <= "9":
            return self._name(1, "field", "dot")
        if char in ".+-" or "0" <= char <= "9":
            return self._number()
        if char == "$":
            return self._name(1, "variable", "variable")
        if _alphanumeric(char):
            return self._word()
        return self._symbol(char)

    def _symbol(self, char: str) -> str:
        if char == ":":
            if not self.source.startswith(":=", self.position):
                raise _Misspelt("expected :=")
            self.position += 2
            return "declare"
        if not " " <= char <= "~":
            shown = f" '{char}'" if char.isprintable() else ""
            raise _Misspelt(f"unrecognized character in action: U+{ord(char):04X}{shown}")
        self.parens += (char == "(") - (char == ")")
        if self.parens < 0:
            raise _Misspelt("unexpected right paren")
        self.position += 1
        return {"=": "assign", "|": "pipe", "(": "left", ")": "right"}.get(char, "char")

    def _space(self) -> str:
        while self.source[self.position : self.position + 1] in set(SPACES):
            if self._closing() and self.position > self.start:
                break
            self.position += 1
        return "space"

    def _quoted(self, char: str) -> str:
        match = _QUOTED[char].match(self.source, self.position)
        if match is None:
            raise _Misspelt(_UNTERMINATED[char])
        self.position = match.end()
        return "string" if char == '"' else "character"

    def _raw(self) -> str:
        end = self.source.find("`", self.position + 1)
        if end < 0:
            raise _Misspelt("unterminated raw quoted string")
        self.position = end + 1
        return "string"

    def _name(self, skip: int, kind: str, bare: str) -> str:
        """A field or variable; `.` and `$` alone when nothing follows."""
        self.position += skip
        if self._terminated():
            return bare
        self._letters()
        return kind

    def _letters(self) -> None:
        while self.position < len(self.source) and _alphanumeric(self.source[self.position]):
            self.position += 1
        if not self._terminated():
            char = self.source[self.position]
            shown = f" '{char}'" if char.isprintable() else ""
            raise _Misspelt(f"bad character U+{ord(char):04X}{shown}")

    def _word(self) -> str:
        self._letters()
        word = self.source[self.start : self.position]
        return "keyword" if word in KEYWORDS else "bool" if word in ("true", "false") else "word"

    def _terminated(self) -> bool:
        """Is this a place where a name may end?"""
        char = self.source[self.position : self.position + 1]
        return not char or char in SPACES or char in ".,|:)(" or self.source.startswith("}}", self.position)

    def _number(self) -> str:
        self._digits()
        if self.source[self.position : self.position + 1] not in ("+", "-"):
            return "number"
        self._digits()
        if self.source[self.position - 1] != "i":
            raise self._bad_number()
        return "complex"

    def _digits(self) -> None:
        match = _NUMBER.match(self.source, self.position)
        self.position = match.end() if match else self.position
        if self.position < len(self.source) and _alphanumeric(self.source[self.position]):
            self.position += 1
            raise self._bad_number()

    def _bad_number(self) -> _Misspelt:
        return _Misspelt(f"bad number syntax: {quote(self.source[self.start : self.position])}")


def _alphanumeric(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()
