"""The Go templates behind `--format`.

    {{.Repository}}:{{.Tag}}                      fields of the row
    {{json .Labels}}  {{.ID | printf "%.5s"}}     functions and pipelines
    {{if .Tag}}…{{else if …}}{{else}}…{{end}}     and with, range (list, map, number), break, continue
    {{range $i, $x := .RepoTags}}…{{end}}         variables
    {{define "row"}}…{{end}}{{template "row" .}}  templates inside templates
    {{- … -}}                                     trims white space;   {{/* a comment */}}

Text becomes tokens (`lexer`), tokens become nodes (`parser`), nodes are executed on a value. Errors carry
Go's own words and positions, since a learner will search for them:

    template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type *formatter.imageContext

>>> Template.parse("{{range .}}<{{.}}>{{else}}none{{end}}").execute(["a", "b"])
'<a><b>'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagelab.gotemplate.functions import (
    ANY,
    BUILTINS,
    DOCKER_FUNCTIONS,
    HEADER_FUNCTIONS,
    VALUE,
    Functions,
    TemplateFunction,
)
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
from imagelab.gotemplate.parser import parse
from imagelab.gotemplate.printf import show
from imagelab.gotemplate.values import (
    GoError,
    Ordered,
    Strings,
    Struct,
    is_list,
    is_map,
    quote,
    refuse,
    sorted_keys,
    takes,
    truth,
    type_name,
)

__all__ = ["DOCKER_FUNCTIONS", "HEADER_FUNCTIONS", "Template"]

DEEPEST = 100
"""How deep templates, blocks and parentheses may nest while executing."""


@dataclass(frozen=True)
class Template:
    """A parsed template. `execute(data)` gives its text; both raise TemplateError with Go's words."""

    source: str
    bodies: Mapping[str, tuple[Node, ...]]
    functions: Functions

    @classmethod
    def parse(cls, text: str, functions: Functions = DOCKER_FUNCTIONS) -> Template:
        known = {**BUILTINS, **functions}
        return cls(text, parse(text, known), known)

    def execute(self, data: Any, *, missing_is_error: bool = False) -> str:
        """The text for one value. `missing_is_error`: a key that a map lacks is refused (`docker inspect`).

        >>> Template.parse('{{range $i, $tag := .Tags}}{{if $i}}, {{end}}{{upper $tag}}{{end}}').execute({"Tags": ["v1", "v2"]})
        'V1, V2'
        """
        run = _Run(self, missing_is_error, variables=[("$", data)])
        run.nodes(self.bodies[""], data)
        return "".join(run.out)


