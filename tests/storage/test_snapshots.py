"""Snapshots of a store and their way back: through the real client against a stand-in for the Hub, and what may go wrong."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import create_autospec

import httpx2
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import BucketNotFoundError, EntryNotFoundError, LocalEntryNotFoundError
from PIL import Image

from storage import runs, snapshots
from storage.database import Store
from storage.errors import SnapshotFailed
from storage.hub import BucketShelf, shelf_at
from storage.manifest import MANIFEST, FileName, read_manifest
from storage.opening import DATABASE_NAME
from storage.snapshots import Taken
from storage.verify import verify
from tests.fakes.hub import TOKEN, FakeHub
from tests.storage.builders import NOW, make_group, make_image, make_line, make_run
from tests.storage.shelves import DictShelf


@pytest.fixture
def shelf() -> DictShelf:
    return DictShelf()


@pytest.fixture
def take(store: Store, shelf: DictShelf) -> Callable[[], Taken]:
    return lambda: snapshots.take(store, shelf, made_at=NOW, version="1")


def add_run(store: Store, number: int) -> str:
    """A run with an image; the image's hash."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 6), (number, 0, 0)).save(picture, "PNG")
    sha256 = store.blobs.put(picture.getvalue(), "image/png")
    group, run = make_group(f"g{number}"), make_run(f"r{number}", group_id=f"g{number}")
    image = make_image(run.run_id, sha256=sha256, size_bytes=len(picture.getvalue()))

    def write(db: object) -> None:
        runs.insert_group(db, group)
        runs.insert_runs(db, [run], [], [make_line(run.run_id)])
        runs.add_image(db, image)

    store.write(write)
    return sha256


def test_a_store_goes_to_the_hub_and_comes_back_whole_in_an_empty_folder(store: Store, tmp_path: Path) -> None:
    sha256 = add_run(store, 1)
    # Bytes that no row speaks of yet are no part of a snapshot.
    store.blobs.put(b"half a run", "application/octet-stream")
    with FakeHub() as hub:
        shelf = shelf_at("hf://datasets/owner/copies/diptych", TOKEN, hub.url)
        assert snapshots.restore(tmp_path / "new", shelf) is None
        taken = snapshots.take(store, shelf, made_at=NOW, version="1")
        files = hub.datasets["owner/copies"]
        assert hub.private["owner/copies"]
        assert set(files) == {f"diptych/{name}" for name in (MANIFEST, *taken.manifest.names())}
        assert hub.uploaded[-1] == f"diptych/{MANIFEST}"
        assert taken.new_files == 3
        assert snapshots.restore(tmp_path / "new", shelf) == taken.manifest
        again = Store.open(tmp_path / "new")
        assert again.blobs.find(sha256) is not None
        assert again.read(lambda db: db.execute("select count(*) from runs").fetchall()) == [(1,)]
        assert verify(again) == []
        assert snapshots.take(again, shelf, made_at=NOW, version="1") == Taken(taken.manifest, 0)
        add_run(again, 2)
        assert snapshots.take(again, shelf, made_at=NOW, version="1").new_files == 3
        assert f"diptych/{taken.manifest.database}" not in files
        again.close()
        hub.refuses = "diptych/database"
        add_run(store, 3)
        with pytest.raises(SnapshotFailed, match="refused to write the dataset owner/copies"):
            snapshots.take(store, shelf, made_at=NOW, version="1")


def test_a_public_place_and_a_wrong_token_are_refused_in_words(store: Store) -> None:
    with FakeHub() as hub:
        hub.datasets["owner/copies"], hub.private["owner/copies"] = {}, False
        with pytest.raises(SnapshotFailed, match="is public"):
            shelf_at("hf://datasets/owner/copies", TOKEN, hub.url).put({"x": b"y"})
        assert hub.uploaded == []
        wrong = "hf_of_nobody"
        nobody = shelf_at("hf://datasets/owner/copies", wrong, hub.url)
        with pytest.raises(SnapshotFailed, match="HF_TOKEN") as refused:
            snapshots.restore(store.data_dir.parent / "new", nobody)
        assert wrong not in str(refused.value)


@pytest.mark.parametrize("place", ["datasets", "buckets"])
def test_a_hub_that_cannot_be_reached_is_not_one_without_a_snapshot(tmp_path: Path, place: str) -> None:
    api = create_autospec(HfApi, instance=True)
    # What the client makes of a refused connection.
    api.hf_hub_download.side_effect = LocalEntryNotFoundError("no connection, and not in the cache")
    api.download_bucket_files.side_effect = httpx2.ConnectError("refused")
    with pytest.raises(SnapshotFailed, match="Could not read"):
        snapshots.restore(tmp_path / "new", shelf_at(f"hf://{place}/owner/copies", TOKEN, api=api))


