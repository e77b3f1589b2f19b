"""Panels in a real JupyterLab: they open, switch and tick without a script and without the kernel; no request leaves.

With IMAGELAB_PICTURES set to a folder, what is seen is kept there: light and dark, English and Chinese.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = pytest.mark.browser

SETUP = """\
import imagelab
lab = imagelab.lesson("panels", lang="LANG")
for name in ("imagelab/leaky", "nginx:1.11", "nginx"):
    lab.docker(["pull", "-q", name])
lab.docker("run -d --name webserver nginx")
_ = lab.docker("exec -it webserver bash", stdin="echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html\\nexit\\n")"""
CELLS = [
    SETUP,
    'lab.explore("imagelab/leaky")',
    'lab.compare("nginx:1.11", "nginx")',
    "lab.sizes()",
    'lab.avalanche("nginx", "/etc/nginx/version")',
    'lab.avalanche("nginx", "/etc/nginx/version")',
    'lab.container("webserver").diff()',
    'lab.upstream.fault("truncate", "redis")\n%docker pull redis',
    "lab.tape()",
    'lab.upstream.fault("tamper")\n%docker pull mongo:3.2',
    "lab.tape()",
    "%docker pull mongo:3.2",
]


def expect(found: Any) -> Any:
    from playwright.sync_api import expect

    return expect(found)


def notebook(tab: Any, name: str, lang: str) -> None:
    tab.run_cells(name, [text.replace("LANG", lang) for text in CELLS])


def panel(tab: Any, at: int, kind: str) -> Any:
    """A cell's panel, at the top of the page."""
    cell = tab.page.locator(".jp-Notebook .jp-CodeCell").nth(at)
    cell.scroll_into_view_if_needed()
    cell.evaluate("element => element.scrollIntoView({block: 'start'})")
    time.sleep(0.3)
    found = cell.locator(f".imagelab.{kind}" if kind else ".imagelab .pull")
    expect(found).to_be_visible(timeout=60_000)
    return found


def test_panels_open_switch_and_tick(tab: Any) -> None:
    notebook(tab, "panels.ipynb", "en")
    explorer = panel(tab, 1, "explorer")
    secret = explorer.locator("details.hid", has_text="id_rsa")
    expect(secret.locator("pre")).to_be_hidden()
    secret.locator("summary").click()
    expect(secret.get_by_text("this key opens nothing")).to_be_visible()
    explorer.locator(".layers summary.line").nth(3).click()
    expect(explorer.get_by_text("the directory stays")).to_be_visible()
    tab.picture("explorer-light-en.png")
    panel(tab, 2, "comparison")
    tab.picture("comparison-light-en.png")
    expect(panel(tab, 3, "sizes").get_by_text("exactly the sum")).to_be_visible()
    tab.picture("sizes-light-en.png")
    the_switches_of_two_panels_are_apart(tab)
    the_commit_follows_the_ticks(tab)
    expect(panel(tab, 7, "").get_by_text("Already exists")).to_be_visible()
    tab.picture("pull-light-en.png")
    ladder = panel(tab, 8, "tape")
    ladder.locator("details.rung").nth(1).locator("summary").click()
    expect(ladder.get_by_text('"schemaVersion": 2')).to_be_visible()
    tab.picture("tape-light-en.png")
    refused = panel(tab, 10, "tape")
    expect(refused.locator(".bad")).to_contain_text("filesystem layer verification failed for digest")
    tab.picture("refused-light-en.png")
    expect(panel(tab, 11, "").get_by_text("Status: Downloaded newer image for mongo:3.2")).to_be_visible()


def the_switches_of_two_panels_are_apart(tab: Any) -> None:
    """The same panel twice on a page: each has its own switch."""
    first, second = panel(tab, 4, "avalanche"), panel(tab, 5, "avalanche")
    second.locator("input[value=mtime]").check()
    expect(second.locator(".case:visible")).to_have_count(1)
    expect(second.locator(".case.mtime")).to_be_visible()
    expect(second.locator(".case.mtime .chip", has_text="same")).to_have_count(1)
    expect(first.locator(".case.byte")).to_be_visible()
    second.locator("input[value=mtime]").focus()
    tab.page.keyboard.press("ArrowRight")
    expect(second.locator(".case.gzip")).to_be_visible()
    tab.picture("avalanche-light-en.png")


def the_commit_follows_the_ticks(tab: Any) -> None:
    found = panel(tab, 6, "causes")
    line = found.locator(".end pre")
    expect(line).to_contain_text("docker commit webserver")
    assert " /root/.bash_history" in line.inner_text()
    found.locator(".row1", has_text="/root/.bash_history").locator("input").uncheck()
    assert "/root/.bash_history" not in line.inner_text()
    found.locator("summary", has_text="index.html").click()
    expect(found.get_by_text("docker exec -it webserver bash").locator("visible=true")).to_have_count(1)
    tab.picture("causes-light-en.png")
    while found.locator("input:checked").count():
        found.locator("input:checked").first.click()
    assert line.inner_text().strip() == "docker commit webserver"


def test_panels_in_the_dark_in_chinese_and_on_a_narrow_page(tab: Any) -> None:
    notebook(tab, "panels-zh.ipynb", "zh")
    page = tab.page
    page.evaluate(
        "async () => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'}); }"
    )
    time.sleep(1)
    shown = (
        (1, "explorer"),
        (2, "comparison"),
        (3, "sizes"),
        (4, "avalanche"),
        (6, "causes"),
        (7, ""),
        (8, "tape"),
        (10, "tape"),
    )
    for at, kind in shown:
        found = panel(tab, at, kind)
        if kind in ("explorer", "causes", "tape"):
            found.locator("summary:visible").nth(1).click()
        tab.picture(f"{at:02d}-{kind or 'pull'}-dark-zh.png")
    page.set_viewport_size({"width": 1000, "height": 1000})
    time.sleep(1)
    for at, kind in shown:
        found = panel(tab, at, kind)
        if kind:  # the lines of a pull are a terminal's, and scroll
            assert found.evaluate("element => element.scrollWidth - element.clientWidth") <= 0, (
                f"{kind}: wider than the page"
            )
        tab.picture(f"{at:02d}-{kind or 'pull'}-narrow-zh.png")
