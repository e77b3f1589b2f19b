"""Lessons and notebooks say the same, in two languages, and come out the same on every machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from imagelab.course import notebooks
from imagelab.errors import ImageLabError

pytestmark = pytest.mark.usefixtures("ports_of_the_book")

SOURCES = notebooks.sources()
NOTEBOOKS = [(source, language) for source in SOURCES for language in notebooks.LANGUAGES]
IDS = [f"{language}/{source.parent.name}" for source, language in NOTEBOOKS]
HAN = re.compile(r"[\u4e00-\u9fff]")


def read(source: Path, language: str) -> Any:
    return json.loads(notebooks.target(source, language).read_text(encoding="utf-8"))


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook["cells"] if cell["cell_type"] == "code" for output in cell["outputs"]]


def test_there_are_lessons() -> None:
    assert [int(source.parent.name[:2]) for source in SOURCES] == list(range(len(SOURCES)))
    assert len(SOURCES) >= 12


def test_notebooks_are_what_their_sources_make() -> None:
    assert notebooks.check(full=False) == []


def test_executing_them_elsewhere_gives_the_same_bytes(tmp_path: Path) -> None:
    """Another zone, another hash seed, another folder, another home and language: the same notebooks."""
    environ = os.environ | {
        "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "12345", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "LANG": "zh_CN.UTF-8", "COLUMNS": "40", "IMAGELAB_HOME": str(tmp_path / "nobody"), "IMAGELAB_ERA": "29",
    }  # fmt: skip
    line = [sys.executable, "-m", "imagelab.course.notebooks", "--check-full"]
    done = subprocess.run(line, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.parent.name)
def test_both_languages_have_the_same_cells(source: Path) -> None:
    """Prose for prose, and the very same code; Docker's output is the same too, only what imagelab says is in the language."""
    english, chinese = (read(source, language)["cells"] for language in notebooks.LANGUAGES)
    assert [cell["cell_type"] for cell in english] == [cell["cell_type"] for cell in chinese]
    for one, other in zip(english, chinese, strict=True):
        if one["cell_type"] == "code":
            assert one["source"] == other["source"]
            assert one["outputs"] == other["outputs"] or HAN.search(json.dumps(other["outputs"], ensure_ascii=False))
        else:
            assert HAN.search("".join(other["source"]))
            assert not HAN.search("".join(one["source"]))


@pytest.mark.parametrize(("source", "language"), NOTEBOOKS, ids=IDS)
def test_a_notebook_can_be_read_without_its_page(source: Path, language: str) -> None:
    """Every output has plain text; there is no widget, no traceback, no machine's path or address in it."""
    notebook = read(source, language)
    for output in outputs(notebook):
        assert output["output_type"] != "error"
        data = output.get("data", {"text/plain": ""})
        assert "text/plain" in data
        assert not any("widget" in kind for kind in data)
    text = json.dumps(notebook)
    home = str(Path.home()) if Path.home() != Path("/root") else "/root/work"  # every container has a /root
    for path in (str(notebooks.ROOT), home, "/tmp/", "\\\\Users\\\\", "0x7f"):
        assert path not in text
    assert "widgets" not in notebook["metadata"]
    assert len(text) < 400_000  # the stepper of one lesson is half of that


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.parent.name)
def test_a_lesson_asks_before_it_shows(source: Path) -> None:
    """A question to predict, in both languages, and a run right after it."""
    cells = notebooks.cells(source)
    for words, language in (("Predict first", "en"), ("先猜一猜", "zh")):
        asked = [at for at, cell in enumerate(cells) if words in cell.source]
        assert len(asked) >= 2
        for at in asked:
            following = next(cell for cell in cells[at + 1 :] if cell.metadata.get("lang") in (None, language))
            assert following.cell_type == "code"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.parent.name)
def test_a_lesson_ends_in_todays_docker(source: Path) -> None:
    """The same lab as another Docker prints it, at the end of every lesson; the welcome only says what an era is."""
    text = source.read_text(encoding="utf-8")
    if source != SOURCES[0]:
        assert "\n## In today's Docker\n" in text
        assert "\n## 在今天的 Docker 里\n" in text
    assert "--era" in text or "lab.eras()" in text


LINK = re.compile(r"\]\(([^)#]+\.ipynb)\)")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.parent.name)
def test_links_to_other_lessons_lead_somewhere(source: Path) -> None:
    for link in LINK.findall(source.read_text(encoding="utf-8")):
        for language in notebooks.LANGUAGES:
            assert (notebooks.target(source, language).parent / link).exists(), link


def test_the_welcome_lists_every_lesson() -> None:
    listed = LINK.findall(SOURCES[0].read_text(encoding="utf-8"))
    assert listed == [f"{source.parent.name}.ipynb" for source in SOURCES[1:]] * 2


BOOK = tomllib.loads((Path(__file__).parent / "book.toml").read_text(encoding="utf-8"))["block"]
SECTIONS = ["pull", "list", "rmi", "commit", "build", "other"]


