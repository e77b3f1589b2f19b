"""`docker run`'s many flags -> a `Request`: ports, environment, labels; and what this Docker does not do.

A flag falls into one of three classes. Most do what they say. Some limit what a container may use or how it is isolated
(ACCEPTED): nothing here could tell the difference, so they are taken and shown by `inspect`. Some would need what a lab
does not have (REFUSED): they are refused in a sentence, because a container without its volume would be a lie.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from imagelab.cli.flags import Parsed
from imagelab.errors import ImageLabError, UsageError
from imagelab.state.container_config import Request

if TYPE_CHECKING:
    from imagelab.cli.command import Invocation
    from imagelab.lab.host_access import HostAccess
    from imagelab.state.requests import ExecRequest

_VOLUMES, _NETWORKS, _HARDWARE = (
    "volumes are out of scope",
    "networks are out of scope",
    "there is no hardware to give it",
)
REFUSED = {
    **dict.fromkeys(["volume", "mount", "volumes-from", "tmpfs", "volume-driver"], _VOLUMES),
    **dict.fromkeys(["link", "ip", "ip6", "dns", "dns-option", "dns-search", "add-host", "network-alias", "link-local-ip", "mac-address"], _NETWORKS),
    **dict.fromkeys(["gpus", "device", "device-cgroup-rule", "device-read-bps", "device-read-iops", "device-write-bps", "device-write-iops"], _HARDWARE),
    **dict.fromkeys(["health-cmd", "health-interval", "health-retries", "health-start-interval", "health-start-period", "health-timeout"], "nobody watches a container's health"),
    **dict.fromkeys(["runtime", "isolation", "pid", "uts", "ipc", "userns", "use-api-socket", "read-only"], "its containers have one kind of runtime"),
}  # fmt: skip
ACCEPTED = """annotation blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cpu-period cpu-quota
cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems disable-content-trust domainname group-add init 
kernel-memory log-driver log-opt memory memory-reservation memory-swap memory-swappiness no-healthcheck oom-kill-disable
oom-score-adj pids-limit privileged security-opt shm-size storage-opt sysctl ulimit""".split()
"""Limits and privileges: a container of this runtime would not notice them."""


def client_error(message: str) -> ImageLabError:
    """What the client finds wrong, as `docker run` says it: `docker: …`, exit code 125 (R6.20)."""
    return UsageError(message, exit_code=125)


def request_of(parsed: Parsed, environ: Mapping[str, str]) -> Request:
    """What the line asks for. UsageError, exit 125, in the client's words."""
    refuse(parsed)
    image, *command = parsed.arguments
    pull = parsed.text("pull", "missing")
    if pull not in ("always", "missing", "never"):
        raise client_error(f'invalid pull option: \'{pull}\': must be one of "always", "missing" or "never"')
    entrypoint = tuple(filter(None, [parsed.text("entrypoint")])) if "entrypoint" in parsed.values else None
    timeout = parsed.text("stop-timeout")
    return Request(
        image, tuple(command), name=parsed.text("name"), entrypoint=entrypoint, env=environment(parsed, environ),
        user=parsed.text("user"), workdir=_absolute(parsed.text("workdir")), hostname=parsed.text("hostname"),
        labels=labels(parsed), tty=parsed.on("tty"), interactive=parsed.on("interactive"), detach=parsed.on("detach"),
        remove=parsed.on("rm"), ports=published(parsed.all("publish")), exposed=exposed(parsed.all("expose")),
        publish_all=parsed.on("publish-all"), stop_signal=parsed.text("stop-signal"), pull=pull,
        stop_timeout=int(timeout) if timeout else None, platform=parsed.text("platform") or None, attach=tuple(parsed.all("attach")),
    )  # fmt: skip


def refuse(parsed: Parsed) -> None:
    """UsageError for the first flag that is not done here, and for those that contradict each other."""
    for name, reason in REFUSED.items():
        if name in parsed.values:
            raise UsageError(f"imagelab does not do `docker run --{name}`: {reason}", exit_code=125, hint="docs/scope.md lists what it does")  # fmt: skip
    network = parsed.text("network", "default")
    if network not in ("default", "bridge", "host", "none"):
        raise UsageError(f"imagelab does not do `docker run --network {network}`: networks are out of scope", exit_code=125, hint="leave --network out; -p publishes a port")  # fmt: skip
    restart = parsed.text("restart", "no")
    if restart not in ("", "no") and parsed.on("rm"):
        raise client_error("conflicting options: cannot specify both --restart and --rm")
    if restart not in ("", "no"):
        raise UsageError(f"imagelab does not do `docker run --restart {restart}`: there is no daemon that would restart it", exit_code=125, hint="docker start starts it again")  # fmt: skip
    if parsed.on("detach") and parsed.all("attach"):
        raise UsageError("conflicting options: cannot specify both --attach and --detach")


def _absolute(path: str) -> str:
    if path and not path.startswith("/"):
        error = ImageLabError(f"the working directory '{path}' is invalid, it needs to be an absolute path")
        error.exit_code = 125
        raise error
    return path


# -- environment and labels ---------------------------------------------------------------------------------


def settled(context: Invocation) -> Mapping[str, str]:
    """Put in place what `-e NAME`, --env-file and --label-file take from this machine, so that the line can be run again
    on another one; the variables that are still to be asked for."""
    parsed = context.parsed
    names = any("=" not in entry for entry in parsed.all("env"))
    if not (names or parsed.all("env-file") or parsed.all("label-file")):
        return context.environ

    def found() -> dict[str, str | None]:
        env = (entry.partition("=") for entry in environment(parsed, context.environ, context.host))
        own = {f"env {name}": value if equals else None for name, equals, value in env}
        return own | {f"label {name}": value for name, value in labels(parsed, context.host).items()}

    said = context.take_words("environment", found).items()
    for flag in ("env", "label"):
        named = [(name.removeprefix(f"{flag} "), value) for name, value in said if name.startswith(f"{flag} ")]
        parsed.values |= {
            flag: [name if value is None else f"{name}={value}" for name, value in named],
            f"{flag}-file": [],
        }
    return {}


