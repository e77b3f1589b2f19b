"""`imagelab lab`: the learner's copy is the learner's; JupyterLab starts offline; `docker` is a command."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

import imagelab
from imagelab.errors import ImageLabError, UsageError
from imagelab.jupyter import docker_on_path as shim
from imagelab.jupyter import launch

# -- the learner's copy -------------------------------------------------------------------------------------


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    for language in ("en", "zh"):
        folder = tmp_path / "shipped" / language
        folder.mkdir(parents=True)
        (folder / "01-first.ipynb").write_text(f"first, {language}", encoding="utf-8")
        (folder / "02-second.ipynb").write_text(f"second, {language}", encoding="utf-8")
    return tmp_path / "shipped"


def names(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.glob("*/*.ipynb")}


def test_lessons_are_copied_once(shipped: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert len(launch.working_copy(shipped, mine)) == 4
    assert names(mine) == names(shipped)
    assert launch.working_copy(shipped, mine) == []


def test_a_copy_does_not_give_the_answers_away(tmp_path: Path) -> None:
    """Same cells, nothing printed below them yet; brought again, nothing is new."""
    mine = tmp_path / "mine"
    copied = launch.working_copy(launch.shipped(), mine)
    for file in copied:
        before = json.loads((launch.shipped() / file.relative_to(mine)).read_text(encoding="utf-8"))
        after = json.loads(file.read_text(encoding="utf-8"))
        assert [cell["source"] for cell in after["cells"]] == [cell["source"] for cell in before["cells"]]
        assert [cell["id"] for cell in after["cells"]] == [cell["id"] for cell in before["cells"]]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in after["cells"])
    assert any(cell.get("outputs") for cell in before["cells"])
    assert launch.working_copy(launch.shipped(), mine) == []


def test_work_is_never_written_over(shipped: Path, tmp_path: Path) -> None:
    """The lesson changes twice; the learner's file stays, and each new lesson gets a name of its own."""
    mine = tmp_path / "mine"
    launch.working_copy(shipped, mine)
    (mine / "en" / "01-first.ipynb").write_text("my work", encoding="utf-8")
    assert launch.working_copy(shipped, mine) == []
    (shipped / "en" / "01-first.ipynb").write_text("better", encoding="utf-8")
    assert launch.working_copy(shipped, mine) == [mine / "en" / "01-first-new.ipynb"]
    assert launch.working_copy(shipped, mine) == []
    (shipped / "en" / "01-first.ipynb").write_text("best", encoding="utf-8")
    assert launch.working_copy(shipped, mine) == [mine / "en" / "01-first-new-2.ipynb"]
    found = names(mine)
    assert found["en/01-first.ipynb"] == "my work"
    assert (found["en/01-first-new.ipynb"], found["en/01-first-new-2.ipynb"]) == ("better", "best")


