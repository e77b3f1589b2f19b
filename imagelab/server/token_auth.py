"""Bearer tokens before a registry: a request without one is refused, and the answer says where tokens are made.

    GET /v2/library/ubuntu/manifests/14.04                      -> 401
        WWW-Authenticate: Bearer realm="http://…/token",service="…",scope="repository:library/ubuntu:pull"
    GET /token?service=…&scope=repository:library/ubuntu:pull   -> {"token": "…", "expires_in": 300}
    GET /v2/library/ubuntu/manifests/14.04                      -> 200
        Authorization: Bearer …

So it is at Docker Hub, also for images that are free for all: the token does not say who you are, it says what you may
do. Here one is given to every client that asks to read; it is a hash of the scope, so it opens that repository and no
other (R2.22, R2.23). What is shown is the protocol, not safety: a reader of this module can make a token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

SERVICE = "registry.lesson"
_REPOSITORY = re.compile(r"/v2/(.+)/(?:manifests|blobs|tags|referrers)/")
_READING = ("GET", "HEAD")

Application = Callable[[Mapping[str, Any], Callable[..., Any]], Iterable[bytes]]


class BearerTokenMiddleware:
    """A WSGI application in front of another one."""

    def __init__(self, registry: Application) -> None:
        self._registry = registry

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/token":
            return _give(parse_qs(environ.get("QUERY_STRING", "")).get("scope", [""])[0], start_response)
        scope = scope_of(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if environ.get("HTTP_AUTHORIZATION") == f"Bearer {token(scope)}":
            return self._registry(environ, start_response)
        realm = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST') or environ['SERVER_NAME']}/token"
        challenge = f'Bearer realm="{realm}",service="{SERVICE}"' + (f',scope="{scope}"' if scope else "")
        refusal = _refuse(start_response, "authentication required", ("WWW-Authenticate", challenge))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else refusal


def scope_of(method: str, path: str) -> str:
    """What a request must be allowed to do: `repository:library/ubuntu:pull`; nothing for `/v2/` itself."""
    match = _REPOSITORY.match(path)
    return f"repository:{match[1]}:{'pull' if method in _READING else 'pull,push'}" if match else ""


def token(scope: str) -> str:
    """The token that opens one scope."""
    return sha256(scope.encode()).hexdigest()[:32]


def _give(scope: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
    if scope.endswith(",push"):
        return _refuse(start_response, "reading is for everybody, writing is not")
    return _answer(start_response, "200 OK", {"token": token(scope), "expires_in": 300})


def _refuse(start_response: Callable[..., Any], why: str, *headers: tuple[str, str]) -> Iterable[bytes]:
    errors = {"errors": [{"code": "UNAUTHORIZED", "message": why}]}
    return _answer(start_response, "401 Unauthorized", errors, *headers)


def _answer(start_response: Callable[..., Any], status: str, data: object, *headers: tuple[str, str]) -> list[bytes]:
    body = json.dumps(data).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers])
    return [body]