def environment(parsed: Parsed, environ: Mapping[str, str], host: HostAccess | None = None) -> tuple[str, ...]:
    """-e and, from a host, --env-file; a name alone takes its value from the client's own environment, if it is there (R6.7)."""
    entries = [entry for file in parsed.all("env-file") if host for entry in _lines(host, file, "environment")]
    found: dict[str, str] = {}
    for entry in [*entries, *parsed.all("env")]:
        name, equals, _ = entry.partition("=")
        if not name:
            raise UsageError(
                f'invalid argument "{entry}" for "-e, --env" flag: invalid environment variable: {entry}', exit_code=125
            )
        found[name] = entry if equals else f"{name}={environ[name]}" if name in environ else name
    return tuple(found.values())


def labels(parsed: Parsed, host: HostAccess | None = None) -> dict[str, str]:
    """-l and, from a host, --label-file."""
    entries = [entry for file in parsed.all("label-file") if host for entry in _lines(host, file, "label")]
    return {key: value for key, _, value in (entry.partition("=") for entry in [*entries, *parsed.all("label")])}


def _lines(host: HostAccess, file: str, what: str) -> list[str]:
    try:
        text = host.path(file).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise client_error(f"open {file}: no such file or directory") from None
    except IsADirectoryError:
        raise client_error(f"read {file}: is a directory") from None
    except PermissionError:
        raise client_error(f"open {file}: permission denied") from None
    except UnicodeDecodeError:
        raise client_error(f"{file}: invalid utf8 bytes") from None
    found = []
    for line in text.splitlines():
        line = line.lstrip()
        if not line or line.startswith("#"):
            continue
        name = line.partition("=")[0]
        if not name:
            raise client_error(f"invalid {what} file ({file}): no variable name on line '{line}'")
        if re.search(r"\s", name):
            raise client_error(f"invalid {what} file ({file}): variable '{name}' contains whitespaces")
        found.append(line)
    return found


# -- ports --------------------------------------------------------------------------------------------------

Bindings = dict[str, list[dict[str, str]]]


def published(specifications: Sequence[str]) -> Bindings:
    """`-p [ip:][host:]container[/protocol]`, ranges too (R6.9), in the words of Docker's own parser."""
    found: Bindings = {}
    for text in specifications:
        for port, binding in _publication(text):
            found.setdefault(port, []).append(binding)
    return found


def _publication(text: str) -> list[tuple[str, dict[str, str]]]:
    body, slash, protocol = text.partition("/")
    protocol = protocol.lower() or "tcp"
    address, host, container = _parts(body)
    if not container:
        raise client_error(f"no port specified: {text}<empty>")
    first, last = _range(container, f"invalid containerPort: {container}")
    if protocol not in ("tcp", "udp", "sctp"):
        raise client_error(f"invalid proto: {protocol}")
    host_first, host_last = _range(host, f"invalid hostPort: {host}") if host else (0, 0)
    if address:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise client_error(f"invalid IP address: {address}") from None
    if host and host_last - host_first != last - first and last != first:
        raise client_error(f"invalid ranges specified for container and host Ports: {container} and {host}")
    pairs = []
    for at in range(last - first + 1):
        shown = str(host_first + at) if host else ""
        if host and first == last and host_last > host_first:
            shown = str(host_first)  # a range for one port: the first that is free would do
        pairs.append((f"{first + at}/{protocol}", {"HostIp": address, "HostPort": shown}))
    return pairs


def _parts(body: str) -> tuple[str, str, str]:
    if body.startswith("["):
        address, _, rest = body[1:].partition("]")
        host, _, container = rest.lstrip(":").rpartition(":")
        return address, host, container
    parts = body.split(":")
    if len(parts) > 3:
        return ":".join(parts[:-2]), parts[-2], parts[-1]
    return (
        ("", "", parts[0])
        if len(parts) == 1
        else ("", parts[0], parts[1])
        if len(parts) == 2
        else (parts[0], parts[1], parts[2])
    )


def _range(text: str, problem: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    if match is None:
        raise client_error(problem)
    first, last = int(match[1]), int(match[2] or match[1])
    if last > 65535 or first > last:
        raise client_error(problem)
    return first, last


def exposed(specifications: Sequence[str]) -> tuple[str, ...]:
    """`--expose 8000-8010/tcp`."""
    found = []
    for text in specifications:
        port, _, protocol = text.partition("/")
        if not re.fullmatch(r"\d+(-\d+)?", port):
            raise client_error(
                f'invalid range format for --expose: {text}, error: strconv.ParseUint: parsing "{port}": invalid syntax'
            )
        first, last = _range(port, f"invalid range format for --expose: {text}")
        found += [f"{number}/{protocol or 'tcp'}" for number in range(first, last + 1)]
    return tuple(found)


def host_extras(parsed: Parsed) -> dict[str, Any]:
    """What was accepted, for `inspect` to show."""
    return {name: parsed.values[name][-1] for name in ACCEPTED if name in parsed.values}


def exec_request(parsed: Parsed, environ: Mapping[str, str]) -> ExecRequest:
    """What a line of `docker exec` asks for."""
    from imagelab.state.requests import ExecRequest

    container, *command = parsed.arguments
    return ExecRequest(
        container, tuple(command), environment(parsed, environ), parsed.text("user"), parsed.text("workdir"), parsed.on("tty"),
        parsed.on("interactive"), parsed.on("detach"),
    )  # fmt: skip
