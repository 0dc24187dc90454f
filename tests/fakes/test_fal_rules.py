"""The fake of fal's queue takes every good body and refuses, and notes, every flaw of a bad one."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.fakes.fal_asking import (
    FLARE,
    MINI,
    MINI_EDIT,
    ONE,
    ONE_EDIT,
    ONE_FIVE_EDIT,
    PNG0,
    PNG1,
    TWO,
    TWO_EDIT,
    finish,
    good,
    submit,
    uri,
)
from tests.fakes.fal_rules import ENDPOINTS, PRESETS
from tests.fakes.fal_server import FakeFal
from tests.fakes.pictures import Format


@pytest.fixture
def fal() -> Iterator[FakeFal]:
    with FakeFal() as server:
        yield server


@pytest.fixture
def client(fal: FakeFal) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=fal.base_url, headers={"Authorization": f"Key {fal.key}"}, timeout=3, trust_env=False, verify=False
    ) as plain:
        yield plain


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_each_endpoint_and_format(fal: FakeFal, client: httpx.Client, endpoint: str, output_format: Format) -> None:
    fal.polls = 0
    finish(client, submit(client, endpoint, output_format=output_format, num_images=2, sync_mode=False))
    default = (1024, 768) if ENDPOINTS[endpoint].free_size and not ENDPOINTS[endpoint].edit else (1024, 1024)
    assert fal.violations == []
    assert len(set(fal.served)) == 2
    for data in fal.served:
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.size) == (output_format.upper(), default)


def test_sizes_as_asked(fal: FakeFal, client: httpx.Client) -> None:
    fal.polls = 0
    sizes: dict[Any, tuple[int, int]] = {**PRESETS, "auto": (1024, 1024)}
    for name, wanted in sizes.items():
        image = finish(client, submit(client, image_size=name)).json()["images"][0]
        assert (image["width"], image["height"]) == wanted
    finish(client, submit(client, ONE, image_size="1024x1536", background="transparent"))
    with Image.open(io.BytesIO(fal.served[-1])) as drawn:
        assert (drawn.size, drawn.mode) == ((1024, 1536), "RGBA")
    finish(client, submit(client, ONE_EDIT, image_size="auto", input_fidelity="low", background="opaque"))
    assert fal.violations == []


def test_edits_of_the_fixture(fal: FakeFal, client: httpx.Client) -> None:
    images = [f"data:image/png;base64,{PNG1}"]
    mask = f"data:image/png;base64,{PNG0}"
    submit(client, TWO_EDIT, image_urls=images, mask_url=mask, quality="medium")
    submit(client, ONE_FIVE_EDIT, image_urls=images, mask_image_url=mask, input_fidelity="high")
    submit(client, MINI_EDIT, image_urls=["https://example.com/fox.png", uri(image_format="webp")], quality="auto")
    submit(client, TWO_EDIT, image_urls=["https://example.com/fox.png"], mask_url=mask)
    assert fal.violations == []


FIXED = [ONE, MINI, "fal-ai/gpt-image-1.5"]
FREE_BAD_SIZES: list[Any] = [
    "1024x1024",
    "huge",
    1024,
    {"width": 1024},
    {"width": 1024, "height": 1024, "unit": "px"},
    {"width": "1024", "height": 1024},
    {"width": 1024.0, "height": 1024},
    {"width": True, "height": 1024},
    {"width": 1920, "height": 1080},
    {"width": -1024, "height": 1024},
    {"width": 3856, "height": 2048},
    {"width": 2048, "height": 512},
    {"width": 512, "height": 512},
    {"width": 3840, "height": 2176},
]
BAD: list[tuple[str, dict[str, Any], str]] = [
    (TWO, {"prompt": None}, "missing"),
    (TWO, {"prompt": ""}, "string_too_short"),
    (TWO, {"prompt": ["fox"]}, "string_type"),
    *((TWO, {"image_size": size}, "_error") for size in FREE_BAD_SIZES),
    *((one, {"image_size": size}, "literal_error") for one in FIXED for size in ("auto", "square_hd", "1024x768")),
    (ONE, {"image_size": {"width": 1024, "height": 1024}}, "literal_error"),
    (ONE_EDIT, {"image_size": "square_hd"}, "literal_error"),
    (ONE, {"quality": "auto"}, "literal_error"),
    ("fal-ai/gpt-image-1.5", {"quality": "auto"}, "literal_error"),
    (ONE_FIVE_EDIT, {"quality": "auto"}, "literal_error"),
    (TWO, {"quality": "xhigh"}, "literal_error"),
    (FLARE, {"quality": "ultra"}, "literal_error"),
    (MINI, {"background": "white"}, "literal_error"),
    (MINI, {"background": "transparent", "output_format": "jpeg"}, "value_error"),
    (TWO, {"background": "auto"}, "extra_forbidden"),
    (FLARE, {"background": "opaque"}, "extra_forbidden"),
    (TWO, {"num_images": 0}, "greater_than_equal"),
    (TWO, {"num_images": 5}, "less_than_equal"),
    (TWO, {"num_images": True}, "int_type"),
    (TWO, {"num_images": "1"}, "int_type"),
    (TWO, {"output_format": "jpg"}, "literal_error"),
    (TWO, {"sync_mode": 1}, "bool_type"),
    *(
        (TWO, {name: 1}, "extra_forbidden")
        for name in ("n", "size", "seed", "user", "moderation", "output_compression")
    ),
    (TWO, {"image_urls": [uri()]}, "extra_forbidden"),
    (TWO, {"mask_url": uri(alpha=True)}, "extra_forbidden"),
    (ONE, {"input_fidelity": "low"}, "extra_forbidden"),
    (MINI_EDIT, {"input_fidelity": "low"}, "extra_forbidden"),
    (TWO_EDIT, {"input_fidelity": "high"}, "extra_forbidden"),
    (ONE_EDIT, {"input_fidelity": "auto"}, "literal_error"),
    (MINI_EDIT, {"mask_url": uri(alpha=True)}, "extra_forbidden"),
    (ONE_EDIT, {"mask_image_url": uri(alpha=True)}, "extra_forbidden"),
    (ONE_FIVE_EDIT, {"mask_url": uri(alpha=True)}, "extra_forbidden"),
    (TWO_EDIT, {"mask_image_url": uri(alpha=True)}, "extra_forbidden"),
    (TWO_EDIT, {"mask_url": uri()}, "value_error"),
    (TWO_EDIT, {"mask_url": uri((48, 64), alpha=True)}, "value_error"),
    (TWO_EDIT, {"mask_url": uri(image_format="webp", alpha=True)}, "value_error"),
    (TWO_EDIT, {"mask_url": 7}, "string_type"),
    (TWO_EDIT, {"image_urls": None}, "missing"),
    (TWO_EDIT, {"image_urls": uri()}, "list_type"),
    (TWO_EDIT, {"image_urls": []}, "value_error"),
    (TWO_EDIT, {"image_urls": ["https://example.com/fox.png"] * 17}, "value_error"),
    (TWO_EDIT, {"image_urls": [7]}, "string_type"),
    (TWO_EDIT, {"image_urls": ["http://example.com/fox.png"]}, "value_error"),
    (TWO_EDIT, {"image_urls": ["https:///fox.png"]}, "value_error"),
    (TWO_EDIT, {"image_urls": ["https://[fox.png"]}, "value_error"),
    (TWO_EDIT, {"image_urls": [PNG1]}, "value_error"),
    (TWO_EDIT, {"image_urls": [f"data:image/png,{PNG1}"]}, "value_error"),
    (TWO_EDIT, {"image_urls": [f"data:image/png;base64,{PNG1[:40]}*{PNG1[40:]}"]}, "value_error"),
    (TWO_EDIT, {"image_urls": [f"data:image/png;base64,{PNG1[:-1]}"]}, "value_error"),
    (TWO_EDIT, {"image_urls": [f"data:image/jpeg;base64,{PNG1}"]}, "image_load_error"),
    (TWO_EDIT, {"image_urls": [uri()[: 22 + 240]]}, "image_load_error"),
    (TWO_EDIT, {"image_urls": ["data:image/png;base64,AAAA"]}, "image_load_error"),
]


def test_each_broken_rule_is_refused_and_noted(fal: FakeFal, client: httpx.Client) -> None:
    for endpoint, changes, error_type in BAD:
        fal.violations.clear()
        reply = client.post(f"/{endpoint}", json=good(endpoint, **changes))
        case = (endpoint, changes, reply.text)
        assert reply.status_code == 422, case
        (detail,) = reply.json()["detail"]
        assert set(detail) == {"loc", "msg", "type", "url"}, case
        assert detail["loc"][0] == "body", case
        assert detail["type"].endswith(error_type), case
        assert detail["url"] == f"https://docs.fal.ai/errors#{detail['type']}", case
        assert len(fal.violations) == 1, case
        assert error_type in fal.violations[0], case
    assert (fal.creates, fal.jobs, fal.posts) == (0, {}, len(BAD))


def test_all_flaws_are_reported_at_once(fal: FakeFal, client: httpx.Client) -> None:
    reply = client.post(f"/{TWO_EDIT}", json=good(TWO_EDIT, prompt="", seed=1, image_urls=[uri(), 7]))
    assert [detail["loc"] for detail in reply.json()["detail"]] == [
        ["body", "prompt"],
        ["body", "seed"],
        ["body", "image_urls", 1],
    ]


def test_a_missing_quality_is_accepted_but_noted(fal: FakeFal, client: httpx.Client) -> None:
    submit(client, quality=None)
    assert len(fal.violations) == 1
    assert "quality" in fal.violations[0]
    assert fal.creates == 1


@pytest.mark.parametrize(
    ("content", "content_type"), [(b"[]", "application/json"), (b"{", "application/json"), (b"{}", "text/plain")]
)
def test_a_body_that_is_no_json_object(fal: FakeFal, client: httpx.Client, content: bytes, content_type: str) -> None:
    reply = client.post(f"/{TWO}", content=content, headers={"Content-Type": content_type})
    assert reply.status_code == 422
    assert fal.violations
