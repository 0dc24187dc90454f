"""The ledger line by line: a page at a time for the tab, piece by piece for a file. Whoever calls owns the transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass

from storage.engine import Database
from storage.ledger import hidden_lines
from storage.limits import SERVER
from storage.money_steps import EVERYBODY
from storage.records import CostSource, Json, LedgerState
from storage.rows import Row, fetch

Cursor = tuple[str, str]
"""Day and id of the last line of a page."""
PROMPT_CHARS = 160


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which lines."""

    owner: str | None
    """`None`: everybody's."""
    state: LedgerState | None = None
    offer: str | None = None
    since: str = ""
    """First day."""
    until: str = "9999-12-31"
    """Last day."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A line as people read it."""

    ledger_id: str
    run_id: str
    day: str
    reserved_at: str
    at: str
    offer: str
    payer: str
    quality: str
    prompt: str
    """Its beginning."""
    state: LedgerState
    reserved_microusd: int | None
    amount_microusd: int | None
    source: CostSource
    price_id: str | None
    images: int
    settled_by: str | None
    note: str
    is_served: bool
    """Whether the server's keys pay it for a visitor."""


def page(
    db: Database, wanted: LedgerFilter, *, limit: int, before: Cursor | None = None, blind_at: str | None = None
) -> list[LedgerEntry]:
    """Lines newest first, from after the line that `before` names; `limit` of them at most.

    `blind_at`: the time now; lines of runs that may not be told of yet are left out.
    """
    hidden = [line["run_id"] for line in hidden_lines(db, wanted.owner, blind_at)]
    rows = fetch(
        db,
        " ".join(
            [
                """select l.ledger_id, l.run_id, l.day, l.reserved_at, l.at, l.offer, l.payer, l.quality,
                    substr(r.prompt, 1, :chars) as prompt, l.state, l.reserved_microusd, l.amount_microusd, l.source,
                    l.price_id, l.images, l.settled_by, l.note, substr(l.session, 1, length(:served)) = :served as is_served
                from ledger as l join runs as r on r.run_id = l.run_id where l.day between :since and :until""",
                "and l.owner = :owner" if wanted.owner is not None else "",
                "and l.state = :state" if wanted.state else "",
                "and l.offer = :offer" if wanted.offer else "",
                "and (l.day, l.ledger_id) < (:before_day, :before_id)" if before else "",
                "and l.run_id not in (select value from json_each(:hidden))" if hidden else "",
                "order by l.day desc, l.ledger_id desc limit :limit",
            ]
        ),
        {
            "owner": wanted.owner,
            "state": wanted.state,
            "offer": wanted.offer,
            "since": wanted.since,
            # The day of the cursor bounds the walk along the index; the lines of that one day are compared.
            "until": min(wanted.until, before[0]) if before else wanted.until,
            "before_day": before[0] if before else "",
            "before_id": before[1] if before else "",
            "hidden": json.dumps(hidden),
            "chars": PROMPT_CHARS,
            "served": SERVER,
            "limit": limit,
        },
    )
    return [_entry(row) for row in rows]


def _entry(row: Row) -> LedgerEntry:
    return LedgerEntry(**(row | {"is_served": bool(row["is_served"])}))


def unknown_of_others(
    db: Database, owner: str, *, limit: int, before: Cursor | None = None
) -> list[tuple[str, LedgerEntry]]:
    """Lines that nobody knows the cost of and that are not `owner`'s, newest first, each with whose it is.

    Without a word of the prompts: for the operator, who settles them. Steps from owner to owner along an index.
    """
    rows = fetch(
        db,
        """with recursive whose (owner) as (
            select min(owner) from spend_spans where owner > :everybody
            union all select (select min(owner) from spend_spans where owner > whose.owner) from whose
            where whose.owner is not null)
        select l.owner, l.ledger_id, l.run_id, l.day, l.reserved_at, l.at, l.offer, l.payer, l.quality, '' as prompt,
            l.state, l.reserved_microusd, l.amount_microusd, l.source, l.price_id, l.images, l.settled_by, l.note,
            substr(l.session, 1, length(:served)) = :served as is_served
        from whose as w cross join ledger as l on l.owner = w.owner and l.state = 'unknown'
        where w.owner <> :owner and (:before_day = '' or (l.day, l.ledger_id) < (:before_day, :before_id))
        order by l.day desc, l.ledger_id desc limit :limit""",
        {
            "everybody": EVERYBODY,
            "owner": owner,
            "served": SERVER,
            "before_day": before[0] if before else "",
            "before_id": before[1] if before else "",
            "limit": limit,
        },
    )
    return [(row.pop("owner"), _entry(row)) for row in rows]


def cursor_of(entry: LedgerEntry) -> Cursor:
    """Where the page after this line begins."""
    return entry.day, entry.ledger_id


@dataclass(frozen=True, slots=True)
class PaidRun:
    """A settled run that cost something, with what its cost follows from."""

    run_id: str
    offer: str
    amount_microusd: int
    """Over all who billed it."""
    asked: Json
    got: Json
    images: int
    sizes: tuple[str, ...]
    """`WIDTHxHEIGHT` of its images."""
    inputs: tuple[tuple[int, int], ...]
    """Width and height of its reference images."""


def paid_runs(db: Database, owner: str | None, since: str, *, limit: int) -> list[PaidRun]:
    """Settled runs from the day `since` on that cost something, newest first. Owner `None`: everybody's."""
    rows = fetch(
        db,
        " ".join(
            [
                "with newest as (select run_id, sum(amount_microusd) as amount, max(images) as images, max(day) as day",
                "from (select * from ledger where state = 'settled' and amount_microusd > 0 and day >= :since",
                "and owner = :owner" if owner is not None else "",
                "order by day desc, ledger_id desc limit :limit) as paid group by run_id)",
                """select n.run_id, r.offer, n.amount, r.asked, r.got, n.images,
                    (select json_group_array(i.width || 'x' || i.height) from images as i where i.run_id = n.run_id) as sizes,
                    (select json_group_array(json_array(p.width, p.height)) from inputs as p
                        where p.run_id = n.run_id and p.role = 'image') as inputs
                from newest as n join runs as r on r.run_id = n.run_id order by n.day desc, n.run_id desc""",
            ]
        ),
        {"owner": owner, "since": since, "limit": limit},
    )
    return [
        PaidRun(
            run_id=row["run_id"],
            offer=row["offer"],
            amount_microusd=row["amount"],
            asked=json.loads(row["asked"]),
            got=json.loads(row["got"]) if row["got"] else {},
            images=row["images"],
            sizes=tuple(json.loads(row["sizes"])),
            inputs=tuple((width, height) for width, height in json.loads(row["inputs"])),
        )
        for row in rows
    ]
