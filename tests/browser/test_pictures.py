"""Pictures in a real JupyterLab: a node is clicked and read from Python, the stepper goes by keys, each lens is flipped; no request leaves.

With IMAGELAB_PICTURES set to a folder (`pictures`, which git ignores), what is seen is kept there: light and dark, English and Chinese, narrow and wide.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from imagelab.view.listings.dangling import DEFINITIONS

pytestmark = pytest.mark.browser

SETUP = """\
import imagelab
lab = imagelab.lesson("pictures", lang="LANG")
for line in ("pull nginx", "pull mongo:3.2", "pull ubuntu:14.04"):
    lab.docker(line)
lab.upstream.release("mongo:3.2")
lab.docker("pull mongo:3.2")
lab.docker("run -d --name webserver nginx")
lab.docker(["exec", "webserver", "sh", "-c", "echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html"])
lab.docker("commit webserver nginx:v2")
_ = lab.docker("run -d --name web2 nginx:v2")"""
CELLS = [
    SETUP,
    "lab.graph()",
    "w = lab.graph(fold=2).widget()\nw.observe(lambda change: open('selected.txt', 'a').write(change['new'] + '\\n'), 'selected')\nw",
    "lab.dangling()",
    "lab.eras()",
    "lab.preview_rmi('nginx:v2', 'ubuntu:14.04')",
    "lab.stepper()",
    "lab.graph(since=-3).details",
]


def expect(found: Any) -> Any:
    from playwright.sync_api import expect

    return expect(found)


def notebook(tab: Any, name: str, lang: str) -> None:
    tab.run_cells(name, [text.replace("LANG", lang) for text in CELLS])


def cell(tab: Any, at: int) -> Any:
    found = tab.page.locator(".jp-Notebook .jp-CodeCell").nth(at)
    found.scroll_into_view_if_needed()
    return found


def scroll(tab: Any, found: Any) -> None:
    found.evaluate("element => element.scrollIntoView({block: 'start'})")
    time.sleep(0.3)


def test_pictures_answer_to_the_mouse_and_to_keys(tab: Any) -> None:
    notebook(tab, "pictures.ipynb", "en")
    page = tab.page
    picture = cell(tab, 1).locator(".jp-RenderedSVG img")
    expect(picture).to_be_visible()
    scroll(tab, cell(tab, 1))
    tab.picture("graph-light-en.png")

    widget = cell(tab, 2).locator(".graph-widget")
    expect(widget.get_by_text("Click a shape")).to_be_visible(timeout=20_000)
    started = time.monotonic()
    widget.locator('svg .node[data-key="tag:nginx:v2"]').click()
    expect(widget.get_by_text("docker images nginx:v2")).to_be_visible()
    assert time.monotonic() - started < 2  # 200 ms in the page; the rest is the browser's driver on a busy machine
    tab.wait_for("selected.txt")
    image = widget.locator("svg .node.k-dangling")
    image.focus()
    page.keyboard.press("Enter")
    expect(widget.get_by_text("docker image inspect c54ff281ebab")).to_be_visible()
    scroll(tab, widget)
    tab.picture("widget-light-en.png")
    for _ in range(50):
        chosen = (tab.server.lessons / "selected.txt").read_text(encoding="utf-8").split()
        if len(chosen) == 2:
            break
        time.sleep(0.1)
    assert chosen == ["tag:nginx:v2", "image:c54ff281ebab"]
    fold = widget.locator('svg .node[data-key^="fold:"]').first
    fold.click()
    expect(widget.locator('svg .node[data-key^="fold:"]')).to_have_count(0)

    lens = cell(tab, 3).locator(".lens")
    for name in DEFINITIONS:
        lens.locator(f"input[value={name}]").check()
        expect(lens.locator(".view:visible")).to_have_count(1)
        expect(lens.locator(f".v-{name}")).to_be_visible()
        expect(lens.locator(f".v-{name} img")).to_be_visible()
    scroll(tab, lens)
    tab.picture("dangling-light-en.png")
    eras = cell(tab, 4).locator(".eras")
    expect(eras.locator("tr.gone")).to_contain_text("not listed")
    scroll(tab, eras)
    tab.picture("eras-light-en.png")
    scroll(tab, cell(tab, 5))
    tab.picture("rmi-light-en.png")
    the_stepper_goes_by_keys(tab)


def the_stepper_goes_by_keys(tab: Any) -> None:
    page, stepper = tab.page, cell(tab, 6).locator(".stepper")
    total = 9
    expect(stepper).to_have_attribute("data-step", str(total))
    expect(stepper.locator("li:visible")).to_have_count(1)
    stepper.focus()
    for key, step in (
        ("Home", 1),
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("End", total),
        ("ArrowRight", total),
        ("ArrowLeft", total - 1),
        (" ", total),
    ):
        page.keyboard.press(key)
        expect(stepper).to_have_attribute("data-step", str(step))
        expect(stepper.locator("li.here img")).to_be_visible()
    stepper.locator("button").first.click()
    expect(stepper).to_have_attribute("data-step", "1")
    times = stepper.evaluate(
        """root => { const times = [];
          for (let n = 0; n < 41; n++) { const start = performance.now();
            root.dispatchEvent(new KeyboardEvent("keydown", {key: n % 2 ? "Home" : "End", bubbles: true}));
            root.getBoundingClientRect(); times.push(performance.now() - start); }
          return times.sort((a, b) => a - b); }"""
    )
    assert times[20] < 100, f"a step takes {times[20]} ms"
    stepper.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    scroll(tab, stepper)
    tab.picture("stepper-light-en.png")
    scroll(tab, cell(tab, 7))
    tab.picture("details-light-en.png")


def test_a_notebook_that_nobody_trusts_still_says_everything(tab: Any) -> None:
    """Neither styles nor scripts nor SVG are let through: the tree, the sentences and the tables are left."""
    notebook(tab, "trusted.ipynb", "en")
    tab.command("docmanager:save")
    made = json.loads((tab.server.lessons / "trusted.ipynb").read_text(encoding="utf-8"))
    made["cells"][0]["source"] += "\n# somebody else's"
    for each in made["cells"]:
        each["metadata"] = {}
    (tab.server.lessons / "untrusted.ipynb").write_text(json.dumps(made), encoding="utf-8")
    tab.open("untrusted.ipynb")
    expect(cell(tab, 1).get_by_text("layer 95bb28a80069", exact=False).first).to_be_visible(timeout=60_000)
    scroll(tab, cell(tab, 1))
    tab.picture("untrusted-graph.png")
    expect(cell(tab, 3).get_by_text("(a digest reference is none)", exact=False).first).to_be_visible()
    scroll(tab, cell(tab, 3))
    tab.picture("untrusted-dangling.png")
    expect(cell(tab, 5).get_by_text("nginx:v2 was made from it", exact=False).first).to_be_visible()
    expect(cell(tab, 6).get_by_text("docker commit webserver nginx:v2", exact=False).first).to_be_visible()
    scroll(tab, cell(tab, 6))
    tab.picture("untrusted-stepper.png")


def test_pictures_in_the_dark_in_chinese_and_on_a_narrow_page(tab: Any) -> None:
    notebook(tab, "pictures-zh.ipynb", "zh")
    page = tab.page
    page.evaluate(
        "async () => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'}); }"
    )
    time.sleep(1)
    widget = cell(tab, 2).locator(".graph-widget")
    widget.locator("svg .node.k-dangling").click()
    expect(widget.get_by_text("查看它的命令").locator("visible=true")).to_have_count(1)
    for at, name in (
        (1, "graph"),
        (2, "widget"),
        (3, "dangling"),
        (4, "eras"),
        (5, "rmi"),
        (6, "stepper"),
        (7, "details"),
    ):
        scroll(tab, cell(tab, at))
        tab.picture(f"{name}-dark-zh.png")
    page.evaluate(
        "async () => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'}); }"
    )
    page.set_viewport_size({"width": 1000, "height": 1000})
    time.sleep(1)
    for at, name in ((1, "graph"), (2, "widget"), (6, "stepper")):
        scroll(tab, cell(tab, at))
        tab.picture(f"{name}-narrow-zh.png")
    wide = page.evaluate(
        "() => document.querySelector('.jp-Notebook').scrollWidth - document.querySelector('.jp-Notebook').clientWidth"
    )
    assert wide <= 0, "nothing is wider than the page"
