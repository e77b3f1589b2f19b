"""How an image arrives: name -> descriptor -> manifest -> config -> layers, and the name last.

    1. resolve     ask the registry what the tag points to: a digest                       HEAD manifests/<tag>
    2. manifest    fetch that digest; an index leads on to the manifest of one platform    GET  manifests/<digest>
    3. config      fetch it; its digest is the image ID. Known already? Then we are done (R2.11)
    4. layers      fetch those that are missing, several at once; each in one pass: receive, hash, inflate, hash
                   again, read the tar's headers
    5. commit      one transaction writes layers, image, tag and digest reference

Everything is verified before anything is visible, and the name moves last: a pull that is killed leaves blobs that
the next one will not download again, and nothing else.

The layers are generators, one per layer, that stop after every piece they have read. Who runs them is a detail:
threads (`workers` of them) when bytes come over a network, or turns, one piece each in rotation, when there is no
network to wait for. Turns need no threads (a browser has none) and give the same lines in the same order each time.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagelab.errors import (
    DigestMismatchError,
    ImageLabError,
    LayerFormatError,
    ManifestError,
    RegistryError,
)
from imagelab.layers.changeset import LayerIndex
from imagelab.oci.documents import (
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    Descriptor,
    Digest,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    chain_ids,
    normalize_platform,
    platform_preference,
)
from imagelab.oci.reference import Reference
from imagelab.state.events import Progress, ProgressSink
from imagelab.state.model import Image, Layer, State

if TYPE_CHECKING:
    from imagelab.registry.client import Remote
    from imagelab.store.store import Store

AT_ONCE = 3
"""Docker's default of concurrent downloads (R2.8); the layers beyond it say `Waiting`."""

PIECE = 256 * 1024
"""Bytes read in one turn over a network."""

SMALL_PIECE = 4 * 1024
"""Bytes read in one turn from the built-in registry, so that a bar of some kilobytes still moves."""

TOO_DEEP = 125
"""More layers than this no Docker stacks (R7.6)."""

DownloadStep = Generator[None, None, LayerIndex]


@dataclass(frozen=True, slots=True)
class Pulled:
    """One reference, pulled. `newer` is False when the name already stood for this very image (R2.13)."""

    reference: Reference
    image_id: Digest
    target: Digest
    newer: bool


