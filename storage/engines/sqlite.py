"""The rows in one file of the data folder: one connection that writes, and one that reads for each thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from storage import errors
from storage.connections import SqliteDatabase, connect_reader, snapshot
from storage.copying import copy_database
from storage.engine import Database
from storage.engines.file_worker import FileWorker
from storage.opening import DATABASE_NAME, open_checked

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Reader:
    """A thread's connection. The lock keeps `close()` from closing it under a read that is still going on."""

    thread: threading.Thread
    db: SqliteDatabase
    lock: threading.RLock = field(default_factory=threading.RLock)


class SqliteEngine:
    """The database of one folder; made with its schema checked and brought up to date."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._writing = open_checked(data_dir)
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._readers: list[_Reader] = []
        self._closed = False

    def writing(self) -> SqliteDatabase:
        """The one connection that writes; whoever asks closes it, last of all: it folds the log into the database."""
        return self._writing

    def read(self, job: Callable[[Database], T]) -> T:
        """What the job returned, all of its queries seeing one moment.

        Raises:
            sqlite3.Error: the job's own, or the file cannot be read.
            StoreClosed: `close` was called.
        """
        reader = self._reader()
        with reader.lock:
            if self._closed:
                raise errors.closed(self._data_dir)
            with snapshot(reader.db.conn):
                return job(reader.db)

    @property
    def is_shared(self) -> bool:
        """Never: the file is on a disk of this machine."""
        return False

    def enlist(self, worker_id: str, _lease_s: float, /) -> FileWorker:
        """This process, known by a lock on a file."""
        return FileWorker(self._data_dir, worker_id)

    def backup(self, out: Path) -> None:
        """Write a checked copy of the file.

        Raises:
            StoreNotWritable, StoreFull: `out` cannot be written.
            StoreDamaged: the copy does not pass its check.
        """
        copy_database(self._data_dir / DATABASE_NAME, out, self._data_dir)

    def size_bytes(self) -> int:
        """Of the database and its write-ahead log."""
        database = self._data_dir / DATABASE_NAME
        beside = [database.with_name(database.name + ending) for ending in ("", "-wal")]
        return sum(path.stat().st_size for path in beside if path.is_file())

    def touch(self, db: Database) -> None:
        """A write that reaches the disk and changes nothing: the header's own number, once more."""
        [(version,)] = db.conn.execute("pragma user_version").fetchall()
        db.conn.execute(f"pragma user_version = {int(version)}")

    def damage(self, db: Database) -> list[tuple[str, str]]:
        """What the engine's own checks find: subject and words, `database` or the table whose row points at nothing."""
        found = [
            ("database", f"the integrity check says {told!r}")
            for (told,) in db.conn.execute("pragma integrity_check").fetchall()
            if told != "ok"
        ]
        return found + [
            (str(table), f"row {rowid} points at a row of {parent} that is not there")
            for table, rowid, parent, _ in db.conn.execute("pragma foreign_key_check").fetchall()
        ]

    def close(self) -> None:
        """Close all connections that read. Calling it again is harmless."""
        with self._lock:
            self._closed = True
            readers, self._readers = self._readers, []
        for reader in readers:
            with reader.lock:
                reader.db.close()

    def _reader(self) -> _Reader:
        reader: _Reader | None = getattr(self._of_thread, "reader", None)
        if reader is not None:
            return reader
        with self._lock:
            if self._closed:
                raise errors.closed(self._data_dir)
            self._drop_readers_of_ended_threads()
            reader = _Reader(threading.current_thread(), connect_reader(self._data_dir / DATABASE_NAME))
            self._readers.append(reader)
        self._of_thread.reader = reader
        return reader

    def _drop_readers_of_ended_threads(self) -> None:
        # Servers make and end worker threads all day; each would leave its connection open until the end.
        ended = [reader for reader in self._readers if not reader.thread.is_alive()]
        self._readers = [reader for reader in self._readers if reader.thread.is_alive()]
        for reader in ended:
            reader.db.close()
