"""The utilities that change files, beside GNU's: what is printed, the exit code, and what is left."""

from __future__ import annotations

import pytest

from tests.shell_harness import Script, run_ours, run_real

BEFORE = "echo one > f; echo two > g; : > empty; mkdir d; echo three > d/f\n"
AFTER = "\necho =$?; for name in * d/*; do echo $name; cat $name 2>/dev/null; done"
SCRIPTS = r"""
mv -f f g
cp -n f g; cat g
rm; rm -f; rm nosuch; rm d; rm -d d; rm -r d; rm -rf nosuch
rmdir d; rm d/f; rmdir d
mkdir a a/b; rmdir -p a/b
readlink -f nosuch; ln -s f l; readlink l
whoami x
local x
read
xargs -P x < f
""".strip().splitlines()  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_as_gnu(script: str) -> None:
    whole = Script(BEFORE + script + AFTER)
    mine, theirs = run_ours(whole), run_real(whole)
    assert (mine.code, mine.out) == (theirs.code, theirs.out)
    assert bool(mine.err) == bool(theirs.err)
