"""An exercise as a learner sees it: the task, a checklist in words, what is missing; as text, and as HTML beside it.

    Exercise: The tag that moved
    Since you pulled `mongo:3.2`, its publishers have released it again. …

      [x] `mongo:3.2` stands for another image than before
      [ ] the image that was `mongo:3.2` at the start is dangling

    1 of 2 done. Still missing: the image that was `mongo:3.2` still has a tag, or a child.

Text and HTML are made from the same pieces, and nothing is said by colour alone. Everything here is a function of values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html import escape

from imagelab.course.checks import ANSWER
from imagelab.course.exercise import Exercise, Verdict
from imagelab.course.lab_snapshot import LabSnapshot
from imagelab.oci.reference import familiar
from imagelab.view.messages import say
from imagelab.view.style import chip, panel


@dataclass(frozen=True, slots=True)
class ExercisePanel:
    """Something said, as text and as HTML: what every part of an exercise answers with."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def exercise_panel(
    exercise: Exercise, verdict: Verdict, goal: LabSnapshot, now: LabSnapshot, lang: str
) -> ExercisePanel:
    """The whole exercise: task, checklist, goal beside mine."""
    title, task = exercise.title.in_(lang), exercise.task.in_(lang)
    tail = [outcome(verdict, lang), *contrast(goal, now, lang)] if not verdict.passed else [outcome(verdict, lang)]
    drawn = overlay(goal, now, lang) if not verdict.passed else ExercisePanel("", "")
    text = "\n".join(
        [
            say("course.heading", lang, title=title),
            task,
            "",
            *checklist(verdict, lang),
            "",
            *tail,
            *([drawn.text] if drawn.text else []),
            say("course.commands", lang),
        ]
    )
    body = (
        f"<h3>{chip(escape(say('course.exercise', lang)), 'tag')} {marked(title)}</h3><p>{marked(task)}</p>"
        f"{_list(verdict, lang)}{''.join(f'<p>{marked(line)}</p>' for line in tail)}{drawn.html}"
        f'<p class="keys">{marked(say("course.commands", lang))}</p>'
    )
    return ExercisePanel(text, panel(body, label=title, kind="exercise", language=lang))


def checked(exercise: Exercise, verdict: Verdict, lang: str) -> ExercisePanel:
    """How far it is, in short: for after a cell, and for %check."""
    title = exercise.title.in_(lang)
    lines = [title, *checklist(verdict, lang), outcome(verdict, lang)]
    body = f"<h4>{marked(title)}</h4>{_list(verdict, lang)}<p>{marked(lines[-1])}</p>"
    return ExercisePanel("\n".join(lines), panel(body, label=title, kind="exercise", language=lang))


def said(text: str, lang: str) -> ExercisePanel:
    """A sentence, or lines of commands."""
    first, *more = text.split("\n")
    body = f"<p>{marked(first)}</p>" + (f"<pre>{escape(chr(10).join(more))}</pre>" if more else "")
    return ExercisePanel(text, panel(body, label=first, kind="exercise", language=lang))


def overlay(goal: LabSnapshot, now: LabSnapshot, lang: str) -> ExercisePanel:
    """My lab laid over the goal: what is missing is drawn as a ghost, what is more is marked. An answer that is to be
    found is no ghost."""
    from imagelab.view.graph.model import graph, toward
    from imagelab.view.graph.svg import css, inline
    from imagelab.view.graph.text import tree

    everything = bool(goal.intermediate or now.intermediate)
    told = {name: image_id for name, image_id in goal.state.references.items() if not _is_answer(familiar(name))}
    aim = replace(goal.state, references=told)
    drawn = toward(graph(now.state, since=aim, images=True, all=everything, lang=lang))
    caption = say("course.picture", lang)
    html = f'{css(page=True)}<div style="overflow-x:auto">{inline(drawn)}</div><p class="note">{escape(caption)}</p>'
    return ExercisePanel(f"\n{tree(drawn)}\n{caption}", html)


# -- the pieces ---------------------------------------------------------------------------------------------


def checklist(verdict: Verdict, lang: str) -> list[str]:
    """One line a check."""
    return [
        f"  [{'x' if held else ' '}] {check.says.in_(lang)}"
        for check, held in zip(verdict.exercise.checks, verdict.held, strict=True)
    ]


def outcome(verdict: Verdict, lang: str) -> str:
    """What success says, or how far it is and what is missing."""
    if verdict.missing is None:
        return say("course.solved", lang, why=verdict.exercise.why.in_(lang))
    count = say("course.count", lang, done=sum(verdict.held), all=len(verdict.held))
    stop = "。" if lang == "zh" else ". "
    return f"{count}{stop}{say('course.missing', lang, what=verdict.missing.in_(lang))}"


def contrast(goal: LabSnapshot, now: LabSnapshot, lang: str) -> list[str]:
    """The goal beside mine, in words: what is not here yet, and what is here in addition. By name, never by ID; and an
    answer that is to be found is not given away."""
    wanted, have = _things(goal, lang), _things(now, lang)
    comma = "、" if lang == "zh" else ", "
    missing = [thing for thing in wanted if thing not in have and not _is_answer(thing.strip("`"))]
    extra = [thing for thing in have if thing not in wanted]
    lines = [say("course.not_here", lang, what=comma.join(missing))] if missing else []
    return lines + ([say("course.extra", lang, what=comma.join(extra))] if extra else [])


def _is_answer(name: str) -> bool:
    return name.startswith(f"{ANSWER}:")


def _things(snapshot: LabSnapshot, lang: str) -> list[str]:
    """Everything that has a name, and how many images have none."""
    state = snapshot.state
    names = [f"`{familiar(name)}`" for name in sorted(state.references) if "@" not in name]
    kinds = [("dangling", snapshot.dangling), ("intermediate", snapshot.intermediate)]
    nameless = [say(f"course.{kind}", lang, n=len(found)) for kind, found in kinds if found]
    containers = sorted(f"{say('kinds.container', lang)} `{one.name}`" for one in state.containers.values())
    return [*names, *nameless, *containers]


def _list(verdict: Verdict, lang: str) -> str:
    rows = "".join(
        f'<li aria-checked="{str(held).lower()}" role="checkbox" aria-disabled="true">{"&#9745;" if held else "&#9744;"} '
        f"{marked(check.says.in_(lang))}</li>"
        for check, held in zip(verdict.exercise.checks, verdict.held, strict=True)
    )
    return f'<ul style="list-style:none;padding-left:8px;margin:4px 0">{rows}</ul>'


def marked(text: str) -> str:
    """A sentence as HTML: `code` between backquotes, **strong** and *emphasis*."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<em>\1</em>", text)
