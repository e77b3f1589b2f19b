"""Values as Go prints, compares and measures them: the `fmt` under a template.

    string      as it is             map     map[a:1 b:2], keys sorted
    number      42, 1.5              list    [a b c]
    true/false                       nil     <no value>, or <nil> inside a map or list

`Struct` is a row with fixed fields: asking it for a field it does not have is an error, while a plain dict (decoded
JSON) answers `<no value>` or, where Docker wants it so, `map has no entry for key`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from imagelab.errors import TemplateError


class Struct(Mapping[str, Any]):
    """Fields of a Go struct; `go_type` is what an error calls it. A value may be a function without arguments."""

    def __init__(self, go_type: str, fields: Mapping[str, Any]) -> None:
        self.go_type = go_type
        self._fields = fields

    def __getitem__(self, key: str) -> Any:
        return self._fields[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class Ordered(dict[str, Any]):
    """A struct that arrived as JSON: it keeps the order of its fields, and prints as `{a b}`."""


class GoError(Exception):
    """What a built-in function refuses; the template adds where."""


def show(value: Any, *, inside: bool = False) -> str:
    """`%v`."""
    match value:
        case None:
            return "<nil>" if inside else "<no value>"
        case bool():
            return "true" if value else "false"
        case float():
            return go_float(value)
        case Ordered():
            return "{" + " ".join(show(item, inside=True) for item in value.values()) + "}"
        case Mapping():
            pairs = (f"{show(key, inside=True)}:{show(value[key], inside=True)}" for key in sorted(value, key=str))
            return f"map[{' '.join(pairs)}]"
        case list() | tuple():
            return f"[{' '.join(show(item, inside=True) for item in value)}]"
    return str(value)


def go_float(value: float) -> str:
    """`%v` of a float64: shortest digits, exponent from 1e21 on."""
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa.removesuffix('.0')}e{exponent[0]}{exponent[1:].zfill(2)}" if exponent else text


def go_json(value: Any, *, escape_html: bool = True) -> str:
    """encoding/json: no whitespace, map keys sorted, `<`, `>` and `&` escaped unless told not to."""
    text = json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False)
    for char in "<>&\u2028\u2029" if escape_html else "\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def js_escape(text: str) -> str:
    """template.JSEscapeString: quotes and backslashes behind one, markup and control characters as \\u00XX."""
    marked = {"\\": "\\\\", "'": "\\'", '"': '\\"'}
    return "".join(
        marked.get(char) or (f"\\u{ord(char):04X}" if char in "<>&=" or ord(char) < 32 else char) for char in text
    )


def _plain(value: Any) -> Any:
    match value:
        case Struct():
            return {key: _plain(value[key]() if callable(value[key]) else value[key]) for key in sorted(value)}
        case Ordered():
            return {key: _plain(item) for key, item in value.items()}
        case Mapping():
            return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


def truth(value: Any) -> bool:
    """Go's idea of true: not false, 0, nil, nor empty."""
    return bool(value) if not isinstance(value, Struct) else True


def type_name(value: Any) -> str:
    match value:
        case None:
            return "<nil>"
        case Struct():
            return value.go_type
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float64"
        case str():
            return "string"
        case list() | tuple():
            return "[]interface {}"
        case Mapping():
            return "map[string]interface {}"
    return type(value).__name__


# -- printf -------------------------------------------------------------------------------------------------

_VERB = re.compile(r"%([-+# 0]*)(\d+)?(?:\.(\d+))?(.)?", re.DOTALL)


def printf(template: str, *arguments: Any) -> str:
    """fmt.Sprintf for the verbs that templates use; Go's own complaints for the rest."""
    rest = list(arguments)

    def verb(match: re.Match[str]) -> str:
        flags, width, precision, letter = match.groups()
        if letter == "%":
            return "%"
        if not letter:
            return "%!(NOVERB)"
        if not rest:
            return f"%!{letter}(MISSING)"
        text = _formatted(letter, flags, int(precision) if precision is not None else None, rest.pop(0))
        pad = int(width or 0) - len(text)
        if pad <= 0:
            return text
        if "-" in flags:
            return text + " " * pad
        return "0" * pad + text if "0" in flags and letter in "dxXf" else " " * pad + text

    text = _VERB.sub(verb, template)
    if rest:
        extra = ", ".join(f"{type_name(value)}={show(value, inside=True)}" for value in rest)
        text += f"%!(EXTRA {extra})"
    return text


