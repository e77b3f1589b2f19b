"""awk's values: numbers, strings, and input that may be either; and how they are printed."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any

from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.userland.regex import compile

WIDEST = 1 << 24
"""Characters a number may be padded to."""

_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)")


class Given(str):
    """A string from the input: if it looks like a number, it compares as one."""


def number(value: Any) -> float:
    """A value as a number: the longest beginning that is one."""
    if isinstance(value, str):
        match = _NUMBER.match(value)
        return float(match[0]) if match else 0.0
    return float(value or 0)


def string(value: Any, format: str = "%.6g") -> str:
    """A value as a string: whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if math.isfinite(value) and value == int(value) and abs(value) < 1e16:
        return str(int(value))
    return formatted(format, [value])


def looks_numeric(value: Any) -> bool:
    if isinstance(value, Given):
        match = _NUMBER.match(value)
        return match is not None and not value[match.end() :].strip()
    return not isinstance(value, str)


def whole(value: float) -> float:
    """Without what stands behind the point."""
    return float(math.trunc(value)) if math.isfinite(value) else value


def substring(text: str, start: float, length: float) -> str:
    """`substr`: characters are counted from 1; numbers are rounded, and may point outside. As POSIX has it."""
    if math.isnan(start) or math.isnan(length):
        return ""
    characters = enumerate(text, 1)
    first, end = _rounded(start), _rounded(start + length)
    return "".join(character for at, character in characters if first <= at < end)


def _rounded(value: float) -> float:
    return float(math.floor(value + 0.5)) if math.isfinite(value) else value


def calculated(name: str, *values: float) -> float:
    """An operation in the arithmetic of C: what is too large is `inf`, what is not defined `nan`."""
    try:
        result = _OPERATIONS[name](*values)
        return math.nan if isinstance(result, complex) else float(result)
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return -math.inf if name == "log" and values[0] == 0 else math.inf if name == "^" else -math.nan


_OPERATIONS: dict[str, Callable[..., float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": math.fmod, "^": operator.pow,
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "sin": math.sin, "cos": math.cos,
}  # fmt: skip


def formatted(format: str, values: list[Any]) -> str:
    """printf."""
    rest = list(values)

    def one(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        flags = match[1].replace("*", str(int(number(rest.pop(0)))) if "*" in match[1] and rest else "")
        value = rest.pop(0) if rest else ""
        letter = match[2]
        if any(int(digits) > WIDEST for digits in re.findall(r"\d+", flags)):
            raise Refusal("ENOMEM")
        if letter in "diouxX" and not math.isfinite(number(value)):
            return ("%" + re.sub(r"[0#]|\.\d+", "", flags) + "s") % str(number(value))
        if letter in "di":
            return ("%" + flags + "d") % int(number(value))
        if letter in "ouxX":
            return ("%" + flags + letter.replace("u", "d")) % (int(number(value)) % (1 << 64))
        if letter == "c":
            return ("%" + flags + "s") % (_character(value) if isinstance(value, float) else string(value)[:1])
        if letter == "s":
            return ("%" + flags + "s") % string(value)
        return ("%" + flags + letter) % number(value)

    return re.sub(r"%([-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?)([diouxXcsaAeEfFgG])|%%", one, format)


def _character(value: float) -> str:
    code = int(value) if math.isfinite(value) else 0
    return chr(code) if 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "/": "/", '"': '"'}


def expression(source: str) -> re.Pattern[str]:
    """An extended expression, in which awk knows `\\n`, `\\t`, `\\/` and octal numbers besides, in brackets too. BadPattern."""

    def sign(match: re.Match[str]) -> str:
        if match[1].isdigit():
            found = chr(int(match[1], 8))
            return found if found.isalnum() else f"\\{found}"
        return _SIGNS.get(match[1], match[0])

    return compile(re.sub(r"\\([0-7]{1,3}|.)", sign, source, flags=re.S), extended=True)
