"""What becomes of a container that cannot have a port it publishes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from imagelab.runtime.driver import discard
from imagelab.state.model import Container

if TYPE_CHECKING:
    from imagelab.runtime.ports import PortRules
    from imagelab.store.store import Store


def check_ports(
    store: Store, container: Container, used: Mapping[tuple[int, str], Container], rules: PortRules
) -> None:
    """PortTakenError where another container of this lab has a port; those of the machine are seen when they are opened."""
    from imagelab.runtime.port_holders import Holder
    from imagelab.runtime.ports import taken

    if rules.machine:
        return
    for port, bindings in container.ports.items():
        for binding in bindings or []:
            other = used.get((int(binding["HostPort"]), port.partition("/")[2]))
            if other is not None:
                holder = Holder(str(store.directory), other.id, other.name)
                raise taken(container, port, binding, rules, store.directory, holder)


@contextmanager
def ports_refused(store: Store, container: Container) -> Iterator[None]:
    """One that cannot have its ports says so in its state, and goes when it has --rm."""
    from imagelab.runtime.ports import PortTakenError

    try:
        yield
    except PortTakenError as error:
        with store.transaction(creates_step=False) as tx:
            current = tx.container(container.id) or container
            tx.put_container(replace(current, ports=container.ports, error=str(error), exit_code=128))
        if container.host.get("AutoRemove"):
            discard(store, container.id)
        raise
