"""A container becomes an image: one more layer, one more line of history (R6.32-R6.38).

    changes since the init layer --layer.write--> tar --gzip--> blob          the new layer, on top of the image's
    the image's config + the container's config + one history entry --------> the new config: its digest is the image ID
    the image the container was made from ----------------------------------> the new image's parent, remembered here only

A container in which nothing changed makes no layer: its history entry says `empty_layer` (R6.34). It is a new image all
the same, because the time in its config differs.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagelab.digest import Digest
from imagelab.errors import ImageLabError
from imagelab.layer import blob_of
from imagelab.oci import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, Descriptor, chain_ids, encode
from imagelab.state import Container, Image, Layer
from imagelab.store import Store
from imagelab.tree import Change, Node, Put, Tree
from imagelab.units import rfc3339

DOCKER_VERSION = "28.2.2"
"""Whose format a committed config has; the same in every release, so that digests stay the same."""


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image about to be stored."""

    parent: Image | None
    config: dict[str, Any]
    """Everything but rootfs."""
    changes: tuple[Change, ...]


def with_parents(changes: Iterable[Change], tree: Tree) -> tuple[Change, ...]:
    """The changes, and every directory on the way to them, as a layer's tar has them (R6.31)."""
    found = {change.path: change for change in changes}
    for path in list(found):
        while "/" in path:
            path = path.rpartition("/")[0]
            found.setdefault(path, Put(path, tree[path]))
    return tuple(found.values())


