"""The utilities that change files, beside GNU's: what is printed, the exit code, and what is left."""

from __future__ import annotations

import pytest

from tests.shell_harness import Script, run_ours, run_real

BEFORE = "echo one > f; echo two > g; : > empty; mkdir d; echo three > d/f\n"
AFTER = "\necho =$?; for name in * d/*; do echo $name; cat $name 2>/dev/null; done"
SCRIPTS = r"""
rm -i f </dev/null
echo y | rm -i f
echo n | rm -i f empty
printf 'y\nn\n' | rm -i f g
yes | rm -ri d
printf 'y\nn\n' | rm -ri d
rm -if f </dev/null
echo n | cp -i f g
echo y | cp -i f g
cp -i f new </dev/null
echo n | mv -i f g
echo y | mv -i f g d
mv -f f g
cp -n f g; cp -u f g
rm; rm -f; rm nosuch; rm d; rm -d d; rm -r d; rm -rf nosuch
rmdir -v d; rm d/f; rmdir -v d
mkdir a a/b; rmdir -pv a/b
readlink -e nosuch; readlink -f nosuch; ln -s f l; readlink l
whoami x
local x
read
xargs -s x < f; xargs -P x < f
""".strip().splitlines()  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_as_gnu(script: str) -> None:
    whole = Script(BEFORE + script + AFTER)
    mine, theirs = run_ours(whole), run_real(whole)
    assert (mine.code, mine.out) == (theirs.code, theirs.out)
    assert bool(mine.err) == bool(theirs.err)
    questions = [(one.err.count(b"? "), b"? " in one.err and one.err) for one in (mine, theirs)]
    assert questions[0] == questions[1]
