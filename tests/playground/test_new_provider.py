"""Adding a provider that speaks a known wire format is one row and its offers: no other line of the program knows its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from playground.plan import make_plan
from playground.settings import Settings
from providers.catalog import Catalog, ModelSpec, Offer, Price, Provider
from providers.rows import CATALOG
from providers.rows.compatible import server
from providers.types import ImageRequest
from storage.verify import verify
from tests.fakes import openai_facts
from tests.fakes.compatible_server import FakeCompatible
from tests.fakes.fal_server import FakeFal
from tests.fakes.lumenfall_server import FakeLumenfall
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.replicate_server import FakeReplicate
from tests.fakes.runware_server import FakeRunware
from tests.harness import Harness
from tests.playground.test_gateways import IMAGES, check_kept
from ui.plain_documents import catalog_document

Make = Callable[..., Harness]
FOX = ImageRequest("A red fox", quality="low", size="1024x1024")


def known(model_id: str) -> ModelSpec:
    row = CATALOG.model(model_id)
    assert row is not None
    return row


# A model of another maker, whose rules and price nobody has: free sizes in steps of 32, one call for each image.
PAINT = replace(
    known("gpt-image-2"),
    model_id="paint-1",
    name="Paint 1",
    family="Paint",
    maker="Acme",
    snapshots=("paint-1-2027-01-01",),
    sizes=replace(known("gpt-image-2").sizes, multiple=32, suggested=("1280x768",)),
    qualities=("auto", "low"),
    max_n=3,
    max_n_per_call=1,
    max_images=2,
    mask=False,
)
ACME = Provider(
    provider_id="acme",
    name="Acme",
    adapter="openai",
    base_url="https://api.acme.example/v1",
    base_url_variable="ACME_BASE_URL",
    key_variable="ACME_KEY",
    upload_url_variable="ACME_UPLOAD_URL",
)
PRICE = Price("acme/paint-1@2027-01-01", date(2027, 1, 1), "Acme's page", image_out=Decimal("60"))


def with_acme(*offers: Offer, **changes: Any) -> Catalog:
    """The catalogue with one more model, and one more provider that sells it and what else is given."""
    catalog = replace(CATALOG, models=(*CATALOG.models, PAINT))
    return catalog.with_provider(replace(ACME, **changes), (Offer("acme", "paint-1", "acme-paint", PRICE), *offers))


def started(harness: Make, catalog: Catalog, fake: Any, **environ: str) -> Harness:
    """The application with the new provider set by its own variables."""
    settings = Settings.from_env({"ACME_BASE_URL": f"{fake.base_url}/", "ACME_KEY": fake.key, **environ}, catalog)
    keys = {name: secret.reveal() for name, secret in settings.keys.items()}
    upload = dict(settings.upload_urls)
    return harness(catalog=catalog, urls=settings.base_urls, key=None, keys=keys, upload_urls=upload)


@pytest.mark.asyncio
async def test_a_new_model_at_a_new_provider_is_planned_priced_made_and_stored(harness: Make) -> None:
    models = {**openai_facts.LIVING_MODELS, "acme-paint": openai_facts.TWO}
    with FakeOpenAI(key="acme-key-0123456789", models=models) as fake:
        one = started(harness, with_acme(), fake)
        (view,) = await one.run(replace(FOX, n=3, size="1280x768"), "acme/paint-1")
        (edit,) = await one.run(replace(FOX, aspect_ratio="16:9", size=None, images=IMAGES[:2]), "acme/paint-1")
        await one.stop()
        assert fake.violations == []
        assert fake.posts == 4
        assert len(fake.served) == 4
    assert (view.run.state, edit.run.state, len(view.images), len(edit.images)) == ("succeeded", "succeeded", 3, 1)
    assert view.run.estimate_microusd == view.cost_microusd
    assert (view.cost_source, view.ledger_state) == ("computed", "settled")
    # 16:9 in steps of 32 px.
    assert (edit.images[0].width, edit.images[0].height) == (1376, 768)
    assert verify(one.services.store) == []


def test_its_limits_are_checked_and_its_offers_listed() -> None:
    catalog = with_acme()
    bad = replace(FOX, n=4, quality="high", size="1360x768", images=IMAGES, mask=IMAGES[0], lock_outside_mask=False)
    (run,) = make_plan(bad, ("acme/paint-1",), catalog).runs
    assert [problem.field for problem in run.problems] == ["n", "size", "quality", "images", "mask"]
    assert all("Paint 1" in problem.message for problem in run.problems)
    document = catalog_document(catalog)
    names = {row["offer"]: row for row in document["offers"]}
    assert "acme/paint-1" in names
    assert "paint-1" in [row["model"] for row in document["models"]]
    assert "acme" in [row["provider"] for row in document["providers"]]


FORMATS: dict[str, tuple[Callable[[], Any], str]] = {
    "openai": (FakeOpenAI, "gpt-image-1.5"),
    "replicate": (lambda: FakeReplicate(polls=1), "gpt-image-1.5"),
    "runware": (lambda: FakeRunware(polls=1), "gpt-image-1.5"),
    "lumenfall": (FakeLumenfall, "gpt-image-1.5"),
    "fal": (lambda: FakeFal(polls=1), "gpt-image-1.5"),
}


@pytest.mark.parametrize("wire_format", FORMATS)
@pytest.mark.asyncio
async def test_each_wire_format_works_under_another_name(wire_format: str, harness: Make) -> None:
    start, model_id = FORMATS[wire_format]
    seller, sold = CATALOG.provider(wire_format), CATALOG.offer(f"{wire_format}/{model_id}")
    catalog = with_acme(replace(sold, provider_id="acme"), adapter=seller.adapter, auth=seller.auth)
    with start() as fake:
        upload = {"ACME_UPLOAD_URL": fake.rest_url} if wire_format == "fal" else {}
        one = started(harness, catalog, fake, **upload)
        (view,) = await one.run(replace(FOX, n=2, images=IMAGES), f"acme/{model_id}")
        await one.stop()
        check_kept(view, fake)
    assert view.run.offer == f"acme/{model_id}"
    assert view.cost_microusd is not None or wire_format == "replicate"


@pytest.mark.asyncio
async def test_a_known_server_can_be_a_row_with_offers_of_its_own(harness: Make) -> None:
    """A server's row has no models; an offer beside it gives one of them limits and a price."""
    spec = replace(PAINT, qualities=(), backgrounds=(), formats=(), moderation=(), max_n_per_call=4, takes_user=False)
    row = server("acme", "Acme", "http://127.0.0.1:9", key_variable="ACME_KEY", base_url_variable="ACME_BASE_URL")
    free = Price("acme/paint-1@2027-01-01", PRICE.valid_from, "our own machine")
    catalog = CATALOG.with_provider(row, (Offer("acme", "paint-1", "local-model", free, spec),))
    catalog = replace(catalog, models=(*catalog.models, PAINT))
    with FakeCompatible(key="acme-key-0123456789") as fake:
        one = started(harness, catalog, fake)
        (view,) = await one.run(ImageRequest("A red fox", n=3, size="1280x768"), "acme/paint-1")
        await one.stop()
        check_kept(view, fake)
    assert (view.run.estimate_microusd, view.cost_microusd, view.ledger_state) == (0, 0, "settled")


@pytest.mark.asyncio
async def test_an_error_and_a_missing_key_name_the_new_provider(harness: Make) -> None:
    with FakeOpenAI(key="acme-key-0123456789") as fake:
        one = started(harness, with_acme(), fake, ACME_KEY="another-key-0123456789")
        (view,) = await one.run(FOX, "acme/paint-1")
        await one.stop()
    assert view.run.error is not None
    assert (view.run.error.kind, view.run.state) == ("auth", "failed")
    assert view.run.error.message.startswith("Acme refused the key.")
