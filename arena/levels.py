"""What competes on a board: a model, a model at a provider, or a model at a quality. Pure."""

from __future__ import annotations

from typing import Literal

from providers.catalog import Catalog, UnknownOffer

Level = Literal["offer", "model", "model-quality"]


def competitor(catalog: Catalog, level: Level, offer_id: str, quality: str) -> str:
    """Who competes for an image that `offer_id` made when it was asked for `quality`: an id that also an export can hold."""
    if level == "offer":
        return offer_id
    model = _model_of(catalog, offer_id)
    return model if level == "model" else f"{model} {quality}"


def name_of(catalog: Catalog, level: Level, competitor_id: str) -> tuple[str, str]:
    """Name of the model and of what tells it from its like: provider or quality; the latter may be empty."""
    if level == "offer":
        try:
            offer = catalog.offer(competitor_id)
        except UnknownOffer:
            provider, _, model = competitor_id.partition("/")
            known_as = {row.provider_id: row.name for row in catalog.providers}
            return model or competitor_id, known_as.get(provider, provider)
        name, provider = catalog.spec(offer).name, catalog.provider(offer.provider_id).name
        return name, "" if name.startswith(provider) else provider
    model_id, quality = competitor_id.rsplit(" ", 1) if level == "model-quality" else (competitor_id, "")
    known = catalog.model(model_id)
    return known.name if known else model_id, quality


def _model_of(catalog: Catalog, offer_id: str) -> str:
    try:
        return catalog.offer(offer_id).model_id
    except UnknownOffer:
        return offer_id.partition("/")[2] or offer_id
