"""awk's grammar: text -> nested tuples, whose first element says what they are."""

from __future__ import annotations

import re
from typing import Any

from imagelab.runtime.shell.words import unescape

Tree = tuple[Any, ...]
FUNCTIONS = {
    "length": (0, 1), "substr": (2, 3), "index": (2, 2), "split": (2, 3), "sub": (2, 3), "gsub": (2, 3), "match": (2, 2),
    "sprintf": (1, 999), "tolower": (1, 1), "toupper": (1, 1), "int": (1, 1), "sqrt": (1, 1), "exp": (1, 1), "log": (1, 1),
    "sin": (1, 1), "cos": (1, 1), "atan2": (2, 2), "rand": (0, 0), "srand": (0, 1), "close": (1, 1), "fflush": (0, 1), "system": (1, 1),
}  # fmt: skip
"""Built in, and how many arguments each takes."""
KEYWORDS = set(
    "BEGIN END if else while for do break continue next nextfile exit return delete in getline print printf function func".split()
)
_TOKEN = re.compile(r"""(?P<space>(?:[ \t\r]|\\\n|\#[^\n]*)+)|(?P<number>0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|(?P<name>[A-Za-z_]\w*)|"(?P<string>(?:[^"\\\n]|\\.)*)"|(?P<op>\*\*=|\*\*|&&|\|\||\+\+|--|[-+*/%^]=|==|<=|>=|!=|!~|>>|[-+*/%^!<>|?:~$=,;(){}\[\]\n])""", re.S)  # fmt: skip


class AwkProblem(Exception):
    """A program that is none, or that cannot go on."""


