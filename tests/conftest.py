"""What most tests need: an empty lab by the class clock, fed by the built-in registry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import imagelab
from imagelab.app import Lab
from imagelab.state.events import Event, Progress

# In CI the same examples every time: a change is judged by what it changed. New ones are looked for everywhere else.
settings.register_profile("imagelab", deadline=None, max_examples=100, derandomize=bool(os.environ.get("CI")))
settings.load_profile("imagelab")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """An empty lab; whatever a test did to it, the doctor must find nothing."""
    lab = imagelab.connect(tmp_path / "lab", clock="class", environ={}, ports=os.environ.get("IMAGELAB_PORTS"))
    yield lab
    assert lab.engine.doctor() == []
    for container in lab.containers():  # nothing goes on after a test
        container.remove(force=True)
    lab.close()


@pytest.fixture
def ports_of_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    """8080 and its neighbours, which the book names and the lessons therefore use: each lab has its own."""
    monkeypatch.setenv("IMAGELAB_PORTS", "private")


@pytest.fixture
def told(lab: Lab) -> list[Progress | Event]:
    """What the lab's engine says, in order."""
    heard: list[Progress | Event] = []
    lab.pull_progress = lab.engine.events = heard.append
    return heard
