"""Connections to PostgreSQL: which are lent, what is told of what nobody waited for, and several replicas at once."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlite_utils import Database

from storage import ledger, limits
from storage.engines import postgres_pipeline, postgres_readers
from storage.engines.postgres_pipeline import PipelinedConnection
from storage.limits import Standing
from storage.verify import verify
from tests.postgres_server import PostgresServer
from tests.storage.builders import insert, make_run


def test_a_connection_that_cannot_begin_to_read_is_closed(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = server.store_of(tmp_path)
    made: list[PipelinedConnection] = []

    def refuse(conn: PipelinedConnection) -> None:
        made.append(conn)
        raise sqlite3.OperationalError("a new connection, and no transaction")

    with monkeypatch.context() as patches:
        patches.setattr(PipelinedConnection, "begin_reading", refuse)
        for _ in range(2):
            with pytest.raises(sqlite3.OperationalError, match="no transaction"):
                store.read(lambda db: db.conn.execute("select 1").fetchall())
    assert [conn.is_broken for conn in made] == [True, True]
    assert store.read(lambda db: db.conn.execute("select 1").fetchall()) == [(1,)]
    store.close()


def test_a_connection_that_was_idle_for_long_is_asked_before_it_is_lent(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = server.store_of(tmp_path)
    asked: list[bool] = []

    class Watched(PipelinedConnection):
        def begin_reading(self) -> None:
            super().begin_reading()
            asked.append(not self._unanswered)

    monkeypatch.setattr(postgres_readers, "PipelinedConnection", Watched)
    for heard_s in (60, 60, 0):
        monkeypatch.setattr(postgres_pipeline, "HEARD_S", heard_s)
        store.read(lambda db: db.conn.execute("select 1").fetchall())
    assert asked == [False, False, True]
    store.close()


def test_what_nobody_waited_for_is_told_by_the_job_it_was_in(server: PostgresServer, tmp_path: Path) -> None:
    store = server.store_of(tmp_path)
    barrier = Barrier(3)

    def write(number: int, statement: str) -> str:
        def job(db: Database) -> str:
            insert(db, make_run(f"r{number}", group_id=f"g{number}"))
            db.conn.execute(statement)
            return "done"

        barrier.wait()
        try:
            return store.write(job)
        except sqlite3.IntegrityError as error:
            return str(error)

    bad = "insert into tags (run_id, tag) values ('nobody', 'x')"
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(write, range(3), ["select 1", bad, "select 1"]))
    assert [said[0], said[2]] == ["done", "done"]
    assert "FOREIGN KEY" in said[1]
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        store.write(lambda db: db.conn.execute(bad) and None)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.read(lambda db: db.conn.execute(bad) and None)
    assert sorted(store.read(lambda db: db.conn.execute("select run_id from runs").fetchall())) == [("r0",), ("r2",)]
    many = [(f"r{number % 2 * 2}", f"t{number}") for number in range(1000)]
    sql = "insert into tags (run_id, tag) values (?, ?)"
    assert store.write(lambda db: db.conn.executemany(sql, many).rowcount) == 1000
    store.close()


# Several replicas


def test_a_cap_holds_to_the_last_call_over_two_replicas(server: PostgresServer, tmp_path: Path) -> None:
    replicas = [server.store_of(tmp_path), server.store_of(tmp_path)]
    cap, each = 45 * 31_000, 31_000
    now = "2026-11-21T10:15:30.123Z"

    def press(number: int) -> bool:
        def job(db: Database) -> bool:
            standing: Standing = limits.standing(db, "local", "s", now)
            if standing.day_microusd + each > cap:
                return False
            insert(db, make_run(f"r{number}", group_id=f"g{number}"))
            return True

        return replicas[number % 2].write(job, timeout_s=60)

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(press, range(128))) == 45
    assert replicas[0].read(lambda db: ledger.totals(db, "local")).reserved_microusd == cap
    assert verify(replicas[1]) == []
    for one in replicas:
        one.close()


def test_a_read_sees_one_moment_and_the_next_one_what_another_replica_wrote(
    server: PostgresServer, tmp_path: Path
) -> None:
    one, other = server.store_of(tmp_path), server.store_of(tmp_path)
    seqs = "select count(*) from runs"

    def twice(db: Database) -> list[int]:
        before = db.conn.execute(seqs).fetchall()[0][0]
        other.write(lambda there: insert(there, make_run()))
        inside = one.read(lambda again: again.conn.execute(seqs).fetchall()[0][0])
        return [before, db.conn.execute(seqs).fetchall()[0][0], inside]

    assert one.read(twice) == [0, 0, 0]
    assert one.read(lambda db: db.conn.execute(seqs).fetchall()) == [(1,)]
    one.close()
    other.close()


def test_a_step_that_raises_is_undone_and_the_job_goes_on(server: PostgresServer, tmp_path: Path) -> None:
    store = server.store_of(tmp_path)

    def job(db: Database) -> None:
        insert(db, make_run())
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"), db.atomic():
            insert(db, make_run("r2", group_id="g2"), make_run())
        insert(db, make_run("r3", group_id="g3"))

    store.write(job)
    assert [row for (row,) in store.read(lambda db: db.conn.execute("select run_id from runs").fetchall())] == [
        "r1",
        "r3",
    ]
    store.close()
