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
    served: frozenset[str] = frozenset()
    """offer_id of each offer that this server pays for, though its provider has no key of the owner's."""

    def has_provider(self, offer: Offer) -> bool:
        """Whether the offer's own provider has a key, or this server pays."""
        return offer.provider_id in self.ready or offer.offer_id in self.served

    def missing(self, offer: Offer) -> list[str]:
        """provider_id of each other provider whose key the offer needs and that is not there."""
        return [] if offer.offer_id in self.served else [name for name in offer.needs_key_of if name not in self.ready]

    def has_keys(self, offer: Offer) -> bool:
        """Whether every key that the offer needs is there: its provider's, and what the model wants beside it."""
        return self.has_provider(offer) and not self.missing(offer)

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
    served = [offer.offer_id for offer in services.catalog.offers if _is_served(services, finder, offer, owner)]
    return Sources(services.catalog, frozenset(ready), services.clock().date(), frozenset(served))


def _is_served(services: Services, keys: KeyFinder, offer: Offer, owner: str) -> bool:
    """Whether every key that the offer needs is the server's, and it may pay."""
    rows = [services.catalog.provider(name) for name in (offer.provider_id, *offer.needs_key_of)]
    found = [keys.find_for(offer, row, owner) for row in rows]
    return services.settings.mode == "public" and all(key is not None and key.source == "server" for key in found)
