"""What an image is made of: four kinds of JSON, and names that are the hash of what they name.

Key, used throughout imagelab:

    digest      the name of exact bytes: `sha256:` + 64 hex digits
    descriptor  a verified pointer: media type + digest + size
    index       one descriptor per platform            -> manifests
    manifest    one image for one platform             -> config, layers (base first)
    config      what to run, and which trees to stack  -> `rootfs.diff_ids`, `history`

    diff ID     digest of a layer's *uncompressed* tar       (stable, however it is compressed)
    layer digest digest of the blob as stored or sent        (changes when recompressed)
    image ID    digest of the config                         (what `docker images` prints)
    chain ID    identity of layers 1..n *applied in order*   (what a stored tree is keyed by)

The bytes are the truth. Every value here that came from JSON keeps the raw bytes it was read from, and its digest
is always the digest of those bytes: JSON is never re-serialised to learn a digest (R7.1).

>>> a, b = Digest.of(b"a"), Digest.of(b"b")
>>> chain_ids([a, b])[1][:15]
'sha256:51c0c8ac'
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagelab.errors import ImageLabError, ManifestError
from imagelab.oci.digest import Digest as Digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"

INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_INDEX})
MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
CONFIG_TYPES = frozenset({OCI_CONFIG, DOCKER_CONFIG})

EMPTY_TAR = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
"""Digest of 1024 zero bytes: the tar of no change at all. A layer that would have this diff ID is left out (R6.34)."""


def chain_ids(diff_ids: Iterable[str]) -> list[Digest]:
    """The chain ID of every prefix of the stack, base first (R7.4).

    The first is the diff ID itself; each next one hashes `"<chain below> <diff ID>"`. So the same layer on another
    stack has another chain ID: a chain ID names a *tree*, a diff ID names a *change*.

    >>> base, other, change = Digest.of(b"debian"), Digest.of(b"alpine"), Digest.of(b"nginx")
    >>> chain_ids([base, change])[0] == base
    True
    >>> chain_ids([base, change])[1] == chain_ids([other, change])[1]
    False
    """
    chain: list[Digest] = []
    for diff_id in diff_ids:
        chain.append(Digest.of(f"{chain[-1]} {diff_id}".encode()) if chain else Digest(diff_id))
    return chain


@dataclass(frozen=True, slots=True)
class Platform:
    """`os/architecture[/variant]`: `linux/amd64`, `linux/arm64/v8`."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """`linux/arm64/v8`, or only an architecture or a system; anything else is refused in containerd's words."""
        parts = text.split("/")
        if len(parts) == 1 and re.fullmatch(r"[A-Za-z0-9_-]+", text):
            known = text.lower() in {"linux", "windows", "freebsd", "darwin"}
            parts = [text, "amd64"] if known else ["linux", text]
        if not 2 <= len(parts) <= 3 or not all(re.fullmatch(r"[A-Za-z0-9_.-]+", part) for part in parts):
            raise ImageLabError(
                f'"{text}": unknown operating system or architecture: invalid argument',
                hint="a platform is os/architecture or os/architecture/variant, for example linux/arm64/v8",
            )
        return cls(*parts)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer that can be checked: what kind of bytes, which bytes, how many."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Any) -> Descriptor:
        """From decoded JSON; raises ManifestError when a field is missing or of the wrong type."""
        match data:
            case {"mediaType": str(media_type), "digest": str(digest), "size": int(size)} if (
                size >= 0 and _is("object of words", data.get("annotations")) and _is("list of words", data.get("urls"))
            ):
                return cls(
                    media_type,
                    Digest(digest),
                    size,
                    _platform(data.get("platform")),
                    data.get("annotations") or {},
                    tuple(data.get("urls") or ()),
                )
        raise ManifestError(f"not a descriptor (mediaType, digest and size are required): {json.dumps(data)[:200]}")

    def to_json(self) -> dict[str, Any]:
        """The JSON object, keys in the order the specification lists them."""
        out: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.urls:
            out["urls"] = list(self.urls)
        if self.annotations:
            out["annotations"] = dict(self.annotations)
        if self.platform:
            p = {"architecture": self.platform.architecture, "os": self.platform.os, "variant": self.platform.variant}
            out["platform"] = {k: v for k, v in p.items() if v}
        return out


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image for one platform: its config and its layers, base first."""

    raw: bytes = field(repr=False)
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]

    @classmethod
    def parse(cls, raw: bytes, media_type: str = OCI_MANIFEST) -> Manifest:
        data = decode(raw, "manifest")
        if data.get("schemaVersion") != 2 or "config" not in data or not isinstance(data.get("layers"), list):
            raise ManifestError("not an image manifest: schemaVersion 2, config and layers are required")
        layers = tuple(Descriptor.parse(layer) for layer in data["layers"])
        return cls(raw, data.get("mediaType") or media_type, Descriptor.parse(data["config"]), layers)

    @property
    def digest(self) -> Digest:
        return Digest.of(self.raw)


@dataclass(frozen=True, slots=True)
class Index:
    """Manifests for several platforms under one name."""

    raw: bytes = field(repr=False)
    media_type: str
    manifests: tuple[Descriptor, ...]

    @classmethod
    def parse(cls, raw: bytes, media_type: str = OCI_INDEX) -> Index:
        data = decode(raw, "index")
        if data.get("schemaVersion") != 2 or not isinstance(data.get("manifests"), list):
            raise ManifestError("not an image index: schemaVersion 2 and manifests are required")
        entries = tuple(Descriptor.parse(entry) for entry in data["manifests"])
        return cls(raw, data.get("mediaType") or media_type, entries)

    @property
    def digest(self) -> Digest:
        return Digest.of(self.raw)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One instruction that made the image. An `empty_layer` one changed only the config."""

    created: str = ""
    created_by: str = ""
    comment: str = ""
    author: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What to run and which layers to stack; its digest is the image ID."""

    raw: bytes = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)
    diff_ids: tuple[Digest, ...]
    history: tuple[HistoryEntry, ...]

    @classmethod
    def parse(cls, raw: bytes) -> ImageConfig:
        data = decode(raw, "image config")
        _check_types(data)
        rootfs = data.get("rootfs")
        if not isinstance(rootfs, dict) or not isinstance(rootfs.get("diff_ids"), list):
            raise ManifestError("not an image config: rootfs.diff_ids is required")
        diff_ids = tuple(Digest(str(diff_id)) for diff_id in rootfs["diff_ids"])
        history = tuple(_history_entry(entry) for entry in data.get("history") or ())
        if history and sum(not entry.empty_layer for entry in history) > len(diff_ids):
            raise ManifestError("too many non-empty layers in History section")  # R7.7
        return cls(raw, data, diff_ids, history)

    @property
    def id(self) -> Digest:
        return Digest.of(self.raw)

    @property
    def created(self) -> str:
        """RFC 3339 text, as written; "" when absent."""
        return str(self.data.get("created") or "")

    @property
    def platform(self) -> Platform:
        get = self.data.get
        return Platform(str(get("os") or "linux"), str(get("architecture") or ""), str(get("variant") or ""))

    @property
    def labels(self) -> Mapping[str, str]:
        return (self.data.get("config") or {}).get("Labels") or {}


def decode(raw: bytes, document: str) -> dict[str, Any]:
    """JSON text to a dict; ManifestError names what was expected and where the text breaks."""
    try:
        data = parsed(raw)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"the {document} is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ManifestError(f"the {document} is not a JSON object")
    return data


def parsed(raw: bytes) -> object:
    """JSON text to a value. ValueError, also for half a character (`\\ud800` alone), which no file or database takes."""
    data = json.loads(raw)
    if b"\\ud" in raw or b"\\uD" in raw:
        json.dumps(data, ensure_ascii=False).encode()
    return data


class EncodedList(list[Any]):
    """A list that keeps its JSON text: one with an item more encodes only that item.

    >>> EncodedList([1]).plus({"a": "<"}).text
    '[1,{"a":"\\\\u003c"}]'
    """

    def __init__(self, items: Iterable[Any], text: str = "") -> None:
        super().__init__(items)
        self.text = text or _text(list(self))

    def plus(self, item: Any) -> EncodedList:
        """Another list, longer by one."""
        comma = "," if self else ""
        return EncodedList([*self, item], f"{self.text[:-1]}{comma}{_text(item)}]")


def encode(data: Mapping[str, Any]) -> bytes:
    r"""JSON as Docker writes it: no whitespace, top-level keys sorted, `<`, `>`, `&` escaped (R7.1).

    >>> print(encode({"os": "linux", "author": "A <a@b>"}).decode())
    {"author":"A \u003ca@b\u003e","os":"linux"}
    """
    fields = (f"{_text(key)}:{_text(data[key])}" for key in sorted(data))
    return f"{{{','.join(fields)}}}".encode()


def _text(value: object) -> str:
    if isinstance(value, EncodedList):
        return value.text
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _platform(data: Any) -> Platform | None:
    if not isinstance(data, dict):
        return None
    get = data.get
    return Platform(str(get("os") or ""), str(get("architecture") or ""), str(get("variant") or ""))


_WORDS = "architecture os variant created author comment docker_version".split()
_TYPES = {
    **dict.fromkeys(["Labels"], "object of words"), **dict.fromkeys(["Env", "Cmd", "Entrypoint", "OnBuild", "Shell"], "list of words"),
    **dict.fromkeys(["ExposedPorts", "Volumes", "Healthcheck"], "object"), **dict.fromkeys(["User", "WorkingDir", "StopSignal", "Hostname", "Image"], "word"),
}  # fmt: skip
"""What the fields of a container's config are; those that imagelab does not read may be anything."""


