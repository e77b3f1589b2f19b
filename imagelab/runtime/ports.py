"""Published ports: real sockets of this machine, behind which a container's service answers.

A container has no network of its own here. `-p 8080:80` opens port 8080 when the container starts, on the loopback
address unless another was asked for, so that nobody else in the room reaches it by accident; and once a program in the
container says that it listens on port 80, a small HTTP server answers there. Its answers come from the container's
files as they are at that moment.

Whoever drives the container opens its ports, and what it got is what counts: nothing is looked up first and opened later,
so two that start at once never get the same one.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from imagelab.errors import ImageLabError
from imagelab.runtime.port_holders import Holder, hold, holder_of
from imagelab.state.container_config import FIRST_PORT, is_chosen
from imagelab.state.model import Container
from imagelab.store.store import Store

LOOPBACK = "127.0.0.1"
HIGHEST = 65535


@dataclass(frozen=True, slots=True)
class PortRules:
    """What a published port is."""

    machine: bool = True
    """A port of this machine, which anybody may have; else each lab has ports of its own, and only the lab reaches them."""
    moves: bool = False
    """One that somebody has is replaced by the next that is free; else it is an error."""
    sockets: bool = True
    """There are sockets at all; else a service is only reached in its own process."""
    holders: Path | None = None
    """Where those who have ports of this machine say so."""

    @classmethod
    def called(cls, name: str, holders: Path | None = None) -> PortRules:
        """exact, auto or private."""
        return cls(machine=name != "private", moves=name == "auto", holders=holders)

    @property
    def name(self) -> str:
        return "auto" if self.moves else "exact" if self.machine else "private"


class PortTakenError(ImageLabError):
    """`Bind for 0.0.0.0:8080 failed: port is already allocated`."""

    exit_code = 125


class Sockets:
    """The sockets of one running container."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[socket.socket]] = {}
        self._servers: list[Any] = []
        self._open: list[socket.socket] = []

    def add(self, port: str, found: socket.socket) -> None:
        """One that is bound, for a service that may come."""
        self._open.append(found)
        self._waiting.setdefault(port, []).append(found)

    def listen(self, container: Container, port: int, app: Any) -> None:
        """A program listens: let the published sockets answer with its application."""
        found = self._waiting.pop(f"{port}/tcp", [])
        if app is None or not found:
            return
        from waitress.server import create_server

        server = create_server(app, sockets=found, threads=4, clear_untrusted_proxy_headers=False, ident=None)
        self._servers.append(server)
        threading.Thread(target=server.run, daemon=True).start()

    def close(self) -> None:
        """Nobody answers any more; whoever wants a port can have it. Closing twice is fine."""
        for found in self._open:
            try:
                found.shutdown(socket.SHUT_RDWR)  # a server that waits for it would keep it open a while longer
            except OSError:
                pass  # not every system can, and closing does the rest
        while self._servers:
            self._servers.pop().close()
        while self._waiting:
            for found in self._waiting.popitem()[1]:
                found.close()


@contextmanager
def bound(store: Store, container: Container, rules: PortRules) -> Iterator[Sockets]:
    """Open the ports of a container, and write down which ones it got. PortTakenError."""
    sockets = Sockets()
    with ExitStack() as held:
        held.callback(sockets.close)
        open_ports = _Opening(store, container, rules, sockets, held)
        ports = {
            port: bindings and [open_ports.one(port, at, binding) for at, binding in enumerate(bindings)]
            for port, bindings in container.ports.items()
        }
        open_ports.write(ports)
        yield sockets


