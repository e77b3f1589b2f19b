"""Layers as other tools write them, and as nobody should."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.errors import LayerFormatError
from imagelab.layers.changeset import LayerScanner, index, write
from imagelab.layers.compression import Inflater, gzip_bytes
from imagelab.layers.tree import Kind, Node, Opaque, Put, Tree, Whiteout, apply
from imagelab.oci.documents import Digest
from imagelab.store.stage import ThreadStage


def tar(*members: tuple[str, bytes | None], format: int = tarfile.PAX_FORMAT, **attributes: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            for key, value in attributes.items():
                setattr(info, key, value)
            if data is None:
                info.type = tarfile.DIRTYPE
            else:
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data) if data else None)
    return out.getvalue()


def scanned(blob: bytes, step: int = 7919) -> LayerScanner:
    scanner = LayerScanner()
    for at in range(0, len(blob), step):
        scanner.feed(blob[at : at + step])
    return scanner


def paths(blob: bytes) -> list[str]:
    return [change.path for change in index(blob).changes()]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tar(format: int) -> None:
    name = "d" * 90 + "/" + "f" * 80
    assert paths(tar((name, b"x"), ("e", None), format=format)) == [name, "e"]


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_links_and_big_numbers(format: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        info = tarfile.TarInfo("n" * 300)
        info.type, info.linkname, info.uid, info.mtime = tarfile.SYMTYPE, "t" * 300, 2**40, 2**34
        archive.addfile(info)
    row = index(out.getvalue()).rows[0]
    assert (row.path, row.target, row.uid, row.mtime) == ("n" * 300, "t" * 300, 2**40, 2**34)


def test_offsets_lead_to_the_bytes() -> None:
    plain = tar(("a", b"first"), ("b", b"x" * 5000), ("c", b"last"))
    for row in index(plain).rows:
        assert plain[row.offset : row.offset + row.size] in (b"first", b"x" * 5000, b"last")


@pytest.mark.parametrize("step", [1, 3, 511, 512, 513, 100_000])
def test_pieces_of_any_size(step: int) -> None:
    """What arrives in one piece or in many is the same layer."""
    blob = gzip.compress(tar(("é" * 60, b"x" * 1000), ("b", None)))
    assert scanned(blob, step).finish() == index(blob)


@pytest.mark.parametrize(
    "pack", [lambda t: t, gzip.compress, lambda t: gzip.compress(t[:700]) + gzip.compress(t[700:])]
)
def test_however_it_is_compressed_it_is_the_same_tar(pack: object) -> None:
    """R7.3: several gzip members, or none."""
    plain = tar(("a", b"hello"))
    found = index(pack(plain))  # type: ignore[operator]
    assert found.diff_id == Digest.of(plain)
    assert found.tar_size == len(plain)


def test_zstd_is_read() -> None:
    """R7.11; two frames after each other as well."""
    zstandard = pytest.importorskip("zstandard")
    plain = tar(("a", b"hello" * 1000))
    squeeze = zstandard.ZstdCompressor().compress
    assert index(squeeze(plain)).diff_id == Digest.of(plain)
    assert index(squeeze(plain[:600]) + squeeze(plain[600:])).diff_id == Digest.of(plain)


def test_without_isal_the_results_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from imagelab.layers import compression

    blob = gzip.compress(tar(("a", b"hello" * 1000)))
    fast = index(blob)
    monkeypatch.setattr(compression.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    assert index(blob) == fast


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda plain: gzip.compress(plain[:5000]) + gzip.compress(plain[5000:])]
)
def test_in_threads_the_results_are_the_same(pack: Callable[[bytes], bytes]) -> None:
    blob = pack(tar(*((f"f{number}", bytes(number * 37)) for number in range(100))))
    scanner = LayerScanner(stage=ThreadStage)
    for at in range(0, len(blob), 701):
        scanner.feed(blob[at : at + 701])
    assert scanner.finish() == index(blob)
    scanner.close()


@pytest.mark.parametrize(
    "blob",
    [b"no tar at all" * 100, gzip.compress(b"no tar at all" * 100), gzip.compress(tar(("f", b"x")))[:-20]],
    ids=["rubbish", "half a blob", "half a tar"],
)
def test_in_threads_rubbish_is_refused_too(blob: bytes) -> None:
    with closing(LayerScanner(stage=ThreadStage)) as scanner, pytest.raises(LayerFormatError) as caught:
        scanner.feed(blob)
        scanner.finish()
    with pytest.raises(LayerFormatError, match=re.escape(str(caught.value))):
        index(blob)


def test_a_stage_works_in_order_and_holds_little() -> None:
    seen: list[bytes] = []
    begun, go = threading.Event(), threading.Event()

    def work(piece: bytes) -> None:
        begun.set()
        go.wait(10)
        if piece == b"bad":
            raise LayerFormatError("bad")
        seen.append(piece)

    with closing(ThreadStage(work)) as stage:
        feeder = threading.Thread(target=lambda: [stage.feed(b"%d" % number) for number in range(20)])
        feeder.start()
        assert begun.wait(10)
        feeder.join(0.1)
        assert feeder.is_alive()  # it waits: what it has is not to pile up
        go.set()
        feeder.join(10)
        stage.finish()
        assert seen == [b"%d" % number for number in range(20)]
        stage.feed(b"bad")
        with pytest.raises(LayerFormatError, match="bad"):
            stage.finish()


def test_whiteouts_are_names_in_a_tar_only() -> None:
    """R7.8."""
    blob = tar(("a/.wh.b", b""), ("a/.wh..wh..opq", b""), (".wh..wh.plnk", b""), (".wh..wh.aufs", b""), ("c", b"x"))
    changes = index(blob).changes()
    assert changes[:2] == [Whiteout("a/b"), Opaque("a")]
    assert [change.path for change in changes[2:]] == ["c"]


@pytest.mark.parametrize("path", ["./a", "a/", "/a", "././a//", "b/../a"])
def test_odd_spellings_of_a_path(path: str) -> None:
    assert paths(tar((path, None))) == ["a"]


@pytest.mark.parametrize("path", ["../a", "a/../../b", "..", "/../x"])
def test_nothing_leaves_the_root(path: str) -> None:
    with pytest.raises(LayerFormatError, match="outside the root"):
        index(tar((path, b"x")))


@pytest.mark.parametrize("path", [".wh.", "a/.wh."])
def test_a_whiteout_needs_a_name(path: str) -> None:
    with pytest.raises(LayerFormatError, match="whiteout of no name"):
        index(tar((path, b"")))


@pytest.mark.parametrize(
    "blob",
    [b"", bytes(512), bytes(1024), bytes(10240), gzip.compress(b"", mtime=0), gzip.compress(bytes(1024), mtime=0)],
)
def test_an_empty_layer(blob: bytes) -> None:
    """R6.34: no entry; not one byte is a tar too."""
    assert index(blob).rows == []


def test_special_files_are_just_rows() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (("c", tarfile.CHRTYPE), ("b", tarfile.BLKTYPE), ("f", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.devmajor, info.devminor, info.mode = kind, 5, 1, 0
            archive.addfile(info)
    kinds = {change.path: change.node for change in index(out.getvalue()).changes() if isinstance(change, Put)}
    assert kinds["c"].kind is Kind.CHAR and kinds["c"].rdev == (5, 1) and kinds["c"].mode == 0
    assert (kinds["b"].kind, kinds["f"].kind) == (Kind.BLOCK, Kind.FIFO)


def test_hard_links_count_once() -> None:
    """R3.13."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.size = 100
        archive.addfile(info, io.BytesIO(b"x" * 100))
        info = tarfile.TarInfo("b")
        info.type, info.linkname = tarfile.LNKTYPE, "./a"
        archive.addfile(info)
    found = index(out.getvalue())
    assert found.size == 100
    tree = apply(Tree.empty(), found.changes())
    assert tree["a"] == tree["b"]


