"""Every verb as a record: what its page says, which flags it takes, how many arguments, and what it calls.

A command's function gets a `Context` (the streams, the parsed line, the lab) and returns an exit code. It asks the
Engine, hands the answer to `format`, and writes the text. Nothing here decides what Docker would do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TextIO

from imagelab.cli import eras
from imagelab.cli.flags import Flag, Parsed
from imagelab.errors import ImageLabError, NotFoundError, UsageError

if TYPE_CHECKING:
    from imagelab.events import ProgressSink
    from imagelab.lab import Lab, Settings

FORMATTING = (
    "Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"
)
TABLE_FORMAT = (
    "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n"
    "'table TEMPLATE':   Print output in table format using the given Go template\n"
    "'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\n"
    + FORMATTING
)
OBJECT_FORMAT = (
    "Format output using a custom template:\n'json':             Print in JSON format\n"
    "'TEMPLATE':         Print output using the given Go template.\n" + FORMATTING
)

GLOBAL_FLAGS = (
    Flag("era", "", "string", "Print as this Docker: 1.13, 28 or 29"),
    Flag("upstream", "", "string", "Where docker.io is: classroom (built in), hub, or a URL"),
    Flag("mirror", "", "strings", "A registry to ask before docker.io; may be repeated"),
    Flag("lab", "", "string", "The lab's directory (else $IMAGELAB_HOME)"),
    Flag("version", "v", "bool", "Print version information and quit"),
    Flag("debug", "D", "bool", "Accepted, for Docker's sake"),
    Flag("host", "H", "strings", "Accepted, for Docker's sake: there is no daemon"),
    Flag("context", "c", "string", "Accepted, for Docker's sake"),
    Flag("config", "", "string", "Accepted, for Docker's sake"),
    Flag("log-level", "l", "string", "Accepted, for Docker's sake"),
)


class Context:
    """One command line at work: its streams, its flags, and the lab once somebody needs it."""

    def __init__(
        self, stdin: TextIO, out: TextIO, err: TextIO, environ: Mapping[str, str], lab: Lab | None,
        progress: ProgressSink | None,
    ) -> None:  # fmt: skip
        self.stdin, self.out, self.err, self.environ = stdin, out, err, environ
        self.options, self.parsed = Parsed(), Parsed()
        self._given, self._progress = lab, progress
        self._lab: Lab | None = None

    @property
    def lab(self) -> Lab:
        """The lab of this line: the one given, or the one the flags and the environment name."""
        if self._lab is None:
            from imagelab.lab import Lab, connect

            era, upstream = self.options.text("era"), self.options.text("upstream")
            mirrors = self.options.all("mirror")
            if self._given is None:
                self._lab = connect(
                    self.options.text("lab") or None, era=era or None, upstream=upstream or None,
                    mirrors=mirrors or None, environ=self.environ,
                )  # fmt: skip
            elif era or upstream or mirrors:
                self._lab = Lab(self._given.store, self._changed(self._given.settings, era, upstream, mirrors))
            else:
                self._lab = self._given
        return self._lab

    def _changed(self, settings: Settings, era: str, upstream: str, mirrors: Sequence[str]) -> Settings:
        assert self._given is not None
        return replace(
            settings, era=era or self._given.era, upstream=upstream or settings.upstream,
            mirrors=tuple(mirrors) or settings.mirrors,
        )  # fmt: skip

    @property
    def era(self) -> str:
        """The era asked for, without opening a lab for it."""
        asked = self.options.text("era") or (self._given.era if self._given else "") or self.environ.get("IMAGELAB_ERA")
        return asked or (self._lab.era if self._lab else "28")

    def close(self) -> None:
        if self._lab is not None and self._given is None:
            self._lab.close()

    def pull_progress(self) -> ProgressSink:
        """Who is told of a pull: whoever the caller named, the terminal, or a plain stream."""
        if self._progress is not None:
            return self._progress
        from imagelab.cli.progress import lines_to, terminal_to

        if self.out.isatty():
            from shutil import get_terminal_size

            return terminal_to(self.out, width=get_terminal_size().columns)
        return lines_to(self.out)

    def explain(self, error: ImageLabError) -> None:
        """One sentence, and what to try."""
        self.err.write(f"{eras.prefix(error, self.era)}{eras.error_text(error, self.era)}\n")
        if error.hint:
            self.err.write(f"hint: {error.hint}\n")


@dataclass(frozen=True)
class Command:
    """`name` is the canonical one (`image ls`), `called` how it was typed (`images`)."""

    name: str
    called: str
    usage: str
    short: str
    call: Callable[[Context], int]
    flags: tuple[Flag, ...] = ()
    least: int = 0
    most: int | None = 0
    aliases: tuple[str, ...] = ()
    more: str = ""
    raw: bool = False
    """The words go to the function as they are: it has a parser of its own."""


@dataclass(frozen=True)
class Group:
    """`docker image`, `docker system`."""

    name: str
    short: str


GROUPS = {"image": Group("image", "Manage images"), "system": Group("system", "Manage Docker")}
COMMANDS: dict[str, Command] = {}

Function = Callable[[Context], int]


def _command(
    names: Sequence[str], arguments: str, short: str, *flags: Flag, least: int = 0, most: int | None = 0, program: str = "docker",
    more: str = "", raw: bool = False,
) -> Callable[[Function], Function]:  # fmt: skip
    """Register a function under its names; the first is the canonical one, the others Docker's aliases."""

    def register(call: Function) -> Function:
        aliases = tuple(f"{program} {name}" for name in names)
        for name in names:
            usage = " ".join(part for part in (program, name, "[OPTIONS]" if flags else "", arguments) if part)
            COMMANDS[name] = Command(names[0], name, usage, short, call, flags, least, most, aliases, more, raw)
        return call

    return register


