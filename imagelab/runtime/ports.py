"""Published ports: real sockets of this machine, behind which a container's service answers.

A container has no network of its own here. `-p 8080:80` opens port 8080 when the container starts, on the loopback
address unless another was asked for, so that nobody else in the room reaches it by accident; and once a program in the
container says that it listens on port 80, a small HTTP server answers there. Its answers come from the container's
files as they are at that moment.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imagelab.errors import ImageLabError
from imagelab.state.container_config import FIRST_PORT, LAST_PORT
from imagelab.state.model import Container

LOOPBACK = "127.0.0.1"


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
def bound(container: Container) -> Iterator[Sockets]:
    """Open the ports of a container. PortTakenError."""
    sockets = Sockets()
    try:
        for port, bindings in container.ports.items():
            for binding in bindings or []:
                sockets.add(port, _open(binding["HostIp"], int(binding["HostPort"]), container))
        yield sockets
    finally:
        sockets.close()


def _bound(address: str, port: int) -> socket.socket:
    """A socket of this machine, on the loopback address unless another was asked for. OSError when somebody has it."""
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address if address not in ("", "0.0.0.0") else LOOPBACK, port))
        found.listen(64)
    except OSError:
        found.close()
        raise
    return found


def _open(address: str, port: int, container: Container) -> socket.socket:
    try:
        return _bound(address, port)
    except OSError:
        raise taken(container, address, port) from None


def taken(container: Container, address: str, port: int) -> PortTakenError:
    """Docker's words for a port that somebody has."""
    where = address or "0.0.0.0"
    return PortTakenError(
        f"failed to set up container networking: driver failed programming external connectivity on endpoint "
        f"{container.name} ({container.id}): Bind for {where}:{port} failed: port is already allocated",
        hint=f"choose another port on the left: -p {port + 1}:80, or see docker ps who has it",
    )


def is_free(address: str, port: int) -> bool:
    """Could it be opened now?"""
    try:
        _bound(address, port).close()
    except OSError:
        return False
    return True


def free_ports() -> Iterator[int]:
    """Ports nobody has, from the first that Docker would choose."""
    return (port for port in range(FIRST_PORT, LAST_PORT) if is_free("", port))
