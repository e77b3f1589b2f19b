"""`test`, `[ … ]` and bash's `[[ … ]]`: questions about files, strings and numbers; 0 is yes, 1 no, 2 a mistake.

`[` is a command like any other, so its arguments are words that were split and expanded before it sees them; that is
why `[ -n $empty ]` is true and `[ $two_words = x ]` an error. `[[` is grammar, and has neither problem.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING

from imagelab.layers.tree import Kind, Node
from imagelab.runtime.process import Process
from imagelab.runtime.shell.patterns import matches
from imagelab.runtime.shell.syntax import Word

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell

KINDS = {"f": Kind.FILE, "d": Kind.DIRECTORY, "h": Kind.SYMLINK, "L": Kind.SYMLINK, "b": Kind.BLOCK, "c": Kind.CHAR, "p": Kind.FIFO}  # fmt: skip
UNARY = set("bcdefghkLnprsStuwxzOG")
NUMERIC = {"-eq": "==", "-ne": "!=", "-lt": "<", "-le": "<=", "-gt": ">", "-ge": ">="}
BINARY = {"=", "==", "!=", "<", ">", "-nt", "-ot", "-ef", *NUMERIC}


class TestProblem(Exception):
    """The question makes no sense; exit code 2."""


def test(shell: Shell, words: list[str]) -> int:
    """The builtin: `test` or `[`."""
    try:
        return int(not ask(shell.p, words, bash=shell.bash))
    except TestProblem as problem:
        return shell.complain(f"{words[0]}: {problem}", 2)


def test_program(p: Process) -> int:
    """The program."""
    try:
        return int(not ask(p, p.args, bash=True))
    except TestProblem as problem:
        return p.complain(str(problem), 2)


def ask(p: Process, words: list[str], *, bash: bool) -> bool:
    """The answer. TestProblem."""
    rest = words[1:]
    if words[0].endswith("["):
        if rest[-1:] != ["]"]:
            raise TestProblem("missing `]'" if bash else "missing ]")
        rest = rest[:-1]
    return _Test(p, rest, bash=bash).answer()


class _Test:
    """POSIX decides by the number of arguments; what is longer is parsed."""

    def __init__(self, p: Process, words: list[str], *, bash: bool) -> None:
        self._p, self._words, self._bash, self._at = p, words, bash, 0

    def answer(self) -> bool:
        if not self._words:
            return False
        value = self._or()
        if self._at < len(self._words):
            raise TestProblem("too many arguments" if self._bash else f"{self._words[self._at]}: unexpected operator")
        return value

    def _peek(self, ahead: int = 0) -> str | None:
        at = self._at + ahead
        return self._words[at] if at < len(self._words) else None

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
                raise TestProblem("closing paren expected" if not self._bash else "`)' expected")
            self._at += 1
            return value
        return self._primary(binary=binary)

    def _primary(self, *, binary: bool) -> bool:
        word = self._peek()
        if word is None:
            raise TestProblem("argument expected")
        if binary:
            self._at += 3
            return compare(self._p, word, self._words[self._at - 2], self._words[self._at - 1], bash=self._bash)
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
    return node is not None and _holds(p, operator, node)


def _holds(p: Process, operator: str, node: Node) -> bool:
    if operator in KINDS:
        return node.kind is KINDS[operator]
    if operator in "ugk":
        return bool(node.mode & {"u": 0o4000, "g": 0o2000, "k": 0o1000}[operator])
    if operator in "OG":
        return node.uid == p.user.uid if operator == "O" else node.gid == p.user.gid
    return node.size > 0 or node.is_directory if operator == "s" else operator == "e"


def compare(p: Process, left: str, operator: str, right: str, *, bash: bool) -> bool:
    """`a = b`, `1 -lt 2`, `x -nt y`. TestProblem for what is no number."""
    if operator in ("=", "==", "!="):
        return (left == right) == (operator != "!=")
    if operator in ("<", ">"):
        return left < right if operator == "<" else left > right
    if operator in NUMERIC:
        difference = number(left, bash=bash) - number(right, bash=bash)
        return {"-eq": difference == 0, "-ne": difference != 0, "-lt": difference < 0, "-le": difference <= 0, "-gt": difference > 0, "-ge": difference >= 0}[operator]  # fmt: skip
    one, other = p.find(left), p.find(right)
    if operator == "-ef":
        return one is not None and one == other and p.files.follow(p.user, p.path(left)) == p.files.follow(p.user, p.path(right))  # fmt: skip
    newer, older = (one, other) if operator == "-nt" else (other, one)
    return newer is not None and (older is None or newer.mtime > older.mtime)


def number(text: str, *, bash: bool) -> int:
    """A whole number. TestProblem."""
    if not re.fullmatch(r"\s*[-+]?\d+\s*", text):
        raise TestProblem(f"{text}: integer expression expected" if bash else f"Illegal number: {text}")
    return int(text)


# -- [[ ]] --------------------------------------------------------------------------------------------------

Answer = Generator[float, None, bool]


def holds(shell: Shell, items: list[Word | str]) -> Answer:
    """bash's `[[ … ]]`."""
    rest = list(items)
    return (yield from _either(shell, rest))


def _either(shell: Shell, rest: list[Word | str]) -> Answer:
    value = yield from _both(shell, rest)
    while rest[:1] == ["||"]:
        rest.pop(0)
        value = (yield from _both(shell, rest)) or value
    return value


def _both(shell: Shell, rest: list[Word | str]) -> Answer:
    value = yield from _one(shell, rest)
    while rest[:1] == ["&&"]:
        rest.pop(0)
        value = (yield from _one(shell, rest)) and value
    return value


def _one(shell: Shell, rest: list[Word | str]) -> Answer:
    first = rest.pop(0) if rest else ""
    if first == "!":
        return not (yield from _one(shell, rest))
    if first == "(":
        value = yield from _either(shell, rest)
        rest[:1] = []
        return value
    assert isinstance(first, Word)
    operator = first.literal or ""
    if len(operator) == 2 and operator[0] == "-" and (operator[1] in UNARY or operator == "-v") and rest and isinstance(rest[0], Word):  # fmt: skip
        operand = yield from shell.expander.one(rest.pop(0))  # type: ignore[arg-type]
        return shell.get(operand) is not None if operator == "-v" else unary(shell.p, operator[1], operand)
    left = yield from shell.expander.one(first)
    if not rest or rest[0] in ("&&", "||", ")"):
        return bool(left)
    between = rest.pop(0)
    right = rest.pop(0)
    assert isinstance(right, Word)
    return (yield from _compared(shell, left, between if isinstance(between, str) else between.literal or "", right))


def _compared(shell: Shell, left: str, operator: str, right: Word) -> Answer:
    if operator in ("=", "==", "!="):
        return matches((yield from shell.expander.pattern(right)), left) == (operator != "!=")
    if operator == "=~":
        return _matched(shell, left, (yield from shell.expander.pattern(right)))
    value = yield from shell.expander.one(right)
    try:
        return compare(shell.p, left, operator, value, bash=True)
    except TestProblem as problem:
        shell.complain(f"[[: {problem}")
        return False


def _matched(shell: Shell, text: str, pattern: str) -> bool:
    from imagelab.runtime.userland.regex import BadPattern, compile

    try:
        match = compile(pattern, extended=True).search(text)
    except BadPattern:
        return False
    if match:
        shell.variables["BASH_REMATCH"] = match[0]
    return match is not None
