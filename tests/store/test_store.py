"""The lab's directory: what is written, what survives a kill, several processes at once, and what is said when it fails."""

from __future__ import annotations

import errno
import gzip
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import imagelab
from imagelab.errors import BlobNotFoundError, DigestMismatchError, LayerFormatError, StoreError
from imagelab.layers.changeset import blob_of
from imagelab.layers.tree import Kind, Node, Put
from imagelab.oci.documents import OCI_LAYER_GZIP, Descriptor, Digest
from imagelab.state.model import State
from imagelab.store import blobs
from imagelab.store.store import Store
from states import a_state, id_of, image

BLOB = blob_of([Put("etc/motd", Node(Kind.FILE, size=6, content="x"))], lambda node: b"hello\n")
LAYER = Descriptor(OCI_LAYER_GZIP, Digest.of(BLOB), len(BLOB))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.open(tmp_path / "lab")
    yield store  # type: ignore[misc]
    store.close()


# -- blobs --------------------------------------------------------------------------------------------------


def test_a_blob_is_named_by_its_bytes(store: Store) -> None:
    digest = store.put_blob(b"hello")
    assert (store.directory / "blobs" / "sha256" / digest.hex).read_bytes() == b"hello"
    assert store.put_blob(b"hello") == digest  # once is enough
    assert store.read_blob(digest) == b"hello"
    assert list((store.directory / "partial").iterdir()) == []


def test_a_blob_that_is_not_what_was_promised_is_not_kept(store: Store) -> None:
    with pytest.raises(DigestMismatchError, match=Digest.of(b"hello")):
        store.put_blob(b"hello", expected=Digest.of(b"other"))
    assert store.blobs.digests() == []


def test_a_blob_the_disk_has_changed_is_noticed(store: Store) -> None:
    digest = store.put_blob(b"hello")
    (store.directory / "blobs" / "sha256" / digest.hex).write_bytes(b"jello")
    with pytest.raises(StoreError, match="is damaged"):
        store.read_blob(digest)
    assert any("damaged" in problem for problem in store.doctor())


def test_a_blob_that_is_not_here(store: Store) -> None:
    with pytest.raises(BlobNotFoundError):
        store.read_blob(Digest.of(b""))


# -- layers arriving ----------------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["in one", "in threads"])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """May a layer take threads of its own? However small it is."""
    monkeypatch.setattr(blobs, "LARGE", 0)
    return bool(request.param)


def test_a_layer_is_visible_when_it_is_whole(store: Store, threads: bool) -> None:
    with store.receive(LAYER, threads=threads) as download:
        download.write(BLOB[:50])
        assert not store.has_blob(LAYER.digest)
        download.write(BLOB[50:])
        index = download.commit()
    assert store.has_blob(LAYER.digest)
    assert store.layer_index(LAYER.digest) == index
    assert index.diff_id == Digest.of(gzip.decompress(BLOB))
    assert list((store.directory / "partial").iterdir()) == []


def test_a_download_that_breaks_off_goes_on_where_it_was(store: Store, threads: bool) -> None:
    with pytest.raises(ConnectionError), store.receive(LAYER, threads=threads) as download:
        download.write(BLOB[:70])
        raise ConnectionError
    with store.receive(LAYER, threads=threads) as download:
        assert download.offset == 70
        download.write(BLOB[70:])
        download.commit()
    with store.receive(LAYER, threads=threads) as download:  # and a third time there is nothing to do
        assert download.offset == LAYER.size
        assert download.commit().blob == LAYER.digest


@pytest.mark.parametrize("spoilt", [BLOB[:-1] + b"?", b"?" + BLOB[1:], BLOB + b"more", b"?" * len(BLOB)])
def test_wrong_bytes_are_refused_and_forgotten(store: Store, threads: bool, spoilt: bytes) -> None:
    with (
        pytest.raises((DigestMismatchError, LayerFormatError)) as caught,
        store.receive(LAYER, threads=threads) as download,
    ):
        download.write(spoilt)
        download.commit()
    if isinstance(caught.value, DigestMismatchError):
        assert str(caught.value).startswith(f"filesystem layer verification failed for digest {LAYER.digest}: ")
    assert not store.has_blob(LAYER.digest)
    assert [file.name for file in (store.directory / "partial").iterdir()] == []


def test_a_short_download_is_kept_for_the_next(store: Store, threads: bool) -> None:
    with pytest.raises(DigestMismatchError, match="only 40 of"), store.receive(LAYER, threads=threads) as download:
        download.write(BLOB[:40])
        download.commit()
    with store.receive(LAYER, threads=threads) as download:
        assert download.offset == 40


# -- state --------------------------------------------------------------------------------------------------


