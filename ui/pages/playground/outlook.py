"""What the form says for the values it holds: offers with prices, which controls show, the words on Run. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from playground.plan import Plan, make_plan
from providers.catalog import Catalog, ModelSpec, Offer, UnknownOffer
from providers.checks import Problem, retirement_note
from providers.pricing import Estimate, estimate
from providers.rows import DEFAULT_MODEL
from providers.sizes import nearest_size, parse_size, size_problem
from providers.types import ImageRequest
from ui import forms, views
from ui.forms import Controls, FormValues

QUALITY_WORDS = {"low": "Low", "medium": "Medium", "high": "High", "xhigh": "Extra high", "max": "Max", "auto": "Auto"}
QUALITY_ORDER = tuple(QUALITY_WORDS)
MODELS_PICK = "model’s pick"
SOME_MODELS = "some models"


@dataclass(frozen=True, slots=True)
class Sources:
    """What the offers are judged by: the catalogue, the providers with a key, and the day."""

    catalog: Catalog
    ready: frozenset[str]
    """provider_id of each provider that has a key or needs none."""
    today: date


@dataclass(frozen=True, slots=True)
class Outlook:
    """The form's words for one set of values."""

    values: FormValues
    """As given, without offers that cannot be used now."""
    controls: Controls
    plan: Plan
    rows: tuple[dict[str, object], ...]
    """One for each offer, for the list under Where."""
    qualities: tuple[tuple[str, str], ...]
    """Label and value of each choice."""
    run_label: str
    size_note: str
    """Why the size is not possible; empty when it is."""
    size_snap: str | None
    """The nearest size that is."""
    problems: tuple[str, ...]
    """What stands in the way, without what is told beside prompt and size."""


def outlook_of(values: FormValues, sources: Sources) -> Outlook:
    """Everything the form shows for these values."""
    values = replace(values, offers=tuple(name for name in values.offers if is_usable(name, sources)))
    specs = specs_of(values.offers, sources.catalog)
    controls = forms.controls_of(specs, values)
    images = [forms.stand_in(reference) for reference in values.references]
    request = forms.request_of(values, controls, images, forms.stand_in(values.mask) if values.mask else None)
    plan = make_plan(request, values.offers, sources.catalog)
    note, snap = size_advice(values.size, specs)
    return Outlook(
        values=values,
        controls=controls,
        plan=plan,
        rows=tuple(offer_rows(values, request, sources)),
        qualities=tuple(_quality_choices(values, controls, request, sources.catalog)),
        run_label=views.run_label(len(plan.runs), plan.low_microusd, plan.high_microusd),
        size_note=note,
        size_snap=snap,
        problems=tuple(dict.fromkeys(_shown_problems(plan))),
    )


def is_usable(offer_id: str, sources: Sources) -> bool:
    """Whether the offer can be run now: its provider has a key and its model has not been switched off."""
    try:
        offer = sources.catalog.offer(offer_id)
    except UnknownOffer:
        return False
    return offer.provider_id in sources.ready and not sources.catalog.spec(offer).is_retired(sources.today)


def specs_of(offers: Collection[str], catalog: Catalog) -> list[ModelSpec]:
    """The models of the offers."""
    return [catalog.spec(catalog.offer(name)) for name in offers]


def free_offers(sources: Sources) -> list[str]:
    """Usable offers that cost nothing."""
    return [
        offer.offer_id
        for offer in sources.catalog.offers
        if offer.price and offer.price.is_free and is_usable(offer.offer_id, sources)
    ]


def default_offer(sources: Sources) -> str | None:
    """The offer of the default model at the first provider that has a key, or `None`."""
    for offer in sources.catalog.offers:
        if offer.model_id == DEFAULT_MODEL and is_usable(offer.offer_id, sources):
            return offer.offer_id
    return None


def are_free(offers: Collection[str], sources: Sources) -> bool:
    """Whether there are offers and all of them are free."""
    return bool(offers) and set(offers) <= set(free_offers(sources))


