"""A Dockerfile: text -> lines -> instructions, each with the lines it stands on.

    # escape=`                 a directive: only above everything else
    FROM ubuntu:14.04          one instruction a line; what follows the keyword is cut up by the keyword's own rule
    RUN apt-get update \\       a backslash at the end joins the next line
        # a comment            comments between joined lines are no part of it
        && apt-get install -y curl
    CMD ["nginx", "-g"]        a JSON list is the *exec* form; anything else goes to a shell

This module knows lines: comments, joining, directives, flags, words. What an instruction means is in
`dockerfile_instructions`; what `$name` becomes, in `dockerfile_words`. An error says what Docker says, and its hint
shows the line with a caret.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from imagelab.dockerfile.words import split
from imagelab.errors import ImageLabError

_DIRECTIVE = re.compile(r"^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_BLANKS = re.compile(r"[\t\v\f\r ]+")
_HEREDOC = re.compile(r"^(\d*)<<-?\s*(['\"]?)([^'\"<>\s]+)\2$")
_LONGEST = 65535
"""Bytes of one line of the file."""

JSON_OR_SHELL = ("cmd", "entrypoint", "run", "shell")
JSON_OR_WORDS = ("add", "copy", "volume")
PAIRS = ("env", "label")
ONE_TEXT = ("maintainer", "stopsignal", "user", "workdir")
NAMES = ("add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label", "maintainer",
         "onbuild", "run", "shell", "stopsignal", "user", "volume", "workdir")  # fmt: skip


class DockerfileError(ImageLabError):
    """The Dockerfile cannot be understood. `line` counts from 1; 0 when it is the file as a whole."""

    def __init__(self, message: str, *, line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction as it is written. `args` are its words by the keyword's own rule; `start`, `end` count from 1."""

    keyword: str
    """As typed."""
    flags: tuple[str, ...]
    args: tuple[str, ...]
    original: str
    """The joined line, as `Step 1/3 : …` shows it."""
    start: int
    end: int
    is_json: bool = False
    inner: Line | None = None
    """What an ONBUILD holds."""
    heredocs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The keyword in lower case."""
        return self.keyword.lower()


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A parsed file: its instructions in order, and what a builder warns of."""

    lines: tuple[Line, ...]
    escape: str = "\\"
    warnings: tuple[str, ...] = ()
    text: str = ""


def parse(data: bytes | str, name: str = "Dockerfile") -> Dockerfile:
    r"""Read a Dockerfile. DockerfileError, in Docker's words, with the line and a caret as its hint.

    >>> for line in parse('FROM ubuntu\nRUN apt-get update \\\n  && apt-get clean\nCMD ["nginx", "-t"]').lines:
    ...     print(line.start, line.end, line.keyword, line.args, line.is_json)
    1 1 FROM ('ubuntu',) False
    2 3 RUN ('apt-get update   && apt-get clean',) False
    4 4 CMD ('nginx', '-t') True
    """
    text = data if isinstance(data, str) else _decoded(data, name)
    if not text:
        raise DockerfileError(f"the Dockerfile ({name}) cannot be empty", hint="begin with FROM and an image's name")
    return _Reader(text, name).read()


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "not UTF-8"
        message = f"failed to parse {name}: line {line} is {encoding}"
        raise DockerfileError(message, line=line, hint="save the file as UTF-8") from None


def located(message: str, text: str, line: int, end: int = 0, *, at: str = "") -> DockerfileError:
    """An error that shows where: the line, and a caret below `at` (its first character when that is not in it)."""
    lines = text.split("\n")
    shown = lines[line - 1].rstrip("\r") if 0 < line <= len(lines) else ""
    lead = f"line {line}: " if end <= line else f"lines {line}-{end}: "
    column = max(shown.find(at), 0) if at else len(shown) - len(shown.lstrip())
    caret = " " * (len("hint: ") + len(lead) + column) + "^"
    return DockerfileError(message, line=line, hint=f"{lead}{shown}\n{caret}")


def parse_line(text: str, escape: str = "\\", start: int = 1, end: int = 1) -> Line:
    """One joined line. DockerfileError without a place: the caller knows it."""
    keyword, _, rest = _parted(text.strip())
    flags, rest = _flags(rest)
    rest = rest.strip()
    args, is_json, inner = _arguments(keyword.lower(), rest, escape)
    return Line(keyword, flags, args, text, start, end, is_json, inner)


def _parted(text: str) -> tuple[str, str, str]:
    blanks = _BLANKS.search(text)
    return (text[: blanks.start()], blanks[0], text[blanks.end() :]) if blanks else (text, "", "")


def _flags(rest: str) -> tuple[tuple[str, ...], str]:
    """`--chown=a:b --from=x file /` -> the flags, and what follows; a lone `--` ends them."""
    flags: list[str] = []
    while True:
        rest = rest.lstrip()
        if not rest.startswith("--"):
            return tuple(flags), rest
        word, rest = _flag(rest)
        if word == "--":
            return tuple(flags), rest
        flags.append(word)


def _flag(rest: str) -> tuple[str, str]:
    """The first word without its quotes and backslashes, and what follows."""
    word, quote, position = "", "", 0
    while position < len(rest) and (quote or not rest[position].isspace()):
        char = rest[position]
        if char == "\\":
            position += 1
            word += rest[position : position + 1]
        elif char == quote or (not quote and char in "'\""):
            quote = "" if quote else char
        else:
            word += char
        position += 1
    return word, rest[position:]


