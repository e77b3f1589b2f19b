"""Text -> commands: the grammar of the shell (POSIX.1-2017, 2.10), by recursive descent over the characters.

The shell has no separate lexer: whether `}` ends something, or `2` is a descriptor, or `case` is a keyword depends on
where it stands. So one class walks the text, and each method reads one thing of the grammar.

A script is read *line by line*, as a shell does: what stands before a syntax error has already run when the error is
found. `Parser.next()` gives the commands of one line; `Incomplete` says that the text ends in the middle of something,
upon which an interactive shell asks for more (`> `).

>>> Parser("echo $((1 + 2)) | cat").next()[0].items[0][1].commands[1].words[0].literal
'cat'
"""

from __future__ import annotations

import re

from imagelab.runtime.shell.syntax import (
    AndOr,
    Calculation,
    Case,
    Command,
    Condition,
    For,
    FunctionDefinition,
    Group,
    If,
    Pipeline,
    Redirection,
    Script,
    Simple,
    Subshell,
    Text,
    While,
    Word,
)
from imagelab.runtime.shell.words import EVERYTHING_ENDS, KEYWORDS, SyntaxProblem, WordReader

OPENING = {"if", "for", "while", "until", "case", "{", "!"}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Parser(WordReader):
    """`bash`: with what bash adds to the language."""

    def next(self) -> Script | None:
        """The commands of the next line that has any; None at the end. SyntaxProblem."""
        self._blank_lines()
        if self._at >= len(self.text):
            return None
        script = self._line()
        if self._at < len(self.text) and not self._take("\n"):
            raise self._unexpected()
        return script

    # -- lists ----------------------------------------------------------------------------------------------

    def _line(self) -> Script:
        """and-or lists up to the end of the line."""
        script: Script = []
        while True:
            script.append(self._and_or())
            if not (self._take(";") or script[-1].background):
                return script
            if self._operator() == "\n" or self._at >= len(self.text):
                return script
            if self._operator() == ")" or self._peek_word() in KEYWORDS - OPENING:
                return script

    def _list(self, *ends: str) -> Script:
        """Lines up to a keyword or operator of `ends`, which stays."""
        script: Script = []
        while True:
            self._blank_lines()
            if self._peek_word() in ends or self._operator() in ends:
                break
            if self._at >= len(self.text):
                raise self._unexpected(ends[-1])
            script += self._line()
            if self._operator() != "\n" and self._operator() not in ends and self._peek_word() not in ends:
                raise self._unexpected("" if len(ends) > 1 else ends[-1])
        if not script:
            raise self._unexpected()
        return script

    def _and_or(self) -> AndOr:
        line = self._number
        items = [("", self._pipeline())]
        while (operator := self._operator()) in ("&&", "||"):
            self._take(operator)
            self._blank_lines()
            items.append((operator, self._pipeline()))
        return AndOr(items, self._take("&"), line)

    def _pipeline(self) -> Pipeline:
        negated = self._keyword("!")
        commands = [self._command()]
        while self._take("|"):
            self._blank_lines()
            commands.append(self._command())
        return Pipeline(commands, negated)

    # -- commands -------------------------------------------------------------------------------------------

    def _command(self) -> Command:
        compound = self._compound()
        if compound is None:
            return self._simple()
        while (redirection := self._redirection()) is not None:
            compound.redirections.append(redirection)
        return compound

    def _compound(self) -> Command | None:
        word = self._peek_word()
        if self.bash and self.text.startswith("((", self._at) and self._closing_pair(self._at + 2) is not None:
            return Calculation(self._expression("(("))
        if self._take("("):
            body = self._list(")")
            self._take(")")
            return Subshell(body)
        readers = {"{": self._group, "if": self._if, "for": self._for, "while": self._while, "until": self._while, "case": self._case}  # fmt: skip
        if self.bash:
            readers |= {"[[": self._condition}
        if word in readers:
            self._at += len(word)
            return readers[word](word)
        if word in KEYWORDS:
            raise self._unexpected()
        if match := re.compile(NAME.pattern + r"[ \t]*\([ \t]*\)").match(self.text, self._at):
            self._at = match.end()
            return self._function(match[0].rstrip("() \t"))
        return None

    def _group(self, _: str) -> Command:
        body = self._list("}")
        self._expect("}")
        return Group(body)

    def _if(self, _: str) -> Command:
        branches: list[tuple[Script | None, Script]] = []
        while True:
            condition = self._list("then")
            self._expect("then")
            branches.append((condition, self._list("elif", "else", "fi")))
            if self._keyword("elif"):
                continue
            if self._keyword("else"):
                branches.append((None, self._list("fi")))
            self._expect("fi")
            return If(branches)

    def _while(self, word: str) -> Command:
        condition = self._list("do")
        return While(condition, self._do(), word == "until")

    def _do(self) -> Script:
        self._expect("do")
        body = self._list("done")
        self._expect("done")
        return body

    def _for(self, _: str) -> Command:
        self._skip()
        match = NAME.match(self.text, self._at)
        if not match:
            raise SyntaxProblem("Syntax error: Bad for loop variable", self._number, self._peek_word())
        self._at = match.end()
        words: list[Word] | None = None
        self._blank_lines()
        if self._keyword("in"):
            words = self._words()
            if not (self._take(";") or self._operator() == "\n"):
                raise self._unexpected()
        else:
            self._take(";")
        return For(match[0], words, self._do())

    def _case(self, _: str) -> Command:
        word = self._needed_word()
        self._expect("in")
        items: list[tuple[list[Word], Script]] = []
        while True:
            self._blank_lines()
            if self._keyword("esac"):
                return Case(word, items)
            self._take("(")
            patterns = [self._needed_word()]
            while self._take("|"):
                patterns.append(self._needed_word())
            if not self._take(")"):
                raise self._unexpected(")")
            self._blank_lines()
            body = [] if self._operator() == ";;" or self._peek_word() == "esac" else self._list("esac", ";;")
            items.append((patterns, body))
            if not self._take(";;") and self._peek_word() != "esac":
                raise self._unexpected(";;")

    def _function(self, name: str) -> Command:
        self._blank_lines()
        return FunctionDefinition(name, self._command())

    def _condition(self, _: str) -> Command:
        items: list[Word | str] = []
        while True:
            self._blank_lines()
            operator = self._operator()
            if self._keyword("]]"):
                return Condition(items)
            if operator in ("(", ")", "&&", "||", "<", ">"):
                self._take(operator)
                items.append(operator)
            elif self._keyword("!"):
                items.append("!")
            else:
                after_match = bool(items) and isinstance(items[-1], Word) and items[-1].literal == "=~"
                items.append(self._word(" \t\n" if after_match else EVERYTHING_ENDS) or self._needed_word())

    def _simple(self) -> Simple:
        command = Simple(line=self._number)
        while True:
            redirection = self._redirection()
            if redirection is not None:
                command.redirections.append(redirection)
                continue
            match = None if command.words else re.compile(NAME.pattern + r"\+?=").match(self.text, self._at)
            if match:
                self._at = match.end()
                command.assignments.append((match[0][:-1], Word(self._parts(EVERYTHING_ENDS))))
            elif (word := self._word()) is not None:
                command.words.append(word)
            elif command.words or command.assignments or command.redirections:
                return command
            else:
                raise self._unexpected()

    def _words(self) -> list[Word]:
        words = []
        while (word := self._word()) is not None:
            words.append(word)
        return words

    def _needed_word(self) -> Word:
        word = self._word()
        if word is None:
            raise self._unexpected()
        return word

    # -- redirections ---------------------------------------------------------------------------------------

    def _redirection(self) -> Redirection | None:
        self._skip()
        match = re.compile(r"(\d*)(<<<|<<-|<<|<&|<>|<|&>|>>|>&|>\||>)").match(self.text, self._at)
        if not match or (match[2] in ("<<<", "&>") and not self.bash) or (match[2][0] == "&" and match[1]):
            return None
        self._at = match.end()
        operator = match[2]
        fd = int(match[1]) if match[1] else (0 if operator[0] == "<" else 1)
        word = self._needed_word()
        redirection = Redirection(fd, operator, word)
        if operator in ("<<", "<<-"):
            quoted = word.literal is None
            redirection.end = "".join(part.text for part in word.parts if isinstance(part, Text))
            redirection.word = Word([Text("", quoted)])
            self._heredocs.append(redirection)
        return redirection

    def _read_heredocs(self) -> None:
        """The text of the here-documents of the line that has just ended."""
        while self._heredocs:
            redirection = self._heredocs.pop(0)
            first = redirection.word.parts[0]
            quoted = isinstance(first, Text) and first.quoted
            lines = []
            while self._at < len(self.text):
                end = self.text.find("\n", self._at)
                end = len(self.text) if end < 0 else end
                line, self._at = self.text[self._at : end], min(end + 1, len(self.text))
                line = line.lstrip("\t") if redirection.operator == "<<-" else line
                if line == redirection.end:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            redirection.word = Word([Text(body, True)]) if quoted else self._inner(body).heredoc()

    def heredoc(self) -> Word:
        """The whole text as the body of a here-document: expansions, but no quotes."""
        return Word(self._double_quoted("", here=True))
