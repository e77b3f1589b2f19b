"""The built-in upstream: a registry with the book's cast of images, shipped as bytes, served in process.

A lab opened with defaults finds these behind `docker.io/library/…`: offline, the same on every machine. They are small
(the book's megabytes are kilobytes here), and they are real: manifests, configs and gzipped tars whose digests are
what they hash to. `build` makes them from `recipes` and `sources/`; what is shipped is in `data/`.

Tags move, as they do on Docker Hub. Some have several builds, one published after the other: `release("mongo:3.2")`
publishes the next, the following pull brings it, and the image that had the name is left dangling.

`CLASS_NOW` is what the clock says in a lesson: the day on which the book's listing reads `5 days ago`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from imagelab.errors import ImageLabError
from imagelab.oci.documents import Digest
from imagelab.oci.reference import Reference

if TYPE_CHECKING:
    from imagelab.classroom.faults import Fault, Faults
    from imagelab.server.registry import RegistryApp

DATA = Path(__file__).parent / "data"
CLASS_NOW = 1_480_327_200_000_000_000
"""2016-11-28 10:00:00 UTC, in nanoseconds since 1970."""

Releases = Mapping[str, int]
"""`library/mongo:3.2` -> how many builds have been published after the first."""


@cache
def contents() -> dict[str, Any]:
    """`{"manifests": {digest: media type}, "repositories": {name: {tag: [[digest, …], …]}}}`: one inner list a build,
    the tag's own digest first, then the manifests under it."""
    loaded: dict[str, Any] = json.loads((DATA / "index.json").read_text(encoding="utf-8"))
    return loaded


@cache
def images_of(name: str) -> tuple[Mapping[str, Digest], ...]:
    """Each build of a tag, the first published first, as platform -> image ID; () for a name that is not published here."""
    try:
        reference = Reference.parse(name).with_default_tag()
    except ImageLabError:
        return ()
    tags = contents()["repositories"].get(reference.path, {}) if reference.domain == "docker.io" else {}
    return tuple(
        {platform: image for one in build for platform, image in _image(one)} for build in tags.get(reference.tag, ())
    )


