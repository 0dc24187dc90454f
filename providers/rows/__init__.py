"""The catalogue's rows, one file for each maker or kind of server, and `CATALOG`, all of them together."""

from __future__ import annotations

from providers.catalog import Catalog
from providers.rows import demo, fal, lumenfall, openai, replicate, runware

CATALOG = Catalog(
    providers=(openai.PROVIDER, replicate.PROVIDER, runware.PROVIDER, lumenfall.PROVIDER, fal.PROVIDER, demo.PROVIDER),
    models=openai.MODELS + lumenfall.MODELS + demo.MODELS,
    offers=openai.OFFERS + replicate.OFFERS + runware.OFFERS + lumenfall.OFFERS + fal.OFFERS + demo.OFFERS,
)

DEFAULT_MODEL = "gpt-image-2.5-flare"
"""A living model, ticked first where its provider has a key."""

DEFAULT_QUALITY = "low"
"""Never the dearest by default."""
