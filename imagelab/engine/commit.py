"""A container becomes an image: one more layer, one more line of history (R6.32-R6.38).

    changes since the init layer --layer.write--> tar --gzip--> blob          the new layer, on top of the image's
    the image's config + the container's config + one history entry --------> the new config: its digest is the image ID
    the image the container was made from ----------------------------------> the new image's parent, remembered here only

A container in which nothing changed makes no layer: its history entry says `empty_layer` (R6.34). It is a new image all
the same, because the time in its config differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagelab.dockerfile.config import with_changes
from imagelab.dockerfile.step_keys import keys_of
from imagelab.layers.changeset import blob_of
from imagelab.layers.tree import Change, Node, Put, Tree
from imagelab.oci.digest import Digest
from imagelab.oci.documents import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, Descriptor, EncodedList, chain_ids, encode
from imagelab.state.model import Container, Image, Layer
from imagelab.store.store import Store
from imagelab.units import rfc3339

DOCKER_VERSION = "28.2.2"
"""Whose format a committed config has; the same in every release, so that digests stay the same."""


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image about to be stored."""

    parent: Image | None
    config: dict[str, Any]
    """Everything but rootfs."""
    changes: tuple[Change, ...]


def with_parents(changes: Iterable[Change], tree: Tree) -> tuple[Change, ...]:
    """The changes, and every directory on the way to them, as a layer's tar has them (R6.31)."""
    changed = {change.path: change for change in changes}
    for path in list(changed):
        while "/" in path:
            path = path.rpartition("/")[0]
            changed.setdefault(path, Put(path, tree[path]))
    return tuple(changed.values())


def store_image(store: Store, new: NewImage, read: Callable[[Node], bytes], now: int) -> Image:
    """Write the layer, the config and a manifest, and then the image that names them. `now`: nanoseconds since 1970."""
    layers = [store.state().layers[chain_id] for chain_id in new.parent.layers] if new.parent else []
    with store.lease():
        if new.changes:
            layers.append(stored_layer(store, new.changes, read, layers[-1].chain_id if layers else None))
        return put_image(store, layers, new.config, new.parent.id if new.parent else None, now)


def put_image(
    store: Store, layers: Sequence[Layer], config: Mapping[str, Any], parent: Digest | None, now: int
) -> Image:
    """Write an image of layers whose blobs are here, base first. `config`: everything but rootfs."""
    data = {**config, "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}}
    raw = encode(dict(sorted(data.items())))
    image_id = store.put_blob(raw)
    blobs = [Descriptor(layer.media_type, layer.blob, layer.blob_size) for layer in layers]
    manifest = encode(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _json(Descriptor(OCI_CONFIG, image_id, len(raw))),
            "layers": [_json(b) for b in blobs],
        }
    )
    target = store.put_blob(manifest)
    image = Image(
        id=image_id,
        created=now,
        size=sum(layer.size for layer in layers),
        layers=tuple(layer.chain_id for layer in layers),
        target=target,
        content_size=len(manifest) + len(raw) + sum(layer.blob_size for layer in layers),
        parent=parent,
        labels=dict((data.get("config") or {}).get("Labels") or {}),
        platform=f"{data['os']}/{data['architecture']}" + (f"/{data['variant']}" if data.get("variant") else ""),
        local=True,
    )
    with store.transaction() as tx:
        for layer in layers:
            tx.put_layer(layer)
        tx.put_image(image, keys_of(data.get("container_config") or {}))
    return image


def _json(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def stored_layer(
    store: Store, changes: tuple[Change, ...], read: Callable[[Node], bytes], below: Digest | None
) -> Layer:
    """Write a layer's blob; what it is on top of `below`. No image has it yet: hold a lease until one does."""
    blob = blob_of(changes, read)
    with store.receive(Descriptor(OCI_LAYER_GZIP, Digest.of(blob), len(blob))) as download:
        download.write(blob[download.offset :])
        index = download.commit()
    chain_id = chain_ids([below, index.diff_id])[-1] if below else index.diff_id
    return Layer(chain_id, index.diff_id, below, index.size, index.blob, index.blob_size, index.media_type)


def child_config(
    old: Mapping[str, Any], *, config: Mapping[str, Any], made_with: Mapping[str, Any], created_by: str, now: int, is_empty: bool,
    author: str = "", message: str = "", container: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The config of an image made here on one whose config is `old` ({} for none): one more line of history (R6.35, R7.2).

    `made_with` is the container's own config, which the build cache compares; `now` nanoseconds since 1970.
    """
    created = rfc3339(now)
    entry = {"created": created, "created_by": created_by, "author": author, "comment": message}
    history = {key: value for key, value in entry.items() if value or key == "created"} | (
        {"empty_layer": True} if is_empty else {}
    )
    data: dict[str, Any] = {
        "architecture": old.get("architecture") or "amd64",
        "os": old.get("os") or "linux",
        "config": dict(config),
        "container_config": dict(made_with),
        "created": created,
        "docker_version": DOCKER_VERSION,
        "history": _encoded(old.get("history") or []).plus(history),
    }
    data |= {key: old[key] for key in ("variant", "os.version", "os.features") if old.get(key)}
    return data | ({"container": container} if container else {}) | ({"author": author} if author else {})


def _encoded(history: list[Any]) -> EncodedList:
    return history if isinstance(history, EncodedList) else EncodedList(history)


def committed(
    store: Store, container: Container, base: Image | None, changes: tuple[Change, ...], *,
    author: str, message: str, instructions: Sequence[str], now: int,
) -> NewImage:  # fmt: skip
    """The image that `docker commit` would make of a container."""
    old = store.config(container.image).data if base is not None else {}
    data = child_config(
        old, config=with_changes(dict(container.config), instructions), made_with=container.config, now=now, is_empty=not changes,
        created_by=" ".join(container.config.get("Cmd") or []), author=author, message=message, container=container.id,
    )  # fmt: skip
    return NewImage(base, data, changes)
