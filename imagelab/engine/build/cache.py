"""The build cache: an image that the same step made before (R8.11-R8.15).

    children of the current image, made here, whose `container_config` is what this step's would be: the latest of them

Nothing else is stored for it but an index: the intermediates *are* the cache, so removing them empties it. After the first miss of
a stage nothing is looked up until the next FROM, because whatever follows stands on a new image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from imagelab.dockerfile.step_keys import COMPARED, keys_of
from imagelab.engine.commit import put_image
from imagelab.errors import BlobNotFoundError, ManifestError, StoreError
from imagelab.oci.digest import Digest
from imagelab.state.model import Image
from imagelab.store.store import Store
from imagelab.units import parse_time

if TYPE_CHECKING:
    from imagelab.dockerfile.step_keys import StepKeys


class BuildCache:
    """What earlier builds left. `is_used` False for --no-cache; `sources`: the images of --cache-from."""

    def __init__(self, store: Store, *, is_used: bool, sources: Sequence[Image] = ()) -> None:
        self._store, self._is_used, self.sources = store, is_used, sources
        store.fill_steps(self._keys)
        self.missed_at = 0
        """The step of this stage that was not found; 0 while all were."""

    def begin_stage(self) -> None:
        """A FROM: looking begins again."""
        self.missed_at = 0

    def find(self, parent: Image | None, wanted: Mapping[str, Any], platform: str, step: int) -> Image | None:
        """The image that this step made before, if it is still here."""
        if not self._is_used or self.missed_at:
            self.missed_at = self.missed_at or step
            return None
        images = self._store.state().images
        for image_id in self._store.made_by(_id(parent), keys_of(wanted)):
            image = images.get(image_id)
            if image is not None and image.platform == platform and self._counts(image):
                return image
        self.missed_at = step
        return None

    def _keys(self, image_id: Digest) -> StepKeys | None:
        try:
            return keys_of(self._made_with(image_id))
        except (BlobNotFoundError, StoreError, ManifestError):
            return None

    def _made_with(self, image_id: Digest) -> Mapping[str, Any]:
        return self._store.config(image_id).data.get("container_config") or {}

    def _counts(self, image: Image) -> bool:
        """With --cache-from, only what its images were made of."""
        state = self._store.state()
        return not self.sources or any(
            image.id in (source.id, *state.parents(source.id)) for source in self.sources if source.id in state.images
        )

    def restored(
        self, parent: Image | None, below: Mapping[str, Any], wanted: Mapping[str, Any], config: Mapping[str, Any]
    ) -> Image | None:
        """The step's image made again from the history of an image of --cache-from, which was pulled and has no parents.

        `below` is the whole config of the current image. It counts when its history begins as that image's, and goes on
        with this very step (R8.14).
        """
        for source in self.sources:
            data = self._store.config(source.id).data
            history, done = data.get("history") or [], len(below.get("history") or [])
            if (
                done >= len(history)
                or history[:done] != (below.get("history") or [])
                or history[done].get("created_by") != " ".join(wanted["Cmd"])
            ):
                continue
            count = sum(not entry.get("empty_layer") for entry in history[: done + 1])
            if parent is not None and source.layers[: len(parent.layers)] != parent.layers:
                continue
            entry = history[done]
            fields = {key: data[key] for key in ("architecture", "os", "variant") if data.get(key)}
            config_fields = {
                "config": dict(config),
                "container_config": dict(wanted),
                "created": entry["created"],
                "history": history[: done + 1],
            }
            layers = self._store.state().layers
            above = [layers[chain_id] for chain_id in source.layers[:count]]
            image = put_image(
                self._store,
                above,
                {**fields, **config_fields},
                parent.id if parent else None,
                parse_time(entry["created"]),
            )
            self.missed_at = 0
            return image
        return None

    # -- why not --------------------------------------------------------------------------------------------

    def similar(self, parent: Image | None, wanted: Mapping[str, Any]) -> Image | None:
        """The last build's image of the same step, but for its input: same text, another hash or other arguments."""
        image_id = next(self._store.made_alike(_id(parent), keys_of(wanted)), None)
        return self._store.state().images.get(image_id) if image_id else None

    def why(self, parent: Image | None, wanted: Mapping[str, Any], step: int) -> str:
        """The reason for a miss, but for files: `because it is new`. To be asked before the step's image is remembered."""
        if not self._is_used:
            return "because of --no-cache"
        if self.missed_at and self.missed_at != step:
            return f"because step {self.missed_at} did"
        old = self.similar(parent, wanted)
        if old is None:
            return (
                "because nothing like it was built on that image before"
                if self._store.made_any(_id(parent))
                else "for the first time"
            )
        return _difference(self._made_with(old.id), wanted)


def _id(image: Image | None) -> str:
    return image.id if image else ""


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before, now = old.get("Cmd") or [], new.get("Cmd") or []
    if (
        before != now
        and (before[:1] + now[:1])
        and str((now or before)[0]).startswith("|") | str((before or now)[0]).startswith("|")
    ):
        gone, came = _arguments(before), _arguments(now)
        names = sorted(name for name in {*gone, *came} if gone.get(name) != came.get(name))
        return f"because the build argument {', '.join(names)} changed"
    if before != now:
        return "because a file changed"
    changed = [key for key in COMPARED if (old.get(key) or None) != (new.get(key) or None)]
    return (
        f"because {', '.join(changed)} of the image changed" if changed else "because its image is for another platform"
    )


def _arguments(command: Sequence[str]) -> dict[str, str]:
    if not command or not command[0].startswith("|"):
        return {}
    return {key: value for key, _, value in (word.partition("=") for word in command[1 : 1 + int(command[0][1:])])}
