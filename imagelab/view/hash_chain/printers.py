"""The two printers of the hash avalanche: a switch with a table a case, and all tables one after the other as text."""

from __future__ import annotations

from imagelab.view.hash_chain.model import CASES, Avalanche, Case, Stage
from imagelab.view.messages import say
from imagelab.view.panel import aligned, escape, plain
from imagelab.view.style import chip, panel

SHORT = len("sha256:") + 12


def short(name: str) -> str:
    """A digest's first twelve digits, as Docker prints it; a tag as it is."""
    return name[len("sha256:") : SHORT] if name.startswith("sha256:") else name


def _of(key: str, lang: str) -> tuple[str, str]:
    """What a stage is called, and what it is the hash of."""
    return say(f"avalanche.stage_{key}", lang), say(f"avalanche.of_{key}", lang)


def _title(found: Avalanche) -> str:
    return say("avalanche.title", found.lang, path=found.path, name=found.name)


# -- text ---------------------------------------------------------------------------------------------------


def text(found: Avalanche) -> str:
    """Every case as a table, from the tag down to the file."""
    lang = found.lang
    lines = [plain(_title(found)), say("avalanche.intro", lang, layer=found.layer)]
    for case in found.cases:
        lines += ["", f"* {say(f'avalanche.case_{case.key}', lang)}", f"  {say(f'avalanche.why_{case.key}', lang)}"]
        lines += [
            f"    {line}" for line in aligned([_heads(lang), *(_row(stage, lang) for stage in reversed(case.stages))])
        ]
    lines += ["", say("avalanche.note", lang)]
    return "".join(f"{line}\n" for line in lines)


def _heads(lang: str) -> list[str]:
    return ["", say("avalanche.before", lang), "", say("avalanche.after", lang)]


def _row(stage: Stage, lang: str) -> list[str]:
    name, hashed = _of(stage.key, lang)
    return [name, plain(short(stage.before)), say(f"avalanche.{stage.state}", lang), plain(short(stage.after)), hashed]


# -- HTML ---------------------------------------------------------------------------------------------------

CSS = (
    "<style>"
    ".imagelab.avalanche .case{padding-top:4px}"
    ".imagelab.avalanche:has(.switch input:checked) .case{display:none}"
    + "".join(
        f".imagelab.avalanche:has(.switch input[value={key}]:checked) .case.{key}{{display:block}}" for key in CASES
    )
    + ".imagelab.avalanche .stages{display:grid;grid-template-columns:minmax(120px,max-content) minmax(min-content,auto) max-content minmax(min-content,auto);justify-content:start;gap:0 12px;align-items:stretch}"
    ".imagelab.avalanche .stages>*{padding:5px 0}"
    ".imagelab.avalanche .th{font-size:11px;font-weight:600;letter-spacing:.04em;color:var(--il-soft);padding:2px 0}"
    ".imagelab.avalanche .what b{display:block;font-weight:600}"
    ".imagelab.avalanche .hash{display:flex;align-items:center;min-width:0}"
    ".imagelab.avalanche .hash code{padding:3px 8px;border-radius:5px;background:var(--fill);color:var(--ink);border:1px solid var(--line);"
    "overflow-wrap:normal;white-space:normal}"
    ".imagelab.avalanche .mid{display:flex;align-items:center;justify-content:center}"
    ".imagelab.avalanche .what{position:relative;padding-left:18px}"
    ".imagelab.avalanche .what::before{content:'';position:absolute;left:5px;top:0;bottom:0;border-left:2px solid var(--line,var(--il-rule))}"
    ".imagelab.avalanche .what::after{content:'';position:absolute;left:1px;top:50%;width:10px;height:10px;margin-top:-5px;border-radius:50%;box-sizing:border-box;"
    "background:var(--fill,var(--il-page));border:2px solid var(--line,var(--il-soft))}"
    ".imagelab.avalanche .tag.what::before{top:50%}.imagelab.avalanche .file.what::before{bottom:50%}"
    ".imagelab.avalanche h4.alone{margin:8px 0 2px}"
    ".imagelab.avalanche:has(.switch input:checked) h4.alone{display:none}"
    "@media(max-width:620px){.imagelab.avalanche .what .note{display:none}}"
    "</style>"
)


def html(found: Avalanche) -> str:
    """A switch among the cases; where there are no styles, all of them."""
    lang = found.lang
    first = "byte"
    labels = "".join(
        f'<label><input type="radio" name="case" value="{case.key}"{" checked" if case.key == first else ""}>'
        f"{escape(say(f'avalanche.case_{case.key}', lang))}</label>"
        for case in found.cases
    )
    cases = "".join(_case(case, lang) for case in found.cases)
    body = (
        f"{CSS}<h3>{escape(_title(found))}</h3><p>{escape(say('avalanche.intro', lang, layer=found.layer))}</p>"
        f'<form><div class="switch" role="radiogroup">{labels}</div></form>{cases}'
        f'<p class="note" style="margin:8px 0 0">{escape(say("avalanche.note", lang))}</p>'
    )
    return panel(body, label=_title(found), kind="avalanche", language=lang)


def _case(case: Case, lang: str) -> str:
    rows = "".join(_stage(stage, lang) for stage in reversed(case.stages))
    heads = "".join(f'<span class="th">{escape(head)}</span>' for head in _heads(lang))
    return (
        f'<div class="case {case.key}"><h4 class="alone">{escape(say(f"avalanche.case_{case.key}", lang))}</h4>'
        f'<p>{escape(say(f"avalanche.why_{case.key}", lang))}</p><div class="stages">{heads}{rows}</div></div>'
    )


def _stage(stage: Stage, lang: str) -> str:
    name, hashed = _of(stage.key, lang)
    kind = {"same": "layer", "new": "removed", "moved": "changed"}[stage.state]
    word = escape(say(f"avalanche.{stage.state}", lang))
    return (
        f'<div class="what k-{kind} {stage.key}"><b>{escape(name)}</b><span class="note">{escape(hashed)}</span></div>'
        f'<div class="hash k-layer">{_code(stage.before)}</div>'
        f'<div class="mid">{chip(word, "" if stage.state == "same" else kind)}</div>'
        f'<div class="hash k-{kind}">{_code(stage.after)}</div>'
    )


def _code(name: str) -> str:
    return f'<code title="{escape(name)}">{escape(short(name))}</code>'
