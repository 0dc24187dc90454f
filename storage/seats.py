"""Places at providers over all replicas: who asks gets a ticket, and the oldest so many tickets of a provider hold a place.

A ticket's rank only ever gets better, so what held a place goes on holding it until it is given back. Whoever calls owns the
transaction.
"""

from __future__ import annotations

from typing import Literal

from storage.engine import Database

Standing = Literal["holds", "waits", "gone"]


def ask(db: Database, seat_id: str, worker: str, provider: str) -> None:
    """Puts a ticket at the end of the provider's line; once, however often it is called."""
    db.conn.execute(
        "insert into seats (seat_id, worker_id, provider) values (?, ?, ?) on conflict (seat_id) do nothing",
        (seat_id, worker, provider),
    )


def standing(db: Database, seat_id: str, provider: str, most: int) -> Standing:
    """How it is with a ticket where `most` hold a place; `gone`: others took its process for dead."""
    rows = db.conn.execute("select seat_id from seats where provider = ? order by ticket", (provider,)).fetchall()
    names = [name for (name,) in rows]
    if seat_id not in names:
        return "gone"
    return "holds" if names.index(seat_id) < most else "waits"


def give_back(db: Database, seat_id: str) -> None:
    """Takes a ticket away, whether it held a place or not."""
    db.conn.execute("delete from seats where seat_id = ?", (seat_id,))
