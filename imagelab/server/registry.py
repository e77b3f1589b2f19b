"""A registry: the OCI distribution protocol as one WSGI application.

What a client asks, in the order of a pull and then of a push (distribution-spec, `end-1` … `end-12`):

    GET    /v2/                                  is anybody there?
    HEAD   /v2/<name>/manifests/<tag>            what does the tag point to?         Docker-Content-Digest
    GET    /v2/<name>/manifests/<digest>         the manifest
    GET    /v2/<name>/blobs/<digest>             a config or a layer; Range: bytes=N-  goes on where one stopped
    POST   /v2/<name>/blobs/uploads/             start an upload, or ?digest= all at once, or ?mount=&from=
    PATCH  <Location>                            a piece of it
    PUT    <Location>?digest=                    the end of it
    PUT    /v2/<name>/manifests/<tag>            the manifest, last: its blobs must be there
    GET    /v2/<name>/tags/list ?n=&last=        a page of tags; Link: rel="next" leads to the next
    GET    /v2/_catalog                          the repositories
    GET    /v2/<name>/referrers/<digest>         manifests whose `subject` is this one
    DELETE manifests, tags, blobs

The application knows nothing of sockets: a server puts it on a port (`serve`), and a lab calls it in process. An error
is `{"errors": [{"code", "message", "detail"}]}` with the codes of the specification (R2.19).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qs, quote

from imagelab.errors import ManifestError
from imagelab.oci.documents import OCI_INDEX, OCI_MANIFEST, Digest, decode

PIECE = 256 * 1024
LARGEST_MANIFEST = 4 << 20

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}")
_ROUTE = re.compile(r"/v2/(?P<name>.+?)/(?P<what>manifests|blobs/uploads|blobs|tags|referrers)(?:/(?P<which>[^/]*))?/?")

MESSAGES = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": (416, "blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (404, "manifest references a manifest or blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_INVALID": (400, "invalid repository name"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "SIZE_INVALID": (413, "manifest is larger than this registry takes"),
    "TAG_INVALID": (400, "manifest tag did not match URI"),
    "UNSUPPORTED": (405, "the operation is unsupported"),
}
_REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    416: "Range Not Satisfiable",
}


class RegistryStorage(Protocol):
    """What the application needs kept. Digests name blobs; a repository knows some manifests and tags."""

    writable: bool

    def blob_size(self, digest: Digest) -> int | None: ...
    def open_blob(self, digest: Digest) -> BinaryIO: ...
    def delete_blob(self, digest: Digest) -> None: ...
    def start_upload(self) -> str: ...
    def upload_size(self, upload: str) -> int | None: ...
    def append_upload(self, upload: str, chunks: Iterable[bytes]) -> int: ...
    def finish_upload(self, upload: str, digest: Digest) -> Digest: ...
    def cancel_upload(self, upload: str) -> None: ...
    def repositories(self) -> list[str]: ...
    def manifests(self, repository: str) -> Mapping[Digest, str]: ...
    def tags(self, repository: str) -> Mapping[str, Digest]: ...
    def put_manifest(self, repository: str, raw: bytes, media_type: str, tag: str | None) -> Digest: ...
    def delete_tag(self, repository: str, tag: str) -> None: ...
    def delete_manifest(self, repository: str, digest: Digest) -> None: ...


Headers = dict[str, str]
Body = Iterable[bytes]
Answer = tuple[int, Headers, Body]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class RegistryErrorResponse(Exception):
    """An answer that is an error; `code` is the specification's."""

    def __init__(self, code: str, detail: object = None, status: int | None = None) -> None:
        self.code, self.detail = code, detail
        self.status = MESSAGES[code][0] if status is None else status
        super().__init__(code)

    def answer(self) -> Answer:
        error: dict[str, object] = {"code": self.code, "message": MESSAGES[self.code][1]}
        if self.detail is not None:
            error["detail"] = self.detail
        return _json({"errors": [error]}, status=self.status)


