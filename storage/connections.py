"""Connections to the database file, all opened the same way, and the transactions on them."""

from __future__ import annotations

import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlite_utils import Database

from storage.engine import Connection

if TYPE_CHECKING:
    from sqlite3 import _Parameters

BUSY_TIMEOUT_S = 10.0
"""How long a statement waits for another process. Threads of this process never wait here: they queue."""

_WAL_RETRY_S = 0.02
_JOURNAL_LIMIT_BYTES = 64 * 2**20


class TrackingConnection(sqlite3.Connection):
    """A connection that can close the cursors a job left open.

    An open cursor keeps its connection at the moment it was made, whatever `begin` and `rollback` say: the thread would
    go on seeing old rows, and the log could not be folded into the database.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._cursors: weakref.WeakSet[sqlite3.Cursor] = weakref.WeakSet()
        super().__init__(*args, **kwargs)

    def execute(self, sql: str, parameters: _Parameters = (), /) -> sqlite3.Cursor:
        """Run one statement on a cursor that is remembered. sqlite3's own version does not call `cursor()`."""
        cursor = self.cursor()
        self._cursors.add(cursor)
        return cursor.execute(sql, parameters)

    def begin_writing(self) -> None:
        """Open a transaction that holds the write lock from its start.

        The library's own `atomic()` begins deferred: whoever reads first and then writes fails as soon as another
        process committed in between, and no timeout helps.
        """
        self.execute("begin immediate")

    def mark(self, name: str) -> None:
        """Begin a part of the transaction that can be undone by itself."""
        self.execute(f"savepoint {name}")

    def unmark(self, name: str) -> None:
        """End the part."""
        self.execute(f"release {name}")

    def settle(self) -> None:
        """Nothing: each statement is done when it returns."""

    def begin_reading(self) -> None:
        """Open a transaction that sees one moment, that of its first query."""
        self.execute("begin")

    def close_cursors(self) -> None:
        """Close every cursor that is still referred to."""
        for cursor in list(self._cursors):
            cursor.close()
        self._cursors.clear()


class SqliteDatabase(Database):
    """The library's door to the rows, over a connection of ours."""

    conn: TrackingConnection


def connect(path: Path) -> SqliteDatabase:
    """A connection that writes: WAL, every commit on disk before it is acknowledged, foreign keys enforced.

    Raises:
        sqlite3.Error: the file cannot be opened, is no database, or stays locked for `BUSY_TIMEOUT_S`.
    """
    conn = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False, factory=TrackingConnection)
    try:
        _switch_to_wal(conn)
        conn.execute("pragma synchronous=full")
        conn.execute("pragma foreign_keys=on")
        conn.execute(f"pragma journal_size_limit={_JOURNAL_LIMIT_BYTES}")
        return SqliteDatabase(conn, execute_plugins=False)
    except BaseException:
        conn.close()
        raise


def connect_reader(path: Path) -> SqliteDatabase:
    """A connection that refuses to write. It may be closed from another thread, never used by two at once."""
    db = connect(path)
    try:
        db.conn.execute("pragma query_only=on")
    except BaseException:
        db.close()
        raise
    return db


def connect_untouching(path: Path) -> sqlite3.Connection:
    """A connection for looking at a file that may be damaged: it neither creates, repairs nor checkpoints it."""
    # Closing the last writable connection folds the log into the file, which must not happen to a damaged one; a
    # read-only connection does not, but leaves an empty log behind where there was none.
    mode = "ro" if Path(f"{path}-wal").exists() else "rw"
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT_S)
    try:
        conn.execute("pragma query_only=on")
    except BaseException:
        conn.close()
        raise
    return conn


def of_copy(conn: sqlite3.Connection) -> Database:
    """The door to the rows of a copy that nobody writes to, over a connection of `connect_untouching`."""
    return Database(conn, execute_plugins=False)


@contextmanager
def writing(conn: Connection) -> Iterator[None]:
    """A transaction that is alone in writing, committed at its end."""
    conn.begin_writing()
    try:
        yield
        conn.commit()
    except BaseException:
        conn.rollback()
        raise


@contextmanager
def snapshot(conn: Connection) -> Iterator[None]:
    """Several reads of one moment. Cursors left open are closed at its end."""
    if conn.in_transaction:
        yield
        return
    conn.begin_reading()
    try:
        yield
    finally:
        conn.close_cursors()
        conn.rollback()


def _switch_to_wal(conn: sqlite3.Connection) -> None:
    # The busy timeout does not cover the switch itself: where several processes start at once on a new file, all but
    # one are refused on the spot.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            conn.execute("pragma journal_mode=wal")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_WAL_RETRY_S)
