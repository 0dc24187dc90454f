"""What the Costs page is made of: sums of sums. `spend_days` is read, never the lines, so a million of them make no difference.

What may not be told yet, as `storage.ledger.hidden_lines` gives it, is taken out of every figure. Whoever calls owns the
transaction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from storage.engine import Database
from storage.money_steps import EVERYBODY
from storage.rows import Row, fetch

By = Literal["provider", "model", "quality", "tag"]
Step = Literal["day", "month"]
_MONTH_CHARS = len("2026-11")

_KEYS: Mapping[str, str] = {"provider": "payer", "model": "substr(offer, instr(offer, '/') + 1)", "quality": "quality"}
_PERIODS: Mapping[Step, str] = {"day": "day", "month": "substr(day, 1, 7)"}


@dataclass(frozen=True, slots=True)
class Sum:
    """Money of some lines, in micro-dollars."""

    settled_microusd: int = 0
    reserved_microusd: int = 0
    unknown_microusd: int = 0
    settled: int = 0
    """Lines that are settled."""
    reserved: int = 0
    unknown: int = 0
    images: int = 0
    """Of settled runs."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of one bar."""

    period: str
    """`2026-11-21`, or `2026-11`."""
    key: str
    settled_microusd: int
    held_microusd: int
    """Reserved or unknown."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What one offer's settled runs were expected to cost and did."""

    offer: str
    lines: int
    estimate_microusd: int
    actual_microusd: int


@dataclass(frozen=True, slots=True)
class PaidImages:
    """Settled money and the images it bought; what is free is left out."""

    amount_microusd: int
    images: int


def sum_of(db: Database, owner: str | None, span: str = "", *, hidden: Sequence[Row] = ()) -> Sum:
    """The lines of a day (`2026-11-21`), of a month (`2026-11`), or all. Owner `None`: everybody's."""
    kept = "all" if not span else f"month {span}" if len(span) == _MONTH_CHARS else f"day {span}"
    rows = fetch(
        db,
        "select state, lines, amount_microusd, images from spend_spans where owner = :owner and span = :span",
        {"owner": _whose(owner), "span": kept},
    )
    amounts, lines = defaultdict(int), defaultdict(int)
    images = 0
    for row in rows:
        amounts[row["state"]], lines[row["state"]] = row["amount_microusd"], row["lines"]
        images += row["images"] if row["state"] == "settled" else 0
    for line in hidden:
        if line["day"].startswith(span):
            amounts[line["state"]] -= line["amount_microusd"]
            lines[line["state"]] -= 1
            images -= line["images"] if line["state"] == "settled" else 0
    return Sum(
        *(amounts["settled"], amounts["reserved"], amounts["unknown"]),
        *(lines["settled"], lines["reserved"], lines["unknown"]),
        images=images,
    )


def parts(db: Database, owner: str | None, since: str, by: By, step: Step, *, hidden: Sequence[Row] = ()) -> list[Part]:
    """Bars from the day `since` on, oldest first, each in parts by key."""
    if by == "tag":
        return _parts_by_tag(db, owner, since, step, hidden)
    rows = fetch(
        db,
        " ".join(
            [
                *("select", _PERIODS[step], "as period,", _KEYS[by], "as key,"),
                "sum(case when state = 'settled' then amount_microusd else 0 end) as settled,",
                "sum(case when state in ('reserved', 'unknown') then amount_microusd else 0 end) as held",
                "from spend_days where owner = :owner and day >= :since group by 1, 2 order by 1, 2",
            ]
        ),
        {"owner": _whose(owner), "since": since},
    )
    sums = {(row["period"], row["key"]): [row["settled"], row["held"]] for row in rows}
    for line in hidden:
        period = line["day"] if step == "day" else line["day"][:7]
        if line["day"] >= since and (period, _key_of(line, by)) in sums:
            sums[period, _key_of(line, by)][line["state"] != "settled"] -= line["amount_microusd"]
    return [Part(period, key, *amounts) for (period, key), amounts in sums.items() if any(amounts)]


def _parts_by_tag(db: Database, owner: str | None, since: str, step: Step, hidden: Sequence[Row]) -> list[Part]:
    """Tags come and go, so the lines of tagged runs are read; what is left of each period's sums has no tag. A run with several
    stands under the first by the alphabet.
    """
    rows = fetch(
        db,
        " ".join(
            [
                *("select", _PERIODS[step], "as period, t.tag as key,"),
                "sum(case when state = 'settled' then amount_microusd else 0 end) as settled,",
                "sum(case when state in ('reserved', 'unknown') then coalesce(amount_microusd, 0) else 0 end) as held",
                # In this order: the tagged runs, and the lines of each by its index.
                "from (select run_id, min(tag) as tag from tags group by run_id) as t",
                "cross join ledger as l on l.run_id = t.run_id",
                "where (:owner is null or l.owner = :owner) and l.day >= :since",
                "and l.run_id not in (select value from json_each(:hidden)) group by 1, 2 order by 1, 2",
            ]
        ),
        {"owner": owner, "since": since, "hidden": json.dumps([line["run_id"] for line in hidden])},
    )
    tagged = [Part(*row.values()) for row in rows]
    rest: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for part in parts(db, owner, since, "provider", step, hidden=hidden):
        rest[part.period][0] += part.settled_microusd
        rest[part.period][1] += part.held_microusd
    for part in tagged:
        rest[part.period][0] -= part.settled_microusd
        rest[part.period][1] -= part.held_microusd
    untagged = [Part(period, "", *amounts) for period, amounts in rest.items()]
    return [part for part in [*tagged, *untagged] if part.settled_microusd or part.held_microusd]


