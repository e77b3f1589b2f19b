"""The client's side of the distribution protocol: from a name to bytes that are what the name promised.

Key:

    upstream   where names are fetched from: the built-in classroom, Docker Hub, or the URL of a registry
    endpoint   one place to ask; docker.io may have several, mirrors first (R2.31)
    remote     one repository, on its endpoints

`classroom` is a registry that runs inside this very process: the same `requests` session talks to it through an
adapter instead of a socket (`registry_local`), so there is one client and one protocol, with or without a network.

What the registry says no to is told in Docker's words (R2.18a, R2.19).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

from imagelab.errors import (
    AuthenticationError,
    DigestMismatchError,
    ManifestError,
    RegistryError,
    UnreachableError,
    UsageError,
)
from imagelab.oci.documents import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Descriptor, Digest
from imagelab.oci.reference import Reference
from imagelab.registry.auth import Authorizer
from imagelab.registry.in_process import in_process
from imagelab.registry.recording import ExchangeHook

if TYPE_CHECKING:
    import requests

HUB = "https://registry-1.docker.io"
CLASSROOM = "http://classroom.invalid"
"""A host that no network has (RFC 2606): only the in-process adapter answers for it."""
CLASSROOM_CDN = "http://cdn.classroom.invalid"
"""Another one, for blobs that are redirected."""

ACCEPT = ", ".join([DOCKER_MANIFEST, DOCKER_INDEX, OCI_MANIFEST, OCI_INDEX])
ATTEMPTS = 5
TIMEOUT = 15, 60
"""Seconds to connect, and between two pieces."""

Retry = Callable[[int], None]
Answer = TypeVar("Answer")
_LOCAL = re.compile(r"(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?")
_USE_HUB = "with a network: --upstream hub (or IMAGELAB_UPSTREAM=hub) asks the real Docker Hub"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place to ask. `url` has no trailing slash; a mirror's failures are passed over in silence.

    `probe`: if it does not answer the first time, it is never asked again (R2.32).
    """

    url: str
    mirror: bool = False
    probe: bool = False


class Upstream:
    """Where names are fetched from. Made by `Upstream.parse`. `exchanges` is called with every answer."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        classroom: Callable[[], Any] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        prepare: Callable[[requests.Session], None] = lambda session: None,
    ) -> None:
        self._endpoints = tuple(endpoints)
        self._prepare = prepare
        self._classroom = classroom
        self._sleep = sleep
        self._made: requests.Session | None = None
        self.exchanges = ExchangeHook()

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        mirrors: Sequence[str] = (),
        classroom: Callable[[], Any] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        prepare: Callable[[requests.Session], None] = lambda session: None,
    ) -> Upstream:
        """`classroom`, `hub`, or the URL of a registry that stands for docker.io; `mirrors` are asked before it.

        `classroom()` makes the WSGI application of the built-in registry; `prepare` says
        whom a session may reach. UsageError for a bad URL (R2.31).
        """
        last = {"hub": HUB, "classroom": CLASSROOM}.get(text) or _checked_url(text, "upstream")
        endpoints = [*(Endpoint(_checked_url(mirror, "mirror"), True) for mirror in mirrors), Endpoint(last)]
        return cls(endpoints, classroom=classroom, sleep=sleep, prepare=prepare)

    def remote(self, reference: Reference) -> Remote:
        """The repository of a reference, at docker.io's endpoints or at its own registry (R1.10, R2.32)."""
        if reference.domain == "docker.io":
            endpoints = self._endpoints
        elif _LOCAL.fullmatch(reference.domain):
            # Docker tries HTTPS first; a plain server may leave a TLS greeting unanswered, the reverse is quick
            endpoints = (Endpoint(f"http://{reference.domain}", probe=True), Endpoint(f"https://{reference.domain}"))
        else:
            endpoints = (Endpoint(f"https://{reference.domain}"),)
        return Remote(self.session, endpoints, reference, sleep=self._sleep)

    @property
    def session(self) -> requests.Session:
        """One session for all: connections are kept, tokens are remembered."""
        if self._made is None:
            import requests

            self._made = requests.Session()
            self._prepare(self._made)
            self._made.headers["User-Agent"] = "imagelab"
            if self._classroom is not None and any(endpoint.url == CLASSROOM for endpoint in self._endpoints):
                classroom = in_process(_when_called(self._classroom))
                self._made.mount(CLASSROOM, classroom)
                self._made.mount(CLASSROOM_CDN, classroom)
            self._made.hooks["response"].append(self.exchanges)
            self._made.authorizer = Authorizer(self._made)  # type: ignore[attr-defined]
        return self._made


