"""What three Dockers print for the same lab (R0.1).

    1.13   the book's: wide columns, `127 MB` with a space, hours not rounded, no last line after a pull
    28     graph drivers: the image ID is the digest of the config
    29     the containerd store: the ID is the digest of the manifest or index, untagged images are hidden, sizes count
           the compressed blobs as well

The lab does not change with the era: only how it is shown, and which IDs people type.
"""

from __future__ import annotations

import re

from imagelab.errors import (
    AuthenticationError,
    ImageLabError,
    ImageNotFoundError,
    InvalidFilterError,
    ReferenceSyntaxError,
    RegistryError,
    TemplateError,
)
from imagelab.oci.digest import Digest
from imagelab.state.events import Deleted, Removal, Untagged
from imagelab.state.model import Image, State
from imagelab.units import human_duration, human_size

ERAS = ("1.13", "28", "29")


def image_id(image: Image, era: str) -> Digest:
    """What IMAGE ID shows: the config's digest, or in 29 the target's (R3.38)."""
    return image.target if era == "29" else image.id


def size(count: int, era: str, *, digits: int = 3) -> str:
    """Bytes as this Docker writes them (R3.12)."""
    return human_size(count, digits=digits, space=era == "1.13")


def ago(created: int, now: int, era: str) -> str:
    """`5 weeks ago`: whole seconds, rounded as this Docker rounds (R3.8, R3.9)."""
    second = 1_000_000_000
    return human_duration(now - created // second * second, rounded=era != "1.13") + " ago"


def shortened(text: str, era: str) -> str:
    """A command in twenty columns: with an ellipsis, and with three points in 1.13 (R6.16)."""
    if len(text) <= 20:
        return text
    return text[:17] + "..." if era == "1.13" else text[:19] + "…"


def both_addresses(era: str) -> bool:
    """A port that is published everywhere is listed for IPv6 as well (R6.9); 1.13 lists it once."""
    return era != "1.13"


def minimum_width(era: str) -> int:
    """The narrowest a column gets (R3.2)."""
    return 20 if era == "1.13" else 10


def names(state: State, image: Image, era: str) -> tuple[str, ...]:
    """The references a listing shows: 29 knows an image without tags by no name at all (R0.1, R3.36)."""
    if era == "29" and not state.tags(image.id):
        return ()
    return state.names(image.id)


def hidden(state: State, image: Image, era: str, *, all: bool, dangling: bool | None) -> bool:
    """29 lists images without tags only with `-a` or a dangling filter (R3.18)."""
    return era == "29" and not all and not dangling and not state.tags(image.id)


def removals(removed: tuple[Removal, ...], before: State, era: str) -> list[Removal]:
    """What `rmi` reports: 29 has one `Deleted:` line, the target's, and no layers (R5.14)."""
    if era != "29":
        return list(removed)
    shown: list[Removal] = []
    for item in removed:
        match item:
            case Untagged(reference) if "@" not in reference:
                shown.append(item)
            case Deleted(digest) if digest in before.images:
                shown.append(Deleted(before.images[Digest.trusted(digest)].target))
    return shown


_CONTAINERS_THEN = [
    (r'The container name "(/\S+)" is already in use by container "(\w+)"\.', r'The container name "\1" is already in use by container \2.'),
    (r"^container (\w{64}) is not running$", r"Container \1 is not running"),
    (r'^cannot remove container "/\S+": container is \w+: .*$', "You cannot remove a running container {id}. Stop the container before attempting removal or use -f"),
    (r"^no command specified$", "No command specified"),
]  # fmt: skip
"""What is said of containers, and how 1.13 said it (R6.3, R6.6, R6.14, R6.15)."""
_CONTAINERS_NOW = [(r'^cannot remove container "/(\S+)": ', r'cannot remove container "\1": ')]
"""The same for 29."""


_BUILDS_THEN = [
    (
        r"^dockerfile parse error on line \d+: unknown instruction: (\S+)(?: \(did you mean \w+\?\))?$",
        r"Unknown instruction: \1",
    ),
    (r"^dockerfile parse error on line \d+: ", ""),
    (r"^failed to parse (?:\S+): file with no instructions$", "No image was generated. Is your Dockerfile empty?"),
    (r"^failed to parse (?:\S+): ", ""),
    (r"^no build stage in current context$", "Please provide a source image with `from` prior to commit"),
    (r"^the Dockerfile \((.*)\) cannot be empty$", r"The Dockerfile (\1) cannot be empty"),
    (
        r"^(?:COPY|ADD) failed: file not found in build context or excluded by .dockerignore: stat (.*): file does not exist$",
        r"lstat \1: no such file or directory",
    ),
    (r"^(?:COPY|ADD) failed: forbidden path outside the build context: ", "Forbidden path outside the build context: "),
    (r"^(?:COPY|ADD) failed: no source files were specified$", "No source files were specified"),
]
"""What is said of Dockerfiles, and how 1.13 said it."""


def _of_builds(text: str, era: str) -> str:
    for pattern, instead in _BUILDS_THEN if era == "1.13" else []:
        text = re.sub(pattern, instead, text)
    return text


def _of_containers(error: ImageLabError, text: str, era: str) -> str:
    for pattern, wording in {"1.13": _CONTAINERS_THEN, "29": _CONTAINERS_NOW}.get(era, []):
        text = re.sub(pattern, wording, text).replace("{id}", getattr(error, "container", "") or "")
    return text


def error_text(error: ImageLabError, era: str) -> str:
    """The sentence as this Docker words it."""
    text = _of_builds(_of_containers(error, str(error), era), era)
    match error:
        case ReferenceSyntaxError() if era == "1.13":
            cause = (
                "repository name must be lowercase"
                if text.endswith("must be lowercase")
                else "invalid reference format"
            )
            return (
                f'Error parsing reference: "{error.text}" is not a valid repository/tag: {cause}'
                if error.text
                else text
            )
        case TemplateError() if era == "1.13":
            return "T" + text.removeprefix("t") + "\n"
        case InvalidFilterError() if era == "1.13":
            return "I" + text.removeprefix("i")
        case AuthenticationError() if era == "29":
            return text.replace(": denied: requested access to the resource is denied", "")
        case AuthenticationError() if era == "1.13" and "pull access denied for " in text:
            name = text.removeprefix("pull access denied for ").partition(",")[0]
            return f"repository {name} not found: does not exist or no pull access"
        case RegistryError(code="MANIFEST_UNKNOWN") if text.startswith("manifest for "):
            name = text.removeprefix("manifest for ").partition(" not found")[0]
            return _unknown_tag(name, era) or text
        case RegistryError(code="TOOMANYREQUESTS") if era == "29":
            return f"error from registry: {text}"
    return text


def _unknown_tag(name: str, era: str) -> str:
    """R2.18a, first row."""
    if era == "1.13":
        return f"manifest for {name} not found"
    if era == "29":
        from imagelab.oci.reference import Reference

        canonical = str(Reference.parse(name))
        return f'failed to resolve reference "{canonical}": {canonical}: not found'
    return ""


def prefix(error: ImageLabError, era: str) -> str:
    """Who says so (R2.20); the old client rewrote some 404s (R1.22)."""
    if error.origin != "daemon":
        return ""
    if era == "1.13" and isinstance(error, ImageNotFoundError):
        return "Error: "
    return "Error response from daemon: "
