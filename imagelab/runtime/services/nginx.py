"""nginx, small and honest: its configuration, its pid file, its temp directories, and the container's files over HTTP.

Every request looks at the files as they are at that moment; nothing is kept. So a page that `docker exec` changes is
the page the browser shows next, and a page that was committed is the page the next container serves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from imagelab.runtime.filesystem import Errno, User
from imagelab.runtime.process import FOREVER, SIGNALS, Process, Steps
from imagelab.runtime.services.nginx_config import ConfigProblem, Directive, Scope, parse
from imagelab.runtime.services.nginx_pages import REASONS, HttpRequest, HttpResponse, answer
from imagelab.runtime.shell.patterns import paths
from imagelab.runtime.streams import text
from imagelab.runtime.userland.accounts import user_number
from imagelab.runtime.userland.options import BadOption
from imagelab.runtime.userland.options import parse as parse_options

DEFAULT = "/etc/nginx/nginx.conf"
CACHE = "/var/cache/nginx"
TEMPORARY = ["client_temp", "fastcgi_temp", "proxy_temp", "scgi_temp", "uwsgi_temp"]
ENDS = {SIGNALS["TERM"], SIGNALS["QUIT"], SIGNALS["INT"]}


def version_of(p: Process) -> str:
    """`1.11.6`, as the image says."""
    node = p.find("/etc/nginx/version")
    return text(p.files.data(node)).split("-")[0].strip() if node is not None else "1.11.6"


def nginx(p: Process) -> Steps:
    """`nginx [-c file] [-g directives] [-t | -v | -s signal]`."""
    try:
        options, words = parse_options(p, "c:g:s:tTvVq")
    except BadOption as problem:
        return p.complain(str(problem))
    if words:
        return p.complain(f'invalid option: "{words[0]}"')
    if options.keys() & {"v", "V"}:
        p.err(f"nginx version: nginx/{version_of(p)}")
        return 0
    name, more = options.get("c", [DEFAULT])[-1], options.get("g", [""])[-1]
    try:
        server = Server(p, name, more)
        if "s" in options:
            return _signal(p, server, options["s"][-1])
        if "t" in options:
            p.err(f"nginx: the configuration file {name} syntax is ok")
            p.err(f"nginx: configuration file {name} test is successful")
            return 0
        server.open()
    except ConfigProblem as problem:
        p.err(f"nginx: [emerg] {problem}")
        if "t" in options:
            p.err(f"nginx: configuration file {name} test failed")
        return 1
    if server.main.text("daemon", "on") != "off":
        return 0  # it goes to the background, and the container that waited for it ends
    return (yield from _serve(p, server, name, more))


def _serve(p: Process, server: Server, name: str, more: str) -> Steps:
    p.handled |= {*ENDS, SIGNALS["HUP"], SIGNALS["USR1"]}
    try:
        while True:
            while p.signals:
                number = p.signals.pop(0)
                if number in ENDS:
                    server.remove_pid_file()
                    return 0
                if number == SIGNALS["KILL"]:
                    p.signals.append(number)
                    p.check()
                if number == SIGNALS["HUP"]:
                    server = _reloaded(p, server, name, more)
            yield FOREVER
    finally:
        server.close()


def _reloaded(p: Process, server: Server, name: str, more: str) -> Server:
    try:
        new = Server(p, name, more)
    except ConfigProblem as problem:
        server.log_error("emerg", str(problem))
        return server
    for port in server.ports:
        p.machine.services[port] = new
    new.ports, new.streams = server.ports, server.streams
    return new


def _signal(p: Process, server: Server, signal: str) -> int:
    numbers = {"stop": "TERM", "quit": "QUIT", "reload": "HUP", "reopen": "USR1"}
    if signal not in numbers:
        p.err(f'nginx: invalid option: "-s {signal}"')
        return 1
    node = p.find(server.pid_file)
    pid = text(p.files.data(node)).strip() if node is not None else ""
    if not pid.isdigit():
        p.err(f'nginx: [error] invalid PID number "{pid}" in "{server.pid_file}"')
        return 1
    from imagelab.runtime.shell.processes import send

    return 0 if send(p, int(pid), SIGNALS[numbers[signal]]) else 1


class Server:
    """A configuration at work: a WSGI application."""

    def __init__(self, p: Process, name: str, more: str) -> None:
        self.p, self.version = p, version_of(p)
        node = p.find(name)
        if node is None or node.is_directory:
            raise ConfigProblem(f'open() "{name}" failed (2: No such file or directory)')
        directives = parse(name, text(p.files.data(node)), self._include) + parse("-g", more, self._include)
        self.main = Scope(directives)
        http = [*self.main.inner("http"), Scope([])][0]
        self.servers = http.inner("server")
        self.types = {
            extension: directive.name
            for block in http.all("types") if block.block is not None for directive in block.block for extension in directive.words
        }  # fmt: skip
        self.formats = {d.words[0]: "".join(d.words[1:]) for d in http.all("log_format")}
        self.pid_file = self.main.text("pid", "/var/run/nginx.pid")
        self.ports: list[int] = []
        self.streams: dict[str, Any] = {}
        self._requests = 0

    def _include(self, pattern: str) -> Iterable[tuple[str, str]]:
        full = pattern if pattern.startswith("/") else f"/etc/nginx/{pattern}"
        files = paths(self.p, full)
        if not files and not re.search(r"[*?\[]", full):
            raise ConfigProblem(f'open() "{full}" failed (2: No such file or directory)')
        return [(name, text(self.p.files.read_file(self.p.user, name))) for name in files]

    def listens(self, server: Scope) -> list[int]:
        """The ports of a server block."""
        listens = [directive.words[0] for directive in server.all("listen") if directive.words] or ["80"]
        return [int(word.rpartition(":")[2]) for word in listens if word.rpartition(":")[2].isdigit()]

    # -- start and end --------------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the ports, write the pid file, make the directories. ConfigProblem."""
        p = self.p
        for port in sorted({port for server in self.servers for port in self.listens(server)}):
            if port in p.machine.services or port in p.machine.ports_taken():
                raise ConfigProblem(f"bind() to 0.0.0.0:{port} failed (98: Address already in use)")
            if port < 1024 and p.user.uid != 0:
                raise ConfigProblem(f"bind() to 0.0.0.0:{port} failed (13: Permission denied)")
            self.ports.append(port)
        self._write(self.pid_file, f"{p.pid}\n".encode())
        if p.find(CACHE) is not None:
            for name in TEMPORARY:
                if p.find(f"{CACHE}/{name}") is None:
                    p.files.mkdir(p.user, f"{CACHE}/{name}", 0o700)
                    if (owner := user_number(p, self.main.text("user", "nobody"))) is not None:
                        p.files.chown(p.user, f"{CACHE}/{name}", owner, -1)
        for port in self.ports:
            p.machine.services[port] = self

    def _write(self, path: str, data: bytes) -> None:
        try:
            self.p.files.write_file(self.p.user, path, data)
        except Errno as error:
            number = {"ENOENT": 2, "EACCES": 13, "EISDIR": 21}.get(error.code, 5)
            raise ConfigProblem(f'open() "{path}" failed ({number}: {error})') from None

    def close(self) -> None:
        """Let go of the ports."""
        for port in self.ports:
            self.p.machine.services.pop(port, None)

    def remove_pid_file(self) -> None:
        """An orderly end; one that is killed leaves it behind."""
        try:
            self.p.files.unlink(self.p.user, self.pid_file)
        except Errno:
            pass  # it was removed meanwhile

    # -- requests -------------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self._requests += 1
        request = HttpRequest.of(environ)
        server = self._server_for(request)
        worker = self._worker()
        response = answer(request, server, self, worker)
        date = self._date("%a, %d %b %Y %H:%M:%S GMT")
        headers = [("Server", f"nginx/{self.version}"), ("Date", date), *response.headers]
        start_response(f"{response.status} {REASONS.get(response.status, 'Unknown')}", headers)
        self._log_access(request, response, server)
        return [b""] if request.method == "HEAD" or response.status == 304 else [response.body]

    def _server_for(self, request: HttpRequest) -> Scope:
        candidates = [server for server in self.servers if request.port in self.listens(server)] or self.servers
        for server in candidates:
            if any(request.host in directive.words for directive in server.all("server_name")):
                return server
        default = [server for server in candidates if any("default_server" in d.words for d in server.all("listen"))]
        return [*default, *candidates, Scope([])][0]

    def _worker(self) -> User:
        """Who reads the files: the `user` of the configuration, if there is one."""
        name = self.main.text("user", "nobody")
        uid = user_number(self.p, name)
        return User(uid if uid is not None else 65534, uid if uid is not None else 65534)

    # -- logs -----------------------------------------------------------------------------------------------

    def _date(self, format: str) -> str:
        return datetime.fromtimestamp(self.p.machine.clock() // 1_000_000_000, UTC).strftime(format)

    def _log(self, path: str, line: str) -> None:
        try:
            if path not in self.streams:
                self.streams[path] = self.p.open(path, "a").acquire()
            self.streams[path].write((line + "\n").encode("utf-8", "surrogateescape"))
        except Errno:
            pass  # a log that cannot be written stops no request

    def log_error(
        self, level: str, message: str, request: HttpRequest | None = None, server: Scope | None = None
    ) -> None:
        """`2016/11/22 08:40:13 [error] 7#7: *1 …`."""
        if request is not None:
            name = server.text("server_name", "") if server else ""
            message = f'*{self._requests} {message}, client: {request.client}, server: {name}, request: "{request.line}", host: "{request.authority}"'
        path, date = self.main.text("error_log", "/var/log/nginx/error.log"), self._date("%Y/%m/%d %H:%M:%S")
        self._log(path, f"{date} [{level}] 7#7: {message}")

    def _log_access(self, request: HttpRequest, response: HttpResponse, server: Scope) -> None:
        directive: list[Directive] = server.all("access_log")
        path, *rest = directive[-1].words if directive else ["/var/log/nginx/access.log"]
        if path == "off":
            return
        combined = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
        format = self.formats.get(rest[0] if rest else "combined", combined)
        size = 0 if request.method == "HEAD" or response.status == 304 else len(response.body)
        values = request.variables() | {
            "time_local": self._date("%d/%b/%Y:%H:%M:%S +0000"),
            "status": str(response.status),
            "body_bytes_sent": str(size),
        }
        self._log(path, re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match[1], "-") or "-", format))
