"""A consistent copy of the database as one file, made while others go on writing."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from storage import errors
from storage.connections import BUSY_TIMEOUT_S, connect_untouching
from storage.files import replace_durably


def copy_database(source: Path, out: Path, data_dir: Path) -> None:
    """Copy `source` to `out`, replacing it only by a copy that passed the integrity check.

    The copy needs no files beside it. It holds rows; image bytes lie in the blob folder and are copied by themselves.

    Raises:
        StoreDamaged: the copy does not pass, so the source is damaged. `out` is as before.
        StoreFull, StoreNotWritable, StoreBusy: it cannot be written or read now. `out` is as before.
    """
    part = out.with_name(f".{out.name}.{secrets.token_hex(8)}.part")
    try:
        try:
            with closing(connect_untouching(source)) as original, closing(_create(part)) as copy:
                # One pass. In steps, every foreign write would start the copy again from the beginning.
                original.backup(copy, pages=-1)
                copy.execute("pragma journal_mode=delete")
                found = copy.execute("pragma integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise errors.damaged(data_dir, f"the copy's check says {found!r}")
            replace_durably(part, out)
        finally:
            for leftover in (part, Path(f"{part}-journal"), Path(f"{part}-wal"), Path(f"{part}-shm")):
                leftover.unlink(missing_ok=True)
    except sqlite3.Error as error:
        known = errors.of_engine(error, data_dir)
        if isinstance(known, errors.StoreDamaged | errors.StoreBusy):
            raise known from error
        raise _not_copied(out, data_dir, type(known), str(error)) from error
    except OSError as error:
        kind = type(errors.of_os(error, data_dir))
        raise _not_copied(out, data_dir, kind, error.strerror or type(error).__name__) from error


def _not_copied(out: Path, data_dir: Path, kind: type, reason: str) -> errors.StoreError:
    message = (
        f"The copy of the data folder {str(data_dir)!r} could not be written to {str(out)!r} ({reason}). "
        "Nothing was replaced; choose another place or free some space."
    )
    return errors.StoreFull(message) if kind is errors.StoreFull else errors.StoreNotWritable(message)


def _create(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600, exist_ok=False)
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
