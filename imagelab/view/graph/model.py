"""A lab as a picture: layers stacked on the ground, images standing on their top layer, names and containers on the images.

        (nginx:latest)                 (nginx:v2)             tag
      [image 5ef79149e0ec]         [image 07e334659748]       image: stands on its top layer
                                   [ CMD edited a page ]      layer: stands on the layer below
      [         RUN apt-get install nginx            ]        ... as wide as what stands on it
      [               ADD rootfs                     ]
    ~~~~~~~~~~~~~~~~~~~~~~ the ground ~~~~~~~~~~~~~~~~~~~~~~

A layer *in place* is named by its chain ID, the digest of all that is below it and of itself, so layers in place form a
tree, in fact a trie: two images that begin with the same layers share them, and the picture shows that by one slab that
carries both. Walking down from an image gives back its list of layers; `Graph.layers_of` does that, and a test holds it.

`graph` makes the values, and nothing else: which things there are, what each stands on, what is to be said of each. Three
printers say them: `graph_svg` for eyes, `graph_text` as an indented tree and as sentences; a test holds that they say the
same. `since` compares with an earlier state: what is new, what is gone (and drawn as a ghost), which tag has moved.

A long run of layers that nothing else stands on is folded into one slab, "9 layers", so that a picture of a thousand layers
can still be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from imagelab.oci.digest import Digest
from imagelab.oci.reference import familiar
from imagelab.state.model import Container, Image, State

FOLD = 6
"""Runs longer than this are folded."""

LAYER, FOLDED, IMAGE, TAG, DIGEST, CONTAINER = "layer", "fold", "image", "tag", "digest", "container"
SHARED, DANGLING, INTERMEDIATE, IN_USE = "shared", "dangling", "intermediate", "in_use"
NEW, GONE, MOVED, CHANGED = "new", "gone", "moved", "changed"
MISSING, EXTRA, MISPLACED, OTHER = "missing", "extra", "misplaced", "other"
TOWARD = {GONE: MISSING, NEW: EXTRA, MOVED: MISPLACED, CHANGED: OTHER}
"""What a mark means on the way to a goal."""

_OUTLINES = {"added": (NEW, EXTRA), "removed": (GONE, MISSING), "changed": (MOVED, CHANGED, MISPLACED, OTHER)}
OUTLINES = {mark: kind for kind, marks in _OUTLINES.items() for mark in marks}
"""Which colour goes round a thing that changed."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing in the picture. `on` is the key of what it stands on or hangs on, "" for the ground."""

    key: str
    """Its kind and its name: `layer:9f13e0ac480c`, `tag:nginx:latest`."""
    kind: str
    title: str
    """What people call it: the short ID, or the name."""
    on: str
    about: str = ""
    """A layer's instruction; what a container runs."""
    size: int = 0
    """Bytes: of a layer, of an image with all its layers, of a container's writable layer."""
    marks: tuple[str, ...] = ()
    layers: tuple[Digest, ...] = ()
    """Chain IDs, base first: a layer's own, those of a fold, an image's stack."""
    images: int = 0
    """How many images stand on a layer."""
    parent: str = ""
    """The key of an image's local parent, when that is in the picture."""
    status: str = ""
    """A container's: running, exited ..."""
    was: str = ""
    """What it was before, for one that moved or changed: the short ID of an image, or a status."""


@dataclass(frozen=True)
class Graph:
    """Things in the order of reading: each one, then what stands on it. `lang` is what printers speak."""

    things: tuple[Thing, ...]
    lang: str = "en"
    images: int = 0
    """How many images there are in the whole lab; the picture may show fewer."""
    hidden: int = 0
    """Intermediate images that are left out."""

    @cached_property
    def by_key(self) -> Mapping[str, Thing]:
        return {thing.key: thing for thing in self.things}

    @cached_property
    def _on(self) -> Mapping[str, tuple[Thing, ...]]:
        return {key: tuple(things) for key, things in _by_ground(self.things).items()}

    def on(self, key: str) -> tuple[Thing, ...]:
        """What stands or hangs on a thing; on "" what stands on the ground."""
        return self._on.get(key, ())

    def of(self, *kinds: str) -> tuple[Thing, ...]:
        """The things of these kinds, in the order of reading."""
        return tuple(thing for thing in self.things if thing.kind in kinds)

    def below(self, key: str) -> Iterator[Thing]:
        """What carries a thing, nearest first, down to the ground."""
        below = self.by_key[key].on
        while below:
            yield self.by_key[below]
            below = self.by_key[below].on

    def layers_of(self, key: str) -> tuple[Digest, ...]:
        """The layers an image stands on, base first, by walking down to the ground."""
        stacks = [thing.layers for thing in self.below(key) if thing.kind in (LAYER, FOLDED)]
        return tuple(layer for stack in reversed(stacks) for layer in stack)


