"""Labs as values: a few lines that name images, their layers, parents and references.

    a_state(image("base", "L1"), image("web", "L1", "L2", parent="base", names=["nginx:latest"]))

Images and layers are named by a word; `id_of(word)` is the digest that stands for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from imagelab.oci.documents import Digest, chain_ids
from imagelab.oci.reference import Reference
from imagelab.state.model import Container, Image, Layer, State

SECOND = 1_000_000_000


def id_of(word: str) -> Digest:
    return Digest.of(word.encode())


def chain(*layers: str) -> tuple[Digest, ...]:
    return tuple(chain_ids(id_of(layer) for layer in layers))


class Named:
    """An image and the names it goes by."""

    def __init__(self, image: Image, layers: Sequence[str], names: Sequence[str]) -> None:
        self.image, self.layers, self.names = image, layers, names


def image(
    word: str,
    *layers: str,
    parent: str = "",
    names: Sequence[str] = (),
    created: int = 0,
    labels: dict[str, str] | None = None,
) -> Named:
    value = Image(
        id=id_of(word),
        created=created * SECOND,
        size=100 * len(layers),
        layers=chain(*layers),
        target=id_of(f"manifest of {word}"),
        content_size=40 * len(layers),
        parent=id_of(parent) if parent else None,
        labels=labels or {},
    )
    return Named(value, layers, names)


def a_state(*images: Named, containers: Sequence[Container] = ()) -> State:
    layers: dict[Digest, Layer] = {}
    references: dict[str, Digest] = {}
    for named in images:
        below: Digest | None = None
        for word, chain_id in zip(named.layers, named.image.layers, strict=True):
            diff_id = id_of(word)
            layers[chain_id] = Layer(chain_id, diff_id, below, 100, id_of(f"blob of {word}"), 40, "layer")
            below = chain_id
        for name in named.names:
            reference = Reference.parse(name)
            references[str(reference.with_default_tag())] = named.image.id
    return State(
        images={named.image.id: named.image for named in images},
        references=references,
        layers=layers,
        containers={container.id: container for container in containers},
    )


def container(word: str, of: str, *, running: bool = False) -> Container:
    return Container(
        id=id_of(f"container {word}").hex, name=word, image=id_of(of), status="running" if running else "exited"
    )