def write(store: Store, state: State) -> None:
    with store.transaction() as tx:
        for layer in state.layers.values():
            tx.put_layer(layer)
        for one in state.images.values():
            tx.put_image(one)
        for name, image_id in state.references.items():
            tx.tag(name, image_id, 0)


def test_what_is_written_is_read(store: Store) -> None:
    state = a_state(
        image("base", "a", names=["ubuntu:16.04"], labels={"k": "v"}),
        image("top", "a", "b", parent="base", names=["x/y:z"]),
    )
    write(store, state)
    found = store.state()
    assert (found.images, found.references, dict(found.layers)) == (state.images, state.references, state.layers)
    assert found.revision == 1
    assert store.state() is found  # nothing written: the same value


def test_a_failed_transaction_is_nothing(store: Store) -> None:
    before = store.state()
    with pytest.raises(KeyError), store.transaction() as tx:
        tx.put_image(image("x").image)
        raise KeyError
    assert store.state() == before


def test_deleting_frees_what_nobody_stands_on(store: Store) -> None:
    """R5.7: top first, shared layers stay."""
    state = a_state(image("a", "base", "x", "y"), image("b", "base", "z"))
    write(store, state)
    with store.transaction() as tx:
        freed = tx.delete_image(id_of("a"))
    assert [layer.diff_id for layer in freed] == [id_of("y"), id_of("x")]
    with store.transaction() as tx:
        freed = tx.delete_image(id_of("b"))
    assert [layer.diff_id for layer in freed] == [id_of("z"), id_of("base")]
    assert dict(store.state().layers) == {}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "tag", "untag", "delete"]), st.integers(0, 3), st.integers(0, 3)), max_size=12
    )
)
def test_a_store_is_its_model(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]) -> None:
    """Any sequence of changes: the state read back is what plain dictionaries say, and each that changed something counts."""
    images = [image(f"i{n}", *[f"l{m}" for m in range(n + 1)]) for n in range(4)]
    whole = a_state(*images)
    references: dict[str, Digest] = {}
    present: set[Digest] = set()
    revision = 0
    with Store.open(tmp_path_factory.mktemp("lab")) as store:
        for verb, at, other in steps:
            before = (set(present), dict(references))
            chosen, name = images[at].image, f"docker.io/library/r{other}:t"
            with store.transaction() as tx:
                if verb == "put":
                    for chain_id in chosen.layers:
                        tx.put_layer(whole.layers[chain_id])
                    tx.put_image(chosen)
                    present.add(chosen.id)
                elif verb == "tag" and chosen.id in present:
                    tx.tag(name, chosen.id, 0)
                    references[name] = chosen.id
                elif verb == "untag":
                    tx.untag(name)
                    references.pop(name, None)
                elif verb == "delete" and chosen.id not in references.values():
                    tx.delete_image(chosen.id)
                    present.discard(chosen.id)
            revision += before != (present, references)
        state = store.state()
        assert (set(state.images), state.references, state.revision) == (present, references, revision)
        needed = {layer for one in images if one.image.id in present for layer in one.image.layers}
        assert set(state.layers) == needed


# -- several processes, killed processes --------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from imagelab.store import blobs
from imagelab.store.store import Store
with Store.open(Path(sys.argv[1])) as store:
    for n in range(int(sys.argv[3])):
        with store.transaction() as tx:
            count = int(store.setting("count") or 0)
            tx._database.set("count", str(count + 1))
            tx.touched = True
