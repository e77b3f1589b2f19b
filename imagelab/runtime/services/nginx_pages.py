"""One request, one answer: which location holds, which file that is, and what HTTP says about it.

/docs/a.html  ->  location (exact, then the longest prefix, then the first expression)
              ->  root + path, or alias
              ->  200 with its type, length, time and ETag; 301 for a directory without its slash; 304, 206, 403, 404 …
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from imagelab.runtime.filesystem import Errno, User
from imagelab.runtime.services.nginx_config import Scope

if TYPE_CHECKING:
    from imagelab.runtime.services.nginx import Server

REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Moved Temporarily", 304: "Not Modified", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Not Allowed", 410: "Gone", 416: "Requested Range Not Satisfiable", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Temporarily Unavailable"}  # fmt: skip
MOST_TURNS = 10
"""Internal redirects of one request (index, error_page, try_files) before it is called a loop."""


@dataclass
class HttpRequest:
    """What was asked."""

    method: str
    path: str
    query: str
    authority: str
    port: int
    client: str
    protocol: str
    headers: dict[str, str]
    scheme: str = "http"

    @classmethod
    def of(cls, environ: dict[str, Any]) -> HttpRequest:
        """From WSGI's environment."""
        headers = {key[5:].lower(): str(value) for key, value in environ.items() if key.startswith("HTTP_")}
        raw_path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
        port = int(environ.get("imagelab.port") or 80)
        authority = headers.get("host") or environ.get("SERVER_NAME", "localhost")
        return cls(environ["REQUEST_METHOD"], _tidy(raw_path.decode("utf-8", "surrogateescape")), environ.get("QUERY_STRING", ""), authority, port, environ.get("REMOTE_ADDR") or "127.0.0.1", environ.get("SERVER_PROTOCOL", "HTTP/1.1"), headers)  # fmt: skip

    @property
    def host(self) -> str:
        return self.authority.partition(":")[0]

    @property
    def uri(self) -> str:
        """As it was asked for."""
        path = quote(self.path, safe="/:@!$&'()*+,;=~-._", errors="surrogateescape")
        return f"{path}?{self.query}" if self.query else path

    @property
    def line(self) -> str:
        return f"{self.method} {self.uri} {self.protocol}"

    def variables(self) -> dict[str, str]:
        """`$host`, `$uri` and the others."""
        known = {"remote_addr": self.client, "request": self.line, "request_method": self.method, "request_uri": self.uri, "uri": self.path, "args": self.query, "query_string": self.query, "host": self.host, "scheme": self.scheme, "server_port": str(self.port), "server_protocol": self.protocol, "is_args": "?" if self.query else ""}  # fmt: skip
        return known | {f"http_{name}": value for name, value in self.headers.items()}


@dataclass
class HttpResponse:
    """A status, headers beyond nginx's own, and a body."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


def _tidy(path: str) -> str:
    """`/a/../b//c` -> `/b/c`: no request leaves the root this way."""
    names: list[str] = []
    for name in path.split("/"):
        if name == "..":
            names = names[:-1]
        elif name not in ("", "."):
            names.append(name)
    slash = "/" if names and path.endswith(("/", "/.", "/..")) else ""
    return "/" + "/".join(names) + slash


def page(status: int, version: str) -> bytes:
    """nginx's own page for a status."""
    title = f"{status} {REASONS.get(status, '')}"
    return f'<html>\r\n<head><title>{title}</title></head>\r\n<body bgcolor="white">\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/{version}</center>\r\n</body>\r\n</html>\r\n'.encode()


def answer(request: HttpRequest, server: Scope, nginx: Server, worker: User) -> HttpResponse:
    """The answer to a request."""
    return _Work(request, server, nginx, worker).run()


