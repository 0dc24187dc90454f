"""One model at several providers: what each asked, took, delivered and changed, and a sentence of what was found. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.asked import request_of
from playground.plan import plan_run
from providers.catalog import Catalog, UnknownOffer
from providers.types import FieldHandling, InputImage
from storage.records import OPEN_STATES, RunView
from ui import views
from ui.naming import format_word, offer_names

Json = dict[str, object]

_CHANGED = ("converted", "emulated", "refused")
_FAR_APART = 1.05
"""Ratio from which one provider is called cheaper or faster than another."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A run with the names that stand for it."""

    run: RunView
    provider: str
    changed: str


def is_parity(runs: Sequence[RunView]) -> bool:
    """Whether these runs asked one model for one prompt at two or more providers."""
    offers = {run.run.offer for run in runs}
    models = {offer.partition("/")[2] for offer in offers}
    return len(offers) > 1 and len(models) == 1 and len({run.run.prompt for run in runs}) == 1


def parity_view(runs: Sequence[RunView], catalog: Catalog) -> Json | None:
    """The table under a press that asked one model at several providers, once all have ended; `None` otherwise."""
    if not is_parity(runs) or any(run.run.state in OPEN_STATES for run in runs):
        return None
    seen = [_Seen(run, _provider(run, catalog), _changed(run, catalog)) for run in runs]
    return {"rows": [_row(one) for one in seen], "finding": finding(seen)}


def _row(one: _Seen) -> Json:
    run, image = one.run, one.run.images[0] if one.run.images else None
    estimate = run.run.estimate_microusd
    return {
        "provider": one.provider,
        "asked": "unknown" if estimate is None else views.cost(estimate) if estimate else "free",
        "paid": _paid(run),
        "time": views.seconds(run.run.latency_ms) or "–",
        "preview": views.seconds(run.run.first_preview_ms) or "none",
        "got": f"{views.size(image.width, image.height)} {format_word(image.media_type)}" if image else "nothing",
        "bytes": views.bytes_text(image.size_bytes) if image else "–",
        "changed": one.changed or "nothing",
    }


def _paid(run: RunView) -> str:
    if run.ledger_state == "released":
        return "$0"
    if run.cost_microusd is None or run.ledger_state == "unknown":
        return "unknown"
    return f"{views.cost(run.cost_microusd)} {run.cost_source}" if run.cost_microusd else "free"


def _changed(run: RunView, catalog: Catalog) -> str:
    """Fields that this provider does not take as they were asked."""
    images = [InputImage(b"", item.media_type, item.width, item.height, item.sha256) for item in run.inputs]
    try:
        offer = catalog.offer(run.run.offer)
    except UnknownOffer:
        return ""
    fields = plan_run(request_of(run.run.asked, images, None), offer, catalog).fields
    asked = [row for row in fields if row.asked not in (None, "auto")]
    return ", ".join(dict.fromkeys(_said(row) for row in asked if row.handling in _CHANGED))


def _said(row: FieldHandling) -> str:
    return f"{row.field.replace('_', ' ')} {row.handling}"


def _provider(run: RunView, catalog: Catalog) -> str:
    model, provider = offer_names(run.run.offer, catalog)
    return provider or model


def finding(seen: Sequence[_Seen]) -> str:
    """What the runs show, in one sentence: who was the cheapest, who the fastest, who delivered something else."""
    made = [one for one in seen if one.run.images]
    failed = [one.provider for one in seen if not one.run.images]
    if not made:
        return "No provider made an image."
    parts = [
        _best(made, "the cheapest", _cost_of, views.cost),
        _best(made, "the fastest", _latency_of, views.seconds),
        _delivered(made),
        f"{' and '.join(failed)} made no image" if failed else "",
    ]
    told = "; ".join(part for part in parts if part)
    return f"{told[:1].upper()}{told[1:]}."


def _cost_of(one: _Seen) -> int | None:
    return one.run.cost_microusd


def _latency_of(one: _Seen) -> int | None:
    return one.run.run.latency_ms


def _best(made: Sequence[_Seen], word: str, figure: Callable[[_Seen], int | None], shown: Callable[[int], str]) -> str:
    known = sorted(
        ((value, one.provider) for one in made if (value := figure(one)) is not None), key=lambda item: item[0]
    )
    if len(known) < 2:
        return ""
    (least, first), (most, last) = known[0], known[-1]
    if most < least * _FAR_APART:
        return f"all {'cost' if word == 'the cheapest' else 'took'} about the same ({shown(least)})"
    return f"{first} was {word} ({shown(least)}, {last} {shown(most)})"


def _delivered(made: Sequence[_Seen]) -> str:
    got: dict[str, list[str]] = {}
    for one in made:
        image = one.run.images[0]
        got.setdefault(f"{views.size(image.width, image.height)} {format_word(image.media_type)}", []).append(
            one.provider
        )
    if len(got) == 1:
        return f"all delivered {next(iter(got))}"
    return ", ".join(f"{' and '.join(names)} delivered {what}" for what, names in got.items())
