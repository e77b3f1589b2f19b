"""What verbs with `--format` share: how the page words it, and how `inspect` goes on past what is not there."""

from __future__ import annotations

from imagelab.cli.command import Invocation
from imagelab.errors import ImageLabError, NotFoundError, TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FORMATTING = (
    "Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"
)
TABLE_FORMAT = (
    "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n"
    "'table TEMPLATE':   Print output in table format using the given Go template\n"
    "'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\n"
    + FORMATTING
)
OBJECT_FORMAT = (
    "Format output using a custom template:\n'json':             Print in JSON format\n"
    "'TEMPLATE':         Print output using the given Go template.\n" + FORMATTING
)


def inspect_objects(
    context: Invocation, find: Callable[[str], dict[str, Any]], missing: Callable[[ImageLabError, str], None]
) -> int:
    """`docker inspect`, whatever is inspected: those that were found, then complaints about the others."""
    from imagelab.output.objects import inspect

    found, failed = [], []
    for name in context.parsed.arguments:
        try:
            found.append(find(name))
        except NotFoundError as error:
            failed.append((error, name))
    try:
        if found or not context.parsed.text("format"):
            context.out.write(inspect(found, format=context.parsed.text("format")) if found else "[]\n")
        else:
            context.out.write("\n")
    except TemplateError as error:
        if "executing" in str(error):
            context.out.write("\n")
        else:
            error.exit_code = 64
        raise
    for refusal, name in failed:
        missing(refusal, name)
    return 1 if failed else 0
