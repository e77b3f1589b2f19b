"""Every exercise, tried in clean labs: not solved as shipped, solved by its solutions, and wrong answers get their hint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from imagelab.app import Lab
from imagelab.course import catalog, checks
from imagelab.course.bilingual import Words
from imagelab.course.check import Check
from imagelab.course.exercise import Exercise, Lines, Rung, Wrong, perform, prepare
from imagelab.course.lab_snapshot import LabSnapshot, canonical, take_snapshot
from imagelab.course.trial import clean_lab, run_trial
from imagelab.errors import ImageLabError
from imagelab.view.messages import language_here

EXERCISES = list(catalog.exercises())


def each(of: str) -> list[Any]:
    return [
        pytest.param(one, answer, id=f"{one.id}-{at}")
        for one in EXERCISES
        for at, answer in enumerate(getattr(one, of), 1)
    ]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_it_is_unsolved_as_shipped_and_solved_by_its_solution(exercise: Exercise) -> None:
    start = run_trial(exercise)
    assert not start.passed
    assert start.missing is not None
    solved = run_trial(exercise, exercise.solution)
    assert solved.passed, solved.missing


@pytest.mark.parametrize(("exercise", "lines"), each("alternates"))
def test_another_way_passes(exercise: Exercise, lines: Lines) -> None:
    verdict = run_trial(exercise, lines)
    assert verdict.passed, verdict.missing


@pytest.mark.parametrize(("exercise", "wrong"), each("wrong"))
def test_a_wrong_answer_gets_its_hint(exercise: Exercise, wrong: Wrong) -> None:
    verdict = run_trial(exercise, wrong.lines)
    assert not verdict.passed, wrong.why
    if wrong.hint:
        assert [hint.id for hint in verdict.hints][:1] == [wrong.hint]


def test_ids_are_unique_and_every_lesson_has_two_or_more() -> None:
    ids = [exercise.id for exercise in EXERCISES]
    assert len(set(ids)) == len(ids)
    assert all(len(found) >= 2 for found in catalog.by_lesson(catalog.lessons_folder()).values())


# -- the pieces ---------------------------------------------------------------------------------------------


def test_a_start_that_does_not_come_about_is_a_sentence(lab: Lab) -> None:
    prepare(lab, ["- rmi nosuch", "pull -q busybox"])
    with pytest.raises(ImageLabError, match="'rmi nosuch' ends with exit code 1"):
        prepare(lab, ["rmi nosuch"])


def test_lines_are_read_as_a_cell_reads_them(lab: Lab) -> None:
    assert perform(lab, ["docker pull -q busybox", "run -i --name box busybox sh\necho hi > /x\nexit 3"]) == [0, 3]
    assert perform(lab, ["docker rm $(docker ps -aq)", "rmi $(docker images -q busybox)"]) == [0, 0]
    assert not lab.state.images


def test_checks_that_are_not_met_say_what_is_missing_in_both_languages() -> None:
    """Every function of the vocabulary, on an empty lab: two sentences, with the names in them."""
    made = {
        "answered": (Words("how many layers?", "有几层？"), "5"), "image_exists": ("web",), "image_absent": ("web",), "tag_moved": ("web",), "tag_kept": ("web",),
        "tag_points_to": ("web", "old"), "same_image": ("web", "old"), "has_digest_name": ("web",), "tags_of": ("web", 2),
        "pulled": ("web",), "image_deleted": ("web",), "image_kept": ("web",), "image_dangles": ("web",), "no_dangling": (), "dangling": (2,),
        "intermediate": (1,), "only_images": ("web",), "is_platform": ("web", "linux/arm64"), "layers_on_top": ("web", "old"),
        "layers_shared": ("web", "old"), "child_of": ("web", "old"), "file_in_image": ("web", "/x"),
        "no_file_in_image": ("web", "/x"), "in_no_layer": ("web", "/x"), "only_changed": ("web", "/x"), "config_has": ("web",),
        "history_has": ("web", "x"), "container_exists": ("web", "old"), "container_absent": ("web",), "no_containers": (),
        "container_running": ("web",), "container_stopped": ("web", 3), "container_file": ("web", "/x", "y"),
        "no_container_file": ("web", "/x"), "published": ("web",), "committed_from": ("web", "work"), "built": ("web", "old"),
        "step_writes": ("web", "/x", ("5",)), "never_here": ("web",), "away_and_back": ("web",), "was_here": ("web",),
        "listing_is": ("old",), "dangling_gone": (), "intermediate_gone": (), "others_kept": (), "image_intermediate": ("web",),
        "text_is": ("web", "/x", "y"), "page_says": ("web", "/x", "y"), "same_file": ("web", "/x", "old"),
        "new_file": ("web", "/x", "old"), "same_files": ("web", "old"), "hides": ("web", "/x", "old"),
        "secret_gone": ("web", "old", "/x"), "bytes_gone": ("web", "/x", b"y"), "starts": ("web", "y"), "starts_as": ("web", "old"),
    }  # fmt: skip
    assert set(checks.__all__) - {"Check"} == set(made)
    for name, arguments in made.items():
        check: Check = getattr(checks, name)(*arguments)
        for words in (check.says, check.missing(LabSnapshot(), LabSnapshot())):
            assert words.en and words.zh and words.en != words.zh
            assert not re.search("[\u4e00-\u9fff]", words.en)
            assert re.search("[\u4e00-\u9fff]", words.zh)
            if "web" in arguments:
                assert "`web`" in words.en and "`web`" in words.zh


def test_conditions_combine() -> None:
    one, two = checks.image_exists("web"), checks.image_absent("web")
    assert not one.holds(LabSnapshot(), LabSnapshot())
    assert (~one).holds(LabSnapshot(), LabSnapshot())
    assert not (one & two).holds(LabSnapshot(), LabSnapshot())
    assert (one | two).holds(LabSnapshot(), LabSnapshot())
    assert two.saying("gone", "没了").says == Words("gone", "没了")


def test_a_scene_knows_names_as_docker_does(lab: Lab) -> None:
    perform(lab, ["pull -q nginx", "run --name box -d nginx"])
    scene = take_snapshot(lab)
    assert scene.id_of("nginx") == scene.id_of("docker.io/library/nginx:latest") == lab.image("nginx").id
    assert canonical("nginx@sha256:" + "0" * 64).endswith("library/nginx@sha256:" + "0" * 64)
    assert "usr/share/nginx/html/index.html" in scene.tree("nginx")
    assert len(scene.trees("nginx")) == 3
    assert "nginx" in (scene.text("nginx", "/usr/share/nginx/html/index.html") or "")
    assert scene.text("box", "/nosuch") is None
    lab.docker("rm -f box")


def test_a_rehearsal_leaves_nothing_behind() -> None:
    exercise = catalog.exercise("own-layer")
    with clean_lab(exercise) as lab:
        folder = lab.store.directory
        perform(lab, exercise.solution)
    assert not folder.exists()


def test_an_unknown_exercise_is_a_sentence() -> None:
    with pytest.raises(ImageLabError, match="no exercise is called 'moved-tags'") as caught:
        catalog.exercise("moved-tags")
    assert "moved-tag" in caught.value.hint


def test_hints_come_rung_by_rung() -> None:
    hints = run_trial(catalog.exercise("moved-tag")).hints
    assert [hint.rung for hint in hints] == [Rung.WHERE, Rung.WHICH, Rung.BLANKS, Rung.TWIN]


def test_the_language_is_that_of_the_notebooks_folder() -> None:
    assert language_here({}, Path("/x/zh")) == language_here({"IMAGELAB_LANG": "en"}, Path("/x/zh")) == "zh"
    assert language_here({}, Path("/x/y")) == language_here({"IMAGELAB_LANG": "fr"}, Path("/x/y")) == "en"
    assert language_here({"IMAGELAB_LANG": "zh"}, Path("/x/y")) == "zh"
