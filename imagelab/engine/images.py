"""The verbs of images, and every question about them. `Engine.images` has them.

    pull       a name           -> its image, here
    list       filters          -> the images that `docker images` lists, in its order
    tag        image, new name  -> one more name
    remove     name or ID       -> what was untagged and deleted
    prune      filters          -> the same, for everything that is not needed
    resolve, inspect, history, config, tree, disk_usage -> questions

An image argument is looked up as Docker does (R1.19): 64 hex digits are an ID and nothing else; then a name, with
`:latest` added; then an ID prefix of any length. So a repository called `beef` hides the image `beef…` (R1.20).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagelab.errors import ImageNotFoundError, ReferenceSyntaxError, UsageError
from imagelab.oci.digest import Digest
from imagelab.oci.reference import Reference, familiar, not_a_tag, parse_in_daemon, tag_target
from imagelab.state.events import Deleted, Event, Progress, ProgressSink, Removal, Untagged, silent
from imagelab.state.model import Image, State

if TYPE_CHECKING:
    from imagelab.engine.context import Context
    from imagelab.layers.tree import Tree
    from imagelab.oci.documents import ImageConfig
    from imagelab.registry.client import Upstream
    from imagelab.state.image_filters import Filters
    from imagelab.state.removal import RemovalPlan
    from imagelab.state.reports import DiskUsage, HistoryRow, ImageUsage, PruneReport

_HEX = re.compile(r"(?:sha256:)?([a-f0-9]{1,64})")


@dataclass(frozen=True, slots=True)
class PullResult:
    """`canonical` is the last line of `docker pull`; `images` the IDs, one per reference pulled."""

    canonical: str
    images: tuple[Digest, ...]
    target: Digest
    newer: bool


class Images:
    """The verbs of one lab's images.

    `state()` is the lab as it is now. `recorded(name, progress)` is entered for a pull, and gives the sink that is told of it.
    """

    def __init__(
        self,
        context: Context,
        state: Callable[[], State],
        upstream: Upstream | Callable[[], Upstream],
        *,
        workers: int,
        recorded: Callable[[str, ProgressSink], AbstractContextManager[ProgressSink]],
    ) -> None:
        self._context, self._store, self._state = context, context.store, state
        self._upstream, self._workers, self._recorded = upstream, workers, recorded

    @property
    def state(self) -> State:
        """Everything the lab holds now."""
        return self._state()

    @property
    def upstream(self) -> Upstream:
        """Where names are fetched from; made when first needed, since it needs the network's libraries."""
        if callable(self._upstream):
            self._upstream = self._upstream()
        return self._upstream

    # -- names ----------------------------------------------------------------------------------------------

    def resolve(self, text: str) -> Image:
        """The image a person means by `text`; ImageNotFoundError in Docker's words (R1.19-R1.23)."""
        return self.find(text)[0]

    def find(self, text: str) -> tuple[Image, str | None]:
        """The image, and the canonical reference it was found by (None: by its ID)."""
        state = self._state()
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
        images = [image for image_id, image in state.images.items() if image_id.startswith(prefix)]
        return images[0] if len(images) == 1 else self._by_target(state, prefix)

    def _by_target(self, state: State, prefix: str) -> Image | None:
        """In Docker 29 an image's ID is the digest of its manifest or index (R1.23)."""
        if self._context.era() != "29":
            return None
        images = [image for image in state.images.values() if image.target.startswith(prefix)]
        return images[0] if len(images) == 1 else None

    # -- pull and tag ---------------------------------------------------------------------------------------

    def pull(
        self, name: str, *, all_tags: bool = False, platform: str | None = None, progress: ProgressSink = silent
    ) -> PullResult:
        """Fetch an image, or every tag of a repository; `platform` as `os/architecture[/variant]`.

        Progress is told in Docker's lines and order (R2.6-R2.13), `Digest:` and `Status:` included. Raises
        ReferenceSyntaxError, UsageError (R2.2), RegistryError, ManifestError, DigestMismatchError, LayerFormatError.
        """
        with self._recorded(name, progress) as sink:
            return self._pull(name, sink, all_tags=all_tags, platform=platform)

    def _pull(self, name: str, progress: ProgressSink, *, all_tags: bool, platform: str | None) -> PullResult:
        from imagelab.engine.pull import Puller, refuse_reserved
        from imagelab.oci.documents import Platform

        reference = Reference.parse(name)
        if all_tags and (reference.tag or reference.digest):
            raise UsageError("tag can't be used with --all-tags/-a")
        refuse_reserved(reference)
        puller = Puller(
            self._store,
            self.upstream.remote(reference),
            Platform.parse(platform or self._context.platform),
            progress,
            self._context.clock(),
            self._workers,
        )
        tags = puller.remote.tags() if all_tags else []
        wanted = [reference.with_tag(tag) for tag in tags] if all_tags else [reference.with_default_tag()]
        pulled = [puller.pull(result) for result in wanted]
        newer = any(result.newer for result in pulled)
        subject = reference.familiar_name() if all_tags else wanted[0].familiar()
        progress(Progress(f"Status: {'Downloaded newer image' if newer else 'Image is up to date'} for {subject}"))
        for result in pulled:
            self._context.emit(
                Event("image", "pull", result.reference.familiar(), {"name": result.reference.familiar_name()})
            )
        canonical = reference.repository if all_tags else str(wanted[0])
        return PullResult(canonical, tuple(result.image_id for result in pulled), pulled[-1].target, newer)

    def tag(self, source: str, target: str) -> None:
        """One more name for an image; a name that exists is moved without a word (R1.17)."""
        reference = tag_target(target)
        try:
            Reference.parse(source)
        except ReferenceSyntaxError as error:
            if not _is_full_id(source):
                raise not_a_tag(source, error) from None
        image = self.resolve(source)
        with self._store.transaction() as tx:
            tx.tag(str(reference), image.id, self._context.clock())
        self._context.emit(Event("image", "tag", image.id, {"name": reference.familiar()}))

    # -- remove ---------------------------------------------------------------------------------------------

    def remove(self, name: str, *, force: bool = False, prune: bool = True) -> tuple[Removal, ...]:
        """Untag or delete what one argument names (R5.2-R5.13); `prune` lets untagged parents go too.

        Raises ImageNotFoundError, or ConflictError, and then nothing has changed.
        """
        from imagelab.state.removal import RemovalPlan

        image, found_by = self.find(name)
        plan = RemovalPlan(self._state())
        plan.remove(image, name, found_by, force=force, prune=prune)
        return self._carry_out(plan)

    def prune(self, *, all: bool = False, filters: Filters | None = None) -> PruneReport:
        """Remove dangling images, or with `all` every image no container uses (R5.17-R5.21)."""
        from imagelab.state.image_filters import Filters, select_prunable
        from imagelab.state.removal import RemovalPlan, freed_bytes

        state = self._state()
        plan = RemovalPlan(state)
        for image in select_prunable(
            state, filters or Filters(), all=all, now=self._context.clock(), tz=self._context.timezone()
        ):
            plan.prune(image.id)
        removed = self._carry_out(plan)
        from imagelab.state.reports import PruneReport

        return PruneReport(removed, freed_bytes(state, removed))

    def _carry_out(self, plan: RemovalPlan) -> tuple[Removal, ...]:
        with self._store.transaction() as tx:
            for name in plan.untagged:
                tx.untag(name)
            for image_id in plan.deleted:
                tx.delete_image(image_id)
        deleted = set(plan.deleted)
        for item in plan.removed:
            match item:
                case Untagged(reference):
                    self._context.emit(Event("image", "untag", reference))
                case Deleted(digest) if digest in deleted:
                    self._context.emit(Event("image", "delete", digest))
        return tuple(plan.removed)

    # -- questions ------------------------------------------------------------------------------------------

    def list(self, *, all: bool = False, filters: Filters | None = None) -> Sequence[Image]:
        """What `docker images` lists: newest first, intermediates only with `all` (R3.3, R3.14-R3.28)."""
        from imagelab.state.image_filters import Filters, select_images

        return select_images(
            self._state(),
            filters or Filters(),
            all=all,
            now=self._context.clock(),
            resolve=self.resolve,
            tz=self._context.timezone(),
        )

    def config(self, name: str) -> ImageConfig:
        """The config of an image, raw bytes included."""
        return self._store.config(self.resolve(name).id)

    def tree(self, name: str) -> Tree:
        """The files of an image, all layers merged."""
        from imagelab.layers.tree import Tree

        layers = self.resolve(name).layers
        return self._store.tree(layers[-1]) if layers else Tree.empty()

    def history(self, name: str) -> Sequence[HistoryRow]:
        """One row per history entry, newest first (R6.39-R6.43)."""
        image = self.resolve(name)
        state = self._state()
        sizes = iter([state.layers[chain_id].size for chain_id in image.layers])
        rows = [(entry, 0 if entry.empty_layer else next(sizes, 0)) for entry in self._store.config(image.id).history]
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
        state = self._state()
        config = self._store.config(image.id)
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
        state = self._state()
        listed = self.list()
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

        return str(decode(self._store.read_blob(target), "manifest").get("mediaType") or OCI_MANIFEST)


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


def _graph_data(state: State, image: Image) -> dict[str, str]:
    """Where overlay2 would stack the layers: top first, the base last (R6.51); the names are chain IDs here."""
    places: Sequence[str] = [f"layers/{chain_id.hex}/diff" for chain_id in reversed(image.layers)]
    if not places:
        return {}
    top = places[0].removesuffix("/diff")
    data = {"LowerDir": ":".join(places[1:])} if len(places) > 1 else {}
    return data | {"MergedDir": f"{top}/merged", "UpperDir": places[0], "WorkDir": f"{top}/work"}
