"""Lines of a Dockerfile beside Go's own parser (the `dockerfile` package holds BuildKit's, compiled).

What the two take apart alike: keyword, flags, words, JSON or not, first and last line. What one refuses, the other does.
Differences: that parser is of another age, and does not know what stands in LATER.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagelab.dockerfile.parser import NAMES, DockerfileError, Line, parse
from imagelab.errors import ImageLabError

pytestmark = pytest.mark.compat
try:
    from dockerfile import GoParseError, parse_string
except ImportError:  # pragma: no cover - a learner's machine
    if os.environ.get("CI"):
        raise
    pytest.skip("the dockerfile package is not installed", allow_module_level=True)

Found = tuple[str, str, tuple[str, ...], tuple[str, ...], bool, int, int]


def theirs(text: str) -> list[Found] | None:
    try:
        found = parse_string(text)
    except GoParseError:
        return None
    return [
        (
            one.cmd.lower(),
            (one.sub_cmd or "").lower(),
            tuple(one.flags),
            tuple(one.value),
            one.json,
            one.start_line,
            one.end_line,
        )
        for one in found
    ]


def ours(text: str) -> list[Found] | None:
    try:
        return [_of(line) for line in parse(text).lines]
    except (DockerfileError, ImageLabError):
        return None


def _of(line: Line) -> Found:
    if line.inner is not None:
        return line.name, line.inner.name, line.flags, _words(line.inner), line.inner.is_json, line.start, line.end
    return line.name, "", line.flags, _words(line), line.is_json, line.start, line.end


def _words(line: Line) -> tuple[str, ...]:
    """An unknown keyword has no rule to cut its line by."""
    return line.args if line.name in NAMES else ("",)


WORDS = st.sampled_from(
    [
        "a",
        "b=c",
        "$x",
        "${x:-y}",
        '"q r"',
        "'s t'",
        "u\\ v",
        "--f=g",
        '["a", "b"]',
        "[1]",
        "#",
        "\\\\",
        "`",
        "x=",
        '="',
        'a="b c"',
        "/d/",
        ".",
        "!",
        "é",
    ]
)
KEYWORDS = st.sampled_from(
    "FROM RUN run CMD ENV LABEL ARG COPY ADD EXPOSE VOLUME USER WORKDIR ENTRYPOINT STOPSIGNAL SHELL MAINTAINER HEALTHCHECK ONBUILD".split()
)
LINES = st.builds(
    lambda keyword, words, gap, end: keyword + gap + gap.join(words) + end,
    KEYWORDS,
    st.lists(WORDS, min_size=1, max_size=5),
    st.sampled_from([" ", "  ", "\t"]),
    st.sampled_from(["", " \\", "\\", " \\ ", "\\\\"]),
)
OTHERS = st.sampled_from(["", "   ", "# comment", "  # indented", "# escape=\\", "&& more", "  tail \\"])
FILES = st.lists(st.one_of(LINES, LINES, OTHERS), min_size=1, max_size=6).map("\n".join)


@given(FILES)
@settings(max_examples=400)
@example("FROM a\nRUN b \\\n  # c\n\n  d\n")
@example('ENV A="b  c" D=e\\ f')
@example("COPY --chown=a:b --from=x y /z")
@example("ONBUILD COPY --from=x y z")
@example("RUN a \\")
@example("HEALTHCHECK --interval=1s CMD a b")
@example('CMD ["a", 1]')
def test_lines_are_read_alike(text: str) -> None:
    assert ours(text) == theirs(text)
