"""Catalogues in which an offer makes one image for each call, so that a run is made of several calls at any provider."""

from __future__ import annotations

from dataclasses import replace

from providers.catalog import Catalog, Offer


def split_in_ones(catalog: Catalog, offer_id: str) -> Catalog:
    """The catalogue with that change of one row."""

    def changed(offer: Offer) -> Offer:
        if offer.offer_id != offer_id:
            return offer
        return replace(offer, spec=replace(catalog.spec(offer), max_n_per_call=1))

    return Catalog(catalog.providers, catalog.models, tuple(changed(offer) for offer in catalog.offers))
