"""How things are measured: in turns, the median, beside something to compare with; and the lab that pictures are drawn of."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from imagelab.app import Lab, connect

RUNS = 3


def timed(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def interleaved(contenders: Mapping[str, Callable[[], object]], runs: int = RUNS) -> dict[str, float]:
    """Median seconds of each, run in turns so that a slow minute slows all of them."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, act in contenders.items():
            times[name].append(timed(act))
    return {name: statistics.median(found) for name, found in times.items()}


def show(title: str, seconds: Mapping[str, float], against: str, notes: str = "") -> None:
    """One table, each row beside `against`."""
    print(f"\n{title}")
    for name, value in seconds.items():
        print(f"  {name:<34} {value:8.3f} s   x {value / seconds[against]:6.2f}")
    if notes:
        print(f"  {notes}")


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="il-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def have(*tools: str) -> bool:
    """Are they all installed? What is missing is said."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        print(f"\nnot installed, so not measured: {', '.join(missing)}")
    return not missing


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, but with compiled modules kept, as on every machine that was not told otherwise."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **(more or {})}


def run(*line: str | Path, env: Mapping[str, str] | None = None) -> str:
    """What a program prints; one that fails ends all."""
    done = subprocess.run([str(word) for word in line], capture_output=True, text=True, env=environment(env))
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, line))}\n{done.stderr}")
    return done.stdout


def twenty(folder: Path) -> Lab:
    """A lab of 20 images and 50 steps: the book's, and what was committed and tagged on them."""
    lab = connect(folder, clock="class", environ={}, in_process=True)
    for name in ("ubuntu:14.04", "ubuntu:16.04", "nginx", "mongo:3.2"):
        lab.pull(name)
    lab.docker("create --name box ubuntu:16.04")
    for n in range(16):
        lab.docker(["commit", "-c", f"ENV N={n}", "box", f"made:{n}"])
    while len(lab.steps()) < 50:
        lab.tag("nginx", f"name{len(lab.steps())}:1")
    assert len(lab.state.images) == 20
    return lab
