from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from storage import battles, jobs, locks, masks, runs
from storage.database import Store
from storage.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreNotWritable, StoreTooNew
from storage.migrations import RELEASED, migrations
from tests.storage.builders import (
    LATER,
    NOW,
    insert,
    insert_as_first_released,
    make_image,
    make_job,
    make_run,
    store_everything,
)

DATABASE = "diptych.sqlite3"
NOBODY = 65534


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A folder with rows and bytes in it, closed."""
    store = Store.open(tmp_path / "data")
    store_everything(store)
    store.write(lambda db: insert(db, *(make_run(f"x{number}", group_id="g2") for number in range(300))))
    store.close()
    return store.data_dir


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_refused(folder: Path, error: type[StoreError], words: str) -> None:
    before = contents(folder)
    with pytest.raises(error, match=words) as caught:
        Store.open(folder)
    assert str(folder) in str(caught.value)
    assert contents(folder) == before


def test_the_first_opening_makes_a_private_folder(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "deep" / "data")
    store.close()
    assert store.data_dir.stat().st_mode & 0o777 == 0o700
    assert (store.data_dir / DATABASE).stat().st_mode & 0o777 == 0o600
    assert not list(store.data_dir.glob(".probe*"))


def test_opening_again_keeps_the_rows(used: Path) -> None:
    store = Store.open(used)
    assert store.read(lambda db: runs.get(db, "r1", "local"))
    store.close()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.write_text("mine")
    with pytest.raises(StoreNotWritable, match="cannot be written"):
        Store.open(place)
    with pytest.raises(StoreNotWritable, match="cannot be written"):
        Store.open(place / "below")
    assert place.read_text() == "mine"


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that this process may not write. Root may write everywhere, so it is nobody in particular meanwhile."""
    was = os.geteuid()
    # Beside `tmp_path`, whose parents only their owner may pass.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if was == 0:
            os.chown(folder, NOBODY, -1)
        folder.chmod(0o500)
        os.seteuid(NOBODY if was == 0 else was)
        try:
            yield folder
        finally:
            os.seteuid(was)
            folder.chmod(0o700)


def test_a_folder_without_write_permission_is_refused(read_only: Path) -> None:
    with pytest.raises(StoreNotWritable):
        Store.open(read_only)
    assert list(read_only.iterdir()) == []


def test_garbage_is_refused(used: Path) -> None:
    (used / DATABASE).write_bytes(b"not a database at all " * 1000)
    assert_refused(used, StoreDamaged, "cannot be read")


@pytest.mark.parametrize("keep", [100, 4096, 20_000, 100_000])
def test_a_truncated_database_is_refused(used: Path, keep: int) -> None:
    os.truncate(used / DATABASE, keep)
    assert_refused(used, StoreDamaged, "put back the newest backup")


def test_a_flipped_page_is_refused(used: Path) -> None:
    with (used / DATABASE).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)
    assert_refused(used, StoreDamaged, "damaged")


def test_a_damaged_database_with_a_log_beside_it_is_not_written_to(used: Path, tmp_path: Path) -> None:
    store = Store.open(used)
    store.write(lambda db: insert(db, make_run("late", group_id="g3")))
    crashed = tmp_path / "crashed"
    shutil.copytree(used, crashed)
    store.close()
    assert (crashed / f"{DATABASE}-wal").stat().st_size > 0
    (crashed / f"{DATABASE}-shm").unlink()
    with (crashed / DATABASE).open("r+b") as file:
        file.seek(4096 * 12)
        file.write(b"\xff" * 4096)
    before = contents(crashed)
    with pytest.raises(StoreDamaged):
        Store.open(crashed)
    after = contents(crashed)
    assert {name: after[name] for name in before if not name.endswith("-shm")} == {
        name: before[name] for name in before if not name.endswith("-shm")
    }


@pytest.mark.parametrize("marker", [True, False])
def test_an_emptied_database_beside_blobs_is_refused(used: Path, *, marker: bool) -> None:
    (used / DATABASE).write_bytes(b"")
    if not marker:
        (used / "HAS-DATA").unlink()
    assert_refused(used, StoreDamaged, "held data before")


@pytest.mark.parametrize("marker", [True, False])
def test_a_database_that_went_away_is_refused_and_not_made_anew(used: Path, *, marker: bool) -> None:
    (used / DATABASE).unlink()
    if not marker:
        (used / "HAS-DATA").unlink()
    assert_refused(used, StoreDamaged, "missing or empty")


def test_a_database_without_tables_is_refused_where_data_was(used: Path) -> None:
    (used / DATABASE).unlink()
    with closing(sqlite3.connect(used / DATABASE)) as conn:
        conn.execute("create table t (x)")
        conn.execute("drop table t")
    assert_refused(used, StoreDamaged, "held data before")


