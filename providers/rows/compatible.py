"""Servers that speak OpenAI's image routes, as their owner names them: no offers and no prices, any model id.

Source: documents of LocalAI, vLLM-Omni, SGLang, LiteLLM, stable-diffusion.cpp and Aquiles-Image, read 2026-11-21.
"""

from __future__ import annotations

from providers.catalog import ModelSpec, Provider, SizeRule

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
    max_n=10,
    # All known servers take four. One at a time would give equal images where a server draws with one fixed seed; ten
    # are clamped by some, and on one graphics card take longer than the time limit.
    max_n_per_call=4,
    max_partials=0,
    mask=True,
    takes_user=False,
    takes_compression=False,
    passes_unlisted=True,
    note="The server has the last word: limits and price are unknown.",
)


def server(
    provider_id: str, name: str, base_url: str, *, key_variable: str | None, base_url_variable: str | None = None
) -> Provider:
    """The row of a server that its owner named. An address without a path is taken to mean `/v1` below it."""
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
        default_spec=DEFAULT_SPEC,
    )


def base_url_of(text: str) -> str:
    """The address as calls need it: no trailing slash, and `/v1` where no path was given, as every known server has."""
    address = text.strip().rstrip("/")
    scheme, separator, rest = address.partition("://")
    return f"{address}/v1" if separator and scheme and rest and "/" not in rest else address
