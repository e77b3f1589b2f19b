"""Reading one file of a layer. A gzip stream cannot be entered in the middle, so the layer is inflated once, into
`cache/`, and from then on every file is one seek away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from imagelab.errors import StoreError
from imagelab.layers.compression import Inflater
from imagelab.layers.tar_scanner import TarRow
from imagelab.oci.documents import Digest
from imagelab.store.blobs import PIECE
from imagelab.store.os_errors import translate_os_errors

if TYPE_CHECKING:
    from imagelab.store.store import Store


def read(store: Store, diff_id: Digest, offset: int, size: int, *, limit: int) -> bytes:
    """`size` bytes at `offset` of a layer's tar. The cache is kept under `limit` bytes, oldest out first."""
    with translate_os_errors():
        tar = store.directory / "cache" / f"{diff_id.hex}.tar"
        if not tar.exists():
            _inflate(store, diff_id, tar)
            _evict(tar, limit)
        row = store.sparse_files(diff_id).get(offset)
        with tar.open("rb") as file:
            file.seek(offset)
            data = file.read(size) if row is None else _unsparse(file.read(_stored(row)), row)
    if len(data) != size:
        raise StoreError(
            f"the cache of layer {diff_id.short} is damaged", hint=f"delete {tar.parent}; it is made again"
        )
    return data


def _inflate(store: Store, diff_id: Digest, tar: Path) -> None:
    tar.parent.mkdir(exist_ok=True)
    temporary = tar.with_suffix(f".{os.getpid()}")
    inflater = Inflater()
    with store.open_blob(store.index_of(diff_id).blob) as blob, temporary.open("wb") as out:
        while chunk := blob.read(PIECE):
            for piece in inflater.feed(chunk):
                out.write(piece)
        for piece in inflater.finish():
            out.write(piece)
    os.replace(temporary, tar)


def _evict(newest: Path, limit: int) -> None:
    files = sorted(newest.parent.glob("*.tar"), key=lambda file: file.stat().st_mtime)
    total = sum(file.stat().st_size for file in files)
    for file in files:
        if total <= limit or file == newest:
            return
        total -= file.stat().st_size
        file.unlink(missing_ok=True)


def _stored(row: TarRow) -> int:
    return sum(length for _, length in row.sparse or ())


def _unsparse(stored: bytes, row: TarRow) -> bytes:
    """The pieces of a sparse file put where they belong, zeros between them."""
    whole, position = bytearray(row.size), 0
    for offset, length in row.sparse or ():
        whole[offset : offset + length] = stored[position : position + length]
        position += length
    return bytes(whole)
