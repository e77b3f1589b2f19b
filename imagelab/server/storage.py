"""Where a registry keeps what it is given: blobs by digest, and for each repository its manifests and tags.

Two implementations of one protocol, `RegistryStorage` (in `registry_app`, which consumes it): a directory, and a
read-only storage with a writable one on top, as an image has layers.

    <directory>/blobs/sha256/<hex>                    a blob or a manifest
    <directory>/uploads/<id>                          an upload under way
    <directory>/repositories/<name>/manifests.json    {"digests": {digest: media type}, "tags": {tag: digest}}
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from imagelab.oci.documents import Digest
from imagelab.server.registry import RegistryStorage

EMPTY: dict[str, dict[str, str]] = {"digests": {}, "tags": {}}


class DirectoryStorage:
    """Everything in one directory. Writes are atomic; a restarted server finds all that was answered with 201."""

    writable = True

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._blobs = directory / "blobs" / "sha256"
        self._uploads = directory / "uploads"
        self._lock = threading.RLock()
        for folder in (self._blobs, self._uploads, directory / "repositories"):
            folder.mkdir(parents=True, exist_ok=True)

    def blob_size(self, digest: Digest) -> int | None:
        try:
            return (self._blobs / digest.hex).stat().st_size
        except FileNotFoundError:
            return None

    def open_blob(self, digest: Digest) -> BinaryIO:
        return (self._blobs / digest.hex).open("rb")

    def delete_blob(self, digest: Digest) -> None:
        (self._blobs / digest.hex).unlink(missing_ok=True)

    # -- uploads --------------------------------------------------------------------------------------------

    def start_upload(self) -> str:
        with self._lock:
            used = [int(file.name) for file in self._uploads.iterdir() if file.name.isdigit()]
            number = max([*used, getattr(self, "_last", 0)]) + 1
            self._last = number
            (self._uploads / str(number)).touch()
        return str(number)

    def upload_size(self, upload: str) -> int | None:
        file = self._uploads / upload
        return file.stat().st_size if upload.isdigit() and file.exists() else None

    def append_upload(self, upload: str, chunks: Iterable[bytes]) -> int:
        with (self._uploads / upload).open("ab") as file:
            for chunk in chunks:
                file.write(chunk)
            return file.tell()

    def finish_upload(self, upload: str, digest: Digest) -> Digest:
        """Moves the bytes to their place if they hash to `digest`; the digest they do hash to, in any case."""
        file = self._uploads / upload
        actual = _digest(file)
        if actual == digest:
            os.replace(file, self._blobs / digest.hex)
        else:
            file.unlink()
        return actual

    def cancel_upload(self, upload: str) -> None:
        (self._uploads / upload).unlink(missing_ok=True)

    # -- manifests and tags ---------------------------------------------------------------------------------

    def repositories(self) -> list[str]:
        root = self._directory / "repositories"
        names = [file.parent.relative_to(root).as_posix() for file in root.rglob("manifests.json")]
        return sorted(name for name in names if self.manifests(name))

    def manifests(self, repository: str) -> Mapping[Digest, str]:
        return {Digest.trusted(digest): kind for digest, kind in self._read(repository)["digests"].items()}

    def tags(self, repository: str) -> Mapping[str, Digest]:
        return {tag: Digest.trusted(digest) for tag, digest in self._read(repository)["tags"].items()}

    def put_manifest(self, repository: str, raw: bytes, media_type: str, tag: str | None) -> Digest:
        digest = Digest.of(raw)
        _write(self._blobs / digest.hex, raw)
        with self._lock:
            known = self._read(repository)
            known["digests"][digest] = media_type
            if tag:
                known["tags"][tag] = digest
            self._write(repository, known)
        return digest

    def delete_tag(self, repository: str, tag: str) -> None:
        with self._lock:
            known = self._read(repository)
            known["tags"].pop(tag, None)
            self._write(repository, known)

    def delete_manifest(self, repository: str, digest: Digest) -> None:
        with self._lock:
            known = self._read(repository)
            known["digests"].pop(digest, None)
            known["tags"] = {tag: target for tag, target in known["tags"].items() if target != digest}
            self._write(repository, known)

    def _file(self, repository: str) -> Path:
        return self._directory / "repositories" / Path(*repository.split("/")) / "manifests.json"

    def _read(self, repository: str) -> dict[str, dict[str, str]]:
        try:
            data = json.loads(self._file(repository).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {key: dict(value) for key, value in EMPTY.items()}
        return {"digests": dict(data["digests"]), "tags": dict(data["tags"])}

    def _write(self, repository: str, known: dict[str, dict[str, str]]) -> None:
        file = self._file(repository)
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, json.dumps(known, indent=1, sort_keys=True).encode())


class LayeredStorage:
    """A read-only storage below, a writable one above: what is pushed goes up, what is asked for is found in both."""

    writable = True

    def __init__(self, lower: RegistryStorage, upper: DirectoryStorage) -> None:
        self._lower, self._upper = lower, upper
        self.start_upload, self.upload_size = upper.start_upload, upper.upload_size
        self.append_upload, self.finish_upload = upper.append_upload, upper.finish_upload
        self.cancel_upload, self.put_manifest = upper.cancel_upload, upper.put_manifest
        self.delete_blob, self.delete_tag, self.delete_manifest = (
            upper.delete_blob,
            upper.delete_tag,
            upper.delete_manifest,
        )

    def blob_size(self, digest: Digest) -> int | None:
        size = self._upper.blob_size(digest)
        return self._lower.blob_size(digest) if size is None else size

    def open_blob(self, digest: Digest) -> BinaryIO:
        holder = self._lower if self._upper.blob_size(digest) is None else self._upper
        return holder.open_blob(digest)

    def repositories(self) -> list[str]:
        return sorted({*self._lower.repositories(), *self._upper.repositories()})

    def manifests(self, repository: str) -> Mapping[Digest, str]:
        return {**self._lower.manifests(repository), **self._upper.manifests(repository)}

    def tags(self, repository: str) -> Mapping[str, Digest]:
        return {**self._lower.tags(repository), **self._upper.tags(repository)}


def read_blob(storage: RegistryStorage, digest: Digest) -> bytes:
    """The whole of a blob."""
    with storage.open_blob(digest) as file:
        return file.read()


def in_memory(data: bytes) -> BinaryIO:
    """Bytes as a file."""
    return BytesIO(data)


def _digest(file: Path) -> Digest:
    whole = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 18):
            whole.update(chunk)
    return Digest.trusted("sha256:" + whole.hexdigest())


def _write(file: Path, data: bytes) -> None:
    temporary = file.with_name(f"{file.name}.{os.getpid()}-{threading.get_ident()}")
    temporary.write_bytes(data)
    os.replace(temporary, file)
