"""A pull as a ladder: every request and its answer, step by step, and between them what needed no request.

    lab                                               registry
     |  1  HEAD /v2/library/nginx/manifests/latest  ->  |     what does the tag point to?
     |                          <-  200, sha256:ca17..  |
     |  2  GET  /v2/library/nginx/manifests/sha256:ca.. |     the manifest: digests of config and layers
     |  3  GET  /v2/library/nginx/blobs/sha256:c232...  |     the config; its digest is the image ID
     |     d12c07e5cd7e: Already exists                 |     nothing is asked
     |  4  GET  /v2/library/nginx/blobs/sha256:8c59...  |     a layer

Each rung opens: the headers that matter both ways, and the JSON that came. What a blob is, config or layer, is not said on the
wire; it is known from the manifest that came before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from imagelab.registry.recording import Entry, Exchange, Note, Recording
from imagelab.units import human_size
from imagelab.view.messages import say
from imagelab.view.panel import BYTES, Shown, escape, page_text, plain
from imagelab.view.style import chip, panel

_DIGEST = re.compile(r"sha256:([0-9a-f]{12})[0-9a-f]{52}")


@dataclass(frozen=True, slots=True)
class Rung:
    """One step. `number` counts requests; it is 0 for a note. `kind` is an entry of words/tape.toml."""

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
class Tape(Shown):
    """The last pull. `error` is what it ended with, "" when all went well."""

    subject: str
    rungs: tuple[Rung, ...]
    error: str = ""
    lang: str = "en"

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """The exchanges alone."""
        return tuple(rung.entry for rung in self.rungs if isinstance(rung.entry, Exchange))

    @property
    def kinds(self) -> list[str]:
        """The ladder in one word a rung: `["resolve", "manifest", "config", "layer", ...]`."""
        return [rung.kind for rung in self.rungs]

    @property
    def text(self) -> str:
        lines = [say("tape.title", self.lang, subject=plain(self.subject)), _sums(self)]
        for rung in self.rungs:
            lines += ["", *_lines(rung, self)]
        if self.error:
            lines += ["", f"  ✗  {plain(say('tape.failed', self.lang, error=self.error))}"]
        return "".join(f"{line.rstrip()}\n" for line in lines)

    @property
    def html(self) -> str:
        title = say("tape.title", self.lang, subject=self.subject)
        rungs = "".join(_rung(rung, self) for rung in self.rungs)
        if self.error:
            error = escape(say("tape.failed", self.lang, error=self.error))
            rungs += f'<div class="rung note k-dangling bad"><span class="no">✗</span> <span>{error}</span></div>'
        ends = f'<div class="ends"><b>{escape(say("tape.lab", self.lang))}</b> <b>{escape(_hosts(self))}</b></div>'
        body = f'{BYTES}{CSS}<h3>{escape(title)}</h3><p class="note">{escape(_sums(self))}</p>{ends}<div class="ladder">{rungs}</div>'
        return panel(body, label=title, kind="tape", language=self.lang)


def tape(recording: Recording, lang: str = "en") -> Tape:
    """The ladder of a recording."""
    return Tape(recording.subject, tuple(_rungs(recording)), recording.error, lang)


def _rungs(recording: Recording) -> Iterator[Rung]:
    """Requests are numbered. That a layer is being checked is said only where nothing is said of how that ended."""
    configs: set[str] = set()
    complete = {note.id for note in recording.entries if isinstance(note, Note) and note.status == "Pull complete"}
    number = 0
    for entry in recording.entries:
        if isinstance(entry, Note):
            if entry.status != "Verifying Checksum" or entry.id not in complete:
                yield Rung(0, _note_kind(entry), entry)
            continue
        number += 1
        configs |= _config_of(entry.body)
        yield Rung(number, _kind(entry, configs), entry)


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


def _note_kind(note: Note) -> str:
    kinds = {"Already exists": "exists", "Verifying Checksum": "checking", "Pull complete": "complete"}
    return kinds.get(note.status, "retrying" if note.status.startswith("Retrying") else "status")


# -- what both printers say ---------------------------------------------------------------------------------


def _sums(found: Tape) -> str:
    size = sum(rung.size for rung in found.rungs if rung.carries)
    here = found.kinds.count("exists")
    return say("tape.sums", found.lang, requests=len(found.requests), size=human_size(size), here=here)


def _hosts(found: Tape) -> str:
    hosts = dict.fromkeys(urlsplit(exchange.url).netloc for exchange in found.requests)
    return ", ".join(hosts) or say("tape.registry", found.lang)


def _said(rung: Rung, found: Tape) -> str:
    status = rung.entry.status if isinstance(rung.entry, Note) else ""
    words = say(f"tape.{rung.kind}", found.lang, status=status)
    return f"{rung.entry.id}  {words}" if isinstance(rung.entry, Note) and rung.entry.id else words


def _path(exchange: Exchange, found: Tape) -> str:
    """The path, digests cut to twelve digits; the host before it where it is not the first one's."""
    parts, home = urlsplit(exchange.url), urlsplit(found.requests[0].url).netloc
    path = _DIGEST.sub(r"sha256:\1…", parts.path) + (f"?{parts.query}" if parts.query else "")
    return path if parts.netloc == home else parts.netloc + path


