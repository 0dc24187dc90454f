"""Money: a reservation is written with the run and becomes settled, released or unknown, once.

Amounts are whole micro-dollars. The sum of the lines is the spend; nothing else is. A run has a line for each who bills it,
nearly always one. A line counts on the day of its reservation, whenever it is settled. Whoever calls owns the transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from storage.days import day_of, zone_of
from storage.engine import Database
from storage.money_steps import EVERYBODY
from storage.records import CostSource, LedgerLine
from storage.rows import Row, changed, fetch, fetch_one, to_ledger_line
from storage.unrevealed import UNREVEALED, blind_parameters

MOST_NOTE = 200
"""Characters of the note beside what was settled by hand."""


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """Sums over the lines of one owner or of all, in micro-dollars."""

    settled_microusd: int
    """Settled, of runs that were reserved in the time asked for."""
    reserved_microusd: int
    """Held now for open runs, whenever they began: they are still to be settled."""
    unknown_count: int
    """Runs of the time asked for of which nobody knows what they cost."""
    unknown_microusd: int
    """What those hold; a line without an estimate holds 0, so the truth may be more."""


def insert(db: Database, lines: Sequence[LedgerLine]) -> None:
    """Write lines of runs that are there; each counts on the day on which it was reserved, where the operator is.

    Raises:
        sqlite3.IntegrityError: an id is taken, or a line belongs to no run.
    """
    if not lines:
        return
    zone = zone_of(db)
    for line in lines:
        reserved_at = line.reserved_at or line.at
        written = changed(
            db,
            """insert into ledger (ledger_id, run_id, owner, offer, quality, payer, state, amount_microusd,
                reserved_microusd, source, price_id, images, session, day, reserved_at, at, settled_by, note)
            select :ledger_id, run_id, owner, offer, coalesce(cast(asked ->> 'quality' as text), 'auto'),
                coalesce(:payer, substr(offer, 1, max(instr(offer, '/') - 1, 0))), :state, :amount,
                case when :state = 'reserved' then :amount when :payer is null then estimate_microusd end,
                :source, :price_id, 0, :session, :day, :reserved_at, :at, :settled_by, :note
            from runs where run_id = :run_id""",
            {
                "ledger_id": line.ledger_id,
                "run_id": line.run_id,
                "payer": line.payer,
                "state": line.state,
                "amount": line.amount_microusd,
                "source": line.source,
                "price_id": line.price_id,
                "session": line.session,
                "day": day_of(reserved_at, zone),
                "reserved_at": reserved_at,
                "at": line.at,
                "settled_by": line.settled_by,
                "note": line.note,
            },
        )
        if not written:
            raise sqlite3.IntegrityError(f"FOREIGN KEY: there is no run {line.run_id!r} for this line of the ledger")


def settle(
    db: Database,
    run_id: str,
    amount_microusd: int,
    source: CostSource,
    price_id: str | None,
    at: str,
    *,
    others_microusd: int = 0,
) -> bool:
    """Turn what a run reserved into what it cost; false if nothing was reserved.

    Args:
        db: the open database.
        run_id: which run.
        amount_microusd: all that it cost.
        source: where the figure comes from.
        price_id: the price row that was used; `None`: the one it was reserved by.
        at: UTC text.
        others_microusd: the part of it that somebody else than the provider bills. Where the run has one line all goes there.

    Raises:
        sqlite3.IntegrityError: a negative amount, or one that is no whole number.
    """
    lines = _open_lines(db, run_id, "reserved")
    has_other = len(lines) > 1 and not lines[-1]["is_own"]
    for place, line in enumerate(lines):
        is_other = has_other and place == len(lines) - 1
        amount = others_microusd if is_other else 0
        if place == 0:
            amount = amount_microusd - others_microusd if has_other else amount_microusd
        db.conn.execute(
            """update ledger set state = :state, amount_microusd = :amount, source = :source,
                price_id = coalesce(:price_id, price_id), at = :at, images = :images where ledger_id = :ledger_id""",
            {
                "state": "settled" if place == 0 or is_other else "released",
                "amount": amount,
                "source": source,
                "price_id": price_id,
                "at": at,
                "images": _images_of(db, run_id) if place == 0 else 0,
                "ledger_id": line["ledger_id"],
            },
        )
    return bool(lines)


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
    lines = _open_lines(db, run_id, "reserved")
    for place, line in enumerate(lines):
        db.conn.execute(
            "update ledger set state = 'unknown', at = ?, images = ? where ledger_id = ?",
            (at, _images_of(db, run_id) if place == 0 else 0, line["ledger_id"]),
        )
    return bool(lines)


def settle_by_hand(
    db: Database,
    ledger_id: str,
    owner: str | None,
    amount_microusd: int,
    *,
    by: str,
    at: str,
    note: str = "",
    not_of: str = "",
) -> bool:
    """Write what a person found an unknown line to have cost; false if it is none, or not `owner`'s. Owner `None`: anybody's.

    `not_of`: lines of a session that begins so are left alone; empty: of none.

    0 is written as released: it cost nothing. Who and when stays with the line, and so does the day it counts on.

    Raises:
        sqlite3.IntegrityError: a negative amount.
    """
    return changed(
        db,
        """update ledger set state = case when :amount = 0 then 'released' else 'settled' end, amount_microusd = :amount,
            source = 'by_hand', settled_by = :by, note = :note, at = :at
        where ledger_id = :ledger_id and state = 'unknown' and (:owner is null or owner = :owner)
            and (:not_of = '' or substr(session, 1, length(:not_of)) <> :not_of)""",
        {
            "not_of": not_of,
            "ledger_id": ledger_id,
            "owner": owner,
            "amount": amount_microusd,
            "by": by,
            "note": note[:MOST_NOTE],
            "at": at,
        },
    )


def _open_lines(db: Database, run_id: str, state: str) -> list[dict[str, object]]:
    """A run's lines in a state, the provider's own first."""
    return fetch(
        db,
        """select ledger_id, payer = substr(offer, 1, max(instr(offer, '/') - 1, 0)) as is_own from ledger
        where run_id = :run_id and state = :state order by is_own desc, ledger_id""",
        {"run_id": run_id, "state": state},
    )


def lines_of(db: Database, run_id: str) -> list[LedgerLine]:
    """The lines of a run, oldest first."""
    rows = fetch(db, "select * from ledger where run_id = ? order by ledger_id", (run_id,))
    return [to_ledger_line(row) for row in rows]


def _images_of(db: Database, run_id: str) -> int:
    row = fetch_one(db, "select count(*) as images from images where run_id = ?", (run_id,))
    return int(row["images"]) if row else 0


def totals(db: Database, owner: str | None, since: str = "", *, blind_at: str | None = None) -> LedgerTotals:
    """Sums of one owner's lines from the day `since` (`2026-11-21`; empty: all) on. Owner `None`: everybody's.

    `blind_at`: the time now; runs of a battle that waits for the owner's vote are left out, as their cost would tell its
    makers. `None`: all, as limits need it.
    """
    rows = fetch(
        db,
        """select state, sum(lines) as lines, sum(amount_microusd) as amount from spend_days
        where owner = :sums and day >= :since and state <> 'reserved' group by state
        union all select 'reserved', count(*), coalesce(sum(amount_microusd), 0) from ledger
        where state = 'reserved' and (:owner is null or owner = :owner)""",
        {"owner": owner, "sums": EVERYBODY if owner is None else owner, "since": since},
    )
    amounts = {row["state"]: int(row["amount"]) for row in rows}
    lines = {row["state"]: int(row["lines"]) for row in rows}
    for line in hidden_lines(db, owner, blind_at):
        if line["day"] >= since or line["state"] == "reserved":
            amounts[line["state"]] -= line["amount_microusd"]
            lines[line["state"]] -= 1
    return LedgerTotals(
        settled_microusd=amounts.get("settled", 0),
        reserved_microusd=amounts.get("reserved", 0),
        unknown_count=lines.get("unknown", 0),
        unknown_microusd=amounts.get("unknown", 0),
    )


def hidden_lines(db: Database, owner: str | None, blind_at: str | None) -> list[Row]:
    """The lines that their owner may not be told of yet, a handful at most; see `storage.unrevealed`. `None`: none is hidden.

    An unpriced amount is 0 here, as in the sums that such lines are taken out of.
    """
    if blind_at is None or owner is None:
        return []
    return fetch(
        db,
        " ".join(
            [
                """select l.run_id, l.day, l.offer, l.quality, l.payer, l.state, coalesce(l.amount_microusd, 0)
                    as amount_microusd, l.reserved_microusd, l.images
                from (select distinct run_id from (""",
                UNREVEALED,
                # In this order: a handful of runs, and the lines of each by its index.
                ") as hidden) as u cross join ledger as l on l.run_id = u.run_id where l.owner = :owner",
            ]
        ),
        {"owner": owner} | blind_parameters(blind_at),
    )
