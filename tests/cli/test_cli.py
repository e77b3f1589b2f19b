"""The command line as it is typed: eras, errors, exit codes, pipes and prompts. (`compat` holds it to the real client.)"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imagelab.app import Lab
from imagelab.cli.main import run
from imagelab.output.progress import bar, lines_to, terminal_to
from imagelab.state.events import Progress


def docker(
    lab: Lab | None, *words: str, stdin: str = "", environ: dict[str, str] | None = None
) -> tuple[str, str, int]:
    out, err = io.StringIO(), io.StringIO()
    code = run(words, stdin=io.StringIO(stdin), stdout=out, stderr=err, environ=environ or {}, lab=lab)
    return out.getvalue(), err.getvalue(), code


@pytest.fixture
def chapter(lab: Lab) -> Lab:
    """The book's listing, with the old mongo dangling."""
    for name in ("ubuntu:14.04", "ubuntu:16.04", "ubuntu", "redis", "nginx", "mongo:3.2"):
        lab.pull(name)
    lab.upstream.release("mongo:3.2")
    lab.pull("mongo:3.2")
    return lab


def test_the_books_listing(chapter: Lab) -> None:
    """R3.2, R3.12, R0.1: as the book printed it, at a thousandth of the sizes; the old mongo is R3.5's."""
    rows = docker(chapter, "--era", "1.13", "images")[0].splitlines()
    assert rows[0] == "REPOSITORY          TAG                 IMAGE ID            CREATED             SIZE"
    shown = [(row[:20].strip(), row[20:40].strip(), row[60:80].strip(), row[80:]) for row in rows[1:]]
    assert shown == [
        ("redis", "latest", "5 days ago", "183 kB"), ("nginx", "latest", "5 days ago", "182 kB"),
        ("mongo", "3.2", "5 days ago", "342 kB"), ("mongo", "<none>", "5 days ago", "342 kB"),
        ("ubuntu", "16.04", "4 weeks ago", "127 kB"), ("ubuntu", "latest", "4 weeks ago", "127 kB"),
        ("ubuntu", "14.04", "4 weeks ago", "188 kB"),
    ]  # fmt: skip


def test_docker_29_shows_names_and_two_sizes(chapter: Lab) -> None:
    """R3.30-R3.32, R3.18, R3.38."""
    out = docker(chapter, "--era", "29", "images")[0].splitlines()
    assert out[0] == "IMAGE           ID             DISK USAGE   CONTENT SIZE   EXTRA"
    assert [line.split()[0] for line in out[1:]] == [
        "mongo:3.2", "nginx:latest", "redis:latest", "ubuntu:14.04", "ubuntu:16.04", "ubuntu:latest",
    ]  # fmt: skip
    assert out[1].split()[1] == chapter.image("mongo:3.2").image.target.short
    assert "<untagged>" in docker(chapter, "--era", "29", "images", "-a")[0]
    assert "<untagged>" in docker(chapter, "--era", "29", "images", "-f", "dangling=true")[0]
    table = docker(chapter, "--era", "29", "images", "-a", "--format", "table")[0]
    assert "<none>       <none>" in table


def test_docker_29_takes_its_own_ids(chapter: Lab) -> None:
    """R1.23, R5.14: the target's digest names the image, and one line says that it is gone."""
    target = chapter.image("redis").image.target
    out, err, code = docker(chapter, "--era", "29", "rmi", target.short)
    assert (out, err, code) == (f"Untagged: redis:latest\nDeleted: {target}\n", "", 0)


def test_a_tree_of_platforms(lab: Lab) -> None:
    """R3.33."""
    lab.pull("hello-world")
    out = docker(lab, "--era", "29", "images", "--tree")[0]
    assert "├─ linux/amd64" in out and "└─ linux/arm/v7" in out and "unknown" not in out
    for flag, shown in (("-q", "quiet"), ("--no-trunc", "no-trunc"), ("--digests", "show-digest")):
        assert docker(lab, "images", "--tree", flag)[1] == f"--{shown} is not yet supported with --tree\n"


def test_the_era_is_a_setting_of_the_lab(chapter: Lab) -> None:
    chapter.era = "29"
    assert docker(chapter, "images")[0].startswith("IMAGE ")
    assert docker(chapter, "--era", "28", "images")[0].startswith("REPOSITORY ")
    out, err, code = docker(chapter, "--era", "7", "images")
    assert (out, code) == ("", 1) and "unknown era '7'" in err