"""

RECEIVER = """
import sys, time
from pathlib import Path
sys.path[:0] = [sys.argv[2], str(Path(sys.argv[2]).parent)]
from test_store import BLOB, LAYER
from imagelab.store import blobs
from imagelab.store.store import Store
with Store.open(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    while True:
        with store.receive(LAYER) as download:
            fetched = download.offset < LAYER.size
            for at in range(download.offset, LAYER.size):
                download.write(BLOB[at:at + 1])
            download.commit()
        print("fetched" if fetched else "found", flush=True)
        if sys.argv[3] == "once":
            break
        store.blobs.remove(LAYER.digest)
"""


def start(code: str, store: Store, *words: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", code, str(store.directory), str(Path(__file__).parent), *words]
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def test_no_update_is_lost(store: Store) -> None:
    writers = [start(WRITER, store, "25") for _ in range(6)]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    assert store.setting("count") == "150"
    assert store.state().revision == 150


def test_two_downloads_of_one_layer_are_one(store: Store) -> None:
    receivers = [start(RECEIVER, store, "once") for _ in range(3)]
    said = [receiver.communicate(timeout=60)[0].split()[1] for receiver in receivers]
    assert sorted(said) == ["fetched", "found", "found"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_killed_at_any_moment_the_lab_is_whole(store: Store) -> None:
    for delay in (0.0, 0.003, 0.01, 0.02, 0.04):
        receiver = start(RECEIVER, store, "forever")
        assert receiver.stdout is not None and receiver.stdout.readline() == "ready\n"
        time.sleep(delay)
        receiver.kill()
        receiver.communicate(timeout=20)
        assert store.doctor() == []
    with store.receive(LAYER) as download:
        download.write(BLOB[download.offset :])
        download.commit()
    assert store.doctor() == []


def test_nothing_is_swept_while_somebody_pulls(store: Store) -> None:
    """Also when the lease is another's; a dead one's does not count."""
    digest = store.put_blob(b"about to be named")
    with store.lease():
        assert store.gc() == 0
        assert store.has_blob(digest)
    (store.directory / "leases" / "99999-1").touch()
    assert store.gc() == len(b"about to be named")
    assert not store.has_blob(digest)


# -- what goes wrong ----------------------------------------------------------------------------------------


def test_a_lab_of_the_future(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "lab.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="made by a newer imagelab"):
        Store.open(tmp_path)


def _as_it_was_in_format_3(file: Path) -> None:
    """A lab as the version before wrote it: every image with the list of its layers, and no keys of steps."""
    with Store.open(file.parent) as store:
        layers = {image.id: " ".join(image.layers) for image in store.state().images.values()}
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        for image_id, text in layers.items():
            db.execute("UPDATE images SET layers = ? WHERE id = ?", (text, image_id))
            for column in ("old", "new"):
                db.execute(
                    f"UPDATE journal SET {column} = json_set({column}, '$[3]', ?) WHERE kind = 'images' AND key = ?",
                    (text, image_id),
                )
        db.execute("DROP TABLE made")
        db.execute("PRAGMA user_version = 3")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_lab_of_the_version_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its images have their layers, its steps can be undone, and its build cache is one; also when it may only be read."""
    files = {"Dockerfile": "FROM nginx:1.11\nLABEL a=b\nRUN echo > /x\n"}
    with closing(imagelab.connect(tmp_path / "lab", environ={}, in_process=True)) as lab:
        lab.pull("nginx:1.11")
        built = lab.build(files, "built").image.id
        before = lab.state
    _as_it_was_in_format_3(tmp_path / "lab" / "lab.db")
    with monkeypatch.context() as only_reading:
        only_reading.setattr(os, "access", lambda path, mode: mode != os.W_OK)
        with Store.open(tmp_path / "lab") as store:
            assert store.state() == before
    with closing(imagelab.connect(tmp_path / "lab", environ={}, in_process=True)) as lab:
        assert lab.state == before and lab.engine.doctor() == []
        lab.undo()
        assert built not in lab.state.images
        lab.redo()
        assert lab.state == before
        again = lab.build(files, "built")
        assert again.image.id == built and [step.outcome for step in again.steps] == ["FROM", "CACHED", "CACHED"]


def test_a_damaged_database(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    (tmp_path / "lab.db").write_bytes(b"this is no database at all" * 100)
    for extra in ("lab.db-wal", "lab.db-shm"):
        (tmp_path / extra).unlink(missing_ok=True)
    with pytest.raises(StoreError, match="database is damaged"):
        Store.open(tmp_path)


def test_a_file_where_the_lab_should_be(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("")
    with pytest.raises(StoreError):
        Store.open(tmp_path / "lab")


def test_a_full_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="no space left on device"):
        store.put_blob(b"hello")
    with pytest.raises(StoreError, match="no space left on device"), store.receive(LAYER) as download:
        download.write(BLOB)
        download.commit()
    monkeypatch.undo()
    assert store.doctor() == []
    assert not store.has_blob(LAYER.digest)


def test_a_read_only_lab_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so the one question that finds out is answered for it."""
    with Store.open(tmp_path / "lab") as store:
        write(store, a_state(image("a", "x", names=["a:1"])))
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with Store.open(tmp_path / "lab") as store:
        assert len(store.state().images) == 1
        with pytest.raises(StoreError, match="cannot be written to"), store.transaction() as tx:
            tx.untag("x")


def test_the_directory_explains_itself(store: Store) -> None:
    assert "blobs/sha256" in (store.directory / "README").read_text(encoding="utf-8")


def test_files_are_read_by_their_offset(store: Store) -> None:
    """Also from a sparse file, and after the cache was deleted."""
    import shutil

    with store.receive(LAYER) as download:
        download.write(BLOB)
        index = download.commit()
    node = next(change.node for change in index.changes() if isinstance(change, Put) and change.node.size)
    for _ in range(2):
        assert store.read_file(node) == b"hello\n"
        shutil.rmtree(store.directory / "cache")
