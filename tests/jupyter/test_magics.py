"""`%docker` in a cell: what a line means, what is shown, what is returned; and `!docker` in a real kernel."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import imagelab
from imagelab.cli.line import words
from imagelab.errors import UsageError
from imagelab.lab.results.images import CommandResult

# -- a line -------------------------------------------------------------------------------------------------

VARIABLES = {"ids": "a b\n", "one": "x y", "tag": "3.2"}


def read(line: str) -> list[str]:
    return words(line, variable=VARIABLES.__getitem__, output_of=lambda inner: f"<{inner}>\n1 2\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("images  -f dangling=true", ["images", "-f", "dangling=true"]),
        ("images --format '{{.ID}}: {{.Tag}}'", ["images", "--format", "{{.ID}}: {{.Tag}}"]),
        ('images --format "table {{.ID}}\\t{{.Tag}}"', ["images", "--format", "table {{.ID}}\\t{{.Tag}}"]),
        ("rmi $ids z", ["rmi", "a", "b", "z"]),
        ("rmi p$ids-q", ["rmi", "pa", "b", "-q"]),
        ("pull mongo:$tag", ["pull", "mongo:3.2"]),
        ("pull ${tag}rc", ["pull", "3.2rc"]),
        ('x "a $one"', ["x", "a x y"]),
        ("x '$one' \\$one", ["x", "$one", "$one"]),
        ('x "\\$one \\" \\n"', ["x", '$one " \\n']),
        ("x \"it's\" '\"'", ["x", "it's", '"']),
        ("x '' \"\"", ["x", "", ""]),
        ("x 5$ $ ${", ["x", "5$", "$", "${"]),
        ("rmi $(docker images -q)", ["rmi", "<docker", "images", "-q>", "1", "2"]),
        ("rmi \"$(docker images --format '{{(x)}}')\"", ["rmi", "<docker images --format '{{(x)}}'>\n1 2"]),
        ("images -q # newest first", ["images", "-q"]),
        ("images a#b", ["images", "a#b"]),
        ("images 中文", ["images", "中文"]),
        ("", []),
    ],
)
def test_a_line_is_read_as_a_shell_reads_it(line: str, expected: list[str]) -> None:
    assert read(line) == expected


@pytest.mark.parametrize(
    "line",
    ["images | sort", "images > file", "a; b", "a && b", "a &", "x < y", "x `docker`", "'a", '"a', "$(docker", '"$(x"'],
)
def test_what_belongs_to_a_shell_or_does_not_end_is_refused(line: str) -> None:
    with pytest.raises(UsageError) as refusal:
        read(line)
    assert refusal.value.hint


# -- a notebook ---------------------------------------------------------------------------------------------


@dataclass
class Cell:
    """What one cell left: its displays, its streams, its value."""

    displays: list[dict[str, str]]
    out: str
    err: str
    value: Any


class Notebook:
    """An IPython that thinks a page is listening."""

    def __init__(self, shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.shell, self._capsys = shell, capsys

    def run(self, code: str) -> Cell:
        self.shell.display_pub.outputs.clear()
        self._capsys.readouterr()
        done = self.shell.run_cell(code)
        assert done.success, f"a traceback reached the user: {done.error_in_exec or done.error_before_exec}"
        streams = self._capsys.readouterr()
        displays = [output["data"] for output in self.shell.display_pub.outputs]
        return Cell(displays, streams.out, streams.err, done.result)

    def names(self) -> dict[str, Any]:
        return dict(self.shell.user_ns)


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Notebook]:
    for name in ("IMAGELAB_ERA", "IMAGELAB_UPSTREAM", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    home = tmp_path / "lab"
    lab = imagelab.connect(home, environ={}, clock="class")
    lab.store.remember("clock", "class")
    lab.close()
    monkeypatch.setenv("IMAGELAB_HOME", str(home))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.kernel = object()
    shell.display_pub = CapturingDisplayPublisher()
    shell.run_line_magic("load_ext", "imagelab")
    yield Notebook(shell, capsys)
    shell.user_ns.clear()
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("line", ["explore alpine", "sizes", "avalanche alpine", "tape", "causes box", "diff box"])
def test_a_panel_has_its_text_beside_it(notebook: Notebook, line: str) -> None:
    """The text is what a terminal gets; of `diff` that is Docker's, whose lines the panel opens."""
    notebook.run("%docker run --name box alpine touch /srv/new")
    cell = notebook.run(f"%docker {line}")
    [shown] = cell.displays
    assert shown["text/plain"] == notebook.run(f"text = %docker {line}\ntext").value.stdout.rstrip("\n")
    assert shown["text/html"].count('class="imagelab panel') == 1
    if line == "diff box":
        assert shown["text/plain"] == "C /srv\nA /srv/new"
        assert "docker run --name box alpine touch /srv/new" in shown["text/html"]


