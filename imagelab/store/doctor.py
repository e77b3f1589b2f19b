"""Is everything what it says it is? Recompute it all and compare: every digest, diff ID, chain ID, size and link."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagelab.errors import ImageLabError, LayerFormatError, StoreError
from imagelab.layers.changeset import LayerIndex, LayerScanner
from imagelab.layers.tree import Kind, Node
from imagelab.layers.writable_layer import contents_of, size_of
from imagelab.oci.documents import Digest, ImageConfig, chain_ids
from imagelab.oci.reference import familiar
from imagelab.state.model import Container, Image, Layer, State
from imagelab.store.blobs import PIECE

if TYPE_CHECKING:
    from imagelab.store.store import Store


def examine(store: Store) -> list[str]:
    """One sentence for each thing that is wrong."""
    state = store.state()
    problems = [f"blob {d.short} is damaged: its bytes hash to {actual.short}" for d, actual in _damaged(store)]
    for layer in state.layers.values():
        problems += _layer(store, state, layer)
    for image in state.images.values():
        problems += _image(store, state, image)
    for container in state.containers.values():
        problems += _container(store, state, container)
    problems += store.history.damage()
    problems += [f"the timeline needs blob {digest.short}, which is not here" for digest in sorted(_lost(store, state))]
    problems += [
        f"{familiar(name)} stands for image {image_id.short}, which is not here"
        for name, image_id in state.references.items()
        if image_id not in state.images
    ]
    return problems


def _lost(store: Store, state: State) -> set[Digest]:
    """Blobs that the state after another step needs, and that are not here."""
    from imagelab.store.transaction import reached

    now = reached(state.images.values(), state.layers.values(), state.references)
    return {digest for digest in store.history.reached() - now if not store.has_blob(digest)}


def _container(store: Store, state: State, container: Container) -> Iterator[str]:
    name = f"container {container.name}"
    missing = [chain_id for chain_id in container.layers if chain_id not in state.layers]
    yield from (f"{name} needs layer {chain_id.short}, which is not here" for chain_id in missing)
    try:
        changes = store.container_changes(container.files)
    except StoreError:
        yield f"{name} has files whose bytes are damaged or gone"
        return
    if size_of(changes) != container.size:
        yield f"{name} is listed with {container.size} bytes, which is not what its files have"
    for digest in sorted(contents_of(changes)):
        try:
            data = store.read_file(Node(Kind.FILE, size=1, content=digest))
        except ImageLabError:
            yield f"{name} has a file whose bytes, {Digest.trusted(digest).short}, are not here"
            continue
        if Digest.of(data) != digest:
            yield f"{name} has a file whose bytes are damaged: they hash to {Digest.of(data).short}"


def _damaged(store: Store) -> Iterator[tuple[Digest, Digest]]:
    for digest in store.blobs.digests():
        whole = hashlib.sha256()
        with store.open_blob(digest) as file:
            while chunk := file.read(PIECE):
                whole.update(chunk)
        actual = Digest.trusted("sha256:" + whole.hexdigest())
        if actual != digest:
            yield digest, actual


def _layer(store: Store, state: State, layer: Layer) -> Iterator[str]:
    name = f"layer {layer.chain_id.short}"
    if layer.parent is not None and layer.parent not in state.layers:
        yield f"{name} stands on layer {layer.parent.short}, which is not here"
    below = [layer.parent] if layer.parent else []
    expected = Digest.of(f"{layer.parent} {layer.diff_id}".encode()) if below else layer.diff_id
    if expected != layer.chain_id:
        yield f"{name} has a chain ID that does not follow from its diff ID and what is below"
    if not store.has_blob(layer.blob):
        yield f"{name} needs blob {layer.blob.short}, which is not here"
        return
    try:
        scanned = _scan(store, layer)
    except LayerFormatError as error:
        yield f"{name}: {error}"
        return
    if (scanned.diff_id, scanned.size, scanned.blob_size) != (layer.diff_id, layer.size, layer.blob_size):
        yield f"{name} unpacks to {scanned.diff_id.short} of {scanned.size} bytes, not to {layer.diff_id.short} of {layer.size}"
    index = store.layer_index(layer.blob)
    if index is None or [tuple(row) for row in index.rows] != [_as_stored(row) for row in scanned.rows]:
        yield f"{name} has an index that does not describe its tar"


def _as_stored(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple([list(piece) for piece in field] if isinstance(field, list) else field for field in row)


def _scan(store: Store, layer: Layer) -> LayerIndex:
    scanner = LayerScanner(layer.media_type)
    with store.open_blob(layer.blob) as file:
        while chunk := file.read(PIECE):
            scanner.feed(chunk)
    return scanner.finish()


def _image(store: Store, state: State, image: Image) -> Iterator[str]:
    name = f"image {image.id.short}"
    try:
        config = ImageConfig.parse(store.read_blob(image.id))
    except ImageLabError as error:
        yield f"{name} has no usable config: {error}"
        return
    if tuple(chain_ids(config.diff_ids)) != image.layers:
        yield f"{name} lists other layers than its config"
    missing = [chain_id for chain_id in image.layers if chain_id not in state.layers]
    yield from (f"{name} needs layer {chain_id.short}, which is not here" for chain_id in missing)
    if not missing and sum(state.layers[chain_id].size for chain_id in image.layers) != image.size:
        yield f"{name} is listed with {image.size} bytes, which is not the sum of its layers"
    if not image.local and not store.has_blob(image.target):
        yield f"{name} came as {image.target.short}, which is not here"
    if image.parent is not None and image.parent not in state.images:
        yield f"{name} was made from image {image.parent.short}, which is not here"