class Remote:
    """One repository. Every method raises RegistryError, or UnreachableError when there is no answer."""

    def __init__(
        self,
        session: requests.Session,
        endpoints: Sequence[Endpoint],
        reference: Reference,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session, self._endpoints, self._reference, self._sleep = session, tuple(endpoints), reference, sleep
        self._auth: Authorizer = session.authorizer  # type: ignore[attr-defined]
        self._scope = f"repository:{reference.path}:pull"

    @property
    def in_process(self) -> bool:
        """Is the registry in this very process? Then there is nothing to wait for."""
        return all(endpoint.url == CLASSROOM for endpoint in self._endpoints)

    def resolve(self, reference: Reference) -> Descriptor:
        """What a tag or digest points to: a HEAD, or a GET where that does not say (R2.24)."""
        which = str(reference.digest or reference.tag)

        def ask(endpoint: Endpoint) -> Descriptor:
            answer = self._request("HEAD", endpoint, f"manifests/{which}", accept=ACCEPT)
            if not answer.ok or "Docker-Content-Digest" not in answer.headers:
                answer = self._request("GET", endpoint, f"manifests/{which}", accept=ACCEPT)
                self._refuse(answer, reference)
            raw = answer.content
            digest = answer.headers.get("Docker-Content-Digest") or Digest.of(raw)
            if reference.digest and digest != reference.digest:
                raise _wrong_manifest(reference.digest, digest)
            return Descriptor(
                _media_type(answer), Digest(digest), int(answer.headers.get("Content-Length") or len(raw))
            )

        return self._first(ask)

    def manifest(self, descriptor: Descriptor) -> tuple[bytes, str]:
        """The bytes of a manifest or index, verified against its digest (R2.26), and its media type."""

        def ask(endpoint: Endpoint) -> tuple[bytes, str]:
            answer = self._request("GET", endpoint, f"manifests/{descriptor.digest}", accept=ACCEPT)
            self._refuse(answer, self._reference.with_digest(descriptor.digest))
            if Digest.of(answer.content) != descriptor.digest:
                raise _wrong_manifest(descriptor.digest, Digest.of(answer.content))
            return answer.content, _media_type(answer)

        return self._first(ask)

    def tags(self) -> list[str]:
        """Every tag, page after page (R2.30)."""

        def ask(endpoint: Endpoint) -> list[str]:
            tags: list[str] = []
            path: str | None = "tags/list"
            while path:
                answer = self._request("GET", endpoint, path)
                self._refuse(answer, self._reference)
                tags += answer.json().get("tags") or []
                path = answer.links["next"]["url"] if "next" in answer.links else None
            return tags

        return self._first(ask)

    def open_blob(self, descriptor: Descriptor, *, offset: int = 0, on_retry: Retry | None = None) -> BlobStream:
        """The bytes of a blob from `offset` on, as they come; not verified here. A broken connection is taken up again."""

        def connect(start: int) -> Any:
            headers = {"Range": f"bytes={start}-"} if start else {}
            headers["Accept-Encoding"] = "identity"

            def ask(endpoint: Endpoint) -> Any:
                path = f"blobs/{descriptor.digest}"
                answer = self._request("GET", endpoint, path, stream=True, headers=headers)
                try:
                    self._refuse(answer, self._reference.with_digest(descriptor.digest))
                except RegistryError:
                    answer.close()  # the rest of it is not read
                    raise
                return answer

            return self._first(ask)

        return BlobStream(connect, descriptor, offset, _at_once if self.in_process else self._sleep, on_retry)

    # -- one question ---------------------------------------------------------------------------------------

    def _first(self, ask: Callable[[Endpoint], Answer]) -> Answer:
        """Ask each endpoint in turn: whatever a mirror gets wrong, the next one may know better (R2.31)."""
        for endpoint in self._endpoints[:-1]:
            try:
                return ask(endpoint)
            except (RegistryError, ManifestError, DigestMismatchError) as error:
                if not endpoint.probe:
                    continue
                if not isinstance(error, UnreachableError) and getattr(error, "status", 400) != 400:
                    raise  # it did answer, and this is what it says
                return self._without(endpoint, ask, error)
        return ask(self._endpoints[-1])

    def _without(self, probed: Endpoint, ask: Callable[[Endpoint], Answer], error: Exception) -> Answer:
        """A plain registry did not answer: perhaps it is one with a certificate. If not, the first refusal counts."""
        try:
            answer = ask(self._endpoints[-1])
        except UnreachableError:
            raise error from None
        self._endpoints = tuple(endpoint for endpoint in self._endpoints if endpoint is not probed)
        return answer

    def _request(
        self,
        method: str,
        endpoint: Endpoint,
        path: str,
        *,
        accept: str = "",
        stream: bool = False,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """One request, with a token when the host wants one. Redirects lose the token, as they must (R2.29)."""
        base = f"{endpoint.url}/v2/{self._reference.path}/"
        url = urljoin(f"{endpoint.url}/", path) if path.startswith("/") else base + path
        wanted = {**(headers or {}), **({"Accept": accept} if accept else {})}
        answer = self._send(method, url, wanted, stream=stream)
        if answer.status_code == 401 and self._auth.answer(
            url, self._scope, answer.headers.get("WWW-Authenticate", "")
        ):
            answer.close()
            answer = self._send(method, url, wanted, stream=stream)
        return answer

    def _send(self, method: str, url: str, headers: dict[str, str], *, stream: bool) -> requests.Response:
        import requests
        import urllib3

        if url.startswith("https://") and _LOCAL.fullmatch(urlsplit(url).netloc):
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

        try:
            return self._session.request(
                method,
                url,
                headers=headers | self._auth.header(url, self._scope),
                stream=stream,
                timeout=TIMEOUT,
                allow_redirects=True,
                verify=not _LOCAL.fullmatch(urlsplit(url).netloc),  # nothing can stand between a machine and itself
            )
        except requests.exceptions.RequestException as error:
            raise _unreachable(url, error) from None

    def _refuse(self, answer: requests.Response, subject: Reference) -> None:
        """Nothing, for an answer that is one; else RegistryError in Docker's words."""
        if answer.ok:
            return
        code, message = _error_of(answer)
        name = self._reference.familiar_name()
        hint = self._hint(answer)
        if code == "MANIFEST_UNKNOWN":
            text = f"manifest for {subject.familiar()} not found: {_words(code, message)}"
        elif code == "NAME_UNKNOWN" and self._is_hub:
            raise self._denied(name, "denied: requested access to the resource is denied", "DENIED", 404, hint)
        elif code == "NAME_UNKNOWN":
            text = f"repository {name} not found: {_words(code, message)}"
        elif code in ("DENIED", "UNAUTHORIZED"):
            raise self._denied(name, _words(code, message), code, answer.status_code, hint)
        else:
            text = _words(code, message)
        raise RegistryError(text, code=code, status=answer.status_code, hint=hint)

    @property
    def _is_hub(self) -> bool:
        """Does this repository live at docker.io? Hub denies what it does not have."""
        return self._reference.domain == "docker.io"

    def _denied(self, name: str, cause: str, code: str, status: int, hint: str) -> AuthenticationError:
        text = f"pull access denied for {name}, repository does not exist or may require 'docker login': {cause}"
        return AuthenticationError(text, code=code, status=status, hint=hint)

    def _hint(self, answer: requests.Response) -> str:
        if not self.in_process or answer.status_code != 404:
            return ""
        listed = self._session.get(f"{CLASSROOM}/v2/{self._reference.path}/tags/list")
        if listed.ok:
            return f"the classroom has {self._reference.familiar_name()} with the tags {', '.join(listed.json()['tags'])}; {_USE_HUB}"
        names = self._session.get(f"{CLASSROOM}/v2/_catalog").json()["repositories"]
        return f"the built-in classroom has {', '.join(name.removeprefix('library/') for name in names)}; {_USE_HUB}"


class BlobStream:
    """A blob's bytes as they arrive; use it in `with`. Ends after the size its descriptor promised, plus one byte."""

    def __init__(
        self,
        connect: Callable[[int], Any],
        descriptor: Descriptor,
        offset: int,
        sleep: Callable[[float], None],
        on_retry: Retry | None,
    ) -> None:
        self._connect, self._descriptor, self._sleep, self._on_retry = connect, descriptor, sleep, on_retry
        self._at = offset
        self._attempt = 0
        self._answer: Any = None

    def __enter__(self) -> BlobStream:
        return self

    def __exit__(self, *_: object) -> None:
        if self._answer is not None:
            self._answer.close()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end. UnreachableError when five attempts have failed."""
        from urllib3.exceptions import HTTPError

        while self._at <= self._descriptor.size:
            size = min(size, self._descriptor.size + 1 - self._at)
            try:
                chunk = self._open().raw.read(size)
            except (HTTPError, OSError) as error:
                self._again(error)
                continue
            except UnreachableError as error:
                self._again(error)
                continue
            if not chunk and self._at < self._descriptor.size:
                self._again(EOFError("the connection was closed early"))
                continue
            self._at += len(chunk)
            return bytes(chunk)
        return b""

    def _open(self) -> Any:
        if self._answer is None:
            self._answer = self._connect(self._at)
            if self._at and self._answer.status_code != 206:  # a server without ranges starts again
                _skip(self._answer.raw, self._at)
        return self._answer

    def _again(self, error: Exception) -> None:
        """Wait five seconds longer each time, saying so every second, then connect anew (R2.8)."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None
        self._attempt += 1
        if self._attempt >= ATTEMPTS:
            raise UnreachableError(
                f"download of {self._descriptor.digest.short} failed after {ATTEMPTS} attempts: {error}",
                hint="pull again: what has arrived is kept",
            ) from None
        for left in range(5 * self._attempt, 0, -1):
            if self._on_retry is not None:
                self._on_retry(left)
            self._sleep(1)


def _when_called(make: Callable[[], Any]) -> Callable[..., Any]:
    """A WSGI application that is made by the first request: a session that only asks other registries needs none."""
    application = cache(make)
    return lambda environ, start_response: application()(environ, start_response)


def _at_once(_: float) -> None:
    """Where the registry is in this very process, there is nothing to wait for."""


def _skip(raw: Any, count: int) -> None:
    while count > 0 and (chunk := raw.read(min(count, 1 << 18))):
        count -= len(chunk)


def _error_of(answer: requests.Response) -> tuple[str, str]:
    """The first error of the body; a code made from the status when there is none."""
    if answer.status_code >= 500:  # what a broken server says of itself is not believed (R2.19)
        return "", f"received unexpected HTTP status: {answer.status_code} {answer.reason}"
    by_status = {401: "UNAUTHORIZED", 403: "DENIED", 404: "MANIFEST_UNKNOWN", 429: "TOOMANYREQUESTS"}
    default = by_status.get(answer.status_code, "UNKNOWN")
    try:
        first = answer.json()["errors"][0]
        return str(first.get("code") or default), str(first.get("message") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return default, _STANDARD.get(default, f"received unexpected HTTP status: {answer.status_code} {answer.reason}")


_STANDARD = {
    "UNAUTHORIZED": "authentication required",
    "DENIED": "requested access to the resource is denied",
    "MANIFEST_UNKNOWN": "manifest unknown",
    "TOOMANYREQUESTS": "too many requests",
}


def _words(code: str, message: str) -> str:
    """`MANIFEST_UNKNOWN`, "manifest unknown" -> `manifest unknown: manifest unknown` (R2.19)."""
    return f"{code.lower().replace('_', ' ')}: {message}".removesuffix(": ").removeprefix(": ")


def _media_type(answer: requests.Response) -> str:
    return (answer.headers.get("Content-Type") or OCI_MANIFEST).partition(";")[0].strip()


def _wrong_manifest(wanted: Digest, actual: str) -> DigestMismatchError:
    return DigestMismatchError(
        f"manifest verification failed for digest {wanted}: the bytes received are {actual}",
        hint="the registry, or something on the way to it, changes what it sends",
    )


def _unreachable(url: str, error: Exception) -> UnreachableError:
    """Go's way of saying it, as Docker prints it."""
    parts, text = urlsplit(url), str(error)
    if "NameResolution" in text or "getaddrinfo" in text or "Name or service" in text or "Temporary failure" in text:
        cause = f"dial tcp: lookup {parts.hostname}: no such host"
    elif "refused" in text:
        cause = f"dial tcp {parts.netloc}: connect: connection refused"
    elif "imed out" in text:
        cause = (
            "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"
        )
    elif "ertificate" in text or "SSL" in text:
        cause = "tls: failed to verify certificate"
    else:
        cause = "connection failed"
    return UnreachableError(
        f'Get "{parts.scheme}://{parts.netloc}/v2/": {cause}',
        code="UNREACHABLE",
        hint="without a network the built-in images still work: --upstream classroom",
    )


def _checked_url(text: str, setting: str) -> str:
    """A mirror's or upstream's URL without its trailing slash; UsageError in Docker's words (R2.31)."""
    parts = urlsplit(text)
    if "://" not in text:
        raise UsageError(
            f"invalid {setting}: no scheme specified for \"{text}\": must use either 'https://' or 'http://'"
        )
    if parts.scheme not in ("http", "https"):
        raise UsageError(
            f"invalid {setting}: unsupported scheme \"{parts.scheme}\" in \"{text}\": must use either 'https://' or 'http://'"
        )
    if parts.query or parts.fragment:
        raise UsageError(f'invalid {setting}: query or fragment at end of the URI "{text}"')
    if parts.username is not None:
        raise UsageError(
            f'invalid {setting}: username/password not allowed in URI "{parts.scheme}://xxxxx@{parts.hostname}{parts.path}"'
        )
    return text.rstrip("/")
