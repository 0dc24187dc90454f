"""Money: a reservation is written with the run and becomes settled, released or unknown, once.

Amounts are whole micro-dollars. The sum of the lines is the spend; nothing else is.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

from storage.records import CostSource
from storage.rows import changed, fetch
from storage.unrevealed import UNREVEALED, blind_parameters


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """Sums over the lines of one owner or of all, in micro-dollars."""

    settled_microusd: int
    """Settled since the asked time."""
    reserved_microusd: int
    """Held now for open runs, whenever they began: they will be settled after the asked time."""
    unknown_count: int
    """Lines since the asked time of which nobody knows what they cost."""
    unknown_microusd: int
    """What those lines hold; a line without an estimate holds 0, so the truth may be more."""


def settle(db: Database, run_id: str, amount_microusd: int, source: CostSource, price_id: str | None, at: str) -> bool:
    """Turn the reservation of a run into what it cost; false if nothing was reserved.

    The whole amount goes to the first of several reserved lines and the others are released, so that the sum is right.

    Raises:
        sqlite3.IntegrityError: a negative amount, or one that is no whole number.
    """
    return changed(
        db,
        """update ledger set
            state = case when ledger_id = first.id then 'settled' else 'released' end,
            amount_microusd = case when ledger_id = first.id then :amount else 0 end,
            source = :source, price_id = coalesce(:price_id, price_id), at = :at
        from (select min(ledger_id) as id from ledger where run_id = :run_id and state = 'reserved') as first
        where run_id = :run_id and state = 'reserved'""",
        {"run_id": run_id, "amount": amount_microusd, "source": source, "price_id": price_id, "at": at},
    )


def release(db: Database, run_id: str, at: str) -> bool:
    """Let go of what a run held, because it certainly cost nothing; false if nothing was reserved."""
    return changed(
        db,
        """update ledger set state = 'released', amount_microusd = 0, at = :at
        where run_id = :run_id and state = 'reserved'""",
        {"run_id": run_id, "at": at},
    )


def mark_unknown(db: Database, run_id: str, at: str) -> bool:
    """Say that nobody knows what a run cost; it keeps the amount it held. False if nothing was reserved."""
    return changed(
        db,
        "update ledger set state = 'unknown', at = :at where run_id = :run_id and state = 'reserved'",
        {"run_id": run_id, "at": at},
    )


def spent(db: Database, owner: str | None, since: str) -> int:
    """Micro-dollars settled at or after `since` (UTC text). Owner `None`: everybody's."""
    return totals(db, owner, since).settled_microusd


def totals(db: Database, owner: str | None, since: str, *, blind_at: str | None = None) -> LedgerTotals:
    """Sums of one owner's lines, `since` a time as UTC text. Owner `None`: everybody's.

    `blind_at`: the time now; runs of a battle that waits for the owner's vote are left out, as their cost would tell its
    makers. `None`: all, as limits need it.
    """
    hidden = f"and r.run_id not in ({UNREVEALED})" if blind_at is not None else ""
    rows = fetch(
        db,
        " ".join(
            [
                """select l.state as state, count(*) as lines, coalesce(sum(l.amount_microusd), 0) as amount
                from ledger as l join runs as r on r.run_id = l.run_id
                where (l.at >= :since or l.state = 'reserved') and (:owner is null or r.owner = :owner)""",
                hidden,
                "group by l.state",
            ]
        ),
        {"owner": owner, "since": since} | blind_parameters(blind_at),
    )
    amounts = {row["state"]: row["amount"] for row in rows}
    lines = {row["state"]: row["lines"] for row in rows}
    return LedgerTotals(
        settled_microusd=amounts.get("settled", 0),
        reserved_microusd=amounts.get("reserved", 0),
        unknown_count=lines.get("unknown", 0),
        unknown_microusd=amounts.get("unknown", 0),
    )
