"""What tests do past the functions of the store, whichever engine holds its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from storage import errors
from storage.database import Store
from storage.engine import Database
from storage.engines.sqlite import SqliteEngine
from storage.moving import FOLLOWING, KEYS
from storage.opening import DATABASE_NAME


def break_a_rule(store: Store, statement: str) -> None:
    """Run a statement with foreign keys off, and triggers on."""
    if isinstance(store._engine, SqliteEngine):
        with closing(sqlite3.connect(store.data_dir / DATABASE_NAME)) as conn, conn:
            conn.execute(statement)
        return
    words = statement.split()
    table = words[1] if words[0] == "update" else words[2]

    def job(db: Database) -> None:
        # "all" takes the references too, "user" only what was made by hand.
        db.conn.execute(f"alter table {table} disable trigger all")
        db.conn.execute(f"alter table {table} enable trigger user")
        db.conn.execute(statement)
        db.conn.execute(f"alter table {table} enable trigger all")

    store.write(job)


@contextmanager
def going_away(store: Store) -> Iterator[None]:
    """The next transaction is committed, and nobody hears of it: from then on nothing can be written, until this is over."""
    conn = store._writer._db.conn

    def commit() -> None:
        type(conn).commit(conn)
        conn.begin_writing = _refuse
        raise errors.ServerTrouble(errors.answer_lost("the connection broke"))

    conn.commit = commit
    yield
    del conn.commit, conn.begin_writing


@contextmanager
def nothing_written(store: Store) -> Iterator[None]:
    """Meanwhile the database can be read and not written."""
    conn = store._writer._db.conn
    conn.begin_writing = _refuse
    yield
    del conn.begin_writing


def _refuse() -> None:
    raise errors.ServerTrouble(errors.not_reached("connection refused"))


def check_text_index(store: Store) -> None:
    """The words that are searched are those of the runs."""
    if isinstance(store._engine, SqliteEngine):
        store.write(
            lambda db: db.conn.execute("insert into runs_fts (runs_fts, rank) values ('integrity-check', 1)").rowcount
        )
        return
    held, told = (
        store.read(lambda db, sql=sql: db.conn.execute(sql).fetchall())
        for sql in (
            "select rowid, words from runs_fts order by rowid",
            "select r.seq, words_of_run(r) from runs as r order by r.seq",
        )
    )
    assert held == told


def everything(store: Store) -> str:
    """All values of all rows."""
    tables = sorted(KEYS.keys() | FOLLOWING)
    return "\n".join(
        repr(store.read(lambda db, table=table: db.conn.execute(f"select * from {table}").fetchall()))
        for table in tables
    )
