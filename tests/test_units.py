"""Sizes, durations and moments, with the rules' own examples."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.errors import ImageLabError
from imagelab.units import (
    HOUR,
    MINUTE,
    SECOND,
    go_time,
    human_duration,
    human_size,
    parse_go_duration,
    parse_moment,
    parse_time,
    rfc3339,
)

DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1kB"),
        (4_803_000, "4.8MB"),
        (181_500_000, "182MB"),
        (1_089_000_000, "1.09GB"),
        (999_500, "1e+03kB"),
    ],
)
def test_sizes_have_three_digits(size: int, text: str) -> None:
    """R3.11."""
    assert human_size(size) == text


def test_sizes_of_other_times_and_places() -> None:
    """R3.12, R6.53."""
    assert human_size(183_000_000, space=True) == "183 MB"
    assert human_size(181_500_000, digits=4) == "181.5MB"


@pytest.mark.parametrize(
    ("duration", "text", "then"),
    [
        (0, "Less than a second", None), (SECOND, "1 second", None), (59 * SECOND, "59 seconds", None),
        (MINUTE, "About a minute", None), (119 * SECOND, "About a minute", None), (59 * MINUTE + 40 * SECOND, "59 minutes", None),
        (HOUR, "About an hour", None), (91 * MINUTE, "2 hours", "About an hour"), (47 * HOUR, "47 hours", None),
        (48 * HOUR, "2 days", None), (13 * DAY, "13 days", None), (14 * DAY, "2 weeks", None), (59 * DAY, "8 weeks", None),
        (61 * DAY, "2 months", None), (729 * DAY, "24 months", None), (731 * DAY, "2 years", None), (-5 * SECOND, "Less than a second", None),
    ],
)  # fmt: skip
def test_durations_are_told_in_one_unit(duration: int, text: str, then: str | None) -> None:
    """R3.8; and R3.9: hours were not rounded in the book's time."""
    assert human_duration(duration) == text
    assert human_duration(duration, rounded=False) == (then or text)


def test_moments_are_read_and_written() -> None:
    moment = parse_time("2016-10-13T08:00:00.120Z")
    assert rfc3339(moment) == "2016-10-13T08:00:00.12Z"
    assert parse_time("2016-10-13T10:00:00.12+02:00") == moment
    assert go_time(moment) == "2016-10-13 08:00:00 +0000 UTC"  # R4.2
    assert go_time(moment, timezone(timedelta(hours=8), "CST")) == "2016-10-13 16:00:00 +0800 CST"
    for nothing in ("", "soon", "2016-13-40T00:00:00Z"):
        assert parse_time(nothing) == 0  # R3.10


@given(st.integers(0, 4_000_000_000 * SECOND))
def test_a_moment_survives_its_text(moment: int) -> None:
    assert parse_time(rfc3339(moment)) == moment


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("24h", DAY),
        ("10m30s", 630 * SECOND),
        ("1.5h", 90 * MINUTE),
        ("100ms", SECOND // 10),
        ("0", 0),
        ("1d", None),
        ("", None),
    ],
)
def test_go_durations(text: str, duration: int | None) -> None:
    assert parse_go_duration(text) == duration


def test_until_is_a_duration_a_date_or_a_moment() -> None:
    """R3.25."""
    now = parse_time("2016-11-28T10:00:00Z")
    assert parse_moment("24h", now=now) == now - DAY
    assert parse_moment("2016-11-28", now=now) == parse_time("2016-11-28T00:00:00Z")
    assert parse_moment("2016-11-28", now=now, tz=timezone(timedelta(hours=8))) == parse_time("2016-11-27T16:00:00Z")
    assert parse_moment("1480327200", now=now, tz=UTC) == now
    with pytest.raises(ImageLabError, match='failed to parse value as time or duration: "soon"'):
        parse_moment("soon", now=now)
