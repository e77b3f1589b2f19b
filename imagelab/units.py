"""Sizes, durations and moments as Docker's Go libraries print and read them.

    size       bytes, in decimal units: 1 kB is 1000 B. Three significant digits, trailing zeros dropped (R3.11)
    duration   nanoseconds, told in one unit, the largest that fits: 90 minutes are `2 hours` today and were
               `About an hour` in the book's time (R3.8, R3.9)
    moment     nanoseconds since 1970, UTC. An int64 of them reaches from 1678 to 2262; its lowest value, ZERO_TIME,
               stands for Go's zero time, `0001-01-01T00:00:00Z`, which means "nobody said when"

>>> human_size(181_500_000), human_size(999_500), human_size(0)
('182MB', '1e+03kB', '0B')
>>> human_duration(13 * 24 * HOUR), human_duration(90 * MINUTE), human_duration(90 * MINUTE, rounded=False)
('13 days', '2 hours', 'About an hour')
>>> rfc3339(parse_time("2016-10-13T10:00:00.250+02:00"))
'2016-10-13T08:00:00.25Z'
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from imagelab.errors import InvalidFilterError

SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
LONGEST = 2**63 - 1
"""The longest duration and the last moment that Go's int64 holds: 292 years."""
ZERO_TIME = -(2**63)
_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")


def human_size(size: float, *, digits: int = 3, space: bool = False) -> str:
    """Bytes for people: `127MB`; `digits` 4 is HumanSize; `space` for Docker before 17.05 (R3.12)."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_SIZE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.{digits}g}{' ' if space else ''}{_SIZE_UNITS[unit]}"


def human_duration(nanoseconds: int, *, rounded: bool = True) -> str:
    """A duration in one unit, without `ago`. `rounded=False`: as before go-units 0.3.2 (R3.9).

    What has not begun yet is `Less than a second`, and 292 years is as long as it gets.
    """
    elapsed = min(nanoseconds, LONGEST)
    seconds, minutes = elapsed // SECOND, elapsed // MINUTE
    if seconds < 60:
        return "Less than a second" if seconds < 1 else "1 second" if seconds == 1 else f"{seconds} seconds"
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    hours = (elapsed + (HOUR // 2 if rounded else 0)) // HOUR
    if hours == 1:
        return "About an hour"
    for limit, unit, name in ((48, 1, "hours"), (336, 24, "days"), (1440, 168, "weeks"), (17520, 720, "months")):
        if hours < limit:
            return f"{hours // unit} {name}"
    return f"{elapsed // HOUR // 8760} years"


# -- printing moments ---------------------------------------------------------------------------------------

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _when(moment: int, tz: tzinfo) -> datetime:
    if moment <= ZERO_TIME:
        return datetime(1, 1, 1, tzinfo=UTC)
    return (_EPOCH + timedelta(seconds=min(moment, LONGEST) // SECOND)).astimezone(tz)


def _offset(when: datetime) -> str:
    """`+0200`."""
    minutes = int((when.utcoffset() or timedelta()) / timedelta(minutes=1))
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def go_time(moment: int, tz: tzinfo = UTC) -> str:
    """Go's `time.Time.String()` of a whole second: `2016-10-13 08:00:00 +0000 UTC`.

    A zone without a name of its own is told by its offset, twice.
    """
    when = _when(moment, tz)
    offset = _offset(when)
    name = when.tzname() or ""
    known = name == "UTC" or name and not name.startswith("UTC")
    return f"{when.isoformat(sep=' ', timespec='seconds')[:19]} {offset} {name if known else offset}"


def rfc3339(moment: int, tz: tzinfo = UTC, *, fraction: bool = True) -> str:
    """RFC3339Nano: the fraction without its trailing zeros, `Z` for UTC. `fraction=False`: RFC3339."""
    when = _when(moment, tz)
    digits = f"{moment % SECOND:09d}".rstrip("0") if fraction and moment > ZERO_TIME else ""
    offset = _offset(when)
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return when.isoformat(timespec="seconds")[:19] + (f".{digits}" if digits else "") + zone


# -- reading moments ----------------------------------------------------------------------------------------


class _BadTime(ValueError):
    """The text is not of the layout; its message is Go's."""


_DATE = "2006-01-02"
_PART = re.compile(r"2006|01|02|15|04|05|\.999999999|Z07:00|.")
_RANGES = {"01": ("month", 1, 12), "15": ("hour", 0, 23), "04": ("minute", 0, 59), "05": ("second", 0, 59)}
_DIGITS = {"2006": r"[0-9]{4}", "15": r"[0-9]{1,2}"}
_ZONE = re.compile(r"Z|([+-])([0-9]{2}):([0-9]{2})")
_FRACTION = re.compile(r"[.,]([0-9]+)")


def parse_time(text: str) -> int:
    """RFC 3339 -> a moment. ZERO_TIME for Go's zero time; 0 for what is no time at all (R3.10)."""
    try:
        return _parse(f"{_DATE}T15:04:05Z07:00", text, UTC)
    except _BadTime:
        return 0


