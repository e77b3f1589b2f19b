"""The laws of archives, for images made up at random.

load(save(x)) == x          in an empty lab, in every era
save(load(save(x))) == save(x)    byte for byte
load(anything) either brings images that the doctor finds nothing wrong with, or changes nothing
"""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from archive_makers import config, docker_files, layout_files, tar
from hypothesis import given, settings
from hypothesis import strategies as st

import imagelab
from imagelab.app import Lab
from imagelab.errors import ImageLabError
from imagelab.lab.lab import ERAS
from imagelab.state.model import State

LAYERS = [tar({f"dir/file{n}": bytes([65 + n]) * (n * 700), f"link{n}": "dir"}) for n in range(4)]
TAGS = ["a:1", "a:2", "me/b:1", "localhost:5000/c:latest"]


@st.composite
def archives(draw: st.DrawFn) -> dict[str, bytes | str]:
    """The files of an archive: some images on some layers, some with tags, some with a parent, some packed."""
    files: dict[str, bytes | str] = {}
    for number, layer in enumerate(LAYERS):
        files[f"{number}.tar"] = gzip.compress(layer, mtime=0) if draw(st.booleans()) else layer
    tags, items = list(draw(st.permutations(TAGS))), list[dict[str, Any]]()
    history: list[dict[str, object]] = []
    for number in range(draw(st.integers(1, 3))):
        stack = draw(st.lists(st.sampled_from(range(len(LAYERS))), min_size=1, max_size=4))
        step = {"created": f"2016-11-0{number + 1}T00:00:00Z", "created_by": f"step {number}", "empty_layer": True}
        built = draw(st.booleans())
        history = [*history, step] if built else [step]
        raw = config(*[LAYERS[at] for at in stack], author=str(number), created=step["created"], history=history)
        files[f"{number}.json"] = raw
        parent = {"Parent": imagelab_id(files[f"{number - 1}.json"])} if built and number else {}
        mine = [tags.pop() for _ in range(draw(st.integers(0, 1)))]
        items.append(
            {"Config": f"{number}.json", "RepoTags": mine or None, "Layers": [f"{at}.tar" for at in stack]} | parent
        )
    files["manifest.json"] = json.dumps(items).encode()
    return files


def imagelab_id(raw: bytes | str) -> str:
    from imagelab.oci.documents import Digest

    assert isinstance(raw, bytes)
    return Digest.of(raw)


def a_lab(folder: str, name: str, era: str = "28") -> Lab:
    return imagelab.connect(Path(folder) / name, environ={}, clock="class", era=era)


def plain(state: State, era: str) -> tuple[object, ...]:
    """What an archive carries of a state: in 28 and before not what the images are known by in a registry."""
    kept = {
        image.id: image if era == "29" else replace(image, target=image.id, content_size=0) for image in state.images.values()
    }  # fmt: skip
    return (
        {key: replace(image, tagged=0, local=False) for key, image in kept.items()},
        dict(state.references),
        set(state.layers),
    )


@given(archives(), st.sampled_from(ERAS))
@settings(max_examples=40)
def test_load_of_save_is_what_it_was(files: dict[str, bytes | str], era: str) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        first, second = a_lab(folder, "first", era), a_lab(folder, "second", era)
        first.engine.archives.load(io.BytesIO(tar(files)))
        names = [name for image in first.state.images.values() for name in first.state.tags(image.id) or [image.id]]
        saved = b"".join(first.engine.archives.save(names))
        assert b"".join(first.engine.archives.save(names)) == saved
        second.engine.archives.load(io.BytesIO(saved))
        assert plain(second.state, era) == plain(first.state, era)
        assert b"".join(second.engine.archives.save(names)) == saved
        assert first.engine.doctor() == second.engine.doctor() == []
        first.close()
        second.close()


