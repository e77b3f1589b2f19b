"""A class graded: who is missing, what nobody forges, what is not done twice, and who wrote the same."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from imagelab.cli.main import run
from imagelab.course.catalog import by_lesson, lessons_folder
from imagelab.course.copies import questions
from imagelab.course.exercise import perform, shown
from imagelab.course.grade_batch import Batch, Cache, Row
from imagelab.course.grading import Result
from imagelab.course.grading_walls import NONE
from imagelab.course.overview import as_html, as_text, safe, table
from imagelab.course.progress import FILE, Progress, Record
from imagelab.course.record import written
from imagelab.course.roster import Learner
from imagelab.course.trial import clean_lab

LESSON = "02-listing-images"
EXERCISES = by_lesson(lessons_folder())[LESSON]


def imagelab(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = run(words, stdin=io.StringIO(), stdout=out, stderr=err, environ={})
    return code, out.getvalue(), err.getvalue()


def notebook(*cells: str) -> str:
    made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def solved_cells() -> list[str]:
    return [
        cell
        for one in EXERCISES
        for cell in (f"lab.exercise('{one.id}')", "%%docker\n" + "\n".join(map(shown, one.solution)))
    ]


@pytest.fixture(scope="module")
def progress() -> str:
    """A progress file that has everything solved."""
    records = {}
    for exercise in EXERCISES:
        with clean_lab(exercise) as lab:
            perform(lab, exercise.solution)
            records[exercise.id] = Record(1, 0, True, written(lab))
    return Progress(records).to_json()


def hand_in(folder: Path, text: str | bytes, progress: str = "") -> Path:
    folder.mkdir(parents=True)
    file = folder / f"{LESSON}.ipynb"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    if progress:
        (folder / FILE).write_text(progress, encoding="utf-8")
    return file


EVIL = "=HYPERLINK(1)\u202e<script>alert(1)<!--"


@pytest.fixture(scope="module")
def class_folder(tmp_path_factory: pytest.TempPathFactory, progress: str) -> Path:
    """Six learners of every kind, and a roster with one more."""
    root = tmp_path_factory.mktemp("class")
    ann = [f"lab.exercise('{one.id}')" for one in EXERCISES]
    hand_in(root / "in" / "ann", notebook(*ann), progress)
    hand_in(root / "in" / "bob", notebook(*solved_cells()))
    hand_in(root / "in" / "cat", notebook("# every cell deleted"))
    hand_in(root / "in" / "dan", b"[" * 100_000)
    hand_in(
        root / "in" / "eve", notebook(*[cell.replace("sweep", "swept") for cell in solved_cells()], *solved_cells()[:1])
    )
    (root / "in" / "fay").mkdir()
    (root / "in" / "fay" / FILE).write_text(progress, encoding="utf-8")
    rows = [
        "id,name,email",
        *(f"{number},{name}," for number, name in enumerate(["ann", "bob", "cat", "dan", "eve", "fay"])),
    ]
    (root / "class.csv").write_text("\n".join([*rows, '7,"=1+1",gus@x.org']), encoding="utf-8")
    return root


def test_a_class_is_graded_and_nothing_twice(class_folder: Path, tmp_path: Path) -> None:
    line = [
        "grade",
        str(class_folder / "in"),
        "--roster",
        str(class_folder / "class.csv"),
        "--csv",
        str(tmp_path / "g.csv"),
    ]
    code, text, err = imagelab(*line, "--html", str(tmp_path / "g.html"), "--jobs", "2")
    assert code == 1 and "5 graded now, 0 known" in err, err
    rows = list(csv.DictReader(io.StringIO((tmp_path / "g.csv").read_text(encoding="utf-8"), newline="")))
    found = {row["name"]: (row["solved"], row["of"], row["source"]) for row in rows}
    assert found == {
        "ann": ("3", "3", "log"), "bob": ("3", "3", "cells"), "cat": ("0", "3", "nothing"), "dan": ("0", "3", "nothing"),
        "eve": ("2", "3", "cells"), "fay": ("3", "3", "log"), "'=1+1": ("0", "3", "nothing"),
    }  # fmt: skip
    assert [row["sweep"] for row in rows if row["name"] in ("'=1+1", "dan")] == ["", ""]
    assert "nested too deeply" in rows[3]["problems"] and "`swept`" in rows[4]["problems"]
    assert "Nothing handed in\n  =1+1" in text and "nested too deeply" in text
    again = imagelab(*line, "--lang", "zh")
    assert "0 graded now, 5 known" in again[2] and "没有交" in again[1]
    (class_folder / "in" / "cat" / f"{LESSON}.ipynb").write_text(notebook("# and changed"), encoding="utf-8")
    assert "1 graded now, 4 known" in imagelab(*line)[2]
    (tmp_path / "g.cache.json").write_text("{", encoding="utf-8")
    assert "5 graded now" in imagelab(*line)[2]


def test_what_cannot_be_graded_at_all_is_a_sentence(tmp_path: Path) -> None:
    for words, sentence in {
        ("grade", str(tmp_path / "none")): "is no folder and no ZIP",
        ("grade", str(tmp_path), "--jobs", "x"): "a number from 1 to",
        ("grade", str(tmp_path), "--timeout", "nan"): "a number of seconds",
        ("grade", str(tmp_path), "--lesson", "99"): "no lesson is called '99'",
        ("grade", str(tmp_path), "--roster", str(tmp_path / "none")): "cannot be read",
        ("grade", str(tmp_path), "--csv", str(tmp_path / "no" / "x.csv")): "cannot be written",
    }.items():
        code, out, err = imagelab(*words)
        assert code == 1 or code == 125, (code, words)
        assert sentence in err, (words, err)
    assert imagelab("grade", str(tmp_path))[0] == 1  # nobody has solved everything where nobody is


# -- what is written ----------------------------------------------------------------------------------------------


def batch(*names: str, log: dict[str, list[tuple[str, ...]]] | None = None) -> Batch:
    """A class of which each has one result of every kind."""
    from imagelab.course.bilingual import Words

    kinds = [
        Result(EXERCISES[0].id, "log", (True, True)),
        Result(EXERCISES[1].id, "log", (True, False, False), Words("no `<b>`\nhere", "没有 `<b>`")),
        Result(EXERCISES[2].id, "cells", (False,) * 4, problem=Words("step 1\u202e <i>", "第一步")),
    ]
    rows = tuple(
        Row(
            Learner(name=name),
            {one.exercise_id: one for one in kinds},
            ("a\nb",),
            {EXERCISES[0].id: tuple((log or {}).get(name, ()))},
        )
        for name in names
    )
    return Batch({LESSON: EXERCISES}, rows, NONE, 20.0)


class Page(HTMLParser):
    """The tags of a page, and whether they close."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_names_are_data_in_every_form(lang: str) -> None:
    graded = batch(EVIL, "\n[x] forged  3\x1b[2J")
    text, page, cells = as_text(graded, [], lang), as_html(graded, [], lang), table(graded)
    for made in (text, page, cells):
        assert "\u202e" not in made and "\x1b" not in made and r"\u202e" in made and "\r\n[x]" not in made
    assert not any(line.startswith("[x]") for line in text.splitlines())
    parsed = Page()
    parsed.feed(page)
    assert not {"script", "b", "i", "link", "img", "iframe"} & set(parsed.seen)
    assert not any(name.startswith("on") or name in ("href", "src") for name in parsed.attributes)
    assert "http" not in re.sub(r"http-equiv", "", page) and "default-src 'none'" in page
    rows = list(csv.reader(io.StringIO(cells, newline="")))
    assert len(rows) == 3 and rows[1][1].startswith("'=")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe(text)[0] == "'"


