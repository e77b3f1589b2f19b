"""`make bench`: one table, each row beside what it is to be compared with, measured in the same run.

    pull        a Debian image from a registry on this machine: imagelab, its floor (the same bytes hashed, inflated
                and hashed again, with no network and no store), skopeo, podman
    listing     `imagelab images` with 1,000 images, beside `python -c pass`
    prune       1,000 dangling images
    timeline    undo and redo in a lab of 1,000 images
    build       twelve steps, cold and cached; how the time of a long Dockerfile grows (`build`)
    archives    save and load of the Debian image, beside skopeo with the same archive (`archives`)
    pictures    the layer graph, lenses and the stepper (`view`)
    panels      explorer, sizes, avalanche, causes, tape (`panels`)
    containers  exec, the commit walk, and diff and commit on a Debian image beside podman's (`containers`)

Medians of a few interleaved runs. A tool that is not installed is said to be missing; nothing is left out in silence.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.archives import bench as bench_archives
from benchmarks.build import bench as bench_build
from benchmarks.containers import bench as bench_containers
from benchmarks.debian import TAG, layout
from benchmarks.panels import bench as bench_panels
from benchmarks.timeline import bench as bench_timeline
from benchmarks.view import bench as bench_view
from imagelab.server.registry import RegistryApp
from imagelab.server.serve import serving
from imagelab.server.storage import DirectoryStorage

RUNS = 3
PODMAN = (
    '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=2048:4096"]\n'
    '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
)

PULL = """
import sys, time
import imagelab
if sys.argv[3] == "zlib":
    sys.modules["isal"] = None
    sys.modules["isal.isal_zlib"] = None
lab = imagelab.connect(sys.argv[1], environ={})
lab.engine.images.upstream.session  # loading the HTTP library is starting up, not pulling
begin = time.perf_counter()
lab.pull(sys.argv[2])
print(time.perf_counter() - begin)
try:  # the peak of this program; getrusage would count what started it as well
    print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
except (OSError, StopIteration):
    print(0)
"""


def timed(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def interleaved(contenders: dict[str, Callable[[], object]], runs: int = RUNS) -> dict[str, float]:
    """Median seconds of each, run in turns so that a slow minute slows all of them."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, act in contenders.items():
            times[name].append(timed(act))
    return {name: statistics.median(found) for name, found in times.items()}


