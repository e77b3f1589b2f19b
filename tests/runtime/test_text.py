"""The text utilities, compared with the real ones: the same command line, files and input, the same answer."""

from __future__ import annotations

import hashlib
import os
import shlex
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
from imagelab.runtime.streams import BytesInput, Output, Pipe
from imagelab.runtime.userland import programs

ROOT = User()
PROGRAMS = programs()
Answer = tuple[int, bytes, bytes, dict[str, bytes]]
FILES = {
    "fruit": b"banana\napple\ncherry\napple\n\n\nBanana\ndate 10\ndate 9\n",
    "table": b"ann:31:Bern\nbob:7:Basel\ncid:31:Aarau\ndan::\nnone\n",
    "numbers": b"10\n9\n2.5\n-3\n1K\n2M\n0\n\nabc\n9\n",
    "versions": b"v1.10\nv1.9\nv1.9~rc1\nv1.9.1\nv10\nfoo-2.txt\nfoo-10.txt\n",
    "blanks": b"  b 2\na  1\n\tc 3\n b 1\n",
    "upper": b"b\nB\na\nA\n",
    "tabs": b"one\ttwo\tthree\nno tab\n\tx\ty\n",
    "short": b"no newline at the end",
    "bytes": b"\x00\x01\x7f\x80\xff\r\n\tz\n",
    "accents": "été\nÀ côté\n".encode(),
    "log": b"".join(b"line %d %s\n" % (n, b"ERROR" if n % 4 == 0 else b"ok") for n in range(1, 13)),
    "patterns": b"apple\ndate\n",
    "empty": b"",
    "sub/one.txt": b"apple pie\n",
    "sub/two.md": b"apple tree\nplum\n",
    "sub/deep/three.txt": b"pear\napple\n",
}


def new_machine(files: Mapping[str, bytes], known: Mapping[str, Program]) -> Machine:
    system = FileSystem(Tree.empty(), lambda node: b"", lambda: 1_480_327_200)
    for folder in ("/bin", "/work"):
        system.mkdir(ROOT, folder)
    for name in known:
        system.write_file(ROOT, f"/bin/{name}", f"#!imagelab {name}\n".encode(), 0o755)
    for name, data in files.items():
        for above in [str(folder) for folder in Path(name).parents][-2::-1]:
            if system.find(f"work/{above}") is None:
                system.mkdir(ROOT, f"/work/{above}")
        system.write_file(ROOT, f"/work/{name}", data)
    return Machine(system, monotonic=time.monotonic, programs={**known, "echo": echo, "false": lambda p: 1})


def echo(p: Process) -> int:
    p.out(" ".join(p.args[1:]) + "\n")
    return 0


def drive(steps: execution.Steps, most: int = 200_000) -> int:
    """A program's exit code; it must not wait for anything that cannot come."""
    for _ in range(most):
        try:
            wait = next(steps)
        except StopIteration as stopped:
            return int(stopped.value)
        assert wait < 60
    raise AssertionError("it does not end")


def ours(
    args: list[str], stdin: bytes = b"", files: Mapping[str, bytes] = FILES, known: Mapping[str, Program] = PROGRAMS
) -> Answer:
    machine = new_machine(files, {**known, "echo": echo, "false": lambda p: 1})
    out, err = bytearray(), bytearray()
    pipe = Pipe()
    pipe.waiting += stdin
    pipe.write_closed = True
    p = Process(
        machine, args, {"PATH": "/bin"}, "/work", ROOT, {0: pipe.reader, 1: Output(out.extend), 2: Output(err.extend)}
    )
    code = drive(execution.live(known[args[0]], p))
    tree = machine.files.tree()
    left = {
        path[5:]: machine.files.data(tree[path])
        for path in tree
        if path.startswith("work/") and tree[path].kind == "file"
    }
    return code, bytes(out), bytes(err), left


def real(args: list[str], folder: Path, stdin: bytes = b"", files: Mapping[str, bytes] = FILES) -> Answer:
    if shutil.which(args[0]) is None:
        pytest.skip(f"no {args[0]} here")
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(args, input=stdin, capture_output=True, cwd=folder, env=environment, timeout=20, check=False)
    left = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return done.returncode, done.stdout, done.stderr, left