def graph(
    state: State, *, focus: Digest | None = None, all: bool = False, images: bool = False, since: State | None = None,
    commands: Mapping[Digest, str] | None = None, fold: int = FOLD, unfold: Collection[str] = (), lang: str = "en",
) -> Graph:  # fmt: skip
    """The picture of a lab.

    `focus`: only this image, its parents and its children. `all`: intermediate images and digest references, too.
    `images`: layers only where stacks part; runs of them are one slab. `since`: mark what differs from that state.
    `commands`: the instruction that made a layer, by chain ID. `fold`: runs longer than this are folded, 0 for none; those
    whose keys are in `unfold` are not.
    """
    drawing = _Drawing(state, since, focus=focus, all=all, commands=commands or {})
    tree = _folded(drawing.layers(), 1 if images else fold, keep=0 if images else 1, unfold=unfold)
    things = _in_reading_order([*tree, *drawing.images(tree), *drawing.containers(tree)])
    hidden = 0 if all else sum(state.is_intermediate(image_id) for image_id in state.images)
    return Graph(things, lang, len(state.images), hidden)


def toward(drawn: Graph) -> Graph:
    """The same picture for a learner on the way to `since`, who has not lost anything: what is "gone" there is still
    missing here, what is "new" is more than was asked for, and where a tag "was" is where it is to go."""
    things = (replace(thing, marks=tuple(TOWARD.get(mark, mark) for mark in thing.marks)) for thing in drawn.things)
    return replace(drawn, things=tuple(things))


# -- what there is ------------------------------------------------------------------------------------------


