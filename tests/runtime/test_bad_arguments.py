"""Whatever a utility is given, it answers: with output or a complaint and an exit code, never with a traceback."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelab.runtime import execution
from imagelab.runtime.process import Process
from imagelab.runtime.streams import Output, Pipe
from imagelab.runtime.userland import programs
from tests.runtime.test_text import FILES, INPUT, ROOT, new_machine
from tests.shell_harness import Script, run_ours

PROGRAMS = programs()
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"
VALUES = ["x", "0", "-1", "9", "1K", "", ":", "é", "/", "fruit", "nosuch", "sub", "{}", "+", "a,b", "999999999999999999999", "[", "(", "*", "\\", "%d", "%", "@", "u+z", "1,0", "--", ";", "!", "-", "=", "s/a/\\1/", "$", "root:", "2016-01-01", "a\\", "\udcff", "1e999", "%q"]  # fmt: skip
WORDS = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(LETTERS).map("-{}".format),
    st.tuples(st.sampled_from(LETTERS), st.sampled_from(VALUES)).map(lambda pair: f"-{pair[0]}{pair[1]}"),
    st.sampled_from(
        [
            "-name",
            "-type",
            "-size",
            "-mtime",
            "-perm",
            "-exec",
            "-maxdepth",
            "-newer",
            "-o",
            "-not",
            "-eq",
            "-lt",
            "-f",
            "-nt",
            "substr",
            "index",
            "length",
            "match",
            ":",
            "+",
            "*",
        ]
    ),  # fmt: skip
)
BUILTINS = "cd exit return break continue shift set unset export readonly read trap wait kill umask ulimit eval exec test [ printf echo type command local getopts times hash alias jobs fg bg let declare history pushd source . : printf shopt".split()  # fmt: skip
ENDLESS = {"yes", "sleep", "tail", "env", "busybox"}


def run(name: str, args: list[str], *, most: int = 300) -> int | None:
    """The exit code; None when it goes on and on, which it may."""
    machine = new_machine(FILES, PROGRAMS)
    pipe, told = Pipe(), bytearray()
    pipe.waiting += INPUT
    pipe.write_closed = True
    fds = {0: pipe.reader, 1: Output(told.extend), 2: Output(told.extend)}
    steps = execution.live(PROGRAMS[name], Process(machine, [name, *args], {"PATH": "/bin"}, "/work", ROOT, fds))
    for _ in range(most):
        try:
            next(steps)
        except StopIteration as stopped:
            return int(stopped.value)
    steps.close()
    return None


@pytest.mark.parametrize("name", sorted(PROGRAMS))
@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=4))
def test_it_answers(name: str, args: list[str]) -> None:
    code = run(name, args)
    assert code is None or 0 <= code <= 255


@pytest.mark.parametrize("name", sorted(PROGRAMS.keys() - ENDLESS))
def test_every_option_with_a_value_that_is_none(name: str) -> None:
    for letter in LETTERS:
        for args in ([f"-{letter}", "x"], [f"-{letter}x", "fruit"], [f"-{letter}"], [f"-{letter}", "0", "fruit"]):
            code = run(name, args)
            assert code is None or 0 <= code <= 255, args


@pytest.mark.parametrize(("script", "out", "code"), [
    ("seq 999999999999999999 | head -2", "1\n2\n", 0), ("seq 0.1 0.5", "", 1), ("echo $((--5))", "5\n", 0), ("echo $((1 << 99))", "34359738368\n", 0),
])  # fmt: skip
def test_numbers_at_the_edge(script: str, out: str, code: int) -> None:
    result = run_ours(Script(script, shell="bash"))
    assert (result.out.decode(), result.code) == (out, code)


@pytest.mark.parametrize("script", [
    "head -c 99999999999 /dev/zero | head -c 3", "printf %99999999999s x", "echo {1..99999999}",
    "x=aaaaaaaaaaaaaaaaaaaa; while x=$x$x$x$x$x$x$x$x; do :; done",
])  # fmt: skip
def test_what_is_too_much_is_refused_or_ends(script: str) -> None:
    result = run_ours(Script(script, shell="bash"))
    assert result.out == bytes(3) or result.code in (1, 2, 127), result


@pytest.mark.parametrize("shell", ["sh", "bash"])
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BUILTINS), st.lists(WORDS, max_size=4))
def test_a_builtin_answers(shell: str, name: str, args: list[str]) -> None:
    words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in args)
    code = run_ours(Script(f"{name} {words} </dev/null", shell=shell)).code
    assert 0 <= code <= 255
