"""Every verb in one table: its names, the canonical one first; where its function is; the one line that says what it does.

A function is a name here, as in pip's table of commands: its module is imported when the verb is called, so that
`imagelab version` loads nothing of containers, and the command line needs not know the rooms above it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Verb:
    """One row. Plain, as `Flag` is: the pages of `--help` are read more often than anything, and wait for no dataclass."""

    __slots__ = ("names", "program", "module", "function", "short")

    def __init__(self, program: str, names: str, where: str, short: str) -> None:
        self.names = tuple(names.split(", "))
        self.program = program
        module, _, self.function = where.partition(":")
        self.module = f"imagelab.{module}"
        self.short = short

    @property
    def canonical(self) -> str:
        return self.names[0]

    @property
    def of_machine(self) -> bool:
        """Is it about this machine (its servers, its lessons), and for its user alone?"""
        return self.names[0] in ("serve", "supervise") or not self.module.startswith("imagelab.cli.")


DOCKER = """\
image save, save | cli.commands.archives:save | Save one or more images to a tar archive (streamed to STDOUT by default)
image load, load | cli.commands.archives:load | Load an image from a tar archive or STDIN
image import, import | cli.commands.archives:import_ | Import the contents from a tarball to create a filesystem image
image build, build, builder build | cli.commands.build:build | Build an image from a Dockerfile
image pull, pull | cli.commands.images:pull | Download an image from a registry
image ls, image list, images | cli.commands.images:images | List images
image history, history | cli.commands.images:history | Show the history of an image
image inspect | cli.commands.images:image_inspect | Display detailed information on one or more images
inspect | cli.commands.images:inspect | Return low-level information on Docker objects
image tag, tag | cli.commands.images:tag | Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
image rm, image remove, rmi | cli.commands.images:rmi | Remove one or more images
image prune | cli.commands.images:prune | Remove unused images
system df | cli.commands.system:system_df | Show docker disk usage
system prune | cli.commands.system:system_prune | Remove unused data
version | cli.commands.system:version | Show the Docker version information
system info, info | cli.commands.system:info | Display system-wide information
container run, run | cli.commands.containers:run | Create and run a new container from an image
container create, create | cli.commands.containers:create | Create a new container
container exec, exec | cli.commands.containers:exec_ | Execute a command in a running container
container start, start | cli.commands.containers:start | Start one or more stopped containers
container stop, stop | cli.commands.containers:stop | Stop one or more running containers
container restart, restart | cli.commands.containers:restart | Restart one or more containers
container kill, kill | cli.commands.containers:kill | Kill one or more running containers
container pause, pause | cli.commands.containers:pause | Pause all processes within one or more containers
container unpause, unpause | cli.commands.containers:unpause | Unpause all processes within one or more containers
container wait, wait | cli.commands.containers:wait | Block until one or more containers stop, then print their exit codes
container rename, rename | cli.commands.containers:rename | Rename a container
container rm, container remove, rm | cli.commands.containers:rm | Remove one or more containers
container prune | cli.commands.containers:prune | Remove all stopped containers
container ls, container list, container ps, ps | cli.commands.containers:ps | List containers
container inspect | cli.commands.containers:container_inspect | Display detailed information on one or more containers
container logs, logs | cli.commands.containers:logs | Fetch the logs of a container
container top, top | cli.commands.containers:top | Display the running processes of a container
container port, port | cli.commands.containers:port | List port mappings or a specific mapping for the container
container diff, diff | cli.commands.containers:diff | Inspect changes to files or directories on a container's filesystem
container attach, attach | cli.commands.containers:attach | Attach local standard input, output, and error streams to a running container
container commit, commit | cli.commands.containers:commit | Create a new image from a container's changes
container export, export | cli.commands.containers:export | Export a container's filesystem as a tar archive
container cp, cp | cli.commands.containers:cp | Copy files/folders between a container and the local filesystem
"""
OWN = """\
explore | cli.commands.panels:explore | An image layer by layer, what its layers hide, and what is wasted; two images compared
sizes | cli.commands.panels:sizes | Every size of every image, and how they add up to the bytes on the disk
avalanche | cli.commands.panels:avalanche | Change one thing in an image, and see which digests change with it
tape | cli.commands.panels:tape | The last pull, request by request: what was asked, and what came back
causes | cli.commands.panels:causes | docker diff, with the command that made each line and the bytes before and after
graph | cli.commands.pictures:graph | Draw layers, the images on them, their names and containers
undo | cli.commands.timeline:undo | Take back the last step, or the last N
redo | cli.commands.timeline:redo | Do again what was undone: one step, or N
at | cli.commands.timeline:at | Go to the moment after a step; 0 is the beginning
fork | cli.commands.timeline:fork | Copy the lab, as it is or as it was after a step
gc | cli.commands.timeline:gc | Forget other branches of the timeline, drop what nothing needs
steps | cli.commands.timeline:steps | List what was done, and where the lab is
replay | cli.commands.timeline:replay | Run a log of `imagelab steps --format json` in an empty lab ('-' reads stdin)
lint-lessons | course.commands:lint_lessons | Say what is wrong with lessons: exercises, translations, notebooks
new-lesson | course.commands:new_lesson | Begin a lesson: a small one that lints, to be written over
check | course.commands:check | Grade notebooks: do again what was done, in a clean lab, and look at what came of it
grade | course.commands:grade | Grade a class: a folder or a ZIP of hand-ins, as nbgrader or Moodle have them
assignment | course.commands:assignment | Write a lesson as an assignment for nbgrader: its checks as assert cells
progress | course.commands:progress | Show what is solved; take it along to another machine
lab | jupyter.launch:lab | Open JupyterLab on the lessons
serve | cli.commands.system:serve | Serve the built-in images as a registry over HTTP
upstream | cli.commands.system:upstream | The registry behind docker.io: its tags, their next builds, and what shall go wrong
doctor | cli.commands.system:doctor | Recompute every digest, size and link of the lab
supervise | cli.commands.system:supervise | Drive a container (used by docker run -d)
"""
"""imagelab's own verbs."""


