"""Words of a Dockerfile: how a line is cut into them, and what `$name` in one becomes (R8.16).

    A="b c" D\\ E=f        two words: quotes and escapes hold a word together, and stay in it
    $v  ${v}               the value, or nothing
    ${v:-w}  ${v-w}        w when v is empty or unset; when it is unset
    ${v:+w}  ${v+w}        w when v is set and not empty; when it is set
    ${v:?w}  ${v?w}        refused, saying w, in the same two cases
    \\$v                    a dollar is a dollar; in single quotes everything is itself

Substitution takes the quotes away. It is the builder's, not the shell's: RUN, CMD and ENTRYPOINT go to the shell as
they are, and the shell replaces what it knows.

>>> substitute("${v:-w}/'$v'/\\\\$v", {"v": "x"})
'x/$v/$v'
"""

from __future__ import annotations

from collections.abc import Mapping

from imagelab.errors import ImageLabError


class SubstitutionError(ImageLabError):
    """`syntax error: missing '}'` and the like, in Docker's words."""


def split(text: str, escape: str = "\\") -> list[str]:
    """Words at spaces; quotes and escapes hold one together and stay in it."""
    words: list[str] = []
    word, quote, position, inside = "", "", 0, False
    while position < len(text):
        char = text[position]
        if not inside:
            position += char.isspace()
            inside = not char.isspace()
            continue
        if not quote and char.isspace():
            words.append(word)
            word, inside = "", False
        elif char == escape and quote != "'":
            # an escape at the very end says nothing
            word += text[position : position + 2] if position + 1 < len(text) else ""
            position += 1
        else:
            quote = "" if char == quote else (quote or (char if char in "'\"" else ""))
            word += char
        position += 1
    return [*words, word] if inside and word else words


def substitute(word: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """A word with its variables replaced and its quotes removed. SubstitutionError."""
    return _Lexer(word, values, escape).whole()[0]


def substitute_words(word: str, values: Mapping[str, str], escape: str = "\\") -> list[str]:
    """The same, but a value that holds spaces becomes several words, as EXPOSE has it."""
    return _Lexer(word, values, escape).whole()[1]


class _Lexer:
    """One word on its way. `_found` collects the text, `_words` the same cut at spaces outside quotes."""

    def __init__(self, text: str, values: Mapping[str, str], escape: str) -> None:
        self._text, self._values, self._escape = text, values, escape
        self._at = 0
        self._words: list[str] = []
        self._word: str | None = None

    def whole(self) -> tuple[str, list[str]]:
        text = self._until("")
        return text, [*self._words, *([self._word] if self._word is not None else [])]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _add(self, text: str, *, splits: bool) -> None:
        for char in text:
            if splits and char.isspace():
                self._words += [self._word] if self._word is not None else []
                self._word = None
            else:
                self._word = (self._word or "") + char

    def _until(self, stop: str) -> str:
        text = ""
        while (char := self._peek()) and char != stop:
            if char == "'":
                part = self._single()
                self._add(part, splits=False)
                self._word = self._word or ""
            elif char == '"':
                part = self._double()
                self._add(part, splits=False)
                self._word = self._word or ""
            elif char == "$":
                part = self._dollar()
                self._add(part, splits=True)
            elif char == self._escape:
                self._next()
                part = self._next()
                self._add(part, splits=False)
            else:
                part = self._next()
                self._add(part, splits=True)
            text += part
        if stop:
            if not self._peek():
                raise SubstitutionError(f"unexpected end of statement while looking for matching {stop}")
            self._next()
        return text

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise SubstitutionError("unexpected end of statement while looking for matching single-quote")
        text, self._at = self._text[self._at + 1 : end], end + 1
        return text

    def _double(self) -> str:
        self._next()
        text = ""
        while (char := self._peek()) != '"':
            if not char:
                raise SubstitutionError("unexpected end of statement while looking for matching double-quote")
            if char == "$":
                text += self._dollar()
                continue
            self._next()
            if char == self._escape and self._peek() in ('"', "$", self._escape, ""):
                char = self._next()
            text += char
        self._next()
        return text

    def _dollar(self) -> str:
        self._next()
        if self._peek() != "{":
            name = self._name()
            return self._values.get(name, "") if name else "$"
        self._next()
        if self._peek() and self._peek() in "{}:":
            raise SubstitutionError("syntax error: bad substitution")
        return self._braced(self._name())

    def _braced(self, name: str) -> str:
        char = self._next()
        if not char:
            raise SubstitutionError("syntax error: missing '}'")
        if char == "}":
            return self._values.get(name, "")
        shown, empty_counts = char, char == ":"
        if empty_counts:
            char = self._next()
            shown += char
        if char not in ("-", "+", "?"):
            raise SubstitutionError(f"unsupported modifier ({shown}) in substitution")
        outer = self._words, self._word
        try:
            word = self._until("}")
        except SubstitutionError:
            raise SubstitutionError("syntax error: missing '}'") from None
        self._words, self._word = outer
        value = self._values.get(name, "")
        absent = name not in self._values or (empty_counts and not value)
        if char == "?" and absent:
            raise SubstitutionError(f"{name}: {word or 'not allowed to be unset'}")
        return {"-": word if absent else value, "+": "" if absent else word, "?": value}[char]

    def _name(self) -> str:
        """A name; a digit or one of `@*#?-$!` alone is a name of its own, as in a shell."""
        name = ""
        while (char := self._peek()) and (char == "_" or char.isalnum()):
            if not name and char.isdigit():
                return self._next()
            name += self._next()
        if not name and self._peek() and self._peek() in "@*#":
            return self._next()
        return name
