"""`docker save`, `load` and `import`: the Engine's archives, between files, pipes and terminals."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from imagelab.cli.command import Invocation, command
from imagelab.cli.flags import Flag, Parsed
from imagelab.errors import UsageError
from imagelab.lab.files import opened, refuse_place, refused, write_whole
from imagelab.oci.reference import Reference, familiar
from imagelab.output import eras
from imagelab.state.events import ProgressSink, silent

if TYPE_CHECKING:
    from imagelab.engine.archives.loader import Loaded
    from imagelab.state.requests import ImportRequest, LoadRequest

_ONE_PLATFORM = '{} only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'


@command(
    "image save", "IMAGE [IMAGE...]",
    Flag("output", "o", "string", "Write to a file, instead of STDOUT"),
    Flag("platform", "", "string", _ONE_PLATFORM.format("Save")), least=1, most=None,
)  # fmt: skip
def save(context: Invocation) -> int:
    from imagelab.cli.commands.copy import MESSAGE, binary

    parsed = context.parsed
    target = parsed.text("output")
    if not target and context.out.isatty():
        raise UsageError(MESSAGE)
    if target:
        refuse_place(context.host.path(target))
    pieces = context.lab.engine.archives.save(parsed.arguments, platform=parsed.text("platform") or None)
    if target:
        write_whole(context.host, target, pieces)
        return 0
    out = binary(context)
    try:
        out.writelines(pieces)
        out.flush()
    except BrokenPipeError:  # `| head` has seen enough
        raise
    except OSError as error:
        raise refused("write", "/dev/stdout", error) from None
    return 0


@command(
    "image load", "",
    Flag("input", "i", "string", "Read from tar archive file, instead of STDIN"),
    Flag("platform", "", "string", _ONE_PLATFORM.format("Load")),
    Flag("quiet", "q", "bool", "Suppress the load output"),
)  # fmt: skip
def load(context: Invocation) -> int:
    request = load_request(context.parsed)
    if not request.file and context.at_a_terminal:
        raise UsageError(
            "requested load from stdin, but stdin is empty", hint="docker load -i FILE, or docker load < FILE"
        )
    with _source(context, request.file) as source:
        progress = _progress(context, quiet=request.quiet)
        loaded = context.lab.engine.archives.load(source, platform=request.platform, progress=progress)
    for line in loaded_lines(loaded, context.era):
        context.out.write(line + "\n")
    return 0


def load_request(parsed: Parsed) -> LoadRequest:
    """What a line of `docker load` asks for."""
    from imagelab.state.requests import LoadRequest

    return LoadRequest(parsed.text("input"), parsed.text("platform") or None, parsed.on("quiet"))


def loaded_lines(loaded: Iterable[Loaded], era: str) -> Iterator[str]:
    """What is said of each image (R6.48); Docker 29 keeps quiet of a name that moves."""
    for one in loaded:
        moved = dict(one.moved)
        for tag in one.tags:
            if tag in moved and era != "29":
                yield f"The image {familiar(tag)} already exists, renaming the old one with ID {moved[tag]} to empty string"
            yield f"Loaded image: {familiar(tag)}"
        if not one.tags:
            yield f"Loaded image ID: {eras.image_id(one.image, era)}"


@command(
    "image import", "file|URL|- [REPOSITORY[:TAG]]",
    Flag("change", "c", "list", "Apply Dockerfile instruction to the created image"),
    Flag("message", "m", "string", "Set commit message for imported image"),
    Flag("platform", "", "string", "Set platform if server is multi-platform capable"), least=1, most=None,
)  # fmt: skip
def import_(context: Invocation) -> int:
    request = import_request(context.parsed)
    where = request.source
    is_url = where.startswith(("http://", "https://"))
    if where == "-" and context.at_a_terminal:
        raise UsageError(
            "requested import from stdin, but stdin is empty", hint="docker import FILE, or docker import - < FILE"
        )
    with _source(context, "" if is_url or where == "-" else where) as source:
        if len(context.parsed.arguments) > 1:
            Reference.parse(request.name)
        image = context.lab.engine.archives.import_(
            where if is_url else source, request.name, changes=request.changes, message=request.message,
            platform=request.platform, progress=_progress(context, quiet=False, lines=is_url),
        )  # fmt: skip
    context.out.write(f"{eras.image_id(image, context.era)}\n")
    return 0


def import_request(parsed: Parsed) -> ImportRequest:
    """What a line of `docker import` asks for."""
    from imagelab.state.requests import ImportRequest

    source, *name = parsed.arguments[:2]  # Docker's client looks at no more
    return ImportRequest(
        source, name[0] if name else "", tuple(parsed.all("change")), parsed.text("message"), parsed.text("platform") or None
    )  # fmt: skip


# -- files and streams --------------------------------------------------------------------------------------


@contextmanager
def _source(context: Invocation, name: str) -> Iterator[IO[bytes]]:
    """A file, or standard input."""

    def fetch() -> IO[bytes]:
        if name:
            return opened(context.host.path(name))
        found: IO[bytes] | None = getattr(context.stdin, "buffer", None)
        return found if found is not None else io.BytesIO(context.stdin.read().encode("utf-8", "surrogateescape"))

    file = context.take("archive", fetch)
    try:
        yield file
    finally:
        if name:
            file.close()


def _progress(context: Invocation, *, quiet: bool, lines: bool = False) -> ProgressSink:
    """Bars on a terminal or in a notebook; elsewhere nothing, or the lines alone."""
    shown = context.progress is not None or context.out.isatty() or lines
    return context.pull_progress() if shown and not quiet else silent