def _parse(layout: str, text: str, zone: tzinfo) -> int:
    """Go's `time.Parse`: the layout shows how Monday, 2 January 2006, 15:04:05 would have been written.

    Raises _BadTime with Go's words. `zone` holds where the layout has none.
    """
    found = {"2006": 1, "01": 1, "02": 1, "15": 0, "04": 0, "05": 0}
    rest, nanoseconds = text, 0
    for part in _PART.findall(layout):
        if part == "Z07:00":
            zone, rest = _zone(layout, text, rest)
        elif part in found:
            match = re.match(_DIGITS.get(part, "[0-9]{2}"), rest)
            if match is None:
                raise _mismatch(layout, text, rest, part)
            found[part], rest = int(match[0]), rest[match.end() :]
            _check_range(text, part, found[part])
        elif part != ".999999999":
            if not rest.startswith(part):
                raise _mismatch(layout, text, rest, part)
            rest = rest[len(part) :]
        if part == "05" and (match := _FRACTION.match(rest)):  # a fraction is read even where the layout has none
            nanoseconds, rest = int(match[1][:9].ljust(9, "0")), rest[match.end() :]
    if rest:
        raise _BadTime(f"parsing time {_quoted(text)}: extra text: {_quoted(rest)}")
    return _moment(text, list(found.values()), nanoseconds, zone)


def _moment(text: str, fields: list[int], nanoseconds: int, zone: tzinfo) -> int:
    year, month, day, hour, minute, second = fields
    try:
        since = datetime(max(year, 1), month, day, hour, minute, second, tzinfo=zone) - _EPOCH
    except ValueError:
        raise _BadTime(f"parsing time {_quoted(text)}: day out of range") from None
    except OverflowError:  # a zone that leads out of year 1
        return ZERO_TIME
    exact = (since.days * 86_400 + since.seconds) * SECOND + nanoseconds
    return max(ZERO_TIME, min(exact, LONGEST))


def _zone(layout: str, text: str, rest: str) -> tuple[tzinfo, str]:
    match = _ZONE.match(rest)
    if match is None:
        raise _mismatch(layout, text, rest, "Z07:00")
    if match[0] == "Z":
        return UTC, rest[1:]
    hours, minutes = int(match[2]), int(match[3])
    if hours > 23 or minutes > 59:
        which = "minute" if minutes > 59 else "hour"
        raise _BadTime(f"parsing time {_quoted(text)}: time zone offset {which} out of range")
    sign = -1 if match[1] == "-" else 1
    return timezone(sign * timedelta(hours=hours, minutes=minutes)), rest[match.end() :]


def _check_range(text: str, part: str, value: int) -> None:
    if part in _RANGES:
        name, low, high = _RANGES[part]
        if not low <= value <= high:
            raise _BadTime(f"parsing time {_quoted(text)}: {name} out of range")


def _mismatch(layout: str, text: str, rest: str, part: str) -> _BadTime:
    return _BadTime(
        f"parsing time {_quoted(text)} as {_quoted(layout)}: cannot parse {_quoted(rest)} as {_quoted(part)}"
    )


def _quoted(text: str) -> str:
    """Go's time package quotes byte by byte: what is not ASCII is written `\\x..`."""
    special = {'"': '\\"', "\\": "\\\\"}
    shown = (special.get(char) or (char if " " <= char <= "\x7f" else _bytes(char)) for char in text)
    return f'"{"".join(shown)}"'


def _bytes(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))


# -- `until=` -----------------------------------------------------------------------------------------------

_GO_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": SECOND, "m": MINUTE, "h": HOUR}
_GO_PART = re.compile(r"([0-9]{0,30})(?:\.([0-9]{0,30}))?(ns|us|µs|μs|ms|s|m|h)")
_UNIX = re.compile(r"([+-]?[0-9]{1,18})(?:\.([0-9]{1,18}))?")
_HINT = "write 24h, 10m30s, 2016-11-24 or 2016-11-24T10:00:00Z"


def parse_go_duration(text: str) -> int | None:
    """`24h`, `10m30s`, `-1.5h`, `0` -> nanoseconds; None for what `time.ParseDuration` refuses."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    total, at = 0, 0
    while at < len(body):
        part = _GO_PART.match(body, at)
        if part is None or not (part[1] or part[2]):
            return None
        unit, decimals = _GO_UNITS[part[3]], part[2] or ""
        total += int(part[1] or 0) * unit + int(decimals or 0) * unit // 10 ** len(decimals)
        at = part.end()
    if not body or total > LONGEST:
        return None
    return -total if text[0] == "-" else total


def parse_moment(text: str, *, now: int, tz: tzinfo = UTC) -> int:
    """The moment that `until=` names: a duration before `now`, a date, a time, or seconds since 1970 (R3.25).

    A time without a zone is one in `tz`. Raises InvalidFilterError in Docker's words.
    """
    duration = parse_go_duration(text)
    if duration is not None and text != "0":
        return (now - duration) // SECOND * SECOND
    local = not any(char in text for char in "zZ+") and text.count("-") != 3
    here = timezone(_when(now, tz).utcoffset() or timedelta())
    try:
        return _parse(_layout(text, local=local), text, here)
    except _BadTime as error:
        if "-" in text:
            raise InvalidFilterError(str(error), hint=_HINT) from None
    unix = _UNIX.fullmatch(text)
    if unix is None:
        from imagelab.govalues import quote

        raise InvalidFilterError(f"failed to parse value as time or duration: {quote(text)}", hint=_HINT)
    return int(unix[1]) * SECOND + int((unix[2] or "0")[:9].ljust(9, "0"))


def _layout(text: str, *, local: bool) -> str:
    """Which layout Docker tries: by the dot, the T and the number of colons."""
    zone = "" if local else "Z07:00"
    if "." in text:
        return f"{_DATE}T15:04:05.999999999{zone}"
    if "T" not in text:
        return _DATE + zone
    colons = text.count(":")
    if not local and not any(char in text for char in "zZ") and colons:
        colons -= 1  # the one of the offset
    return _DATE + ("T15", "T15:04", "T15:04:05")[min(colons, 2)] + zone