def _is(kind: str, value: Any) -> bool:
    if value is None:
        return True
    match kind:
        case "word":
            return isinstance(value, str)
        case "list of words":  # Docker takes one word for a list of one
            return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
        case "object of words":
            return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        case "list":
            return isinstance(value, list)
    return isinstance(value, dict)


def _check_types(data: Mapping[str, Any]) -> None:
    """ManifestError for a field of the wrong type: Docker would not read such a config either."""
    kinds = {**dict.fromkeys(_WORDS, "word"), "config": "object", "container_config": "object", "history": "list"}
    fields = [("", key, kind, data.get(key)) for key, kind in kinds.items()]
    for part in ("config", "container_config"):
        inner = data.get(part)
        if isinstance(inner, dict):
            fields += [(f"{part}.", key, kind, inner.get(key)) for key, kind in _TYPES.items()]
    for where, key, kind, value in fields:
        if not _is(kind, value):
            raise ManifestError(f"not an image config: {where}{key} is no {kind}")


def _history_entry(entry: Any) -> HistoryEntry:
    if not isinstance(entry, dict):
        raise ManifestError("an entry of history is not an object")
    text = {key: str(entry.get(key) or "") for key in ("created", "created_by", "comment", "author")}
    return HistoryEntry(**text, empty_layer=bool(entry.get("empty_layer")))


