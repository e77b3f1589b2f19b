"""`docker import`: any tar of files becomes an image of one layer, with no history but where it came from (R6.49).

    files.tar, or a URL --inflate--> tar                                     the layer: its digest is its diff ID
    {"config": what -c said, "history": [{"comment": "Imported from -"}]}    the config: its digest is the image ID

The tar is kept unpacked, however it came: the same files make the same layer under the same digest, however they were packed.
It is read twice, once to know its digest (and into a scratch file, if it is not a plain file already), once to store it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

from imagelab.dockerfile.config import with_changes
from imagelab.engine.archives.docker_v1 import whole_config
from imagelab.engine.archives.file import MOST, PADDING, PIECE, inflated, peeked, refused
from imagelab.engine.archives.writer import manifest_of
from imagelab.engine.commit import DOCKER_VERSION
from imagelab.engine.pull import image_of, stacked
from imagelab.errors import ArchiveError, LayerFormatError, RegistryError, UnreachableError
from imagelab.layers.compression import compression_of
from imagelab.layers.tar_scanner import TarScanner
from imagelab.oci.digest import Digest
from imagelab.oci.documents import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor, Manifest, Platform, encode
from imagelab.state.events import Progress, ProgressSink
from imagelab.store.os_errors import translate_os_errors
from imagelab.units import rfc3339

if TYPE_CHECKING:
    import requests

    from imagelab.state.model import Image, Layer
    from imagelab.store.store import Store

A_TAR = "docker import takes a tar of files, as docker export or tar -c writes it"


@dataclass(frozen=True, slots=True)
class Importer:
    """One import. `now`: nanoseconds since 1970; `comment` is what the one line of history says."""

    store: Store
    platform: Platform
    now: int
    comment: str
    changes: Sequence[str] = ()
    most: int = MOST

    def image(self, source: IO[bytes], name: str = "") -> Image:
        """The image of a tar; `name` is canonical, or "" for none. ArchiveError, ImageLabError for a bad change."""
        config = with_changes({}, self.changes)
        new: list[Digest] = []
        done = False
        try:
            with translate_os_errors(), self.store.lease(), self._plain(source) as (tar, blob):
                image, layer = self._stored(tar, blob, config, new)
                with self.store.transaction() as tx:
                    tx.put_layer(layer)
                    tx.put_image(tx.state.images.get(image.id, image))
                    if name:
                        tx.tag(name, image.id, self.now)
                done = True
                return image
        finally:
            if not done:
                self.store.drop(new)

    def _stored(
        self, tar: IO[bytes], blob: Descriptor, config: dict[str, Any], new: list[Digest]
    ) -> tuple[Image, Layer]:
        state = self.store.state()
        if not self.store.has_blob(blob.digest):
            new.append(blob.digest)
        try:
            with self.store.receive(blob) as download:
                tar.seek(download.offset, 1)
                while download.offset < blob.size:
                    download.write(tar.read(min(PIECE, blob.size - download.offset)))
                layer = stacked([download.commit()])[0]
        except LayerFormatError as error:
            raise _refused(error) from None
        layer = state.layers.get(layer.chain_id, layer)
        raw = encode(self._config(config) | {"rootfs": {"type": "layers", "diff_ids": [layer.diff_id]}})
        described = Descriptor(layer.media_type, layer.blob, layer.blob_size)
        manifest = manifest_of(Descriptor(OCI_CONFIG, Digest.of(raw), len(raw)), [described])
        for data in (raw, manifest):
            if not self.store.has_blob(Digest.of(data)):
                new.append(self.store.put_blob(data))
        own = Descriptor(OCI_MANIFEST, Digest.of(manifest), len(manifest))
        image = image_of(self.store, Manifest.parse(manifest), [layer], own, own, None, manifest)
        return replace(image, local=True), layer

    def _config(self, config: dict[str, Any]) -> dict[str, Any]:
        """All of an image's config but its layers."""
        created = rfc3339(self.now)
        data = {
            "architecture": self.platform.architecture, "comment": self.comment, "config": whole_config(config),
            "container_config": whole_config({}), "created": created, "docker_version": DOCKER_VERSION,
            "history": [{"created": created, "comment": self.comment}], "os": self.platform.os,
        }  # fmt: skip
        return data | ({"variant": self.platform.variant} if self.platform.variant else {})

    @contextmanager
    def _plain(self, source: IO[bytes]) -> Iterator[tuple[IO[bytes], Descriptor]]:
        """The tar unpacked, at its beginning, and its digest and size."""
        if source.seekable() and not compression_of(peeked(source)):
            start = source.tell()
            blob = self._measured(iter(lambda: source.read(PIECE), b""), lambda _: None)
            source.seek(start)
            yield source, blob
            return
        with tempfile.TemporaryFile(prefix="import-", dir=self.store.directory / "partial") as scratch:
            blob = self._measured(inflated(source), scratch.write)
            scratch.seek(0)
            yield scratch, blob

    def _measured(self, pieces: Iterable[bytes], keep: Callable[[bytes], object]) -> Descriptor:
        hashed, size, scanner, behind = hashlib.sha256(), 0, TarScanner(), 0
        try:
            for piece in pieces:
                behind += len(piece) if scanner.ended else 0
                size += len(piece)
                if behind > PADDING:
                    raise _bad("the archive goes on behind its end")
                if size > self.most:
                    raise _bad(f"the archive unpacks to more than {self.most} bytes")
                hashed.update(piece)
                scanner.feed(piece)
                keep(piece)
            scanner.finish()
        except LayerFormatError as error:
            raise _refused(error) from None
        if size == 0:
            raise _bad("the archive is empty")
        return Descriptor(OCI_LAYER, Digest.trusted("sha256:" + hashed.hexdigest()), size)


