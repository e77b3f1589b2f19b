"""One directory holds a lab: blobs by digest, one small database, and nothing hidden.

    blobs/sha256/<hex>    manifests, configs and compressed layers, exactly as received
    lab.db                names, parents, layer indexes, settings: see `database`
    partial/              downloads that are not complete
    leases/               one file for each pull that is under way
    containers/<id>/      a container's log, and the locks that say who is at work in it
    cache/                layers inflated because a file of theirs was read; may be deleted at any time

How a verb changes it: everything in one transaction, or not at all. Blobs come before the rows that name them, and stay as
long as the timeline could bring those rows back: whenever a process is killed, the worst that stays is a blob no row names,
and `gc` finds it.

Sweeping needs care. A pull may have seen that a blob is here and not yet written the image that needs it. So a pull
holds a *lease*, and nothing is swept while there is one; a lease is a file lock, and ends with its process.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from imagelab.errors import BlobNotFoundError, ImageLabError, StoreError
from imagelab.oci.digest import Digest
from imagelab.state.model import Container, Layer, State
from imagelab.store.database import Database
from imagelab.store.readme import README
from imagelab.store.transaction import Transaction, reached

if TYPE_CHECKING:
    from imagelab.dockerfile.step_keys import StepKeys
    from imagelab.layers.changeset import LayerIndex
    from imagelab.layers.tar_scanner import TarRow
    from imagelab.layers.tree import Change, Node, Tree
    from imagelab.oci.documents import Descriptor, ImageConfig
    from imagelab.state.events import Event
    from imagelab.store.blobs import Blobs, Download
    from imagelab.store.history import History
    from imagelab.store.journal import VerbRecord

KEPT_INPUT = 1 << 25
"""Bytes of an archive or a build's context that the timeline keeps; of a larger one it only knows the name."""
CACHE_LIMIT = 1 << 30
"""Bytes of inflated layers that are kept."""


