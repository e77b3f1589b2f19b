"""The client against registries that misbehave: locked, slow, truncated, tampered with, elsewhere, or not there at all."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import imagelab
from imagelab.app import Lab
from imagelab.classroom.upstream import app as classroom
from imagelab.errors import (
    AuthenticationError,
    DigestMismatchError,
    ImageLabError,
    ManifestError,
    RegistryError,
    UnreachableError,
    UsageError,
)
from imagelab.registry.client import HUB, Endpoint, Upstream
from imagelab.server.serve import serving
from imagelab.state.events import Progress

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Faulty:
    """The classroom's registry with something wrong; remembers what was asked."""

    def __init__(self, wrong: Callable[[Faulty, dict[str, Any], Callable[..., Any]], Iterable[bytes] | None]) -> None:
        self.app, self.wrong = classroom(), wrong
        self.asked: list[str] = []
        self.sent: list[str] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        self.sent.append(environ.get("HTTP_AUTHORIZATION", ""))
        answer = self.wrong(self, environ, start)
        if answer is not None and environ["REQUEST_METHOD"] == "HEAD":
            return []
        return self.app(environ, start) if answer is None else answer


@pytest.fixture
def pull(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Pull through a faulty registry, over HTTP with threads; returns (lab, image, lines)."""
    opened: list[Lab] = []

    def act(faulty: App, name: str = "ubuntu:14.04", mirrors: Iterable[str] = (), upstream: str = "") -> Any:
        lines: list[str] = []
        lab = imagelab.connect(tmp_path / "far", environ={}, progress=lambda p: lines.append(f"{p.id}: {p.status}"))
        opened.append(lab)
        with serving(faulty) as url:
            lab.engine.images._upstream = Upstream.parse(
                upstream or url, mirrors=[m.replace("URL", url) for m in mirrors], sleep=lambda s: None
            )
            try:
                return lab, lab.pull(name), lines
            finally:
                lab.engine.images.upstream.session.close()

    yield act
    for lab in opened:
        assert lab.engine.doctor() == []
        lab.close()


def answer(start: Callable[..., Any], status: str, body: bytes = b"", **headers: str) -> Iterable[bytes]:
    named = [(key.replace("_", "-"), value) for key, value in headers.items()]
    start(status, [("Content-Length", str(len(body))), *named])
    return [body]


def fine(faulty: Faulty, environ: dict[str, Any], start: Callable[..., Any]) -> None:
    return None


def test_over_http_it_is_the_same_image(pull: Callable[..., Any], lab: Lab) -> None:
    """Threads or turns, a wire or none: the same image, layers and digest."""
    _, there, lines = pull(Faulty(fine))
    here = lab.pull("ubuntu:14.04")
    assert (there.id, there.layers, there.image.target) == (here.id, here.layers, here.image.target)
    complete = [line.split(":")[0] for line in lines if line.endswith("Pull complete")]
    assert complete == [
        lab.state.layers[layer].blob.short for layer in here.layers
    ]  # in chain order, whoever was first


def test_an_up_to_date_pull_costs_one_head(pull: Callable[..., Any]) -> None:
    """R2.24."""
    faulty = Faulty(fine)
    pull(faulty)
    faulty.asked.clear()
    pull(faulty)
    assert faulty.asked == ["HEAD /v2/library/ubuntu/manifests/14.04"]


def test_what_is_here_is_not_fetched_again(pull: Callable[..., Any]) -> None:
    """A pull that died resumes: each blob is asked for once in all."""
    blobs_asked = itertools.count(1)

    def die(faulty: Faulty, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes] | None:
        fourth = "/blobs/" in environ["PATH_INFO"] and next(blobs_asked) == 4
        return answer(start, "500 Oops") if fourth else None

    faulty = Faulty(die)
    with pytest.raises(ImageLabError):
        pull(faulty, "redis")
    pull(faulty, "redis")
    blobs = [line for line in faulty.asked if "/blobs/" in line]
    assert len(blobs) - len(set(blobs)) <= 1


def token_auth(faulty: Faulty, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes] | None:
    """R2.22, R2.23."""
    if environ["PATH_INFO"] == "/token":
        assert "scope=repository%3Alibrary%2Fubuntu%3Apull" in environ["QUERY_STRING"]
        return answer(start, "200 OK", b'{"token": "secret", "expires_in": 300}', Content_Type="application/json")
    if environ.get("HTTP_AUTHORIZATION") == "Bearer secret":
        return None
    realm = f'Bearer realm="http://{environ["HTTP_HOST"]}/token",service="test"'
    return answer(start, "401 Unauthorized", WWW_Authenticate=realm)


def test_a_token_is_fetched_once(pull: Callable[..., Any]) -> None:
    faulty = Faulty(token_auth)
    pull(faulty)
    assert faulty.asked.count("GET /token") == 1


def test_denied(pull: Callable[..., Any]) -> None:
    """R2.4."""
    body = b'{"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]}'
    with pytest.raises(AuthenticationError) as caught:
        pull(Faulty(lambda f, e, start: answer(start, "403 Forbidden", body)), "private")
    assert str(caught.value) == (
        "pull access denied for private, repository does not exist or may require 'docker login': "
        "denied: requested access to the resource is denied"
    )


def test_the_rate_limit(pull: Callable[..., Any]) -> None:
    body = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your unauthenticated pull rate limit."}]}'
    with pytest.raises(RegistryError, match="^toomanyrequests: You have reached your unauthenticated pull rate limit"):
        pull(Faulty(lambda f, e, start: answer(start, "429 Too Many Requests", body)))


def test_a_redirected_blob_is_fetched_without_the_token(pull: Callable[..., Any]) -> None:
    """R2.29: blobs live elsewhere, and elsewhere is not told our secret."""
    with serving(elsewhere := Faulty(fine)) as url:

        def redirect(faulty: Faulty, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes] | None:
            if (told := token_auth(faulty, environ, start)) is not None:
                return told
            if "/blobs/" in environ["PATH_INFO"]:
                return answer(
                    start,
                    "307 Temporary Redirect",
                    Location=url.replace("127.0.0.1", "localhost") + environ["PATH_INFO"],
                )
            return None

        pull(Faulty(redirect))
    assert elsewhere.asked and set(elsewhere.sent) == {""}


def test_a_broken_connection_is_taken_up_where_it_broke(pull: Callable[..., Any]) -> None:
    """R2.8, R2.26: told every second, and the rest is asked for with a Range."""
    ranges: list[str] = []

    def truncate(faulty: Faulty, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes] | None:
        ranges.append(environ.get("HTTP_RANGE", ""))
        if "/blobs/" not in environ["PATH_INFO"] or environ.get("HTTP_RANGE"):
            return None
        held: list[Any] = []
        body = b"".join(faulty.app(environ, lambda *told: held.extend(told)))
        if len(body) < 5000:
            start(*held)
            return [body]
        start(*held)
        return [body[:4096]]  # less than the Content-Length says: the connection is closed

    lab, image, lines = pull(Faulty(truncate))
    assert "bytes=4096-" in ranges
    assert any("Retrying in 5 seconds" in line for line in lines)


@pytest.mark.parametrize("what", ["manifests", "config", "layer"])
def test_one_wrong_byte_is_refused_and_nothing_kept(pull: Callable[..., Any], lab: Lab, what: str) -> None:
    """Both digests are named (R2.18a)."""
    image = lab.pull("ubuntu:14.04")
    blob = {"manifests": image.image.target, "config": image.id, "layer": lab.state.layers[image.layers[1]].blob}[what]

    def tamper(faulty: Faulty, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes] | None:
        if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].endswith(blob):
            return None
        body = b"".join(faulty.app(environ, start))
        return [body[:-9] + bytes([body[-9] ^ 1]) + body[-8:]]

    with pytest.raises(ImageLabError) as caught:
        pull(Faulty(tamper))
    if what != "layer":
        assert isinstance(caught.value, DigestMismatchError)
    if isinstance(caught.value, DigestMismatchError):
        words = {"manifests": "manifest", "config": "image config", "layer": "filesystem layer"}[what]
        assert str(caught.value).startswith(f"{words} verification failed for digest {blob}: ")
        assert str(caught.value).count("sha256:") == 2


def test_more_bytes_than_promised(pull: Callable[..., Any], lab: Lab) -> None:
    image = lab.pull("ubuntu:14.04")
    blob = lab.state.layers[image.layers[1]].blob

    def more(faulty: Faulty, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes] | None:
        if not environ["PATH_INFO"].endswith(blob):
            return None
        return answer(start, "200 OK", b"".join(faulty.app(environ, lambda *_: None)) + b"x" * 100)

    with pytest.raises(DigestMismatchError, match="sends more than the"):
        pull(Faulty(more))


@pytest.mark.parametrize("body", [b"not json", b"[]", b"{}"])
def test_a_manifest_that_is_none(pull: Callable[..., Any], body: bytes) -> None:
    from imagelab.oci.documents import OCI_MANIFEST, Digest

    def nonsense(faulty: Faulty, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes] | None:
        return answer(start, "200 OK", body, Content_Type=OCI_MANIFEST, Docker_Content_Digest=Digest.of(body))

    with pytest.raises(ManifestError):
        pull(Faulty(nonsense))


def test_schema_1_is_refused_in_words(pull: Callable[..., Any]) -> None:
    """R2.25."""
    from imagelab.oci.documents import Digest

    def old(faulty: Faulty, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
        return answer(start, "200 OK", b"{}", Content_Type=kind, Docker_Content_Digest=Digest.of(b"{}"))

    with pytest.raises(ManifestError, match="schema 1 support has been removed"):
        pull(Faulty(old))


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ],
)
def test_a_foreign_layer_is_refused_in_words(kind: str) -> None:
    """R7.12."""
    from imagelab.engine.pull import _refuse_foreign
    from imagelab.errors import LayerFormatError
    from imagelab.oci.documents import Descriptor, Digest

    with pytest.raises(LayerFormatError, match="is foreign .* at https://example.test/layer"):
        _refuse_foreign(Descriptor(kind, Digest.of(b""), 1, urls=("https://example.test/layer",)))


# -- where names are asked for ------------------------------------------------------------------------------


def test_a_mirror_that_fails_is_passed_over(pull: Callable[..., Any]) -> None:
    """R2.31: the first does not answer, the second does."""
    faulty = Faulty(fine)
    _, image, _ = pull(faulty, mirrors=["http://127.0.0.1:9", "URL"], upstream="http://127.0.0.1:9/never")
    assert image.tags == ["ubuntu:14.04"] and faulty.asked


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ("x", "invalid mirror: no scheme specified for \"x\": must use either 'https://' or 'http://'"),
        (
            "ftp://x",
            "invalid mirror: unsupported scheme \"ftp\" in \"ftp://x\": must use either 'https://' or 'http://'",
        ),
        ("https://x?a=1", 'invalid mirror: query or fragment at end of the URI "https://x?a=1"'),
    ],
)
def test_bad_mirrors(bad: str, text: str) -> None:
    """R2.31."""
    with pytest.raises(UsageError) as caught:
        Upstream.parse("hub", mirrors=[bad])
    assert str(caught.value) == text


def test_only_docker_io_has_mirrors() -> None:
    """R1.10, R2.31, R2.32."""
    from imagelab.oci.reference import Reference

    upstream = Upstream.parse("hub", mirrors=["https://mirror.example/"])

    def endpoints(name: str) -> tuple[Endpoint, ...]:
        return upstream.remote(Reference.parse(name))._endpoints

    assert endpoints("ubuntu") == (Endpoint("https://mirror.example", True), Endpoint(HUB))
    assert endpoints("ghcr.io/a/b") == (Endpoint("https://ghcr.io"),)
    local = endpoints("localhost:5000/a")
    assert local == (Endpoint("http://localhost:5000", probe=True), Endpoint("https://localhost:5000"))


def test_localhost_may_be_plain(lab: Lab) -> None:
    """R2.32: a registry on this machine needs no certificate."""
    faulty = Faulty(fine)
    with serving(faulty) as url:
        host = url.removeprefix("http://")
        image = lab.pull(f"{host}/library/busybox")
        assert image.tags == [f"{host}/library/busybox:latest"]
        lab.engine.images.upstream.session.close()
    assert faulty.asked[0] == "HEAD /v2/library/busybox/manifests/latest"


def test_localhost_may_have_a_certificate_of_its_own(lab: Lab, tmp_path: Path) -> None:
    """R2.32: not verified on 127.0.0.0/8."""
    import shutil
    import ssl
    import subprocess
    import threading
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    line = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=nobody -keyout {key} -out {certificate}"
    subprocess.run(line.split(), check=True, capture_output=True)
    handler = type("Quiet", (WSGIRequestHandler,), {"log_message": lambda *_: None})
    with make_server("127.0.0.1", 0, classroom(), handler_class=handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        image = lab.pull(f"127.0.0.1:{server.server_port}/library/busybox")
        assert image.image.size == 1090
        lab.engine.images.upstream.session.close()
        server.shutdown()


def test_nobody_answers(lab: Lab) -> None:
    with pytest.raises(UnreachableError) as caught:
        lab.engine.images.pull("127.0.0.1:9/a/b")
    assert str(caught.value) == 'Get "http://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused'
    assert "classroom" in caught.value.hint


def test_progress_is_told_by_one_thread(pull: Callable[..., Any]) -> None:
    """A widget must not be touched from another thread than its own."""
    import threading

    tellers: set[int] = set()
    lines: list[Progress] = []
    faulty = Faulty(fine)

    def sink(progress: Progress) -> None:
        tellers.add(threading.get_ident())
        lines.append(progress)

    lab, _, _ = pull(faulty, "busybox")
    lab.pull_progress = sink
    with serving(faulty) as url:
        lab.engine.images._upstream = Upstream.parse(url)
        lab.pull("redis")
        lab.engine.images.upstream.session.close()
    assert tellers == {threading.get_ident()} and len(lines) > 10