def _image(digest: str) -> Iterator[tuple[str, Digest]]:
    """The image behind a manifest; nothing for an index and for what is no program."""

    def document(digest: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((DATA / "blobs" / digest.partition(":")[2]).read_text(encoding="utf-8"))
        return loaded

    config = document(digest).get("config")
    if config:
        machine = document(config["digest"])
        words = [machine.get("os"), machine.get("architecture"), machine.get("variant")]
        yield "/".join(word for word in words if word), Digest.trusted(config["digest"])


class ClassroomStorage:
    """A read-only RegistryStorage over the shipped bytes. `releases()` says which builds are out."""

    writable = False

    def __init__(self, releases: Callable[[], Releases]) -> None:
        self._releases = releases

    def blob_size(self, digest: Digest) -> int | None:
        file = DATA / "blobs" / digest.hex
        return file.stat().st_size if file.exists() else None

    def open_blob(self, digest: Digest) -> BinaryIO:
        return (DATA / "blobs" / digest.hex).open("rb")

    def repositories(self) -> list[str]:
        return sorted(contents()["repositories"])

    def manifests(self, repository: str) -> Mapping[Digest, str]:
        """All builds published so far: the older ones can still be had by digest."""
        kinds, releases = contents()["manifests"], self._releases()
        manifests: dict[Digest, str] = {}
        for tag, builds in contents()["repositories"].get(repository, {}).items():
            for build in builds[: releases.get(f"{repository}:{tag}", 0) + 1]:
                manifests |= {Digest.trusted(digest): kinds[digest] for digest in build}
        return manifests

    def tags(self, repository: str) -> Mapping[str, Digest]:
        releases, tags = self._releases(), contents()["repositories"].get(repository, {})
        return {
            tag: Digest.trusted(builds[min(releases.get(f"{repository}:{tag}", 0), len(builds) - 1)][0])
            for tag, builds in tags.items()
        }

    def _refuse(self, *_: object) -> NoReturn:
        raise ImageLabError("the classroom's registry is read-only")

    def delete_blob(self, digest: Digest) -> None:
        self._refuse(digest)

    def start_upload(self) -> str:
        self._refuse()

    def upload_size(self, upload: str) -> int | None:
        return None

    def append_upload(self, upload: str, chunks: Iterable[bytes]) -> int:
        self._refuse()

    def finish_upload(self, upload: str, digest: Digest) -> Digest:
        self._refuse()

    def cancel_upload(self, upload: str) -> None:
        self._refuse()

    def put_manifest(self, repository: str, raw: bytes, media_type: str, tag: str | None) -> Digest:
        self._refuse()

    def delete_tag(self, repository: str, tag: str) -> None:
        self._refuse()

    def delete_manifest(self, repository: str, digest: Digest) -> None:
        self._refuse()


def app(releases: Callable[[], Releases] = dict) -> RegistryApp:
    """The registry as a WSGI application."""
    from imagelab.server.registry import RegistryApp

    return RegistryApp(ClassroomStorage(releases))


class ClassroomUpstream:
    """The publisher's side: which tags there are, and `release` for the next build of one.

    `load` and `save` keep what has been published; a lab keeps it among its settings.
    """

    def __init__(
        self, *, load: Callable[[], Releases], save: Callable[[dict[str, int]], None], faults: Faults | None = None
    ) -> None:
        self._load, self._save, self._faults = load, save, faults

    @property
    def releases(self) -> Releases:
        """How many builds of each tag have been published after the first."""
        return dict(self._load())

    def repositories(self) -> list[str]:
        """Familiar names of all repositories."""
        return [name.removeprefix("library/") for name in sorted(contents()["repositories"])]

    def tags(self, name: str) -> dict[str, tuple[int, int]]:
        """The tags of a repository: how many builds are published, and how many there are."""
        path = Reference.parse(name).path
        tags: dict[str, list[object]] = contents()["repositories"].get(path, {})
        published = self._load()
        return {tag: (published.get(f"{path}:{tag}", 0) + 1, len(builds)) for tag, builds in tags.items()}

    def release(self, name: str) -> Digest:
        """Publish the next build of a tag; the digest it now points to. ImageLabError when there is none."""
        reference = Reference.parse(name).with_default_tag()
        key = f"{reference.path}:{reference.tag}"
        builds = contents()["repositories"].get(reference.path, {}).get(reference.tag or "")
        if reference.domain != "docker.io" or builds is None:
            raise ImageLabError(f"the classroom has no {reference.familiar()}", hint=self._more(), origin="client")
        published = dict(self._load())
        following = published.get(key, 0) + 1
        if following >= len(builds):
            raise ImageLabError(
                f"{reference.familiar()} has no further build: all {len(builds)} are published",
                hint=self._more(),
                origin="client",
            )
        self._save({**published, key: following})
        return Digest.trusted(builds[following][0])

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is going to go wrong, in the order it was asked for."""
        return self._faults.all() if self._faults else ()

    def fault(self, kind: str, name: str = "", *, times: int = 1) -> Fault:
        """The next layer or manifest that is asked for (of `name`, if given) goes wrong, `times` times; then all is well.

        Kinds: truncate, tamper, slow and redirect for layers, 429 and 500 for manifests, token for the way in.
        """
        if self._faults is None:
            raise ImageLabError("this registry knows no faults", origin="client")
        return self._faults.add(kind, name, times)

    def heal(self) -> None:
        """Nothing is going to go wrong any more."""
        if self._faults is not None:
            self._faults.clear()

    def _more(self) -> str:
        """Which tags still have a build to come."""
        waiting = [
            f"{name}:{tag}"
            for name in self.repositories()
            for tag, (done, total) in self.tags(name).items()
            if done < total
        ]
        return f"tags with a further build: {', '.join(waiting)}" if waiting else "every build is published"
