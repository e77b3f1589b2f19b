"""Docker's container verbs. Each asks `Engine.containers`, and writes what Docker would write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from imagelab.cli.command import Invocation, command
from imagelab.cli.commands.container_flags import flags_of
from imagelab.cli.verbs import VERBS
from imagelab.errors import ConflictError, ImageLabError, ImageNotFoundError, NotFoundError, TemplateError, UsageError

if TYPE_CHECKING:
    from imagelab.cli.command import Function
    from imagelab.cli.flags import Parsed
    from imagelab.engine.containers import Containers
    from imagelab.state.container_config import Request
    from imagelab.state.model import Container
    from imagelab.state.requests import CommitRequest


def verb(
    name: str, arguments: str, *, least: int = 1, most: int | None = 1, interspersed: bool = True, about: str = ""
) -> Callable[[Function], Function]:  # fmt: skip
    """Say how a container verb is called; its flags are those of Docker's page."""
    return command(
        VERBS[name].canonical, arguments, *flags_of(name), least=least, most=most, interspersed=interspersed, about=about
    )  # fmt: skip


def each(context: Invocation, act: Callable[[str], object], *, echo: bool = True) -> int:
    """Do something for every argument; echo those that went well, explain those that did not (R6.1)."""
    failed = []
    for name in context.parsed.arguments:
        try:
            act(name)
        except ImageLabError as error:
            failed.append(error)
            continue
        if echo:
            context.out.write(f"{name}\n")
    for refusal in failed:
        context.explain(refusal)
    return 1 if failed else 0


def containers(context: Invocation) -> Containers:
    return context.lab.engine.containers


# -- run, create, exec --------------------------------------------------------------------------------------


@verb("run", "IMAGE [COMMAND] [ARG...]", most=None, interspersed=False)
def run(context: Invocation) -> int:
    from imagelab.cli.commands.run_options import request_of, settled
    from imagelab.cli.streams import input_from
    from imagelab.oci.reference import Reference
    from imagelab.output.streams import output_to

    parsed = context.parsed
    try:
        request = request_of(parsed, settled(context))
        Reference.parse(request.image) if not _is_id(request.image) else None
    except ImageLabError as error:
        if str(error).startswith(
            ("conflicting options: cannot specify both --attach", "invalid argument", "imagelab does not")
        ):
            raise
        return _run_failed(context, error)
    try:
        stdin = input_from(context.stdin, heard=context.heard, interactive=request.interactive and not request.detach, tty=request.tty, environ=context.environ)  # fmt: skip
    except UsageError as error:
        context.explain(error)
        return 1
    try:
        container = _made(context, request)
        if request.detach:
            _say_moved(context, containers(context).start(container.id))
            context.out.write(f"{container.id}\n")
            return 0
        return containers(context).run_here(container.id, stdin, output_to(context.out, context.err))
    except ImageLabError as error:
        return _run_failed(context, error)


