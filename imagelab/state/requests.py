"""What a command line asks for, as a value, and the line that asks for it.

The command line reads these values out of a line (`cli.commands`, beside each verb's flags), and the Python face writes the
line of the value it has been given, so that a step says how it can be run again. `read(parse(line_of(request))) == request`.
What `docker run` and `create` ask for is `container_config.Request`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PullRequest:
    """`docker pull`."""

    name: str
    all_tags: bool = False
    platform: str | None = None

    def line(self) -> list[str]:
        """The words after `docker`."""
        flags = [*(["-a"] if self.all_tags else []), *_given("--platform", self.platform)]
        return ["pull", *flags, self.name]


@dataclass(frozen=True, slots=True)
class RemoveRequest:
    """`docker rmi`; `prune`: parents that nothing names any more go, too."""

    names: tuple[str, ...]
    force: bool = False
    prune: bool = True

    def line(self) -> list[str]:
        """The words after `docker`."""
        flags = [*(["-f"] if self.force else []), *([] if self.prune else ["--no-prune"])]
        return ["rmi", *flags, *self.names]


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """`docker image prune`; `force`: without a question."""

    all: bool = False
    filters: tuple[str, ...] = ()
    force: bool = True

    def line(self) -> list[str]:
        """The words after `docker`."""
        flags = [*(["-f"] if self.force else []), *(["-a"] if self.all else [])]
        return ["image", "prune", *flags, *(f"--filter={text}" for text in self.filters)]


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """`docker commit`; `changes` are Dockerfile instructions."""

    container: str
    target: str = ""
    author: str = ""
    message: str = ""
    changes: tuple[str, ...] = ()

    def line(self) -> list[str]:
        """The words after `docker`."""
        flags = [*_given("-a", self.author), *_given("-m", self.message)]
        flags += [word for text in self.changes for word in ("-c", text)]
        return ["commit", *flags, self.container, *([self.target] if self.target else [])]


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """`docker exec`."""

    container: str
    command: tuple[str, ...]
    env: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    tty: bool = False
    interactive: bool = False
    detach: bool = False

    def line(self) -> list[str]:
        """The words after `docker`."""
        flags = [flag for flag, on in (("-d", self.detach), ("-i", self.interactive), ("-t", self.tty)) if on]
        flags += [*_given("-u", self.user), *_given("-w", self.workdir)]
        flags += [word for entry in self.env for word in ("-e", entry)]
        return ["exec", *flags, self.container, *self.command]


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """`docker load`; without a file it reads standard input."""

    file: str = ""
    platform: str | None = None
    quiet: bool = False

    def line(self) -> list[str]:
        """The words after `docker`."""
        quiet = ["-q"] if self.quiet else []
        return ["load", *quiet, *_given("--platform", self.platform), *_given("-i", self.file)]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """`docker import`: `source` is a file, a URL, or `-`; `changes` are Dockerfile instructions."""

    source: str
    name: str = ""
    changes: tuple[str, ...] = ()
    message: str = ""
    platform: str | None = None

    def line(self) -> list[str]:
        """The words after `docker`."""
        flags = [word for text in self.changes for word in ("-c", text)]
        flags += [*_given("-m", self.message), *_given("--platform", self.platform)]
        return ["import", *flags, self.source, *([self.name] if self.name else [])]


def _given(flag: str, value: str | None) -> list[str]:
    return [flag, value] if value else []
