"""A class at a glance: as CSV for the school's system, as text, and as one HTML page without scripts or network.

    exercises × learners as a map · the checks most often missed, in the words that the learner read · questions to ask

Names and commands are data: what is in them is escaped for the page, for the terminal and for a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

from imagelab.course.bilingual import Words
from imagelab.course.copies import Question
from imagelab.course.grade_batch import Batch, Row
from imagelab.course.grading import Result, circumstances
from imagelab.course.printable import printable

MARKS = {True: "x", False: "-", None: " "}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
TITLE = Words("A class at a glance", "全班一览")
LEARNER, SOLVED, SOURCE = Words("learner", "学生"), Words("solved", "完成"), Words("from", "来源")
STEPS = Words("commands in the logs", "日志中的命令数")
SOURCES = {"nothing": Words("nothing", "无"), "log": Words("log", "日志"), "cells": Words("cells", "单元格")}
MISSED = Words("Most often missed", "最常缺的")
MISSED_BY = Words("{count} of {all}", "{all} 人中 {count} 人")
MISSING = Words("Nothing handed in", "没有交")
ASK = Words(
    "Questions to ask: these logs look alike. It is no proof of anything.", "可以问一问：这些日志很像。这并不证明什么。"
)
PROBLEMS = Words("What could not be read or judged", "无法读取或判断的")
SUM = Words(
    "{learners} learners, {exercises} exercises, all solved by {all}",
    "{learners} 名学生，{exercises} 个练习，{all} 人全部完成",
)


# -- CSV ----------------------------------------------------------------------------------------------------------


def table(batch: Batch) -> str:
    """One row a learner, one column an exercise: how many checks hold, of how many. Empty: nothing was handed in."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    exercises = batch.exercises
    writer.writerow(["id", "name", "email", *exercises, "solved", "of", "source", "problems"])
    for row in batch.rows:
        cells = [_held(row.results[name]) for name in exercises]
        who = [row.learner.id, row.learner.name, row.learner.email]
        problems = " | ".join(_problems(row, "en"))
        writer.writerow([*map(safe, who), *cells, row.solved, len(exercises), row.source, safe(problems)])
    return out.getvalue()


def _held(result: Result | None) -> str:
    """The share of checks that hold, as a number between 0 and 1 with two digits."""
    return "" if result is None else f"{sum(result.held) / len(result.held):.2f}" if result.held else "0.00"


def safe(text: str) -> str:
    """A cell that no spreadsheet runs."""
    shown = printable(text, 1000)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA) or text.startswith(FORMULA) else shown


# -- what both say ------------------------------------------------------------------------------------------------


def most_missed(batch: Batch, lang: str, limit: int = 10) -> list[tuple[int, str, str]]:
    """(learners, exercise, the sentence that they read), the most frequent first."""
    count = Counter(
        (name, result.missing.in_(lang))
        for row in batch.rows
        for name, result in row.results.items()
        if result is not None and result.missing is not None and result.problem is None
    )
    return [(number, name, printable(sentence, 300)) for (name, sentence), number in count.most_common(limit)]


def _problems(row: Row, lang: str) -> Iterator[str]:
    yield from (printable(problem, 400) for problem in row.problems)
    for name, result in row.results.items():
        if result is not None and result.problem is not None:
            yield f"{name}: {result.sentence(lang)}"
        if result is not None and result.left_out:
            yield f"{name}: {LEFT.with_(count=len(result.left_out)).in_(lang)} {result.left_out[0]}"


LEFT = Words("{count} commands in cells were not done again, the first:", "单元格中有 {count} 条命令没有重做，第一条：")


def _name(row: Row) -> str:
    return printable(row.learner.shown, 60)


def _source(row: Row, lang: str) -> str:
    return "+".join(SOURCES[one].in_(lang) for one in row.source.split("+"))


def _sum(batch: Batch, lang: str) -> str:
    whole = len(batch.exercises)
    everything = sum(row.solved == whole for row in batch.rows)
    return SUM.with_(learners=len(batch.rows), exercises=whole, all=everything).in_(lang)


def _steps(row: Row) -> int:
    return sum(map(len, row.steps.values()))


# -- text ---------------------------------------------------------------------------------------------------------


def as_text(batch: Batch, asked: Sequence[Question], lang: str) -> str:
    """The text twin of the page."""
    lines = [_sum(batch, lang), circumstances(batch.walls, batch.timeout, lang), ""]
    lines += [f"{column:>3}  {name}" for column, name in enumerate(batch.exercises, 1)]
    width = max([len(_name(row)) for row in batch.rows] + [8])
    head = " ".join(f"{column:>2}" for column in range(1, len(batch.exercises) + 1))
    lines += ["", f"{'':{width}}  {head}  {SOLVED.in_(lang)}  {SOURCE.in_(lang)}"]
    for row in batch.rows:
        marks = " ".join(f" {_mark(row.results[name])}" for name in batch.exercises)
        source = MISSING.in_(lang) if row.missing else _source(row, lang)
        lines.append(f"{_name(row):{width}}  {marks}  {row.solved:>6}  {source}")
    lines += _sections(batch, asked, lang)
    return "\n".join(lines) + "\n"


