"""`.dockerignore`: which files of a folder are no part of the build context (R8.24-R8.27).

    # a comment            only in the first column
    *.md                   at the root of the context, nowhere below
    **/*.md                anywhere
    docs                   a directory: all below it as well
    !docs/README.md        an exception: the last line that matches wins

A pattern is Go's `filepath.Match` over one path, anchored at the context's root, and `**` for any number of directories.

>>> Ignore.parse("**/*.md\\n!README.md").ignores("docs/a.md"), Ignore.parse("**/*.md\\n!README.md").ignores("README.md")
(True, False)
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

from imagelab.errors import ImageLabError


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line. `is_exception`: it began with `!`."""

    text: str
    is_exception: bool
    regex: re.Pattern[str]

    def covers(self, path: str) -> bool:
        """Does it match the path, or a directory above it?"""
        return any(self.regex.match(above) for above in _and_above(path))


@dataclass(frozen=True, slots=True)
class Ignore:
    """The patterns of a file, in its order."""

    patterns: tuple[Pattern, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Ignore:
        """Read a `.dockerignore`. ImageLabError for a pattern that is none."""
        return cls(tuple(_pattern(line) for line in _lines(text)))

    def without(self, names: Iterable[str]) -> Ignore:
        """The same with these files let through: the Dockerfile and `.dockerignore` are always sent (R8.26)."""
        exceptions = tuple(_pattern(f"!{name}") for name in names if self.ignores(name))
        return Ignore(self.patterns + exceptions)

    def ignores(self, path: str) -> bool:
        r"""Is this path left out? The last line that matches says so.

        >>> ignore = Ignore.parse("docs\n!docs/README.md\n*.log")
        >>> [path for path in ("docs/a.md", "docs/README.md", "x.log", "src/x.log") if ignore.ignores(path)]
        ['docs/a.md', 'x.log']
        """
        for pattern in reversed(self.patterns):
            if pattern.covers(path):
                return not pattern.is_exception
        return False

    def may_skip(self, directory: str) -> bool:
        """Is all below an ignored directory ignored, so that it need not be looked into? Not where an exception may lie in it."""
        return not any(pattern.is_exception and _may_reach(pattern.text, directory) for pattern in self.patterns)


def _lines(text: str) -> list[str]:
    patterns = []
    for raw in text.removeprefix("\ufeff").split("\n"):
        line = raw.removesuffix("\r")
        if line.startswith("#") or not (line := line.strip()):
            continue
        mark, line = ("!", line[1:].strip()) if line.startswith("!") else ("", line)
        if not line and mark:
            raise ImageLabError('illegal exclusion pattern: "!"', origin="client", hint="write the path after the !")
        clean = posixpath.normpath(line).lstrip("/") if line else ""
        if clean not in ("", "."):
            patterns.append(mark + clean)
    return patterns


def _pattern(line: str) -> Pattern:
    text = line.removeprefix("!")
    return Pattern(text, line.startswith("!"), re.compile(_translated(text), re.DOTALL))


def _translated(pattern: str) -> str:
    """As moby/patternmatcher makes a regular expression of a pattern."""
    out, position = "", 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*" and pattern[position : position + 1] == "*":
            position += 1
            position += pattern[position : position + 1] == "/"
            out += ".*" if position >= len(pattern) else "(?:.*/)?"
        elif char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "\\":
            if position >= len(pattern):
                raise _bad(pattern)
            out, position = out + re.escape(pattern[position]), position + 1
        elif char == "[":
            end = pattern.find("]", position + 1)
            if end < 0:
                raise _bad(pattern)
            out, position = out + _set(pattern[position:end]), end + 1
        else:
            out += re.escape(char)
    return out + r"\Z"


def _set(body: str) -> str:
    lead, body = ("^", body[1:]) if body.startswith("^") else ("", body)
    return "[" + lead + re.sub(r"([\[\]&~|^])", r"\\\1", body) + "]"


def _bad(pattern: str) -> ImageLabError:
    return ImageLabError(
        f"error checking context: syntax error in pattern: {pattern}",
        origin="client",
        hint="a [ or \\ without its end, in .dockerignore",
    )


def _and_above(path: str) -> list[str]:
    steps = path.split("/")
    return ["/".join(steps[:count]) for count in range(len(steps), 0, -1)]


def _may_reach(pattern: str, directory: str) -> bool:
    """May a path below the directory match the pattern, as far as its fixed beginning tells?"""
    fixed = re.split(r"[*?\[\\]", pattern, maxsplit=1)[0]
    return f"{directory}/".startswith(fixed) or fixed.startswith(f"{directory}/") or fixed == directory
