"""The last mask of each image, by the image's hash: so that it is there again when the image is."""

from __future__ import annotations

from storage.engine import Database
from storage.rows import changed, fetch_one


def keep(db: Database, owner: str, base_sha256: str, mask_sha256: str, at: str) -> None:
    """Makes this the owner's mask of that image; its bytes are in the blob folder already."""
    db.conn.execute(
        """insert into masks (owner, base_sha256, mask_sha256, updated_at) values (?, ?, ?, ?)
        on conflict (owner, base_sha256) do update set mask_sha256 = excluded.mask_sha256, updated_at = excluded.updated_at""",
        (owner, base_sha256, mask_sha256, at),
    )


def get(db: Database, owner: str, base_sha256: str) -> str | None:
    """SHA-256 of the owner's mask of that image, or `None` when there is none."""
    row = fetch_one(db, "select mask_sha256 from masks where owner = ? and base_sha256 = ?", (owner, base_sha256))
    return row["mask_sha256"] if row else None


def forget(db: Database, owner: str, base_sha256: str) -> bool:
    """Drops the owner's mask of that image; whether there was one. Runs that used it keep theirs."""
    return changed(
        db,
        "delete from masks where owner = :owner and base_sha256 = :base",
        {"owner": owner, "base": base_sha256},
    )
