"""Connections to PostgreSQL that look to the rest of the store as those to SQLite do: same calls, same values, same errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from storage import errors
from storage.engine import Cursor, Parameters
from storage.engines.postgres_sql import translated, with_words

SCHEMA = "diptych"
"""Where all tables and functions stand."""
LOCK_TIMEOUT_S = 10
"""How long a replica waits for another one's transaction to end. Threads of one process never wait here: they queue."""
CONNECT_TIMEOUT_S = 5
NUL = "\ufdd0"
"""What stands in for it in text: PostgreSQL keeps none."""
# "diptych write", as a number: whoever holds this lock is alone in writing.
_WRITING_LOCK = 0x64697074796368
LOCK = f"select pg_catalog.pg_advisory_xact_lock({_WRITING_LOCK})"
"""Ends when nobody else writes."""
_SETTINGS = (
    f"set search_path = {SCHEMA}, pg_catalog, public",
    "set client_encoding = 'UTF8'",
    "set synchronous_commit = on",
    f"set lock_timeout = '{LOCK_TIMEOUT_S}s'",
    # A replica that hangs in a transaction would keep all others from writing.
    "set idle_in_transaction_session_timeout = '60s'",
    "set jit = off",
)


class _Text(StrDumper):
    """Text as text, also where nothing else says so. PostgreSQL keeps no NUL: something stands in that is no character."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", NUL))


class _TextLoader(Loader):
    def load(self, data: Buffer) -> str:
        text = str(data, "utf-8")
        return text.replace(NUL, "\0") if NUL in text else text


class _Fraction(Dumper):
    """A number with a fraction, in words: where a whole number belongs it is refused, and not rounded."""

    oid = 0

    def dump(self, obj: float) -> Buffer:
        return repr(obj).encode()


class _Truth(Int8Dumper):
    """True and false as 1 and 0, which is how they are kept."""

    def dump(self, obj: int) -> Buffer:
        return b"1" if obj else b"0"


class _TruthLoader(Loader):
    def load(self, data: Buffer) -> int:
        return int(bytes(data) == b"t")


class _NumericLoader(Loader):
    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return float(text) if "." in text else int(text)


def connect(url: str, data_dir: Path) -> PostgresConnection:
    """A connection that commits nothing by itself.

    Raises:
        errors.ServerTrouble: the server cannot be reached, or does not want us.
    """
    try:
        raw = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, prepare_threshold=3)
        try:
            _configure(raw)
        except BaseException:
            raw.close()
            raise
    except psycopg.Error as error:
        raise told(error, data_dir) from error
    return PostgresConnection(raw, data_dir)


def _configure(raw: psycopg.Connection[Any]) -> None:
    """Bring a new connection into the state that all have."""
    raw.adapters.register_dumper(str, _Text)
    raw.adapters.register_dumper(int, Int8Dumper)
    raw.adapters.register_dumper(bool, _Truth)
    raw.adapters.register_dumper(float, _Fraction)
    raw.adapters.register_loader("text", _TextLoader)
    raw.adapters.register_loader("bool", _TruthLoader)
    raw.adapters.register_loader("numeric", _NumericLoader)
    raw.execute("; ".join(_SETTINGS))


class PostgresConnection:
    """One connection, used by one thread at a time; a `storage.engine.Connection`."""

    def __init__(self, raw: psycopg.Connection[Any], data_dir: Path) -> None:
        self.raw = raw
        self._data_dir = data_dir

    @property
    def in_transaction(self) -> bool:
        """Whether one is open and can still be committed."""
        return self.raw.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    @property
    def is_broken(self) -> bool:
        """Whether nothing more will come over it."""
        return self.raw.closed

    def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor:
        """Run one statement.

        Raises:
            sqlite3.Error: by the class that SQLite has for it.
        """
        if isinstance(parameters, Mapping) and "runs_fts match" in sql:
            sql, parameters = with_words(sql, parameters)
        statement = translated(sql)
        with self._errors():
            return self.raw.execute(statement.sql, statement.values(parameters))

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Cursor:
        """Run a statement that returns no rows once for each. Raises: `sqlite3.Error`."""
        statement = translated(sql)
        cursor = self.raw.cursor()
        with self._errors():
            cursor.executemany(statement.sql, [statement.values(each) for each in parameters])
        return cursor

    def run(self, sql: str) -> None:
        """Run statements of PostgreSQL's own. Raises: `sqlite3.Error`."""
        with self._errors():
            self.raw.execute(sql.encode())

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._told(error) from error

    def _told(self, error: psycopg.Error) -> sqlite3.Error:
        if _is_gone(error):
            self.raw.close()  # it may look as if it were alive, in the middle of what was being sent
        return told(error, self._data_dir)

    def mark(self, name: str) -> None:
        """Begin a part of the transaction that can be undone by itself."""
        self.run(f"savepoint {name}")

    def unmark(self, name: str) -> None:
        """End the part."""
        self.run(f"release {name}")

    def settle(self) -> None:
        """Nothing: each statement is waited for."""

    def begin_writing(self) -> None:
        """Open a transaction that is alone in writing, over all replicas: the lock is held until its end.

        Every statement then sees what the holders before wrote, as each takes a new look (`read committed`).
        """
        self.run(f"begin; {LOCK}")

    def begin_reading(self) -> None:
        """Open a transaction that sees one moment and may not write."""
        self.run("begin isolation level repeatable read read only")

    def commit(self) -> None:
        """Bring what was written to the disk.

        Raises:
            errors.ServerTrouble: the connection broke; the commit may have been done.
        """
        try:
            self.run("commit")
        except errors.ServerTrouble as error:
            raise errors.ServerTrouble(errors.answer_lost(str(error))) from error

    def rollback(self) -> None:
        """Give up what was written since the transaction began."""
        if not self.is_broken and self.in_transaction:
            self.run("rollback")

    def close_cursors(self) -> None:
        """Nothing: all rows are fetched at once."""

    def close(self) -> None:
        """End the connection."""
        self.raw.close()


