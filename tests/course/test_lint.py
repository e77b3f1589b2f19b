"""Each rule of the linter, on a lesson that breaks it and on nothing else; and the skeleton, which breaks none."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imagelab.cli.main import run
from imagelab.course import notebooks
from imagelab.course.bilingual import Words
from imagelab.course.catalog import load
from imagelab.course.checks import image_exists, tag_kept
from imagelab.course.exercise import Exercise, Hint, Rung, Wrong
from imagelab.course.goal_mutations import survivors
from imagelab.course.lint import (
    lint,
    lint_exercise,
    lint_files,
    lint_languages,
    lint_lesson,
    lint_links_of,
    lint_outputs,
    lint_source,
    lint_twice,
)
from imagelab.course.lint_reach import lint_cell
from imagelab.course.new_lesson import new_lesson
from imagelab.errors import ImageLabError, UsageError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with one lesson, the skeleton."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "lessons").mkdir()
    new_lesson(root, "15-first-steps")
    return root


@pytest.fixture
def good(root: Path) -> Exercise:
    return load(root / "lessons" / "15-first-steps" / "exercises.py")[0]


@pytest.fixture
def folder(root: Path, tmp_path: Path) -> Path:
    """A copy of the lesson, to be broken."""
    folder = tmp_path / "lessons" / "15-first-steps"
    folder.mkdir(parents=True)
    for file in (root / "lessons" / "15-first-steps").glob("*.*"):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


# -- the whole course, and the skeleton ---------------------------------------------------------------------


@pytest.mark.parametrize("source", notebooks.sources(), ids=lambda source: source.parent.name)
def test_the_lessons_of_this_course_are_as_they_should_be(source: Path) -> None:
    assert lint_lesson(source.parent, notebooks.ROOT) == []


def test_the_skeleton_lints_once_its_notebooks_are_made(tmp_path: Path) -> None:
    (tmp_path / "lessons").mkdir()
    out = io.StringIO()

    def imagelab(*words: str) -> int:
        return run([*words, "--root", str(tmp_path)], stdin=io.StringIO(), stdout=out, stderr=out, environ={})

    assert imagelab("new-lesson", "15-first-steps") == 0, out.getvalue()
    assert "wrote notebooks/zh/15-first-steps.ipynb" in out.getvalue()
    assert imagelab("lint-lessons") == 0, out.getvalue()
    assert out.getvalue().endswith("the lessons are as they should be\n")
    assert imagelab("new-lesson", "15-first-steps") == 1
    assert "is there already" in out.getvalue()
    edit(tmp_path / "lessons" / "15-first-steps" / "lesson.md", "now that it is here", "now")
    assert imagelab("lint-lessons", "15-first-steps") == 1
    assert "notebooks/en/15-first-steps.ipynb is not what its lesson makes: run make notebooks" in out.getvalue()


@pytest.mark.parametrize("slug", ["x", "15", "15-", "15-Big", "../15-x", "15-a b"])
def test_a_bad_slug_is_refused(tmp_path: Path, slug: str) -> None:
    (tmp_path / "lessons").mkdir()
    with pytest.raises(UsageError, match="is no lesson's name"):
        new_lesson(tmp_path, slug)
    assert list((tmp_path / "lessons").iterdir()) == []


def test_an_unknown_lesson_and_a_folder_without_lessons_are_sentences(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageLabError, match="no lesson is called 99-x"):
        lint(root, ["99-x"])
    with pytest.raises(ImageLabError, match="there are no lessons in"):
        new_lesson(tmp_path, "15-x")


# -- exercises ----------------------------------------------------------------------------------------------

NONSENSE = ("docker images",)


def hinted(one: Exercise, text: str) -> Exercise:
    """The exercise with one hint more, which says the same in both languages."""
    chinese = text if "`" in text else f"{text}。"
    return replace(one, hints=(*one.hints, Hint("x", Rung.WHERE, None, text, f"看：{chinese}")))


BROKEN: dict[str, tuple[Callable[[Exercise], Exercise], str]] = {
    "the solution does not pass": (lambda one: replace(one, solution=NONSENSE), "its solution does not pass: no image is called `greeting` yet"),
    "solved as shipped": (lambda one: replace(one, start=(*one.start, *one.solution)), "it is solved as shipped"),
    "an alternate fails": (lambda one: replace(one, alternates=(NONSENSE,)), "alternate 1 does not pass"),
    "a wrong answer passes": (lambda one: replace(one, wrong=(*one.wrong, Wrong(one.solution, "none"))), "wrong answer 4 passes"),
    "a wrong answer gets another hint": (
        lambda one: replace(one, wrong=(Wrong(NONSENSE, "other"), *one.wrong)),
        "wrong answer 1 gets the hint 'none', not 'other'",
    ),
    "too few wrong answers": (lambda one: replace(one, wrong=one.wrong[:1]), "it has 1 wrong answers, and should have 2 or more"),
    "no alternate": (lambda one: replace(one, alternates=()), "it has no alternate"),
    "no checks": (lambda one: replace(one, checks=()), "it has no checks"),
    "an empty translation": (lambda one: replace(one, title=Words("One more name", "")), "its title is empty in 'zh'"),
    "a missing translation": (lambda one: replace(one, why=Words("Why", "Why")), "its why has no Chinese in 'zh'"),
    "a check that cannot fail": (
        lambda one: replace(one, checks=(*one.checks, image_exists("hello-world"))),
        "the check that 'an image is called `hello-world`' holds in every state that is listed",
    ),
    "checks that ask for too little": (
        lambda one: replace(one, checks=(image_exists("greeting"), tag_kept("hello-world"))),
        "no check notices when somebody should put the tag greeting:latest on another image",
    ),
    "a start that fails": (lambda one: replace(one, start=("rmi nosuch",)), "this start does not come about: 'rmi nosuch'"),
    "a network address": (lambda one: replace(one, start=(*one.start, "upstream set https://hub.example.com")), "a line needs the network"),
    "the solution in a hint": (
        lambda one: replace(one, hints=(*one.hints, Hint("x", Rung.BLANKS, None, "`docker tag  hello-world greeting`", "`docker tag hello-world greeting`"))),
        "hint x gives the solution away: 'tag hello-world greeting'",
    ),
    "the solution in other words of the command line": (
        lambda one: hinted(one, "`docker image tag hello-world:latest docker.io/library/greeting`"),
        "hint x gives the solution away: 'tag hello-world greeting'",
    ),
    "the solution with an ID for a name": (
        lambda one: hinted(one, "`%docker tag $(docker images -q hello-world) greeting:latest`"),
        "hint x gives the solution away",
    ),
    "the solution in prose": (
        lambda one: hinted(one, "Use tag on hello-world, and let the new name be greeting."),
        "hint x gives the solution away: 'tag hello-world greeting'",
    ),
    "an answer in prose": (
        lambda one: hinted(replace(one, solution=(*one.solution, "tag busybox answer:3")), "It has three of them."),
        "hint x gives the solution away: 'answer:3'",
    ),
    "a long answer in a hint": (
        lambda one: hinted(replace(one, solution=(*one.solution, "tag busybox answer:0123abcd")), "It begins with 0123abcd."),
        "hint x gives the solution away: 'answer:0123abcd'",
    ),
    "a command that is none": (lambda one: hinted(one, "`docker retag busybox tools`"), "hint x: there is no command 'retag'"),
    "a command that is none, with blanks": (lambda one: hinted(one, "`docker retag ____ tools`"), "hint x: there is no command 'retag'"),
    "a command in a hint that fails": (lambda one: hinted(one, "`docker tag busybox UPPER`"), "hint x: 'docker tag busybox UPPER' fails"),
    "an option that is none": (lambda one: hinted(one, "`docker images --alles`"), "hint x: 'docker images --alles' fails: unknown flag"),
    "tasks that name other code": (
        lambda one: replace(one, task=Words(one.task.en, one.task.zh.replace("greeting", "greetings"))),
        "its task is not the same in both languages: 'greeting' is named in 'en' only",
    ),
    "tasks with other numbers": (
        lambda one: replace(one, task=Words(f"{one.task.en} Two layers.", f"{one.task.zh}三层。")),
        "its task is not the same in both languages: the numbers differ: 2 in 'en', 3 in 'zh'",
    ),
    "a number in one language": (
        lambda one: replace(one, why=Words(f"{one.why.en} 42.", one.why.zh)),
        "its why is not the same in both languages: the number 42 is in one language only",
    ),
    "what stays here and goes there": (
        lambda one: replace(one, task=Words(f"{one.task.en} `busybox` stays.", f"{one.task.zh}`busybox` 要删掉。")),
        "in 'en' something stays, in 'zh' it goes",
    ),
    "what is barred in one language": (
        lambda one: replace(one, task=Words(f"{one.task.en} Do not pull.", f"{one.task.zh}请拉取。")),
        "one language says that something is not so, or not to be done",
    ),
    "hints that name other code": (
        lambda one: replace(one, hints=(*one.hints, Hint("x", Rung.WHERE, None, "See `docker ps`.", "看 `docker images`。"))),
        "its hint x is not the same in both languages: 'docker ps' is named in 'en' only",
    ),
    "a check's name that is a part of the task's": (
        lambda one: replace(one, solution=("tag hello-world greet",), checks=(image_exists("greet"),)),
        "a check requires 'greet', which the task does not mention",
    ),
    "another registry": (lambda one: replace(one, start=("- pull quay.io/x/y:1", *one.start)), "a line needs the network: quay.io/x/y:1 is at another registry"),
    "another registry in a Dockerfile": (
        lambda one: replace(one, alternates=(*one.alternates, ("- build -t a1 -\nFROM ghcr.io/x/y\n", *one.solution))),
        "a line needs the network: ghcr.io/x/y is at another registry",
    ),
    "an upstream that is not built in": (lambda one: replace(one, start=("- upstream set hub", *one.start)), "a line needs the network: upstream set hub"),
    "a file elsewhere": (
        lambda one: replace(one, wrong=(*one.wrong, Wrong(("save -o /tmp/none/x.tar busybox",), "none"))),
        "a line writes outside of its folder: /tmp/none/x.tar",
    ),
    "a file above": (
        lambda one: replace(one, wrong=(*one.wrong, Wrong(("create --name cc busybox", "cp cc:/etc/passwd ../../none/x"), "none"))),
        "a line writes outside of its folder: ../../none/x",
    ),
    "everything is free": (lambda one: replace(one, free=("*",)), "free '*' would take everything"),
    "every kind is free": (lambda one: replace(one, free=("??*",)), "free '??*' would take everything"),
    "what is free goes not unnoticed": (
        lambda one: replace(one, free=("drop the tag nosuch:1",)),
        "free 'drop the tag nosuch:1' fits no change that goes unnoticed",
    ),
    "a hint for nobody": (
        lambda one: replace(one, hints=(*one.hints, Hint("x", Rung.WHERE, image_exists("nosuch"), "x", "用"))),
        "hint x fits no state that is listed: add the wrong answer that it is for",
    ),
    "a hint on the last rung": (lambda one: replace(one, hints=(*one.hints, Hint("x", Rung.SOLUTION, None, "x", "用"))), "come by themselves"),
    "two hints of one name": (lambda one: replace(one, hints=(*one.hints, one.hints[0])), "two hints are called 'other'"),
    "a name nobody was told": (
        lambda one: replace(one, solution=("tag hello-world secret:7",), checks=(*one.checks, image_exists("secret:7"))),
        "a check requires 'secret:7', which the task does not mention",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_of_exercises(good: Exercise, rule: str) -> None:
    damage, sentence = BROKEN[rule]
    assert any(sentence in found for found in lint_exercise(damage(good))), list(lint_exercise(damage(good)))


def test_a_good_exercise_breaks_none_of_them(good: Exercise) -> None:
    assert list(lint_exercise(good)) == []


def test_what_a_goal_is_changed_in(good: Exercise) -> None:
    """Checks that notice nothing let every change through, and each kind of change is there."""
    blind = replace(good, checks=(), solution=(
        "tag busybox hello-world", "rmi busybox", 'run --name box hello-world sh -c "echo > /x"', "commit box made",
    ))  # fmt: skip
    found = survivors(blind)
    for change in (
        "drop the tag made:latest", "put the tag hello-world:latest on another image", "bring back the tag busybox:latest",
        "delete the nameless image 4196ddb5ae39", "swap two layers of made:latest", "rename a file of made:latest",
    ):  # fmt: skip
        assert change in found, found
    assert "drop the container box" in survivors(replace(blind, solution=("run --name box busybox true",)))
    assert survivors(replace(blind, free=("*",))) == []  # which is why the linter does not let it stand


# -- sources ------------------------------------------------------------------------------------------------


def test_an_unlisted_file_and_a_missing_one(folder: Path) -> None:
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    (folder / "exercises.py").unlink()
    assert list(lint_files(folder)) == [
        "notes.txt does not belong there: a lesson is exercises.py and lesson.md",
        "exercises.py is missing",
    ]


def test_too_few_exercises_and_none_at_all(folder: Path) -> None:
    edit(folder / "exercises.py", "EXERCISES = (ONE, TWO)", "EXERCISES = (ONE,)")
    assert list(lint_files(folder)) == ["it has 1 exercises, and should have 2 or more"]
    edit(folder / "exercises.py", "EXERCISES = (ONE,)", "OTHER = (ONE,)")
    assert list(lint_files(folder)) == ["15-first-steps/exercises.py has no EXERCISES"]
    edit(folder / "exercises.py", "OTHER = (ONE,)", "EXERCISES = (THREE,)")
    assert list(lint_files(folder)) == [
        "15-first-steps/exercises.py cannot be read: NameError: name 'THREE' is not defined"
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("学完之后", "", None),
        ("+++ {\"lang\": \"zh\"}\n\n## 轮到你了\n\n", "", "the prose cell that begins '## Your turn' has no 'zh' cell after it"),
        ("## 轮到你了", "## Your turn", "the cell that begins '## Your turn' is marked 'zh' and has no Chinese in it"),
        ("## 轮到你了", "---", "a prose cell in 'zh' is empty"),
        ("## Your turn", "## 轮到你了", "the cell that begins '## 轮到你了' is marked 'en' and has Chinese in it"),
    ],
)  # fmt: skip
def test_languages_out_of_step(folder: Path, old: str, new: str, sentence: str | None) -> None:
    edit(folder / "lesson.md", old, new)
    assert list(lint_languages(folder / "lesson.md")) == ([sentence] if sentence else [])


def test_the_network_and_exercises_that_have_no_cell(folder: Path) -> None:
    edit(folder / "lesson.md", "%docker pull hello-world", "import requests; requests.get('https://hub.docker.com')")
    edit(folder / "lesson.md", 'lab.exercise("first-steps-two")', 'lab.exercise("moved-tag")')
    assert list(lint_source(folder)) == [
        "a cell needs the network: https://hub.docker.com",
        "the exercise 'first-steps-two' has no cell: lab.exercise('first-steps-two')",
        "a cell opens 'moved-tag', which is not in exercises.py",
    ]


def test_an_address_on_this_machine_or_in_a_story_is_none(folder: Path) -> None:
    edit(
        folder / "lesson.md",
        "%docker pull hello-world",
        "lab.browse('http://localhost:8080'), 'http://registry.test/v2/'",
    )
    assert list(lint_source(folder)) == []


def test_what_a_dockerfile_runs_has_no_network_and_what_it_adds_has(folder: Path) -> None:
    run = "%%dockerfile x\nFROM busybox\nRUN true \\\n  && wget http://x.org/a\n"
    edit(folder / "lesson.md", "%docker pull hello-world", run)
    assert list(lint_source(folder)) == []
    edit(folder / "lesson.md", "RUN true", "ADD https://x.org/a /a\nRUN true")
    assert list(lint_source(folder)) == ["a cell needs the network: https://x.org"]


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("%docker pull quay.io/x/y", "a line needs the network: quay.io/x/y is at another registry"),
        (
            "%%docker\npull busybox\nrun ghcr.io/x/y:1 true",
            "a line needs the network: ghcr.io/x/y:1 is at another registry",
        ),
        ("%docker --upstream hub pull busybox", "a line needs the network: --upstream hub pull busybox"),
        (
            "%%dockerfile x:1\nFROM quay.io/x/y\nRUN true",
            "a line needs the network: quay.io/x/y is at another registry",
        ),
        ("!pip install requests", "a cell needs the network: pip"),
        ("%pip install requests", "a cell needs the network: pip"),
        ("!docker images | sort; curl example.org", "a cell needs the network: curl"),
        ("%%bash\nset -e\ngit clone git@host:x", "a cell needs the network: git"),
        (
            "import socket\nsocket.create_connection(('hub.docker.com', 443))",
            "a cell needs the network: it imports socket",
        ),
        ("from urllib.request import urlopen", "a cell needs the network: it imports urllib.request"),
        ("from urllib import request", "a cell needs the network: it imports urllib.request"),
        ("web.get('hub.docker.com/v2/')", "a cell needs the network: hub.docker.com/v2/"),
        ("lab = imagelab.connect(upstream='hub')", "a cell needs the network: upstream 'hub'"),
        ("lab.set_upstream('hub')", "a cell needs the network: upstream hub"),
        ("lab.docker('pull quay.io/x/y')", "a line needs the network: quay.io/x/y is at another registry"),
        ("%docker save -o ~/x.tar busybox", "a line writes outside of its folder: ~/x.tar"),
        ("!docker save busybox > /tmp/x.tar", "a cell writes outside of its folder: /tmp/x.tar"),
        ("!rm -rf ../other", "a cell writes outside of its folder: ../other"),
        ("open('/tmp/x', 'w').write('x')", "a cell writes outside of its folder: /tmp/x"),
        ("if True:\n    !touch ~/x\n    Path('../x').write_text('x')", "a cell writes outside of its folder: ../x"),
        ("%docker exec web sh -c 'echo hi > /tmp/x'", None),
        ("%docker cp page.html web:/usr/share/nginx/html/", None),
        ("!docker save alpine | gzip > alpine.tar.gz", None),
        ("import requests\nweb.get('http://registry.test/v2/').json()", None),
        ("open('x.tar', 'rb').read(), open('/etc/hosts').read()", None),
        ("1 +", None),
    ],
)
def test_what_a_cell_reaches_for(cell: str, sentence: str | None) -> None:
    found = list(lint_cell(cell))
    assert sentence in found if sentence else not found


def test_links_and_pictures_lead_somewhere(folder: Path) -> None:
    root = folder.parent.parent
    (root / "notebooks" / "en").mkdir(parents=True)
    (root / "notebooks" / "en" / "there.svg").write_text("<svg/>", encoding="utf-8")
    prose = (
        "![a picture](there.svg) [self](15-first-steps.ipynb) [up](#your-turn) [page](https://x.org) `[x](nothing)`\n"
    )
    edit(folder / "lesson.md", "## Your turn\n", f"## Your turn\n\n{prose}")
    assert list(lint_links_of(folder / "lesson.md", root)) == []
    for old, sentence in (
        ("(there.svg)", "a link leads to nothing: none.svg"),
        ("(15-first-steps.ipynb)", "a link leads to nothing: none.svg"),
        ("(#your-turn)", "a link leads to no heading: #nowhere"),
    ):
        new = "(#nowhere)" if "#" in old else "(none.svg)"
        edit(folder / "lesson.md", old, new)
        assert list(lint_links_of(folder / "lesson.md", root)) == [sentence]
        edit(folder / "lesson.md", new, old)


def test_one_id_in_two_lessons(folder: Path) -> None:
    other = folder.with_name("16-other")
    other.mkdir()
    (other / "exercises.py").write_bytes((folder / "exercises.py").read_bytes())
    assert "16-other: the id 'first-steps-one' is taken by 15-first-steps" in lint(folder.parent.parent, ["16-other"])


# -- notebooks ----------------------------------------------------------------------------------------------

WIDGET = {"data": {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()"}}
PICTURE = {"data": {"image/svg+xml": "<svg/>"}}
FINE = {"data": {"text/html": "<b>x</b>", "text/plain": "x"}}


def test_a_widget_and_an_output_without_text() -> None:
    cells = [
        {"source": f"cell({at})", "outputs": [output]}
        for at, output in enumerate((WIDGET, PICTURE, FINE, {"text": "x"}))
    ]
    assert list(lint_outputs({"cells": cells})) == [
        "the cell 'cell(0)' shows a widget: it would be empty for whoever only reads",
        "an output of the cell 'cell(1)' has no text twin",
    ]


def test_a_cell_that_does_not_come_out_the_same_twice(tmp_path: Path) -> None:
    """The real thing: a hash seed, a zone and a folder show up in three cells, a fourth is sound."""
    source = tmp_path / "lessons" / "15-x" / "lesson.md"
    source.parent.mkdir(parents=True)
    codes = ["hash('x')", "import time; time.tzname", "import os; os.getcwd()", "1 + 1"]
    cells = "".join(f"```{{code-cell}} ipython3\n{code}\n```\n\n" for code in codes)
    head = "---\njupytext:\n  text_representation:\n    extension: .md\n    format_name: myst\n---\n\n"
    source.write_text(head + cells, encoding="utf-8")
    made = [notebooks.elsewhere(source, "en", seed) for seed in (1, 2)]
    assert list(lint_twice(made, "en")) == [
        f"in 'en' the cell {code!r} does not come out the same twice" for code in codes[:3]
    ]
    assert json.loads(made[0])["cells"][3] == json.loads(made[1])["cells"][3]


def test_a_cell_that_fails_elsewhere_is_a_sentence(tmp_path: Path) -> None:
    source = tmp_path / "lessons" / "15-x" / "lesson.md"
    source.parent.mkdir(parents=True)
    source.write_text("```{code-cell} ipython3\n1 / 0\n```\n", encoding="utf-8")
    with pytest.raises(ImageLabError, match="15-x: it does not run elsewhere"):
        notebooks.elsewhere(source, "en", 1)