def _mark(result: Result | None) -> str:
    return MARKS[None if result is None else result.solved]


def _sections(batch: Batch, asked: Sequence[Question], lang: str) -> Iterator[str]:
    for title, sentences in sections(batch, asked, lang):
        yield from ["", title, *(f"  {sentence}" for sentence in sentences)]


def sections(batch: Batch, asked: Sequence[Question], lang: str) -> Iterator[tuple[str, list[str]]]:
    """The lists below the map: (title, sentences), those that have any."""
    missed = [
        f"{MISSED_BY.with_(count=count, all=len(batch.rows)).in_(lang)}  {name}: {sentence}"
        for count, name, sentence in most_missed(batch, lang)
    ]
    missing = [_name(row) for row in batch.rows if row.missing]
    problems = [f"{_name(row)}: {problem}" for row in batch.rows for problem in _problems(row, lang)]
    questions = [question.sentence(lang) for question in asked]
    for title, sentences in ((MISSED, missed), (MISSING, missing), (PROBLEMS, problems), (ASK, questions)):
        if sentences:
            yield title.in_(lang), sentences


# -- a page -------------------------------------------------------------------------------------------------------

CSS = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1b1b;--soft:#595959;--rule:#d5d5d5;--yes:#0b6b4f;--no:#fbe3d6;--lost:#8a2b00}
@media(prefers-color-scheme:dark){:root{--paper:#16181b;--ink:#ececec;--soft:#a9a9a9;--rule:#3b3f45;--yes:#57c4a0;--no:#4a2a1a;--lost:#ff9b6b}}
body{margin:20px;background:var(--paper);color:var(--ink);font:14px/1.45 system-ui,'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif}
h1{font-size:20px}h2{font-size:16px;margin:20px 0 4px}p{color:var(--soft);margin:4px 0}.map{overflow-x:auto}
table{border-collapse:collapse}th,td{border:1px solid var(--rule);padding:2px 8px;text-align:center}
tbody th{text-align:left;font-weight:normal;white-space:nowrap}thead th{vertical-align:bottom}
.name{writing-mode:vertical-rl;transform:rotate(180deg);font-weight:normal;white-space:nowrap}
.yes{background:var(--yes);color:var(--paper)}.no{background:var(--no)}.lost{outline:2px solid var(--lost);outline-offset:-2px}
li{overflow-wrap:anywhere}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(batch: Batch, asked: Sequence[Question], lang: str) -> str:
    """One page: nothing is fetched, and nothing in it is run."""
    title = escape(TITLE.in_(lang))
    language = "zh-CN" if lang == "zh" else "en"
    lists = "".join(
        f"<h2>{escape(head)}</h2><ul>{''.join(f'<li>{escape(one)}</li>' for one in sentences)}</ul>"
        for head, sentences in sections(batch, asked, lang)
    )
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{title}</title><style>{CSS}</style></head>\n'
        f"<body><h1>{title}</h1><p>{escape(_sum(batch, lang))}</p>"
        f"<p>{escape(circumstances(batch.walls, batch.timeout, lang))}</p>\n"
        f'<div class="map">{_map(batch, lang)}</div>\n{lists}</body></html>\n'
    )


def _map(batch: Batch, lang: str) -> str:
    head = "".join(f'<th scope="col"><span class="name">{escape(name)}</span></th>' for name in batch.exercises)
    ends = "".join(f'<th scope="col">{escape(word.in_(lang))}</th>' for word in (SOLVED, SOURCE, STEPS))
    rows = "".join(_row(batch, row, lang) for row in batch.rows)
    return (
        f'<table><thead><tr><th scope="col">{escape(LEARNER.in_(lang))}</th>{head}{ends}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(batch: Batch, row: Row, lang: str) -> str:
    cells = "".join(_cell(row.results[name], lang) for name in batch.exercises)
    source = MISSING.in_(lang) if row.missing else _source(row, lang)
    return (
        f'<tr><th scope="row">{escape(_name(row))}</th>{cells}<td>{row.solved}</td><td>{escape(source)}</td>'
        f"<td>{_steps(row)}</td></tr>\n"
    )


def _cell(result: Result | None, lang: str) -> str:
    if result is None:
        return "<td></td>"
    kind = "yes" if result.solved else "no lost" if result.problem else "no"
    text = "✓" if result.solved else f"{sum(result.held)}/{len(result.held)}"
    return f'<td class="{kind}" title="{escape(result.sentence(lang))}">{text}</td>'
