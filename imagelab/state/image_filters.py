"""`docker images -f key=value`: which images a listing shows.

    dangling=true|false   without a tag and without children, or not                     R3.15, R3.16
    label=k, label=k=v    the config has the label (with that value); several: all of them    R3.22, R3.23
    before=IMAGE          created earlier than that image was                            R3.24
    since=IMAGE           created later; by the *build's* time, not by when it was pulled
    until=24h             created at least so long ago                                   R3.25
    reference=PATTERN     some name matches; several: any of them                        R3.26, R3.28

Different keys must all hold. The positional argument of `docker images` is a reference pattern like any other.

Patterns are Go's `path.Match`: `*` and `?` stop at a slash, `[a-z]` is a class, `\\` takes the next character as it
is, and the whole name must match. So `*` lists `ubuntu` and never `me/app` (R3.27).

>>> path_match("ubu*", "ubuntu"), path_match("*", "me/app"), path_match("*/*", "me/app")
(True, False, True)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo

from imagelab.errors import InvalidFilterError, UsageError
from imagelab.oci.reference import Reference, familiar
from imagelab.state.model import Image, State
from imagelab.units import parse_moment

IMAGE_KEYS = frozenset({"dangling", "label", "before", "since", "reference", "until"})
PRUNE_KEYS = frozenset({"dangling", "label", "label!", "until"})


class Filters(Mapping[str, tuple[str, ...]]):
    """What was asked for: each key with its values, in the order given."""

    def __init__(self, values: Mapping[str, Sequence[str]] | None = None) -> None:
        self._values = {key: tuple(dict.fromkeys(texts)) for key, texts in (values or {}).items()}

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Filters:
        """`["dangling=true", "label=a=b"]`; UsageError, exit 125, for one without `=` (R3.19).

        >>> dict(Filters.parse(["label=env=test", "Label = stage", "dangling=true"]))
        {'label': ('env=test', 'stage'), 'dangling': ('true',)}
        """
        values: dict[str, list[str]] = {}
        for text in texts:
            if not text:
                continue
            key, equals, value = text.partition("=")
            if not equals:
                raise UsageError(
                    f'invalid argument "{text}" for "-f, --filter" flag: bad format of filter (expected name=value)',
                    exit_code=125,
                )
            values.setdefault(key.strip().lower(), []).append(value.strip())
        return cls(values)

    def __getitem__(self, key: str) -> tuple[str, ...]:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def validate(self, accepted: Iterable[str]) -> None:
        """InvalidFilterError for an unknown key (R3.20)."""
        known = set(accepted)
        for key in self._values:
            if key not in known:
                raise InvalidFilterError(
                    f"invalid filter '{key}'", hint=f"the filters here are {', '.join(sorted(known))}"
                )

    def boolean(self, key: str) -> bool | None:
        """true/1 or false/0; None when it was not asked. InvalidFilterError for anything else, and for both (R3.21)."""
        values = self._values.get(key)
        if values is None:
            return None
        meant = {{"true": True, "1": True, "false": False, "0": False}.get(value) for value in values}
        if len(meant) != 1 or None in meant:
            shown = " ".join(values)
            raise InvalidFilterError(f"invalid filter '{key}=[{shown}]'", hint=f"write {key}=true or {key}=false")
        return meant.pop()


def select_images(
    state: State, filters: Filters, *, all: bool, now: int, resolve: Callable[[str], Image], tz: tzinfo = UTC
) -> list[Image]:
    """The images of `docker images`, newest first; ties by name, then ID (R3.3, R3.14-R3.28)."""
    filters.validate(IMAGE_KEYS)
    dangling = filters.boolean("dangling")
    before = min((resolve(name).created for name in filters.get("before", ())), default=None)
    since = max((resolve(name).created for name in filters.get("since", ())), default=None)
    until = min((parse_moment(text, now=now, tz=tz) for text in filters.get("until", ())), default=None)
    labels, patterns = filters.get("label", ()), filters.get("reference", ())

    def shown(image: Image) -> bool:
        if before is not None and image.created >= before or since is not None and image.created <= since:
            return False
        if until is not None and image.created >= until:
            return False
        if labels and not has_labels(image, labels):
            return False
        if patterns and not matching_names(state.names(image.id), patterns):
            return False
        return _visible(state, image, dangling=dangling, all=all)

    return sorted(filter(shown, state.images.values()), key=lambda image: _order(state, image))


def _order(state: State, image: Image) -> tuple[int, str, str]:
    """Newest first. Docker looks at whole seconds and leaves the rest to chance; here a build's images stand in its order."""
    return -image.created, (state.names(image.id) or ("~",))[0], image.id


