"""All panels together: the same bytes whatever the hash seed, the time zone and the folder; only what is shown is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imagelab.view.panel import aligned, hexdump, plain, preview, width

PANELS = """
import imagelab
from imagelab.oci.digest import Digest
for lang in ("en", "zh"):
    lab = imagelab.connect(lang, clock="class", lang=lang, in_process=True, environ={})
    for name in ("imagelab/leaky", "nginx:1.11", "nginx", "hello-world"):
        lab.docker(["pull", "-q", name])
    lab.upstream.fault("truncate")
    lab.docker("pull redis")
    lab.docker("run --name web -d nginx")
    lab.docker("exec -it web bash", stdin="echo hi > /srv/x; rm /etc/nginx/version")
    panels = [lab.explore("imagelab/leaky"), lab.compare("nginx:1.11", "nginx"), lab.sizes(), lab.avalanche("hello-world"), lab.causes("web"), lab.tape()]
    print(*(Digest.of((panel.text + panel.html).encode()) for panel in panels), sep="\\n")
    lab.close()
"""


def test_the_same_bytes_everywhere(tmp_path: Path) -> None:
    seen = set()
    for at, (seed, zone) in enumerate((("0", "UTC"), ("1", "Asia/Shanghai"), ("2", "America/St_Johns"))):
        folder = tmp_path / f"folder {at}"
        folder.mkdir()
        environ = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        done = subprocess.run([sys.executable, "-c", PANELS], cwd=folder, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        seen.add(done.stdout)
    assert len(seen) == 1
    assert len(seen.pop().split()) == 12


def test_columns_line_up_also_in_chinese() -> None:
    lines = aligned([["层", "1"], ["abc", "22"], ["镜像名", "333"]], right=(1,))
    assert {width(line) for line in lines} == {width("镜像名  333")}


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"two\nlines\n", "two\nlines"),
        ("中文".encode(), "中文"),
        (b"\x00\x01", "00000000  00 01                                            |..|"),
        (b"", ""),
    ],
)
def test_a_file_is_shown_as_text_or_by_its_numbers(data: bytes, shown: str) -> None:
    assert preview(data, len(data)) == shown


def test_a_long_file_says_how_much_there_is() -> None:
    assert preview("é".encode() * 3000, 6000).endswith("\n… 2,000 B")
    assert preview(b"a" * 10, 10_010).endswith("\n… 10,000 B")


def test_nothing_moves_the_cursor() -> None:
    assert plain("a\x1b[2Jb\n\udcff") == "a\\x1b[2Jb\\x0a\\xff"


def test_a_hex_dump_is_hexdumps() -> None:
    assert hexdump(bytes(range(18))).splitlines() == [
        "00000000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  |................|",
        "00000010  10 11                                            |..|",
    ]
