from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.blobs import LEFTOVER_AFTER_S
from storage.blobs_elsewhere import Elsewhere
from storage.database import Store
from storage.objects_folder import MARKER
from storage.verify import verify
from tests.behind_the_store import break_a_rule
from tests.fresh_store import fresh
from tests.storage.builders import insert, make_run, store_everything
from tests.storage.object_stores import FaultyObjects, soon


def blob(store: Store, sha256: str) -> Path:
    path = store.blobs.find(sha256)
    assert path
    return path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


Fault = Callable[[Store, dict[str, str]], object]


def broken(sql: str) -> Fault:
    return lambda store, sha: break_a_rule(store, sql)


def lost(kind: str) -> Fault:
    return lambda store, sha: store.blobs.delete(sha[kind])


FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "image lost": (lost("image"), {"blob_missing"}),
    "converted copy lost": (lost("converted"), {"blob_missing"}),
    "converted copy under another type": (broken("update images set converted_type = 'image/avif'"), {"blob_missing"}),
    "converted copy of no row": (
        broken("update images set converted_sha256 = null, converted_type = null"),
        {"blob_unknown"},
    ),
    "locked image lost": (lost("locked"), {"blob_missing"}),
    "heat map lost": (lost("drift"), {"blob_missing"}),
    "locked image cut short": (lambda store, sha: cut(blob(store, sha["locked"])), {"blob_damaged", "size_differs"}),
    "locked image of no row": (broken("delete from derived_images where kind = 'locked'"), {"blob_unknown"}),
    "locked image of no image": (
        broken("update derived_images set image_id = 'none' where kind = 'locked'"),
        {"foreign_key"},
    ),
    "lock of no image": (broken("update locks set image_id = 'none'"), {"foreign_key"}),
    "kept mask lost": (lost("mask"), {"blob_missing"}),
    "kept mask of no row": (broken("delete from masks"), {"blob_unknown"}),
    "input lost": (lost("input"), {"blob_missing"}),
    "preview lost": (lost("partial"), {"blob_missing"}),
    "upload lost": (lost("upload"), {"blob_missing"}),
    "unreadable lost": (lost("unreadable"), {"blob_missing"}),
    "image under another type": (
        lambda store, sha: blob(store, sha["image"]).rename(store.blobs.path(sha["image"], "image/gif")),
        {"blob_missing"},
    ),
    "bytes changed": (
        lambda store, sha: blob(store, sha["input"]).write_bytes(b"\0" * blob(store, sha["input"]).stat().st_size),
        {"blob_damaged"},
    ),
    "image cut short": (lambda store, sha: cut(blob(store, sha["image"])), {"blob_damaged", "size_differs"}),
    "upload of another size": (broken("update uploads set size_bytes = 1"), {"size_differs"}),
    "type never kept": (broken("update inputs set media_type = 'image/svg+xml'"), {"blob_missing"}),
    "a row without a hash": (broken(f"update partials set sha256 = '{'x' * 64}'"), {"blob_missing", "blob_unknown"}),
    "bytes without a row": (lambda store, sha: store.blobs.put(b"nobody's", "image/png"), {"blob_unknown"}),
    "stray file": (lambda store, sha: (store.blobs.root / "notes.txt").write_text("x"), {"stray_file"}),
    "stray file below": (
        lambda store, sha: (blob(store, sha["image"]).parent / "x.png").write_text("x"),
        {"stray_file"},
    ),
    "stray link": (
        lambda store, sha: blob(store, sha["image"]).with_name("0" * 64 + ".png").symlink_to("/etc/passwd"),
        {"stray_file"},
    ),
    "stray beside thumbnails": (lambda store, sha: (store.thumbs.root / "x.jpg").write_text("x"), {"stray_file"}),
    "temporary file": (lambda store, sha: left_behind(store.blobs.root / "incoming" / "x.tmp"), {"temporary_file"}),
    "temporary thumbnail": (
        lambda store, sha: left_behind(store.thumbs.root / "incoming" / "x.tmp"),
        {"temporary_file"},
    ),
    "thumbnail of nothing": (
        lambda store, sha: store.thumbs.ensure("0" * 64, blob(store, sha["image"])),
        {"thumbnail_unknown"},
    ),
    "no ledger line": (broken("delete from ledger"), {"ledger_missing"}),
    "still reserved": (broken("update ledger set state = 'reserved'"), {"ledger_unsettled"}),
    "no longer reserved": (broken("update runs set state = 'waiting'"), {"ledger_unreserved"}),
    "image of no run": (broken("update images set run_id = 'none'"), {"foreign_key", "facts_differ"}),
    "other facts": (broken("update run_facts set cost_microusd = 7"), {"facts_differ"}),
    "no facts": (broken("delete from run_facts"), {"facts_differ"}),
}


