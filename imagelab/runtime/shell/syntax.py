"""What a shell script is made of, as values: words with their parts, and commands with their redirections.

    echo "hello $name" > out || exit 1

    AndOr( Pipeline( Simple( [Word(Text echo), Word(Text "hello ", Parameter name)], Redirection > out ) ),
           || Pipeline( Simple( [exit, 1] ) ) )

`parser` makes them from text, `expander` makes strings from words, `interpreter` runs commands.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Text:
    """Characters as they are; `quoted` ones are neither patterns, nor split, nor a tilde."""

    text: str
    quoted: bool = False


@dataclass(slots=True)
class Parameter:
    """`$x`, `${x:-word}`, `${#x}`, `${x%pattern}`, and bash's `${x:1:2}` and `${x/a/b}`."""

    name: str
    operator: str = ""
    word: Word | None = None
    more: Word | None = None
    """The second word of `${x/a/b}` and `${x:1:2}`."""
    quoted: bool = False


@dataclass(slots=True)
class Substitution:
    """`$(commands)` or backquotes."""

    body: Script
    quoted: bool = False


@dataclass(slots=True)
class Arithmetic:
    """`$((expression))`; the expression is expanded first, as if in double quotes."""

    expression: Word
    quoted: bool = False


Part = Text | Parameter | Substitution | Arithmetic


@dataclass(slots=True)
class Word:
    """Parts in a row. `"$x"'y'z` has three."""

    parts: list[Part] = field(default_factory=list)

    @property
    def literal(self) -> str | None:
        """The text of a word with nothing quoted or to expand: only such a word can be a keyword."""
        if all(isinstance(part, Text) and not part.quoted for part in self.parts):
            return "".join(part.text for part in self.parts if isinstance(part, Text))
        return None


@dataclass(slots=True)
class Redirection:
    """`2> file`: descriptor, operator, where to. A here-document's word is its text."""

    fd: int
    operator: str
    word: Word
    end: str = ""
    """Of a here-document: the line that ends it."""


@dataclass(slots=True)
class Simple:
    """Assignments, words, redirections: `A=1 cmd x > y`."""

    assignments: list[tuple[str, Word]] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)
    line: int = 1


@dataclass(slots=True)
class Compound:
    """A command made of commands, with redirections of its own."""

    redirections: list[Redirection] = field(default_factory=list, kw_only=True)


@dataclass(slots=True)
class Subshell(Compound):
    body: Script


@dataclass(slots=True)
class Group(Compound):
    body: Script


@dataclass(slots=True)
class If(Compound):
    """(condition, body) one after the other; the `else` comes last, with no condition."""

    branches: list[tuple[Script | None, Script]]


@dataclass(slots=True)
class For(Compound):
    name: str
    words: list[Word] | None
    """None: over "$@"."""
    body: Script


@dataclass(slots=True)
class While(Compound):
    condition: Script
    body: Script
    until: bool = False


@dataclass(slots=True)
class Case(Compound):
    word: Word
    items: list[tuple[list[Word], Script]]


@dataclass(slots=True)
class FunctionDefinition(Compound):
    name: str
    body: Command


@dataclass(slots=True)
class Calculation(Compound):
    """bash's `(( expression ))`."""

    expression: Word


@dataclass(slots=True)
class Condition(Compound):
    """bash's `[[ … ]]`, as words and operators; `( ) ! && ||` are the strings themselves."""

    items: list[Word | str]


Command = Simple | Subshell | Group | If | For | While | Case | FunctionDefinition | Calculation | Condition


@dataclass(slots=True)
class Pipeline:
    commands: list[Command]
    negated: bool = False


@dataclass(slots=True)
class AndOr:
    """Pipelines joined by && and ||; the first has no operator."""

    items: list[tuple[str, Pipeline]]
    background: bool = False
    line: int = 1


Script = list[AndOr]