def _visible(state: State, image: Image, *, dangling: bool | None, all: bool) -> bool:
    """Hiding: intermediates without `-a`; and what `dangling=` says (R3.14-R3.18)."""
    if dangling is True:
        return state.is_dangling(image.id)
    if not state.names(image.id):
        return dangling is None and (all or not state.children(image.id))
    return True


def select_prunable(state: State, filters: Filters, *, all: bool, now: int, tz: tzinfo = UTC) -> list[Image]:
    """What `image prune` tries to remove, in a fixed order (R5.20, R5.21)."""
    filters.validate(PRUNE_KEYS)
    everything = all or filters.boolean("dangling") is False
    if len(filters.get("until", ())) > 1:
        raise InvalidFilterError("more than one until filter specified")
    until = parse_moment(filters["until"][0], now=now, tz=tz) if "until" in filters else None

    def prunable(image: Image) -> bool:
        if until is not None and image.created > until:
            return False
        if "label" in filters and not has_labels(image, filters["label"]):
            return False
        if "label!" in filters and has_labels(image, filters["label!"]):
            return False
        return not state.is_intermediate(image.id) if everything else state.is_dangling(image.id)

    return sorted(filter(prunable, state.images.values()), key=lambda image: _order(state, image))


def has_labels(image: Image, wanted: Iterable[str]) -> bool:
    """All of `key` or `key=value` (R3.22, R3.23)."""
    for text in wanted:
        key, equals, value = text.partition("=")
        if key not in image.labels or equals and image.labels[key] != value:
            return False
    return True


def matching_names(names: Iterable[str], patterns: Iterable[str]) -> tuple[str, ...]:
    """The canonical names that some pattern matches, by familiar reference or familiar name (R3.6, R3.26)."""
    wanted = list(patterns)

    def matches(name: str) -> bool:
        texts = (familiar(name), familiar(Reference.canonical(name).repository))
        return any(path_match(pattern, text) for pattern in wanted for text in texts)

    return tuple(name for name in names if matches(name))


# -- Go's path.Match ----------------------------------------------------------------------------------------


def path_match(pattern: str, name: str) -> bool:
    """Does the whole name match? InvalidFilterError: `syntax error in pattern` (R3.27)."""
    return re.fullmatch(_translate(pattern), name, re.DOTALL) is not None


def _translate(pattern: str) -> str:
    out, position = "", 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[":
            text, position = _class(pattern, position)
            out += text
        else:
            if char == "\\":
                char, position = _escaped(pattern, position)
            out += re.escape(char)
    return out


def _class(pattern: str, position: int) -> tuple[str, int]:
    """`[a-z]`, `[^x]`: at least one character or range, then the bracket."""
    negated = pattern[position : position + 1] == "^"
    position += negated
    ranges: list[str] = []
    while True:
        if pattern[position : position + 1] == "]" and ranges:
            members = "".join(ranges)
            nothing = "." if negated else "(?!)"  # `[z-a]` has no members
            return (f"[{'^' if negated else ''}{members}]" if members else nothing), position + 1
        low, position = _member(pattern, position)
        high = low
        if pattern[position : position + 1] == "-":
            high, position = _member(pattern, position + 1)
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")


def _member(pattern: str, position: int) -> tuple[str, int]:
    char = pattern[position : position + 1]
    if char in ("", "-", "]"):
        raise _bad_pattern(pattern)
    return _escaped(pattern, position + 1) if char == "\\" else (char, position + 1)


def _escaped(pattern: str, position: int) -> tuple[str, int]:
    if position >= len(pattern):
        raise _bad_pattern(pattern)
    return pattern[position], position + 1


def _bad_pattern(pattern: str) -> InvalidFilterError:
    return InvalidFilterError(
        "syntax error in pattern", hint=f"in {pattern!r}: * and ? match anything but /, [a-z] is a class"
    )
