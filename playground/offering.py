"""Which providers and models this installation offers."""

from __future__ import annotations

from dataclasses import replace

from playground.servers import with_servers
from playground.settings import Settings
from providers.catalog import Catalog


def catalog_of(settings: Settings, catalog: Catalog) -> Catalog:
    """The catalogue with the operator's servers, and without the Demo where it is off; always a new one, to be repriced."""
    return replace(with_servers(catalog if settings.demo else catalog.without("demo"), settings.servers))
