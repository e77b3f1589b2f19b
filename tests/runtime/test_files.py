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
rm -v f; rm -rv d; cp -v g h; mv -v h i; cp -rv . /tmp/nosuch/x
echo n | cp -i f g
echo y | cp -i f g
cp -i f new </dev/null
echo n | mv -i f g
echo y | mv -i f g d
mv -f f g
cp -n f g; cat g
rm; rm -f; rm nosuch; rm d; rm -d d; rm -r d; rm -rf nosuch
rmdir d; rm d/f; rmdir d
mkdir a a/b; rmdir -p a/b
realpath d/../f . nosuch; realpath nosuch/x; realpath; readlink -f nosuch; ln -s f l; readlink l
whoami x
local x
read
xargs -P x < f
touch -t 201611281000.30 f; touch -r f g; stat -c %Y f g; touch -t 8001020304 f; touch -t 11281000 g; stat -c %Y f
touch -t x f; touch -t 201613010000 f; touch -r nosuch f
touch -t 201601010000 f; touch -t 201701010000 g; test f -ot g; echo $?; [ f -nt g ]; echo $?;
ln f h; [ f -ef h ]; echo $?; ln -s f l; [ f -ef l ]; echo $?; [ f -ef g ]; echo $?; [ nosuch -ef nosuch ]; echo $?; cp f k; [ f -ef k ]; echo $?
chmod u+s f; chmod g+s g; test -u f; echo $?; test -g f; echo $?; [ -g g ]; echo $?; [ -u nosuch ]; echo $?
chmod +x f; ln -s d l; ls -F; ls -F l; ls -F -d d; ls -S; ls -Sr; ls -i f | grep -c '^[0-9][0-9]* f$'; ls -1i | wc -l
x=$(mktemp); [ -f $x ] && stat -c %a $x; x=$(mktemp -d); [ -d $x ] && stat -c %a $x; mktemp y.XX; mktemp XXXX/a.XXX; mktemp zXXXXX | wc -c; rm -r z* "$x"
A=1 printenv A; printenv nosuch; A=1 printenv nosuch A; A=7 printenv | grep ^A=; nproc | grep -c '[0-9]'
expr 1 + 2 \* 3; expr \( 1 + 2 \) \* 3; expr 7 / -2; expr -7 % 3; expr 1 / 0; expr a + 1; expr 3 \> 2; expr abc \< abd; expr 10 = 010; expr a = b
expr abc : 'a\(.\)c'; expr abc : 'a.'; expr abc : x; expr abc : '\(x\)'; expr length hello; expr 0; expr 00; expr '' \| b; expr a \& 0; expr 0 \| ''; expr; expr 1 2; expr \( 1; expr 1 +
""".strip().splitlines()  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_as_gnu(script: str) -> None:
    whole = Script(BEFORE + script + AFTER)
    mine, theirs = run_ours(whole), run_real(whole)
    assert (mine.code, mine.out) == (theirs.code, theirs.out)
    assert bool(mine.err) == bool(theirs.err)
    questions = [(one.err.count(b"? "), b"? " in one.err and one.err) for one in (mine, theirs)]
    assert questions[0] == questions[1]
