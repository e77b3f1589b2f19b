"""A lab in Python: Docker's verbs as methods.

    lab.pull("ubuntu:14.04")          an image
    lab.images("ubuntu")              a table (text in a terminal, HTML in a notebook), and a sequence of images
    lab.history("nginx")              the instructions that made it
    lab.tag, lab.rmi, lab.prune       change names, remove images
    lab.save("nginx", to="nginx.tar") images as a file; lab.load brings them back, lab.import_ makes one of any tar
    web = lab.run("nginx", ports={80: 8080})
                                      a container: web.exec, web.diff, web.commit, web.logs, web.stop
    lab.containers(), lab.browse(url) what runs, and what a published port answers
    lab.build({"Dockerfile": "FROM …"})   an image, from files by name or a folder; what each step did
    lab.upstream.release("mongo:3.2") the built-in registry publishes its next build of a tag
    lab.undo(), lab.redo(), lab.steps()   every change is a step, and no step is lost
    lab.graph(), lab.stepper()        the lab as a picture; what was done to it, step by step
    lab.era = "29"                    print as another Docker would
    lab.lang = "zh"                   pictures and panels in Chinese; what Docker prints stays English

Nothing here reads the environment: `opening` does. `imagelab.app` adds what stands above: `docker` and the exercises.

Two clocks. A lab of your own has the system's. A *lesson* has the class clock: it stands still at the day the book's
listing was taken, and moves one second with every change made to the lab, in UTC. So every learner sees the same
`5 days ago`, and the same cell gives the same bytes on every machine.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagelab.engine.engine import Engine
from imagelab.errors import UsageError
from imagelab.lab.archives import Archived
from imagelab.lab.build import BuildingLab
from imagelab.lab.host_access import WholeMachine
from imagelab.lab.panels import Views
from imagelab.lab.pictures import Pictures
from imagelab.lab.timeline import Past
from imagelab.state.events import ProgressSink, Removal, silent
from imagelab.state.model import State
from imagelab.store.store import Store

if TYPE_CHECKING:
    from imagelab.classroom.upstream import ClassroomUpstream
    from imagelab.lab.host_access import HostAccess
    from imagelab.lab.results.containers import ContainerList, LabContainer, Page
    from imagelab.lab.results.images import CommandResult, History, ImageList, LabImage, Usage
    from imagelab.registry.client import Upstream
    from imagelab.runtime.ports import PortRules
    from imagelab.runtime.runner import Runner
    from imagelab.state.reports import PruneReport

ERAS = ("1.13", "28", "29")
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """How a lab behaves: where docker.io is, which Docker it prints as, for which platform, by which clock."""

    upstream: str = "classroom"
    mirrors: tuple[str, ...] = ()
    era: str = ""
    """"": whatever the lab itself is set to, else 28."""
    platform: str = "linux/amd64"
    clock: str = "system"
    in_process: bool = False
    """Containers run in this process: no ports, no supervisors. Where there are no processes, always."""
    lang: str = ""
    """"": whatever the lab itself is set to, else English."""
    ports: str = "exact"
    """What becomes of a published port that somebody has: see `connect`."""
    port_holders: Callable[[], Path] | None = None
    """The folder where this user's labs say which ports of the machine they have."""


