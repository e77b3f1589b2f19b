"""Any listing: rows of named cells through a `--format` value.

`--format` takes (R4.1): nothing, for the default table; `table TEMPLATE`; `json`, one object a line; `raw`; or a Go
template, executed for each row. A table's header is the same template executed on the columns' names (R4.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from imagelab.output.tabwriter import columns

NONE = "<none>"
Fields = Mapping[str, Callable[..., Any]]


def render(text: str, rows: Iterable[Fields], headers: Mapping[str, Any], *, go_type: str, minimum: int = 10) -> str:
    """Rows through a `--format` value. TemplateError in Go's words (R4.7)."""
    if text == "json":
        return "".join(_json_line(row) for row in rows)
    from imagelab.gotemplate.template import HEADER_FUNCTIONS, Template
    from imagelab.gotemplate.values import Struct

    is_table = text.startswith("table")  # even `tablefoo` (R4.2)
    source = (text[5:].strip(" ") if is_table else text).replace("\\t", "\t").replace("\\n", "\n")
    template = Template.parse(source)
    lines = [template.execute(Struct(go_type, row)) for row in rows]
    if not is_table:
        return "".join(f"{line}\n" for line in lines)
    named: Any = dict(headers)
    if any(callable(text) for text in headers.values()):  # `.Label "x"` is headed by its argument
        named = Struct("", {key: text if callable(text) else _always(text) for key, text in headers.items()})
    header = Template.parse(source, HEADER_FUNCTIONS).execute(named)
    return columns([header, *lines], minimum=minimum)


def _always(text: str) -> Callable[[], str]:
    return lambda: text


def _json_line(row: Fields) -> str:
    from imagelab.gotemplate.values import go_json

    return go_json({key: row[key]() for key in sorted(row) if key != "Label"}) + "\n"
