"""The two printers of the hash chain: a switch with a table a case, and all tables one after the other as text."""

from __future__ import annotations

from collections.abc import Iterator

from imagelab.view.hash_chain.model import HashCase, HashChain, HashStage
from imagelab.view.messages import say
from imagelab.view.panel import aligned, escape, plain, switch
from imagelab.view.style import chip

SHORT = len("sha256:") + 12


def short(name: str) -> str:
    """A digest's first twelve digits, as Docker prints it; a tag as it is."""
    return name[len("sha256:") : SHORT] if name.startswith("sha256:") else name


def _of(key: str, lang: str) -> tuple[str, str]:
    """What a stage is called, and what it is the hash of."""
    return say(f"hash_chain.stage_{key}", lang), say(f"hash_chain.of_{key}", lang)


# -- text ---------------------------------------------------------------------------------------------------


def lines(chain: HashChain) -> Iterator[str]:
    """Every case as a table, from the tag down to the file."""
    lang = chain.lang
    yield from (plain(chain.title), say("hash_chain.intro", lang, layer=chain.layer))
    for case in chain.cases:
        yield from ("", f"* {say(f'hash_chain.case_{case.key}', lang)}", f"  {say(f'hash_chain.why_{case.key}', lang)}")
        rows = [_heads(lang), *(_row(stage, lang) for stage in reversed(case.stages))]
        yield from (f"    {line}" for line in aligned(rows))
    yield from ("", say("hash_chain.note", lang))


def _heads(lang: str) -> list[str]:
    return ["", say("hash_chain.before", lang), "", say("hash_chain.after", lang)]


def _row(stage: HashStage, lang: str) -> list[str]:
    name, hashed = _of(stage.key, lang)
    return [name, plain(short(stage.before)), say(f"hash_chain.{stage.state}", lang), plain(short(stage.after)), hashed]


# -- HTML ---------------------------------------------------------------------------------------------------


def body(chain: HashChain) -> str:
    """A switch among the cases; where there are no styles, all of them."""
    lang = chain.lang
    choices = {case.key: say(f"hash_chain.case_{case.key}", lang) for case in chain.cases}
    labels = switch("case", choices, "byte")
    cases = "".join(_case(case, lang) for case in chain.cases)
    return (
        f"<p>{escape(say('hash_chain.intro', lang, layer=chain.layer))}</p>"
        f'<form><div class="switch" role="radiogroup">{labels}</div></form>{cases}'
        f'<p class="note" style="margin:8px 0 0">{escape(say("hash_chain.note", lang))}</p>'
    )


def _case(case: HashCase, lang: str) -> str:
    rows = "".join(_stage(stage, lang) for stage in reversed(case.stages))
    heads = "".join(f'<span class="th">{escape(head)}</span>' for head in _heads(lang))
    return (
        f'<div class="case {case.key}"><h4 class="alone">{escape(say(f"hash_chain.case_{case.key}", lang))}</h4>'
        f'<p>{escape(say(f"hash_chain.why_{case.key}", lang))}</p><div class="stages">{heads}{rows}</div></div>'
    )


def _stage(stage: HashStage, lang: str) -> str:
    name, hashed = _of(stage.key, lang)
    kind = {"same": "layer", "new": "removed", "moved": "changed"}[stage.state]
    word = escape(say(f"hash_chain.{stage.state}", lang))
    return (
        f'<div class="what k-{kind} {stage.key}"><b>{escape(name)}</b><span class="note">{escape(hashed)}</span></div>'
        f'<div class="hash k-layer">{_code(stage.before)}</div>'
        f'<div class="mid">{chip(word, "" if stage.state == "same" else kind)}</div>'
        f'<div class="hash k-{kind}">{_code(stage.after)}</div>'
    )


def _code(name: str) -> str:
    return f'<code title="{escape(name)}">{escape(short(name))}</code>'
