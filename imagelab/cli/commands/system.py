"""imagelab's own verbs, the list of Docker's that it does not do, and the overview of all."""

from __future__ import annotations

from collections.abc import Sequence

from imagelab.cli.command import COMMANDS, GROUPS, Context, command
from imagelab.cli.commands import (
    archives,  # noqa: F401
    build,  # noqa: F401
    containers,  # noqa: F401
    images,  # noqa: F401
    panels,  # noqa: F401
    pictures,  # noqa: F401
    timeline,  # noqa: F401
)
from imagelab.cli.flags import Flag
from imagelab.course import commands as course_commands  # noqa: F401
from imagelab.errors import ImageLabError, UsageError


@command(("lab",), "[OPTIONS]", "Open JupyterLab on the lessons", most=None, program="imagelab", raw=True)
def lab(context: Context) -> int:
    from imagelab.jupyter.launch import command

    return command(
        context.parsed.arguments,
        out=context.out,
        err=context.err,
        environ=context.environ,
        home=context.options.text("lab"),
    )


@command(
    ("serve",), "", "Serve the built-in images as a registry over HTTP",
    Flag("port", "p", "int", "Port to listen on; 0 takes a free one", "5000"),
    Flag("host", "", "string", "Address to listen on", "127.0.0.1"),
    Flag("data", "", "string", "Directory that keeps what is pushed (else it is gone at the end)"), program="imagelab",
)  # fmt: skip
def serve(context: Context) -> int:
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
    ("upstream",), "[ls | release NAME[:TAG] | set classroom|hub|URL | fault KIND [NAME] | heal]",
    "The registry behind docker.io: its tags, their next builds, and what shall go wrong",
    Flag("times", "", "int", "How often the fault happens", "1"), most=3, program="imagelab", recorded=True,
    about="Faults: truncate, tamper, slow and redirect meet a layer, 429 and 500 a manifest, token the way in; heal takes them back.",
)  # fmt: skip
def upstream(context: Context) -> int:
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


@command(("doctor",), "", "Recompute every digest, size and link of the lab", program="imagelab")
def doctor(context: Context) -> int:
    problems = context.lab.engine.doctor()
    context.out.write("".join(f"{problem}\n" for problem in problems) or "the lab is as it should be\n")
    return 1 if problems else 0


@command(("supervise",), "CONTAINER", "Drive a container (used by docker run -d)", least=1, most=1, program="imagelab")
def supervise(context: Context) -> int:
    from imagelab.runtime.driver import World
    from imagelab.runtime.session import GoneError
    from imagelab.runtime.supervisor import note, supervise

    lab = context.lab
    container = lab.store.container(context.parsed.arguments[0])
    if container is None:
        return 1
    try:
        return supervise(lab.store, container, World(lab.now, noise=lab.noise))
    except GoneError:
        return 0
    except ImageLabError as error:
        note(lab.store, container.id, str(error))
        return 1


# -- what is not here ---------------------------------------------------------------------------------------

_BUILD = "its builder is the classic one"
_NO_DAEMON = "there is no daemon to manage"
OUT_OF_SCOPE = {
    **dict.fromkeys(["stats", "container stats", "update", "container update"], "its containers have no limits and use no resources of their own"),
    **dict.fromkeys(["buildx", "builder prune"], _BUILD),
    **dict.fromkeys(["push", "image push"], "its labs pull; `imagelab serve` is a registry that others push to"),
    **dict.fromkeys(["login", "logout"], "the built-in registry needs no login"),
    **dict.fromkeys(["volume", "network", "compose", "swarm", "service", "stack", "node", "secret", "config"], "it is about images"),
    **dict.fromkeys(
        ["search", "context", "plugin", "trust", "manifest", "checkpoint", "events"] + ["system events", "system prune"], _NO_DAEMON
    ),
}  # fmt: skip


CONTAINER_VERBS = (
    "attach commit cp create diff export kill logs pause port ps rename restart rm start stop top unpause wait".split()
)


IMAGE_VERBS = [
    "run",
    "exec",
    "build",
    "pull",
    "images",
    "tag",
    "rmi",
    "history",
    "inspect",
    "save",
    "load",
    "import",
    "version",
    "info",
]
OWN_VERBS = [
    "lab",
    "graph",
    "explore",
    "sizes",
    "avalanche",
    "tape",
    "causes",
    "upstream",
    "serve",
    "doctor",
]


def sections() -> list[tuple[str, list[tuple[str, str]]]]:
    """The overview's parts: Docker's verbs, groups, imagelab's own."""

    def entries(names: Sequence[str]) -> list[tuple[str, str]]:
        return [(name, COMMANDS[name].short) for name in names]

    return [
        ("Docker's Commands", entries(IMAGE_VERBS)),
        ("Commands for Containers", entries(CONTAINER_VERBS)),
        ("Management Commands", [(name, group.short) for name, group in GROUPS.items()]),
        ("imagelab's Commands", entries(OWN_VERBS)),
        ("The Course", entries(["progress", "check", "assignment", "lint-lessons", "new-lesson"])),
        ("The Timeline", entries(["undo", "redo", "steps", "at", "fork", "replay", "gc"])),
    ]
