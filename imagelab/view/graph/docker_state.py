"""A running Docker or Podman as a `State`, so that every picture can be drawn of the learner's own machine.

    imagelab graph --from docker                                     the engine that $DOCKER_HOST names, or the usual socket
    imagelab graph --from unix:///run/user/1000/podman/podman.sock   Podman: its socket speaks Docker's API

`state_of` is pure: the answers of the Engine API in, a State out. An engine does not say how large a layer is, only how much
each row of a history added; rows that only changed the config are no layers, and when what remains are as many as there are
layers, they belong together. Else the sizes are left at 0 rather than guessed.

`read` asks the questions, through docker-py, which is asked for only here: `pip install 'imagelab[docker]'`. It only looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagelab.errors import ImageLabError, ImageNotFoundError, ReferenceSyntaxError
from imagelab.oci.digest import Digest
from imagelab.oci.documents import chain_ids
from imagelab.oci.reference import Reference
from imagelab.state.model import Container, Image, Layer, State
from imagelab.view.graph.lab_graph import instruction

SECOND = 1_000_000_000
CONFIG_ONLY = frozenset(
    "ARG CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD SHELL STOPSIGNAL USER VOLUME".split()
)
"""Instructions that make no layer."""


class EngineError(ImageLabError):
    """The engine cannot be asked."""

    origin = "client"


@dataclass(frozen=True, slots=True)
class EngineState:
    """What an engine holds, and the instructions that made its layers, by chain ID."""

    state: State
    commands: Mapping[Digest, str]


def state_of(
    images: Sequence[Mapping[str, Any]], inspected: Mapping[str, Mapping[str, Any]], histories: Mapping[str, Sequence[Mapping[str, Any]]],
    containers: Sequence[Mapping[str, Any]],
) -> EngineState:  # fmt: skip
    """From `/images/json`, and `/images/{id}/json` and `/images/{id}/history` by ID, and `/containers/json`, as the Engine API has them."""
    stacks: dict[Digest, Image] = {}
    layers: dict[Digest, Layer] = {}
    names: dict[str, Digest] = {}
    commands: dict[Digest, str] = {}
    for listed in images:
        image_id = _digest(listed["Id"])
        diff_ids = [_digest(text) for text in (inspected[listed["Id"]].get("RootFS") or {}).get("Layers") or ()]
        stack = tuple(chain_ids(diff_ids))
        rows = _rows(histories[listed["Id"]], len(stack))
        for diff_id, chain_id, below, (size, command) in zip(diff_ids, stack, (None, *stack), rows, strict=False):
            layers.setdefault(chain_id, Layer(chain_id, diff_id, below, size, diff_id, 0, ""))
            commands.setdefault(chain_id, command)
        parent = _digest(listed["ParentId"]) if listed.get("ParentId") else None
        stacks[image_id] = Image(
            image_id, int(listed.get("Created") or 0) * SECOND, int(listed.get("Size") or 0), stack, image_id, 0, parent,
            dict(listed.get("Labels") or {}),
        )  # fmt: skip
        names.update((name, image_id) for name in _names(listed))
    boxes = {box.id: box for box in map(_container, containers)}
    return EngineState(State(stacks, names, layers, boxes), {key: text for key, text in commands.items() if text})


def _digest(text: str) -> Digest:
    return Digest.trusted(text if text.startswith("sha256:") else f"sha256:{text}")


def _rows(history: Sequence[Mapping[str, Any]], count: int) -> list[tuple[int, str]]:
    """(size, instruction) of each layer, base first; without sizes when the history does not say which rows are layers."""
    rows = [
        (int(row.get("Size") or 0), instruction(row.get("CreatedBy") or row.get("Comment") or ""))
        for row in reversed(history)
    ]
    layers = [row for row in rows if row[0] or row[1].split(" ")[0] not in CONFIG_ONLY]
    candidates = (layers, [row for row in rows if row[0]], [(0, "")] * count)
    return next(candidate for candidate in candidates if len(candidate) == count)


def _names(listed: Mapping[str, Any]) -> Iterator[str]:
    """Canonical references; `<none>` is none."""
    for text in (*(listed.get("RepoTags") or ()), *(listed.get("RepoDigests") or ())):
        try:
            yield str(Reference.parse(text))
        except ReferenceSyntaxError:
            continue


def _container(listed: Mapping[str, Any]) -> Container:
    names = [name.removeprefix("/") for name in listed.get("Names") or ()]
    command = listed.get("Command") or ""
    words = list(command) if isinstance(command, list) else [command] if command else []
    return Container(
        listed["Id"], next(iter(names), listed["Id"][:12]), _digest(listed["ImageID"]), listed.get("State") or "created",
        int(listed.get("SizeRw") or 0), created=int(listed.get("Created") or 0) * SECOND, image_name=listed.get("Image") or "",
        config={"Cmd": words},
    )  # fmt: skip


def named(state: State, text: str) -> Digest:
    """The image that a name, the beginning of an ID, or a container's name stands for. ImageNotFoundError."""
    box = next((box for box in state.containers.values() if box.name == text), None)
    if box is not None:
        return box.image
    try:
        known = state.references.get(str(Reference.parse(text).with_default_tag()))
    except ReferenceSyntaxError:
        known = None
    begun = [image_id for image_id in state.images if image_id.hex.startswith(text)]
    if known is None and len(begun) != 1:
        raise ImageNotFoundError(f"No such image: {text}", hint="docker images lists what is there")
    return known or begun[0]


def read(where: str) -> EngineState:
    """Ask an engine: "docker" for the one that the environment names, else its URL. EngineError when it cannot be asked."""
    client = _client(where)
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        images = client.images(all=True)
        inspected = {image["Id"]: client.inspect_image(image["Id"]) for image in images}
        histories = {image["Id"]: client.history(image["Id"]) for image in images}
        return state_of(images, inspected, histories, client.containers(all=True, size=True))
    except (DockerException, RequestException) as error:
        raise EngineError(f"the engine at {where} broke off: {error}", hint="try again") from None
    finally:
        client.close()


def _client(where: str) -> Any:
    try:
        from docker import APIClient
        from docker.errors import DockerException
        from docker.utils import kwargs_from_env
    except ImportError:
        raise EngineError("asking an engine needs docker-py", hint="pip install 'imagelab[docker]'") from None
    asked = kwargs_from_env() if where == "docker" else {"base_url": where}
    try:
        return APIClient(version="auto", timeout=60, **asked)
    except DockerException as error:
        hint = "is it running? Podman: podman system service, then --from unix:///run/user/$UID/podman/podman.sock"
        raise EngineError(
            f"no engine answers at {asked.get('base_url') or 'the usual socket'}: {error}", hint=hint
        ) from None
