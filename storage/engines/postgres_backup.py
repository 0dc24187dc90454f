"""A copy of a PostgreSQL database as an SQLite file: what `verify`, a snapshot and a restore know how to read."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

from storage import errors
from storage.connections import connect
from storage.connections import writing as in_one_go
from storage.engine import Database
from storage.files import replace_durably
from storage.migrations import migrations
from storage.moving import copy_rows


def write_copy(rows: Database, out: Path, data_dir: Path) -> None:
    """Write all rows to the file `out`, replacing it only by a copy that passed SQLite's check.

    The same rows give the same file, so that whoever keeps copies sees when nothing changed.

    Raises:
        StoreFull, StoreNotWritable: `out` cannot be written; it is as before.
    """
    part = out.with_name(f".{out.name}.{secrets.token_hex(8)}.part")
    try:
        try:
            part.touch(mode=0o600, exist_ok=False)
            copy = connect(part)
            try:
                migrations.apply(copy)
                with in_one_go(copy.conn):
                    copy_rows(rows, copy)
                    copy.conn.execute("update _sqlite_migrations set applied_at = ''")
                [(found,)] = copy.conn.execute("pragma integrity_check(1)").fetchall()
                copy.conn.execute("pragma journal_mode=delete")
            finally:
                copy.close()
            if found != "ok":
                raise errors.damaged(data_dir, f"the copy's check says {found!r}")
            replace_durably(part, out)
        finally:
            for leftover in (part, Path(f"{part}-journal"), Path(f"{part}-wal"), Path(f"{part}-shm")):
                leftover.unlink(missing_ok=True)
    except sqlite3.Error as error:
        raise errors.of_engine(error, out.parent) or errors.damaged(data_dir, str(error)) from error
    except OSError as error:
        raise errors.of_os(error, out.parent) from error
