"""sed, compared with the real one: the same script, files and input, the same answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.layers.tree import Tree
from imagelab.runtime import execution
from imagelab.runtime.filesystem import FileSystem, User
from imagelab.runtime.process import Machine, Process, Program
from imagelab.runtime.streams import Output, Pipe
from imagelab.runtime.userland import programs

ROOT = User()
PROGRAMS = programs()
Answer = tuple[int, bytes, bytes, dict[str, bytes]]
FILES = {
    "a.txt": b"one\ntwo\nthree\nfour\nfive\n",
    "b.txt": b"alpha beta\ngamma delta\n",
    "short": b"x\ny",
    "conf": b"# comment\nport = 80\nhost = old\n\n[end]\n",
    "script": b"s/o/0/\n$a\\\nthe end\n",
    "empty": b"",
}
INPUT = b"hello world\nfoo bar foo\n\n  indented\npath/to/file\nlast line\n"


def drive(steps: execution.Steps) -> int:
    for _ in range(100_000):
        try:
            next(steps)
        except StopIteration as stopped:
            return int(stopped.value)
    raise AssertionError("it does not end")


def ours(args: list[str], stdin: bytes = INPUT, known: Mapping[str, Program] = PROGRAMS) -> Answer:
    system = FileSystem(Tree.empty(), lambda node: b"", lambda: 1_480_327_200)
    for folder in ("/work", "/work/sub"):
        system.mkdir(ROOT, folder)
    for name, data in FILES.items():
        system.write_file(ROOT, f"/work/{name}", data)
    machine = Machine(system, monotonic=time.monotonic, programs=known)
    out, err, pipe = bytearray(), bytearray(), Pipe()
    pipe.waiting += stdin
    pipe.write_closed = True
    p = Process(
        machine, ["sed", *args], {}, "/work", ROOT, {0: pipe.reader, 1: Output(out.extend), 2: Output(err.extend)}
    )
    code = drive(execution.live(known["sed"], p))
    tree = system.tree()
    left = {
        path[5:]: system.data(tree[path]) for path in tree if path.startswith("work/") and tree[path].kind == "file"
    }
    return code, bytes(out), bytes(err), left


def real(args: list[str], folder: Path, stdin: bytes = INPUT) -> Answer:
    if shutil.which("sed") is None:
        pytest.skip("no sed here")
    (folder / "sub").mkdir(exist_ok=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["sed", *args], input=stdin, capture_output=True, cwd=folder, env=environment, timeout=20, check=False
    )
    left = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return done.returncode, done.stdout, done.stderr, left


SCRIPTS = [
    "s/o/0/", "s/o/0/g", "s/o/0/2", "s/o/0/2g", "s/foo/[&]/", "s/\\(foo\\) \\(bar\\)/\\2 \\1/", "s/FOO/x/I", "s|/|-|g", "s,a,b,",
    "s/a*/x/g", "s/b*/-/2", "s/$/!/", "s/^/> /", "s/[/]/_/g", "s/\\//_/g", "s/foo/a\\nb/", "s/foo/a\\\nb/", "s/l*/<&>/g", "s/x*$/E/",
    "s/\\bf/F/g", "s/o/\\&/", "s/ /\\t/g",
    "2d", "$d", "/foo/d", "2,4d", "2,$d", "/foo/,/last/d", "/foo/!d", "2!d", "\\,to,d", 
    "2q", "3q5", "$!d", "1!G;h;$!d", "n;d", "$!N;s/\\n/ /", "N;P;D", "N;N;s/\\n/,/g", "G", "x;p;x", "=", "/bar/=", "y/abc/xyz/", "y,/,|,",
    "2i\\before", "2a\\after", "2c\\changed", "2i before", "a\\\n  two\\\nlines", "$a end", "1i\\  keep", "2,4c\\changed", "$!{2,4c\\x\n}", "a a;p",
    "r b.txt", "2r nosuch", "w made", "/foo/w made", "s/o/0/w made", "s/o/0/gpw made", "w /dev/stdout", "l", "2l", "N;l;D", "$!N;l", "w", "s/a/b/w", "p", "2,3p", "/foo/{s/o/0/;p}", "{p;p}", "2{d}", "/a/{/b/d}", "2{s/o/0/;s/f/F/;}",
    ":a;s/o/0/;ta", ":a;N;$!ba;s/\\n/+/g", "b;d", "/foo/b end;s/^/x/;:end", "s/x/y/;t;s/^/-/", "# only a comment", "p # and more", "2p;3p", "2,1p", "5,2p",
    "/world/,/foo/s/o/0/", "/last/,/nosuch/s/l/L/", "/hello/,2s/^/*/", "s/\\n/x/", "h;G;G", "H;$!d;x", "s/[[:space:]]*$//;s/^[[:space:]]*//", "/^$/d", "/^ *$/d",
    "s/\\(.\\)\\1/<\\1>/g", "s/\\./x/", "s/o\\{1,2\\}/0/", "s/h\\?e\\+/X/", "s/foo\\|bar/Z/g", "s/\\s/_/g", "s/[^a-z]/./g", "s/[]]/x/", "s/é/e/", "s/l\\+$/!/",
    "s/a/b/k", "s/a/b", "s/a", "s", "k", "/a", "3,p", "y/ab/c/", "y/a/b", "bfoo", "{p", "p}", "a", ":", "pp", "s/\\(a/x/", "s/a/\\1/", "s/[a/x/", "s/a\\{2,1\\}/x/",
    "dp", "s/a/b/gg", "s/a/b/pp", "s/a/b/0", "s/[:space:]/x/", "2,4!d;=", "/x/,/y/", "}", "2,3=", "=;=", "$=", "0p", "0,2p", "!!p", "2!!p", "s/a/b/;;p", "1,2:x", "}x", "y/a/\\n/",
    "s/\\t/T/", "c\\", "i\\", "r", "b a;:a", "t x", "s/(foo)/[\\1]/", "2s//X/", "/foo/s//X/g", "s/foo/X/;s//Y/", 
    "1d;n;p", "$!n;s/o/0/", "2n;d", "1,3{=;2d}", "D", "P", "N;N;D", "$s/l/L/g", "s/\\//|/2", "2,/path/{//!d}", "/foo/a\\\ntext", "1c\\\nchange\\\nmore", "s/.*/'&'/", "s/a\\|b//g", "s/\\(^\\|[^a-z]\\)o/\\1X/g",
]  # fmt: skip
EXTENDED = [
    "s/(foo) (bar)/\\2 \\1/",
    "s/o+/0/g",
    "s/(o|l)+/x/g",
    "/^(foo|last)/d",
    "s/a{1,2}/x/",
    "s/()/x/",
    "s/(a/x/",
    "s/a)/x/",
    "s/*a/x/",
    "s/\\(a\\)/x/",
    "s/a|b/c/g",
    "s/^(.)(.*)$/\\2\\1/",
    "s/[0-9]+|[a-z]+/N/g",
    "s/o?/-/g",
]
COMMANDS = [
    ["-n", "p", "a.txt"], ["-n", "/t/p", "a.txt"], ["-n", "$p", "a.txt", "b.txt"], ["-n", "2{p;q}", "a.txt"],
    ["-e", "s/o/0/", "-e", "s/e/3/", "a.txt"], ["-f", "script", "a.txt"], ["-i", "s/o/0/", "a.txt"], ["-i.bak", "s/o/0/", "a.txt", "b.txt"], ["-ne", "2p", "a.txt"], ["-i", "-n", "2p", "a.txt"],
    ["-i", "1i\\top", "a.txt", "b.txt"], ["-i", "$d", "a.txt", "b.txt"], ["--in-place=.old", "2d", "a.txt"], ["-i", "2q", "a.txt"], ["-E", "-i", "s/(o)/<\\1>/", "a.txt"], ["-n", "-i", "p", "empty"],
    ["p", "nosuch"], ["p", "nosuch", "a.txt"], ["-i", "p", "nosuch"], ["-i", "p", "sub"], ["p", "sub"], ["-f", "nosuch", "a.txt"], ["p", "-", "a.txt"], ["s/y/z/", "short", "a.txt"], ["p", "short"], ["$!d", "short"],
    ["s/^port = .*/port = 8080/", "conf"], ["/^#/d;/^$/d", "conf"], ["-n", "/port/,/host/p", "conf"], ["s/x/y/", "empty"], ["--expression=2d", "a.txt"], ["--quiet", "2p", "a.txt"], ["-n", "--", "2p", "a.txt"],
    ["-e", "a\\", "-e", "text", "a.txt"], ["-e", "2{", "-e", "d", "-e", "}", "a.txt"], ["1r b.txt", "a.txt"], ["$r b.txt", "a.txt", "short"], ["a x", "short"], ["-n", "=", "a.txt", "b.txt"], ["s/o/&\\n/;P;D", "a.txt"], ["-E", "s/(t)(w)?/[\\2]/", "a.txt"],
]  # fmt: skip
LINES = [[script] for script in SCRIPTS] + [["-E", script] for script in EXTENDED] + COMMANDS


def test_there_are_many_cases() -> None:
    assert len(LINES) >= 150


@pytest.mark.compat
@pytest.mark.parametrize("args", LINES, ids=" ".join)
def test_it_answers_as_the_real_one(args: list[str], tmp_path: Path) -> None:
    assert ours(args) == real(args, tmp_path)


LETTERS = st.text("ab\n", max_size=30).map(str.encode)


@given(LETTERS)
def test_an_empty_script_changes_nothing(data: bytes) -> None:
    assert ours([""], data)[:2] == (0, data)


@given(LETTERS, st.integers(1, 9))
def test_quitting_is_head(data: bytes, count: int) -> None:
    first = b"".join(data.splitlines(keepends=True)[:count])
    assert ours([f"{count}q"], data)[1] == first


@given(LETTERS)
def test_lines_turned_round_twice(data: bytes) -> None:
    data = data + b"\n"
    once = ours(["-n", "1!G;h;$p"], data)[1]
    assert ours(["-n", "1!G;h;$p"], once)[1] == data


@given(st.text("abc/&", max_size=20))
def test_substitution_of_all_is_replace(line: str) -> None:
    assert ours(["s/a/[&]/g"], line.encode())[1].decode() == line.replace("a", "[a]")


def test_it_quits_while_its_input_goes_on() -> None:
    """What sed never asked for stays unread, and a writer that goes on for ever does not keep it."""
    from imagelab.runtime.streams import Stream

    class Endless(Stream):
        def read(self, size: int) -> bytes:
            return b"y\n" * (size // 2)

    machine = Machine(FileSystem(Tree.empty(), lambda node: b"", lambda: 0), programs=PROGRAMS)
    out = bytearray()
    p = Process(machine, ["sed", "3q"], {}, "/", ROOT, {0: Endless(), 1: Output(out.extend), 2: Output(out.extend)})
    assert (drive(execution.live(PROGRAMS["sed"], p)), bytes(out)) == (0, b"y\ny\ny\n")
