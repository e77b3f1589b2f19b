"""Building, as a method of `Lab`: a folder, a tar, or files by name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagelab.engine.build.request import BuildOptions
    from imagelab.engine.build.trace import BuildSink
    from imagelab.engine.engine import Engine
    from imagelab.lab.build_context import BuildContext
    from imagelab.lab.host_access import HostAccess
    from imagelab.lab.lab import Settings
    from imagelab.lab.results.build import LabBuild
    from imagelab.store.journal import VerbRecord
    from imagelab.store.store import Store

Files = Mapping[str, str | bytes]


class BuildingLab:
    """What `Lab` inherits."""

    if TYPE_CHECKING:  # what a lab has
        store: Store
        engine: Engine
        settings: Settings
        host: HostAccess

        @property
        def era(self) -> str: ...
        def now(self) -> int: ...
        def verb(self, *words: str) -> AbstractContextManager[VerbRecord]: ...

    def build(
        self, source: Files | str | Path, tag: str = "", *, dockerfile: str = "", arguments: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None, target: str = "", no_cache: bool = False, pull: bool = False, buildkit: bool = False,
    ) -> LabBuild:  # fmt: skip
        """Build an image with the classic builder; with `buildkit`, print and leave what BuildKit would.

        `source`: files by name (`{"Dockerfile": "FROM nginx", "app.py": "…"}`), a folder, or a tar of one. The result
        prints as `docker build` does; `.image` is the image, `.steps` what was done and why. Raises DockerfileError,
        BuildError, CopyError, and whatever a pull raises.
        """
        import io

        from imagelab.engine.build.request import BuildOptions
        from imagelab.errors import ImageLabError
        from imagelab.lab.results.build import LabBuild
        from imagelab.output.build import Printer, sending
        from imagelab.output.buildkit import KitPrinter
        from imagelab.output.progress import lines_to
        from imagelab.output.streams import output_to
        from imagelab.state.events import silent

        sent = self.build_context(source, dockerfile)
        options = BuildOptions(
            sent.dockerfile, (tag,) if tag else (), dict(arguments or {}), target, dict(labels or {}), no_cache=no_cache, pull=pull,
            buildkit=buildkit,
        )  # fmt: skip
        out = io.StringIO()
        if buildkit:
            printer: BuildSink = KitPrinter(out, sent.dockerfile, sent.size)
        else:
            out.write(sending(sent.size, self.era))
            printer = Printer(out, out, self.era, lambda id: self.store.state().images[id], output_to(out, out))
        try:
            with sent.tar, self.verb("build", *_words(options), "-") as verb:
                try:
                    trace = self.engine.builds.build(sent.tar, options, printer, silent if buildkit else lines_to(out))
                finally:
                    if verb.step_numbers:  # what it read, so that the step can be done again; one that failed, too
                        sent.tar.seek(0)
                        verb.inputs |= {
                            "context": self.store.blobs.put_file(sent.tar),
                            "dockerfile": self.store.put_blob(sent.dockerfile.encode()),
                        }
        except ImageLabError as error:
            error.add_note(out.getvalue())  # what the steps before it printed
            raise
        return LabBuild(self, trace, out.getvalue())  # type: ignore[arg-type]

    def build_context(self, source: Files | str | Path, dockerfile: str = "") -> BuildContext:
        """What a build is sent: files by name get one time, so that the same files are the same bytes. ContextError."""
        from imagelab.lab.build_context import context_of_files, context_of_stdin, context_tar

        if isinstance(source, Mapping):
            return context_of_files(source, mtime=self._files_time(), dockerfile=dockerfile or "Dockerfile")
        path = self.host.path(source)
        if path.is_file():
            return context_of_stdin(path.read_bytes(), dockerfile)
        return context_tar(path, dockerfile, host=self.host)

    def _files_time(self) -> int:
        """Seconds since 1970: by the class clock its beginning, which never moves."""
        from imagelab.classroom.upstream import CLASS_NOW

        return (CLASS_NOW if self.settings.clock == "class" else self.now()) // 1_000_000_000


def _words(options: BuildOptions) -> list[str]:
    """The options as `docker build` takes them."""
    words = [word for tag in options.tags for word in ("-t", tag)]
    words += [f"--build-arg={name}={value}" for name, value in options.arguments.items()]
    words += [f"--label={name}={value}" for name, value in options.labels.items()]
    words += [f"--target={options.target}"] if options.target else []
    return (
        words
        + (["--no-cache"] if options.no_cache else [])
        + (["--pull"] if options.pull else [])
        + (["--buildkit"] if options.buildkit else [])
    )
