"""`make notebooks`: one source for each lesson, a notebook for each language, the same bytes every time.

A source is MyST Markdown as jupytext reads it. A prose cell says which language it is in; a code cell belongs to all:

    +++ {"lang": "en"}
    # Getting images
    +++ {"lang": "zh"}
    # 获取镜像

    ```{code-cell} ipython3
    %docker pull ubuntu:14.04
    ```

    source -> cells of one language -> executed -> without what another run would change -> notebooks/zh/01-….ipynb

Each notebook is executed, so what it shows is what imagelab prints. What would differ the next time is taken out or
pinned: a cell's id is the hash of its text, widgets (which live only in an open page) go, and the kernel runs with no
settings of whoever runs it.

    python -m imagelab.course.notebooks                 write notebooks/ again
    python -m imagelab.course.notebooks --check         do sources and notebooks say the same? (quick)
    python -m imagelab.course.notebooks --check-full    and would executing them give the same bytes?
"""

from __future__ import annotations

import copy
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from imagelab.errors import ImageLabError, UsageError

ROOT = Path(__file__).parent.parent.parent
LANGUAGES = ("en", "zh")
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3}, "file_extension": ".py", "mimetype": "text/x-python",
    "name": "python", "nbconvert_exporter": "python", "pygments_lexer": "ipython3",
}  # fmt: skip


_WRAPPED = re.compile(
    r"(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef”’…—*])\n(?=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef“‘*]{2})"
)


# -- the source ---------------------------------------------------------------------------------------------


def sources(root: Path = ROOT) -> list[Path]:
    """Every lesson's source, in order."""
    return sorted((root / "lessons").glob("*/lesson.md"))


def target(source: Path, language: str, root: Path = ROOT) -> Path:
    """The notebook that a source makes: `notebooks/zh/01-getting-images.ipynb`."""
    return root / "notebooks" / language / f"{source.parent.name}.ipynb"


def cells(source: Path) -> list[Any]:
    """All cells of a source. ImageLabError when a prose cell lacks its twin in the other language."""
    import jupytext

    read = jupytext.read(source).cells
    spoken = [cell.metadata.get("lang", "?") if cell.cell_type == "markdown" else "" for cell in read]
    for at, language in enumerate(spoken):
        first = at == 0 or spoken[at - 1] in ("", LANGUAGES[-1])
        expected = LANGUAGES[0] if first else LANGUAGES[-1]
        if language and language != expected:
            raise _untwinned(source, read[at].source, f"is in {language!r} where one in {expected!r} should be")
        if language == LANGUAGES[0] and spoken[at + 1 : at + 2] != [LANGUAGES[-1]]:
            raise _untwinned(source, read[at].source, f"has no {LANGUAGES[-1]!r} cell after it")
    return list(read)


def _untwinned(source: Path, text: str, what: str) -> ImageLabError:
    start = text.strip().split("\n")[0][:60]
    return ImageLabError(f"{source.parent.name}: the prose cell that begins {start!r} {what}")


def unwrapped(text: str) -> str:
    """Chinese prose without the line ends that its source has: a browser would make a gap of each.

    A line end after a letter, a digit or `code` stays, for there a gap is right; so does one before a list or a table.
    """
    return _WRAPPED.sub("", text)


def notebook(source: Path, language: str) -> Any:
    """The cells of one language as a notebook, not executed."""
    import nbformat

    chosen = [cell for cell in cells(source) if cell.metadata.pop("lang", language) == language]
    for cell in chosen if language == "zh" else []:
        if cell.cell_type == "markdown":
            cell.source = unwrapped(cell.source)
    about = {"lang": language, "lesson": source.parent.name}
    return nbformat.v4.new_notebook(cells=chosen, metadata={"kernelspec": KERNEL, "imagelab": about})  # type: ignore[no-untyped-call]


# -- what is made of it -------------------------------------------------------------------------------------


def execute(made: Any, folder: Path, lessons: Path = ROOT / "lessons") -> None:
    """Run every cell, in `folder`; its exercises are looked up in `lessons`. ImageLabError when one raises."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    client = NotebookClient(
        made, timeout=120, kernel_name="python3", record_timing=False, store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    with _nobodys_settings(lessons):
        try:
            client.execute()
        except CellExecutionError as error:
            raise ImageLabError(f"{made.metadata.imagelab.lesson}: a cell fails: {error}") from None


@contextmanager
def _nobodys_settings(lessons: Path) -> Iterator[None]:
    """An IPython without a profile, and without the kernel's remarks on how it talks; exercises from the given lessons;
    ports that nobody else on this machine can have."""
    with TemporaryDirectory(prefix="imagelab-ipython-", ignore_cleanup_errors=True) as folder:
        profile = Path(folder) / "profile_default"
        profile.mkdir()
        (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", encoding="utf-8")
        ours = {"IPYTHONDIR": folder, "IMAGELAB_LESSONS": str(lessons.resolve()), "IMAGELAB_PORTS": "private"}
        before = {name: os.environ.get(name) for name in ours}
        os.environ.update(ours)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


def normalise(made: Any) -> str:
    """The notebook's text, without anything that another run would change."""
    import nbformat

    seen: dict[str, int] = {}
    for cell in made.cells:
        name = hashlib.sha256((cell.cell_type + cell.source).encode()).hexdigest()[:8]
        seen[name] = seen.get(name, -1) + 1
        cell.id = f"{name}-{seen[name]}" if seen[name] else name
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _joined(output for output in cell.outputs if WIDGET not in output.get("data", {}))
    made.metadata.pop("widgets", None)
    made.metadata["language_info"] = LANGUAGE_INFO
    made.nbformat, made.nbformat_minor = 4, 5
    return str(nbformat.writes(made)).rstrip("\n") + "\n"  # type: ignore[no-untyped-call]


