"""The hash chain: change one thing in an image, and see which names change with it.

    tag  nginx:latest                                     a name; in no hash
     |
    index --has--> manifest --has--> config --has--> diff IDs        each hash is of bytes that hold the ones below
                       |                                |
                       `--has--> blob  = gzip of --> the layer's tar --has--> the file

So what happens below is known above, and never the reverse:

                   file   diff ID   chain ID   blob   image ID   manifest   tag
    one bit        new    new       new        new    new        new        moved
    its time       same   new       new        new    new        new        moved
    compression    same   same      same       new    same       new        moved
    config         same   same      same       same   new        new        moved
    the tag        same   same      same       same   same       same       new

Nothing here is looked up in that table. The bytes are really changed and really hashed: a bit in the file's place in the tar,
a digit of the time in its header, a digest in the JSON. A test holds that the table is what comes out.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imagelab.errors import UsageError
from imagelab.layers.changeset import LayerIndex
from imagelab.layers.compression import Inflater
from imagelab.layers.tar_scanner import BLOCK, TarRow
from imagelab.oci.digest import Digest
from imagelab.oci.documents import ImageConfig, chain_ids, decode, encode
from imagelab.view.messages import say
from imagelab.view.panel import Panel

CASES = ("none", "byte", "mtime", "gzip", "config", "tag")
STAGES = ("file", "tar", "chain", "blob", "config", "manifest", "index", "tag")


@dataclass(frozen=True, slots=True)
class ImageBytes:
    """The bytes an image is made of, from one file up to its tag. `index` is empty when the tag points to a manifest."""

    tag: str
    """In familiar form."""
    layer: int
    """Which layer holds the file; the lowest is 1."""
    row: TarRow
    """The file, as the layer's tar has it."""
    tar: bytes
    blob: bytes
    config: bytes
    manifest: bytes
    index: bytes = b""


@dataclass(frozen=True, slots=True)
class HashStage:
    """One name: before and after."""

    key: str
    before: str
    after: str

    @property
    def state(self) -> str:
        """same, new, or (a tag that now points elsewhere) moved."""
        if self.before == self.after:
            return "same"
        return "moved" if self.key == "tag" and self.before.partition(" ")[0] == self.after.partition(" ")[0] else "new"


@dataclass(frozen=True, slots=True)
class HashCase:
    """One thing changed, and all names from the file up to the tag."""

    key: str
    stages: tuple[HashStage, ...]


@dataclass(frozen=True, slots=True, repr=False)
class HashChain(Panel):
    """All cases, for one file of one image."""

    kind = "avalanche"

    name: str
    path: str
    layer: int
    cases: tuple[HashCase, ...]
    lang: str = "en"

    def case(self, key: str) -> Mapping[str, str]:
        """What becomes of each name: `avalanche.case("mtime")["tar"]` is "new"."""
        if key not in CASES:
            raise UsageError(f"there is no case {key!r}", hint=f"one of {', '.join(CASES)}")
        return {stage.key: stage.state for case in self.cases if case.key == key for stage in case.stages}

    @property
    def title(self) -> str:
        return say("hash_chain.title", self.lang, path=self.path, name=self.name)

    def lines(self) -> Iterator[str]:
        from imagelab.view.hash_chain.printers import lines

        return lines(self)

    def body(self) -> str:
        from imagelab.view.hash_chain.printers import body

        return body(self)


def hash_chain(image: ImageBytes, lang: str = "en") -> HashChain:
    """Every case, computed on the bytes."""
    before = _names(image)
    cases = []
    for key in CASES:
        after = _names(_CHANGES[key](image))
        stages = (HashStage(stage, before[stage], after[stage]) for stage in STAGES if stage in before)
        cases.append(HashCase(key, tuple(stages)))
    return HashChain(image.tag, image.row.path, image.layer, tuple(cases), lang)


def chosen(indexes: Sequence[LayerIndex], path: str = "") -> tuple[int, TarRow]:
    """The number of the uppermost layer that holds a file, and the file; without `path` the first that has bytes."""
    wanted = path.strip("/")
    for number in range(len(indexes), 0, -1):
        for row in indexes[number - 1].rows:
            if row.kind == "file" and row.size and not row.sparse and (row.path == wanted or not wanted):
                return number, row
    raise UsageError(
        f"no layer holds a file /{wanted} with bytes in it" if wanted else "no layer holds a file with bytes in it",
        hint="imagelab explore IMAGE lists what each layer holds",
    )


