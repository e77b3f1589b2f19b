"""Goals with one thing wrong: a name dropped, a name on the wrong image, two layers swapped, a file renamed.

    before ── solution ──> goal          checks hold
                            │ drop the tag nginx:v2
                            └──────────> mutant      some check must notice

If nobody notices, the checks ask for less than the task says, and a learner can pass without having done it. Only what
the solution brought about is changed: names that are new, moved or gone, images that are new, gone or nameless, the files
in the new layers; and, where it makes no image, the containers it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from itertools import chain

from imagelab.course.exercise import Exercise, perform
from imagelab.course.lab_snapshot import LabSnapshot, take_snapshot
from imagelab.course.trial import clean_lab
from imagelab.layers.tree import Draft, Put, Tree, diff
from imagelab.layers.writable_layer import init_layer, init_tree
from imagelab.oci.digest import Digest
from imagelab.oci.reference import familiar
from imagelab.state.model import Image, State

Mutant = tuple[str, LabSnapshot]
MOST_FILES = 300
MADE_BY_DOCKER = {change.path for change in init_layer("", 0).changes}


def survivors(exercise: Exercise) -> list[str]:
    """What no check of the exercise notices, each as what was done to the goal; [] when all is noticed."""
    with clean_lab(exercise) as lab:
        before = take_snapshot(lab)
        perform(lab, exercise.solution)
        goal = take_snapshot(lab)

        def noticed(mutant: LabSnapshot) -> bool:
            return not exercise.judge(before, mutant).passed

        alone = [name for name, snapshot in mutants(before, goal) if not noticed(snapshot)]
        files = [name for name, found in renamings(before, goal) if found and not any(map(noticed, found))]
    return [name for name in alone + files if not any(fnmatch(name, free) for free in exercise.free)]


def mutants(before: LabSnapshot, goal: LabSnapshot) -> Iterator[Mutant]:
    """Goals with one thing wrong, each of which must be noticed."""
    yield from chain(_names(before, goal), _images(before, goal))
    if not _made(before, goal):
        for container in goal.state.containers.values():
            if container.id not in before.state.containers:
                rest = {key: one for key, one in goal.state.containers.items() if key != container.id}
                yield f"drop the container {container.name}", _with(goal, containers=rest)


def _names(before: LabSnapshot, goal: LabSnapshot) -> Iterator[Mutant]:
    was, now = _tags(before.state), _tags(goal.state)
    for name in sorted(now):
        if was.get(name) != now[name]:
            rest = {other: found for other, found in goal.state.references.items() if other != name}
            yield f"drop the tag {familiar(name)}", _with(goal, references=rest)
            wrong = next((one for one in sorted(goal.state.images) if one != now[name]), None)
            if wrong is not None:
                yield f"put the tag {familiar(name)} on another image", _with(goal, references=rest | {name: wrong})
    for name in sorted(set(was) - set(now)):
        image = before.state.images[was[name]]
        images = {**goal.state.images, image.id: image}
        yield (
            f"bring back the tag {familiar(name)}",
            _with(goal, images=images, references={**goal.state.references, name: image.id}),
        )


def _images(before: LabSnapshot, goal: LabSnapshot) -> Iterator[Mutant]:
    state = goal.state
    for image_id in sorted(set(before.state.images) - set(state.images)):
        names = {name: found for name, found in before.state.references.items() if found == image_id and "@" in name}
        images = {**state.images, image_id: before.state.images[image_id]}
        yield (
            f"bring back the image {image_id.short}",
            _with(goal, images=images, references={**state.references, **names}),
        )
    for image_id in sorted(state.images):
        if not state.tags(image_id) and image_id in before.state.images:
            images = {key: image for key, image in state.images.items() if key != image_id}
            names = {name: found for name, found in state.references.items() if found != image_id}
            yield f"delete the nameless image {image_id.short}", _with(goal, images=images, references=names)
    for image in _made(before, goal):
        if len(image.layers) > 1:
            *below, one, other = image.layers
            swapped = replace(image, layers=(*below, other, one))
            yield f"swap two layers of {_called(goal, image)}", _with(goal, images={**state.images, image.id: swapped})


def renamings(before: LabSnapshot, goal: LabSnapshot) -> Iterator[tuple[str, list[LabSnapshot]]]:
    """For each image that was made, and else each container: the goal with one of its new files renamed. One must be noticed."""
    made = _made(before, goal)
    for image in made:
        below = goal.files[image.layers[-2]] if len(image.layers) > 1 else Tree.empty()
        yield f"rename a file of {_called(goal, image)}", _renamed(goal, image.layers[-1], below)
    for container in goal.state.containers.values() if not made else ():
        base = goal.files[container.layers[-1]] if container.layers else Tree.empty()
        old = before.files.get(container.id) or init_tree(base, init_layer("", 0))
        yield f"rename a file of the container {container.name}", _renamed(goal, container.id, old)


def _renamed(goal: LabSnapshot, key: str, below: Tree) -> list[LabSnapshot]:
    tree = goal.files[key]
    paths = [
        change.path for change in diff(below, tree)
        if isinstance(change, Put) and not change.node.is_directory and change.path not in MADE_BY_DOCKER
    ]  # fmt: skip
    found = []
    for path in paths[:MOST_FILES]:
        draft = Draft(tree)
        draft.move(path, f"{path}.mislaid")
        found.append(replace(goal, files={**goal.files, key: draft.tree()}))
    return found


def _made(before: LabSnapshot, goal: LabSnapshot) -> list[Image]:
    """Images that the solution made itself, with a layer of their own, and gave a name."""
    new = [image for key, image in sorted(goal.state.images.items()) if key not in before.state.images]
    return [
        image
        for image in new
        if image.local and goal.state.tags(image.id) and image.layers[-1] not in before.state.layers
    ]


def _called(goal: LabSnapshot, image: Image) -> str:
    return familiar(goal.state.tags(image.id)[0])


def _tags(state: State) -> dict[str, Digest]:
    return {name: found for name, found in state.references.items() if "@" not in name}


def _with(snapshot: LabSnapshot, **changes: object) -> LabSnapshot:
    state = snapshot.state
    parts: dict[str, object] = {
        "images": state.images, "references": state.references, "layers": state.layers, "containers": state.containers,
        "revision": state.revision,
    }  # fmt: skip
    return replace(snapshot, state=State(**(parts | changes)))  # type: ignore[arg-type]
