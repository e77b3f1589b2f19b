"""`imagelab pull -q` of the Debian image, as a whole process, from a registry on this machine.

floor    a program of its own that does only what must be done: see `floor`
skopeo   the blobs into an OCI layout, with no look inside
podman   the same pull, unpacked onto overlayfs

At most 1.4 of the floor, and 6.5 times as fast as podman. Each has a folder of its own, and all are deleted at the end: a
disk that is still deleting is a slow one.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from benchmarks.containers import bench_debian
from benchmarks.debian import TAG, layout
from benchmarks.measure import have, interleaved, run, scratch, show
from imagelab.server.registry import RegistryApp
from imagelab.server.serve import serving
from imagelab.server.storage import DirectoryStorage

PODMAN = (
    '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=2048:4096"]\n'
    '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
)
WITHOUT_ISAL = """
import sys
sys.modules["isal"] = sys.modules["isal.isal_zlib"] = None
from imagelab.cli.main import main
sys.exit(main())
"""
PEAK = """
import sys
from imagelab.cli.main import main
main()
try:  # the peak of this program; getrusage would count what started it as well
    print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
except (OSError, StopIteration):
    print(0)
"""
COMMAND = {"isal": ("-m", "imagelab"), "zlib": ("-c", WITHOUT_ISAL)}
Act = Callable[[], object]


def bench(folder: Path) -> None:
    """Rows for the pull; then, while the registry is there, those of a container made of the image."""
    if not have("skopeo", "umoci", "debootstrap"):
        return
    image = layout(folder / "debian")
    with serving(RegistryApp(DirectoryStorage(folder / "registry"))) as url, scratch() as place:
        host = url.removeprefix("http://")
        name = f"{host}/real/debian:12"
        copy = ("skopeo", "--insecure-policy", "copy")
        run(*copy, "--dest-tls-verify=false", f"oci:{image}:{TAG}", f"docker://{name}")
        with podman(place / "podman", host) if have("podman") else scratch() as started:
            contenders = _contenders(image / "blobs" / "sha256", place, name)
            if callable(started):
                contenders["podman pull -q"] = lambda: started(next(_NUMBERS), "pull", "-q", name)
            seconds = interleaved(contenders, 5)
            _table(image / "blobs" / "sha256", seconds, _peak(place, name))
            if callable(started):
                started(0, "pull", "-q", name)
                bench_debian(folder, lambda *words: started(0, *words), host)


_NUMBERS = count(1)


def _contenders(blobs: Path, place: Path, name: str) -> dict[str, Act]:
    engines = ["isal", "zlib"] if importlib.util.find_spec("isal") else ["zlib"]

    def floor(engine: str) -> Act:
        return lambda: run(sys.executable, "-m", "benchmarks.floor", blobs, engine)

    def ours(engine: str) -> Act:
        line = (sys.executable, *COMMAND[engine], "--lab")
        return lambda: run(*line, place / f"lab{next(_NUMBERS)}", "pull", "-q", name)

    def skopeo() -> None:
        words = ("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", f"docker://{name}")
        run(*words, f"oci:{place}/oci{next(_NUMBERS)}:x")

    rows: dict[str, Act] = {}
    for engine in engines:
        rows |= {f"floor, {engine}": floor(engine), f"imagelab pull -q, {engine}": ours(engine)}
    return rows | {"skopeo copy": skopeo}


def _table(blobs: Path, seconds: dict[str, float], peak: int) -> None:
    engine = "isal" if "floor, isal" in seconds else "zlib"
    ours, notes = seconds[f"imagelab pull -q, {engine}"], []
    notes.append(f"{ours / seconds[f'floor, {engine}']:.2f} of the floor (1.4 wanted)")
    if "podman pull -q" in seconds:
        notes.append(f"{seconds['podman pull -q'] / ours:.1f} times as fast as podman (6.5 wanted)")
    notes.append(f"peak memory {peak} MiB (50 wanted)")
    size = sum(file.stat().st_size for file in blobs.iterdir())
    show(f"pull of a Debian image, {size / 1e6:.0f} MB compressed", seconds, f"floor, {engine}", ", ".join(notes))


def _peak(place: Path, name: str) -> int:
    return int(run(sys.executable, "-c", PEAK, "--lab", place / "peak", "pull", "-q", name).split()[-1])


@contextmanager
def podman(place: Path, host: str) -> Iterator[Callable[..., str]]:
    """podman on overlayfs; what it keeps is in a folder of that number."""
    place.mkdir()
    (place / "conf").write_text(PODMAN)
    (place / "reg").write_text(
        f'unqualified-search-registries = []\n[[registry]]\nlocation = "{host}"\ninsecure = true\n'
    )
    env = {"CONTAINERS_CONF": str(place / "conf"), "CONTAINERS_REGISTRIES_CONF": str(place / "reg")}

    def act(number: int, *words: str) -> str:
        at = place / str(number)
        kept = ("--root", at / "root", "--runroot", at / "run", "--tmpdir", at / "tmp")
        return run("podman", *kept, "--storage-driver", "overlay", *words, env=env)

    try:
        yield act
    finally:
        for root in place.glob("*/root/overlay"):
            subprocess.run(["umount", "-l", root], capture_output=True, check=False)