def test_a_copy_nobody_has_touched_follows_the_lesson(shipped: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    launch.working_copy(shipped, mine)
    (shipped / "zh" / "02-second.ipynb").write_text("better", encoding="utf-8")
    assert launch.working_copy(shipped, mine) == [mine / "zh" / "02-second.ipynb"]
    assert names(mine) == names(shipped)


def test_a_deleted_copy_comes_back(shipped: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    launch.working_copy(shipped, mine)
    (mine / "en" / "02-second.ipynb").unlink()
    assert launch.working_copy(shipped, mine) == [mine / "en" / "02-second.ipynb"]


@pytest.mark.parametrize("record", ["", "{", "[1]", None])
def test_without_a_record_what_is_there_counts_as_work(shipped: Path, tmp_path: Path, record: str | None) -> None:
    mine = tmp_path / "mine"
    (mine / "en").mkdir(parents=True)
    (mine / "en" / "01-first.ipynb").write_text("from somewhere", encoding="utf-8")
    (mine / "en" / "02-second.ipynb").write_text("second, en", encoding="utf-8")
    if record is not None:
        (launch.private(mine) / "lessons.json").write_text(record, encoding="utf-8")
    made = launch.working_copy(shipped, mine)
    assert mine / "en" / "01-first-new.ipynb" in made
    assert mine / "en" / "02-second.ipynb" not in made
    assert names(mine)["en/01-first.ipynb"] == "from somewhere"


def test_a_folder_that_cannot_be_written_is_named(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ImageLabError, match="cannot be written to") as refusal:
        launch.working_copy(shipped, tmp_path / "file" / "below")
    assert "--dir" in refusal.value.hint


def test_the_shipped_lessons_are_found() -> None:
    assert (launch.shipped() / "en" / "01-getting-images.ipynb").exists()


# -- what is asked for --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "environ", "language"),
    [
        ("", {}, "en"),
        ("", {"LANG": "zh_CN.UTF-8"}, "zh"),
        ("", {"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ("", {"LANG": "de_DE.UTF-8"}, "en"),
        ("zh", {"LANG": "en_US.UTF-8"}, "zh"),
    ],
)
def test_the_language(asked: str, environ: dict[str, str], language: str) -> None:
    assert launch.language_of(asked, environ) == language


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError, match="no lessons in 'fr'"):
        launch.language_of("fr", {})


def test_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert launch.folder_of("") == tmp_path / "imagelab-lessons"
    assert launch.folder_of("x") == (tmp_path / "x").resolve()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert launch.folder_of("") == Path.home() / "imagelab-lessons"


class Started:
    """In place of the server: what it was started with."""

    def __init__(self) -> None:
        self.line: list[str] = []
        self.environ: dict[str, str] = {}
        self.address = ""

    def __call__(self, line: list[str], environ: dict[str, str], out: Any, address: str, *, folder: Path) -> int:
        self.line, self.environ, self.address = line, environ, address
        return 0


def start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *words: str, **environ: str
) -> tuple[Started, str, str, int]:
    started, out, err = Started(), io.StringIO(), io.StringIO()
    monkeypatch.setattr(launch, "_serve", started)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    line = ["--dir", str(tmp_path / "mine"), *words]
    code = launch.command(line, out=out, err=err, environ={"PATH": "/usr/bin", **environ})
    return started, out.getvalue(), err.getvalue(), code


def test_the_first_lesson_is_the_learners_own_copy(tmp_path: Path) -> None:
    """A newer welcome beside it does not come first."""
    (tmp_path / "en").mkdir()
    for name in ("00-welcome-new.ipynb", "00-welcome.ipynb", "01-x.ipynb"):
        (tmp_path / "en" / name).touch()
    assert launch.first_lesson(tmp_path, "en") == "00-welcome.ipynb"


def test_jupyterlab_opens_the_first_lesson_and_asks_nobody_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started, out, _, code = start(monkeypatch, tmp_path, "--lang", "zh", "--lab", str(tmp_path / "lab"))
    folder, line, env = tmp_path / "mine", started.line, started.environ
    assert code == 0
    shipped = len(list(launch.shipped().glob("*/*.ipynb")))
    assert out == f"{shipped} notebooks copied to {folder}\n"
    assert line[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={folder}" in line
    assert "--LabApp.default_url=/lab/tree/zh/00-welcome.ipynb" in line
    assert "--no-browser" not in line
    assert "--LabApp.news_url=None" in line
    assert "--LabApp.extension_manager=readonly" in line
    assert ("--allow-root" in line) == (hasattr(os, "geteuid") and os.geteuid() == 0)
    news = Path(env["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    assert json.loads(news.read_text(encoding="utf-8")) == {"fetchNews": "false", "checkForUpdates": False}
    assert env["IMAGELAB_HOME"] == str(tmp_path / "lab")
    assert env["PATH"].split(os.pathsep)[0] == str(shim.folder())
    assert str(Path(sys.executable).parent) in env["PATH"].split(os.pathsep)
    assert started.address.endswith(f"/lab/tree/zh/00-welcome.ipynb?token={env['JUPYTER_TOKEN']}")
    assert len(env["JUPYTER_TOKEN"]) == 48


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-GB,en;q=0.9,zh;q=0.8", "en"), ("fr, ZH-tw;q=0.8, en;q=0.5", "zh"), ("en;q=0.1,zh;q=0.2", "zh"),
        ("fr", "en"), ("", "en"), ("*", "en"), ("zh;q=x,en", "en"), (";;,,=", "en"),
    ],
)  # fmt: skip
def test_the_language_a_browser_prefers(accepted: str, language: str) -> None:
    from imagelab.jupyter.welcome import preferred

    assert preferred(accepted) == language


def test_without_lang_the_first_page_is_in_the_browsers_language(tmp_path: Path) -> None:
    """A real server, asked as two browsers would; and nobody is let in without the token."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [
        sys.executable,
        "-m",
        "imagelab",
        "lab",
        "--no-browser",
        "--port",
        str(port),
        "--dir",
        str(tmp_path / "mine"),
    ]
    environ = os.environ | {
        "HOME": str(tmp_path),
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
    }
    with subprocess.Popen(
        line, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        address = next(text.strip() for text in server.stdout if "token=" in text)
        try:
            for accepted, place in (("zh-CN", "lab/tree/zh/00-welcome.ipynb"), ("en", "lab/tree/en/00-welcome.ipynb")):
                answer = requests.get(address, headers={"Accept-Language": accepted}, allow_redirects=False, timeout=20)
                assert (answer.status_code, answer.headers["Location"]) == (302, f"/{place}")
            stranger = requests.get(address.partition("?")[0], allow_redirects=False, timeout=20)
            assert stranger.headers["Location"].startswith("/login")
        finally:
            server.terminate()


def test_the_learners_settings_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started, *_ = start(monkeypatch, tmp_path)
    settings = Path(started.environ["JUPYTERLAB_SETTINGS_DIR"])
    [news] = settings.rglob("*.jupyterlab-settings")
    news.write_text('{"fetchNews": "true"}', encoding="utf-8")
    start(monkeypatch, tmp_path)
    assert news.read_text(encoding="utf-8") == '{"fetchNews": "true"}'


def test_the_port_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ImageLabError, match=f"port {port} of 127.0.0.1 cannot be used") as refusal:
            start(monkeypatch, tmp_path, "--port", str(port))
        assert "--port" in refusal.value.hint
    started, *_ = start(monkeypatch, tmp_path, "--no-browser", "--port", str(port))
    assert f"--ServerApp.port={port}" in started.line
    assert "--no-browser" in started.line
    assert started.address.startswith(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: str) -> None:
    with pytest.raises(ImageLabError, match="ports end at 65535"):
        start(monkeypatch, tmp_path, f"--port={port}")


def test_a_terminal_reads_the_learners_settings_and_then_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("terminals there inherit PATH")
    started, *_ = start(monkeypatch, tmp_path)
    [given] = [word for word in started.line if word.startswith("--ServerApp.terminado_settings=")]
    shell = json.loads(given.partition("=")[2])["shell_command"]
    home = tmp_path / "home"
    home.mkdir()
    (home / ".bashrc").write_text("export PATH=/usr/bin:/bin\n", encoding="utf-8")
    env = {"HOME": str(home), "IMAGELAB_BIN": started.environ["IMAGELAB_BIN"], "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*shell, "-i"],
        input="command -v docker; command -v imagelab\n",
        env=env,
        text=True,
        capture_output=True,
        timeout=30,
    )
    assert done.stdout.splitlines() == [str(shim.folder() / "docker"), str(Path(sys.executable).parent / "imagelab")]


def test_on_a_hub_there_is_a_jupyterlab_already(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started, out, _, code = start(monkeypatch, tmp_path, JUPYTERHUB_SERVICE_PREFIX="/user/a/")
    assert (code, started.line) == (0, [])
    assert out.endswith("open mine/en/00-welcome.ipynb in its file browser.\n")
    started, *_ = start(monkeypatch, tmp_path, "--port", "0", JUPYTERHUB_SERVICE_PREFIX="/user/a/")
    assert started.line


def test_without_jupyterlab_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ImageLabError, match="JupyterLab is not installed"):
        start(monkeypatch, tmp_path)


@pytest.mark.parametrize(("words", "code"), [(["--nope"], 125), (["x"], 1), (["--port", "x"], 125)])
def test_a_wrong_line_gets_its_usage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], code: int
) -> None:
    _, _, err, found = start(monkeypatch, tmp_path, *words)
    assert found == code
    assert "Usage:  imagelab lab [OPTIONS]" in err
    assert not (tmp_path / "mine").exists()


def test_the_page_of_help(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, out, _, code = start(monkeypatch, tmp_path, "--help")
    assert code == 0
    for flag in launch.FLAGS:
        assert f"--{flag.name}" in out


# -- docker on PATH -----------------------------------------------------------------------------------------


def test_the_script_names_this_python_by_its_whole_path() -> None:
    assert shim.script("/a b/python", windows=False) == (
        "docker", "#!/bin/sh\nexec '/a b/python' -P -m imagelab.jupyter.docker_on_path \"$@\"\n",
    )  # fmt: skip
    assert shim.script("C:\\a b\\python.exe", windows=True) == (
        "docker.cmd", '@"C:\\a b\\python.exe" -P -m imagelab.jupyter.docker_on_path %*\r\n',
    )  # fmt: skip


def test_the_script_is_written_once_and_mended_when_broken(tmp_path: Path) -> None:
    [file] = list(shim.install(tmp_path / "bin").iterdir())
    before = file.stat().st_mtime_ns
    shim.install(tmp_path / "bin")
    assert file.stat().st_mtime_ns == before
    whole = file.read_bytes()
    file.write_bytes(b"half")
    shim.install(tmp_path / "bin")
    assert file.read_bytes() == whole
    assert os.access(file, os.X_OK)


def test_where_the_cache_cannot_be_written_a_temporary_folder_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setattr(shim, "folder", lambda: tmp_path / "file" / "bin")
    directory = shim.install()
    assert any(directory.iterdir())


def test_it_runs_imagelab_from_anywhere(tmp_path: Path) -> None:
    """Also where a file of the learner's has the name of a module."""
    if os.name == "nt":
        pytest.skip("a .cmd needs cmd.exe")
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')\n", encoding="utf-8")
    environ = {key: value for key, value in os.environ.items() if key != "JPY_PARENT_PID"}
    environ |= {"IMAGELAB_HOME": str(tmp_path / "lab"), "PATH": "/usr/bin:/bin"}
    lab = imagelab.connect(tmp_path / "lab", environ={})
    lab.pull("alpine")
    lab.close()
    docker = str(shim.install(tmp_path / "bin") / "docker")
    done = subprocess.run(
        [docker, "images", "--format", "{{.ID}} {.ID}"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("517b313a06e3 {.ID}\n", "", 0)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("{.ID}: {.Repository}", "{{.ID}}: {{.Repository}}"),
        ("table {.ID}\\t{.Tag}", "table {{.ID}}\\t{{.Tag}}"),
        ("{range .RepoTags}{.}{end}", "{{range .RepoTags}}{{.}}{{end}}"),
        ("{{.ID}} {x}", "{{.ID}} {x}"),
        ("{{json .}}", "{{json .}}"),
        ("ubuntu:14.04", "ubuntu:14.04"),
    ],
)
def test_a_brace_that_ipython_took_is_put_back(typed: str, meant: str) -> None:
    assert shim.mended([typed]) == [meant]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("run -it ubuntu sh", True),
        ("run --rm -ti ubuntu", True),
        ("container exec --interactive web sh", True),
        ("exec -t web sh", True),
        ("run -d nginx", False),
        ("images -f dangling=true", False),
        ("rmi -f run", False),
    ],
)
def test_who_wants_a_keyboard(line: str, wanted: bool) -> None:
    assert shim.wants_a_keyboard(line.split()) is wanted
