"""One line of a cell, as a shell would read it: into words, with `$name` and `$(…)` put in.

    images -f dangling=true            four characters decide what a word is: space, ', " and \\
    rmi $ids                           a Python variable; outside quotes its text is split into words
    tag nginx "copy of:$version"       between double quotes it stays one word
    images --format '{{.ID}} $x'       between single quotes everything is what it is
    rmi $(docker images -q)            what another docker command prints, as words
    images -q    # newest first        a comment

It is the small part of the shell's grammar that a docker command line needs. What belongs to a real shell (pipes,
redirections, several commands with `;`) is refused in a sentence, never half done.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from imagelab.errors import UsageError

OPERATORS = "|&;<>`"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Lookup = Callable[[str], str]
"""What stands for a name or a command: its text. Raises UsageError when there is none."""


def words(line: str, *, variable: Lookup, output_of: Lookup) -> list[str]:
    """The words of `line`. UsageError for an open quote, an operator of the shell, or whatever the lookups refuse."""
    return _Reader(line, variable, output_of).words()


@dataclass
class _Reader:
    line: str
    variable: Lookup
    output_of: Lookup
    at: int = 0
    found: list[str] = field(default_factory=list)
    word: str | None = None
    """The word being read; None between two words. An empty pair of quotes makes an empty word."""

    def words(self) -> list[str]:
        while self.at < len(self.line):
            char = self.line[self.at]
            if char.isspace():
                self._end_word()
                self.at += 1
            elif char == "#" and self.word is None:
                break
            elif char == "'":
                self._add(self._until_quote())
            elif char == '"':
                self._double_quoted()
            elif char == "\\":
                self._add(self.line[self.at + 1 : self.at + 2])
                self.at += 2
            elif char == "$":
                self._unquoted(self._dollar())
            elif char in OPERATORS:
                self._refuse(char)
            else:
                self._add(char)
                self.at += 1
        self._end_word()
        return self.found

    def _add(self, text: str) -> None:
        self.word = (self.word or "") + text

    def _end_word(self) -> None:
        if self.word is not None:
            self.found.append(self.word)
        self.word = None

    def _unquoted(self, text: str) -> None:
        """Outside quotes a value is split at its spaces; the ends join what stands beside them."""
        if text[:1].isspace():
            self._end_word()
        for at, part in enumerate(text.split()):
            if at:
                self._end_word()
            self._add(part)
        if text[-1:].isspace():
            self._end_word()

    def _until_quote(self) -> str:
        end = self.line.find("'", self.at + 1)
        if end < 0:
            raise _open_quote("'")
        text = self.line[self.at + 1 : end]
        self.at = end + 1
        return text

    def _double_quoted(self) -> None:
        self._add("")
        self.at += 1
        while self.at < len(self.line):
            char = self.line[self.at]
            if char == '"':
                self.at += 1
                return
            if char == "$":
                self._add(self._dollar())
            elif char == "\\" and self.line[self.at + 1 : self.at + 2] in ('"', "\\", "$", "`"):
                self._add(self.line[self.at + 1])
                self.at += 2
            else:
                self._add(char)
                self.at += 1
        raise _open_quote('"')

    def _dollar(self) -> str:
        """`$name`, `${name}`, `$(…)`; a dollar before anything else is a dollar."""
        rest = self.line[self.at + 1 :]
        if rest.startswith("("):
            inner = rest[1 : _closing(rest)]
            self.at += len(inner) + 3
            return self.output_of(inner).rstrip("\n")
        braced = rest.startswith("{")
        name = _NAME.match(rest, 1 if braced else 0)
        if name is None or (braced and rest[name.end() : name.end() + 1] != "}"):
            self.at += 1
            return "$"
        self.at += 1 + name.end() + (1 if braced else 0)
        return self.variable(name[0])

    def _refuse(self, operator: str) -> None:
        raise UsageError(
            f"%docker runs docker commands, and {operator} is for a shell",
            hint=f"!docker {self.line.strip()}   has one; to pass the character itself, put it in quotes",
        )


def _closing(text: str) -> int:
    """Where the parenthesis that opens `text` closes again; quotes hide parentheses."""
    depth, quote = 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "()":
            depth += 1 if char == "(" else -1
            if depth == 0:
                return at
    raise UsageError("$( is not closed", hint="$(docker images -q) is what a whole one looks like")


def _open_quote(quote: str) -> UsageError:
    return UsageError(f"the line ends inside a quotation: {quote} is not closed", hint=f"add the missing {quote}")
