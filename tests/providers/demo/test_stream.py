"""Server-sent events: their order, counts and shape."""

import base64

import numpy as np
import pytest
from PIL import Image

from tests.providers.demo.wire import File, base_picture, decoded, distance, edit, generate, png


@pytest.mark.asyncio
@pytest.mark.parametrize("partials", [0, 1, 2, 3])
async def test_each_image_sends_its_partials_then_itself(partials: int) -> None:
    answer = await generate(stream=True, partial_images=partials, n=2)

    one = ["image_generation.partial_image"] * partials + ["image_generation.completed"]
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in answer.events()] == one * 2
    assert all(data["type"] == name for name, data in answer.events())
    assert len(answer.chunks) == len(answer.events())


@pytest.mark.asyncio
async def test_event_fields_are_openais() -> None:
    (_, partial), (_, done) = (await generate(stream=True, partial_images=1)).events()

    shared = {"type", "b64_json", "created_at", "size", "quality", "background", "output_format"}
    assert set(partial) == shared | {"partial_image_index"}
    assert set(done) == shared | {"usage"}
    assert partial["partial_image_index"] == 0


@pytest.mark.asyncio
async def test_each_partial_costs_a_hundred_tokens() -> None:
    costs = [(await generate(stream=True, partial_images=k)).events()[-1][1]["usage"]["output_tokens"] for k in (0, 2)]

    assert costs[1] - costs[0] == 200


@pytest.mark.asyncio
async def test_partials_are_soft_stages_of_the_same_picture() -> None:
    events = (await generate("A lighthouse", stream=True, partial_images=3, model="painterly")).events()
    *early, final = (decoded(data["b64_json"]) for _, data in events)

    away = [distance(image, final) for image in early]
    assert away == sorted(away, reverse=True)
    assert 0 < away[-1] < away[0] < 25
    assert all(image.size == final.size for image in early)

    def sharpness(image: Image.Image) -> float:
        return float(np.abs(np.diff(np.asarray(image.convert("L"), dtype=int), axis=1)).mean())

    assert sharpness(early[0]) < 0.6 * sharpness(final)


@pytest.mark.asyncio
async def test_streamed_picture_is_the_one_sent_whole() -> None:
    streamed = (await generate(stream=True)).events()[-1][1]["b64_json"]

    assert base64.b64decode(streamed) == base64.b64decode((await generate()).json["data"][0]["b64_json"])


@pytest.mark.asyncio
async def test_edit_streams_its_own_events() -> None:
    answer = await edit("add a moon", [File("image", png(base_picture()))], stream="true", partial_images="1")

    assert [name for name, _ in answer.events()] == ["image_edit.partial_image", "image_edit.completed"]
