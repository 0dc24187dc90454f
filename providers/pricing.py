"""What a call will cost and what it did cost. Pure; integer micro-dollars out, `None` where nobody knows.

A rate in USD per million tokens is the same number in micro-dollars per token, so amounts are exact `Decimal` products,
rounded once, half to even, at the end.

Sources: output tokens of the 1 family from OpenAI's image guide; of the 2 and 2.5 families by the formula below, which
meets OpenAI's calculator (1024x1024 at high: 7,024 tokens; 3584x2048: 12,329) and all list prices of fal for 2.5. Input
tokens: 65 + 129 for each 512 px tile (1 family); 32 px patches, at most 1,536 (2 and later). Read 2026-11-21.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from providers.catalog import InputTokenRule, ModelSpec, Offer, Price
from providers.sizes import parse_size
from providers.types import ImageRequest, InputImage, Usage

TYPICAL_SIZES = ("1024x1024", "1536x1024", "1024x1536")
"""What `auto` is taken to choose from."""

_CHARS_PER_TOKEN = 4
_MOST_TOKENS = 10**9
"""No call has more; a larger figure is a fault of whoever reports it."""
_PATCH_PX, _PATCH_BUDGET, _PATCH_SIDE = 32, 1536, 1024
_TILE_PX, _TILE_BASE, _TILE_TOKENS = 512, 65, 129
_FIDELITY_SQUARE, _FIDELITY_OTHER = 4160, 6240


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of an estimate."""

    label: str
    low_tokens: int
    high_tokens: int
    unit_microusd: Decimal
    """Price of one token."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The expected cost of one run. Low and high differ where `auto` leaves the answer open; `None`: no price known."""

    low_microusd: int | None
    high_microusd: int | None
    lines: tuple[CostLine, ...] = ()
    price: Price | None = None
    note: str = ""


def estimate(request: ImageRequest, spec: ModelSpec, offer: Offer) -> Estimate:
    """What the request is expected to cost at the offer."""
    price = offer.price
    if price is None:
        return Estimate(None, None, note="No price is known for this model.")
    if price.is_free:
        return Estimate(0, 0, price=price)
    output = output_token_range(request, spec)
    if output is None:
        return Estimate(None, None, price=price, note="No token figures are known for this size and quality.")
    previews = (request.partial_images or 0) * spec.output_tokens.per_partial
    text = text_tokens(request.prompt)
    pictures = sum(image_tokens(image, request, spec.input_tokens) for image in request.images)
    lines = [
        CostLine(_count(request.n, "image"), request.n * output[0], request.n * output[1], price.image_out),
        CostLine(
            _count(request.n * (request.partial_images or 0), "preview"), 0, request.n * previews, price.image_out
        ),
        CostLine(_count(len(request.images), "reference image"), pictures, pictures, price.image_in),
        CostLine("Prompt", text, text, price.text_in),
    ]
    lines = [line for line in lines if line.high_tokens]
    return Estimate(
        low_microusd=_whole(sum((line.low_tokens * line.unit_microusd for line in lines), Decimal(0))),
        high_microusd=_whole(sum((line.high_tokens * line.unit_microusd for line in lines), Decimal(0))),
        lines=tuple(lines),
        price=price,
        note=spec.note,
    )


def cost_of(usage: Usage | None, price: Price | None) -> int | None:
    """Micro-dollars of a call from the tokens its provider reports.

    `None` when the price or a figure is missing, or the figures contradict each other: then nobody knows.
    """
    if price is None:
        return None
    if price.is_free:
        return 0
    if usage is None or usage.output_tokens is None or not _adds_up(usage, usage.output_tokens):
        return None
    text_out = usage.text_output_tokens or 0
    text_rate = price.image_out if price.text_out is None else price.text_out
    return _whole(
        (usage.text_input_tokens or 0) * price.text_in
        + (usage.image_input_tokens or 0) * price.image_in
        + (usage.output_tokens - text_out) * price.image_out
        + text_out * text_rate
    )


def _adds_up(usage: Usage, output_tokens: int) -> bool:
    """Whether the parts are there, add up, and are figures that a bill can hold."""
    parts = (usage.text_input_tokens, usage.image_input_tokens)
    if parts == (None, None):
        return False
    into = sum(part or 0 for part in parts)
    if usage.input_tokens is not None and into < usage.input_tokens:
        return False
    return (usage.text_output_tokens or 0) <= output_tokens <= _MOST_TOKENS and into <= _MOST_TOKENS


def output_token_range(request: ImageRequest, spec: ModelSpec) -> tuple[int, int] | None:
    """Fewest and most output tokens one image can take; `None` when no figure is known.

    `auto`, or nothing said, may become any quality and any of the typical sizes.
    """
    qualities = (
        [request.quality] if request.quality not in (None, "auto") else [q for q in spec.qualities if q != "auto"]
    )
    sizes = [request.size] if request.size not in (None, "auto") else list(TYPICAL_SIZES)
    found = [output_tokens(spec, quality or "", size or "") for quality in qualities for size in sizes]
    known = [tokens for tokens in found if tokens is not None]
    return (min(known), max(known)) if known else None


def output_tokens(spec: ModelSpec, quality: str, size: str) -> int | None:
    """Output tokens of one image of that quality and size, or `None` when no figure is known."""
    rule = spec.output_tokens
    if rule.table:
        return rule.table.get(quality, {}).get(size)
    factor, sides = rule.factor.get(quality), parse_size(size)
    if factor is None or sides is None:
        return None
    width, height = sides
    long, short = max(sides), min(sides)
    rows = (2 * factor * short + long) // (2 * long)
    return -(-(factor * rows * (2_000_000 + width * height)) // 4_000_000)


def image_tokens(image: InputImage, request: ImageRequest, rule: InputTokenRule) -> int:
    """Input tokens of one reference image; an estimate, since no provider publishes the rule."""
    if rule == "patches":
        return _patches(image.width, image.height)
    if rule == "tiles":
        tokens = _tiles(image.width, image.height)
        if request.input_fidelity == "high":
            tokens += _FIDELITY_SQUARE if image.width == image.height else _FIDELITY_OTHER
        return tokens
    return 0


def text_tokens(prompt: str) -> int:
    """Input tokens of a prompt, estimated from its length in bytes; at least 1."""
    return max(1, math.ceil(len(prompt.encode("utf-8", "replace")) / _CHARS_PER_TOKEN))


def _patches(width: int, height: int) -> int:
    enlarge = min(2.0, max(1.0, _PATCH_SIDE / max(width, height)))
    patches = math.ceil(width * enlarge / _PATCH_PX) * math.ceil(height * enlarge / _PATCH_PX)
    return min(patches, _PATCH_BUDGET)


def _tiles(width: int, height: int) -> int:
    shrink = min(1.0, _TILE_PX / min(width, height))
    tiles = math.ceil(round(width * shrink) / _TILE_PX) * math.ceil(round(height * shrink) / _TILE_PX)
    return _TILE_BASE + _TILE_TOKENS * tiles


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
