"""`POST /v1/images/edits`: references are used, masks are kept to."""

import io

import numpy as np
import pytest
from PIL import Image

from providers.demo import MODELS
from providers.demo.multipart import form_parts
from providers.demo.references import nearest_size
from providers.demo.wire_requests import size_problem
from tests.providers.demo.wire import File, base_picture, distance, edit, form, half_mask, pixels, png

BASE = png(base_picture())


@pytest.mark.asyncio
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("prompt", ["a red fox", "hello"])
async def test_mask_leaves_the_rest_byte_equal(model: str, prompt: str) -> None:
    files = [File("image", BASE), File("mask", png(half_mask()))]
    answer = await edit(prompt, files, model=model, size="1024x640")

    before, after = pixels(base_picture()), pixels(answer.images()[0])
    keep = np.asarray(half_mask().getchannel("A")) == 255
    assert np.array_equal(before[keep], after[keep])
    assert np.abs(before - after)[~keep].mean() > 8


@pytest.mark.asyncio
async def test_mask_keeps_partly_clear_edges_between() -> None:
    mask = half_mask()
    mask.putalpha(mask.getchannel("A").point([255 if value == 255 else 128 for value in range(256)]))
    whole = (await edit("a red fox", [File("image", BASE), File("mask", png(half_mask()))])).images()[0]
    half = (await edit("a red fox", [File("image", BASE), File("mask", png(mask))])).images()[0]

    assert 0 < distance(half, base_picture()) < distance(whole, base_picture())


@pytest.mark.asyncio
async def test_fully_opaque_mask_changes_nothing() -> None:
    mask = Image.new("RGBA", (1024, 640), (0, 0, 0, 255))
    answer = await edit("a fox", [File("image", BASE), File("mask", png(mask))], size="1024x640")

    assert distance(answer.images()[0], base_picture()) == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("model", MODELS)
async def test_base_stays_recognisable_and_changes(model: str) -> None:
    answer = await edit("add a moon", [File("image", BASE)], model=model, size="1024x640")
    after = answer.images()[0]

    match = np.corrcoef(pixels(base_picture()).mean(axis=2).ravel(), pixels(after).mean(axis=2).ravel())[0, 1]
    assert match > 0.5
    assert distance(after, base_picture()) > 4


@pytest.mark.asyncio
@pytest.mark.parametrize("model", MODELS[:2])
async def test_high_fidelity_stays_closer(model: str) -> None:
    pictures = [
        (await edit("autumn", [File("image", BASE)], model=model, input_fidelity=fidelity)).images()[0]
        for fidelity in ("low", "high")
    ]

    assert distance(pictures[1], base_picture()) < distance(pictures[0], base_picture())


@pytest.mark.asyncio
async def test_each_of_three_references_is_used() -> None:
    seeds = [1, 40, 90]

    async def with_seeds(chosen: list[int]) -> Image.Image:
        files = [File("image[]", png(base_picture(seed=seed))) for seed in chosen]
        return (await edit("put these together", files, size="1024x640")).images()[0]

    whole = await with_seeds(seeds)
    for place in range(3):
        other = list(seeds)
        other[place] = 170
        assert distance(await with_seeds(other), whole) > 0.5


@pytest.mark.asyncio
async def test_prompt_decides_what_is_added() -> None:
    pictures = [
        (await edit(prompt, [File("image", BASE)])).images()[0]
        for prompt in ("a moon", "a sailboat", 'the words "HELLO"', "snow", "a wooden frame", "flowers")
    ]

    for place, first in enumerate(pictures):
        for second in pictures[place + 1 :]:
            assert distance(first, second) > 1


@pytest.mark.asyncio
@pytest.mark.parametrize(("mime", "kind"), [("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/webp", "WEBP")])
async def test_each_input_format_is_read(mime: str, kind: str) -> None:
    buffer = io.BytesIO()
    base_picture((200, 120)).save(buffer, kind)
    answer = await edit("a moon", [File("image[]", buffer.getvalue(), mime=mime)], n="2", size="1024x640")

    assert answer.status == 200
    assert [image.size for image in answer.images()] == [(1024, 640)] * 2
    assert answer.json["usage"]["input_tokens_details"]["image_tokens"] > 0


@pytest.mark.parametrize(
    "size", [(1, 1), (64, 48), (1024, 640), (1080, 1920), (4000, 3000), (6000, 900), (100, 5000), (333, 777)]
)
def test_auto_size_is_legal_and_near_the_ratio(size: tuple[int, int]) -> None:
    width, height = nearest_size(*size)

    assert size_problem(width, height) is None
    wanted = min(3.0, max(1 / 3, size[0] / size[1]))
    assert abs(width / height / wanted - 1) < 0.03


@pytest.mark.asyncio
async def test_auto_size_follows_the_first_image() -> None:
    files = [File("image[]", png(base_picture((1200, 800)))), File("image[]", png(base_picture((64, 64))))]
    answer = await edit("together", files)

    assert abs(ratio_of(answer.json["size"]) - 1.5) < 0.02


def ratio_of(size: str) -> float:
    width, height = size.split("x")
    return int(width) / int(height)


@pytest.mark.asyncio
async def test_edit_is_the_same_twice() -> None:
    first, second = [(await edit("a fox", [File("image", BASE)])).json["data"] for _ in range(2)]

    assert first == second


def test_parts_hold_any_bytes() -> None:
    content = bytes(range(256)) * 64 + b"\r\n--a1b2c3\r\n\r\n--"
    content_type, body = form({"prompt": "größer"}, [File("image", content, name='a "b".png')])
    text, file = form_parts(content_type, body)

    assert (text.name, text.content.decode(), text.filename) == ("prompt", "größer", None)
    assert (file.name, file.content_type, file.content) == ("image", "image/png", content)