@pytest.mark.parametrize(
    ("era", "expected"),
    [
        ("28", "Error response from daemon: manifest for ubuntu:99 not found: manifest unknown: manifest unknown"),
        ("1.13", "Error response from daemon: manifest for ubuntu:99 not found"),
        ("29", 'Error response from daemon: failed to resolve reference "docker.io/library/ubuntu:99": docker.io/library/ubuntu:99: not found'),
    ],
)  # fmt: skip
def test_an_unknown_tag_in_each_era(lab: Lab, era: str, expected: str) -> None:
    """R2.4's table."""
    _, err, code = docker(lab, "--era", era, "pull", "ubuntu:99")
    assert (err.splitlines()[0], code) == (expected, 1)


def test_old_words_for_old_mistakes(lab: Lab) -> None:
    """R1.15, R1.22, R6.20 in 1.13."""
    assert docker(lab, "--era", "1.13", "pull", "Ubuntu")[1].splitlines()[0] == (
        'Error parsing reference: "Ubuntu" is not a valid repository/tag: repository name must be lowercase'
    )
    assert docker(lab, "--era", "1.13", "rmi", "nope")[1].startswith("Error: No such image: nope:latest\n")
    assert docker(lab, "--era", "1.13", "pull")[1].startswith('"docker pull" requires exactly 1 argument(s).\n')
    assert "docker.io/" not in docker(lab, "--era", "1.13", "pull", "busybox")[0]  # R2.3


def test_pull_prints_plain_lines_into_a_pipe(lab: Lab) -> None:
    """R2.1, R2.3, R2.14."""
    out = docker(lab, "pull", "busybox")[0].splitlines()
    short = lab.state.layers[lab.image("busybox").layers[0]].blob.short
    assert out[0] == "Using default tag: latest"
    assert out[1:6] == [
        "latest: Pulling from library/busybox", f"{short}: Pulling fs layer", f"{short}: Verifying Checksum",
        f"{short}: Download complete", f"{short}: Pull complete",
    ]  # fmt: skip
    assert out[-2:] == ["Status: Downloaded newer image for busybox:latest", "docker.io/library/busybox:latest"]
    assert docker(lab, "pull", "-q", "busybox")[0] == "docker.io/library/busybox:latest\n"


def test_a_terminal_rewrites_a_layers_line() -> None:
    """R2.14: one line a layer; the bar has fifty cells."""
    out = io.StringIO()
    sink = terminal_to(out, width=120)
    for progress in (
        Progress("Pulling from x", "latest"), Progress("Pulling fs layer", "a" * 12), Progress("Pulling fs layer", "b" * 12),
        Progress("Downloading", "a" * 12, 500, 1000), Progress("Pull complete", "a" * 12), Progress("Status: done"),
    ):  # fmt: skip
        sink(progress)
    screen = _screen(out.getvalue())
    assert screen == [
        "latest: Pulling from x",
        f"{'a' * 12}: Pull complete",
        f"{'b' * 12}: Pulling fs layer",
        "Status: done",
    ]
    assert bar(Progress("Downloading", "a", 500, 1000)) == "[" + "=" * 25 + ">" + " " * 24 + "]     500B/1kB"
    assert bar(Progress("Downloading", "a", 500, 1000), width=80) == "    500B/1kB"


def _screen(written: str) -> list[str]:
    """What a terminal shows: the few control sequences that we use, acted out."""
    import re

    lines, row = [""], 0
    for part in re.findall(r"\x1b\[\d+[AB]|\x1b\[2K|\r|\n|[^\x1b\r\n]+", written):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part.endswith("A") and part.startswith("\x1b"):
            row -= int(part[2:-1])
        elif part.endswith("B") and part.startswith("\x1b"):
            row += int(part[2:-1])
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part != "\r":
            lines[row] = part
    return [line for line in lines if line]


def test_bars_are_left_out_without_a_terminal() -> None:
    out = io.StringIO()
    sink = lines_to(out)
    sink(Progress("Downloading", "a", 1, 2))
    sink(Progress("Retrying in 5 seconds", "a"))
    assert out.getvalue() == "a: Retrying in 5 seconds\n"


def test_rmi_goes_on_after_an_error(chapter: Lab) -> None:
    """R5.1: all that can be done is done, then all errors; with -f what is not there is forgiven."""
    out, err, code = docker(chapter, "rmi", "nope", "redis", "nope2")
    assert out.startswith("Untagged: redis:latest\n") and code == 1
    assert [line for line in err.splitlines() if line.startswith("Error")] == [
        "Error response from daemon: No such image: nope:latest", "Error response from daemon: No such image: nope2:latest",
    ]  # fmt: skip
    assert docker(chapter, "rmi", "-f", "nope")[2] == 0


