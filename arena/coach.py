"""What one's own numbers say: at most three pieces of advice, each with its sample, and none that the sample does not carry.

The rules, so that silence can be understood:

- A cheaper quality is spoken for when the person's own votes compared it with a dearer one of the same model at least
  `MIN_VOTES` times and it won or tied so often that, if it truly did so in only `WORTH` of all cases, the chance of that many
  would be at most `DOUBT` (an exact binomial tail, no approximation). Both-bad answers say nothing about either and stay out.
  The saving is what this month's images at the dearer quality cost, less the same number at the person's own mean price of the
  cheaper one at the same offer, from at least `MIN_IMAGES` images; below `MIN_SAVING_MICROUSD` nothing is said.
- Unknown costs are spoken of from `MIN_UNKNOWN` runs on.
- Estimates are doubted from `MIN_RUNS` settled runs of an offer on that came out at least `MIN_OFF_PERCENT` off.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from playground.services import Services
from storage import costs, days, ledger, quality_votes
from storage.costs import Compared, QualitySpend, Sum
from storage.engine import Database
from storage.quality_votes import QualityVotes

QUALITIES = ("low", "medium", "high", "xhigh", "max")
"""From cheap to dear."""
MIN_VOTES = 12
WORTH = 0.4
DOUBT = 0.05
MIN_IMAGES = 5
MIN_SAVING_MICROUSD = 100_000
MIN_UNKNOWN = 3
MIN_RUNS = 20
MIN_OFF_PERCENT = 10
MOST = 3
_DAYS = 90


@dataclass(frozen=True, slots=True)
class CheaperQuality:
    """A cheaper quality that does as well in the person's own eyes."""

    model: str
    offer: str
    cheaper: str
    dearer: str
    won_or_tied: int
    votes: int
    images: int
    """Made at the dearer quality this month."""
    saving_microusd: int


@dataclass(frozen=True, slots=True)
class UnknownCosts:
    """Money that nobody knows of and that counts towards limits."""

    runs: int
    held_microusd: int


@dataclass(frozen=True, slots=True)
class EstimateOff:
    """An offer whose runs come out dearer or cheaper than estimated."""

    offer: str
    runs: int
    percent: int
    """More than estimated; below 0: less."""


Advice = CheaperQuality | UnknownCosts | EstimateOff


async def advise(services: Services, owner: str) -> tuple[Advice, ...]:
    """What the owner's ledger and votes carry, the most money first."""
    at = services.now()

    def read(db: Database) -> tuple[Advice, ...]:
        day = date.fromisoformat(days.day_of(at, days.zone_of(db)))
        recent = (day - timedelta(days=_DAYS)).isoformat()
        hidden = ledger.hidden_lines(db, owner, at)
        if hidden:
            # Beside a blind battle no sum may move by what it cost.
            return ()
        return advice_of(
            quality_votes.of_voter(db, owner),
            month=costs.by_quality(db, owner, day.replace(day=1).isoformat()),
            ever=costs.by_quality(db, owner, ""),
            total=costs.sum_of(db, owner),
            compared=costs.compared(db, owner, recent),
        )

    return await asyncio.to_thread(services.store.read, read)


def advice_of(
    votes: Sequence[QualityVotes],
    *,
    month: Sequence[QualitySpend],
    ever: Sequence[QualitySpend],
    total: Sum,
    compared: Sequence[Compared],
) -> tuple[Advice, ...]:
    """What these figures carry, at most `MOST` pieces. Pure."""
    cheaper: list[Advice] = [*sorted(_cheaper(votes, month, ever), key=lambda one: -one.saving_microusd)]
    off: list[Advice] = [*sorted(_off(compared), key=lambda one: -abs(one.percent))]
    unknown: list[Advice] = (
        [UnknownCosts(total.unknown, total.unknown_microusd)] if total.unknown >= MIN_UNKNOWN else []
    )
    return tuple([*cheaper[:1], *unknown, *off[:1], *cheaper[1:]][:MOST])


def _cheaper(
    votes: Sequence[QualityVotes], month: Sequence[QualitySpend], ever: Sequence[QualitySpend]
) -> Iterator[CheaperQuality]:
    means = {(one.offer, one.quality): one for one in ever if one.images >= MIN_IMAGES}
    for (model, cheaper, dearer), (good, all_votes) in _compared_qualities(votes).items():
        if all_votes < MIN_VOTES or not is_carried(good, all_votes):
            continue
        for spend in month:
            known = means.get((spend.offer, cheaper))
            if spend.quality != dearer or spend.offer.partition("/")[2] != model or known is None:
                continue
            saving = spend.amount_microusd - known.amount_microusd * spend.images // known.images
            if saving >= MIN_SAVING_MICROUSD:
                yield CheaperQuality(model, spend.offer, cheaper, dearer, good, all_votes, spend.images, saving)


def _compared_qualities(votes: Sequence[QualityVotes]) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(model, cheaper, dearer) -> how often the cheaper one won or tied, of how many answers."""
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in votes:
        if row.outcome == "both_bad" or {row.quality, row.other} - set(QUALITIES):
            continue
        is_first_cheaper = QUALITIES.index(row.quality) < QUALITIES.index(row.other)
        cheaper, dearer = (row.quality, row.other) if is_first_cheaper else (row.other, row.quality)
        is_good = row.outcome == "tie" or (row.outcome == "won") == is_first_cheaper
        found = sums[row.model, cheaper, dearer]
        found[0] += row.votes if is_good else 0
        found[1] += row.votes
    return {key: (good, all_votes) for key, (good, all_votes) in sums.items()}


def is_carried(good: int, votes: int) -> bool:
    """Whether so many of so many would be a surprise if the truth were only `WORTH`: exact, one-sided."""
    return tail(good, votes, WORTH) <= DOUBT


def tail(good: int, votes: int, share: float) -> float:
    """The chance of at least `good` of `votes` when each comes with probability `share`."""
    return sum(math.comb(votes, k) * share**k * (1 - share) ** (votes - k) for k in range(good, votes + 1))


def _off(compared: Sequence[Compared]) -> Iterator[EstimateOff]:
    for one in compared:
        percent = round(100 * (one.actual_microusd - one.estimate_microusd) / one.estimate_microusd)
        if one.lines >= MIN_RUNS and abs(percent) >= MIN_OFF_PERCENT:
            yield EstimateOff(one.offer, one.lines, percent)
