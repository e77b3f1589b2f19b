"""The stop button of a notebook: whatever a cell runs ends, the kernel stays, and so does the lab."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest

pytest.importorskip("ipykernel")
if sys.platform == "win32":
    pytest.skip("interrupts are sent another way there", allow_module_level=True)


class Notebook:
    """A kernel, and cells that run in it; `stop_after` seconds the stop button is pressed, again and again."""

    def __init__(self, home: Path) -> None:
        from jupyter_client.manager import start_new_kernel

        environment = {**os.environ, "IMAGELAB_HOME": str(home / "lab"), "HOME": str(home)}
        self.manager, self.client = start_new_kernel(kernel_name="python3", env=environment)

    def cell(self, code: str, *, stop_after: float = 60) -> tuple[str, int]:
        """What it printed, errors included, and how often the button was pressed. AssertionError when that does not help."""
        asked = self.client.execute(code)
        shown, presses, due = "", 0, time.monotonic() + stop_after
        while presses < 5:
            if time.monotonic() > due:
                self.manager.interrupt_kernel()
                presses, due = presses + 1, due + 2
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except Empty:
                continue
            content = message["content"]
            if message["parent_header"].get("msg_id") != asked:
                continue
            shown += content.get("text", "") + (content["ename"] if message["msg_type"] == "error" else "")
            if content.get("execution_state") == "idle":
                return shown, presses
        raise AssertionError(f"it does not stop: {code}")


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    notebook = Notebook(tmp_path_factory.mktemp("interrupts"))
    notebook.cell(
        "import imagelab\n%load_ext imagelab\nlab = imagelab.connect()\n%docker pull -q nginx\n%docker pull -q ubuntu:14.04"
    )
    notebook.cell("%docker run -d --name web nginx\n%docker run -d --name idle ubuntu:14.04 sleep 1000")
    yield notebook
    notebook.cell("%docker rm -f web idle")
    notebook.client.stop_channels()
    notebook.manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("code", [
    "%docker run --rm nginx",
    "%docker run --rm ubuntu:14.04 sleep 1000",
    "%docker run --rm ubuntu:14.04 sh -c 'while :; do :; done'",
    "%docker run --rm ubuntu:14.04 sh -c 'while :; do echo y; done'",
    "%docker exec web sleep 1000",
    "%%docker exec -i web sh\nwhile :; do :; done\n",
    "%docker logs -f web",
    "lab.container('web').exec('sleep', '1000')",
])  # fmt: skip
def test_a_cell_that_goes_on_and_on_is_stopped(notebook: Notebook, code: str) -> None:
    shown, presses = notebook.cell(code, stop_after=1.5)
    assert presses == 1
    assert "Traceback" not in shown and "KeyboardInterrupt" not in shown
    names = notebook.cell("%docker ps --format '{{.Names}}'")[0].split()
    assert sorted(names) == ["idle", "web"]  # what was stopped is gone, what was not is there


def test_a_program_that_never_lets_go_is_stopped_by_the_next_press(notebook: Notebook) -> None:
    _, presses = notebook.cell("%docker run --rm ubuntu:14.04 sh -c \"echo x | sed ':a;ba'\"", stop_after=1)
    assert presses in (1, 2)
    assert sorted(notebook.cell("%docker ps -a --format '{{.Names}}'")[0].split()) == ["idle", "web"]
    assert notebook.cell("1 + 1")[1] == 0
