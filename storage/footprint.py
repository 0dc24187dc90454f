"""How much room an owner's images take, and how much of what is theirs there is."""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Database
from storage.rows import fetch_one


@dataclass(frozen=True, slots=True)
class Footprint:
    """What is kept of one owner."""

    runs: int
    images: int
    image_bytes: int
    uploads: int
    upload_bytes: int
    votes: int

    @property
    def all_bytes(self) -> int:
        """Of images made and brought along; the same bytes twice count twice."""
        return self.image_bytes + self.upload_bytes


def of_all(db: Database) -> tuple[int, int]:
    """Files of images made, made of them or brought along, each once however often it is spoken of, and their bytes. Goes over
    all of these rows.
    """
    row = fetch_one(
        db,
        """select count(*) as files, coalesce(sum(size_bytes), 0) as bytes from (
            select sha256, size_bytes from images where deleted_at is null
            union select sha256, size_bytes from derived_images union select sha256, size_bytes from uploads) as held""",
    )
    return (row["files"], row["bytes"]) if row else (0, 0)


def bytes_of_owner(db: Database, owner: str) -> int:
    """`Footprint.all_bytes` alone, for whoever asks before each run and upload. Goes over the owner's images and uploads."""
    row = fetch_one(
        db,
        """select (select coalesce(sum(i.size_bytes), 0) from runs as r join images as i on i.run_id = r.run_id
                where r.owner = :owner and i.deleted_at is null)
            + (select coalesce(sum(size_bytes), 0) from uploads where owner = :owner) as bytes""",
        {"owner": owner},
    )
    return int(row["bytes"]) if row else 0


def of_owner(db: Database, owner: str) -> Footprint:
    """What is kept of that owner; goes over the owner's rows and no others. Of what was deleted for ever the ledger and the
    votes need a row, which is none of it.
    """
    row = fetch_one(
        db,
        """select
            (select count(*) from runs where owner = :owner and deleted_at is null) as runs,
            (select count(*) from runs as r join images as i on i.run_id = r.run_id
                where r.owner = :owner and i.deleted_at is null) as images,
            (select coalesce(sum(i.size_bytes), 0) from runs as r join images as i on i.run_id = r.run_id
                where r.owner = :owner and i.deleted_at is null) as image_bytes,
            (select count(*) from uploads where owner = :owner) as uploads,
            (select coalesce(sum(size_bytes), 0) from uploads where owner = :owner) as upload_bytes,
            (select count(*) from votes where voter = :owner) as votes""",
        {"owner": owner},
    )
    return Footprint(**row) if row else Footprint(0, 0, 0, 0, 0, 0)