GOOD = [
    tar(docker_files("a:1")),
    tar(layout_files(name="docker.io/me/x:1")),
    gzip.compress(tar(docker_files("a:1")), mtime=0),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An archive in which something was changed: bits, blocks, the end, the middle."""
    data = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        match draw(st.sampled_from(["flip", "cut", "drop", "double", "zero", "text"])):
            case "flip" if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + draw(st.sampled_from([1, 100, 512, 1024]))]
            case "double":
                data[at:at] = data[at : at + 512]
            case "zero":
                data[at : at + 64] = bytes(len(data[at : at + 64]))
            case _:
                data[at : at + 12] = draw(st.binary(min_size=12, max_size=12))
    return bytes(data)


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


@given(damaged(), st.booleans())
@settings(max_examples=150)
def test_a_damaged_archive_is_refused_in_one_sentence_or_was_not_damaged(data: bytes, piped: bool) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        lab = a_lab(folder, "lab")
        try:
            lab.engine.archives.load(Pipe(data) if piped else io.BytesIO(data))
        except ImageLabError as error:
            assert str(error) and "\n" not in str(error)
            assert not lab.state.images and not lab.state.references and not lab.store.blobs.digests()
        assert lab.engine.doctor() == [] and not list((lab.store.directory / "partial").iterdir())
        lab.close()


ODD: list[Any] = [None, 5, "", [], {"a": 1}, "\ud800"]


def replaced(data: Any) -> Any:
    """Every way to put an odd value in the place of one value of a JSON document, or to leave it out."""
    yield from ODD
    if isinstance(data, dict):
        for key in data:
            yield {other: value for other, value in data.items() if other != key}
            for value in replaced(data[key]):
                yield data | {key: value}
    elif isinstance(data, list):
        for at in range(len(data)):
            for value in replaced(data[at]):
                yield [*data[:at], value, *data[at + 1 :]]


def rich_config() -> bytes:
    step = {"created": "2016-11-01T00:00:00Z", "created_by": "x", "comment": "", "author": "", "empty_layer": False}
    inner = {"Labels": {"a": "b"}, "Env": ["A=1"], "Cmd": ["sh"], "ExposedPorts": {"80/tcp": {}}, "Volumes": None}
    return config(
        LAYERS[0],
        config=inner,
        created="2016-11-01T00:00:00Z",
        history=[step],
        container_config=inner,
        variant="v1",
        author="me",
    )


def odd_archives() -> Iterator[bytes]:
    docker, layout = (
        docker_files("a:1", layer=LAYERS[0], raw=rich_config()),
        layout_files(layer=LAYERS[0], name="docker.io/me/x:1"),
    )
    for files, name in ((docker, "manifest.json"), (docker, "config.json"), (layout, "index.json")):
        for value in replaced(json.loads(files[name])):
            yield tar({**files, name: json.dumps(value).encode()})
    (old,) = json.loads(layout["index.json"])["manifests"]
    inner = f"blobs/sha256/{old['digest'][7:]}"
    for value in replaced(json.loads(layout[inner])):
        raw = json.dumps(value).encode()
        entry = old | {"digest": imagelab_id(raw), "size": len(raw)}
        files = {key: data for key, data in layout.items() if key != inner} | {
            f"blobs/sha256/{entry['digest'][7:]}": raw
        }
        yield tar({**files, "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()})


def test_a_list_with_an_odd_value_is_refused_in_one_sentence_or_still_good(tmp_path: Path) -> None:
    lab = a_lab(str(tmp_path), "lab")
    for data in odd_archives():
        before = lab.store.blobs.digests()
        try:
            lab.engine.archives.load(io.BytesIO(data))
        except ImageLabError as error:
            assert str(error) and "\n" not in str(error)
            assert not lab.state.images and lab.store.blobs.digests() == before
            continue
        names = [name for image in lab.state.images.values() for name in lab.state.tags(image.id) or [image.id]]
        if not names:
            continue  # `[]`, an archive of no images, is one
        for lab.era in ERAS:
            assert b"".join(lab.engine.archives.save(names))
            assert lab.docker("images -a").exit_code == lab.docker(["history", names[0]]).exit_code == 0
        assert lab.docker(["image", "inspect", names[0]]).exit_code == 0
        assert lab.docker(["rmi", "-f", *lab.state.images]).exit_code == 0
    assert lab.engine.doctor() == []
    lab.close()
