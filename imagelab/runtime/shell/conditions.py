"""`test`, `[ … ]` and bash's `[[ … ]]`: questions about files, strings and numbers; 0 is yes, 1 no, 2 a mistake.

`[` is a command like any other, so its arguments are words that were split and expanded before it sees them; that is
why `[ -n $empty ]` is true and `[ $two_words = x ]` an error. `[[` is grammar, and has neither problem.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from imagelab.layers.tree import Kind, Node
from imagelab.runtime.process import Process
from imagelab.runtime.shell.patterns import matches
from imagelab.runtime.shell.syntax import Word

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell

KINDS = {"f": Kind.FILE, "d": Kind.DIRECTORY, "h": Kind.SYMLINK, "L": Kind.SYMLINK, "b": Kind.BLOCK, "c": Kind.CHAR, "p": Kind.FIFO}  # fmt: skip
UNARY = set("bcdefghLnprstuwxz")
NUMERIC: dict[str, Callable[[int, int], bool]] = {
    "-eq": operator.eq, "-ne": operator.ne, "-lt": operator.lt, "-le": operator.le, "-gt": operator.gt, "-ge": operator.ge,
}  # fmt: skip
PATTERN = {"=", "==", "!=", "=~"}
BINARY = {*PATTERN, "<", ">", "-nt", "-ot", "-ef", *NUMERIC}
Compare = Callable[[Process, str, str, str], bool]


class TestProblem(Exception):
    """The question makes no sense; exit code 2."""


def test(shell: Shell, words: list[str]) -> int:
    """The builtin: `test` or `[`."""
    try:
        return int(not ask(shell.p, words))
    except TestProblem as problem:
        return shell.complain(f"{words[0]}: {problem}", 2)


def test_program(p: Process) -> int:
    """The program."""
    try:
        return int(not ask(p, p.args))
    except TestProblem as problem:
        return p.complain(str(problem), 2)


def ask(p: Process, words: list[str]) -> bool:
    """The answer. TestProblem."""
    rest = words[1:]
    if words[0].endswith("["):
        if rest[-1:] != ["]"]:
            raise TestProblem("missing ]")
        rest = rest[:-1]
    return _Test(p, rest, compare).answer()


class _Test:
    """POSIX decides by the number of arguments; what is longer is parsed."""

    def __init__(self, p: Process, words: list[str], compare: Compare) -> None:
        self._p, self._words, self._compare, self._at = p, words, compare, 0

    def answer(self) -> bool:
        if not self._words:
            return False
        value = self._or()
        if self._at < len(self._words):
            raise TestProblem(f"{self._words[self._at]}: unexpected operator")
        return value

    def _peek(self, ahead: int = 0) -> str | None:
        index = self._at + ahead
        return self._words[index] if index < len(self._words) else None

    def _or(self) -> bool:
        value = self._and()
        while self._peek() == "-o":
            self._at += 1
            value = self._and() or value
        return value

    def _and(self) -> bool:
        value = self._not()
        while self._peek() == "-a":
            self._at += 1
            value = self._not() and value
        return value

    def _not(self) -> bool:
        left = len(self._words) - self._at
        binary = self._peek(1) in BINARY and left >= 3
        if self._peek() == "!" and left > 1 and not binary:
            self._at += 1
            return not self._not()
        if self._peek() == "(" and left > 2 and not binary:
            self._at += 1
            value = self._or()
            if self._peek() != ")":
                raise TestProblem("closing paren expected")
            self._at += 1
            return value
        return self._primary(binary=binary)

    def _primary(self, *, binary: bool) -> bool:
        word = self._peek()
        if word is None:
            raise TestProblem("argument expected")
        if binary:
            self._at += 3
            return self._compare(self._p, word, self._words[self._at - 2], self._words[self._at - 1])
        operand = self._peek(1)
        if len(word) == 2 and word[0] == "-" and word[1] in UNARY and operand is not None:
            self._at += 2
            return unary(self._p, word[1], operand)
        self._at += 1
        return word != ""


def unary(p: Process, operator: str, operand: str) -> bool:
    """`-f file`, `-z string`."""
    if operator in "nz":
        return (operand != "") == (operator == "n")
    if operator == "t":
        return operand.isdigit() and int(operand) in p.fds and p.fds[int(operand)].is_terminal
    if operator in "rwx":
        return p.may(operand, {"r": 4, "w": 2, "x": 1}[operator])
    node = p.find(operand, follow=operator not in "hL")
    return node is not None and _holds(operator, node)


def _holds(operator: str, node: Node) -> bool:
    if operator in KINDS:
        return node.kind is KINDS[operator]
    if operator in "ug":
        return bool(node.mode & (0o4000 if operator == "u" else 0o2000))
    return node.size > 0 or node.is_directory if operator == "s" else operator == "e"


def compare(p: Process, left: str, operator: str, right: str) -> bool:
    """`a = b`, `1 -lt 2`, `x -nt y`. TestProblem for what is no number."""
    if operator in ("=", "==", "!="):
        return (left == right) == (operator != "!=")
    if operator in ("<", ">"):
        return left < right if operator == "<" else left > right
    if operator in NUMERIC:
        return NUMERIC[operator](number(left), number(right))
    if operator == "=~":
        raise TestProblem(f"{operator}: unexpected operator")
    one, other = (left, right) if operator == "-nt" else (right, left)
    newer, older = p.find(one), p.find(other)
    if operator == "-ef":
        return newer is not None and older is not None and _place(p, one, newer) == _place(p, other, older)
    return newer is not None and (older is None or newer.mtime > older.mtime)


def _place(p: Process, name: str, node: Node) -> str:
    return node.link or p.files.resolve(p.user, p.path(name))


def number(text: str) -> int:
    """A whole number. TestProblem."""
    if not re.fullmatch(r"\s*[-+]?\d{1,4000}\s*", text):
        raise TestProblem(f"Illegal number: {text}")
    return int(text)


# -- [[ ]] --------------------------------------------------------------------------------------------------


def holds(shell: Shell, items: list[Word | str]) -> Generator[float, None, bool]:
    """bash's `[[ … ]]`: no word is split, and what stands on the right of `==` and `=~` is a pattern."""
    words = list[str]()
    for index, item in enumerate(items):
        before = items[index - 1] if index else ""
        if isinstance(item, str):
            words.append({"&&": "-a", "||": "-o"}.get(item, item))
        elif (before if isinstance(before, str) else before.literal) in PATTERN:
            words.append((yield from shell.expander.pattern(item)))
        else:
            words.append((yield from shell.expander.one(item)))
    try:
        return _Test(shell.p, words, compare_patterns).answer()
    except TestProblem as problem:
        shell.complain(f"[[: {problem}")
        return False


def compare_patterns(p: Process, left: str, operator: str, right: str) -> bool:
    """`x == *.txt`, `x =~ ^a+$`, and what `compare` does. TestProblem."""
    if operator == "=~":
        return _matched(left, right)
    if operator in PATTERN:
        return matches(right, left) == (operator != "!=")
    return compare(p, left, operator, right)


def _matched(text: str, pattern: str) -> bool:
    from imagelab.runtime.userland.regex import BadPattern, compile

    try:
        return compile(pattern, extended=True).search(text) is not None
    except BadPattern:
        return False
