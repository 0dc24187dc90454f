"""A consistent copy of the database as one file, made while others go on writing."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage import errors
from storage.connections import BUSY_TIMEOUT_S, connect_untouching
from storage.engine import Statements
from storage.files import replace_durably


def copy_database(source: Path, out: Path, data_dir: Path) -> None:
    """Copy `source` to `out`, replacing it only by a copy that passed the integrity check.

    The copy needs no files beside it. It holds rows; image bytes lie in the blob folder and are copied by themselves.

    Raises:
        StoreDamaged: the copy does not pass, so the source is damaged. `out` is as before.
        StoreFull, StoreNotWritable, StoreBusy: it cannot be written or read now. `out` is as before.
    """
    try:
        with (
            replacing(out) as part,
            closing(connect_untouching(source)) as original,
            closing(sqlite3.connect(part, timeout=BUSY_TIMEOUT_S)) as copy,
        ):
            # One pass. In steps, every foreign write would start the copy again from the beginning.
            original.backup(copy, pages=-1)
            finish_copy(copy, data_dir)
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


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """An empty file beside `out`, its owner's alone, to write a database into: it takes the place of `out` after the block.

    Raises: OSError. Where anything fails, in the block too, `out` is as before and nothing is left beside it.
    """
    part = out.with_name(f".{out.name}.{secrets.token_hex(8)}.part")
    try:
        part.touch(mode=0o600, exist_ok=False)
        yield part
        replace_durably(part, out)
    finally:
        for leftover in (part, Path(f"{part}-journal"), Path(f"{part}-wal"), Path(f"{part}-shm")):
            leftover.unlink(missing_ok=True)


def finish_copy(copy: Statements, data_dir: Path) -> None:
    """Make the copy need no file beside it, and look whether it is sound. Raises: StoreDamaged when it is not."""
    copy.execute("pragma journal_mode=delete").fetchall()
    [(found,)] = copy.execute("pragma integrity_check(1)").fetchall()
    if found != "ok":
        raise errors.damaged(data_dir, f"the copy's check says {found!r}")
