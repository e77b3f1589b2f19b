"""`docker build`: the client's part. Flags, the context, what is printed; building is the Engine's.

imagelab's classic builder is what a plain `docker build` means here, because it is the one that makes the intermediate
images one can look at. `--explain` adds why each step ran, which Docker never says.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, TextIO

from imagelab.cli.command import Invocation, command
from imagelab.cli.flags import CommandLineError, Flag
from imagelab.errors import ImageLabError, ReferenceSyntaxError, UsageError

if TYPE_CHECKING:
    from imagelab.engine.build.request import BuildOptions
    from imagelab.lab.build_context import BuildContext
    from imagelab.oci.digest import Digest

FLAGS = tuple(
    Flag(name, letter, kind, text, default)
    for name, letter, kind, default, text in (line.split("|") for line in """\
add-host||list||Add a custom host-to-IP mapping ("host:ip")
build-arg||list||Set build-time variables
cache-from||strings||Images to consider as cache sources
cgroup-parent||string||Set the parent cgroup for the "RUN" instructions during build
compress||bool||Compress the build context using gzip
cpu-period||int||Limit the CPU CFS (Completely Fair Scheduler) period
cpu-quota||int||Limit the CPU CFS (Completely Fair Scheduler) quota
cpu-shares|c|int||CPU shares (relative weight)
cpuset-cpus||string||CPUs in which to allow execution (0-3, 0,1)
cpuset-mems||string||MEMs in which to allow execution (0-3, 0,1)
disable-content-trust||bool|true|Skip image verification
file|f|string||Name of the Dockerfile (Default is "PATH/Dockerfile")
force-rm||bool||Always remove intermediate containers
iidfile||string||Write the image ID to the file
isolation||string||Container isolation technology
label||list||Set metadata for an image
memory|m|bytes||Memory limit
memory-swap||bytes||Swap limit equal to memory plus swap: -1 to enable unlimited swap
network||string|"default"|Set the networking mode for the RUN instructions during build
no-cache||bool||Do not use cache when building the image
platform||string||Set platform if server is multi-platform capable
pull||bool||Always attempt to pull a newer version of the image
quiet|q|bool||Suppress the build output and print image ID on success
rm||bool|true|Remove intermediate containers after a successful build
security-opt||strings||Security options
shm-size||bytes||Size of "/dev/shm"
tag|t|list||Name and optionally a tag in the "name:tag" format
target||string||Set the target build stage to build.
ulimit||ulimit|[]|Ulimit options""".splitlines())
)  # fmt: skip
SQUASH = Flag("squash", "", "bool", "Squash newly built layers into a single new layer", hidden=True)
OWN = (
    Flag("explain", "", "bool", "Say why each step ran", ours=True),
    Flag("buildkit", "", "bool", "Print and leave what BuildKit would (also DOCKER_BUILDKIT=1)", ours=True),
)


@command(
    "image build", "PATH | URL | -", *FLAGS, SQUASH, *OWN, least=1, most=1,
)  # fmt: skip
def build(context: Invocation) -> int:
    from imagelab.lab.files import refused
    from imagelab.output import eras
    from imagelab.output.build import DEPRECATED

    parsed = context.parsed
    if parsed.on("squash"):
        raise UsageError('"--squash" is only supported on a Docker daemon with experimental features enabled')
    options = _options(context)
    if context.environ.get("DOCKER_BUILDKIT") == "0" and context.era != "1.13":
        context.err.write(DEPRECATED)
    file = context.host.path(parsed.text("iidfile")) if parsed.text("iidfile") and not context.again else None
    if file is not None:
        file.unlink(missing_ok=True)
    try:
        with _taken(context) as sent:
            image = _sent(context, sent, options)
    except AlreadyReported:
        return 1
    shown = eras.image_id(context.lab.state.images[image], context.era)
    if parsed.on("quiet"):
        context.out.write(f"{shown}\n")
    if file is not None:
        try:
            file.write_text(shown, encoding="utf-8")
        except OSError as error:
            raise refused("open", file, error) from None
    return 0


@contextmanager
def _taken(context: Invocation) -> Iterator[BuildContext]:
    """The context, noted as what this line read from outside the lab, so that it can be run again without the folder."""
    from imagelab.lab.build_context import BuildContext

    with ExitStack() as open_files:
        made: list[BuildContext] = []

        def tar() -> IO[bytes]:
            made.append(_context(context, context.parsed.arguments[0]))
            return open_files.enter_context(made[0].tar)

        sent = context.take("context", tar)
        name = context.take("dockerfile", lambda: io.BytesIO(made[0].dockerfile.encode())).read().decode()
        yield BuildContext(sent, name, sent.seek(0, io.SEEK_END))


def _sent(context: Invocation, sent: BuildContext, options: BuildOptions) -> Digest:
    from imagelab.output.build import sending

    if options.buildkit:
        return _kit_built(context, sent, options)
    if not context.parsed.on("quiet"):
        context.out.write(sending(sent.size, context.era))
        return _built(context, sent, options, context.out)
    held = io.StringIO(sending(sent.size, context.era))
    held.seek(0, io.SEEK_END)
    try:
        return _built(context, sent, options, held)
    except ImageLabError:
        context.err.write(held.getvalue())
        raise


def _kit_built(context: Invocation, sent: BuildContext, options: BuildOptions) -> Digest:
    """The same, as BuildKit prints it: on standard error, and any failure exits 1."""
    from dataclasses import replace

    from imagelab.engine.build.trace import explained
    from imagelab.output.buildkit import KitPrinter

    if context.era == "1.13":
        raise UsageError("Docker 1.13 has no BuildKit: it came with 18.09", hint="--era 28")
    engine, quiet = context.lab.engine, context.parsed.on("quiet")
    printer = KitPrinter(io.StringIO() if quiet else context.err, sent.dockerfile, sent.size)
    try:
        image = engine.builds.build(sent.tar, replace(options, dockerfile=sent.dockerfile), printer).image
    except ImageLabError as error:
        printer.failed(error)
        raise AlreadyReported from None
    finally:
        if context.parsed.on("explain"):
            context.out.write(explained(tuple(printer.steps)))
    return image


class AlreadyReported(Exception):
    """A failure that has been shown already."""


def _built(context: Invocation, sent: BuildContext, options: BuildOptions, out: TextIO) -> Digest:
    from dataclasses import replace

    from imagelab.engine.build.trace import explained
    from imagelab.output.build import Printer
    from imagelab.output.streams import output_to
    from imagelab.state.events import silent

    engine = context.lab.engine
    quiet = out is not context.out
    printer = Printer(
        out, context.err, context.era, lambda id: context.lab.store.state().images[id], output_to(out, out)
    )
    progress = silent if quiet else context.pull_progress()
    try:
        trace = engine.builds.build(sent.tar, replace(options, dockerfile=sent.dockerfile), printer, progress)
    finally:
        if context.parsed.on("explain"):
            context.out.write(explained(tuple(printer.steps)))
    return trace.image


def _options(context: Invocation) -> BuildOptions:
    from imagelab.engine.build.request import BuildOptions
    from imagelab.oci.reference import Reference

    parsed = context.parsed
    for tag in parsed.all("tag"):
        try:
            Reference.parse(tag)
        except ReferenceSyntaxError as error:
            raise _bad("tag", tag, str(error)) from None
    return BuildOptions(
        tags=tuple(parsed.all("tag")), arguments=_arguments(context), labels=_labels(context), target=parsed.text("target"),
        no_cache=parsed.on("no-cache"), pull=parsed.on("pull"), remove=parsed.on("rm", default=True), force_remove=parsed.on("force-rm"),
        buildkit=parsed.on("buildkit", default=context.environ.get("DOCKER_BUILDKIT") == "1"),
        cache_from=tuple(name for text in parsed.all("cache-from") for name in text.split(",")), platform=parsed.text("platform") or None,
    )  # fmt: skip


def _bad(name: str, value: str, problem: str) -> CommandLineError:
    flag = next(flag for flag in FLAGS if flag.name == name)
    return CommandLineError(f'invalid argument "{value}" for "{flag.shown}" flag: {problem}', exit_code=125)


def _arguments(context: Invocation) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in context.parsed.all("build-arg"):
        name, equals, value = text.partition("=")
        if not name:
            raise _bad("build-arg", text, f"invalid environment variable: {text}")
        found[name] = value if equals else context.environ.get(name)
    if all("=" in text for text in context.parsed.all("build-arg")):
        return found
    return context.take_words("arguments", lambda: found)  # some came from this machine's environment


def _labels(context: Invocation) -> dict[str, str]:
    found = {}
    for text in context.parsed.all("label"):
        name, _, value = text.partition("=")
        if not name.strip():
            raise _bad("label", text, f"invalid label '{text}': empty name")
        found[name] = value
    return found


def _context(context: Invocation, where: str) -> BuildContext:
    from imagelab.lab.build_context import ContextError, context_of_stdin, context_tar

    name = context.parsed.text("file")
    if where == "-":
        if name == "-":
            raise UsageError("invalid argument: can't use stdin for both build context and dockerfile")
        return context_of_stdin(_stdin(context), name)
    if where.startswith(("http://", "https://", "git://", "git@", "github.com/")):
        raise ContextError(
            "unable to prepare context: imagelab builds offline, and fetches nothing by URL",
            hint="download it, and build the folder",
        )
    if not context.host.path(where).exists():
        raise ContextError(
            f'unable to prepare context: path "{where}" not found',
            hint="the context is a folder; . is the one you are in",
        )
    if name == "-":
        return context_tar(context.host.path(where), instead=_stdin(context), host=context.host)
    return context_tar(context.host.path(where), name, host=context.host)


def _stdin(context: Invocation) -> bytes:
    binary = getattr(context.stdin, "buffer", None)
    return binary.read() if binary is not None else context.stdin.read().encode("utf-8", "surrogateescape")
