"""A request, its line, and the request that is read out of that line: the same one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from imagelab.cli.command import command_of
from imagelab.cli.commands.archives import import_request, load_request
from imagelab.cli.commands.containers import commit_request
from imagelab.cli.commands.images import prune_request, pull_request, remove_request
from imagelab.cli.commands.run_options import exec_request, request_of
from imagelab.cli.flags import Parsed, parse
from imagelab.state.container_config import Request, line_of
from imagelab.state.requests import (
    CommitRequest,
    ExecRequest,
    ImportRequest,
    LoadRequest,
    PruneRequest,
    PullRequest,
    RemoveRequest,
)

TEXT = st.text(min_size=1, max_size=8)
WORD = TEXT.filter(lambda text: not text.startswith("-"))
NAME = TEXT.filter(lambda text: "=" not in text)
PORT = st.builds("{}/{}".format, st.integers(1, 65535), st.sampled_from(["tcp", "udp", "sctp"]))
BINDING = st.builds(
    lambda address, port: {"HostIp": address, "HostPort": port},
    st.sampled_from(["", "127.0.0.1", "::1"]),
    st.integers(0, 65535).map(str) | st.just(""),
)
PULLS = st.builds(PullRequest, WORD, st.booleans(), st.none() | TEXT)
REMOVALS = st.builds(RemoveRequest, st.lists(WORD, min_size=1).map(tuple), st.booleans(), st.booleans())
FILTERS = st.lists(st.builds("{}={}".format, NAME, st.text(max_size=5)), max_size=3).map(tuple)
PRUNES = st.builds(PruneRequest, st.booleans(), FILTERS, st.booleans())
COMMITS = st.builds(
    CommitRequest, WORD, st.just("") | WORD, st.just("") | TEXT, st.just("") | TEXT, st.lists(TEXT, max_size=3).map(tuple)
)  # fmt: skip
ENV = st.dictionaries(NAME, st.none() | st.text(max_size=5), max_size=3).map(
    lambda env: tuple(name if value is None else f"{name}={value}" for name, value in env.items())
)
WORDS = st.lists(st.text(max_size=6), max_size=4).map(tuple)
EXECS = st.builds(
    ExecRequest, WORD, WORDS, ENV, st.just("") | TEXT, st.just("") | TEXT, st.booleans(), st.booleans(), st.booleans()
)  # fmt: skip
LOADS = st.builds(LoadRequest, st.just("") | TEXT, st.none() | TEXT, st.booleans())
SOURCES = WORD | st.just("-")
CHANGES = st.lists(TEXT, max_size=3).map(tuple)
IMPORTS = st.builds(ImportRequest, SOURCES, st.just("") | WORD, CHANGES, st.just("") | TEXT, st.none() | TEXT)
RUNS = st.builds(
    Request,
    WORD,
    WORDS,
    name=st.just("") | TEXT,
    entrypoint=st.none() | st.just(()) | TEXT.map(lambda word: (word,)),
    env=ENV,
    user=st.just("") | TEXT,
    workdir=st.just("") | TEXT.map("/{}".format),
    hostname=st.just("") | TEXT,
    labels=st.dictionaries(NAME, st.text(max_size=5), max_size=3),
    tty=st.booleans(),
    interactive=st.booleans(),
    detach=st.booleans(),
    remove=st.booleans(),
    ports=st.dictionaries(PORT, st.lists(BINDING, min_size=1, max_size=2), max_size=3),
    exposed=st.lists(PORT, max_size=2).map(tuple),
    publish_all=st.booleans(),
    stop_signal=st.just("") | TEXT,
    stop_timeout=st.none() | st.integers(-1, 99),
    platform=st.none() | TEXT,
    pull=st.sampled_from(["always", "missing", "never"]),
    attach=st.lists(st.sampled_from(["stdin", "stdout", "stderr"]), max_size=2).map(tuple),
).filter(lambda request: not (request.detach and request.attach))


def read(line: list[str], verb: str, reader: Callable[[Parsed], Any]) -> Any:
    """What the command line reads out of a line."""
    words = verb.split()
    assert line[: len(words)] == words
    command = command_of(verb)
    return reader(parse(line[len(words) :], command.flags, interspersed=command.interspersed))


@given(PULLS)
def test_pull(request: PullRequest) -> None:
    assert read(request.line(), "pull", pull_request) == request


@given(REMOVALS)
def test_rmi(request: RemoveRequest) -> None:
    assert read(request.line(), "rmi", remove_request) == request


@given(PRUNES)
def test_image_prune(request: PruneRequest) -> None:
    assert read(request.line(), "image prune", prune_request) == request


@given(COMMITS)
def test_commit(request: CommitRequest) -> None:
    assert read(request.line(), "commit", commit_request) == request


@given(RUNS)
def test_run(request: Request) -> None:
    assert read(line_of(request), "run", lambda parsed: request_of(parsed, {})) == request


@given(EXECS)
def test_exec(request: ExecRequest) -> None:
    assert read(request.line(), "exec", lambda parsed: exec_request(parsed, {})) == request


@given(LOADS)
def test_load(request: LoadRequest) -> None:
    assert read(request.line(), "load", load_request) == request


@given(IMPORTS)
def test_import(request: ImportRequest) -> None:
    assert read(request.line(), "import", import_request) == request
