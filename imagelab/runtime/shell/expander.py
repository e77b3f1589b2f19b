"""Words -> strings: what happens to a word before a command sees it (POSIX 2.6), in this order.

    tilde, parameters, $(commands), $((arithmetic))     `~`, `$x`, …
    field splitting                                     an unquoted `$x` that holds `a b` becomes two words
    file names                                          an unquoted `*.txt` becomes the files there are
    quote removal                                       already done: the parser remembered what was quoted

Splitting and file names only concern what was *not* quoted, which is why `"$x"` and `$x` differ, and `"$@"` is the one
quoted thing that becomes several words.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from imagelab.runtime.process import Process
from imagelab.runtime.shell import patterns
from imagelab.runtime.shell.arithmetic import evaluate
from imagelab.runtime.shell.syntax import Arithmetic, Parameter, Part, Substitution, Text, Word

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell
from imagelab.runtime.streams import raw, text

Expanding = Generator[float, None, Any]


class ExpansionProblem(Exception):
    """`${x:?message}`, an unset variable under `set -u`, a bad substitution: the command does not run."""


@dataclass
class _Fields:
    """Fields in the making: the pattern text of each, quoted characters escaped."""

    ifs: str
    plain: bool = False
    """Nothing in it will be a pattern."""
    done: list[str] = field(default_factory=list)
    current: str | None = None

    def add(self, pattern: str) -> None:
        self.current = (self.current or "") + pattern

    def end(self) -> None:
        self.done.append(self.current or "")
        self.current = None

    def split(self, value: str) -> None:
        """Unquoted text of an expansion: IFS separates; runs of IFS blanks count once, other characters each."""
        blanks = "".join(char for char in self.ifs if char in " \t\n")
        others = "".join(char for char in self.ifs if char not in " \t\n")
        rest = value.lstrip(blanks) if blanks else value
        if rest != value and self.current is not None:
            self.end()
        while rest:
            end = next((end for end, char in enumerate(rest) if char in self.ifs), len(rest))
            if end:
                self.add(rest[:end])
            if end == len(rest):
                return
            rest = rest[end:].lstrip(blanks)
            if rest and rest[0] in others and others:
                rest = rest[1:].lstrip(blanks)
            if end or self.current is not None or value:
                self.end()


class Expander:
    """Expands words for one shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def words(self, words: list[Word]) -> Expanding:
        """The fields that the words of a command become. list[str]."""
        fields: list[str] = []
        for word in words:
            literal = word.literal
            if literal is not None and not re.search(r"[*?\[~{\\]", literal):
                fields.append(literal)
                continue
            for piece in braces(word) if self._shell.bash else [word]:
                for pattern in (yield from self._fields(piece)):
                    fields += self._files(pattern)
        return fields

    def _files(self, pattern: str) -> list[str]:
        if patterns.is_pattern(pattern) and not self._shell.option("f"):
            return patterns.paths(self._shell.p, pattern) or [patterns.unescaped(pattern)]
        return [patterns.unescaped(pattern)]

    def one(self, word: Word) -> Expanding:
        """One string, without splitting or file names: the right of `=`, a redirection, `case x in`."""
        return patterns.unescaped((yield from self.pattern(word, plain=True)))

    def pattern(self, word: Word, *, plain: bool = False) -> Expanding:
        """One pattern: what was quoted is escaped; with `plain` everything that was not written here."""
        fields = _Fields("", plain)
        yield from self._parts(word.parts, fields, split=False)
        return " ".join([*fields.done, fields.current] if fields.current is not None else fields.done)

    def number(self, word: Word) -> Expanding:
        """The value of an arithmetic expression. ArithmeticProblem."""
        expression = yield from self.one(word)
        return evaluate(expression, lambda name: self._shell.get(name) or "", self._shell.set)

    def _fields(self, word: Word) -> Expanding:
        ifs = self._shell.get("IFS")
        fields = _Fields(" \t\n" if ifs is None else ifs)
        yield from self._parts(word.parts, fields, split=True)
        return [*fields.done, fields.current] if fields.current is not None else fields.done

    def _parts(self, parts: list[Part], fields: _Fields, *, split: bool, text_splits: bool = False) -> Expanding:
        """`text_splits`: unquoted text is split, too, as in `${x-a b}`."""
        for index, part in enumerate(parts):
            match part:
                case Text(string, False) if text_splits:
                    fields.split(string)
                case Text(string, quoted):
                    if index == 0 and string.startswith("~") and not quoted:
                        whole = len(parts) == 1 or "/" in string
                        string = self._tilde(string) if whole else string
                    fields.add(patterns.escaped(string) if quoted else string)
                case Parameter(name, operator) if name in "@*" and operator == "" and not (name == "*" and part.quoted):
                    self._all_arguments(fields, quoted=part.quoted, split=split)
                case Parameter():
                    yield from self._parameter(part, fields, split=split)
                case Substitution(body, quoted):
                    output = (yield from self._shell.substitute(body)).replace(b"\0", b"").rstrip(b"\n")
                    self._add(text(output), fields, quoted=quoted, split=split)
                case Arithmetic(expression, quoted):
                    self._add(str((yield from self.number(expression))), fields, quoted=quoted, split=split)

    def _add(self, value: str, fields: _Fields, *, quoted: bool, split: bool) -> None:
        if quoted:
            fields.add(patterns.escaped(value))
        elif split:
            fields.split(value.replace("\\", "\\\\"))
        elif value or fields.plain:
            fields.add(patterns.escaped(value) if fields.plain else value)

    def _all_arguments(self, fields: _Fields, *, quoted: bool, split: bool) -> None:
        arguments = self._shell.arguments
        if not split:
            fields.add(" ".join(patterns.escaped(argument) if quoted else argument for argument in arguments))
            return
        for index, argument in enumerate(arguments):
            if index and (fields.current is not None or quoted):
                fields.end()
            self._add(argument, fields, quoted=quoted, split=True)

    def _tilde(self, string: str) -> str:
        name, slash, rest = string.partition("/")
        home = self._shell.get("HOME")
        return patterns.escaped(home) + slash + rest if name == "~" and home is not None else string

    # -- ${…} -----------------------------------------------------------------------------------------------

    def _parameter(self, part: Parameter, fields: _Fields, *, split: bool) -> Generator[float, None, None]:
        name, operator = part.name, part.operator
        value = self._joined(name) if name in ("@", "*") else self._shell.get(name)
        missing = value is None or (operator.startswith(":") and value == "")
        kind = operator.lstrip(":") or operator
        if kind in ("-", "=", "?", "+") and kind:
            if missing == (kind == "+"):
                if kind == "+":
                    return
                self._add(value or "", fields, quoted=part.quoted, split=split)
                return
            yield from self._instead(part, kind, fields, split=split)
            return
        if value is None and self._shell.option("u") and name not in ("@", "*"):
            raise ExpansionProblem(f"{name}: {'unbound variable' if self._shell.bash else 'parameter not set'}")
        if kind:
            value = yield from self._changed(part, value or "")
        self._add(value or "", fields, quoted=part.quoted, split=split)

    def _joined(self, name: str) -> str | None:
        ifs = self._shell.get("IFS")
        separator = " " if ifs is None or name == "@" else ifs[:1]
        return separator.join(self._shell.arguments) if self._shell.arguments else None

    def _instead(self, part: Parameter, kind: str, fields: _Fields, *, split: bool) -> Generator[float, None, None]:
        """`${x-word}`, `${x=word}`, `${x?word}`, `${x+word}`: the word, when it is its turn."""
        word = part.word or Word()
        if kind in ("-", "+"):
            yield from self._parts(word.parts, fields, split=split, text_splits=split and not part.quoted)
            return
        value = yield from self.one(word)
        if kind == "?":
            default = "parameter not set or null" if part.operator == ":?" else "parameter not set"
            if self._shell.bash:
                default = "parameter null or not set" if part.operator == ":?" else "parameter not set"
            raise ExpansionProblem(f"{part.name}: {value or default}")
        self._shell.set(part.name, value)
        self._add(value, fields, quoted=part.quoted, split=split)

    def _changed(self, part: Parameter, value: str) -> Expanding:
        operator = part.operator
        if operator == "length":
            if part.name in ("@", "*"):
                return str(len(self._shell.arguments))
            return str(len(value) if self._shell.bash else len(raw(value)))
        word, more = part.word or Word(), part.more
        if operator == ":":
            start = yield from self.number(word)
            length = (yield from self.number(more)) if more is not None else len(value)
            start = max(len(value) + start, 0) if start < 0 else start
            return value[start : start + length if length >= 0 else length]
        pattern = yield from self.pattern(word)
        if operator in ("/", "//"):
            return patterns.replaced(value, pattern, (yield from self.one(more or Word())), all=operator == "//")
        return patterns.without(value, operator, pattern)


