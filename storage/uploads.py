"""Pictures people brought along, findable by whoever brought them before any run uses them."""

from __future__ import annotations

from storage.engine import Database
from storage.records import Upload
from storage.rows import fetch_one, foreign_text, to_upload


def add(db: Database, upload: Upload) -> None:
    """Write an upload whose bytes are in the blob folder already. The same picture again keeps its first row.

    Raises:
        sqlite3.IntegrityError: a size that is not positive, or a hash of the wrong length.
    """
    db.conn.execute(
        """insert into uploads (owner, sha256, media_type, width, height, size_bytes, name, created_at)
        values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (owner, sha256) do nothing""",
        (
            upload.owner,
            upload.sha256,
            upload.media_type,
            upload.width,
            upload.height,
            upload.size_bytes,
            foreign_text(upload.name),
            upload.created_at,
        ),
    )


def get(db: Database, owner: str | None, sha256: str) -> Upload | None:
    """The upload of these bytes, or `None` if `owner` never brought them. Owner `None`: anybody's, the first one."""
    row = fetch_one(
        db,
        """select * from uploads where sha256 = :sha256 and (:owner is null or owner = :owner)
        order by created_at, owner limit 1""",
        {"owner": owner, "sha256": sha256},
    )
    return to_upload(row) if row else None
