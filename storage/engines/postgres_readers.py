"""The connections that read: a few for all threads, each lent to one at a time, with a transaction that sees one moment.

Not psycopg's own pool: after a restart of the server that one waits longer and longer before it connects again, and nobody
reads meanwhile. Here a dead connection is found by whoever borrows it, who then makes a new one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage import errors
from storage.engines.postgres_connections import PostgresConnection, connect
from storage.engines.postgres_pipeline import PipelinedConnection

READERS = 16
"""At most. A server takes a hundred connections in all unless it is told otherwise."""
WAIT_S = 10.0
"""For one of them, before a read gives up."""


class Readers:
    """Connections that read. Made when they are needed, and kept."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self._url = url
        self._data_dir = data_dir
        self._lock = threading.Condition()
        self._idle: list[PostgresConnection] = []
        self._lent = 0
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[PostgresConnection]:
        """A connection in a transaction that sees one moment, until the end of the block.

        Raises:
            StoreClosed: `close` was called.
            errors.ServerTrouble: the server cannot be reached, or all connections stayed lent for `WAIT_S`.
        """
        conn = self._begun(self._borrowed())
        try:
            yield conn
        finally:
            self._give_back(conn)

    def close(self) -> None:
        """Wait for reads that are going on, and end all connections. Calling it again is harmless."""
        with self._lock:
            self._closed = True
            self._lock.wait_for(self._has_none_lent)
            idle, self._idle = self._idle, []
        for conn in idle:
            conn.close()

    def _has_none_lent(self) -> bool:
        return self._lent == 0

    def _has_place(self) -> bool:
        return self._closed or self._lent < READERS

    def _borrowed(self) -> PostgresConnection | None:
        """One that is idle, or `None`: a new one may be made."""
        with self._lock:
            if not self._lock.wait_for(self._has_place, WAIT_S):
                raise errors.ServerTrouble(errors.busy_server(f"{READERS} reads are going on"))
            if self._closed:
                raise errors.closed(self._data_dir)
            self._lent += 1
            return self._idle.pop() if self._idle else None

    def _begun(self, conn: PostgresConnection | None) -> PostgresConnection:
        try:
            if conn is not None:
                try:
                    conn.begin_reading()
                except errors.ServerTrouble:
                    conn.close()
                    conn = None
                    self._forget_idle()
                else:
                    return conn
            conn = PipelinedConnection(connect(self._url, self._data_dir).raw, self._data_dir)
            conn.begin_reading()
        except BaseException:
            if conn is not None:  # nobody else knows of it
                conn.close()
            with self._lock:
                self._lent -= 1
                self._lock.notify_all()
            raise
        return conn

    def _forget_idle(self) -> None:
        """Where one is dead the others are too, as after a restart of the server."""
        with self._lock:
            idle, self._idle = self._idle, []
        for conn in idle:
            conn.close()

    def _give_back(self, conn: PostgresConnection) -> None:
        try:
            conn.rollback()
        except errors.ServerTrouble:
            conn.close()  # what was read is right all the same
        with self._lock:
            self._lent -= 1
            if not conn.is_broken:
                self._idle.append(conn)
            self._lock.notify_all()
