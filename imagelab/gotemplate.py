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
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagelab.govalues import (
    GoError,
    Struct,
    equal,
    go_json,
    index,
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

DEEPEST = 60
"""Nesting of parentheses, blocks and templates that is followed."""

Functions = Mapping[str, Callable[..., Any]]

# -- what a template is made of -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Value:
    """A constant."""

    value: Any
    source: str
    at: int


@dataclass(frozen=True)
class Path:
    """`.A.B`, `$x.A` or `(…).A`: fields of the row, a variable, or a pipeline's value."""

    base: str | Pipe
    fields: tuple[str, ...]
    source: str
    at: int


@dataclass(frozen=True)
class Call:
    """A function and its arguments."""

    name: str
    at: int


@dataclass(frozen=True)
class Pipe:
    commands: tuple[tuple[Any, ...], ...]
    names: tuple[str, ...] = ()
    declares: bool = True
    at: int = 0


@dataclass(frozen=True)
class Branch:
    """if, with or range."""

    word: str
    pipe: Pipe
    body: tuple[Any, ...]
    otherwise: tuple[Any, ...]


@dataclass(frozen=True)
class Include:
    name: str
    pipe: Pipe | None
    at: int


@dataclass(frozen=True)
class Jump:
    word: str


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
        return _Parser(text, known).template()

    def execute(self, data: Any, *, missing_is_error: bool = False) -> str:
        """The text for one value. `missing_is_error`: a key that a map lacks is refused (`docker inspect`)."""
        return _Run(self, missing_is_error=missing_is_error).all(data)


# -- parsing ------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<raw>`[^`]*`)|(?P<char>'(?:\\.|[^'\\\n])+')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+))(?![A-Za-z_])
    |(?P<variable>\$\w*)|(?P<field>\.[^\W\d]\w*)|(?P<word>[^\W\d]\w*)|(?P<dot>\.)|(?P<symbol>:=|[|()=,])""",
    re.VERBOSE,
)
_KEYWORDS = {"if", "else", "end", "range", "with", "define", "block", "template", "break", "continue"}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int
    spaced: bool = False


class _Parser:
    def __init__(self, text: str, functions: Functions) -> None:
        self._source, self._functions = text, functions
        self._named: dict[str, tuple[Any, ...]] = {}
        self._variables = ["$"]
        self._depth = 0
        self._loops = 0
        self._items = self._lex()
        self._tokens: list[_Token] = []

    def template(self) -> Template:
        body, ended = self._block(())
        if ended:
            raise self._refuse(f"unexpected {{{{{ended}}}}}")
        return Template(self._source, body, self._named, self._functions)

    def _refuse(self, message: str, at: int | None = None) -> Exception:
        where = self._source[: self._at if at is None else at]
        return refuse(f"template: :{1 + where.count(chr(10))}: {message}")

    # -- actions and text -----------------------------------------------------------------------------------

    def _lex(self) -> Iterator[str | list[_Token]]:
        """Text, and the tokens of each action."""
        source, self._at = self._source, 0
        trim = False
        while self._at < len(source):
            begin = source.find("{{", self._at)
            text = source[self._at : begin if begin >= 0 else None]
            text = text.lstrip(" \t\r\n") if trim else text
            left = begin >= 0 and re.match(r"\{\{-\s", source[begin:]) is not None
            yield text.rstrip(" \t\r\n") if left else text
            if begin < 0:
                return
            self._at = begin + (4 if left else 2)
            comment = re.compile(r"/\*").match(source, self._at)
            if comment:
                trim = self._skip_comment()
                continue
            tokens, trim = self._action()
            yield tokens

    def _skip_comment(self) -> bool:
        end = self._source.find("*/", self._at)
        if end < 0:
            raise self._refuse("unclosed comment")
        close = re.compile(r"(\s-)?\}\}").match(self._source, end + 2)
        if not close:
            raise self._refuse("comment ends before closing delimiter")
        self._at = close.end()
        return bool(close[1])

    def _action(self) -> tuple[list[_Token], bool]:
        tokens: list[_Token] = []
        spaced, parens, source = False, 0, self._source
        while True:
            close = re.compile(r"(\s-)?\}\}").match(source, self._at)
            if close:
                if parens:
                    raise self._refuse("unclosed left paren")
                self._at = close.end()
                return tokens, bool(close[1])
            if self._at >= len(source):
                raise self._refuse("unclosed action")
            match = _TOKEN.match(source, self._at)
            if match is None:
                raise self._bad_character()
            kind = str(match.lastgroup)
            if kind != "space":
                parens += (match[0] == "(") - (match[0] == ")")
                if parens < 0:
                    raise self._refuse("unexpected right paren")
                tokens.append(_Token(kind, match[0], self._at, spaced))
            spaced = kind == "space"
            self._at = match.end()

    def _bad_character(self) -> Exception:
        char = self._source[self._at]
        if char == '"':
            return self._refuse("unterminated quoted string")
        if char == "`":
            return self._refuse("unterminated raw quoted string")
        if char == "'":
            return self._refuse("unterminated character constant")
        if char in "{}!" or char.isprintable() and char.isascii() and not char.isalnum():
            self._at += 1
            return self._refuse(f"unexpected {quote(char)} in command")
        if char.isdigit() or char in "+-":
            return self._refuse(f"bad number syntax: {quote(self._source[self._at : self._at + 2])}")
        return self._refuse(f"unrecognized character in action: U+{ord(char):04X} '{char}'")

    def _block(self, ends: Sequence[str]) -> tuple[tuple[Any, ...], str]:
        """Nodes up to one of the closing words; which one it was ("" at the end of the text)."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._refuse("max template nesting exceeded")
        kept, nodes = len(self._variables), []
        for item in self._items:
            if isinstance(item, str):
                nodes.append(Text(item))
                continue
            self._tokens = item
            word = item[0].text if item and item[0].kind == "word" and item[0].text in _KEYWORDS else ""
            if word in ("end", "else"):
                self._next()
                if not ends:
                    return tuple(nodes), word
                self._depth -= 1
                del self._variables[kept:]
                return tuple(nodes), word
            node = self._keyword(word) if word else self._pipe("command")
            if node is not None:
                nodes.append(node)
        if ends:
            raise self._refuse("unexpected EOF")
        return tuple(nodes), ""

    def _keyword(self, word: str) -> Any:
        token = self._next()
        match word:
            case "if" | "with" | "range":
                return self._branch(word)
            case "define" | "block":
                return self._define(word, token)
            case "template":
                name = self._string("template clause")
                return Include(name, self._pipe("template clause") if self._tokens else None, token.at)
        if not self._loops:
            raise self._refuse(f"{{{{{word}}}}} outside {{{{range}}}}")
        return Jump(word)

    def _branch(self, word: str) -> Branch:
        kept = len(self._variables)
        pipe = self._pipe(word, loop=word == "range")
        self._loops += word == "range"
        body, ended = self._block(("end", "else"))
        self._loops -= word == "range"
        otherwise: tuple[Any, ...] = ()
        if ended == "else":
            following = self._tokens[0].text if self._tokens else ""
            if following in ("if", "with") and following == word:
                self._next()
                otherwise = (self._branch(word),)
            else:
                otherwise, ended = self._block(("end", "else"))
                if ended == "else":
                    raise self._refuse("expected end; found {{else}}")
        del self._variables[kept:]
        return Branch(word, pipe, body, otherwise)

    def _define(self, word: str, token: _Token) -> Any:
        name = self._string(f"{word} clause")
        pipe = self._pipe("block clause") if word == "block" else None
        variables, self._variables = self._variables, ["$"]
        body, _ = self._block(("end",))
        self._variables = variables
        self._named[name] = body
        return Include(name, pipe, token.at) if word == "block" else None

    # -- pipelines ------------------------------------------------------------------------------------------

    def _peek(self) -> _Token | None:
        return self._tokens[0] if self._tokens else None

    def _next(self) -> _Token:
        return self._tokens.pop(0)

    def _string(self, context: str) -> str:
        token = self._next() if self._tokens else None
        if token is None or token.kind not in ("string", "raw"):
            raise self._refuse(f"unexpected {_shown(token)} in {context}")
        return str(_constant(token.kind, token.text))

    def _pipe(self, context: str, *, loop: bool = False, close: bool = False) -> Pipe:
        """Commands joined by `|`, up to the end of the action (or the parenthesis)."""
        at = self._tokens[0].at if self._tokens else self._at
        names, declares = self._declaration(loop=loop)
        commands: list[tuple[Any, ...]] = []
        while True:
            token = self._peek()
            if token is None or (close and token.text == ")"):
                break
            commands.append(self._command(context))
            token = self._peek()
            if token is not None and token.text == "|":
                self._next()
                if self._peek() is None:
                    raise self._refuse(f"missing value for {context}")
        if not commands:
            raise self._refuse(f"missing value for {context}")
        for command in commands[1:]:
            if isinstance(command[0], Value):
                raise self._refuse(f"non executable command in pipeline stage {commands.index(command) + 1}")
        self._variables += names if declares else ()
        return Pipe(tuple(commands), names, declares, at)

    def _declaration(self, *, loop: bool) -> tuple[tuple[str, ...], bool]:
        """`$x := `, `$x = `, and in a range `$i, $x := `."""
        tokens = self._tokens
        for count in (2, 1):
            need = 2 * count
            if len(tokens) < need or any(tokens[2 * n].kind != "variable" for n in range(count)):
                continue
            if tokens[need - 1].text in (":=", "=") and (count == 1 or loop and tokens[1].text == ","):
                names = tuple(tokens[2 * n].text for n in range(count))
                declares = tokens[need - 1].text == ":="
                del tokens[:need]
                return names, declares
        return (), True

    def _command(self, context: str) -> tuple[Any, ...]:
        operands: list[Any] = []
        while (token := self._peek()) is not None and token.text not in ("|", ")"):
            if operands and not token.spaced and token.kind != "symbol":
                raise self._refuse(f"unexpected {_shown(token)} in operand")
            operands.append(self._operand(context))
        if not operands:
            raise self._refuse("empty command" if token is None else f"missing value for {context}")
        return tuple(operands)

    def _operand(self, context: str) -> Any:
        token = self._next()
        match token.kind:
            case "word" if token.text in ("true", "false", "nil"):
                return Value({"true": True, "false": False, "nil": None}[token.text], token.text, token.at)
            case "word":
                if token.text not in self._functions:
                    raise self._refuse(f'function "{token.text}" not defined')
                return Call(token.text, token.at)
            case "variable":
                if token.text not in self._variables:
                    raise self._refuse(f'undefined variable "{token.text}"')
                return self._fields(token.text, token, ())
            case "dot":
                return self._fields(".", token, ())
            case "field":
                return self._fields("", token, (token.text[1:],))
            case "string" | "raw" | "char" | "number":
                return Value(_constant(token.kind, token.text), token.text, token.at)
        if token.text != "(":
            raise self._refuse(
                f"unexpected {_shown(token)} in {'operand' if token.text in (':=', '=', ',') else context}"
            )
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._refuse("max expression depth exceeded")
        inner = self._pipe("parenthesized pipeline", close=True)
        self._next()
        self._depth -= 1
        return self._fields(inner, token, ())

    def _fields(self, base: str | Pipe, token: _Token, fields: tuple[str, ...]) -> Any:
        at, source = token.at, token.text
        while (following := self._peek()) is not None and following.kind == "field" and not following.spaced:
            if base == ".":
                raise self._refuse(f"unexpected {_shown(following)} after term {quote('.')}")
            self._next()
            fields += (following.text[1:],)
            at, source = following.at, source + following.text
        if isinstance(base, Pipe) and not fields:
            return base
        return Path(base or ".", fields, source if not isinstance(base, Pipe) else source.removeprefix("("), at)


def _shown(token: _Token | None) -> str:
    if token is None:
        return '"}}"'
    kinds = {"variable": "", "word": "", "symbol": "", "dot": "", "field": ""}
    prefix = (
        "{{" + token.text + "}}" if token.text in _KEYWORDS else f"<{token.text}>" if token.text in _KEYWORDS else ""
    )
    return prefix or (quote(token.text) if token.kind in kinds or token.kind == "number" else quote(token.text))


def _constant(kind: str, text: str) -> Any:
    match kind:
        case "raw":
            return text[1:-1]
        case "string" | "char":
            plain = re.sub(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3}|.)", _unescaped, text[1:-1])
            return plain if kind == "string" else ord(plain[0])
    plain = text.replace("_", "")
    if re.fullmatch(r"[+-]?\d+", plain):
        return int(plain)
    return int(plain, 16) if "x" in plain.lower() else float(plain)


def _unescaped(match: re.Match[str]) -> str:
    text = match[1]
    if text[0] in "xu" and len(text) > 1:
        return chr(int(text[1:], 16))
    if text.isdigit():
        return chr(int(text, 8))
    return {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}.get(text, text)


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
        for get in [
            *((lambda item=item: self._operand(item, dot)) for item in rest),
            *((lambda v=v: v) for v in piped),
        ]:
            value = get()
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
    "js": lambda *v: go_json(_print(*v))[1:-1],
    "urlquery": lambda *v: urllib.parse.quote_plus(_print(*v)),
    "call": lambda function, *v: function(*v),
    "eq": equal,
    "ne": lambda a, b: not equal(a, b),
    "lt": less,
    "le": lambda a, b: less(a, b) or equal(a, b),
    "gt": lambda a, b: not (less(a, b) or equal(a, b)),
    "ge": lambda a, b: not less(a, b),
}

DOCKER_FUNCTIONS: Functions = {
    "json": lambda value: go_json(value, escape_html=False),
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