def favourites(db: Database, owner: str) -> int:
    """Favourite images of an owner."""
    (row,) = fetch(
        db,
        # In this order: the favourites by their index, and the run of each.
        """select count(*) as images from images as i cross join runs as r on r.run_id = i.run_id
        where i.favourite = 1 and i.deleted_at is null and r.owner = :owner""",
        {"owner": owner},
    )
    return int(row["images"])


def compared(db: Database, owner: str | None, since: str, *, hidden: Sequence[Row] = ()) -> list[Compared]:
    """Estimate against actual of the offers with settled, priced lines from the day `since` on, dearest first."""
    rows = fetch(
        db,
        """select offer, sum(lines) as lines, sum(estimate_microusd) as estimate, sum(compared_microusd) as actual
        from spend_days where owner = :owner and day >= :since and state = 'settled' and estimate_microusd > 0
        group by offer order by actual desc, offer""",
        {"owner": _whose(owner), "since": since},
    )
    found = {row["offer"]: [row["lines"], row["estimate"], row["actual"]] for row in rows}
    for line in hidden:
        if line["state"] == "settled" and line["day"] >= since and line["offer"] in found and line["reserved_microusd"]:
            taken = (1, line["reserved_microusd"], line["amount_microusd"])
            found[line["offer"]] = [kept - less for kept, less in zip(found[line["offer"]], taken, strict=True)]
    return [Compared(offer, *figures) for offer, figures in found.items() if figures[0] > 0]


def paid_images(db: Database, owner: str | None, since: str, *, hidden: Sequence[Row] = ()) -> PaidImages:
    """What images cost from the day `since` on, over offers that cost anything."""
    (row,) = fetch(
        db,
        """select coalesce(sum(amount_microusd), 0) as amount, coalesce(sum(images), 0) as images from spend_days
        where owner = :owner and day >= :since and state = 'settled' and amount_microusd > 0""",
        {"owner": _whose(owner), "since": since},
    )
    amount, images = row["amount"], row["images"]
    for line in hidden:
        if line["state"] == "settled" and line["day"] >= since and line["amount_microusd"]:
            amount, images = amount - line["amount_microusd"], images - line["images"]
    return PaidImages(amount, images)


def offers_with_lines(db: Database, owner: str, *, hidden: Sequence[Row] = ()) -> list[str]:
    """Offers that an owner's ledger has lines of that may be told, in order. Steps from one to the next along the index."""
    rows = fetch(
        db,
        """with recursive found (offer) as (
            select min(offer) from ledger where owner = :owner
            union all select (select min(offer) from ledger where owner = :owner and offer > found.offer) from found
            where found.offer is not null)
        select offer from found where offer is not null""",
        {"owner": owner},
    )
    kept = {line["offer"] for line in hidden}
    ids = json.dumps([line["run_id"] for line in hidden])
    return [row["offer"] for row in rows if row["offer"] not in kept or _has_others(db, owner, row["offer"], ids)]


def _has_others(db: Database, owner: str, offer: str, hidden: str) -> bool:
    sql = """select 1 from ledger where owner = ? and offer = ? and run_id not in (select value from json_each(?)) limit 1"""
    return bool(fetch(db, sql, (owner, offer, hidden)))


def _whose(owner: str | None) -> str:
    return EVERYBODY if owner is None else owner


def _key_of(line: Row, by: By) -> str:
    if by == "provider":
        return str(line["payer"])
    return str(line["quality"] if by == "quality" else line["offer"].partition("/")[2])


@dataclass(frozen=True, slots=True)
class QualitySpend:
    """Settled, paid images of one offer at one quality."""

    offer: str
    quality: str
    amount_microusd: int
    images: int


def by_quality(db: Database, owner: str, since: str) -> list[QualitySpend]:
    """What an owner paid for images from the day `since` on, by offer and quality. What is free is left out."""
    rows = fetch(
        db,
        """select offer, quality, sum(amount_microusd) as amount_microusd, sum(images) as images from spend_days
        where owner = :owner and day >= :since and state = 'settled' and amount_microusd > 0
        group by offer, quality having sum(images) > 0 order by offer, quality""",
        {"owner": owner, "since": since},
    )
    return [QualitySpend(**row) for row in rows]
