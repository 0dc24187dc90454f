"""The Demo provider: three drawn models behind OpenAI's own routes, answered in this process. Free, no key, no network."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from providers.catalog import ModelSpec, Offer, Price, Provider, SizeRule

PROVIDER = Provider(
    provider_id="demo",
    name="Demo",
    adapter="openai",
    base_url="http://demo.invalid/v1",
    base_url_variable=None,
    key_variable=None,
    auth="none",
    max_concurrent=3,
    is_here=True,
)

FREE = Price(
    price_id="demo@2026-11-21",
    valid_from=date(2026, 11, 21),
    source="drawn on this machine",
    text_in=Decimal(0),
    image_in=Decimal(0),
    image_out=Decimal(0),
    text_out=Decimal(0),
)


def _model(model_id: str, name: str) -> ModelSpec:
    return ModelSpec(
        model_id=model_id,
        name=name,
        family="Demo",
        maker="Diptych",
        released_on=date(2026, 11, 21),
        retires_on=None,
        source="providers/demo, 2026-11-21",
        qualities=("auto", "low", "medium", "high"),
        sizes=SizeRule(suggested=("2048x2048", "2048x1152", "3840x2160")),
        backgrounds=("auto", "opaque", "transparent"),
        formats=("png", "jpeg", "webp"),
        moderation=("auto", "low"),
        input_fidelity=("low", "high"),
        note="Drawn by this program, not by a model.",
    )


MODELS = (_model("painterly", "Demo, painterly"), _model("flat", "Demo, flat"), _model("sketch", "Demo, sketch"))

OFFERS = tuple(Offer(PROVIDER.provider_id, model.model_id, model.model_id, FREE) for model in MODELS)
