"""awk: for each line, the actions whose pattern it matches (POSIX). `awk_parser` makes a program of the text.

    awk -F: '$3 >= 1000 { count++; print $1 } END { print count+0 }' /etc/passwd

A value is a number, a string, or a *numeric string*: input that looks like a number and compares as one. Expressions
are Python functions of the machine's state; statements are generators, so that a loop without end can be stopped.
Arrays keep the order in which their elements were made, and `for (k in a)` follows it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator
from typing import Any

from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import NOW, Process, Program, Steps, Stream, raw, text
from imagelab.runtime.process import Given as FromBytes
from imagelab.runtime.shell.words import unescape
from imagelab.runtime.userland.awk_input import Records, given
from imagelab.runtime.userland.awk_parser import AwkProblem, Parser, Tree
from imagelab.runtime.userland.awk_values import (
    Given,
    calculated,
    expression,
    formatted,
    looks_numeric,
    number,
    string,
    substring,
    whole,
)
from imagelab.runtime.userland.options import parse
from imagelab.runtime.userland.regex import BadPattern


class Jump(Exception):
    """next, exit, break, continue, return on their way."""

    def __init__(self, kind: str, value: Any = None) -> None:
        super().__init__(kind)
        self.kind, self.value = kind, value


class Awk:
    """One run."""

    def __init__(self, p: Process, functions: dict[str, Tree], names: list[str]) -> None:
        self.p, self.functions = p, functions
        self.variables: dict[str, Any] = {"FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n", "NR": 0.0, "FNR": 0.0, "SUBSEP": "\x1c", "CONVFMT": "%.6g", "OFMT": "%.6g", "RSTART": 0.0, "RLENGTH": -1.0, "FILENAME": ""}  # fmt: skip
        self.locals: list[dict[str, Any]] = []
        self.fields: list[str] = [""]
        self.streams: dict[str, Stream] = {}
        self.input = Records(p, names, self.variables, self.set)
        self.sources: dict[str, Records] = {}
        self.steps = 0

    # -- variables and fields -------------------------------------------------------------------------------

    def get(self, name: str) -> Any:
        if self.locals and name in self.locals[-1]:
            return self.locals[-1][name]
        return float(len(self.fields) - 1) if name == "NF" else self.variables.get(name)

    def set(self, name: str, value: Any) -> None:
        if self.locals and name in self.locals[-1]:
            self.locals[-1][name] = value
        elif name == "NF":
            count = int(number(value))
            self.fields = (self.fields + [""] * count)[: count + 1]
            self._join()
        else:
            self.variables[name] = value

    def array(self, name: str) -> dict[str, Any]:
        scope = self.locals[-1] if self.locals and name in self.locals[-1] else self.variables
        if not isinstance(scope.get(name), dict):
            scope[name] = {}
        found: dict[str, Any] = scope[name]
        return found

    def record(self, line: str) -> None:
        self.fields = [line, *self.split(line, string(self.get("FS")))]

    def split(self, line: str, separator: str) -> list[str]:
        if separator == " ":
            return line.split()
        if not line:
            return []
        if len(separator) == 1 and separator not in "\\":
            return line.split(separator) if separator != "\t" else line.split("\t")
        return re.split(expression(separator), line) if separator else list(line)

    def _join(self) -> None:
        self.fields[0] = string(self.get("OFS")).join(self.fields[1:])

    def field(self, at: int) -> Any:
        return Given(self.fields[at]) if at < len(self.fields) else None

    def set_field(self, at: int, value: Any) -> None:
        if at == 0:
            self.record(string(value))
            return
        self.fields += [""] * (at + 1 - len(self.fields))
        self.fields[at] = string(value)
        self._join()

    def matches(self, pattern: Tree, subject: str) -> re.Match[str] | None:
        source = pattern[1] if pattern[0] == "regex" else string(self.value(pattern))
        return expression(source).search(subject)

    # -- expressions ----------------------------------------------------------------------------------------

    def value(self, tree: Tree) -> Any:
        """The value of an expression."""
        return getattr(self, "_" + tree[0])(*tree[1:])

    def text(self, tree: Tree) -> str:
        return string(self.value(tree), string(self.get("CONVFMT")))

    def true(self, tree: Tree) -> bool:
        value = self.value(tree)
        return number(value) != 0 if looks_numeric(value) else value != ""

    def _number(self, value: float) -> float:
        return value

    def _string(self, value: str) -> str:
        return value

    def _regex(self, source: str) -> float:
        return float(expression(source).search(self.fields[0]) is not None)

    def _name(self, name: str) -> Any:
        value = self.get(name)
        return None if isinstance(value, dict) else value

    def _field(self, tree: Tree) -> Any:
        at = int(number(self.value(tree)))
        if at < 0:
            raise AwkProblem(f"trying to access out of range field {at}")
        return self.field(at)

    def key(self, keys: list[Tree]) -> str:
        return string(self.get("SUBSEP")).join(self.text(key) for key in keys)

    def _index(self, name: str, keys: list[Tree]) -> Any:
        return self.array(name).setdefault(self.key(keys), None)

    def _in(self, keys: list[Tree], name: str) -> float:
        return float(self.key(keys) in self.array(name))

    def _assign(self, target: Tree, operator: str, tree: Tree) -> Any:
        value = self.value(tree)
        if operator:
            value = self._arithmetic(operator, number(self.value(target)), number(value))
        self.store(target, value)
        return value

    def store(self, target: Tree, value: Any) -> None:
        match target:
            case ("name", name):
                self.set(name, value)
            case ("field", at):
                self.set_field(int(number(self.value(at))), value)
            case ("index", name, keys):
                self.array(name)[self.key(keys)] = value
            case _:
                raise AwkProblem("syntax error: assignment to what is no variable")

    def _step(self, target: Tree, change: float, before: bool) -> float:
        old = number(self.value(target))
        self.store(target, old + change)
        return old + change if before else old

    def _binary(self, operator: str, left: Tree, right: Tree) -> Any:
        return self._arithmetic(operator, number(self.value(left)), number(self.value(right)))

    def _arithmetic(self, operator: str, left: float, right: float) -> float:
        if operator in "/%" and right == 0:
            raise AwkProblem("division by zero" if operator == "/" else "division by zero in %")
        return calculated(operator, left, right)

    def _concat(self, left: Tree, right: Tree) -> str:
        return self.text(left) + self.text(right)

    def _compare(self, operator: str, left: Tree, right: Tree) -> float:
        a, b = self.value(left), self.value(right)
        x, y = (number(a), number(b)) if looks_numeric(a) and looks_numeric(b) else (string(a), string(b))
        return float({"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y, "==": x == y, "!=": x != y}[operator])  # type: ignore[operator]

    def _match(self, negated: bool, left: Tree, right: Tree) -> float:
        return float((self.matches(right, self.text(left)) is not None) != negated)

    def _and(self, left: Tree, right: Tree) -> float:
        return float(self.true(left) and self.true(right))

    def _or(self, left: Tree, right: Tree) -> float:
        return float(self.true(left) or self.true(right))

    def _not(self, tree: Tree) -> float:
        return float(not self.true(tree))

    def _minus(self, tree: Tree) -> float:
        return -number(self.value(tree))

    def _plus(self, tree: Tree) -> float:
        return number(self.value(tree))

    def _choice(self, condition: Tree, first: Tree, second: Tree) -> Any:
        return self.value(first if self.true(condition) else second)

    def _getline(self, target: Tree | None, file: Tree | None) -> float:
        source = self.input
        if file is not None:
            name = self.text(file)
            if name not in self.sources:
                opened = Records(self.p, [], {"RS": self.get("RS")}, self.set)
                try:
                    opened.open(name)
                except Refusal:
                    return -1.0
                self.sources[name] = opened
            source = self.sources[name]
        record = source.at_once()
        if record is None:
            return 0.0
        if target is None:
            self.record(record)
        else:
            self.store(target, Given(record))
        return 1.0

    def _close(self, name: str) -> float:
        source, stream = self.sources.pop(name, None), self.streams.pop(name, None)
        if source is not None:
            source.close()
        if stream is not None:
            stream.drop()
        return 0.0 if source or stream else -1.0

    # -- functions ------------------------------------------------------------------------------------------

    def _call(self, name: str, arguments: list[Tree]) -> Any:
        if name not in self.functions:
            return self._builtin(name, arguments)
        _, names, body = self.functions[name]
        given = [self._argument(tree) for tree in arguments]
        if len(self.locals) > 200:
            raise AwkProblem(f"function {name} called too deep")
        self.locals.append(dict(zip(names, given + [None] * (len(names) - len(given)), strict=False)))
        try:
            for _ in self.run(body):
                pass
        except Jump as jump:
            if jump.kind != "return":
                raise
            return jump.value
        finally:
            self.locals.pop()
        return None

    def _argument(self, tree: Tree) -> Any:
        if tree[0] == "name" and isinstance(self.get(tree[1]), dict):
            return self.array(tree[1])
        return self.value(tree)

    def _builtin(self, name: str, trees: list[Tree]) -> Any:
        if name in ("sub", "gsub"):
            return self._substitute(name, trees)
        if name == "split":
            pieces = self.split(
                self.text(trees[0]),
                (trees[2][1] if trees[2][0] == "regex" else self.text(trees[2]))
                if len(trees) > 2
                else string(self.get("FS")),
            )
            found = self.array(trees[1][1])
            found.clear()
            found.update({str(at): Given(piece) for at, piece in enumerate(pieces, 1)})
            return float(len(pieces))
        if name == "length" and trees and trees[0][0] == "name" and isinstance(self.get(trees[0][1]), dict):
            return float(len(self.array(trees[0][1])))
        if name == "match":
            match = self.matches(trees[1], self.text(trees[0]))
            self.variables["RSTART"] = float(match.start() + 1 if match else 0)
            self.variables["RLENGTH"] = float(match.end() - match.start() if match else -1)
            return self.variables["RSTART"]
        return self._plain_function(name, [self.value(tree) for tree in trees])

    def _plain_function(self, name: str, values: list[Any]) -> Any:
        words = [string(value) for value in values]
        match name:
            case "length":
                return float(len(words[0] if words else self.fields[0]))
            case "substr":
                return substring(words[0], number(values[1]), number(values[2]) if len(values) > 2 else math.inf)
            case "index":
                return float(words[0].find(words[1]) + 1)
            case "tolower" | "toupper":
                return words[0].lower() if name == "tolower" else words[0].upper()
            case "sprintf":
                return formatted(words[0], values[1:])
            case "int":
                return whole(number(values[0]))
            case "sqrt" | "exp" | "log" | "sin" | "cos":
                return calculated(name, number(values[0]))
            case "atan2":
                return math.atan2(number(values[0]), number(values[1]))
            case "rand" | "srand":
                seed = int.from_bytes(self.p.machine.noise(4), "big")
                return seed / 2**32 if name == "rand" else 0.0
            case "close":
                return self._close(words[0])
            case "fflush":
                return 0.0
            case "system":
                raise AwkProblem("imagelab's awk runs no commands: let the shell do it")
        raise AwkProblem(f"function {name} never defined")

    def _substitute(self, name: str, trees: list[Tree]) -> float:
        target = trees[2] if len(trees) > 2 else ("field", ("number", 0.0))
        source = trees[0][1] if trees[0][0] == "regex" else self.text(trees[0])
        template, count = self.text(trees[1]), 0

        def replaced(match: re.Match[str]) -> str:
            return re.sub(r"\\\\|\\&|&", lambda m: {"&": match[0], "\\&": "&"}.get(m[0], "\\"), template)

        new, count = expression(source).subn(replaced, self.text(target), count=0 if name == "gsub" else 1)
        if count:
            self.store(target, new)
        return float(count)

    # -- statements -----------------------------------------------------------------------------------------

    def run(self, tree: Tree) -> Generator[float, None, None]:
        """Carry out a statement."""
        self.steps += 1
        if self.steps % 500 == 0:
            yield NOW
        match tree:
            case ("block", statements):
                for statement in statements:
                    yield from self.run(statement)
            case ("expression", expression):
                self.value(expression)
            case ("print", values, operator, target):
                shown = [string(self.value(value), string(self.get("OFMT"))) for value in values] or [self.fields[0]]
                self._write(string(self.get("OFS")).join(shown) + string(self.get("ORS")), operator, target)
            case ("printf", values, operator, target):
                if not values:
                    raise AwkProblem("syntax error: printf without a format")
                format, *rest = [self.value(value) for value in values]
                self._write(formatted(string(format), rest), operator, target)
            case ("if", condition, first, second):
                branch = first if self.true(condition) else second
                if branch is not None:
                    yield from self.run(branch)
            case ("loop", start, condition, step, body, first):
                yield from self._loop(start, condition, step, body, first)
            case ("each", name, array, body):
                for key in list(self.array(array)):
                    self.set(name, Given(key))
                    if not (yield from self._round(body)):
                        break
            case ("delete", name, None):
                self.array(name).clear()
            case ("delete", name, keys):
                self.array(name).pop(self.key(keys), None)
            case ("jump", kind, expression):
                raise Jump(kind, self.value(expression) if expression is not None else None)

    def _loop(
        self, start: Tree | None, condition: Tree | None, step: Tree | None, body: Tree, first: bool
    ) -> Generator[float, None, None]:
        if start is not None:
            yield from self.run(start)
        while first or condition is None or self.true(condition):
            first = False
            if not (yield from self._round(body)):
                return
            if step is not None:
                yield from self.run(step)

    def _round(self, body: Tree) -> Generator[float, None, bool]:
        try:
            yield from self.run(body)
        except Jump as jump:
            if jump.kind not in ("break", "continue"):
                raise
            return jump.kind == "continue"
        return True

    def _write(self, line: str, operator: str, target: Tree | None) -> None:
        if target is None:
            self.p.out(line)
            return
        name = self.text(target)
        if operator == "|":
            raise AwkProblem("imagelab's awk does not write to commands: use a pipe of the shell")
        if name not in self.streams:
            self.streams[name] = self.p.open(name, "a" if operator == ">>" else "w").keep()
        self.streams[name].write(raw(line))


def awk(p: Process) -> Steps:
    """`awk [-F fs] [-v var=value] program | -f file [file | var=value…]`."""
    options, operands = parse(p, "F:v:f:", {"field-separator": "F", "assign": "v", "file": "f"}, mixed=False)
    sources = []
    for name in options.get("f", []):
        try:
            sources.append(text((yield from p.slurp(name))))
        except Refusal as refusal:
            return p.complain(f"cannot open {name} ({refusal})", 2)
    if not sources:
        if not operands:
            p.err("usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]")
            return 2
        sources = [operands.pop(0)]
    try:
        rules, functions = Parser("\n".join(sources)).program()
        work = Awk(p, functions, operands)
        for asked in options.get("v", []):
            name, _, value = asked.partition("=")
            work.set(name, given(value))
        if "F" in options:
            work.set("FS", "\t" if options["F"][-1] == "t" else unescape(options["F"][-1], "[0-7]{1,3}"))
        work.variables["ENVIRON"] = {key: Given(value) for key, value in p.env.items()}
        work.variables |= {
            "ARGC": 1.0 + len(operands),
            "ARGV": {str(at): Given(word) for at, word in enumerate(["awk", *operands])},
        }
        if _asks_for_lines([rules, functions]) and ("-" in operands or all("=" in word for word in operands)):
            p.fds[0] = FromBytes((yield from p.read_all())).keep()
        return (yield from _rules(work, rules))
    except (AwkProblem, BadPattern) as problem:
        return p.complain(str(problem), 2)
    except Refusal as refusal:
        return p.complain(str(refusal), 2)


def _asks_for_lines(tree: Any) -> bool:
    """Is there a `getline` of the input in it? Then expressions read, which cannot wait: all is read before."""
    if isinstance(tree, tuple) and tree[:1] == ("getline",) and tree[2] is None:
        return True
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    return any(_asks_for_lines(part) for part in parts)


def _rules(work: Awk, rules: list[Any]) -> Steps:
    code = 0
    try:
        for pattern, action in rules:
            if pattern == "BEGIN":
                yield from work.run(action)
        if any(pattern != "BEGIN" for pattern, _ in rules):
            yield from _records(work, rules)
    except Jump as jump:
        if jump.kind != "exit":
            raise AwkProblem(f"{jump.kind} used where it means nothing") from None
        code = int(number(jump.value))
    try:
        for pattern, action in rules:
            if pattern == "END":
                yield from work.run(action)
    except Jump as jump:
        code = int(number(jump.value)) if jump.value is not None else code
    return code or work.input.status


def _records(work: Awk, rules: list[Any]) -> Generator[float, None, None]:
    inside: set[int] = set()
    while (record := (yield from work.input.next())) is not None:
        work.record(record)
        try:
            for at, (pattern, action) in enumerate(rules):
                if pattern not in ("BEGIN", "END") and _selected(work, at, pattern, inside):
                    yield from work.run(action)
        except Jump as jump:
            if jump.kind == "nextfile":
                work.input.close()
            elif jump.kind != "next":
                raise
        yield from work.p.flush()


def _selected(work: Awk, at: int, pattern: Any, inside: set[int]) -> bool:
    if pattern is None:
        return True
    if pattern[0] != "range":
        return work.true(pattern)
    if at not in inside and not work.true(pattern[1]):
        return False
    inside.add(at)
    if work.true(pattern[2]):
        inside.discard(at)
    return True


PROGRAMS: dict[str, Program] = {"awk": awk}
