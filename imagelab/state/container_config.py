"""What a container is, before anything runs: the image's wishes and the user's, merged (R6.6); its name; its ports.

An image's config says what to run and how; `docker run` may say otherwise. The result is the container's `Config`,
which `docker inspect` shows, the runtime obeys, and `docker commit` writes into the next image.

    CMD of the image      replaced by the words after the image's name
    ENTRYPOINT            replaced by --entrypoint, and then the image's CMD is dropped, too
    ENV                   the user's first, then the image's that the user did not set
    EXPOSE, LABEL         both together, the user's winning
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from imagelab.errors import ImageLabError
from imagelab.state.model import Container, State

if TYPE_CHECKING:
    from imagelab.errors import Origin

NAME = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]+")
FIRST_PORT = 32768
"""From where ports come that nobody chose (-P)."""
LEFT = """admiring agitated amazing blissful bold brave busy charming clever cool dazzling determined dreamy eager ecstatic elastic
elegant epic festive flamboyant focused friendly frosty gallant gifted goofy gracious happy hopeful hungry infallible inspiring
jolly jovial keen kind laughing loving lucid magical modest musing mystifying nervous nifty nostalgic optimistic peaceful pensive
practical quirky quizzical relaxed romantic serene sharp silly sleepy stoic strange sweet tender thirsty trusting upbeat vibrant
vigilant wizardly wonderful youthful zealous zen""".split()
RIGHT = """albattani allen archimedes aryabhata babbage bardeen bassi bell bhabha bohr booth borg brahmagupta carson cerf chandrasekhar
curie darwin davinci dijkstra easley edison einstein elion engelbart euclid euler fermat fermi feynman franklin galileo galois gates
gauss germain goldberg goldstine goodall hamilton hawking heisenberg hodgkin hoover hopper hypatia johnson kalam keller kepler khorana
kilby kirch knuth kowalevski lamarr lamport leakey leavitt lewin lovelace lumiere mahavira mayer mccarthy mcclintock meitner mendel
mendeleev mestorf morse newton nightingale nobel noether pare pasteur payne perlman pike poincare ptolemy raman ramanujan ride ritchie
rosalind saha sammet shannon shaw snyder stallman stonebraker swartz tesla thompson torvalds turing varahamihira visvesvaraya wescoff
wiles williams wilson wozniak wright yalow yonath""".split()


class NoCommandError(ImageLabError):
    """Nothing to run: neither the image nor the user says what."""

    exit_code = 125


class CannotStartError(ImageLabError):
    """The container is there and its program cannot be run; `exit_code` is 126 or 127 (R6.11)."""

    def __init__(
        self, message: str, *, exit_code: int, reason: str = "", hint: str = "", origin: Origin | None = None
    ) -> None:
        super().__init__(message, hint=hint, origin=origin, exit_code=exit_code)
        self.reason = reason

    def in_exec(self) -> CannotStartError:
        """The same, as `docker exec` says it: bare, and never 125 (R6.12)."""
        message = f"OCI runtime exec failed: exec failed: unable to start container process: {self.reason}: unknown"
        return CannotStartError(
            message if self.reason else str(self),
            exit_code=127 if self.exit_code == 127 else 126,
            origin="stream" if self.reason else "daemon",
        )


def cannot_start(reason: str, code: int, *, runtime: bool = True) -> CannotStartError:
    """Why, as Docker's runtime says it; `runtime=False`: as the daemon does."""
    frame = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: "  # fmt: skip
    message = f"{frame}{reason}: unknown" if runtime else reason
    return CannotStartError(message, exit_code=code, reason=reason if runtime else "")


