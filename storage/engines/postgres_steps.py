"""The schema of a PostgreSQL database: made, and brought up to date step by step as `storage.migrations` does in SQLite.

Whoever adds a step there adds one of the same name here; a test holds both against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from storage import errors
from storage.engines.postgres_connections import SCHEMA, PostgresConnection
from storage.engines.postgres_functions import FUNCTIONS
from storage.engines.postgres_tables import TABLES
from storage.engines.postgres_triggers import FACTS, INDEXES, INSTALL, MONEY, REPLICAS, WORDS

OLDEST_SERVER = 15
MARKER_NAME = "HAS-DATA-IN-POSTGRESQL"
"""Written into the data folder after the first step. With it there, a database without tables is a loss and no first run."""

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("m017_vote_chain", (*FUNCTIONS, *TABLES, *FACTS, *MONEY, *WORDS, *INDEXES, *INSTALL)),
    ("m018_replicas", REPLICAS),
)
"""Name and statements of each. The first one is everything as it stood when PostgreSQL came."""

_MARKER_TEXT = (
    "The rows of this folder's images stand in the PostgreSQL database of DIPTYCH_DATABASE_URL.\n"
    "While this file is here, a database without tables is reported and never silently made anew.\n"
)


def bring_up_to_date(conn: PostgresConnection, data_dir: Path) -> None:
    """Makes or upgrades the schema. One process does, the others wait here and then find nothing to do.

    Raises:
        StoreDamaged: the database has no tables although the folder says that it had.
        StoreTooNew: a newer version made it.
        StoreNotWritable: the server is too old, does not hold UTF-8, or does not let us make tables.
    """
    _check_server(conn)
    conn.begin_writing()
    try:
        known = _applied(conn)
        newer = known - {name for name, _ in STEPS}
        if newer:
            raise errors.StoreTooNew(
                f"The database of DIPTYCH_DATABASE_URL was made by a newer version of Diptych (step {max(newer)!r} is "
                "unknown here). Nothing was changed; update the program."
            )
        if not known and (data_dir / MARKER_NAME).exists():
            raise errors.damaged(
                data_dir,
                "its rows stood in PostgreSQL, but the database of DIPTYCH_DATABASE_URL has no tables of ours",
                advice="Nothing was changed. Look whether the address is right, or put back the newest backup.",
            )
        if not known:
            conn.run(f"create schema if not exists {SCHEMA}")
            conn.run("create table steps (name text primary key, applied_at timestamptz not null default now())")
        for name, statements in STEPS:
            if name not in known:
                _apply(conn, name, statements)
        conn.commit()
    except BaseException:
        conn.rollback()
        raise
    if not (data_dir / MARKER_NAME).exists():
        (data_dir / MARKER_NAME).write_text(_MARKER_TEXT, encoding="utf-8")


def _apply(conn: PostgresConnection, name: str, statements: Sequence[str]) -> None:
    for statement in statements:
        conn.run(statement)
    conn.execute("insert into steps (name) values (?)", (name,))


def _applied(conn: PostgresConnection) -> set[str]:
    (table,) = conn.execute("select to_regclass(?)::text", (f"{SCHEMA}.steps",)).fetchone() or (None,)
    return {name for (name,) in conn.execute("select name from steps").fetchall()} if table else set()


def _check_server(conn: PostgresConnection) -> None:
    version = conn.raw.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise errors.not_reached(f"it is PostgreSQL {version}, expected {OLDEST_SERVER} or newer")
    encoding = conn.raw.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise errors.not_reached(f"the database holds text as {encoding}, expected UTF8")