class _Drawing:
    """Two states laid over each other, and which part of them is to be seen."""

    def __init__(
        self, state: State, since: State | None, *, focus: Digest | None, all: bool, commands: Mapping[Digest, str]
    ) -> None:
        self.now, self.since, self.all, self.commands = state, since, all, commands
        self.both = state if since is None else _laid_over(state, since)
        self.focus = focus
        self.seen = {image_id: image for image_id, image in self.both.images.items() if self._is_seen(image_id)}
        self.standing = Counter(
            chain_id
            for image_id, image in self.both.images.items()
            if self._is_listed(image_id) or image_id in self.seen
            for chain_id in image.layers
        )

    def _is_listed(self, image_id: Digest) -> bool:
        return self.all or not self._home(image_id).is_intermediate(image_id)

    def _is_seen(self, image_id: Digest) -> bool:
        if self.focus is None:
            return self._is_listed(image_id)
        near = {self.focus, *self.both.parents(self.focus)} if self.focus in self.both.images else {self.focus}
        return image_id in near or self.focus in self.both.parents(image_id)

    def _home(self, image_id: Digest) -> State:
        """The state that an image is in: now, or the one before for one that is gone."""
        return self.now if image_id in self.now.images or self.since is None else self.since

    def _change(self, is_now: bool, was_before: bool) -> tuple[str, ...]:
        if self.since is None or is_now == was_before:
            return ()
        return (NEW,) if is_now else (GONE,)

    # -- layers

    def layers(self) -> list[Thing]:
        """Every layer in place, the lower before the upper."""
        wanted = self.both.layers if self.focus is None else self._under_what_is_seen()
        placed: dict[Digest, Thing] = {}
        for chain_id in wanted:
            self._place(chain_id, placed)
        return list(placed.values())

    def _under_what_is_seen(self) -> list[Digest]:
        stacks = [image.layers for image in self.seen.values()]
        stacks += [c.layers for c in self.both.containers.values() if c.image in self.seen or c.image == self.focus]
        return [chain_id for stack in stacks for chain_id in stack if chain_id in self.both.layers]

    def _place(self, chain_id: Digest, placed: dict[Digest, Thing]) -> None:
        waiting: list[Digest] = []
        below: Digest | None = chain_id
        while below is not None and below in self.both.layers and below not in placed:
            waiting.append(below)
            below = self.both.layers[below].parent
        for each in reversed(waiting):
            placed[each] = self._layer(each)

    def _layer(self, chain_id: Digest) -> Thing:
        layer, images = self.both.layers[chain_id], self.standing[chain_id]
        parent = layer.parent if layer.parent in self.both.layers else None
        before = self.since is not None and chain_id in self.since.layers
        marks = ((SHARED,) if images > 1 else ()) + self._change(chain_id in self.now.layers, before)
        return Thing(
            _layer_key(chain_id), LAYER, chain_id.short, _layer_key(parent) if parent else "",
            self.commands.get(chain_id, ""), layer.size, marks, (chain_id,), images,
        )  # fmt: skip

    # -- images and their names

    def images(self, tree: Collection[Thing]) -> Iterator[Thing]:
        places = _places(tree)
        for image in sorted(self.seen.values(), key=lambda image: _order(self.both, image)):
            yield self._image(image, places)
            yield from self._names(image.id)

    def _image(self, image: Image, places: Mapping[Digest, str]) -> Thing:
        home = self._home(image.id)
        marks = [DANGLING] if home.is_dangling(image.id) else [INTERMEDIATE] if home.is_intermediate(image.id) else []
        if home.users(image.id):
            marks.append(IN_USE)
        marks += self._change(image.id in self.now.images, self.since is not None and image.id in self.since.images)
        parent = image.parent if image.parent in self.seen else None
        return Thing(
            _image_key(image.id), IMAGE, image.id.short, _top(image.layers, places), size=image.size, marks=tuple(marks),
            layers=image.layers, parent=_image_key(parent) if parent else "",
        )  # fmt: skip

    def _names(self, image_id: Digest) -> Iterator[Thing]:
        names = self.both.names(image_id)
        only_digests = not self.both.tags(image_id)
        for name in names:
            kind = DIGEST if "@" in name else TAG
            if kind == TAG or self.all or only_digests:
                marks, was = self._name_marks(name)
                yield Thing(
                    f"{kind}:{familiar(name)}", kind, familiar(name), _image_key(image_id), marks=marks, was=was
                )

    def _name_marks(self, name: str) -> tuple[tuple[str, ...], str]:
        before = self.since.references.get(name) if self.since else None
        after = self.now.references.get(name)
        if before and after and before != after:
            return (MOVED,), before.short
        return self._change(after is not None, before is not None), ""

    # -- containers

    def containers(self, tree: Collection[Thing]) -> Iterator[Thing]:
        places = _places(tree)
        for container in sorted(self.both.containers.values(), key=lambda each: (each.name, each.id)):
            if self.focus is None or container.image in self.seen or container.image == self.focus:
                yield self._container(container, places)

    def _container(self, container: Container, places: Mapping[Digest, str]) -> Thing:
        known = container.image in self.seen
        stack = container.layers or self._stack(container.image)
        before = self.since.containers.get(container.id) if self.since else None
        marks = self._change(container.id in self.now.containers, before is not None)
        was = before.status if before and before.status != container.status else ""
        return Thing(
            f"container:{container.id[:12]}", CONTAINER, container.name,
            _image_key(container.image) if known else _top(stack, places), " ".join(container.command), container.size,
            marks or ((CHANGED,) if was else ()), stack, status=container.status, was=was,
        )  # fmt: skip

    def _stack(self, image_id: Digest) -> tuple[Digest, ...]:
        image = self.both.images.get(image_id)
        return image.layers if image else ()


def _by_ground(things: Iterable[Thing]) -> dict[str, list[Thing]]:
    """Things by the key of what they stand on."""
    standing: dict[str, list[Thing]] = {}
    for thing in things:
        standing.setdefault(thing.on, []).append(thing)
    return standing


