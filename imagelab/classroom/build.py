"""`make classroom`: the shipped bytes from `recipes` and `sources/`.

    recipe -> changes -> tar (imagelab.layer.write) -> blob -> manifest -> index.json

Trees, tars, configs and diff IDs come out the same on every machine. Compressed bytes may differ with another zlib,
so they are made once and shipped: that keeps *their* digests the same everywhere too.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from imagelab.classroom.recipes import CAST, IN_USR, ImageRecipe, LayerRecipe, TagRecipe
from imagelab.classroom.upstream import DATA
from imagelab.layers.changeset import write
from imagelab.layers.compression import gzip_bytes
from imagelab.layers.tree import Change, Kind, Node, Opaque, Put, Whiteout
from imagelab.oci.documents import (
    DOCKER_CONFIG,
    DOCKER_LAYER_GZIP,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_LAYER_ZSTD,
    OCI_MANIFEST,
    Descriptor,
    Digest,
    Platform,
    encode,
)
from imagelab.units import parse_time

SOURCES = Path(__file__).parent / "sources"
FILES_FROM = 1_476_921_600
"""2016-10-20, in seconds since 1970: the time of every file."""

WORDS = [
    "layer",
    "image",
    "tag",
    "digest",
    "blob",
    "manifest",
    "index",
    "config",
    "store",
    "chain",
    "whiteout",
    "opaque",
    "upper",
    "lower",
    "commit",
    "diff",
]


# -- one layer ----------------------------------------------------------------------------------------------


def tar_of(recipe: LayerRecipe) -> bytes:
    """The uncompressed layer: its bytes are the same everywhere."""
    contents = _contents(recipe)
    return b"".join(write(_changes(recipe, contents, FILES_FROM), lambda node: contents[node.target]))


def _contents(recipe: LayerRecipe) -> dict[str, bytes]:
    """Every file of the layer and its bytes, filled up to the size wanted."""
    files = {path: text.encode() for path, text in recipe.files.items()}
    folder = SOURCES / recipe.source
    if recipe.source:
        files |= {f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}
    for name in recipe.programs:
        files[f"usr/bin/{name}" if name in IN_USR else f"bin/{name}"] = f"#!imagelab {name}\n".encode()
    missing = (recipe.size or 0) - sum(map(len, files.values()))
    if recipe.size is not None and missing < 0:
        raise SystemExit(f"{recipe.created_by[:60]}: the files alone are {-missing} bytes more than {recipe.size}")
    return files | dict(_filler(recipe, missing)) if missing > 0 else files


def _filler(recipe: LayerRecipe, missing: int) -> Iterator[tuple[str, bytes]]:
    """`missing` bytes in the layer's filler files, the first ones the largest."""
    shares = [1 / (index + 1) for index in range(len(recipe.filler))]
    left = missing
    for path, share in zip(recipe.filler, shares, strict=True):
        size = left if path == recipe.filler[-1] else min(left, int(missing * share / sum(shares)))
        left -= size
        yield path, pseudo_bytes(f"{recipe.created_by} {path}", size)


def pseudo_bytes(seed: str, size: int) -> bytes:
    """Stable bytes that compress about as well as programs do: a quarter noise, the rest words."""
    out, counter = bytearray(), 0
    while len(out) < size:
        noise = hashlib.sha256(f"{seed} {counter}".encode()).digest()
        words = " ".join(WORDS[(noise[0] + step) % len(WORDS)] for step in range(10))
        out += noise[:29] + words.encode() + b"\n"
        counter += 1
    return bytes(out[:size])


def _changes(recipe: LayerRecipe, contents: dict[str, bytes], moment: int) -> list[Change]:
    folders = set(recipe.folders) | {above for path in [*contents, *recipe.links] for above in _above(path)}
    folders |= {above for path in folders for above in _above(path)}
    changes: list[Change] = [*map(Whiteout, recipe.gone), *map(Opaque, recipe.opaque)]
    for path in sorted(folders):
        changes.append(Put(path, Node(Kind.DIRECTORY, recipe.modes.get(path, 0o755), mtime=moment)))
    for path, target in recipe.links.items():
        changes.append(Put(path, Node(Kind.SYMLINK, 0o777, mtime=moment, target=target)))
    for path, data in contents.items():
        mode = recipe.modes.get(path, 0o755 if data.startswith(b"#!imagelab") else 0o644)
        # `target` of a file is not written; it tells `tar_of` whose bytes these are
        changes.append(Put(path, Node(Kind.FILE, mode, size=len(data), mtime=moment, target=path)))
    return changes


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


# -- one image ----------------------------------------------------------------------------------------------


def config_of(recipe: ImageRecipe, diff_ids: Iterable[str]) -> bytes:
    """The config's bytes: the image ID is their digest."""
    operating_system, architecture, *variant = recipe.platform.split("/")
    history = []
    for index, step in enumerate(recipe.layers):
        entry: dict[str, object] = {"created": _moment(recipe, index), "created_by": step.created_by}
        entry |= {"comment": step.comment} if step.comment else {}
        history.append(entry | ({"empty_layer": True} if step.empty else {}))
    data: dict[str, object] = {
        "architecture": architecture,
        "os": operating_system,
        "created": recipe.created,
        "docker_version": "1.12.3",
        "config": {key: value for key, value in recipe.config.items() if value is not None},
        "history": history,
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
    }
    data |= {"variant": variant[0]} if variant else {}
    return encode(data | ({"author": recipe.author} if recipe.author else {}))


