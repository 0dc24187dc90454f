"""What happens to a data folder before the first row is read: probe, check, migrate.

The rule is to touch nothing that is not understood. A damaged, emptied, foreign or newer database is refused while it
is still exactly as it was found; nothing is ever created in its place.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from storage import errors
from storage.connections import SqliteDatabase, connect, connect_untouching, writing
from storage.copying import copy_database
from storage.files import sync_folder
from storage.migrations import RELEASED, migrations

DATABASE_NAME = "diptych.sqlite3"
MARKER_NAME = "HAS-DATA"
"""Written after the first migration. With it there, an empty or missing database is a loss and not a first run."""

_MARKER_TEXT = (
    "This folder holds Diptych's database (diptych.sqlite3) and the images beside it (blobs, thumbs).\n"
    "While this file is here, a missing or empty database is reported and never silently made anew.\n"
)


def prepare_folder(data_dir: Path) -> None:
    """Make the folder, for its owner only, and prove that it can be written.

    Raises:
        StoreNotWritable, StoreFull: it cannot.
    """
    probe = data_dir / f".probe-{secrets.token_hex(8)}"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            probe.write_bytes(b"probe")
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise errors.of_os(error, data_dir) from error


def open_checked(data_dir: Path) -> SqliteDatabase:
    """The writing connection to a database that was checked and brought to the newest schema.

    Raises:
        StoreDamaged: the file is damaged, foreign, or empty although the folder held data before.
        StoreTooNew: a newer version made it.
        StoreBusy, StoreFull, StoreNotWritable: it cannot be opened or upgraded now.
    """
    path = data_dir / DATABASE_NAME
    # Asked before looking at the database: another process that is just making it writes the marker last.
    held_data = _held_data(data_dir)
    try:
        if path.exists() and path.stat().st_size > 0:
            _inspect(path, data_dir, held_data=held_data)
        elif held_data:
            raise _emptied(data_dir)
        path.touch(mode=0o600)
        db = connect(path)
        try:
            _upgrade(db, data_dir)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise errors.of_engine(error, data_dir) or errors.damaged(data_dir, str(error)) from error
    except OSError as error:
        raise errors.of_os(error, data_dir) from error
    return db


def _held_data(data_dir: Path) -> bool:
    blobs = data_dir / "blobs"
    return (data_dir / MARKER_NAME).exists() or any(file.is_file() for file in blobs.glob("??/*"))


def _inspect(path: Path, data_dir: Path, *, held_data: bool) -> None:
    with closing(connect_untouching(path)) as conn:
        found = conn.execute("pragma quick_check(1)").fetchone()[0]
        if found != "ok":
            raise errors.damaged(data_dir, f"the check of the database says {found!r}")
        db = Database(conn, execute_plugins=False)
        _refuse_newer(db, data_dir)
        if not migrations.applied(db):
            _refuse_emptied_or_foreign(db, data_dir, held_data=held_data)


def _refuse_newer(db: Database, data_dir: Path) -> None:
    newer = [step.name for step in migrations.applied(db) if step.name not in RELEASED]
    if newer:
        raise errors.StoreTooNew(
            f"The database in the data folder {str(data_dir)!r} was made by a newer version of Diptych "
            f"(step {newer[-1]!r} is unknown here). Nothing was changed; update the program."
        )


def _upgrade(db: SqliteDatabase, data_dir: Path) -> None:
    with writing(db.conn):  # one process migrates, the others wait here and then find nothing to do
        _refuse_newer(db, data_dir)
        pending = [step.name for step in migrations.pending(db)]
        if pending:
            if _has_rows(db):
                # From a second connection: sqlite's backup hangs on one that is in a write transaction.
                copy_database(data_dir / DATABASE_NAME, data_dir / f"before-{pending[0]}.sqlite3", data_dir)
            migrations.apply(db)
    marker = data_dir / MARKER_NAME
    if not marker.exists():
        marker.write_text(_MARKER_TEXT, encoding="utf-8")
        sync_folder(data_dir)


def _refuse_emptied_or_foreign(db: Database, data_dir: Path, *, held_data: bool) -> None:
    if held_data:
        raise _emptied(data_dir)
    if db.table_names():
        raise errors.damaged(
            data_dir,
            f"{DATABASE_NAME} is a database of something else",
            advice="Nothing was changed. Point DIPTYCH_DATA_DIR at another folder.",
        )


def _emptied(data_dir: Path) -> errors.StoreDamaged:
    return errors.damaged(
        data_dir,
        f"it held data before, but {DATABASE_NAME} is missing or empty",
        advice="Nothing was changed. Put back the newest backup of that file, or move the whole folder away to start "
        "with an empty one.",
    )


def _has_rows(db: Database) -> bool:
    return any(
        db.table(name).count > 0 for name in db.table_names() if name in ("groups", "uploads", "battles", "votes")
    )
