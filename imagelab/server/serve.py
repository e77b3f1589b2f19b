"""A WSGI application on a port, by waitress: a well-kept server in pure Python, the same on every platform."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from imagelab.errors import ImageLabError
from imagelab.server.registry import FileBody

Application = Callable[..., Any]
SENT_AT_ONCE = 256 * 1024
"""Bytes given to the system at once: waitress reads as much again whenever a part of it did not fit."""


def serve(
    app: Application, *, host: str = "127.0.0.1", port: int = 5000, ready: Callable[[str], None] | None = None
) -> None:
    """Answer until interrupted. `port` 0 takes a free one; `ready` is told the URL. ImageLabError for a port in use."""
    server = _create(app, host, port)
    if ready is not None:
        ready(_url(server))
    try:
        server.run()
    finally:
        server.close()


@contextmanager
def serving(app: Application, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The application on a free port while the block runs; yields its URL."""
    server = _create(app, host, port)
    ended = threading.Event()
    thread = threading.Thread(target=_loop, args=(server, ended), daemon=True)
    thread.start()
    try:
        yield _url(server)
    finally:
        ended.set()
        thread.join()
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map, ignore_all=True)


def _loop(server: Any, ended: threading.Event) -> None:
    """waitress's own loop, in steps short enough to be ended by another thread."""
    while not ended.is_set():
        server.asyncore.loop(timeout=0.02, map=server._map, count=1, use_poll=True)


def _create(app: Application, host: str, port: int) -> Any:
    from waitress.server import create_server

    return create_server(
        _sending_files(app), sockets=[_listening(host, port)], threads=8, max_request_body_size=1 << 40, asyncore_use_poll=True,
        outbuf_overflow=1 << 24, inbuf_overflow=1 << 20, ident="imagelab",
    )  # fmt: skip


def _sending_files(app: Application) -> Application:
    """Files go out as waitress sends files: read when there is room for them, and copied once."""

    def sending(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = app(environ, start_response)
        return environ["wsgi.file_wrapper"](body.file) if isinstance(body, FileBody) else body

    return sending


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, OverflowError) as error:
        raise _refused(host, port, error) from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AT_ONCE)
        listener.bind(address)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _refused(host, port, error) from None
    return listener


def _refused(host: str, port: int, error: Exception) -> ImageLabError:
    reason = getattr(error, "strerror", None) or str(error)
    hint = "choose another port with --port, or 0 for a free one"
    return ImageLabError(f"cannot listen on {host}:{port}: {reason}", origin="client", hint=hint)


def _url(server: Any) -> str:
    host, port = server.effective_host, server.effective_port
    return f"http://[{host}]:{port}" if ":" in str(host) else f"http://{host}:{port}"
