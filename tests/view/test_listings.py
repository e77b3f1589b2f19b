"""Five definitions of dangling, three Dockers' listings, a removal that is not made."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.app import Lab
from imagelab.errors import ConflictError, ImageNotFoundError
from imagelab.state.events import Deleted
from imagelab.state.model import State
from imagelab.state.removal import RemovalPlan
from imagelab.view.graph.model import IMAGE
from imagelab.view.listings.dangling import DEFINITIONS, dangling_view, verdicts, why
from imagelab.view.listings.removal import Target, preview_rmi, without
from imagelab.view.messages import LANGUAGES
from imagelab.view.style import rules
from states import a_state, container, id_of, image
from strategies import labs

DIGEST = "@sha256:" + "d" * 64

EVERYONE = a_state(
    image("tagged", "base", names=["web:1"]),
    image("bare", "base", "a"),
    image("digest", "base", "b", names=["web" + DIGEST]),
    image("parent", "base", "c"),
    image("child", "base", "c", "d", parent="parent", names=["web:2"]),
)


def words(definition: str) -> dict[str, str]:
    judged = verdicts(EVERYONE, definition)
    return {word: judged[id_of(word)].word for word in ("tagged", "bare", "digest", "parent", "child")}


@pytest.mark.parametrize(
    ("definition", "bare", "digest", "parent"),
    [
        ("list", "dangling", "dangling", "intermediate"),
        ("delete", "dangling", "neither", "intermediate"),
        ("containerd", "dangling", "dangling", "dangling"),
        ("cli29", "dangling", "dangling", "dangling"),
        ("podman", "dangling", "dangling", "intermediate"),
    ],
)
def test_the_five_definitions(definition: str, bare: str, digest: str, parent: str) -> None:
    """R3.14, R3.15, R3.18, R3.36, R5.8."""
    assert words(definition) == {
        "tagged": "neither",
        "bare": bare,
        "digest": digest,
        "parent": parent,
        "child": "neither",
    }


@given(labs())
def test_the_first_definition_is_the_one_that_the_lab_lists_by(state: State) -> None:
    for image_id, verdict in verdicts(state, "list").items():
        assert (verdict.word == "dangling") == state.is_dangling(image_id)
        assert (verdict.word == "intermediate") == state.is_intermediate(image_id)


@given(labs(), st.sampled_from(LANGUAGES))
def test_every_verdict_has_its_sentence_and_every_definition_its_picture(state: State, lang: str) -> None:
    found = dangling_view(state, lang=lang)
    for definition in DEFINITIONS:
        judged = verdicts(state, definition)
        marked = {thing.title: thing.marks for thing in found.graph(definition).of(IMAGE)}
        for image_id, verdict in judged.items():
            sentence = why(state, image_id, verdict, lang)
            assert sentence in found.text
            assert ("dangling" in marked[image_id.short]) == (verdict.word == "dangling")
            assert ("intermediate" in marked[image_id.short]) == (verdict.word == "intermediate")


def test_the_switch_needs_no_script_and_without_styles_everything_is_there() -> None:
    html = dangling_view(EVERYONE, lang="en").html
    assert "<script" not in html
    assert html.count('type="radio"') == len(DEFINITIONS) == html.count("<img ")
    for definition in DEFINITIONS:
        assert f'class="view v-{definition}"' in html


# -- eras ---------------------------------------------------------------------------------------------------


@pytest.fixture
def book(lab: Lab) -> Lab:
    lab.pull("mongo:3.2")
    lab.upstream.release("mongo:3.2")
    lab.pull("mongo:3.2")
    return lab


def test_each_docker_prints_what_it_prints(book: Lab) -> None:
    views = book.eras().views
    assert [view.era for view in views] == ["1.13", "28", "29"]
    for view in views:
        assert view.listing == book.docker(["--era", view.era, "images"]).stdout
    assert [view.listing for view in book.eras(all=True).views] == [
        book.docker(["--era", era, "images", "-a"]).stdout for era in ("1.13", "28", "29")
    ]


def test_what_vanished_is_marked(book: Lab) -> None:
    """R0.1, R3.18: 29 has other columns, and hides what has no tag."""
    _, then, now = book.eras().views
    assert then.gone_columns == then.gone_rows == ()
    assert now.gone_columns == ("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE")
    assert [row[:2] for row in now.gone_rows] == [("mongo", "<none>")]
    assert book.eras(all=True).views[2].gone_rows == ()
    assert "not listed: mongo" in book.eras().text
    assert 'class="gone"' in book.eras().html


def test_an_empty_lab_has_nothing_to_lose(lab: Lab) -> None:
    assert all(view.gone_rows == () for view in lab.eras().views)
    assert "REPOSITORY" in lab.eras().text


# -- a removal ----------------------------------------------------------------------------------------------


@given(labs(), st.data(), st.booleans(), st.booleans())
def test_the_preview_is_what_the_plan_does(state: State, data: st.DataObject, force: bool, prune: bool) -> None:
    if not state.images:
        return
    found = data.draw(st.sampled_from(list(state.images.values())))
    name = data.draw(st.sampled_from([None, *state.names(found.id)]))
    shown = preview_rmi(state, [Target("x", found, name)], force=force, prune=prune)
    plan = RemovalPlan(state)
    try:
        plan.remove(found, "x", name, force=force, prune=prune)
    except ConflictError as error:
        assert [refusal.message for refusal in shown.refusals] == [str(error)]
        assert shown.removed == () and shown.after == state
        assert shown.refusals[0].retained, "a refusal says who is in the way"
        return
    assert list(shown.removed) == plan.removed
    assert set(shown.after.images) == set(state.images) - set(plan.deleted)
    assert set(shown.after.references) == set(state.references) - set(plan.untagged)


@given(labs(), st.data())
def test_what_is_said_to_go_goes_and_what_is_said_to_stay_stays(state: State, data: st.DataObject) -> None:
    if not state.images:
        return
    found = data.draw(st.sampled_from(list(state.images.values())))
    shown = preview_rmi(state, [Target("x", found, None)], force=True)
    gone = {str(item.digest) for item in shown.removed if isinstance(item, Deleted)}
    assert gone == {
        *map(str, set(state.images) - set(shown.after.images)),
        *map(str, set(state.layers) - set(shown.after.layers)),
    }
    if not shown.refusals and found.id not in shown.after.images:
        assert {kept.id for kept in shown.retained if kept.kind == "layer"} == set(found.layers) & set(
            shown.after.layers
        )
    assert all(kept.holders for kept in shown.retained)


def test_a_layer_of_a_container_whose_image_is_long_gone_is_not_said_to_go(lab: Lab) -> None:
    """R5.11: the container still stands on it; neither rmi nor its preview says Deleted."""
    lab.pull("nginx")
    lab.docker("create --name left nginx")
    lab.rmi("nginx", force=True)
    kept = set(lab.state.layers)
    lab.pull("mongo:3.2")
    shared = kept & set(lab.image("mongo:3.2").image.layers)
    (row,) = [kept for kept in lab.preview_rmi("mongo:3.2").retained if kept.kind == "layer"]
    assert {row.id} == shared and row.holders == ("left",)
    said = lab.docker("rmi mongo:3.2").stdout
    assert set(lab.state.layers) == kept
    assert not any(digest in said for digest in kept)


def test_nothing_is_removed_by_looking(book: Lab) -> None:
    before = book.state
    result = book.docker("rmi --dry-run mongo:3.2")
    assert result.exit_code == 0
    assert "Would be untagged:  mongo:3.2" in result.stdout
    assert re.search(r"Stays: +layer \w{12}: \w{12} stands on it", result.stdout)
    assert book.state == before
    really = book.docker("rmi mongo:3.2").stdout
    assert len(re.findall("Deleted", really)) == len(re.findall("deleted", result.stdout))


def test_a_refusal_cites_the_child_or_the_container() -> None:
    state = a_state(
        image("nginx", "base", names=["nginx:latest"]), image("v2", "base", "x", parent="nginx", names=["nginx:v2"]),
        containers=[container("web", "v2", running=True)],
    )  # fmt: skip
    shown = preview_rmi(
        state, [Target("nginx", state.images[id_of("nginx")], None), Target("v2", state.images[id_of("v2")], None)]
    )
    assert "image has dependent child images" in shown.text
    assert "nginx:v2 was made from it" in shown.text
    assert "container web uses it" in shown.text


def test_an_unknown_image_is_refused_as_rmi_refuses_it(book: Lab) -> None:
    with pytest.raises(ImageNotFoundError, match="No such image: nope"):
        book.preview_rmi("nope")
    result = book.docker("rmi --dry-run nope")
    assert result.exit_code == 1 and "No such image: nope:latest" in result.stderr


def test_the_panel_says_what_the_text_says_in_both_languages(book: Lab) -> None:
    for lang in LANGUAGES:
        shown = book.preview_rmi("mongo:3.2", lang=lang)
        assert all(text in shown.html for _, text in shown.rows)
        assert all(text in shown.text for _, text in shown.rows)


def test_taking_away_nothing_changes_nothing() -> None:
    assert without(EVERYONE, [], []) == EVERYONE


def test_the_stylesheet_has_a_rule_for_each_definition() -> None:
    for name in DEFINITIONS:
        assert f"input[value={name}]:checked) .view:not(.v-{name}){{display:none}}" in rules("lens")
