"""A pull as a ladder: every request and its answer, step by step, and between them what needed no request.

    lab                                               registry
     |  1  HEAD /v2/library/nginx/manifests/latest  ->  |     what does the tag point to?
     |                          <-  200, sha256:ca17..  |
     |  2  GET  /v2/library/nginx/manifests/sha256:ca.. |     the manifest: digests of config and layers
     |  3  GET  /v2/library/nginx/blobs/sha256:c232...  |     the config; its digest is the image ID
     |     d12c07e5cd7e: Already exists                 |     nothing is asked
     |  4  GET  /v2/library/nginx/blobs/sha256:8c59...  |     a layer

Each row opens: the headers that matter both ways, and the JSON that came. What a blob is, config or layer, is not said on the
wire; it is known from the manifest that came before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from imagelab.registry.recording import Entry, Exchange, ProgressNote, Recording
from imagelab.units import human_size
from imagelab.view.messages import say
from imagelab.view.panel import Panel, escape, page_text, plain
from imagelab.view.style import chip

_DIGEST = re.compile(r"sha256:([0-9a-f]{12})[0-9a-f]{52}")


@dataclass(frozen=True, slots=True)
class PullLogRow:
    """One step. `number` counts requests; it is 0 for a note. `kind` is an entry of words/pull_log.toml."""

    number: int
    kind: str
    entry: Entry

    @property
    def size(self) -> int:
        """Bytes of the answer's body, as announced."""
        return int(self.entry.header("Content-Length") or 0) if isinstance(self.entry, Exchange) else 0

    @property
    def carries(self) -> bool:
        """Does the answer bring its body along? That of a HEAD stays where it is."""
        return isinstance(self.entry, Exchange) and self.entry.method != "HEAD"


@dataclass(frozen=True, slots=True, repr=False)
class PullLog(Panel):
    """The last pull. `error` is what it ended with, "" when all went well."""

    kind = "tape"
    sheets = ("bytes",)

    subject: str
    rows: tuple[PullLogRow, ...]
    error: str = ""
    lang: str = "en"

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """The exchanges alone."""
        return tuple(row.entry for row in self.rows if isinstance(row.entry, Exchange))

    @property
    def kinds(self) -> list[str]:
        """The ladder in one word a row: `["resolve", "manifest", "config", "layer", ...]`."""
        return [row.kind for row in self.rows]

    @property
    def title(self) -> str:
        return say("pull_log.title", self.lang, subject=self.subject)

    def lines(self) -> Iterator[str]:
        yield from (plain(self.title), _sums(self))
        for row in self.rows:
            yield from ("", *_lines(row, self))
        if self.error:
            yield from ("", f"  ✗  {plain(say('pull_log.failed', self.lang, error=self.error))}")

    def body(self) -> str:
        rows = "".join(_row(row, self) for row in self.rows)
        if self.error:
            error = escape(say("pull_log.failed", self.lang, error=self.error))
            rows += f'<div class="rung note k-dangling bad"><span class="no">✗</span> <span>{error}</span></div>'
        ends = f'<div class="ends"><b>{escape(say("pull_log.lab", self.lang))}</b> <b>{escape(_hosts(self))}</b></div>'
        return f'<p class="note">{escape(_sums(self))}</p>{ends}<div class="ladder">{rows}</div>'


def pull_log(recording: Recording, lang: str = "en") -> PullLog:
    """The ladder of a recording."""
    return PullLog(recording.subject, tuple(_rows(recording)), recording.error, lang)


def _rows(recording: Recording) -> Iterator[PullLogRow]:
    """Requests are numbered. That a layer is being checked is said only where nothing is said of how that ended."""
    configs: set[str] = set()
    complete = {
        note.id for note in recording.entries if isinstance(note, ProgressNote) and note.status == "Pull complete"
    }
    number = 0
    for entry in recording.entries:
        if isinstance(entry, ProgressNote):
            if entry.status != "Verifying Checksum" or entry.id not in complete:
                yield PullLogRow(0, _note_kind(entry), entry)
            continue
        number += 1
        configs |= _config_of(entry.body)
        yield PullLogRow(number, _kind(entry, configs), entry)


def _config_of(body: str) -> set[str]:
    """The config's digest, when the body is a manifest."""
    try:
        data = json.loads(body or "{}")
    except ValueError:
        return set()
    config = data.get("config") if isinstance(data, dict) else None
    return {str(config.get("digest"))} if isinstance(config, dict) else set()


def _kind(exchange: Exchange, configs: set[str]) -> str:
    by_status = {401: "refused", 404: "unknown", 429: "limited", 206: "resumed"}
    if exchange.status in by_status:
        return by_status[exchange.status]
    if exchange.status >= 500:
        return "broken"
    if 300 <= exchange.status < 400:
        return "redirected"
    path = urlsplit(exchange.url).path
    if "/manifests/" in path:
        is_index = re.search(r"index|manifest\.list", exchange.header("Content-Type"))
        return "resolve" if exchange.method == "HEAD" else "index" if is_index else "manifest"
    if "/blobs/" in path:
        return "config" if path.rpartition("/")[2] in configs else "layer"
    ends = {"/v2/": "ping", "/list": "tags"}
    return next(
        (kind for end, kind in ends.items() if path.endswith(end)), "token" if "scope=" in exchange.url else "other"
    )