def accounts(p: Process, file: str) -> list[list[str]]:
    """The lines of /etc/passwd or /etc/group, in fields; lines whose numbers are none do not count."""
    node = p.find(f"/etc/{file}")
    lines = text(p.files.data(node)).splitlines() if node is not None and not node.is_directory else []
    numbers = slice(2, 4 if file == "passwd" else 3)
    entries = (line.split(":") for line in lines)
    return [fields for fields in entries if len(fields) > 2 and all(re.fullmatch("[0-9]+", n) for n in fields[numbers])]


# -- {a,b} --------------------------------------------------------------------------------------------------

MOST_WORDS = 1 << 20
"""Words that one range may make."""
_RANGE = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})|([A-Za-z])\.\.([A-Za-z])")


def braces(word: Word) -> list[Word]:
    """bash's `a{b,c}d` and `{1..3}`: several words from one, before anything else happens."""
    opaque: list[Part] = []
    written = ""  # what was quoted or is to be expanded is one character here, that stands for its place in `kept`
    for part in word.parts:
        if isinstance(part, Text) and not part.quoted:
            written += part.text
        else:
            written += chr(_PLACE + len(opaque))
            opaque.append(part)
    return [_word(text, opaque) for text in _alternatives(written)] if "{" in written else [word]


_PLACE = 0xF0000


