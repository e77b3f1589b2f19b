"""nginx: its life as a program, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from shell_harness import ROOT, empty_system, machine

from imagelab.runtime import execution
from imagelab.runtime.process import SIGNALS, Process, Steps
from imagelab.runtime.services import PROGRAMS
from imagelab.runtime.streams import Output

SOURCES = Path(__file__).parents[2] / "imagelab" / "classroom" / "sources" / "nginx"


class Running:
    """nginx as process 1 of a small container."""

    def __init__(self, *words: str, configuration: str = "") -> None:
        self.files = empty_system()
        for file in sorted(SOURCES.rglob("*")):
            path = "/" + file.relative_to(SOURCES).as_posix()
            if file.is_dir():
                if self.files.find(path[1:]) is None:
                    self.files.mkdir(ROOT, path)
            else:
                self.files.write_file(ROOT, path, file.read_bytes())
        for folder in ("/var", "/var/run", "/var/log", "/var/log/nginx", "/var/cache", "/var/cache/nginx"):
            self.files.mkdir(ROOT, folder)
        self.files.symlink(ROOT, "/dev/stdout", "/var/log/nginx/access.log")
        self.files.symlink(ROOT, "/dev/stderr", "/var/log/nginx/error.log")
        if configuration:
            self.files.write_file(ROOT, "/etc/nginx/conf.d/default.conf", configuration.encode())
        self.machine = machine(self.files)
        self.out, self.err = bytearray(), bytearray()
        self.process = Process(
            self.machine,
            ["nginx", *(words or ("-g", "daemon off;"))],
            {},
            "/",
            ROOT,
            {1: Output(self.out.extend), 2: Output(self.err.extend)},
        )
        self.code: int | None = None
        self._steps: Steps = execution.live(PROGRAMS["nginx"], self.process)
        self.go_on()

    def go_on(self) -> None:
        try:
            next(self._steps)
        except StopIteration as stopped:
            self.code = stopped.value

    def ask(self, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        environ: dict[str, Any] = {
            "SCRIPT_NAME": "",
            "REQUEST_METHOD": method,
            "PATH_INFO": path.partition("?")[0],
            "QUERY_STRING": path.partition("?")[2],
            "HTTP_HOST": "localhost:8080",
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
        }
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        setup_testing_defaults(environ)
        seen: list[Any] = []

        def start(status: str, found: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen.extend([int(status.split()[0]), dict(found)])
            return lambda data: None

        app = self.machine.services[80]
        result = validator(app)(environ, start) if method == "GET" else app(environ, start)
        body = b"".join(result)
        getattr(result, "close", lambda: None)()
        return seen[0], seen[1], body


@pytest.fixture
def nginx() -> Iterator[Running]:
    yield Running()


def test_it_starts_and_stops(nginx: Running) -> None:
    files = nginx.files
    assert files.read_file(ROOT, "/var/run/nginx.pid") == f"{nginx.process.pid}\n".encode()
    assert files.names(ROOT, "/var/cache/nginx") == [
        "client_temp",
        "fastcgi_temp",
        "proxy_temp",
        "scgi_temp",
        "uwsgi_temp",
    ]
    nginx.process.signal(SIGNALS["QUIT"])
    nginx.go_on()
    assert (nginx.code, nginx.machine.services) == (0, {})
    assert files.find("var/run/nginx.pid") is None


def test_it_goes_to_the_background_unless_told_not_to() -> None:
    """The learner's surprise: a container whose nginx became a daemon ends at once."""
    assert Running("-c", "/etc/nginx/nginx.conf").code == 0


def test_files_have_a_type_a_time_and_a_tag(nginx: Running) -> None:
    status, headers, body = nginx.ask()
    assert status == 200 and b"Welcome to nginx!" in body
    assert headers["Content-Type"] == "text/html" and headers["Content-Length"] == str(len(body))
    assert (
        headers["ETag"] == f'"{1_480_327_200:x}-{len(body):x}"'
        and headers["Last-Modified"] == "Mon, 28 Nov 2016 10:00:00 GMT"
    )
    assert nginx.ask(if_none_match=headers["ETag"])[0::2] == (304, b"")
    assert nginx.ask(if_modified_since=headers["Last-Modified"])[0] == 304
    assert nginx.ask(if_modified_since=headers["Last-Modified"], if_none_match="x")[0] == 200
    status, parts, part = nginx.ask(range="bytes=0-4")
    assert (status, parts["Content-Range"], part) == (206, f"bytes 0-4/{len(body)}", body[:5])
    assert nginx.ask(range="bytes=-5")[::2] == (206, body[-5:])
    assert nginx.ask(range="bytes=5-")[::2] == (206, body[5:])
    assert nginx.ask(range="bytes=99999-")[0] == 416
    assert nginx.ask(range="bytes=-")[::2] == (200, body)
    assert nginx.ask(method="HEAD")[::2] == (200, b"")
    assert nginx.ask(method="POST")[0] == 405


