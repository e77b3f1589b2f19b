"""The hash chain: what the table says changes is what changes, on real bytes, and what it says stays, stays."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

import panels
from imagelab.app import Lab
from imagelab.errors import ImageLabError
from imagelab.oci.digest import Digest
from imagelab.view.hash_chain import model as module
from imagelab.view.hash_chain.model import CASES, STAGES, ImageBytes, chosen, inflated, stored
from imagelab.view.style import rules

TABLE = {
    "none": "same same same same same same same same",
    "byte": "new  new  new  new  new  new  new  moved",
    "mtime": "same new  new  new  new  new  new  moved",
    "gzip": "same same same new  same new  new  moved",
    "config": "same same same same new  new  new  moved",
    "tag": "same same same same same same same new",
}
"""As the module's docstring has it, with an index between manifest and tag."""

NAMES = ["nginx", "hello-world", "ubuntu:14.04", "imagelab/leaky", "redis"]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_the_table_holds_for_every_image(lab: Lab, name: str, lang: str) -> None:
    """hello-world's tag points to an index; the others' to a manifest."""
    lab.docker(["pull", "-q", name])
    lab.lang = lang
    found = lab.avalanche(name)
    for key, row in TABLE.items():
        expected = dict(zip(STAGES, row.split(), strict=True))
        assert found.case(key) == {stage: expected[stage] for stage in found.case(key)}
    assert ("index" in found.case("none")) == (name == "hello-world")
    panels.check(found)


def test_before_is_what_docker_shows(lab: Lab) -> None:
    lab.docker("pull -q nginx")
    image = lab.image("nginx")
    names = {stage.key: stage.before for stage in lab.avalanche("nginx").cases[0].stages}
    layer = lab.state.layers[image.layers[lab.avalanche("nginx").layer - 1]]
    assert (names["config"], names["manifest"], names["blob"], names["tar"], names["chain"]) == (
        image.id, image.image.target, layer.blob, layer.diff_id, layer.chain_id,
    )  # fmt: skip
    assert names["file"] == Digest.of(lab.store.read_file(image.tree[lab.avalanche("nginx").path]))


def bytes_of(lab: Lab, name: str, path: str = "") -> ImageBytes:
    lab.docker(["pull", "-q", name])
    image = lab.image(name).image
    indexes = [lab.store.index_of(lab.state.layers[chain_id].diff_id) for chain_id in image.layers]
    number, row = chosen(indexes, path)
    blob = lab.store.read_blob(lab.state.layers[image.layers[number - 1]].blob)
    read = lab.store.read_blob
    return ImageBytes(name, number, row, inflated(blob), blob, read(image.id), read(image.target))


def test_changed_images_are_images_that_python_can_read(lab: Lab) -> None:
    """Python's own gzip and tarfile: one bit differs, one second differs, and all else is as it was."""
    image = bytes_of(lab, "imagelab/leaky", "app/id_rsa")
    flipped, later = module._flipped(image), module._later(image)

    def entry(changed: ImageBytes) -> tuple[float, bytes]:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(changed.blob))) as tar:
            file = tar.extractfile("app/id_rsa")
            assert file is not None
            return tar.getmember("app/id_rsa").mtime, file.read()

    (time, data), (_, one_bit), (next_second, same) = entry(image), entry(flipped), entry(later)
    assert (next_second, same) == (time + 1, data)
    assert bytes([one_bit[0] ^ 1]) + one_bit[1:] == data


def test_every_pointer_of_a_changed_image_is_true(lab: Lab) -> None:
    """Config and manifest say the digests and sizes of what they point to; nothing else of them is changed."""
    image = bytes_of(lab, "nginx")
    for change in module._CHANGES.values():
        after = change(image)
        manifest, before = json.loads(after.manifest), json.loads(image.manifest)
        layer = manifest["layers"][image.layer - 1]
        assert (manifest["config"]["digest"], manifest["config"]["size"]) == (
            Digest.of(after.config),
            len(after.config),
        )
        assert (layer["digest"], layer["size"]) == (Digest.of(after.blob), len(after.blob))
        assert json.loads(after.config)["rootfs"]["diff_ids"][image.layer - 1] == Digest.of(after.tar)
        others = [entry for at, entry in enumerate(manifest["layers"]) if at != image.layer - 1]
        assert others == [entry for at, entry in enumerate(before["layers"]) if at != image.layer - 1]


@given(st.binary(max_size=300), st.sampled_from([0, 0xFFFF - 3, 0xFFFF, 2 * 0xFFFF]))
def test_stored_is_a_gzip(data: bytes, zeros: int) -> None:
    assert gzip.decompress(stored(data + bytes(zeros))) == data + bytes(zeros)


def test_which_file(lab: Lab) -> None:
    lab.docker("pull -q imagelab/leaky")
    assert (lab.avalanche("imagelab/leaky", "/app/id_rsa").path, lab.avalanche("imagelab/leaky").path) == (
        "app/id_rsa",
        "app/VERSION",
    )
    with pytest.raises(ImageLabError, match="no layer holds a file /nothing"):
        lab.avalanche("imagelab/leaky", "/nothing")
    with pytest.raises(ImageLabError, match="there is no case 'x'"):
        lab.avalanche("imagelab/leaky").case("x")
    assert (
        lab.docker("avalanche imagelab/leaky /app/id_rsa").stdout == lab.avalanche("imagelab/leaky", "/app/id_rsa").text
    )


def test_the_stylesheet_has_a_rule_for_each_case() -> None:
    for key in CASES:
        assert f"input[value={key}]:checked) .case.{key}{{display:block}}" in rules("avalanche")
