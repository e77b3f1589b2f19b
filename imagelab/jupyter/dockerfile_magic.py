"""`%%dockerfile`: a cell is a Dockerfile, and running it is `docker build`.

    %%dockerfile nginx:v3
    FROM nginx
    RUN echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html

    %%dockerfile app --explain app.py=source data.csv=./data.csv
    FROM python
    COPY app.py data.csv /app/

The first word is the tag; flags are those of `docker build`; `name=…` puts a file into the context: the text of a
notebook's variable, or else a file of this machine. The output is `docker build`'s own.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from IPython.core.magic import no_var_expand

from imagelab.cli.commands.build import FLAGS
from imagelab.errors import UsageError

if TYPE_CHECKING:
    from imagelab.jupyter.docker_magic import NotebookSession
    from imagelab.lab.host_access import HostAccess


class Piped(io.StringIO):
    """Bytes on standard input, as a pipe brings them."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = io.BytesIO()

    @property
    def buffer(self) -> BinaryIO:
        return self.bytes


def line_of(
    words: Sequence[str], variables: Mapping[str, Any], host: HostAccess
) -> tuple[list[str], dict[str, str | bytes]]:
    """The words of `docker build`, and the files. UsageError."""
    taking = {text for flag in FLAGS if flag.kind != "bool" for text in (f"--{flag.name}", f"-{flag.short}")}
    flags: list[str] = []
    files: dict[str, str | bytes] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word.startswith("-"):
            flags += [word, rest.pop(0)] if word in taking and rest else [word]
        elif equals:
            files[name] = _contents(name, value, variables, host)
        elif "-t" in flags:
            raise UsageError(
                f"%%dockerfile: {word} is a second tag",
                hint="a file is name=variable or name=path; another tag is -t NAME",
            )
        else:
            flags += ["-t", word]
    return ["build", *flags, "-"], files


def _contents(name: str, value: str, variables: Mapping[str, Any], host: HostAccess) -> str | bytes:
    if isinstance(found := variables.get(value), (str, bytes)):
        return found
    if host.path(value).is_file():
        return host.path(value).read_bytes()
    raise UsageError(
        f"%%dockerfile: {name}={value}: there is no text variable and no file {value}",
        hint="put the text into a variable first",
    )


def register(ipython: Any, session: NotebookSession) -> None:
    """Make `%%dockerfile` known to an IPython."""

    def dockerfile(line: str, cell: str) -> None:
        given = Piped()

        def words() -> list[str]:
            found, files = line_of(session.words(line), ipython.user_ns, session.lab.host)
            with session.lab.build_context({**files, "Dockerfile": cell}).tar as tar:
                given.bytes = io.BytesIO(tar.read())
            return found

        session.show_words(words, given)

    dockerfile.__doc__ = __doc__
    ipython.register_magic_function(no_var_expand(dockerfile), "cell", "dockerfile")