def _by_name(program: str, table: str) -> Iterator[tuple[str, Verb]]:
    for row in table.splitlines():
        verb = Verb(program, *row.split(" | "))
        for name in verb.names:
            yield name, verb


VERBS: dict[str, Verb] = {**dict(_by_name("docker", DOCKER)), **dict(_by_name("imagelab", OWN))}
"""By every name."""
GROUPS = {
    "builder": "Manage builds",
    "container": "Manage containers",
    "image": "Manage images",
    "system": "Manage Docker",
}
"""`docker image`, `docker system`."""


def of_group(group: str) -> list[Verb]:
    """The verbs that a group's page lists, each once."""
    mine = f"{group} "
    return [
        verb
        for name, verb in VERBS.items()
        if name.startswith(mine) and (name == verb.canonical or not verb.canonical.startswith(mine))
    ]


# -- the overview -------------------------------------------------------------------------------------------

SECTIONS = (
    ("Docker's Commands", "run exec build pull images tag rmi history inspect save load import version info"),
    (
        "Commands for Containers",
        "attach commit cp create diff export kill logs pause port ps rename restart rm start stop top unpause wait",
    ),
    ("Management Commands", ""),
    ("imagelab's Commands", "lab graph explore sizes avalanche tape causes upstream serve doctor"),
    ("The Course", "progress check grade assignment lint-lessons new-lesson"),
    ("The Timeline", "undo redo steps at fork replay gc"),
)


def sections() -> list[tuple[str, list[tuple[str, str]]]]:
    """The overview's parts: Docker's verbs, groups, imagelab's own."""
    return [
        (title, [(name, VERBS[name].short) for name in names.split()] if names else list(GROUPS.items()))
        for title, names in SECTIONS
    ]


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
        ["search", "context", "plugin", "trust", "manifest", "checkpoint", "events", "system events"], _NO_DAEMON
    ),
}  # fmt: skip
"""Docker's verbs that imagelab does not do, and why."""
