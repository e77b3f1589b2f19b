"""find: walks a tree and asks one question of everything in it.

    find /etc -name '*.conf' -size +1k -exec grep -l root {} +

The words after the paths are an expression: tests that are true or false of a file, actions that do something with it
(and are true when that worked), and `!`, `-a`, `-o`, `( )` between them. It is read once, into a tree of functions
from a file to a truth, and then asked of each. Without any action, what the expression is true of is printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass

from imagelab.layers.tree import Node
from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import NOW, Process, Program, Steps
from imagelab.runtime.shell.patterns import matches
from imagelab.runtime.shell.words import unescape
from imagelab.runtime.userland.accounts import group_name, group_number, user_name, user_number
from imagelab.runtime.userland.listing import LETTERS, mode_text, shown_size
from imagelab.runtime.userland.regex import BadPattern, compile

Asking = Generator[float, None, bool]


class FindProblem(Exception):
    """An expression `find` does not know, in its own words."""


@dataclass
class Found:
    """What the walk has come to."""

    path: str
    node: Node
    depth: int
    start: str
    pruned: bool = False

    @property
    def name(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2] or "/"


Question = Callable[[Found], Asking]
Test = Callable[[Found], bool]


class Expression:
    """Reads the words of an expression; `ask` is what becomes of them."""

    def __init__(self, p: Process, words: list[str]) -> None:
        self.p, self._words, self._at = p, words, 0
        self.deepest, self.least, self.depth_first, self.acts, self.stopped = 1 << 30, 0, False, False, False
        self.status = 0
        self.waiting: list[tuple[list[str], list[str]]] = []
        self.ask = self._either() if words else _always(True)
        if self._at < len(words):
            raise FindProblem("you have too many ')'")

    # -- reading --------------------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def _take(self, *words: str) -> bool:
        found = self._at < len(self._words) and self._words[self._at] in words
        self._at += found
        return found

    def _argument(self, of: str) -> str:
        self._at += 1
        if self._at > len(self._words):
            raise FindProblem(f"missing argument to `{of}'")
        return self._words[self._at - 1]

    def _either(self) -> Question:
        first = self._both()
        while self._take("-o", "-or"):
            first = _either(first, self._both())
        return first

    def _both(self) -> Question:
        first = self._one()
        while self._peek() not in ("", "-o", "-or", ")", ","):
            self._take("-a", "-and")
            first = _both(first, self._one())
        return first

    def _one(self) -> Question:
        if self._at >= len(self._words):
            last = self._words[-1]
            raise FindProblem(f"expected an expression after '{last}'")
        word = self._words[self._at]
        self._at += 1
        if word in ("!", "-not"):
            return _not(self._one())
        if word == "(":
            inside = self._either()
            if not self._take(")"):
                raise FindProblem("invalid expression; I was expecting to find a ')' somewhere but did not see one.")
            return inside
        if word in ("-o", "-or", "-a", "-and"):
            raise FindProblem(f"invalid expression; you have used a binary operator '{word}' with nothing before it.")
        if word in ("-exec", "-ok", "-execdir"):
            return self._exec(word)
        if word in ("-print", "-print0", "-printf", "-delete", "-quit"):
            self.acts = True
            return _plain(self._action(word))
        return _plain(self._test(word))

    def _number(self, word: str) -> Callable[[int], bool]:
        """`+5` is more, `-5` less, `5` just that."""
        asked = self._argument(word)
        match = re.fullmatch(r"([-+]?)(\d+)", asked)
        if match is None:
            raise FindProblem(f"invalid argument `{asked}' to `{word}'")
        return _compared(match[1], int(match[2]))

    def _test(self, word: str) -> Test:
        p = self.p
        match word:
            case "-name" | "-iname" | "-path" | "-ipath" | "-wholename":
                return self._named(word)
            case "-regex" | "-iregex":
                pattern = compile(self._argument(word), extended=False, ignore_case=word == "-iregex")
                return lambda found: pattern.fullmatch(found.path) is not None
            case "-type":
                return self._typed()
            case "-size":
                return self._sized()
            case "-perm":
                return self._permitted()
            case "-user" | "-uid":
                uid = self._owner(word, user_number)
                return lambda found: found.node.uid == uid
            case "-group" | "-gid":
                gid = self._owner(word, group_number)
                return lambda found: found.node.gid == gid
            case "-mtime" | "-mmin" | "-ctime" | "-cmin" | "-atime" | "-amin":
                unit, compared = 86400 if word.endswith("time") else 60, self._number(word)
                return lambda found: compared((p.files.now() - found.node.mtime) // unit)
            case "-newer":
                name = self._argument(word)
                other = p.stat(name)
                return lambda found: found.node.mtime > other.mtime
            case "-empty":
                return self._empty
            case "-links":
                compared = self._number(word)
                return lambda found: compared(
                    p.files.links(p.files.resolve(p.user, p.path(found.path), follow=False), found.node)
                )
            case "-true" | "-false":
                return lambda found: word == "-true"
            case "-prune":
                return _prune
            case "-maxdepth" | "-mindepth":
                self._depth(word)
            case "-depth" | "-xdev" | "-mount" | "-noleaf":
                self.depth_first = self.depth_first or word == "-depth"
            case _:
                start = word.startswith("-")
                raise FindProblem(
                    f"unknown predicate `{word}'" if start else f"paths must precede expression: `{word}'"
                )
        return lambda found: True

    def _empty(self, found: Found) -> bool:
        if found.node.is_directory:
            return next(iter(self.p.files.names(self.p.user, self.p.path(found.path))), None) is None
        return found.node.size == 0

    def _depth(self, word: str) -> None:
        asked = self._argument(word)
        if not asked.isdigit():
            raise FindProblem(f"Expected a positive decimal integer argument to {word}, but got ‘{asked}’")
        if word == "-maxdepth":
            self.deepest = int(asked)
        else:
            self.least = int(asked)

    def _named(self, word: str) -> Test:
        pattern, folded = self._argument(word), word.startswith("-i")
        part: Callable[[Found], str] = (lambda found: found.name) if word.endswith("name") and word != "-wholename" else (lambda found: found.path)  # fmt: skip
        if folded:
            return lambda found: matches(pattern.lower(), part(found).lower())
        return lambda found: matches(pattern, part(found))

    def _typed(self) -> Test:
        kinds = self._argument("-type").split(",")
        for kind in kinds:
            if kind not in ("b", "c", "d", "p", "f", "l", "s"):
                raise FindProblem(f"Unknown argument to -type: {kind[:1]}" if len(kind) < 2 else "Must separate multiple arguments to -type using: ','")  # fmt: skip
        return lambda found: LETTERS[found.node.kind].replace("-", "f") in kinds

    def _sized(self) -> Test:
        asked = self._argument("-size")
        units = {"c": 1, "w": 2, "k": 1024, "M": 1 << 20, "G": 1 << 30, "b": 512, "": 512}
        match = re.fullmatch(r"([-+]?)(\d+)(.?)", asked)
        if not re.search(r"[\dcwkMGb]$", asked):
            raise FindProblem(f"invalid -size type `{asked[-1:]}'")
        if match is None:
            raise FindProblem(f"Invalid argument `{asked}' to -size")
        compared, unit = _compared(match[1], int(match[2])), units[match[3]]
        return lambda found: compared(-(-shown_size(found.node) // unit))

    def _permitted(self) -> Test:
        asked = self._argument("-perm")
        sign, rest = (asked[0], asked[1:]) if asked[:1] in ("-", "/") else ("", asked)
        wanted = int(rest, 8) if re.fullmatch("[0-7]+", rest) else _symbolic(rest)
        if wanted is None:
            raise FindProblem(f"invalid mode ‘{asked}’")
        if sign == "-":
            return lambda found: found.node.mode & wanted == wanted
        return lambda found: bool(found.node.mode & wanted) or not wanted if sign else found.node.mode == wanted

    def _owner(self, word: str, number: Callable[[Process, str], int | None]) -> int:
        name = self._argument(word)
        found = number(self.p, name)
        if found is None:
            kind = "a known user" if word in ("-user", "-uid") else "an existing group"
            raise FindProblem(f"‘{name}’ is not the name of {kind}" if word in ("-user", "-group") else f"invalid argument `{name}' to `{word}'")  # fmt: skip
        return found

    # -- acting ---------------------------------------------------------------------------------------------

    def _action(self, word: str) -> Test:
        p = self.p
        shape = self._argument(word) if word == "-printf" else ""
        self.depth_first = self.depth_first or word == "-delete"

        def act(found: Found) -> bool:
            if word == "-delete":
                return self._delete(found)
            if word == "-quit":
                self.stopped = True
            elif word == "-printf":
                p.out(self._formatted(shape, found))
            else:
                p.out(found.path + ("\n" if word == "-print" else "\0"))
            return True

        return act

    def _formatted(self, shape: str, found: Found) -> str:
        node, p = found.node, self.p
        below = found.path[len(found.start) :].lstrip("/")
        known: dict[str, Callable[[], object]] = {
            "p": lambda: found.path, "f": lambda: found.name, "h": lambda: found.path.rpartition("/")[0] or ".", "P": lambda: below, "H": lambda: found.start,
            "s": lambda: node.size, "m": lambda: f"{node.mode:o}", "M": lambda: mode_text(node), "u": lambda: user_name(p, node.uid), "g": lambda: group_name(p, node.gid),
            "U": lambda: node.uid, "G": lambda: node.gid, "y": lambda: LETTERS[node.kind].replace("-", "f"), "l": lambda: node.target or "", "d": lambda: found.depth, "%": lambda: "%",
        }  # fmt: skip
        return re.sub(r"%(-?\d*)([a-zA-Z%])", lambda m: (f"%{m[1]}s" % known[m[2]]()) if m[2] in known else m[0], unescape(shape, "[0-7]{1,3}"))  # fmt: skip

    def _delete(self, found: Found) -> bool:
        try:
            remove = self.p.files.rmdir if found.node.is_directory else self.p.files.unlink
            remove(self.p.user, self.p.path(found.path))
        except Refusal as refusal:
            self.status = self.p.complain(f"cannot delete '{found.path}': {refusal}")
            return False
        return True

    def _exec(self, word: str) -> Question:
        self.acts, words = True, list[str]()
        while True:
            part = self._argument(word)
            if part == ";" or (part == "+" and words[-1:] == ["{}"]):
                break
            words.append(part)
        if not words:
            raise FindProblem(f"invalid argument `{part}' to `{word}'")
        if part == "+":
            paths = list[str]()
            self.waiting.append((words[:-1], paths))

            def keep(found: Found) -> bool:
                paths.append(found.path)
                return True

            return _plain(keep)
        return lambda found: self._run([part.replace("{}", found.path) for part in words])

    def _run(self, command: list[str]) -> Asking:
        try:
            return (yield from self.p.machine.run(self.p, command)) == 0
        except Refusal as refusal:
            self.p.complain(f"‘{command[0]}’: {refusal}")
            return False

    def finish(self) -> Generator[float, None, None]:
        """Run what `-exec … {} +` has gathered."""
        for command, paths in self.waiting:
            if paths and not (yield from self._run([*command, *paths])):
                self.status = 1


def _always(value: bool) -> Question:
    return _plain(lambda found: value)


def _plain(test: Test) -> Question:
    def ask(found: Found) -> Asking:
        return test(found)
        yield

    return ask


def _not(inner: Question) -> Question:
    def ask(found: Found) -> Asking:
        return not (yield from inner(found))

    return ask


def _both(first: Question, second: Question) -> Question:
    def ask(found: Found) -> Asking:
        return (yield from first(found)) and (yield from second(found))

    return ask


def _either(first: Question, second: Question) -> Question:
    def ask(found: Found) -> Asking:
        return (yield from first(found)) or (yield from second(found))

    return ask


def _prune(found: Found) -> bool:
    found.pruned = True
    return True


def _compared(sign: str, number: int) -> Callable[[int], bool]:
    if sign == "+":
        return lambda value: value > number
    return (lambda value: value < number) if sign else (lambda value: value == number)


def _symbolic(asked: str) -> int | None:
    """`u+x,g=w` as bits."""
    bits = 0
    for clause in asked.split(","):
        match = re.fullmatch(r"([ugoa]*)[+=]([rwxst]+)", clause)
        if match is None:
            return None
        for who in (match[1] or "a").replace("a", "ugo"):
            bits |= sum({"r": 4, "w": 2, "x": 1}.get(letter, 0) for letter in match[2]) << {"u": 6, "g": 3, "o": 0}[who]
        bits |= 0o4000 * ("s" in match[2] and "u" in match[1]) | 0o2000 * ("s" in match[2] and "g" in match[1])
        bits |= 0o1000 * ("t" in match[2])
    return bits


def find(p: Process) -> Steps:
    """`find [path…] [expression]`"""
    words = [word for word in p.args[1:] if word not in ("-L", "-H", "-P")]
    at = next(
        (at for at, word in enumerate(words) if word.startswith("-") and word != "-" or word in ("(", "!")), len(words)
    )
    status = 0
    try:
        expression = Expression(p, words[at:])
    except (FindProblem, BadPattern) as problem:
        return p.complain(str(problem))
    except Refusal as refusal:
        return p.complain(f"‘{words[-1]}’: {refusal}")
    for start in words[:at] or ["."]:
        node = p.find(start, follow=False)
        if node is None:
            status = p.complain(f"‘{start}’: No such file or directory")
            continue
        yield from _walked(expression, Found(start, node, 0, start))
    yield from expression.finish()
    return status or expression.status


def _walked(expression: Expression, found: Found) -> Generator[float, None, None]:
    if expression.stopped:
        return
    yield NOW
    if not expression.depth_first and found.depth >= expression.least:
        yield from _shown(expression, found)
    if found.node.is_directory and found.depth < expression.deepest and not found.pruned:
        for child in _children(expression, found):
            yield from _walked(expression, child)
    if expression.depth_first and found.depth >= expression.least and not expression.stopped:
        yield from _shown(expression, found)


def _shown(expression: Expression, found: Found) -> Generator[float, None, None]:
    if (yield from expression.ask(found)) and not expression.acts:
        expression.p.out(found.path + "\n")


def _children(expression: Expression, found: Found) -> list[Found]:
    p = expression.p
    try:
        names = p.files.names(p.user, p.path(found.path))
    except Refusal as refusal:
        expression.status = p.complain(f"‘{found.path}’: {refusal}")
        return []
    paths = [f"{found.path.rstrip('/')}/{name}" for name in names]
    return [Found(path, node, found.depth + 1, found.start) for path in paths if (node := p.find(path, follow=False))]


PROGRAMS: dict[str, Program] = {"find": find}
