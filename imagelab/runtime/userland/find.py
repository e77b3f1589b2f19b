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
from imagelab.runtime.execution import NotExecutable, run
from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import NOW, Process, Program, Steps
from imagelab.runtime.shell.patterns import matches
from imagelab.runtime.userland.accounts import group_number, user_number
from imagelab.runtime.userland.files import changed_mode
from imagelab.runtime.userland.listing import LETTERS, shown_size

Asking = Generator[float, None, bool]


class FindProblem(Exception):
    """An expression `find` does not know, in its own words."""


@dataclass
class FoundFile:
    """What the walk has come to."""

    path: str
    node: Node
    depth: int
    pruned: bool = False

    @property
    def name(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2] or "/"


Question = Callable[[FoundFile], Asking]
Test = Callable[[FoundFile], bool]


class Expression:
    """Reads the words of an expression; `ask` is what becomes of them."""

    def __init__(self, p: Process, words: list[str]) -> None:
        self.p, self._words, self._at = p, words, 0
        self.deepest, self.least, self.depth_first, self.acts = 1 << 30, 0, False, False
        self.status = 0
        self.waiting: list[tuple[list[str], list[str]]] = []
        self.ask = self._either() if words else _plain(lambda file: True)
        if self._at < len(words):
            raise FindProblem("you have too many ')'")

    # -- reading --------------------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def _take(self, *words: str) -> bool:
        taken = self._at < len(self._words) and self._words[self._at] in words
        self._at += taken
        return taken

    def _argument(self, of: str) -> str:
        self._at += 1
        if self._at > len(self._words):
            raise FindProblem(f"missing argument to `{of}'")
        return self._words[self._at - 1]

    def _either(self) -> Question:
        first = self._both()
        while self._take("-o", "-or"):
            first = _joined(first, self._both(), until=True)
        return first

    def _both(self) -> Question:
        first = self._one()
        while self._peek() not in ("", "-o", "-or", ")", ","):
            self._take("-a", "-and")
            first = _joined(first, self._one(), until=False)
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
        if word == "-exec":
            return self._exec(word)
        if word in ("-print", "-print0", "-delete"):
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
            case "-name" | "-iname" | "-path":
                return self._named(word)
            case "-type":
                return self._typed()
            case "-size":
                return self._sized()
            case "-perm":
                return self._permitted()
            case "-user":
                uid = self._owner(word, user_number, "a known user")
                return lambda file: file.node.uid == uid
            case "-group":
                gid = self._owner(word, group_number, "an existing group")
                return lambda file: file.node.gid == gid
            case "-links":
                wanted = self._number(word)
                resolve = p.files.resolve
                return lambda file: wanted(p.files.links(resolve(p.user, p.path(file.path), follow=False), file.node))
            case "-prune":
                return self._prune
            case "-mtime":
                compared = self._number(word)
                return lambda file: compared((p.files.now() - file.node.mtime) // 86400)
            case "-newer":
                reference = p.stat(self._argument(word))
                return lambda file: file.node.mtime > reference.mtime
            case "-empty":
                return self._empty
            case "-maxdepth" | "-mindepth" | "-depth" | "-xdev":
                self._option(word)
                return lambda file: True
        start = word.startswith("-")
        raise FindProblem(f"unknown predicate `{word}'" if start else f"paths must precede expression: `{word}'")

    def _empty(self, file: FoundFile) -> bool:
        if file.node.is_directory:
            return next(iter(self.p.files.names(self.p.user, self.p.path(file.path))), None) is None
        return file.node.size == 0

    def _prune(self, file: FoundFile) -> bool:
        file.pruned = not self.depth_first
        return True

    def _option(self, word: str) -> None:
        if word in ("-depth", "-xdev"):
            self.depth_first = self.depth_first or word == "-depth"
            return
        asked = self._argument(word)
        if not asked.isdigit():
            raise FindProblem(f"Expected a positive decimal integer argument to {word}, but got ‘{asked}’")
        if word == "-maxdepth":
            self.deepest = int(asked)
        else:
            self.least = int(asked)

    def _named(self, word: str) -> Test:
        pattern = self._argument(word)
        if word == "-iname":
            return lambda file: matches(pattern.lower(), file.name.lower())
        return lambda file: matches(pattern, file.name if word == "-name" else file.path)

    def _typed(self) -> Test:
        kind = self._argument("-type")
        if kind not in ("b", "c", "d", "p", "f", "l", "s"):
            raise FindProblem(f"Unknown argument to -type: {kind}")
        return lambda file: LETTERS[file.node.kind].replace("-", "f") == kind

    def _sized(self) -> Test:
        asked = self._argument("-size")
        units = {"c": 1, "w": 2, "k": 1024, "M": 1 << 20, "G": 1 << 30, "b": 512, "": 512}
        match = re.fullmatch(r"([-+]?)(\d+)(.?)", asked)
        if not re.search(r"[\dcwkMGb]$", asked):
            raise FindProblem(f"invalid -size type `{asked[-1:]}'")
        if match is None:
            raise FindProblem(f"Invalid argument `{asked}' to -size")
        compared, unit = _compared(match[1], int(match[2])), units[match[3]]
        return lambda file: compared(-(-shown_size(file.node) // unit))

    def _permitted(self) -> Test:
        asked = self._argument("-perm")
        try:
            wanted = changed_mode(asked.removeprefix("-"), 0, directory=False)
        except ValueError:
            raise FindProblem(f"invalid mode ‘{asked}’") from None
        return lambda file: (file.node.mode & wanted if asked[0] == "-" else file.node.mode) == wanted

    def _owner(self, word: str, number: Callable[[Process, str], int | None], kind: str) -> int:
        name = self._argument(word)
        value = number(self.p, name)
        if value is None:
            raise FindProblem(f"‘{name}’ is not the name of {kind}")
        return value

    # -- acting ---------------------------------------------------------------------------------------------

    def _action(self, word: str) -> Test:
        self.acts = True
        self.depth_first = self.depth_first or word == "-delete"
        if word == "-delete":
            return self._delete
        end = "\n" if word == "-print" else "\0"

        def show(file: FoundFile) -> bool:
            self.p.out(file.path + end)
            return True

        return show

    def _delete(self, file: FoundFile) -> bool:
        try:
            remove = self.p.files.rmdir if file.node.is_directory else self.p.files.unlink
            remove(self.p.user, self.p.path(file.path))
        except Errno as error:
            self.status = self.p.complain(f"cannot delete '{file.path}': {error}")
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

            def keep(file: FoundFile) -> bool:
                paths.append(file.path)
                return True

            return _plain(keep)
        return lambda file: self._run([part.replace("{}", file.path) for part in words])

    def _run(self, command: list[str]) -> Asking:
        try:
            return (yield from run(self.p, command)) == 0
        except Errno as error:
            self.p.complain(f"‘{command[0]}’: {error}")
        except NotExecutable as problem:
            self.p.complain(str(problem))
        return False

    def finish(self) -> Generator[float, None, None]:
        """Run what `-exec … {} +` has gathered."""
        for command, paths in self.waiting:
            if paths and not (yield from self._run([*command, *paths])):
                self.status = 1


def _plain(test: Test) -> Question:
    def ask(file: FoundFile) -> Asking:
        return test(file)
        yield

    return ask


def _not(inner: Question) -> Question:
    def ask(file: FoundFile) -> Asking:
        return not (yield from inner(file))

    return ask


def _joined(first: Question, second: Question, *, until: bool) -> Question:
    """`-a` and `-o`: the second is only asked when the first has not settled it."""

    def ask(file: FoundFile) -> Asking:
        answer = yield from first(file)
        return answer if answer == until else (yield from second(file))

    return ask


def _compared(sign: str, number: int) -> Callable[[int], bool]:
    if sign == "+":
        return lambda value: value > number
    return (lambda value: value < number) if sign else (lambda value: value == number)


def find(p: Process) -> Steps:
    """`find [path…] [expression]`"""
    words = [word for word in p.args[1:] if word not in ("-L", "-H", "-P")]
    first = next((first for first, word in enumerate(words) if re.match(r"-.|[(!]\Z", word)), len(words))
    status = 0
    try:
        expression = Expression(p, words[first:])
    except FindProblem as problem:
        return p.complain(str(problem))
    except Errno as error:
        return p.complain(f"‘{words[-1]}’: {error}")
    for start in words[:first] or ["."]:
        node = p.find(start, follow=False)
        if node is None:
            status = p.complain(f"‘{start}’: No such file or directory")
            continue
        yield from _walked(expression, FoundFile(start, node, 0))
    yield from expression.finish()
    return status or expression.status


def _walked(expression: Expression, file: FoundFile) -> Generator[float, None, None]:
    yield NOW
    if not expression.depth_first and file.depth >= expression.least:
        yield from _shown(expression, file)
    if file.node.is_directory and file.depth < expression.deepest and not file.pruned:
        for child in _children(expression, file):
            yield from _walked(expression, child)
    if expression.depth_first and file.depth >= expression.least:
        yield from _shown(expression, file)


def _shown(expression: Expression, file: FoundFile) -> Generator[float, None, None]:
    if (yield from expression.ask(file)) and not expression.acts:
        expression.p.out(file.path + "\n")


def _children(expression: Expression, file: FoundFile) -> list[FoundFile]:
    p = expression.p
    try:
        names = p.files.names(p.user, p.path(file.path))
    except Errno as error:
        expression.status = p.complain(f"‘{file.path}’: {error}")
        return []
    paths = [f"{file.path.rstrip('/')}/{name}" for name in names]
    return [FoundFile(path, node, file.depth + 1) for path in paths if (node := p.find(path, follow=False))]


PROGRAMS: dict[str, Program] = {"find": find}