CASES = r"""
cat fruit | cat -n fruit short fruit
cat nosuch fruit sub | cat - fruit | cat | cat -q | cat --nosuch | cat --number fruit
cat -- fruit | cat -n short short
head fruit | head -2 log | head -n 3 log | head -n3 fruit log | head -c 5 fruit
head -q -n1 fruit log | head nosuch | head sub | head -n x log | head -n 0 log | head -c 1K log
head -n1 nosuch fruit sub | head -n | head -2 | head --lines=2 log | head -n 99 short
tail fruit | tail -2 log | tail -n 3 fruit log | tail -n +10 log | tail -c 5 fruit | tail -c +60 fruit | tail -q -n1 fruit log
tail nosuch | tail sub | tail -n x log | tail -n 0 log | tail -n +1 log | tail -n +0 log | tail +11 log | tail -n1 nosuch sub fruit
tail -n 2 | tail -c 3 short | tail -n 99 short
wc fruit | wc fruit log | wc -l fruit log | wc -w | wc -c fruit | wc -m accents | wc -lw fruit
wc nosuch | wc nosuch fruit | wc sub | wc sub fruit | wc - fruit | wc | wc -l | wc empty | wc -l empty fruit | wc -q | wc -clw log
sort fruit | sort -r fruit | sort -u fruit | sort -f upper | sort -n numbers | sort -nr numbers | sort -h numbers
sort -t: -k2 table | sort -t: -k2,2n table | sort -t : -k 2,2n -k 1,1r table | sort -t: -k2n -k1 table | sort -k2 blanks
sort -k2n blanks | sort -b blanks | sort -k1b,1 blanks | sort -k1,1 blanks | sort -s -k2,2 blanks | sort -u -n numbers | sort -fu upper
sort -c fruit | sort -c upper | sort -C fruit | sort -cu patterns patterns | sort -c patterns | sort -o made fruit | sort -o fruit fruit
sort -C upper | sort -ru -c fruit | sort -c - | sort -m short empty | sort -d blanks | sort -df upper
sort -t: -k1.2,1.3 table | sort -t: -k3.2r table | sort -k 1.2,1.4 fruit | sort -t: -k 1.2,1.4 -s table | sort -b -k2.2 blanks | sort -k2.2b,2.3 blanks | sort -k1.0 fruit
sort nosuch | sort sub | sort -k 0 fruit | sort -t ab fruit | sort -Q | sort | sort short patterns | sort -ru fruit
sort -rf upper | sort -fs upper | sort -t '' table
sort -t: -k2,2nr -s table | sort -t: -k3,3 -u table
uniq fruit | uniq -c fruit | uniq -d fruit | uniq -u fruit | uniq -i upper | uniq -ci upper
uniq nosuch | uniq sub | uniq | uniq -c | uniq fruit made | uniq a b c | uniq -cd fruit | uniq -q | uniq -f x fruit
uniq -f1 fruit | uniq -s1 blanks | uniq -f 1 -s 2 blanks | uniq -f9 -c fruit | uniq -s 3 fruit
cut -d: -f1 table | cut -d: -f2- table | cut -d: -f1,3 table | cut -d: -f-2 table | cut -f2 tabs | cut -s -f2 tabs | cut -c1-3 fruit
cut -c2 fruit | cut -b1,3 fruit | cut -d: -f3,1 table
cut table | cut -f0 table | cut -fx table | cut -f 3-2 table | cut -d ab -f1 table | cut -c1 -f1 table
cut -c0 table | cut -cx table | cut -f1 nosuch table | cut -f- table | cut -c1 -d: table | cut -d: -f2 short | cut -f1 sub
tr a b | tr a-z A-Z | tr '[:lower:]' '[:upper:]' | tr -d a | tr -d '[:space:]' | tr -s a | tr -s '[:space:]' ' ' | tr -cd 'a\n'
tr -c 'a-z\n' _ | tr abc x | tr '\n' ' ' | tr -ds a n | tr '\141' Z | tr 'a-c' '[X*]' | tr 'a\-n' 123 | tr -C a-z .
tr | tr a b c | tr z-a x | tr -q | tr '[=a=]' x | tr a-n '[x*2]y[z*]w' | tr a-n '[x*010][y*]' | tr '[a*]' b | tr -d '[=a=][=n=]' | tr a '' | tr '[:foo:]' x | tr '\\' / | tr -cs '[:alnum:]' '\n'
tee made | tee -a fruit | tee made made2 | tee sub | tee nosuch/x made | tee | tee -q
seq 5 | seq 2 5 | seq 1 2 9 | seq 5 -2 1 | seq -2 2
seq | seq a | seq 1 0 2 | seq 1 2 3 4 | seq 3 1 | seq -q
grep apple fruit | grep -i banana fruit | grep -v a fruit | grep -n a fruit | grep -c a fruit log | grep -l apple fruit log
grep -o 'a.' fruit | grep -q apple fruit | grep -q zzz fruit | grep -r apple sub/deep | grep -rh plum sub | grep -h a fruit table | grep -H a fruit
grep -w date fruit | grep -x apple fruit | grep -e apple -e date fruit | grep -f patterns fruit | grep -s x nosuch | grep x nosuch | grep x sub
grep -m 2 a fruit | grep -A1 ERROR log | grep -B1 ERROR log | grep -C1 ERROR log | grep -n -A1 -B1 'line 4' log | grep -1 'line 6' log
grep -E '^(a|b)' fruit | grep -F . fruit | egrep 'an+a' fruit | fgrep 'a.' fruit | grep -E 'a{2}' fruit | grep '\(an\)\1' fruit
grep -on an fruit | grep -c zzz fruit | grep -vc a fruit | grep '' empty | grep -f empty fruit | grep '[a' fruit | grep '\(a' fruit
grep -E '(' fruit | grep | grep -Q | grep -E 'a{2,1}' fruit | grep '[[:digit:]]' fruit | grep -i É accents | grep z bytes
grep -c z bytes | grep a - fruit | grep -c a | grep -H a | grep -nr apple sub/one.txt | grep -A x a fruit
grep -e | grep --color=always zzz fruit | grep -xF -e apple fruit | grep -wo 'date' fruit | grep -io b fruit | grep -ci b fruit table
grep -m1 -A2 ok log | grep -nv ok log | grep -lr plum sub | grep -E 'x|' short | grep -vn '^$' fruit | grep -xv '' fruit | grep -e a nosuch fruit
grep -sq a nosuch fruit | grep -m x a fruit | grep -ow 'an\|na' fruit
xargs | xargs -n1 | xargs -n 2 echo x | xargs -I{} echo '<{}>' | xargs -L1 echo | xargs -t -n2 | xargs -E split | xargs -E banana echo x | xargs -L x | xargs nosuch | xargs false
xargs -r echo x | xargs -0 | xargs -n x | xargs -n 0 | xargs -q | xargs -I% echo %-% | xargs -L2
sha256sum fruit log | md5sum fruit | sha1sum fruit | sha256sum | sha256sum nosuch sub fruit | md5sum -c nosuch | md5sum -c | md5sum -q | md5sum - fruit
base64 fruit | base64 log | base64 -w0 log | base64 -w 10 fruit | base64 | base64 nosuch | base64 -d | base64 fruit log | base64 -q | base64 bytes | base64 -w x
cat -u fruit
yes -q
"""
INPUT = b"banana split\n  two  words\n\n'quoted one' \"and two\" back\\ slash\nbanana\nbanana\n"
LINES = [line.strip() for row in CASES.strip().splitlines() for line in row.split(" | ")]