def _laid_over(now: State, before: State) -> State:
    """All that is in one of two states; what is in both is as it is now."""
    return State(
        images={**before.images, **now.images},
        references={**before.references, **now.references},
        layers={**before.layers, **now.layers},
        containers={**before.containers, **now.containers},
        revision=now.revision,
    )


def _layer_key(chain_id: Digest) -> str:
    return f"{LAYER}:{chain_id.short}"


def _image_key(image_id: Digest) -> str:
    return f"{IMAGE}:{image_id.short}"


def _places(tree: Collection[Thing]) -> dict[Digest, str]:
    """Where each layer is to be found: by itself, or in a fold."""
    return {chain_id: thing.key for thing in tree for chain_id in thing.layers}


def _top(layers: tuple[Digest, ...], places: Mapping[Digest, str]) -> str:
    return next((places[chain_id] for chain_id in reversed(layers) if chain_id in places), "")


def _order(state: State, image: Image) -> tuple[bool, str, int, Digest]:
    """Images by their first tag, those without one after them, the older before the younger."""
    tags = state.tags(image.id)
    return (not tags, familiar(tags[0]) if tags else "", image.created, image.id)


# -- folding ------------------------------------------------------------------------------------------------


def _folded(layers: list[Thing], longest: int, *, keep: int, unfold: Collection[str]) -> list[Thing]:
    """Runs longer than `longest` with their middle as one thing; `keep` layers stay at either end.

    A run: layers on each other with nothing between, which carry the same images and have the same marks.
    """
    if longest < 1:
        return layers
    carrying = Counter(thing.on for thing in layers)
    runs: dict[str, list[Thing]] = {}
    for thing in layers:
        below = runs.get(thing.on)
        same = below is not None and carrying[thing.on] == 1
        if below is None or not same or (below[-1].images, below[-1].marks) != (thing.images, thing.marks):
            below = []
        below.append(thing)
        runs[thing.key] = below
    things: list[Thing] = []
    renamed: dict[str, str] = {}
    for run in {id(run): run for run in runs.values()}.values():
        things += _fold_run(run, longest, keep, unfold, renamed)
    return [replace(thing, on=renamed.get(thing.on, thing.on)) for thing in things]


def _fold_run(
    run: list[Thing], longest: int, keep: int, unfold: Collection[str], renamed: dict[str, str]
) -> list[Thing]:
    if len(run) <= longest or len(run) - 2 * keep < 2:
        return run
    lower, middle, upper = run[:keep], run[keep : len(run) - keep], run[len(run) - keep :]
    key = f"{FOLDED}:{middle[0].title}-{middle[-1].title}"
    if key in unfold:
        return run
    renamed.update({thing.key: key for thing in middle})
    fold = replace(
        middle[0], key=key, kind=FOLDED, title=f"{middle[0].title}…{middle[-1].title}", about="",
        size=sum(thing.size for thing in middle), layers=tuple(thing.layers[0] for thing in middle),
    )  # fmt: skip
    return [*lower, fold, *upper]


# -- order --------------------------------------------------------------------------------------------------


_KIND_ORDER = (TAG, DIGEST, IMAGE, CONTAINER, LAYER, FOLDED)


def _in_reading_order(things: list[Thing]) -> tuple[Thing, ...]:
    """Each thing before what stands on it; on one slab images first, then slabs, by the first image that each carries."""
    rank: dict[str, int] = {}
    on = _by_ground(things)
    by_key = {thing.key: thing for thing in things}
    for place, thing in enumerate(things):
        key = thing.key if thing.kind in (IMAGE, CONTAINER) else ""
        while key and key not in rank:
            rank[key] = place
            key = by_key[key].on
    ordered: list[Thing] = []
    waiting = [""]
    while waiting:
        key = waiting.pop()
        if key:
            ordered.append(by_key[key])
        here = on.get(key, [])
        here.sort(key=lambda thing: (_KIND_ORDER.index(thing.kind), rank.get(thing.key, len(things))))
        waiting += [thing.key for thing in reversed(here)]
    return tuple(ordered)
