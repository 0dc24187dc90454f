"""Servers that speak OpenAI's image routes, as their owner names them: no offers and no prices, any model id.

Source: documents of LocalAI, vLLM-Omni, SGLang, LiteLLM, stable-diffusion.cpp and Aquiles-Image, read 2026-11-21.
"""

from __future__ import annotations

from dataclasses import replace

from providers.adapters.compatible import REFERENCES, CompatibleFacts
from providers.catalog import ModelSpec, Provider, SizeRule

USUAL_FACTS = CompatibleFacts()
MAX_N = 10
USUAL_N = 4
"""All known servers take four. One at a time would give equal images where a server draws with one fixed seed; ten are
clamped by some, and on one graphics card take longer than the time limit."""

DEFAULT_SPEC = ModelSpec(
    model_id="",
    name="",
    family="typed by hand",
    maker="",
    released_on=None,
    retires_on=None,
    source="typed by hand",
    # Nothing is listed, because servers differ in every optional field and many refuse those they do not know.
    qualities=(),
    sizes=SizeRule(multiple=1, min_area=1, max_area=2**26, max_edge=8192, max_ratio=8192),
    backgrounds=(),
    formats=(),
    moderation=(),
    input_fidelity=(),
    max_n=MAX_N,
    max_n_per_call=USUAL_N,
    max_partials=0,
    mask=False,
    mask_hint="If the server does take one, say in DIPTYCH_SERVERS what its field is called, as in mask=mask.",
    takes_user=False,
    takes_compression=False,
    passes_unlisted=True,
    note="The server has the last word: limits and price are unknown.",
)


def server(
    provider_id: str,
    name: str,
    base_url: str,
    *,
    key_variable: str | None,
    base_url_variable: str | None = None,
    facts: CompatibleFacts = USUAL_FACTS,
    has_edits: bool = True,
    max_n: int = USUAL_N,
) -> Provider:
    """The row of a server that its owner named. An address without a path is taken to mean `/v1` below it.

    `max_n`: images of one call.
    """
    spec = replace(DEFAULT_SPEC, max_n_per_call=max_n)
    if not has_edits:
        spec = replace(spec, max_images=0, mask_hint="")
    elif facts.images_field == REFERENCES:
        spec = replace(spec, mask_hint="References in a generation have none.")
    elif facts.mask_field is not None:
        spec = replace(spec, mask=True, mask_hint="")
    return Provider(
        provider_id=provider_id,
        name=name,
        adapter="compatible",
        base_url=base_url_of(base_url),
        base_url_variable=base_url_variable,
        key_variable=key_variable,
        auth="bearer",
        max_concurrent=2,
        accepts_any_model=True,
        key_is_optional=True,
        default_spec=spec,
        default_facts=facts,
    )


def base_url_of(text: str) -> str:
    """The address as calls need it: no trailing slash, and `/v1` where no path was given, as every known server has."""
    address = text.strip().rstrip("/")
    scheme, separator, rest = address.partition("://")
    return f"{address}/v1" if separator and scheme and rest and "/" not in rest else address