class _Held:
    """A value that Go knows only as an interface: an entry of a map or list. Errors speak of it as such."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class _Missing:
    """No value was piped into this command."""


MISSING = _Missing()


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, _Held) else value


def _entry(container: Any, value: Any) -> Any:
    """What a list or map holds."""
    return value if isinstance(container, Strings) else _Held(value)


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


@dataclass
class _Run:
    """One execution: variables as a stack, how deep we are, and the node that an error would name."""

    template: Template
    missing_is_error: bool
    out: list[str] = field(default_factory=list)
    variables: list[tuple[str, Any]] = field(default_factory=list)
    depth: int = 0
    name: str = ""
    node: Any = None

    def refuse(self, message: str) -> Exception:
        before = self.template.source[: self.node.position]
        line, column = 1 + before.count("\n"), len(before.rpartition("\n")[2].encode("utf-8", "surrogatepass"))
        where = f"template: :{line}:{column}: executing {quote(self.name)} at <{self.node}>"
        return refuse(f"{where}: {message}")

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.refuse("exceeded maximum template depth (100000)")

    # -- nodes ----------------------------------------------------------------------------------------------

    def nodes(self, nodes: Sequence[Node], dot: Any) -> None:
        self.deeper()
        for node in nodes:
            self.node = node
            match node:
                case TextNode(text):
                    self.out.append(text)
                case ActionNode():
                    self.action(node, dot)
                case BranchNode():
                    self.branch(node, dot)
                case TemplateNode():
                    self.include(node, dot)
                case JumpNode(word):
                    self.depth -= 1
                    raise _Break if word == "break" else _Continue
        self.depth -= 1

    def action(self, node: ActionNode, dot: Any) -> None:
        value = self.pipe(node.pipe, dot)
        if node.pipe.variables:
            return
        self.node = node
        self.out.append("<no value>" if value is None else show(value))

    def branch(self, node: BranchNode, dot: Any) -> None:
        declared = len(self.variables)
        if node.word == "range":
            self.range(node, dot)
        else:
            value = self.pipe(node.pipe, dot)
            if truth(_bare(value)):
                self.nodes(node.body, value if node.word == "with" else dot)
            elif node.otherwise is not None:
                self.nodes(node.otherwise, dot)
        del self.variables[declared:]

    def range(self, node: BranchNode, dot: Any) -> None:
        pairs = self.pairs(_bare(self.pipe(node.pipe, dot)), node.pipe.variables)
        mark, depth, empty = len(self.variables), self.depth, True
        for key, item in pairs:
            empty = False
            self.bind(node.pipe, key, item)
            try:
                self.nodes(node.body, item)
            except _Continue:
                pass
            except _Break:
                break
            finally:
                del self.variables[mark:]
                self.depth = depth
        if empty and node.otherwise is not None:
            self.nodes(node.otherwise, dot)

    def pairs(self, value: Any, names: Sequence[VariableNode]) -> Any:
        """What a range runs over: pairs of key and item, made as they are needed."""
        if value is None:
            return ()
        if is_list(value):
            return ((index, _entry(value, item)) for index, item in enumerate(value))
        if is_map(value):
            return ((key, _entry(value, value[key])) for key in sorted_keys(value))
        if isinstance(value, int) and not isinstance(value, bool):
            if len(names) > 1:
                raise self.refuse(f"can't use {show(value)} to iterate over more than one variable")
            return ((None, index) for index in range(value))
        raise self.refuse(f"range can't iterate over {show(value)}")

    def bind(self, pipe: PipeNode, key: Any, item: Any) -> None:
        """The variables of a range, which its pipeline has already put on the stack."""
        names = [variable.names[0] for variable in pipe.variables]
        values = [item] if len(names) == 1 else [key, item]
        for name, value in zip(names, values, strict=False):
            if pipe.assigns:
                self.assign(name, value)
            else:
                index = len(self.variables) - len(names) + names.index(name)
                self.variables[index] = name, value

    def include(self, node: TemplateNode, dot: Any) -> None:
        body = self.template.bodies.get(node.name)
        if body is None:
            raise self.refuse(f"template {quote(node.name)} not defined")
        self.deeper()
        data = self.pipe(node.pipe, dot) if node.pipe else None
        caller = self.variables, self.name
        self.variables, self.name = [("$", data)], node.name
        self.nodes(body, data)
        self.variables, self.name = caller
        self.depth -= 1

    def assign(self, name: str, value: Any) -> None:
        for index in reversed(range(len(self.variables))):
            if self.variables[index][0] == name:
                self.variables[index] = name, value
                return
        raise self.refuse(f"undefined variable: {name}")

    # -- pipelines ------------------------------------------------------------------------------------------

    def pipe(self, pipe: PipeNode, dot: Any) -> Any:
        self.deeper()
        self.node = pipe
        value: Any = MISSING
        for command in pipe.commands:
            value = _bare(self.command(command, dot, value))
        for variable in pipe.variables:
            if pipe.assigns:
                self.assign(variable.names[0], value)
            else:
                self.variables.append((variable.names[0], value))
        self.depth -= 1
        return value

    def command(self, command: CommandNode, dot: Any, final: Any) -> Any:
        first, arguments = command.operands[0], command.operands[1:]
        match first:
            case FieldNode() | ChainNode() | VariableNode():
                return self.path(first, dot, arguments, final)
            case IdentifierNode():
                return self.function(first, command, dot, arguments, final)
            case PipeNode():
                self.no_function(first, arguments, final)
                return self.pipe(first, dot)
        self.node = first
        self.no_function(first, arguments, final)
        match first:
            case DotNode():
                return dot
            case ConstantNode():
                return self.constant(first)
        raise self.refuse("nil is not a command")

    def no_function(self, first: Operand, arguments: Sequence[Operand], final: Any) -> None:
        if arguments or final is not MISSING:
            raise self.refuse(f"can't give argument to non-function {first}")

    def constant(self, node: ConstantNode) -> Any:
        self.node = node
        if node.kind != "number" or isinstance(node.value, float | complex):
            return node.value
        if node.integer is None:
            raise self.refuse(f"{node.source} overflows int")
        return node.value

    # -- fields and methods ---------------------------------------------------------------------------------

    def path(
        self, node: FieldNode | ChainNode | VariableNode, dot: Any, arguments: Sequence[Operand], final: Any
    ) -> Any:
        """`.A.B`, `$x.A`, `(…).A`: only the last name may be a method with arguments."""
        self.node = node
        names = node.names
        match node:
            case FieldNode():
                value = dot
            case ChainNode(base=NilNode()):
                raise self.refuse(f"indirection through explicit nil in {node}")
            case ChainNode():
                value = self.argument(node.base, "", dot)
            case VariableNode():
                value, names = self.variable(node.names[0]), node.names[1:]
                if not names:
                    self.no_function(VariableNode(node.names, node.position), arguments, final)
                    return value
        for name in names[:-1]:
            value = self.field(node, value, name, dot, (), MISSING)
        return self.field(node, value, names[-1], dot, arguments, final)

    def variable(self, name: str) -> Any:
        for known, value in reversed(self.variables):
            if known == name:
                return value
        raise self.refuse(f"undefined variable: {name}")

    def field(self, node: Operand, receiver: Any, name: str, dot: Any, arguments: Sequence[Operand], final: Any) -> Any:
        if receiver is None:
            if self.missing_is_error:
                raise self.refuse(f"nil data; no entry for key {quote(name)}")
            return None
        kind = ANY if isinstance(receiver, _Held) else type_name(receiver)
        value = _bare(receiver)
        if value is None:
            raise self.refuse(f"nil pointer evaluating {kind}.{name}")
        has_arguments = bool(arguments) or final is not MISSING
        if isinstance(value, Struct) and name in value:
            method = TemplateFunction(value[name], ("string",) * takes(value[name]))
            return self.call(method, node, name, dot, arguments, final)
        if isinstance(value, Mapping) and not isinstance(value, Struct):
            if has_arguments:
                struct = isinstance(value, Ordered)
                problem = (
                    "has arguments but cannot be invoked as function" if struct else "is not a method but has arguments"
                )
                raise self.refuse(f"{name} {problem}")
            if name in value:
                return value[name] if isinstance(value, Ordered) else _Held(value[name])
            if self.missing_is_error:
                raise self.refuse(f"map has no entry for key {quote(name)}")
            if not isinstance(value, Ordered):
                return None
        raise self.refuse(f"can't evaluate field {name} in type {kind}")

    # -- functions ------------------------------------------------------------------------------------------

    def function(self, word: IdentifierNode, node: Any, dot: Any, arguments: Sequence[Operand], final: Any) -> Any:
        self.node = word
        return self.call(self.template.functions[word.name], node, word.name, dot, arguments, final)

    def call(
        self, function: TemplateFunction, node: Any, name: str, dot: Any, arguments: Sequence[Operand], final: Any
    ) -> Any:
        self.count(function, name, len(arguments), final)
        if name in ("and", "or") and function is BUILTINS[name]:
            return self.lazily(name, dot, arguments, final)
        kinds = [*function.takes, *[function.more] * (len(arguments) + 1)]
        values = [self.argument(item, kind, dot) for item, kind in zip(arguments, kinds, strict=False)]
        if final is not MISSING:
            values.append(self.fitting(final, kinds[len(values)] if function.more else function.takes[-1]))
        try:
            if name == "len" and values[0] is None:
                raise GoError("reflect: call of reflect.Value.Type on zero Value")
            return function.run(*map(_bare, values))
        except GoError as error:
            message = str(error)
        except (OverflowError, MemoryError):
            message = "strings: Repeat output length overflow"
        if name == "call" and message.startswith("non-function of"):
            message = message.replace("of", f"{arguments[0] if arguments else show(_bare(final))} of", 1)
        self.node = node
        raise self.refuse(f"error calling {name}: {message}")

    def count(self, function: TemplateFunction, name: str, given: int, final: Any) -> None:
        """As many arguments as it takes."""
        all_given = given + (final is not MISSING)
        wanted = len(function.takes)
        if function.more:
            if all_given < wanted:
                raise self.refuse(f"wrong number of args for {name}: want at least {wanted} got {given}")
        elif all_given != wanted:
            raise self.refuse(f"wrong number of args for {name}: want {wanted} got {all_given}")

    def lazily(self, name: str, dot: Any, arguments: Sequence[Operand], final: Any) -> Any:
        """`and` and `or` stop at the first operand that decides."""
        value: Any = None
        for item in arguments:
            value = self.argument(item, VALUE, dot)
            if truth(_bare(value)) is (name == "or"):
                return value
        return value if final is MISSING else final

    def argument(self, node: Operand, kind: str, dot: Any) -> Any:
        """An operand's value, checked against the Go type that the function wants ("" for any)."""
        self.node = node
        match node:
            case DotNode():
                return self.fitting(dot, kind)
            case NilNode():
                if kind in (ANY, VALUE, "[]string"):
                    return None
                raise self.refuse(f"cannot assign nil to {kind}")
            case FieldNode() | ChainNode() | VariableNode():
                return self.fitting(self.path(node, dot, (), MISSING), kind)
            case PipeNode():
                return self.fitting(self.pipe(node, dot), kind)
            case IdentifierNode():
                return self.fitting(self.function(node, node, dot, (), MISSING), kind)
        return self.literal(node, kind)

    def literal(self, node: ConstantNode, kind: str) -> Any:
        match kind:
            case "string" if node.kind == "string":
                return node.value
            case "int" if node.integer is not None:
                return node.integer
            case "string":
                raise self.refuse(f"expected string; found {node}")
            case "int":
                raise self.refuse(f"expected integer; found {node}")
            case "[]string":
                raise self.refuse(f"can't handle {node} for arg of type []string")
        return self.constant(node)

    def fitting(self, value: Any, kind: str) -> Any:
        """The value, if Go would let it be assigned to this type."""
        if kind in ("", ANY, VALUE):
            return value
        if value is None:
            if kind == "[]string":
                return None
            raise self.refuse(f"invalid value; expected {kind}")
        bare = _bare(value)
        if type_name(bare) == kind:
            return bare
        actual = ANY if bare is None else type_name(bare)
        raise self.refuse(f"wrong type for value; expected {kind}; got {actual}")
