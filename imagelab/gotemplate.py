"""The Go templates behind `--format`, as far as Docker's users write them.

    {{.Repository}}:{{.Tag}}                      fields of the row
    {{json .Labels}}  {{.ID | printf "%.5s"}}     functions and pipelines
    {{if .Tag}}…{{else if …}}{{else}}…{{end}}     and with, range (list, map, number), break, continue
    {{range $i, $x := .RepoTags}}…{{end}}         variables
    {{define "row"}}…{{end}}{{template "row" .}}  templates inside templates
    {{- … -}}                                     trims white space;   {{/* a comment */}}

Text becomes nodes, nodes are executed on a value. Errors carry Go's own words and positions, since a learner will
search for them: `template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type *formatter.imageContext`.

>>> Template.parse("{{range .}}<{{.}}>{{else}}none{{end}}").execute(["a", "b"])
'<a><b>'
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from imagelab.goparse import DEEPEST, Branch, Call, Include, Jump, Parser, Path, Pipe, Text, Value
from imagelab.govalues import (
    GoError,
    Struct,
    equal,
    go_json,
    index,
    js_escape,
    length,
    less,
    printf,
    quote,
    refuse,
    show,
    slice_of,
    truth,
    type_name,
)

Functions = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Template:
    """A parsed template. `execute(data)` gives its text; both raise TemplateError with Go's words."""

    source: str
    body: tuple[Any, ...]
    named: Mapping[str, tuple[Any, ...]]
    functions: Functions

    @classmethod
    def parse(cls, text: str, functions: Functions | None = None) -> Template:
        known = {**BUILTINS, **(DOCKER_FUNCTIONS if functions is None else functions)}
        body, named = Parser(text, known).parse()
        return cls(text, body, named, known)

    def execute(self, data: Any, *, missing_is_error: bool = False) -> str:
        """The text for one value. `missing_is_error`: a key that a map lacks is refused (`docker inspect`)."""
        return _Run(self, missing_is_error=missing_is_error).all(data)


# -- executing ----------------------------------------------------------------------------------------------


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


