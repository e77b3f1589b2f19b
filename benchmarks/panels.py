"""Panels: from a method of the lab to the page it shows, on the built-in images, and the explorer on a large one.

any panel        at most 100 ms in a lab of 20 images and 50 steps
20,000 files     the explorer: nine layers, of which eight change 2,000 files each; at most 5 s
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import interleaved, show, twenty
from imagelab.layers.changeset import LayerIndex
from imagelab.layers.tar_scanner import TarRow
from imagelab.oci.digest import Digest
from imagelab.view.explorer.model import explore

LIMIT, LARGE = 0.1, 5.0
"""Seconds."""


def bench(folder: Path) -> None:
    """A row for each panel; one over its limit is said to be."""
    lab = twenty(folder / "panels")
    lab.docker("run -d --name web nginx")
    lab.docker("exec web sh -c 'echo hi > /srv/new'")
    layers = [a_layer(0, 20_000), *(a_layer(n, 2_000) for n in range(1, 9))]
    rows: dict[str, Callable[[], object]] = {
        "lab.explore().html": lambda: lab.explore("nginx").html,
        "lab.compare().html": lambda: lab.compare("ubuntu:14.04", "ubuntu:16.04").html,
        "lab.sizes().html": lambda: lab.sizes().html,
        "lab.avalanche().html": lambda: lab.avalanche("nginx").html,
        "lab.causes().html": lambda: lab.causes("web").html,
        "lab.tape().html": lambda: lab.tape().html,
        "explore, 20,000 files": lambda: explore("large", layers, None, lambda node: bytes(node.size)).html,
    }
    for row in rows.values():
        row()  # the modules and the words are loaded once
    seconds = interleaved(rows, 5)
    over = [f"{name} is over" for name, took in seconds.items() if took > (LARGE if "files" in name else LIMIT)]
    show("panels", seconds, "lab.explore().html", "; ".join(over) or "all within their limits")
    lab.close()


def a_layer(number: int, count: int) -> LayerIndex:
    """A layer of so many files of 1,000 bytes, a hundred in a directory."""
    folders = [TarRow(f"d{at // 100}", "directory", 0o755, 0, 0, 0, 0, "", 0) for at in range(0, count, 100)]
    files = [TarRow(f"d{at // 100}/f{at}", "file", 0o644, 0, 0, 1000, 0, "", 512 * at) for at in range(count)]
    names = (Digest.of(f"{what} {number}".encode()) for what in ("blob", "tar"))
    return LayerIndex(next(names), 1000, next(names), count * 1000, count * 1000, "layer", [*folders, *files])


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as place:
        bench(Path(place))
    sys.exit(0)
