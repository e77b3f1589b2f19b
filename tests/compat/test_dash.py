"""Our shell and the real ones: the same script, the same output and exit code. dash is the oracle for `sh`, bash for `bash`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shell_harness import Script, run_ours, run_real
from shell_scripts import SCRIPTS

pytestmark = pytest.mark.compat

KNOWN = {
    "return 256": "dash keeps 256 as $?, which no other shell does and POSIX does not allow",
}
"""A piece of the script -> why it differs. One that no longer differs fails."""


def _reason(script: Script) -> str:
    return next((reason for piece, reason in KNOWN.items() if piece in script.text), "")


@pytest.mark.parametrize("script", SCRIPTS, ids=[f"{at}-{script.shell}" for at, script in enumerate(SCRIPTS)])
def test_a_script_does_what_the_real_shell_does(script: Script) -> None:
    real, ours = run_real(script), run_ours(script)
    if _reason(script):
        assert ours != real, "it no longer differs: take it off the list"
    else:
        assert ours == real, ours.err.decode(errors="replace")


def test_the_corpus_is_large_enough() -> None:
    assert len([script for script in SCRIPTS if script.shell == "sh"]) >= 150
    assert len(KNOWN) < 3


# -- random scripts -----------------------------------------------------------------------------------------


class Writer:
    """Writes a script, choosing by what Hypothesis draws."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def one_of(self, *choices: Callable[[], str] | str) -> str:
        chosen = choices[self._draw(st.integers(0, len(choices) - 1))]
        return chosen if isinstance(chosen, str) else chosen()

    def name(self) -> str:
        return self.one_of("a", "b", "c")

    def text(self) -> str:
        return self.one_of("x", "yz", "x.y", "0", "19", "zz-x", "xyx")

    def number(self) -> str:
        return str(self._draw(st.integers(0, 20)))

    def word(self, depth: int = 0) -> str:
        simple = (
            self.text, lambda: f"'{self.text()} {self.text()}'", lambda: f'"{self.text()} ${self.name()}"', lambda: f"${self.name()}",
            lambda: f'"${{{self.name()}}}"', lambda: f"${{{self.name()}:-{self.text()}}}", lambda: f"${{{self.name()}#x}}",
            lambda: f"${{{self.name()}%%y*}}", lambda: f"${{#{self.name()}}}", lambda: f"${{{self.name()}+set}}", "$#", '"$@"', "$*",
            lambda: f"$(({self.number()} {self.one_of('+', '-', '*', '<', '&')} {self.number()}))", lambda: f"{self.text()}\\ {self.text()}",
            lambda: f'"${{{self.name()}:-"{self.text()}  {self.text()}"}}"', lambda: f"`echo {self.text()}`",
        )  # fmt: skip
        if depth > 1:
            return self.one_of(*simple)
        nested = (lambda: f"$(echo {self.word(depth + 1)})", lambda: f'"$(printf %s {self.word(depth + 1)})"')
        return self.one_of(*simple, *nested)

    def command(self, depth: int = 0) -> str:
        simple = (
            lambda: f"echo {self.word()} {self.word()}", lambda: f"{self.name()}={self.word()}", "false", "true",
            lambda: f"printf '<%s>' {self.word()} {self.word()}; echo", lambda: f"set -- {self.word()} {self.word()}",
            lambda: f"test {self.number()} -lt {self.number()}; echo $?", lambda: f"export {self.name()}; sh -c 'echo [$a$b]'",
            lambda: f"unset {self.name()}", lambda: f"case {self.word()} in {self.text()}*) echo first;; *y*) echo second;; *) echo none;; esac",
        )  # fmt: skip
        if depth > 2:
            return self.one_of(*simple)

        def inner() -> str:
            return self.command(depth + 1)

        nested = (
            lambda: f"for {self.name()} in {self.word()} {self.word()}; do {inner()}; done", lambda: f"({inner()}; {inner()})",
            lambda: f"if {inner()}; then {inner()}; else {inner()}; fi", lambda: f"{{ {inner()}; }} > f; cat f", lambda: f"{inner()} | cat",
            lambda: f"{{ {inner()}; }} && {{ {inner()}; }}", lambda: f"{{ {inner()}; }} || {{ {inner()}; }}", lambda: f"! {{ {inner()}; }}",
            lambda: f"f() {{ {inner()}; }}; f {self.word()}", lambda: f"while {inner()}; do {inner()}; break; done",
            lambda: f"{{ {inner()}; {inner()}; }} | sort | uniq -c", lambda: f"eval '{self.name()}={self.text()}'; {inner()}",
            lambda: f"printf '%s\\n' {self.word()} b | while read a; do echo \"got $a\"; done", lambda: f"(set -e; {self.command(3)}; {self.command(3)}; echo passed)",
        )  # fmt: skip
        return self.one_of(*simple, *nested)


@st.composite
def scripts(draw: st.DrawFn) -> str:
    writer = Writer(draw)
    return "\n".join(writer.command() for _ in range(draw(st.integers(1, 4)))) + "\necho end $? $a $b $c\n"


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(scripts())
def test_random_scripts_do_what_dash_does(text: str) -> None:
    script = Script(text)
    real, ours = run_real(script), run_ours(script)
    assert ours == real, script.text
