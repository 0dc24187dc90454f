"""How offers did in runs that have ended: seconds, previews, and how often an image came.

Whoever calls owns the transaction.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from storage.engine import Database
from storage.outages import OUTAGE_KINDS
from storage.rows import fetch
from storage.unrevealed import UNREVEALED, blind_parameters

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
    first_byte_p50_ms: int | None = None
    """Median time to the first byte of an answer, of those that succeeded; `None` when none was measured."""
    kinds: tuple[tuple[str, int], ...] = ()
    """Kinds of errors of those that did not succeed, each with its number, most first."""


def of_offers(db: Database, whose: str | None, *, since: str, viewer: str, blind_at: str | None) -> list[OfferTimes]:
    """Offers with runs among the newest `NEWEST_RUNS` queued from `since` on, most runs first. Whose `None`: everybody's,
    but for runs that came in an archive.

    `blind_at`: the time now; runs of a battle that is being made or waits for `viewer`'s vote are left out, because one more
    run of two offers would tell who made its images. `None`: all. Percentiles are by nearest rank: times that were measured.
    """
    rows = fetch(
        db,
        " ".join(
            [
                _RECENT % ("where owner = :whose" if whose is not None else "where brought_at is null"),
                _ENDED,
                _RANKED,
                _SUMMED,
            ]
        ),
        {
            "whose": whose,
            "owner": viewer,
            "since": since,
            "newest": NEWEST_RUNS,
            "faults": json.dumps(OUTAGE_KINDS),
        }
        | blind_parameters(blind_at),
    )
    return [OfferTimes(**(row | {"kinds": _kinds(row["kinds"])})) for row in rows]


def _kinds(told: str) -> tuple[tuple[str, int], ...]:
    """The kinds counted, most first; those of runs that went well are null."""
    counted = Counter(kind for kind in json.loads(told) if kind is not None)
    return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


# The newest are cut off by the index over owner and seq, or by the key itself; only those rows are read.
_RECENT = """with recent as (
    select run_id, group_id, offer, state, queued_at, latency_ms, first_preview_ms,
        case when state = 'succeeded' then first_byte_ms end as first_byte_ms, error ->> 'kind' as kind
    from runs %s order by seq desc limit :newest
),"""

_ENDED = " ".join(
    [
        """ended as (
        select *, case when state = 'succeeded' then latency_ms end as taken_ms from recent
        where queued_at >= :since and state in ('succeeded', 'failed', 'unknown')
        and (:blind_at is null or run_id not in (""",
        UNREVEALED,
        "))),",
    ]
)

_RANKED = """ranked as (
    select *,
        row_number() over (partition by offer order by taken_ms is null, taken_ms) as place,
        count(taken_ms) over (partition by offer) as timed,
        row_number() over (partition by offer order by first_preview_ms is null, first_preview_ms) as preview_place,
        count(first_preview_ms) over (partition by offer) as previewed,
        row_number() over (partition by offer order by first_byte_ms is null, first_byte_ms) as byte_place,
        count(first_byte_ms) over (partition by offer) as answered
    from ended
)"""

_SUMMED = """select offer, count(*) as runs, sum(state = 'succeeded') as succeeded,
    sum(state = 'unknown' or (state = 'failed' and coalesce(kind, 'unknown') in (select value from json_each(:faults))))
        as faults,
    max(case when place = (timed * 50 + 99) / 100 then taken_ms end) as p50_ms,
    max(case when place = (timed * 95 + 99) / 100 then taken_ms end) as p95_ms,
    max(case when preview_place = (previewed * 50 + 99) / 100 then first_preview_ms end) as first_preview_p50_ms,
    max(case when byte_place = (answered * 50 + 99) / 100 then first_byte_ms end) as first_byte_p50_ms,
    max(queued_at) as last_at,
    json_group_array(case when state != 'succeeded' then coalesce(kind, 'unknown') end) as kinds
    from ranked group by offer order by runs desc, offer"""