@dataclass(frozen=True, slots=True)
class Request:
    """What `docker run` and `create` ask for, beyond the image."""

    image: str
    command: tuple[str, ...] = ()
    name: str = ""
    entrypoint: tuple[str, ...] | None = None
    """None: the image's. Empty: none at all (`--entrypoint ""`)."""
    env: tuple[str, ...] = ()
    """`K=value`, or a bare `K` that takes an image's K away (R6.7)."""
    user: str = ""
    workdir: str = ""
    hostname: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    tty: bool = False
    interactive: bool = False
    detach: bool = False
    remove: bool = False
    ports: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    """`80/tcp` -> [{HostIp, HostPort}]."""
    exposed: tuple[str, ...] = ()
    publish_all: bool = False
    stop_signal: str = ""
    stop_timeout: int | None = None
    platform: str | None = None
    pull: str = "missing"
    """always, missing, never."""
    attach: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields of HostConfig that are only shown: they change nothing here."""


def line_of(request: Request) -> list[str]:
    """The words after `docker` that ask for the same; what only Python can say (a longer entrypoint) is left out."""
    words = [flag for flag, on in (("-d", request.detach), ("--rm", request.remove)) if on]
    for flag, value in _texts(request):
        words += [flag, value] if value else []
    if request.entrypoint is not None:
        words += ["--entrypoint", request.entrypoint[0] if request.entrypoint else ""]
    words += [word for entry in request.env for word in ("-e", entry)]
    words += [word for name, value in request.labels.items() for word in ("-l", f"{name}={value}")]
    for port, bindings in request.ports.items():
        words += [word for binding in bindings for word in ("-p", _publication(port, binding))]
    words += [word for port in request.exposed for word in ("--expose", port)]
    words += [word for stream in request.attach for word in ("-a", stream)]
    words += [
        flag for flag, on in (("-i", request.interactive), ("-t", request.tty), ("-P", request.publish_all)) if on
    ]
    return ["run", *words, request.image, *request.command]


def _texts(request: Request) -> list[tuple[str, str]]:
    timeout = "" if request.stop_timeout is None else str(request.stop_timeout)
    return [
        ("--name", request.name), ("-u", request.user), ("-w", request.workdir), ("-h", request.hostname),
        ("--stop-signal", request.stop_signal), ("--stop-timeout", timeout), ("--platform", request.platform or ""),
        ("--pull", "" if request.pull == "missing" else request.pull),
    ]  # fmt: skip


def _publication(port: str, binding: Mapping[str, str]) -> str:
    """`[ip:][host:]port/protocol`, as -p takes it."""
    address, host = binding["HostIp"], binding["HostPort"]
    shown = f"[{address}]:" if ":" in address else f"{address}:" if address else ""
    return f"{shown}{host}:{port}" if shown or host else port


def merged_config(request: Request, image: Mapping[str, Any], container_id: str) -> dict[str, Any]:
    """The container's `Config`, in Docker's field order (R6.5, R6.6). NoCommandError."""
    entrypoint = image.get("Entrypoint") if request.entrypoint is None else list(request.entrypoint) or None
    command = list(request.command) or (image.get("Cmd") if request.entrypoint is None else None)
    if not (entrypoint or command):
        raise NoCommandError("no command specified", hint=f"say what to run: docker run {request.image} COMMAND")
    exposed: dict[str, dict[str, str]] = {
        port: {} for port in [*(image.get("ExposedPorts") or {}), *request.exposed, *request.ports]
    }
    attached = not request.detach
    config: dict[str, Any] = {
        "Hostname": request.hostname or container_id[:12],
        "Domainname": "",
        "User": request.user or image.get("User") or "",
        "AttachStdin": request.interactive and attached,
        "AttachStdout": attached,
        "AttachStderr": attached,
    }
    if exposed:
        config["ExposedPorts"] = dict(sorted(exposed.items()))
    config |= {
        "Tty": request.tty,
        "OpenStdin": request.interactive,
        "StdinOnce": request.interactive and attached,
        "Env": merged_environment(request.env, image.get("Env") or []),
        "Cmd": command,
        "Image": request.image,
        "Volumes": image.get("Volumes"),
        "WorkingDir": request.workdir or image.get("WorkingDir") or "",
        "Entrypoint": entrypoint,
        "OnBuild": None,
        "Labels": {**(image.get("Labels") or {}), **request.labels},
    }
    if signal := request.stop_signal or image.get("StopSignal"):
        config["StopSignal"] = signal
    if request.stop_timeout is not None:
        config["StopTimeout"] = request.stop_timeout
    return config


def merged_environment(user: Iterable[str], image: Iterable[str]) -> list[str]:
    """The user's entries first, then the image's whose key is not among them; a bare key takes one away (R6.6, R6.7).

    >>> merged_environment(["LANG=C", "DEBUG"], ["PATH=/bin", "LANG=en", "DEBUG=1"])
    ['LANG=C', 'PATH=/bin']
    """
    keys = {entry.partition("=")[0] for entry in user}
    return [*(entry for entry in user if "=" in entry), *(e for e in image if e.partition("=")[0] not in keys)]


def host_config(request: Request) -> dict[str, Any]:
    """The container's `HostConfig`, as much of it as means something here, and what is always shown."""
    ports = {port: [dict(binding) for binding in bindings] for port, bindings in request.ports.items()}
    return {
        "Binds": None,
        "NetworkMode": "bridge",
        "PortBindings": ports,
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": request.remove,
        "PublishAllPorts": request.publish_all,
        "Privileged": False,
        **request.extra,
    }


# -- names --------------------------------------------------------------------------------------------------