def test_the_books_line_for_dangling_images(chapter: Lab) -> None:
    """`docker rmi $(docker images -q -f dangling=true)`, and once more when there are none."""
    ids = docker(chapter, "images", "-q", "-f", "dangling=true")[0].split()
    assert docker(chapter, "rmi", *ids)[2] == 0
    assert docker(chapter, "images", "-q", "-f", "dangling=true")[0] == ""
    assert docker(chapter, "rmi")[1].startswith(
        "docker: 'docker rmi' requires at least 1 argument\n\nUsage:  docker rmi "
    )


def test_prune_asks_first(chapter: Lab) -> None:
    """R5.17, R5.18."""
    out, _, code = docker(chapter, "image", "prune", stdin="n\n")
    assert out == "WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] "
    assert (code, len(chapter.images(filters=["dangling=true"]))) == (1, 1)
    out, _, code = docker(chapter, "image", "prune", stdin="y\n")
    assert "Deleted Images:\nuntagged: mongo@sha256:" in out and "\ndeleted: sha256:" in out and code == 0
    assert docker(chapter, "image", "prune", "-f")[0] == "Total reclaimed space: 0B\n"


@pytest.mark.parametrize("verb", ["push", "stats", "volume", "compose"])
def test_what_is_not_here_says_so(verb: str) -> None:
    out, err, code = docker(None, verb, "x")
    assert (out, code) == ("", 125 if verb == "run" else 1)
    assert err.startswith(f"imagelab does not do `docker {verb}`: ") and err.count("\n") == 2


def test_every_command_has_a_page() -> None:
    from imagelab.cli.verbs import VERBS

    for name in VERBS:
        out, err, code = docker(None, *name.split(), "--help")
        assert out.startswith("Usage:  ") and (err, code) == ("", 0), name


def test_the_overview_lists_what_there_is() -> None:
    for words in ([], ["--help"], ["help"]):
        assert docker(None, *words)[0].startswith("Usage:  imagelab [OPTIONS] COMMAND")
    assert docker(None, "image")[0].startswith("Usage:  docker image COMMAND")
    assert docker(None, "help", "pull")[0].startswith("Usage:  docker pull")


def test_upstream_and_the_rest(lab: Lab, tmp_path: Path) -> None:
    assert "mongo" in docker(lab, "upstream")[0] and "1 of 3" in docker(lab, "upstream")[0]
    out = docker(lab, "upstream", "release", "mongo:3.2")[0]
    assert out.startswith("mongo:3.2 now is sha256:")
    assert docker(lab, "upstream", "release", "alpine")[1].startswith("alpine:latest has no further build")
    assert docker(lab, "upstream", "release", "nope")[1].startswith("the classroom has no nope:latest")
    assert docker(lab, "doctor") == ("the lab is as it should be\n", "", 0)
    assert docker(lab, "gc")[0].startswith("Total reclaimed space: ")
    assert json.loads(docker(lab, "info", "--format", "json")[0])["Images"] == 0
    assert "imagelab" in docker(lab, "version")[0]


@pytest.mark.parametrize("bad", ["x", "ftp://x", "https://x?y=1", "https://u:p@x"])
def test_a_bad_mirror_is_refused(lab: Lab, bad: str) -> None:
    """R2.31."""
    assert docker(lab, "--mirror", bad, "pull", "busybox")[1].startswith("invalid mirror: ")


def test_head_may_close_the_pipe(tmp_path: Path) -> None:
    """`imagelab … | head -1` ends without a word."""
    line = f'"{sys.executable}" -m imagelab --help | head -1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("Usage:  imagelab [OPTIONS] COMMAND\n", "")


FORBIDDEN = "requests urllib3 IPython graphviz ipywidgets platformdirs zstandard isal argparse importlib.metadata jupyterlab".split()


def test_a_listing_loads_nothing_heavy(chapter: Lab) -> None:
    """What makes `imagelab images` quick."""
    code = (
        "import sys\nfrom imagelab.cli.main import main\n"
        f"main(['--lab', {str(chapter.store.directory)!r}, 'images'])\nprint(*sys.modules, file=sys.stderr)"
    )
    env = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout.startswith("REPOSITORY")
    assert not set(FORBIDDEN) & set(done.stderr.split())
