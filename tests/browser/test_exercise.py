"""An exercise in JupyterLab: a picture, buttons that help, a checklist that follows, and progress that stays."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.browser


def short(folder: Path) -> None:
    """A notebook with nothing but one exercise."""
    cells = ["import imagelab\nlab = imagelab.lesson('short')", "lab.exercise('moved-tag')", "%docker rmi mongo:3.2"]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    (folder / "short.ipynb").write_text(nbformat.writes(made), encoding="utf-8")


def test_an_exercise_is_helped_with_and_solved(tab: Any) -> None:
    from playwright.sync_api import expect

    short(tab.server.lessons / "zh")
    tab.open("zh/short.ipynb")
    tab.run_all()
    page = tab.page
    cell = page.locator(".jp-CodeCell", has_text="lab.exercise(")
    expect(cell.get_by_role("group", name="挪走的标签")).to_be_visible(timeout=60_000)
    expect(cell.locator("svg.imagelab-graph")).to_be_visible()
    expect(cell.get_by_text(re.compile("已经没有叫 mongo:3.2 的镜像了")).first).to_be_visible()
    cell.scroll_into_view_if_needed()
    tab.picture("exercise.png")
    cell.get_by_role("button", name="%undo").click()
    expect(cell.get_by_text("undone: rmi mongo:3.2")).to_be_visible(timeout=30_000)
    for rung in (1, 2):
        cell.get_by_role("button", name="%hint").click()
        expect(cell.get_by_text(re.compile(f"提示 {rung}/5"))).to_be_visible(timeout=30_000)
    tab.picture("exercise-hint.png")
    last = page.locator(".jp-CodeCell", has_text="%docker rmi mongo:3.2").last
    last.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("%docker pull -q mongo:3.2")
    page.keyboard.press("Shift+Enter")
    expect(cell.get_by_text(re.compile("完成。标签在同一时刻"))).to_be_visible(timeout=60_000)
    tab.picture("exercise-solved.png")
    progress = json.loads((tab.server.lessons / "imagelab-progress.json").read_text(encoding="utf-8"))
    assert progress["exercises"]["moved-tag"]["solved"] and progress["exercises"]["moved-tag"]["rung"] == 1
