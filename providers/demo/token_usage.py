"""Tokens a call would use at OpenAI, so that the page's token columns show something true to form.

Source: providers reference, section 1 "Pricing": output tokens of gpt-image-2, input images as 32-pixel patches
(read 2026-11). Text tokens are estimated as a quarter of the characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from providers.demo.studio import Quality

FACTORS: Final[dict[Quality, int]] = {"low": 16, "medium": 48, "high": 96}
PATCH_PX: Final = 32
MAX_PATCHES: Final = 1536
TOKENS_PER_PARTIAL: Final = 100


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one image."""

    text_tokens: int
    image_tokens: int
    output_tokens: int

    def times(self, count: int) -> Usage:
        """The counts of `count` images from one prompt: the input counts once."""
        return Usage(self.text_tokens, self.image_tokens, self.output_tokens * count)

    def as_json(self) -> dict[str, object]:
        """The `usage` object of a reply."""
        input_tokens = self.text_tokens + self.image_tokens
        return {
            "input_tokens": input_tokens,
            "input_tokens_details": {"text_tokens": self.text_tokens, "image_tokens": self.image_tokens},
            "output_tokens": self.output_tokens,
            "output_tokens_details": {"image_tokens": self.output_tokens, "text_tokens": 0},
            "total_tokens": input_tokens + self.output_tokens,
        }


def usage_of(
    prompt: str, images: Sequence[tuple[int, int]], size: tuple[int, int], quality: Quality, *, partials: int
) -> Usage:
    """The tokens of one image of `size` (width, height) made from `prompt` and input images of the sizes given."""
    return Usage(
        text_tokens=max(1, ceil(len(prompt) / 4)) + 6,
        image_tokens=sum(_patches(width, height) for width, height in images),
        output_tokens=output_tokens(size, quality) + TOKENS_PER_PARTIAL * partials,
    )


def output_tokens(size: tuple[int, int], quality: Quality) -> int:
    """Tokens of one picture of `size` (width, height)."""
    short, long = sorted(size)
    factor = FACTORS[quality]
    across = (2 * factor * short + long) // (2 * long)
    return ceil(factor * across * (2_000_000 + short * long) / 4_000_000)


def _patches(width: int, height: int) -> int:
    scale = min(2.0, max(1.0, 1024 / max(width, height)))
    count = ceil(width * scale / PATCH_PX) * ceil(height * scale / PATCH_PX)
    return min(MAX_PATCHES, count)
