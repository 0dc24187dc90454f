"""GIF and AVIF where a provider makes none: its own file is kept as it came, and the one asked for lies beside it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from playground.plan import make_plan
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage.images import read_header
from storage.records import RunView
from storage.verify import verify
from tests.fakes.compatible_server import FakeCompatible
from tests.fakes.fal_server import FakeFal
from tests.fakes.lumenfall_server import FakeLumenfall
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.replicate_server import FakeReplicate
from tests.fakes.runware_server import FakeRunware
from tests.harness import KEY, Harness
from tests.playground.test_gateways import check_kept
from tests.playground.test_own_servers import named
from ui.documents import run_document

Make = Callable[..., Harness]
Started = tuple[Harness, Any]

FORMATS = ["gif", "avif"]
FOX = ImageRequest("A red fox", n=2, quality="low", size="1024x1024")
MAKERS = {"openai": FakeOpenAI, "replicate": FakeReplicate, "runware": FakeRunware, "fal": FakeFal}
MAKERS |= {"lumenfall": FakeLumenfall, "sd": FakeCompatible}


@pytest.fixture
def start(harness: Make) -> Iterator[Callable[[str], Started]]:
    """The application with one provider's fake."""
    with ExitStack() as running:

        def begin(provider_id: str) -> Started:
            if provider_id == "sd":
                server = running.enter_context(FakeCompatible())
                return named(harness, server), server
            fake = running.enter_context(MAKERS[provider_id]())
            keys = {"openai": KEY, provider_id: fake.key}
            return harness(urls={provider_id: fake.base_url}, keys=keys), fake

        yield begin


def check_magic(data: bytes, form: str) -> None:
    assert data[:6] in (b"GIF87a", b"GIF89a") if form == "gif" else data[4:12] in (b"ftypavif", b"ftypavis")


def pixels(data: bytes) -> Any:
    with Image.open(io.BytesIO(data)) as image:
        return numpy.asarray(image.convert("RGBA")).astype(int)


def files_of(view: RunView, one: Harness) -> Iterator[tuple[bytes, bytes, Any]]:
    """Of each image: the provider's file, the one beside it, and its document."""
    document = run_document(view, one.services)
    assert isinstance(document["images"], list)
    for told in document["images"]:
        yield Path(told["path"]).read_bytes(), Path(told["converted_path"]).read_bytes(), told


OFFERS = [
    "openai/gpt-image-2",
    "replicate/gpt-image-2",
    "runware/gpt-image-1-mini",
    "fal/gpt-image-1.5",
    "sd/local-model",
]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.asyncio
async def test_the_original_is_kept_and_the_other_format_lies_beside_it(
    offer: str, form: str, start: Callable[[str], Started]
) -> None:
    one, fake = start(offer.partition("/")[0])
    request = (
        replace(FOX, output_format=form)
        if not offer.startswith("sd/")
        else ImageRequest("A fox", n=2, output_format=form)
    )
    (view,) = await one.run(request, offer)
    await one.stop()
    check_kept(view, fake)
    assert view.run.asked["output_format"] == form
    for image, (original, beside, told) in zip(view.images, files_of(view, one), strict=True):
        assert original in fake.served
        assert image.media_type == told["media_type"] == "image/png"
        check_magic(beside, form)
        assert told["converted_path"].endswith(f".{form}")
        header = read_header(beside)
        assert (header.media_type, header.width, header.height) == (f"image/{form}", image.width, image.height)
        assert b"c2pa" not in beside.lower()
        assert abs(pixels(original) - pixels(beside))[..., :3].mean() < 8
    assert verify(one.services.store) == []


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("offer", ["openai/gpt-image-1.5", "runware/gpt-image-2.5-flare", "lumenfall/gpt-image-1.5"])
@pytest.mark.asyncio
async def test_what_is_transparent_stays_so_as_far_as_the_format_can(
    offer: str, form: str, start: Callable[[str], Started]
) -> None:
    one, fake = start(offer.partition("/")[0])
    (view,) = await one.run(replace(FOX, n=1, background="transparent", output_format=form), offer)
    await one.stop()
    check_kept(view, fake)
    (image,) = view.images
    assert image.media_type == "image/png"
    assert image.checks == ()
    ((original, beside, _),) = files_of(view, one)
    was, now = pixels(original)[..., 3], pixels(beside)[..., 3]
    assert (was.min(), was.max()) == (0, 255)
    if form == "gif":
        # A GIF has clear and opaque pixels only: each goes to the nearer.
        assert set(numpy.unique(now)) == {0, 255}
        assert ((was >= 128) == (now == 255)).all()
    else:
        assert abs(was - now).mean() < 4
    assert verify(one.services.store) == []


@pytest.mark.asyncio
async def test_a_gateway_that_makes_the_format_itself_is_left_to_do_so(start: Callable[[str], Started]) -> None:
    one, fake = start("lumenfall")
    (view,) = await one.run(replace(FOX, output_format="gif"), "lumenfall/gpt-image-2")
    await one.stop()
    check_kept(view, fake)
    document = run_document(view, one.services)
    assert [image["converted_path"] for image in document["images"]] == [None, None]
    assert {image.media_type for image in view.images} == {"image/gif"}
    assert verify(one.services.store) == []


@pytest.mark.parametrize(
    ("offer", "more"),
    [
        *((offer, {}) for offer in OFFERS if not offer.startswith("sd/")),
        ("lumenfall/gpt-image-1.5", {"background": "transparent"}),
    ],
)
def test_compression_of_an_avif_made_here_is_told_as_what_it_is(offer: str, more: dict[str, Any]) -> None:
    (run,) = make_plan(replace(FOX, output_format="avif", output_compression=20, **more), (offer,), CATALOG).runs
    (row,) = [row for row in run.fields if row.field == "output_compression"]
    assert (run.problems, row.handling, row.sent_as) == ((), "emulated", None)
    assert "made here" in row.note
    (run,) = make_plan(replace(FOX, output_format="gif", output_compression=20), (offer,), CATALOG).runs
    (row,) = [row for row in run.fields if row.field == "output_compression"]
    assert (row.handling, row.sent_as) == ("refused", None)


@pytest.mark.asyncio
async def test_compression_is_the_quality_of_an_avif_made_here(start: Callable[[str], Started]) -> None:
    one, fake = start("openai")
    sizes = []
    for quality in (1, 100):
        (view,) = await one.run(
            replace(FOX, n=1, output_format="avif", output_compression=quality), "openai/gpt-image-2"
        )
        ((_, beside, _),) = files_of(view, one)
        sizes.append(len(beside))
    await one.stop()
    assert fake.violations == []
    assert sizes[0] < sizes[1]
