"""A registry in this very process: `requests` talks to a WSGI application as if it were across the network.

No socket, no thread: what a browser or a locked-down machine lacks is not needed. The protocol, the headers and the
client are the same; a body that is shorter than its Content-Length is noticed as it would be on a wire.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit


def in_process(app: Any) -> Any:
    """A `requests` transport that calls a WSGI application: no socket, no thread, the same protocol."""
    from requests.adapters import BaseAdapter

    class InProcessAdapter(BaseAdapter):
        def send(
            self,
            request: Any,
            stream: bool = False,
            timeout: Any = None,
            verify: Any = True,
            cert: Any = None,
            proxies: Any = None,
        ) -> Any:
            return _call(app, request)

        def close(self) -> None:
            pass

    return InProcessAdapter()


def _call(app: Any, request: Any) -> Any:
    from requests.adapters import HTTPAdapter
    from urllib3.response import HTTPResponse

    answered: list[Any] = []
    body = app(_environ(request), lambda status, headers, *_: answered.extend([status, headers]))
    status, headers = answered
    raw = HTTPResponse(
        body=_Pieces(body),
        headers=dict(headers),
        status=int(status.split()[0]),
        reason=status.partition(" ")[2],
        preload_content=False,
        request_method=request.method,
        enforce_content_length=True,
    )
    return HTTPAdapter().build_response(request, raw)


def _environ(request: Any) -> dict[str, Any]:
    parts = urlsplit(request.url)
    body = request.body or b""
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b"".join(body)
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": io.BytesIO(data),
        "wsgi.url_scheme": parts.scheme,
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or 80),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ


class _Pieces(io.RawIOBase):
    """The pieces of a WSGI answer as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._source = pieces
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._pieces, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def close(self) -> None:
        if hasattr(self._source, "close"):
            self._source.close()
        super().close()
