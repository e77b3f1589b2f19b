"""The other tools that imagelab is compared with, and what each needs to run as an ordinary test.

A missing tool skips the test on a learner's machine. In CI, where the script has installed them all, it is a
failure: a comparison that was not made must not look like one that passed.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def need(*tools: str) -> None:
    """Skip (locally) or fail (in CI) unless every tool is on PATH."""
    missing = [tool for tool in tools if find(tool) is None]
    if missing:
        message = f"not installed: {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def need_module(name: str) -> None:
    """The same for a package of an optional extra."""
    if os.environ.get("CI"):
        importlib.import_module(name)
    else:
        pytest.importorskip(name)


def find(tool: str) -> str | None:
    """Where a tool is; Debian keeps some of ours in sbin, which is not on everybody's PATH."""
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin")


def run(
    *command: str | Path, environment: dict[str, str] | None = None, timeout: float = 120, check: bool = True
) -> str:
    """Standard output of a command that must succeed; the test shows its standard error when it does not."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(environment or {})},
    )
    if check and done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def podman_environment(directory: Path, *registries: str) -> dict[str, str]:
    """Settings that let podman and buildah run in a container, as root, with plain local registries."""
    conf, registries_conf = directory / "containers.conf", directory / "registries.conf"
    conf.write_text(
        '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=2048:4096"]\n'
        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
    )
    entries = "".join(f'[[registry]]\nlocation = "{location}"\ninsecure = true\n' for location in registries)
    registries_conf.write_text("unqualified-search-registries = []\n" + entries)
    return {"CONTAINERS_CONF": str(conf), "CONTAINERS_REGISTRIES_CONF": str(registries_conf)}