@dataclass(frozen=True, slots=True)
class Puller:
    """One pull: where from, where to, for which platform, and who is told."""

    store: Store
    remote: Remote
    platform: Platform
    emit: ProgressSink
    now: int
    workers: int = AT_ONCE

    def pull(self, reference: Reference) -> Pulled:
        """Bring one reference here. Raises RegistryError, ManifestError, DigestMismatchError, LayerFormatError."""
        target = self.remote.resolve(reference)
        raw, media_type = self._manifest(target)
        label = f"{reference.repository}@{reference.digest}" if reference.digest else str(reference.tag)
        self.emit(Progress(f"Pulling from {reference.path}", id=label))
        try:
            pulled = self._pull_target(reference, target, raw, media_type)
        except ImageLabError as error:
            raise error.from_("stream") from None  # progress has been shown, so Docker prints it bare (R2.20)
        self.emit(Progress(f"Digest: {target.digest}"))
        return pulled

    def _pull_target(self, reference: Reference, target: Descriptor, raw: bytes, media_type: str) -> Pulled:
        index = Index.parse(raw, media_type) if media_type in INDEX_TYPES else None
        manifest, manifest_descriptor = self._choose(index) if index else (_manifest(raw, media_type), target)
        with self.store.lease():
            image_id = self._config(manifest)
            layers = self._layers(manifest, ImageConfig.parse(self.store.read_blob(image_id)))
            image = image_of(self.store, manifest, layers, target, manifest_descriptor, index, raw)
            newer = self._commit(reference, image, layers, target)
        return Pulled(reference, image_id, target.digest, newer)

    # -- manifest and config --------------------------------------------------------------------------------

    def _manifest(self, descriptor: Descriptor) -> tuple[bytes, str]:
        """The bytes of a manifest or index: from the store when they are here, so that a re-pull costs a HEAD (R2.24)."""
        if self.store.has_blob(descriptor.digest):
            return self.store.read_blob(descriptor.digest), descriptor.media_type
        raw, media_type = self.remote.manifest(descriptor)
        self.store.put_blob(raw, expected=descriptor.digest)
        return raw, media_type

    def _choose(self, index: Index) -> tuple[Manifest, Descriptor]:
        """The manifest of an index that this platform can run (R2.27); an index inside an index is followed."""
        for entry in candidates(index, self.platform):
            raw, media_type = self._manifest(entry)
            if media_type in INDEX_TYPES:
                return self._choose(Index.parse(raw, media_type))
            return _manifest(raw, media_type), entry
        have = ", ".join(
            sorted({str(e.platform) for e in index.manifests if e.platform and e.platform.os != "unknown"})
        )
        raise ManifestError(
            f"no matching manifest for {self.platform} in the manifest list entries",
            hint=f"the image exists for: {have}; choose one with --platform" if have else "",
        )

    def _config(self, manifest: Manifest) -> Digest:
        """The config's bytes into the store; its digest is the image ID."""
        descriptor = manifest.config
        if descriptor.media_type not in CONFIG_TYPES:
            raise ManifestError(
                f'Encountered remote "{descriptor.media_type}" when fetching',  # R2.34
                hint="this is an OCI artifact, not an image; other tools can fetch it, images can not be made of it",
            )
        if not self.store.has_blob(descriptor.digest):
            with self.remote.open_blob(descriptor) as stream:
                raw = b"".join(iter(lambda: stream.read(PIECE), b""))
            try:
                self.store.put_blob(raw, expected=descriptor.digest)
            except DigestMismatchError as error:
                message = f"image config verification failed for digest {descriptor.digest}"
                raise DigestMismatchError(
                    f"{message}: the bytes received are {Digest.of(raw)}", hint=error.hint
                ) from None
        return descriptor.digest

    # -- layers ---------------------------------------------------------------------------------------------

    def _layers(self, manifest: Manifest, config: ImageConfig) -> list[Layer]:
        """Every layer of the manifest, base first: those that are here already, then those downloaded now."""
        state = self.store.state()
        if config.id in state.images:
            return [state.layers[chain_id] for chain_id in state.images[config.id].layers]
        if len(manifest.layers) != len(config.diff_ids):
            raise ManifestError("layers from manifest don't match image configuration")
        if len(manifest.layers) > TOO_DEEP:
            raise ManifestError("max depth exceeded")
        for descriptor in manifest.layers:
            _refuse_foreign(descriptor)
        known = self._already_here(manifest, state)
        indexes = [*known, *self._download(manifest.layers, len(known))]
        if [index.diff_id for index in indexes] != list(config.diff_ids):  # R2.28
            raise DigestMismatchError(
                "layers from manifest don't match image configuration: "
                + _first_difference([index.diff_id for index in indexes], config.diff_ids)
            )
        return stacked(indexes)

    def _already_here(self, manifest: Manifest, state: State) -> list[LayerIndex]:
        """The bottom of the stack that is here as a *stack*: the first chain ID missing ends it (R2.9)."""
        here: list[LayerIndex] = []
        for descriptor in manifest.layers:
            index = self.store.layer_index(descriptor.digest)
            if index is None or chain_ids(layer.diff_id for layer in [*here, index])[-1] not in state.layers:
                break
            here.append(index)
        return here

    def _download(self, layers: Sequence[Descriptor], known: int) -> list[LayerIndex]:
        """Fetch `layers[known:]`, saying what Docker says (R2.8-R2.10); returns their indexes in the same order."""
        wanted = list(dict.fromkeys(layer.digest for layer in layers))
        first = {layer.digest: layer for layer in reversed(layers)}
        present = {layer.digest for layer in layers[:known]}
        missing = [first[digest] for digest in wanted if digest not in present]
        for digest in wanted:
            if digest in present:
                self.emit(Progress("Already exists", digest.short, size=first[digest].size))
            else:
                self.emit(Progress("Pulling fs layer", digest.short))
        for descriptor in missing[AT_ONCE:]:
            self.emit(Progress("Waiting", descriptor.digest.short))
        arrived = {digest: index for digest in present if (index := self.store.layer_index(digest)) is not None}
        extracted = 0
        for digest, index in self._run(missing):
            arrived[digest] = index
            while extracted < len(missing) and missing[extracted].digest in arrived:  # strictly in chain order
                self._extracted(arrived[missing[extracted].digest])
                extracted += 1
        return [arrived[layer.digest] for layer in layers[known:]]

    def _extracted(self, index: LayerIndex) -> None:
        """Indexing is all that happens here, and it has happened: the bar is full at once."""
        self.emit(Progress("Extracting", index.blob.short, index.blob_size, index.blob_size))
        self.emit(Progress("Pull complete", index.blob.short))

    @property
    def _threads(self) -> bool:
        """Are threads of use? Not where there are none, and not without a network to wait for."""
        return self.workers > 0 and not self.remote.in_process

    def _run(self, missing: Sequence[Descriptor]) -> Iterator[tuple[Digest, LayerIndex]]:
        if self._threads and len(missing) > 1:
            return _in_threads(missing, self._fetch, self.emit, self.workers)
        return _in_turns(missing, self._fetch, self.emit)

    def _fetch(self, layer: Descriptor, emit: ProgressSink) -> DownloadStep:
        """One layer, from its first byte to its verified index; yields after every piece."""
        piece = SMALL_PIECE if self.remote.in_process else PIECE
        short = layer.digest.short
        with self.store.receive(layer, threads=self._threads) as download:
            done = download.offset
            if done < layer.size:
                with self.remote.open_blob(layer, offset=done, on_retry=_retrying(short, emit)) as stream:
                    while chunk := stream.read(piece):
                        download.write(chunk)
                        done += len(chunk)
                        emit(Progress("Downloading", short, done, layer.size))
                        yield
            emit(Progress("Verifying Checksum", short))
            index = download.commit()
        emit(Progress("Download complete", short))
        return index

    # -- the name, last -------------------------------------------------------------------------------------

    def _commit(self, reference: Reference, image: Image, layers: Sequence[Layer], target: Descriptor) -> bool:
        """Write everything down in one transaction; True when the name is new or moved (R2.13, R2.15)."""
        name = str(reference.with_digest(None)) if reference.tag and not reference.digest else ""
        digest_name = f"{reference.repository}@{target.digest}"
        with self.store.transaction() as tx:
            before = tx.state.references.get(name or digest_name)
            for layer in layers:
                if layer.chain_id not in tx.state.layers:
                    tx.put_layer(layer)
            known = tx.state.images.get(image.id)
            tx.put_image(_keep_local(image, known) if known else image)
            if tx.state.references.get(digest_name) != image.id:
                tx.tag(digest_name, image.id, self.now)
            if name and before != image.id:
                tx.tag(name, image.id, self.now)
        return before != image.id