class _Work:
    def __init__(self, request: HttpRequest, server: Scope, nginx: Server, worker: User) -> None:
        self.request, self.server, self.nginx, self.worker = request, server, nginx, worker
        self.path, self.turns = request.path, 0
        self.location = server

    def run(self) -> HttpResponse:
        response = self._internal(self.path)
        if response.status >= 300 and not response.body and response.status != 304:
            response = self._error_page(response)
        if response.status < 400:
            more = [directive.words for directive in self.location.all("add_header") if directive.words[1:]]
            response.headers += [(words[0], self._filled(words[1])) for words in more]
        return response

    def _internal(self, path: str) -> HttpResponse:
        self.turns += 1
        if self.turns > MOST_TURNS:
            self._log("rewrite or internal redirection cycle")
            return HttpResponse(500)
        self.path = path
        self.location = self._locate(path)
        returned = [d for scope in (self.location, self.server) for d in scope.directives if d.name == "return"]
        if returned:
            return self._returned(returned[0].words)
        if tried := self.location.all("try_files"):
            return self._tried(tried[-1].words)
        return self._static(path)

    def _log(self, message: str) -> None:
        self.nginx.log_error("error", message, self.request, self.server)

    def _filled(self, text: str) -> str:
        values = self.request.variables() | {"uri": self.path, "document_root": self._root()}
        return re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match[1], ""), text)

    # -- where ----------------------------------------------------------------------------------------------

    def _locate(self, path: str) -> Scope:
        locations = self.server.inner("location")
        best: Scope | None = None
        for location in locations:
            match location.words:
                case ["=", exact] if exact == path:
                    return location
                case [prefix] | ["^~", prefix] if path.startswith(prefix):
                    if best is None or len(prefix) > len(best.words[-1]):
                        best = location
        if best is not None and best.words[0] == "^~":
            return best
        patterns = [location for location in locations if location.words[0] in ("~", "~*")]
        for location in patterns:
            if re.search(location.words[1], path, re.I if location.words[0] == "~*" else 0):
                return location
        return best or self.server

    def _file(self, path: str) -> str:
        alias = [d for d in self.location.directives if d.name == "alias"]
        if alias:
            return alias[0].words[0] + path[len(self.location.words[-1]) :]
        return self._root().rstrip("/") + path

    def _root(self) -> str:
        return self.location.text("root", "/etc/nginx/html")

    def _returned(self, words: list[str]) -> HttpResponse:
        status = int(words[0]) if words[0].isdigit() else 302
        rest = self._filled("".join(words[1:2] if words[0].isdigit() else words[:1]))
        if status in (301, 302, 303, 307, 308):
            return self._redirect(status, rest)
        kind = self.location.text("default_type", "text/plain")
        return _whole(status, rest.encode(), kind) if rest else HttpResponse(status)

    def _redirect(self, status: int, where: str) -> HttpResponse:
        if where.startswith("/"):
            where = f"{self.request.scheme}://{self.request.authority}{where}"
        return HttpResponse(status, b"", [("Location", where)])

    def _tried(self, words: list[str]) -> HttpResponse:
        for word in words[:-1]:
            path = self._filled(word)
            node = self.nginx.p.find(self._file(path))
            if node is not None and node.is_directory == path.endswith("/"):
                return self._static(path)
        last = self._filled(words[-1])
        return HttpResponse(int(last[1:])) if last.startswith("=") else self._internal(last)

    # -- files ----------------------------------------------------------------------------------------------

    def _static(self, path: str) -> HttpResponse:
        if self.request.method not in ("GET", "HEAD"):
            return HttpResponse(405)
        file = self._file(path)
        try:
            node = self.nginx.p.files.stat(self.worker, file)
            if node.is_directory and not path.endswith("/"):
                query = f"?{self.request.query}" if self.request.query else ""
                return self._redirect(301, f"{quote(path, errors='surrogateescape')}/{query}")
            if node.is_directory:
                return self._index(path, file)
            data = self.nginx.p.files.read_file(self.worker, file)
        except Errno as error:
            number = {"ENOENT": 2, "EACCES": 13, "ENOTDIR": 20}.get(error.code, 2)
            self._log(f'open() "{file}" failed ({number}: {error})')
            return HttpResponse(403 if error.code == "EACCES" else 404)
        return self._content(file, data, node.mtime)

    def _index(self, path: str, file: str) -> HttpResponse:
        names = [word for d in self.location.all("index") for word in d.words] or ["index.html"]
        for name in names:
            node = self.nginx.p.find(f"{file.rstrip('/')}/{name}")
            if node is not None and not node.is_directory:
                return self._internal(path + name)
        if self.location.text("autoindex") == "on":
            return self._listing(path, file.rstrip("/"))
        self._log(f'directory index of "{file}" is forbidden')
        return HttpResponse(403)

    def _listing(self, path: str, folder: str) -> HttpResponse:
        files, rows = self.nginx.p.files, list[str]()
        names = [name for name in files.names(self.worker, folder or "/") if not name.startswith(".")]
        nodes = [(name, node) for name in names if (node := self.nginx.p.find(f"{folder}/{name}"))]
        for name, node in sorted(nodes, key=lambda entry: (not entry[1].is_directory, entry[0])):
            shown, size = (name + "/", "-") if node.is_directory else (name, str(node.size))
            cut = shown if len(shown) <= 50 else shown[:47] + "..>"
            link = f'<a href="{quote(shown, errors="surrogateescape")}">{escape(cut)}</a>'
            moment = datetime.fromtimestamp(node.mtime, UTC).strftime("%d-%b-%Y %H:%M")
            rows.append(f"{link}{' ' * (51 - len(cut))}{moment} {size:>19}\r\n")
        title = f"Index of {escape(path)}"
        body = f'<html>\r\n<head><title>{title}</title></head>\r\n<body bgcolor="white">\r\n<h1>{title}</h1><hr><pre><a href="../">../</a>\r\n{"".join(rows)}</pre><hr></body>\r\n</html>\r\n'
        return _whole(200, body.encode("utf-8", "surrogateescape"), "text/html")

    def _content(self, file: str, data: bytes, mtime: int) -> HttpResponse:
        modified = datetime.fromtimestamp(mtime, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        etag = f'"{mtime:x}-{len(data):x}"'
        headers, asked = [("Last-Modified", modified), ("ETag", etag)], self.request.headers
        known = asked.get("if_none_match")
        if known == etag or known is None and asked.get("if_modified_since") == modified:
            return HttpResponse(304, b"", headers)
        ending = file.rpartition(".")[2].lower() if "." in file else ""
        kind = self.nginx.types.get(ending, self.location.text("default_type", "text/plain"))
        match = re.fullmatch(r"bytes=(\d{1,18}|(?=-\d))-(\d{0,18})", asked.get("range", ""))
        first = 0 if not match else int(match[1]) if match[1] else max(len(data) - int(match[2]), 0)
        last = min(int(match[2]), len(data) - 1) if match and match[1] and match[2] else len(data) - 1
        if match and first > last:
            return HttpResponse(416, b"", [("Content-Range", f"bytes */{len(data)}")])
        response = _whole(206 if match else 200, data[first : last + 1], kind)
        part = ("Content-Range", f"bytes {first}-{last}/{len(data)}")
        response.headers += [*headers, part if match else ("Accept-Ranges", "bytes")]
        return response

    def _error_page(self, response: HttpResponse) -> HttpResponse:
        for directive in self.location.all("error_page"):
            *codes, uri = directive.words
            if str(response.status) in codes and uri.startswith("/") and self.turns < MOST_TURNS:
                shown = self._internal(uri)
                if shown.status == 200:
                    changed = [int(code[1:]) for code in codes if code[:1] == "=" and code[1:]]
                    return HttpResponse([*changed, response.status][0], shown.body, shown.headers)
        answer = _whole(response.status, page(response.status, self.nginx.version), "text/html")
        answer.headers += response.headers
        return answer


def _whole(status: int, body: bytes, kind: str) -> HttpResponse:
    return HttpResponse(status, body, [("Content-Type", kind), ("Content-Length", str(len(body)))])