def _moment(recipe: ImageRecipe, index: int) -> str:
    """Each step some seconds before the next; a base keeps the time of its own last step in every image it is in."""
    from imagelab.units import SECOND, rfc3339

    if index < 2 and recipe.layers[0].created_by.startswith("/bin/sh -c #(nop) ADD") and len(recipe.layers) > 4:
        base = int(hashlib.sha256(recipe.layers[0].created_by.encode()).hexdigest()[:8], 16)
        return rfc3339(parse_time("2016-10-27T00:00:00Z") - base % 86_400 * SECOND + index * 7 * SECOND)
    return rfc3339(parse_time(recipe.created) - (len(recipe.layers) - 1 - index) * 11 * SECOND)


class Book:
    """What will be shipped: blobs by digest, manifests with their media types, repositories."""

    def __init__(self) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.manifests: dict[Digest, str] = {}
        self.repositories: dict[str, dict[str, list[list[Digest]]]] = {}
        self._layers: dict[bytes, Descriptor] = {}

    def add(self, tag: TagRecipe) -> None:
        builds = [self._build(images, attested=tag.attested) for images in tag.builds]
        for name in tag.tags:
            self.repositories.setdefault(tag.repository, {})[name] = builds

    def _build(self, images: tuple[ImageRecipe, ...], *, attested: bool) -> list[Digest]:
        entries = [self._manifest(image) for image in images]
        if len(entries) == 1:
            return [entries[0].digest]
        listed = entries + ([self._attestation(entries[0])] if attested else [])
        raw = _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry.to_json() for entry in listed]})
        return [self._named(raw, OCI_INDEX), *(entry.digest for entry in listed)]

    def _manifest(self, recipe: ImageRecipe) -> Descriptor:
        steps = [step for step in recipe.layers if not step.empty]
        tars = [tar_of(step) for step in steps]
        layers = [self._layer(step, tar, recipe) for step, tar in zip(steps, tars, strict=True)]
        config = config_of(recipe, [Digest.of(tar) for tar in tars])
        kinds = (DOCKER_MANIFEST, DOCKER_CONFIG) if recipe.docker_types else (OCI_MANIFEST, OCI_CONFIG)
        raw = _json(
            {
                "schemaVersion": 2,
                "mediaType": kinds[0],
                "config": Descriptor(kinds[1], self._blob(config), len(config)).to_json(),
                "layers": [layer.to_json() for layer in layers],
            }
        )
        return Descriptor(kinds[0], self._named(raw, kinds[0]), len(raw), Platform(*recipe.platform.split("/")))

    def _layer(self, step: LayerRecipe, tar: bytes, recipe: ImageRecipe) -> Descriptor:
        kind = (
            OCI_LAYER_ZSTD
            if step.compression == "zstd"
            else DOCKER_LAYER_GZIP
            if recipe.docker_types
            else OCI_LAYER_GZIP
        )
        blob = _zstd(tar) if step.compression == "zstd" else b"".join(gzip_bytes([tar]))
        return Descriptor(kind, self._blob(blob), len(blob))

    def _attestation(self, subject: Descriptor) -> Descriptor:
        """What a build system says of how it built: an extra manifest that is no image (R7.13)."""
        statement = _json(
            {
                "_type": "https://in-toto.io/Statement/v0.1",
                "predicateType": "https://slsa.dev/provenance/v0.2",
                "predicate": {"builder": {"id": "make classroom"}},
            }
        )
        config = _json(
            {
                "architecture": "unknown",
                "os": "unknown",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [Digest.of(statement)]},
            }
        )
        layer = Descriptor(
            "application/vnd.in-toto+json",
            self._blob(statement),
            len(statement),
            annotations={"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"},
        )
        raw = _json(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": Descriptor(OCI_CONFIG, self._blob(config), len(config)).to_json(),
                "layers": [layer.to_json()],
            }
        )
        notes = {
            "vnd.docker.reference.digest": str(subject.digest),
            "vnd.docker.reference.type": "attestation-manifest",
        }
        return Descriptor(OCI_MANIFEST, self._named(raw, OCI_MANIFEST), len(raw), Platform("unknown", "unknown"), notes)

    def _named(self, raw: bytes, media_type: str) -> Digest:
        digest = self._blob(raw)
        self.manifests[digest] = media_type
        return digest

    def _blob(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        self.blobs[digest] = data
        return digest


def book() -> Book:
    """The whole cast, built now."""
    cast = Book()
    for tag in CAST:
        cast.add(tag)
    return cast


def _json(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()


def _zstd(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return bytes(zstd.compress(data, 19))
    import zstandard

    return bytes(zstandard.ZstdCompressor(level=19).compress(data))


def main() -> None:
    cast = book()
    shutil.rmtree(DATA, ignore_errors=True)
    (DATA / "blobs").mkdir(parents=True)
    for digest, data in cast.blobs.items():
        (DATA / "blobs" / digest.hex).write_bytes(data)
    index = {"manifests": cast.manifests, "repositories": cast.repositories}
    (DATA / "index.json").write_text(json.dumps(index, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(cast.blobs)} blobs, {sum(map(len, cast.blobs.values())) / 1000:.0f} kB, in {DATA}")


if __name__ == "__main__":
    main()