def _answer(rung: Rung, exchange: Exchange) -> str:
    return f"{exchange.status} {exchange.reason}".strip()


# -- text ---------------------------------------------------------------------------------------------------


def _lines(rung: Rung, found: Tape) -> Iterator[str]:
    entry = rung.entry
    if isinstance(entry, Note):
        yield f"  ·  {plain(_said(rung, found))}"
        return
    size = say("tape.bytes", found.lang, size=f"{rung.size:,}") if rung.carries else ""
    yield f"{rung.number:>3}  → {entry.method} {plain(_path(entry, found))}    {_said(rung, found)}"
    yield f"     ← {plain(_answer(rung, entry))}  {size}".rstrip()
    yield from (f"       > {name}: {plain(value)}" for name, value in entry.sent)
    yield from (f"       < {name}: {plain(value)}" for name, value in entry.received)
    if entry.body:
        yield f"       {plain(_pretty(entry.body, indent=None))}".rstrip()


# -- HTML ---------------------------------------------------------------------------------------------------

CSS = (
    "<style>"
    ".imagelab.tape .ends{display:flex;justify-content:space-between;font-size:12px;color:var(--il-soft);padding-bottom:4px}"
    ".imagelab.tape .ladder{border-left:2px solid var(--il-layer-line);border-right:2px solid var(--il-shared-line)}"
    ".imagelab.tape .rung{border-bottom:1px solid var(--il-rule);padding:0 10px}"
    ".imagelab.tape .rung:last-child{border-bottom:0}"
    ".imagelab.tape summary{list-style:none;display:grid;grid-template-columns:22px minmax(0,1fr) max-content 74px;gap:0 10px;align-items:baseline;padding:7px 0}"
    ".imagelab.tape summary::-webkit-details-marker{display:none}"
    ".imagelab.tape .no{font-size:11px;color:var(--il-soft);text-align:right}"
    ".imagelab.tape summary .say{grid-column:2/4;color:var(--il-soft);font-size:12px}"
    ".imagelab.tape summary .go{display:flex;gap:8px;align-items:center;min-width:0}"
    ".imagelab.tape summary .go code{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}"
    ".imagelab.tape summary .go b{font-family:var(--il-mono);font-size:12px}"
    ".imagelab.tape summary .go::after{content:'';flex:1;min-width:14px;height:1px;background:var(--il-soft);opacity:.55}"
    ".imagelab.tape .n{text-align:right;font-variant-numeric:tabular-nums;font-size:12px;white-space:nowrap}"
    ".imagelab.tape details.rung:hover,.imagelab.tape details[open].rung{background:color-mix(in srgb,var(--il-layer-fill) 30%,transparent)}"
    ".imagelab.tape .rung.note{display:grid;grid-template-columns:22px minmax(0,1fr);gap:10px;padding:5px 10px;font-size:12px;color:var(--il-soft)}"
    ".imagelab.tape .rung.bad{color:var(--ink);background:var(--fill);font-weight:600;overflow-wrap:anywhere}"
    ".imagelab.tape .both{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:4px 20px;padding:0 0 8px 32px}"
    ".imagelab.tape .name{color:var(--il-soft);font-size:11px;margin-top:3px}"
    ".imagelab.tape .value{font-family:var(--il-mono);font-size:12px;overflow-wrap:anywhere}"
    ".imagelab.tape .both h4{margin:2px 0;font-size:11px;letter-spacing:.04em;color:var(--il-soft)}"
    ".imagelab.tape pre.bytes{margin:0 0 10px 32px}"
    "</style>"
)

_GOOD = {"exists": "shared", "complete": "added", "retrying": "changed"}
_BAD = {"refused": "changed", "redirected": "changed", "limited": "removed", "broken": "removed", "unknown": "removed"}


def _rung(rung: Rung, found: Tape) -> str:
    entry, said = rung.entry, escape(_said(rung, found))
    if isinstance(entry, Note):
        kind = _GOOD.get(rung.kind, "")
        sign = {"exists": "=", "complete": "✓", "retrying": "↻"}.get(rung.kind, "·")
        mark = (
            f'<span class="no k-{kind}" style="color:var(--line)"><b>{sign}</b></span>'
            if kind
            else f'<span class="no">{sign}</span>'
        )
        return f'<div class="rung note">{mark} <span>{said}</span></div>'
    status = chip(escape(_answer(rung, entry)), _BAD.get(rung.kind, "added"))
    size = escape(say("tape.bytes", found.lang, size=f"{rung.size:,}")) if rung.carries else ""
    body = f'<pre class="bytes">{page_text(_pretty(entry.body))}</pre>' if entry.body else ""
    headers = _headers(say("tape.asked", found.lang), entry.sent) + _headers(
        say("tape.answered", found.lang), entry.received
    )
    return (
        f'<details class="rung"><summary><span class="no">{rung.number}</span> '
        f'<span class="go"><b>{escape(entry.method)}</b> <code>{escape(_path(entry, found))}</code></span> {status} '
        f'<span class="n">{size}</span> <span class="say">{said}</span></summary>'
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
