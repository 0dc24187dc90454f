"""How providers did lately, from runs of one's own: what a leaderboard's seconds are held against."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from playground.services import Services, timestamp
from storage import performance as stored
from storage.engine import Database
from storage.performance import OfferTimes

DAYS = 30


async def performance(services: Services, owner: str) -> list[OfferTimes]:
    """How offers did in the runs of `owner`, most runs first; on a machine of one's own, in everybody's."""
    now = services.clock()
    whose = owner if services.settings.mode == "public" else None
    since = timestamp(now - timedelta(days=DAYS))

    def read(db: Database) -> list[OfferTimes]:
        return stored.of_offers(db, whose, since=since, viewer=owner, blind_at=timestamp(now))

    return await asyncio.to_thread(services.store.read, read)


def success_rate(times: OfferTimes) -> float | None:
    """Succeeded runs as a share of those and the offer's own faults: 0 to 1; `None` when there were neither."""
    tried = times.succeeded + times.faults
    return times.succeeded / tried if tried else None


def timed(times: Iterable[OfferTimes]) -> dict[str, OfferTimes]:
    """The offers whose own runs can say how long one takes; whoever tells a time tells by how many runs."""
    return {one.offer: one for one in times if one.p50_ms is not None}
