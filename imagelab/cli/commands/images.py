"""Docker's verbs. Each asks the Engine, hands the answer to `format`, and writes the text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imagelab.cli.command import Invocation, command
from imagelab.cli.commands.formatting import OBJECT_FORMAT, TABLE_FORMAT, inspect_objects
from imagelab.cli.flags import Flag, Parsed
from imagelab.cli.verbs import VERBS
from imagelab.errors import ImageLabError, NotFoundError, UsageError
from imagelab.output import eras

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab
    from imagelab.state.requests import PruneRequest, PullRequest, RemoveRequest

# -- pull, images, history, inspect -------------------------------------------------------------------------


@command(
    "image pull", "NAME[:TAG|@DIGEST]",
    Flag("all-tags", "a", "bool", "Download all tagged images in the repository"),
    Flag("disable-content-trust", "", "bool", "Skip image verification", "true"),
    Flag("platform", "", "string", "Set platform if server is multi-platform capable"),
    Flag("quiet", "q", "bool", "Suppress verbose output"), least=1, most=1,
)  # fmt: skip
def pull(context: Invocation) -> int:
    from imagelab.oci.reference import Reference
    from imagelab.state.events import silent

    request, quiet = pull_request(context.parsed), context.parsed.on("quiet")
    reference = Reference.parse(request.name)
    if not (quiet or request.all_tags or reference.tag or reference.digest):
        context.out.write("Using default tag: latest\n")
    progress = silent if quiet else context.pull_progress()
    result = context.lab.engine.images.pull(
        request.name, all_tags=request.all_tags, platform=request.platform, progress=progress
    )
    if context.era != "1.13" or quiet:
        context.out.write(result.canonical + "\n")
    return 0


def pull_request(parsed: Parsed) -> PullRequest:
    """What a line of `docker pull` asks for."""
    from imagelab.state.requests import PullRequest

    return PullRequest(parsed.arguments[0], parsed.on("all-tags"), parsed.text("platform") or None)


@command(
    "image ls", "[REPOSITORY[:TAG]]",
    Flag("all", "a", "bool", "Show all images (default hides intermediate images)"),
    Flag("digests", "", "bool", "Show digests"),
    Flag("filter", "f", "filter", "Filter output based on conditions provided"),
    Flag("format", "", "string", TABLE_FORMAT), Flag("no-trunc", "", "bool", "Don't truncate output"),
    Flag("quiet", "q", "bool", "Only show image IDs"),
    Flag("tree", "", "bool", "List multi-platform images as a tree (EXPERIMENTAL)"), most=1,
)  # fmt: skip
def images(context: Invocation) -> int:
    from imagelab.output.images import ListOptions
    from imagelab.output.images import images as table
    from imagelab.state.image_filters import Filters

    parsed, lab = context.parsed, context.lab
    _refuse_with_tree(parsed)
    patterns = [f"reference={name}" for name in parsed.arguments]
    filters = Filters.parse([*parsed.all("filter"), *patterns])
    listed = lab.engine.images.list(all=parsed.on("all"), filters=filters)
    options = ListOptions(
        quiet=parsed.on("quiet"), no_trunc=parsed.on("no-trunc"), digests=parsed.on("digests"), all=parsed.on("all"),
        format=parsed.text("format"), tree=parsed.on("tree"), reference_patterns=tuple(filters.get("reference", ())),
        dangling=filters.boolean("dangling"),
    )  # fmt: skip
    context.out.write(table(listed, lab.state, options, era=lab.era, now=lab.now(), tz=lab.tz))
    if not listed and parsed.arguments and f"image {parsed.arguments[0]}" in VERBS and lab.era != "1.13":
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
    "image history", "IMAGE", Flag("format", "", "string", TABLE_FORMAT),
    Flag("human", "H", "bool", "Print sizes and dates in human readable format", "true"),
    Flag("no-trunc", "", "bool", "Don't truncate output"),
    Flag("platform", "", "string", 'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    Flag("quiet", "q", "bool", "Only show image IDs"), least=1, most=1,
)  # fmt: skip
def history(context: Invocation) -> int:
    from imagelab.output.images import history as table

    parsed, lab = context.parsed, context.lab
    rows = lab.engine.images.history(parsed.arguments[0])
    if lab.era == "29":  # the ID it goes by
        ids = {image.id: image.target for image in lab.state.images.values()}
        rows = [replace(row, id=ids.get(row.id, row.id) if row.id else None) for row in rows]
    context.out.write(table(
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
    "image inspect", "IMAGE [IMAGE...]",
    Flag("format", "f", "string", OBJECT_FORMAT), _PLATFORM, least=1, most=None,
)  # fmt: skip
def image_inspect(context: Invocation) -> int:
    return inspect_objects(context, lambda name: _image(context, name), lambda error, name: context.explain(error))


def _image(context: Invocation, name: str) -> dict[str, Any]:
    item = context.lab.engine.images.inspect(name)
    return _as_29(item, context.lab, name) if context.lab.era == "29" else item


@command(
    "inspect", "NAME|ID [NAME|ID...]",
    Flag("format", "f", "string", OBJECT_FORMAT),
    Flag("size", "s", "bool", "Display total file sizes if the type is container"),
    Flag("type", "", "string", "Only inspect objects of the given type"), least=1, most=None,
)  # fmt: skip
def inspect(context: Invocation) -> int:
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
    "image tag", "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    least=2, most=2,
)  # fmt: skip
def tag(context: Invocation) -> int:
    context.lab.engine.images.tag(*context.parsed.arguments)
    return 0


@command(
    "image rm", "IMAGE [IMAGE...]",
    Flag("force", "f", "bool", "Force removal of the image"), Flag("no-prune", "", "bool", "Do not delete untagged parents"),
    Flag("dry-run", "", "bool", "Show what would go and what would stay, and remove nothing", ours=True),
    Flag("platform", "", "strings", 'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    least=1, most=None,
)  # fmt: skip
def rmi(context: Invocation) -> int:
    from imagelab.output.images import removals

    parsed, lab, request = context.parsed, context.lab, remove_request(context.parsed)
    if parsed.all("platform"):
        raise UsageError("removing one platform of an image needs the containerd store", hint="leave --platform out")
    if parsed.on("dry-run"):
        preview = lab.preview_rmi(*request.names, force=request.force, prune=request.prune, lang="en")
        context.show(
            preview.text, {"text/html": replace(preview, lang=lab.lang).html}
        )  # a panel speaks the learner's language
        return 1 if preview.refusals else 0
    failed = []
    for name in request.names:
        before = lab.state
        try:
            removed = lab.engine.images.remove(name, force=request.force, prune=request.prune)
        except ImageLabError as error:
            failed.append(error)
            continue
        context.out.write(removals(eras.removals(removed, before, lab.era)))
    for refusal in failed:
        context.explain(refusal)
    forgiven = request.force and all(isinstance(refusal, NotFoundError) for refusal in failed)
    return 1 if failed and not forgiven else 0


def remove_request(parsed: Parsed) -> RemoveRequest:
    """What a line of `docker rmi` asks for."""
    from imagelab.state.requests import RemoveRequest

    return RemoveRequest(tuple(parsed.arguments), parsed.on("force"), not parsed.on("no-prune"))


@command(
    "image prune", "", Flag("all", "a", "bool", "Remove all unused images, not just dangling ones"),
    Flag("filter", "", "filter", 'Provide filter values (e.g. "until=<timestamp>")'),
    Flag("force", "f", "bool", "Do not prompt for confirmation"),
)  # fmt: skip
def prune(context: Invocation) -> int:
    from imagelab.output.images import prune as answer
    from imagelab.state.image_filters import Filters

    lab, request = context.lab, prune_request(context.parsed)
    what = "images without at least one container associated to them" if request.all else "dangling images"
    if not request.force:
        context.out.write(f"WARNING! This will remove all {what}.\nAre you sure you want to continue? [y/N] ")
        context.out.flush()
        if context.answer() not in ("y", "Y"):
            return 1
    before = lab.state
    report = lab.engine.images.prune(all=request.all, filters=Filters.parse(list(request.filters)))
    context.out.write(answer(report, eras.removals(report.removed, before, lab.era)))
    return 0


def prune_request(parsed: Parsed) -> PruneRequest:
    """What a line of `docker image prune` asks for."""
    from imagelab.state.requests import PruneRequest

    return PruneRequest(parsed.on("all"), tuple(parsed.all("filter")), parsed.on("force"))
