"""Runs a script in a real shell and in ours, each in an empty directory called /work, and gives back what both did."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from imagelab.layers.tree import Kind, Node, Tree
from imagelab.runtime import execution
from imagelab.runtime.filesystem import FileSystem, User
from imagelab.runtime.process import Machine, Process
from imagelab.runtime.shell import programs
from imagelab.runtime.streams import BytesInput, Output

PROGRAMS = programs()
ROOT = User()
NOW = 1_480_327_200
STEPS = 300_000


@dataclass(frozen=True)
class Script:
    """`shell`: sh (compared with dash) or bash."""

    text: str
    shell: str = "sh"
    stdin: bytes = b""


@dataclass(frozen=True)
class Result:
    code: int
    out: bytes
    err: bytes = field(compare=False)


def empty_system() -> FileSystem:
    """A file system with the programs, /work, /tmp and a few devices."""
    files = FileSystem(Tree.empty(), lambda node: b"", lambda: NOW)
    for folder in ("/bin", "/tmp", "/work", "/dev", "/etc", "/root"):
        files.mkdir(ROOT, folder)
    files.chmod(ROOT, "/tmp", 0o1777)
    for name, number in {"null": (1, 3), "zero": (1, 5), "full": (1, 7)}.items():
        files.mknod(ROOT, f"/dev/{name}", Node(Kind.CHAR, 0o666, rdev=number))
    files.write_file(ROOT, "/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    files.write_file(ROOT, "/etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    for name in PROGRAMS:
        files.write_file(ROOT, f"/bin/{name}", f"#!imagelab {name}\n".encode(), 0o755)
    return files


def machine(files: FileSystem | None = None) -> Machine:
    return Machine(
        files or empty_system(), "lab", lambda: NOW * 1_000_000_000, time.monotonic, lambda n: bytes(range(n)), PROGRAMS
    )


def run_ours(
    script: Script, files: FileSystem | None = None, *, env: Mapping[str, str] | None = None, user: User = ROOT
) -> Result:
    """Drive our shell to its end. AssertionError when it waits for ever or does not end."""
    here = machine(files)
    out, err = bytearray(), bytearray()
    process = Process(
        here, [script.shell, "-c", script.text], {"PATH": "/bin", "HOME": "/work", **(env or {})}, "/work", user,
        {0: BytesInput(script.stdin), 1: Output(out.extend), 2: Output(err.extend)},
    )  # fmt: skip
    steps = execution.main(here, execution.live(PROGRAMS[script.shell], process))
    for _ in range(STEPS):
        try:
            wait = next(steps)
        except StopIteration as stopped:
            return Result(stopped.value, bytes(out), bytes(err))
        assert wait != math.inf, f"it waits for ever: {bytes(out)!r} {bytes(err)!r}"
        time.sleep(min(wait, 0.05))
    raise AssertionError(f"it does not end: {bytes(out)[:200]!r}")


def run_real(script: Script) -> Result:
    """The same in dash or bash."""
    program = shutil.which({"sh": "dash", "bash": "bash"}[script.shell])
    folder = tempfile.mkdtemp(prefix="shell-")
    try:
        done = subprocess.run(
            [script.shell, "-c", script.text], executable=program, input=script.stdin, capture_output=True, cwd=folder, timeout=20, check=False,
            env={"PATH": os.defpath, "HOME": folder, "LC_ALL": "C.UTF-8", "PWD": folder},
        )  # fmt: skip
    finally:
        shutil.rmtree(folder)

    def placed(data: bytes) -> bytes:
        return data.replace(folder.encode(), b"/work")

    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Result(code, placed(done.stdout), placed(done.stderr))
