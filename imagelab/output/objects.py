"""Objects rather than rows: `docker inspect`, `docker version`, `docker info`."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


def inspect(objects: Sequence[Mapping[str, Any]], *, format: str = "") -> str:
    """A JSON array with four spaces of indent, or a template for each object (R6.21, R6.50)."""
    if not format:
        import json

        return json.dumps([dict(item) for item in objects], indent=4, ensure_ascii=False) + "\n"
    from imagelab.gotemplate.template import Template

    template = Template.parse("{{json .}}" if format == "json" else format)
    return "".join(template.execute(_typed(item), missing_is_error=True) + "\n" for item in objects)


def _typed(item: Mapping[str, Any]) -> Any:
    """The object as Docker's own types hold it: these members are structs, lists hold strings, the rest are maps."""
    from imagelab.gotemplate.values import Ordered, Strings

    structs = {"Config", "GraphDriver", "RootFS", "Metadata", "Descriptor"}
    typed = Ordered(
        {key: Ordered(value) if key in structs and value is not None else value for key, value in item.items()}
    )
    for holder in (typed, *(value for value in typed.values() if isinstance(value, Ordered))):
        holder.update({key: Strings(value) for key, value in holder.items() if isinstance(value, list)})
    for name in ("ExposedPorts", "Volumes"):  # sets, in Go: a map to empty structs
        if typed.get("Config") and typed["Config"].get(name):
            typed["Config"][name] = {key: Ordered() for key in typed["Config"][name]}
    return typed


def version(info: Mapping[str, Any], *, format: str = "") -> str:
    """`docker version`: an object for --format, else the lines."""
    return _object(info, format) or "".join(_indented(info, 0))


def info(facts: Mapping[str, Any], *, format: str = "") -> str:
    """`docker info`."""
    return _object(facts, format) or "".join(f" {key}: {value}\n" for key, value in facts.items())


def _object(data: Mapping[str, Any], format: str) -> str:
    if not format:
        return ""
    from imagelab.gotemplate.template import Template

    return Template.parse("{{json .}}" if format == "json" else format).execute(dict(data)) + "\n"


def _indented(data: Mapping[str, Any], depth: int) -> Iterable[str]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield f"{' ' * depth}{key}:\n"
            yield from _indented(value, depth + 1)
        else:
            yield f"{' ' * depth}{key + ':':<19}{value}\n"
