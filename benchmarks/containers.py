"""Containers: a command in one, the book's commit walk, and diff and commit of one changed file on a Debian image.

In process is what a notebook feels, a command line what a terminal does. podman does the same on overlayfs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import interleaved, run, show

TYPED = "echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html\nexit\n"


def walk(folder: Path) -> None:
    """Run, look, change, look, diff, commit, run the result, look: all in this process."""
    with InProcess(folder) as lab:
        web = lab.run("nginx", name="webserver", ports={80: 8080})
        lab.browse("http://localhost:8080")
        lab.docker("exec -it webserver bash", stdin=TYPED)
        assert lab.browse("http://localhost:8080").text == "<h1>Hello, Docker!</h1>\n"
        assert len(web.diff()) == 17
        web.commit("nginx:v2", message="修改了默认网页")
        lab.docker("images nginx")
        lab.docker("history nginx:v2")
        web2 = lab.run("nginx:v2", name="web2", ports={80: 8081})
        assert lab.browse("http://localhost:8081").text == "<h1>Hello, Docker!</h1>\n"
        web2.remove(force=True)
        web.remove(force=True)


class InProcess:
    """A lab in this process with nginx in it; what it costs to make is not measured."""

    def __init__(self, folder: Path) -> None:
        import imagelab

        self.lab = imagelab.connect(folder, environ={}, in_process=True)

    def __enter__(self):  # type: ignore[no-untyped-def]
        return self.lab

    def __exit__(self, *_: object) -> None:
        for image in list(self.lab.state.images):
            if self.lab.image(image).tags == ["nginx:v2"]:
                self.lab.rmi("nginx:v2")
        self.lab.close()


def bench(folder: Path) -> None:
    """The small ones, on the classroom's nginx."""
    import imagelab

    lab = imagelab.connect(folder / "lab", environ={})
    lab.pull("nginx")
    lab.close()
    seconds = interleaved({"the walk, in process": lambda: walk(folder / "lab")}, 7)
    show(
        "the commit walk of the book",
        seconds,
        "the walk, in process",
        f"{seconds['the walk, in process'] * 1000:.0f} ms; at most 250 wanted",
    )

    lab = imagelab.connect(folder / "lab", environ={})
    one = lab.run("nginx", name="web")
    contenders: dict[str, Callable[[], object]] = {
        "python -c pass": lambda: run(sys.executable, "-c", "pass"),
        "imagelab exec web true": lambda: run(
            sys.executable, "-m", "imagelab", "--lab", folder / "lab", "exec", "web", "true"
        ),
        "exec of true, in process": lambda: one.exec("true"),
    }
    seconds = interleaved(contenders, 15)
    inside, line = (seconds[name] * 1000 for name in ("exec of true, in process", "imagelab exec web true"))
    show(
        "a command in a container",
        seconds,
        "python -c pass",
        f"in process {inside:.1f} ms (5 wanted), as a command line {line:.0f} ms (150 wanted)",
    )
    one.remove(force=True)
    lab.close()


def bench_debian(folder: Path, podman: Callable[..., object], url: str) -> None:
    """One changed file on a Debian image: diff and commit."""
    import imagelab
    from imagelab.state.container_config import Request

    lab = imagelab.connect(folder / "debian-lab", environ={}, in_process=True)
    name = f"{url}/real/debian:12"
    lab.pull(name)
    lab.engine.containers.create(Request(name, ("true",), name="one"))
    changed = folder / "changed"
    changed.write_text("changed\n")
    lab.docker(["cp", str(changed), "one:/etc/motd"])
    line = [sys.executable, "-m", "imagelab", "--lab", str(folder / "debian-lab")]
    podman("create", "--name", "one", name, "true")
    podman("cp", str(changed), "one:/etc/motd")
    seconds = interleaved({
        "imagelab images": lambda: run(*line, "images"),
        "podman diff": lambda: podman("diff", "one"),
        "imagelab diff": lambda: run(*line, "diff", "one"),
        "diff, in process": lambda: lab.container("one").diff(),
        "podman commit": lambda: podman("commit", "-q", "one", "made"),
        "imagelab commit": lambda: run(*line, "commit", "one", "made"),
        "commit, in process": lambda: lab.container("one").commit("made"),
    }, 5)  # fmt: skip
    show(
        "one changed file on a Debian image",
        seconds,
        "podman diff",
        "what `imagelab images` takes is what every command line takes",
    )
    podman("rm", "-f", "one")
    lab.close()
