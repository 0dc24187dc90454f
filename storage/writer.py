"""The one connection that writes, on a thread of its own, behind a queue.

Jobs that wait together are committed together: one `fsync` then pays for many. Each job runs in a savepoint, so a job
that raises takes only its own rows with it. A caller is answered after the commit is on disk, never before.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, Generic, TypeVar

from storage import errors
from storage.engine import Connection, Database, WritingDatabase

T = TypeVar("T")

MAX_BATCH = 64
"""Jobs per commit. A full disk takes down the whole batch, so it is kept small."""

MAX_WAITING = 1000
"""Jobs in the queue; beyond it callers wait for a place, so memory stays bounded."""


class _Job(Generic[T]):
    """A function to run, its answer, and the promise of that answer."""

    def __init__(self, work: Callable[[Database], T]) -> None:
        self._work = work
        self.promise: Future[T] = Future()
        self._result: list[T] = []
        self._error: BaseException | None = None

    @property
    def has_failed(self) -> bool:
        """Whether its rows must not be saved."""
        return self._error is not None

    def attempt(self, conn: Connection, db: Database, *, is_alone: bool) -> None:
        """Run, in a savepoint unless it has the transaction for itself, and keep the outcome for after the commit.

        Raises, and then no job of the batch is saved:
            sqlite3.Error: the engine gave up the whole transaction (a full disk does that).
            RuntimeError: the job itself ended it.
        """
        if not is_alone:
            conn.mark("job")
        try:
            self._result = [self._work(db)]
            if not is_alone:  # the commit will tell
                conn.settle()
        except BaseException as error:  # whatever it is belongs to the caller, and the thread must live on
            self._error = error
            if isinstance(error, sqlite3.Error) and not conn.in_transaction:
                raise
        if not conn.in_transaction:
            raise RuntimeError(
                "a job of the store ended the transaction it was given; jobs never commit or roll back"
            ) from self._error
        if is_alone:
            return
        if self._error is not None:
            conn.execute("rollback to job")
        conn.unmark("job")

    def answer(self, folder: Path) -> None:
        """Tell the caller, once the batch is committed."""
        if self._error is None:
            self.promise.set_result(self._result[0])
        else:
            self.fail(self._error, folder)

    def fail(self, error: BaseException, folder: Path) -> None:
        """Tell the caller that nothing was saved."""
        known = errors.of_engine(error, folder) if isinstance(error, sqlite3.Error) else None
        if known is None:
            self.promise.set_exception(error)
        else:
            known.__cause__ = error
            self.promise.set_exception(known)


class Writer:
    """Takes jobs from any thread and runs them one after another on one connection, which it closes at the end."""

    def __init__(self, db: WritingDatabase, folder: Path) -> None:
        self._db = db
        self._folder = folder
        self._closing = False
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._taken = threading.Condition(self._lock)
        self._waiting: deque[_Job[Any]] = deque()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Database], T], timeout_s: float) -> T:
        """What `work` returned, after its rows are on disk.

        Raises:
            StoreBusy: not done within `timeout_s`; its `may_be_saved` tells whether the commit may still follow.
            StoreClosed: the store is closed.
            RuntimeError: called from within a job, which could never be answered.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a job of the store called write() itself: use the database it was given")
        job = _Job(work)
        self._enqueue(job, timeout_s)
        try:
            return job.promise.result(timeout_s)
        except FutureTimeoutError:
            if job.promise.cancel():
                raise self._too_late(waiting=True, timeout_s=timeout_s) from None
            if job.promise.done():  # it ended this very moment, or the job itself raised a TimeoutError
                return job.promise.result()
            raise self._too_late(waiting=False, timeout_s=timeout_s) from None

    def close(self) -> None:
        """Finish what is queued, then stop. Calling it again is harmless."""
        with self._lock:
            self._closing = True
            self._arrived.notify_all()
            self._taken.notify_all()
        self._thread.join()

    def _enqueue(self, job: _Job[Any], timeout_s: float) -> None:
        with self._lock:
            has_place = self._taken.wait_for(lambda: self._closing or len(self._waiting) < MAX_WAITING, timeout_s)
            if self._closing:
                raise errors.closed(self._folder)
            if not has_place:
                raise self._too_late(waiting=True, timeout_s=timeout_s)
            self._waiting.append(job)
            self._arrived.notify()

    def _too_late(self, *, waiting: bool, timeout_s: float) -> errors.StoreBusy:
        outcome = (
            "Nothing was saved; try again."
            if waiting
            else "It may still be saved: look whether it is there before doing it again."
        )
        return errors.StoreBusy(
            f"The database in the data folder {str(self._folder)!r} did not answer within {timeout_s:g} s. {outcome}",
            may_be_saved=not waiting,
        )

    def _run(self) -> None:
        while batch := self._next_batch():
            self._commit(batch)
        self._db.close()

    def _next_batch(self) -> list[_Job[Any]]:
        """Jobs whose callers still wait for them; empty only when the writer shall stop."""
        while True:
            with self._lock:
                self._arrived.wait_for(lambda: self._waiting or self._closing)
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
                self._taken.notify_all()
            if not taken:
                return []
            if batch := [job for job in taken if job.promise.set_running_or_notify_cancel()]:
                return batch

    def _commit(self, batch: list[_Job[Any]]) -> None:
        conn = self._db.conn
        try:
            conn.begin_writing()
            if len(batch) > 1:  # a savepoint is there to go back to only once the transaction is
                conn.settle()
            for job in batch:
                job.attempt(conn, self._db, is_alone=len(batch) == 1)
            if all(job.has_failed for job in batch):
                conn.rollback()
            else:
                conn.commit()
        # What a job raises it keeps. The rest is what SQLite says, a job that ended the transaction, and what Python says where
        # memory or stack run out (`RecursionError` is a `RuntimeError`). Every caller is answered, and the thread lives on.
        except (sqlite3.Error, RuntimeError, MemoryError) as error:
            self._give_up(batch, error)
            return
        conn.close_cursors()
        for job in batch:
            job.answer(self._folder)

    def _give_up(self, batch: list[_Job[Any]], error: BaseException) -> None:
        try:
            self._db.conn.rollback()
        except sqlite3.Error as second:  # the first error is the one to report
            error.add_note(f"and rolling back failed: {second}")
        for job in batch:
            job.fail(error, self._folder)