class Lab(Archived, BuildingLab, Past, Pictures, Views):
    """One lab: a store, an engine, and how to show what they answer. Made by `opening.open_lab`."""

    def __init__(
        self, store: Store, settings: Settings, *, progress: ProgressSink = silent, workers: int = 3, host: HostAccess | None = None
    ) -> None:  # fmt: skip
        self.store = store
        self.host: HostAccess = host or WholeMachine()
        """What its verbs may touch of the machine: all of it, unless somebody says otherwise."""
        self.settings = settings
        if settings.era:
            _checked_era(settings.era)
        if settings.lang:
            _checked_lang(settings.lang)
        self.engine = Engine(
            store,
            self._make_upstream,
            clock=self.now,
            platform=settings.platform,
            era=lambda: self.era,
            tz=lambda: self.tz,
            workers=workers,
            ids=lambda: self.noise(32).hex(),
            noise=self.noise,
            runner=self._runner,
            ports=self._port_rules,
            recorded=self._recorded,
        )
        self.pull_progress = progress
        """Is told of what a verb of this lab pulls and loads."""
        self._drawn: tuple[object, int] = (None, 0)
        self.closed = False
        self.pinned: int | None = None
        """When the command began that is done again, where the clock does not say so."""

    # -- clock, era, upstream -------------------------------------------------------------------------------

    def now(self) -> int:
        """Nanoseconds since 1970, by this lab's clock."""
        if self.settings.clock == "class":
            from imagelab.classroom.upstream import CLASS_NOW

            began = self.store.began if self.pinned is None else self.pinned
            if began is not None:
                return began
            return CLASS_NOW + self.store.state().revision * SECOND
        return time.time_ns()

    def noise(self, count: int) -> bytes:
        """Random bytes; by the class clock they follow from what the lab has been through, and are the same everywhere."""
        if self.settings.clock != "class":
            return os.urandom(count)
        from hashlib import shake_256

        place = (
            self.store.state().revision,
            self.store.running_verb,
        )  # a command that came and went leaves no trace here either
        before, drawn = self._drawn
        self._drawn = place, (drawn if before == place else 0) + 1
        return shake_256(f"{place[0]} {self._drawn[1]}".encode()).digest(count)

    def _runner(self) -> Runner:
        from imagelab.runtime.in_process import InProcess
        from imagelab.runtime.runner import Supervised

        return InProcess() if self.settings.in_process or not self.host.processes else Supervised()

    def _port_rules(self) -> PortRules:
        from imagelab.runtime.ports import PortRules

        if self.settings.in_process or not self.host.processes:
            return PortRules(machine=False, sockets=False)
        return PortRules.called(self.settings.ports, self.settings.port_holders and self.settings.port_holders())

    @property
    def tz(self) -> tzinfo:
        """The zone times are printed in: UTC by the class clock, else the machine's own."""
        if self.settings.clock == "class":
            return UTC
        return datetime.now().astimezone().tzinfo or UTC

    @property
    def era(self) -> str:
        """Which Docker this lab prints as: "1.13", "28" or "29"."""
        return self.settings.era or self.store.setting("era") or "28"

    @era.setter
    def era(self, era: str) -> None:
        self.store.remember("era", _checked_era(era))
        self.settings = replace(self.settings, era="")

    @property
    def lang(self) -> str:
        """The language of pictures and panels: "en" or "zh"."""
        return self.settings.lang or self.store.setting("lang") or "en"

    @lang.setter
    def lang(self, lang: str) -> None:
        self.store.remember("lang", _checked_lang(lang))
        self.settings = replace(self.settings, lang="")

    @property
    def upstream(self) -> ClassroomUpstream:
        """The built-in registry behind docker.io: `.release("mongo:3.2")` publishes its next build of a tag."""
        from imagelab.classroom.upstream import ClassroomUpstream

        return ClassroomUpstream(load=self._releases, save=self._save_releases, faults=self._faults)

    def _releases(self) -> dict[str, int]:
        return dict(json.loads(self.store.setting("releases") or "{}"))

    def _save_releases(self, releases: Mapping[str, int]) -> None:
        before = self._releases()
        names = [name.removeprefix("library/") for name, build in releases.items() if before.get(name) != build]
        with self.verb("upstream", "release", *names):
            self.store.remember("releases", json.dumps(releases, sort_keys=True))

    def set_upstream(self, where: str) -> None:
        """From now on docker.io is `where`: "classroom", "hub" or a registry's URL. UsageError for a bad one."""
        from imagelab.registry.client import Upstream

        Upstream.parse(where)
        if where != "classroom":
            self.host.reach(where)
        self.store.remember("upstream", where)

    def _make_upstream(self) -> Upstream:
        from imagelab.registry.client import Upstream

        return Upstream.parse(
            self.settings.upstream, mirrors=self.settings.mirrors, classroom=self._classroom,
            prepare=lambda session: self.host.prepare(session),
        )  # fmt: skip

    def _classroom(self) -> Any:
        from imagelab.classroom.faults import Faulty
        from imagelab.classroom.upstream import app

        return Faulty(app(self._releases), self._faults)

    # -- verbs ----------------------------------------------------------------------------------------------

    def pull(self, name: str, *, all_tags: bool = False, platform: str | None = None) -> LabImage:
        """Fetch an image and return it; with `all_tags` the last of the repository's."""
        from imagelab.state.requests import PullRequest

        try:
            with self.verb(*PullRequest(name, all_tags, platform).line()):
                result = self.engine.images.pull(
                    name, all_tags=all_tags, platform=platform, progress=self.pull_progress
                )
        finally:
            finish(self.pull_progress)
        from imagelab.lab.results.images import LabImage

        return LabImage(self, result.images[-1])

    def images(self, name: str | None = None, *, all: bool = False, filters: Sequence[str] = ()) -> ImageList:
        """What `docker images [name]` lists; `filters` as in `-f`: `["dangling=true"]`."""
        from imagelab.state.image_filters import Filters

        patterns = [f"reference={name}"] if name else []
        chosen = Filters.parse([*filters, *patterns])
        from imagelab.lab.results.images import ImageList

        return ImageList(
            self, tuple(self.engine.images.list(all=all, filters=chosen)), tuple(chosen.get("reference", ())), all
        )

    def image(self, name: str) -> LabImage:
        """The image that `name` (a reference, an ID or the beginning of one) stands for."""
        from imagelab.lab.results.images import LabImage

        return LabImage(self, self.engine.images.resolve(name).id)

    def tag(self, source: str, target: str) -> LabImage:
        """One more name for an image."""
        with self.verb("tag", source, target):
            self.engine.images.tag(source, target)
        return self.image(target)

    def rmi(self, *names: str, force: bool = False, prune: bool = True) -> tuple[Removal, ...]:
        """Untag or delete images; what was done, in order."""
        from imagelab.state.requests import RemoveRequest

        with self.verb(*RemoveRequest(names, force, prune).line()):
            return tuple(item for name in names for item in self.engine.images.remove(name, force=force, prune=prune))

    def prune(self, *, all: bool = False, filters: Sequence[str] = ()) -> PruneReport:
        """Remove dangling images, or with `all` every image no container uses. Asks nothing."""
        from imagelab.state.image_filters import Filters
        from imagelab.state.requests import PruneRequest

        with self.verb(*PruneRequest(all, tuple(filters)).line()):
            return self.engine.images.prune(all=all, filters=Filters.parse(list(filters)))

    def history(self, name: str) -> History:
        """The instructions that made an image, newest first."""
        from imagelab.lab.results.images import History

        return History(self, tuple(self.engine.images.history(name)))

    def inspect(self, name: str) -> dict[str, Any]:
        """The object `docker image inspect` prints."""
        return self.engine.images.inspect(name)

    def df(self) -> Usage:
        """What `docker system df` shows."""
        from imagelab.lab.results.images import Usage

        return Usage(self, self.engine.images.disk_usage())

    def run(
        self, image: str, *command: str, name: str = "", ports: Mapping[int | str, int | str] | None = None, env: Sequence[str] = (),
        user: str = "", workdir: str = "", entrypoint: Sequence[str] | None = None, labels: Mapping[str, str] | None = None,
        hostname: str = "", remove: bool = False,
    ) -> LabContainer:  # fmt: skip
        """Make a container and start it in the background, pulling its image if it is not here.

        `command`: words, or one string for a shell. `ports`: container's -> this machine's, `{80: 8080}`. Returns when
        its program waits for the first time or is over: `.logs()` has what it printed, `.exit_code` how it ended.
        """
        from imagelab.errors import ImageNotFoundError
        from imagelab.lab.results.containers import LabContainer
        from imagelab.state.container_config import Request, line_of, moved_ports

        words = ("sh", "-c", command[0]) if len(command) == 1 and " " in command[0] else command
        published = {
            f"{port}" if "/" in str(port) else f"{port}/tcp": [{"HostIp": "", "HostPort": str(host)}]
            for port, host in (ports or {}).items()
        }
        request = Request(
            image, words, name, None if entrypoint is None else tuple(entrypoint), tuple(env), user, workdir, hostname, labels or {},
            detach=True, remove=remove, ports=published,
        )  # fmt: skip
        with self.verb(*line_of(request)):
            try:
                container = self.engine.containers.create(request)
            except ImageNotFoundError:
                self.pull(image)
                container = self.engine.containers.create(request)
            container = self.engine.containers.start(container.id)
        sys.stderr.write(moved_ports(container))
        return LabContainer(self, container.id)

    def containers(self, *, all: bool = False, filters: Sequence[str] = ()) -> ContainerList:
        """What `docker ps` lists; with `all` those that do not run, too."""
        from imagelab.engine.container_filters import select
        from imagelab.lab.results.containers import ContainerList
        from imagelab.state.image_filters import Filters

        found = select(self.engine.containers.state, Filters.parse(list(filters)), all=all, last=-1, engine=self.engine)
        return ContainerList(self, tuple(found))

    def container(self, name: str) -> LabContainer:
        """The container that `name` (a name, an ID or the beginning of one) stands for."""
        from imagelab.lab.results.containers import LabContainer

        return LabContainer(self, self.engine.containers.resolve(name).id)

    def browse(self, url: str) -> Page:
        """What a published port answers: `lab.browse("http://localhost:8080")`."""
        from imagelab.lab.results.containers import browse

        return browse(self, url)

    def result(self, stdout: str, stderr: str, exit_code: int) -> CommandResult:
        """What a command printed, with the page it makes in a notebook."""
        from imagelab.lab.results.images import CommandResult, html_of

        return CommandResult(stdout, stderr, exit_code, html_of(stdout, self))

    @property
    def state(self) -> State:
        """Everything the lab holds now, as one value."""
        return self.engine.state

    def close(self) -> None:
        """Let go of the store, and of containers that live in this process. Closing twice is fine."""
        self.engine.close()
        self.store.close()
        self.closed = True

    def __repr__(self) -> str:
        state = self.state
        return f"<Lab: {len(state.images)} images, era {self.era}, upstream {self.settings.upstream}>"


def _checked_era(era: str) -> str:
    if era not in ERAS:
        raise UsageError(f"unknown era {era!r}", hint=f"imagelab prints as Docker {', '.join(ERAS[:-1])} or {ERAS[-1]}")
    return era


def _checked_lang(lang: str) -> str:
    from imagelab.view.messages import checked_language

    return checked_language(lang)


def finish(progress: ProgressSink) -> None:
    """Tell a sink that keeps something on the screen that the pull is over, however it ended."""
    end = getattr(progress, "finish", None)
    if end is not None:
        end()
