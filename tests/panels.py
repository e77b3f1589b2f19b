"""What every panel is held to: the page and the text say the same, the bytes are the same, and nothing is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from imagelab.view.panel import Panel


class Words(HTMLParser):
    """What a reader of a page reads, styles left out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self._hidden = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text.append(data)


def words(text: str) -> set[str]:
    """The words and numbers of a text, without the signs that draw its lines."""
    return set(re.findall(r"[\w./@:%+-]*\w[\w./@:%+-]*", text))


def page_words(panel: Panel) -> set[str]:
    return words(" ".join(Words(panel.html).text))


def check(panel: Panel) -> None:
    """The laws of a panel. Every word of the text stands on the page; nothing comes from elsewhere, nothing runs."""
    missing = words(panel.text) - page_words(panel)
    assert not missing, missing
    html = panel.html
    assert html == panel.html and panel.text == panel.text
    assert not re.search(r"<script|\son\w+=|https?://(?!www\.w3\.org)[^ <]*\"|@import|url\(", html)
    assert repr(panel) == panel.text.rstrip("\n")
    assert all(line == line.rstrip() for line in panel.text.splitlines())
    assert 'aria-label="' in html
