"""Digests, descriptors, manifests, indexes and configs: what is read, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.errors import ManifestError
from imagelab.oci.documents import (
    EMPTY_TAR,
    OCI_MANIFEST,
    Descriptor,
    Digest,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    chain_ids,
    encode,
    normalize_platform,
    platform_preference,
)


def test_chain_id_check_vector() -> None:
    """R7.4, with the two diff IDs the rule gives."""
    chain = chain_ids([Digest.of(b"a"), Digest.of(b"b")])
    assert chain[0] == Digest.of(b"a")
    assert chain[1] == "sha256:51c0c8ace48498d6f5fee6b0592cc06f2da0f3cbe09c5a34a97dce85c3889676"


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=6))
def test_a_chain_id_names_the_whole_stack(contents: list[bytes]) -> None:
    """The same layers in the same order: the same chain; every prefix keeps its chain IDs."""
    diff_ids = [Digest.of(content) for content in contents]
    whole = chain_ids(diff_ids)
    assert chain_ids(diff_ids[:-1]) == whole[:-1]
    if len(set(diff_ids)) > 1:
        assert chain_ids(diff_ids[::-1])[-1] != whole[-1] or diff_ids == diff_ids[::-1]


def test_the_empty_tar_is_1024_zero_bytes() -> None:
    """R6.34."""
    assert Digest.of(bytes(1024)) == EMPTY_TAR


@pytest.mark.parametrize("text", ["", "sha256:", "sha256:" + "g" * 64, "sha256:" + "A" * 64, "sha512:" + "a" * 128])
def test_a_digest_is_validated(text: str) -> None:
    with pytest.raises(ManifestError, match="invalid digest"):
        Digest(text)


def test_short_is_twelve_digits() -> None:
    """R1.25."""
    assert Digest.of(b"").short == "e3b0c44298fc"


def test_a_manifest_keeps_its_bytes() -> None:
    """R7.1: the digest is of the bytes received, whatever their spacing."""
    config = {"mediaType": "m", "digest": Digest.of(b"c"), "size": 1}
    raw = json.dumps({"schemaVersion": 2, "config": config, "layers": []}, indent=7).encode()
    manifest = Manifest.parse(raw)
    assert manifest.digest == Digest.of(raw)
    assert manifest.media_type == OCI_MANIFEST


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{", b"{}", b'{"schemaVersion": 1}', b'{"schemaVersion": 2, "config": {}, "layers": [1]}', b"\xff"],
)
def test_rubbish_is_refused_in_one_sentence(raw: bytes) -> None:
    for parse in (Manifest.parse, Index.parse, ImageConfig.parse):
        with pytest.raises(ManifestError) as caught:
            parse(raw)
        assert "\n" not in str(caught.value)


def test_history_may_not_have_more_layers_than_there_are() -> None:
    """R7.7."""
    raw = json.dumps({"rootfs": {"diff_ids": []}, "history": [{"created_by": "x"}]}).encode()
    with pytest.raises(ManifestError, match="too many non-empty layers in History section"):
        ImageConfig.parse(raw)


def test_encode_is_gos_json() -> None:
    """R7.1: top-level keys sorted, nested order kept, no whitespace, HTML characters escaped."""
    assert encode({"b": {"z": 1, "a": "<&>"}, "a": "é"}) == '{"a":"é","b":{"z":1,"a":"\\u003c\\u0026\\u003e"}}'.encode()


@given(st.sampled_from(["linux", "windows"]), st.sampled_from(["amd64", "arm64", "arm", "386", "s390x"]))
def test_every_platform_can_run_itself_first(os: str, architecture: str) -> None:
    """R2.27."""
    host = normalize_platform(Platform(os, architecture))
    order = [normalize_platform(platform) for platform in platform_preference(host)]
    assert order[0] == host


def test_lesser_platforms_come_after() -> None:
    """R2.27: amd64 runs 386, arm64 runs arm, never the other way round."""

    def order(text: str) -> list[str]:
        return [str(normalize_platform(p)) for p in platform_preference(normalize_platform(Platform(*text.split("/"))))]

    assert order("linux/amd64") == ["linux/amd64", "linux/386"]
    assert order("linux/amd64/v3") == ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386"]
    assert order("linux/arm64") == ["linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]
    assert order("linux/arm/v6") == ["linux/arm/v6", "linux/arm/v5"]
    assert order("linux/386") == ["linux/386"]


def test_a_descriptor_survives_the_round_trip() -> None:
    """R7.14."""
    descriptor = Descriptor("m", Digest.of(b""), 0, Platform("linux", "arm", "v7"), {"k": "v"}, ("https://x/",))
    assert Descriptor.parse(descriptor.to_json()) == descriptor
