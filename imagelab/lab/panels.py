"""The pictures and panels of a lab, as methods of `Lab`: each is a value that shows itself in a notebook, and prints as text.

Every picture is made by a pure function under `view/`, from the state or from bytes; what is here only fetches what it needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imagelab.errors import ImageLabError
from imagelab.state.events import ProgressSink

if TYPE_CHECKING:
    from imagelab.classroom.faults import Faults
    from imagelab.engine.engine import Engine
    from imagelab.layers.changeset import LayerIndex
    from imagelab.oci.digest import Digest
    from imagelab.state.model import State
    from imagelab.store.store import Store
    from imagelab.view.diff_causes.model import DiffCauses
    from imagelab.view.explorer.comparison import Comparison
    from imagelab.view.explorer.model import Exploration
    from imagelab.view.hash_chain.model import HashChain
    from imagelab.view.pull_log import PullLog
    from imagelab.view.sizes import Sizes


class Views:
    """What `Lab` inherits."""

    if TYPE_CHECKING:  # what a lab has
        store: Store
        engine: Engine

        @property
        def lang(self) -> str: ...
        @property
        def state(self) -> State: ...

    def explore(self, image: str) -> Exploration:
        """An image layer by layer: what each holds, changes and hides, three sizes, and what is wasted.

        `.recover("/app/id_rsa")` gives the bytes of a file that a later layer hides.
        """
        from imagelab.view.explorer.model import explore

        found = self.engine.images.resolve(image)
        return explore(image, self._indexes(found.layers), self.store.config(found.id), self.store.read_file, self.lang)

    def compare(self, one: str, other: str) -> Comparison:
        """Two images: layers they share, layers only one has, and the files that differ."""
        from imagelab.view.explorer.comparison import compare

        state, images = self.state, [(name, self.engine.images.resolve(name)) for name in (one, other)]
        sides = [
            (name, [state.layers[chain_id] for chain_id in image.layers], self.engine.images.tree(image.id))
            for name, image in images
        ]
        return compare(sides[0], sides[1], self.store.read_file, self.lang)

    def sizes(self) -> Sizes:
        """Every image's sizes, and the reckoning from the SIZE column to the files in blobs/sha256.

        `.difference` is what is left over, in bytes: 0, or the lab is damaged.
        """
        from imagelab.view.sizes import sizes

        blobs = self.store.blobs
        on_disk = {digest: blobs.file(digest).stat().st_size for digest in blobs.digests()}
        return sizes(self.state, on_disk, lambda image: self.engine.images.tree(image.id), self.lang)

    def avalanche(self, image: str, path: str = "") -> HashChain:
        """Which digests change with a bit of a file, its time, the compression, the config or the tag: really computed.

        `path`: the file; else the first of the uppermost layer that has bytes.
        """
        from imagelab.oci.reference import familiar
        from imagelab.view.hash_chain.model import ImageBytes, chosen, hash_chain, inflated

        found, read = self.engine.images.resolve(image), self.store.read_blob
        number, row = chosen(self._indexes(found.layers), path)
        layer = self.state.layers[found.layers[number - 1]]
        own = next((digest for _, digest, here in found.children_platforms if here), found.target)
        index = read(found.target) if own != found.target else b""
        tag = next((familiar(name) for name in self.state.tags(found.id)), found.id.short)
        blob = read(layer.blob)
        return hash_chain(
            ImageBytes(tag, number, row, inflated(blob), blob, read(found.id), read(own), index), self.lang
        )

    def tape(self) -> PullLog:
        """The last pull, request by request: what was asked, what came back, what was not asked because it was here."""
        from imagelab.errors import UsageError
        from imagelab.registry.recording import Recording
        from imagelab.view.pull_log import pull_log

        kept = self.store.setting("tape")
        if not kept:
            raise UsageError("nothing has been pulled yet", hint="docker pull nginx, and then imagelab tape")
        return pull_log(Recording.unpack(kept), self.lang)

    def causes(self, container: str) -> DiffCauses:
        """`docker diff`, each line with the commands that made it, the tar entry it will become, its bytes before and after.

        `.commands()` are the lines that commit it without what looks like noise.
        """
        from imagelab.engine.commit import with_parents
        from imagelab.layers.writable_layer import changes_of, listed
        from imagelab.view.diff_causes.model import diff_causes

        found = self.engine.containers.resolve(container)
        workspace = self.engine.containers.workspace(found)
        now, before = workspace.read(), workspace.init
        changes, timeline = changes_of(before, now), self.engine.timeline
        done = [step for step in timeline.steps() if step.number <= timeline.position]  # the others can be redone
        steps = [(step.number, f"docker {step.line}", timeline.changes(step.number, found.id)) for step in done]
        written = with_parents(changes, now)
        return diff_causes(
            found.name, listed(before, changes), written, before, now, steps, self.store.read_file, self.lang
        )

    @contextmanager
    def _recorded(self, name: str, progress: ProgressSink) -> Iterator[ProgressSink]:
        """Record a pull, and keep the recording in place of the one before."""
        from imagelab.registry.recording import Recording, ignore

        recording, exchanges = Recording(name), self.engine.images.upstream.exchanges
        exchanges.on_exchange = recording.exchange
        try:
            yield recording.progress(progress)
        except ImageLabError as error:
            recording.error = str(error)
            raise
        finally:
            exchanges.on_exchange = ignore
            self.store.remember("tape", recording.pack())

    @property
    def _faults(self) -> Faults:
        """What is going to go wrong in the built-in registry, kept in the lab."""
        from imagelab.classroom.faults import Faults

        return Faults(
            lambda: json.loads(self.store.setting("faults") or "[]"),
            lambda faults: self.store.remember("faults", json.dumps(faults)),
        )

    def _indexes(self, chain_ids: tuple[Digest, ...]) -> list[LayerIndex]:
        return [self.store.index_of(self.state.layers[chain_id].diff_id) for chain_id in chain_ids]
