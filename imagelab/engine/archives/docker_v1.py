"""What images were before 1.10: a chain of layers, each with a description and an ID of its own, that name their parents.

They are not needed today, but every archive of Docker 1.10 to 28 still carries them, for Docker 1.9 (R6.45). The ID is the
digest of the description, of the chain ID it stands for and of the ID below; only the top one describes anything.

    {"id":"9f3a…","parent":"77c1…","created":"1970-01-01T00:00:00Z","container_config":{…nothing…},"os":"linux"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from imagelab.oci.digest import Digest

if TYPE_CHECKING:
    from imagelab.oci.documents import ImageConfig

_ALWAYS = {
    "Hostname": "", "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False, "AttachStderr": False,
    "ExposedPorts": ..., "Tty": False, "OpenStdin": False, "StdinOnce": False, "Env": None, "Cmd": None, "Healthcheck": ...,
    "ArgsEscaped": ..., "Image": "", "Volumes": None, "WorkingDir": "", "Entrypoint": None, "NetworkDisabled": ...,
    "MacAddress": ..., "OnBuild": None, "Labels": None, "StopSignal": ..., "StopTimeout": ..., "Shell": ...,
}  # fmt: skip
"""The fields of a container's config in Docker's order, and what stands there when nothing was said (`...`: no field)."""
_FIRST = (
    "comment",
    "created",
    "container",
    "container_config",
    "docker_version",
    "author",
    "config",
    "architecture",
    "variant",
    "os",
)


def v1_layers(config: ImageConfig, chain: Iterable[Digest]) -> list[tuple[str, bytes]]:
    """(ID, description as JSON) of each layer of an image, base first; `chain` has their chain IDs."""
    layers: list[tuple[str, bytes]] = []
    ids, parent = list(chain), ""
    for number, chain_id in enumerate(ids):
        own = (
            _top(config.data)
            if number == len(ids) - 1
            else {"created": "1970-01-01T00:00:00Z", "container_config": whole_config({})}
        )
        hashed: dict[str, Any] = {**own, "layer_id": str(chain_id)} | ({"parent": f"sha256:{parent}"} if parent else {})
        v1_id = Digest.of(_json(dict(sorted(hashed.items())))).hex
        system = {"os": config.data["os"]} if config.data.get("os") else {}
        layers.append((v1_id, _json({"id": v1_id} | ({"parent": parent} if parent else {}) | own | system)))
        parent = v1_id
    return layers


def _top(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the config says of the image, without its layers and its history."""
    fields = {key: data[key] for key in _FIRST if data.get(key)} | {
        "container_config": whole_config(data.get("container_config") or {})
    }
    if fields.get("config"):
        fields["config"] = whole_config(fields["config"])
    return {key: fields[key] for key in _FIRST if key in fields}


def whole_config(given: Mapping[str, Any]) -> dict[str, Any]:
    """A container's config with all fields that Docker always writes, in Docker's order."""
    filled = {key: given.get(key, nothing) for key, nothing in _ALWAYS.items()}
    return {key: value for key, value in filled.items() if value is not ...}


def _json(data: Mapping[str, Any]) -> bytes:
    """As Go writes it: no spaces, `<`, `>` and `&` escaped."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode()
