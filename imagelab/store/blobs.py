"""Blobs on disk: `blobs/sha256/<hex>`, each named by what it hashes to.

A blob is written to a temporary file, hashed on the way, flushed to the disk and renamed: a process that sees the name sees
all the bytes. Writing a blob that is there already changes nothing. A download that breaks off leaves its bytes in
`partial/`, and the next one goes on from there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import IO, BinaryIO

from imagelab.errors import BlobNotFoundError, DigestMismatchError, LayerFormatError, StoreError
from imagelab.layers.changeset import LayerIndex, LayerScanner
from imagelab.oci.documents import Descriptor, Digest
from imagelab.store.locks import locked
from imagelab.store.os_errors import translate_os_errors
from imagelab.store.stage import ThreadStage

PIECE = 256 * 1024
LARGE = 1 << 20
"""Bytes of a layer that are worth a thread."""


class Blobs:
    """The two folders `blobs/sha256` and `partial` of one lab."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory / "blobs" / "sha256"
        self.partial = directory / "partial"

    def make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.partial.mkdir(exist_ok=True)

    def file(self, digest: Digest) -> Path:
        return self.folder / digest.hex

    def has(self, digest: Digest) -> bool:
        return self.file(digest).is_file()

    def open(self, digest: Digest) -> BinaryIO:
        """The bytes, unverified; BlobNotFoundError when they are not here."""
        try:
            return self.file(digest).open("rb")
        except FileNotFoundError:
            raise BlobNotFoundError(f"blob {digest} is not in this lab", hint="pull the image again") from None

    def read(self, digest: Digest) -> bytes:
        """The bytes, verified: StoreError when the disk has changed them."""
        with self.open(digest) as file:
            data = file.read()
        if Digest.of(data) != digest:
            raise StoreError(
                f"blob {digest.short} is damaged: its bytes hash to {Digest.of(data).short}",
                hint="imagelab doctor lists all damage; remove the image and pull it again",
            )
        return data

    def put(self, data: bytes, expected: Digest | None = None) -> Digest:
        """Store bytes under their digest; DigestMismatchError, and nothing kept, when it is not `expected`."""
        digest = Digest.of(data)
        if expected is not None and digest != expected:
            raise DigestMismatchError(f"verification failed for digest {expected}: the bytes received are {digest}")
        if not self.has(digest):
            with translate_os_errors():
                temporary = self.partial / f"put-{digest.hex}-{os.getpid()}"
                with temporary.open("wb") as file:
                    file.write(data)
                    settle(file)
                os.replace(temporary, self.file(digest))
        return digest

    def put_file(self, file: IO[bytes]) -> Digest:
        """Store what a file holds, from where it stands, piece by piece."""
        with translate_os_errors():
            temporary = self.partial / f"put-file-{os.getpid()}"
            whole = hashlib.sha256()
            with temporary.open("wb") as stored:
                while piece := file.read(PIECE):
                    whole.update(piece)
                    stored.write(piece)
                settle(stored)
            digest = Digest.trusted("sha256:" + whole.hexdigest())
            os.replace(temporary, self.file(digest))
        return digest

    def remove(self, digest: Digest) -> int:
        """Drop a blob; the bytes freed."""
        try:
            size = self.file(digest).stat().st_size
            self.file(digest).unlink()
        except FileNotFoundError:
            return 0
        return size

    def digests(self) -> list[Digest]:
        return [Digest.trusted(f"sha256:{file.name}") for file in sorted(self.folder.iterdir()) if len(file.name) == 64]


class Download:
    """A layer on its way in: `write` what arrives, then `commit`. Made by `Store.receive`, inside `with`.

    `offset` is how many bytes are here already, from a download that broke off or that another process finished.
    """

    def __init__(
        self,
        blobs: Blobs,
        descriptor: Descriptor,
        known: Callable[[Digest], LayerIndex | None],
        remember: Callable[[LayerIndex], None],
        *,
        threads: bool = False,
    ) -> None:
        self._blobs, self._descriptor, self._known, self._remember = blobs, descriptor, known, remember
        self._file = blobs.partial / descriptor.digest.hex
        self._close = ExitStack()
        self._index: LayerIndex | None = None
        self._threaded = threads and descriptor.size >= LARGE
        self.offset = 0

    def __enter__(self) -> Download:
        lock: AbstractContextManager[bool] = locked(self._file.with_suffix(".lock"))
        self._close.enter_context(translate_os_errors())
        self._close.enter_context(lock)
        self._index = self._known(self._descriptor.digest) if self._blobs.has(self._descriptor.digest) else None
        if self._index is not None:
            self.offset = self._descriptor.size
            return self
        self._scanner = LayerScanner(self._descriptor.media_type, stage=ThreadStage if self._threaded else None)
        self._close.callback(self._scanner.close)
        self._output = self._close.enter_context(self._file.open("a+b"))
        self._resume()
        return self

    def __exit__(self, *failure: object) -> None:
        self._close.__exit__(*failure)  # type: ignore[arg-type]

    def write(self, chunk: bytes) -> None:
        """The next bytes. DigestMismatchError as soon as there are more than the descriptor allows."""
        if not chunk:
            return
        self.offset += len(chunk)
        if self.offset > self._descriptor.size:
            raise self._refused(f"the registry sends more than the {self._descriptor.size} bytes it promised")
        self._output.write(chunk)
        try:
            self._scanner.feed(chunk)
        except LayerFormatError:
            self._forget()
            raise

    def commit(self) -> LayerIndex:
        """Verify, make visible, remember the index. DigestMismatchError names both digests, and keeps nothing."""
        if self._index is not None:
            return self._index
        if self.offset < self._descriptor.size:
            raise self._refused(f"only {self.offset} of {self._descriptor.size} bytes arrived", keep=True)
        try:
            self._scanner.catch_up()
            if self._scanner.blob != self._descriptor.digest:
                raise self._refused(f"the bytes received are {self._scanner.blob}")
            index = self._scanner.finish()
        except LayerFormatError:
            self._forget()
            raise
        settle(self._output)
        self._output.close()
        os.replace(self._file, self._blobs.file(self._descriptor.digest))
        self._remember(index)
        return index

    def _resume(self) -> None:
        self._output.seek(0)
        while chunk := self._output.read(PIECE):
            self.offset += len(chunk)
            self._scanner.feed(chunk)
        if self.offset > self._descriptor.size:
            raise self._refused("the part downloaded before is longer than the layer")

    def _refused(self, reason: str, *, keep: bool = False) -> DigestMismatchError:
        if not keep:
            self._forget()
        return DigestMismatchError(
            f"filesystem layer verification failed for digest {self._descriptor.digest}: {reason}",
            hint="pull again; if it stays so, the registry or something on the way to it is broken",
        )

    def _forget(self) -> None:
        self._output.close()
        self._file.unlink(missing_ok=True)


def settle(file: BinaryIO) -> None:
    """Flush to the disk, so that a rename after it never shows an empty file."""
    file.flush()
    os.fsync(file.fileno())