def store_image(store: Store, new: NewImage, read: Callable[[Node], bytes], now: int) -> Image:
    """Write the layer, the config and a manifest, and then the image that names them. `now`: nanoseconds since 1970."""
    layers = [store.state().layers[chain_id] for chain_id in new.parent.layers] if new.parent else []
    with store.lease():
        if new.changes:
            layers.append(_stored_layer(store, new.changes, read, layers[-1].chain_id if layers else None))
        data = {**new.config, "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}}
        raw = encode(dict(sorted(data.items())))
        image_id = store.put_blob(raw)
        config = Descriptor(OCI_CONFIG, image_id, len(raw))
        blobs = [Descriptor(layer.media_type, layer.blob, layer.blob_size) for layer in layers]
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": _json(config), "layers": [_json(b) for b in blobs]}  # fmt: skip
        target = store.put_blob(encode(manifest))
        image = Image(
            image_id, now, sum(layer.size for layer in layers), tuple(layer.chain_id for layer in layers), target,
            len(encode(manifest)) + len(raw) + sum(layer.blob_size for layer in layers),
            new.parent.id if new.parent else None, dict((data.get("config") or {}).get("Labels") or {}),
            f"{data['os']}/{data['architecture']}" + (f"/{data['variant']}" if data.get("variant") else ""), local=True,
        )  # fmt: skip
        with store.transaction() as tx:
            for layer in layers:
                tx.put_layer(layer)
            tx.put_image(image)
    return image


def _json(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def _stored_layer(store: Store, changes: tuple[Change, ...], read: Callable[[Node], bytes], below: Digest | None) -> Layer:
    blob = blob_of(changes, read)
    with store.receive(Descriptor(OCI_LAYER_GZIP, Digest.of(blob), len(blob))) as download:
        download.write(blob[download.offset :])
        index = download.commit()
    chain_id = chain_ids([below, index.diff_id])[-1] if below else index.diff_id
    return Layer(chain_id, index.diff_id, below, index.size, index.blob, index.blob_size, index.media_type)


def committed(
    store: Store, container: Container, base: Image | None, changes: tuple[Change, ...], *,
    author: str, message: str, instructions: Sequence[str], now: int,
) -> NewImage:  # fmt: skip
    """The image that `docker commit` would make of a container."""
    old = store.config(container.image).data if base is not None else {}
    created = rfc3339(now)
    entry = {"created": created, "created_by": " ".join(container.config.get("Cmd") or []), "author": author, "comment": message}
    history = {key: value for key, value in entry.items() if value or key == "created"} | ({} if changes else {"empty_layer": True})
    data: dict[str, Any] = {
        "architecture": old.get("architecture") or "amd64",
        "os": old.get("os") or "linux",
        "config": with_instructions(dict(container.config), instructions),
        "container": container.id,
        "container_config": dict(container.config),
        "created": created,
        "docker_version": DOCKER_VERSION,
        "history": [*(old.get("history") or []), history],
    }
    data |= {key: old[key] for key in ("variant", "os.version", "os.features") if old.get(key)}
    data |= {"author": author} if author else {}
    return NewImage(base, data, changes)


# -- --change -----------------------------------------------------------------------------------------------

ALLOWED = "CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR".split()


def with_instructions(config: dict[str, Any], instructions: Iterable[str]) -> dict[str, Any]:
    """A container's config with Dockerfile instructions applied (R6.37). ImageLabError in Docker's words."""
    wanted = [line.strip() for text in instructions for line in text.split("\n") if line.strip()]
    for line in wanted:
        name, _, rest = line.partition(" ")
        if name.upper() not in ALLOWED:
            known = name.upper() in ("FROM", "RUN", "COPY", "ADD", "ARG", "MAINTAINER", "SHELL")
            said = f"{name.upper()} is not a valid change command" if known else f"unknown instruction: {name.upper()}"
            raise ImageLabError(said, hint=f"one of {', '.join(ALLOWED)}")
        if not rest.strip():
            raise ImageLabError(f"{name.upper()} requires at least one argument", hint=f"-c '{name.upper()} …'")
        config = _applied(config, name.upper(), rest.strip(), wanted)
    return config


def _applied(config: dict[str, Any], name: str, rest: str, all: list[str]) -> dict[str, Any]:
    match name:
        case "CMD":
            return config | {"Cmd": _words(rest)}
        case "ENTRYPOINT":
            with_command = any(line.upper().startswith("CMD ") for line in all)
            return config | {"Entrypoint": _words(rest)} | ({} if with_command else {"Cmd": None})
        case "ENV":
            return config | {"Env": _environment(config.get("Env") or [], _pairs(rest, name))}
        case "LABEL":
            return config | {"Labels": {**(config.get("Labels") or {}), **_pairs(rest, name)}}
        case "EXPOSE":
            ports: dict[str, dict[str, str]] = {_port(word): {} for word in rest.split()}
            return config | {"ExposedPorts": dict(sorted({**(config.get("ExposedPorts") or {}), **ports}.items()))}
        case "VOLUME":
            paths = _list(rest) or rest.split()
            return config | {"Volumes": {**(config.get("Volumes") or {}), **{path: {} for path in paths}}}
        case "WORKDIR":
            before = config.get("WorkingDir") or "/"
            return config | {"WorkingDir": rest if rest.startswith("/") else f"{before.rstrip('/')}/{rest}"}
        case "USER":
            return config | {"User": rest}
        case "STOPSIGNAL":
            return config | {"StopSignal": rest}
        case "ONBUILD":
            return config | {"OnBuild": [*(config.get("OnBuild") or []), rest]}
    test = ["NONE"] if rest.upper() == "NONE" else ["CMD-SHELL", re.sub(r"^CMD\s+", "", rest)]
    return config | {"Healthcheck": {"Test": test}}


def _list(text: str) -> list[str] | None:
    """A JSON list of strings, or None."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) and all(isinstance(item, str) for item in found) else None


def _words(text: str) -> list[str]:
    """The exec form as it is; the shell form for /bin/sh."""
    found = _list(text)
    return ["/bin/sh", "-c", text] if found is None else found


def _pairs(text: str, name: str) -> dict[str, str]:
    if "=" not in text.split()[0]:
        key, _, value = text.partition(" ")
        if not value:
            raise ImageLabError(f"{name} must have two arguments", hint=f"-c '{name} {key}=value'")
        return {key: value.strip()}
    try:
        words = shlex.split(text)
    except ValueError:
        raise ImageLabError(f"{name}: {text}: a quote is not closed", hint="quote the value as in a shell") from None
    bad = next((word for word in words if "=" not in word), None)
    if bad is not None:
        raise ImageLabError(f"Syntax error - can't find = in {json.dumps(bad)}. Must be of the form: name=value")
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def _environment(before: list[str], new: Mapping[str, str]) -> list[str]:
    """A key keeps its place when its value changes."""
    rest = dict(new)
    kept = [f"{key}={rest.pop(key)}" if (key := entry.partition("=")[0]) in rest else entry for entry in before]
    return [*kept, *(f"{key}={value}" for key, value in rest.items())]


def _port(word: str) -> str:
    number, _, protocol = word.partition("/")
    if not number.isdigit() or not 0 < int(number) < 65536:
        raise ImageLabError(f"invalid containerPort: {word}", hint="a number from 1 to 65535, for example 80 or 53/udp")
    return f"{int(number)}/{(protocol or 'tcp').lower()}"
