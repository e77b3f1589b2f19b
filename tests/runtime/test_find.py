"""find, compared with the real one: the same command line over the same files, the same answer."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.runtime.test_text import ours, real

CASES = r"""
. -name '*.txt' | . -iname 'ONE*' | . -type d | . -type f -name t* | sub | sub -maxdepth 1 | sub -mindepth 2 | sub -depth | . -path './sub/*'
fruit table | sub fruit -type f | nosuch | nosuch fruit | . -name | . -type x | . -type | . -size x | . -size 1z | . -maxdepth | . -maxdepth x
. -mtime x | . -perm x | . -newer nosuch | . -user nosuch | . -group nosuch | . -group | . -links x | . -foo | . fruit -name x y | . ( -name a | . -name a ) | . -o -name x
. -name x -o | . ! | . -exec | . -exec echo | . -exec echo {} | . -exec ; | sub -type f -exec echo '<{}>' ; | sub -type f -exec echo x {} + | sub -exec false {} ;
sub -name deep -prune -o -print | sub -name deep -prune | sub -depth -name deep -prune -o -print | . -links 1 -name 't*' | . -links +9 | sub -perm -u+r -type f | sub -perm -o+w | sub -perm u=z | sub ! -name '*.txt' | sub -not -type d | sub ( -name '*.md' -o -name 'one*' ) -print
sub -name '*.md' -o -type d | sub -type f -a -name 't*' | sub -empty | . -maxdepth 1 -empty | . -maxdepth 1 -size -1k | . -maxdepth 1 -size +0c -name 's*'
sub -type f -delete | sub -name two.md -delete
sub -print0 | sub -maxdepth 0 | sub -maxdepth 1 -mindepth 1 | sub -type f -print -print | sub -name deep -exec echo {} ; -print | sub/
"""
LINES = [line.strip() for row in CASES.strip().splitlines() for line in row.split(" | ")]


def lines(answer: tuple[int, bytes, bytes, dict[str, bytes]]) -> tuple[object, ...]:
    """In any order: a real directory has its own."""
    code, out, err, left = answer
    words = sorted(b" ".join(sorted(line.split(b" "))) for line in out.replace(b"\0", b"\n").split(b"\n"))
    return code, words, err, left


@pytest.mark.compat
@pytest.mark.parametrize("line", LINES)
def test_it_answers_as_the_real_one(line: str, tmp_path: Path) -> None:
    args = ["find", *shlex.split(line.replace(";", "\\;").replace("\\\\;", "\\;"))]
    assert lines(ours(args)) == lines(real(args, tmp_path))
