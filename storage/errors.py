"""What can go wrong with the store, each with a sentence that can be shown as it stands.

    StoreError
    ├── StoreDamaged       rows or files are not what they were; nothing is recreated over them
    ├── StoreTooNew        a newer version of the program made this database
    ├── StoreNotWritable   the folder or its disk refuses writing
    ├── StoreFull          no space left; what was acknowledged is safe, writing goes on once there is room
    ├── StoreBusy          somebody else holds the database, or the queue did not move in time
    ├── StoreClosed        the program is shutting down
    ├── ImagesAway         the object store that images are kept in cannot be reached, refuses, or is full
    │   └── ImagesNotYet   an image is not there yet: another replica may have it on its own disk only
    ├── ImageDamaged       what the object store gave is not what was put there; it is never shown
    ├── ImagesElsewhere    the folder's images are kept at another place than the one that is set
    └── SnapshotFailed     the copy kept somewhere else could not be written, read or trusted

Every message names the data folder and says what to do. Errors of the caller's own SQL (a broken constraint, a wrong
type) are not translated: they are programming errors and keep their `sqlite3` class.
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Literal

Why = Literal["silent", "refuses", "full"]
"""How an object store fails: it gives no answer or none that can be used, it says no, it takes no more."""


class StoreError(Exception):
    """Base of all errors of the store."""


class StoreDamaged(StoreError):
    """The database or a file is damaged, missing or not ours."""


class StoreTooNew(StoreError):
    """The database was made by a newer version of the program."""


class StoreNotWritable(StoreError):
    """The data folder cannot be written."""


class StoreBusy(StoreError):
    """The database did not become free in time."""

    def __init__(self, message: str, *, may_be_saved: bool = False) -> None:
        super().__init__(message)
        self.may_be_saved = may_be_saved
        """True where the commit may still follow: look again before repeating. False: certainly not saved."""


class StoreFull(StoreError):
    """The disk, or the quota on it, is full."""


class StoreClosed(StoreError):
    """The store was closed."""


class ImagesAway(StoreError):
    """The object store that images are kept in gave no answer, or a no. New images are safe on this disk meanwhile."""

    def __init__(self, message: str, *, why: Why = "silent") -> None:
        super().__init__(message)
        self.why: Why = why


class ImagesNotYet(ImagesAway):
    """An image is neither here nor in the object store; the replica that has it on its disk brings it there."""

    def __init__(self) -> None:
        super().__init__(
            "This image is on the disk of another server, which has not brought it to the common place yet. It is shown once "
            "that server has; one that is down brings it when it is back."
        )


class ImageDamaged(StoreError):
    """An image came from the object store short, or with other bytes than its name says."""


class ImagesElsewhere(StoreError):
    """The images of the data folder are kept at another place than the one that is set."""


class SnapshotFailed(StoreError):
    """A snapshot could not be taken or put back; the store itself is as it was."""


_FULL_CODES = frozenset(
    # A file size limit gives IOERR_WRITE (seen) where a full disk gives FULL. The other two are sqlite failing to grow
    # or cut its files; they were not produced here.
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE}
)
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def full(folder: Path) -> StoreFull:
    """The error for a full disk."""
    return StoreFull(
        f"The disk of the data folder {str(folder)!r} is full, so nothing new was saved. "
        "What was saved before is safe; free some space and try again, no restart is needed."
    )


def not_writable(folder: Path, reason: str) -> StoreNotWritable:
    """The error for a folder that refuses writing; `reason` is the system's word."""
    return StoreNotWritable(
        f"The data folder {str(folder)!r} cannot be written ({reason}). "
        "Check its permissions and its disk, or point DIPTYCH_DATA_DIR at a folder on a local disk."
    )


def damaged(folder: Path, reason: str, *, advice: str = "") -> StoreDamaged:
    """The error for a damaged database; `advice` replaces the general way out."""
    way_out = advice or "Nothing was changed. Keep a copy of the folder and put back the newest backup."
    return StoreDamaged(f"The data folder {str(folder)!r} is damaged: {reason}. {way_out}")


def closed(folder: Path) -> StoreClosed:
    """The error for a call after `close()`."""
    return StoreClosed(
        f"The store of the data folder {str(folder)!r} is closed, nothing was saved. Start the program again."
    )


class ServerAway(StoreNotWritable):
    """The database server cannot be used; it goes on by itself once it can."""


def not_reached(reason: str) -> ServerAway:
    """The error for a database server that does not answer; `reason` is its or the system's word."""
    return ServerAway(
        f"The database server of DIPTYCH_DATABASE_URL cannot be used ({_on_one_line(reason)}). Nothing was saved. "
        "Look whether it runs and lets this program in; no restart of this program is needed once it does."
    )


def busy_server(reason: str) -> StoreBusy:
    """The error for a database server that others keep busy."""
    return StoreBusy(f"The database server is busy ({_on_one_line(reason)}). Nothing was saved; try again.")


def full_server(reason: str) -> StoreFull:
    """The error for a database server without room."""
    return StoreFull(
        f"The disk of the database server is full ({_on_one_line(reason)}), so nothing new was saved. "
        "What was saved before is safe; free some space and try again, no restart is needed."
    )


def answer_lost(reason: str) -> StoreBusy:
    """The error for a commit that nobody heard the end of."""
    return StoreBusy(
        f"The database server went away while it saved ({_on_one_line(reason)}). "
        "It may be saved: look whether it is there before doing it again.",
        may_be_saved=True,
    )


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


class ServerTrouble(sqlite3.OperationalError):
    """What a database server met, as one of the classes of Python's DB-API, with the store's own error."""

    def __init__(self, told: StoreError) -> None:
        super().__init__(str(told))
        self.told = told


def of_engine(error: sqlite3.Error, folder: Path) -> StoreError | None:
    """The store's error behind one of the engine's, or `None` where the statement itself was wrong."""
    if isinstance(error, ServerTrouble):
        return error.told
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF
    if code in _FULL_CODES:
        return full(folder)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(folder, f"the database cannot be read ({error})")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(
            f"Another program holds the database in the data folder {str(folder)!r}. "
            "Nothing was saved; try again, or close the other program."
        )
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return not_writable(folder, str(error))
    return None


def of_os(error: OSError, folder: Path) -> StoreError:
    """The store's error behind a file that could not be written."""
    if error.errno in _NO_SPACE:
        return full(folder)
    return not_writable(folder, error.strerror or type(error).__name__)