def _arguments(name: str, rest: str, escape: str) -> tuple[tuple[str, ...], bool, Line | None]:
    if name in JSON_OR_SHELL or name in JSON_OR_WORDS:
        listed = json_list(rest)
        if listed is not None:
            return tuple(listed), True, None
        return (((rest,) if rest else ()) if name in JSON_OR_SHELL else _by_blanks(rest)), False, None
    if name in PAIRS:
        return _pairs(rest, name.upper(), escape), False, None
    if name == "arg":
        return tuple(split(rest, escape)), False, None
    if name == "onbuild":
        inner = parse_line(rest, escape) if rest else None
        return ((inner.keyword, *inner.args) if inner else ()), False, inner
    if name == "healthcheck":
        return _healthcheck(rest)
    if name in ONE_TEXT:
        return ((rest,) if rest else ()), False, None
    return _by_blanks(rest), False, None


def _by_blanks(rest: str) -> tuple[str, ...]:
    return tuple(word for word in _BLANKS.split(rest) if word)


def json_list(text: str) -> list[str] | None:
    """A JSON list of strings; None when it is no list. DockerfileError when there is anything but strings in it.

    What follows the list is not looked at, as Docker's parser does not.
    """
    if not text.startswith("["):
        return None
    try:
        items, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None
    if not all(isinstance(item, str) for item in items):
        raise DockerfileError("when using JSON array syntax, arrays must be comprised of strings only")
    return list(items)


def _pairs(rest: str, name: str, escape: str) -> tuple[str, ...]:
    """`A=b C="d e"`, or the old `A some text`: keys and values in turn, quotes still on them."""
    words = split(rest, escape)
    if not words:
        return ()
    if "=" not in words[0]:
        key, blank, value = _parted(rest)
        if not blank:
            raise DockerfileError(f"{name} must have two arguments")
        return key, value
    for word in words:
        if "=" not in word:
            raise DockerfileError(
                f"Syntax error - can't find = in {json.dumps(word, ensure_ascii=False)}. Must be of the form: name=value"
            )
    return tuple(part for word in words for part in (word.partition("=")[0], word.partition("=")[2]))


def _healthcheck(rest: str) -> tuple[tuple[str, ...], bool, None]:
    kind, _, after = _parted(rest)
    listed = json_list(after)
    if listed is not None:
        return (kind, *listed), True, None
    return tuple(part for part in (kind, after) if part), False, None


class _Reader:
    """The file, line by line."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name
        self._raw = text.removesuffix("\n").split("\n")
        self._at = 0
        self._escape = "\\"
        self._seen: set[str] = set()
        self._may_direct = True

    def read(self) -> Dockerfile:
        lines: list[Line] = []
        warnings: list[str] = []
        while self._at < len(self._raw):
            start = self._at + 1
            self._directive(self._raw[self._at].strip())
            joined, has_gap = self._joined()
            if not joined.strip():
                continue
            if has_gap:
                warnings.append(f"Empty continuation line found in:\n    {joined}")
            lines.append(self._line(joined, start))
        if not lines:
            raise DockerfileError(
                f"failed to parse {self._name}: file with no instructions", hint="begin with FROM and an image's name"
            )
        warnings += ["Empty continuation lines will become errors in a future release."] if warnings else []
        return Dockerfile(tuple(lines), self._escape, tuple(warnings), self._text)

    def _line(self, joined: str, start: int) -> Line:
        try:
            line = parse_line(joined, self._escape, start, self._at)
        except DockerfileError as error:
            raise located(f"failed to parse {self._name}: {error}", self._text, start, self._at) from None
        holder = line.inner if line.name == "onbuild" and line.inner else line
        if holder.name not in ("run", "copy", "add"):
            return line
        delimiters = tuple(match[3] for word in joined.split() if (match := _HEREDOC.match(word)))
        if not delimiters:
            return line
        self._skip_documents(delimiters)
        return Line(
            line.keyword, line.flags, line.args, line.original, start, self._at, line.is_json, line.inner, delimiters
        )

    def _skip_documents(self, names: tuple[str, ...]) -> None:
        for name in names:
            while self._at < len(self._raw) and self._raw[self._at].strip() != name:
                self._at += 1
            self._at += 1

    def _joined(self) -> tuple[str, bool]:
        """The next line with those it continues on, and whether an empty one was among them."""
        text, goes_on = self._cut(self._taken().lstrip())
        if text.startswith("#"):
            return "", False
        has_gap = False
        while goes_on and self._at < len(self._raw):
            raw = self._taken()
            if raw.lstrip().startswith("#"):
                continue
            if not raw.strip():
                has_gap = True
                continue
            more, goes_on = self._cut(raw)
            text += more
        return text, has_gap

    def _taken(self) -> str:
        raw = self._raw[self._at].removesuffix("\r")
        self._at += 1
        if len(raw) > _LONGEST:
            raise DockerfileError(
                f"failed to parse {self._name}: dockerfile line greater than max allowed size of {_LONGEST}"
            )
        return raw

    def _cut(self, text: str) -> tuple[str, bool]:
        """A line without its continuation mark; was there one? A comment has none, and two escapes are no mark."""
        if text.startswith("#"):
            return text, False
        bare = text.rstrip(" \t")
        if not bare.endswith(self._escape) or bare.endswith(self._escape * 2):
            return text, False
        return bare[:-1], True

    def _directive(self, text: str) -> None:
        directive = _DIRECTIVE.match(text) if self._may_direct else None
        if directive is None or directive[1].lower() not in ("escape", "syntax", "check"):
            self._may_direct = False
            return
        key = directive[1].lower()
        if key in self._seen:
            raise located(
                f"failed to parse {self._name}: only one {key} parser directive can be used", self._text, self._at + 1
            )
        self._seen.add(key)
        if key == "escape":
            if directive[2] not in ("\\", "`"):
                raise located(
                    f"failed to parse {self._name}: invalid escape token '{directive[2]}' does not match ` or \\",
                    self._text,
                    self._at + 1,
                    at=directive[2],
                )
            self._escape = directive[2]
