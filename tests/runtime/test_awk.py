"""awk, compared with the one of this machine where the two agree on what awk is; and while its input arrives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelab.runtime import execution
from imagelab.runtime.process import Given, Process, Sink
from tests.runtime.test_text import FILES, INPUT, PROGRAMS, ROOT, new_machine, ours, real
from tests.shell_harness import Script, run_ours

SAME = r"""
{print NR": "$0} | {print length} | {print $NF; print NF} | END{print NR} | /a/ | !/a/ | NR==2,NR==3 | $0=NR | 1 | 0 | "a" | {next; print 1}
BEGIN{print 1e6, 1e20, 0.1+0.2, 1/3, -0, 3.0} | BEGIN{print substr("hello",2,3), substr("hello",0), substr("hello",4,100), substr("hello",2)}
BEGIN{print index("abc","c"), match("foobar","o+"), RSTART, RLENGTH} | BEGIN{n=split("a:b:c",x,":"); for(i=1;i<=n;i++) print x[i]}
BEGIN{s="foo"; gsub(/o/,"[&]",s); print s} | {sub(/a/, "b")} 1 | {$1 = ""; print} | {$2="z"; print} | BEGIN{$3="x"; print; print NF}
BEGIN{printf "%s %d %5.2f %c %x %o %e %g %i\n","a",3.9,2.5,65,255,8,12345.678,0.0001,7} | BEGIN{printf "%-5s.%5s.%05d.%+d\n","a","b",42,7}
BEGIN{while((getline l < "fruit")>0) print "got " l; close("fruit"); getline l < "fruit"; print l} | BEGIN{print (getline x < "nosuch")}
BEGIN{getline; print "first " $0} {print "rest " $0} | {getline x; print $0, x} | {getline; print} | BEGIN{print ARGC, ARGV[0], ARGV[1]}
{nextfile; print 1} | FNR==2{nextfile} {print FILENAME, FNR, NR} | {print > "made"} | {print $1 >> "made"} | {print x > "made"; close("made")}
BEGIN{RS=""}{print NR": "$1} | BEGIN{RS=";"}{print} | BEGIN{RS="[ae]"}{print} | BEGIN{RS="\n\n"}{print NR": "$0} | BEGIN{FS=""}{print NF}
BEGIN{print exp(1000), log(0), 2^5000, int("3abc"), int(-3.9), exp(1), atan2(0,-1)} | BEGIN{x=5; x+=2; x-=1; x*=3; x/=2; x%=5; x^=2; print x}
BEGIN{a[1,2]=3; for(k in a){split(k,p,SUBSEP); print p[1],p[2]}} | BEGIN{exit 3} END{print "end"} | {exit 4} END{print NR}
function fact(n){return n<2?1:n*fact(n-1)} BEGIN{print fact(10)} | function f(  i){for(i=0;i<3;i++)printf "%d ",i; print ""} BEGIN{i=9; f(); print i}
BEGIN{print substr("x")} | BEGIN{print index("x")} | BEGIN{split("x")} | {print} | {print $-1} | BEGIN{printf "%d %s\n", "3x", 1e300}
"""  # fmt: skip
PROGRAMS_TRIED = [program for line in SAME.strip().splitlines() for program in line.split(" | ")]


@pytest.mark.parametrize("program", PROGRAMS_TRIED)
def test_as_the_real_one(program: str, tmp_path: Path) -> None:
    args = ["awk", program, "fruit", "numbers"]
    mine, theirs = ours(args, INPUT), real(args, tmp_path, INPUT)
    assert (mine[0], mine[1], bool(mine[2]), mine[3]) == (theirs[0], theirs[1], bool(theirs[2]), theirs[3])


@pytest.mark.parametrize(
    "program", ["{ print NR, $0 }", "{ getline x; print $0, x }", "END { print NR }", 'BEGIN { RS = "" } { print }']
)
def test_of_what_comes_from_a_pipe(program: str, tmp_path: Path) -> None:
    for operands in ([], ["-"], ["a=1"], ["fruit", "-"]):
        args = ["awk", program, *operands]
        assert ours(args, INPUT)[:2] == real(args, tmp_path, INPUT)[:2], operands


@pytest.mark.parametrize("script, code, out", [
    ("yes | awk 'NR == 3 { exit } { print }'", 0, b"y\ny\n"),
    ("yes | awk 'NR == 3 { exit 4 }'", 4, b""),
    ("yes | awk '{ print NR }' | head -n 2", 0, b"1\n2\n"),
    ("(echo a; sleep 0.2; echo b) | awk '{ print NR; exit }'", 0, b"1\n"),
])  # fmt: skip
def test_it_works_while_its_input_arrives(script: str, code: int, out: bytes) -> None:
    result = run_ours(Script(script))
    assert (result.code, result.out) == (code, out)


@pytest.mark.parametrize("program", [
    'BEGIN { printf "%99999999999d", 1 }', "BEGIN { print log(-1), sqrt(-1) }", 'BEGIN { printf "%d %c", log(-1), 1e300 }',
    "function f(n) { return f(n + 1) } BEGIN { f(1) }", "BEGIN { print " + "(" * 3000 + "1" + ")" * 3000 + " }", "BEGIN { printf }", 'BEGIN { split("a", 1) }',
])  # fmt: skip
def test_what_cannot_be_is_said(program: str) -> None:
    """Started as `docker exec web awk …` starts it: without a shell around it that could catch anything."""
    machine, told = new_machine(FILES, PROGRAMS), bytearray()
    fds = {0: Given(b""), 1: Sink(told.extend), 2: Sink(told.extend)}
    steps = execution.live(PROGRAMS["awk"], Process(machine, ["awk", program], {}, "/work", ROOT, fds))
    with pytest.raises(StopIteration) as stopped:
        while True:
            next(steps)
    assert stopped.value.value in (0, 1, 2)
    assert told


PIECES = ["BEGIN", "END", "{", "}", "(", ")", "print", "printf", "$", "$1", "NF", "NR", "x", "a[", "]", "=", "+=", "++", "-", "/", "/a/", '"s"', "1", "-1", "1e999", ",", ";", "\n", "if", "else", "while", "for", "in", "delete", "getline", "<", ">", '"made"', "|", "~", "!", "?", ":", "substr", "split", "gsub", "sprintf", "length", "function", "f", "return", "next", "exit", "&&", '"%d%c%s%5.2f"', "^", "%", "toupper", "int", "log"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join),
    st.sampled_from(["{}", "{{{}}}", "BEGIN{{{}}}", "BEGIN{{x=({})}}", "END{{print {}}}"]),
)
def test_any_text_is_answered(text: str, frame: str) -> None:
    machine, told = new_machine(FILES, PROGRAMS), bytearray()
    fds = {0: Given(INPUT), 1: Sink(told.extend), 2: Sink(told.extend)}
    steps = execution.live(
        PROGRAMS["awk"], Process(machine, ["awk", frame.format(text), "fruit"], {}, "/work", ROOT, fds)
    )
    for _ in range(200):  # what goes on for ever may
        if next(steps, None) is None:
            return
    steps.close()
