"""What a template is made of, once it is parsed.

Every node remembers where it stood in the source (`position`), and `str()` writes it as Go would write it again: an error at
execution quotes both. A *command* is a function or value with its arguments, a *pipe* is commands joined by `|`, and
nodes are what a template's body is a list of.
"""

from __future__ import annotations

from dataclasses import dataclass

from imagelab.gotemplate.values import quote


@dataclass(frozen=True, slots=True)
class TextNode:
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class ConstantNode:
    """true, a string, a number. `kind` says which; `integer` is a number's whole value, if it has one."""

    kind: str
    value: bool | str | int | float | complex
    source: str
    position: int
    integer: int | None = None

    def __str__(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class DotNode:
    position: int

    def __str__(self) -> str:
        return "."


@dataclass(frozen=True, slots=True)
class NilNode:
    position: int

    def __str__(self) -> str:
        return "nil"


@dataclass(frozen=True, slots=True)
class IdentifierNode:
    """The name of a function."""

    name: str
    position: int

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class FieldNode:
    """`.A.B`"""

    names: tuple[str, ...]
    position: int

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class VariableNode:
    """`$x.A.B`; the first name is the variable's, with its `$`."""

    names: tuple[str, ...]
    position: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class ChainNode:
    """`(pipeline).A.B`"""

    base: Operand
    names: tuple[str, ...]
    position: int

    def __str__(self) -> str:
        base = f"({self.base})" if isinstance(self.base, PipeNode) else str(self.base)
        return base + "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class CommandNode:
    operands: tuple[Operand, ...]
    position: int

    def __str__(self) -> str:
        return " ".join(f"({operand})" if isinstance(operand, PipeNode) else str(operand) for operand in self.operands)


@dataclass(frozen=True, slots=True)
class PipeNode:
    commands: tuple[CommandNode, ...]
    variables: tuple[VariableNode, ...]
    assigns: bool
    position: int

    def __str__(self) -> str:
        names = ", ".join(map(str, self.variables)) + (" = " if self.assigns else " := ") if self.variables else ""
        return names + " | ".join(map(str, self.commands))


@dataclass(frozen=True, slots=True)
class ActionNode:
    pipe: PipeNode
    position: int

    def __str__(self) -> str:
        return f"{{{{{self.pipe}}}}}"


@dataclass(frozen=True, slots=True)
class BranchNode:
    """if, with or range."""

    word: str
    pipe: PipeNode
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] | None
    position: int

    def __str__(self) -> str:
        inner = "".join(map(_written, self.body))
        otherwise = "" if self.otherwise is None else "{{else}}" + "".join(map(_written, self.otherwise))
        return f"{{{{{self.word} {self.pipe}}}}}{inner}{otherwise}{{{{end}}}}"


@dataclass(frozen=True, slots=True)
class TemplateNode:
    """`{{template "name" pipeline}}`"""

    name: str
    pipe: PipeNode | None
    position: int

    def __str__(self) -> str:
        return f"{{{{template {quote(self.name)}{f' {self.pipe}' if self.pipe else ''}}}}}"


@dataclass(frozen=True, slots=True)
class JumpNode:
    """break or continue."""

    word: str
    position: int

    def __str__(self) -> str:
        return f"{{{{{self.word}}}}}"


Operand = ConstantNode | DotNode | NilNode | IdentifierNode | FieldNode | VariableNode | ChainNode | PipeNode
Node = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode


def _written(node: Node) -> str:
    return node.text if isinstance(node, TextNode) else str(node)
