"""What makes two steps of a build the same step: digests by which the build cache finds the image of a step."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

COMPARED = """Env Cmd Entrypoint Shell ExposedPorts Volumes Labels OnBuild User WorkingDir StopSignal Healthcheck Tty OpenStdin
StdinOnce""".split()
"""What has to be equal: not Hostname, not Image."""
_HASH = re.compile(r"(file|dir|multi):[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StepKeys:
    """`same`: equal for the very same step. `alike`: equal for steps of the same text, whatever their input."""

    same: str
    alike: str


def keys_of(made_with: Mapping[str, Any]) -> StepKeys:
    """The keys of a step by its `container_config`."""
    compared = [made_with.get(key) or None for key in COMPARED]
    return StepKeys(_digest(compared), _digest(_shape(made_with.get("Cmd") or [])))


def _shape(command: Sequence[str]) -> list[str]:
    """A command without what stands for its input: hashes of files, build arguments."""
    if command and command[0].startswith("|"):
        command = command[1 + int(command[0][1:] or 0) :]
    return [_HASH.sub("…", word) for word in command]


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
