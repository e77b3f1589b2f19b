"""What every registry must answer: the distribution protocol as cases, run by ours in process, ours over HTTP, and others.

A case is a function of a `Client`: a session and the registry's address. `CASES` lists them; a test file parametrises.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import requests

from imagelab.oci.documents import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, Descriptor, Digest


@dataclass
class Client:
    """`name` is a repository that nobody else uses."""

    session: requests.Session
    url: str
    name: str

    def ask(
        self, method: str, path: str, *, data: bytes = b"", headers: dict[str, str] | None = None
    ) -> requests.Response:
        url = path if "://" in path else self.url + (path if path.startswith("/") else f"/v2/{self.name}/{path}")
        return self.session.request(method, url, data=data, headers=headers or {}, allow_redirects=True, timeout=20)

    def push_blob(self, data: bytes) -> Descriptor:
        digest = Digest.of(data)
        answer = self.ask("POST", "blobs/uploads/")
        assert answer.status_code == 202, answer.text
        answer = self.ask("PUT", with_digest(answer.headers["Location"], digest), data=data, headers=OCTETS)
        assert answer.status_code == 201, answer.text
        return Descriptor(OCI_LAYER_GZIP, digest, len(data))

    def push_image(self, tag: str, text: bytes = b"layer") -> Digest:
        config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
        described = self.push_blob(config)
        layer = self.push_blob(text)
        raw = json.dumps({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [layer.to_json()],
            "config": {**described.to_json(), "mediaType": OCI_CONFIG},
        }).encode()  # fmt: skip
        answer = self.ask("PUT", f"manifests/{tag}", data=raw, headers={"Content-Type": OCI_MANIFEST})
        assert answer.status_code == 201, answer.text
        return Digest.of(raw)


OCTETS = {"Content-Type": "application/octet-stream"}
ACCEPT = {"Accept": OCI_MANIFEST}


def with_digest(location: str, digest: str) -> str:
    return location + ("&" if "?" in location else "?") + f"digest={digest}"


def code(answer: requests.Response) -> str:
    return str(answer.json()["errors"][0]["code"])


def is_there(client: Client) -> None:
    assert client.ask("GET", "/v2/").status_code == 200


def monolithic_upload(client: Client) -> None:
    blob = client.push_blob(b"hello")
    answer = client.ask("GET", f"blobs/{blob.digest}")
    assert (answer.status_code, answer.content) == (200, b"hello")
    answer = client.ask("HEAD", f"blobs/{blob.digest}")
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "5", b"")


def chunked_upload(client: Client) -> None:
    location = client.ask("POST", "blobs/uploads/").headers["Location"]
    at = 0
    for piece in (b"one,", b"two,", b"three"):
        headers = {**OCTETS, "Content-Range": f"{at}-{at + len(piece) - 1}"}
        answer = client.ask("PATCH", location, data=piece, headers=headers)
        assert answer.status_code == 202, answer.text
        location, at = answer.headers["Location"], at + len(piece)
        assert answer.headers["Range"] == f"0-{at - 1}"
    digest = Digest.of(b"one,two,three")
    assert client.ask("PUT", with_digest(location, digest)).status_code == 201
    assert client.ask("GET", f"blobs/{digest}").content == b"one,two,three"


def chunks_come_in_order(client: Client) -> None:
    location = client.ask("POST", "blobs/uploads/").headers["Location"]
    answer = client.ask("PATCH", location, data=b"abc", headers={**OCTETS, "Content-Range": "7-9"})
    assert answer.status_code == 416


def a_wrong_digest_is_refused(client: Client) -> None:
    location = client.ask("POST", "blobs/uploads/").headers["Location"]
    answer = client.ask("PUT", with_digest(location, Digest.of(b"other")), data=b"this", headers=OCTETS)
    assert (answer.status_code, code(answer)) == (400, "DIGEST_INVALID")
    assert client.ask("HEAD", f"blobs/{Digest.of(b'other')}").status_code == 404


def an_upload_can_be_cancelled(client: Client) -> None:
    location = client.ask("POST", "blobs/uploads/").headers["Location"]
    assert client.ask("DELETE", location).status_code == 204
    assert client.ask("GET", location).status_code == 404


def ranges(client: Client) -> None:
    """R2.26: what a resumed download asks for."""
    blob = client.push_blob(b"0123456789")
    for header, expected in (("bytes=3-", b"3456789"), ("bytes=2-4", b"234")):
        answer = client.ask("GET", f"blobs/{blob.digest}", headers={"Range": header})
        assert (answer.status_code, answer.content) == (206, expected)


def a_range_past_the_end(client: Client) -> None:
    blob = client.push_blob(b"0123456789")
    assert client.ask("GET", f"blobs/{blob.digest}", headers={"Range": "bytes=99-"}).status_code == 416


def an_image_by_tag_and_by_digest(client: Client) -> None:
    digest = client.push_image("v1")
    for which in ("v1", digest):
        answer = client.ask("GET", f"manifests/{which}", headers=ACCEPT)
        assert answer.headers["Docker-Content-Digest"] == digest == Digest.of(answer.content)
        assert answer.headers["Content-Type"] == OCI_MANIFEST
        answer = client.ask("HEAD", f"manifests/{which}", headers=ACCEPT)
        assert (answer.headers["Docker-Content-Digest"], answer.content) == (digest, b"")


def a_tag_can_move(client: Client) -> None:
    first, second = client.push_image("v1", b"first"), client.push_image("v1", b"second")
    assert client.ask("HEAD", "manifests/v1", headers=ACCEPT).headers["Docker-Content-Digest"] == second
    assert client.ask("HEAD", f"manifests/{first}", headers=ACCEPT).status_code == 200


def unknown_things(client: Client) -> None:
    """R2.19."""
    client.push_image("v1")
    assert code(client.ask("GET", "manifests/nope", headers=ACCEPT)) == "MANIFEST_UNKNOWN"
    assert client.ask("GET", "manifests/nope", headers=ACCEPT).status_code == 404
    assert code(client.ask("GET", f"blobs/{Digest.of(b'nope')}")) == "BLOB_UNKNOWN"
    assert code(client.ask("GET", "/v2/no/such/repository/tags/list")) == "NAME_UNKNOWN"


def a_manifest_comes_after_its_blobs(client: Client) -> None:
    missing = Descriptor(OCI_CONFIG, Digest.of(b"missing"), 7).to_json()
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": missing, "layers": []}).encode()
    answer = client.ask("PUT", "manifests/v1", data=raw, headers={"Content-Type": OCI_MANIFEST})
    assert code(answer) == "MANIFEST_BLOB_UNKNOWN"


def tags_in_pages(client: Client) -> None:
    """R2.30."""
    names = [f"v{n}" for n in range(5)]
    for name in names:
        client.push_image(name)
    assert client.ask("GET", "tags/list").json() == {"name": client.name, "tags": names}
    answer, seen = client.ask("GET", "tags/list?n=2"), []
    while True:
        seen.append(answer.json()["tags"])
        if "next" not in answer.links:
            break
        answer = client.ask("GET", answer.links["next"]["url"])
    assert seen == [["v0", "v1"], ["v2", "v3"], ["v4"]]
    assert client.ask("GET", "tags/list?last=v3").json()["tags"] == ["v4"]


def repositories_are_listed(client: Client) -> None:
    client.push_image("v1")
    assert client.name in client.ask("GET", "/v2/_catalog").json()["repositories"]


def a_blob_is_mounted_from_elsewhere(client: Client) -> None:
    blob = client.push_blob(b"shared")
    other = Client(client.session, client.url, client.name + "-other")
    answer = other.ask("POST", f"blobs/uploads/?mount={blob.digest}&from={client.name}")
    assert answer.status_code == 201
    assert other.ask("HEAD", f"blobs/{blob.digest}").status_code == 200


def a_manifest_can_be_deleted(client: Client) -> None:
    digest = client.push_image("v1")
    assert client.ask("DELETE", f"manifests/{digest}").status_code == 202
    assert client.ask("GET", f"manifests/{digest}", headers=ACCEPT).status_code == 404
    assert client.ask("GET", "manifests/v1", headers=ACCEPT).status_code == 404


def illegal_names(client: Client) -> None:
    for name in ("Upper", "a..b", "-a"):
        answer = client.ask("GET", f"/v2/{name}/manifests/v1")
        assert answer.status_code in (400, 404)


def referrers(client: Client) -> None:
    """distribution-spec 1.1: who refers to this manifest?"""
    subject = client.push_image("v1")
    config = client.push_blob(b"{}")
    raw = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "text/signature", "layers": [],
        "config": {**config.to_json(), "mediaType": "application/vnd.oci.empty.v1+json"},
        "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1}, "annotations": {"by": "me"},
    }).encode()  # fmt: skip
    answer = client.ask("PUT", f"manifests/{Digest.of(raw)}", data=raw, headers={"Content-Type": OCI_MANIFEST})
    assert (answer.status_code, answer.headers["OCI-Subject"]) == (201, subject)
    found = client.ask("GET", f"referrers/{subject}").json()["manifests"]
    assert [(entry["digest"], entry["artifactType"], entry["annotations"]) for entry in found] == [
        (Digest.of(raw), "text/signature", {"by": "me"})
    ]
    answer = client.ask("GET", f"referrers/{subject}?artifactType=other")
    assert (answer.json()["manifests"], answer.headers["OCI-Filters-Applied"]) == ([], "artifactType")


def one_post_is_enough(client: Client) -> None:
    data = b"all at once"
    answer = client.ask("POST", f"blobs/uploads/?digest={Digest.of(data)}", data=data, headers=OCTETS)
    assert answer.status_code == 201
    assert client.ask("GET", f"blobs/{Digest.of(data)}").content == data


CASES: list[Callable[[Client], None]] = [
    is_there, monolithic_upload, chunked_upload, a_wrong_digest_is_refused, an_upload_can_be_cancelled,
    ranges, an_image_by_tag_and_by_digest, a_tag_can_move, unknown_things, a_manifest_comes_after_its_blobs,
    repositories_are_listed, a_blob_is_mounted_from_elsewhere, a_manifest_can_be_deleted, illegal_names,
]  # fmt: skip
NEWER: list[Callable[[Client], None]] = [
    referrers, one_post_is_enough, tags_in_pages, chunks_come_in_order, a_range_past_the_end,
]  # fmt: skip
"""What the specification says today and docker-registry 2.8 (2022) does not do: it has no referrers and no single
POST, lists all tags on one page, and looks at neither a chunk's range nor a range that is past the end."""
