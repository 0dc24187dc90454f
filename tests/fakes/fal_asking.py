"""Requests to the fake of fal's queue, as its own tests send them."""

import base64
from typing import Any

import httpx

from tests.fakes.fal_rules import ENDPOINTS
from tests.fakes.pictures import Format, picture

TWO = "openai/gpt-image-2"
TWO_EDIT = "openai/gpt-image-2/edit"
FLARE = "openai/gpt-image-2.5/flare/text-to-image"
ONE = "fal-ai/gpt-image-1/text-to-image"
ONE_EDIT = "fal-ai/gpt-image-1/edit-image"
MINI = "fal-ai/gpt-image-1-mini"
MINI_EDIT = "fal-ai/gpt-image-1-mini/edit"
ONE_FIVE_EDIT = "fal-ai/gpt-image-1.5/edit"
PNG1 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNQq9j0HwAEaAJQJeqrSgAAAABJRU5ErkJggg=="
PNG0 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII="


def uri(size: tuple[int, int] = (64, 48), image_format: Format = "png", *, alpha: bool = False) -> str:
    data = base64.b64encode(picture(size, image_format, number=3, alpha=alpha)).decode()
    return f"data:image/{image_format};base64,{data}"


def good(endpoint: str, **changes: Any) -> dict[str, Any]:
    """A good body; a change to None leaves the field out."""
    body: dict[str, Any] = {"prompt": "A red fox", "quality": "low"}
    if ENDPOINTS[endpoint].edit:
        body["image_urls"] = [uri()]
    return {name: value for name, value in (body | changes).items() if value is not None}


def submit(client: httpx.Client, endpoint: str = TWO, **changes: Any) -> dict[str, Any]:
    reply = client.post(f"/{endpoint}", json=good(endpoint, **changes))
    assert reply.status_code == 200, reply.text
    queued: dict[str, Any] = reply.json()
    return queued


def finish(client: httpx.Client, queued: dict[str, Any]) -> httpx.Response:
    """The answer at the result's address, once the status says COMPLETED."""
    for _ in range(20):
        if client.get(queued["status_url"]).json().get("status") == "COMPLETED":
            return client.get(queued["response_url"])
    raise AssertionError("it never completed")


def anonymous(client: httpx.Client, url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, verify=False)
