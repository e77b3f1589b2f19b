"""Run command lines in a lab that may touch nothing, and write down whatever Python tells an audit hook of that goes elsewhere.

python under_audit.py ROOT < lines.json > results.json        ROOT has `desk` (in it `other`, a
lab's fork), `lab`, `tmp`, and what is none of a line's business
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

FIRST = {
    "open": 1, "os.listdir": 1, "os.scandir": 1, "os.remove": 1, "os.rename": 2, "os.mkdir": 1, "os.rmdir": 1, "os.link": 2,
    "os.truncate": 1, "os.chmod": 1, "os.chown": 1, "os.utime": 1, "os.chdir": 1, "sqlite3.connect": 1, "shutil.rmtree": 1,
    "shutil.copyfile": 2, "shutil.move": 2, "os.setxattr": 1, "os.getxattr": 1, "os.symlink": 2,
}  # fmt: skip
"""Events that name files, and how many of their first arguments do."""
NEVER = (
    "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.exec",
    "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.system", "os.startfile", "os.putenv", "ctypes.dlopen", "webbrowser.open",
)  # fmt: skip
"""Events that may not happen at all."""


class Watch:
    """The hook: what is not the lab's, the scratch folder's, Python's or the package's own is noted."""

    def __init__(self, root: Path, package: Path) -> None:
        self.desk = str(root / "desk")
        own = [
            root / "lab",
            root / "desk" / "other",
            root / "tmp",
            package,
            *map(Path, sysconfig.get_paths().values()),
            Path(sys.base_prefix),
        ]
        own += [Path(part) for part in sys.path if part and Path(part) != root]
        self.own = tuple({str(path) for one in own for path in (one, one.resolve())})
        self.door = str(package / "lab" / "host_access.py")
        self.on = False
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in NEVER:
            self.seen.append(f"{event} {arguments!r}")
        elif event in FIRST:
            caller = sys._getframe(1).f_code.co_filename
            names = arguments[1:2] if event == "os.symlink" else arguments[: FIRST[event]]
            self.seen += [f"{event} {name!r} by {caller}" for name in names if not self.fine(name, caller)]

    def fine(self, name: object, caller: str) -> bool:
        """Is this a file of the lab, of Python or of the package, or one that the door itself has opened?"""
        if isinstance(name, int):
            return True  # a file that is open already
        text = os.fsdecode(name) if isinstance(name, (bytes, os.PathLike)) else str(name)
        text = text.removeprefix("file://").partition("?")[0]  # as SQLite is told
        if caller in (self.door, shutil.__file__) and not os.path.isabs(
            text
        ):  # one name, in a directory that is open: rmtree's was looked at
            return os.sep not in text and text != ".."
        full = os.path.abspath(text)
        if any(full == own or full.startswith(own + os.sep) for own in self.own) or full == os.devnull:
            return True
        return full == self.desk and caller == self.door


def main() -> None:
    import requests  # noqa: F401 - a part of it tries a socket when it is loaded

    import imagelab

    root = Path(sys.argv[1])
    watch = Watch(root, Path(imagelab.__file__).parent)
    from imagelab.app import Lab
    from imagelab.cli.lab_docker import docker
    from imagelab.course.exercise import read
    from imagelab.errors import ImageLabError
    from imagelab.lab.host_access import Scratch
    from imagelab.lab.opening import open_lab

    lines = json.load(sys.stdin)
    lab = open_lab(
        Lab, root / "lab", clock="class", environ={}, upstream="classroom", in_process=True, host=Scratch(root / "desk")
    )
    results = []
    sys.addaudithook(watch)
    for line in lines:
        first, _, typed = line.partition("\n")
        watch.on = True
        try:
            done = docker(lab, read(lab, first), stdin=typed)
            code, out, err = done.exit_code, done.stdout, done.stderr
        except ImageLabError as error:
            code, out, err = error.exit_code, "", str(error)
        finally:
            watch.on = False
        results.append({"line": line, "code": code, "out": out, "err": err, "strays": watch.seen})
        watch.seen = []
    lab.close()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
