"""Prices of the operator's own, with the day each begins on. A row is never changed, so that old runs keep what they name.

Whoever calls owns the transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from storage.engine import Database
from storage.records import Json
from storage.rows import Row, changed, document, fetch, fetch_one


@dataclass(frozen=True, slots=True)
class StoredPrice:
    """One price for one offer, from a day on."""

    price_id: str
    """As ledger lines name it."""
    offer: str
    valid_from: str
    """`2026-12-01`, where the operator is."""
    source: str
    figures: Json
    """US dollars as text; see `playground.prices`."""
    set_by: str
    set_at: str
    removed_at: str | None = None


def put(db: Database, price: StoredPrice) -> None:
    """Adds a price; one of the same offer and day that was there is taken back.

    Raises:
        sqlite3.IntegrityError: the id is taken, or the day is none.
    """
    db.conn.execute(
        "update prices set removed_at = ? where offer = ? and valid_from = ? and removed_at is null",
        (price.set_at, price.offer, price.valid_from),
    )
    db.conn.execute(
        """insert into prices (price_id, offer, valid_from, source, figures, set_by, set_at, removed_at)
        values (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            *(price.price_id, price.offer, price.valid_from, price.source, document(price.figures), price.set_by),
            *(price.set_at, price.removed_at),
        ),
    )


def take_back(db: Database, price_id: str, at: str) -> bool:
    """Lets a price hold no longer; false if it does not."""
    return changed(
        db,
        "update prices set removed_at = :at where price_id = :price_id and removed_at is null",
        {"price_id": price_id, "at": at},
    )


def standing(db: Database) -> list[StoredPrice]:
    """All that hold from their day on, by offer and day."""
    return [
        _price(row) for row in fetch(db, "select * from prices where removed_at is null order by offer, valid_from")
    ]


def named(db: Database, price_id: str) -> StoredPrice | None:
    """The price of that id, taken back or not."""
    row = fetch_one(db, "select * from prices where price_id = ?", (price_id,))
    return _price(row) if row else None


def _price(row: Row) -> StoredPrice:
    return StoredPrice(**(row | {"figures": json.loads(row["figures"])}))
