"""A lab at one moment, as exercises look at it: its State, and what its images and containers hold.

    State        names, images, layers, containers
    configs      image ID -> its config: command, environment, history
    files        chain ID or container ID -> its tree, so that every layer of an image can be looked at from above
    releases     how many builds of each tag the publisher has brought out
    since        what came after a step: the verb that made each moment, and the lab as it was then

A snapshot is a value. It is taken before the learner begins and again after every cell; checks and hints are functions of
the two and of nothing else, least of all of what the learner typed. Names are looked up as Docker would (`nginx` is
`nginx:latest`), so an author writes what a learner reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imagelab.layers.tree import MOST_LINKS, Kind, Node, Tree
from imagelab.oci.digest import Digest
from imagelab.oci.reference import Reference
from imagelab.state.model import Container, Image, State

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab
    from imagelab.oci.documents import ImageConfig
    from imagelab.state.steps import Step


def _nothing(node: Node) -> bytes:
    return b""


@dataclass(frozen=True, slots=True)
class Moment:
    """The lab as it was after a step, and the verb that brought it there: `build`, `commit`, `pull`."""

    verb: str
    state: State
    dockerfile: str = ""
    """What a build was told to do."""


def _no_moments(after: int) -> tuple[Moment, ...]:
    return ()


@dataclass(frozen=True)
class LabSnapshot:
    """One moment of a lab. `read` gives a file's bytes, `since` the moments after a step; everything else is here."""

    state: State = field(default_factory=State)
    configs: Mapping[Digest, ImageConfig] = field(default_factory=dict)
    files: Mapping[str, Tree] = field(default_factory=dict)
    read: Callable[[Node], bytes] = field(default=_nothing, compare=False, repr=False)
    releases: Mapping[str, int] = field(default_factory=dict)
    position: int = field(default=0, compare=False)
    """The step whose result this is."""
    since: Callable[[int], tuple[Moment, ...]] = field(default=_no_moments, compare=False, repr=False)

    def id_of(self, name: str) -> Digest | None:
        """The image that a reference stands for; None when it stands for none."""
        return self.state.references.get(canonical(name))

    def image(self, name: str) -> Image | None:
        """The image that a reference stands for."""
        found = self.id_of(name)
        return self.state.images[found] if found is not None else None

    def container(self, name: str) -> Container | None:
        """The container of that name."""
        return next((one for one in self.state.containers.values() if one.name == name), None)

    def config(self, name: str) -> ImageConfig | None:
        """The config of the image a reference stands for."""
        found = self.id_of(name)
        return self.configs.get(found) if found is not None else None

    def tree(self, name: str) -> Tree:
        """The files of the image, or else the container, of that name; none at all when there is neither."""
        image = self.image(name)
        if image is not None:
            return self.files.get(image.layers[-1] if image.layers else "", Tree.empty())
        container = self.container(name)
        return self.files.get(container.id if container else "", Tree.empty())

    def trees(self, name: str) -> tuple[Tree, ...]:
        """What an image's layers make, one after the other: the base alone, the base and the next, … all of them."""
        image = self.image(name)
        return tuple(self.files.get(chain_id, Tree.empty()) for chain_id in image.layers) if image else ()

    def data(self, name: str, path: str) -> bytes | None:
        """The bytes of a file of an image or a container; None when there is no such file."""
        node = found(self.tree(name), path)
        return self.read(node) if node is not None and node.kind is Kind.FILE else None

    def text(self, name: str, path: str) -> str | None:
        """What a file of an image or a container says; None when there is no such file."""
        data = self.data(name, path)
        return None if data is None else data.decode("utf-8", "replace")

    @property
    def dangling(self) -> tuple[Digest, ...]:
        """IDs of the dangling images (R3.15), in order."""
        return tuple(sorted(one for one in self.state.images if self.state.is_dangling(one)))

    @property
    def intermediate(self) -> tuple[Digest, ...]:
        """IDs of the intermediate images (R3.14), in order."""
        return tuple(sorted(one for one in self.state.images if self.state.is_intermediate(one)))


def canonical(name: str) -> str:
    """A name as State has it: `nginx` -> `docker.io/library/nginx:latest`; a digest wins over a tag (R1.12)."""
    reference = Reference.parse(name)
    if reference.digest:
        return f"{reference.repository}@{reference.digest}"
    return str(reference.with_default_tag())


def located(tree: Tree, path: str) -> str | None:
    """Where a path leads once its symlinks are followed; None when that is nowhere."""
    steps, trail, links = path.split("/")[::-1], [""], 0
    while steps:
        name = steps.pop()
        if name in ("", ".", ".."):
            trail = trail[:-1] or trail if name == ".." else trail
            continue
        at = f"{trail[-1]}/{name}".strip("/")
        node = tree.get(at)
        if node is None or links > MOST_LINKS:
            return None
        if node.kind is Kind.SYMLINK:
            links += 1
            trail = [""] if node.target.startswith("/") else trail
            steps.extend(node.target.split("/")[::-1])
        else:
            trail.append(at)
    return trail[-1]


def found(tree: Tree, path: str) -> Node | None:
    """What a path leads to, symlinks followed; None when that is nothing."""
    at = located(tree, path)
    return None if at is None else tree[at]


GROUPS = {"builder", "container", "image"}
"""First words that only say what a verb is about."""


def _moments(lab: Lab, after: int) -> tuple[Moment, ...]:
    return tuple(
        Moment(next((word for word in step.command if word not in GROUPS), ""), state, _dockerfile(lab, step))
        for step, state in lab.timeline.since(after)
    )


def _dockerfile(lab: Lab, step: Step) -> str:
    """The Dockerfile that a build has read, as the timeline keeps it."""
    import io
    import tarfile

    if not {"context", "dockerfile"} <= step.inputs.keys():
        return ""
    name, context = (lab.store.read_blob(step.inputs[kind]) for kind in ("dockerfile", "context"))
    try:
        with tarfile.open(fileobj=io.BytesIO(context)) as archive:
            file = archive.extractfile(name.decode())
            return file.read().decode("utf-8", "replace") if file else ""
    except (KeyError, tarfile.TarError):
        return ""


def take_snapshot(lab: Lab) -> LabSnapshot:
    """The lab as it is now."""
    state, store = lab.state, lab.store
    files: dict[str, Tree] = {one.id: lab.engine.containers.tree(one.id) for one in state.containers.values()}
    files |= {chain_id: store.tree(chain_id) for chain_id in state.layers}
    return LabSnapshot(
        state, {image_id: store.config(image_id) for image_id in state.images}, files, store.read_file,
        lab.upstream.releases, lab.timeline.position, lambda after: _moments(lab, after),
    )  # fmt: skip
