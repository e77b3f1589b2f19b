"""The recording of a pull: what was said to the registry, and what came back, in order.

    exchange  HEAD /v2/library/nginx/manifests/latest  ->  200, Docker-Content-Digest: sha256:ca17...
    exchange  GET  /v2/library/nginx/manifests/sha256:ca17...  ->  200, 856 bytes
    note      d12c07e5cd7e: Already exists                (what the pull says of itself, between two requests)
    ...
    end       what went wrong, or nothing

The recording sits where the answers come by, in the one session all requests use, so nothing can be asked that is not on
it: tokens, redirects and retries too. It keeps headers that mean something in the protocol, and of a token only that
there was one. Bodies are kept when they are JSON; of blobs, the size. Nothing of it holds a time: the same pull makes
the same recording.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from imagelab.state.events import Progress, ProgressSink

if TYPE_CHECKING:
    import requests

SENT = ("Accept", "Authorization", "Range")
RECEIVED = (
    "WWW-Authenticate", "Location", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "Link",
    "Content-Type", "Content-Length", "Content-Range", "Docker-Content-Digest",
)  # fmt: skip
"""Headers that are kept, in the order they are shown."""

NOTED = ("Already exists", "Verifying Checksum", "Pull complete", "Status: ")
LONGEST_BODY = 16 * 1024
"""Bytes of a JSON body that are kept."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; `body` is JSON text, "" for a blob."""

    method: str
    url: str
    sent: Headers
    status: int
    reason: str
    received: Headers
    body: str = ""

    def header(self, name: str) -> str:
        """A header of the answer, "" when it has none of that name."""
        return dict(self.received).get(name, "")


@dataclass(frozen=True, slots=True)
class ProgressNote:
    """What the pull said between two requests: the layer's short ID ("" for none), and the words."""

    id: str
    status: str


Entry = Exchange | ProgressNote
OnExchange = Callable[[Exchange], None]


def ignore(_: Exchange) -> None:
    """Keeps nothing of an exchange."""


class ExchangeHook:
    """A hook for a session's answers: `on_exchange` is called with each, as an Exchange."""

    def __init__(self) -> None:
        self.on_exchange: OnExchange = ignore

    def __call__(self, answer: requests.Response, **_: object) -> None:
        if self.on_exchange is not ignore:
            self.on_exchange(exchange_of(answer))


def exchange_of(answer: requests.Response) -> Exchange:
    """An answer as it came by, with the request it answers. Reads the body when it is JSON."""
    request = answer.request
    is_json = "json" in answer.headers.get("Content-Type", "") and request.method == "GET"
    body = answer.content[:LONGEST_BODY].decode("utf-8", "replace") if is_json else ""
    return Exchange(
        str(request.method), str(request.url), _kept(request.headers, SENT), answer.status_code, answer.reason or "",
        _kept(answer.headers, RECEIVED), body if "token" not in body[:12] else "",
    )  # fmt: skip


def _kept(headers: Mapping[str, str], names: tuple[str, ...]) -> Headers:
    """The headers that are kept. Of a token the kind and no more: a recording may be shown to anyone."""
    present = [(name, str(headers[name])) for name in names if name in headers]
    return tuple(
        (name, f"{value.partition(' ')[0]} …" if name == "Authorization" else value)
        for name, value in present
        if value != "*/*"
    )


@dataclass(slots=True)
class Recording:
    """A recording being made. `exchange` and `progress` are the two ends that things come in by."""

    subject: str
    """What was asked for, as it was typed."""
    entries: list[Entry] = field(default_factory=list)
    error: str = ""

    def exchange(self, exchange: Exchange) -> None:
        self.entries.append(exchange)

    def progress(self, sink: ProgressSink) -> ProgressSink:
        """`sink`, listened to."""

        def note(progress: Progress) -> None:
            if progress.status.startswith(NOTED) or self._begins_to_retry(progress):
                self.entries.append(ProgressNote(progress.id, progress.status))
            sink(progress)

        return note

    def _begins_to_retry(self, progress: Progress) -> bool:
        """A countdown is one thing: its first number."""
        last = self.entries[-1] if self.entries else None
        counting = isinstance(last, ProgressNote) and last.id == progress.id and last.status.startswith("Retrying")
        return progress.status.startswith("Retrying") and not counting

    def pack(self) -> str:
        """As JSON text."""
        return json.dumps({"subject": self.subject, "error": self.error, "entries": [asdict(e) for e in self.entries]})

    @classmethod
    def unpack(cls, text: str) -> Recording:
        """What `pack` packed."""
        data = json.loads(text)
        return cls(data["subject"], [_entry(item) for item in data["entries"]], data["error"])


def _entry(data: dict[str, Any]) -> Entry:
    if "url" not in data:
        return ProgressNote(**data)
    pairs = {key: tuple((str(name), str(value)) for name, value in data[key]) for key in ("sent", "received")}
    return Exchange(**{**data, **pairs})