# -- pull, images, history, inspect -------------------------------------------------------------------------


@_command(
    ("image pull", "pull"), "NAME[:TAG|@DIGEST]", "Download an image from a registry",
    Flag("all-tags", "a", "bool", "Download all tagged images in the repository"),
    Flag("disable-content-trust", "", "bool", "Skip image verification", "true"),
    Flag("platform", "", "string", "Set platform if server is multi-platform capable"),
    Flag("quiet", "q", "bool", "Suppress verbose output"), least=1, most=1,
)  # fmt: skip
def pull(context: Context) -> int:
    from imagelab.events import silent
    from imagelab.reference import Reference

    parsed, engine = context.parsed, context.lab.engine
    name, all_tags, quiet = parsed.arguments[0], parsed.on("all-tags"), parsed.on("quiet")
    reference = Reference.parse(name)
    if not (quiet or all_tags or reference.tag or reference.digest):
        context.out.write("Using default tag: latest\n")
    before, engine.progress = engine.progress, silent if quiet else context.pull_progress()
    try:
        result = engine.pull(name, all_tags=all_tags, platform=parsed.text("platform") or None)
    finally:
        engine.progress = before
    if context.era != "1.13" or quiet:
        context.out.write(result.canonical + "\n")
    return 0


@_command(
    ("image ls", "image list", "images"), "[REPOSITORY[:TAG]]", "List images",
    Flag("all", "a", "bool", "Show all images (default hides intermediate images)"),
    Flag("digests", "", "bool", "Show digests"),
    Flag("filter", "f", "filter", "Filter output based on conditions provided"),
    Flag("format", "", "string", TABLE_FORMAT), Flag("no-trunc", "", "bool", "Don't truncate output"),
    Flag("quiet", "q", "bool", "Only show image IDs"),
    Flag("tree", "", "bool", "List multi-platform images as a tree (EXPERIMENTAL)"), most=1,
)  # fmt: skip
def images(context: Context) -> int:
    from imagelab.cli import format
    from imagelab.filters import Filters

    parsed, lab = context.parsed, context.lab
    _refuse_with_tree(parsed)
    patterns = [f"reference={name}" for name in parsed.arguments]
    filters = Filters.parse([*parsed.all("filter"), *patterns])
    listed = lab.engine.images(all=parsed.on("all"), filters=filters)
    options = format.ListOptions(
        quiet=parsed.on("quiet"), no_trunc=parsed.on("no-trunc"), digests=parsed.on("digests"), all=parsed.on("all"),
        format=parsed.text("format"), tree=parsed.on("tree"), reference_patterns=tuple(filters.get("reference", ())),
        dangling=filters.boolean("dangling"),
    )  # fmt: skip
    context.out.write(format.images(listed, lab.state, options, era=lab.era, now=lab.now(), tz=lab.tz))
    if not listed and parsed.arguments and f"image {parsed.arguments[0]}" in COMMANDS and lab.era != "1.13":
        typed = parsed.arguments[0]  # R3.7
        context.err.write(f'No images found matching "{typed}": did you mean "docker image {typed}"?\n')
    return 0