def test_files_are_looked_at_when_they_are_asked_for(nginx: Running) -> None:
    nginx.files.write_file(ROOT, "/usr/share/nginx/html/index.html", b"<h1>new</h1>")
    assert nginx.ask()[2] == b"<h1>new</h1>"
    nginx.files.write_file(ROOT, "/usr/share/nginx/html/style.css", b"a{}")
    assert nginx.ask("/style.css")[1]["Content-Type"] == "text/css"


def test_what_is_not_there_or_not_allowed(nginx: Running) -> None:
    status, _, body = nginx.ask("/nosuch")
    assert status == 404 and b"<center><h1>404 Not Found</h1></center>" in body and b"nginx/1.11" in body
    assert (
        b'[error] 7#7: *1 open() "/usr/share/nginx/html/nosuch" failed (2: No such file or directory), client: 127.0.0.1'
        in nginx.err
    )
    nginx.files.write_file(ROOT, "/usr/share/nginx/html/secret", b"x")
    nginx.files.chmod(ROOT, "/usr/share/nginx/html/secret", 0o600)
    assert nginx.ask("/secret")[0] == 403
    nginx.files.mkdir(ROOT, "/usr/share/nginx/html/folder")
    status, headers, _ = nginx.ask("/folder")
    assert (status, headers["Location"]) == (301, "http://localhost:8080/folder/")
    assert nginx.ask("/folder/")[0] == 403
    nginx.files.write_file(ROOT, "/root/outside", b"no")
    assert nginx.ask("/../../../root/outside")[0] == 404


def test_every_request_is_logged(nginx: Running) -> None:
    nginx.ask("/", user_agent="curl")
    assert nginx.out == b'127.0.0.1 - - [28/Nov/2016:10:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl" "-"\n'


@pytest.mark.parametrize(
    ("location", "path", "expected"),
    [
        ("location / { return 200 'hi $uri'; }", "/x", (200, b"hi /x")),
        ("location = /a { return 204; } location / { return 410; }", "/a", (204, None)),
        ("location ~ \\.php$ { return 403; } location / { return 200 ok; }", "/x.php", (403, None)),
        ("location ^~ /i/ { return 200 prefix; } location ~ i { return 200 regex; }", "/i/x", (200, b"prefix")),
        ("location /old { return 301 /new; }", "/old", (301, None)),
        ("root /usr/share/nginx/html; location / { try_files $uri /index.html; }", "/nosuch", (200, None)),
        ("root /usr/share/nginx/html; autoindex on; index none; location / {}", "/", (200, None)),
        ("location /a/ { alias /usr/share/nginx/html/; }", "/a/50x.html", (200, None)),
        ("root /usr/share/nginx/html; error_page 404 =200 /50x.html; location /x {}", "/x", (200, None)),
    ],
)
def test_locations(location: str, path: str, expected: tuple[int, bytes | None]) -> None:
    status, _, body = Running(configuration=f"server {{ listen 80; {location} }}").ask(path)
    assert status == expected[0] and expected[1] in (None, body)


def test_a_listing_escapes_its_names() -> None:
    nginx = Running(configuration="server { listen 80; root /srv; autoindex on; }")
    for folder in ("/srv", "/srv/z"):
        nginx.files.mkdir(ROOT, folder)
    nginx.files.write_file(ROOT, "/srv/<b>&", b"12")
    _, headers, body = nginx.ask("/")
    rows = [f'<a href="z/">z/</a>{" " * 49}28-Nov-2016 10:00 {"-":>19}']
    rows += [f'<a href="%3Cb%3E%26">&lt;b&gt;&amp;</a>{" " * 47}28-Nov-2016 10:00 {2:>19}']
    assert body.decode().split("\r\n")[4:6] == rows
    assert headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("server { listen 80; }}", 'unexpected "}" in /etc/nginx/conf.d/default.conf:1'),
        ("server { listen 80;", 'unexpected end of file, expecting "}" in /etc/nginx/conf.d/default.conf:1'),
        ("server { deny all; }", '"deny" is not available in imagelab in /etc/nginx/conf.d/default.conf:1'),
        ("foo bar;", 'unknown directive "foo" in /etc/nginx/conf.d/default.conf:1'),
        ("server {\n listen 80\n}", 'unexpected "}" in /etc/nginx/conf.d/default.conf:3'),
    ],
)
def test_a_bad_configuration(text: str, said: str) -> None:
    running = Running("-t", configuration=text)
    assert running.code == 1
    assert (
        running.err.decode() == f"nginx: [emerg] {said}\nnginx: configuration file /etc/nginx/nginx.conf test failed\n"
    )


def test_a_good_configuration_and_a_taken_port() -> None:
    assert b"syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n" in Running("-t").err
    one = Running()
    other = Process(one.machine, ["nginx", "-g", "daemon off;"], {}, "/", ROOT, {2: Output(one.err.extend)})
    with pytest.raises(StopIteration) as stopped:
        next(execution.live(PROGRAMS["nginx"], other))
    assert stopped.value.value == 1 and b"bind() to 0.0.0.0:80 failed (98: Address already in use)" in one.err
