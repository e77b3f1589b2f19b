"""Every verb in one place: what a face (a terminal, a notebook, a server) asks for, and the only thing it calls.

    pull       a name           -> its image, here
    images     filters          -> the images that `docker images` lists, in its order
    tag        image, new name  -> one more name
    remove     name or ID       -> what was untagged and deleted
    prune      filters          -> the same, for everything nobody needs
    containers, archives        -> the verbs of containers; save, load, import
    inspect, history, config, tree, disk_usage -> questions

The engine has no clock, no environment and no terminal of its own: it is given them. `clock` answers with nanoseconds
since 1970; `progress` and `events` are told what happens; `upstream` says where names are fetched from. Same store,
same parameters, same calls: same bytes.

An image argument is looked up as Docker does (R1.19): 64 hex digits are an ID and nothing else; then a name, with
`:latest` added; then an ID prefix of any length. So a repository called `beef` hides the image `beef…` (R1.20).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import IO, TYPE_CHECKING, Any

from imagelab.errors import ImageLabError, ImageNotFoundError, ReferenceSyntaxError, UsageError
from imagelab.oci.digest import Digest
from imagelab.oci.reference import Reference, familiar
from imagelab.state.events import Deleted, Event, EventSink, Progress, ProgressSink, Removal, Untagged, silent
from imagelab.state.model import Image, State

if TYPE_CHECKING:
    from imagelab.engine.archives.archives import Archives
    from imagelab.engine.build.request import BuildOptions
    from imagelab.engine.build.trace import BuildTrace, Tell
    from imagelab.engine.containers import Containers
    from imagelab.engine.timeline import Timeline
    from imagelab.layers.tree import Tree
    from imagelab.oci.documents import ImageConfig, Platform
    from imagelab.registry.client import Upstream
    from imagelab.runtime.runner import Runner
    from imagelab.state.image_filters import Filters
    from imagelab.state.reports import DiskUsage, HistoryRow, ImageUsage, PruneReport
    from imagelab.store.store import Store

_HEX = re.compile(r"(?:sha256:)?([a-f0-9]{1,64})")


@dataclass(frozen=True, slots=True)
class PullResult:
    """`canonical` is the last line of `docker pull`; `images` the IDs, one per reference pulled."""

    canonical: str
    images: tuple[Digest, ...]
    target: Digest
    newer: bool


def _unrecorded(name: str, progress: ProgressSink) -> AbstractContextManager[ProgressSink]:
    return nullcontext(progress)


class Engine:
    """The verbs of one lab.

    `clock()` gives nanoseconds since 1970; `workers` is how many layers are fetched at once by threads (0: never a
    thread); `tz()` is the zone of a date that names none; `era()` is "29" when the IDs people type are those of Docker 29.
    `ids()` makes a container's ID (64 hex digits), `noise(n)` n random bytes; `runner()` makes who drives containers;
    `recorded(name, progress)` is entered for a pull, and gives the sink that is told of it.
    """

    def __init__(
        self,
        store: Store,
        upstream: Upstream | Callable[[], Upstream],
        *,
        clock: Callable[[], int],
        progress: ProgressSink = silent,
        events: EventSink = silent,
        platform: str = "linux/amd64",
        era: Callable[[], str] = lambda: "28",
        workers: int = 3,
        tz: Callable[[], tzinfo] = lambda: UTC,
        ids: Callable[[], str] = lambda: "0" * 64,
        noise: Callable[[int], bytes] = bytes,
        runner: Callable[[], Runner] | None = None,
        recorded: Callable[[str, ProgressSink], AbstractContextManager[ProgressSink]] = _unrecorded,
    ) -> None:
        self.store = store
        self.clock = clock
        self.progress = progress
        self._told = events
        self.platform = platform
        self.era = era
        self.workers = workers
        self.tz = tz
        self._upstream = upstream
        self._ids, self._noise, self._runner, self._recorded = ids, noise, runner, recorded
        self._containers: Containers | None = None

    @property
    def archives(self) -> Archives:
        """The verbs of archives: save, load, import."""
        from imagelab.engine.archives.archives import Archives

        return Archives(self)

    @property
    def state(self) -> State:
        """Everything the lab holds now."""
        state = self.store.state()
        return self.containers.state if any(one.running for one in state.containers.values()) else state

    @property
    def events(self) -> EventSink:
        """Who is told what was done: the face that asked for it, and the timeline."""
        return self._tell

    @events.setter
    def events(self, sink: EventSink) -> None:
        self._told = sink

    def _tell(self, event: Event) -> None:
        self._told(event)
        self.store.note(event)

    @property
    def timeline(self) -> Timeline:
        """Every step that was made, and the way back and forth between them."""
        from imagelab.engine.timeline import Timeline

        return Timeline(self)

    @property
    def containers(self) -> Containers:
        """The verbs of containers: run, exec, diff, commit and the others."""
        if self._containers is None:
            from imagelab.engine.containers import Containers
            from imagelab.runtime.driver import World
            from imagelab.runtime.runner import InProcess

            runner = self._runner() if self._runner else InProcess()
            self._containers = Containers(self, runner, self._ids, World(self.clock, noise=self._noise))
        return self._containers

    @property
    def upstream(self) -> Upstream:
        """Where names are fetched from; made when first needed, since it needs the network's libraries."""
        if callable(self._upstream):
            self._upstream = self._upstream()
        return self._upstream

    def close(self) -> None:
        """Let go of containers that live in this process."""
        if self._containers is not None:
            self._containers.runner.close()

    # -- names ----------------------------------------------------------------------------------------------

    def resolve(self, text: str) -> Image:
        """The image a person means by `text`; ImageNotFoundError in Docker's words (R1.19-R1.23)."""
        return self.find(text)[0]

    def find(self, text: str) -> tuple[Image, str | None]:
        """The image, and the canonical reference it was found by (None: by its ID)."""
        state = self.state
        if (image := self._by_full_id(state, text)) is not None:
            return image, None
        reference = parse_in_daemon(text) if not _is_full_id(text) else None
        if reference is not None and (name := _stored_name(reference)) in state.references:
            return state.images[state.references[name]], name
        if (image := self._by_prefix(state, text)) is not None:
            return image, None
        shown = text if reference is None else _shown(reference)
        raise ImageNotFoundError(f"No such image: {shown}", hint=_suggestion(state, text))

    def _by_full_id(self, state: State, text: str) -> Image | None:
        if not _is_full_id(text):
            return None
        digest = Digest("sha256:" + text.removeprefix("sha256:"))
        if digest in state.images:
            return state.images[digest]
        return self._by_target(state, digest)

    def _by_prefix(self, state: State, text: str) -> Image | None:
        """A unique ID prefix; an ambiguous one is as good as none (R1.21)."""
        if not (match := _HEX.fullmatch(text)):
            return None
        prefix = "sha256:" + match[1]
        found = [image for image_id, image in state.images.items() if image_id.startswith(prefix)]
        return found[0] if len(found) == 1 else self._by_target(state, prefix)

    def _by_target(self, state: State, prefix: str) -> Image | None:
        """In Docker 29 an image's ID is the digest of its manifest or index (R1.23)."""
        if self.era() != "29":
            return None
        found = [image for image in state.images.values() if image.target.startswith(prefix)]
        return found[0] if len(found) == 1 else None

    # -- pull and tag ---------------------------------------------------------------------------------------

    def pull(self, name: str, *, all_tags: bool = False, platform: str | None = None) -> PullResult:
        """Fetch an image, or every tag of a repository; `platform` as `os/architecture[/variant]`.

        Progress is told in Docker's lines and order (R2.6-R2.13), `Digest:` and `Status:` included. Raises
        ReferenceSyntaxError, UsageError (R2.2), RegistryError, ManifestError, DigestMismatchError, LayerFormatError.
        """
        with self._recorded(name, self.progress) as progress:
            return self._pull(name, progress, all_tags=all_tags, platform=platform)

    def _pull(self, name: str, progress: ProgressSink, *, all_tags: bool, platform: str | None) -> PullResult:
        from imagelab.engine.pull import Puller, refuse_reserved

        reference = Reference.parse(name)
        if all_tags and (reference.tag or reference.digest):
            raise UsageError("tag can't be used with --all-tags/-a")
        refuse_reserved(reference)
        puller = Puller(
            self.store,
            self.upstream.remote(reference),
            parse_platform(platform or self.platform),
            progress,
            self.clock(),
            self.workers,
        )
        tags = puller.remote.tags() if all_tags else []
        wanted = [reference.with_tag(tag) for tag in tags] if all_tags else [reference.with_default_tag()]
        pulled = [puller.pull(one) for one in wanted]
        newer = any(one.newer for one in pulled)
        subject = reference.familiar_name() if all_tags else wanted[0].familiar()
        progress(Progress(f"Status: {'Downloaded newer image' if newer else 'Image is up to date'} for {subject}"))
        for one in pulled:
            self.events(Event("image", "pull", one.reference.familiar(), {"name": one.reference.familiar_name()}))
        canonical = reference.repository if all_tags else str(wanted[0])
        return PullResult(canonical, tuple(one.image_id for one in pulled), pulled[-1].target, newer)

    def tag(self, source: str, target: str) -> None:
        """One more name for an image; a name that exists is moved without a word (R1.17)."""
        reference = tag_target(target)
        try:
            Reference.parse(source)
        except ReferenceSyntaxError as error:
            if not _is_full_id(source):
                raise _not_a_tag(source, error) from None
        image = self.resolve(source)
        with self.store.transaction() as tx:
            tx.tag(str(reference), image.id, self.clock())
        self.events(Event("image", "tag", image.id, {"name": reference.familiar()}))

    def build(self, context: IO[bytes], options: BuildOptions, tell: Tell = lambda said: None) -> BuildTrace:
        """Build an image from a context, a tar of any compression that can be read from its beginning again; what was done.

        `tell` hears of each step as it happens. DockerfileError before anything is done; BuildError when a step fails:
        then what was built before it stays, and its container, too.
        """
        if options.buildkit:
            from imagelab.engine.build.buildkit import KitBuilder

            return KitBuilder(self, options, tell).build(context)
        from imagelab.engine.build.classic import Builder

        return Builder(self, options, tell).build(context)

    # -- remove ---------------------------------------------------------------------------------------------

    def remove(self, name: str, *, force: bool = False, prune: bool = True) -> tuple[Removal, ...]:
        """Untag or delete what one argument names (R5.2-R5.13); `prune` lets untagged parents go too.

        Raises ImageNotFoundError, or ConflictError, and then nothing has changed.
        """
        from imagelab.state.removal import Plan

        image, found_by = self.find(name)
        plan = Plan(self.state)
        plan.remove(image, name, found_by, force=force, prune=prune)
        return self._carry_out(plan)

    def prune(self, *, all: bool = False, filters: Filters | None = None) -> PruneReport:
        """Remove dangling images, or with `all` every image no container uses (R5.17-R5.21)."""
        from imagelab.state.image_filters import Filters, select_prunable
        from imagelab.state.removal import Plan, freed_bytes

        state = self.state
        plan = Plan(state)
        for image in select_prunable(state, filters or Filters(), all=all, now=self.clock(), tz=self.tz()):
            plan.prune(image.id)
        removed = self._carry_out(plan)
        from imagelab.state.reports import PruneReport

        return PruneReport(removed, freed_bytes(state, removed))

    def _carry_out(self, plan: Any) -> tuple[Removal, ...]:
        with self.store.transaction() as tx:
            for name in plan.untagged:
                tx.untag(name)
            for image_id in plan.deleted:
                tx.delete_image(image_id)
        deleted = set(plan.deleted)
        for item in plan.removed:
            match item:
                case Untagged(reference):
                    self.events(Event("image", "untag", reference))
                case Deleted(digest) if digest in deleted:
                    self.events(Event("image", "delete", digest))
        return tuple(plan.removed)

    # -- questions ------------------------------------------------------------------------------------------

    def images(self, *, all: bool = False, filters: Filters | None = None) -> list[Image]:
        """What `docker images` lists: newest first, intermediates only with `all` (R3.3, R3.14-R3.28)."""
        from imagelab.state.image_filters import Filters, select_images

        return select_images(
            self.state, filters or Filters(), all=all, now=self.clock(), resolve=self.resolve, tz=self.tz()
        )

    def config(self, name: str) -> ImageConfig:
        """The config of an image, raw bytes included."""
        return self.store.config(self.resolve(name).id)

    def tree(self, name: str) -> Tree:
        """The files of an image, all layers merged."""
        from imagelab.layers.tree import Tree

        layers = self.resolve(name).layers
        return self.store.tree(layers[-1]) if layers else Tree.empty()

    def history(self, name: str) -> list[HistoryRow]:
        """One row per history entry, newest first (R6.39-R6.43)."""
        image = self.resolve(name)
        state = self.state
        sizes = iter([state.layers[chain_id].size for chain_id in image.layers])
        rows = [(entry, 0 if entry.empty_layer else next(sizes, 0)) for entry in self.store.config(image.id).history]
        ids: list[Digest | None] = [image.id, *state.parents(image.id)]
        ids += [None] * (len(rows) - len(ids))
        from imagelab.state.reports import HistoryRow
        from imagelab.units import parse_time

        return [
            HistoryRow(
                image_id,
                parse_time(entry.created) if entry.created else 0,
                entry.created_by,
                size,
                entry.comment,
                tuple(familiar(tag) for tag in state.tags(image_id)) if image_id else (),
            )
            for image_id, (entry, size) in zip(ids, reversed(rows), strict=False)
        ]

    def inspect(self, name: str) -> dict[str, Any]:
        """The object `docker image inspect` prints, in its field order (R6.50, R6.51)."""
        image = self.resolve(name)
        state = self.state
        config = self.store.config(image.id)
        data = config.data
        comment = data.get("comment") or (config.history[-1].comment if config.history else "")
        from imagelab.units import rfc3339

        out: dict[str, Any] = {
            "Id": str(image.id),
            "RepoTags": [familiar(name) for name in state.tags(image.id)],
            "RepoDigests": [familiar(name) for name in state.digests(image.id)],
            "Parent": str(image.parent or ""),
            "Comment": comment,
            "Created": config.created or "0001-01-01T00:00:00Z",
            "DockerVersion": data.get("docker_version") or "",
            "Author": data.get("author") or "",
            "Config": data.get("config") or {},
            "Architecture": config.platform.architecture,
        }
        if config.platform.variant:
            out["Variant"] = config.platform.variant
        return out | {
            "Os": config.platform.os,
            "Size": image.size,
            "GraphDriver": {"Data": _graph_data(state, image), "Name": "imagelab"},
            "RootFS": {"Type": "layers", "Layers": [state.layers[chain_id].diff_id for chain_id in image.layers]},
            "Metadata": {"LastTagTime": rfc3339(image.tagged) if image.tagged else "0001-01-01T00:00:00Z"},
        }

    def disk_usage(self) -> DiskUsage:
        """What the images take, what they share, what could go (R6.53-R6.57)."""
        state = self.state
        listed = self.images()
        stands_on = Counter(chain_id for image in state.images.values() for chain_id in image.layers)
        usage = [self._usage(state, image, stands_on) for image in listed]
        distinct = {chain_id for image in listed for chain_id in image.layers}
        total = sum(state.layers[chain_id].size for chain_id in distinct)
        used = sum(row.unique for row in usage if row.containers)
        from imagelab.state.reports import DiskUsage

        return DiskUsage(tuple(usage), total, total - used, tuple(state.containers.values()))

    def _usage(self, state: State, image: Image, stands_on: Counter[Digest]) -> ImageUsage:
        shared = sum(state.layers[chain_id].size for chain_id in image.layers if stands_on[chain_id] > 1)
        from imagelab.state.reports import ImageUsage

        return ImageUsage(image, shared, image.size - shared, len(state.users(image.id)))

    def media_type(self, target: Digest) -> str:
        """What kind of bytes a target is: a manifest or an index, as it says of itself."""
        from imagelab.oci.documents import OCI_MANIFEST, decode

        return str(decode(self.store.read_blob(target), "manifest").get("mediaType") or OCI_MANIFEST)

    def doctor(self) -> list[str]:
        """Recompute every digest, size and link; a sentence for each thing that is wrong."""
        return self.store.doctor()

    def gc(self, keep: int | None = None) -> int:
        """Forget other branches of the timeline, and all but its last `keep` steps; drop what nothing reaches: bytes freed."""
        return self.timeline.forget(keep)


