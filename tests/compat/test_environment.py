"""environment.yml as conda would read it. A solve needs conda's channels and is not made here; all short of it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import peers

pytestmark = pytest.mark.compat
ROOT = Path(__file__).parent.parent.parent
ON_PYPI = {"python-graphviz": "graphviz"}


def specifications() -> list[str]:
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    return [entry for entry in listed if isinstance(entry, str)]


def test_conda_can_parse_every_line() -> None:
    """By the parser that conda's own tools use today."""
    if not os.environ.get("CI"):
        pytest.importorskip("rattler")
    from rattler import MatchSpec

    for text in specifications():
        spec = MatchSpec(text, strict=True)
        assert spec.name is not None and spec.name.normalized == text.partition(">")[0]


def test_every_package_exists_with_its_pin() -> None:
    """The same names and pins, asked of the Python package index."""
    wanted = [text for text in specifications() if not text.startswith(("python>", "pip"))]
    named = [
        ON_PYPI.get(text.partition(">")[0], text.partition(">")[0]) + ">" + text.partition(">")[2] for text in wanted
    ]
    line = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check", "--dest"]
    folder = ROOT / "build" / "environment"
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run([*line, str(folder), *named], capture_output=True, text=True, timeout=300)
    shutil.rmtree(folder, ignore_errors=True)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr


def test_binder_chooses_it() -> None:
    """repo2docker, which Binder and JupyterHub build with, picks environment.yml and Python 3.11 or newer."""
    peers.need("git")
    if not os.environ.get("CI"):
        pytest.importorskip("repo2docker")
    line = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "--no-run", str(ROOT)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-2000:]
    assert "CondaBuildPack" in said or "environment.yml" in said
