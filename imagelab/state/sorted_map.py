"""A mapping that never changes, in the order of its keys; a changed copy shares what stays.

    items in order, cut into parts of some tens:   {a … f} {g … m} {n … z}
    with `h` changed                               {a … f} {g'… m} {n … z}      one part is new, the others are the same

So the next value of a table of n rows costs what changed and not n, and a caller that holds the former one still has it.

>>> old = SortedMap({"b": 2, "a": 1})
>>> new = old.changed({"c": 3, "a": None})
>>> dict(old), dict(new)
({'a': 1, 'b': 2}, {'b': 2, 'c': 3})
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from itertools import chain
from typing import TypeVar

K = TypeVar("K", bound=str)
V = TypeVar("V")

PART = 64
"""Keys in a part as it is made; one that grows to twice as many is cut in two."""


class SortedMap(Mapping[K, V]):
    """A mapping in the order of its keys, which are texts."""

    __slots__ = ("_firsts", "_length", "_parts")

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        pairs = sorted(dict(items).items(), key=_key)
        self._keep([dict(pairs[start : start + PART]) for start in range(0, len(pairs), PART)], len(pairs))

    def _keep(self, parts: list[dict[K, V]], length: int) -> None:
        self._parts, self._length = parts, length
        self._firsts: list[str] = [next(iter(part)) for part in parts]

    def _at(self, key: str) -> int:
        """The part where a key is, if it is anywhere."""
        return max(0, bisect_right(self._firsts, key) - 1)

    def __getitem__(self, key: K) -> V:
        if not self._parts:
            raise KeyError(key)
        return self._parts[self._at(key)][key]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and bool(self._parts) and key in self._parts[self._at(key)]

    def __iter__(self) -> Iterator[K]:
        return chain.from_iterable(self._parts)

    def __len__(self) -> int:
        return self._length

    def values(self) -> ValuesView[V]:
        return _Values(self)

    def items(self) -> ItemsView[K, V]:
        return _Items(self)

    def __repr__(self) -> str:
        return f"SortedMap({dict(self.items())!r})"

    def changed(self, changes: Mapping[K, V | None]) -> SortedMap[K, V]:
        """The same with these values in place; None takes a key away."""
        if len(changes) > max(PART, self._length // 8):
            return self._made_again(changes)
        parts = list(self._parts)
        touched: dict[int, dict[K, V | None]] = {}
        for key, value in changes.items():
            touched.setdefault(self._at(key), {})[key] = value
        length = self._length
        for position in sorted(touched, reverse=True):
            before = parts[position] if parts else {}
            part = _with(before, touched[position])
            length += len(part) - len(before)
            parts[position : position + 1] = _cut(part)
        successor: SortedMap[K, V] = SortedMap.__new__(SortedMap)
        successor._keep(parts, length)
        return successor

    def _made_again(self, changes: Mapping[K, V | None]) -> SortedMap[K, V]:
        return SortedMap(_with(dict(self.items()), changes))


class _Values(ValuesView[V]):
    _mapping: SortedMap[str, V]

    def __iter__(self) -> Iterator[V]:
        return chain.from_iterable(part.values() for part in self._mapping._parts)


class _Items(ItemsView[K, V]):
    _mapping: SortedMap[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return chain.from_iterable(part.items() for part in self._mapping._parts)


def _key(pair: tuple[K, object]) -> K:
    return pair[0]


def _with(part: Mapping[K, V], changes: Mapping[K, V | None]) -> dict[K, V]:
    """A part with its changes, in order."""
    after = dict(part)
    is_new = False
    for key, value in changes.items():
        if value is None:
            after.pop(key, None)
        else:
            is_new = is_new or key not in after
            after[key] = value
    return dict(sorted(after.items(), key=_key)) if is_new else after


def _cut(part: dict[K, V]) -> list[dict[K, V]]:
    """A part as it is, in pieces when it has become long, or nothing when it is empty."""
    if len(part) < 2 * PART:
        return [part] if part else []
    pairs = list(part.items())
    return [dict(pairs[start : start + PART]) for start in range(0, len(pairs), PART)]
