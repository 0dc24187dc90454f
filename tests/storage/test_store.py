from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlite_utils import Database

from storage import runs
from storage.database import Store
from storage.errors import StoreBusy, StoreClosed, StoreNotWritable
from tests.storage.builders import insert, make_group, make_run


def group_ids(db: Database) -> list[str]:
    return [row[0] for row in db.conn.execute("select group_id from groups order by group_id").fetchall()]


def adding(group_id: str) -> Callable[[Database], None]:
    return lambda db: runs.insert_group(db, make_group(group_id))


@pytest.mark.parametrize("threads", [8, 64])
def test_many_threads_writing_at_once_lose_nothing(store: Store, threads: int) -> None:
    each = 640 // threads

    def write_some(thread: int) -> None:
        for number in range(each):
            store.write(adding(f"{thread:02}-{number:03}"))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(write_some, range(threads)))
    expected = [f"{thread:02}-{number:03}" for thread in range(threads) for number in range(each)]
    assert store.read(group_ids) == expected


def hold_writer(store: Store) -> tuple[threading.Event, threading.Thread]:
    """Keep the writer busy, so that what is written next gathers into one batch."""
    entered, leave = threading.Event(), threading.Event()

    def wait(_: Database) -> None:
        entered.set()
        leave.wait(10)

    thread = threading.Thread(target=store.write, args=(wait,))
    thread.start()
    assert entered.wait(10)
    return leave, thread


def test_a_job_that_raises_takes_only_its_own_rows_with_it(store: Store) -> None:
    def add_then_fail(db: Database) -> None:
        runs.insert_group(db, make_group("bad"))
        raise LookupError("mine")

    def add_twice(db: Database) -> None:
        runs.insert_group(db, make_group("twice"))
        runs.insert_group(db, make_group("twice"))

    leave, thread = hold_writer(store)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(store.write, job) for job in (adding("a"), add_then_fail, add_twice, adding("b"))]
        while len(store._writer._waiting) < 4:
            time.sleep(0.001)
        leave.set()
        with pytest.raises(LookupError, match="mine"):
            jobs[1].result()
        with pytest.raises(sqlite3.IntegrityError):
            jobs[2].result()
        jobs[0].result()
        jobs[3].result()
    thread.join()
    assert store.read(group_ids) == ["a", "b"]


def test_waiting_jobs_share_a_commit(store: Store) -> None:
    leave, thread = hold_writer(store)
    commits: list[str] = []
    store._writer._db.conn.set_trace_callback(lambda sql: commits.append(sql) if sql.lower() == "commit" else None)
    with ThreadPoolExecutor(20) as pool:
        jobs = [pool.submit(store.write, adding(str(number))) for number in range(20)]
        while len(store._writer._waiting) < 20:
            time.sleep(0.001)
        leave.set()
        for job in jobs:
            job.result()
    thread.join()
    assert len(commits) == 2  # the holding job's own, and one for all the others


def test_write_gives_back_what_the_job_returns(store: Store) -> None:
    assert store.write(lambda db: db.conn.execute("select 41 + 1").fetchone()[0]) == 42


def test_readers_see_an_acknowledged_write_at_once(store: Store) -> None:
    def read_in_turn(number: int) -> bool:
        store.write(adding(f"{number:03}"))
        return f"{number:03}" in store.read(group_ids)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read_in_turn, range(200)))


def test_all_queries_of_one_read_see_one_moment(store: Store) -> None:
    def read_write_read(db: Database) -> tuple[int, int]:
        before = len(group_ids(db))
        other = threading.Thread(target=store.write, args=(adding("meanwhile"),))
        other.start()
        other.join()
        return before, len(group_ids(db))

    assert store.read(read_write_read) == (0, 0)
    assert store.read(group_ids) == ["meanwhile"]


def test_a_cursor_left_open_does_not_hold_the_view_of_later_reads(store: Store) -> None:
    store.write(lambda db: [runs.insert_group(db, make_group(name)) for name in "abc"])
    cursor = store.read(lambda db: db.conn.execute("select * from groups"))
    store.write(adding("d"))
    assert store.read(group_ids) == ["a", "b", "c", "d"]
    with pytest.raises(sqlite3.ProgrammingError, match="closed cursor"):
        cursor.fetchall()