class Parser:
    """Recursive descent; a slash is a division or the beginning of an expression, by what stands before it."""

    def __init__(self, source: str) -> None:
        self._source, self._at, self._line = source, 0, 1
        self._kind, self._text, self._after_value = "", "", False
        self._no_in = self._no_greater = 0
        self._advance()

    def program(self) -> tuple[list[tuple[Any, Tree]], dict[str, Tree]]:
        rules: list[tuple[Any, Tree]] = []
        functions: dict[str, Tree] = {}
        self._ends()
        while self._kind:
            if self._text in ("function", "func") and self._kind == "name":
                self._advance()
                name = self._name()
                functions[name] = ("function", self._parameters(), self._block())
            else:
                rules.append(self._rule())
            self._ends()
        return rules, functions

    # -- tokens ---------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        self._after_value = self._kind in ("number", "string") or (self._kind == "name" and self._text not in KEYWORDS) or self._text in (")", "]", "$") or self._text in ("++", "--")  # fmt: skip
        while True:
            if self._at >= len(self._source):
                self._kind = self._text = ""
                return
            match = _TOKEN.match(self._source, self._at)
            if match is None:
                raise self._problem(self._source[self._at])
            self._at = match.end()
            if match.lastgroup != "space":
                break
        self._kind = match.lastgroup or ""
        self._text = match[self._kind]
        self._line += self._text == "\n"

    def _problem(self, near: str | None = None) -> AwkProblem:
        shown = (self._text if near is None else near).replace("\n", "newline") or "end of file"
        return AwkProblem(f"line {self._line}: syntax error at or near {shown}")

    def _take(self, *texts: str) -> str:
        if self._kind in ("op", "name") and self._text in texts and self._text:
            found = self._text
            self._advance()
            return found
        return ""

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._problem()

    def _name(self) -> str:
        if self._kind != "name" or self._text in KEYWORDS:
            raise self._problem()
        found = self._text
        self._advance()
        return found

    def _ends(self) -> None:
        while self._take("\n", ";"):
            pass

    def _newlines(self) -> None:
        while self._take("\n"):
            pass

    # -- rules and statements -------------------------------------------------------------------------------

    def _rule(self) -> tuple[Any, Tree]:
        pattern: Any = None
        if word := self._take("BEGIN", "END"):
            pattern = word
        elif self._text != "{" or self._kind != "op":
            pattern = self._expression()
            if self._take(","):
                self._newlines()
                pattern = ("range", pattern, self._expression())
        if self._text == "{" and self._kind == "op":
            return pattern, self._block()
        return pattern, ("print", [], "", None)

    def _parameters(self) -> list[str]:
        self._expect("(")
        names = []
        while not self._take(")"):
            names.append(self._name())
            self._take(",")
        self._newlines()
        return names

    def _block(self) -> Tree:
        self._expect("{")
        statements = []
        self._ends()
        while not self._take("}"):
            statements.append(self._statement())
            self._ends()
        return ("block", statements)

    def _statement(self) -> Tree:
        if self._kind == "op" and self._text == "{":
            return self._block()
        word = self._take("if", "while", "do", "for")
        if word:
            return {"if": self._if, "while": self._while, "do": self._do, "for": self._for}[word]()
        statement = self._simple()
        if not (self._take(";", "\n") or self._text == "}" or not self._kind):
            raise self._problem()
        return statement

    def _simple(self) -> Tree:
        word = self._take("print", "printf", "next", "nextfile", "exit", "break", "continue", "return", "delete")
        if word in ("print", "printf"):
            return self._print(word)
        if word == "delete":
            name = self._name()
            return ("delete", name, self._subscripts() if self._take("[") else None)
        if word:
            bare = self._text in (";", "\n", "}", "") and self._kind in ("op", "")
            return ("jump", word, None if bare else self._expression())
        return ("expression", self._expression())

    def _print(self, word: str) -> Tree:
        values: list[Tree] = []
        self._no_greater += 1
        if not (self._text in (";", "\n", "}", ">", ">>", "|", "") and self._kind in ("op", "")):
            values = self._grouped() if self._text == "(" and self._kind == "op" else [self._expression()]
            while self._take(","):
                self._newlines()
                values.append(self._expression())
        self._no_greater -= 1
        operator = self._take(">", ">>", "|")
        return (word, values, operator, self._concatenation() if operator else None)

    def _grouped(self) -> list[Tree]:
        """`print (a, b)` is a list, `print (a) b` an expression."""
        saved = self._at, self._kind, self._text, self._after_value, self._line
        depth, self._no_greater = self._no_greater, 0
        self._advance()
        found = [self._expression()]
        while self._take(","):
            found.append(self._expression())
        self._expect(")")
        self._no_greater = depth
        if len(found) > 1 and self._text in (";", "\n", "}", ">", ">>", "|", ""):
            return found
        self._at, self._kind, self._text, self._after_value, self._line = saved
        return [self._expression()]

    def _if(self) -> Tree:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        self._newlines()
        first = self._statement() if not self._take(";") else ("block", [])
        saved = self._at, self._kind, self._text, self._after_value, self._line
        self._ends()
        if self._take("else"):
            self._newlines()
            return ("if", condition, first, self._statement())
        self._at, self._kind, self._text, self._after_value, self._line = saved
        return ("if", condition, first, None)

    def _body(self) -> Tree:
        self._newlines()
        return ("block", []) if self._take(";") else self._statement()

    def _while(self) -> Tree:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        return ("loop", None, condition, None, self._body(), False)

    def _do(self) -> Tree:
        self._newlines()
        body = self._statement()
        self._ends()
        self._expect("while")
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        return ("loop", None, condition, None, body, True)

    def _for(self) -> Tree:
        self._expect("(")
        match = re.compile(r"\s*in\s+(\w+)\s*\)").match(self._source, self._at)
        if self._kind == "name" and match:
            name = self._name()
            self._advance()
            array = self._name()
            self._expect(")")
            return ("each", name, array, self._body())
        start = None if self._text == ";" else self._simple()
        self._expect(";")
        condition = None if self._text == ";" else self._expression()
        self._expect(";")
        step = None if self._text == ")" else self._simple()
        self._expect(")")
        return ("loop", start, condition, step, self._body(), False)

    # -- expressions ----------------------------------------------------------------------------------------

    def _expression(self) -> Tree:
        left = self._choice()
        operator = self._take("=", "+=", "-=", "*=", "/=", "%=", "^=", "**=")
        if not operator:
            return left
        self._newlines()
        return ("assign", left, operator[:-1].replace("**", "^"), self._expression())

    def _choice(self) -> Tree:
        condition = self._either()
        if not self._take("?"):
            return condition
        self._newlines()
        first = self._expression()
        self._newlines()
        self._expect(":")
        self._newlines()
        return ("choice", condition, first, self._expression())

    def _either(self) -> Tree:
        left = self._both()
        while self._take("||"):
            self._newlines()
            left = ("or", left, self._both())
        return left

    def _both(self) -> Tree:
        left = self._membership()
        while self._take("&&"):
            self._newlines()
            left = ("and", left, self._membership())
        return left

    def _membership(self) -> Tree:
        left = self._matching()
        while self._take("in"):
            left = ("in", list(left[1]) if left[0] == "list" else [left], self._name())
        return left

    def _matching(self) -> Tree:
        left = self._comparison()
        while operator := self._take("~", "!~"):
            left = ("match", operator == "!~", left, self._comparison())
        return left

    def _comparison(self) -> Tree:
        left = self._concatenation()
        allowed = ["<", "<=", "==", "!=", ">="] + ([] if self._no_greater else [">"])
        operator = self._take(*allowed)
        return ("compare", operator, left, self._concatenation()) if operator else left

    def _concatenation(self) -> Tree:
        left = self._sum()
        while self._kind in ("number", "string") or (self._kind == "name" and self._text not in KEYWORDS) or (self._kind == "op" and self._text in ("$", "!", "(", "-", "+", "++", "--") and self._text not in ("!",)):  # fmt: skip
            left = ("concat", left, self._sum())
        return left

    def _sum(self) -> Tree:
        left = self._product()
        while operator := self._take("+", "-"):
            left = ("binary", operator, left, self._product())
        return left

    def _product(self) -> Tree:
        left = self._unary()
        while operator := self._take("*", "/", "%"):
            left = ("binary", operator, left, self._unary())
        return left

    def _unary(self) -> Tree:
        operator = self._take("!", "-", "+")
        if operator:
            return ({"!": "not", "-": "minus", "+": "plus"}[operator], self._unary())
        return self._power()

    def _power(self) -> Tree:
        base = self._postfix()
        return ("binary", "^", base, self._unary()) if self._take("^", "**") else base

    def _postfix(self) -> Tree:
        if operator := self._take("++", "--"):
            return ("step", self._primary(), 1.0 if operator == "++" else -1.0, True)
        value = self._primary()
        if value[0] in ("name", "field", "index") and (operator := self._take("++", "--")):
            return ("step", value, 1.0 if operator == "++" else -1.0, False)
        return value

    def _primary(self) -> Tree:
        kind, text = self._kind, self._text
        if kind == "op" and text in ("/", "/="):
            return self._regex(text)
        self._advance()
        if kind == "number":
            return ("number", float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text))
        if kind == "string":
            return ("string", unescape(text.replace("\\/", "/"), "[0-7]{1,3}"))
        if kind == "op" and text == "$":
            return ("field", self._postfix() if self._text in ("++", "--") else self._primary())
        if kind == "op" and text == "(":
            return self._parenthesis()
        if kind == "name" and text == "getline":
            target = (
                self._primary() if (self._kind == "name" and self._text not in KEYWORDS) or self._text == "$" else None
            )
            return ("getline", target, self._primary() if self._take("<") else None)
        if kind == "name" and text not in KEYWORDS:
            return self._reference(text)
        self._kind, self._text = kind, text
        raise self._problem()

    def _parenthesis(self) -> Tree:
        depth, self._no_greater = self._no_greater, 0
        values = [self._expression()]
        while self._take(","):
            values.append(self._expression())
        self._expect(")")
        self._no_greater = depth
        return values[0] if len(values) == 1 else ("list", values)

    def _reference(self, name: str) -> Tree:
        if self._take("["):
            return ("index", name, self._subscripts())
        called = self._text == "(" and (name in FUNCTIONS or self._source[self._at - 2] != " ")
        if not called:
            return ("call", name, []) if name == "length" else ("name", name)
        self._advance()
        depth, self._no_greater = self._no_greater, 0
        arguments = []
        while not self._take(")"):
            self._newlines()
            arguments.append(self._expression())
            self._newlines()
            if not self._take(",") and self._text != ")":
                raise self._problem()
        self._no_greater = depth
        least, most = FUNCTIONS.get(name, (0, 999))
        if not least <= len(arguments) <= most:
            raise AwkProblem(f"line {self._line}: wrong number of arguments in call to {name}")
        if name == "split" and arguments[1][0] != "name":
            raise AwkProblem(f"line {self._line}: syntax error: split needs the name of an array")
        return ("call", name, arguments)

    def _subscripts(self) -> list[Tree]:
        depth, self._no_greater = self._no_greater, 0
        keys = [self._expression()]
        while self._take(","):
            keys.append(self._expression())
        self._expect("]")
        self._no_greater = depth
        return keys

    def _regex(self, opening: str) -> Tree:
        match = re.compile(r"((?:[^/\\\n\[]|\\.|\[\^?\]?(?:\[:\w+:\]|[^\]])*\])*)/").match(self._source, self._at)
        if match is None:
            raise self._problem("/")
        self._at = match.end()
        source = opening[1:] + match[1].replace("\\/", "/")
        self._kind = "string"
        self._advance()
        return ("regex", source)
