"""The rows in a PostgreSQL database: one connection that writes for each process, and a pool of those that read.

Writing is left as it is with SQLite: one thread of this process runs jobs one after another and commits many of them at once,
and a lock that a transaction holds until its end keeps other processes from writing meanwhile. So a job is alone with what it
read, caps are exact over all replicas, and the chain of votes has one end. Jobs are short; reads never wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from storage import errors
from storage.connections import snapshot
from storage.engine import Database
from storage.engines.postgres_connections import PostgresConnection, PostgresDatabase, configure, connect
from storage.engines.postgres_steps import bring_up_to_date

T = TypeVar("T")

READERS = 16
"""Connections that read, at most. A server takes a hundred in all unless it is told otherwise."""
WAIT_S = 10.0
"""For one of them, before a read gives up."""


class _Writing(PostgresConnection):
    """The connection that writes; made anew where the server went away."""

    def __init__(self, url: str, data_dir: Path) -> None:
        super().__init__(connect(url, data_dir).raw, data_dir)
        self._url = url
        self._folder = data_dir

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
        self.raw = connect(self._url, self._folder).raw
        super().begin_writing()


class PostgresEngine:
    """A database with its schema brought up to date."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._writing = PostgresDatabase(_Writing(url, data_dir))
        self._of_thread = threading.local()
        try:
            bring_up_to_date(self._writing.conn, data_dir)
        except BaseException:
            self._writing.close()
            raise
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            url,
            kwargs={"autocommit": True, "prepare_threshold": 3},
            configure=configure,
            min_size=1,
            max_size=READERS,
            timeout=WAIT_S,
            name="store-readers",
            open=True,
        )

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
        raw = self._connection()
        db = PostgresDatabase(PostgresConnection(raw, self._data_dir))
        self._of_thread.db = db
        try:
            with snapshot(db.conn):
                return job(db)
        finally:
            self._of_thread.db = None
            self._pool.putconn(raw)

    def _connection(self) -> psycopg.Connection[Any]:
        try:
            return self._pool.getconn()
        except PoolClosed as error:
            raise errors.closed(self._data_dir) from error
        except PoolTimeout as error:
            raise errors.ServerTrouble(errors.not_reached(str(error))) from error

    def touch(self, db: Database) -> None:
        """A write that reaches the disk and changes nothing."""
        db.conn.execute("update install set value = value where name = 'voter_salt'")

    def damage(self, _db: Database) -> list[tuple[str, str]]:
        """Nothing: the server checks its own files, and keeps every row's references."""
        return []

    def size_bytes(self) -> int:
        """Of the whole database."""
        return self.read(_size)

    def close(self) -> None:
        """End all connections that read. Calling it again is harmless."""
        self._pool.close()


def _size(db: Database) -> int:
    [(size,)] = db.conn.execute("select pg_database_size(current_database())").fetchall()
    return int(size)
