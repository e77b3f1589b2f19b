"""Containers that live in this process, in turns that somebody else's questions give them.

Where there are no processes (a browser), or no time for them (a test, a grade). While a log is done again, time stands still
for them: they go on by themselves exactly as far as the log says they did.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagelab.runtime.driver import Main, World
from imagelab.runtime.process import FOREVER
from imagelab.runtime.runner import Runner
from imagelab.runtime.session import GoneError
from imagelab.runtime.standard_input import AttachedInput, standard_input
from imagelab.runtime.streams import Stream
from imagelab.state.model import Container
from imagelab.state.steps import Standing
from imagelab.store.store import Store

PATIENCE = 1.0
"""Seconds that one that never waits may take of somebody else's question."""
MOST_TIME = 5.0
"""Seconds that one may take to come to stand as a log says."""
KILLED = 137


class Clock:
    """A container's seconds: those of the machine, or, while they stand still, its own."""

    def __init__(self, now: float, *, stands: bool) -> None:
        self.now, self.stands = now, stands

    def __call__(self) -> float:
        return self.now if self.stands else time.monotonic()


@dataclass(slots=True)
class Driven:
    """One container at work."""

    main: Main
    stdin: Stream
    clock: Clock
    world: World
    wait: float = FOREVER
    """Seconds that it can wait, as it said last."""


class InProcess(Runner):
    """All of them in this process."""

    def __init__(self) -> None:
        self._driven: dict[str, Driven] = {}
        self._expected: Mapping[str, Standing] = {}
        self._late: Mapping[str, int] = {}
        self._holding = False
        self.went_aside = False
        """One that somebody stayed with goes on in the background: another command ends it."""

    def start(self, store: Store, container: Container, world: World) -> None:
        clock = Clock(time.monotonic(), stands=self._holding)
        world = replace(world, monotonic=clock)
        self._driven[container.id] = self._begun(store, container, world, clock)
        self.pump()

    def _begun(self, store: Store, container: Container, world: World, clock: Clock) -> Driven:
        folder = store.container_files(container.id)
        folder.mkdir(parents=True, exist_ok=True)
        stdin = standard_input(container, folder)
        return Driven(Main(store, container, world, stdin=stdin), stdin, clock, world)

    def pump(self) -> None:
        for container_id in list(self._driven):
            one = self._driven[container_id]
            try:
                self._go_on(one)
            except GoneError:
                one.main.session.stop(KILLED)
            self._finish(container_id)

    def settle(self, patience: float) -> None:
        end = time.monotonic() + patience
        self.pump()
        while self._driven and (wait := min(one.wait for one in self._driven.values())) < end - time.monotonic():
            time.sleep(wait)
            self.pump()

    def _finish(self, container_id: str) -> None:
        main = self._driven[container_id].main
        if main.session.code is not None:
            main.finish()
            del self._driven[container_id]

    def _go_on(self, one: Driven) -> None:
        main, asked = one.main, one.main.asked
        self._look(one)
        if self._holding and main.asked == asked and self._stands(main):
            return
        end = time.monotonic() + PATIENCE
        one.wait = FOREVER
        while main.session.code is None and not main.paused and time.monotonic() < end:
            one.wait = main.session.take_turn()
            if one.wait > 0:
                break
        if main.asked != asked and main.id in self._expected:
            self._come_to(one, self._expected[main.id])
        main.look()

    def _stands(self, main: Main) -> bool:
        """Is there nothing that it would do by itself, by the log?"""
        wanted = self._expected.get(main.id)
        return wanted is None or (wanted.running and main.store.container_version(main.id) == wanted.files)

    def _look(self, one: Driven) -> None:
        one.main.look()
        if isinstance(one.stdin, AttachedInput):
            one.stdin.fill()

    def application(self, container_id: str, port: int) -> Any:
        one = self._driven.get(container_id)
        return one.main.application(port) if one else None

    def close(self) -> None:
        for one in self._driven.values():
            one.main.session.stop(KILLED)
            one.main.finish()
        self._driven.clear()

    # -- while a log is done again --------------------------------------------------------------------------

    def hold(self) -> None:
        """From now on time stands still."""
        self._holding = True
        for one in self._driven.values():
            one.clock.now, one.clock.stands = time.monotonic(), True

    def let_go(self) -> None:
        """Time goes on."""
        self._holding, self._expected = False, {}
        for one in self._driven.values():
            one.clock.stands = False

    def release(self) -> list[Container]:
        """Leave those that run to somebody else."""
        left = [(one.main, one.main.store.container(key)) for key, one in self._driven.items()]
        for main, _ in left:
            main.leave()
        self._driven.clear()
        return [container for _, container in left if container is not None]

    def expect(self, standings: Mapping[str, Standing], late: Mapping[str, int]) -> None:
        """A command begins, after which containers are to stand like this; `late`: when they began what they do next."""
        self._expected, self._late, self.went_aside = standings, late, False

    def expected(self, container_id: str) -> Standing | None:
        return self._expected.get(container_id)

    def settle_up(self, store: Store) -> None:
        """The command is over: each goes on by itself until it stands as is expected, if it comes to that."""
        for container_id, wanted in self._expected.items():
            one = self._driven.get(container_id)
            if one is not None:
                self._come_to(one, wanted)
                if wanted.status == "exited" and wanted.exit_code == KILLED and one.main.session.code is None:
                    one.main.session.stop(KILLED)  # by somebody who is no part of the lab
                self._finish(container_id)
            self._date(store, container_id, wanted)

    def _date(self, store: Store, container_id: str, wanted: Standing) -> None:
        """When one ended that ended by itself, only the log knows."""
        container = store.container(container_id)
        if container is None or container.running or wanted.running or container.finished == wanted.finished:
            return
        if (container.status, container.exit_code) == (wanted.status, wanted.exit_code):
            with store.transaction(creates_step=False) as tx:
                tx.put_container(replace(container, finished=wanted.finished))

    def _come_to(self, one: Driven, wanted: Standing) -> None:
        if self._went_on(one, wanted) or not wanted.running:
            return
        # an undo had ended it and begun it anew, on the files it had left
        store, container = one.main.store, one.main.store.container(one.main.id)
        if container is None:
            return
        one.main.leave()
        anew = self._begun(store, container, one.world, one.clock)
        one.main, one.stdin = anew.main, anew.stdin
        self._went_on(one, wanted)

    def _went_on(self, one: Driven, wanted: Standing) -> bool:
        """Let it go on, in its own time, for as long as it takes: True when it stands as is expected."""
        main, end = one.main, time.monotonic() + MOST_TIME
        by_files = wanted.status != "exited" or wanted.exit_code == KILLED
        if by_files and main.store.container_version(main.id) == wanted.files:
            return True
        main.workspace.late = self._late.get(main.id)
        while main.session.code is None and time.monotonic() < end:
            try:
                wait = main.session.take_turn()
            except GoneError:
                main.session.stop(KILLED)
                return False
            self._look(one)
            if by_files and main.store.container_version(main.id) == wanted.files:
                return True
            if wait == math.inf:
                return False  # it waits for somebody, and nobody comes
            one.clock.now += wait
        return main.session.code is not None and not wanted.running
