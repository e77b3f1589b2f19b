"""Verbs in a lab of a thousand images: they must not cost more as the lab grows.

All of it against one floor, F: a Python that imports what any such program imports, and ends. Whole processes are run in
turns with it; verbs in this process a hundred at a time, with a floor between.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import imagelab
from imagelab.app import Lab
from imagelab.oci.digest import Digest
from imagelab.oci.documents import chain_ids
from imagelab.state.model import Image, Layer
from imagelab.store.store import Store

FLOOR = "import sqlite3, json, re, dataclasses, pathlib, datetime, argparse"
LAUNCH = """
import os, sys, time
null = os.open(os.devnull, os.O_WRONLY)
begin = time.perf_counter()
if hasattr(os, "wait4"):
    child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
    _, status, usage = os.wait4(child, 0)
    peak = usage.ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1024)
else:
    import subprocess
    status, peak = subprocess.call(sys.argv[1:], stdout=null), 0
print(time.perf_counter() - begin, peak)
sys.exit(status != 0)
"""
"""A process as small as can be, that starts another: what it measures is not what had been in the memory of this one."""
COUNT = 1000
BLOCK = 100


def a_chain(directory: Path) -> None:
    """A lab of 1,000 images, each made of the one before it and with a layer more."""
    diff_ids = [Digest.of(f"layer {number}".encode()) for number in range(COUNT)]
    chain = chain_ids(diff_ids)
    images = [Digest.of(f"image {number}".encode()) for number in range(COUNT)]
    with Store.open(directory) as store, store.transaction() as tx:
        for number, image_id in enumerate(images):
            below = chain[number - 1] if number else None
            tx.put_layer(Layer(chain[number], diff_ids[number], below, 1000, diff_ids[number], 500, "layer"))
            created = 1_480_000_000_000_000_000 + number * 10**9
            parent = images[number - 1] if number else None
            tx.put_image(
                Image(image_id, created, 1000, tuple(chain[: number + 1]), image_id, 500, parent=parent, local=True)
            )
        tx.tag("docker.io/library/top:latest", images[-1], 1_490_000_000_000_000_000)


def measured(line: list[str]) -> tuple[float, int]:
    """Seconds of a whole process, and MiB at its peak (0 where the system does not say)."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([sys.executable, "-c", LAUNCH, *line], stdout=subprocess.PIPE, env=kept, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(line)} ended with {done.returncode}")
    seconds, peak = done.stdout.split()
    return float(seconds), int(peak)


def floor() -> float:
    """Seconds of the floor."""
    return measured([sys.executable, "-c", FLOOR])[0]


def bench_processes(lines: dict[str, list[str]], runs: int = 11) -> None:
    """Whole processes, in turns."""
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in ("F", *lines)}
    for _ in range(runs):
        for name in found:
            line = [sys.executable, "-m", "imagelab", *lines[name]] if name in lines else [sys.executable, "-c", FLOOR]
            found[name].append(measured(line))
    base = statistics.median(seconds for seconds, _ in found["F"])
    print("\nlistings, whole processes")
    for name, taken in found.items():
        seconds, peak = statistics.median(seconds for seconds, _ in taken), max(peak for _, peak in taken)
        print(f"  {name:<44} {seconds:8.3f} s   {seconds / base:7.2f} F   {peak} MiB")


def bench_verb(name: str, verb: Callable[[int], object], wanted: str) -> None:
    """A verb a thousand times, a hundred at a time with floors between them."""
    blocks: list[float] = []
    floors: list[float] = []
    for first in range(0, COUNT, BLOCK):
        floors += [floor(), floor()]
        begin = time.perf_counter()
        for number in range(first, first + BLOCK):
            verb(number)
        blocks.append(time.perf_counter() - begin)
    each, last = sum(blocks) / COUNT / statistics.median(floors), blocks[-1] / blocks[0]
    print(f"  {name:<44} {sum(blocks):8.3f} s   {each:7.3f} F each, the last hundred x {last:.2f} the first; {wanted}")


def bench(folder: Path, a_thousand: Callable[..., None]) -> None:
    listing, chain, empty = folder / "growth", folder / "chain", folder / "empty"
    a_thousand(listing, tagged=True)
    a_chain(chain)
    Store.open(empty).close()
    bench_processes(
        {
            "imagelab images, none": ["--lab", str(empty), "images"],
            "imagelab images, 1,000 (2 F wanted)": ["--lab", str(listing), "images"],
            "imagelab images -a, a chain of 1,000 (3.5 F)": ["--lab", str(chain), "images", "-a"],
        }
    )
    print("\nverbs in one process, 1,000 of each")
    with closing(imagelab.connect(listing, environ={}, in_process=True)) as lab:
        lab.pull("hello-world")
        for name, verb in _verbs(lab):
            bench_verb(name, verb, "0.1 F wanted")
    with closing(imagelab.connect(folder / "builds", environ={}, in_process=True)) as lab:
        lab.pull("nginx")
        bench_verb("build of one LABEL", lambda at: _build(lab, f"LABEL x={at}\n"), "0.25 F and x 1.3 wanted")
        steps = "".join(f"LABEL a{number % 7}={number}\n" for number in range(COUNT - 1))
        floors, begin = [floor() for _ in range(5)], time.perf_counter()
        _build(lab, steps)
        taken = time.perf_counter() - begin
        print(
            f"  {'one build of 1,000 steps (120 F wanted)':<44} {taken:8.3f} s   {taken / statistics.median(floors):7.1f} F"
        )


def _verbs(lab: Lab) -> Iterator[tuple[str, Callable[[int], object]]]:
    yield "pull of what is here", lambda at: lab.pull("hello-world")
    yield "tag", lambda at: lab.tag("hello-world", f"tagged:{at}")
    yield "rmi of a tag", lambda at: lab.rmi(f"tagged:{at}")


def _build(lab: Lab, instructions: str) -> object:
    return lab.build({"Dockerfile": f"FROM nginx\n{instructions}"}, "app")
