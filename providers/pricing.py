"""What a call will cost and what it did cost. Pure; integer micro-dollars out, `None` where nobody knows.

A rate in USD per million tokens is the same number in micro-dollars per token, so amounts are exact `Decimal` products,
rounded once, half to even, at the end.

Sources: output tokens of the 1 family from OpenAI's image guide; of the 2 and 2.5 families by the formula below, which
meets OpenAI's calculator (1024x1024 at high: 7,024 tokens; 3584x2048: 12,329) and all list prices of fal for 2.5. Input
tokens: 65 + 129 for each 512 px tile (1 family); 32 px patches, at most 1,536 (2 and later). Read 2026-11-21.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Literal

from providers.catalog import InputTokenRule, ModelSpec, Offer, Price
from providers.sizes import made_size, parse_size
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
    """One line of an estimate. Low and high differ where `auto` leaves the answer open."""

    label: str
    unit: Literal["token", "image"]
    low_units: int
    high_units: int
    low_microusd: Decimal
    high_microusd: Decimal

    @property
    def unit_microusd(self) -> Decimal:
        """Price of one unit, at the high end."""
        return self.high_microusd / self.high_units if self.high_units else Decimal(0)


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
        return Estimate(None, None, note=spec.note or "No price is known for this model.")
    if price.is_free:
        return Estimate(0, 0, price=price)
    request = replace(request, size=made_size(request, spec.sizes))
    made = _image_line(request, spec, price)
    if made is None:
        return Estimate(None, None, price=price, note="No figures are known for this size and quality.")
    lines = [line for line in (made, *_other_lines(request, spec, price)) if line.high_units]
    return Estimate(
        low_microusd=_whole(sum((line.low_microusd for line in lines), Decimal(0))),
        high_microusd=_whole(sum((line.high_microusd for line in lines), Decimal(0))),
        lines=tuple(lines),
        price=price,
        note=spec.note,
    )


def shares(found: Estimate, images: int) -> tuple[tuple[str | None, int | None], ...]:
    """Who bills how much of the high end of an estimate: name (`None`: the provider itself) and micro-dollars, the provider
    first. `images`: of the run. The parts add up to the whole.
    """
    price, whole = found.price, found.high_microusd
    if price is None or price.tokens_billed_by is None or whole is None:
        return ((None, whole),)
    fee = min(whole, _whole(images * price.fee_per_image * 10**6))
    return (None, fee), (price.tokens_billed_by, whole - fee)


def estimate_as_got(request: ImageRequest, spec: ModelSpec, offer: Offer, sizes: Sequence[str]) -> Estimate:
    """As `estimate`, with a size that the request left open as it came. `sizes`: one `WIDTHxHEIGHT` for each image known.

    Where that settles nothing, as with an open quality or a size that has no price, the range stays.
    """
    asked = estimate(request, spec, offer)
    if made_size(request, spec.sizes) not in (None, "auto") or asked.low_microusd == asked.high_microusd:
        return asked
    found = [estimate(replace(request, size=size), spec, offer) for size in sizes]
    exact = [
        one.high_microusd for one in found if one.high_microusd is not None and one.low_microusd == one.high_microusd
    ]
    if not found or len(exact) < len(found):
        return asked
    # Each is for a run of that size alone; the run has as many images of each as came.
    amount = _whole(Decimal(sum(exact)) / len(exact))
    return replace(found[0], low_microusd=amount, high_microusd=amount)


def _image_line(request: ImageRequest, spec: ModelSpec, price: Price) -> CostLine | None:
    label = _count(request.n, "image") + (f", billed by {price.tokens_billed_by}" if price.tokens_billed_by else "")
    table = _table(request, price)
    if table:
        prices = [Decimal(10**6) * _billed(usd, price) for usd in _list_prices(request, spec, table)]
        if not prices:
            return None
        return CostLine(label, "image", request.n, request.n, request.n * min(prices), request.n * max(prices))
    output = output_token_range(request, spec)
    return _token_line(label, request.n * output[0], request.n * output[1], price.image_out) if output else None


def _other_lines(request: ImageRequest, spec: ModelSpec, price: Price) -> Iterator[CostLine]:
    if request.images and price.edit_per_image:
        return
    previews = request.n * (request.partial_images or 0)
    yield _token_line(_count(previews, "preview"), 0, previews * spec.output_tokens.per_partial, price.image_out)
    pictures = sum(image_tokens(image, request, spec.input_tokens) for image in request.images)
    yield _token_line(_count(len(request.images), "reference image"), pictures, pictures, price.image_in)
    text = text_tokens(request.prompt)
    yield _token_line("Prompt", text, text, price.text_in)
    if price.fee_per_image:
        fee = request.n * price.fee_per_image * 10**6
        yield CostLine("Fee of the provider", "image", request.n, request.n, fee, fee)


def _token_line(label: str, low: int, high: int, rate: Decimal) -> CostLine:
    return CostLine(label, "token", low if rate else 0, high if rate else 0, low * rate, high * rate)


def _table(request: ImageRequest, price: Price) -> Mapping[str, Mapping[str, Decimal]]:
    """The list prices of such a request; empty where output tokens are paid."""
    return price.edit_per_image if request.images and price.edit_per_image else price.per_image


def _list_prices(request: ImageRequest, spec: ModelSpec, table: Mapping[str, Mapping[str, Decimal]]) -> list[Decimal]:
    """USD of one image, for every quality and size that `auto`, or nothing said, leaves open."""
    qualities = _open_qualities(request, spec)
    sizes = _open_sizes(request)
    rows = [table[name] for name in (*qualities, "*") if name in table]
    return [found for row in rows for size in sizes if (found := row.get(size, row.get("*"))) is not None]


def _billed(usd: Decimal, price: Price) -> Decimal:
    step = price.rounds_up_to
    return usd if step is None else (usd / step).to_integral_value(ROUND_CEILING) * step


@dataclass(frozen=True, slots=True)
class CostPart:
    """One line of what a call cost."""

    label: str
    amount_microusd: int
    is_anothers: bool = False
    """Whether somebody else than the provider bills it."""


def cost_of(usage: Usage | None, price: Price | None, images: int = 0) -> int | None:
    """Micro-dollars of a call from the tokens its provider reports and the `images` that came; see `cost_parts`."""
    parts = cost_parts(usage, price, images)
    return None if parts is None else sum(part.amount_microusd for part in parts)


def cost_parts(usage: Usage | None, price: Price | None, images: int = 0) -> tuple[CostPart, ...] | None:
    """What a call cost, line by line.

    `None` when the price or a figure is missing, or the figures contradict each other: then nobody knows.
    """
    if price is None or price.per_image or price.edit_per_image:
        return None
    if price.is_free:
        return ()
    if usage is None or usage.output_tokens is None or not _adds_up(usage, usage.output_tokens):
        return None
    text_out = usage.text_output_tokens or 0
    text_rate = price.image_out if price.text_out is None else price.text_out
    tokens = _whole(
        (usage.text_input_tokens or 0) * price.text_in
        + (usage.image_input_tokens or 0) * price.image_in
        + (usage.output_tokens - text_out) * price.image_out
        + text_out * text_rate
    )
    payer = f"Tokens, billed by {price.tokens_billed_by}" if price.tokens_billed_by else "Tokens"
    if not price.fee_per_image:
        return (CostPart(payer, tokens),)
    tokens_part = CostPart(payer, tokens, is_anothers=price.tokens_billed_by is not None)
    return tokens_part, CostPart("Fee of the provider", _whole(images * price.fee_per_image * 10**6))


def _adds_up(usage: Usage, output_tokens: int) -> bool:
    """Whether the parts are there, add up, and are figures that a bill can hold."""
    # Every call has a prompt, so without a figure for text one is missing, unless a sum shows that there is none.
    if usage.text_input_tokens is None and (usage.image_input_tokens is None or usage.input_tokens is None):
        return False
    into = (usage.text_input_tokens or 0) + (usage.image_input_tokens or 0)
    if usage.input_tokens is not None and into < usage.input_tokens:
        return False
    return (usage.text_output_tokens or 0) <= output_tokens <= _MOST_TOKENS and into <= _MOST_TOKENS


def output_token_range(request: ImageRequest, spec: ModelSpec) -> tuple[int, int] | None:
    """Fewest and most output tokens one image can take; `None` when no figure is known.

    `auto`, or nothing said, may become any quality and any of the typical sizes.
    """
    found = [
        output_tokens(spec, quality, size)
        for quality in _open_qualities(request, spec)
        for size in _open_sizes(request)
    ]
    known = [tokens for tokens in found if tokens is not None]
    return (min(known), max(known)) if known else None


def _open_qualities(request: ImageRequest, spec: ModelSpec) -> list[str]:
    if request.quality is not None and request.quality != "auto":
        return [spec.quality_aliases.get(request.quality, request.quality)]
    return [quality for quality in spec.qualities if quality != "auto"]


def _open_sizes(request: ImageRequest) -> list[str]:
    return [request.size] if request.size is not None and request.size != "auto" else list(TYPICAL_SIZES)


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