def checked_name(state: State, name: str) -> str:
    """A name that may be given (R6.2) and is free (R6.3). ImageLabError in Docker's words."""
    if not NAME.fullmatch(name):
        raise _bad(f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", "letters, digits, and _ . - after the first")  # fmt: skip
    name = name.removeprefix("/")
    taken = next((container for container in state.containers.values() if container.name == name), None)
    if taken is not None:
        raise _bad(
            f'Conflict. The container name "/{name}" is already in use by container "{taken.id}". You have to remove '
            "(or rename) that container to be able to reuse that name.",
            f"docker rm -f {name}   or another --name",
        )
    return name


def _bad(message: str, hint: str) -> ImageLabError:
    return ImageLabError(message, hint=hint, exit_code=125)


def random_name(state: State, container_id: str) -> str:
    """`adjective_surname`, chosen by the ID; a digit is added when it is taken, at last the short ID (R6.4)."""
    taken = {container.name for container in state.containers.values()}
    for attempt in range(6):
        seed = int(sha256(f"{container_id}{attempt}".encode()).hexdigest(), 16)
        name = f"{LEFT[seed % len(LEFT)]}_{RIGHT[seed // 997 % len(RIGHT)]}"
        name += str(seed // 999983 % 10) if attempt else ""
        if name not in taken and name != "boring_wozniak":
            return name
    return container_id[:12]


# -- ports --------------------------------------------------------------------------------------------------


def bindings_of(
    container: Container, used: Collection[tuple[int, str]], *, moves: bool = False
) -> dict[str, list[dict[str, str]] | None]:
    """What each port is to be published as: chosen ones, with -P all exposed ones; None for one only exposed.

    `used`: (port, protocol) of this lab's other containers, which are not given to one where nobody chose. `moves`: a chosen
    one that is used becomes the next that is not.
    """
    wanted = _wanted(container)
    gone = set(used)
    for port in sorted(wanted, key=_port_order):
        protocol = port.partition("/")[2]
        for at, binding in enumerate(wanted[port]):
            number = int(binding["HostPort"] or 0) or FIRST_PORT  # 0 is any, too
            while (number, protocol) in gone and (moves or not is_chosen(container, port, at)):
                number += 1
            gone.add((number, protocol))
            binding["HostPort"] = str(number)
    exposed = container.config.get("ExposedPorts") or {}
    return {port: wanted.get(port) for port in sorted({*exposed, *wanted}, key=_port_order)}


def _wanted(container: Container) -> dict[str, list[dict[str, str]]]:
    wanted: dict[str, list[dict[str, str]]] = {
        port: [dict(binding) for binding in bindings]
        for port, bindings in container.host.get("PortBindings", {}).items()
    }
    if container.host.get("PublishAllPorts"):
        exposed = container.config.get("ExposedPorts") or {}
        wanted |= {port: [{"HostIp": "", "HostPort": ""}] for port in exposed if port not in wanted}
    return wanted


def is_chosen(container: Container, port: str, at: int) -> bool:
    """Did somebody choose the host's port, for the `at`th binding of a container's port?"""
    asked = container.host.get("PortBindings", {}).get(port, ())
    return at < len(asked) and bool(int(asked[at]["HostPort"] or 0))


def ports_used(containers: Iterable[Container]) -> dict[tuple[int, str], Container]:
    """(port, protocol) -> the running container that has it."""
    return {
        (int(binding["HostPort"]), port.partition("/")[2]): container
        for container in containers
        if container.running
        for port, bindings in container.ports.items()
        for binding in bindings or []
    }


def moved_ports(container: Container) -> str:
    """A line for each port that somebody else had, and that became another."""
    return "".join(
        f"note: port {asked} of this machine is taken, port {used} is used instead\n"
        for port, bindings in container.ports.items()
        for at, binding in enumerate(bindings or [])
        if is_chosen(container, port, at)
        and (asked := int(container.host["PortBindings"][port][at]["HostPort"])) != (used := int(binding["HostPort"]))
    )


def _port_order(port: str) -> tuple[int, str]:
    number, _, protocol = port.partition("/")
    return int(number), protocol


def ports_text(container: Container, *, both: bool = True) -> str:
    """`443/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp` (R6.9; `both` kinds of addresses); empty for one that is not running."""
    if not container.running:
        return ""
    published: list[str] = []
    exposed: list[str] = []
    for port, bindings in sorted(container.ports.items(), key=lambda item: _port_order(item[0])):
        if not bindings:
            exposed.append(port)
        for binding in bindings or []:
            address = binding["HostIp"] or "0.0.0.0"
            published.append(f"{address}:{binding['HostPort']}->{port}")
            if address == "0.0.0.0" and both:
                published.append(f"[::]:{binding['HostPort']}->{port}")
    return ", ".join([*exposed, *published])
