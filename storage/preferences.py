"""What somebody prefers: one JSON value for each owner and name."""

from __future__ import annotations

import json

from storage.engine import Database
from storage.rows import fetch_one


def get(db: Database, owner: str, name: str) -> object:
    """The value; `None` where none was set."""
    row = fetch_one(db, "select value from preferences where owner = ? and name = ?", (owner, name))
    return json.loads(row["value"]) if row else None


def put(db: Database, owner: str, name: str, value: object, at: str) -> None:
    """Sets the value, in place of one that is there."""
    db.conn.execute(
        """insert into preferences (owner, name, value, updated_at) values (?, ?, ?, ?)
        on conflict (owner, name) do update set value = excluded.value, updated_at = excluded.updated_at""",
        (owner, name, json.dumps(value), at),
    )
