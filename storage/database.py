"""The door to the rows: `Store`.

Everything written goes through one connection behind a queue (`writer`), everything read through one read-only
connection for each thread. The functions of the other files take the open database and are handed to `write` or `read`:

    store.write(lambda db: runs.finish(db, run_id, ...))
    view = store.read(lambda db: runs.get(db, run_id, owner))
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from storage import errors
from storage.blob_home import open_blobs
from storage.blobs_elsewhere import Elsewhere
from storage.connections import connect_reader, snapshot
from storage.copying import copy_database
from storage.opening import DATABASE_NAME, open_checked, prepare_folder
from storage.thumbnails import ThumbnailFolder
from storage.writer import Writer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Reader:
    """A thread's connection. The lock keeps `close()` from closing it under a read that is still going on."""

    thread: threading.Thread
    db: Database
    lock: threading.RLock = field(default_factory=threading.RLock)


def _write_nothing_new(db: Database) -> None:
    """A write that reaches the disk and changes nothing: the header's own number, once more."""
    (version,) = db.conn.execute("pragma user_version").fetchone()
    db.conn.execute(f"pragma user_version = {int(version)}")


class Store:
    """Rows and bytes of one data folder. Make it with `open`, end it with `close`."""

    def __init__(self, data_dir: Path, writing: Database, elsewhere: Elsewhere | None = None) -> None:
        self.data_dir = data_dir
        self.blobs = open_blobs(data_dir, elsewhere)
        self.thumbs = ThumbnailFolder(data_dir / "thumbs")
        self._writer = Writer(writing, data_dir)
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._readers: list[_Reader] = []
        self._closed = False
        self._trouble: errors.StoreError | None = None

    @classmethod
    def open(cls, data_dir: Path, elsewhere: Elsewhere | None = None) -> Store:
        """The store of a folder, which is made when it is not there; the schema is brought up to date. `elsewhere`: where the
        images are kept, if not in the folder.

        Raises:
            StoreNotWritable: the folder cannot be made or written.
            StoreDamaged: the database is damaged, foreign, or empty although the folder held data before.
            StoreTooNew: a newer version made it.
            StoreBusy, StoreFull: it cannot be upgraded now.
            ImagesElsewhere: its images are kept at another place.
        """
        data_dir = data_dir.absolute()
        prepare_folder(data_dir)
        writing = open_checked(data_dir)
        try:
            return cls(data_dir, writing, elsewhere)
        except OSError as error:
            writing.close()
            raise errors.of_os(error, data_dir) from error
        except BaseException:
            writing.close()
            raise

    def write(self, job: Callable[[Database], T], *, timeout_s: float = 15) -> T:
        """What `job` returned, after its rows are on disk. Blocks; may be called from any thread.

        The job runs in a transaction that is its own as far as it can tell: if it raises, its rows are gone and the
        error comes out here. It must return plain values (no cursors), be quick, and never call the store itself.

        Raises:
            StoreBusy: not done in `timeout_s`; where `may_be_saved` is true, look again before repeating.
            StoreFull, StoreNotWritable, StoreDamaged: nothing of the job was saved.
            StoreClosed: the store is closed.
        """
        try:
            done = self._writer.submit(job, timeout_s)
        except (errors.StoreFull, errors.StoreNotWritable) as error:
            self._trouble = error
            raise
        self._trouble = None
        return done

    @property
    def trouble(self) -> errors.StoreError | None:
        """Why nothing can be written: what the newest write of rows or of bytes ran into; `None` where both went well."""
        return self._trouble or self.blobs.trouble

    def probe(self) -> errors.StoreError | None:
        """Tries to write, rows and bytes, and says what stands in the way now. Blocking."""
        try:
            self.blobs.probe()
            self.write(_write_nothing_new)
        except (errors.StoreFull, errors.StoreNotWritable) as error:
            return error
        return self.trouble

    def read(self, job: Callable[[Database], T]) -> T:
        """What `job` returned, all of its queries seeing one moment, every acknowledged write included.

        The job must fetch what it needs and return plain values; writing raises `sqlite3.OperationalError`.

        Raises:
            StoreClosed: the store is closed.
            StoreDamaged, StoreNotWritable, StoreBusy: the database cannot be read.
        """
        try:
            reader = self._reader()
            with reader.lock:
                if self._closed:
                    raise errors.closed(self.data_dir)
                with snapshot(reader.db):
                    return job(reader.db)
        except sqlite3.Error as error:
            known = None if _is_refused_write(error) else errors.of_sqlite(error, self.data_dir)
            if known is None:
                raise
            raise known from error

    def backup(self, out: Path) -> None:
        """Write a checked copy of the rows to the file `out`, while the store goes on; see `copying`.

        Raises:
            StoreNotWritable, StoreFull: `out` cannot be written, or is the live database itself.
            StoreDamaged: the copy does not pass its check.
        """
        if self._closed:
            raise errors.closed(self.data_dir)
        out = out.absolute()
        live = self.data_dir / DATABASE_NAME
        if out.resolve() == live.resolve():
            raise errors.StoreNotWritable(
                f"A backup cannot replace the live database of the data folder {str(self.data_dir)!r}. "
                "Choose another file."
            )
        copy_database(live, out, self.data_dir)

    def close(self) -> None:
        """Finish queued writes and close all connections. Calling it again is harmless."""
        with self._lock:
            self._closed = True
            readers, self._readers = self._readers, []
        for reader in readers:
            with reader.lock:
                reader.db.close()
        self.blobs.close()
        # Last, so that the writer is the one to fold the write-ahead log into the database.
        self._writer.close()

    def _reader(self) -> _Reader:
        reader: _Reader | None = getattr(self._of_thread, "reader", None)
        if reader is not None:
            return reader
        with self._lock:
            if self._closed:
                raise errors.closed(self.data_dir)
            self._drop_readers_of_ended_threads()
            reader = _Reader(threading.current_thread(), connect_reader(self.data_dir / DATABASE_NAME))
            self._readers.append(reader)
        self._of_thread.reader = reader
        return reader

    def _drop_readers_of_ended_threads(self) -> None:
        # Servers make and end worker threads all day; each would leave its connection open until the end.
        ended = [reader for reader in self._readers if not reader.thread.is_alive()]
        self._readers = [reader for reader in self._readers if reader.thread.is_alive()]
        for reader in ended:
            reader.db.close()


def _is_refused_write(error: sqlite3.Error) -> bool:
    """Whether a read job tried to write, which is a mistake in the job and says nothing about the folder."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
