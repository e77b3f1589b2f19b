"""Go's `fmt` under a template: print, println and printf.

A verb that does not fit its value is no error in Go: the text says what went wrong, `%!d(string=abc)`, and goes on.

>>> sprintf("%-6s|%5.1f|%q|%d", "ab", 1.25, "x", "y")
'ab    |  1.2|"x"|%!d(string=y)'
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imagelab.gotemplate.values import (
    Byte,
    Ordered,
    Struct,
    is_list,
    is_map,
    quote,
    quoted_char,
    sorted_keys,
    type_name,
)

WIDEST = 1_000_000
"""Widths and precisions beyond this are not believed."""


def show(value: Any) -> str:
    """`%v`."""
    return value if isinstance(value, str) else _argument(value, "v", _Spec())


def sprint(*values: Any) -> str:
    """Values side by side; a space between two of which neither is a string."""
    out = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            out += " "
        out += show(value)
    return out


def sprintln(*values: Any) -> str:
    return " ".join(map(show, values)) + "\n"


@dataclass
class _Spec:
    """What stands between `%` and the verb."""

    flags: str = ""
    width: int | None = None
    precision: int | None = None

    def pad(self, text: str) -> str:
        missing = (self.width or 0) - len(text)
        if missing <= 0:
            return text
        if "-" in self.flags:
            return text + " " * missing
        return ("0" if "0" in self.flags else " ") * missing + text

    def spaces(self, text: str) -> str:
        """Padding for what zeros would spoil."""
        return _Spec(self.flags.replace("0", ""), self.width).pad(text)

    def has(self, flag: str) -> bool:
        return flag in self.flags

    def of_v(self) -> _Spec:
        """`%+v` and `%#v` mean names and Go syntax, not signs and prefixes: their flags are told as N and G."""
        return _Spec(self.flags.replace("+", "N").replace("#", "G"), self.width, self.precision)


# -- one value ----------------------------------------------------------------------------------------------


def _argument(value: Any, verb: str, spec: _Spec, *, inside: bool = False, told: bool = False) -> str:
    """`inside` a list or map; `told` as part of a complaint, where the flags keep their plain meaning."""
    if value is None:
        if inside:
            return "<nil>"
        return spec.pad("<nil>") if verb in "vT" else f"%!{verb}(<nil>)"
    spec = spec.of_v() if verb == "v" and not told else spec
    if verb == "T" and not inside:
        return spec.pad(type_name(value))
    text = (
        _scalar(value, verb, spec)
        if isinstance(value, bool | int | float | complex | str)
        else _several(value, verb, spec)
    )
    return _misfit(value, verb, spec) if text is None else text


def _misfit(value: Any, verb: str, spec: _Spec) -> str:
    return f"%!{verb}({type_name(value)}={_argument(value, 'v', spec, told=True)})"


def _scalar(value: bool | int | float | complex | str, verb: str, spec: _Spec) -> str | None:
    """None when the verb does not fit."""
    match value:
        case bool():
            return spec.pad("true" if value else "false") if verb in "tv" else None
        case str():
            return _string(value, verb, spec)
        case int():
            return _integer(value, verb, spec)
        case float():
            return _float(value, verb, spec)
    if verb not in "veEfFgG":
        return None
    real, imaginary = (
        _float(value.real, verb, spec),
        _float(value.imag, verb, _Spec(spec.flags + "+", spec.width, spec.precision)),
    )
    return f"({real}{imaginary}i)"


def _several(value: Any, verb: str, spec: _Spec) -> str:
    """Lists, maps and structs: the verb goes to every member."""

    def member(item: Any) -> str:
        return _argument(item, verb, spec, inside=True)

    if spec.has("G"):
        return _go_syntax(value, member)
    if is_map(value):
        return f"map[{' '.join(f'{member(key)}:{member(value[key])}' for key in sorted_keys(value))}]"
    if is_list(value):
        return f"[{' '.join(map(member, value))}]"
    if isinstance(value, Ordered):
        named = spec.has("N")
        return f"{{{' '.join((f'{key}:' if named else '') + member(item) for key, item in value.items())}}}"
    return "&{...}" if isinstance(value, Struct) else type_name(value)


def _go_syntax(value: Any, member: Any) -> str:
    """`%#v`."""
    if is_map(value):
        members = ", ".join(f"{quote(key)}:{_nil(value[key], member)}" for key in sorted_keys(value))
    elif is_list(value):
        members = ", ".join(_nil(item, member) for item in value)
    else:
        members = ", ".join(f"{key}:{_nil(item, member)}" for key, item in dict(value).items())
    return f"{type_name(value)}{{{members}}}"


def _nil(item: Any, member: Any) -> str:
    return "interface {}(nil)" if item is None else str(member(item))


# -- strings ------------------------------------------------------------------------------------------------


def _string(value: str, verb: str, spec: _Spec) -> str | None:
    if spec.has("G"):
        verb = "q"
    if verb in "xX":
        return _hex(value.encode("utf-8", "replace"), verb, spec)
    if verb not in "vsq":
        return None
    text = value if spec.precision is None else value[: spec.precision]
    if verb != "q":
        return spec.pad(text)
    if spec.has("#") and "`" not in text and all(char == "\t" or char.isprintable() for char in text):
        return spec.pad(f"`{text}`")
    shown = "".join(quoted_char(char, delimiter='"', ascii_only=spec.has("+")) for char in text)
    return spec.pad(f'"{shown}"')


def _hex(data: bytes, verb: str, spec: _Spec) -> str:
    data = data if spec.precision is None else data[: spec.precision]
    marker = "0" + verb if spec.has("#") and data else ""
    if spec.has(" "):
        text = " ".join(f"{marker}{byte:02x}" for byte in data)
    else:
        text = marker + data.hex()
    return spec.pad(text.upper() if verb == "X" else text)


# -- numbers ------------------------------------------------------------------------------------------------

_BASES = {"d": "d", "v": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}


def _integer(value: int, verb: str, spec: _Spec) -> str | None:
    if spec.has("G") and isinstance(value, Byte):
        return f"0x{value:x}"
    if verb in "cqU":
        return _code_point(value, verb, spec)
    if verb not in _BASES:
        return None
    if spec.precision == 0 and value == 0:
        return " " * (spec.width or 0)
    sign = "-" if value < 0 else "+" if spec.has("+") else " " if spec.has(" ") else ""
    least = spec.precision or 0
    if spec.precision is None and spec.has("0") and not spec.has("-"):
        least = (spec.width or 0) - len(sign)
    digits = f"{abs(value):{_BASES[verb]}}".rjust(least, "0")
    if spec.has("#"):
        digits = {"b": "0b", "x": "0x", "X": "0X"}.get(verb, "0" if verb in "oO" and digits[0] != "0" else "") + digits
    return spec.spaces(sign + ("0o" if verb == "O" else "") + digits)


def _code_point(value: int, verb: str, spec: _Spec) -> str:
    valid = 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000
    char = chr(value) if valid else "\ufffd"
    if verb == "c":
        return spec.pad(char)
    if verb == "q":
        return spec.pad(f"'{quoted_char(char, delimiter=chr(39), ascii_only=spec.has('+'))}'")
    text = f"U+{value & (2**64 - 1):0{max(spec.precision or 4, 4)}X}"
    return spec.spaces(text + (f" '{char}'" if spec.has("#") and char.isprintable() else ""))


def _float(value: float, verb: str, spec: _Spec) -> str | None:
    if verb not in "veEfFgGxXb":
        return None
    if verb in "xX":
        text = _hex_float(value)
    elif verb == "b":
        text = _binary_float(value)
    elif verb in "vgG":
        text = _shortest(value) if spec.precision is None else f"{value:.{spec.precision or 1}g}"
    else:
        text = f"{value:.{6 if spec.precision is None else spec.precision}{verb.lower()}}"
    if spec.has("#") and verb not in "bxX":
        text = _with_point(text, 0 if verb in "eEfF" else 6 if spec.precision is None else spec.precision)
    if verb in "EGX":
        text = text.upper()
    sign = "-" if text[0] == "-" else "+" if spec.has("+") else " " if spec.has(" ") else ""
    digits = text.removeprefix("-")
    if sign and spec.has("0") and not spec.has("-"):
        return sign + _Spec("0", (spec.width or 0) - 1).pad(digits)
    return spec.pad(sign + digits)


def _hex_float(value: float) -> str:
    mantissa, _, exponent = value.hex().partition("p")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}p{int(exponent):+03d}"


def _binary_float(value: float) -> str:
    if not value:
        return "0p-1074"
    mantissa, exponent = math.frexp(value)
    return f"{int(mantissa * 2**53)}p{exponent - 53:+d}"


def _with_point(text: str, digits: int) -> str:
    """`#`: a decimal point, and `digits` figures in all."""
    number, letter, exponent = text.partition("e")
    figures = number.lstrip("-").replace(".", "").lstrip("0") or "0"
    if "." not in number:
        number += "."
    return number + "0" * (digits - len(figures)) + letter + exponent


def _shortest(value: float) -> str:
    """The fewest digits that mean this number; an exponent below 1e-4 and from 1e6 on."""
    digits = repr(abs(value)).partition("e")[0].removesuffix(".0").replace(".", "").strip("0") or "0"
    power = int(f"{value:.{len(digits) - 1}e}".partition("e")[2])
    if value and (power < -4 or power >= 6):
        head = digits[0] + (f".{digits[1:]}" if digits[1:] else "")
        return f"{'-' if value < 0 else ''}{head}e{power:+03d}"
    return f"{value:.{max(len(digits) - 1 - power, 0)}f}"


# -- a format -----------------------------------------------------------------------------------------------

_FLAGS = re.compile(r"[#0+\- ]*")
_NUMBER = re.compile(r"[0-9]+")
_INDEX = re.compile(r"\[([0-9]+)\]")


def sprintf(template: str, *arguments: Any) -> str:
    """fmt.Sprintf, complaints included."""
    return _Format(template, arguments).text()


class _Format:
    """One run over a format: where in it, and which argument is next."""

    def __init__(self, template: str, arguments: Sequence[Any]) -> None:
        self.template, self.arguments = template, arguments
        self.position, self.argument = 0, 0
        self.indexed = self.reordered = False
        self.good = True

    def text(self) -> str:
        out: list[str] = []
        while (begin := self.template.find("%", self.position)) >= 0:
            out.append(self.template[self.position : begin])
            self.position = begin + 1
            out.append(self._verb())
        out.append(self.template[self.position :])
        if not self.reordered and self.argument < len(self.arguments):
            extra = (
                "<nil>" if value is None else f"{type_name(value)}={show(value)}"
                for value in self.arguments[self.argument :]
            )
            out.append(f"%!(EXTRA {', '.join(extra)})")
        return "".join(out)

    def _verb(self) -> str:
        self.good, self.indexed = True, False
        flags = _FLAGS.match(self.template, self.position)
        spec = _Spec(flags[0] if flags else "")
        self.position += len(spec.flags)
        complaint = self._width(spec) + self._precision(spec)
        if not self.indexed:
            self._index()
        if self.position >= len(self.template):
            return f"{complaint}%!(NOVERB)"
        verb = self.template[self.position]
        self.position += 1
        if verb == "%":
            return f"{complaint}%"
        if not self.good:
            return f"{complaint}%!{verb}(BADINDEX)"
        if self.argument >= len(self.arguments):
            return f"{complaint}%!{verb}(MISSING)"
        self.argument += 1
        return complaint + _argument(self.arguments[self.argument - 1], verb, spec)

    def _width(self, spec: _Spec) -> str:
        self._index()
        if self.template.startswith("*", self.position):
            spec.width = self._from_argument()
            if spec.width is None:
                return "%!(BADWIDTH)"
            if spec.width < 0:
                spec.width, spec.flags = -spec.width, spec.flags.replace("0", "") + "-"
            return ""
        spec.width = self._number()
        self.good = self.good and not (self.indexed and spec.width is not None)
        return ""

    def _precision(self, spec: _Spec) -> str:
        if not self.template.startswith(".", self.position) or self.position + 1 >= len(self.template):
            return ""
        self.position += 1
        self.good = self.good and not self.indexed
        self._index()
        if self.template.startswith("*", self.position):
            spec.precision = self._from_argument()
            if spec.precision is not None and spec.precision < 0:
                spec.precision = None
            return "%!(BADPREC)" if spec.precision is None else ""
        spec.precision = self._number() or 0
        return ""

    def _number(self) -> int | None:
        match = _NUMBER.match(self.template, self.position)
        if match is None:
            return None
        if int(match[0][:-1][-9:] or 0) > WIDEST or len(match[0].lstrip("0")) > 8:
            self.position = len(self.template)
            return None
        self.position = match.end()
        return int(match[0])

    def _from_argument(self) -> int | None:
        """`*`: the number is an argument."""
        self.position += 1
        self.indexed = False
        if self.argument >= len(self.arguments):
            return None
        value = self.arguments[self.argument]
        self.argument += 1
        fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= WIDEST
        return int(value) if fits else None

    def _index(self) -> None:
        """`[2]`: which argument is meant."""
        self.indexed = False
        if not self.template.startswith("[", self.position):
            return
        self.reordered = True
        match = _INDEX.match(self.template, self.position)
        if match and 1 <= int(match[1][:9]) <= len(self.arguments):
            self.position, self.argument, self.indexed = match.end(), int(match[1]) - 1, True
            return
        self.good = False
        end = self.template.find("]", self.position)
        self.position = end + 1 if end >= 0 else self.position + 1
        self.indexed = match is not None
