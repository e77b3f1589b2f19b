"""What the container verbs of a lab return.

LabContainer    one container: its state, exec, diff, commit, logs, stop, remove
ContainerList   `docker ps` as a value
DiffList        `docker diff` as a value: (A, C or D; path)
Page            what a published port answers
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any, overload

from imagelab.lab.results.images import CommandResult, LabImage, html_of
from imagelab.state.container_config import is_chosen
from imagelab.state.model import Container

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab
    from imagelab.layers.tree import Tree
    from imagelab.view.diff_causes.model import DiffCauses

WORDS = {"A": "added", "C": "changed", "D": "deleted"}
STYLE = (
    "<style>.imagelab-diff{font-family:var(--jp-code-font-family,monospace);font-size:12px;line-height:1.6}"
    ".imagelab-diff b{display:inline-block;width:1.6em;text-align:center;border-radius:3px;margin-right:.6em;color:#fff}"
    ".imagelab-diff .A{background:#15803d}.imagelab-diff .C{background:#b45309}.imagelab-diff .D{background:#b91c1c}"
    "</style>"
)


@dataclass(frozen=True, slots=True)
class DiffList(Sequence[tuple[str, str]]):
    """`docker diff`: (kind, path) pairs, parents first. In a notebook each line opens to where it comes from."""

    rows: tuple[tuple[str, str], ...]
    why: Callable[[], DiffCauses] | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[str, str], ...]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self.rows[index]

    def __repr__(self) -> str:
        return "\n".join(f"{kind} {path}" for kind, path in self.rows)

    @property
    def causes(self) -> DiffCauses | None:
        """The same with the commands that made each line; None for a list that was made by hand."""
        return self.why() if self.why else None

    def _repr_html_(self) -> str:
        found = self.causes
        if found is not None:
            return found.html
        lines = "".join(
            f'<div><b class="{kind}" title="{WORDS[kind]}">{kind}</b>{escape(path)}</div>' for kind, path in self.rows
        )
        return f'{STYLE}<div class="imagelab-diff" aria-label="docker diff">{lines or "nothing has changed"}</div>'


@dataclass(frozen=True, slots=True)
class Page:
    """An HTTP answer. In a notebook it shows itself in a frame, without scripts."""

    url: str
    status: int
    text: str
    headers: dict[str, str] = field(repr=False)
    link: str = field(default="", repr=False)
    """Where a browser reaches the same; "" where none does."""

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    @property
    def _address(self) -> str:
        shown = escape(self.url)
        return f'<a href="{escape(self.link)}" target="_blank" rel="noopener">{shown}</a>' if self.link else shown

    def _repr_html_(self) -> str:
        return (
            f'<div style="border:1px solid var(--jp-border-color1,#bbb);border-radius:6px;overflow:hidden;max-width:640px">'
            f'<div style="font:12px var(--jp-code-font-family,monospace);padding:4px 10px;background:var(--jp-layout-color2,#eee)">'
            f"{self._address} · {self.status}</div>"
            f'<iframe sandbox srcdoc="{escape(self.text, quote=True)}" title="{escape(self.url)}" '
            f'style="width:100%;height:180px;border:0;background:#fff"></iframe></div>'
        )


@dataclass(frozen=True, slots=True)
class LabContainer:
    """One container of a lab. Two are equal when they are the same container of the same lab."""

    lab: Lab = field(repr=False, hash=False)
    id: str

    @property
    def container(self) -> Container:
        """Its row in the state, as it is now."""
        return self.lab.engine.containers.resolve(self.id)

    @property
    def name(self) -> str:
        return self.container.name

    @property
    def status(self) -> str:
        """created, running, paused, exited."""
        return self.container.status

    @property
    def exit_code(self) -> int:
        return self.container.exit_code

    @property
    def image(self) -> LabImage:
        return LabImage(self.lab, self.container.image)

    @property
    def tree(self) -> Tree:
        """All its files, the image's and its own."""
        return self.lab.engine.containers.tree(self.id)

    def exec(
        self, *command: str, stdin: str = "", user: str = "", workdir: str = "", env: Sequence[str] = ()
    ) -> CommandResult:
        """Run a command in it: words, or one string for its shell. Its output, errors and exit code."""
        from imagelab.engine.process_spec import Exec
        from imagelab.runtime.streams import BytesInput
        from imagelab.state.requests import ExecRequest

        words = ("sh", "-c", command[0]) if len(command) == 1 and " " in command[0] else command
        typed = stdin.encode("utf-8", "surrogateescape")
        request = ExecRequest(self.container.name, words, tuple(env), user, workdir, interactive=bool(stdin))
        with self.lab.verb(*request.line()) as verb:
            result = captured(
                lambda show: self.lab.engine.containers.exec(
                    self.id, Exec(words, request.env, user, workdir), BytesInput(typed), show
                )
            )
            verb.exit_code = result.exit_code
            if typed and verb.step_numbers:
                verb.inputs["stdin"] = self.lab.store.put_blob(typed)
        return result

    def diff(self) -> DiffList:
        """What has changed in it since it was made (`docker diff`)."""
        return DiffList(tuple(self.lab.engine.containers.diff(self.id)), self.causes)

    def causes(self) -> DiffCauses:
        """The same, each line with the commands that made it, the tar entry it will become, and its bytes before and after."""
        return self.lab.causes(self.id)

    def commit(self, target: str = "", *, author: str = "", message: str = "", changes: Sequence[str] = ()) -> LabImage:
        """Make an image of it (`docker commit`); `changes` are Dockerfile instructions."""
        from imagelab.state.requests import CommitRequest

        request = CommitRequest(self.container.name, target, author, message, tuple(changes))
        with self.lab.verb(*request.line()):
            image = self.lab.engine.containers.commit(
                self.id, target, author=author, message=message, instructions=changes
            )
        return LabImage(self.lab, image)

    def logs(self) -> CommandResult:
        """What it has printed."""
        parts = {"stdout": b"", "stderr": b""}
        for stream, data, _ in self.lab.engine.containers.logs(self.id):
            parts[stream] += data
        return CommandResult(_text(parts["stdout"]), _text(parts["stderr"]), self.container.exit_code)

    def start(self) -> LabContainer:
        with self.lab.verb("start", self.container.name):
            self.lab.engine.containers.start(self.id)
        return self

    def stop(self, timeout: int | None = None) -> LabContainer:
        """The stop signal, and after `timeout` seconds SIGKILL."""
        with self.lab.verb("stop", *([] if timeout is None else ["-t", str(timeout)]), self.container.name):
            self.lab.engine.containers.stop(self.id, timeout=timeout)
        return self

    def wait(self) -> int:
        """Wait until it has exited; its exit code."""
        return self.lab.engine.containers.wait(self.id)

    def remove(self, *, force: bool = False) -> None:
        """Remove it, with its writable layer."""
        with self.lab.verb("rm", *(["-f"] if force else []), self.container.name):
            self.lab.engine.containers.remove(self.id, force=force)

    def __repr__(self) -> str:
        found = self.lab.store.container(self.id)
        if found is None:
            return f"<Container: {self.id[:12]}, removed>"
        return f"<Container: {found.name!r} from {found.image_name!r}, {found.status}>"


