"""The work no pull can avoid, with no network and no store: `python -m benchmarks.floor FOLDER [zlib]`.

One pass over each gzipped blob of the folder: hash it, inflate it, hash what it inflates to, walk over its headers. Two
threads, the largest blob first. It inflates as imagelab does: with isal where that is installed, unless zlib is asked for.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

BLOCK = 512


class Headers:
    """Where the headers of a tar are, in a stream of pieces."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self._next = self._at = 0
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        data, begin = self._rest + piece, self._at - len(self._rest)
        self._at += len(piece)
        while self._next + BLOCK <= self._at:
            header = data[self._next - begin : self._next - begin + BLOCK]
            self.names.append(header[:100])
            size = int(header[124:135].strip(b"\0 ") or b"0", 8)
            self._next += BLOCK + (size + BLOCK - 1) // BLOCK * BLOCK
        self._rest = data[self._next - begin :]


def one_pass(file: Path, engine: Any) -> tuple[str, str, int]:
    """The digest of a blob, its diff ID, and how many headers it has."""
    blob, tar, inflate, headers = hashlib.sha256(), hashlib.sha256(), engine.decompressobj(31), Headers()
    with file.open("rb") as source:
        while chunk := source.read(1 << 18):
            blob.update(chunk)
            plain = inflate.decompress(chunk)
            tar.update(plain)
            headers.feed(plain)
    return blob.hexdigest(), tar.hexdigest(), len(headers.names)


def engine(name: str = "") -> Any:
    """What inflates: isal, or zlib where that is asked for or isal is not installed."""
    if name == "zlib":
        return zlib
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


def main(folder: Path, name: str = "") -> None:
    layers = []
    for file in folder.iterdir():
        with file.open("rb") as opened:
            if opened.read(2) == b"\x1f\x8b":
                layers.append(file)
    layers.sort(key=lambda file: -file.stat().st_size)
    with ThreadPoolExecutor(2) as pool:
        for digest, diff_id, headers in pool.map(lambda file: one_pass(file, engine(name)), layers):
            print(digest, diff_id, headers)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
