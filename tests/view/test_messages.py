"""The table of messages: nothing lacks a translation, and a lab knows which language it speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

import imagelab
from imagelab.errors import UsageError
from imagelab.view.messages import LANGUAGES, WORDS, names_in, pages, say

ENTRIES = [(page, entry) for page, entries in pages().items() for entry in entries]


@pytest.mark.parametrize(("page", "entry"), ENTRIES, ids=[f"{page}.{entry}" for page, entry in ENTRIES])
def test_an_entry_has_every_language_with_the_same_names_and_nothing_else(page: str, entry: str) -> None:
    sentences = pages()[page][entry]
    assert tuple(sentences) == LANGUAGES
    assert all(sentence.strip() == sentence != "" for sentence in sentences.values())
    english, chinese = (names_in(sentences[lang]) for lang in LANGUAGES)
    assert english == chinese
    assert not any("一" <= letter <= "鿿" for letter in sentences["en"])


def test_every_page_is_read_and_every_word_of_the_code_is_there() -> None:
    """Keys that stand in the code as they are; those that are put together are tried by the panels' own tests."""
    import re

    assert {path.stem for path in WORDS.glob("*.toml")} == set(pages())
    package = WORDS.parent.parent
    texts = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.name != "messages.py"}
    keys = {key for text in texts.values() for key in re.findall(r'\bsay\(\s*"([^"{}]+)"', text)}
    assert not {key for key in keys if key.partition(".")[2] not in pages().get(key.partition(".")[0], {})}


def test_numbers_choose_the_form() -> None:
    assert say("kinds.shared", "en", images=3) == "shared by 3"
    assert say("kinds.shared", "zh", images=3) == "3 个镜像共用"


def test_one_and_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plural.toml").write_text('[n]\nen = "{n:# layer|# layers}"\nzh = "{n} 层"\n', encoding="utf-8")
    monkeypatch.setattr("imagelab.view.messages.WORDS", tmp_path)
    assert [say("plural.n", "en", n=n) for n in (0, 1, 2)] == ["0 layers", "1 layer", "2 layers"]
    assert say("plural.n", "zh", n=1) == "1 层"


@pytest.mark.parametrize("key", ["kinds.nothing", "nothing.layer", "nothing"])
def test_what_is_not_there_is_an_error_and_never_a_blank(key: str) -> None:
    with pytest.raises(KeyError):
        say(key, "en")


def test_a_lab_speaks_by_argument_environment_itself_english(tmp_path: Path) -> None:
    def lang(argument: str | None = None, **environ: str) -> str:
        with_lab = imagelab.connect(tmp_path, lang=argument, environ=environ)
        try:
            return with_lab.lang
        finally:
            with_lab.close()

    assert lang() == "en"
    lab = imagelab.connect(tmp_path, environ={})
    lab.lang = "zh"
    assert lab.lang == "zh"
    lab.close()
    assert lang() == "zh"
    assert lang(IMAGELAB_LANG="en") == "en"
    assert lang("zh", IMAGELAB_LANG="en") == "zh"


def test_an_unknown_language_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown language 'fr'"):
        imagelab.connect(tmp_path, lang="fr", environ={})
    lab = imagelab.connect(tmp_path, environ={})
    with pytest.raises(UsageError, match="unknown language 'fr'"):
        lab.lang = "fr"
    assert lab.lang == "en"
    lab.close()
