"""Pictures: `lab.graph()` to SVG, a thousand layers, the lenses, the stepper of 50 steps.

20 images        at most 50 ms to SVG, the state read and the histories parsed
1,000 layers     at most 1 s, folded or not
stepper          the page of 50 steps; moving from step to step is the browser's business (tests/browser holds 100 ms)
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.measure import interleaved, show, twenty
from imagelab.oci.digest import Digest
from imagelab.oci.documents import chain_ids
from imagelab.state.model import Image, Layer, State
from imagelab.view.graph.model import graph
from imagelab.view.graph.svg import picture
from imagelab.view.graph.text import tree

LIMITS = {"lab.graph().svg, 20 images": 0.05, "1,000 layers, folded": 1.0, "1,000 layers, one by one": 1.0}
"""Seconds."""


def bench(folder: Path) -> None:
    """Rows for the pictures; a row over its limit is said to be."""
    lab = twenty(folder / "view")
    deep = a_stack(1000)
    lab.graph().svg  # noqa: B018 - the modules and the words are loaded once
    seconds = interleaved(
        {
            "lab.graph().svg, 20 images": lambda: lab.graph().svg,
            "the same as a tree": lambda: lab.graph().text,
            "lab.dangling().html": lambda: lab.dangling().html,
            "lab.eras().html": lambda: lab.eras().html,
            "lab.stepper().html, 50 steps": lambda: lab.stepper().html,
            "1,000 layers, folded": lambda: picture(graph(deep)),
            "1,000 layers, one by one": lambda: picture(graph(deep, fold=0)),
            "1,000 layers as a tree": lambda: tree(graph(deep, fold=0)),
        },
        9,
    )
    over = [f"{name} is over its {limit * 1000:.0f} ms" for name, limit in LIMITS.items() if seconds[name] > limit]
    show("pictures", seconds, "lab.graph().svg, 20 images", "; ".join(over) or "all within their limits")
    lab.close()


def a_stack(count: int) -> State:
    """One image of so many layers."""
    diff_ids = [Digest.of(str(n).encode()) for n in range(count)]
    layers = {}
    below: Digest | None = None
    for diff_id, chain_id in zip(diff_ids, chain_ids(diff_ids), strict=True):
        layers[chain_id] = Layer(chain_id, diff_id, below, 100, diff_id, 40, "layer")
        below = chain_id
    image = Image(Digest.of(b"deep"), 0, 100 * count, tuple(layers), Digest.of(b"manifest"), 40 * count)
    return State(images={image.id: image}, references={"docker.io/library/deep:1": image.id}, layers=layers)


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as place:
        bench(Path(place))
    sys.exit(0)