def test_the_checks_that_are_missed_are_in_the_words_that_the_learner_read() -> None:
    assert "2 of 2  two-names: no `<b>`\\x0ahere" in as_text(batch("ann", "bob"), [], "en")
    assert "没有 `&lt;b&gt;`" in as_html(batch("ann", "bob"), [], "zh")


# -- who wrote the same -------------------------------------------------------------------------------------------

PULL = ("pull", "mongo:3.2")
ODD, ODDER = ("tag", "mongo:3.2", "qwerty:7"), ("rmi", "qwerty:7")


def test_the_same_short_way_is_no_question() -> None:
    assert questions(batch("ann", "bob", log={"ann": [PULL], "bob": [PULL]})) == []


def test_the_same_unlikely_steps_are_a_question_with_its_evidence() -> None:
    names = [f"learner{number}" for number in range(20)]
    log = dict.fromkeys(names, [PULL])
    log |= {"learner3": [ODD, ODDER, PULL], "learner9": [ODD, ODDER, PULL], "learner12": [PULL, ODD, ODDER]}
    same, *shared = questions(batch(*names, log=log))
    assert (same.learners, same.whole, same.steps) == (
        ("learner3", "learner9"),
        True,
        ("tag mongo:3.2 qwerty:7", "rmi qwerty:7"),
    )
    assert {one.learners for one in shared} == {("learner3", "learner12"), ("learner9", "learner12")}
    assert "learner3 · learner9" in same.sentence("en") and "qwerty" in same.sentence("zh")
    page = as_text(batch(*names, log=log), [same], "en")
    assert "It is no proof of anything." in page


def test_what_everybody_does_is_no_question() -> None:
    names = [f"learner{number}" for number in range(20)]
    assert questions(batch(*names, log=dict.fromkeys(names, [ODD, PULL]))) == []


# -- what is known ------------------------------------------------------------------------------------------------


def test_what_was_stopped_is_tried_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c.json")
    done, stopped = Result("a", "log", (True,)), Result("b", "log", (False,), interrupted=True)
    cache.put(cache.key("1", LESSON, 20), [done])
    cache.put(cache.key("2", LESSON, 20), [stopped])
    cache.write()
    again = Cache(tmp_path / "c.json")
    assert again.get(again.key("1", LESSON, 20)) == (done,)
    assert again.get(again.key("2", LESSON, 20)) is None and again.get(again.key("1", LESSON, 30)) is None
    assert again.get(again.key("1", "01-getting-images", 20)) is None