def test_a_bucket_is_asked_in_the_clients_own_words(tmp_path: Path) -> None:
    """The native uploader of buckets cannot be had on loopback: the client's methods stand over a dictionary, with their
    real signatures.
    """
    held: dict[str, bytes] = {}
    api = create_autospec(HfApi, instance=True)
    none = httpx2.Response(404, request=httpx2.Request("GET", "http://127.0.0.1/"))
    api.bucket_info.side_effect = BucketNotFoundError("none", response=none)

    def write(_id: str, add: Sequence[tuple[Any, str]] = (), delete: Sequence[str] = ()) -> None:
        held.update({path: data if isinstance(data, bytes) else data.read_bytes() for data, path in add})
        for path in delete:
            del held[path]

    def read(_id: str, files: Sequence[tuple[str, Path]], *, raise_on_missing_files: bool) -> None:
        assert raise_on_missing_files
        for name, path in files:
            if name not in held:
                raise EntryNotFoundError(name)
            path.write_bytes(held[name])

    api.batch_bucket_files.side_effect = write
    api.download_bucket_files.side_effect = read
    api.list_bucket_tree.side_effect = lambda *_, **__: [SimpleNamespace(path=name, type="file") for name in held]
    shelf = shelf_at("hf://buckets/owner/copies", TOKEN, api=api)
    assert isinstance(shelf, BucketShelf)
    assert shelf.read(MANIFEST) is None
    shelf.put({MANIFEST: b"{}", "database/x": b"y"})
    api.create_bucket.assert_called_once_with("owner/copies", private=True, exist_ok=True)
    assert shelf.names() == {MANIFEST, "database/x"}
    assert shelf.read(MANIFEST) == b"{}"
    shelf.fetch(["database/x"], tmp_path)
    assert (tmp_path / "database" / "x").read_bytes() == b"y"
    shelf.delete(["database/x"])
    assert shelf.names() == {MANIFEST}


def test_only_what_is_new_goes_up_and_what_is_gone_goes_there_too(
    store: Store, shelf: DictShelf, take: Callable[[], Taken]
) -> None:
    first, second = add_run(store, 1), add_run(store, 2)
    take()
    shelf.written.clear()
    assert take().new_files == 0
    assert shelf.written == []
    third = add_run(store, 3)
    store.write(lambda db: db.execute("delete from images where sha256 = ?", (first,)).rowcount)
    store.blobs.delete(first)
    taken = take()
    assert [Path(name).stem for name in shelf.written if name.startswith("blobs/")] == [third]
    assert set(shelf.files) == {MANIFEST, *taken.manifest.names()}
    assert {name.sha256 for name in taken.manifest.blobs} == {second, third}


@pytest.mark.parametrize("refused", ["blobs", "database", MANIFEST])
def test_one_that_breaks_off_leaves_the_one_before(
    store: Store, shelf: DictShelf, take: Callable[[], Taken], tmp_path: Path, refused: str
) -> None:
    add_run(store, 1)
    before = take()
    add_run(store, 2)
    shelf.refuses = refused
    with pytest.raises(SnapshotFailed):
        take()
    assert snapshots.restore(tmp_path / "new", shelf) == before.manifest
    shelf.refuses = "nothing"
    assert len(take().manifest.blobs) == 2


@pytest.mark.parametrize("what", ["missing", "changed", "longer", "manifest", "format", "elsewhere"])
def test_what_is_not_whole_is_never_put_back(
    store: Store, shelf: DictShelf, take: Callable[[], Taken], tmp_path: Path, what: str
) -> None:
    add_run(store, 1)
    manifest = take().manifest
    files, rows = shelf.files, str(manifest.database)
    if what == "missing":
        del files[str(manifest.blobs[0])]
    elif what == "changed":
        files[rows] = files[rows][:-1] + b"x"
    elif what == "longer":
        files[rows] += b"x"
    elif what == "manifest":
        files[MANIFEST] = files[MANIFEST][:-20]
    elif what == "format":
        files[MANIFEST] = files[MANIFEST].replace(b'"format": 1', b'"format": 2')
    else:
        files[MANIFEST] = files[MANIFEST].replace(str(manifest.blobs[0]).encode(), b"blobs/../../evil.png")
    with pytest.raises(SnapshotFailed):
        snapshots.restore(tmp_path / "new", shelf)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_restore_that_was_cut_off_begins_again_and_none_goes_over_data(
    store: Store, shelf: DictShelf, take: Callable[[], Taken], tmp_path: Path
) -> None:
    add_run(store, 1)
    manifest = take().manifest
    folder = tmp_path / "new"
    assert snapshots.restore(folder, shelf) == manifest
    with pytest.raises(SnapshotFailed, match="holds data already"):
        snapshots.restore(folder, shelf)
    # As it is between its last two steps: the bytes moved in, the rows not yet.
    (folder / snapshots.RESTORING).mkdir()
    (folder / DATABASE_NAME).unlink()
    assert snapshots.restore(folder, shelf) == manifest
    assert (folder / DATABASE_NAME).is_file()


def test_what_another_process_wrote_is_put_aside_and_stays(
    store: Store, shelf: DictShelf, take: Callable[[], Taken], tmp_path: Path
) -> None:
    add_run(store, 1)
    take()
    snapshots.restore(tmp_path / "new", shelf)
    add_run(store, 2)
    theirs = take().manifest
    other = Store.open(tmp_path / "new")
    add_run(other, 3)
    aside = snapshots.take(other, shelf, made_at=NOW, version="1").aside
    other.close()
    assert aside is not None
    assert read_manifest(shelf.files[aside]) == theirs
    assert set(theirs.names()) <= set(shelf.files)


@pytest.mark.parametrize(
    "name", ["../x", "blobs/ab/" + "cd" * 32 + ".png", "database/x.sqlite3", "votes/" + "ab" * 32, ""]
)
def test_names_that_are_not_ours_lead_nowhere(name: str) -> None:
    assert FileName.read(name, 1) is None
