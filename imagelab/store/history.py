"""The history of a lab: which steps there are, the state after each, and how to get back to it.

Step 0 is the beginning. Nothing here knows of processes: `imagelab.engine.timeline` moves a lab in which containers run,
and reconciles them with the state it moves to.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from imagelab.layers.tree import Change
from imagelab.layers.writable_layer import unpack
from imagelab.oci.digest import Digest
from imagelab.state.model import State
from imagelab.state.steps import Step, TimelineError, path_to, route
from imagelab.store.containers import container_of
from imagelab.store.database import Database, Stacks, image_of, layer_of, with_rows


class History:
    """The history of one lab, through one connection to its database."""

    def __init__(self, database: Database, lock: threading.RLock) -> None:
        self._database, self._lock = database, lock
        self._journal = database.journal

    @property
    def position(self) -> int:
        """The step whose result is the present; 0 at the beginning."""
        with self._lock:
            return self._journal.position

    @property
    def tip(self) -> int:
        """Where redo leads in the end."""
        with self._lock:
            return self._journal.tip

    def all(self) -> tuple[Step, ...]:
        """The steps of all branches, oldest first."""
        with self._lock:
            return tuple(self._journal.steps())

    def parents(self) -> dict[int, int]:
        """Step -> the one before it."""
        with self._lock:
            return self._journal.all_parents()

    def way(self, start: int, end: int) -> tuple[list[int], list[int]]:
        """The way from one step to another: (steps to undo, steps to do again), each in its order."""
        with self._lock:
            return route(self._journal.parents(), start, end)

    def behind(self, count: int) -> list[int]:
        """The last steps that led to the present, as many as that or all there are; the latest first."""
        with self._lock:
            parents, step = self._journal.parents(), self._journal.position
            steps: list[int] = []
            while step and len(steps) < count:
                steps.append(step)
                step = parents[step]
            return steps

    def some(self, numbers: Sequence[int]) -> tuple[Step, ...]:
        """These steps, in this order."""
        with self._lock:
            return tuple(self._journal.step(number) for number in numbers)

    def steps(self) -> tuple[Step, ...]:
        """The steps that led to the present, then those that redo would bring back."""
        steps = {step.number: step for step in self.all()}
        parents = self.parents()
        here, there = path_to(parents, self.position), path_to(parents, self.tip)
        return tuple(steps[number] for number in (there if there[: len(here)] == here else here))

    def state(self, number: int) -> State:
        """The lab as it was after a step. TimelineError when there is no such step."""
        with self._lock, self._database.reading():
            self.known(number)
            return self._database.state_after(self._journal.between(self.position, number))

    def states(self, numbers: Sequence[int]) -> Iterator[State]:
        """The lab as it was after each of these steps; cheap when each follows the one before it."""
        with self._lock, self._database.reading():
            reached, state = self.position, self._database.state()
        for number in numbers:
            with self._lock:
                self.known(number)
                state = with_rows(state, self._journal.between(reached, number))
            reached = number
            yield state

    def changes(self, number: int, container_id: str) -> tuple[Change, ...]:
        """What a container's files differed in from its init layer, after a step; () when it was not there."""
        container = self.state(number).containers.get(container_id)
        with self._lock:
            return unpack(self._database.containers.changes(container.files)) if container else ()

    def known(self, number: int) -> None:
        """TimelineError unless there is such a step."""
        if number and number not in self._journal.parents():
            raise TimelineError(f"there is no step {number}", hint="imagelab steps lists them")

    # -- moving ---------------------------------------------------------------------------------------------

    def kept(self, container_ids: Sequence[str]) -> list[tuple[Any, ...]]:
        """What the present step says of some containers: see `move`."""
        with self._lock:
            return self._journal.entries(self._journal.position, container_ids)

    def move(
        self, start: int, end: int, stopped: Sequence[str], entries: list[tuple[Any, ...]], pids: dict[str, int]
    ) -> None:
        """Restore the state after step `end`, in one transaction.

        `stopped`: containers that were only just stopped for this, and `kept` what the present step said of them before;
        `pids`: the drivers of those that go on. TimelineError when another process has changed the lab since `start`.
        """
        with self._lock, self._database.writing():
            journal = self._journal
            if journal.position != start:
                raise TimelineError("somebody else has just changed this lab", hint="look at it, and then try again")
            journal.restore(start, stopped, entries)
            net = journal.between(start, end)
            journal.apply(net)
            for container_id, pid in pids.items():
                self._database.containers.set_pid(container_id, pid)
            leads_on = not route(journal.parents(), end, journal.tip)[0]
            journal.move(end, tip=journal.tip if leads_on else end)

    # -- what is needed, and forgetting ---------------------------------------------------------------------

    def reached(self) -> set[Digest]:
        """Every blob that the lab needs now or after any step it can go back to."""
        from imagelab.store.transaction import reached

        with self._lock:
            state, journal = self._database.state(), self._journal
            nowhere = Stacks({})  # their layers are among those below
            images = [*state.images.values(), *(image_of(row, nowhere) for row in journal.rows("images"))]
            layers = [*state.layers.values(), *map(layer_of, journal.rows("layers"))]
            references = [*state.references, *(row[0] for row in journal.rows("refs"))]
            return reached(images, layers, references) | journal.inputs()

    def containers(self) -> set[str]:
        """The IDs of the containers there were after any step."""
        with self._lock:
            return {row[0] for row in self._journal.rows("containers")} | set(self._database.state().containers)

    def forget(self, keep: int | None) -> None:
        """Forget other branches, and all but the last `keep` steps (None: no step that led here)."""
        path = [step.number for step in self.steps()]
        with self._lock, self._database.writing():
            journal, rows = self._journal, self._database.containers
            led_here = len(path_to(journal.all_parents(), journal.position))
            remaining = path if keep is None else path[max(0, led_here - keep) :] if keep else []
            for version in journal.forget(remaining):
                if not rows.needs(version) and not journal.needs_files(version):
                    rows.drop(version)

    def damage(self) -> list[str]:
        """A sentence for everything that the state after a step needs and the database no longer has."""
        with self._lock:
            journal, rows = self._journal, self._database.containers
            parents = journal.all_parents()
            problems = [
                f"step {number} follows step {parent}, which is not here"
                for number, parent in parents.items()
                if parent and parent not in parents
            ]
            if journal.position and journal.position not in parents:
                problems.append(f"the lab says it is at step {journal.position}, which is not here")
            for container in map(container_of, journal.rows("containers")):
                if container.files and rows.content(container.files) is None:
                    problems.append(f"the timeline has lost a version of container {container.name}'s files")
            return problems