def test_there_are_many_cases() -> None:
    assert len(LINES) >= 150


@pytest.mark.compat
@pytest.mark.parametrize("line", LINES)
def test_it_answers_as_the_real_one(line: str, tmp_path: Path) -> None:
    args = shlex.split(line)
    assert ours(args, INPUT) == real(args, tmp_path, INPUT)


def piped(*commands: list[str], stdin: bytes = b"") -> bytes:
    """What the last of several programs writes, each reading what the one before it writes."""
    machine = new_machine({}, PROGRAMS)
    out, tasks, source = bytearray(), [], BytesInput(stdin)
    for args in commands:
        pipe, last = Pipe(), args is commands[-1]
        fds = {0: source, 1: Output(out.extend) if last else pipe.writer, 2: Output(out.extend)}
        tasks.append(execution.live(PROGRAMS[args[0]], Process(machine, args, {"PATH": "/bin"}, "/work", ROOT, fds)))
        source = pipe.reader
    drive(execution.together(machine, tasks))
    return bytes(out)


@pytest.mark.parametrize(
    "end",
    [["head", "-1"], ["grep", "-m1", "y"], ["grep", "-q", "y"], ["grep", "-l", "y"]],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "middle", [["cat"], ["cat", "-n"], ["tr", "a", "b"], ["cut", "-c1-9"], ["grep", "y"]], ids=" ".join
)
def test_a_writer_without_end_is_ended_by_its_reader(middle: list[str], end: list[str]) -> None:
    assert len(piped(["yes"], middle, end)) < 30


WORDS = st.text(st.sampled_from("ab: \n\té"), max_size=60).map(str.encode)


@given(st.binary(max_size=300))
def test_base64_there_and_back(data: bytes) -> None:
    assert piped(["base64"], ["base64", "-d"], stdin=data) == data


@given(st.binary(max_size=300))
def test_cat_and_tee_change_nothing(data: bytes) -> None:
    assert piped(["cat"], ["tee"], stdin=data) == data


@given(WORDS)
def test_sort_is_sorted(data: bytes) -> None:
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    assert piped(["sort"], stdin=data) == b"".join(line + b"\n" for line in sorted(lines))


@given(WORDS)
def test_what_grep_finds_and_what_it_leaves_is_all(data: bytes) -> None:
    found, left = piped(["grep", "a"], stdin=data), piped(["grep", "-v", "a"], stdin=data)
    assert sorted((found + left).split(b"\n")) == sorted(
        (data if data.endswith(b"\n") or not data else data + b"\n").split(b"\n")
    )


@given(WORDS)
def test_cut_in_two_and_pasted_is_whole(data: bytes) -> None:
    left = [line[:1] for line in piped(["cut", "-c1"], stdin=data).split(b"\n")]
    right = piped(["cut", "-c2-"], stdin=data).split(b"\n")
    whole = data if data.endswith(b"\n") or not data else data + b"\n"
    assert b"\n".join(a + b for a, b in zip(left, right, strict=True)) == whole


@given(st.binary(max_size=200))
def test_a_digest_is_a_digest(data: bytes) -> None:
    assert piped(["sha256sum"], stdin=data) == f"{hashlib.sha256(data).hexdigest()}  -\n".encode()