def inflated(blob: bytes) -> bytes:
    """A layer's tar."""
    inflater = Inflater()
    return b"".join([*inflater.feed(blob), *inflater.finish()])


# -- names --------------------------------------------------------------------------------------------------


def _names(image: ImageBytes) -> dict[str, str]:
    """Every name of an image, computed from its bytes."""
    diff_ids = ImageConfig.parse(image.config).diff_ids[: image.layer]
    index = {"index": Digest.of(image.index)} if image.index else {}
    return {
        "file": Digest.of(_file(image)),
        "tar": Digest.of(image.tar),
        "chain": chain_ids(diff_ids)[-1],
        "blob": Digest.of(image.blob),
        "config": Digest.of(image.config),
        "manifest": Digest.of(image.manifest),
        **index,
        "tag": f"{image.tag} → {Digest.of(image.index or image.manifest).short}",
    }


def _file(image: ImageBytes) -> bytes:
    return image.tar[image.row.offset : image.row.offset + image.row.size]


# -- changes ------------------------------------------------------------------------------------------------


def _flipped(image: ImageBytes) -> ImageBytes:
    """The lowest bit of the file's first byte is the other one."""
    tar = bytearray(image.tar)
    tar[image.row.offset] ^= 1
    return _packed(image, bytes(tar))


def _later(image: ImageBytes) -> ImageBytes:
    """The file's time is a second later: twelve digits in its header, and the header's sum."""
    start = image.row.offset - BLOCK
    header = bytearray(image.tar[start : image.row.offset])
    header[136:148] = b"%011o\0" % ((image.row.mtime + 1) % 8**11)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return _packed(image, image.tar[:start] + bytes(header) + image.tar[image.row.offset :])


def _packed(image: ImageBytes, tar: bytes) -> ImageBytes:
    """An image whose layer has another tar: the diff ID in the config is its hash."""
    config = image.config.replace(Digest.of(image.tar).encode(), Digest.of(tar).encode())
    return _published(replace(image, tar=tar), blob=stored(tar), config=config)


def _repacked(image: ImageBytes) -> ImageBytes:
    return _published(image, blob=stored(image.tar), config=image.config)


def _noted(image: ImageBytes) -> ImageBytes:
    """One more label."""
    data = decode(image.config, "image config")
    config = dict(data.get("config") or {})
    labels = {**(config.get("Labels") or {}), "note": "one line more"}
    return _published(image, blob=image.blob, config=encode({**data, "config": {**config, "Labels": labels}}))


def _published(image: ImageBytes, *, blob: bytes, config: bytes) -> ImageBytes:
    """The manifest, and the index, over another blob or config: what they say of digests and sizes is true."""
    manifest = _pointing(image.manifest, {Digest.of(image.config): config, Digest.of(image.blob): blob})
    index = _pointing(image.index, {Digest.of(image.manifest): manifest}) if image.index else b""
    return replace(image, blob=blob, config=config, manifest=manifest, index=index)


def _pointing(raw: bytes, new: Mapping[Digest, bytes]) -> bytes:
    """JSON whose descriptors point to new bytes instead of the old. Where nothing is new, the very same bytes."""
    if all(Digest.of(data) == old for old, data in new.items()):
        return raw

    def moved(value: Any) -> Any:
        if isinstance(value, list):
            return [moved(item) for item in value]
        if not isinstance(value, dict):
            return value
        data = new.get(value.get("digest", ""))
        fresh = {} if data is None else {"digest": Digest.of(data), "size": len(data)}
        return {key: moved(item) for key, item in (value | fresh).items()}

    return json.dumps(moved(json.loads(raw)), separators=(",", ":"), ensure_ascii=False).encode()


def stored(tar: bytes) -> bytes:
    """A gzip that compresses nothing: the same bytes whatever compressor a machine has (RFC 1951, 3.2.4)."""
    most = 0xFFFF
    pieces = [tar[offset : offset + most] for offset in range(0, len(tar), most)] or [b""]
    blocks = (
        struct.pack("<BHH", number == len(pieces), len(piece), most ^ len(piece)) + piece
        for number, piece in enumerate(pieces, 1)
    )
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return head + b"".join(blocks) + struct.pack("<II", zlib.crc32(tar), len(tar) & 0xFFFFFFFF)


_CHANGES: Mapping[str, Callable[[ImageBytes], ImageBytes]] = {
    "none": lambda image: image,
    "byte": _flipped,
    "mtime": _later,
    "gzip": _repacked,
    "config": _noted,
    "tag": lambda image: replace(image, tag=f"{image.tag.rpartition(':')[0] or image.tag}:mine"),
}
