"""What runs that are over would cost at today's prices. Nothing is written: old runs keep what they were billed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from playground.asked import request_of
from playground.services import Services
from providers.catalog import Catalog, UnknownOffer
from providers.pricing import cost_of, estimate_as_got
from providers.types import InputImage, Usage
from storage import ledger, ledger_pages
from storage.engine import Database
from storage.ledger_pages import PaidRun

NEWEST_RUNS = 5_000
"""So many settled runs are looked at; it bounds the work, however long the ledger."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Settled runs of one offer, at what was paid and at today's price."""

    offer: str
    runs: int
    paid_microusd: int
    today_microusd: int
    left_out: int
    """Settled runs beside those whose cost cannot be recomputed: no price, or neither usage nor a size that is known."""


async def recompute(services: Services, owner: str, since: str) -> list[Recomputed]:
    """The owner's newest settled runs from the day `since` on, by offer, dearest first. What was free stays out."""
    at = services.now()

    def read(db: Database) -> list[PaidRun]:
        hidden = {line["run_id"] for line in ledger.hidden_lines(db, owner, at)}
        found = ledger_pages.paid_runs(db, owner, since, limit=NEWEST_RUNS)
        return [run for run in found if run.run_id not in hidden]

    def work() -> list[Recomputed]:
        return summed(services.store.read(read), services.catalog)

    return await asyncio.to_thread(work)


def summed(paid: Sequence[PaidRun], catalog: Catalog) -> list[Recomputed]:
    """The runs by offer, at today's prices of the catalogue."""
    by_offer: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for run in paid:
        by_offer[run.offer].append((run.amount_microusd, cost_today(run, catalog)))
    rows = [
        Recomputed(
            offer=offer,
            runs=sum(today is not None for _, today in pairs),
            paid_microusd=sum(amount for amount, today in pairs if today is not None),
            today_microusd=sum(today for _, today in pairs if today is not None),
            left_out=sum(today is None for _, today in pairs),
        )
        for offer, pairs in by_offer.items()
    ]
    return sorted(rows, key=lambda row: (-row.paid_microusd, row.offer))


def cost_today(run: PaidRun, catalog: Catalog) -> int | None:
    """Micro-dollars of the run at today's price: by the usage that was reported, else by what came; `None`: nobody can tell."""
    try:
        offer = catalog.offer(run.offer)
    except UnknownOffer:
        return None
    if offer.price is None:
        return None
    by_usage = cost_of(_usage(run.got.get("usage")), offer.price, run.images)
    if by_usage is not None:
        return by_usage
    inputs = [InputImage(b"", "image/png", width, height, "") for width, height in run.inputs]
    # Of a run that was deleted for ever only its money is left, and what that follows from.
    request = request_of({"prompt": "", **run.asked}, inputs, None)
    found = estimate_as_got(request, catalog.spec(offer), offer, run.sizes)
    if found.high_microusd is None or found.low_microusd != found.high_microusd:
        return None
    # An estimate is for all images that were asked; those that came were billed.
    return round(found.high_microusd * Fraction(min(run.images, request.n), request.n))


def _usage(told: object) -> Usage | None:
    if not isinstance(told, Mapping):
        return None
    return Usage(
        text_input_tokens=_whole(told.get("text_input_tokens")),
        image_input_tokens=_whole(told.get("image_input_tokens")),
        output_tokens=_whole(told.get("output_tokens")),
        text_output_tokens=_whole(told.get("text_output_tokens")),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