def test_a_pull_is_one_picture_with_its_text_beside_it(notebook: Notebook) -> None:
    cell = notebook.run("%docker pull ubuntu")
    [shown] = cell.displays
    lines = shown["text/plain"].split("\n")
    assert lines[:2] == ["Using default tag: latest", "latest: Pulling from library/ubuntu"]
    assert [line.partition(": ")[2] for line in lines[2:7]] == ["Pull complete"] * 5
    assert lines[-2:] == ["Status: Downloaded newer image for ubuntu:latest", "docker.io/library/ubuntu:latest"]
    assert shown["text/html"].count("progress-bar-success") == 5 + 1  # five bars, and their style
    assert (cell.out, cell.err, cell.value) == ("", "", None)


def test_a_listing_is_a_table_with_dockers_text_beside_it(notebook: Notebook) -> None:
    notebook.run("%docker pull -q ubuntu:14.04")
    [shown] = notebook.run("%docker images").displays
    assert shown["text/plain"].splitlines()[0] == "REPOSITORY   TAG       IMAGE ID       CREATED       SIZE"
    assert "<td>14.04</td>" in shown["text/html"]
    assert notebook.run("%docker images -q").out == "2e12a2a438aa\n"


def test_a_result_that_is_assigned_is_not_shown(notebook: Notebook) -> None:
    notebook.run("%docker pull -q ubuntu:14.04")
    cell = notebook.run("found = %docker images\nfound.rows[0]['TAG']")
    assert (cell.displays, cell.value) == ([], "14.04")
    assert "REPOSITORY" not in cell.out
    found = notebook.names()["found"]
    assert isinstance(found, CommandResult)
    assert found.exit_code == 0
    assert found.lines == str(found).splitlines()
    assert found._repr_html_() == found.html != ""


def test_docker_alone_shows_also_in_a_loop_and_by_automagic(notebook: Notebook) -> None:
    notebook.run("%docker pull -q alpine")
    cell = notebook.run("for name in ['a', 'b']:\n    %docker tag alpine $name\n    %docker images -q $name")
    assert cell.out == "517b313a06e3\n" * 2
    assert notebook.run("docker images -q a").out == "517b313a06e3\n"


def test_variables_are_names_lists_and_results(notebook: Notebook) -> None:
    notebook.run("%docker pull -q alpine\n%docker pull -q busybox")
    assert "Untagged: alpine:latest" in notebook.run("names = ['alpine', 'busybox']\n%docker rmi $names").out
    notebook.run("%docker pull -q alpine")
    assert "Untagged: alpine:latest" in notebook.run("ids = %docker images -q\n%docker rmi $ids").out


def test_a_whole_table_is_not_taken_for_ids(notebook: Notebook) -> None:
    """`rmi` of every word of a listing would remove what the words happen to name."""
    notebook.run("%docker pull -q alpine")
    cell = notebook.run("table = %docker images\n%docker rmi $table")
    assert cell.err.startswith("$table is a whole table")
    assert notebook.run("%docker images -q").out != ""


