"""The layer graph: everything is in it once, its three printers say the same, its bytes are the same everywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.errors import UsageError
from imagelab.oci.documents import ImageConfig
from imagelab.oci.reference import familiar
from imagelab.state.model import State
from imagelab.view.graph.details import details
from imagelab.view.graph.dot import dot
from imagelab.view.graph.lab_graph import LabGraph, instruction, layer_commands
from imagelab.view.graph.layout import NARROWEST, ROW, fitted, layout, text_width
from imagelab.view.graph.model import CONTAINER, DIGEST, FOLDED, IMAGE, LAYER, TAG, Graph, graph
from imagelab.view.graph.svg import hue, picture
from imagelab.view.graph.text import mark_words, spoken, tree
from imagelab.view.messages import LANGUAGES
from states import a_state, chain, container, id_of, image
from strategies import labs

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"
LANGS = st.sampled_from(LANGUAGES)


# -- states that pictures are made of -----------------------------------------------------------------------

BASE = image("debian", "rootfs", names=["debian:jessie"])
NGINX = image("nginx", "rootfs", "apt nginx", "logs", names=["nginx:latest", "nginx:1.11"])
V2 = image("nginx v2", "rootfs", "apt nginx", "logs", "edit", parent="nginx", names=["nginx:v2"])
OLD, MONGO = image("old", "rootfs", "mongo 1"), image("mongo", "rootfs", "mongo 2", names=["mongo:3.2"])
LONG = "registry.example.com:5000/team/project/service:2016-11-release-candidate"
STEPS = [
    image(f"step {n}", "alpine", *"abc"[:n], parent=f"step {n - 1}" if n else "", names=["app:1"] if n == 3 else [])
    for n in range(4)
]

STATES: dict[str, State] = {
    "empty": a_state(),
    "one": a_state(BASE),
    "shared": a_state(BASE, NGINX, MONGO),
    "dangling": a_state(MONGO, OLD),
    "digest": a_state(MONGO, image("old", "rootfs", "mongo 1", names=["mongo@sha256:" + "d" * 64])),
    "intermediate": a_state(*STEPS),
    "committed": a_state(
        NGINX, V2, containers=[container("webserver", "nginx", running=True), container("web2", "nginx v2")]
    ),
    "deep": a_state(image("deep", *(f"layer {n}" for n in range(20)), names=["deep:1"])),
    "long": a_state(image("long", "rootfs", names=[LONG])),
    "no-layers": a_state(image("nothing", names=["scratch:1"])),
    "forced": a_state(BASE, containers=[replace(container("left", "nginx", running=True), layers=chain("rootfs"))]),
    "two-towers": a_state(
        NGINX, *STEPS, image("other", "x", names=["other:1"]), image("more", "y", "z", names=["more:1"])
    ),
}
BEFORE = a_state(
    image("nginx", "rootfs", "apt 1", names=["nginx:latest"]),
    BASE,
    containers=[container("web", "nginx", running=True)],
)
AFTER = a_state(
    image("nginx", "rootfs", "apt 1"), image("nginx 2", "rootfs", "apt 2", names=["nginx:latest"]), containers=[container("web", "nginx")],
)  # fmt: skip
COMMANDS = {
    chain("rootfs")[0]: "ADD file:52f317191a72 in /",
    chain("rootfs", "apt nginx")[1]: "RUN apt-get install nginx && echo done",
}


def drawn(name: str, lang: str) -> Graph:
    if name == "since":
        return graph(AFTER, since=BEFORE, lang=lang)
    return graph(STATES[name], all=name == "intermediate", commands=COMMANDS, lang=lang)


NAMES = [*STATES, "since"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_the_pictures_are_as_they_were(name: str, lang: str) -> None:
    """To make them again after a change that is meant: IMAGELAB_GOLDEN=write. Look at them before you commit."""
    made = drawn(name, lang)
    for suffix, text in ((".svg", picture(made)), (".txt", tree(made) + "\n" + spoken(made) + "\n")):
        file = GOLDEN / f"{name}.{lang}{suffix}"
        if os.environ.get("IMAGELAB_GOLDEN") == "write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert file.is_file(), f"{file.name} is missing: look at the picture, then IMAGELAB_GOLDEN=write"
        assert text == file.read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    wanted = {f"{name}.{lang}{suffix}" for name in NAMES for lang in LANGUAGES for suffix in (".svg", ".txt")}
    assert {file.name for file in GOLDEN.iterdir()} == wanted


# -- properties ---------------------------------------------------------------------------------------------


def shapes(svg: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(svg)
    return [element for element in root.iter(f"{SVG}g") if "data-key" in element.attrib]


@given(labs(), st.integers(0, 4), st.booleans(), LANGS)
def test_everything_is_in_the_picture_once(state: State, fold: int, images: bool, lang: str) -> None:
    made = graph(state, all=True, fold=fold, images=images, lang=lang)
    keys = [shape.attrib["data-key"] for shape in shapes(picture(made))]
    assert keys == [thing.key for thing in made.things]
    assert max(Counter(keys).values(), default=1) == 1
    assert Counter(layer for thing in made.of(LAYER, FOLDED) for layer in thing.layers) == Counter(list(state.layers))
    assert {thing.title for thing in made.of(IMAGE)} == {image_id.short for image_id in state.images}
    assert sorted(thing.title for thing in made.of(TAG, DIGEST)) == sorted(map(familiar, state.references))
    assert {thing.key for thing in made.of(CONTAINER)} == {f"container:{each[:12]}" for each in state.containers}


@given(labs(), st.integers(0, 4), st.booleans(), st.booleans())
def test_walking_down_from_an_image_gives_its_layers(state: State, fold: int, images: bool, all: bool) -> None:
    made = graph(state, all=all, fold=fold, images=images)
    shown = [each for each in state.images.values() if all or not state.is_intermediate(each.id)]
    for each in shown:
        assert made.layers_of(f"image:{each.id.short}") == each.layers
    assert len(made.of(IMAGE)) == len(shown)


@given(labs(), st.integers(0, 4), LANGS)
def test_the_three_printers_name_the_same_things_with_the_same_marks(state: State, fold: int, lang: str) -> None:
    made = graph(state, all=True, fold=fold, lang=lang)
    titles = "\n".join(shape.findtext(f"{SVG}title") or "" for shape in shapes(picture(made)))
    graphviz = dot(made)
    for text in (titles, tree(made), spoken(made), graphviz):
        for thing in made.things:
            assert thing.title in text or (text == graphviz and thing.kind == DIGEST)
            assert all(word in text for word in mark_words(thing, lang))


@given(labs(), labs(), LANGS)
def test_a_comparison_shows_both_and_marks_what_differs(now: State, before: State, lang: str) -> None:
    made = graph(now, all=True, since=before, fold=0, lang=lang)
    marked = {mark: {thing.title for thing in made.of(IMAGE) if mark in thing.marks} for mark in ("new", "gone")}
    assert marked["new"] == {each.short for each in set(now.images) - set(before.images)}
    assert marked["gone"] == {each.short for each in set(before.images) - set(now.images)}
    moved = {thing.title for thing in made.of(TAG, DIGEST) if "moved" in thing.marks}
    both = set(now.references) & set(before.references)
    assert moved == {familiar(name) for name in both if now.references[name] != before.references[name]}
    assert len(shapes(picture(made))) == len(made.things)


@given(labs())
def test_nothing_differs_from_itself(state: State) -> None:
    assert graph(state, since=state, all=True) == graph(state, all=True)


@given(labs(), labs())
def test_boxes_do_not_overlap_and_are_inside_the_sheet(state: State, other: State) -> None:
    placed = layout(graph(state, all=True, since=other))
    for at, box in enumerate(placed.boxes):
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= placed.width and box.y + box.height <= placed.height
        for other_box in placed.boxes[:at]:
            apart = (
                box.x >= other_box.x + other_box.width or other_box.x >= box.x + box.width
                or box.y >= other_box.y + other_box.height or other_box.y >= box.y + box.height
            )  # fmt: skip
            assert apart, (box.thing.key, other_box.thing.key)


@given(labs(), LANGS)
def test_words_fit_their_boxes(state: State, lang: str) -> None:
    """By our own measure, in which no letter is narrower than in the fonts that are asked for."""
    for box in layout(graph(state, all=True, lang=lang)).boxes:
        for words in box.lines:
            assert words.width <= box.width - box.inset - 8, (box.thing.key, words)


@given(labs(), LANGS)
def test_there_is_something_to_say_of_everything(state: State, lang: str) -> None:
    made = graph(state, all=True, lang=lang)
    for thing in made.things:
        assert thing.title in details(made, thing.key).text


def test_shape_label_and_colour_tell_the_kinds_apart() -> None:
    """No two kinds have the same outline, and none is told by colour alone."""
    made = graph(
        a_state(
            NGINX,
            V2,
            MONGO,
            OLD,
            *STEPS,
            image("d", "x", names=["d@sha256:" + "d" * 64]),
            containers=[container("c", "nginx")],
        ),
        all=True,
    )
    outlines: dict[str, set[str]] = {}
    for shape in shapes(picture(made)):
        kind = hue(made.by_key[shape.attrib["data-key"]])
        first = next(element for element in shape if element.attrib.get("class") == "s")
        look = (
            first.tag
            + str(first.get("rx"))
            + str(first.get("stroke-dasharray"))
            + str(len([e for e in shape if "text" not in e.tag]))
        )
        look += re.sub(r"[\d.]+", "", first.get("d", ""))
        outlines.setdefault(kind, set()).add(look)
    assert set(outlines) == {"layer", "shared", "image", "tag", "digest", "dangling", "intermediate", "container"}
    looks = [look for kind in outlines.values() for look in kind]
    assert len(looks) == len(set(looks))


# -- examples -----------------------------------------------------------------------------------------------


def test_what_was_moved_says_where_it_was() -> None:
    made = graph(AFTER, since=BEFORE)
    assert made.by_key["tag:nginx:latest"].marks == ("moved",)
    assert f"was on {id_of('nginx').short}" in tree(made)
    assert made.by_key[f"container:{id_of('container web').hex[:12]}"].was == "running"
    assert details(made, f"image:{id_of('debian').short}").docker == ""


def test_focus_shows_an_image_and_its_family() -> None:
    state = a_state(NGINX, V2, MONGO, OLD, containers=[container("web", "nginx"), container("db", "mongo")])
    made = graph(state, focus=id_of("nginx"))
    assert [thing.title for thing in made.of(IMAGE)] == [id_of("nginx").short, id_of("nginx v2").short]
    assert [thing.title for thing in made.of(CONTAINER)] == ["web"]
    assert made.by_key[f"layer:{chain('rootfs')[0].short}"].images == 4  # what is not shown still stands there


def test_an_intermediate_image_is_left_out_and_counted() -> None:
    state = a_state(*STEPS)
    assert len(graph(state).of(IMAGE)) == 1
    assert "3 intermediate images are not shown" in tree(graph(state))
    assert len(graph(state, all=True).of(IMAGE)) == 4
    assert len(graph(state, focus=id_of("step 1")).of(IMAGE)) == 4


def test_a_long_run_is_folded_and_unfolds() -> None:
    state = STATES["deep"]
    made = graph(state)
    (fold,) = made.of(FOLDED)
    assert len(fold.layers) == 18
    assert len(graph(state, unfold=[fold.key]).of(LAYER)) == len(graph(state, fold=0).of(LAYER)) == 20
    assert len(graph(state, images=True).things) == 3


def test_a_thousand_layers_make_a_small_picture() -> None:
    state = a_state(image("deep", *(f"layer {n}" for n in range(1000)), names=["deep:1"]))
    assert layout(graph(state)).height < 300
    assert len(graph(state, fold=0).of(LAYER)) == 1000


def test_towers_stand_in_rows_that_a_notebook_can_show() -> None:
    state = a_state(*(image(f"i{n}", f"l{n}", names=[f"i{n}:1"]) for n in range(20)))
    assert layout(graph(state)).width <= ROW


def test_chinese_is_measured_as_wide_as_it_is() -> None:
    assert text_width("虚悬镜像") == 4 * text_width("虚")
    assert text_width("虚") > text_width("w")
    assert text_width(fitted("容器层的改动，很长很长很长很长很长的一句话", NARROWEST)) <= NARROWEST


def test_a_name_is_cut_in_the_middle_and_a_sentence_at_its_end() -> None:
    assert re.fullmatch(r"registry.*….*date", fitted(LONG, 200))
    assert fitted("RUN apt-get install -y nginx curl", 120).startswith("RUN apt")


def test_the_command_that_shows_a_thing_is_docker_s_and_ours() -> None:
    made = graph(STATES["committed"])
    container_key = next(thing.key for thing in made.of(CONTAINER) if thing.title == "web2")
    assert details(made, "tag:nginx:v2").docker == "docker images nginx:v2"
    assert details(made, f"image:{id_of('nginx v2').short}").python == 'lab.image("nginx:v2")'
    assert details(made, container_key).docker == "docker ps -a --filter name=web2"
    assert details(made, made.of(LAYER)[-1].key).docker == "docker history nginx:v2"


def test_an_instruction_is_as_it_stood_in_the_dockerfile() -> None:
    digest = "ab" * 32
    assert instruction('/bin/sh -c #(nop)  CMD ["sh"]') == 'CMD ["sh"]'
    assert instruction("/bin/sh -c apt-get update \t&& true") == "RUN apt-get update && true"
    assert instruction(f"/bin/sh -c #(nop) ADD file:{digest} in / ") == "ADD file:abababababab in /"


def test_instructions_belong_to_the_layers_they_made() -> None:
    data = {
        "rootfs": {"type": "layers", "diff_ids": [id_of("x"), id_of("y")]},
        "history": [{"created_by": "ADD a"}, {"created_by": "ENV b", "empty_layer": True}, {"comment": "by hand"}],
    }
    config = ImageConfig.parse(json.dumps(data).encode())
    assert list(layer_commands([(chain("x", "y"), config)]).values()) == ["ADD a", "by hand"]


# -- files and notebooks ------------------------------------------------------------------------------------


def test_a_notebook_gets_a_picture_and_the_tree() -> None:
    shown = LabGraph(graph(STATES["shared"]))
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert bundle["text/plain"] + "\n" == str(shown) == tree(shown.graph)


def test_a_picture_asks_for_nothing_from_elsewhere() -> None:
    for text in (picture(drawn("committed", "zh")), LabGraph(drawn("since", "en")).details._repr_html_()):
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text.replace("%3A", ":").replace("%2F", "/"))
        assert not re.search(r"<script|@import|url\(|href=", text)


def test_a_picture_is_saved_by_its_name(tmp_path: Path) -> None:
    shown = LabGraph(graph(STATES["shared"]))
    assert shown.save(tmp_path / "a.svg").read_bytes() == shown.svg.encode()
    assert shown.save(tmp_path / "a.dot").read_text(encoding="utf-8").startswith("digraph")
    assert shown.save(tmp_path / "a.txt").read_text(encoding="utf-8") == shown.text
    with pytest.raises(UsageError, match=r"\.png: unknown kind of picture"):
        shown.save(tmp_path / "a.png")


def test_names_cannot_break_out_of_the_picture() -> None:
    state = a_state(
        image("x", "l", names=["ok:1"]),
        containers=[replace(container("c", "x"), name='"><script>&', config={"Cmd": ["</svg>"]})],
    )
    made = graph(state, commands={chain("l")[0]: "RUN echo '<b>' && ]]>"})
    assert len(shapes(picture(made))) == len(made.things)
    html = LabGraph(made).details._repr_html_()
    assert "<script" not in html and "</svg>" not in html


def test_the_same_bytes_whatever_the_hash_seed_zone_and_directory(tmp_path: Path) -> None:
    code = "import test_graph as t; print(t.picture(t.drawn('two-towers', 'zh')) + t.dot(t.drawn('since', 'en')))"
    seen = set()
    for seed, zone, folder in (("1", "UTC", tmp_path), ("2", "Asia/Shanghai", Path("/"))):
        env = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "PYTHONPATH": os.pathsep.join(map(str, [Path(__file__).parent, Path(__file__).parents[1]])),
            "PYTHONIOENCODING": "utf-8",
        }
        seen.add(
            subprocess.run([sys.executable, "-c", code], env=env, cwd=folder, capture_output=True, check=True).stdout
        )
    assert len(seen) == 1


def test_a_picture_fits_the_page_or_can_still_be_read() -> None:
    """JupyterLab shows it unscaled: its own width says how wide. Four images side by side fit; forty scroll."""
    for count in (1, 4, 40):
        many = a_state(*(image(f"i{n}", "base", f"l{n}", names=[f"app{n}:1"]) for n in range(count)))
        root = ElementTree.fromstring(picture(graph(many)))
        shown, whole = int(root.attrib["width"]), int(root.attrib["viewBox"].split()[2])
        assert shown <= 760 if count <= 4 else shown > 760
        assert 0.79 < shown / whole <= 1
        assert abs(int(root.attrib["height"]) / int(root.attrib["viewBox"].split()[3]) - shown / whole) < 0.01