def parse_platform(text: str) -> Platform:
    """`linux/arm64/v8` -> Platform; anything else is refused in containerd's words."""
    from imagelab.oci.documents import Platform

    parts = text.split("/")
    if len(parts) == 1 and re.fullmatch(r"[A-Za-z0-9_-]+", text):  # only an architecture, or only a system
        known = text.lower() in {"linux", "windows", "freebsd", "darwin"}
        parts = [text, "amd64"] if known else ["linux", text]
    if not 2 <= len(parts) <= 3 or not all(re.fullmatch(r"[A-Za-z0-9_.-]+", part) for part in parts):
        raise ImageLabError(
            f'"{text}": unknown operating system or architecture: invalid argument',
            hint="a platform is os/architecture or os/architecture/variant, for example linux/arm64/v8",
        )
    return Platform(*parts)


def parse_in_daemon(text: str) -> Reference:
    """A name that reached the daemon: the same grammar, but the error is the daemon's."""
    try:
        return Reference.parse(text)
    except ReferenceSyntaxError as error:
        error.origin = "daemon"
        raise


def _is_full_id(text: str) -> bool:
    return bool(re.fullmatch(r"(?:sha256:)?[a-f0-9]{64}", text))


def _stored_name(reference: Reference) -> str:
    """How a reference is spelt in the store: a digest wins over a tag (R1.12)."""
    if reference.digest:
        return f"{reference.repository}@{reference.digest}"
    return str(reference.with_default_tag())