@dataclass
class _Run:
    """One execution: variables as a stack, and how deep we are."""

    template: Template
    missing_is_error: bool
    out: list[str] = field(default_factory=list)
    variables: list[tuple[str, Any]] = field(default_factory=list)
    depth: int = 0

    def all(self, data: Any) -> str:
        self.variables.append(("$", data))
        self._walk(self.template.body, data)
        return "".join(self.out)

    def _refuse(self, at: int, context: str, message: str) -> Exception:
        before = self.template.source[:at]
        column = at - (before.rfind("\n") + 1)
        shown = context if len(context) <= 20 else f"{context[:20]}..."
        return refuse(f'template: :{1 + before.count(chr(10))}:{column}: executing "" at <{shown}>: {message}')

    def _walk(self, nodes: tuple[Any, ...], dot: Any) -> None:
        kept = len(self.variables)
        for node in nodes:
            match node:
                case Text(text):
                    self.out.append(text)
                case Pipe():
                    value = self._value(node, dot)
                    if not node.names:
                        self.out.append(show(value))
                case Branch():
                    self._branch(node, dot)
                case Include(name, pipe, at):
                    self._include(name, pipe, at, dot)
                case Jump(word):
                    raise _Break if word == "break" else _Continue
        del self.variables[kept:]

    def _branch(self, node: Branch, dot: Any) -> None:
        kept = len(self.variables)
        if node.word == "range":
            self._range(node, dot)
        else:
            value = self._value(node.pipe, dot)
            chosen = node.body if truth(value) else node.otherwise
            self._walk(chosen, value if node.word == "with" and chosen is node.body else dot)
        del self.variables[kept:]

    def _range(self, node: Branch, dot: Any) -> None:
        value = self._value(Pipe(node.pipe.commands, at=node.pipe.at), dot)
        pairs = self._pairs(value, node.pipe)
        if not pairs:
            self._walk(node.otherwise, dot)
            return
        kept = len(self.variables)
        for key, item in pairs:
            if node.pipe.names:
                self._declare(node.pipe, [item] if len(node.pipe.names) == 1 else [key, item])
            try:
                self._walk(node.body, item)
            except _Continue:
                pass
            except _Break:
                break
            finally:
                del self.variables[kept:]

    def _pairs(self, value: Any, pipe: Pipe) -> list[tuple[Any, Any]]:
        match value:
            case None:
                return []
            case list() | tuple():
                return list(enumerate(value))
            case Mapping() if not isinstance(value, Struct):
                return [(key, value[key]) for key in sorted(value)]
            case int() if not isinstance(value, bool):
                return [(n, n) for n in range(value)]
        raise self._refuse(pipe.at, self._source_of(pipe), f"range can't iterate over {show(value)}")

    def _include(self, name: str, pipe: Pipe | None, at: int, dot: Any) -> None:
        body = self.template.named.get(name)
        if body is None:
            raise self._refuse(at, f"{{{{template {quote(name)}}}}}", f"template {quote(name)} not defined")
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._refuse(at, f"{{{{template {quote(name)}}}}}", f"exceeded maximum template depth ({DEEPEST})")
        data = self._value(pipe, dot) if pipe else None
        variables, self.variables = self.variables, [("$", data)]
        self._walk(body, data)
        self.variables = variables
        self.depth -= 1

    def _declare(self, pipe: Pipe, values: list[Any]) -> None:
        for name, value in zip(pipe.names, values, strict=True):
            if pipe.declares:
                self.variables.append((name, value))
                continue
            at = max(n for n, (known, _) in enumerate(self.variables) if known == name)
            self.variables[at] = name, value

    # -- values ---------------------------------------------------------------------------------------------

    def _value(self, pipe: Pipe, dot: Any) -> Any:
        piped: tuple[Any, ...] = ()
        for command in pipe.commands:
            piped = (self._command(command, dot, piped),)
        if pipe.names:
            self._declare(pipe, [piped[0]])
        return piped[0]

    def _command(self, command: tuple[Any, ...], dot: Any, piped: tuple[Any, ...]) -> Any:
        first, rest = command[0], command[1:]
        if isinstance(first, Call):
            return self._call(first, rest, dot, piped)
        if isinstance(first, Path) and first.fields:
            return self._path(first, dot, [*(self._operand(item, dot) for item in rest), *piped])
        if rest or piped:
            source = first.source if isinstance(first, Path | Value) else "(pipeline)"
            raise self._refuse(_at(first), source, f"can't give argument to non-function {source}")
        return self._operand(first, dot)

    def _operand(self, node: Any, dot: Any) -> Any:
        match node:
            case Value():
                return node.value
            case Path():
                return self._path(node, dot, [])
            case Call():
                return self._call(node, (), dot, ())
        return self._value(node, dot)

    def _call(self, node: Call, rest: tuple[Any, ...], dot: Any, piped: tuple[Any, ...]) -> Any:
        if node.name in ("and", "or"):
            return self._lazy(node, rest, dot, piped)
        arguments = [*(self._operand(item, dot) for item in rest), *piped]
        try:
            return self.template.functions[node.name](*arguments)
        except GoError as error:
            raise self._refuse(node.at, self._call_source(node, rest), f"error calling {node.name}: {error}") from None
        except TypeError:
            raise self._refuse(
                node.at, node.name, f"wrong number of args for {node.name}: got {len(arguments)}"
            ) from None
        except (ValueError, AttributeError, OverflowError):
            raise self._refuse(
                node.at,
                node.name,
                f"wrong type for value; expected string; got {type_name(arguments[0] if arguments else None)}",
            ) from None

    def _lazy(self, node: Call, rest: tuple[Any, ...], dot: Any, piped: tuple[Any, ...]) -> Any:
        """`and` and `or` stop at the first operand that decides."""
        value: Any = None
        for item in (*rest, *(Value(one, "", node.at) for one in piped)):
            value = self._operand(item, dot)
            if truth(value) is (node.name == "or"):
                return value
        if not rest and not piped:
            raise self._refuse(node.at, node.name, f"wrong number of args for {node.name}: want at least 1 got 0")
        return value

    def _path(self, node: Path, dot: Any, arguments: list[Any]) -> Any:
        if isinstance(node.base, Pipe):
            value = self._value(node.base, dot)
        elif node.base == ".":
            value = dot
        else:
            value = next(found for name, found in reversed(self.variables) if name == node.base)
        for at, name in enumerate(node.fields):
            last = at == len(node.fields) - 1
            value = self._field(node, value, name, arguments if last else [])
        return value

    def _field(self, node: Path, value: Any, name: str, arguments: list[Any]) -> Any:
        match value:
            case Struct() if name in value:
                found = value[name]
                if callable(found):
                    return self._method(node, name, found, arguments)
            case Mapping() if not isinstance(value, Struct):
                if name not in value and self.missing_is_error:
                    raise self._refuse(node.at, node.source, f'map has no entry for key "{name}"')
                found = value.get(name)
            case None:
                raise self._refuse(node.at, node.source, f"nil data; no entry for key {quote(name)}")
            case _:
                raise self._refuse(node.at, node.source, f"can't evaluate field {name} in type {type_name(value)}")
        if arguments:
            raise self._refuse(node.at, node.source, f"{name} has arguments but cannot be invoked as function")
        return found

    def _method(self, node: Path, name: str, function: Callable[..., Any], arguments: list[Any]) -> Any:
        try:
            return function(*arguments)
        except TypeError:
            raise self._refuse(node.at, node.source, f"wrong number of args for {name}: got {len(arguments)}") from None

    def _source_of(self, pipe: Pipe) -> str:
        first = pipe.commands[0][0]
        return first.source if isinstance(first, Path | Value) else getattr(first, "name", "pipeline")

    def _call_source(self, node: Call, rest: tuple[Any, ...]) -> str:
        parts = [
            item.source if isinstance(item, Path | Value) else getattr(item, "name", "(pipeline)") for item in rest
        ]
        return " ".join([node.name, *parts])