class PostgresDatabase:
    """What a job of the store is handed; a `storage.engine.Database`."""

    def __init__(self, conn: PostgresConnection) -> None:
        self._conn = conn

    @property
    def conn(self) -> PostgresConnection:
        """Where statements are run."""
        return self._conn

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """A step of a job: where it raises its rows are gone, and the job may go on."""
        self._conn.mark("step")
        try:
            yield
            self._conn.settle()
        except BaseException:
            if self._conn.in_transaction:
                self._conn.run("rollback to step")
            raise
        self._conn.unmark("step")

    def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor:
        """As `conn.execute`, which sqlite-utils also has here."""
        return self._conn.execute(sql, parameters)

    def close(self) -> None:
        """End the connection."""
        self._conn.close()


_RULES: tuple[tuple[type[psycopg.Error], str], ...] = (
    (pg.UniqueViolation, "UNIQUE constraint failed"),
    (pg.ForeignKeyViolation, "FOREIGN KEY constraint failed"),
    (pg.CheckViolation, "CHECK constraint failed"),
    (pg.NotNullViolation, "NOT NULL constraint failed"),
    (pg.IntegrityError, "constraint failed"),
    (pg.DataError, "a value of another kind"),
    (pg.DatatypeMismatch, "a value of another kind"),
)
_BUSY = ("40001", "40P01", "53300", "55P03", "57014")
_FULL = ("53100",)
_DAMAGED = ("XX001", "XX002")
READ_ONLY = ("25006",)
"""States of a server, or of a transaction, that takes no writes."""


def _is_gone(error: psycopg.Error) -> bool:
    """Whether nothing more can come over the connection."""
    state = error.sqlstate or ""
    return isinstance(error, pg.OperationalError) and (not state or state.startswith(("08", "57P")))


def told(error: psycopg.Error, data_dir: Path) -> sqlite3.Error:
    """The error as `sqlite3` would have it."""
    words = str(error).strip()
    state = error.sqlstate or ""
    for kind, rule in _RULES:
        if isinstance(error, kind):
            # Not the server's details: they hold the row, and with it what somebody asked for.
            about = ".".join(
                filter(None, (error.diag.table_name, error.diag.constraint_name or error.diag.column_name))
            )
            return sqlite3.IntegrityError(f"{rule}: {about or error.diag.message_primary}")
    if state in _FULL:
        return errors.ServerTrouble(errors.full_server(words))
    if state in _BUSY:
        return errors.ServerTrouble(errors.busy_server(words))
    if state in _DAMAGED:
        return errors.ServerTrouble(errors.damaged(data_dir, f"the database server says {words!r}"))
    if state in READ_ONLY:
        return sqlite3.OperationalError(f"attempt to write a readonly database: {words}")
    if isinstance(error, pg.OperationalError) or state.startswith(("08", "57P", "58")):
        return errors.ServerTrouble(errors.not_reached(words))
    if isinstance(error, pg.ProgrammingError):
        return sqlite3.ProgrammingError(words)
    return sqlite3.OperationalError(words)
