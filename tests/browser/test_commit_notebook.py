"""The commit lesson in JupyterLab: a page in a frame, a typed session, the changes as a list."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.browser


def test_the_commit_lesson(tab: Any) -> None:
    from playwright.sync_api import expect

    tab.open("zh/05-commit.ipynb")
    tab.run_all()
    pages = tab.page.locator(".jp-CodeCell", has_text="lab.browse(")
    shown = pages.nth(1)
    shown.scroll_into_view_if_needed()
    expect(shown.frame_locator("iframe").locator("h1")).to_have_text("Hello, Docker!", timeout=60_000)
    tab.picture("commit-page.png")
    typed = tab.page.locator(".jp-CodeCell", has_text="%%docker exec -it webserver bash")
    expect(typed.get_by_text(re.compile(r"root@[0-9a-f]{12}:/# echo"))).to_be_visible()
    history = tab.page.locator(".jp-CodeCell", has_text="docker history nginx:v2").first
    history.scroll_into_view_if_needed()
    expect(history.get_by_text("修改了默认网页").last).to_be_visible()
    tab.picture("commit-history.png")