def _joined(outputs: Iterable[Any]) -> list[Any]:
    """Pieces of one stream that follow each other become one: where a kernel cuts them is chance."""
    joined: list[Any] = []
    for output in outputs:
        before = joined[-1] if joined else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before["text"] += output.text
        else:
            joined.append(output)
    return joined


def build(source: Path, language: str, folder: Path) -> str:
    """One notebook, executed."""
    made = notebook(source, language)
    execute(made, folder, source.parent.parent)
    return normalise(made)


def elsewhere(source: Path, language: str, seed: int) -> str:
    """One notebook, executed under other circumstances: a hash seed, a zone, a locale and a folder that follow from `seed`."""
    import subprocess

    zones = ("Asia/Kathmandu", "America/St_Johns")
    with TemporaryDirectory(prefix="imagelab-elsewhere-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / f"place {seed}" / language
        folder.mkdir(parents=True)
        environ = os.environ | {
            "TZ": zones[seed % len(zones)], "PYTHONHASHSEED": str(seed), "HOME": scratch, "COLUMNS": str(60 + seed),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1", "IMAGELAB_PROGRESS": str(Path(scratch) / "progress.json"),
        }  # fmt: skip
        code = "import sys, pathlib; from imagelab.course.notebooks import build; sys.stdout.buffer.write(build(pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])).encode())"
        line = [sys.executable, "-c", code, str(source.resolve()), language, str(folder)]
        done = subprocess.run(line, env=environ, cwd=folder, capture_output=True, encoding="utf-8", timeout=600)
    if done.returncode:
        last = done.stderr.strip().split("\n")[-1]
        raise ImageLabError(f"{source.parent.name}: it does not run elsewhere: {last}")
    return done.stdout


def without_outputs(text: str) -> str:
    """The same notebook as it would be before it is executed."""
    import nbformat

    made = copy.deepcopy(nbformat.reads(text, 4))  # type: ignore[no-untyped-call]
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return normalise(made)


# -- the command --------------------------------------------------------------------------------------------


def stale(source: Path, language: str, *, full: bool, root: Path = ROOT) -> bool:
    """Is the notebook something other than what its source makes?"""
    file = target(source, language, root)
    have = file.read_text(encoding="utf-8") if file.exists() else ""
    if full:
        return have != build(source, language, file.parent)
    return not have or without_outputs(have) != normalise(notebook(source, language))


def surplus(root: Path = ROOT) -> list[Path]:
    """Notebooks that no source makes any more."""
    wanted = {target(source, language, root) for source in sources(root) for language in LANGUAGES}
    return sorted(file for file in (root / "notebooks").glob("*/*.ipynb") if file not in wanted)


def write(root: Path = ROOT, chosen: Sequence[Path] = ()) -> list[Path]:
    """Make every notebook again, or those of the chosen sources; the files written."""
    written = []
    for source in chosen or sources(root):
        for language in LANGUAGES:
            file = target(source, language, root)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(build(source, language, file.parent), encoding="utf-8", newline="\n")
            written.append(file)
    return written


def check(*, full: bool, root: Path = ROOT) -> list[str]:
    """What is wrong, a sentence each."""
    wrong = [
        f"{target(source, language, root).relative_to(root)} is not what its lesson makes: run make notebooks"
        for source in sources(root)
        for language in LANGUAGES
        if stale(source, language, full=full, root=root)
    ]
    return wrong + [f"{file.relative_to(root)} has no lesson: delete it" for file in surplus(root)]


def main(words: Sequence[str]) -> int:
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    try:
        return _main(words)
    except ImageLabError as error:
        print(f"Error: {error}" + (f"\nhint: {error.hint}" if error.hint else ""), file=sys.stderr)
        return error.exit_code


def _main(words: Sequence[str]) -> int:
    if not sources():
        raise ImageLabError(
            f"no lessons in {ROOT / 'lessons'}", hint="this runs in a checkout, not in an installed imagelab"
        )
    if unknown := set(words) - {"--check", "--check-full"}:
        raise UsageError(f"not understood: {' '.join(sorted(unknown))}", hint="--check, --check-full, or nothing")
    if not words:
        for file in write():
            print(f"wrote {file.relative_to(ROOT)}")
        return 0
    wrong = check(full="--check-full" in words)
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