def _bad(text: str) -> ArchiveError:
    return ArchiveError(text, hint=A_TAR, origin="daemon")


def _refused(error: LayerFormatError) -> ArchiveError:
    return refused(error, A_TAR).from_("daemon")


@contextmanager
def fetched(session: requests.Session, url: str, emit: ProgressSink) -> Iterator[IO[bytes]]:
    """What a URL answers, as a stream. UnreachableError, RegistryError."""
    import requests

    try:
        answer = session.get(url, stream=True, timeout=(15, 60), headers={"Accept-Encoding": "identity"})
    except requests.RequestException as error:
        raise UnreachableError(
            f'Get "{url}": {_reason(error)}', hint="download it another way, and import the file"
        ) from None
    with answer:
        if not answer.ok:
            problem = f"failed to GET {url} with status {answer.status_code} {answer.reason}"
            raise RegistryError(problem, status=answer.status_code, hint="is the address right?")
        emit(Progress(f"Downloading from {url}"))
        yield _Watched(answer.raw, int(answer.headers.get("Content-Length") or 0), emit)  # type: ignore[misc]


def _reason(error: Exception) -> str:
    text = str(error)
    causes = {
        "resolve": "no such host",
        "getaddrinfo": "no such host",
        "refused": "connection refused",
        "timed out": "i/o timeout",
    }
    return next((words for sign, words in causes.items() if sign in text), type(error).__name__)


class _Watched:
    """A stream that says how far it has been read."""

    def __init__(self, stream: Any, total: int, emit: ProgressSink) -> None:
        self._stream, self._total, self._emit, self._done = stream, total, emit, 0

    def seekable(self) -> bool:
        return False

    def read(self, size: int) -> bytes:
        import urllib3

        try:
            piece = bytes(self._stream.read(size))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UnreachableError(f"the download broke off: {error}", hint="try again") from None
        self._done += len(piece)
        if self._total:
            self._emit(Progress("Importing", "", self._done, self._total))
        return piece