def _keep_local(image: Image, known: Image) -> Image:
    """A pull brings no parent: what is known of the image here stays (R3.14)."""
    from dataclasses import replace

    return replace(image, parent=known.parent, local=known.local, tagged=known.tagged)


def _manifest(raw: bytes, media_type: str) -> Manifest:
    if media_type not in MANIFEST_TYPES:
        if "manifest.v1" in media_type:
            raise ManifestError(
                "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed",
                hint="ask its publisher to push the image again with a Docker of this decade",
            )
        raise ManifestError(f"unsupported media type {media_type}")
    return Manifest.parse(raw, media_type)


def candidates(index: Index, host: Platform) -> list[Descriptor]:
    """Entries that `host` can run, best first; attestations (`unknown/unknown`) never match (R2.27, R7.13)."""
    order = [str(normalize_platform(platform)) for platform in platform_preference(normalize_platform(host))]
    readable = [entry for entry in index.manifests if entry.media_type in MANIFEST_TYPES | INDEX_TYPES]

    def rank(entry: Descriptor) -> int:
        text = str(normalize_platform(entry.platform)) if entry.platform else order[0]
        return order.index(text) if text in order else -1

    return sorted((entry for entry in readable if rank(entry) >= 0), key=rank)


def _refuse_foreign(layer: Descriptor) -> None:
    if "nondistributable" in layer.media_type or ".foreign." in layer.media_type:  # R7.12
        raise LayerFormatError(
            f"layer {layer.digest.short} is foreign ({layer.media_type}): its bytes are not in the registry but at "
            f"{', '.join(layer.urls) or 'an address the manifest does not give'}",
            hint="such layers hold licensed Windows files; choose an image without them",
        )


def _first_difference(unpacked: Sequence[Digest], wanted: Sequence[Digest]) -> str:
    index = next(i for i, pair in enumerate(zip(unpacked, wanted, strict=True)) if pair[0] != pair[1])
    return f"layer {index + 1} unpacks to {unpacked[index]}, the config says {wanted[index]}"


def stacked(indexes: Sequence[LayerIndex]) -> list[Layer]:
    """Changes piled up: each gets the chain ID of everything up to and including itself (R7.4)."""
    chain = chain_ids(index.diff_id for index in indexes)
    parents = [None, *chain]
    return [
        Layer(chain_id, index.diff_id, parent, index.size, index.blob, index.blob_size, index.media_type)
        for chain_id, parent, index in zip(chain, parents, indexes, strict=False)
    ]