def _formatted(letter: str, flags: str, precision: int | None, value: Any) -> str:
    match letter, value:
        case "v", _:
            return go_json(value) if "#" in flags else show(value, inside=True)
        case "s", str():
            return value[:precision] if precision is not None else value
        case "s", list() | tuple() | Mapping():
            return show(value, inside=True)
        case "q", str():
            return quote(value)
        case "q", list() | tuple():
            return f"[{' '.join(quote(str(item)) for item in value)}]"
        case "d", int() if not isinstance(value, bool):
            return f"{value:+d}" if "+" in flags else str(value)
        case "x" | "X", int() if not isinstance(value, bool):
            return f"{value:{letter}}"
        case "x" | "X", str():
            return value.encode().hex() if letter == "x" else value.encode().hex().upper()
        case "f" | "e" | "g", float():
            return f"{value:.{6 if precision is None and letter != 'g' else precision or 6}{letter}}"
        case "t", bool():
            return show(value)
        case "T", _:
            return type_name(value)
        case "c", int():
            return chr(value)
    return f"%!{letter}({type_name(value)}={show(value, inside=True)})"


def quote(text: str) -> str:
    """strconv.Quote."""
    out = json.dumps(text, ensure_ascii=False)
    return re.sub(r"\\u00([01][0-9a-f])", r"\\x\1", out).replace("\x7f", r"\x7f").replace(r"\b", r"\b")


# -- comparing and measuring --------------------------------------------------------------------------------


def equal(first: Any, *others: Any) -> bool:
    """`eq`: the first equals any of the others; only basic kinds can be compared."""
    if not others:
        raise GoError("missing argument for comparison")
    for other in others:
        if _kind(first) != _kind(other) and first is not None and other is not None:
            raise GoError("incompatible types for comparison")
        if first == other:
            return True
    return False


def less(first: Any, second: Any) -> bool:
    """`lt`."""
    if _kind(first) in ("bool", "other") or _kind(second) in ("bool", "other"):
        raise GoError("invalid type for comparison")
    if _kind(first) != _kind(second):
        raise GoError("incompatible types for comparison")
    return bool(first < second)


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
    return "other"


def length(value: Any) -> int:
    """`len`: bytes of a string, entries of a list or map."""
    match value:
        case str():
            return len(value.encode("utf-8", "surrogateescape"))
        case list() | tuple() | Mapping():
            return len(value)
        case None:
            raise GoError("len of nil pointer")
    raise GoError(f"len of type {type_name(value)}")


def index(value: Any, *keys: Any) -> Any:
    """`index x 1 "k"`: into lists and maps, one step a key."""
    for key in keys:
        match value:
            case None:
                raise GoError("index of untyped nil")
            case list() | tuple():
                value = value[_position(key, len(value))]
            case str():
                value = value.encode()[_position(key, len(value.encode()))]
            case Mapping() if not isinstance(value, Struct):
                value = value.get(key)
            case _:
                raise GoError(f"can't index item of type {type_name(value)}")
    return value


def _position(key: Any, size: int) -> int:
    if not isinstance(key, int) or isinstance(key, bool):
        raise GoError(f"cannot index slice/array with type {type_name(key)}")
    if not 0 <= key < size:
        raise GoError(f"index out of range: {key}")
    return key


def slice_of(value: Any, *bounds: Any) -> Any:
    """`slice x 1 3`: part of a string (bytes) or list."""
    whole = value.encode() if isinstance(value, str) else value
    if not isinstance(whole, bytes | list | tuple):
        raise GoError(f"can't slice item of type {type_name(value)}")
    low, high = (*bounds, *([0, len(whole)][len(bounds) :]))[:2]
    for bound in (low, high):
        _position(bound, len(whole) + 1)
    if low > high:
        raise GoError(f"invalid slice index: {low} > {high}")
    part = whole[low:high]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else list(part)


def refuse(message: str) -> TemplateError:
    """A TemplateError as Docker prefixes it (R4.7)."""
    return TemplateError(f"template parsing error: {message}", hint="--format json shows which fields there are")
