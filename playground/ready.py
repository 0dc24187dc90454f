"""Which offers an owner can run now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from playground.keys import KeyFinder
from playground.services import Services
from providers.catalog import Catalog, Offer, UnknownOffer


@dataclass(frozen=True, slots=True)
class Sources:
    """What offers are judged by: the catalogue, the providers with a key, and the day."""

    catalog: Catalog
    ready: frozenset[str]
    """provider_id of each provider that has a key or needs none."""
    today: date

    def has_keys(self, offer: Offer) -> bool:
        """Whether every key that the offer needs is there: its provider's, and what the model wants beside it."""
        return {offer.provider_id, *offer.needs_key_of} <= self.ready

    def is_retired(self, offer: Offer) -> bool:
        """Whether the maker has switched its model off."""
        return self.catalog.spec(offer).is_retired(self.today)

    def is_usable(self, offer_id: str) -> bool:
        """Whether the offer can be run now."""
        try:
            offer = self.catalog.offer(offer_id)
        except UnknownOffer:
            return False
        return self.has_keys(offer) and not self.is_retired(offer)

    def usable(self) -> list[Offer]:
        """Offers of the catalogue that can be run now, in its order."""
        return [offer for offer in self.catalog.offers if self.is_usable(offer.offer_id)]


def sources_of(services: Services, owner: str, keys: KeyFinder | None = None) -> Sources:
    """What offers are judged by, for this owner and now. `keys`: those of one call; without them the owner's."""
    finder = keys or services.keys
    ready = [row.provider_id for row in services.catalog.providers if finder.find(row, owner) is not None]
    return Sources(services.catalog, frozenset(ready), services.clock().date())
