"""Docker's verbs. Each asks the Engine, hands the answer to `format`, and writes the text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imagelab.cli.command import COMMANDS, Context, command
from imagelab.cli.flags import Flag, Parsed
from imagelab.errors import ImageLabError, NotFoundError, UsageError
from imagelab.output import eras

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab

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

# -- pull, images, history, inspect -------------------------------------------------------------------------


@command(
    ("image pull", "pull"), "NAME[:TAG|@DIGEST]", "Download an image from a registry",
    Flag("all-tags", "a", "bool", "Download all tagged images in the repository"),
    Flag("disable-content-trust", "", "bool", "Skip image verification", "true"),
    Flag("platform", "", "string", "Set platform if server is multi-platform capable"),
    Flag("quiet", "q", "bool", "Suppress verbose output"), least=1, most=1,
)  # fmt: skip
def pull(context: Context) -> int:
    from imagelab.oci.reference import Reference
    from imagelab.state.events import silent

    parsed = context.parsed
    name, all_tags, quiet = parsed.arguments[0], parsed.on("all-tags"), parsed.on("quiet")
    reference = Reference.parse(name)
    if not (quiet or all_tags or reference.tag or reference.digest):
        context.out.write("Using default tag: latest\n")
    progress = silent if quiet else context.pull_progress()
    platform = parsed.text("platform") or None
    result = context.lab.engine.images.pull(name, all_tags=all_tags, platform=platform, progress=progress)
    if context.era != "1.13" or quiet:
        context.out.write(result.canonical + "\n")
    return 0


@command(
    ("image ls", "image list", "images"), "[REPOSITORY[:TAG]]", "List images",
    Flag("all", "a", "bool", "Show all images (default hides intermediate images)"),
    Flag("digests", "", "bool", "Show digests"),
    Flag("filter", "f", "filter", "Filter output based on conditions provided"),
    Flag("format", "", "string", TABLE_FORMAT), Flag("no-trunc", "", "bool", "Don't truncate output"),
    Flag("quiet", "q", "bool", "Only show image IDs"),
    Flag("tree", "", "bool", "List multi-platform images as a tree (EXPERIMENTAL)"), most=1,
)  # fmt: skip
def images(context: Context) -> int:
    from imagelab.output import images as format
    from imagelab.state.image_filters import Filters

    parsed, lab = context.parsed, context.lab
    _refuse_with_tree(parsed)
    patterns = [f"reference={name}" for name in parsed.arguments]
    filters = Filters.parse([*parsed.all("filter"), *patterns])
    listed = lab.engine.images.list(all=parsed.on("all"), filters=filters)
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


@command(
    ("image history", "history"), "IMAGE", "Show the history of an image", Flag("format", "", "string", TABLE_FORMAT),
    Flag("human", "H", "bool", "Print sizes and dates in human readable format", "true"),
    Flag("no-trunc", "", "bool", "Don't truncate output"),
    Flag("platform", "", "string", 'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    Flag("quiet", "q", "bool", "Only show image IDs"), least=1, most=1,
)  # fmt: skip
def history(context: Context) -> int:
    from imagelab.output import images as format

    parsed, lab = context.parsed, context.lab
    rows = lab.engine.images.history(parsed.arguments[0])
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


@command(
    ("image inspect",), "IMAGE [IMAGE...]", "Display detailed information on one or more images",
    Flag("format", "f", "string", OBJECT_FORMAT), _PLATFORM, least=1, most=None,
)  # fmt: skip
def image_inspect(context: Context) -> int:
    return inspect_objects(context, lambda name: _image(context, name), lambda error, name: context.explain(error))


def _image(context: Context, name: str) -> dict[str, Any]:
    item = context.lab.engine.images.inspect(name)
    return _as_29(item, context.lab, name) if context.lab.era == "29" else item


@command(
    ("inspect",), "NAME|ID [NAME|ID...]", "Return low-level information on Docker objects",
    Flag("format", "f", "string", OBJECT_FORMAT),
    Flag("size", "s", "bool", "Display total file sizes if the type is container"),
    Flag("type", "", "string", "Only inspect objects of the given type"), least=1, most=None,
)  # fmt: skip
def inspect(context: Context) -> int:
    from imagelab.cli.commands.containers import inspected

    kind = context.parsed.text("type")
    if kind not in ("", "image", "container"):
        raise UsageError(f'"{kind}" is not a valid value for --type', hint="a lab holds images and containers")

    def find(name: str) -> dict[str, Any]:
        if kind == "image":
            return _image(context, name)
        try:
            return inspected(context, name)
        except NotFoundError:
            if kind:
                raise
        return _image(context, name)

    def missing(error: ImageLabError, name: str) -> None:
        if kind:
            context.explain(error)
        else:
            word = "error: no" if context.era == "29" else "Error: No"
            context.err.write(f"{word} such object: {name}\n")

    return inspect_objects(context, find, missing)


def inspect_objects(
    context: Context, find: Callable[[str], dict[str, Any]], missing: Callable[[ImageLabError, str], None]
) -> int:
    """`docker inspect`, whatever is inspected: those that were found, then complaints about the others."""
    from imagelab.errors import TemplateError
    from imagelab.output import images as format

    found, failed = [], []
    for name in context.parsed.arguments:
        try:
            found.append(find(name))
        except NotFoundError as error:
            failed.append((error, name))
    try:
        if found or not context.parsed.text("format"):
            context.out.write(format.inspect(found, format=context.parsed.text("format")) if found else "[]\n")
        else:
            context.out.write("\n")
    except TemplateError as error:
        if "executing" in str(error):
            context.out.write("\n")
        else:
            error.exit_code = 64
        raise
    for refusal, name in failed:
        missing(refusal, name)
    return 1 if failed else 0


def _as_29(item: dict[str, Any], lab: Lab, name: str) -> dict[str, Any]:
    """What 29 drops and adds (R6.52)."""
    image = lab.engine.images.resolve(name)
    dropped = {"Parent", "DockerVersion", "GraphDriver", *(key for key in ("Comment", "Author") if not item[key])}
    kept = {key: value for key, value in item.items() if key not in dropped}
    media_type = lab.engine.images.media_type(image.target)
    descriptor = {"mediaType": media_type, "digest": image.target, "size": len(lab.store.read_blob(image.target))}
    return kept | {"Id": image.target, "Size": image.content_size, "Descriptor": descriptor}


# -- tag, rmi, prune ----------------------------------------------------------------------------------------


@command(
    ("image tag", "tag"), "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    least=2, most=2,
)  # fmt: skip
def tag(context: Context) -> int:
    context.lab.engine.images.tag(*context.parsed.arguments)
    return 0


@command(
    ("image rm", "image remove", "rmi"), "IMAGE [IMAGE...]", "Remove one or more images",
    Flag("force", "f", "bool", "Force removal of the image"), Flag("no-prune", "", "bool", "Do not delete untagged parents"),
    Flag("dry-run", "", "bool", "Show what would go and what would stay, and remove nothing", ours=True),
    Flag("platform", "", "strings", 'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    least=1, most=None,
)  # fmt: skip
def rmi(context: Context) -> int:
    from imagelab.output import images as format

    parsed, lab = context.parsed, context.lab
    if parsed.all("platform"):
        raise UsageError("removing one platform of an image needs the containerd store", hint="leave --platform out")
    if parsed.on("dry-run"):
        preview = lab.preview_rmi(
            *parsed.arguments, force=parsed.on("force"), prune=not parsed.on("no-prune"), lang="en"
        )
        context.show(
            preview.text, {"text/html": replace(preview, lang=lab.lang).html}
        )  # a panel speaks the learner's language
        return 1 if preview.refusals else 0
    force, failed = parsed.on("force"), []
    for name in parsed.arguments:
        before = lab.state
        try:
            removed = lab.engine.images.remove(name, force=force, prune=not parsed.on("no-prune"))
        except ImageLabError as error:
            failed.append(error)
            continue
        context.out.write(format.removals(eras.removals(removed, before, lab.era)))
    for refusal in failed:
        context.explain(refusal)
    forgiven = force and all(isinstance(refusal, NotFoundError) for refusal in failed)
    return 1 if failed and not forgiven else 0


@command(
    ("image prune",), "", "Remove unused images", Flag("all", "a", "bool", "Remove all unused images, not just dangling ones"),
    Flag("filter", "", "filter", 'Provide filter values (e.g. "until=<timestamp>")'),
    Flag("force", "f", "bool", "Do not prompt for confirmation"),
)  # fmt: skip
def prune(context: Context) -> int:
    from imagelab.output import images as format
    from imagelab.state.image_filters import Filters

    parsed, lab = context.parsed, context.lab
    what = "images without at least one container associated to them" if parsed.on("all") else "dangling images"
    if not parsed.on("force"):
        context.out.write(f"WARNING! This will remove all {what}.\nAre you sure you want to continue? [y/N] ")
        context.out.flush()
        if context.answer() not in ("y", "Y"):
            return 1
    before = lab.state
    report = lab.engine.images.prune(all=parsed.on("all"), filters=Filters.parse(parsed.all("filter")))
    context.out.write(format.prune(report, eras.removals(report.removed, before, lab.era)))
    return 0


# -- system -------------------------------------------------------------------------------------------------


@command(
    ("system df",), "", "Show docker disk usage", Flag("format", "", "string", TABLE_FORMAT),
    Flag("verbose", "v", "bool", "Show detailed information on space usage"),
)  # fmt: skip
def system_df(context: Context) -> int:
    from imagelab.output import images as format

    parsed, lab = context.parsed, context.lab
    context.out.write(format.disk_usage(
        lab.engine.images.disk_usage(), lab.state, verbose=parsed.on("verbose"), format=parsed.text("format"), era=lab.era,
        now=lab.now(), tz=lab.tz,
    ))  # fmt: skip
    if held := lab.timeline.held():
        from imagelab.units import human_size

        said = (
            f"hint: the timeline holds {human_size(held, digits=4)} more, for undo; imagelab gc --keep 0 forgets it\n"
        )
        context.err.write(said)
    return 0


@command(("version",), "", "Show the Docker version information", Flag("format", "f", "string", OBJECT_FORMAT))
def version(context: Context) -> int:
    from imagelab import __version__
    from imagelab.output import images as format

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


@command(("system info", "info"), "", "Display system-wide information", Flag("format", "f", "string", OBJECT_FORMAT))
def info(context: Context) -> int:
    from imagelab import __version__
    from imagelab.output import images as format

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
