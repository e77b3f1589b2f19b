"""`docker exec -d`: a command that nobody waits for."""

from __future__ import annotations

from imagelab.cli.command import Invocation
from imagelab.state.requests import ExecRequest


def exec_apart(context: Invocation, request: ExecRequest) -> int:
    """The same line without -d, in a process of its own; where there may be none, here, unseen."""
    from imagelab.runtime.supervisor import detached

    if not context.host.processes:
        return _unseen(context, request)
    parsed = context.parsed
    line = [word for flag in ("user", "workdir") if parsed.text(flag) for word in (f"--{flag}", parsed.text(flag))]
    line += [word for entry in parsed.all("env") for word in ("-e", entry)]
    detached(["--lab", str(context.lab.store.directory), "exec", *line, *parsed.arguments])
    return 0


def _unseen(context: Invocation, request: ExecRequest) -> int:
    from imagelab.engine.process_spec import Exec
    from imagelab.runtime.streams import BytesInput

    wanted = Exec(request.command, request.env, request.user, request.workdir, request.tty)
    context.lab.engine.containers.exec(request.container, wanted, BytesInput(), lambda fd, data: None)
    return 0