class _Opening:
    """The ports of one container, being opened."""

    def __init__(self, store: Store, container: Container, rules: PortRules, sockets: Sockets, held: ExitStack) -> None:
        self._store, self._container, self._rules = store, container, rules
        self._sockets, self._held = sockets, held
        self._behind: dict[str, int] = {}

    def one(self, port: str, at: int, binding: dict[str, str]) -> dict[str, str]:
        """Open one, and say which it has become."""
        address, number = binding["HostIp"], int(binding["HostPort"])
        protocol = port.partition("/")[2]
        if not self._rules.sockets:
            return binding
        if not self._rules.machine:
            found = opened(address, 0, protocol)
            self._sockets.add(port, found)
            self._behind[f"{number}/{protocol}"] = found.getsockname()[1]
            return binding
        stays = is_chosen(self._container, port, at) and not self._rules.moves
        for candidate in (number,) if stays else _from(number):
            try:
                self._sockets.add(port, opened(address, candidate, protocol))
            except OSError:
                continue
            self._hold(candidate, protocol)
            return binding | {"HostPort": str(candidate)}
        raise taken(self._container, port, binding, self._rules, self._store.directory)

    def _hold(self, number: int, protocol: str) -> None:
        if self._rules.holders is not None:
            who = Holder(str(self._store.directory), self._container.id, self._container.name)
            self._held.enter_context(hold(self._rules.holders, number, protocol, who))

    def write(self, ports: dict[str, list[dict[str, str]] | None]) -> None:
        """Where the container can be reached."""
        if self._behind:
            file = self._store.container_files(self._container.id) / "sockets"
            file.write_text(json.dumps(self._behind), encoding="utf-8")
        if ports != self._container.ports:
            with self._store.transaction(creates_step=False) as tx:
                current = tx.container(self._container.id)
                if current is not None:
                    tx.put_container(replace(current, ports=ports))


def _from(number: int) -> Iterable[int]:
    """This port, those above it, and at last those below it that Docker would choose from."""
    return chain(range(number, HIGHEST + 1), range(FIRST_PORT, number))


def opened(address: str, port: int, protocol: str = "tcp") -> socket.socket:
    """A socket on a port, 0 for any; listening, if it can. OSError when it cannot be had."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
    try:
        if os.name == "nt":  # there SO_REUSEADDR would share the port with whoever has it
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
        elif protocol != "udp":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address if address not in ("", "0.0.0.0") else LOOPBACK, port))
        if protocol != "udp":
            found.listen(64)
    except (OSError, OverflowError) as problem:
        found.close()
        raise OSError(str(problem)) from None
    return found


def reached_at(store: Store, container: Container, number: int) -> int:
    """The port of this machine behind a port of the lab: the same, where the lab has none of its own."""
    file = store.container_files(container.id) / "sockets"
    try:
        return int(json.loads(file.read_text(encoding="utf-8")).get(f"{number}/tcp", number))
    except (FileNotFoundError, ValueError):
        return number


# -- a port that is taken -----------------------------------------------------------------------------------


def taken(
    container: Container, port: str, binding: dict[str, str], rules: PortRules, lab: Path, holder: Holder | None = None
) -> PortTakenError:
    """Docker's words for a port that somebody has; who that is, and what to type. `holder`: when that is known."""
    number, protocol = int(binding["HostPort"]), port.partition("/")[2]
    where = binding["HostIp"] or "0.0.0.0"
    if holder is None and rules.holders is not None:
        holder = holder_of(rules.holders, number, protocol)
    other = next((one for one in range(number + 1, HIGHEST + 1) if is_free(binding["HostIp"], one, protocol)), number)
    published = port.removesuffix("/tcp")
    return PortTakenError(
        f"failed to set up container networking: driver failed programming external connectivity on endpoint "
        f"{container.name} ({container.id}): Bind for {where}:{number} failed: port is already allocated",
        hint=f"{_who(holder, lab)}; or choose another port: -p {other}:{published}",
    )


def _who(holder: Holder | None, lab: Path) -> str:
    if holder is None:
        return "another program on this machine has it: end that; or let IMAGELAB_PORTS=auto take the next free port"
    if holder.lab == str(lab):
        return f"container {holder.name} of this lab has it: docker stop {holder.name} gives it back"
    return (
        f"container {holder.name} of another lab of yours has it, in {holder.lab}: "
        f"imagelab --lab {holder.lab} stop {holder.name} gives it back"
    )


def is_free(address: str, port: int, protocol: str = "tcp") -> bool:
    """Could it be opened now?"""
    try:
        opened(address, port, protocol).close()
    except OSError:
        return False
    return True