class Store:
    """One lab's directory. Made by `Store.open`; several processes may use one directory at once."""

    def __init__(self, directory: Path, database: Database) -> None:
        self.directory = directory
        self._database = database
        self._lock = threading.RLock()
        self._leasing = threading.Lock()
        self._leases = 0
        self._lease: AbstractContextManager[bool] | None = None
        self._trees: dict[Digest, Tree] = {}
        self._sparse: dict[Digest, dict[int, TarRow]] = {}
        self._verb: VerbRecord | None = None
        self._verbs = 0

    @classmethod
    def open(cls, directory: Path) -> Store:
        """The lab in `directory`, made if there is none.

        Raises StoreError when it cannot be made or used; a lab that may only be read opens for reading.
        """
        from imagelab.store.os_errors import translate_os_errors

        file = directory / "lab.db"
        writable = os.access(file, os.W_OK) and os.access(directory, os.W_OK) if file.exists() else True
        if writable and not file.exists():
            with translate_os_errors():
                make_directory(directory)
        return cls(directory, Database(file, read_only=not writable))

    def close(self) -> None:
        """Let go of the database. Closing twice is fine."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- blobs ----------------------------------------------------------------------------------------------

    @cached_property
    def blobs(self) -> Blobs:
        """The blobs as files."""
        from imagelab.store.blobs import Blobs

        return Blobs(self.directory)

    def has_blob(self, digest: Digest) -> bool:
        """Are these bytes here?"""
        return self.blobs.has(digest)

    def read_blob(self, digest: Digest) -> bytes:
        """The bytes, verified. BlobNotFoundError; StoreError when they are damaged."""
        return self.blobs.read(digest)

    def open_blob(self, digest: Digest) -> BinaryIO:
        """The bytes as a file, not verified."""
        return self.blobs.open(digest)

    def put_blob(self, data: bytes, *, expected: Digest | None = None) -> Digest:
        """Store bytes under their digest; once is enough. DigestMismatchError when it is not `expected`."""
        return self.blobs.put(data, expected)

    def keep(self, file: IO[bytes], limit: int = KEPT_INPUT) -> Digest | None:
        """What a verb is about to read, kept as a blob, so that it can be run again; None for a pipe, or one over the limit."""
        if not file.seekable():
            return None
        start = file.tell()
        small = file.seek(0, os.SEEK_END) - start <= limit
        file.seek(start)
        digest = self.blobs.put_file(file) if small else None
        file.seek(start)
        return digest

    def receive(self, descriptor: Descriptor, *, threads: bool = False) -> Download:
        """A layer about to arrive, as a context manager. Another pull of the same layer meanwhile waits.

        `threads`: a large one may take a thread of its own, to be read while it is inflated.
        """
        from imagelab.store.blobs import Download

        return Download(self.blobs, descriptor, self.layer_index, self._remember, threads=threads)

    def layer_index(self, blob: Digest) -> LayerIndex | None:
        """What is known of a layer that is here, by its blob's digest."""
        from imagelab.layers.changeset import unpack

        with self._lock:
            packed = self._database.packed_index(blob)
        return unpack(packed) if packed is not None else None

    def _remember(self, index: LayerIndex) -> None:
        from imagelab.layers.changeset import pack

        packed = pack(index)
        with self._lock, self._database.writing():
            self._database.put_index(index.blob, index.diff_id, packed)

    # -- state ----------------------------------------------------------------------------------------------

    def state(self) -> State:
        """Everything, as one transaction sees it."""
        with self._lock:
            return self._database.state()

    def setting(self, key: str) -> str:
        """A setting of this lab; "" when it was never set."""
        with self._lock:
            return self._database.setting(key)

    def remember(self, key: str, value: str) -> None:
        """Keep a setting. Not a change of what the lab holds: `revision` stays."""
        with self.transaction(creates_step=False):
            self._database.set(key, value)

    @contextmanager
    def transaction(self, *, creates_step: bool = True) -> Iterator[Transaction]:
        """One verb's changes: all of them, or none, and a step of the timeline.

        `revision` grows by one when something changed, unless the learner did not ask for it (`creates_step`): what a container's own
        program does belongs to the step it follows.
        """
        transaction = Transaction(self._database)
        with self._lock, self._database.writing():
            journal = self._database.journal
            step = journal.begin(self._verb, creates_step=creates_step)
            yield transaction
            if creates_step and (transaction.touched or journal.changed()):
                self._database.count_change()
            journal.end(step, self._verb)

    @contextmanager
    def together(self) -> Iterator[None]:
        """The transactions in here are one to every other process, and to the disk: all of them, or none.

        Each still counts as a change of its own.
        """
        verb, numbers = self._verb, list(self._verb.step_numbers) if self._verb else []
        done = False
        try:
            with self._lock, self._database.writing():
                yield
            done = True
        finally:
            if verb is not None and not done:
                verb.step_numbers[:] = numbers

    # -- what builds have made ------------------------------------------------------------------------------

    def made_by(self, parent: str, keys: StepKeys) -> Iterator[Digest]:
        """The images that this very step made of an image ("" for none) and that are here, the latest first."""
        with self._lock:
            yield from self._database.made.same(parent, keys)

    def made_alike(self, parent: str, keys: StepKeys) -> Iterator[Digest]:
        """The same for a step of the same text, whatever its input."""
        with self._lock:
            yield from self._database.made.alike(parent, keys)

    def made_any(self, parent: str) -> bool:
        """Was anything at all made of it that is here?"""
        with self._lock:
            return self._database.made.any(parent)

    def fill_steps(self, keys: Callable[[Digest], StepKeys | None]) -> None:
        """Work out the keys of images that came without: what an archive brought, and what an older lab holds."""
        unread = self._database.made.unread()
        if unread:
            steps = [(image_id, keys(image_id)) for image_id in unread]
            with self._lock, self._database.writing():
                for image_id, step in steps:
                    self._database.made.fill(image_id, step)

    # -- timeline -------------------------------------------------------------------------------------------

    @contextmanager
    def verb(self, command: Sequence[str], at: int) -> Iterator[VerbRecord]:
        """Whatever changes until the end of this is one step, with its command line; `at`: nanoseconds since 1970.

        A verb inside another is part of it. The verb that is yielded takes events, inputs and the exit code.
        """
        if self._verb is not None:
            yield self._verb
            return
        from imagelab.store.journal import VerbRecord

        verb = self._verb = VerbRecord(tuple(command), at)
        self._verbs += 1
        try:
            yield verb
        except ImageLabError as error:  # what it did before it failed is a step, and ends so when it is run again
            verb.exit_code = error.exit_code
            raise
        finally:
            self._verb = None
            if verb.step_numbers:
                with self._lock, self._database.writing():
                    self._database.journal.finish(verb)

    @contextmanager
    def outside_step(self) -> Iterator[None]:
        """What changes in here is not of the running verb, which only found it so: it belongs to the step before."""
        verb, self._verb = self._verb, None
        try:
            yield
        finally:
            self._verb = verb

    def copy_to(self, directory: Path) -> None:
        """The same lab in another directory. StoreError when that cannot be made."""
        from imagelab.store.copying import copy

        with self._lock:
            copy(self.directory, self._database, directory)

    def held_by_timeline(self) -> int:
        """Bytes that only the state after another step needs."""
        state = self.state()
        blobs = self.blobs
        only = self.history.reached() - reached(state.images.values(), state.layers.values(), state.references)
        with self._lock:
            files = self._database.containers.held_by_past()
        return files + sum(blobs.file(digest).stat().st_size for digest in only if blobs.has(digest))

    @property
    def began(self) -> int | None:
        """When the verb at work began, while it has changed nothing: until then it knows of no change that others make."""
        verb = self._verb
        return verb.at or None if verb is not None and not verb.step_numbers else None

    @property
    def running_verb(self) -> int:
        """The number of the verb that runs, counted in this process from 1; 0 for none."""
        return self._verbs if self._verb is not None else 0

    @contextmanager
    def moving(self) -> Iterator[None]:
        """One process at a time moves the lab to another step; nothing is swept meanwhile."""
        from imagelab.store.locks import locked
        from imagelab.store.os_errors import translate_os_errors

        (self.directory / "leases").mkdir(exist_ok=True)
        with translate_os_errors(), locked(self.directory / "leases" / "moving"):
            yield

    def compact(self) -> None:
        """Give the disk back what the database no longer uses; not while another process works on it."""
        with self._lock:
            self._database.compact()

    def note(self, event: Event) -> None:
        """An event of the verb that runs."""
        if self._verb is not None:
            self._verb.events.append(event)

    @property
    def history(self) -> History:
        """The steps, the state after each, and the moves from one to another."""
        from imagelab.store.history import History

        return History(self._database, self._lock)

    def config(self, image_id: Digest) -> ImageConfig:
        """An image's config."""
        from imagelab.oci.documents import ImageConfig

        return ImageConfig.parse(self.read_blob(image_id))

    # -- files ----------------------------------------------------------------------------------------------

    def tree(self, chain_id: Digest) -> Tree:
        """The files of a stack of layers, merged. BlobNotFoundError when there is no such stack."""
        from imagelab.store import tree_cache

        if chain_id not in self._trees:
            layer = self.state().layers.get(chain_id)
            tree = tree_cache.read(self.directory, chain_id) if layer else None
            self._trees[chain_id] = self._merged(chain_id, layer) if tree is None else tree
        return self._trees[chain_id]

    def _merged(self, chain_id: Digest, layer: Layer | None) -> Tree:
        from imagelab.layers.tree import Tree, apply
        from imagelab.store import tree_cache

        index = self.layer_index(layer.blob) if layer else None
        if layer is None or index is None:
            raise BlobNotFoundError(f"layer {chain_id} is not in this lab", hint="pull the image again")
        tree = apply(self.tree(layer.parent) if layer.parent else Tree.empty(), index.changes())
        if len(index.rows) >= tree_cache.LARGE:
            tree_cache.write(self.directory, chain_id, tree)
        return tree

    def read_file(self, node: Node) -> bytes:
        """The bytes of a file, found where its `content` says: `<diff ID>@<offset>`, or a container's own, by digest."""
        if not node.size:
            return b""
        diff_id, separator, offset = node.content.partition("@")
        if not separator:
            with self._lock:
                data = self._database.containers.content(node.content)
            return data if data is not None else self.read_blob(Digest(node.content))
        from imagelab.store.files import read

        return read(self, Digest.trusted(diff_id), int(offset), node.size, limit=CACHE_LIMIT)

    def index_of(self, diff_id: Digest) -> LayerIndex:
        """The index of a layer by its diff ID; BlobNotFoundError when it is not here."""
        with self._lock:
            blob = self._database.blob_of(diff_id)
        index = self.layer_index(Digest.trusted(blob)) if blob else None
        if index is None:
            raise BlobNotFoundError(f"layer {diff_id} is not in this lab", hint="pull the image again")
        return index

    def sparse_files(self, diff_id: Digest) -> dict[int, TarRow]:
        """The few files of a layer that are stored with holes, by their offset."""
        if diff_id not in self._sparse:
            self._sparse[diff_id] = {row.offset: row for row in self.index_of(diff_id).rows if row.sparse}
        return self._sparse[diff_id]

    # -- containers -----------------------------------------------------------------------------------------

    def container(self, container_id: str) -> Container | None:
        """A container as it is now."""
        with self._lock:
            return self._database.containers.get(container_id)

    def container_version(self, container_id: str) -> str | None:
        """Which version of its files a container has: a digest, "" while nothing has changed; None when it is gone."""
        with self._lock:
            return self._database.containers.version(container_id)

    def container_changes(self, version: str) -> tuple[Change, ...]:
        """What a version of a container's files differs in from its init layer."""
        from imagelab.layers.writable_layer import unpack

        with self._lock:
            return unpack(self._database.containers.changes(version))

    def container_files(self, container_id: str) -> Path:
        """The directory of a container's log and locks."""
        return self.directory / "containers" / container_id

    # -- sweeping -------------------------------------------------------------------------------------------

    @contextmanager
    def lease(self) -> Iterator[None]:
        """While this is held, no blob is swept away by anybody. One inside another takes no lock of its own."""
        with self._leasing:
            self._lease = self._lease or self._leased()
            self._leases += 1
        try:
            yield
        finally:
            with self._leasing:
                self._leases -= 1
                if not self._leases and self._lease is not None:
                    self._lease.__exit__(None, None, None)
                    self._lease = None

    def _leased(self) -> AbstractContextManager[bool]:
        """A lease of this store's, held."""
        from imagelab.store.locks import locked
        from imagelab.store.os_errors import translate_os_errors

        leases = self.directory / "leases"
        with translate_os_errors():
            leases.mkdir(exist_ok=True)
            with locked(leases / "sweep.lock"):
                lease = locked(leases / f"{os.getpid()}-{id(self)}")
                lease.__enter__()
        return lease

    def gc(self) -> int:
        """Drop every blob that neither the lab nor its timeline reaches, and what a broken download left; bytes freed."""
        return self._swept(None)

    def drop(self, blobs: Iterable[Digest]) -> int:
        """Drop those of these blobs that nothing reaches: what a verb brought that then failed; bytes freed."""
        return self._swept(set(blobs))

    def _swept(self, candidates: set[Digest] | None) -> int:
        """Drop unreachable blobs: those of `candidates`, or (None) all there are. Nothing while a pull is under way."""
        from imagelab.store.locks import locked
        from imagelab.store.os_errors import translate_os_errors

        (self.directory / "leases").mkdir(exist_ok=True)
        with translate_os_errors(), locked(self.directory / "leases" / "sweep.lock"):
            return 0 if self._somebody_pulls() else self._sweep(candidates)

    def _sweep(self, candidates: set[Digest] | None) -> int:
        from imagelab.store import tree_cache

        blobs = self.blobs
        reachable = self.history.reached()
        unreached = (set(blobs.digests()) if candidates is None else candidates) - reachable
        with self._lock, self._database.writing():
            stale = set(self._database.indexed_blobs()) - reachable if candidates is None else unreached
            self._database.drop_indexes(stale)
            if candidates is None:
                self._database.made.keep(reachable)
        tree_cache.sweep(self.directory, self.state().layers)
        self._trees.clear()
        rest = list(blobs.partial.iterdir()) if candidates is None else []
        size = sum(blobs.remove(digest) for digest in sorted(unreached))
        for file in rest:
            size += file.stat().st_size
            file.unlink()
        return size

    def _somebody_pulls(self) -> bool:
        """Is there a lease whose owner lives? Those of the dead are cleared away."""
        from imagelab.store.locks import locked

        for file in (self.directory / "leases").iterdir():
            if file.name == "sweep.lock":
                continue
            with locked(file, wait=False) as ours:
                if not ours:
                    return True
        return False

    def doctor(self) -> list[str]:
        """A sentence for everything that is not as it should be; [] for a healthy lab. Reads every byte."""
        from imagelab.store.doctor import examine

        with self._lock:
            damage = self._database.check()
        return damage or examine(self)


def make_directory(directory: Path) -> None:
    """The folders of a lab, empty."""
    from imagelab.store.blobs import Blobs

    if directory.is_file():
        raise StoreError(f"{directory} is a file, not a directory", hint="choose another place with --lab DIR")
    directory.mkdir(parents=True, exist_ok=True)
    Blobs(directory).make()
    (directory / "leases").mkdir(exist_ok=True)
    (directory / "cache").mkdir(exist_ok=True)
    (directory / "README").write_text(README, encoding="utf-8")
