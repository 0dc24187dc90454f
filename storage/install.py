"""What was made once for this store. Whoever calls owns the transaction."""

from __future__ import annotations

from storage.engine import Database
from storage.rows import fetch_one


def voter_salt(db: Database) -> str:
    """Random, and of this store only: voters are shown under hashes made with it."""
    row = fetch_one(db, "select value from install where name = 'voter_salt'")
    if row is None:  # the step that makes the table makes the row
        raise LookupError("this store has no salt for its voters")
    return str(row["value"])
