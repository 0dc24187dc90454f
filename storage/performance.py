"""How offers did in runs that have ended: seconds, previews, and how often an image came.

Whoever calls owns the transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlite_utils import Database

from storage.battles import OUTAGE_KINDS
from storage.rows import fetch

NEWEST_RUNS = 10_000
"""Newest runs that are looked at; it bounds the work, however long the history."""


@dataclass(frozen=True, slots=True)
class OfferTimes:
    """One offer's ended runs."""

    offer: str
    runs: int
    """All that ended by themselves: succeeded, failed or unknown; cancelled ones say nothing of the offer."""
    succeeded: int
    faults: int
    """Failures that say something of the offer, and answers that never came; not refused prompts and wrong fields."""
    p50_ms: int | None
    """Median time to the whole image of those that succeeded; `None` when none was measured."""
    p95_ms: int | None
    first_preview_p50_ms: int | None
    """Median time to the first preview; `None` where none came."""
    last_at: str
    """When the newest was queued."""


@dataclass(frozen=True, slots=True)
class Blind:
    """Whose open battles keep their runs out of sight."""

    voter: str
    now: str
    """UTC text: battles that end later are open."""
    since: str
    """UTC text: no battle that began before is open still."""


def of_offers(db: Database, owner: str | None, blind: Blind, *, since: str) -> list[OfferTimes]:
    """Offers with runs among the newest `NEWEST_RUNS` queued from `since` on, most runs first. Owner `None`: everybody's.

    Runs made for a battle that still waits for its vote are left out, because one more run of two offers would tell who
    made its images. Percentiles are by nearest rank: times that were measured.
    """
    whose = "where owner = :owner" if owner is not None else ""
    rows = fetch(
        db,
        " ".join([_RECENT % whose, _ENDED, _RANKED, _SUMMED]),
        {
            "owner": owner,
            "since": since,
            "voter": blind.voter,
            "now": blind.now,
            "open_since": blind.since,
            "newest": NEWEST_RUNS,
            "faults": json.dumps(OUTAGE_KINDS),
        },
    )
    return [OfferTimes(**row) for row in rows]


# The newest are cut off by the index over owner and seq, or by the key itself; only those rows are read.
_RECENT = """with recent as (
    select run_id, group_id, offer, state, queued_at, latency_ms, first_preview_ms, error ->> 'kind' as kind
    from runs %s order by seq desc limit :newest
),"""

_ENDED = """blind as (
    select m.run_id from battles as b join images as m on m.image_id in (b.image_a, b.image_b)
    where b.voter = :voter and b.created_at >= :open_since and b.state = 'open' and b.source = 'new' and b.expires_at > :now
    union all
    select r.run_id from groups as g join runs as r on r.group_id = g.group_id
    where g.kind = 'battle' and g.group_id in (
        select group_id from runs where state in ('queued', 'sending', 'waiting', 'downloading'))
), ended as (
    select *, case when state = 'succeeded' then latency_ms end as taken_ms from recent
    where queued_at >= :since and state in ('succeeded', 'failed', 'unknown') and run_id not in (select run_id from blind)
),"""

_RANKED = """ranked as (
    select *,
        row_number() over (partition by offer order by taken_ms is null, taken_ms) as place,
        count(taken_ms) over (partition by offer) as timed,
        row_number() over (partition by offer order by first_preview_ms is null, first_preview_ms) as preview_place,
        count(first_preview_ms) over (partition by offer) as previewed
    from ended
)"""

_SUMMED = """select offer, count(*) as runs, sum(state = 'succeeded') as succeeded,
    sum(state = 'unknown' or (state = 'failed' and coalesce(kind, 'unknown') in (select value from json_each(:faults))))
        as faults,
    max(case when place = (timed * 50 + 99) / 100 then taken_ms end) as p50_ms,
    max(case when place = (timed * 95 + 99) / 100 then taken_ms end) as p95_ms,
    max(case when preview_place = (previewed * 50 + 99) / 100 then first_preview_ms end) as first_preview_p50_ms,
    max(queued_at) as last_at
    from ranked group by offer order by runs desc, offer"""
