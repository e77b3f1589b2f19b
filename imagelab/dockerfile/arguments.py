"""ARG and `--build-arg`: which names have which values at a point of a build (R8.17).

before FROM     for FROM lines; a stage sees one only after `ARG NAME` of its own
in a stage      from its line on; the command line's value before the line's, the line's before the global one's
proxies         HTTP_PROXY and its kin need no ARG, and leave no trace in history or cache
ENV             wins over an ARG of the same name
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PROXIES = frozenset(
    name
    for base in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (base, base.lower())
)


class Arguments:
    """The build arguments as seen from one place. `given`: from the command line; None for a name without a value."""

    def __init__(self, given: Mapping[str, str | None]) -> None:
        self._given = dict(given)
        self._global: dict[str, str | None] = {}
        self._declared: dict[str, str | None] = {}
        self._used: set[str] = set()

    def declare_globally(self, name: str, default: str | None) -> None:
        """An ARG before the first FROM."""
        self._global[name] = default
        self._used.add(name)

    def begin_stage(self) -> None:
        """A FROM: what the last stage declared is gone."""
        self._declared = {}

    def declare(self, name: str, default: str | None) -> None:
        """An ARG in a stage."""
        self._declared[name] = default
        self._used.add(name)

    def in_from(self) -> dict[str, str]:
        """What `$NAME` means in a FROM line."""
        return self._values(self._global)

    def allowed(self, environment: Iterable[str]) -> dict[str, str]:
        """What the stage's instructions see: declared ones and proxies, but for those that ENV has, sorted."""
        hidden = set(environment)
        values = self._values({**dict.fromkeys(PROXIES), **self._declared})
        return {name: values[name] for name in sorted(values) if name not in hidden}

    def counted(self, names: Iterable[str]) -> list[str]:
        """Those that history and cache keep: not a proxy that no ARG declares."""
        return [name for name in names if name in self._declared or name not in PROXIES]

    def unused(self) -> list[str]:
        """Given, and never declared (R8.10)."""
        return sorted(name for name in self._given if name not in self._used and name not in PROXIES)

    def _values(self, declared: Mapping[str, str | None]) -> dict[str, str]:
        values: dict[str, str] = {}
        for name, default in declared.items():
            given = self._given.get(name)
            value = given if given is not None else default if default is not None else self._global.get(name)
            if value is not None:
                values[name] = value
        return values