@dataclass(frozen=True, slots=True)
class ContainerList(Sequence[LabContainer]):
    """A listing: a sequence of containers that prints as `docker ps` does."""

    lab: Lab
    rows: tuple[Container, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> LabContainer: ...
    @overload
    def __getitem__(self, index: slice) -> list[LabContainer]: ...
    def __getitem__(self, index: int | slice) -> LabContainer | list[LabContainer]:
        if isinstance(index, slice):
            return [LabContainer(self.lab, row.id) for row in self.rows[index]]
        return LabContainer(self.lab, self.rows[index].id)

    def __iter__(self) -> Iterator[LabContainer]:
        return (LabContainer(self.lab, row.id) for row in self.rows)

    def __repr__(self) -> str:
        from imagelab.output.containers import ps

        lab = self.lab
        return ps(
            self.rows,
            lab.state,
            quiet=False,
            no_trunc=False,
            size=False,
            format="",
            era=lab.era,
            now=lab.now(),
            tz=lab.tz,
        ).rstrip("\n")

    def _repr_html_(self) -> str:
        return html_of(repr(self), self.lab, label="containers")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def captured(run: Any) -> CommandResult:
    """Call `run(show)` and keep what it shows."""
    parts = {1: bytearray(), 2: bytearray()}
    code = run(lambda fd, data: parts[fd].extend(data))
    return CommandResult(_text(bytes(parts[1])), _text(bytes(parts[2])), code)


def browse(lab: Lab, url: str) -> Page:
    """Ask a published port: in this process where the container lives in it, else over its socket."""
    from urllib.parse import urlsplit

    from imagelab.errors import UsageError
    from imagelab.runtime.ports import reached_at

    parts = urlsplit(url if "//" in url else f"http://{url}")
    port, path = parts.port or 80, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    containers = lab.engine.containers
    found = published(containers.state.containers.values(), port)
    if found is None:
        raise UsageError(
            f"{url}: nothing is published on port {port}", hint="docker ps lists what is: PORTS, left of the arrow"
        )
    container, private, used = found
    shown = parts.geturl() if used == port else parts._replace(netloc=f"{parts.hostname}:{used}").geturl()
    app = containers.runner.application(container.id, private)
    if app is not None:
        return _called(app, shown, used, path)
    lab.host.reach(shown)
    page = _fetched(shown, reached_at(lab.store, container, used), path, host=f"localhost:{used}")
    if not containers.world.ports.machine:
        return page
    return replace(page, link=f"{port_url(used, os.environ)}{path.removeprefix('/')}")


def port_url(port: int, environ: Mapping[str, str]) -> str:
    """Where a browser reaches a port of this machine: here at home, on a JupyterHub by way of the learner's own server.

    >>> port_url(8080, {})
    'http://localhost:8080/'
    >>> port_url(8080, {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"})
    '/user/ada/proxy/8080/'
    """
    prefix = environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return f"{prefix.rstrip('/')}/proxy/{port}/" if prefix else f"http://localhost:{port}/"


def published(containers: Iterable[Container], port: int) -> tuple[Container, int, int] | None:
    """(container, its port, the host's) behind a port: one that has it, or else one that asked for it and got another."""
    asked = None
    for container in containers:
        for private, bindings in container.ports.items() if container.running else ():
            number = int(private.partition("/")[0])
            for at, binding in enumerate(bindings or []):
                used = int(binding["HostPort"])
                if used == port:
                    return container, number, used
                if is_chosen(container, private, at) and port == int(
                    container.host["PortBindings"][private][at]["HostPort"]
                ):
                    asked = container, number, used
    return asked


def _called(app: Any, url: str, port: int, path: str) -> Page:
    import io
    import sys

    found: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        found.update(status=int(status.split()[0]), headers=dict(headers))

    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path.partition("?")[0], "QUERY_STRING": path.partition("?")[2], "SERVER_NAME": "localhost",
        "SERVER_PORT": str(port), "HTTP_HOST": f"localhost:{port}", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http",
    }  # fmt: skip
    body = b"".join(app(environ, start))
    return Page(url, found["status"], _text(body), found["headers"])


def _fetched(url: str, port: int, path: str, *, host: str) -> Page:
    from http.client import HTTPConnection, HTTPException

    from imagelab.errors import UsageError

    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return Page(url, answer.status, _text(answer.read()), dict(answer.getheaders()))
    except (OSError, HTTPException) as problem:
        raise UsageError(f"{url}: no answer ({problem})", hint="docker logs may say why") from None
    finally:
        connection.close()