def show(title: str, seconds: dict[str, float], against: str, notes: str = "") -> None:
    print(f"\n{title}")
    for name, value in seconds.items():
        print(f"  {name:<34} {value:8.3f} s   x {value / seconds[against]:6.2f}")
    if notes:
        print(f"  {notes}")


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="il-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def have(*tools: str) -> bool:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        print(f"\nnot installed, so not measured: {', '.join(missing)}")
    return not missing


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """Ours, but with compiled modules kept, as on every machine that was not told otherwise."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **(more or {})}


def run(*line: str | Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run([str(word) for word in line], capture_output=True, text=True, env=environment(env))
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, line))}\n{done.stderr}")
    return done.stdout


# -- pull ---------------------------------------------------------------------------------------------------


def floor(blobs: Path) -> None:
    """The work no client can avoid: read, hash, inflate, hash; two threads, the largest layer first."""
    try:
        from isal import isal_zlib as engine
    except ImportError:
        engine = zlib  # type: ignore[assignment]

    def one(file: Path) -> None:
        blob, tar, inflate = hashlib.sha256(), hashlib.sha256(), engine.decompressobj(31)
        with file.open("rb") as source, open(os.devnull, "wb") as out:
            while chunk := source.read(1 << 18):
                blob.update(chunk)
                out.write(chunk)
                tar.update(inflate.decompress(chunk))

    layers = [file for file in blobs.iterdir() if file.read_bytes()[:2] == b"\x1f\x8b"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, sorted(layers, key=lambda file: -file.stat().st_size)))


def bench_pull(folder: Path) -> None:
    if not have("skopeo", "umoci", "debootstrap"):
        return
    image = layout(folder / "debian")
    with serving(RegistryApp(DirectoryStorage(folder / "registry"))) as url:
        host = url.removeprefix("http://")
        name = f"{host}/real/debian:12"
        run("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", f"oci:{image}:{TAG}", f"docker://{name}")
        memory: list[int] = []
        inside: dict[str, list[float]] = {}

        def ours(engine: str) -> Callable[[], None]:
            def pull() -> None:
                with scratch() as place:
                    seconds, peak = run(sys.executable, "-c", PULL, place / "lab", name, engine).split()
                    memory.append(int(peak))
                    inside.setdefault(engine, []).append(float(seconds))

            return pull

        def by_skopeo() -> None:
            with scratch() as place:
                run(
                    "skopeo",
                    "--insecure-policy",
                    "copy",
                    "--src-tls-verify=false",
                    f"docker://{name}",
                    f"oci:{place}/x:y",
                )

        contenders: dict[str, Callable[[], object]] = {
            "floor (one pass, no network)": lambda: floor(image / "blobs" / "sha256"),
            "imagelab pull, isal": ours("isal"), "imagelab pull, zlib": ours("zlib"), "skopeo copy": by_skopeo,
        }  # fmt: skip
        if have("podman"):
            contenders["podman pull"] = lambda: _podman(name, host)
        size = sum(file.stat().st_size for file in (image / "blobs" / "sha256").iterdir())
        seconds = interleaved(contenders)
        for engine, found in inside.items():
            seconds[f"  of which pulling, {engine}"] = statistics.median(found)
        if have("podman"):
            _debian_container(folder, host)
        show(f"pull of a Debian image, {size / 1e6:.0f} MB compressed", seconds, "floor (one pass, no network)",
             f"peak memory of imagelab: {max(memory)} MiB")  # fmt: skip


def _debian_container(folder: Path, host: str) -> None:
    """podman on overlayfs, with what it keeps in a folder of its own."""
    from benchmarks.containers import bench_debian

    with scratch() as place:
        (place / "conf").write_text(PODMAN)
        (place / "reg").write_text(
            f'unqualified-search-registries = []\n[[registry]]\nlocation = "{host}"\ninsecure = true\n'
        )
        env = {"CONTAINERS_CONF": str(place / "conf"), "CONTAINERS_REGISTRIES_CONF": str(place / "reg")}
        kept = ("--root", f"{place}/root", "--runroot", f"{place}/run", "--tmpdir", f"{place}/tmp")

        def podman(*words: str) -> str:
            return run("podman", *kept, "--storage-driver", "overlay", *words, env=env)

        podman("pull", "-q", f"{host}/real/debian:12")
        bench_debian(folder, interleaved, show, podman, run, host)
        subprocess.run(["umount", "-l", f"{place}/root/overlay"], capture_output=True, check=False)


def _podman(name: str, host: str) -> None:
    with scratch() as place:
        (place / "conf").write_text(PODMAN)
        (place / "reg").write_text(
            f'unqualified-search-registries = []\n[[registry]]\nlocation = "{host}"\ninsecure = true\n'
        )
        env = {"CONTAINERS_CONF": str(place / "conf"), "CONTAINERS_REGISTRIES_CONF": str(place / "reg")}
        kept = ("--root", f"{place}/root", "--runroot", f"{place}/run", "--tmpdir", f"{place}/tmp")
        run("podman", *kept, "--storage-driver", "overlay", "pull", "-q", name, env=env)


# -- a thousand images --------------------------------------------------------------------------------------


def a_thousand(directory: Path, *, tagged: bool) -> None:
    """A lab of 1,000 images, five layers each, three of them their own."""
    from imagelab.oci.documents import Digest, chain_ids
    from imagelab.state.model import Image, Layer
    from imagelab.store.store import Store

    with Store.open(directory) as store, store.transaction() as tx:
        for number in range(1000):
            diff_ids = [
                Digest.of(b"base"),
                Digest.of(b"more"),
                *(Digest.of(f"{number} {n}".encode()) for n in range(3)),
            ]
            chain = chain_ids(diff_ids)
            for chain_id, diff_id, parent in zip(chain, diff_ids, [None, *chain], strict=False):
                tx.put_layer(Layer(chain_id, diff_id, parent, 1000, Digest.of(diff_id.encode()), 500, "layer"))
            image_id = Digest.of(f"image {number}".encode())
            created = 1_480_000_000_000_000_000 + number * 10**9
            tx.put_image(Image(image_id, created, 5000, tuple(chain), image_id, 2500, local=True))
            if tagged:
                tx.tag(f"docker.io/library/app{number % 50}:v{number}", image_id, created)


def bench_thousand(folder: Path) -> None:
    listing, prune = folder / "listing", folder / "prune"
    a_thousand(listing, tagged=True)
    contenders: dict[str, Callable[[], object]] = {
        "python -c pass": lambda: run(sys.executable, "-c", "pass"),
        "imagelab images, 1,000 images": lambda: run(sys.executable, "-m", "imagelab", "--lab", listing, "images"),
    }
    seconds = interleaved(contenders, 9)
    extra = (seconds["imagelab images, 1,000 images"] - seconds["python -c pass"]) * 1000
    show("listing", seconds, "python -c pass", f"{extra:.0f} ms more than an empty Python")

    def pruned() -> float:
        shutil.rmtree(prune, ignore_errors=True)
        a_thousand(prune, tagged=False)
        return timed(lambda: run(sys.executable, "-m", "imagelab", "--lab", prune, "image", "prune", "-f"))

    print(
        f"\nprune\n  {'imagelab image prune, 1,000 images':<34} {statistics.median(pruned() for _ in range(RUNS)):8.3f} s"
    )


def main() -> None:
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, medians of {RUNS} interleaved runs")
    kept = os.environ.get("IMAGELAB_CACHE")
    with scratch() as folder:
        if kept:
            (folder / "debian").symlink_to(Path(kept).resolve(), target_is_directory=True)
        bench_thousand(folder)
        bench_timeline(folder, interleaved, show)
        bench_build(folder, interleaved, show)
        bench_view(folder, interleaved, show)
        bench_panels(folder, interleaved, show)
        bench_containers(folder, interleaved, show, run)
        bench_pull(folder)
        if have("skopeo", "umoci", "debootstrap"):
            bench_archives(folder, layout(folder / "debian"), interleaved, show, run, floor)


if __name__ == "__main__":
    main()