class RegistryApp:
    """The protocol over one storage. `application(environ, start_response)` as PEP 3333 has it."""

    def __init__(self, storage: RegistryStorage) -> None:
        self._storage = storage
        self._handlers: Mapping[str, Callable[[RegistryRequest, str, str], Answer]] = {
            "manifests": self._manifests,
            "blobs": self._blobs,
            "blobs/uploads": self._uploads,
            "tags": self._tags,
            "referrers": self._referrers,
        }

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Body:
        request = RegistryRequest(environ)
        try:
            status, headers, body = self._answer(request)
        except RegistryErrorResponse as refused:
            status, headers, body = refused.answer()
        headers.setdefault("Docker-Distribution-Api-Version", "registry/2.0")
        start_response(f"{status} {_REASONS[status]}", sorted((name, str(value)) for name, value in headers.items()))
        return () if request.method == "HEAD" else body

    def _answer(self, request: RegistryRequest) -> Answer:
        if request.path in ("/v2", "/v2/"):
            return _json({})
        if request.path == "/v2/_catalog":
            return self._catalog(request)
        match = _ROUTE.fullmatch(request.path)
        if match is None:
            raise RegistryErrorResponse("NAME_UNKNOWN", {"path": request.path})
        name, resource, which = match["name"], match["what"], match["which"] or ""
        if not _NAME.fullmatch(name):
            raise RegistryErrorResponse("NAME_INVALID", {"name": name})
        if request.method not in ("GET", "HEAD") and not self._storage.writable:
            raise RegistryErrorResponse("UNSUPPORTED", "this registry is read-only")
        return self._handlers[resource](request, name, which)

    # -- manifests ------------------------------------------------------------------------------------------

    def _manifests(self, request: RegistryRequest, name: str, which: str) -> Answer:
        match request.method:
            case "GET" | "HEAD":
                return self._get_manifest(name, which)
            case "PUT":
                return self._put_manifest(request, name, which)
            case "DELETE":
                return self._delete_manifest(name, which)
        raise RegistryErrorResponse("UNSUPPORTED")

    def _find_manifest(self, name: str, which: str) -> tuple[Digest, str]:
        manifests = self._storage.manifests(name)
        if not manifests:
            raise RegistryErrorResponse("NAME_UNKNOWN", {"name": name})
        digest = Digest(which) if _DIGEST.fullmatch(which) else self._storage.tags(name).get(which)
        if digest is None or digest not in manifests:
            raise RegistryErrorResponse("MANIFEST_UNKNOWN", {"Tag": which})
        return digest, manifests[digest]

    def _get_manifest(self, name: str, which: str) -> Answer:
        digest, media_type = self._find_manifest(name, which)
        with self._storage.open_blob(digest) as file:
            raw = file.read()
        return 200, _described(digest, len(raw), media_type), [raw]

    def _put_manifest(self, request: RegistryRequest, name: str, which: str) -> Answer:
        by_digest = bool(_DIGEST.fullmatch(which))
        if not by_digest and not _TAG.fullmatch(which):
            raise RegistryErrorResponse("TAG_INVALID", {"Tag": which})
        raw = request.read(LARGEST_MANIFEST)
        if by_digest and Digest.of(raw) != which:
            raise RegistryErrorResponse("DIGEST_INVALID", {"expected": which, "received": Digest.of(raw)})
        data = _manifest_json(raw)
        self._refuse_unknown_blobs(name, data)
        media_type = request.header("Content-Type") or data.get("mediaType") or OCI_MANIFEST
        digest = self._storage.put_manifest(name, raw, media_type, None if by_digest else which)
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest, "Content-Length": "0"}
        subject = data.get("subject")
        if isinstance(subject, dict) and isinstance(subject.get("digest"), str):
            headers["OCI-Subject"] = subject["digest"]
        return 201, headers, ()

    def _refuse_unknown_blobs(self, name: str, data: Mapping[str, Any]) -> None:
        """A manifest is pushed after what it names (R7.12: foreign layers are elsewhere)."""
        manifests = self._storage.manifests(name)
        for entry in data.get("manifests") or ():
            if _digest_of(entry) not in manifests:
                raise RegistryErrorResponse("MANIFEST_BLOB_UNKNOWN", {"digest": entry.get("digest")})
        blobs = [data["config"]] if isinstance(data.get("config"), dict) else []
        for entry in [*blobs, *(data.get("layers") or ())]:
            digest = _digest_of(entry)
            if self._storage.blob_size(digest) is None and not entry.get("urls"):
                raise RegistryErrorResponse("MANIFEST_BLOB_UNKNOWN", {"digest": digest})

    def _delete_manifest(self, name: str, which: str) -> Answer:
        digest, _ = self._find_manifest(name, which)
        if _DIGEST.fullmatch(which):
            self._storage.delete_manifest(name, digest)
        else:
            self._storage.delete_tag(name, which)
        return 202, {"Content-Length": "0"}, ()

    # -- blobs ----------------------------------------------------------------------------------------------

    def _blobs(self, request: RegistryRequest, name: str, which: str) -> Answer:
        if not _DIGEST.fullmatch(which):
            raise RegistryErrorResponse("DIGEST_INVALID", {"digest": which})
        digest = Digest(which)
        size = self._storage.blob_size(digest)
        if size is None:
            raise RegistryErrorResponse("BLOB_UNKNOWN", {"digest": which})
        match request.method:
            case "GET" | "HEAD":
                return self._get_blob(request, digest, size)
            case "DELETE":
                self._storage.delete_blob(digest)
                return 202, {"Content-Length": "0"}, ()
        raise RegistryErrorResponse("UNSUPPORTED")

    def _get_blob(self, request: RegistryRequest, digest: Digest, size: int) -> Answer:
        headers = _described(digest, size, "application/octet-stream") | {"Accept-Ranges": "bytes"}
        wanted = _range(request.header("Range"), size)
        first, last = wanted or (0, size - 1)
        if wanted:
            headers |= {"Content-Range": f"bytes {first}-{last}/{size}", "Content-Length": str(last - first + 1)}
        status = 206 if wanted else 200
        if request.method == "HEAD":
            return status, headers, ()
        file = self._storage.open_blob(digest)
        file.seek(first)
        return status, headers, FileBody(file) if last == size - 1 else _pieces(file, last - first + 1)

    # -- uploads --------------------------------------------------------------------------------------------

    def _uploads(self, request: RegistryRequest, name: str, which: str) -> Answer:
        if request.method == "POST" and not which:
            return self._start(request, name)
        size = self._storage.upload_size(which)
        if size is None:
            raise RegistryErrorResponse("BLOB_UPLOAD_UNKNOWN", {"upload": which})
        match request.method:
            case "GET":
                return self._progress(204, name, which, size)
            case "PATCH":
                self._refuse_gap(request, size)
                return self._progress(202, name, which, self._storage.append_upload(which, request.pieces()))
            case "PUT":
                self._refuse_gap(request, size)
                self._storage.append_upload(which, request.pieces())
                return self._finish(request, name, which)
            case "DELETE":
                self._storage.cancel_upload(which)
                return 204, {}, ()
        raise RegistryErrorResponse("UNSUPPORTED")

    def _start(self, request: RegistryRequest, name: str) -> Answer:
        mount = request.query("mount")
        if mount and _DIGEST.fullmatch(mount) and self._storage.blob_size(Digest(mount)) is not None:
            return self._created(name, Digest(mount))
        upload = self._storage.start_upload()
        if request.query("digest"):
            self._storage.append_upload(upload, request.pieces())
            return self._finish(request, name, upload)
        return self._progress(202, name, upload, 0)

    def _refuse_gap(self, request: RegistryRequest, size: int) -> None:
        """Chunks come in order: each starts where the last one ended."""
        content_range = request.header("Content-Range")
        match = re.fullmatch(r"(?:bytes )?(\d+)-(\d+)(?:/.*)?", content_range) if content_range else None
        if content_range and (match is None or int(match[1]) != size):
            raise RegistryErrorResponse("BLOB_UPLOAD_INVALID", {"expected": f"{size}-", "received": content_range})

    def _progress(self, status: int, name: str, upload: str, size: int) -> Answer:
        headers = {
            "Location": f"/v2/{name}/blobs/uploads/{upload}",
            "Range": f"0-{max(size - 1, 0)}",
            "Docker-Upload-UUID": upload,
        }
        return status, headers if status == 204 else headers | {"Content-Length": "0"}, ()

    def _finish(self, request: RegistryRequest, name: str, upload: str) -> Answer:
        wanted = request.query("digest")
        if not _DIGEST.fullmatch(wanted):
            raise RegistryErrorResponse("DIGEST_INVALID", {"digest": wanted})
        actual = self._storage.finish_upload(upload, Digest(wanted))
        if actual != wanted:
            raise RegistryErrorResponse("DIGEST_INVALID", {"expected": wanted, "received": actual})
        return self._created(name, actual)

    def _created(self, name: str, digest: Digest) -> Answer:
        headers = {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest, "Content-Length": "0"}
        return 201, headers, ()

    # -- lists ----------------------------------------------------------------------------------------------

    def _tags(self, request: RegistryRequest, name: str, which: str) -> Answer:
        if which != "list" or request.method not in ("GET", "HEAD"):
            raise RegistryErrorResponse("UNSUPPORTED")
        if not self._storage.manifests(name):
            raise RegistryErrorResponse("NAME_UNKNOWN", {"name": name})
        page, headers = _page(request, sorted(self._storage.tags(name)), f"/v2/{name}/tags/list")
        return _json({"name": name, "tags": page}, headers=headers)

    def _catalog(self, request: RegistryRequest) -> Answer:
        page, headers = _page(request, self._storage.repositories(), "/v2/_catalog")
        return _json({"repositories": page}, headers=headers)

    def _referrers(self, request: RegistryRequest, name: str, which: str) -> Answer:
        if not _DIGEST.fullmatch(which) or request.method not in ("GET", "HEAD"):
            raise RegistryErrorResponse("UNSUPPORTED" if _DIGEST.fullmatch(which) else "DIGEST_INVALID")
        referrers = [entry for entry in self._referring(name, which)]
        wanted = request.query("artifactType")
        headers = {"Content-Type": OCI_INDEX}
        if wanted:
            referrers = [entry for entry in referrers if entry.get("artifactType") == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        return _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": referrers}, headers=headers)

    def _referring(self, name: str, subject: str) -> Iterator[dict[str, Any]]:
        for digest, media_type in sorted(self._storage.manifests(name).items()):
            with self._storage.open_blob(digest) as file:
                raw = file.read()
            data = json.loads(raw)
            if (data.get("subject") or {}).get("digest") != subject:
                continue
            entry: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": len(raw)}
            kind = data.get("artifactType") or (data.get("config") or {}).get("mediaType")
            entry |= {"artifactType": kind} if kind else {}
            entry |= {"annotations": data["annotations"]} if data.get("annotations") else {}
            yield entry


class RegistryRequest:
    """What was asked, read from a WSGI environ."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ.get("PATH_INFO", "")
        self._query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)

    def query(self, key: str) -> str:
        return str(self._query.get(key, [""])[0])

    def header(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        return str(self._environ.get(key if key.startswith("CONTENT_TYPE") else f"HTTP_{key}") or "")

    def pieces(self) -> Iterator[bytes]:
        """The body, whatever its length and encoding, a piece at a time."""
        stream, length = self._environ["wsgi.input"], self._environ.get("CONTENT_LENGTH")
        left = int(length) if length else None
        while left is None or left > 0:
            chunk = stream.read(PIECE if left is None else min(PIECE, left))
            if not chunk:
                return
            left = None if left is None else left - len(chunk)
            yield chunk

    def read(self, limit: int) -> bytes:
        """The whole body; SIZE_INVALID when it is longer than `limit` bytes."""
        body = bytearray()
        for piece in self.pieces():
            body += piece
            if len(body) > limit:
                raise RegistryErrorResponse("SIZE_INVALID", {"limit": limit})
        return bytes(body)


class FileBody:
    """A file from where it stands to its end. A server may have a faster way to send it than piece by piece."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __iter__(self) -> Iterator[bytes]:
        return _pieces(self.file, sys.maxsize)

    def close(self) -> None:
        self.file.close()


def _json(data: object, *, status: int = 200, headers: Mapping[str, str] = {}) -> Answer:  # noqa: B006
    raw = json.dumps(data, separators=(",", ":")).encode() + b"\n"
    return status, {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}, [raw]


def _described(digest: Digest, size: int, media_type: str) -> Headers:
    return {
        "Content-Type": media_type,
        "Content-Length": str(size),
        "Docker-Content-Digest": digest,
        "ETag": f'"{digest}"',
    }


def _manifest_json(raw: bytes) -> dict[str, Any]:
    try:
        return decode(raw, "manifest")
    except ManifestError as error:
        raise RegistryErrorResponse("MANIFEST_INVALID", str(error)) from None


def _digest_of(entry: Any) -> Digest:
    if isinstance(entry, dict) and isinstance(entry.get("digest"), str) and _DIGEST.fullmatch(entry["digest"]):
        return Digest(entry["digest"])
    raise RegistryErrorResponse("MANIFEST_INVALID", f"not a descriptor: {json.dumps(entry)[:200]}")


def _range(header: str, size: int) -> tuple[int, int] | None:
    """`bytes=10-`, `bytes=10-19`, `bytes=-5`: the first and last byte, both counted. Several ranges: all of it."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        first, last = max(size - int(match[2]), 0), size - 1
    else:
        first, last = int(match[1]), min(int(match[2]) if match[2] else size - 1, size - 1)
    if first > last or first >= size:
        raise RegistryErrorResponse("BLOB_UPLOAD_INVALID", {"range": header, "size": size}, status=416)
    return first, last


def _pieces(file: BinaryIO, length: int) -> Iterator[bytes]:
    with file:
        while length > 0 and (chunk := file.read(min(PIECE, length))):
            length -= len(chunk)
            yield chunk


def _page(request: RegistryRequest, names: list[str], path: str) -> tuple[list[str], Headers]:
    """`?n=` names after `?last=`, and the link to the next page when there is one."""
    last, count = request.query("last"), request.query("n")
    rest = [name for name in names if not last or name > last]
    if not count.isdigit():
        return rest, {}
    page = rest[: int(count)]
    more = len(rest) > len(page) and page
    link = {"Link": f'<{path}?n={count}&last={quote(page[-1], safe="")}>; rel="next"'} if more else {}
    return page, link
