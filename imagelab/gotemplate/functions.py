"""The functions a template may call: Go's own, and those Docker adds (R4.5).

Each says what it takes, since Go checks that before it calls: `any` is anything at all, and a variadic function takes
any number of its last kind. Docker's own: `json split join title lower upper pad truncate`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from imagelab.gotemplate.printf import sprint, sprintf, sprintln
from imagelab.gotemplate.values import (
    Byte,
    GoError,
    Ordered,
    Strings,
    Struct,
    go_json,
    is_list,
    is_map,
    truth,
    type_name,
)


@dataclass(frozen=True, slots=True)
class TemplateFunction:
    """`takes` are Go types; `more` is the type of any further arguments, "" when there may be none."""

    run: Callable[..., Any]
    takes: tuple[str, ...] = ()
    more: str = ""


Functions = Mapping[str, TemplateFunction]
ANY = "interface {}"
VALUE = "reflect.Value"
"""An argument that may be nil as well."""

# -- comparing ----------------------------------------------------------------------------------------------


def _kind(value: Any) -> str:
    """The basic kinds; "" for everything else."""
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case complex():
            return "complex"
        case str():
            return "string"
    return ""


def equal(first: Any, *others: Any) -> bool:
    """`eq`: the first equals any of the others."""
    if not others:
        raise GoError("missing argument for comparison")
    return any(_same(first, value) for value in others)


def _same(first: Any, other: Any) -> bool:
    kinds = _kind(first), _kind(other)
    if first is None or other is None:
        return first is other
    if kinds[0] != kinds[1]:
        raise GoError("incompatible types for comparison")
    if kinds[0]:
        return bool(first == other)
    shapes = [_shape(value) for value in (first, other)]
    if shapes[0] != shapes[1]:
        shown = sprintf("non-comparable types %s: %v, %s: %v", first, type_name(first), type_name(other), other)
        raise GoError(shown)
    if is_list(other) or is_map(other):
        raise GoError(sprintf("non-comparable type %s: %v", other, type_name(other)))
    return bool(first is other or first == other)


def _shape(value: Any) -> str:
    return (
        "list" if is_list(value) else "map" if is_map(value) else "struct" if isinstance(value, Ordered) else "pointer"
    )


def less(first: Any, second: Any) -> bool:
    """`lt`."""
    kinds = _kind(first), _kind(second)
    if not all(kinds):
        raise GoError("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise GoError("incompatible types for comparison")
    if kinds[0] in ("bool", "complex"):
        raise GoError("invalid type for comparison")
    return bool(first < second)


def _at_most(first: Any, second: Any) -> bool:
    return less(first, second) or equal(first, second)


# -- measuring and taking apart -----------------------------------------------------------------------------


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def length(value: Any) -> int:
    """`len`: bytes of a string, entries of a list or map."""
    match value:
        case str():
            return len(_bytes(value))
        case None:
            raise GoError("len of nil pointer")
    if is_list(value) or is_map(value):
        return len(value)
    raise GoError(f"len of type {type_name(value)}")


def _position(key: Any, limit: int) -> int:
    if key is None:
        raise GoError("cannot index slice/array with nil")
    if _kind(key) != "int":
        raise GoError(f"cannot index slice/array with type {type_name(key)}")
    if not 0 <= key <= limit:
        raise GoError(f"index out of range: {key}")
    return int(key)


def index(value: Any, *keys: Any) -> Any:
    """`index x 1 "k"`: into lists and maps, one step a key."""
    if value is None:
        raise GoError("index of untyped nil")
    for key in keys:
        if value is None:
            raise GoError("index of nil pointer")
        if isinstance(value, str) or is_list(value):
            items = _bytes(value) if isinstance(value, str) else value
            position = _position(key, len(items))
            if position == len(items):
                kind = "string" if isinstance(value, str) else "slice"
                raise GoError(f"reflect: {kind} index out of range")
            value = Byte(items[position]) if isinstance(value, str) else items[position]
        elif is_map(value):
            if key is None:
                raise GoError("value is nil; should be of type string")
            if not isinstance(key, str):
                raise GoError(f"value has type {type_name(key)}; should be string")
            value = value.get(key)
        else:
            raise GoError(f"can't index item of type {type_name(value)}")
    return value


def slice_of(value: Any, *bounds: Any) -> Any:
    """`slice x 1 3`: part of a string (bytes) or list."""
    if value is None:
        raise GoError("slice of untyped nil")
    if len(bounds) > 3:
        raise GoError(f"too many slice indexes: {len(bounds)}")
    if isinstance(value, str) and len(bounds) == 3:
        raise GoError("cannot 3-index slice a string")
    if not isinstance(value, str) and not is_list(value):
        raise GoError(f"can't slice item of type {type_name(value)}")
    whole = _bytes(value) if isinstance(value, str) else value
    positions = [_position(bound, len(whole)) for bound in bounds]
    low, high, most = [*positions, *[0, len(whole), len(whole)][len(positions) :]]
    for first, second in ((low, high), (high, most)):
        if first > second:
            raise GoError(f"invalid slice index: {first} > {second}")
    part = whole[low:high]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else type(value)(part)


# -- text ---------------------------------------------------------------------------------------------------


def _printed(values: tuple[Any, ...]) -> str:
    """What html, js and urlquery work on."""
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return sprint(*("<no value>" if value is None else value for value in values))


_HTML = str.maketrans({"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _js(text: str) -> str:
    """Quotes and backslashes behind one; markup and what does not print as `\\u00XX`."""
    marked = {"\\": "\\\\", "'": "\\'", '"': '\\"'}

    def hidden(char: str) -> bool:
        return char in "<>&=" or char < " " or char > "\x7f" and not char.isprintable()

    return "".join(marked.get(char) or (f"\\u{ord(char):04X}" if hidden(char) else char) for char in text)


def _split(text: str, separator: str) -> Strings:
    return Strings(text.split(separator) if separator else text)


def _join(items: Any, separator: str) -> str:
    return separator.join(items or ())


def _upper(text: str) -> str:
    """Letter by letter: what would become two letters stays."""
    return "".join(char.upper() if len(char.upper()) == 1 else char for char in text)


def _lower(text: str) -> str:
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def _title(text: str) -> str:
    """Upper case for every letter that begins a word; marks and signs end one, `_` does not."""
    return re.sub(r"(?<!\w)\w", lambda match: match[0].title() if len(match[0].title()) == 1 else match[0], text)


def _pad(text: str, before: int, after: int) -> str:
    if text and min(before, after) < 0:
        raise GoError("strings: negative Repeat count")
    return " " * before + text + " " * after if text else text


def _truncate(text: str, count: int) -> str:
    data = _bytes(text)
    if len(data) < count:
        return text
    if count < 0:
        raise GoError(f"runtime error: slice bounds out of range [:{count}]")
    return data[:count].decode("utf-8", "replace")


def _call(function: Any, *_: Any) -> Any:
    """There are no functions among a row's values: nothing can be called."""
    if function is None:
        raise GoError("call of nil")
    raise GoError(f"non-function of type {type_name(function)}")


