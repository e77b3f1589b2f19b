"""Undo, redo, and any step again: the way back and forth along everything that was done to a lab.

    undo    to the state before the last step           steps    what was done, and where one is
    redo    to the state after the next one             fork     the state after a step, as a lab of its own
    at(n)   to the state after step n                   log      the steps as text that can be run again

What comes back is the former `State`, equal as a value: names, images, containers and the files in them. What cannot be
put into a value is reconciled with it: a program that does not run in that state is killed, and one that does is started
again, on the files it had then. A process that looks at a container meanwhile sees one state or the other.

Undo loses nothing. What was undone can be done again until `forget` (`imagelab gc`) drops it, and after another command
it is a branch that `at` leads to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import dropwhile, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from imagelab.errors import ImageLabError
from imagelab.layers.tree import Change
from imagelab.runtime.driver import archive_files, ask, is_alive, restore_files
from imagelab.state.model import Container, State
from imagelab.state.steps import Entry, Step, TimelineError, fingerprint, path_to, standings, write_log

if TYPE_CHECKING:
    from imagelab.engine.containers import Containers
    from imagelab.store.store import Store


SECOND = 1_000_000_000
"""Between two changes of a lab, by the class clock."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move undid and did again, in that order, and what of it could not be as it was."""

    undone: tuple[Step, ...] = ()
    redone: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


