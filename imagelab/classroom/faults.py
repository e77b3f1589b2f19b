"""Faults on demand: what goes wrong on the way from a registry, once, when a teacher or a learner asks for it.

    truncate   a layer breaks off in the middle       the pull asks for the rest, with Range, and ends well
    tamper     one bit of a layer is another          filesystem layer verification failed; nothing is kept
    429        too many requests for a manifest       toomanyrequests: ...
    500        the registry itself is broken          received unexpected HTTP status: 500 Internal Server Error
    slow       a layer comes in drops                 bars that one can watch
    redirect   a blob is at another address           asked for there, and without the token
    token      no request without a token is served   401, a token, and the same request again

A fault waits in the lab until a request that it is for comes by: of a repository, if it names one. Then it is used up,
once or `times` times. So the pull after it is an ordinary one, and succeeds.

The faults are the registry's. The client that meets them is the same that pulls from Docker Hub, and it is not told.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from imagelab.errors import UsageError
from imagelab.oci.reference import Reference
from imagelab.registry.client import CLASSROOM, CLASSROOM_CDN

KINDS = ("truncate", "tamper", "429", "500", "slow", "redirect", "token")
DROP, REST = 1024, 0.01
"""A slow layer: bytes at a time, and seconds between two of them."""

_WHAT = re.compile(r"/v2/(?P<name>.+)/(?P<what>manifests|blobs)/[^/]+")
_LIMIT = "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"

Application = Callable[[Mapping[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What will go wrong, for which repository (its path; "" for any), and how often still."""

    kind: str
    name: str = ""
    times: int = 1

    def __str__(self) -> str:
        where = self.name.removeprefix("library/") or "any image"
        return f"{self.kind} for {where}, {'once' if self.times == 1 else f'{self.times} times'}"


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults that wait. `load` and `save` keep them as `[[kind, name, times], ...]`."""

    load: Callable[[], Sequence[Sequence[Any]]]
    save: Callable[[list[list[Any]]], None]

    def all(self) -> tuple[Fault, ...]:
        """Those that wait, in the order they were asked for."""
        return tuple(Fault(str(kind), str(name), int(times)) for kind, name, times in self.load())

    def add(self, kind: str, name: str, times: int) -> Fault:
        """One more. UsageError for a kind there is none of."""
        if kind not in KINDS:
            raise UsageError(f"unknown fault {kind!r}", hint=f"one of {', '.join(KINDS)}")
        if times < 1:
            raise UsageError(f"a fault can not happen {times} times", hint="times=1 is once, which is the default")
        fault = Fault(kind, Reference.parse(name).path if name else "", times)
        self._save([*self.all(), fault])
        return fault

    def waiting(self, kind: str, name: str) -> bool:
        """Is there one of this kind for a repository?"""
        return any(fault.kind == kind and fault.name in ("", name) for fault in self.all())

    def use(self, kind: str, name: str) -> None:
        """It has happened: once less."""
        faults = list(self.all())
        index = next(index for index, fault in enumerate(faults) if fault.kind == kind and fault.name in ("", name))
        left = Fault(kind, faults[index].name, faults[index].times - 1)
        self._save([*faults[:index], *([left] if left.times else []), *faults[index + 1 :]])

    def clear(self) -> None:
        """None waits any more."""
        self._save([])

    def _save(self, faults: Sequence[Fault]) -> None:
        self.save([[fault.kind, fault.name, fault.times] for fault in faults])


class Faulty:
    """A WSGI application in front of a registry's: passes everything on, but for what a fault is for."""

    def __init__(self, registry: Application, faults: Faults, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._registry, self._faults, self._sleep = registry, faults, sleep

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match = _WHAT.fullmatch(environ["PATH_INFO"])
        if not self._faults.load() or (match is None and environ["PATH_INFO"] != "/token"):
            return self._registry(environ, start_response)
        if match is None or self._asks_for_token(environ, match["name"]):
            return self._token_auth(environ, start_response, match["name"] if match else "")
        method = environ["REQUEST_METHOD"]
        if match["what"] == "manifests":
            return self._manifest(environ, start_response, match["name"], counts=method == "GET")
        if method == "GET":
            return self._blob(environ, start_response, match["name"])
        return self._registry(environ, start_response)

    # -- tokens ---------------------------------------------------------------------------------------------

    def _asks_for_token(self, environ: Mapping[str, Any], name: str) -> bool:
        at_home = environ["SERVER_NAME"] == CLASSROOM.partition("//")[2]
        return at_home and self._faults.waiting("token", name) and "HTTP_AUTHORIZATION" not in environ

    def _token_auth(self, environ: Mapping[str, Any], start: Callable[..., Any], name: str) -> Iterable[bytes]:
        """A request with a token is served; it is the giving of one that uses the fault up."""
        from imagelab.server.token_auth import BearerTokenMiddleware

        if not name:
            scope = str(environ.get("QUERY_STRING", "")).replace("%3A", ":").replace("%2F", "/")
            path = scope.partition("scope=repository:")[2].partition(":")[0]
            if self._faults.waiting("token", path):
                self._faults.use("token", path)
        return BearerTokenMiddleware(self._registry)(environ, start)

    # -- manifests ------------------------------------------------------------------------------------------

    def _manifest(
        self, environ: Mapping[str, Any], start: Callable[..., Any], name: str, *, counts: bool
    ) -> Iterable[bytes]:
        """A HEAD meets the fault and does not use it up: the GET after it, which is what counts as a pull, does (R2.33)."""
        kind = next((kind for kind in ("429", "500") if self._faults.waiting(kind, name)), "")
        if not kind:
            return self._registry(environ, start)
        if counts:
            self._faults.use(kind, name)
        status, body, headers = _REFUSALS[kind]
        start(status, [("Content-Length", str(len(body))), *headers])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    # -- blobs ----------------------------------------------------------------------------------------------

    def _blob(self, environ: Mapping[str, Any], start: Callable[..., Any], name: str) -> Iterable[bytes]:
        at_home = environ["SERVER_NAME"] == CLASSROOM.partition("//")[2]
        if at_home and self._faults.waiting("redirect", name):
            self._faults.use("redirect", name)
            start(
                "307 Temporary Redirect", [("Location", CLASSROOM_CDN + environ["PATH_INFO"]), ("Content-Length", "0")]
            )
            return []
        kind = next((kind for kind in _SPOILERS if self._faults.waiting(kind, name)), "")
        body = self._registry(environ, start)
        return self._spoilt(iter(body), kind, name) if kind else body

    def _spoilt(self, pieces: Iterator[bytes], kind: str, name: str) -> Iterator[bytes]:
        """A layer is spoilt; a config, which is JSON, is let through."""
        first = next(pieces, b"")
        if first.startswith(b"{"):
            yield from chain([first], pieces)
            return
        self._faults.use(kind, name)
        yield from _SPOILERS[kind](b"".join(chain([first], pieces)), self._sleep)


def _truncated(body: bytes, _: Callable[[float], None]) -> Iterator[bytes]:
    yield body[: len(body) // 2]


def _tampered(body: bytes, _: Callable[[float], None]) -> Iterator[bytes]:
    """One bit, in what a gzip says of the system it was made on: the tar is the same, and the digest is not."""
    position = 9 if body.startswith(b"\x1f\x8b") else len(body) // 2
    yield body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]


def _slowly(body: bytes, sleep: Callable[[float], None]) -> Iterator[bytes]:
    for start in range(0, len(body), DROP):
        sleep(REST)
        yield body[start : start + DROP]


_SPOILERS = {"truncate": _truncated, "tamper": _tampered, "slow": _slowly}
_JSON = ("Content-Type", "application/json")
_REFUSALS: Mapping[str, tuple[str, bytes, list[tuple[str, str]]]] = {
    "429": (
        "429 Too Many Requests",
        f'{{"errors":[{{"code":"TOOMANYREQUESTS","message":"{_LIMIT}"}}]}}'.encode(),
        [_JSON, ("Retry-After", "3600"), ("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "0;w=21600")],
    ),
    "500": ("500 Internal Server Error", b"", [("Content-Type", "text/plain")]),
}
