"""An exercise at work: in plain Python, on a notebook's desk, and every lesson solved from top to bottom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

import imagelab
from imagelab.app import Lab
from imagelab.course import catalog, notebooks
from imagelab.course.exercise import as_cell
from imagelab.course.lab_snapshot import take_snapshot
from imagelab.course.practice import Practice
from imagelab.course.progress import (
    FILE,
    Progress,
    Record,
    change_progress,
    note,
    progress_file,
    progress_panel,
    read_progress,
    summary,
)
from imagelab.errors import ImageLabError

pytestmark = pytest.mark.usefixtures("ports_of_the_book")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lab: Lab) -> Practice:
    """The moved tag, begun in a folder of one's own."""
    monkeypatch.setenv("IMAGELAB_HOME", "")
    monkeypatch.chdir(tmp_path)
    return lab.exercise("moved-tag")


def test_it_starts_unsolved_and_ends_solved(mine: Practice) -> None:
    assert "0 of 2 done" in repr(mine)
    assert "  [ ] `mongo:3.2` is the image that is published under this name" in repr(mine)
    mine.lab.docker("pull -q mongo:3.2")
    assert repr(mine.check()).splitlines()[-1].startswith("Solved. A tag is a name for one image at a time.")
    assert "[x]" in mine.panel.text and 'role="checkbox"' in mine.panel.html


def test_success_is_final(mine: Practice) -> None:
    mine.lab.docker("pull -q mongo:3.2")
    mine.check()
    mine.lab.docker("image prune -f")
    assert mine.check().text.splitlines()[-1].startswith("Solved.")
    assert read_progress(mine.file).records["moved-tag"].solved


def test_looking_again_at_the_same_lab_is_no_attempt(mine: Practice) -> None:
    mine.lab.docker("images -a")
    mine.check()
    mine.check()
    assert mine.attempts == 0
    mine.lab.docker("tag mongo:3.2 other")
    mine.check()
    assert mine.attempts == 1


def test_hints_climb_and_follow_the_learner(mine: Practice) -> None:
    given = [mine.hint().text for _ in range(6)]
    assert [text[:11] for text in given[:5]] == [f"Hint {rung} of 5" for rung in range(1, 6)]
    assert given[5].startswith("There are no more hints")
    mine.lab.docker("rmi mongo:3.2")
    assert "The old image is no longer listed" in mine.hint().text
    assert read_progress(mine.file).records["moved-tag"].rung == 4


def test_no_hint_below_its_rung_gives_the_solution_away(mine: Practice) -> None:
    for _ in range(4):
        assert "docker pull mongo:3.2" not in mine.hint().text


def test_the_solution_waits_for_an_attempt_and_is_not_locked(mine: Practice) -> None:
    assert "after 3 attempts" in mine.solution().text
    assert mine.solution(now=True).text.splitlines()[-1] == "%docker pull mongo:3.2"


def test_reset_keeps_what_you_had(mine: Practice) -> None:
    mine.lab.docker("rmi mongo:3.2")
    old = mine.lab
    assert "attempt 1" in mine.reset().text
    assert mine.kept == [old]
    assert not old.state.images
    assert len(mine.lab.state.images) == 1


def test_undo_and_redo_go_along_the_timeline_and_not_beyond_the_start(mine: Practice) -> None:
    assert mine.undo().text == "Nothing to undo: this is where the exercise starts."
    mine.lab.docker("rmi mongo:3.2")
    assert "no image is called `mongo:3.2` any more" in mine.check().text
    assert "undone: rmi mongo:3.2" in mine.undo().text
    assert mine.before == take_snapshot(mine.lab)
    assert "done again: rmi mongo:3.2" in mine.redo().text
    mine.undo()
    mine.lab.docker("pull -q mongo:3.2")
    assert mine.check().text.splitlines()[-1].startswith("Solved.")


def test_another_branch_is_another_moment(mine: Practice) -> None:
    """Undo and another command in one go: the revision is the same, the lab is not."""
    mine.lab.docker("rmi mongo:3.2")
    mine.look()
    mine.lab.undo()
    mine.lab.docker("tag mongo:3.2 other")
    mine.look()
    assert "still stands for the image it stood for" in mine.check().text


def test_more_than_asked_is_fine_and_named(mine: Practice) -> None:
    mine.lab.docker("pull -q busybox")
    assert "`busybox:latest`" in mine.panel.text
    mine.lab.docker("pull -q mongo:3.2")
    mine.check()
    assert mine.won


