"""Models, providers and file formats in words. Pure."""

from __future__ import annotations

from providers.catalog import Catalog, UnknownOffer


def offer_names(offer_id: str, catalog: Catalog) -> tuple[str, str]:
    """Names of the model and its provider; an offer nobody sells any more keeps its ids."""
    provider_id, _, model_id = offer_id.partition("/")
    try:
        offer = catalog.offer(offer_id)
    except UnknownOffer:
        return model_id or offer_id, provider_id
    model, provider = catalog.spec(offer).name, catalog.provider(offer.provider_id).name
    return model, "" if model.startswith(provider) else provider


def format_word(media_type: str) -> str:
    """`PNG`, `JPEG`, `WebP`, of a media type."""
    name = media_type.partition("/")[2]
    return {"webp": "WebP"}.get(name, name.upper())