class Timeline:
    """The timeline of one lab."""

    def __init__(self, store: Store, containers: Containers) -> None:
        self._store, self._containers = store, containers
        self._history = store.history

    # -- looking --------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The step whose result is the present; 0 at the beginning."""
        return self._history.position

    def steps(self) -> tuple[Step, ...]:
        """The steps that led to the present, then those that redo would bring back."""
        return self._history.steps()

    def all(self) -> tuple[Step, ...]:
        """The steps of all branches, oldest first."""
        return self._history.all()

    def state(self, number: int) -> State:
        """The lab as it was after a step; 0: as it began. TimelineError."""
        return self._containers.state if number == self.position else self._history.state(number)

    def since(self, number: int) -> Iterator[tuple[Step, State]]:
        """The steps after one that led to the present, each with the lab as it was then."""
        path = [step for step in path_to(self._history.parents(), self.position) if step > number]
        return zip(self._history.some(path), self._history.states(path), strict=True)

    def changes(self, number: int, container_id: str) -> tuple[Change, ...]:
        """What a container's files differed in from those of its image, after a step."""
        return self._history.changes(number, container_id)

    # -- moving ---------------------------------------------------------------------------------------------

    def undo(self, count: int = 1) -> Moved:
        """Take back the last step, or some. TimelineError when there are not as many."""
        _at_least_none(count)
        behind = self._history.behind(count + 1)
        if count > len(behind):
            problem = {0: "nothing to undo", 1: "there is one step to undo"}.get(
                len(behind), f"there are {len(behind)} steps to undo"
            )
            raise TimelineError(problem, hint="imagelab steps shows what was done")
        return self.at(behind[count] if count < len(behind) else 0)

    def redo(self, count: int = 1) -> Moved:
        """Do again what was undone last, or some of it. TimelineError when there is not as much."""
        _at_least_none(count)
        back, ahead = self._history.way(self.position, self._history.tip)
        ahead = [] if back else ahead
        if count > len(ahead):
            problem = {0: "nothing to redo", 1: "there is one step to redo"}.get(
                len(ahead), f"there are {len(ahead)} steps to redo"
            )
            raise TimelineError(problem, hint="redo follows an undo; imagelab steps --all shows other branches")
        return self.at(ahead[count - 1]) if count else Moved()

    def at(self, number: int) -> Moved:
        """Restore the state after a step, whatever branch it is on. TimelineError when there is no such step."""
        with self._store.moving():
            return self._moved(number)

    def _moved(self, number: int) -> Moved:
        self._history.known(number)
        here = self._containers.state.containers  # those that have died by themselves are known to have, from here on
        start = self.position
        up, down = self._history.way(start, number)
        there = self._history.state(number).containers
        leaving = [
            container
            for container in here.values()
            if container.running and not (container.id in there and there[container.id].running)
        ]
        entries = self._history.kept([container.id for container in leaving])
        for container in leaving:
            self._containers.kill_for_good(container)
        staying = {
            container.id: container.pid for container in here.values() if container.running and container not in leaving
        }
        with self._lock_turns(list(staying)):
            self._history.move(start, number, [container.id for container in leaving], entries, staying)
        notes = self._reconcile(list(here), there)
        return Moved(self._history.some(up), self._history.some(down), tuple(note for note in notes if note))

    def _lock_turns(self, container_ids: Sequence[str]) -> ExitStack:
        """No driver of these containers is in the middle of a turn, and would write what it has read before."""
        from imagelab.store.locks import locked

        stack = ExitStack()
        for container_id in sorted(container_ids):
            folder = self._store.container_files(container_id)
            if folder.is_dir():
                stack.enter_context(locked(folder / "turn"))
        return stack

    def _reconcile(self, before: Sequence[str], now: Mapping[str, Container]) -> Iterator[str]:
        """Logs and drivers of the containers as they are now."""
        for container_id in before:
            if container_id not in now:
                archive_files(self._store.container_files(container_id))
        for container in now.values():
            restore_files(self._store.container_files(container.id))
            if container.running and not is_alive(self._store, container.id):
                yield self._restart(container)

    def bring_back(self, containers: Sequence[Container]) -> None:
        """Drive again those that are said to run, and are left by whoever drove them."""
        for container in containers:
            self._restart(container)

    def _restart(self, container: Container) -> str:
        """Drive one again that is said to run and has no driver: "" or why that could not be."""
        runner, world = self._containers.runner, self._containers.world
        folder = self._store.container_files(container.id)
        try:
            runner.start(self._store, container, world)
        except ImageLabError as error:
            return f"{container.name} could not be started again: {error}"
        if not is_alive(self._store, container.id):
            now = self._store.container(container.id)
            return f"{container.name} could not be started again" + (f": {now.error}" if now and now.error else "")
        if container.status == "paused":
            ask(folder, "pause")
            with self._store.transaction(creates_step=False) as tx:
                tx.put_container(replace(tx.container(container.id) or container, status="paused"))
        return ""

    # -- keeping --------------------------------------------------------------------------------------------

    def forget(self, keep: int | None = None) -> int:
        """Forget other branches, and all but the last `keep` steps (None: all that led here stay); bytes freed."""
        import shutil

        self._history.forget(keep)
        known = self._history.containers()
        for folder in self._store.container_files("").glob("*.gone"):
            if folder.name.removesuffix(".gone") not in known:
                shutil.rmtree(folder, ignore_errors=True)
        freed = self._store.gc()
        self._store.compact()
        return freed

    def held(self) -> int:
        """Bytes on the disk that only the state after another step needs."""
        return self._store.held_by_timeline()

    def log(self, *, exact: bool) -> Iterator[str]:
        """The steps that led to the present, as lines that can be run again; `exact`: with the lab's fingerprint after each."""
        return write_log(self._entries(exact=exact))

    def _entries(self, *, exact: bool) -> Iterator[Entry]:
        path = set(path_to(self._history.parents(), self.position))
        parts = list(dropwhile(lambda step: step.part, (step for step in self.steps() if step.number in path)))
        steps = [step for step in parts if not step.part]
        # what is left to do of one that was at work meanwhile belongs to the command that it followed
        ends = [one.number for one, then in zip_longest(parts, parts[1:]) if then is None or not then.part]
        states = self._history.states([0, *ends]) if exact else iter(())
        before = next(states, None)
        began = steps[0].at - before.revision * SECOND if steps and before is not None else 0
        for step, state in zip_longest(steps, states):
            inputs = {name: self._store.read_blob(digest) for name, digest in step.inputs.items()}
            entry = Entry(step.command, inputs, step.exit_code or 0, None)
            if state is not None and before is not None:
                at = step.at if step.at and step.at < began + before.revision * SECOND else None
                entry = replace(entry, state=fingerprint(state), after=standings(before, state), at=at)
            before = state
            yield entry

    def fork(self, directory: Path, at: int | None = None) -> None:
        """A copy of the lab, as it is or as it was after step `at`, with all its steps. TimelineError when the place is taken."""
        number = self.position if at is None else at
        self._history.known(number)
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise TimelineError(f"{directory} is there already, and not empty", hint="name a new directory")
        self._store.copy_to(directory)


def _at_least_none(count: int) -> None:
    if count < 0:
        raise TimelineError(
            f"{count} is not a number of steps", hint="undo goes back, redo forward, and at(n) to step n"
        )
