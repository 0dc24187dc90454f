"""A copy of a PostgreSQL database as an SQLite file: what `verify`, a snapshot and a restore know how to read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from storage import errors
from storage.connections import connect
from storage.connections import writing as in_one_go
from storage.copying import finish_copy, replacing
from storage.engine import Database
from storage.migrations import migrations
from storage.moving import copy_rows


def write_copy(rows: Database, out: Path, data_dir: Path) -> None:
    """Write all rows to the file `out`, replacing it only by a copy that passed SQLite's check.

    The same rows give the same file, so that whoever keeps copies sees when nothing changed.

    Raises:
        StoreFull, StoreNotWritable: `out` cannot be written; it is as before.
    """
    try:
        with replacing(out) as part, closing(connect(part)) as copy:
            migrations.apply(copy)
            with in_one_go(copy.conn):
                copy_rows(rows, copy)
                copy.conn.execute("update _sqlite_migrations set applied_at = ''")
            finish_copy(copy.conn, data_dir)
    except sqlite3.Error as error:
        raise errors.of_engine(error, out.parent) or errors.damaged(data_dir, str(error)) from error
    except OSError as error:
        raise errors.of_os(error, out.parent) from error