def test_a_read_job_cannot_write_and_the_error_does_not_blame_the_folder(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.read(adding("x"))
    assert store.read(group_ids) == []


def test_a_read_inside_a_read_works(store: Store) -> None:
    assert store.read(lambda _: store.read(group_ids)) == []


def test_a_write_inside_a_job_is_refused_instead_of_waiting_for_ever(store: Store) -> None:
    with pytest.raises(RuntimeError, match=r"called write\(\) itself"):
        store.write(lambda _: store.write(adding("x")))


def test_a_job_that_ends_its_transaction_is_told_so_and_the_writer_goes_on(store: Store) -> None:
    with pytest.raises(RuntimeError, match="never commit"):
        store.write(lambda db: db.conn.rollback())
    store.write(adding("a"))
    assert store.read(group_ids) == ["a"]


def test_a_job_that_ends_its_transaction_and_then_fails_is_told_both(store: Store) -> None:
    def leave(db: Database) -> None:
        db.conn.rollback()
        raise KeyError("and this")

    with pytest.raises(RuntimeError, match="never commit") as told:
        store.write(leave)
    assert isinstance(told.value.__cause__, KeyError)
    store.write(adding("a"))
    assert store.read(group_ids) == ["a"]


def test_a_job_may_raise_what_is_no_exception(store: Store) -> None:
    def leave(_: Database) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        store.write(leave)
    store.write(adding("a"))


def test_a_job_that_times_out_itself_gives_its_own_error(store: Store) -> None:
    def slow(_: Database) -> None:
        raise TimeoutError("the job's own")

    with pytest.raises(TimeoutError, match="the job's own"):
        store.write(slow)


def test_a_write_that_never_began_is_certainly_not_saved(store: Store) -> None:
    leave, thread = hold_writer(store)
    with pytest.raises(StoreBusy, match="Nothing was saved") as caught:
        store.write(adding("late"), timeout_s=0.02)
    leave.set()
    thread.join()
    store.write(adding("next"))
    assert not caught.value.may_be_saved
    assert store.read(group_ids) == ["next"]


def test_a_write_that_began_may_still_be_saved(store: Store) -> None:
    leave = threading.Event()

    def slow(db: Database) -> None:
        leave.wait(10)
        runs.insert_group(db, make_group("slow"))

    with pytest.raises(StoreBusy, match="may still be saved") as caught:
        store.write(slow, timeout_s=0.02)
    leave.set()
    store.write(adding("next"))
    assert caught.value.may_be_saved
    assert store.read(group_ids) == ["next", "slow"]


def test_a_database_held_by_somebody_else_is_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(lambda db: db.conn.execute("select 1").fetchone())
    store._writer._db.conn.execute("pragma busy_timeout=20")
    other = sqlite3.connect(store.data_dir / "diptych.sqlite3")
    other.execute("begin immediate")
    with pytest.raises(StoreBusy, match="Another program"):
        store.write(adding("x"))
    other.rollback()
    other.close()
    store.write(adding("y"))
    assert store.read(group_ids) == ["y"]


def test_close_finishes_what_is_queued_and_can_be_called_again(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    leave, thread = hold_writer(store)
    with ThreadPoolExecutor(5) as pool:
        jobs = [pool.submit(store.write, adding(str(number))) for number in range(4)]
        while len(store._writer._waiting) < 4:
            time.sleep(0.001)
        closing = pool.submit(store.close)
        leave.set()
        for job in jobs:
            job.result()
        closing.result()
    thread.join()
    store.close()
    assert not (tmp_path / "diptych.sqlite3-wal").exists()
    again = Store.open(tmp_path)
    assert again.read(group_ids) == ["0", "1", "2", "3"]
    again.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.read(group_ids)
    store.close()
    for use in (lambda: store.write(adding("x")), lambda: store.read(group_ids), lambda: store.backup(tmp_path / "b")):
        with pytest.raises(StoreClosed, match="is closed"):
            use()


def test_close_waits_for_a_read_that_is_going_on(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    entered, leave = threading.Event(), threading.Event()

    def slow(db: Database) -> int:
        entered.set()
        leave.wait(10)
        return len(group_ids(db))

    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(store.read, slow)
        entered.wait(10)
        closing = pool.submit(store.close)
        time.sleep(0.02)
        leave.set()
        assert reading.result() == 0
        closing.result()


def test_connections_of_ended_threads_are_closed(store: Store) -> None:
    for _ in range(20):
        thread = threading.Thread(target=store.read, args=(group_ids,))
        thread.start()
        thread.join()
    store.read(group_ids)
    assert len(store._engine._readers) <= 2


def test_a_backup_holds_every_row_while_writing_goes_on(store: Store, tmp_path: Path) -> None:
    for number in range(50):
        store.write(adding(f"{number:03}"))
    stop = threading.Event()

    def write_on() -> None:
        number = 50
        while not stop.is_set():
            store.write(adding(f"{number:03}"))
            number += 1

    thread = threading.Thread(target=write_on)
    thread.start()
    store.backup(tmp_path / "copy.sqlite3")
    stop.set()
    thread.join()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.sqlite3", "data"]
    copy = sqlite3.connect(tmp_path / "copy.sqlite3")
    assert copy.execute("select count(*) from groups").fetchone()[0] >= 50
    assert copy.execute("pragma journal_mode").fetchone()[0] == "delete"
    copy.close()


def test_a_backup_can_be_put_in_place_and_opened(store: Store, tmp_path: Path) -> None:
    store.write(lambda db: insert(db, make_run()))
    other = tmp_path / "other"
    other.mkdir()
    store.backup(other / "diptych.sqlite3")
    restored = Store.open(other)
    assert restored.read(lambda db: runs.get(db, "r1", "local"))
    restored.close()


def test_a_backup_that_fails_leaves_the_older_one(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreNotWritable, match="cannot replace the live"):
        store.backup(store.data_dir / "diptych.sqlite3")
    with pytest.raises(StoreNotWritable, match="nowhere"):
        store.backup(tmp_path / "nowhere" / "copy.sqlite3")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreNotWritable):
        store.backup(tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "folder"]
    store.write(adding("still works"))


def test_the_pragmas_are_those_the_promises_need(store: Store) -> None:
    def pragmas(db: Database) -> list[object]:
        return [
            db.conn.execute(f"pragma {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert store.write(pragmas) == ["wal", 2, 1]
    assert store.read(pragmas) == ["wal", 2, 1]
