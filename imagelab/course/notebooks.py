"""`make notebooks`: one source for each lesson, a notebook for each language, the same bytes every time.

A source is MyST Markdown as jupytext reads it. A prose cell says which language it is in; a code cell belongs to all:

    +++ {"lang": "en"}
    # Getting images
    +++ {"lang": "zh"}
    # 获取镜像

    ```{code-cell} ipython3
    %docker pull ubuntu:14.04
    ```

Each notebook is executed, so what it shows is what imagelab prints; then everything that would change from one run to
the next is taken out: cell ids become the hash of their text, and widgets, which only live in a running page, go.

    python -m imagelab.course.notebooks                 write notebooks/ again
    python -m imagelab.course.notebooks --check         do sources and notebooks say the same? (quick)
    python -m imagelab.course.notebooks --check-full    and would executing them give the same bytes?
"""

from __future__ import annotations

import copy
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
LANGUAGES = ("en", "zh")
WIDGET = "application/vnd.jupyter.widget-view+json"


def sources(root: Path = ROOT) -> list[Path]:
    """Every lesson's source, in order."""
    return sorted((root / "lessons").glob("*/lesson.md"))


def target(source: Path, language: str, root: Path = ROOT) -> Path:
    """The notebook that a source makes: `notebooks/zh/01-getting-images.ipynb`."""
    return root / "notebooks" / language / f"{source.parent.name}.ipynb"


def notebook(source: Path, language: str) -> Any:
    """The cells of one language, not executed."""
    import jupytext

    made = jupytext.read(source)
    made.cells = [cell for cell in made.cells if cell.metadata.get("lang", language) == language]
    for cell in made.cells:
        cell.metadata.pop("lang", None)
    made.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"}, "imagelab": {"lang": language, "lesson": source.parent.name},
    }  # fmt: skip
    return made


def execute(made: Any, folder: Path) -> None:
    """Run every cell, in `folder`."""
    from nbclient import NotebookClient

    client = NotebookClient(
        made, timeout=120, kernel_name="python3", record_timing=False, coalesce_streams=True, store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    client.execute()


def normalise(made: Any) -> str:
    """The notebook's text, without anything that another run would change."""
    import nbformat

    seen: dict[str, int] = {}
    for cell in made.cells:
        name = hashlib.sha256((cell.cell_type + cell.source).encode()).hexdigest()[:8]
        seen[name] = seen.get(name, -1) + 1
        cell.id = f"{name}-{seen[name]}" if seen[name] else name
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
            output.get("metadata", {}).pop(WIDGET, None)
    made.metadata.pop("widgets", None)
    made.metadata["language_info"] = {"name": "python"}
    made.nbformat, made.nbformat_minor = 4, 5
    return str(nbformat.writes(made)) + "\n"


def build(source: Path, language: str, folder: Path) -> str:
    """One notebook, executed."""
    made = notebook(source, language)
    execute(made, folder)
    return normalise(made)


def without_outputs(text: str) -> str:
    """The same notebook as it would be before it is executed."""
    import nbformat

    made = copy.deepcopy(nbformat.reads(text, 4))
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return normalise(made)


def stale(source: Path, language: str, *, full: bool, root: Path = ROOT) -> bool:
    """Is the notebook something other than what its source makes?"""
    file = target(source, language, root)
    have = file.read_text(encoding="utf-8") if file.exists() else ""
    if full:
        return have != build(source, language, file.parent)
    return not have or without_outputs(have) != normalise(notebook(source, language))


def main(words: Sequence[str]) -> int:
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    check, full = "--check" in words or "--check-full" in words, "--check-full" in words
    bad = []
    for source in sources():
        for language in LANGUAGES:
            file = target(source, language)
            if check:
                bad += [file] if stale(source, language, full=full) else []
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(build(source, language, file.parent), encoding="utf-8")
            print(f"wrote {file.relative_to(ROOT)}")
    for file in bad:
        print(f"{file.relative_to(ROOT)} is not what its lesson makes: run make notebooks", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