@pytest.mark.parametrize("language", notebooks.LANGUAGES)
@pytest.mark.parametrize("block", BOOK, ids=[f"{at}-{block['section']}" for at, block in enumerate(BOOK)])
def test_the_books_commands_are_run_and_print_what_it_says(block: dict[str, Any], language: str) -> None:
    """In a cell of the lesson that is named, all lines in one cell's output, in the order of the book."""
    [source] = [source for source in SOURCES if source.parent.name == block["lesson"]]
    cells = [cell for cell in read(source, language)["cells"] if cell["cell_type"] == "code"]
    running = [cell for cell in cells if block["command"] in "".join(cell["source"])]
    assert running, block["command"]
    assert any(stand_in_order(block["expect"], printed(cell)) for cell in running), block["expect"]


def printed(cell: Any) -> str:
    return "\n".join("".join(output.get("text") or output["data"]["text/plain"]) for output in cell["outputs"])


def stand_in_order(expected: list[str], text: str) -> bool:
    for line in expected:
        _, found, text = text.partition(line)
        if not found:
            return False
    return True


def test_each_section_of_the_chapter_is_taught() -> None:
    assert list(dict.fromkeys(block["section"] for block in BOOK)) == SECTIONS
    assert not stand_in_order(["b", "a"], "a\nb")
    assert stand_in_order(["a", "b"], "a\nb")


# -- the builder itself -------------------------------------------------------------------------------------

HEAD = "---\njupytext:\n  text_representation:\n    extension: .md\n    format_name: myst\n---\n\n"
EN, ZH, CODE = (
    '+++ {"lang": "en"}\n\nHello\n\n',
    '+++ {"lang": "zh"}\n\n你好\n\n',
    "```{code-cell} ipython3\n1 + 1\n```\n\n",
)


def lesson(root: Path, text: str) -> Path:
    source = root / "lessons" / "01-x" / "lesson.md"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(HEAD + text, encoding="utf-8")
    return source


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (EN + CODE, "has no 'zh' cell after it"),
        (ZH + CODE, "is in 'zh' where one in 'en' should be"),
        (ZH + EN, "is in 'zh' where one in 'en' should be"),
        (EN + EN + ZH, "has no 'zh' cell after it"),
        (EN + ZH + ZH, "is in 'zh' where one in 'en' should be"),
        ("Hello\n\n" + CODE, r"is in '\?' where one in 'en' should be"),
    ],
)
def test_prose_without_its_twin_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(ImageLabError, match=what):
        notebooks.cells(lesson(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("一行，\n再一行。", "一行，再一行。"), ("构建**就是**\n反复的运行", "构建**就是**反复的运行"), ("他说：“好”\n**就是**好", "他说：“好”**就是**好"),
        ("用 `docker`\n来做", "用 `docker`\n来做"), ("一段。\n\n又一段。", "一段。\n\n又一段。"), ("两种：\n* 一\n* 二", "两种：\n* 一\n* 二"),
        ("说明：\n| 一 | 二 |", "说明：\n| 一 | 二 |"), ("an\nEnglish line", "an\nEnglish line"), ("看这里\n`docker images`", "看这里\n`docker images`"),
    ],
)  # fmt: skip
def test_chinese_lines_are_joined_without_a_gap(text: str, shown: str) -> None:
    assert notebooks.unwrapped(text) == shown


def test_an_edited_lesson_and_an_edited_notebook_are_noticed(tmp_path: Path) -> None:
    source = lesson(tmp_path, EN + ZH + CODE)
    assert len(notebooks.check(full=False, root=tmp_path)) == 2
    for language in notebooks.LANGUAGES:
        file = notebooks.target(source, language, tmp_path)
        file.parent.mkdir(parents=True)
        file.write_text(notebooks.normalise(notebooks.notebook(source, language)), encoding="utf-8")
    assert notebooks.check(full=False, root=tmp_path) == []
    lesson(tmp_path, EN.replace("Hello", "Hi") + ZH + CODE)
    assert [line.partition(" ")[0] for line in notebooks.check(full=False, root=tmp_path)] == [
        "notebooks/en/01-x.ipynb"
    ]
    (tmp_path / "notebooks" / "zh" / "02-old.ipynb").write_text("{}", encoding="utf-8")
    assert notebooks.check(full=False, root=tmp_path)[-1] == "notebooks/zh/02-old.ipynb has no lesson: delete it"


def test_pieces_of_a_stream_are_joined_where_they_touch() -> None:
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    pieces = [
        new_output("stream", name=name, text=text)
        for name, text in [("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", "d")]
    ]
    made = json.loads(notebooks.normalise(new_notebook(cells=[new_code_cell("x", outputs=pieces)])))
    assert [(output["name"], "".join(output["text"])) for output in outputs(made)] == [
        ("stdout", "ab"), ("stderr", "c"), ("stdout", "d"),
    ]  # fmt: skip


def test_a_cell_that_fails_is_a_sentence(tmp_path: Path) -> None:
    source = lesson(tmp_path, EN + ZH + CODE.replace("1 + 1", "1 / 0"))
    with pytest.raises(ImageLabError, match="01-x: a cell fails"):
        notebooks.build(source, "en", tmp_path)


@pytest.mark.parametrize("words", [["--chek"], ["x"]])
def test_the_command_takes_two_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert notebooks.main(words) == 1
    assert capsys.readouterr().err.startswith("Error: not understood:")