def _shown(reference: Reference) -> str:
    return reference.familiar() if reference.digest else reference.with_default_tag().familiar()


def _suggestion(state: State, text: str) -> str:
    repository = text.partition(":")[0]
    near = sorted(familiar(name) for name in state.references if "@" not in name and f"/{repository}:" in name)
    if near:
        return f"of this repository there is {', '.join(near)}"
    return "docker images lists what is here"


def tag_target(target: str) -> Reference:
    """The name a tag is put on, with `:latest` added. ReferenceSyntaxError, UsageError, ImageLabError for reserved ones."""
    try:
        reference = Reference.parse(target)
    except ReferenceSyntaxError as error:
        raise _not_a_tag(target, error) from None
    if reference.digest:
        raise UsageError("refusing to create a tag with a digest reference")
    if reference.path.removeprefix("library/") == "sha256" and reference.domain == "docker.io":
        raise ImageLabError("refusing to create an ambiguous tag using digest algorithm as name")
    return reference.with_default_tag()


def _not_a_tag(text: str, cause: ReferenceSyntaxError) -> ReferenceSyntaxError:
    return ReferenceSyntaxError(f'Error parsing reference: "{text}" is not a valid repository/tag: {cause}')


def _graph_data(state: State, image: Image) -> dict[str, str]:
    """Where overlay2 would stack the layers: top first, the base last (R6.51); the names are chain IDs here."""
    places: Sequence[str] = [f"layers/{chain_id.hex}/diff" for chain_id in reversed(image.layers)]
    if not places:
        return {}
    top = places[0].removesuffix("/diff")
    data = {"LowerDir": ":".join(places[1:])} if len(places) > 1 else {}
    return data | {"MergedDir": f"{top}/merged", "UpperDir": places[0], "WorkDir": f"{top}/work"}