def test_what_is_missing_is_not_called_gone(mine: Practice) -> None:
    assert "missing" in mine.panel.text and "belongs on" in mine.panel.text and "gone" not in mine.panel.text
    mine.lab.docker("pull -q busybox")
    assert "tag busybox:latest  [extra]" in mine.panel.text


@pytest.mark.parametrize("name", ["how-many-layers", "which-blob"])
def test_the_picture_of_the_goal_does_not_give_an_answer_away(name: str, mine: Practice) -> None:
    """The answer is a tag of the goal like any other; the picture is drawn without it."""
    practice = mine.lab.exercise(name)
    (answer,) = (line.partition("answer:")[2] for line in practice.exercise.solution if "answer:" in line)
    assert f"answer:{answer}" not in practice.panel.text + practice.panel.html


def test_where_nothing_can_be_written_an_exercise_goes_on(
    mine: Practice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine.file = tmp_path / "a folder"
    mine.file.mkdir()
    mine.lab.docker("pull -q mongo:3.2")
    assert mine.check().text.splitlines()[-1].startswith("Solved.")
    assert capsys.readouterr().err.startswith("progress cannot be written to")
    assert mine.file is None


# -- progress -----------------------------------------------------------------------------------------------


def test_progress_is_kept_beside_the_notebooks(tmp_path: Path) -> None:
    (tmp_path / "mine" / "zh").mkdir(parents=True)
    assert progress_file({}, tmp_path / "mine" / "zh") == tmp_path / "mine" / "zh" / FILE
    (tmp_path / "mine" / ".imagelab").mkdir()
    (tmp_path / "mine" / ".imagelab" / "lessons.json").write_text("{}", encoding="utf-8")
    assert progress_file({}, tmp_path / "mine" / "zh") == tmp_path / "mine" / FILE
    assert progress_file({"IMAGELAB_PROGRESS": str(tmp_path / "x")}, tmp_path) == tmp_path / "x"
    assert progress_file({}, notebooks.ROOT / "notebooks" / "en") is None


def test_progress_never_goes_back(tmp_path: Path) -> None:
    file = tmp_path / FILE
    note(file, "a", solved=True, rung=3, attempts=2)
    note(file, "a", solved=False, rung=1, attempts=0)
    assert read_progress(file).records == {"a": Record(attempts=0, rung=3, solved=True)}
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE]


