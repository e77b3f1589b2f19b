"""Sizes, durations and moments as Docker's Go libraries print and read them.

Sizes are decimal: 1 kB is 1000 B. Three significant digits, trailing zeros dropped (R3.11). A duration is told in
one unit, the largest that fits, and rounded as go-units does, odd steps included: 90 minutes are `2 hours` today and
were `About an hour` in the book's time (R3.8, R3.9). A moment is an `int`: nanoseconds since 1970, UTC.

>>> human_size(181_500_000), human_size(999_500), human_size(0)
('182MB', '1e+03kB', '0B')
>>> human_duration(13 * 24 * 3600 * SECOND)
'13 days'
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from imagelab.errors import ImageLabError

SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")


def human_size(size: float, *, digits: int = 3, space: bool = False) -> str:
    """Bytes for people: `127MB`; `digits` 4 is HumanSize; `space` for Docker before 17.05 (R3.12).

    >>> human_size(181_500_000), human_size(181_500_000, digits=4, space=True)
    ('182MB', '181.5 MB')
    """
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_SIZE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.{digits}g}{' ' if space else ''}{_SIZE_UNITS[unit]}"


def human_duration(nanoseconds: int, *, rounded: bool = True) -> str:
    """A duration in one unit, without `ago`. `rounded=False`: as before go-units 0.3.2 (R3.9).

    >>> human_duration(91 * MINUTE), human_duration(91 * MINUTE, rounded=False)
    ('2 hours', 'About an hour')
    """
    seconds = _toward_zero(nanoseconds, SECOND)
    if seconds < 1:
        return "Less than a second"
    if seconds == 1:
        return "1 second"
    if seconds < 60:
        return f"{seconds} seconds"
    minutes = nanoseconds // MINUTE
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    hours = int(nanoseconds / HOUR + 0.5) if rounded else nanoseconds // HOUR
    if hours <= 1:
        return "About an hour"
    for limit, unit, name in ((48, 1, "hours"), (336, 24, "days"), (1440, 168, "weeks"), (17520, 720, "months")):
        if hours < limit:
            return f"{hours // unit} {name}"
    return f"{nanoseconds // HOUR // 8760} years"


def _toward_zero(value: int, unit: int) -> int:
    return value // unit if value >= 0 else -(-value // unit)


# -- moments ------------------------------------------------------------------------------------------------

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?\s*(Z|z|[+-]\d\d:\d\d)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(text: str) -> int:
    """RFC 3339 -> nanoseconds since 1970; 0 for what is no time, or Go's zero time (R3.10)."""
    match = _RFC3339.fullmatch(text)
    if match is None or match[1] == "0001":
        return 0
    try:
        return _moment(match, UTC)
    except ValueError:
        return 0


def _moment(match: re.Match[str], zone: tzinfo) -> int:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    leap, second = divmod(second, 60)
    when = datetime(year, month, day, hour, minute, second, tzinfo=_zone(match[8]) or zone) + timedelta(minutes=leap)
    return int((when - _EPOCH) / timedelta(seconds=1)) * SECOND + int((match[7] or "0")[:9].ljust(9, "0"))


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))


def _when(nanoseconds: int, tz: tzinfo) -> datetime:
    return (_EPOCH + timedelta(seconds=nanoseconds // SECOND)).astimezone(tz)


def go_time(nanoseconds: int, tz: tzinfo = UTC) -> str:
    """As Go prints a whole second: `2016-10-13 08:00:00 +0000 UTC`."""
    when = _when(nanoseconds, tz)
    return when.strftime("%Y-%m-%d %H:%M:%S %z ") + (when.tzname() or "UTC")


def rfc3339(nanoseconds: int, tz: tzinfo = UTC, *, fraction: bool = True) -> str:
    """RFC3339Nano: the fraction without its trailing zeros, `Z` for UTC."""
    when = _when(nanoseconds, tz)
    digits = f"{nanoseconds % SECOND:09d}".rstrip("0") if fraction else ""
    offset = when.strftime("%z")
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return when.strftime("%Y-%m-%dT%H:%M:%S") + (f".{digits}" if digits else "") + zone


_GO_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": SECOND, "m": MINUTE, "h": HOUR}
_GO_DURATION = re.compile(r"([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)")
_GO_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def parse_go_duration(text: str) -> int | None:
    """`24h`, `10m30s`, `1.5h` -> nanoseconds; None for anything else.

    >>> parse_go_duration("1h30m") == parse_go_duration("1.5h") == 90 * MINUTE, parse_go_duration("2 days")
    (True, None)
    """
    match = _GO_DURATION.fullmatch(text)
    if match is None:
        return None
    total = sum(int(float(number) * _GO_UNITS[unit]) for number, unit in _GO_PART.findall(match[2]))
    return -total if match[1] == "-" else total


def parse_moment(text: str, *, now: int, tz: tzinfo = UTC) -> int:
    """The moment that `until=` names: a duration before `now`, a Unix time, a date or a time (R3.25).

    Raises ImageLabError in Docker's words.
    """
    duration = parse_go_duration(text)
    if duration is not None:
        return now - duration
    if re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        return int(float(text) * SECOND)
    match = _RFC3339.fullmatch(text)
    try:
        if match is not None:
            return _moment(match, tz)
    except ValueError:
        pass
    raise ImageLabError(
        f'failed to parse value as time or duration: "{text}"',
        hint="write 24h, 10m30s, 2016-11-24 or 2016-11-24T10:00:00Z",
    )
