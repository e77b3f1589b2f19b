"""A stand-in daemon: a lab's state as the Engine API's JSON on a Unix socket, so that the real `docker` prints it.

Only what the listing commands ask for, and only for tests: nothing is decided here, the client does the printing.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from imagelab.app import Lab
from imagelab.errors import ImageLabError, NotFoundError
from imagelab.oci.reference import familiar
from imagelab.state.image_filters import Filters, matching_names
from imagelab.state.model import Container, Image

VERSION = "1.50"
SECOND = 1_000_000_000


def summary(lab: Lab, image: Image, patterns: list[str]) -> dict[str, Any]:
    """One entry of /images/json; a reference filter filters the names, too (R3.6)."""
    names = lab.state.names(image.id)
    if patterns:
        names = matching_names(names, patterns)
    return {
        "Id": image.id, "ParentId": image.parent or "", "Created": image.created // SECOND, "Size": image.size,
        "RepoTags": [familiar(name) for name in names if "@" not in name],
        "RepoDigests": [familiar(name) for name in names if "@" in name],
        "Labels": dict(image.labels), "SharedSize": -1, "Containers": -1,
    }  # fmt: skip


def answer(lab: Lab, path: str, query: dict[str, list[str]]) -> Any:
    """The JSON for one question."""
    if path == "/images/json":
        asked = json.loads(query.get("filters", ["{}"])[0])
        values = {key: list(found) for key, found in asked.items()}
        listed = lab.engine.images.list(all=query.get("all", ["0"])[0] in ("1", "true"), filters=Filters(values))
        return [summary(lab, image, values.get("reference", [])) for image in listed]
    if match := re.fullmatch(r"/images/(.+)/history", path):
        return [
            {"Id": row.id or "<missing>", "Created": row.created // SECOND, "CreatedBy": row.created_by,
             "Tags": list(row.tags) or None, "Size": row.size, "Comment": row.comment}
            for row in lab.engine.images.history(match[1])
        ]  # fmt: skip
    if match := re.fullmatch(r"/images/(.+)/json", path):
        return lab.engine.images.inspect(match[1])
    if path == "/system/df":
        usage = lab.engine.images.disk_usage()
        images = [
            summary(lab, row.image, []) | {"SharedSize": row.shared, "Containers": row.containers}
            for row in usage.images
        ]
        rows = containers(lab, "/json", {"all": ["1"], "size": ["1"]})
        return {"LayersSize": usage.layers_size, "Images": images, "Containers": rows, "Volumes": [], "BuildCache": []}
    if path.startswith("/containers/"):
        return containers(lab, path.removeprefix("/containers"), query)
    if path in ("/info", "/version"):
        return {"ApiVersion": VERSION}
    raise NotFoundError(f"No such object: {path}")


def containers(lab: Lab, path: str, query: dict[str, list[str]]) -> Any:
    """The JSON for a question about containers."""
    from imagelab.engine.container_filters import select
    from imagelab.output import containers as container_format

    verbs, one = lab.engine.containers, {key: values[0] for key, values in query.items()}
    if path == "/json":
        filters = Filters({key: list(found) for key, found in json.loads(one.get("filters", "{}")).items()})
        everything = one.get("all") in ("1", "true")
        listed = select(verbs.state, filters, all=everything, last=int(one.get("limit", 0)), engine=lab.engine)
        return [_row(lab, container, sizes=one.get("size") in ("1", "true")) for container in listed]
    name, _, question = path.strip("/").partition("/")
    container = verbs.resolve(name)
    if question == "json":
        log = str(lab.store.container_files(container.id) / "log")
        return container_format.inspected(container, lab.state, log, size=one.get("size") in ("1", "true"))
    if question == "changes":
        return [{"Path": path, "Kind": "CAD".index(kind)} for kind, path in verbs.diff(name)] or None
    raise NotFoundError(f"No such object: {path}")


def _row(lab: Lab, container: Container, *, sizes: bool) -> dict[str, Any]:
    from imagelab.output.containers import image_text, status_text

    path, *arguments = container.command
    shown = [f"'{word}'" if " " in word else word for word in arguments]
    ports = []
    for port, bindings in container.ports.items() if container.running else ():
        number, _, protocol = port.partition("/")
        entry = {"PrivatePort": int(number), "Type": protocol}
        if not bindings:
            ports.append(entry)
        for binding in bindings or []:
            addresses = [binding["HostIp"]] if binding["HostIp"] not in ("", "0.0.0.0") else ["0.0.0.0", "::"]
            ports += [entry | {"IP": address, "PublicPort": int(binding["HostPort"])} for address in addresses]
    below = sum(lab.state.layers[chain_id].size for chain_id in container.layers)
    size = {"SizeRw": container.size, "SizeRootFs": below + container.size} if sizes else {}
    return size | {
        "Id": container.id, "Names": [f"/{container.name}"], "Image": image_text(container, lab.state, no_trunc=True),
        "ImageID": container.image, "Command": " ".join([path, *shown]), "Created": container.created // SECOND, "Ports": ports,
        "Labels": dict(container.labels), "State": container.status, "Status": status_text(container, lab.now(), "28"),
        "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {"bridge": {}}}, "Mounts": [],
    }  # fmt: skip


def stream(lab: Lab, path: str, query: dict[str, list[str]], body: bytes) -> Iterator[dict[str, Any]]:
    """The messages of a load or an import: Docker says what went wrong among them."""
    from imagelab.cli.commands.archives import loaded_lines

    one = {key: values[0] for key, values in query.items()}
    if path == "/images/load":
        try:
            for line in loaded_lines(lab.engine.archives.load(io.BytesIO(body), platform=one.get("platform")), "28"):
                yield {"stream": line + "\n"}
        except ImageLabError as error:
            yield {"errorDetail": {"message": str(error)}, "error": str(error)}
        return
    image = lab.engine.archives.import_(
        io.BytesIO(body),
        one.get("repo", ""),
        changes=query.get("changes", []),
        message=one.get("message", ""),
        platform=one.get("platform"),
    )
    yield {"status": str(image.id)}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lab: Lab

    def do_HEAD(self) -> None:
        self._send(200, b"", {"Api-Version": VERSION, "Ostype": "linux"})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(re.sub(r"^/v\d+\.\d+", "", parts.path))
        if path == "/_ping":
            self._send(200, b"OK", {"Api-Version": VERSION, "Ostype": "linux"})
            return
        if path in ("/images/get",) or re.fullmatch(r"/images/.+/get", path):
            self._archive(parse_qs(parts.query).get("names") or [path.removeprefix("/images/").removesuffix("/get")])
            return
        try:
            status, data = 200, answer(self.lab, path, parse_qs(parts.query))
        except ImageLabError as error:
            status, data = 404 if isinstance(error, NotFoundError) else 400, {"message": str(error)}
        self._send(status, json.dumps(data).encode(), {"Content-Type": "application/json", "Api-Version": VERSION})

    def _archive(self, names: list[str]) -> None:
        try:
            pieces = self.lab.engine.archives.save(names)
        except ImageLabError as error:
            status = 404 if isinstance(error, NotFoundError) else 400
            self._send(status, json.dumps({"message": str(error)}).encode(), {"Content-Type": "application/json"})
            return
        self._send(200, b"".join(pieces), {"Content-Type": "application/x-tar"})

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        path, body = re.sub(r"^/v\d+\.\d+", "", parts.path), self._body()
        try:
            messages = [
                json.dumps(message).encode() + b"\r\n"
                for message in stream(self.lab, path, parse_qs(parts.query), body)
            ]
        except ImageLabError as error:
            self._send(400, json.dumps({"message": str(error)}).encode(), {"Content-Type": "application/json"})
            return
        self._send(200, b"".join(messages), {"Content-Type": "application/json"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    def address_string(self) -> str:
        return "local"


@contextmanager
def daemon(lab: Lab, folder: Path) -> Iterator[str]:
    """The value of DOCKER_HOST while the block runs."""
    socket = folder / "docker.sock"
    handler = type("Handler", (_Handler,), {"lab": lab})
    with ThreadingUnixStreamServer(str(socket), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"unix://{socket}"
        finally:
            server.shutdown()
            thread.join()
