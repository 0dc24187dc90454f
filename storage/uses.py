"""What visitors used lately, where several replicas count together. Whoever calls owns the transaction."""

from __future__ import annotations

import hashlib

from storage.engine import Database

WINDOW_S = 3600.0
"""The longest time that anything counts for; older rows are dropped."""


def subject(salt: str, name: str) -> str:
    """Under which a visitor or an address is counted: a hash keyed by the store's salt."""
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    return hashlib.blake2b(name.encode(), key=key, digest_size=16).hexdigest()


def recent(db: Database, subject: str, kind: str, after_ms: int) -> list[tuple[int, int]]:
    """When, in milliseconds since 1970, and how much; the oldest first."""
    return [
        (at_ms, amount)
        for at_ms, amount in db.conn.execute(
            "select at_ms, amount from uses where subject = ? and kind = ? and at_ms > ? order by at_ms",
            (subject, kind, after_ms),
        ).fetchall()
    ]


def add(db: Database, subjects: list[str], kind: str, at_ms: int, amount: int) -> None:
    """Counts so much, from 1, for each of the subjects."""
    db.conn.executemany(
        "insert into uses (subject, kind, at_ms, amount) values (?, ?, ?, ?)",
        [(subject, kind, at_ms, amount) for subject in subjects],
    )


def forget(db: Database, before_ms: int) -> None:
    """Drops what is older."""
    db.conn.execute("delete from uses where at_ms <= ?", (before_ms,))
