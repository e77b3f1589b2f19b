"""Images as files, as Python sees them: `lab.save("nginx", to="nginx.tar")`, `lab.load("nginx.tar")`, `lab.import_("rootfs.tar")`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from imagelab.engine.engine import Engine
    from imagelab.lab.host_access import HostAccess
    from imagelab.lab.lab import Lab
    from imagelab.lab.results.images import LabImage
    from imagelab.state.events import ProgressSink
    from imagelab.store.journal import VerbRecord
    from imagelab.store.store import Store


class Archived:
    """What a `Lab` can do with archives."""

    if TYPE_CHECKING:  # what a lab has
        store: Store
        engine: Engine
        pull_progress: ProgressSink

        host: HostAccess

        def verb(self, *words: str) -> AbstractContextManager[VerbRecord]: ...

    def save(self, *names: str, to: str | Path, platform: str | None = None) -> Path:
        """Images as one file, as `docker save` writes it in this lab's era; the file's path."""
        from imagelab.lab.files import write_whole

        write_whole(self.host, str(to), self.engine.archives.save(names, platform=platform))
        return Path(to)

    def load(self, source: str | Path | IO[bytes], *, platform: str | None = None) -> list[LabImage]:
        """The images of an archive: a path, or a stream of bytes, compressed or not."""
        from imagelab.lab.results.images import LabImage
        from imagelab.state.requests import LoadRequest

        request = LoadRequest(str(source) if isinstance(source, (str, Path)) else "", platform, quiet=True)
        with self._reading(request.line(), source) as stream:
            loaded = self.engine.archives.load(stream, platform=platform, progress=self.pull_progress)
        return [LabImage(cast("Lab", self), one.image.id) for one in loaded]

    def import_(
        self, source: str | Path | IO[bytes], name: str = "", *, changes: Sequence[str] = (), message: str = "",
        platform: str | None = None,
    ) -> LabImage:  # fmt: skip
        """An image of one layer from a tar of files: a path, a URL or a stream. `changes`: Dockerfile instructions."""
        from imagelab.lab.results.images import LabImage
        from imagelab.state.requests import ImportRequest

        where = str(source) if isinstance(source, (str, Path)) else "-"
        request = ImportRequest(where, name, tuple(changes), message, platform)
        with self._reading(request.line(), source) as stream:
            image = self.engine.archives.import_(
                stream if where == "-" or not _is_url(where) else where,
                name,
                changes=changes,
                message=message,
                platform=platform,
                progress=self.pull_progress,
            )
        return LabImage(cast("Lab", self), image.id)

    @contextmanager
    def _reading(self, line: Sequence[str], source: str | Path | IO[bytes]) -> Iterator[IO[bytes]]:
        """The archive as a stream, in one step of the timeline, and kept there so that the step can be run again."""
        import io

        from imagelab.lab.files import opened
        from imagelab.lab.lab import finish

        here = isinstance(source, Path) or isinstance(source, str) and not _is_url(source)
        kept = None
        stream = (
            opened(self.host.path(str(source))) if here else io.BytesIO() if isinstance(source, (str, Path)) else source
        )
        try:
            with self.verb(*line) as recorded:
                kept = self.store.keep(stream)
                yield stream
                recorded.inputs |= {"archive": kept} if kept is not None else {}
        finally:
            if kept is not None and not recorded.step_numbers:
                self.store.drop([kept])
            finish(self.pull_progress)
            if here:
                stream.close()


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))
