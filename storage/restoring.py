"""The rows of a backup put into a store that has none yet, whichever engine holds them: the way from one to the other too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from storage.connections import connect_untouching, of_copy
from storage.database import Store
from storage.engine import Database
from storage.migrations import RELEASED
from storage.moving import copy_rows

_LONGEST_S = 3600.0
_STEPS = "select name from _sqlite_migrations order by id"


class NotBackup(ValueError):
    """The file cannot be put back; the message can be shown."""


def restore(store: Store, backup: Path) -> dict[str, int]:
    """Copies every row of a backup, all of them or none; how many there were of each table.

    Raises:
        storage.moving.NotEmpty: the store has rows.
        NotBackup: the file is no backup, or one of another version.
        StoreError: the rows cannot be written now.
    """
    if not backup.is_file():
        raise NotBackup(f"There is no file {str(backup)!r}; expected a backup.")
    _refuse_other_files(backup)

    def copy(db: Database) -> dict[str, int]:
        # Opened here, as the thread that writes is the one to read it.
        with closing(connect_untouching(backup)) as conn:
            return copy_rows(of_copy(conn), db)

    return store.write(copy, timeout_s=_LONGEST_S)


def _refuse_other_files(backup: Path) -> None:
    with closing(connect_untouching(backup)) as conn:
        try:
            steps = [name for (name,) in conn.execute(_STEPS)]
            damage = conn.execute("pragma quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise NotBackup(f"{str(backup)!r} is no backup ({error}). Nothing was copied.") from error
    if damage != "ok":
        raise NotBackup(f"{str(backup)!r} is damaged ({damage}). Nothing was copied; take another backup.")
    if steps != list(RELEASED):
        raise NotBackup(
            f"{str(backup)!r} was made by another version of Diptych. Nothing was copied: open it with this version "
            "as the database of a data folder, and take a backup of that."
        )
