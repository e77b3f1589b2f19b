"""The real docker client beside ours, for build: its help page, its refusals, and above all the context it sends.

`DOCKER_BUILDKIT=0 docker build` makes one tar of a folder and posts it; a stand-in for the daemon keeps what arrives. So
`.dockerignore`, links, modes and the line `Sending build context to Docker daemon  …` are held to the client itself.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from docker_lines import ours, settled

import imagelab
import peers
from imagelab.app import Lab
from imagelab.lab.build_context import context_tar
from imagelab.output.build import DEPRECATED, sending

pytestmark = pytest.mark.compat


class Daemon(BaseHTTPRequestHandler):
    """Answers pings, and keeps what is posted."""

    protocol_version = "HTTP/1.1"
    got: list[bytes] = []  # noqa: RUF012 - one daemon a test run

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        for name, value in (
            ("Api-Version", "1.47"),
            ("Ostype", "linux"),
            ("Builder-Version", "1"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer(b"{}" if "info" in self.path else b"OK")

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        data = b""
        while size := int(self.rfile.readline() or b"0", 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        Daemon.got.append(data)
        self._answer(b'{"stream":"done\\n"}')


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    peers.need("docker")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Daemon)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"tcp://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def theirs(host: str, *words: str) -> tuple[str, str, int]:
    env = {
        **os.environ,
        "DOCKER_HOST": host,
        "DOCKER_CONFIG": "/nonexistent",
        "DOCKER_CLI_HINTS": "false",
        "DOCKER_BUILDKIT": "0",
    }
    done = subprocess.run(
        ["docker", *words], capture_output=True, env=env, timeout=60, stdin=subprocess.DEVNULL
    )  # not as text: \r stays
    return done.stdout.decode(), done.stderr.decode().removeprefix(DEPRECATED), done.returncode


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = imagelab.connect(tmp_path / "lab", environ={}, clock="class")
    yield lab
    lab.close()


def entries(data: bytes) -> dict[str, tuple[object, ...]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {
            member.name: (
                member.type,
                member.mode & 0o7777,
                member.uid,
                member.gid,
                member.size,
                int(member.mtime),
                member.linkname,
                tar.extractfile(member).read() if member.isfile() else b"",
            )  # type: ignore[union-attr]
            for member in tar
        }


IGNORES = [
    "", "*.md\n", "**/*.md\n!keep.md\n", "dir\n", "dir\n!dir/keep.md\n", "/dir/sub/\n", "*\n!*.txt\n", "# c\n\n  a.txt  \n", "Dockerfile\n.dockerignore\n", "d?r/*/x\n", "[a-c].txt\n", "dir/**\n",
    "**\n!dir/sub\n", "**/sub\n", "./a.txt\ndir/../b.md\n", "\\*.txt\n", "!a.txt\n*.txt\n", "*/keep.md\n",
]  # fmt: skip


@pytest.mark.parametrize("ignore", IGNORES)
def test_the_context_that_is_sent(host: str, tmp_path: Path, ignore: str) -> None:
    """R8.1, R8.24-R8.26: the same entries, as large, and the same line."""
    folder = tmp_path / "c"
    for name in (
        "Dockerfile",
        "a.txt",
        "b.md",
        "dir/keep.md",
        "dir/x.md",
        "dir/sub/x",
        "dir/sub/deep/y.txt",
        "other/sub/z",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name * 40)
    (folder / "dir" / "link").symlink_to("../a.txt")
    (folder / "dir" / "loop").symlink_to("loop")
    (folder / "hard").hardlink_to(folder / "a.txt")
    (folder / "a.txt").chmod(0o4750)
    if ignore:
        (folder / ".dockerignore").write_text(ignore)
    Daemon.got.clear()
    out, err, code = theirs(host, "build", str(folder))
    assert code == 0, err
    sent = context_tar(folder)
    with sent.tar as tar:
        data = tar.read()
    assert entries(data) == entries(Daemon.got[0])
    assert out.partition("\r")[0] == sending(sent.size, "28").rstrip("\n")


@pytest.mark.parametrize("line", ["build --help", "image build --help", "builder build --help"])
def test_the_same_page_of_help(lab: Lab, host: str, line: str) -> None:
    page, err, code = ours(lab, line)
    assert (page.partition("\nimagelab's own:")[0], err, code) == theirs(host, *line.split())


@pytest.mark.parametrize(
    "line",
    ["build", "build a b", "build nosuch", "build -t Foo .", "build -t a:b:c .", "build --build-arg =x .", "build --label =x .", "build -f nosuch .", "build --nope .", "build --rm=maybe .", "build -f - -", "build --squash .", "build /etc/passwd"],
)  # fmt: skip
def test_the_same_refusal(lab: Lab, host: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    out, err, code = ours(lab, line)
    assert (out, settled(err), code) == (lambda o, e, c: (o, settled(e), c))(*theirs(host, *line.split()))