def test_names_that_are_not_utf8() -> None:
    """They survive, byte for byte, also through the writer."""
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    blob = b"".join(write([Put(name, Node(Kind.FILE))], lambda node: b""))
    assert paths(blob) == [name]


def test_extended_attributes() -> None:
    attributes = (("security.capability", b"\x01\x00\x00\x02\xff="), ("user.a", b""))
    blob = b"".join(write([Put("f", Node(Kind.FILE, xattrs=attributes))], lambda node: b""))
    change = index(blob).changes()[0]
    assert isinstance(change, Put) and change.node.xattrs == attributes


# -- rubbish ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [1, 100, 600, 5000])
def test_a_truncated_layer_is_refused(keep: int) -> None:
    noise = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(250))
    whole = tar(("a", noise), ("b", noise))
    for blob in (whole[: len(whole) // 3], gzip.compress(whole)[:-keep]):
        with pytest.raises(LayerFormatError):
            index(blob)


@pytest.mark.parametrize(
    "blob", [b"not a tar, not by far" * 100, gzip.compress(b"x" * 2000, mtime=0), b"\x1f\x8bnonsense" * 9]
)
def test_rubbish_is_refused(blob: bytes) -> None:
    with pytest.raises(LayerFormatError):
        index(blob)


def test_rubbish_after_the_gzip_is_refused_zeros_are_not() -> None:
    blob = gzip.compress(tar(("a", b"x")))
    assert paths(blob + bytes(100)) == ["a"]
    with pytest.raises(LayerFormatError, match="invalid header"):
        index(blob + b"more")


@given(st.binary(max_size=3000))
def test_no_bytes_make_it_crash(data: bytes) -> None:
    for blob in (data, b"\x1f\x8b\x08" + data, b"\x28\xb5\x2f\xfd" + data):
        try:
            index(blob)
        except LayerFormatError:
            pass


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_one_spoilt_place_is_refused_or_harmless(at: int, spoil: bytes) -> None:
    plain = bytearray(tar(("a", b"x" * 600), ("d", None), ("é" * 80, b"y")))
    plain[at : at + len(spoil)] = spoil
    try:
        index(bytes(plain))
    except LayerFormatError:
        pass


def test_memory_stays_small() -> None:
    """A bomb of zeros is scanned in pieces."""
    import tracemalloc

    info = tarfile.TarInfo("zeros")
    info.size = 200 << 20
    blob = b"".join(gzip_bytes([info.tobuf(), *(bytes(1 << 20) for _ in range(200)), bytes(1024)]))
    tracemalloc.start()
    scanner = scanned(blob, 65536)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scanner.finish().size == 200 << 20
    assert peak < 20 << 20


def test_gzip_is_what_gzip_reads() -> None:
    blob = b"".join(gzip_bytes([b"hello ", b"world"]))
    assert gzip.decompress(blob) == b"hello world"
    assert blob[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    inflater = Inflater()
    assert b"".join([*inflater.feed(blob), *inflater.finish()]) == b"hello world"


def test_a_sparse_file_of_gnu_tar(tmp_path: Path) -> None:
    """Holes are not stored; the row says where the pieces belong, and the store puts them there."""
    import shutil
    import subprocess

    from imagelab.oci.documents import Descriptor
    from imagelab.store.store import Store

    if (
        shutil.which("tar") is None
        or "GNU tar" not in subprocess.run(["tar", "--version"], capture_output=True, text=True).stdout
    ):
        pytest.skip("GNU tar is not installed")
    whole = bytes(1 << 20) + b"middle" + bytes(1 << 20) + b"end"
    with (tmp_path / "holes").open("wb") as file:
        for offset, data in ((1 << 20, b"middle"), ((2 << 20) + 6, b"end")):
            file.seek(offset)
            file.write(data)
    archive = tmp_path / "a.tar"
    subprocess.run(["tar", "--format=gnu", "--sparse", "-C", str(tmp_path), "-cf", str(archive), "holes"], check=True)
    blob = archive.read_bytes()
    if len(blob) > 1 << 20:
        pytest.skip("this file system has no holes")
    with Store.open(tmp_path / "lab") as store:
        with store.receive(Descriptor("layer", Digest.of(blob), len(blob))) as download:
            download.write(blob)
            found = download.commit()
        change = found.changes()[0]
        assert isinstance(change, Put) and change.node.size == len(whole)
        assert store.read_file(change.node) == whole
