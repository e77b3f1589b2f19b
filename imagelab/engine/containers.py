"""The verbs of containers: create, start, exec, stop, diff, commit, rm and the others. `Engine.containers` has them.

    created --start--> running --its program ends, or stop, or kill--> exited --start--> running …
                       running <--pause, unpause--> paused                   rm: gone, with its writable layer

Nothing here runs by itself. A container's program is driven by a *runner* (a process of its own, or this one); what is
asked of it is left in its directory, and what became of it is read from the database. Before any question is answered,
`settle` corrects what a killed driver could not write down: running, but nobody there, is `Exited (137)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imagelab.engine.process_spec import Exec, exec_spec, ready, signal_number, spec_of
from imagelab.engine.published_ports import check_ports, ports_refused
from imagelab.errors import ConflictError, ImageLabError, NotFoundError
from imagelab.oci.digest import Digest
from imagelab.runtime import execution
from imagelab.runtime.driver import FROZEN, Main, World, ask, discard, is_alive, machine_for, processes
from imagelab.runtime.process import SIGNALS, Machine
from imagelab.runtime.runner import Runner, wait_until
from imagelab.runtime.session import GoneError, InteractiveInput, Session, Workspace, drive
from imagelab.runtime.streams import Stream
from imagelab.state import container_config as values
from imagelab.state.container_config import CannotStartError, Request
from imagelab.state.events import Event
from imagelab.state.model import Container, Image, State

if TYPE_CHECKING:
    from imagelab.engine.context import Context
    from imagelab.engine.images import Images
    from imagelab.layers.tree import Change, Tree

PAUSE_PATIENCE = 10
"""Seconds that a driver has to stop everything of its container: a program may be in the middle of a long turn."""
STOP_TIMEOUT = 10
"""Seconds between the polite signal and SIGKILL (R6.13)."""


class ContainerNotFoundError(NotFoundError):
    """`No such container: web`."""


class Containers:
    """The container verbs of one lab."""

    def __init__(self, context: Context, images: Images, runner: Runner, world: World) -> None:
        self._context, self._images, self.store = context, images, context.store
        self.runner, self.world = runner, world

    # -- finding --------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The lab, with what is no longer true of its containers corrected."""
        self.settle()
        return self.store.state()

    def settle(self) -> None:
        """Whoever is said to run and has no driver has exited with 137."""
        self.runner.pump()
        for container in self.store.state().containers.values():
            if container.running and not is_alive(self.store, container.id):
                with self.store.outside_step():  # who only looks has done nothing
                    self._died(container.id)

    def _died(self, container_id: str) -> None:
        with self.store.transaction(creates_step=False) as tx:
            container = tx.container(container_id)
            if container is not None and container.running:
                tx.put_container(
                    replace(container, status="exited", exit_code=137, finished=self._context.clock(), pid=0, ports={})
                )
        container = self.store.container(container_id)
        if container is not None and container.host.get("AutoRemove"):
            discard(self.store, container_id, creates_step=False)

    def resolve(self, name: str) -> Container:
        """A container by its ID, its name, or the beginning of its ID. ContainerNotFoundError; ConflictError when ambiguous."""
        containers = self.state.containers
        if name in containers:
            return containers[name]
        named = [container for container in containers.values() if container.name == name.removeprefix("/")]
        if named:
            return named[0]
        candidates = [container for container in containers.values() if name and container.id.startswith(name)]
        if len(candidates) > 1:
            raise ConflictError(
                f"multiple IDs found with provided prefix: {name}", hint="type more of the ID, or the name"
            )
        if not candidates:
            raise ContainerNotFoundError(f"No such container: {name}", hint=_known(containers))
        return candidates[0]

    def _event(self, action: str, container: Container) -> None:
        self._context.emit(
            Event("container", action, container.id, {"name": container.name, "image": container.image_name})
        )

    # -- create, start, stop --------------------------------------------------------------------------------

    def create(self, request: Request) -> Container:
        """Make a container, and do not start it. ImageNotFoundError; NoCommandError; ImageLabError for its name."""
        image = self._images.resolve(request.image)
        signal_number(request.stop_signal or "TERM")
        container_id = self._context.ids()
        with self.store.transaction() as tx:
            state = tx.state
            name = values.checked_name(state, request.name) if request.name else values.random_name(state, container_id)
            config = self.store.config(image.id).data.get("config") or {}
            container = Container(
                container_id, name, image.id, created=self._context.clock(), image_name=request.image,
                config=values.merged_config(request, config, container_id), host=values.host_config(request), layers=image.layers,
            )  # fmt: skip
            tx.put_container(container)
        self.store.container_files(container_id).mkdir(parents=True, exist_ok=True)
        self._event("create", container)
        return container

    def create_for_build(self, image: Image | None, config: Mapping[str, Any]) -> Container:
        """A container of a build's step: with exactly this config, on an image (None: on nothing, R8.23). It is not started."""
        container = self._put_for_build(image, config)
        self.store.container_files(container.id).mkdir(parents=True, exist_ok=True)
        self._event("create", container)
        return container

    @contextmanager
    def passing(self, image: Image | None, config: Mapping[str, Any]) -> Iterator[Container]:
        """A container of a build's step in which nothing is done, gone when this ends.

        It and what is changed meanwhile is one transaction: nobody else ever sees it, so it has no directory.
        """
        with self.store.together():
            container = self._put_for_build(image, config)
            yield container
            with self.store.transaction() as tx:
                tx.delete_container(container.id)
        self._event("create", container)
        self._event("destroy", container)

    def _put_for_build(self, image: Image | None, config: Mapping[str, Any]) -> Container:
        container_id = self._context.ids()
        with self.store.transaction() as tx:
            name = values.random_name(tx.state, container_id)
            container = Container(
                container_id, name, image.id if image else Digest.trusted(""), created=self._context.clock(), image_name=image.id if image else "",
                config={**config, "Hostname": container_id[:12]}, host=values.host_config(Request("")), layers=image.layers if image else (),
            )  # fmt: skip
            tx.put_container(container)
        return container

    def start(self, name: str) -> Container:
        """Start it in the background; nothing when it runs already (R6.13). CannotStartError, PortTakenError."""
        container = self.resolve(name)
        if container.status == "paused":
            raise ConflictError("cannot start a paused container, try unpause instead")
        if container.running:
            return container
        container = self._ready(container)
        with ports_refused(self.store, container):
            self.runner.start(self.store, container, self.world)
        self._event("start", container)
        return self.store.container(container.id) or container

    def run_here(self, name: str, stdin: Stream, show: Callable[[int, bytes], object]) -> int:
        """Start it and stay with it to the end: what `docker run` without -d does. Its exit code."""
        from imagelab.runtime.ports import bound

        container = self._ready(self.resolve(name))
        expected = self.runner.expected(container.id)
        if expected is not None and expected.running:  # done again, and another command is going to end it
            self.runner.start(self.store, container, self.world)
            self._event("start", container)
            self.runner.went_aside = True
            return 0
        with ExitStack() as opened:
            with ports_refused(self.store, container):
                sockets = opened.enter_context(bound(self.store, container, self.world.ports))
            container = self.store.container(container.id) or container
            if moved := values.moved_ports(container):
                show(2, moved.encode())
            self._event("start", container)
            main = Main(self.store, container, self.world, stdin=stdin, show=show, listen=sockets.listen)
            try:
                drive(
                    main.session, typed=stdin if isinstance(stdin, InteractiveInput) else None, look=main.look_and_wait
                )
            except GoneError:
                main.session.stop(137)
            finally:
                sockets.close()
                code = main.finish()
        return code

    def _ready(self, container: Container) -> Container:
        """Check all that could keep it from starting, and choose its ports; one with --rm goes when it cannot start."""
        try:
            self._check_program(container)
        except ImageLabError:
            if container.host.get("AutoRemove"):
                discard(self.store, container.id)
            raise
        used = values.ports_used(one for one in self.store.state().containers.values() if one.id != container.id)
        rules = self.world.ports
        ports = values.bindings_of(container, used, moves=rules.moves and not rules.machine)
        container = replace(container, ports=ports, status="created", error="")
        with self.store.transaction() as tx:
            tx.put_container(container)
        with ports_refused(self.store, container):
            check_ports(self.store, container, used, rules)
        return container

    def _check_program(self, container: Container) -> None:
        try:
            ready(self._machine(container, self.workspace(container)), spec_of(container))
        except CannotStartError as error:
            with self.store.transaction(creates_step=False) as tx:
                tx.put_container(replace(container, error=str(error), exit_code=error.exit_code))
            raise

    def _machine(self, container: Container, workspace: Workspace) -> Machine:
        workspace.read()
        machine = machine_for(self.store, container, workspace, self.world)
        pids = (pid for pid, _, _ in processes(self.store.container_files(container.id)))
        machine.next_pid = 1 + max(pids, default=0)
        return machine

    def stop(self, name: str, *, timeout: int | None = None, signal: str = "") -> Container:
        """The stop signal, and after `timeout` seconds SIGKILL; nothing when it does not run (R6.13)."""
        container = self.resolve(name)
        if not container.running:
            return container
        if container.status == "paused":
            self._set_paused(container, False)
        number = signal_number(signal or container.config.get("StopSignal") or "TERM")
        self._begin_change()
        patience = timeout if timeout is not None else container.config.get("StopTimeout", STOP_TIMEOUT)
        expected = self.runner.expected(container.id)
        if expected is not None and expected.exit_code == 128 + SIGNALS["KILL"]:
            patience = min(patience, 0)  # done again: it is known not to listen
        self._send(container, number)
        if patience >= 0 and not self._ended(container, patience):
            self.kill_for_good(container)
        elif patience < 0:
            self._ended(container, 1e9)
        self._event("stop", container)
        return self.store.container(container.id) or container

    def kill(self, name: str, *, signal: str = "KILL") -> Container:
        """Send a signal, SIGKILL unless told otherwise. ConflictError when it does not run."""
        number = signal_number(signal)
        container = self.resolve(name)
        if not container.running:
            raise ConflictError(f"cannot kill container: {name}: container {container.id} is not running")
        self._begin_change()
        if number == SIGNALS["KILL"]:
            self.kill_for_good(container)
        else:
            self._send(container, number)
            self._ended(container, 0.3)
        self._event("kill", container)
        return self.store.container(container.id) or container

    def _begin_change(self) -> None:
        """What the container's own driver writes down next is what this verb did: it belongs to this verb's step."""
        with self.store.transaction() as tx:
            tx.touched = True

    def _send(self, container: Container, number: int) -> None:
        ask(self.store.container_files(container.id), str(number))
        self.runner.pump()

    def kill_for_good(self, container: Container) -> None:
        from imagelab.runtime.supervisor import end_process

        self._send(container, SIGNALS["KILL"])
        if not self._ended(container, 2) and container.pid:
            end_process(container.pid)
            self._ended(container, 5)

    def end_all(self) -> None:
        """End all that run, at once; nothing else of the lab changes."""
        with self.store.outside_step():
            for container in self.state.containers.values():
                if container.running:
                    self.kill_for_good(container)

    def _ended(self, container: Container, seconds: float) -> bool:
        def is_over() -> bool:
            self.settle()
            now = self.store.container(container.id)
            return now is None or not now.running

        return wait_until(is_over, seconds)

    def restart(self, name: str, *, timeout: int | None = None, signal: str = "") -> Container:
        """Stop and start."""
        self.stop(name, timeout=timeout, signal=signal)
        return self.start(name)

    def pause(self, name: str) -> Container:
        """Nothing of it goes on until `unpause`."""
        container = self.resolve(name)
        if container.status == "paused":
            raise ConflictError(f"Container {container.id} is already paused")
        if not container.running:
            raise ConflictError(f"Container {container.id} is not running")
        self._set_paused(container, True)
        self._event("pause", container)
        return container

    def unpause(self, name: str) -> Container:
        """Go on."""
        container = self.resolve(name)
        if container.status != "paused":
            raise ConflictError(f"Container {container.id} is not paused")
        self._set_paused(container, False)
        self._event("unpause", container)
        return container

    def _set_paused(self, container: Container, paused: bool) -> None:
        folder = self.store.container_files(container.id)
        ask(folder, "pause" if paused else "unpause")
        self.runner.pump()
        wait_until(
            lambda: (folder / FROZEN).exists() == paused, PAUSE_PATIENCE
        )  # as Docker: nothing writes once it is said
        with self.store.transaction() as tx:
            tx.put_container(replace(tx.container(container.id) or container, status="paused" if paused else "running"))

    def wait(self, name: str, condition: Callable[[], bool] = lambda: True) -> int:
        """Wait until it has exited; its exit code."""
        container = self.resolve(name)
        last = container
        while last.running and condition():
            wait_until(lambda: self._ended(container, 0.2), 0.2)
            last = self.store.container(container.id) or replace(last, status="exited")
        return last.exit_code

    def rename(self, name: str, new: str) -> None:
        """Another name. ImageLabError when it is bad or taken (R6.2, R6.3)."""
        container = self.resolve(name)
        if not new:
            raise ImageLabError("Neither old nor new names may be empty")
        if container.name == new.removeprefix("/"):
            raise ImageLabError("Renaming a container with the same name as its current name")
        with self.store.transaction() as tx:
            try:
                checked = values.checked_name(tx.state, new)
            except ImageLabError as problem:
                raise ConflictError(f"Error when allocating new name: {problem}", hint=problem.hint) from None
            tx.put_container(replace(tx.container(container.id) or container, name=checked))
        self._event("rename", replace(container, name=checked))

    def remove(self, name: str, *, force: bool = False) -> Container:
        """Remove a container and its writable layer. ConflictError when it runs, unless forced (R6.15)."""
        container = self.resolve(name)
        if container.running and not force:
            state = "paused" if container.status == "paused" else "running"
            advice = "unpause and then stop the container" if state == "paused" else "stop the container"
            refusal = ConflictError(
                f'cannot remove container "/{container.name}": container is {state}: {advice} before removing or force remove',
                hint=f"docker stop {name}, or docker rm -f {name}",
            )
            refusal.container = container.id
            raise refusal
        if container.running:
            self._begin_change()
            self.kill_for_good(container)
        if self.store.container(container.id) is not None:
            discard(self.store, container.id)
        self._event("destroy", container)
        return container

    def prune(self, keep: Callable[[Container], bool] = lambda container: False) -> tuple[list[str], int]:
        """Remove all that do not run: (their IDs, bytes freed)."""
        gone = [
            container for container in self.state.containers.values() if not container.running and not keep(container)
        ]
        for container in gone:
            discard(self.store, container.id)
            self._event("destroy", container)
        return [container.id for container in gone], sum(container.size for container in gone)

    # -- inside ---------------------------------------------------------------------------------------------

    def exec(self, name: str, wanted: Exec, stdin: Stream, show: Callable[[int, bytes], object]) -> int:
        """Run a command in a running container; its exit code. CannotStartError, ConflictError (R6.14)."""
        container = self.resolve(name)
        if container.status == "paused":
            raise ConflictError(f"Container {name} is paused, unpause the container before exec")
        if not container.running:
            raise ConflictError(f"container {container.id} is not running", hint=f"docker start {name}")
        workspace = self.workspace(container)
        machine = self._machine(container, workspace)
        try:
            process, program = ready(machine, exec_spec(container, wanted, stdin, show))
        except CannotStartError as error:
            raise error.in_exec() from None
        session = Session(
            workspace, process.machine, process, execution.main(process.machine, execution.live(program, process))
        )
        try:
            code = drive(
                session,
                typed=stdin if isinstance(stdin, InteractiveInput) else None,
                look=lambda: self._still_there(container),
            )
        except GoneError:
            session.stop(137)
            code = 137
        self.runner.pump()
        return code

    def _still_there(self, container: Container) -> None:
        if self.store.container_version(container.id) is None:
            raise GoneError(container.id)
        now = self.store.container(container.id)
        if now is None or not now.running:
            raise GoneError(container.id)

    def workspace(self, container: Container) -> Workspace:
        """Its files."""
        return Workspace(self.store, container, self._context.clock)

    def tree(self, name: str) -> Tree:
        """All files of a container, the image's and its own, as Docker's `export` has them."""
        return self.workspace(self.resolve(name)).read()

    def changes(self, name: str) -> tuple[Change, ...]:
        """What it differs in from its init layer: what `commit` would store."""
        from imagelab.layers.writable_layer import changes_of

        workspace = self.workspace(self.resolve(name))
        return changes_of(workspace.init, workspace.read())

    def diff(self, name: str) -> list[tuple[str, str]]:
        """What `docker diff` lists: (A, C or D; path)."""
        from imagelab.layers.writable_layer import changes_of, listed

        workspace = self.workspace(self.resolve(name))
        return listed(workspace.init, changes_of(workspace.init, workspace.read()))

    def commit(
        self, name: str, target: str = "", *, author: str = "", message: str = "", instructions: Sequence[str] = ()
    ) -> Digest:
        """Make an image of a container (R6.32-R6.38); its ID. ConflictError for a dead one."""
        from imagelab.engine.commit import committed, store_image, with_parents
        from imagelab.layers.writable_layer import changes_of
        from imagelab.oci.reference import tag_target

        reference = tag_target(target) if target else None
        container = self.resolve(name)
        if container.status in ("dead", "removing"):
            raise ConflictError(
                f"You cannot commit container {container.name} which is {container.status.capitalize()}"
            )
        workspace = self.workspace(container)
        with workspace.turn() as files:  # nobody writes meanwhile: what `pause` is for (R6.33)
            tree = files.tree()
            changes = with_parents(changes_of(workspace.init, tree), tree)
            now = self._context.clock()
            base = self.store.state().images.get(container.image)
            new = committed(
                self.store, container, base, changes, author=author, message=message, instructions=instructions, now=now
            )
            image = store_image(self.store, new, files.data, now)
        if reference is not None:
            with self.store.transaction() as tx:
                tx.tag(str(reference), image.id, now)
        self._event("commit", container)
        return image.id

    def logs(self, name: str) -> Iterator[tuple[str, bytes, str]]:
        """What it printed: (stdout or stderr, bytes, time as RFC 3339)."""
        import json

        file = self.store.container_files(self.resolve(name).id) / "log"
        if file.exists():
            with file.open("rb") as lines:
                for line in lines:
                    if line.endswith(b"\n"):
                        entry = json.loads(line)
                        yield entry["stream"], entry["log"].encode("utf-8", "surrogateescape"), entry["time"]

    def top(self, name: str) -> list[tuple[int, str, str]]:
        """(pid, user, command line) of what runs in it. ConflictError when nothing does."""
        container = self.resolve(name)
        if not container.running:
            raise ConflictError(f"container {container.id} is not running")
        return processes(self.store.container_files(container.id))


def _known(containers: Mapping[str, Container]) -> str:
    names = [container.name for container in containers.values()]
    return f"there is {', '.join(names[:8])}" if names else "there are no containers: docker run makes one"
