"""`make bench`: one table, each row beside what it is to be compared with, measured in the same run.

    pull        a Debian image from a registry on this machine: `imagelab pull -q`, its floor (the same bytes hashed,
                inflated, hashed again and their headers found, with no network and no store), skopeo, podman (`pull`)
    listing     `imagelab version`, `--help` and `images` with 1,000 images, beside a Python that imports what any such tool does
    prune       1,000 dangling images
    growth      listings, builds, pull, tag and rmi in a lab of 1,000 images, against a floor (`growth`)
    timeline    undo and redo in a lab of 1,000 images
    build       twelve steps, cold and cached; how the time of a long Dockerfile grows (`build`)
    archives    save and load of the Debian image, beside skopeo with the same archive (`archives`)
    pictures    the layer graph, lenses and the stepper (`view`)
    panels      explorer, sizes, avalanche, causes, tape (`panels`)
    containers  exec, the commit walk, and diff and commit on a Debian image beside podman's (`containers`)

Medians of a few interleaved runs. A tool that is not installed is said to be missing; nothing is left out in silence.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.archives import bench as bench_archives
from benchmarks.build import bench as bench_build
from benchmarks.containers import bench as bench_containers
from benchmarks.debian import layout
from benchmarks.growth import bench as bench_growth
from benchmarks.measure import RUNS, have, interleaved, run, scratch, show, timed
from benchmarks.panels import bench as bench_panels
from benchmarks.pull import bench as bench_pull
from benchmarks.timeline import bench as bench_timeline
from benchmarks.view import bench as bench_view

# -- a thousand images --------------------------------------------------------------------------------------

FLOOR = "sqlite3, json, re, dataclasses, pathlib, datetime, argparse"
"""What a command line over a small database imports before it does anything."""


def a_thousand(directory: Path, *, tagged: bool) -> None:
    """A lab of 1,000 images, five layers each, three of them their own."""
    from imagelab.oci.documents import Digest, chain_ids
    from imagelab.state.model import Image, Layer
    from imagelab.store.store import Store

    with Store.open(directory) as store, store.transaction() as tx:
        for number in range(1000):
            diff_ids = [
                Digest.of(b"base"),
                Digest.of(b"more"),
                *(Digest.of(f"{number} {n}".encode()) for n in range(3)),
            ]
            chain = chain_ids(diff_ids)
            for chain_id, diff_id, parent in zip(chain, diff_ids, [None, *chain], strict=False):
                tx.put_layer(Layer(chain_id, diff_id, parent, 1000, Digest.of(diff_id.encode()), 500, "layer"))
            image_id = Digest.of(f"image {number}".encode())
            created = 1_480_000_000_000_000_000 + number * 10**9
            tx.put_image(Image(image_id, created, 5000, tuple(chain), image_id, 2500, local=True))
            if tagged:
                tx.tag(f"docker.io/library/app{number % 50}:v{number}", image_id, created)


def bench_thousand(folder: Path) -> None:
    listing, prune = folder / "listing", folder / "prune"
    a_thousand(listing, tagged=True)
    contenders: dict[str, Callable[[], object]] = {
        "python -c pass": lambda: run(sys.executable, "-c", "pass"),
        FLOOR: lambda: run(sys.executable, "-c", f"import {FLOOR}"),
        "imagelab version": lambda: run(sys.executable, "-m", "imagelab", "version"),
        "imagelab --help": lambda: run(sys.executable, "-m", "imagelab", "--help"),
        "imagelab images, 1,000 images": lambda: run(sys.executable, "-m", "imagelab", "--lab", listing, "images"),
    }
    seconds = interleaved(contenders, 9)
    extra = (seconds["imagelab images, 1,000 images"] - seconds["python -c pass"]) * 1000
    show("starting up, and a listing", seconds, FLOOR, f"images: {extra:.0f} ms more than an empty Python")

    def pruned() -> float:
        shutil.rmtree(prune, ignore_errors=True)
        a_thousand(prune, tagged=False)
        return timed(lambda: run(sys.executable, "-m", "imagelab", "--lab", prune, "image", "prune", "-f"))

    print(
        f"\nprune\n  {'imagelab image prune, 1,000 images':<34} {statistics.median(pruned() for _ in range(RUNS)):8.3f} s"
    )


def main() -> None:
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, medians of {RUNS} interleaved runs")
    kept = os.environ.get("IMAGELAB_CACHE")
    with scratch() as folder:
        if kept:
            (folder / "debian").symlink_to(Path(kept).resolve(), target_is_directory=True)
        bench_thousand(folder)
        bench_timeline(folder)
        bench_build(folder)
        bench_view(folder)
        bench_panels(folder)
        bench_containers(folder)
        bench_growth(folder, a_thousand)
        bench_pull(folder)
        if have("skopeo", "umoci", "debootstrap"):
            bench_archives(folder, layout(folder / "debian"))


if __name__ == "__main__":
    main()
