"""Every verb in one place: what a face (a terminal, a notebook, a server) asks for, and the only thing it calls.

    engine.images       pull, tag, remove, prune, and every question about images
    engine.containers   run, exec, diff, commit and the others
    engine.builds       a Dockerfile and its context -> an image
    engine.archives     save, load, import
    engine.timeline     every step that was made, and the way back and forth between them

The engine only composes: each family is given the lab's `Context` and the families it stands on, and is imported when it is
first asked for. What a lab costs to open is therefore what is done with it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING

from imagelab.engine.context import Context
from imagelab.engine.images import Images
from imagelab.state.events import Event, EventSink, ProgressSink, silent
from imagelab.state.model import State

if TYPE_CHECKING:
    from imagelab.engine.archives.archives import Archives
    from imagelab.engine.build.builds import Builds
    from imagelab.engine.containers import Containers
    from imagelab.engine.timeline import Timeline
    from imagelab.registry.client import Upstream
    from imagelab.runtime.ports import PortRules
    from imagelab.runtime.runner import Runner
    from imagelab.store.store import Store


def _unrecorded(name: str, progress: ProgressSink) -> AbstractContextManager[ProgressSink]:
    return nullcontext(progress)


class Engine:
    """The verbs of one lab.

    `clock`, `platform`, `era`, `tz`, `ids`, `noise`: see `Context`. `upstream`: where names are fetched from; `workers`: how
    many layers are fetched at once by threads (0: never a thread); `runner()` makes what drives containers, `ports()` says what
    a published port is (else: reached in this process alone);
    `recorded(name, progress)` is entered for a pull, and gives the sink that is told of it. `events` is told what was done.
    """

    def __init__(
        self,
        store: Store,
        upstream: Upstream | Callable[[], Upstream],
        *,
        clock: Callable[[], int],
        events: EventSink = silent,
        platform: str = "linux/amd64",
        era: Callable[[], str] = lambda: "28",
        workers: int = 3,
        tz: Callable[[], tzinfo] = lambda: UTC,
        ids: Callable[[], str] = lambda: "0" * 64,
        noise: Callable[[int], bytes] = bytes,
        runner: Callable[[], Runner] | None = None,
        ports: Callable[[], PortRules] | None = None,
        recorded: Callable[[str, ProgressSink], AbstractContextManager[ProgressSink]] = _unrecorded,
    ) -> None:
        self.store = store
        self.events = events
        self.context = Context(store, clock, self._emit, platform, era, tz, ids, noise)
        self.images = Images(self.context, lambda: self.state, upstream, workers=workers, recorded=recorded)
        self._make_runner, self._port_rules = runner, ports

    def _emit(self, event: Event) -> None:
        self.events(event)
        self.store.note(event)

    @property
    def state(self) -> State:
        """Everything the lab holds now; a container that died unseen is known to be dead."""
        state = self.store.state()
        return self.containers.state if any(container.running for container in state.containers.values()) else state

    @cached_property
    def containers(self) -> Containers:
        """The verbs of containers: run, exec, diff, commit and the others."""
        from imagelab.engine.containers import Containers
        from imagelab.runtime.driver import World
        from imagelab.runtime.in_process import InProcess

        runner = self._make_runner() if self._make_runner else InProcess()
        world = World(self.context.clock, noise=self.context.noise)
        if self._port_rules is not None:
            world = replace(world, ports=self._port_rules())
        return Containers(self.context, self.images, runner, world)

    @cached_property
    def builds(self) -> Builds:
        """Building: a Dockerfile and its context -> an image."""
        from imagelab.engine.build.builds import Builds

        return Builds(self.context, self.images, self.containers)

    @cached_property
    def archives(self) -> Archives:
        """The verbs of archives: save, load, import."""
        from imagelab.engine.archives.archives import Archives

        return Archives(self.context, self.images)

    @cached_property
    def timeline(self) -> Timeline:
        """Every step that was made, and the way back and forth between them."""
        from imagelab.engine.timeline import Timeline

        return Timeline(self.store, self.containers)

    def close(self) -> None:
        """Let go of containers that live in this process."""
        if "containers" in self.__dict__:
            self.containers.runner.close()

    def doctor(self) -> list[str]:
        """Recompute every digest, size and link; a sentence for each thing that is wrong."""
        return self.store.doctor()

    def gc(self, keep: int | None = None) -> int:
        """Forget other branches of the timeline, and all but its last `keep` steps; drop what nothing reaches: bytes freed."""
        return self.timeline.forget(keep)
