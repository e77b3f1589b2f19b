"""Templates as text -> nodes: the lexer and parser of Go's text/template, with its error messages.

Text stands between actions; an action is tokens between `{{` and `}}`. `{{-` and `-}}` trim the text beside them. The
parser knows which functions and variables exist, so that a misspelt one is refused before anything is executed.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from imagelab.govalues import quote, refuse

DEEPEST = 60
"""Nesting of parentheses, blocks and templates that is followed."""

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


class Parser:
    """One template's text; `parse()` gives its body and the templates it defines."""

    def __init__(self, text: str, functions: Container[str]) -> None:
        self._source, self._functions = text, functions
        self._named: dict[str, tuple[Any, ...]] = {}
        self._variables = ["$"]
        self._depth = 0
        self._loops = 0
        self._items = self._lex()
        self._tokens: list[_Token] = []

    def parse(self) -> tuple[tuple[Any, ...], dict[str, tuple[Any, ...]]]:
        body, ended = self._block(())
        if ended:
            raise self._refuse(f"unexpected {{{{{ended}}}}}")
        return body, self._named

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
        kept = len(self._variables)
        nodes: list[Any] = []
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
                at = self._tokens[0].at if self._tokens else token.at
                name = self._string("template clause")
                return Include(name, self._pipe("template clause") if self._tokens else None, at)
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
