"""A container at a real terminal: what is shown on the line that is typed on, and the keys."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import imagelab
from imagelab.cli.streams import _edited

pty = pytest.importorskip("pty")


def typed(lab: Path, words: list[str], answers: list[tuple[str, str]]) -> tuple[str, int]:
    """Run a command line at a terminal; whenever a text appears, type its answer. (the screen, exit code)"""
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "imagelab", "--lab", str(lab), *words]
    running = subprocess.Popen(line, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    screen, end = "", time.monotonic() + 30
    while time.monotonic() < end:
        try:
            screen += os.read(ours, 4096).decode(errors="replace")
        except OSError:  # the other end is closed
            break
        if answers and answers[0][0] in screen:
            os.write(ours, answers.pop(0)[1].encode())
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen), running.wait(10)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terminal")
    lab = imagelab.connect(folder, environ={})
    lab.pull("ubuntu:14.04")
    lab.close()
    return folder


@pytest.mark.parametrize(
    "script", ["printf 'name: '; read n; echo hi $n; exit 3", "read -p 'name: ' n; echo hi $n; exit 3"]
)
def test_a_question_stays_on_its_line(lab: Path, script: str) -> None:
    screen, code = typed(lab, ["run", "-it", "--rm", "ubuntu:14.04", "bash", "-c", script], [("name: ", "bob\n")])
    assert screen.replace("\r", "") == "name: bob\nhi bob\n"
    assert code == 3


def test_ctrl_d_ends_what_is_typed(lab: Path) -> None:
    screen, code = typed(
        lab,
        ["run", "-it", "--rm", "ubuntu:14.04", "sh", "-c", "echo go; cat; echo end"],
        [("go", "one\n"), ("one\r\none", "\x04")],
    )
    assert screen.replace("\r", "").replace("^D\b\b", "") == "go\none\none\nend\n" and code == 0


def test_enter_runs_what_ctrl_r_found() -> None:
    from prompt_toolkit.application import create_app_session
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
        keyboard.send_text("\x12os-re\r")
        assert (
            _edited("# ", ["echo one", "cat /etc/os-release", "echo two"], lambda line: []) == b"cat /etc/os-release\n"
        )