def _refuse_with_tree(parsed: Parsed) -> None:
    if not parsed.on("tree"):
        return
    for flag, shown in (("quiet", "quiet"), ("no-trunc", "no-trunc"), ("digests", "show-digest"), ("format", "format")):
        if flag in parsed.values:
            raise UsageError(f"--{shown} is not yet supported with --tree")


@_command(
    ("image history", "history"), "IMAGE", "Show the history of an image", Flag("format", "", "string", TABLE_FORMAT),
    Flag("human", "H", "bool", "Print sizes and dates in human readable format", "true"),
    Flag("no-trunc", "", "bool", "Don't truncate output"),
    Flag("platform", "", "string", 'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    Flag("quiet", "q", "bool", "Only show image IDs"), least=1, most=1,
)  # fmt: skip
def history(context: Context) -> int:
    from imagelab.cli import format

    parsed, lab = context.parsed, context.lab
    rows = lab.engine.history(parsed.arguments[0])
    if lab.era == "29":  # the ID it goes by
        ids = {image.id: image.target for image in lab.state.images.values()}
        rows = [replace(row, id=ids.get(row.id, row.id) if row.id else None) for row in rows]
    context.out.write(format.history(
        rows, quiet=parsed.on("quiet"), no_trunc=parsed.on("no-trunc"), human=parsed.on("human", default=True),
        format=parsed.text("format"), era=lab.era, now=lab.now(), tz=lab.tz,
    ))  # fmt: skip
    return 0


_PLATFORM = Flag(
    "platform", "", "string",
    "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform capable, the "
    "command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
)  # fmt: skip


@_command(
    ("image inspect",), "IMAGE [IMAGE...]", "Display detailed information on one or more images",
    Flag("format", "f", "string", OBJECT_FORMAT), _PLATFORM, least=1, most=None,
)  # fmt: skip
def image_inspect(context: Context) -> int:
    return _inspect(context, lambda error, name: context.explain(error))


@_command(
    ("inspect",), "NAME|ID [NAME|ID...]", "Return low-level information on Docker objects",
    Flag("format", "f", "string", OBJECT_FORMAT),
    Flag("size", "s", "bool", "Display total file sizes if the type is container"),
    Flag("type", "", "string", "Only inspect objects of the given type"), least=1, most=None,
)  # fmt: skip
def inspect(context: Context) -> int:
    kind = context.parsed.text("type")
    if kind and kind != "image":
        raise UsageError(f'"{kind}" is not a valid value for --type', hint="a lab holds images: --type=image")

    def missing(error: ImageLabError, name: str) -> None:
        if kind == "image":
            context.explain(error)
        else:
            context.err.write(
                f"{'error' if context.era == '29' else 'Error'}: no such object: {name}\n".replace(
                    "Error: no", "Error: No"
                )
            )

    return _inspect(context, missing)


def _inspect(context: Context, missing: Callable[[ImageLabError, str], None]) -> int:
    from imagelab.cli import format
    from imagelab.errors import TemplateError

    lab, found, failed = context.lab, [], []
    for name in context.parsed.arguments:
        try:
            item = lab.engine.inspect(name)
        except NotFoundError as error:
            failed.append((error, name))
            continue
        found.append(_as_29(item, lab, name) if lab.era == "29" else item)
    try:
        if found or not context.parsed.text("format"):
            context.out.write(format.inspect(found, format=context.parsed.text("format")) if found else "[]\n")
        else:
            context.out.write("\n")
    except TemplateError as error:
        error.exit_code = 64 if "executing" not in str(error) else 1
        raise
    for error, name in failed:
        missing(error, name)
    return 1 if failed else 0


def _as_29(item: dict[str, Any], lab: Lab, name: str) -> dict[str, Any]:
    """What 29 drops and adds (R6.52)."""
    image = lab.engine.resolve(name)
    dropped = {"Parent", "DockerVersion", "GraphDriver", *(key for key in ("Comment", "Author") if not item[key])}
    kept = {key: value for key, value in item.items() if key not in dropped}
    media_type = lab.engine.media_type(image.target)
    descriptor = {"mediaType": media_type, "digest": image.target, "size": len(lab.store.read_blob(image.target))}
    return kept | {"Id": image.target, "Size": image.content_size, "Descriptor": descriptor}


# -- tag, rmi, prune ----------------------------------------------------------------------------------------


@_command(
    ("image tag", "tag"), "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    least=2, most=2,
)  # fmt: skip
def tag(context: Context) -> int:
    context.lab.engine.tag(*context.parsed.arguments)
    return 0


@_command(
    ("image rm", "image remove", "rmi"), "IMAGE [IMAGE...]", "Remove one or more images",
    Flag("force", "f", "bool", "Force removal of the image"), Flag("no-prune", "", "bool", "Do not delete untagged parents"),
    Flag("platform", "", "strings", 'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    least=1, most=None,
)  # fmt: skip
def rmi(context: Context) -> int:
    from imagelab.cli import format

    parsed, lab = context.parsed, context.lab
    if parsed.all("platform"):
        raise UsageError("removing one platform of an image needs the containerd store", hint="leave --platform out")
    force, failed = parsed.on("force"), []
    for name in parsed.arguments:
        before = lab.state
        try:
            removed = lab.engine.remove(name, force=force, prune=not parsed.on("no-prune"))
        except ImageLabError as error:
            failed.append(error)
            continue
        context.out.write(format.removals(eras.removals(removed, before, lab.era)))
    for error in failed:
        context.explain(error)
    forgiven = force and all(isinstance(error, NotFoundError) for error in failed)
    return 1 if failed and not forgiven else 0


@_command(
    ("image prune",), "", "Remove unused images", Flag("all", "a", "bool", "Remove all unused images, not just dangling ones"),
    Flag("filter", "", "filter", 'Provide filter values (e.g. "until=<timestamp>")'),
    Flag("force", "f", "bool", "Do not prompt for confirmation"),
)  # fmt: skip
def prune(context: Context) -> int:
    from imagelab.cli import format
    from imagelab.filters import Filters

    parsed, lab = context.parsed, context.lab
    what = "images without at least one container associated to them" if parsed.on("all") else "dangling images"
    if not parsed.on("force"):
        context.out.write(f"WARNING! This will remove all {what}.\nAre you sure you want to continue? [y/N] ")
        context.out.flush()
        if context.stdin.readline().strip() not in ("y", "Y"):
            return 1
    before = lab.state
    report = lab.engine.prune(all=parsed.on("all"), filters=Filters.parse(parsed.all("filter")))
    context.out.write(format.prune(report, eras.removals(report.removed, before, lab.era)))
    return 0


# -- system -------------------------------------------------------------------------------------------------


@_command(
    ("system df",), "", "Show docker disk usage", Flag("format", "", "string", TABLE_FORMAT),
    Flag("verbose", "v", "bool", "Show detailed information on space usage"),
)  # fmt: skip
def system_df(context: Context) -> int:
    from imagelab.cli import format

    parsed, lab = context.parsed, context.lab
    context.out.write(format.disk_usage(
        lab.engine.disk_usage(), lab.state, verbose=parsed.on("verbose"), format=parsed.text("format"), era=lab.era,
        now=lab.now(), tz=lab.tz,
    ))  # fmt: skip
    return 0


@_command(("version",), "", "Show the Docker version information", Flag("format", "f", "string", OBJECT_FORMAT))
def version(context: Context) -> int:
    from imagelab import __version__
    from imagelab.cli import format

    client = {
        "Version": f"imagelab {__version__}",
        "Prints as": f"Docker {context.era}",
        "Daemon": "none: there is no server",
    }
    data = (
        {"Client": client}
        if not context.parsed.text("format")
        else {"Client": {"Version": __version__}, "Server": None}
    )
    context.out.write(format.version(data, format=context.parsed.text("format")))
    return 0


@_command(("system info", "info"), "", "Display system-wide information", Flag("format", "f", "string", OBJECT_FORMAT))
def info(context: Context) -> int:
    from imagelab import __version__
    from imagelab.cli import format

    lab, state = context.lab, context.lab.state
    running = sum(container.running for container in state.containers.values())
    shown = {
        "Containers": len(state.containers), "Running": running, "Images": len(state.images),
        "Server Version": f"none (imagelab {__version__}, prints as Docker {lab.era})", "Storage Driver": "imagelab",
        "Docker Root Dir": str(lab.store.directory), "Registry": lab.settings.upstream,
        "Registry Mirrors": ", ".join(lab.settings.mirrors) or "none", "Platform": lab.settings.platform,
    }  # fmt: skip
    text = context.parsed.text("format")
    keys = {"Server Version": "ServerVersion", "Storage Driver": "Driver", "Docker Root Dir": "DockerRootDir"}
    data = {keys.get(key, key.replace(" ", "")): value for key, value in shown.items()} if text else shown
    context.out.write(format.info(data, format=text))
    return 0


# -- imagelab's own -----------------------------------------------------------------------------------------


@_command(("lab",), "[OPTIONS]", "Open JupyterLab on the lessons", most=None, program="imagelab", raw=True)
def lab(context: Context) -> int:
    from imagelab.launch import command

    return command(
        context.parsed.arguments,
        out=context.out,
        err=context.err,
        environ=context.environ,
        home=context.options.text("lab"),
    )


@_command(
    ("serve",), "", "Serve the built-in images as a registry over HTTP",
    Flag("port", "p", "int", "Port to listen on; 0 takes a free one", "5000"),
    Flag("host", "", "string", "Address to listen on", "127.0.0.1"),
    Flag("data", "", "string", "Directory that keeps what is pushed (else it is gone at the end)"), program="imagelab",
)  # fmt: skip
def serve(context: Context) -> int:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from imagelab.classroom import ClassroomStorage
    from imagelab.server.registry_app import RegistryApp
    from imagelab.server.serve import serve as listen
    from imagelab.server.storage import DirectoryStorage, LayeredStorage

    def ready(url: str) -> None:
        host = url.partition("//")[2]
        context.out.write(f"registry on {url}  (docker pull {host}/library/ubuntu:14.04; Ctrl-C ends it)\n")
        context.out.flush()

    parsed = context.parsed
    with TemporaryDirectory(prefix="imagelab-registry-") as scratch:
        upper = DirectoryStorage(Path(parsed.text("data") or scratch))
        app = RegistryApp(LayeredStorage(ClassroomStorage(dict), upper))
        try:
            listen(app, host=parsed.text("host", "127.0.0.1"), port=int(parsed.text("port", "5000")), ready=ready)
        except KeyboardInterrupt:
            pass
    return 0


@_command(
    ("upstream",), "[ls | release NAME[:TAG] | set classroom|hub|URL]", "The registry behind docker.io: its tags, and their next builds",
    most=2, program="imagelab",
)  # fmt: skip
def upstream(context: Context) -> int:
    from imagelab.cli.table import columns
    from imagelab.reference import Reference

    words, lab = context.parsed.arguments, context.lab
    match words:
        case [] | ["ls"]:
            rows = ["REPOSITORY\tTAG\tBUILDS PUBLISHED"]
            for name in lab.upstream.repositories():
                rows += [f"{name}\t{tag}\t{done} of {total}" for tag, (done, total) in lab.upstream.tags(name).items()]
            context.out.write(columns(rows))
        case ["release", name]:
            digest = lab.upstream.release(name)
            shown = Reference.parse(name).with_default_tag().familiar()
            context.out.write(f"{shown} now is {digest}\nhint: docker pull {shown} brings it\n")
        case ["set", where]:
            lab.set_upstream(where)
            context.out.write(f"docker.io is now {where}\n")
        case _:
            raise UsageError(f"imagelab upstream {' '.join(words)}: not understood", hint="imagelab upstream --help")
    return 0


@_command(("doctor",), "", "Recompute every digest, size and link of the lab", program="imagelab")
def doctor(context: Context) -> int:
    problems = context.lab.engine.doctor()
    context.out.write("".join(f"{problem}\n" for problem in problems) or "the lab is as it should be\n")
    return 1 if problems else 0


@_command(("gc",), "", "Drop blobs that nothing needs, and downloads that broke off", program="imagelab")
def gc(context: Context) -> int:
    from imagelab.units import human_size

    context.out.write(f"Total reclaimed space: {human_size(context.lab.engine.gc(), digits=4)}\n")
    return 0


# -- what is not here ---------------------------------------------------------------------------------------

_CONTAINERS = "it does not run containers yet"
_BUILD = "it does not build images yet"
_ARCHIVES = "it does not read or write archives yet"
_NO_DAEMON = "there is no daemon to manage"
OUT_OF_SCOPE = {
    **dict.fromkeys(
        ["run", "create", "start", "stop", "restart", "kill", "pause", "unpause", "wait", "exec", "attach", "logs", "ps", "top", "port", "rename", "rm", "cp", "diff", "commit", "export", "container", "stats", "update"], _CONTAINERS,
    ),
    **dict.fromkeys(["build", "buildx", "builder", "image build"], _BUILD),
    **dict.fromkeys(["save", "load", "import", "image save", "image load", "image import"], _ARCHIVES),
    **dict.fromkeys(["push", "image push"], "its labs pull; `imagelab serve` is a registry that others push to"),
    **dict.fromkeys(["login", "logout"], "the built-in registry needs no login"),
    **dict.fromkeys(["volume", "network", "compose", "swarm", "service", "stack", "node", "secret", "config"], "it is about images"),
    **dict.fromkeys(
        ["search", "context", "plugin", "trust", "manifest", "checkpoint", "events"] + ["system events", "system prune"], _NO_DAEMON
    ),
}  # fmt: skip


def sections() -> list[tuple[str, list[tuple[str, str]]]]:
    """The overview's parts: Docker's verbs, groups, imagelab's own."""

    def entries(names: Sequence[str]) -> list[tuple[str, str]]:
        return [(name, COMMANDS[name].short) for name in names]

    return [
        ("Docker's Commands", entries(["pull", "images", "tag", "rmi", "history", "inspect", "version", "info"])),
        ("Management Commands", [(name, group.short) for name, group in GROUPS.items()]),
        ("imagelab's Commands", entries(["lab", "upstream", "serve", "doctor", "gc"])),
    ]
