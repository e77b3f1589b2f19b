"""save and load of a Debian image, beside skopeo with the same archive.

    unpacked    the archive of Docker up to 28: layers as plain tars     skopeo docker-archive
    as pulled   the archive of Docker 29: layers as they came            skopeo oci-archive

skopeo writes into an OCI layout, or a plain directory, which does not pack the layers again as the layout makes it do.

The last row is not the same work: skopeo moves the blobs and looks no further. A load here unpacks each layer, hashes what
it unpacks to (its diff ID, which the config promises) and reads the headers, so it stands beside the floor of that as well.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.debian import TAG
from benchmarks.measure import interleaved, run, show

NAME = "real/debian:12"
Contenders = dict[str, Callable[[], object]]


def bench(folder: Path, image: Path) -> None:
    """Rows for both kinds of archive; `image` is the OCI layout of the Debian image."""
    place = folder / "archives"
    place.mkdir()

    def skopeo(source: str, target: str) -> None:
        run("skopeo", "--insecure-policy", "copy", "--quiet", source, target)

    def ours(lab: Path, era: str, *words: str | Path) -> None:
        run(sys.executable, "-m", "imagelab", "--lab", lab, "--era", era, *words)

    def anew(name: str, act: Callable[[Path], None]) -> Callable[[], None]:
        def measured() -> None:
            target = place / name
            if target.is_dir():
                shutil.rmtree(target)
            target.unlink(missing_ok=True)
            act(target)

        return measured

    skopeo(f"oci:{image}:{TAG}", f"docker-archive:{place}/docker.tar:{NAME}")
    skopeo(f"oci:{image}:{TAG}", f"oci-archive:{place}/oci.tar:docker.io/{NAME}")
    ours(place / "lab", "29", "load", "-i", place / "oci.tar")
    rows: dict[str, Contenders] = {
        "save, layers unpacked": {
            "skopeo oci -> docker-archive": anew("a.tar", lambda to: skopeo(f"oci:{image}:{TAG}", f"docker-archive:{to}:{NAME}")),
            "imagelab --era 28 save": anew("b.tar", lambda to: ours(place / "lab", "28", "save", "-o", to, NAME)),
            "imagelab --era 1.13 save": anew("c.tar", lambda to: ours(place / "lab", "1.13", "save", "-o", to, NAME)),
        },
        "load, layers unpacked": {
            "skopeo docker-archive -> dir": anew("dir", lambda to: skopeo(f"docker-archive:{place}/docker.tar:{NAME}", f"dir:{to}")),
            "skopeo docker-archive -> oci": anew("oci", lambda to: skopeo(f"docker-archive:{place}/docker.tar:{NAME}", f"oci:{to}:x")),
            "imagelab load": anew("lab2", lambda to: ours(to, "28", "load", "-i", place / "docker.tar")),
        },
        "save, as pulled": {
            "skopeo oci -> oci-archive": anew("d.tar", lambda to: skopeo(f"oci:{image}:{TAG}", f"oci-archive:{to}:x")),
            "imagelab --era 29 save": anew("e.tar", lambda to: ours(place / "lab", "29", "save", "-o", to, NAME)),
        },
        "load, as pulled": {
            "floor (hash, inflate, hash)": lambda: run(sys.executable, "-m", "benchmarks.floor", image / "blobs" / "sha256"),
            "skopeo oci-archive -> oci": anew("oci2", lambda to: skopeo(f"oci-archive:{place}/oci.tar", f"oci:{to}:x")),
            "imagelab load": anew("lab3", lambda to: ours(to, "29", "load", "-i", place / "oci.tar")),
        },
    }  # fmt: skip
    for title, contenders in rows.items():
        show(
            f"{title}, {(place / 'docker.tar').stat().st_size / 1e6:.0f} MB unpacked",
            interleaved(contenders),
            next(iter(contenders)),
        )