def test_without_blobs_the_marker_alone_tells_a_loss_from_a_first_run(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.close()
    (tmp_path / DATABASE).write_bytes(b"")
    assert_refused(tmp_path, StoreDamaged, "held data before")


def test_an_empty_file_in_an_empty_folder_is_a_first_run(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"")
    Store.open(tmp_path).close()


def test_bytes_without_rows_after_a_crash_do_not_stop_the_program(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.blobs.put(b"uploaded, then the power went", "image/png")
    store.close()
    Store.open(tmp_path).close()


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE)) as conn:
        conn.execute("create table recipes (name)")
    with pytest.raises(StoreDamaged, match="something else"):
        Store.open(tmp_path)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as conn:
        assert conn.execute("select name from sqlite_master").fetchall() == [("recipes",)]


def test_a_newer_schema_is_refused(used: Path) -> None:
    with closing(sqlite3.connect(used / DATABASE)) as conn, conn:
        conn.execute("insert into _sqlite_migrations values (99, 'diptych', 'm099_future', '2030-01-01')")
    assert_refused(used, StoreTooNew, "m099_future.*update the program")


def test_the_names_of_the_steps_are_those_that_were_released() -> None:
    with closing(sqlite3.connect(":memory:")) as conn:
        assert tuple(step.name for step in migrations.pending(Database(conn, execute_plugins=False))) == RELEASED


def make_old(folder: Path, *, rows: bool, stop_before: str = "m002_battles") -> None:
    """A database as an earlier released step left it."""
    with closing(sqlite3.connect(folder / DATABASE)) as conn:
        db = Database(conn, execute_plugins=False)
        migrations.apply(db, stop_before=stop_before)
        if rows:
            with db.atomic():
                insert_as_first_released(db, make_run())


def test_an_upgrade_keeps_the_rows_and_copies_the_file_first(tmp_path: Path) -> None:
    make_old(tmp_path, rows=True)
    store = Store.open(tmp_path)
    assert store.read(lambda db: (db.table("battles").exists(), runs.get(db, "r1", "local") is not None)) == (
        True,
        True,
    )
    store.close()
    with closing(sqlite3.connect(tmp_path / "before-m002_battles.sqlite3")) as conn:
        assert conn.execute("select run_id from runs").fetchall() == [("r1",)]
        assert not conn.execute("select 1 from sqlite_master where name = 'battles'").fetchall()