# Offers


def offer_rows(values: FormValues, request: ImageRequest, sources: Sources) -> list[dict[str, object]]:
    """The list under Where: what can be ticked first, what needs a key next, what has ended last."""
    typed = [name for name in values.offers if name not in {offer.offer_id for offer in sources.catalog.offers}]
    offers = [*sources.catalog.offers, *(sources.catalog.offer(name) for name in typed)]
    rows = [_offer_row(offer, request, sources) for offer in offers]
    return sorted(rows, key=lambda row: (bool(row["retired"]), not row["ready"]))


def _offer_row(offer: Offer, request: ImageRequest, sources: Sources) -> dict[str, object]:
    spec, provider = sources.catalog.spec(offer), sources.catalog.provider(offer.provider_id)
    retired = spec.is_retired(sources.today)
    expected = estimate(request, spec, offer)
    return {
        "offer": offer.offer_id,
        "model": spec.name,
        "provider": "" if spec.name.startswith(provider.name) else provider.name,
        "ready": offer.provider_id in sources.ready and not retired,
        "has_key": offer.provider_id in sources.ready,
        "retired": retired,
        "note": retirement_note(spec, sources.today) or spec.note,
        "price": views.at_most(expected.low_microusd, expected.high_microusd),
        "key_link": f"#settings/{offer.provider_id}",
    }


def hand_typed_providers(sources: Sources) -> list[dict[str, str]]:
    """Providers that take a model id outside the catalogue."""
    return [
        {"id": provider.provider_id, "name": provider.name}
        for provider in sources.catalog.providers
        if provider.accepts_any_model and provider.provider_id in sources.ready
    ]


# Prices


def _quality_choices(
    values: FormValues, controls: Controls, request: ImageRequest, catalog: Catalog
) -> list[tuple[str, str]]:
    offered = {*controls.qualities, values.quality}
    return [
        (f"{QUALITY_WORDS[quality]}\n{_quality_figure(quality, values, request, catalog)}", quality)
        for quality in QUALITY_ORDER
        if quality in offered
    ]


def _quality_figure(quality: str, values: FormValues, request: ImageRequest, catalog: Catalog) -> str:
    if not values.offers or quality == "auto":
        return MODELS_PICK if quality == "auto" else "–"
    if any(quality not in spec.qualities for spec in specs_of(values.offers, catalog)):
        return SOME_MODELS
    return views.at_most(*total(_estimates(replace(request, quality=quality), values.offers, catalog)))


def _estimates(request: ImageRequest, offers: Sequence[str], catalog: Catalog) -> list[Estimate]:
    found = [catalog.offer(name) for name in offers]
    return [estimate(request, catalog.spec(offer), offer) for offer in found]


def total(estimates: Sequence[Estimate]) -> tuple[int | None, int | None]:
    """The least and the most that they come to; `None` when one is not known."""
    lows = [item.low_microusd for item in estimates]
    highs = [item.high_microusd for item in estimates]
    return _sum(lows), _sum(highs)


def _sum(amounts: Sequence[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


# Problems


def size_advice(size: str, specs: Sequence[ModelSpec]) -> tuple[str, str | None]:
    """Why the size does not suit some ticked model, and the nearest that suits that model."""
    for spec in specs:
        message = size_problem(size, spec.sizes)
        if message:
            wanted = parse_size(size)
            return f"{spec.name}: {message}", nearest_size(wanted, spec.sizes) if wanted else None
    return "", None


def _shown_problems(plan: Plan) -> list[str]:
    """Problems that are not told beside their field: those of the prompt and the size are."""
    return [problem.message for problem in plan.all_problems if problem.field not in ("prompt", "size")]


def prompt_problem(plan: Plan) -> str:
    """What is wrong with the prompt; empty when nothing is."""
    return next((problem.message for problem in plan.all_problems if problem.field == "prompt"), "")


def first_field(problems: Sequence[Problem]) -> str:
    """The field to lead the eye to."""
    return problems[0].field if problems else ""