def _note_kind(note: ProgressNote) -> str:
    kinds = {"Already exists": "exists", "Verifying Checksum": "checking", "Pull complete": "complete"}
    return kinds.get(note.status, "retrying" if note.status.startswith("Retrying") else "status")


# -- what both printers say ---------------------------------------------------------------------------------


def _sums(log: PullLog) -> str:
    size = sum(row.size for row in log.rows if row.carries)
    here = log.kinds.count("exists")
    return say("pull_log.sums", log.lang, requests=len(log.requests), size=human_size(size), here=here)


def _hosts(log: PullLog) -> str:
    hosts = dict.fromkeys(urlsplit(exchange.url).netloc for exchange in log.requests)
    return ", ".join(hosts) or say("pull_log.registry", log.lang)


def _sentence(row: PullLogRow, log: PullLog) -> str:
    status = row.entry.status if isinstance(row.entry, ProgressNote) else ""
    words = say(f"pull_log.{row.kind}", log.lang, status=status)
    return f"{row.entry.id}  {words}" if isinstance(row.entry, ProgressNote) and row.entry.id else words


def _path(exchange: Exchange, log: PullLog) -> str:
    """The path, digests cut to twelve digits; the host before it where it is not the first one's."""
    parts, home = urlsplit(exchange.url), urlsplit(log.requests[0].url).netloc
    path = _DIGEST.sub(r"sha256:\1…", parts.path) + (f"?{parts.query}" if parts.query else "")
    return path if parts.netloc == home else parts.netloc + path


def _answer(exchange: Exchange) -> str:
    return f"{exchange.status} {exchange.reason}".strip()


# -- text ---------------------------------------------------------------------------------------------------


def _lines(row: PullLogRow, log: PullLog) -> Iterator[str]:
    entry = row.entry
    if isinstance(entry, ProgressNote):
        yield f"  ·  {plain(_sentence(row, log))}"
        return
    size = say("pull_log.bytes", log.lang, size=f"{row.size:,}") if row.carries else ""
    yield f"{row.number:>3}  → {entry.method} {plain(_path(entry, log))}    {_sentence(row, log)}"
    yield f"     ← {plain(_answer(entry))}  {size}".rstrip()
    yield from (f"       > {name}: {plain(value)}" for name, value in entry.sent)
    yield from (f"       < {name}: {plain(value)}" for name, value in entry.received)
    if entry.body:
        yield f"       {plain(_pretty(entry.body, indent=None))}".rstrip()


# -- HTML ---------------------------------------------------------------------------------------------------

_NOTES = {"exists": ("=", "shared"), "complete": ("✓", "added"), "retrying": ("↻", "changed")}
_BAD = {"refused": "changed", "redirected": "changed", "limited": "removed", "broken": "removed", "unknown": "removed"}


def _row(row: PullLogRow, log: PullLog) -> str:
    entry, sentence = row.entry, escape(_sentence(row, log))
    if isinstance(entry, ProgressNote):
        sign, kind = _NOTES.get(row.kind, ("·", ""))
        look = f' k-{kind}" style="color:var(--line)"><b>{sign}</b>' if kind else f'">{sign}'
        mark = f'<span class="no{look}</span>'
        return f'<div class="rung note">{mark} <span>{sentence}</span></div>'
    status = chip(escape(_answer(entry)), _BAD.get(row.kind, "added"))
    size = escape(say("pull_log.bytes", log.lang, size=f"{row.size:,}")) if row.carries else ""
    body = f'<pre class="bytes">{page_text(_pretty(entry.body))}</pre>' if entry.body else ""
    sides = (("asked", entry.sent), ("answered", entry.received))
    headers = "".join(_headers(say(f"pull_log.{side}", log.lang), headers) for side, headers in sides)
    return (
        f'<details class="rung"><summary><span class="no">{row.number}</span> '
        f'<span class="go"><b>{escape(entry.method)}</b> <code>{escape(_path(entry, log))}</code></span> {status} '
        f'<span class="n">{size}</span> <span class="say">{sentence}</span></summary>'
        f'<div class="both">{headers}</div>{body}</details>'
    )


def _headers(title: str, headers: tuple[tuple[str, str], ...]) -> str:
    rows = "".join(
        f'<div class="name">{escape(name)}:</div><div class="value">{escape(value)}</div>' for name, value in headers
    )
    return f"<div><h4>{escape(title)}</h4>{rows}</div>" if rows else ""


def _pretty(body: str, *, indent: int | None = 2) -> str:
    try:
        return json.dumps(json.loads(body), indent=indent, ensure_ascii=False)
    except ValueError:
        return body
