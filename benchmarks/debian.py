"""A real image to measure and compare with: a Debian root file system in four layers, made by debootstrap and umoci.

    1  a minimal system with Python, Perl and git            (tens of thousands of bytes of names, hard links, symlinks)
    2  without documentation, manuals and locales            (whiteouts)
    3  some of it back, a directory replaced by a symlink, a file by a directory
    4  small edits: an owner, a mode, one line

It takes about a minute to make and is kept, as an OCI layout with the tag `debian`, in the folder it is given.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

TAG = "debian"
INCLUDE = "python3-minimal,perl,git,ca-certificates"


def layout(directory: Path) -> Path:
    """The OCI layout, made now unless it is there; needs root, debootstrap and umoci."""
    finished = directory / "layout"
    if not finished.exists():
        scratch = directory / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        _build(scratch)
        os.replace(scratch / "layout", finished)
        shutil.rmtree(scratch)
    return finished


def _build(scratch: Path) -> None:
    image = f"{scratch}/layout:{TAG}"
    _run("umoci", "init", "--layout", f"{scratch}/layout")
    _run("umoci", "new", "--image", image)
    for step in (_system, _without_documentation, _some_of_it_back, _small_edits):
        _layer(scratch, image, step)
    _run("umoci", "config", "--image", image, "--config.cmd", "/bin/bash", "--config.label", "layers=4")


def _layer(scratch: Path, image: str, change: Callable[[Path], None]) -> None:
    bundle = scratch / "bundle"
    _run("umoci", "unpack", "--image", image, str(bundle))
    change(bundle / "rootfs")
    _run("umoci", "repack", "--image", image, str(bundle))
    shutil.rmtree(bundle)


def _system(rootfs: Path) -> None:
    _run("debootstrap", "--variant=minbase", f"--include={INCLUDE}", "bookworm", str(rootfs))
    shutil.rmtree(rootfs / "var/cache/apt/archives", ignore_errors=True)
    for device in (rootfs / "dev").iterdir():
        shutil.rmtree(device) if device.is_dir() and not device.is_symlink() else device.unlink()


def _without_documentation(rootfs: Path) -> None:
    for name in ("usr/share/man", "usr/share/locale"):
        shutil.rmtree(rootfs / name)
    for folder in sorted((rootfs / "usr/share/doc").iterdir())[::2]:
        folder.unlink() if folder.is_symlink() else shutil.rmtree(folder)


def _some_of_it_back(rootfs: Path) -> None:
    manuals = rootfs / "usr/share/man/man1"
    manuals.mkdir(parents=True)
    (manuals / "imagelab.1").write_text(".TH imagelab 1\n")
    shutil.rmtree(rootfs / "usr/share/zoneinfo/Antarctica", ignore_errors=True)
    (rootfs / "srv").rmdir()
    (rootfs / "srv").symlink_to("var/lib")
    (rootfs / "etc/hostname").unlink(missing_ok=True)
    (rootfs / "etc/hostname").mkdir()
    (rootfs / "etc/hostname/now-a-directory").write_text("yes\n")


def _small_edits(rootfs: Path) -> None:
    os.chown(rootfs / "etc/issue", 33, 33)
    (rootfs / "etc/debian_version").chmod(0o600)
    with (rootfs / "etc/motd").open("a") as motd:
        motd.write("one line more\n")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
