"""expr: sums, comparisons and matches in words, for scripts from before `$(( ))`."""

import re

from imagelab.runtime.process import Process, Program
from imagelab.runtime.shell.arithmetic import ArithmeticProblem, evaluate
from imagelab.runtime.userland.options import bad
from imagelab.runtime.userland.regex import BadPattern, compile

_COMPARISONS = ("=", "==", "!=", "<", "<=", ">", ">=")
_LEVELS = [("|",), ("&",), _COMPARISONS, ("+", "-"), ("*", "/", "%"), (":",)]
_NOTHING = ("", "0")


class ExprProblem(Exception):
    """What `expr` cannot evaluate; exit code 2."""


def expr(p: Process) -> int:
    """`expr operand [operator operand]…`: 0 when the value is something, 1 when it is empty or zero."""
    words = p.args[2:] if p.args[1:2] == ["--"] else p.args[1:]
    if not words:
        raise bad(p, "missing operand")
    try:
        value = _value(words, 0)
        if words:
            raise ExprProblem(f"syntax error: unexpected argument ‘{words[0]}’")
    except (ExprProblem, BadPattern) as problem:
        return p.complain(str(problem), 2)
    except ArithmeticProblem:
        return p.complain("division by zero", 2)
    p.out(value + "\n")
    return int(not value.strip("-").strip("0"))


def _value(words: list[str], level: int) -> str:
    if level == len(_LEVELS):
        return _operand(words)
    left = _value(words, level + 1)
    while words and words[0] in _LEVELS[level]:
        left = _applied(left, words.pop(0), _value(words, level + 1))
    return left


def _operand(words: list[str]) -> str:
    if not words:
        raise ExprProblem("syntax error: missing argument")
    word = words.pop(0)
    if word == "length" and words:
        return str(len(_operand(words)))
    if word != "(":
        return word
    value = _value(words, 0)
    if not words or words.pop(0) != ")":
        raise ExprProblem("syntax error: expecting ')'")
    return value


def _applied(left: str, operator: str, right: str) -> str:
    if operator == "|":
        return left if left not in _NOTHING else right or "0"
    if operator == "&":
        return left if left not in _NOTHING and right not in _NOTHING else "0"
    if operator == ":":
        match = compile(right, extended=False).match(left)
        return ((match[1] or "") if match else "") if r"\(" in right else str(len(match[0]) if match else 0)
    numbers = [int(word) for word in (left, right) if re.fullmatch(r"-?\d{1,18}", word)]
    if len(numbers) < 2 and operator not in _COMPARISONS:
        raise ExprProblem("non-integer argument")
    first, second = numbers if len(numbers) == 2 else ((left > right) - (left < right), 0)
    return str(evaluate(f"({first}) {'==' if operator == '=' else operator} ({second})", lambda _: "", lambda *_: None))


PROGRAMS: dict[str, Program] = {"expr": expr}
