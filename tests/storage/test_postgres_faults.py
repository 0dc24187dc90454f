"""PostgreSQL killed under load: what was acknowledged is there, and the store goes on by itself."""

from __future__ import annotations

import os
import queue
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage import runs
from storage.database import Store
from storage.engine import Database
from storage.engines import postgres_connections, postgres_pipeline
from storage.errors import ServerAway, StoreBusy, StoreError, StoreFull, StoreNotWritable
from storage.verify import verify
from tests.postgres_server import PostgresServer, running_server
from tests.storage.builders import insert, make_run

RECOVERS_WITHIN_S = 10
WRITERS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_server(is_safe=True) as one:
        yield one


class Writers:
    """Threads that write a run after the other, and remember those that were acknowledged and those in doubt."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.acknowledged: set[str] = set()
        self.in_doubt: set[str] = set()
        self.refused: list[str] = []
        self.reads_after: list[float] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(WRITERS)]
        self._threads.append(threading.Thread(target=self._read, daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        made = 0
        while not self._stop.is_set():
            made += 1
            run_id = f"{number}-{made}"
            try:
                self.store.write(lambda db, run_id=run_id: insert(db, make_run(run_id, group_id=f"g{run_id}")))
            except StoreBusy as error:
                if error.may_be_saved:
                    self.in_doubt.add(run_id)
                else:
                    self.refused.append(str(error))
                time.sleep(0.01)
            except StoreNotWritable as error:
                self.refused.append(str(error))
                time.sleep(0.01)
            else:
                self.acknowledged.add(run_id)

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                self.store.read(lambda db: runs.open_runs(db, "nobody"))
            except StoreError:
                time.sleep(0.01)
            else:
                self.reads_after.append(time.monotonic())
                time.sleep(0.005)


def ids(db: Database) -> set[str]:
    return {run_id for (run_id,) in db.conn.execute("select run_id from runs").fetchall()}


def killed(server: PostgresServer, folder: Path, times: int) -> None:
    store = server.store_of(folder)
    writers = Writers(store)
    for _ in range(times):
        before = len(writers.acknowledged)
        wait_for(lambda before=before: len(writers.acknowledged) > before + 20, writers)
        server.kill()
        time.sleep(0.1)
        server.start()
        up = time.monotonic()
        again = len(writers.acknowledged)
        wait_for(lambda again=again: len(writers.acknowledged) > again + WRITERS, writers)
        wait_for(lambda up=up: any(at > up for at in writers.reads_after), writers)
        assert time.monotonic() - up < RECOVERS_WITHIN_S
    writers.stop()
    there = store.read(ids)
    assert writers.acknowledged <= there
    assert there <= writers.acknowledged | writers.in_doubt
    assert store.trouble is None
    assert verify(store) == []
    store.close()


def wait_for(happened: Callable[[], bool], writers: Writers) -> None:
    end = time.monotonic() + 2 * RECOVERS_WITHIN_S
    while not happened():
        assert time.monotonic() < end, writers.refused[-1:]
        time.sleep(0.005)


def test_a_server_that_is_killed_loses_no_acknowledged_run(server: PostgresServer, tmp_path: Path) -> None:
    killed(server, tmp_path, 1)


def test_eight_kills_of_the_server_lose_no_acknowledged_run(server: PostgresServer, tmp_path: Path) -> None:
    killed(server, tmp_path, 8)


def test_while_the_server_is_away_the_store_says_so_and_goes_on_once_it_is_back(
    server: PostgresServer, tmp_path: Path
) -> None:
    store = server.store_of(tmp_path)
    store.read(ids)
    server.stop()
    with pytest.raises(StoreNotWritable, match="no restart of this program is needed"):
        store.write(lambda db: insert(db, make_run()))
    with pytest.raises(StoreNotWritable, match="DIPTYCH_DATABASE_URL"):
        store.read(ids)
    assert isinstance(store.probe(), StoreNotWritable)
    server.start()
    store.write(lambda db: insert(db, make_run()))
    assert store.read(ids) == {"r1"}
    assert store.probe() is None
    store.close()


def backends(store: Store) -> list[int]:
    """Processes of the server that speak to this store."""
    sql = "select pid from pg_stat_activity where datname = current_database()"
    return store.read(lambda db: [pid for (pid,) in db.conn.execute(sql).fetchall()])


def let_go(server: PostgresServer, name: str) -> None:
    """Ends all connections to a database, and waits until they are gone."""
    server.sql(f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}'")


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        ("set default_transaction_read_only = on", "reset default_transaction_read_only", "read-only transaction"),
        ("allow_connections false", "allow_connections true", "not currently accepting connections"),
    ],
)
def test_a_server_that_takes_nothing_is_named_and_used_again_once_it_does(
    server: PostgresServer, tmp_path: Path, begins: str, ends: str, words: str
) -> None:
    store = server.store_of(tmp_path)
    name = server.name_of(tmp_path)
    server.sql(f"alter database {name} {begins}")
    let_go(server, name)
    with pytest.raises(ServerAway, match=words):
        store.write(lambda db: insert(db, make_run()))
    assert isinstance(store.trouble, ServerAway)
    server.sql(f"alter database {name} {ends}")
    store.write(lambda db: insert(db, make_run()))
    assert store.read(ids) == {"r1"}
    assert store.trouble is None
    store.close()


def test_a_server_that_hangs_holds_nobody_for_ever(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_pipeline, "ANSWER_WITHIN_S", 0.3)
    monkeypatch.setattr(postgres_connections, "CONNECT_TIMEOUT_S", 2)
    store = server.store_of(tmp_path)
    hung = [server.first_process, *backends(store)]
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ServerAway, match="did not answer within 0.3 s"):
            store.write(lambda db: insert(db, make_run()))
        with pytest.raises(ServerAway, match="timeout expired"):
            store.write(lambda db: insert(db, make_run()))
        with pytest.raises(ServerAway, match="did not answer within 0.3 s"):
            store.read(ids)
        with pytest.raises(ServerAway, match="timeout expired"):
            store.read(ids)
    finally:
        for pid in hung:
            os.kill(pid, signal.SIGCONT)
    assert store.read(ids) == set()
    store.write(lambda db: insert(db, make_run()))
    assert store.read(ids) == {"r1"}
    store.close()


def test_a_server_without_room_is_told_as_full(server: PostgresServer, tmp_path: Path) -> None:
    store = server.store_of(tmp_path)
    server.sql(
        """create function diptych.full_now() returns trigger language plpgsql as $$ begin
            raise exception 'could not extend file' using errcode = '53100'; end $$;
        create trigger full_now after insert on diptych.runs execute function diptych.full_now()""",
        server.name_of(tmp_path),
    )
    with pytest.raises(StoreFull):
        store.write(lambda db: insert(db, make_run()))
    assert isinstance(store.trouble, StoreFull)
    server.sql("drop trigger full_now on diptych.runs", server.name_of(tmp_path))
    store.write(lambda db: insert(db, make_run()))
    assert store.read(ids) == {"r1"}
    store.close()


def test_jobs_that_wait_together_are_all_told_that_another_replica_writes(
    server: PostgresServer, tmp_path: Path
) -> None:
    one, other = (server.store_of(tmp_path) for _ in range(2))
    one.write(lambda db: db.conn.execute("set lock_timeout = '100ms'").fetchall())
    is_held, is_entered, may_end = threading.Event(), threading.Event(), threading.Event()

    def hold(db: Database) -> None:
        db.conn.execute("select 1").fetchall()  # whose answer comes once the lock is there
        is_held.set()
        may_end.wait(10)

    def let_others_gather(_db: Database) -> None:
        is_entered.set()
        while len(one._writer._waiting) < 3:
            time.sleep(0.001)

    def adding(number: int) -> Callable[[Database], None]:
        return lambda db: insert(db, make_run(f"r{number}", group_id=f"g{number}"))

    with ThreadPoolExecutor(5) as pool:
        holding = pool.submit(other.write, hold)
        assert is_held.wait(10)
        told = [pool.submit(one.write, let_others_gather)]
        assert is_entered.wait(10)
        told += [pool.submit(one.write, adding(number)) for number in range(3)]
        errors = [each.exception() for each in told]
        may_end.set()
        holding.result()
    assert [type(error) for error in errors] == [StoreBusy] * 4, errors
    one.write(adding(4))
    assert one.read(ids) == {"r4"}
    one.close()
    other.close()


@contextmanager
def high_numbers() -> Iterator[None]:
    """Whatever is opened meanwhile has a number that `select.select` does not take."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(most[0], 2048), most[1]))
    taken = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while taken[-1] < 1100:
            taken.append(os.dup(taken[0]))
        yield
    finally:
        for number in taken:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, most)


def test_a_process_with_a_thousand_open_files_is_seen_and_hears(server: PostgresServer, tmp_path: Path) -> None:
    store = server.store_of(tmp_path)
    one = store.enlist("one", 0.5)
    with high_numbers():
        crowded = store.enlist("crowded", 0.5)
    heard: queue.Queue[str] = queue.Queue()
    crowded.hear(heard.put)
    one.tell("a word")
    assert heard.get(timeout=5) == "a word"
    seen = "select seen_ms from workers where worker_id = 'crowded'"
    before = store.read(lambda db: db.conn.execute(seen).fetchall())
    end = time.monotonic() + 5
    while store.read(lambda db: db.conn.execute(seen).fetchall()) == before:
        assert time.monotonic() < end, "it is not seen any more"
        time.sleep(0.01)
    for worker in (one, crowded):
        worker.close()
    assert store.read(lambda db: db.conn.execute("select * from workers").fetchall()) == []
    store.close()
