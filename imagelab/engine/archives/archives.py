"""The verbs of archives: images to a file and back, and a tar of files as an image.

    save      names              -> the bytes of an archive, piece by piece     `archive`, `archive_names`, `archive_v1`
    load      an archive         -> its images, here                            `unarchive`, `archive_lists`, `archive_file`
    import_   a tar, or a URL    -> an image of one layer                       `archive_import`

A stream in, or pieces out: files and pipes are the faces' affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from imagelab.errors import ImageLabError
from imagelab.oci.documents import Platform
from imagelab.oci.reference import Reference, familiar
from imagelab.state.events import Event, ProgressSink, silent

if TYPE_CHECKING:
    from imagelab.engine.archives.loader import Loaded
    from imagelab.engine.context import Context
    from imagelab.engine.images import Images
    from imagelab.state.model import Image


class Archives:
    """The verbs of one lab. Made by `Engine.archives`."""

    def __init__(self, context: Context, images: Images) -> None:
        self._context, self._images = context, images

    def save(self, names: Iterable[str], *, platform: str | None = None) -> Iterator[bytes]:
        """The archive that `docker save` writes, in the layout of the lab's era (R6.44-R6.47).

        Names are looked up before the first byte: ImageNotFoundError, NotFoundError for an ambiguous ID,
        ReferenceSyntaxError, ImageLabError when an image is not for `platform`.
        """
        from imagelab.engine.archives.names import choose
        from imagelab.engine.archives.writer import save

        chosen = choose(self._images.state, names, era=self._context.era())
        if platform:
            wanted = _platform(platform)
            for choice in chosen:
                _refuse_other(choice.image, wanted, choice.tags)
        for choice in chosen:
            self._context.emit(
                Event(
                    "image",
                    "save",
                    choice.image.id,
                    {"name": familiar(choice.tags[0]) if choice.tags else choice.image.id},
                )
            )
        return save(self._context.store, chosen, self._context.era(), platform_only=bool(platform))

    def load(self, source: IO[bytes], *, platform: str | None = None, progress: ProgressSink = silent) -> list[Loaded]:
        """Bring the images of an archive here (R6.48): all, or those for `platform`. All or none of them.

        `source` may be a pipe, and compressed. Progress is told in Docker's lines. ArchiveError, ManifestError,
        DigestMismatchError, LayerFormatError.
        """
        from imagelab.engine.archives.loader import Loader

        wanted = _platform(platform) if platform else None
        loader = Loader(self._context.store, Platform.parse(self._context.platform), progress, self._context.clock())
        try:
            loaded = loader.load(source, wanted)
        except ImageLabError as error:
            raise error.from_("stream") from None  # Docker answers within its stream
        for result in loaded:
            self._context.emit(Event("image", "load", result.image.id, {"name": result.image.id}))
        return loaded

    def import_(
        self, source: IO[bytes] | str, name: str = "", *, changes: Sequence[str] = (), message: str = "", platform: str | None = None,
        progress: ProgressSink = silent,
    ) -> Image:  # fmt: skip
        """An image of one layer from a tar of files, or from the tar a URL answers with (R6.49).

        `changes`: Dockerfile instructions for its config. ReferenceSyntaxError, ImageLabError for a bad change,
        ArchiveError, UnreachableError, RegistryError.
        """
        from imagelab.engine.archives.import_tar import Importer, fetched

        target = str(_target(name)) if name else ""
        where = _platform(platform or self._context.platform, asked="")
        comment = message or f"Imported from {source if isinstance(source, str) else '-'}"
        importer = Importer(self._context.store, where, self._context.clock(), comment, changes)
        if isinstance(source, str):
            with fetched(self._images.upstream.session, source, progress) as stream:
                image = importer.image(stream, target)
        else:
            image = importer.image(source, target)
        self._context.emit(Event("image", "import", image.id, {"name": familiar(target) if target else image.id}))
        return image


def _platform(text: str, *, asked: str = "invalid platform: ") -> Platform:
    """A platform, and containerd's words when it is none; save and load read it in the client, import in the daemon."""
    try:
        return Platform.parse(text)
    except ImageLabError as error:
        problem = f'"{text}": cannot parse platform specifier: invalid argument' if text.count("/") > 2 else str(error)
        raise ImageLabError(asked + problem, hint=error.hint, origin="client" if asked else "daemon") from None


def _refuse_other(image: Image, wanted: Platform, tags: Sequence[str]) -> None:
    from imagelab.oci.documents import normalize_platform

    if normalize_platform(Platform.parse(image.platform)) != normalize_platform(wanted):
        name = familiar(tags[0]) if tags else image.id
        raise ImageLabError(
            f"image with reference {name} was found but its platform ({image.platform}) does not match the specified platform ({wanted})",
            hint=f"docker pull --platform {wanted} brings the other one",
        )


def _target(name: str) -> Reference:
    reference = Reference.parse(name)
    if reference.digest:
        raise ImageLabError("cannot import digest reference", hint="a digest follows from the bytes; give a tag")
    return reference.with_default_tag()
