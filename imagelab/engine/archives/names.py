"""Which images `docker save` means by its arguments, and which of their tags go with them (R6.44).

ubuntu:14.04     that image, with this tag
ubuntu           every image of the repository, each with its tags
6c9…, sha256:6…  that image, with no tag
ubuntu@sha256:…  that image, with no tag
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from imagelab.errors import ImageNotFoundError, NotFoundError
from imagelab.oci.digest import Digest
from imagelab.oci.reference import Reference, parse_in_daemon
from imagelab.state.model import Image, State

_ID = re.compile(r"(?:sha256:)?([a-f0-9]{1,64})")
_LISTED = "docker images lists what is here"


@dataclass(frozen=True, slots=True)
class Chosen:
    """An image to be saved, and the tags to be saved with it (canonical)."""

    image: Image
    tags: tuple[str, ...]


def choose(state: State, names: Iterable[str], *, era: str = "28") -> list[Chosen]:
    """The images in the order asked for, each once. ReferenceSyntaxError, ImageNotFoundError, NotFoundError."""
    chosen: dict[Digest, dict[str, None]] = {}
    for name in names:
        for image_id, tag in _meant(state, name, era):
            chosen.setdefault(image_id, {}).update({tag: None} if tag else {})
    return [Chosen(state.images[image_id], tuple(tags)) for image_id, tags in chosen.items()]


def _meant(state: State, name: str, era: str) -> list[tuple[Digest, str]]:
    """(image, canonical tag or "") of one argument."""
    if re.fullmatch(r"(?:sha256:)?[a-f0-9]{64}|sha256:[a-f0-9]+", name):
        return [(_by_id(state, name, era), "")]
    reference = parse_in_daemon(name)
    if reference.digest or reference.tag:
        full = f"{reference.repository}@{reference.digest}" if reference.digest else str(reference)
        if full not in state.references:
            problem = f"No such image: {name}" if era == "29" else "reference does not exist"
            raise ImageNotFoundError(problem, hint=f"there is no {name}; {_LISTED}")
        return [(state.references[full], "" if reference.digest else full)]
    of_repository = [
        full_name
        for full_name in sorted(state.references)
        if Reference.canonical(full_name).repository == reference.repository
    ]
    if of_repository:
        return [(state.references[full_name], "" if "@" in full_name else full_name) for full_name in of_repository]
    return [(_by_id(state, name, era), "")]


def _by_id(state: State, text: str, era: str) -> Digest:
    """The one image whose ID begins so; in Docker 29 that is its target's (R1.23)."""
    prefix = "sha256:" + match[1] if (match := _ID.fullmatch(text)) else "-"
    images = [image for image in state.images.values() if image.id.startswith(prefix)]
    if not images and era == "29":
        images = [image for image in state.images.values() if image.target.startswith(prefix)]
    if len(images) > 1:
        raise NotFoundError(
            "ambiguous digest string", hint=f"{len(images)} images have an ID that begins with {text}; type more of it"
        )
    if not images:
        raise ImageNotFoundError(f"No such image: {text}", hint=_LISTED)
    return images[0].id
