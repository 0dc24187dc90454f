"""Advice in sentences, each with its sample. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from arena.coach import Advice, CheaperQuality, EstimateOff, UnknownCosts
from providers.catalog import Catalog
from ui import views
from ui.costs.views import QUALITY_WORDS
from ui.naming import offer_names


def sentences(advice: Sequence[Advice], catalog: Catalog, *, can_settle: bool = True) -> list[str]:
    """One sentence for each piece. `can_settle`: the reader may settle all by hand, as a visitor may not."""
    return [_sentence(one, catalog, can_settle=can_settle) for one in advice]


def _sentence(one: Advice, catalog: Catalog, *, can_settle: bool) -> str:
    match one:
        case CheaperQuality():
            cheaper, dearer = (QUALITY_WORDS.get(name, name) for name in (one.cheaper, one.dearer))
            return (
                f"{cheaper} won or tied {dearer.lower()} of {_named(one.offer, catalog)} in {one.won_or_tied} of {one.votes} "
                f"of your votes; making this month's {views.counted(one.images, 'image')} at {cheaper.lower()} would have "
                f"saved {views.dollars(one.saving_microusd)}."
            )
        case UnknownCosts():
            return (
                f"Nobody knows what {views.counted(one.runs, 'run')} cost; {views.dollars(one.held_microusd)} is held for them "
                + (
                    "and counts towards your limits until you settle them by hand."
                    if can_settle
                    else "until they are settled."
                )
            )
        case EstimateOff():
            than = "more" if one.percent > 0 else "less"
            return (
                f"{views.counted(one.runs, 'run')} of {_named(one.offer, catalog)} cost {abs(one.percent)} % {than} than "
                "estimated in the last 90 days; set an own price below if yours is another."
            )


def _named(offer: str, catalog: Catalog) -> str:
    model, provider = offer_names(offer, catalog)
    return f"{model} at {provider}" if provider else model
