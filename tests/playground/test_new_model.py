"""Adding a model is one row and its offer: no other line of the program knows its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from providers.catalog import Catalog, Offer
from providers.rows import CATALOG
from tests.fakes import openai_facts
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, Harness
from ui.plain_documents import catalog_document


def with_a_new_model() -> Catalog:
    known = CATALOG.model("gpt-image-2")
    offer = CATALOG.offer("openai/gpt-image-2")
    assert known is not None
    assert offer.price is not None
    row = replace(known, model_id="gpt-image-3", name="GPT Image 3", snapshots=())
    price = replace(offer.price, price_id="openai/gpt-image-3@2027-01-01", image_out=Decimal("60.00"))
    return replace(
        CATALOG,
        models=(*CATALOG.models, row),
        offers=(*CATALOG.offers, Offer("openai", "gpt-image-3", "gpt-image-3", price)),
    )


@pytest.mark.asyncio
async def test_a_row_is_all_it_takes(harness: Callable[..., Harness]) -> None:
    models = {**openai_facts.LIVING_MODELS, "gpt-image-3": openai_facts.LIVING_MODELS["gpt-image-2"]}
    with FakeOpenAI(key=KEY, models=models) as fake:
        one = harness(openai_url=fake.base_url, catalog=with_a_new_model())
        view = await one.one(offer="openai/gpt-image-3", size="1024x1024", quality="low")
        await one.stop()
        assert fake.violations == []
    assert view.run.state == "succeeded"
    assert view.run.estimate_microusd == 196 * 60 + 3 * 5
    offers = catalog_document(one.services.catalog)["offers"]
    assert isinstance(offers, list)
    assert "openai/gpt-image-3" in [row["offer"] for row in offers]


@pytest.mark.asyncio
async def test_an_id_typed_by_hand_works_without_a_price(harness: Callable[..., Harness]) -> None:
    models = {**openai_facts.LIVING_MODELS, "gpt-image-9": openai_facts.LIVING_MODELS["gpt-image-2"]}
    with FakeOpenAI(key=KEY, models=models) as fake:
        one = harness(openai_url=fake.base_url)
        view = await one.one(offer="openai/gpt-image-9")
        await one.stop()
        assert fake.violations == []
    assert view.run.state == "succeeded"
    assert (view.run.estimate_microusd, view.cost_microusd, view.ledger_state) == (None, None, "unknown")
