"""`$((…))`: whole numbers of 64 bits, with C's operators (POSIX 2.6.4), by precedence climbing.

    $((n += 2 * 3))    assigns, too        $((x > 3 ? 1 : 0))     0x1f and 017 are hexadecimal and octal

A name stands for its variable's value; one that is unset or empty is 0. Whatever is not evaluated (the other branch of
`?:`, the right of `&&`) assigns nothing.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_TOKEN = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<=|>>=|&&|\|\||<<|>>|<=|>=|==|!=|\+\+|--|[-+*/%&|^]=|.)", re.S)  # fmt: skip
_ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="}
_LEVELS: list[dict[str, Callable[[int, int], int]]] = [
    {"||": lambda left, right: bool(left or right)}, {"&&": lambda left, right: bool(left and right)},
    {"|": operator.or_}, {"^": operator.xor}, {"&": operator.and_}, {"==": operator.eq, "!=": operator.ne},
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    {"<<": lambda left, right: left << (right & 63), ">>": lambda left, right: left >> (right & 63)},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": lambda left, right: _quotient(left, right), "%": lambda left, right: left - _quotient(left, right) * right},
]  # fmt: skip
"""By precedence, the weakest first."""
_OPERATORS = {name: apply for level in _LEVELS for name, apply in level.items()}


def _quotient(left: int, right: int) -> int:
    """Towards zero, as C does. ZeroDivisionError."""
    return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)


class ArithmeticProblem(Exception):
    """What is wrong with an expression, in dash's words."""


def evaluate(expression: str, get: Callable[[str], str], set: Callable[[str, str], None]) -> int:
    """The value; `get` and `set` read and write variables. ArithmeticProblem."""
    return _Evaluation(expression, get, set).value()


def wrapped(number: int) -> int:
    """As 64 bits hold it."""
    return (number + 2**63) % 2**64 - 2**63


class _Evaluation:
    def __init__(self, expression: str, get: Callable[[str], str], set: Callable[[str, str], None]) -> None:
        self._expression, self._get, self._set = expression, get, set
        self._tokens = [match[1] for match in _TOKEN.finditer(expression.strip())]
        self._at = 0
        self._skipping = 0

    def value(self) -> int:
        if not self._tokens:
            return 0
        value = self._assignment()
        if self._at < len(self._tokens):
            raise self._problem("expecting EOF")
        return value

    def _problem(self, reason: str) -> ArithmeticProblem:
        return ArithmeticProblem(f'arithmetic expression: {reason}: "{self._expression}"')

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *tokens: str) -> str:
        token = self._peek()
        if token and token in tokens:
            self._at += 1
            return token
        return ""

    def _assignment(self) -> int:
        name = self._peek()
        after = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else ""
        if after not in _ASSIGNMENTS or not (name[0].isalpha() or name[0] == "_"):
            return self._choice()
        self._at += 2
        value = self._assignment()
        if after != "=":
            value = self._apply(after[:-1], self._number(name), value)
        return self._store(name, value)

    def _store(self, name: str, value: int) -> int:
        if not self._skipping:
            self._set(name, str(value))
        return value

    def _choice(self) -> int:
        condition = self._binary(0)
        if not self._take("?"):
            return condition
        first = self._unless(self._assignment, skip=not condition)
        if not self._take(":"):
            raise self._problem("expecting ':'")
        second = self._unless(self._assignment, skip=bool(condition))
        return first if condition else second

    def _unless(self, read: Callable[[], int], *, skip: bool) -> int:
        """Read on; without effect when it is skipped."""
        self._skipping += skip
        value = read()
        self._skipping -= skip
        return value

    def _binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while operator := self._take(*_LEVELS[level]):
            done = operator in ("&&", "||") and bool(left) == (operator == "||")
            right = self._unless(lambda: self._binary(level + 1), skip=done)
            left = self._apply(operator, left, right)
        return left

    def _unary(self) -> int:
        if step := self._take("++", "--"):
            name = self._peek()
            if not name.replace("_", "a").isidentifier():  # two signs: `--5` is 5
                return self._unary()
            self._at += 1
            return self._store(name, self._number(name) + (1 if step == "++" else -1))
        operator = self._take("-", "+", "!", "~")
        if not operator:
            return self._primary()
        value = self._unary()
        return {"-": wrapped(-value), "+": value, "!": int(not value), "~": ~value}[operator]

    def _primary(self) -> int:
        token = self._peek()
        self._at += 1
        if token == "(":
            value = self._assignment()
            if not self._take(")"):
                raise self._problem("expecting ')'")
            return value
        if not token or not re.match(r"\w", token):
            raise self._problem("expecting primary")
        value = self._number(token)
        if step := self._take("++", "--"):
            self._store(token, value + (1 if step == "++" else -1))
        return value

    def _number(self, token: str) -> int:
        if token[0].isalpha() or token[0] == "_":
            text = self._get(token).strip()
            return _Evaluation(text, self._get, self._set).value() if text else 0
        try:
            octal = token[0] == "0" and token[1:2] not in ("x", "X")
            return wrapped(int(token, 8 if octal else 0))
        except ValueError:
            raise self._problem("expecting EOF") from None

    def _apply(self, operator: str, left: int, right: int) -> int:
        try:
            return wrapped(int(_OPERATORS[operator](left, right)))
        except ZeroDivisionError:
            if self._skipping:
                return 0
            raise self._problem("division by zero") from None
