"""Registries to compare with: ours on a port, and Debian's docker-registry."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import peers
from imagelab.server.registry import RegistryApp
from imagelab.server.serve import serving
from imagelab.server.storage import DirectoryStorage


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Our registry on a free port: `127.0.0.1:PORT`."""
    with serving(RegistryApp(DirectoryStorage(tmp_path / "registry"))) as url:
        yield url.removeprefix("http://")


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """docker-registry (distribution 2.8) on a free port: `127.0.0.1:PORT`."""
    peers.need("docker-registry")
    folder = tmp_path_factory.mktemp("docker-registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    line = [str(peers.find("docker-registry")), "serve", str(config)]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            line, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=1).close()
                break
            except OSError:
                assert running.poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OCI layout of a real Debian, four layers; made once, kept in IMAGELAB_CACHE where that is set."""
    peers.need("debootstrap", "umoci")
    if os.environ.get("IMAGELAB_CACHE"):
        folder = Path(os.environ["IMAGELAB_CACHE"])
        folder.mkdir(parents=True, exist_ok=True)
    else:
        folder = tmp_path_factory.mktemp("debian")
    from benchmarks.debian import layout

    return layout(folder)
