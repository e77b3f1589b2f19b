"""Flags by pflag's rules, which are Docker's: `-aq`, `-f x`, `-fx`, `--filter=x`, `--filter x`, `--no-trunc=false`, `--`.

Flags may stand anywhere among the arguments. What is wrong is said in pflag's words, followed by the usage line; such
errors exit with 125, a wrong number of arguments with 1 (R3.19, R6.20).
"""

from __future__ import annotations

from imagelab.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TRUE = {"1", "t", "T", "true", "TRUE", "True"}
FALSE = {"0", "f", "F", "false", "FALSE", "False"}


class Flag:
    """One flag. `kind`: bool, int, filter (`name=value`), bytes, …, as the help page names it; any may be repeated.

    `ours`: Docker has no such flag. `hidden`: Docker's page does not show it. Plain, because defining a dataclass loads more
    than `imagelab version` needs in all.
    """

    __slots__ = ("default", "hidden", "kind", "name", "ours", "short", "text")

    def __init__(
        self, name: str, short: str = "", kind: str = "bool", text: str = "", default: str = "", *, ours: bool = False, hidden: bool = False
    ) -> None:  # fmt: skip
        self.name, self.short, self.kind, self.text, self.default = name, short, kind, text, default
        self.ours, self.hidden = ours, hidden

    @property
    def shown(self) -> str:
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


class CommandLineError(UsageError):
    """The line cannot be understood; whoever prints it adds the usage (`tail`)."""


class Parsed:
    """What a line says: flags by name, and the arguments."""

    __slots__ = ("arguments", "values")

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self.values: dict[str, list[str]] = {}
        self.arguments = list(arguments)

    def on(self, name: str, *, default: bool = False) -> bool:
        """Is a bool flag given, and not as `=false`?"""
        values = self.values.get(name)
        return default if not values else values[-1] in TRUE

    def text(self, name: str, default: str = "") -> str:
        """A string flag's last value."""
        return self.values.get(name, [default])[-1]

    def all(self, name: str) -> list[str]:
        """A repeatable flag's values."""
        return self.values.get(name, [])


def parse(words: Sequence[str], flags: Sequence[Flag], *, interspersed: bool = True) -> Parsed:
    """Words -> flags and arguments. `interspersed=False` stops at the first argument. CommandLineError, exit 125."""
    by_name = {flag.name: flag for flag in (*flags, Flag("help"))}
    by_short = {flag.short: flag for flag in flags if flag.short}
    found, rest = Parsed(), list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            found.arguments += rest
            break
        if word.startswith("--"):
            _long(word, rest, by_name, found)
        elif word.startswith("-") and word != "-":
            _shorts(word, rest, by_short, found)
        else:
            found.arguments.append(word)
            if not interspersed:
                found.arguments += rest
                break
    return found


def _long(word: str, rest: list[str], known: dict[str, Flag], found: Parsed) -> None:
    name, equals, value = word[2:].partition("=")
    if not name or name.startswith("-"):
        raise CommandLineError(f"bad flag syntax: {word}", exit_code=125)
    flag = known.get(name)
    if flag is None:
        raise CommandLineError(f"unknown flag: --{name}", exit_code=125, hint=_near(name, known))
    if not equals:
        value = "true" if flag.kind == "bool" else _needed(rest, f"--{name}")
    _set(flag, value, found)


def _shorts(word: str, rest: list[str], known: dict[str, Flag], found: Parsed) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter == "h" and letter not in known:
            found.values["help"] = ["true"]
            continue
        flag = known.get(letter)
        if flag is None:
            raise CommandLineError(f"unknown shorthand flag: '{letter}' in {word}", exit_code=125)
        if letters.startswith("="):
            value, letters = letters[1:], ""
        elif flag.kind == "bool":
            value = "true"
        else:
            value, letters = letters or _needed(rest, f"'{letter}' in {word}"), ""
        _set(flag, value, found)


def _needed(rest: list[str], shown: str) -> str:
    if not rest:
        raise CommandLineError(f"flag needs an argument: {shown}", exit_code=125)
    return rest.pop(0)


def _set(flag: Flag, value: str, found: Parsed) -> None:
    problem = ""
    if flag.kind == "bool" and value not in TRUE | FALSE:
        problem = f'strconv.ParseBool: parsing "{value}": invalid syntax'
    elif flag.kind == "int" and not value.lstrip("-").isdigit():
        problem = f'strconv.ParseInt: parsing "{value}": invalid syntax'
    elif flag.kind == "uint16" and not value.isdigit():
        problem = f'strconv.ParseUint: parsing "{value}": invalid syntax'
    elif flag.kind == "bytes" and not _is_size(value):
        problem = f"invalid size: '{value}'"
    elif flag.kind == "filter" and value and "=" not in value:
        problem = "bad format of filter (expected name=value)"
    if problem:
        raise CommandLineError(f'invalid argument "{value}" for "{flag.shown}" flag: {problem}', exit_code=125)
    found.values.setdefault(flag.name, []).append(value)


def _is_size(value: str) -> bool:
    import re

    return re.fullmatch(r"(?i)-?\d+(\.\d+)? ?([kmgtp]i?)?b?", value) is not None


def _near(name: str, known: dict[str, Flag]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f"did you mean --{near[0]}?" if near else ""


def check_count(name: str, arguments: Sequence[str], least: int, most: int | None, *, era: str) -> None:
    """CommandLineError, exit 1, when there are too few or too many (R6.20)."""
    count = len(arguments)
    if least <= count and (most is None or count <= most):
        return
    if era == "1.13":
        raise CommandLineError(f"\"docker {name}\" {_old_rule(least, most)}.\nSee 'docker {name} --help'.")
    raise CommandLineError(f"docker: 'docker {name}' {_rule(least, most)}")


def _rule(least: int, most: int | None) -> str:
    def arguments(count: int) -> str:
        return f"{count} argument{'' if count == 1 else 's'}"

    if most == 0:
        return "accepts no arguments"
    if most is None:
        return f"requires at least {arguments(least)}"
    if least == most:
        return f"requires {arguments(least)}"
    if least:
        return f"requires at least {least} and at most {arguments(most)}"
    return f"requires at most {arguments(most)}"


def _old_rule(least: int, most: int | None) -> str:
    if most == 0:
        return "accepts no argument(s)"
    if most is None:
        return f"requires at least {least} argument(s)"
    return f"requires {'exactly' if least == most else 'at most'} {most} argument(s)"
