"""The walls that stand round the process that grades, on this machine.

    limits       every POSIX system: CPU, memory, size of a file, processes, descriptors     resource.setrlimit
    bwrap        Linux, where bubblewrap is installed and may make namespaces: nothing of the machine but the interpreter and
                 the lessons, which cannot be written; a /tmp of its own, in memory; no network; its own processes
    unshare      Linux without bwrap: no network, its own processes; files only as the user may
    none         Windows, macOS: a process of its own with an empty folder, an empty environment and a clock

Which of them work is tried, once, by starting the process in them: a container or a hardened kernel may forbid namespaces.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from imagelab.course.bilingual import Words

INSIDE = "/imagelab-scratch"
"""The scratch folder as the process sees it, where bwrap gives it a /tmp of its own."""
SCRATCH_BYTES = 512_000_000
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/alternatives")
START = "import sys; sys.path[:] = sys.argv[1].split('\\n'); from imagelab.course.grading_child import main; main()"
PROBE = "import sys; sys.path[:] = sys.argv[1].split('\\n'); import imagelab.course.grading_child; print('inside')"
PROBE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Walls:
    """What the process is started in. `own_folder`: it has a scratch folder of its own, that the machine does not see."""

    name: str
    words: Words
    command: tuple[str, ...] = ()
    own_folder: bool = False
    own_network: bool = False


NONE = Walls("none", Words("a process with an empty folder and a time limit", "独立进程、空目录和时间限制"))


def walls() -> Walls:
    """The best that work here."""
    return next((one for one in _candidates() if _works(one)), _bare())


@cache
def _works(candidate: Walls) -> bool:
    line = [*candidate.command, sys.executable, "-I", "-S", "-c", PROBE, "\n".join(import_path())]
    try:
        done = subprocess.run(
            line, capture_output=True, timeout=PROBE_SECONDS, stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"}
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == b"inside"


def _candidates() -> list[Walls]:
    if sys.platform != "linux":
        return []
    found = []
    if tool := shutil.which("bwrap"):
        found.append(_bwrap(tool))
    if tool := shutil.which("unshare"):
        found.append(_unshare(tool))
    return found


def _bare() -> Walls:
    if sys.platform == "win32":
        return NONE
    return Walls(
        "limits",
        Words(
            "a process with an empty folder and limits on time, CPU, memory and file size",
            "独立进程、空目录，并限制时间、CPU、内存和文件大小",
        ),
    )


def _bwrap(tool: str) -> Walls:
    """Bubblewrap: an empty root, and in it what the interpreter needs, read-only."""
    binds = [word for place in _needed() for word in ("--ro-bind-try", place, place)]
    command = (
        tool, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--size", str(SCRATCH_BYTES), "--tmpfs", "/tmp", *binds, "--proc", "/proc", "--dev", "/dev",
        "--size", str(SCRATCH_BYTES), "--tmpfs", INSIDE, "--chdir", INSIDE, "--",
    )  # fmt: skip
    words = Words(
        "bwrap: nothing of this machine but the interpreter and the lessons, no network, its own processes; and limits on time, CPU, memory and file size",
        "bwrap：只看得到解释器和课程，没有网络，进程独立；并限制时间、CPU、内存和文件大小",
    )
    return Walls("bwrap", words, command, own_folder=True, own_network=True)


def _unshare(tool: str) -> Walls:
    command = (
        tool,
        "--user",
        "--map-root-user",
        "--net",
        "--ipc",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--",
    )
    words = Words(
        "unshare: no network, its own processes; an empty folder, and limits on time, CPU, memory and file size",
        "unshare：没有网络，进程独立；空目录，并限制时间、CPU、内存和文件大小",
    )
    return Walls("unshare", words, command, own_network=True)


def _needed() -> list[str]:
    """Places that a Python with imagelab in it reads, none of them in another."""
    from imagelab.course.catalog import lessons_folder

    own, *others = import_path()
    places = {*SYSTEM, sys.prefix, sys.base_prefix, sys.exec_prefix, *others, str(lessons_folder().resolve())}
    places.add(str(Path(own) / "imagelab"))  # not the checkout round it: hand-ins may lie there
    executable = Path(sys.executable)
    places |= {str(executable.parent), str(executable.resolve().parent)}
    kept: list[str] = []
    for place in sorted(places, key=len):
        if not any(Path(place).is_relative_to(one) for one in kept):
            kept.append(place)
    return kept


def import_path() -> Sequence[str]:
    """Where modules are looked for: the package's own place, then what is installed; never a folder that somebody works in."""
    own = Path(__file__).resolve().parent.parent.parent
    roots = [Path(root).resolve() for root in (sys.prefix, sys.base_prefix)]
    places = [Path(place).resolve() for place in sys.path if place]
    installed = [
        place
        for place in places
        if place.name.endswith("-packages") or any(place.is_relative_to(root) for root in roots)
    ]
    return list(dict.fromkeys(map(str, [own, *installed])))


def start_line(chosen: Walls) -> list[str]:
    """The command line of the process."""
    return [*chosen.command, sys.executable, "-I", "-S", "-c", START, "\n".join(import_path())]
