"""Requests to the fake of Replicate, as its own tests send them."""

import base64
import io
from typing import Any

import httpx
from PIL import Image

from tests.fakes.pictures import picture

MINI, FIFTEEN, TWO, FLARE = (f"gpt-image-{name}" for name in ("1-mini", "1.5", "2", "2.5-flare"))
FOX = "A red fox"
PNG = picture((64, 48), "png", number=1)
KEY = "sk-test-0123456789"


def create(client: httpx.Client, model: str = FLARE, *, prefer: str | None = None, **changes: Any) -> httpx.Response:
    headers = {} if prefer is None else {"Prefer": prefer}
    values = {"prompt": FOX, "output_format": "png"} | changes
    return client.post(f"/v1/models/openai/{model}/predictions", json={"input": values}, headers=headers)


def polled(client: httpx.Client, reply: httpx.Response) -> list[dict[str, Any]]:
    """What each poll said, up to the end of the prediction."""
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["status"] in ("starting", "processing"):
        seen.append(client.get(reply.json()["urls"]["get"]).raise_for_status().json())
        assert len(seen) < 20
    return seen


def statuses(client: httpx.Client, reply: httpx.Response) -> list[str]:
    return [prediction["status"] for prediction in polled(client, reply)]


def data_uri(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def noisy_png(side: int) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((side, side), 90).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