def add_images_as_before_m003(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as conn, conn:
        for number, sha256 in enumerate(("ab" * 32, "cd" * 32)):
            conn.execute(
                """insert into images (image_id, run_id, position, sha256, media_type, width, height, size_bytes, seed,
                    checks, created_at) values (?, 'r1', ?, ?, 'image/png', 8, 6, 100, 7, '["blank"]', ?)""",
                (f"i{number}", number, sha256, NOW),
            )
        conn.execute(
            """insert into battles values
                ('b', 'local', 'generate', 'a cat', 'i0', 'i1', 'x/x', 'y/y', 'new', 0, 0.5, 'open', ?, ?)""",
            (NOW, LATER),
        )


def test_jobs_and_converted_copies_come_to_a_database_with_images_and_battles(tmp_path: Path) -> None:
    make_old(tmp_path, rows=True, stop_before="m003_jobs")
    add_images_as_before_m003(tmp_path)
    store = Store.open(tmp_path)
    view = store.read(lambda db: runs.get(db, "r1", "local"))
    assert view
    assert view.images == tuple(
        make_image(image_id=f"i{number}", position=number, sha256=sha256, seed=7, checks=("blank",))
        for number, sha256 in enumerate(("ab" * 32, "cd" * 32))
    )
    assert store.read(lambda db: battles.get(db, "b", "local"))
    assert store.write(lambda db: jobs.claim(db, make_job()))
    store.write(lambda db: runs.set_converted(db, "i0", "ef" * 32, "image/gif"))
    assert store.read(lambda db: db.conn.execute("pragma foreign_key_check").fetchall()) == []
    assert store.read(lambda db: db.conn.execute("pragma integrity_check").fetchall()) == [("ok",)]
    store.close()
    with closing(sqlite3.connect(tmp_path / "before-m003_jobs.sqlite3")) as conn:
        assert conn.execute("select image_id from images order by image_id").fetchall() == [("i0",), ("i1",)]


def test_locks_masks_and_looks_come_to_a_database_with_images(tmp_path: Path) -> None:
    make_old(tmp_path, rows=False, stop_before="m006_locks")
    with closing(sqlite3.connect(tmp_path / DATABASE)) as conn, conn:
        conn.execute("insert into groups values ('g1', 'local', 'run', 'edit', 'a cat', ?)", (NOW,))
        conn.execute(
            """insert into runs (run_id, group_id, owner, position, offer, operation, prompt, asked, state, queued_at)
            values ('r1', 'g1', 'local', 0, 'x/x', 'edit', 'a cat', '{"mask": "ab"}', 'succeeded', ?)""",
            (NOW,),
        )
        for number in range(2):
            conn.execute(
                """insert into images (image_id, run_id, position, sha256, media_type, width, height, size_bytes, checks,
                    created_at) values (?, 'r1', ?, ?, 'image/png', 8, 6, 100, '["duplicate"]', ?)""",
                (f"i{number}", number, "ab" * 32, NOW),
            )
    store = Store.open(tmp_path)
    view = store.read(lambda db: runs.get(db, "r1", "local"))
    assert view
    assert [(image.image_id, image.checks, image.phash) for image in view.images] == [
        ("i0", ("duplicate",), None),
        ("i1", ("duplicate",), None),
    ]
    assert (view.locks, store.read(locks.due_runs)) == ((), []), "what is older than locks is not locked afterwards"
    store.write(lambda db: locks.owe(db, "i0", NOW))
    assert store.read(locks.due_runs) == ["r1"]
    store.write(lambda db: masks.keep(db, "local", "ab" * 32, "cd" * 32, NOW))
    store.write(lambda db: runs.set_checks(db, "i1", ("blank",), "0" * 16))
    assert store.read(lambda db: db.conn.execute("pragma integrity_check").fetchall()) == [("ok",)]
    store.close()
    with closing(sqlite3.connect(tmp_path / "before-m006_locks.sqlite3")) as conn:
        assert conn.execute("select image_id from images order by image_id").fetchall() == [("i0",), ("i1",)]


def test_an_upgrade_without_rows_makes_no_copy(tmp_path: Path) -> None:
    make_old(tmp_path, rows=False)
    Store.open(tmp_path).close()
    assert not list(tmp_path.glob("before-*"))


def test_an_upgrade_that_fails_leaves_the_old_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_old(tmp_path, rows=True)
    monkeypatch.setattr("storage.migrations._BATTLES", ("create table battles (x) strict",))
    with pytest.raises(StoreError):
        Store.open(tmp_path)
    monkeypatch.undo()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as conn:
        assert not conn.execute("select 1 from sqlite_master where name = 'battles'").fetchall()
    store = Store.open(tmp_path)
    assert store.read(lambda db: runs.get(db, "r1", "local"))
    store.close()


OPEN_AND_WRITE = """
import sys
from pathlib import Path
from storage import runs
from storage.database import Store
from tests.storage.builders import make_group
store = Store.open(Path(sys.argv[1]))
store.write(lambda db: runs.insert_group(db, make_group("process" + sys.argv[2])))
store.close()
"""


@pytest.mark.parametrize("old", [False, True])
def test_four_processes_opening_at_once_all_come_up(tmp_path: Path, *, old: bool) -> None:
    if old:
        make_old(tmp_path, rows=True)
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN_AND_WRITE, str(tmp_path), str(n)], stderr=subprocess.PIPE)
        for n in range(4)
    ]
    failures = [process.communicate(timeout=30)[1].decode() for process in processes]
    assert failures == [""] * 4
    store = Store.open(tmp_path)
    names = store.read(lambda db: [row[0] for row in db.conn.execute("select name from _sqlite_migrations").fetchall()])
    groups = store.read(lambda db: db.conn.execute("select count(*) from groups").fetchone()[0])
    store.close()
    assert (tuple(names), groups) == (RELEASED, 5 if old else 4)


def test_a_locked_database_is_busy(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.connections.BUSY_TIMEOUT_S", 0.05)
    with closing(sqlite3.connect(used / DATABASE)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreBusy):
            Store.open(used)


def test_leftovers_of_a_crash_are_swept_once_they_are_old(used: Path) -> None:
    for folder in ("blobs", "thumbs"):
        for name, age_s in (("old.tmp", 4000), ("young.tmp", 10)):
            part = used / folder / "incoming" / name
            part.write_bytes(b"half")
            os.utime(part, (part.stat().st_atime, part.stat().st_mtime - age_s))
    Store.open(used).close()
    assert [path.name for path in sorted(used.glob("*/incoming/*"))] == ["young.tmp", "young.tmp"]


def test_a_full_disk_at_the_start_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(StoreFull, match="free some space"):
        Store.open(tmp_path)


def test_a_copied_folder_opens(used: Path, tmp_path: Path) -> None:
    shutil.copytree(used, tmp_path / "elsewhere")
    Store.open(tmp_path / "elsewhere").close()
