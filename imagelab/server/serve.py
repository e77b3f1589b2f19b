"""A WSGI application on a port, by waitress: a well-kept server in pure Python, the same on every platform."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from imagelab.errors import ImageLabError

Application = Callable[..., Any]


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
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield _url(server)
    finally:
        server.trigger.pull_trigger(server.close)
        server.task_dispatcher.shutdown()
        thread.join(5)


def _create(app: Application, host: str, port: int) -> Any:
    from waitress.server import create_server

    try:
        return create_server(
            app,
            host=host,
            port=port,
            threads=8,
            max_request_body_size=1 << 40,
            send_bytes=1 << 18,
            asyncore_use_poll=True,
            outbuf_overflow=1 << 24,
            inbuf_overflow=1 << 20,
            ident="imagelab",
        )
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageLabError(
            f"cannot listen on {host}:{port}: {reason}",
            origin="client",
            hint="choose another port with --port, or 0 for a free one",
        ) from None


def _url(server: Any) -> str:
    host, port = (
        (server.effective_host, server.effective_port)
        if hasattr(server, "effective_port")
        else server.effective_listen[0]
    )
    return f"http://{host}:{port}"