def test_a_damaged_file_is_kept_aside(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text("not json", encoding="utf-8")
    assert read_progress(file) == Progress()
    note(file, "a", solved=True)
    assert read_progress(file).solved("a")
    assert (tmp_path / "imagelab-progress.damaged.json").read_text(encoding="utf-8") == "not json"


def test_two_progresses_make_the_better_one() -> None:
    one = Progress({"a": Record(2, 1, True), "b": Record(1)})
    other = Progress({"a": Record(5), "b": Record(3), "c": Record(solved=True)})
    assert one.merged(other) == Progress({"a": Record(2, 1, True), "b": Record(3), "c": Record(solved=True)})
    assert Progress.parse(one.to_json()) == one


def test_what_is_no_progress_file_is_a_sentence(tmp_path: Path) -> None:
    for text in ("[]", "{}", '{"version": 1, "exercises": []}', '{"version": 1, "exercises": {"a": 3}}'):
        with pytest.raises(ImageLabError, match="this is not a progress file"):
            Progress.parse(text)
    with pytest.raises(ImageLabError, match="of a newer imagelab"):
        Progress.parse('{"version": 99, "exercises": {}}')
    with pytest.raises(ImageLabError, match="progress cannot be written"):
        change_progress(tmp_path, lambda progress: progress)


def test_the_end_says_so() -> None:
    lessons = {"01-a": ("x", "y")}
    assert summary(Progress(), lessons, "en")[0] == "Nothing solved yet. Start anywhere."
    assert summary(Progress({"x": Record(solved=True)}), lessons, "en") == [
        "1 of 2 exercises solved.",
        "01-a  [x] x  [ ] y",
    ]
    everything = Progress({name: Record(solved=True) for name in "xy"})
    assert summary(everything, lessons, "zh")[0].startswith("2 个练习全部完成")


def test_a_lab_shows_progress(mine: Practice) -> None:
    assert mine.lab.progress().text.splitlines()[0] == "Nothing solved yet. Start anywhere."
    mine.lab.docker("pull -q mongo:3.2")
    mine.check()
    shown = mine.lab.progress()
    assert "1 of" in shown.text and "[x] moved-tag" in shown.text
    assert "&#9745; The tag that moved" in shown.html and "&#9744; " in shown.html


# -- in notebooks -------------------------------------------------------------------------------------------

LESSONS = list(enumerate(catalog.by_lesson(catalog.lessons_folder())))


def texts(cell: Any) -> str:
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


@pytest.mark.parametrize(("at", "lesson"), LESSONS, ids=[lesson for _, lesson in LESSONS])
def test_a_lesson_solved_runs_from_top_to_bottom(at: int, lesson: str, tmp_path: Path) -> None:
    """The learner's cells filled in with the solutions, in one of the languages: each exercise says that it is solved."""
    language = notebooks.LANGUAGES[at % 2]
    (tmp_path / language).mkdir()
    made = notebooks.notebook(notebooks.ROOT / "lessons" / lesson / "lesson.md", language)
    exercises = {one.id: one for one in catalog.by_lesson(catalog.lessons_folder())[lesson]}
    solved = {}
    for cell, following in zip(made.cells, made.cells[1:], strict=False):
        if cell.source.startswith("lab.exercise("):
            name = cell.source.split('"')[1]
            assert following.source == "# %docker ..."
            following.source = as_cell(exercises[name].solution)  # what %solution shows
            solved[name] = following
    assert set(solved) <= set(exercises)
    notebooks.execute(made, tmp_path / language)
    for name, cell in solved.items():
        assert exercises[name].why.in_(language) in texts(cell), texts(cell)
    record = read_progress(tmp_path / language / FILE).records
    assert all(record[name].solved for name in solved)


def test_the_magics_work_on_what_lies_on_the_desk(tmp_path: Path) -> None:
    sources = [
        "import imagelab\nlab = imagelab.lesson('desk')", "%hint", "lab.exercise('moved-tag')", "%hint", "%docker rmi mongo:3.2",
        "%check", "%reset", "len(lab.images())", "%docker pull -q mongo:3.2", "%solution", "%undo",
    ]  # fmt: skip
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in sources], metadata={"kernelspec": notebooks.KERNEL}
    )
    made.metadata["imagelab"] = {"lesson": "desk"}
    notebooks.execute(made, tmp_path)
    said = {cell.source: texts(cell) for cell in made.cells}
    assert texts(made.cells[1]).startswith("No exercise is open.")
    assert said["lab.exercise('moved-tag')"].startswith("Exercise: The tag that moved")
    assert said["%hint"].startswith("Hint 1 of 5.")
    assert "Still missing: no image is called `mongo:3.2` any more." in said["%docker rmi mongo:3.2"]
    assert said["len(lab.images())"] == "1"
    assert "Solved." in said["%docker pull -q mongo:3.2"]
    assert said["%solution"].endswith("docker pull mongo:3.2")


def test_a_notebook_that_goes_on_with_its_lesson_has_left_the_exercise(tmp_path: Path) -> None:
    sources = [
        "import imagelab\nlab = imagelab.lesson('one')", "lab.exercise('moved-tag')", "lab = imagelab.lesson('two')",
        "%docker pull -q busybox", "%undo", "%redo", "%redo ", "%check", "len(lab.images())",
    ]  # fmt: skip
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in sources], metadata={"kernelspec": notebooks.KERNEL}
    )
    made.metadata["imagelab"] = {"lesson": "left"}
    notebooks.execute(made, tmp_path)
    said = [texts(cell).strip() for cell in made.cells]
    assert said[3] == "docker.io/library/busybox:latest"
    assert said[4:7] == ["undone: pull -q busybox", "done again: pull -q busybox", "nothing to redo"]
    assert said[7].startswith("No exercise is open.")
    assert said[8] == "1"


def test_an_exercise_needs_a_name_that_exists(lab: Lab) -> None:
    with pytest.raises(ImageLabError, match="no exercise is called 'nosuch'"):
        lab.exercise("nosuch")
    assert imagelab.__version__


def test_progress_calls_lessons_and_exercises_by_their_titles() -> None:
    from imagelab.course.catalog import by_lesson, lessons_folder, titles

    folder = lessons_folder()
    for lang in ("en", "zh"):
        found = titles(folder, lang)
        assert set(found) == {*by_lesson(folder), *(one.id for rows in by_lesson(folder).values() for one in rows)}
        html = progress_panel(Progress(), {"02-listing-images": ["moved-tag"]}, lang, found).html
        assert (
            f'<a href="02-listing-images.ipynb">{found["02-listing-images"]}</a>' in html and found["moved-tag"] in html
        )
    assert titles(folder, "zh")["02-listing-images"] == "列出镜像"
