"""Uploads and checks that the fakes' own tests share."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema

from tests.fakes.pictures import Format, picture

FLARE = "gpt-image-2.5-flare"
FOX = "A red fox in snow"


def upload(number: int, image_format: Format = "png", size: tuple[int, int] = (64, 48)) -> tuple[str, bytes, str]:
    """A file as HTTP clients take it: name, bytes, media type."""
    return f"{number}.{image_format}", picture(size, image_format, number=number), f"image/{image_format}"


def mask(size: tuple[int, int] = (64, 48)) -> tuple[str, bytes, str]:
    """A PNG with clear and opaque pixels."""
    return "mask.png", picture(size, "png", number=9, alpha=True), "image/png"


def assert_valid(value: Any, schema: str) -> None:
    """Checks an answer against `response`, `partial`, `completed` or `error` of openai_schemas.json."""
    jsonschema.validate(value, _schemas()[schema])


@lru_cache(maxsize=1)
def _schemas() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((Path(__file__).parent / "openai_schemas.json").read_text(encoding="utf-8"))
    return loaded