def left_behind(part: Path) -> None:
    """As by a crash over an hour ago."""
    part.write_text("x")
    os.utime(part, (part.stat().st_atime, part.stat().st_mtime - LEFTOVER_AFTER_S - 1))


def test_what_is_being_written_or_was_cut_off_a_moment_ago_is_no_fault(store: Store) -> None:
    for root in (store.blobs.root, store.thumbs.root):
        (root / "incoming" / "x.tmp").write_text("half")
    assert verify(store) == []


def test_a_healthy_store_is_clean(store: Store) -> None:
    assert verify(store) == []
    store_everything(store)
    store.write(lambda db: insert(db, make_run("open", group_id="g2")))
    assert verify(store) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_every_planted_fault_is_found(store: Store, fault: str) -> None:
    sha = store_everything(store)
    plant, kinds = FAULTS[fault]
    plant(store, sha)
    problems = verify(store)
    assert {problem.kind for problem in problems} == kinds
    assert all(problem.subject and problem.message for problem in problems)


def test_a_damaged_index_is_found(store: Store) -> None:
    store_everything(store)
    database = store.data_dir / "diptych.sqlite3"
    store.close()
    with closing(sqlite3.connect(database)) as conn, conn:
        page, size = conn.execute("select rootpage, 4096 from sqlite_master where name = 'images_by_sha256'").fetchone()
    content = bytearray(database.read_bytes())
    at = content.rindex(b"image/png") if page is None else (page - 1) * size
    where = content.index(b"r1", at) if b"r1" in content[at : at + size] else at + size - 20
    content[where] ^= 0x55
    database.write_bytes(content)
    again = Store.open(store.data_dir)
    problems = verify(again)
    again.close()
    assert "database" in {problem.kind for problem in problems}


def test_large_files_are_read_in_pieces(store: Store) -> None:
    import tracemalloc

    data = b"x" * 30_000_000
    store.blobs.put(data, "image/png")
    del data
    tracemalloc.start()
    verify(store)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000


@pytest.fixture
def kept_elsewhere(tmp_path: Path) -> Iterator[tuple[Store, FaultyObjects, str]]:
    """A store whose images have gone to an object store: one of a run."""
    objects = FaultyObjects(tmp_path / "images")
    opened = Store.open(fresh(tmp_path / "kept elsewhere"), Elsewhere(objects, 10**9))
    sha256 = store_everything(opened)["image"]
    soon(lambda: opened.blobs.waiting() == 0)
    yield opened, objects, sha256
    opened.close()


def nobodys(path: Path) -> None:
    path.with_name(f"{path.stem[:2]}{'0' * 62}.png").write_bytes(b"x")


AT_THE_PLACE: dict[str, tuple[Callable[[Path, Store], object], set[str]]] = {
    "nothing wrong": (lambda _path, _store: None, set()),
    "let go here": (lambda path, store: store.blobs.here(path.stem).unlink(), set()),
    "lost there": (lambda path, _store: path.unlink(), {"blob_missing"}),
    "lost there and waiting": (lambda path, store: (path.unlink(), store.blobs.spool.add(path.name)), set()),
    "lost at both": (lambda path, store: (path.unlink(), store.blobs.here(path.stem).unlink()), {"blob_missing"}),
    "cut short there": (lambda path, _store: path.write_bytes(path.read_bytes()[:-1]), {"size_differs", "blob_damaged"}),
    "changed there": (lambda path, _store: path.write_bytes(path.read_bytes()[:-1] + b"x"), {"blob_damaged"}),
    "nobody's": (lambda path, _store: nobodys(path), {"blob_unknown", "blob_damaged"}),
    "a stray": (lambda path, _store: path.with_name("notes.txt").write_bytes(b"x"), {"stray_file"}),
}  # fmt: skip


@pytest.mark.parametrize("case", AT_THE_PLACE)
def test_what_is_wrong_at_an_object_store_is_found(
    kept_elsewhere: tuple[Store, FaultyObjects, str], tmp_path: Path, case: str
) -> None:
    store, _, sha256 = kept_elsewhere
    store.blobs._uploader.close(0)
    (path,) = (tmp_path / "images").rglob(f"{sha256}.*")
    wrong, kinds = AT_THE_PLACE[case]
    wrong(path, store)
    assert {problem.kind for problem in verify(store, reads_objects=True)} == kinds
    assert {problem.kind for problem in verify(store)} == kinds - {"blob_damaged"}


def test_an_object_store_that_is_away_is_told_of_and_the_rest_is_looked_at(
    kept_elsewhere: tuple[Store, FaultyObjects, str], tmp_path: Path
) -> None:
    store, _, sha256 = kept_elsewhere
    store.blobs.here(sha256).unlink()
    (tmp_path / "images" / MARKER).unlink()
    break_a_rule(store, "delete from ledger")
    kinds = [problem.kind for problem in verify(store)]
    assert kinds.count("place_away") == 1
    assert "ledger_missing" in kinds
    assert "blob_missing" not in kinds
