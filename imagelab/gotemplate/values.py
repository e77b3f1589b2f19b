"""Values as Go sees them: what kind each is, how it prints, what JSON it becomes.

    Python          Go                        prints as
    str             string                    as it is
    int, float      int, float64              42, 1.5, 1e+06
    bool            bool                      true
    list            []interface {}            [a b c]
    Strings         []string                  [a b c]
    dict            map[string]interface {}   map[a:1 b:2], keys sorted
    Ordered         a struct                  {a b}
    Struct          a row: a pointer to a struct with methods
    None            nil                       <no value>, or <nil> inside a map or list

`Struct` is a row with fixed fields: asking it for one that it does not have is an error, while a plain dict (decoded
JSON) answers `<no value>` or, where Docker wants it so, `map has no entry for key`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imagelab.errors import TemplateError


class Struct(Mapping[str, Callable[..., Any]]):
    """The methods of a Go struct, by name; `go_type` is what an error calls it. Arguments, if any, are strings."""

    def __init__(self, go_type: str, fields: Mapping[str, Callable[..., Any]]) -> None:
        self.go_type = go_type
        self._fields = fields

    def __getitem__(self, key: str) -> Callable[..., Any]:
        return self._fields[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class Ordered(dict[str, Any]):
    """A struct that arrived as JSON: it keeps the order of its fields, and prints as `{a b}`."""


class Strings(list[str]):
    """A list that holds strings and nothing else, as `split` makes it."""


class Byte(int):
    """What indexing a string gives."""


class GoError(Exception):
    """What a built-in function refuses; the template adds where."""


def type_name(value: Any) -> str:
    """`%T`."""
    match value:
        case None:
            return "<nil>"
        case Struct():
            return value.go_type
        case Ordered():
            return "struct {}"
        case bool():
            return "bool"
        case Byte():
            return "uint8"
        case int():
            return "int"
        case float():
            return "float64"
        case complex():
            return "complex128"
        case str():
            return "string"
        case Strings():
            return "[]string"
        case list() | tuple():
            return "[]interface {}"
        case Mapping():
            return "map[string]interface {}"
    return "func()" if callable(value) else type(value).__name__


def is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def is_map(value: Any) -> bool:
    """A map, whose keys are data; not a struct."""
    return isinstance(value, Mapping) and not isinstance(value, Struct | Ordered)


def takes(method: Any) -> int:
    """How many arguments a method of a row takes."""
    code = getattr(method, "__code__", None)
    return code.co_argcount - hasattr(method, "__self__") if code else 0


def truth(value: Any) -> bool:
    """Go's idea of true: not false, 0, nil, nor empty. A struct is always true."""
    return True if isinstance(value, Struct | Ordered) else bool(value)


def sorted_keys(value: Mapping[str, Any]) -> list[str]:
    """The order in which Go prints and ranges over a map."""
    return sorted(value, key=lambda key: str(key).encode("utf-8", "surrogatepass"))


def quote(text: str) -> str:
    """strconv.Quote."""
    return f'"{"".join(quoted_char(char, delimiter=chr(34)) for char in text)}"'


_NAMED = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v", "\\": "\\"}


def quoted_char(char: str, *, delimiter: str, ascii_only: bool = False) -> str:
    """One character inside quotes."""
    if char == delimiter or char in _NAMED:
        return "\\" + _NAMED.get(char, char)
    code = ord(char)
    if 0x20 <= code < 0x7F or code > 0x7F and not ascii_only and char.isprintable():
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# -- JSON ---------------------------------------------------------------------------------------------------


def go_json(value: Any, *, escape_html: bool = True) -> str:
    r"""encoding/json: no whitespace, map keys sorted, `<`, `>` and `&` escaped unless told not to.

    >>> print(go_json({"Tag": "<none>", "ID": 1}), go_json("<none>", escape_html=False))
    {"ID":1,"Tag":"\u003cnone\u003e"} "<none>"
    """
    match value:
        case Struct():  # a row marshals itself, and escapes
            return _json_object({key: value[key]() for key in sorted(value) if not takes(value[key])}, escape_html=True)
        case Ordered():
            return _json_object(value, escape_html=escape_html)
        case Mapping():
            return _json_object({str(key): value[key] for key in sorted_keys(value)}, escape_html=escape_html)
        case list() | tuple():
            return f"[{','.join(go_json(item, escape_html=escape_html) for item in value)}]"
        case float():
            return _json_float(value)
        case complex():
            raise GoError("json: unsupported type: complex128")
        case Byte():
            return str(int(value))
    return _json_text(value, escape_html=escape_html)


def _json_object(value: Mapping[str, Any], *, escape_html: bool) -> str:
    members = (
        f"{_json_text(key, escape_html=escape_html)}:{go_json(item, escape_html=escape_html)}"
        for key, item in value.items()
    )
    return f"{{{','.join(members)}}}"


def _json_text(value: Any, *, escape_html: bool) -> str:
    text = json.dumps(value, ensure_ascii=False)
    for char in "<>&\u2028\u2029" if escape_html else "\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _json_float(value: float) -> str:
    """Digits as JavaScript writes them: an exponent below 1e-6 and from 1e21 on."""
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    digits = repr(value)
    if "e" not in digits:
        return digits
    if 1e-6 <= abs(value) < 1e21:
        return f"{value:.20f}".rstrip("0")
    mantissa, _, exponent = digits.partition("e")
    sign, number = exponent[0], exponent[1:].lstrip("0")
    return f"{mantissa.removesuffix('.0')}e{sign}{number}"


def refuse(message: str) -> TemplateError:
    """A TemplateError as Docker prefixes it (R4.7)."""
    return TemplateError(f"template parsing error: {message}", hint="--format json shows which fields there are")
