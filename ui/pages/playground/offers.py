"""The list under Where: models by family with the providers that sell each; what needs a key; what has ended. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain, zip_longest

from playground.ready import Sources
from providers.catalog import Catalog, ModelSpec, Offer, Provider
from providers.checks import retirement_note
from providers.pricing import estimate
from providers.rows import DEFAULT_MODEL
from providers.types import ImageRequest
from ui import views

Json = dict[str, object]

SUGGESTED = 12
"""At most so many offers are named to fill a short list with."""


def specs_of(offers: Collection[str], catalog: Catalog) -> list[ModelSpec]:
    """The models of the offers."""
    return [catalog.spec(catalog.offer(name)) for name in offers]


def free_offers(sources: Sources) -> list[str]:
    """Usable offers that cost nothing."""
    return [offer.offer_id for offer in sources.usable() if offer.price and offer.price.is_free]


def default_offer(sources: Sources) -> str | None:
    """The offer of the default model at the first provider that has a key, or `None`."""
    return next((offer.offer_id for offer in sources.usable() if offer.model_id == DEFAULT_MODEL), None)


def are_free(offers: Collection[str], sources: Sources) -> bool:
    """Whether there are offers and all of them are free."""
    return bool(offers) and set(offers) <= set(free_offers(sources))


# What is shown


def offers_view(ticked: Sequence[str], request: ImageRequest, sources: Sources) -> Json:
    """All offers as the list draws them. `ticked` also brings in model ids typed by hand."""
    catalog = sources.catalog
    listed = {offer.offer_id for offer in catalog.offers}
    offers = [*catalog.offers, *(catalog.offer(name) for name in ticked if name not in listed)]
    living = [offer for offer in offers if not sources.is_retired(offer)]
    families = _families([offer for offer in living if sources.has_provider(offer)], request, sources)
    return {
        "families": families,
        "suggested": suggested([offer for offer in living if sources.has_keys(offer)], catalog),
        "keyless": _keyless(living, sources),
        "typed": takers_of_any_model(sources),
        "retired": _retired([offer for offer in offers if sources.is_retired(offer)], sources),
    }


def _families(offers: Sequence[Offer], request: ImageRequest, sources: Sources) -> list[Json]:
    """Family, model and provider, each in the order of the catalogue, whose newest models come first."""
    catalog = sources.catalog
    found: dict[str, dict[str, Json]] = {}
    sold: dict[str, list[Json]] = {}
    for offer in offers:
        spec, provider = catalog.spec(offer), catalog.provider(offer.provider_id)
        model = catalog.model(offer.model_id) or spec
        is_typed = catalog.model(offer.model_id) is None
        family = f"{provider.name}, typed by hand" if is_typed else model.family
        key = offer.offer_id if is_typed else model.model_id
        found.setdefault(family, {}).setdefault(
            key, {"id": key, "name": model.name, "note": retirement_note(model, sources.today) or ""}
        )
        sold.setdefault(key, []).append(_offer(offer, model, request, sources))
    return [
        {"name": family, "models": [model | {"offers": sold[key]} for key, model in models.items()]}
        for family, models in found.items()
    ]


def _offer(offer: Offer, model: ModelSpec, request: ImageRequest, sources: Sources) -> Json:
    spec, provider = sources.catalog.spec(offer), sources.catalog.provider(offer.provider_id)
    expected = estimate(request, spec, offer)
    missing = sources.missing(offer)
    return {
        "offer": offer.offer_id,
        # A model whose name begins with its provider's says it already.
        "provider": provider.name,
        "shown_provider": "" if model.name.startswith(provider.name) else provider.name,
        "ready": not missing,
        "price": views.at_most(expected.low_microusd, expected.high_microusd),
        "hint": views.sentence([spec.note, provider.note]),
        "second_key": _second_key(offer, missing, sources.catalog),
        "key_link": f"#settings/{missing[0]}" if missing else "",
    }


def _second_key(offer: Offer, missing: Sequence[str], catalog: Catalog) -> str:
    """That the offer runs on a key of another provider too; empty when it does not."""
    names = " and ".join(catalog.provider(name).name for name in offer.needs_key_of)
    if not names:
        return ""
    return f"needs your {names} key too" if missing else f"runs on your {names} key too"


def suggested(offers: Iterable[Offer], catalog: Catalog) -> list[str]:
    """Offers to fill a short list with: of each provider its best, then of each its next, and so on."""
    by_provider: dict[str, list[Offer]] = {}
    for offer in offers:
        by_provider.setdefault(offer.provider_id, []).append(offer)
    for sold in by_provider.values():
        sold.sort(key=lambda offer: (offer.model_id != DEFAULT_MODEL, catalog.spec(offer).retires_on is not None))
    turns = chain.from_iterable(zip_longest(*by_provider.values()))
    return [offer.offer_id for offer in turns if offer is not None][:SUGGESTED]


def _keyless(offers: Sequence[Offer], sources: Sources) -> list[Json]:
    """Each provider without a key once, with how many models it sells."""
    return [
        {
            "id": provider.provider_id,
            "name": provider.name,
            "models": views.counted(sum(offer.provider_id == provider.provider_id for offer in offers), "model"),
            "key_link": f"#settings/{provider.provider_id}",
        }
        for provider in sources.catalog.providers
        if provider.provider_id not in sources.ready
    ]


def _retired(offers: Iterable[Offer], sources: Sources) -> list[Json]:
    specs = {spec.name: spec for offer in offers if (spec := _maker_spec(offer, sources.catalog))}
    return [{"name": name, "note": retirement_note(spec, sources.today) or ""} for name, spec in specs.items()]


def _maker_spec(offer: Offer, catalog: Catalog) -> ModelSpec:
    return catalog.model(offer.model_id) or catalog.spec(offer)


def takers_of_any_model(sources: Sources) -> list[Json]:
    """Ready providers that take a model id outside the catalogue, the operator's own servers first."""
    found = [row for row in sources.catalog.providers if row.accepts_any_model and row.provider_id in sources.ready]
    return [
        {"id": provider.provider_id, "name": provider.name, "is_server": _is_server(provider)}
        for provider in sorted(found, key=lambda provider: not _is_server(provider))
    ]


def _is_server(provider: Provider) -> bool:
    return provider.key_is_optional
