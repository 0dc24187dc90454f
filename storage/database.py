"""The door to the rows: `Store`.

Everything written goes through one connection behind a queue (`writer`), everything read through read-only connections of
the engine that holds the rows (`engines`): a file of the data folder, or a PostgreSQL database. The functions of the other
files take the open database and are handed to `write` or `read`:

    store.write(lambda db: runs.finish(db, run_id, ...))
    view = store.read(lambda db: runs.get(db, run_id, owner))
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from storage import errors
from storage.blob_home import open_blobs
from storage.blobs_elsewhere import Elsewhere
from storage.engine import Database, Engine
from storage.engines import engine_of
from storage.opening import DATABASE_NAME, prepare_folder
from storage.thumbnails import ThumbnailFolder
from storage.workers import LEASE_S, Worker
from storage.writer import Writer

T = TypeVar("T")


class Store:
    """Rows and bytes of one data folder. Make it with `open`, end it with `close`."""

    def __init__(self, data_dir: Path, engine: Engine, elsewhere: Elsewhere | None = None) -> None:
        self.data_dir = data_dir
        self.blobs = open_blobs(data_dir, elsewhere)
        self.thumbs = ThumbnailFolder(data_dir / "thumbs")
        self._engine = engine
        self._writer = Writer(engine.writing(), data_dir)
        self._closed = False
        self._trouble: errors.StoreError | None = None

    @classmethod
    def open(cls, data_dir: Path, elsewhere: Elsewhere | None = None, *, database_url: str | None = None) -> Store:
        """The store of a folder, which is made when it is not there; the schema is brought up to date. `elsewhere`: where the
        images are kept, if not in the folder.

        `database_url`: a PostgreSQL database that holds the rows, as `postgresql://…`; `None`: a file of the folder does.

        Raises:
            StoreNotWritable: the folder cannot be made or written, or the server of the database cannot be used.
            StoreDamaged: the database is damaged, foreign, or empty although the folder held data before.
            StoreTooNew: a newer version made it.
            StoreBusy, StoreFull: it cannot be upgraded now.
            ImagesElsewhere: its images are kept at another place.
        """
        data_dir = data_dir.absolute()
        prepare_folder(data_dir)
        engine = engine_of(data_dir, database_url)
        try:
            return cls(data_dir, engine, elsewhere)
        except OSError as error:
            engine.close()
            engine.writing().close()
            raise errors.of_os(error, data_dir) from error
        except BaseException:
            engine.close()
            engine.writing().close()
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
            self.write(self._engine.touch)
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
            return self._engine.read(job)
        except sqlite3.Error as error:
            known = None if _is_refused_write(error) else errors.of_engine(error, self.data_dir)
            if known is None:
                raise
            raise known from error

    def backup(self, out: Path) -> None:
        """Write a checked copy of the rows to the file `out`, an SQLite database, while the store goes on.

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
        self._engine.backup(out)

    @property
    def is_shared(self) -> bool:
        """Whether processes on other machines may work with these rows too, so that what holds for all is counted in them."""
        return self._engine.is_shared

    def enlist(self, worker_id: str, lease_s: float = LEASE_S) -> Worker:
        """This process as others over these rows know it; whoever asks closes it. `worker_id`: a fresh id. `lease_s`: seconds
        that a process on another machine may be silent before it counts as dead, the same for all.

        Raises:
            StoreNotWritable, StoreBusy, StoreFull: that cannot be written.
        """
        try:
            return self._engine.enlist(worker_id, lease_s)
        except sqlite3.Error as error:
            known = errors.of_engine(error, self.data_dir)
            if known is None:
                raise
            raise known from error

    def damage(self, db: Database) -> list[tuple[str, str]]:
        """As a job that reads: what the engine's own checks find, each with the table it is about, or `database`."""
        return self._engine.damage(db)

    def rows_bytes(self) -> int:
        """How much room the rows take."""
        return self._engine.size_bytes()

    def close(self) -> None:
        """Finish queued writes and close all connections. Calling it again is harmless."""
        self._closed = True
        self._engine.close()
        self.blobs.close()
        # Last, so that the writer is the one to fold the write-ahead log into the database.
        self._writer.close()


def _is_refused_write(error: sqlite3.Error) -> bool:
    """Whether a read job tried to write, which is a mistake in the job and says nothing about the folder."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
