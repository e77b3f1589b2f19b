"""Templates as tokens -> nodes: the parser of Go's text/template, with its error messages.

    template   = { text | action }                       action = "{{" … "}}"
    action     = pipeline | if | with | range | define | block | template | break | continue
    pipeline   = [ $x ":=" | $x "=" | $i "," $x ":=" ] command { "|" command }
    command    = operand { space operand }
    operand    = term { field }
    term       = . | .Field | $x | function | constant | nil | "(" pipeline ")"

The parser knows which functions and variables exist, so that a misspelt one is refused before anything is executed.
Every node remembers where it stood and how Go would write it again: errors at execution quote both.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from imagelab.gotemplate.lexer import Token, tokens
from imagelab.gotemplate.literals import decimal, imaginary, integer, unescape
from imagelab.gotemplate.nodes import (
    ActionNode,
    BranchNode,
    ChainNode,
    CommandNode,
    ConstantNode,
    DotNode,
    FieldNode,
    IdentifierNode,
    JumpNode,
    NilNode,
    Node,
    Operand,
    PipeNode,
    TemplateNode,
    TextNode,
    VariableNode,
)
from imagelab.gotemplate.values import quote, refuse

DEEPEST = 60
"""How deep blocks and parentheses may nest. Go has no such limit; Python's stack is shorter."""


@dataclass(frozen=True, slots=True)
class _End:
    """`{{end}}` or `{{else}}`: closes a list, and is not kept."""

    word: str

    def __str__(self) -> str:
        return f"{{{{{self.word}}}}}"


def parse(text: str, functions: Container[str]) -> dict[str, tuple[Node, ...]]:
    """The bodies of a template, by name: its own is "", the others are those it defines. Raises TemplateError."""
    shared = _Shared(tokens(text), functions, {})
    _Parser(shared).template()
    return shared.bodies


# -- parsing ------------------------------------------------------------------------------------------------

_OPERANDS = frozenset("bool character complex dot field word number string variable left".split())


@dataclass
class _Shared:
    """What a template and those defined inside it have in common."""

    tokens: Iterator[Token]
    functions: Container[str]
    bodies: dict[str, tuple[Node, ...]]
    depth: int = 0


