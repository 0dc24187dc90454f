"""What the functions of this package need of a database, whichever engine holds the rows.

SQL is written once, in SQLite's words as far as PostgreSQL can follow (see `storage.engines.postgres_sql`); what only one
engine can do stands in `storage.engines`. Errors of a caller's own SQL have the classes of Python's DB-API as `sqlite3` names
them, on both: a broken rule of a table is `sqlite3.IntegrityError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from storage.workers import Worker

Parameters = Mapping[str, object] | Sequence[object]
"""For `:name` in a statement, or for `?`."""

T = TypeVar("T")


class Cursor(Protocol):
    """The rows of one statement, and how many it changed."""

    @property
    def description(self) -> Sequence[Sequence[Any]] | None:
        """The columns, each with its name first; `None` where the statement gives no rows."""

    @property
    def rowcount(self) -> int:
        """Rows that were changed."""

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or `None`."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows that are left."""

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The rows one by one."""


class Statements(Protocol):
    """What jobs do with a connection: run statements, and leave its transactions alone."""

    @property
    def in_transaction(self) -> bool:
        """Whether one is open and can still be committed."""

    def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor:
        """Run one statement. Raises: `sqlite3.Error`."""

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Cursor:
        """Run a statement that returns no rows once for each. Raises: `sqlite3.Error`."""


class Connection(Statements, Protocol):
    """One connection with its transactions, used by one thread at a time."""

    def begin_writing(self) -> None:
        """Open a transaction that is alone in writing, over all connections of all processes, until it ends. May return before
        it is open: `settle` waits for it. Raises: `sqlite3.Error`.
        """

    def begin_reading(self) -> None:
        """Open a transaction whose queries all see one moment."""

    def mark(self, name: str) -> None:
        """Begin a part of the transaction that `rollback to` undoes by itself."""

    def unmark(self, name: str) -> None:
        """End the part."""

    def settle(self) -> None:
        """Wait until all statements so far are done. Raises: `sqlite3.Error`, what the first that failed ran into."""

    def commit(self) -> None:
        """Bring what was written to the disk."""

    def rollback(self) -> None:
        """Give up what was written since the transaction began."""

    def close_cursors(self) -> None:
        """End all cursors that jobs left open."""


class Database(Protocol):
    """What a job of the store is handed."""

    @property
    def conn(self) -> Statements:
        """Where statements are run."""

    def atomic(self) -> AbstractContextManager[object]:
        """A step of a job: where it raises its rows are gone, and the job may go on."""


class WritingDatabase(Database, Protocol):
    """The door of the thread that writes, which owns the transactions."""

    @property
    def conn(self) -> Connection:
        """Where statements are run and transactions begin and end."""

    def close(self) -> None:
        """End it."""


class Engine(Protocol):
    """Where the rows of a store are."""

    def writing(self) -> WritingDatabase:
        """The one connection that writes; whoever asks closes it."""

    def read(self, job: Callable[[Database], T]) -> T:
        """What the job returned, all of its queries seeing one moment. Raises: `sqlite3.Error`, StoreClosed."""

    @property
    def is_shared(self) -> bool:
        """Whether processes on other machines may work with these rows too, so that what holds for all is counted in them."""

    def enlist(self, worker_id: str, lease_s: float, /) -> Worker:
        """This process as others over these rows know it, under a fresh id. `lease_s`: how long it may be silent before it
        counts as dead, where nothing else tells that it lives. Raises: `sqlite3.Error`, OSError.
        """

    def backup(self, out: Path) -> None:
        """Write a checked copy of the rows to a file, which is an SQLite database whatever the engine. Raises: StoreError."""

    def touch(self, db: Database, /) -> None:
        """As a job that writes: reaches the disk and changes nothing."""

    def damage(self, db: Database, /) -> list[tuple[str, str]]:
        """As a job that reads: what the engine's own checks find, a table or `database` with a sentence."""

    def size_bytes(self) -> int:
        """How much room the rows take."""

    def close(self) -> None:
        """End all connections that read."""
