"""The bank's prompts as battles: drawn by chance, asked with the images they ship with, and told from others' words."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest

from arena import bank, bank_battles
from arena.contenders import field_of, price_range
from providers.catalog import Catalog
from providers.rows import CATALOG
from providers.types import ImageRequest, InputImage

MANY = tuple(InputImage(b"", "image/png", 1024, 1024, f"{n:064x}") for n in range(3))


def changed(offer_id: str, **differs: object) -> Catalog:
    """The catalogue with one offer that can do less."""
    offer = CATALOG.offer(offer_id)
    less = replace(offer, spec=replace(CATALOG.spec(offer), **differs))
    offers = tuple(less if row.offer_id == offer_id else row for row in CATALOG.offers)
    return Catalog(CATALOG.providers, CATALOG.models, offers)


def test_each_prompt_of_a_category_is_drawn_and_never_the_one_that_is_shown() -> None:
    rng, seen, last = random.Random(5), set(), None
    for _ in range(200):
        drawn = bank_battles.draw_prompt(rng, "generate", "portrait", other_than=last)
        assert drawn.prompt_id != last
        last = drawn.prompt_id
        seen.add(last)
    assert seen == {one.prompt_id for one in bank.prompts("generate", "portrait")}
    assert {bank_battles.draw_prompt(rng, "edit").operation for _ in range(20)} == {"edit"}
    with pytest.raises(bank.UnknownPrompt):
        bank_battles.draw_prompt(rng, "edit", "portrait")


def test_source_images_are_sent_as_they_ship() -> None:
    for prompt in bank.prompts("edit"):
        images = bank_battles.images_of(prompt)
        assert [image.sha256 for image in images] == [bank.source(name).sha256 for name in prompt.sources]
        for image in images:
            assert hashlib.sha256(image.data).hexdigest() == image.sha256
            assert min(image.width, image.height) > 500
            assert image.media_type == "image/jpeg"


def test_a_source_image_that_was_exchanged_is_refused() -> None:
    with pytest.raises(bank.BrokenBank):
        bank_battles.input_of(replace(bank.source("robot"), sha256="0" * 64))


def test_words_of_the_bank_are_its_own_on_its_own_images_only() -> None:
    edit = bank.prompts("edit-multi")[0]
    given = [image.sha256 for image in bank_battles.images_of(edit)]
    assert bank_battles.place_of(edit.prompt, "edit", given) == (edit.category, edit.prompt_id)
    for other in ([], given[:1], given[::-1], ["0" * 64] * len(given)):
        assert bank_battles.place_of(edit.prompt, "edit", other) == ("own", None)
    made = bank.prompts("generate")[0]
    assert bank_battles.place_of(made.prompt, "generate", []) == (made.category, made.prompt_id)
    assert bank_battles.place_of("A cat", "generate", []) == ("own", None)


@pytest.mark.parametrize(
    ("images", "differs", "why"),
    [
        (MANY, {"max_images": 1}, "takes 1 source image, not 3"),
        (MANY[:1], {"max_images": 0}, "takes no source image, not 1"),
        ((), {"min_images": 1}, "only edits"),
    ],
)
def test_an_offer_that_cannot_take_part_is_left_out_with_its_reason(
    images: tuple[InputImage, ...], differs: dict[str, object], why: str
) -> None:
    request = ImageRequest("A cat", size="1024x1024", quality="low", images=images)
    offers = ["demo/flat", "demo/sketch", "openai/gpt-image-2"]
    found = field_of(request, offers, changed("demo/flat", **differs))
    assert found.offers == ["demo/sketch", "openai/gpt-image-2"]
    assert [(one.offer, one.why) for one in found.left_out] == [("demo/flat", why)]


def test_a_model_without_qualities_takes_part_and_one_without_the_size_does_not() -> None:
    request = ImageRequest("A cat", size="1024x1024", quality="low")
    assert field_of(request, ["demo/flat"], changed("demo/flat", qualities=())).offers == ["demo/flat"]
    odd = field_of(replace(request, size="512x512"), ["openai/gpt-image-1.5"], CATALOG)
    assert odd.offers == []
    assert "512" in odd.left_out[0].why


def test_the_price_spans_the_pairs_that_can_be_drawn() -> None:
    request = ImageRequest("A cat", size="1024x1024", quality="low")
    real = ["openai/gpt-image-2", "openai/gpt-image-1-mini", "openai/gpt-image-1.5"]
    field = field_of(request, [*real, "demo/flat", "demo/sketch"], CATALOG)
    low, high = price_range(field) or (None, None)
    assert low, "drawn models come only where no two real ones can meet, so nothing is free"
    assert high
    assert low < high
    assert price_range(field, "demo/flat") == (0, 0)
    assert price_range(field, "demo/flat", real[0]) is None
    one = price_range(field, real[0], real[1])
    assert one
    assert one[0] == one[1]
    server = replace(CATALOG.offer("openai/gpt-image-2"), price=None)
    offers = tuple(server if row.offer_id == server.offer_id else row for row in CATALOG.offers)
    unpriced = field_of(request, real, Catalog(CATALOG.providers, CATALOG.models, offers))
    assert price_range(unpriced) == (None, None)