def platform_preference(host: Platform) -> Sequence[Platform]:
    """Platforms that `host` can run, best first (R2.27): its own, then the lesser compatible ones.

    >>> [str(platform) for platform in platform_preference(Platform("linux", "amd64"))]
    ['linux/amd64', 'linux/386']
    >>> [str(platform) for platform in platform_preference(Platform("linux", "arm", "v6"))]
    ['linux/arm/v6', 'linux/arm/v5']
    """

    def variants(arch: str, names: Sequence[str]) -> list[Platform]:
        return [Platform(host.os, arch, name) for name in names]

    match host.architecture:
        case "amd64":
            levels = ["v4", "v3", "v2", "v1"]
            own = levels[levels.index(host.variant or "v1") :] if (host.variant or "v1") in levels else ["v1"]
            return [*variants("amd64", [*own[:-1], ""]), Platform(host.os, "386")]
        case "arm64":
            own = ["v9", ""] if host.variant == "v9" else [""]
            return [*variants("arm64", own), *variants("arm", ["v8", "v7", "v6", "v5"])]
        case "arm":
            levels = ["v8", "v7", "v6", "v5"]
            start = levels.index(host.variant) if host.variant in levels else 1
            return variants("arm", levels[start:])
    return [host]


def normalize_platform(platform: Platform) -> Platform:
    """One spelling for each platform: `x86_64` is `amd64`, `aarch64` and `arm64/v8` are `arm64`, `arm` is `arm/v7`."""
    arch = {
        "x86_64": "amd64",
        "x86-64": "amd64",
        "aarch64": "arm64",
        "i386": "386",
        "i686": "386",
        "armhf": "arm",
        "armel": "arm",
    }.get(platform.architecture.lower(), platform.architecture.lower())
    variant = platform.variant.lower()
    if platform.architecture == "armel":
        variant = "v6"
    if (arch, variant) in {("amd64", "v1"), ("arm64", "v8"), ("arm64", "8")}:
        variant = ""
    if arch == "arm":
        variant = f"v{variant.removeprefix('v') or '7'}"
    return Platform(platform.os.lower(), arch, variant)