def _word(written: str, opaque: list[Part]) -> Word:
    pieces = re.findall("[^\U000f0000-\U0010ffff]+|.", written, re.S)
    return Word([opaque[ord(piece) - _PLACE] if ord(piece[0]) >= _PLACE else Text(piece) for piece in pieces])


def _alternatives(written: str) -> list[str]:
    for start in (match.start() for match in re.finditer("{", written)):
        depth, marks = 0, [start]
        for position in range(start, len(written)):
            depth += {"{": 1, "}": -1}.get(written[position], 0)
            if depth == 0 or depth == 1 and written[position] == ",":
                marks.append(position)
            if depth == 0:
                choices = _choices(written, marks)
                after = _alternatives(written[position + 1 :]) if choices else []
                if choices:
                    return [written[:start] + choice + rest for choice in choices for rest in after]
                break
    return [written]


def _choices(written: str, marks: list[int]) -> list[str]:
    """What the braces stand for; [] when they are only braces."""
    pieces = [written[before + 1 : mark] for before, mark in pairwise(marks)]
    if len(pieces) > 1:
        return [choice for piece in pieces for choice in _alternatives(piece)]
    match = _RANGE.fullmatch(pieces[0])
    if not match:
        return []
    first, last = (int(match[1]), int(match[2])) if match[1] else (ord(match[3]), ord(match[4]))
    values = range(first, last + 1) if last >= first else range(first, last - 1, -1)
    if len(values) > MOST_WORDS:
        raise ExpansionProblem(f"brace expansion: failed to allocate memory for `{len(values)}' elements")
    return [str(value) if match[1] else chr(value) for value in values]
