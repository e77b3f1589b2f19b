"""How containers are shown: the rows of `docker ps`, the object of `docker inspect`, the lines of `top` and `port`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from typing import Any

from imagelab.output import eras
from imagelab.output.rows import Fields, render
from imagelab.output.tabwriter import columns
from imagelab.state.container_config import ports_text
from imagelab.state.model import Container, State
from imagelab.units import go_time, rfc3339

HEADERS: dict[str, Any] = {
    "ID": "CONTAINER ID", "Image": "IMAGE", "Command": "COMMAND", "CreatedAt": "CREATED AT", "RunningFor": "CREATED", "Ports": "PORTS",
    "State": "STATE", "Status": "STATUS", "Size": "SIZE", "Names": "NAMES", "Labels": "LABELS", "Mounts": "MOUNTS",
    "LocalVolumes": "LOCAL VOLUMES", "Networks": "NETWORKS", "Platform": "PLATFORM",
    "Label": lambda name: name.rpartition(".")[2].replace("-", " ").replace("_", " "),
}  # fmt: skip
TYPE = "*formatter.ContainerContext"
NEVER = "0001-01-01T00:00:00Z"


def command_text(container: Container, *, no_trunc: bool, era: str = "28") -> str:
    """`"nginx -g 'daemon of…"`: joined, cut to twenty columns, quoted as Go quotes (R6.16)."""
    import json

    words = [f"'{word}'" if " " in word else word for word in container.command]
    joined = " ".join(words)
    return json.dumps(joined if no_trunc else eras.shortened(joined, era), ensure_ascii=False)


def status_text(container: Container, now: int, era: str) -> str:
    """`Up 5 minutes`, `Exited (0) 3 seconds ago`, `Created` (R6.17)."""
    if container.status == "created":
        return "Created"
    if container.running:
        since = eras.ago(container.started, now, era).removesuffix(" ago")
        return f"Up {since}" + (" (Paused)" if container.status == "paused" else "")
    if container.status == "dead":
        return "Dead"
    return f"Exited ({container.exit_code}) {eras.ago(container.finished, now, era)}"


def image_text(container: Container, state: State, *, no_trunc: bool, era: str = "28") -> str:
    """The name given; the ID once that name means another image (R6.18)."""
    named = container.image_name
    if not no_trunc and named.removeprefix("sha256:")[:12] == container.image.short:
        return container.image.short
    if state.references.get(_canonical(named)) == container.image or named in (container.image, container.image.hex):
        return named
    if container.image.hex.startswith(named.removeprefix("sha256:")) and len(named) >= 3:
        return named
    image = state.images.get(container.image)
    shown = eras.image_id(image, era) if image is not None else container.image
    return str(shown) if no_trunc else shown.short


def _canonical(name: str) -> str:
    from imagelab.errors import ReferenceSyntaxError
    from imagelab.oci.reference import Reference

    try:
        reference = Reference.parse(name)
    except ReferenceSyntaxError:
        return ""
    return f"{reference.repository}@{reference.digest}" if reference.digest else str(reference.with_default_tag())


def size_text(container: Container, state: State, era: str) -> str:
    """`2B (virtual 183MB)`."""
    below = sum(state.layers[chain_id].size for chain_id in container.layers if chain_id in state.layers)
    size = eras.size(container.size, era)
    return f"{size} (virtual {eras.size(below + container.size, era)})" if below else size


def ps(
    listed: Sequence[Container], state: State, *, quiet: bool, no_trunc: bool, size: bool, format: str, era: str, now: int, tz: tzinfo = UTC,
) -> str:  # fmt: skip
    """`docker ps`."""
    rows = [_fields(container, state, no_trunc=no_trunc, era=era, now=now, tz=tz) for container in listed]
    text = format
    if text in ("", "table"):
        if quiet:
            return "".join(f"{row['ID']()}\n" for row in rows)
        names = ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names", *(["Size"] if size else [])]
        lines = ["\t".join(HEADERS[name] for name in names)]
        lines += ["\t".join(row[name]() for name in names) for row in rows]
        return columns(lines, minimum=eras.minimum_width(era))
    if text == "raw":
        text = "container_id: {{.ID}}" if quiet else "container_id: {{.ID}}\\nimage: {{.Image}}\\ncommand: {{.Command}}\\ncreated_at: {{.CreatedAt}}\\nstate: {{- pad .State 1 0}}\\nstatus: {{- pad .Status 1 0}}\\nnames: {{.Names}}\\nlabels: {{- pad .Labels 1 0}}\\nports: {{- pad .Ports 1 0}}\\n"  # fmt: skip
    return render(text, rows, HEADERS, go_type=TYPE, minimum=eras.minimum_width(era))


DISK = ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"]


def disk(listed: Sequence[Container], state: State, *, era: str, now: int, tz: tzinfo) -> str:
    """The containers of `docker system df -v`, newest first: their own bytes alone, without those of their image."""
    lines = ["\t".join(HEADERS[name] for name in DISK)]
    for container in sorted(listed, key=lambda container: (-container.created, container.id)):
        row = dict(_fields(container, state, no_trunc=False, era=era, now=now, tz=tz))
        row["Size"] = lambda own=container.size: eras.size(own, era)
        lines.append("\t".join(row[name]() for name in DISK))
    return columns(lines, minimum=eras.minimum_width(era))


def _fields(container: Container, state: State, *, no_trunc: bool, era: str, now: int, tz: tzinfo) -> Fields:
    labels = ",".join(f"{key}={value}" for key, value in sorted(container.labels.items()))
    fields: dict[str, Callable[..., Any]] = {
        "Label": lambda name: container.labels.get(name, ""),
        "ID": lambda: container.id if no_trunc else container.id[:12],
        "Image": lambda: image_text(container, state, no_trunc=no_trunc, era=era),
        "Command": lambda: command_text(container, no_trunc=no_trunc, era=era),
        "CreatedAt": lambda: go_time(container.created, tz),
        "RunningFor": lambda: eras.ago(container.created, now, era),
        "Ports": lambda: ports_text(container, both=eras.both_addresses(era)),
        "State": lambda: container.status,
        "Status": lambda: status_text(container, now, era),
        "Size": lambda: size_text(container, state, era),
        "Names": lambda: container.name,
        "Labels": lambda: labels,
        "Mounts": lambda: "",
        "LocalVolumes": lambda: "0",
        "Networks": lambda: "bridge",
    }
    return fields


def inspected(container: Container, state: State, log: str, *, size: bool = False) -> dict[str, Any]:
    """The object `docker container inspect` prints (R6.21)."""
    config, running = dict(container.config), container.running
    command = container.command
    fields: dict[str, Any] = {
        "Id": container.id,
        "Created": rfc3339(container.created),
        "Path": command[0] if command else "",
        "Args": list(command[1:]),
        "State": {
            "Status": container.status, "Running": running, "Paused": container.status == "paused", "Restarting": False,
            "OOMKilled": False, "Dead": container.status == "dead", "Pid": container.pid, "ExitCode": container.exit_code,
            "Error": container.error, "StartedAt": rfc3339(container.started) if container.started else NEVER,
            "FinishedAt": rfc3339(container.finished) if container.finished else NEVER,
        },
        "Image": str(container.image),
        "ResolvConfPath": "", "HostnamePath": "", "HostsPath": "", "LogPath": log,
        "Name": f"/{container.name}", "RestartCount": 0, "Driver": "imagelab", "Platform": "linux", "MountLabel": "", "ProcessLabel": "",
        "AppArmorProfile": "", "ExecIDs": None, "HostConfig": dict(container.host),
        "GraphDriver": {"Data": None, "Name": "imagelab"},
    }  # fmt: skip
    if size:
        below = sum(state.layers[chain_id].size for chain_id in container.layers if chain_id in state.layers)
        fields |= {"SizeRw": container.size, "SizeRootFs": below + container.size}
    ports = {port: _published(bindings) if bindings else None for port, bindings in container.ports.items()}
    address = {"IPAddress": "172.17.0.2" if running else "", "Gateway": "172.17.0.1" if running else ""}
    return fields | {"Mounts": [], "Config": config, "NetworkSettings": {"Ports": ports if running else {}, **address}}


def _published(bindings: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """A port published everywhere is listed for both kinds of addresses."""
    published = []
    for binding in bindings:
        addresses = [binding["HostIp"]] if binding["HostIp"] not in ("", "0.0.0.0") else ["0.0.0.0", "::"]
        published += [{"HostIp": address, "HostPort": binding["HostPort"]} for address in addresses]
    return published


def top(rows: Sequence[tuple[int, str, str]], container: Container) -> str:
    """`docker top`: as `ps -ef` shows them."""
    from datetime import datetime

    started = datetime.fromtimestamp(container.started // 1_000_000_000, UTC).strftime("%H:%M")
    lines = ["UID\tPID\tPPID\tC\tSTIME\tTTY\tTIME\tCMD"]
    for pid, user, command in rows:
        tty = "pts/0" if container.config.get("Tty") else "?"
        lines.append(f"{user}\t{pid}\t{0 if pid == 1 else 1}\t0\t{started}\t{tty}\t00:00:00\t{command}")
    return columns(lines, minimum=20)


def ports(container: Container, private: str, era: str) -> list[str]:
    """`80/tcp -> 0.0.0.0:8080`; for one private port without its name."""
    wanted = private if "/" in private or not private else f"{private}/tcp"
    lines = []
    for port, bindings in sorted((container.ports if container.running else {}).items()):
        for binding in bindings or []:
            address = binding["HostIp"] or "0.0.0.0"
            shown = [f"{address}:{binding['HostPort']}"] + (
                [f"[::]:{binding['HostPort']}"] if address == "0.0.0.0" and eras.both_addresses(era) else []
            )
            lines += [place if wanted else f"{port} -> {place}" for place in shown if wanted in ("", port)]
    return lines