def test_braces_and_quoted_dollars_arrive_as_typed(notebook: Notebook) -> None:
    notebook.run("%docker pull -q alpine")
    assert notebook.run("%docker images --format '{{.ID}} {{.Tag}}'").out == "517b313a06e3 latest\n"
    assert notebook.run("%docker images --format '{{$x := .Tag}}{{$x}}'").out == "latest\n"


def test_the_books_line(notebook: Notebook) -> None:
    """`docker rmi $(docker images -q -f dangling=true)`, then the same with nothing left: Docker's own error."""
    notebook.run("%docker pull -q mongo:3.2")
    lab = imagelab.connect(os.environ["IMAGELAB_HOME"])
    lab.upstream.release("mongo:3.2")
    lab.close()
    notebook.run("%docker pull -q mongo:3.2")
    assert "dangling</span>" in notebook.run("%docker images").displays[0]["text/html"]
    assert notebook.run("%docker rmi $(docker images -q -f dangling=true)").out.count("Deleted: ") == 3
    cell = notebook.run("%docker rmi $(docker images -q -f dangling=true)")
    assert cell.err.startswith("docker: 'docker rmi' requires at least 1 argument\n")
    assert notebook.names()["_exit_code"] == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("%docker pull ubuntu:99", "Error response from daemon: manifest for ubuntu:99 not found"),
        ("%docker rmi $nobody", "$nobody: this notebook has no variable of that name"),
        ("%docker images | sort", "%docker runs docker commands, and | is for a shell"),
        ("%docker rmi $(ls)", "$(ls): only docker commands can stand here"),
        ("%docker frobnicate", "docker: unknown command: docker frobnicate"),
        ("x = %docker images 'a", "the line ends inside a quotation"),
    ],
)
def test_an_error_is_a_sentence_and_the_cell_goes_on(notebook: Notebook, line: str, sentence: str) -> None:
    cell = notebook.run(f"{line}\n6 * 7")
    assert cell.err.startswith(sentence)
    assert cell.value == 42
    assert notebook.names()["_exit_code"] != 0
    notebook.run("%docker images -q")
    assert notebook.names()["_exit_code"] == 0


def test_a_pull_that_breaks_off_leaves_what_was_on_the_screen(notebook: Notebook) -> None:
    cell = notebook.run("%docker pull --platform linux/s390x hello-world")
    assert cell.displays[0]["text/plain"].endswith("latest: Pulling from library/hello-world")
    assert cell.err.startswith("no matching manifest for linux/s390x")


def test_a_cell_of_commands(notebook: Notebook) -> None:
    """As the book prints them: prompts, `docker`, comments and continued lines may stand there."""
    cell = notebook.run("%%docker\n# two\n$ docker pull -q alpine\ndocker images \\\n  -q alpine\n\n")
    assert (
        cell.out
        == "$ docker pull -q alpine\ndocker.io/library/alpine:latest\n$ docker images    -q alpine\n517b313a06e3\n"
    )
    assert notebook.run("%%docker\nimages -q").out == "517b313a06e3\n"


def test_a_cell_can_answer_a_question(notebook: Notebook) -> None:
    notebook.run("%docker pull -q alpine")
    assert notebook.run("%%docker image prune -a\nn").out.endswith("[y/N] ")
    assert "Deleted Images:" in notebook.run("%%docker image prune -a\ny").out


def test_a_question_becomes_a_box_below_the_cell(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: (asked.append(question), "y")[1])
    notebook.run("%docker pull -q alpine")
    cell = notebook.run("%docker image prune -a")
    assert asked == ["Are you sure you want to continue? [y/N] "]
    assert cell.out.startswith("WARNING! ")
    assert "deleted: sha256:517b313a06e3" in cell.out


