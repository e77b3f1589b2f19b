"""`docker version`, `info` and `system df`; and what imagelab has for a whole lab: its upstream, a registry, a doctor."""

from __future__ import annotations

from imagelab.cli.command import Invocation, command
from imagelab.cli.commands.formatting import OBJECT_FORMAT, TABLE_FORMAT
from imagelab.cli.flags import Flag
from imagelab.errors import ImageLabError, UsageError


@command(
    "system df", "", Flag("format", "", "string", TABLE_FORMAT),
    Flag("verbose", "v", "bool", "Show detailed information on space usage"),
)  # fmt: skip
def system_df(context: Invocation) -> int:
    from imagelab.output.images import disk_usage

    parsed, lab = context.parsed, context.lab
    context.out.write(disk_usage(
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


@command(
    "system prune", "", Flag("all", "a", "bool", "Remove all unused images not just dangling ones"),
    Flag("filter", "", "filter", 'Provide filter values (e.g. "label=<key>=<value>")'),
    Flag("force", "f", "bool", "Do not prompt for confirmation"), Flag("volumes", "", "bool", "Prune anonymous volumes"),
)  # fmt: skip
def system_prune(context: Invocation) -> int:
    from imagelab.cli.commands import containers
    from imagelab.output import eras
    from imagelab.output import images as format
    from imagelab.state.image_filters import Filters

    parsed, lab = context.parsed, context.lab
    if parsed.on("volumes"):
        raise UsageError("imagelab has no volumes to prune", hint="leave --volumes out")
    if not parsed.on("force"):
        what = "images without at least one container associated to them" if parsed.on("all") else "dangling images"
        context.out.write(
            f"WARNING! This will remove:\n  - all stopped containers\n  - all {what}\n\n"
            "Are you sure you want to continue? [y/N] "
        )
        context.out.flush()
        if context.answer() not in ("y", "Y"):
            return 1
    gone, freed = containers.containers(context).prune(containers.kept_by_filters(context))
    before = lab.state
    report = lab.engine.images.prune(all=parsed.on("all"), filters=Filters.parse(parsed.all("filter")))
    images = format.deleted(eras.removals(report.removed, before, lab.era))
    total = eras.size(freed + report.reclaimed, "28", digits=4)
    context.out.write(f"{containers.deleted(gone)}{images}Total reclaimed space: {total}\n")
    return 0


@command("version", "", Flag("format", "f", "string", OBJECT_FORMAT))
def version(context: Invocation) -> int:
    from imagelab.output.objects import version as lines
    from imagelab.output.version import VERSION

    client = {
        "Version": f"imagelab {VERSION}",
        "Prints as": f"Docker {context.era}",
        "Daemon": "none: there is no server",
    }
    data = {"Client": client} if not context.parsed.text("format") else {"Client": {"Version": VERSION}, "Server": None}
    context.out.write(lines(data, format=context.parsed.text("format")))
    return 0


@command("system info", "", Flag("format", "f", "string", OBJECT_FORMAT))
def info(context: Invocation) -> int:
    from imagelab.output.objects import info as lines
    from imagelab.output.version import VERSION

    lab, state = context.lab, context.lab.state
    running = sum(container.running for container in state.containers.values())
    shown = {
        "Containers": len(state.containers), "Running": running, "Images": len(state.images),
        "Server Version": f"none (imagelab {VERSION}, prints as Docker {lab.era})", "Storage Driver": "imagelab",
        "Docker Root Dir": str(lab.store.directory), "Registry": lab.settings.upstream,
        "Registry Mirrors": ", ".join(lab.settings.mirrors) or "none", "Platform": lab.settings.platform,
    }  # fmt: skip
    text = context.parsed.text("format")
    keys = {"Server Version": "ServerVersion", "Storage Driver": "Driver", "Docker Root Dir": "DockerRootDir"}
    data = {keys.get(key, key.replace(" ", "")): value for key, value in shown.items()} if text else shown
    context.out.write(lines(data, format=text))
    return 0


# -- imagelab's own ---------------------------------------------------------------------------------------


@command(
    "serve", "",
    Flag("port", "p", "int", "Port to listen on; 0 takes a free one", "5000"),
    Flag("host", "", "string", "Address to listen on", "127.0.0.1"),
    Flag("data", "", "string", "Directory that keeps what is pushed (else it is gone at the end)"),
)  # fmt: skip
def serve(context: Invocation) -> int:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from imagelab.classroom.upstream import ClassroomStorage
    from imagelab.server.registry import RegistryApp
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


@command(
    "upstream", "[ls | release NAME[:TAG] | set classroom|hub|URL | fault KIND [NAME] | heal]",
    Flag("times", "", "int", "How often the fault happens", "1"), most=3, recorded=True,
    about="Faults: truncate, tamper, slow and redirect meet a layer, 429 and 500 a manifest, token the way in; heal takes them back.",
)  # fmt: skip
def upstream(context: Invocation) -> int:
    from imagelab.oci.reference import Reference
    from imagelab.output.tabwriter import columns

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
        case ["fault", kind, *name] if len(name) < 2:
            fault = lab.upstream.fault(kind, *name, times=int(context.parsed.text("times", "1")))
            context.out.write(f"{fault}: the next pull meets it\n")
        case ["heal"]:
            lab.upstream.heal()
            context.out.write("nothing is going to go wrong\n")
        case _:
            raise UsageError(f"imagelab upstream {' '.join(words)}: not understood", hint="imagelab upstream --help")
    return 0


@command("doctor", "")
def doctor(context: Invocation) -> int:
    problems = context.lab.engine.doctor()
    context.out.write("".join(f"{problem}\n" for problem in problems) or "the lab is as it should be\n")
    return 1 if problems else 0


@command(
    "supervise", "CONTAINER",
    Flag("ports", "", "string", "What becomes of a port that somebody has: exact, auto or private"), least=1, most=1,
)  # fmt: skip
def supervise(context: Invocation) -> int:
    from dataclasses import replace
    from pathlib import Path

    from imagelab.runtime.ports import PortRules
    from imagelab.runtime.session import GoneError
    from imagelab.runtime.supervisor import OWNER_VARIABLE, note, supervise

    lab = context.lab
    container = lab.store.container(context.parsed.arguments[0])
    if container is None:
        return 1
    try:
        owner = context.environ.get(OWNER_VARIABLE)
        world = lab.engine.containers.world
        if name := context.parsed.text("ports"):
            world = replace(world, ports=PortRules.called(name, world.ports.holders))
        return supervise(lab.store, container, world, Path(owner) if owner else None)
    except GoneError:
        return 0
    except ImageLabError as error:
        note(lab.store, container.id, error)
        return 1