def _at(node: Any) -> int:
    return int(node.at)


# -- functions ----------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _join(items: Any, separator: str) -> str:
    if not isinstance(items, list | tuple):
        raise ValueError(items)
    return _text(separator).join(map(show, items))


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else text


def _print(*values: Any) -> str:
    """fmt.Sprint: a space between two values of which neither is a string."""
    out = ""
    for at, value in enumerate(values):
        gap = at and not isinstance(value, str) and not isinstance(values[at - 1], str)
        out += (" " if gap else "") + show(value, inside=True)
    return out


def _println(*values: Any) -> str:
    return " ".join(show(value, inside=True) for value in values) + "\n"


BUILTINS: Functions = {
    "and": lambda *v: None,
    "or": lambda *v: None,
    "not": lambda value: not truth(value),
    "len": length,
    "index": index,
    "slice": slice_of,
    "print": _print,
    "println": _println,
    "printf": lambda f, *v: printf(_text(f), *v),
    "html": lambda *v: html.escape(_print(*v)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    "js": lambda *v: js_escape(_print(*v)),
    "urlquery": lambda *v: quote_plus(_print(*v)),
    "call": lambda function, *v: function(*v),
    "eq": equal,
    "ne": lambda a, b: not equal(a, b),
    "lt": less,
    "le": lambda a, b: less(a, b) or equal(a, b),
    "gt": lambda a, b: not (less(a, b) or equal(a, b)),
    "ge": lambda a, b: not less(a, b),
}

DOCKER_FUNCTIONS: Functions = {
    "json": lambda value: go_json(value, escape_html=isinstance(value, Struct)),  # a row marshals itself
    "split": lambda text, by: _text(text).split(by) if by else list(text),
    "join": _join,
    "title": lambda text: re.sub(r"(^|\s)(\w)", lambda m: m[1] + m[2].upper(), _text(text)),
    "lower": lambda text: _text(text).lower(),
    "upper": lambda text: _text(text).upper(),
    "pad": _pad,
    "truncate": lambda text, count: _text(text).encode()[:count].decode("utf-8", "ignore"),
}

HEADER_FUNCTIONS: Functions = {
    **DOCKER_FUNCTIONS,
    **{name: (lambda value, *_: value) for name in ("json", "split", "join", "title", "lower", "upper", "truncate")},
}
"""In a table's header the functions leave the column's name alone (R4.4)."""