def _is_id(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _run_failed(context: Invocation, error: ImageLabError) -> int:
    """R6.20, R6.11."""
    from imagelab.output import eras

    said = f"docker: {eras.prefix(error, context.era)}{eras.error_text(error, context.era)}"
    now = "\n\nRun 'docker run --help' for more information\n"
    context.err.write(said + (".\nSee 'docker run --help'.\n" if context.era == "1.13" else now))
    if error.hint:
        context.err.write(f"hint: {error.hint}\n")
    return error.exit_code if error.exit_code in (125, 126, 127) else 125


def _created(context: Invocation, request: Request) -> Container:
    """Create it; an image that is not here is pulled first, its progress on standard error."""
    engine = context.lab.engine
    if request.pull == "always":
        _pull(context, request)
    try:
        return engine.containers.create(request)
    except ImageNotFoundError:
        if request.pull == "never":
            raise
        from imagelab.oci.reference import Reference

        shown = Reference.parse(request.image).with_default_tag().familiar()
        context.err.write(f"Unable to find image '{shown}' locally\n")
        _pull(context, request)
    return engine.containers.create(request)


def _pull(context: Invocation, request: Request) -> None:
    from imagelab.output.progress import lines_to, terminal_to
    from imagelab.state.events import ProgressSink, silent

    progress: ProgressSink = silent
    if context.parsed.on("quiet"):
        progress = silent
    elif context.progress is not None:
        progress = context.progress
    else:
        progress = terminal_to(context.err, width=80) if context.err.isatty() else lines_to(context.err)
    context.lab.engine.images.pull(request.image, platform=request.platform, progress=progress)


def _made(context: Invocation, request: Request) -> Container:
    """The container; with --cidfile its ID is in that file, which is tried before anything is made."""
    file = context.parsed.text("cidfile")
    if not file or context.again:
        return _created(context, request)
    place = context.host.path(file)
    if place.exists():
        raise UsageError(
            f"container ID file found, make sure the other container isn't running or delete {file}", exit_code=125
        )
    try:
        place.touch()
    except OSError as error:
        said = f"failed to create the container ID file: open {file}: {(error.strerror or str(error)).lower()}"
        raise UsageError(said, exit_code=125) from None
    try:
        container = _created(context, request)
    except ImageLabError:
        place.unlink()
        raise
    place.write_text(container.id, encoding="utf-8")
    return container


@verb("create", "IMAGE [COMMAND] [ARG...]", most=None, interspersed=False)
def create(context: Invocation) -> int:
    from imagelab.cli.commands.run_options import request_of, settled

    container = _made(context, request_of(context.parsed, settled(context)))
    context.out.write(f"{container.id}\n")
    return 0


@verb("exec", "CONTAINER COMMAND [ARG...]", least=2, most=None, interspersed=False)
def exec_(context: Invocation) -> int:
    from imagelab.cli.commands.run_options import exec_request, settled
    from imagelab.cli.streams import input_from
    from imagelab.engine.process_spec import Exec
    from imagelab.output.streams import output_to

    request = exec_request(context.parsed, settled(context))
    containers(context).resolve(request.container)
    if request.detach:
        from imagelab.cli.commands.exec_apart import exec_apart

        return exec_apart(context, request)
    typed = request.tty and request.interactive
    stdin = input_from(
        context.stdin, heard=context.heard, interactive=request.interactive, tty=typed, environ=context.environ
    )
    wanted = Exec(request.command, request.env, request.user, request.workdir, request.tty)
    return containers(context).exec(request.container, wanted, stdin, output_to(context.out, context.err))


def _say_moved(context: Invocation, container: Container) -> None:
    """A line for each port that somebody else had."""
    from imagelab.state.container_config import moved_ports

    context.err.write(moved_ports(container))


# -- start, stop and the like -------------------------------------------------------------------------------


@verb("start", "CONTAINER [CONTAINER...]", most=None)
def start(context: Invocation) -> int:
    from imagelab.cli.streams import input_from
    from imagelab.output.streams import output_to

    parsed = context.parsed
    if parsed.on("attach") or parsed.on("interactive"):
        if len(parsed.arguments) > 1:
            raise UsageError("you cannot start and attach multiple containers at once")
        container = containers(context).resolve(parsed.arguments[0])
        tty = bool(container.config.get("Tty"))
        stdin = input_from(
            context.stdin, heard=context.heard, interactive=parsed.on("interactive"), tty=tty, environ=context.environ
        )
        if container.running:
            return _attached(context, container, stdin_open=parsed.on("interactive"))
        return containers(context).run_here(container.id, stdin, output_to(context.out, context.err))
    failed = []
    for name in parsed.arguments:
        try:
            _say_moved(context, containers(context).start(name))
            context.out.write(f"{name}\n")
        except ImageLabError as error:
            context.explain(error)
            failed.append(name)
    if failed:
        context.err.write(f"failed to start containers: {', '.join(failed)}\n")
    return 1 if failed else 0


def _timeout(context: Invocation) -> int | None:
    given = context.parsed.text("timeout") or context.parsed.text("time")
    return int(given) if given else None


@verb("stop", "CONTAINER [CONTAINER...]", most=None)
def stop(context: Invocation) -> int:
    signal = context.parsed.text("signal")
    return each(context, lambda name: containers(context).stop(name, timeout=_timeout(context), signal=signal))


@verb("restart", "CONTAINER [CONTAINER...]", most=None)
def restart(context: Invocation) -> int:
    signal = context.parsed.text("signal")
    return each(
        context,
        lambda name: _say_moved(context, containers(context).restart(name, timeout=_timeout(context), signal=signal)),
    )


@verb("kill", "CONTAINER [CONTAINER...]", most=None)
def kill(context: Invocation) -> int:
    return each(context, lambda name: containers(context).kill(name, signal=context.parsed.text("signal") or "KILL"))


@verb("pause", "CONTAINER [CONTAINER...]", most=None)
def pause(context: Invocation) -> int:
    return each(context, containers(context).pause)


@verb("unpause", "CONTAINER [CONTAINER...]", most=None)
def unpause(context: Invocation) -> int:
    return each(context, containers(context).unpause)


@verb("wait", "CONTAINER [CONTAINER...]", most=None)
def wait(context: Invocation) -> int:
    return each(context, lambda name: context.out.write(f"{containers(context).wait(name)}\n"), echo=False)


@verb("rename", "CONTAINER NEW_NAME", least=2, most=2)
def rename(context: Invocation) -> int:
    old, new = context.parsed.arguments
    containers(context).rename(old.strip(), new.strip())
    return 0


@verb(
    "rm", "CONTAINER [CONTAINER...]", most=None,
)  # fmt: skip
def rm(context: Invocation) -> int:
    parsed = context.parsed
    if parsed.on("link"):
        raise UsageError("imagelab does not do `docker rm --link`: networks are out of scope")
    force = parsed.on("force")
    failed: list[ImageLabError] = []
    for name in parsed.arguments:
        try:
            containers(context).remove(name, force=force)
        except NotFoundError as error:
            if not force:  # R6.15: what is not there need not be removed
                failed.append(error)
            continue
        except ConflictError as error:
            failed.append(error)
            continue
        context.out.write(f"{name}\n")
    for refusal in failed:
        context.explain(refusal)
    return 1 if failed else 0


@verb("container prune", "", least=0, most=0)
def prune(context: Invocation) -> int:
    from imagelab.output import eras

    if not context.parsed.on("force"):
        context.out.write(
            "WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] "
        )
        context.out.flush()
        if context.answer() not in ("y", "Y"):
            return 1
    gone, freed = containers(context).prune(kept_by_filters(context))
    context.out.write(deleted(gone) + f"Total reclaimed space: {eras.size(freed, '28', digits=4)}\n")
    return 0


def deleted(gone: Sequence[str]) -> str:
    """What a prune says of the containers that went."""
    listed = "".join(f"{container_id}\n" for container_id in gone)
    return f"Deleted Containers:\n{listed}\n" if gone else ""


def kept_by_filters(context: Invocation) -> Callable[[Container], bool]:
    """--filter: `until=24h`, `label=x`, `label!=x`."""
    from imagelab.state.image_filters import Filters
    from imagelab.units import parse_moment

    filters = Filters.parse(context.parsed.all("filter"))
    filters.validate({"until", "label", "label!"})
    until = [parse_moment(text, now=context.lab.now(), tz=context.lab.tz) for text in filters.get("until", ())]

    def has(container: Container, text: str) -> bool:
        key, equals, value = text.partition("=")
        return key in container.labels and (not equals or container.labels[key] == value)

    return lambda one: (
        any(one.created > moment for moment in until)
        or not all(has(one, text) for text in filters.get("label", ()))
        or any(has(one, text) for text in filters.get("label!", ()))
    )


# -- looking ------------------------------------------------------------------------------------------------


@verb("ps", "", least=0, most=0)
def ps(context: Invocation) -> int:
    from imagelab.engine.container_filters import select
    from imagelab.output.containers import ps as table
    from imagelab.state.image_filters import Filters

    parsed, lab = context.parsed, context.lab
    state = containers(context).state
    last = int(parsed.text("last", "-1"))
    filters = Filters.parse(parsed.all("filter"))
    listed = select(
        state, filters, all=parsed.on("all"), last=1 if parsed.on("latest") and last == -1 else last, engine=lab.engine
    )
    try:
        context.out.write(table(
            listed, state, quiet=parsed.on("quiet"), no_trunc=parsed.on("no-trunc"), size=parsed.on("size"),
            format=parsed.text("format"), era=lab.era, now=lab.now(), tz=lab.tz,
        ))  # fmt: skip
    except TemplateError as error:  # the client looks for .Size first, and says so in its own words
        what = "execute" if "executing" in str(error) else "parse"
        raise TemplateError(str(error).replace("template parsing error", f"failed to {what} template", 1)) from None
    return 0


@verb("container inspect", "CONTAINER [CONTAINER...]", most=None)
def container_inspect(context: Invocation) -> int:
    from imagelab.cli.commands.formatting import inspect_objects

    def find(name: str) -> dict[str, object]:
        return inspected(context, name)

    return inspect_objects(context, find, lambda error, name: context.explain(error))


def inspected(context: Invocation, name: str) -> dict[str, object]:
    """One container's object. ContainerNotFoundError."""
    from imagelab.output.containers import inspected as as_object

    container = containers(context).resolve(name)
    log = context.lab.store.container_files(container.id) / "log"
    return as_object(container, context.lab.state, str(log), size=context.parsed.on("size"))


@verb("logs", "CONTAINER")
def logs(context: Invocation) -> int:
    from imagelab.cli.commands.logs import show

    return show(context)


@verb("top", "CONTAINER [ps OPTIONS]", most=None, interspersed=False)
def top(context: Invocation) -> int:
    from imagelab.output.containers import top as table

    name = context.parsed.arguments[0]
    rows = containers(context).top(name)
    context.out.write(table(rows, containers(context).resolve(name)))
    return 0


@verb("port", "CONTAINER [PRIVATE_PORT[/PROTO]]", most=2)
def port(context: Invocation) -> int:
    from imagelab.output.containers import ports

    name, *private = context.parsed.arguments
    lines = ports(containers(context).resolve(name), private[0] if private else "", context.era)
    if private and not lines:
        context.err.write(f"Error: No public port '{private[0]}' published for {name}\n")
        return 1
    context.out.write("".join(f"{line}\n" for line in lines))
    return 0


@verb("diff", "CONTAINER")
def diff(context: Invocation) -> int:
    name = context.parsed.arguments[0]
    if not name:
        raise UsageError("Container name cannot be empty")
    text = "".join(f"{kind} {path}\n" for kind, path in containers(context).diff(name))
    richer = {"text/html": context.lab.causes(name).html} if text and context.in_notebook else {}
    context.show(text, richer)
    return 0


# -- attach -------------------------------------------------------------------------------------------------


@verb("attach", "CONTAINER")
def attach(context: Invocation) -> int:
    container = containers(context).resolve(context.parsed.arguments[0])
    if container.status == "paused":
        raise ConflictError("cannot attach to a paused container, unpause it first", origin="client")
    if not container.running:
        raise ConflictError("cannot attach to a stopped container, start it first", origin="client")
    return _attached(context, container, stdin_open=not context.parsed.on("no-stdin"))


def _attached(context: Invocation, container: Container, *, stdin_open: bool) -> int:
    from imagelab.cli.commands.logs import follow

    open_stdin = stdin_open and bool(container.config.get("OpenStdin"))
    return follow(context, container, typed=open_stdin)


# -- commit, export, cp -------------------------------------------------------------------------------------


@verb("commit", "CONTAINER [REPOSITORY[:TAG]]", most=2)
def commit(context: Invocation) -> int:
    parsed, request = context.parsed, commit_request(context.parsed)
    if parsed.on("no-pause") and parsed.all("pause"):
        raise UsageError("conflicting options: --no-pause and --pause cannot be used together")
    image = containers(context).commit(
        request.container, request.target, author=request.author, message=request.message, instructions=request.changes
    )  # fmt: skip
    context.out.write(f"{image}\n")
    return 0


def commit_request(parsed: Parsed) -> CommitRequest:
    """What a line of `docker commit` asks for."""
    from imagelab.state.requests import CommitRequest

    container, *target = parsed.arguments
    return CommitRequest(
        container, target[0] if target else "", parsed.text("author"), parsed.text("message"), tuple(parsed.all("change"))
    )  # fmt: skip


@verb("export", "CONTAINER")
def export(context: Invocation) -> int:
    from imagelab.cli.commands.copy import exported

    return exported(context)


@verb(
    "cp", "CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH", least=2, most=2,
    about="Use '-' as the source to read a tar archive from stdin\nand extract it to a directory destination in a container.\n"
    "Use '-' as the destination to stream a tar archive of a\ncontainer source to stdout.",
)  # fmt: skip
def cp(context: Invocation) -> int:
    from imagelab.cli.commands.copy import copied

    return copied(context)