class _Parser:
    """One template body. Errors name the line of the token that was read last."""

    def __init__(self, shared: _Shared) -> None:
        self._shared = shared
        self._ahead: list[Token] = []
        self._line = 0
        self._action_line = 0
        self._loops = 0
        self._variables = ["$"]

    # -- tokens ---------------------------------------------------------------------------------------------

    def _next(self) -> Token:
        if self._ahead:
            return self._ahead.pop()
        token = next(self._shared.tokens, Token("eof", "EOF", 0, self._line))
        self._line = token.line
        return token

    def _back(self, *tokens: Token) -> None:
        """Puts tokens back, the first to be read again last."""
        self._ahead.extend(tokens)

    def _peek(self) -> Token:
        token = self._next()
        self._back(token)
        return token

    def _next_word(self) -> Token:
        token = self._next()
        while token.kind == "space":
            token = self._next()
        return token

    def _peek_word(self) -> Token:
        token = self._next_word()
        self._back(token)
        return token

    def _refuse(self, message: str) -> Exception:
        return refuse(f"template: :{self._line}: {message}")

    def _unexpected(self, token: Token, context: str) -> Exception:
        if token.kind != "error":
            return self._refuse(f"unexpected {token} in {context}")
        began = self._action_line
        if not began or began == token.line:
            return self._refuse(token.text)
        where = " started at" if token.text.endswith(" action") else " in action started at"
        return self._refuse(f"{token.text}{where} :{began}")

    def _expect(self, kind: str, context: str) -> Token:
        token = self._next_word()
        if token.kind != kind:
            raise self._unexpected(token, context)
        return token

    def _deeper(self) -> None:
        self._shared.depth += 1
        if self._shared.depth > DEEPEST:
            raise self._refuse("max expression depth exceeded")

    # -- lists of nodes -------------------------------------------------------------------------------------

    def template(self) -> None:
        """The whole text: like any list, but only here may others be defined."""
        nodes: list[Node] = []
        while (token := self._peek()).kind != "eof":
            if token.kind == "open":
                self._next()
                word = self._next_word()
                if word.kind == "keyword" and word.text == "define":
                    _Parser(self._shared)._definition()
                    continue
                self._back(word, token)
            node = self._text_or_action()
            if isinstance(node, _End):
                raise self._refuse(f"unexpected {node}")
            nodes.append(node)
        self._add("", nodes)

    def _definition(self) -> None:
        context = "define clause"
        name = self._unquoted(self._expect("string", context))
        self._expect("close", context)
        self._defined(name, context)

    def _defined(self, name: str, context: str) -> None:
        nodes, end = self._list()
        if end.word != "end":
            raise self._refuse(f"unexpected {end} in {context}")
        self._add(name, nodes)

    def _add(self, name: str, nodes: list[Node]) -> None:
        known = self._shared.bodies.get(name)
        if known is None or _empty(known):
            self._shared.bodies[name] = tuple(nodes)
        elif not _empty(nodes):
            raise self._refuse(f"template: multiple definition of template {quote(name)}")

    def _list(self) -> tuple[list[Node], _End]:
        self._deeper()
        nodes: list[Node] = []
        while self._peek_word().kind != "eof":
            node = self._text_or_action()
            if isinstance(node, _End):
                self._shared.depth -= 1
                return nodes, node
            nodes.append(node)
        raise self._refuse("unexpected EOF")

    def _text_or_action(self) -> Node | _End:
        token = self._next_word()
        if token.kind == "text":
            return TextNode(token.text, token.position)
        if token.kind != "open":
            raise self._unexpected(token, "input")
        self._action_line = token.line
        node = self._action()
        self._action_line = 0
        return node

    # -- actions --------------------------------------------------------------------------------------------

    def _action(self) -> Node | _End:
        token = self._next_word()
        match token.text if token.kind == "keyword" else "":
            case "if" | "with" | "range" as word:
                return self._branch(word)
            case "end":
                self._expect("close", "end")
                return _End("end")
            case "else":
                return self._else()
            case "template":
                return self._include()
            case "block":
                return self._block()
            case "break" | "continue" as word:
                return self._jump(word, token)
        self._back(token)
        return ActionNode(self._pipeline("command", "close"), token.position)

    def _else(self) -> _End:
        """`{{else if …}}` and `{{else with …}}` leave their word to be read."""
        if (following := self._peek_word()).kind != "keyword" or following.text not in ("if", "with"):
            self._expect("close", "else")
        return _End("else")

    def _jump(self, word: str, token: Token) -> JumpNode:
        self._expect("close", f"{{{{{word}}}}}")
        if not self._loops:
            raise self._refuse(f"{{{{{word}}}}} outside {{{{range}}}}")
        return JumpNode(word, token.position)

    def _branch(self, word: str) -> BranchNode:
        declared = len(self._variables)
        pipe = self._pipeline(word, "close")
        self._loops += word == "range"
        body, end = self._list()
        self._loops -= word == "range"
        otherwise = self._otherwise(word) if end.word == "else" else None
        del self._variables[declared:]
        return BranchNode(word, pipe, tuple(body), otherwise, pipe.position)

    def _otherwise(self, word: str) -> tuple[Node, ...]:
        following = self._peek()
        if following.kind == "keyword" and following.text == word and word != "range":
            self._next()
            self._deeper()
            node = self._branch(word)  # its {{end}} is ours as well
            self._shared.depth -= 1
            return (node,)
        nodes, end = self._list()
        if end.word != "end":
            raise self._refuse(f"expected end; found {end}")
        return tuple(nodes)

    def _block(self) -> TemplateNode:
        context = "block clause"
        token = self._next_word()
        name = self._name(token, context)
        pipe = self._pipeline(context, "close")
        _Parser(self._shared)._defined(name, context)
        return TemplateNode(name, pipe, token.position)

    def _include(self) -> TemplateNode:
        context = "template clause"
        token = self._next_word()
        name = self._name(token, context)
        following = self._next_word()
        if following.kind == "close":
            return TemplateNode(name, None, token.position)
        self._back(following)
        return TemplateNode(name, self._pipeline(context, "close"), token.position)

    def _name(self, token: Token, context: str) -> str:
        if token.kind != "string":
            raise self._unexpected(token, context)
        return self._unquoted(token)

    # -- pipelines ------------------------------------------------------------------------------------------

    def _pipeline(self, context: str, end: str) -> PipeNode:
        position = self._peek_word().position
        variables, assigns = self._declaration(context)
        commands: list[CommandNode] = []
        while (token := self._next_word()).kind != end:
            if token.kind not in _OPERANDS and (token.kind, token.text) != ("keyword", "nil"):
                raise self._unexpected(token, context)
            self._back(token)
            commands.append(self._command())
        if not commands:
            raise self._refuse(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.operands[0], ConstantNode | DotNode | NilNode):
                raise self._refuse(f"non executable command in pipeline stage {stage}")
        return PipeNode(tuple(commands), tuple(variables), assigns, position)

    def _declaration(self, context: str) -> tuple[list[VariableNode], bool]:
        """`$x :=`, `$x =`, and in a range `$i, $x :=`."""
        variables: list[VariableNode] = []
        while (token := self._peek_word()).kind == "variable":
            self._next()
            beside = self._peek()
            following = self._peek_word()
            comma = (following.kind, following.text) == ("char", ",")
            if following.kind not in ("assign", "declare") and not comma:
                if beside.kind == "space" and following is not beside:
                    self._back(beside, token)
                else:
                    self._back(token)
                break
            self._next_word()
            variables.append(VariableNode((token.text,), token.position))
            self._variables.append(token.text)
            if not comma:
                return variables, following.kind == "assign"
            if context != "range" or len(variables) > 1:
                raise self._refuse(f"too many declarations in {context}")
            if self._peek_word().kind not in ("variable", "close", "right"):
                raise self._refuse("range can only initialize variables")
        return variables, False

    def _command(self) -> CommandNode:
        position = self._peek_word().position
        operands: list[Operand] = []
        while True:
            self._peek_word()
            operand = self._operand()
            if operand is not None:
                operands.append(operand)
            token = self._next()
            if token.kind == "space":
                continue
            if token.kind in ("close", "right"):
                self._back(token)
            elif token.kind != "pipe":
                raise self._unexpected(token, "operand")
            break
        if not operands:
            raise self._refuse("empty command")
        return CommandNode(tuple(operands), position)

    def _operand(self) -> Operand | None:
        base = self._term()
        if base is None or self._peek().kind != "field":
            return base
        position, names = self._peek().position, []
        while self._peek().kind == "field":
            names.append(self._next().text[1:])
        match base:
            case FieldNode():
                return FieldNode((*base.names, *names), position)
            case VariableNode():
                return VariableNode((*base.names, *names), position)
            case ConstantNode() | NilNode() | DotNode():
                raise self._refuse(f"unexpected . after term {quote(str(base))}")
        return ChainNode(base, tuple(names), position)

    def _term(self) -> Operand | None:
        token = self._next_word()
        match token.kind:
            case "word":
                if token.text not in self._shared.functions:
                    raise self._refuse(f"function {quote(token.text)} not defined")
                return IdentifierNode(token.text, token.position)
            case "dot":
                return DotNode(token.position)
            case "keyword" if token.text == "nil":
                return NilNode(token.position)
            case "variable":
                if token.text not in self._variables:
                    raise self._refuse(f"undefined variable {quote(token.text)}")
                return VariableNode((token.text,), token.position)
            case "field":
                return FieldNode((token.text[1:],), token.position)
            case "bool":
                return ConstantNode("bool", token.text == "true", token.text, token.position)
            case "character" | "number" | "complex":
                return self._number(token)
            case "left":
                self._deeper()
                pipe = self._pipeline("parenthesized pipeline", "right")
                self._shared.depth -= 1
                return pipe
            case "string":
                return ConstantNode("string", self._unquoted(token), token.text, token.position)
        self._back(token)
        return None

    # -- constants ------------------------------------------------------------------------------------------

    def _unquoted(self, token: Token) -> str:
        text = token.text
        if text[0] == "`":
            return text[1:-1].replace("\r", "")
        plain = unescape(text[1:-1], '"')
        if plain is None:
            raise self._refuse("invalid syntax")
        return plain

    def _number(self, token: Token) -> ConstantNode:
        text = token.text
        if token.kind == "character":
            plain = unescape(text[1:-1], "'")
            if plain is None or not plain:
                raise self._refuse("invalid syntax")
            if len(plain) > 1:
                raise self._refuse(f"malformed character constant: {text}")
            return ConstantNode("number", ord(plain), text, token.position, ord(plain))
        value = imaginary(text) if text[-1] == "i" else integer(text)
        if value is None:
            value = decimal(text)
            if value is not None and not set(text) & set(".eEpP"):
                raise self._refuse(f"integer overflow: {quote(text)}")
        if value is None:
            raise self._refuse(f"illegal number syntax: {quote(text)}")
        whole = int(value) if not isinstance(value, complex) and abs(value) < 2**63 and value == int(value) else None
        return ConstantNode("number", value, text, token.position, whole)


def _empty(nodes: tuple[Node, ...] | list[Node]) -> bool:
    return all(isinstance(node, TextNode) and not node.text.strip() for node in nodes)
