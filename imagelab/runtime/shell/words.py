"""The words of a script: quotes, escapes, and everything that begins with a dollar sign.

    a'b'"c$d"  ->  Text a, Text b (quoted), Text c (quoted), Parameter d (quoted)

Quotes do two things, and only here: they keep characters from meaning something, and they keep what an expansion
yields in one piece. Both are remembered on the part (`quoted`), and the quotes themselves are gone.
"""

from __future__ import annotations

import re
from typing import Self

from imagelab.runtime.shell.syntax import Arithmetic, Parameter, Part, Redirection, Script, Substitution, Text, Word

KEYWORDS = {"if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "{", "}", "!"}
PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]|[@*#?$!-]")
OPERATORS = ("<<<", "<<-", "&&", "||", ";;", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "&", "|", ";", "<", ">", "(", ")", "\n")  # fmt: skip
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v", "\\": "\\", "'": "'", '"': '"', "?": "?"}  # fmt: skip
EVERYTHING_ENDS = " \t\n;&|<>()"


class SyntaxProblem(Exception):
    """The text is no script. `str()` as dash says it, `near` the token as bash names it."""

    def __init__(self, message: str, line: int, near: str = "") -> None:
        super().__init__(message)
        self.line, self.near = line, near


class Incomplete(SyntaxProblem):
    """The text ends too early."""


class WordReader:
    """Walks a text and reads words. `bash`: with what bash adds to the language."""

    def __init__(self, text: str, *, bash: bool = False, line: int = 1) -> None:
        self.text, self.bash = text, bash
        self._at, self._first_line = 0, line
        self._heredocs: list[Redirection] = []

    def next(self) -> Script | None:
        raise NotImplementedError

    def _list(self, *ends: str) -> Script:
        raise NotImplementedError

    def _read_heredocs(self) -> None:
        raise NotImplementedError

    def _inner(self, text: str) -> Self:
        return type(self)(text, bash=self.bash, line=self._number)

    # -- characters and operators ---------------------------------------------------------------------------

    @property
    def _number(self) -> int:
        return self._first_line + self.text.count("\n", 0, self._at)

    def _unexpected(self, expecting: str = "") -> SyntaxProblem:
        token = self._operator() or self._peek_word()
        expected = f' (expecting "{expecting}")' if expecting else ""
        if not token:
            return Incomplete(f"Syntax error: end of file unexpected{expected}", self._number)
        shown = {"\n": "newline"}.get(token, f'"{token}"' if token in KEYWORDS or token in OPERATORS else "word")
        near = token.replace("\n", "newline")
        return SyntaxProblem(f"Syntax error: {shown} unexpected{expected}", self._number, near)

    def _skip(self) -> None:
        """Blanks, continued lines and comments."""
        while True:
            while self.text.startswith((" ", "\t"), self._at):
                self._at += 1
            if self.text.startswith("\\\n", self._at):
                self._at += 2
            elif self.text.startswith("#", self._at):
                end = self.text.find("\n", self._at)
                self._at = len(self.text) if end < 0 else end
            else:
                return

    def _blank_lines(self) -> None:
        self._skip()
        while self._take("\n"):
            self._skip()

    def _operator(self) -> str:
        self._skip()
        for operator in OPERATORS:
            known = self.bash or operator not in ("<<<", "&>")
            if known and self.text.startswith(operator, self._at):
                return operator
        return ""

    def _take(self, operator: str) -> bool:
        if self._operator() != operator:
            return False
        self._at += len(operator)
        if operator == "\n":
            self._read_heredocs()
        return True

    def _peek_word(self) -> str:
        """The bare word that comes, or ""."""
        self._skip()
        match = re.compile(r"[^\s;&|<>()'\"\\$`]+").match(self.text, self._at)
        if not match:
            return "" if self._at >= len(self.text) else self.text[self._at]
        end = match.end()
        whole = end >= len(self.text) or self.text[end] in EVERYTHING_ENDS
        return match[0] if whole else match[0] + "…"

    def _keyword(self, word: str) -> bool:
        if self._peek_word() != word:
            return False
        self._at += len(word)
        return True

    def _expect(self, word: str) -> None:
        self._blank_lines()
        if not self._keyword(word):
            raise self._unexpected(word)

    # -- words ----------------------------------------------------------------------------------------------

    def _word(self, ends: str = EVERYTHING_ENDS) -> Word | None:
        self._skip()
        start = self._at
        parts = self._parts(ends)
        return Word(parts) if self._at > start else None

    def _parts(self, ends: str) -> list[Part]:
        """Parts of an unquoted word, up to a character of `ends`."""
        parts: list[Part] = []
        plain = re.compile(rf"[^\\'\"$`{re.escape(ends)}]+")
        while self._at < len(self.text) and (char := self.text[self._at]) not in ends:
            if match := plain.match(self.text, self._at):
                self._at = match.end()
                parts.append(Text(match[0]))
            elif char == "\\":
                parts += self._backslash()
            elif char == "'":
                parts.append(Text(self._until("'"), True))
            elif char == '"':
                self._at += 1
                inside = self._double_quoted('"')
                parts += inside if Parameter("@", quoted=True) in inside else [*inside, Text("", True)]
                self._at += 1
            else:
                parts.append(self._dollar(quoted=False))
        return parts

    def _backslash(self) -> list[Part]:
        escaped = self.text[self._at + 1 : self._at + 2]
        self._at += 2
        return [] if escaped == "\n" else [Text(escaped or "\\", True)]

    def _until(self, quote: str) -> str:
        end = self.text.find(quote, self._at + 1)
        if end < 0:
            raise Incomplete("Syntax error: Unterminated quoted string", self._number)
        inside, self._at = self.text[self._at + 1 : end], end + 1
        return inside

    def _double_quoted(self, end: str, *, here: bool = False) -> list[Part]:
        """Up to an unescaped `end`, which stays; quotes mean nothing but that. In `${x:-…}` the end is `}`."""
        parts: list[Part] = []
        while True:
            if self._at >= len(self.text):
                if end:
                    raise Incomplete("Syntax error: Unterminated quoted string", self._number)
                return parts
            char = self.text[self._at]
            if end and self.text.startswith(end, self._at):
                return parts
            if char in "$`":
                parts.append(self._dollar(quoted=True))
            elif char == '"' and end == "}":  # quotes in quotes: "${x:-"a b"}"
                self._at += 1
                parts += self._double_quoted('"')
                self._at += 1
            elif char == "\\" and self.text[self._at + 1 : self._at + 2] in ("$", "`", "\\", "\n", "}" if end == "}" else "", "" if here else '"'):  # fmt: skip
                escaped = self.text[self._at + 1 : self._at + 2]
                parts.append(Text("" if escaped == "\n" else escaped or "\\", True))
                self._at += 2
            else:
                match = re.compile(r'[^\\$`"})]+').match(self.text, self._at)
                text = match[0] if match else char
                self._at += len(text)
                parts.append(Text(text, True))

    # -- $ --------------------------------------------------------------------------------------------------

    def _dollar(self, *, quoted: bool) -> Part:
        if self.text[self._at] == "`":
            return Substitution(self._backquoted(quoted=quoted), quoted)
        follows = self.text[self._at + 1 : self._at + 2]
        if self.text.startswith("$((", self._at) and self._closing_pair(self._at + 3) is not None:
            return Arithmetic(self._expression("$(("), quoted)
        if follows == "(":
            self._at += 2
            saved, self._heredocs = self._heredocs, []
            self._blank_lines()
            body = [] if self._operator() == ")" else self._list(")")
            self._take(")")
            self._heredocs = saved
            return Substitution(body, quoted)
        if follows == "{":
            self._at += 2
            return self._braces(quoted=quoted)
        if self.bash and follows == "'" and not quoted:
            return Text(self._ansi_quoted(), True)
        match = PARAMETER.match(self.text, self._at + 1)
        self._at = match.end() if match else self._at + 1
        return Parameter(match[0], quoted=quoted) if match else Text("$", True)

    def _backquoted(self, *, quoted: bool) -> Script:
        match = re.compile(r"`((?:[^`\\]|\\.)*)`", re.S).match(self.text, self._at)
        if not match:
            raise Incomplete("Syntax error: EOF in backquote substitution", self._number)
        inside = re.sub(r"\\([$`\\\"])" if quoted else r"\\([$`\\])", r"\1", match[1])
        inner = self._inner(inside)
        self._at = match.end()
        script: Script = []
        while (line := inner.next()) is not None:
            script += line
        return script

    def _closing_pair(self, position: int) -> int | None:
        """Where the `))` is that closes an expression which begins at `at`; None when it is no expression."""
        depth = 0
        while position < len(self.text):
            char = self.text[position]
            if char == "(":
                depth += 1
            elif char == ")" and depth:
                depth -= 1
            elif char == ")":
                return position if self.text.startswith("))", position) else None
            position += 1
        return None

    def _expression(self, opening: str) -> Word:
        self._at += len(opening)
        end = self._closing_pair(self._at)
        assert end is not None  # the caller has looked
        inner = self._inner(self.text[self._at : end])
        self._at = end + 2
        return Word(inner._double_quoted("", here=True))

    def _braces(self, *, quoted: bool) -> Parameter:
        if match := re.compile(r"#(\w+|[@*?$!-])\}").match(self.text, self._at):
            self._at = match.end()
            return Parameter(match[1], "length", quoted=quoted)
        match = re.compile(r"[A-Za-z_]\w*|\d+|[@*#?$!-]").match(self.text, self._at)
        if not match:
            raise self._bad_substitution()
        self._at = match.end()
        operator = re.compile(r":?[-=?+]|%%?|##?|(?=\})" + (r"|//?|:" if self.bash else "")).match(self.text, self._at)
        if not operator:
            raise self._bad_substitution()
        self._at = operator.end()
        parameter = Parameter(match[0], operator[0], quoted=quoted)
        if operator[0]:
            between = operator[0][0] if operator[0] in (":", "/", "//") else ""
            parameter.word = self._operand(between + "}", quoted=quoted and not between and operator[0][0] not in "%#")
            if self.text[self._at] == between:
                self._at += 1
                parameter.more = self._operand("}", quoted=False)
        self._at += 1
        return parameter

    def _operand(self, ends: str, *, quoted: bool) -> Word:
        word = Word(self._double_quoted("}") if quoted else self._parts(ends))
        if self._at >= len(self.text):
            raise Incomplete('Syntax error: Missing "}"', self._number)
        return word

    def _bad_substitution(self) -> SyntaxProblem:
        if self._at >= len(self.text):
            return Incomplete('Syntax error: Missing "}"', self._number)
        return SyntaxProblem("Bad substitution", self._number, "${")

    def _ansi_quoted(self) -> str:
        """bash's `$'…'`: escapes as in C."""
        match = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.S).match(self.text, self._at)
        if not match:
            raise Incomplete("Syntax error: Unterminated quoted string", self._number)
        self._at = match.end()
        return unescape(match[1], r"[0-7]{1,3}")


def unescape(text: str, octal: str) -> str:
    """Backslash escapes as in C, with `octal` as the form of an octal one; bytes beyond ASCII are put together."""

    def one(match: re.Match[str]) -> str:
        body = match[1]
        if body[0] in "xuU" and len(body) > 1:
            number = int(body[1:], 16)
            return chr(number) if body[0] in "uU" else bytes([number]).decode("utf-8", "surrogateescape")
        if body[0].isdigit():
            return bytes([int(body, 8) & 255]).decode("utf-8", "surrogateescape")
        return ESCAPES.get(body, "\\" + body)

    done = re.sub(rf"\\(x[0-9a-fA-F]{{1,2}}|u[0-9a-fA-F]{{1,4}}|U[0-9a-fA-F]{{1,8}}|{octal}|.)", one, text, flags=re.S)
    return done.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