def image_of(
    store: Store,
    manifest: Manifest,
    layers: Sequence[Layer],
    target: Descriptor,
    own: Descriptor,
    index: Index | None,
    raw: bytes,
) -> Image:
    """What listings need to know of it, computed once."""
    from imagelab.units import parse_time

    config = ImageConfig.parse(store.read_blob(manifest.config.digest))
    blobs = {layer.blob: layer.blob_size for layer in layers} | {manifest.config.digest: len(config.raw)}
    blobs |= {own.digest: len(manifest.raw)} | {target.digest: len(raw)}
    return Image(
        id=config.id,
        created=parse_time(config.created) if config.created else 0,
        size=sum(layer.size for layer in layers),
        layers=tuple(layer.chain_id for layer in layers),
        target=target.digest,
        content_size=sum(blobs.values()),
        labels=dict(config.labels),
        platform=str(config.platform),
        children_platforms=_platforms(index, own.digest) if index else (),
    )


def _platforms(index: Index, own: Digest) -> tuple[tuple[str, Digest, bool], ...]:
    """Every platform of an index, attestations left out, and whether it is the one that was fetched (R2.18)."""
    entries = [entry for entry in index.manifests if entry.platform and entry.platform.os != "unknown"]
    return tuple((str(entry.platform), entry.digest, entry.digest == own) for entry in entries)


def _retrying(short: str, emit: ProgressSink) -> Callable[[int], None]:
    def on_retry(seconds: int) -> None:
        emit(Progress(f"Retrying in {seconds} second{'s' if seconds != 1 else ''}", short))

    return on_retry


# -- who runs the generators --------------------------------------------------------------------------------

Fetch = Callable[[Descriptor, ProgressSink], DownloadStep]


def _in_turns(missing: Sequence[Descriptor], fetch: Fetch, emit: ProgressSink) -> Iterator[tuple[Digest, LayerIndex]]:
    """Up to AT_ONCE layers, one piece each in rotation. No threads; always the same order."""
    waiting = deque(missing)
    active: deque[tuple[Descriptor, DownloadStep]] = deque()
    with ExitStack() as close:
        while waiting or active:
            while waiting and len(active) < AT_ONCE:
                step = fetch(waiting[0], emit)
                close.callback(step.close)
                active.append((waiting.popleft(), step))
            layer, step = active.popleft()
            try:
                next(step)
            except StopIteration as finished:
                yield layer.digest, finished.value
            else:
                active.append((layer, step))


def _in_threads(
    missing: Sequence[Descriptor], fetch: Fetch, emit: ProgressSink, workers: int
) -> Iterator[tuple[Digest, LayerIndex]]:
    """`workers` layers at once, the largest first. Only the calling thread ever calls `emit`."""
    news: queue.SimpleQueue[Progress | tuple[Digest, LayerIndex] | BaseException | None] = queue.SimpleQueue()
    jobs: queue.SimpleQueue[Descriptor] = queue.SimpleQueue()
    for layer in sorted(missing, key=lambda layer: -layer.size):
        jobs.put(layer)
    stop = threading.Event()
    threads = [
        threading.Thread(target=_work, args=(jobs, fetch, news, stop), daemon=True)
        for _ in range(min(workers, len(missing)))
    ]
    try:
        for thread in threads:
            thread.start()
        yield from _listen(news, emit, len(threads))
    finally:
        stop.set()
        for thread in threads:
            if thread.is_alive():
                thread.join()


def _listen(
    news: queue.SimpleQueue[Progress | tuple[Digest, LayerIndex] | BaseException | None],
    emit: ProgressSink,
    workers: int,
) -> Iterator[tuple[Digest, LayerIndex]]:
    """Pass on what the workers say until each has said None; raise the first error at once."""
    while workers:
        match news.get():
            case None:
                workers -= 1
            case Progress() as progress:
                emit(progress)
            case BaseException() as error:
                raise error
            case (digest, index):
                yield digest, index


def _work(
    jobs: queue.SimpleQueue[Descriptor],
    fetch: Fetch,
    news: queue.SimpleQueue[Progress | tuple[Digest, LayerIndex] | BaseException | None],
    stop: threading.Event,
) -> None:
    """One worker: takes layers until none is left or it is told to stop. Errors travel to the calling thread."""
    try:
        while not stop.is_set():
            layer = jobs.get_nowait()
            step = fetch(layer, news.put)
            try:
                while not stop.is_set():
                    next(step)
            except StopIteration as finished:
                news.put((layer.digest, finished.value))
            finally:
                step.close()
    except queue.Empty:
        pass
    except (ImageLabError, OSError, MemoryError) as error:
        news.put(error)
    finally:
        news.put(None)


def refuse_reserved(reference: Reference) -> None:
    """`scratch` is the name of no image at all (R1.18)."""
    if reference.path == "library/scratch" and reference.domain == "docker.io":
        raise RegistryError("'scratch' is a reserved name", code="NAME_INVALID")
