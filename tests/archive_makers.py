"""Archives made by hand, good and bad: a small tar of named bytes, and an image in it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping

from imagelab.oci.documents import Digest


def tar(files: Mapping[str, bytes | str]) -> bytes:
    """A tar of these files; a `str` is where a symbolic link of that name leads."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
                archive.addfile(info)
            else:
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def unpacked(archive: bytes) -> dict[str, bytes | str]:
    """The files and links of a tar, for a test to change one and pack them again."""
    found: dict[str, bytes | str] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened:
            if member.issym():
                found[member.name] = member.linkname
            elif member.isfile():
                found[member.name] = opened.extractfile(member).read()  # type: ignore[union-attr]
    return found


LAYER = tar({"hello": b"hello\n"})


def config(*layers: bytes, **more: object) -> bytes:
    """The config of an image of these layers (plain tars)."""
    data = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [Digest.of(one) for one in layers]},
    }
    return json.dumps(data | more, sort_keys=True).encode()


def docker_files(
    *tags: str, layer: bytes = LAYER, raw: bytes | None = None, layer_name: str = "layer.tar"
) -> dict[str, bytes | str]:
    """The files of a small archive as Docker writes it: one image, one layer."""
    manifest = [{"Config": "config.json", "RepoTags": list(tags) or None, "Layers": [layer_name]}]
    return {layer_name: layer, "config.json": raw or config(layer), "manifest.json": json.dumps(manifest).encode()}


def layout_files(
    *, layer: bytes = LAYER, name: str = "", more: Mapping[str, object] | None = None
) -> dict[str, bytes | str]:
    """The files of a plain OCI layout: one image, one layer."""
    files: dict[str, bytes | str] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def put(data: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        files[f"blobs/sha256/{digest}"] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    kind = "application/vnd.oci.image."
    manifest = {
        "schemaVersion": 2, "mediaType": kind + "manifest.v1+json", "config": put(config(layer), kind + "config.v1+json"),
        "layers": [put(layer, kind + "layer.v1.tar") | dict(more or {})],
    }  # fmt: skip
    entry = put(json.dumps(manifest).encode(), kind + "manifest.v1+json")
    named = {"annotations": {"org.opencontainers.image.ref.name": name}} if name else {}
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [entry | named]}).encode()
    return files