BUILTINS: Functions = {
    "and": TemplateFunction(truth, (VALUE,), VALUE),  # evaluated by the template itself, as far as needed
    "or": TemplateFunction(truth, (VALUE,), VALUE),
    "not": TemplateFunction(lambda value: not truth(value), (VALUE,)),
    "len": TemplateFunction(length, (VALUE,)),
    "index": TemplateFunction(index, (VALUE,), VALUE),
    "slice": TemplateFunction(slice_of, (VALUE,), VALUE),
    "call": TemplateFunction(_call, (VALUE,), VALUE),
    "print": TemplateFunction(sprint, (), ANY),
    "println": TemplateFunction(sprintln, (), ANY),
    "printf": TemplateFunction(sprintf, ("string",), ANY),
    "html": TemplateFunction(lambda *values: _printed(values).translate(_HTML), (), ANY),
    "js": TemplateFunction(lambda *values: _js(_printed(values)), (), ANY),
    "urlquery": TemplateFunction(lambda *values: quote_plus(_printed(values), errors="replace"), (), ANY),
    "eq": TemplateFunction(equal, (VALUE,), VALUE),
    "ne": TemplateFunction(lambda first, second: not equal(first, second), (VALUE, VALUE)),
    "lt": TemplateFunction(less, (VALUE, VALUE)),
    "le": TemplateFunction(_at_most, (VALUE, VALUE)),
    "gt": TemplateFunction(lambda first, second: not _at_most(first, second), (VALUE, VALUE)),
    "ge": TemplateFunction(lambda first, second: not less(first, second), (VALUE, VALUE)),
}

DOCKER_FUNCTIONS: Functions = {
    "json": TemplateFunction(lambda value: go_json(value, escape_html=isinstance(value, Struct)), (ANY,)),
    "split": TemplateFunction(_split, ("string", "string")),
    "join": TemplateFunction(_join, ("[]string", "string")),
    "title": TemplateFunction(_title, ("string",)),
    "lower": TemplateFunction(_lower, ("string",)),
    "upper": TemplateFunction(_upper, ("string",)),
    "pad": TemplateFunction(_pad, ("string", "int", "int")),
    "truncate": TemplateFunction(_truncate, ("string", "int")),
}


def _itself(name: str, *_: Any) -> str:
    return name


HEADER_FUNCTIONS: Functions = {
    **DOCKER_FUNCTIONS,
    **{name: TemplateFunction(_itself, ("string",)) for name in ("json", "title", "lower", "upper")},
    **{name: TemplateFunction(_itself, ("string", "string")) for name in ("split", "join")},
    "truncate": TemplateFunction(_itself, ("string", "int")),
}
"""In a table's header the functions leave the column's name alone; only `pad` still works (R4.4)."""
