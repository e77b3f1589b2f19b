"""Getting in: a registry answers 401 and says where tokens are made; the client fetches one and asks again.

    GET /v2/library/ubuntu/manifests/14.04                         -> 401
        WWW-Authenticate: Bearer realm="https://auth…/token",service="registry…"
    GET https://auth…/token?service=registry…&scope=repository:library/ubuntu:pull   -> {"token": "…"}
    GET /v2/library/ubuntu/manifests/14.04   Authorization: Bearer …                 -> 200

A token is for one registry and one scope, and is sent to the host that asked for it and to no other: not to where a
blob is redirected to (R2.22, R2.23, R2.29).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from imagelab.errors import AuthenticationError

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class Authorizer:
    """Tokens for one session, remembered by host and scope. `credentials` are (user, password) by host."""

    def __init__(self, session: Any, credentials: Mapping[str, tuple[str, str]] | None = None) -> None:
        self._session = session
        self._credentials = credentials or {}
        self._headers: dict[tuple[str, str], str] = {}

    def header(self, url: str, scope: str) -> dict[str, str]:
        """What to send to this URL: nothing until its host has asked."""
        known = self._headers.get((urlsplit(url).netloc, scope))
        return {"Authorization": known} if known and "/v2/" in urlsplit(url).path else {}

    def answer(self, url: str, scope: str, challenge: str) -> bool:
        """Act on a `WWW-Authenticate`; False when there is nothing (more) to try."""
        host = urlsplit(url).netloc
        kind, _, rest = challenge.partition(" ")
        parameters = dict(_PARAMETER.findall(rest))
        before = self._headers.get((host, scope))
        if kind.lower() == "bearer" and parameters.get("realm"):
            header = f"Bearer {self._token(host, scope, parameters)}"
        elif kind.lower() == "basic" and host in self._credentials:
            header = f"Basic {_basic(*self._credentials[host])}"
        else:
            return False
        self._headers[host, scope] = header
        return header != before

    def _token(self, host: str, scope: str, parameters: Mapping[str, str]) -> str:
        query = {"service": parameters.get("service", ""), "scope": parameters.get("scope") or scope}
        headers = {}
        if host in self._credentials:
            query["account"] = self._credentials[host][0]
            headers["Authorization"] = f"Basic {_basic(*self._credentials[host])}"
        answer = self._session.get(
            parameters["realm"],
            params={key: value for key, value in query.items() if value},
            headers=headers,
            timeout=15,
        )
        data = answer.json() if answer.ok and "json" in answer.headers.get("Content-Type", "json") else {}
        token = data.get("access_token") or data.get("token")
        if not token:
            raise AuthenticationError(
                "unauthorized: authentication required",
                code="UNAUTHORIZED",
                status=answer.status_code,
                hint=f"{urlsplit(parameters['realm']).netloc} gave no token (HTTP {answer.status_code})",
            )
        return str(token)


def _basic(user: str, password: str) -> str:
    import base64

    return base64.b64encode(f"{user}:{password}".encode()).decode()