def test_where_nobody_can_answer_the_answer_is_no(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    from IPython.core.error import StdinNotImplementedError

    def refuse(_: str) -> str:
        raise StdinNotImplementedError

    monkeypatch.setattr("builtins.input", refuse)
    notebook.run("%docker pull -q alpine")
    notebook.run("%docker image prune -a")
    assert notebook.run("%docker images -q").out == "517b313a06e3\n"


def test_the_lab_is_the_one_that_the_environment_names(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("%docker pull -q alpine")
    monkeypatch.setenv("IMAGELAB_HOME", str(tmp_path / "other"))
    assert notebook.run("%docker images -q").out == ""
    assert notebook.run(f"%docker --lab '{tmp_path / 'lab'}' images -q").out == "517b313a06e3\n"


def test_an_era_of_one_line_and_of_the_lab(notebook: Notebook) -> None:
    notebook.run("%docker pull -q alpine")
    assert notebook.run("%docker --era 29 images").displays[0]["text/plain"].startswith("IMAGE  ")
    lab = imagelab.connect(os.environ["IMAGELAB_HOME"])
    lab.era = "1.13"
    lab.close()
    assert "4.8 kB" in notebook.run("%docker images").displays[0]["text/plain"]


def test_in_a_terminal_text_goes_to_the_terminal(notebook: Notebook) -> None:
    del notebook.shell.kernel
    cell = notebook.run("%docker pull alpine\n%docker images")
    assert "Verifying Checksum" in cell.out
    assert "REPOSITORY" in cell.out
    assert cell.displays == []


def test_docker_is_on_the_path_once(notebook: Notebook) -> None:
    first = os.environ["PATH"].split(os.pathsep)[0]
    assert (Path(first) / ("docker.cmd" if os.name == "nt" else "docker")).exists()
    notebook.run("%reload_ext imagelab")
    assert os.environ["PATH"].split(os.pathsep).count(first) == 1
    assert len(notebook.shell.ast_transformers) == 1


def test_the_python_face_shows_the_same_bars(notebook: Notebook) -> None:
    cell = notebook.run("import imagelab\nlab = imagelab.connect()\nlab.pull('alpine')")
    assert [list(shown) for shown in cell.displays] == [["text/plain", "text/html"]]
    assert repr(cell.value) == "<Image: 'alpine:latest'>"
    notebook.run("lab.close()")


# -- `!docker`, in a real kernel ----------------------------------------------------------------------------

SHELL_CELLS = {
    "import imagelab; lab = imagelab.lesson('shell')": "",
    "!docker pull alpine": "latest: Pulling from library/alpine\n",
    "!docker images --format '{{.ID}}: {{.Repository}}'": "517b313a06e3: alpine\n",
    "!docker images -q | wc -l": "1\n",
    "!docker image prune": "hint: nobody can answer in a `!` cell",
    "!docker run -it alpine sh": "nobody can type into a cell's `!docker … -it`\n",
    "!docker images -q -f dangling=true | xargs docker rmi": "docker: 'docker rmi' requires at least 1 argument\n",
    "!docker rmi $(docker images -q)": "Untagged: alpine:latest\n",
    "names = !docker images -q\nlen(names)": "0",
}


@pytest.mark.skipif(os.name == "nt", reason="`!` is cmd.exe there, and has no wc")
def test_the_docker_of_a_cells_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing hangs, nothing moves the cursor, braces are whole."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in SHELL_CELLS])
    NotebookClient(made, kernel_name="python3", timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell, expected in zip(made.cells, SHELL_CELLS.values(), strict=True):
        text = "".join(output.get("text") or output["data"]["text/plain"] for output in cell.outputs)
        assert expected in text.replace("\r", ""), cell.source
        assert "\x1b[" not in text


def test_a_typed_session_is_the_body_of_a_cell(notebook: Notebook) -> None:
    notebook.run("%docker pull -q ubuntu:14.04")
    cell = notebook.run("%%docker run -it --rm ubuntu:14.04 bash\necho hi\nexit")
    assert cell.out.splitlines()[1:3] == ["hi", cell.out.splitlines()[0].replace("echo hi", "exit")]
    assert notebook.run("%%docker run -i --rm ubuntu:14.04 sh\ncat <<E\n$((1+1))\nE\n").out == "2\n"


def test_an_interactive_program_asks_line_by_line(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Lab a box below the cell; where nobody can type, the end of input and a word about it."""
    typed = iter(["echo $((2*3))", "exit"])
    prompts: list[str] = []

    def answer(prompt: str = "") -> str:
        prompts.append(prompt)
        return next(typed)

    notebook.run("%docker pull -q ubuntu:14.04")
    monkeypatch.setattr("builtins.input", answer)
    assert "6\n" in notebook.run("%docker run -it --rm ubuntu:14.04 bash").out
    assert prompts[0].startswith("root@") and prompts[0].endswith(":/# ")

    def nobody(prompt: str = "") -> str:
        raise NotImplementedError

    monkeypatch.setattr("builtins.input", nobody)
    cell = notebook.run("%docker run -it --rm ubuntu:14.04 bash")
    assert "put the lines below %%docker exec -it" in cell.err and cell.out.endswith("exit\n")


def test_a_program_that_reads_without_a_terminal_never_hangs(notebook: Notebook) -> None:
    notebook.run("%docker pull -q ubuntu:14.04")
    assert notebook.run("%docker run -i --rm ubuntu:14.04 cat").out == ""
    assert notebook.run("%docker run --rm ubuntu:14.04 bash").out == ""


def test_a_graph_is_a_picture_with_its_tree_beside_it(notebook: Notebook) -> None:
    notebook.run("%docker pull -q nginx")
    [bundle] = notebook.run("%docker graph").displays
    assert set(bundle) == {"text/plain", "image/svg+xml"}
    assert bundle["text/plain"].startswith("1 image, 1 tag, 3 layers")


# -- %%dockerfile -------------------------------------------------------------------------------------------


def test_a_cell_is_a_dockerfile(notebook: Notebook) -> None:
    notebook.run("%docker pull ubuntu:14.04")
    cell = notebook.run(
        "source = 'print(1)\\n'\n%%dockerfile app:1 --explain --build-arg V=2 app.py=source\nFROM ubuntu:14.04".partition(
            "\n"
        )[0]
    )
    cell = notebook.run(
        "%%dockerfile app:1 --explain --build-arg V=2 app.py=source\nFROM ubuntu:14.04\nARG V\nCOPY app.py /\nRUN echo $V; cat app.py\n"
    )
    assert cell.out.startswith("Sending build context to Docker daemon  3.072kB\nStep 1/4 : FROM ubuntu:14.04\n ---> ")
    assert (
        "\n2\nprint(1)\n" in cell.out
        and "Successfully tagged app:1\nstep 2 ran " in cell.out
        and (cell.err, cell.displays) == ("", [])
    )
    notebook.run("source = 'print(2)'")
    again = notebook.run(
        "%%dockerfile app:1 --explain --build-arg V=2 app.py=source\nFROM ubuntu:14.04\nARG V\nCOPY app.py /\nRUN echo $V; cat app.py\n"
    )
    assert "step 3 ran again because app.py changed\n" in again.out
    assert notebook.run("%docker images -q app").out.count("\n") == 1


def test_a_cell_that_does_not_build_says_why(notebook: Notebook) -> None:
    steps = notebook.run("%%dockerfile app --buildkit\nFROM ubuntu:14.04\nRUN true\n")
    assert "=> [2/2] RUN true" in steps.out and steps.err == ""  # on stderr in Docker, and red in a notebook
    cell = notebook.run("%%dockerfile app\nFROM ubuntu:14.04\nRUNN x\n")
    assert (
        cell.err
        == "Error response from daemon: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)\nhint: line 2: RUNN x\n              ^\n"
    )
    assert notebook.names()["_exit_code"] == 1
    assert "no text variable and no file nope" in notebook.run("%%dockerfile app x=nope\nFROM a").err
    assert "b is a second tag" in notebook.run("%%dockerfile a b\nFROM a").err
