"""The rows in a PostgreSQL database: one connection that writes for each process, and a pool of those that read.

Writing is left as it is with SQLite: one thread of this process runs jobs one after another and commits many of them at once,
and a lock that a transaction holds until its end keeps other processes from writing meanwhile. So a job is alone with what it
read, caps are exact over all replicas, and the chain of votes has one end. Jobs are short; reads never wait.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psycopg

from storage import errors
from storage.engine import Database
from storage.engines.postgres_backup import write_copy
from storage.engines.postgres_connections import READ_ONLY, PostgresConnection, PostgresDatabase, connect
from storage.engines.postgres_pipeline import PipelinedConnection
from storage.engines.postgres_readers import Readers
from storage.engines.postgres_steps import bring_up_to_date
from storage.engines.postgres_worker import PostgresWorker

T = TypeVar("T")


_REFERENCES = """select c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text, k.attname::text
    from pg_constraint as c
    join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    join pg_attribute as k on k.attrelid = c.confrelid and k.attnum = c.confkey[1]
    where c.contype = 'f' and c.connamespace = current_schema()::regnamespace order by 1, 2"""


_PLANS = "set plan_cache_mode = force_generic_plan"
"""What writes looks rows up one by one, by their ids: making a plan for each takes longer than to carry it out."""


class _Writing(PipelinedConnection):
    """The connection that writes; made anew where the server went away."""

    def __init__(self, first: PostgresConnection, url: str, data_dir: Path) -> None:
        super().__init__(first.raw, data_dir)
        self._url = url
        self.run(_PLANS)
        self._folder = data_dir

    def _told(self, error: psycopg.Error) -> sqlite3.Error:
        if error.sqlstate not in READ_ONLY:
            return super()._told(error)
        self.close()  # another server may take its place, under the same address
        return errors.ServerTrouble(errors.not_reached(str(error)))

    def begin_writing(self) -> None:
        """Open a transaction that is alone in writing, over a new connection if need be."""
        if not self.is_broken:
            try:
                super().begin_writing()
            except errors.ServerTrouble:
                # Only where the connection is gone, as after a restart of the server, is there something to try anew.
                if not self.is_broken:
                    self.rollback()
                    raise
            else:
                return
        self._take_over(connect(self._url, self._folder).raw)
        self.run(_PLANS)
        super().begin_writing()


class PostgresEngine:
    """A database with its schema brought up to date. Raises: StoreError, where it cannot be used."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self._url = url
        self._data_dir = data_dir
        self._of_thread = threading.local()
        try:
            conn = connect(url, data_dir)
            try:
                bring_up_to_date(conn, data_dir)
            except BaseException:
                conn.close()
                raise
        except sqlite3.Error as error:
            raise errors.of_engine(error, data_dir) or errors.not_reached(str(error)) from error
        self._writing = PostgresDatabase(_Writing(conn, url, data_dir))
        self._readers = Readers(url, data_dir)

    def writing(self) -> PostgresDatabase:
        """The one connection that writes; whoever asks closes it."""
        return self._writing

    def read(self, job: Callable[[Database], T]) -> T:
        """What the job returned, all of its queries seeing one moment.

        Raises:
            sqlite3.Error: the job's own, or the server cannot be reached.
            StoreClosed: `close` was called.
        """
        around: PostgresDatabase | None = getattr(self._of_thread, "db", None)
        if around is not None:  # a read within a read sees the same moment
            return job(around)
        with self._readers.one() as conn:
            self._of_thread.db = db = PostgresDatabase(conn)
            try:
                done = job(db)
                conn.settle()
                return done
            finally:
                self._of_thread.db = None

    @property
    def is_shared(self) -> bool:
        """Always: nobody knows who else has its address."""
        return True

    def enlist(self, worker_id: str, lease_s: float, /) -> PostgresWorker:
        """This process, known by a lease."""
        return PostgresWorker(self._url, self._data_dir, worker_id, lease_s, self.read)

    def backup(self, out: Path) -> None:
        """Write a checked copy of the rows, of one moment, as an SQLite file.

        Raises:
            StoreNotWritable, StoreFull: `out` cannot be written, or the server cannot be reached.
            StoreClosed: `close` was called.
        """

        def copy(db: Database) -> None:
            write_copy(db, out, self._data_dir)

        try:
            self.read(copy)
        except errors.ServerTrouble as error:
            raise error.told from error

    def touch(self, db: Database) -> None:
        """A write that reaches the disk and changes nothing."""
        db.conn.execute("update install set value = value where name = 'voter_salt'")

    def damage(self, db: Database) -> list[tuple[str, str]]:
        """Rows that point at nothing, which takes whoever turns the server's rules off. Its files it checks itself."""
        found = []
        for child, column, parent, key in db.conn.execute(_REFERENCES).fetchall():
            orphans = ["select count(*) from", child, "as c where", f"c.{column}", "is not null and not exists"]
            there = ["(select 1 from", parent, "as p where", f"p.{key} = c.{column}", ")"]
            [(rows,)] = db.conn.execute(" ".join([*orphans, *there])).fetchall()
            if rows:
                found.append((str(child), f"{rows} rows point at rows of {parent} that are not there"))
        return found

    def size_bytes(self) -> int:
        """Of the whole database."""
        return self.read(_size)

    def close(self) -> None:
        """End all connections that read. Calling it again is harmless."""
        self._readers.close()


def _size(db: Database) -> int:
    [(size,)] = db.conn.execute("select pg_database_size(current_database())").fetchall()
    return int(size)
