"""Which offers can make the images of a battle, at what price, and why others cannot. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from arena.offers import drawable_pairs
from providers.catalog import Catalog, ModelSpec
from providers.checks import problems_of
from providers.pricing import estimate
from providers.types import ImageRequest


@dataclass(frozen=True, slots=True)
class Contender:
    """An offer that can take part."""

    offer: str
    low_microusd: int | None
    """Expected cost of its image; `None` when no price is known."""
    high_microusd: int | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An offer that cannot."""

    offer: str
    why: str
    """In words that go on from the offer's name, as "takes 1 source image, not 2"."""


@dataclass(frozen=True, slots=True)
class Field:
    """Who can take part, and who cannot."""

    contenders: tuple[Contender, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def offers(self) -> list[str]:
        """Those that can, in the order given."""
        return [one.offer for one in self.contenders]


def field_of(request: ImageRequest, offers: Iterable[str], catalog: Catalog) -> Field:
    """Which of these offers can answer the request. Its quality is asked of the models that have it."""
    contenders: list[Contender] = []
    left_out: list[LeftOut] = []
    for name in offers:
        offer = catalog.offer(name)
        spec = catalog.spec(offer)
        asked = fitted(request, spec)
        why = _why_not(asked, spec) or next(
            (problem.message for problem in problems_of(asked, spec, catalog.provider(offer.provider_id))), ""
        ).removeprefix(f"{spec.name}: ")
        if why:
            left_out.append(LeftOut(name, why))
            continue
        expected = estimate(asked, spec, offer)
        contenders.append(Contender(name, expected.low_microusd, expected.high_microusd))
    return Field(tuple(contenders), tuple(left_out))


def fitted(request: ImageRequest, spec: ModelSpec) -> ImageRequest:
    """The request without a quality that this model has not: in a battle each is asked for the like that it has."""
    return request if request.quality in spec.qualities else replace(request, quality=None)


def price_range(
    field: Field, first: str | None = None, second: str | None = None
) -> tuple[int | None, int | None] | None:
    """What both images cost together, for the cheapest and the dearest pair that these choices allow.

    `None` when no two can meet; (`None`, `None`) when a price is not known.
    """
    pairs = drawable_pairs(field.offers, first, second)
    if not pairs:
        return None
    low = {one.offer: one.low_microusd for one in field.contenders}
    high = {one.offer: one.high_microusd for one in field.contenders}
    lows, highs = _sums(pairs, low), _sums(pairs, high)
    return (min(lows), max(highs)) if len(lows) == len(highs) == len(pairs) else (None, None)


def _sums(pairs: Sequence[tuple[str, str]], amounts: Mapping[str, int | None]) -> list[int]:
    return [one + other for a, b in pairs if (one := amounts[a]) is not None and (other := amounts[b]) is not None]


def _why_not(request: ImageRequest, spec: ModelSpec) -> str:
    count = len(request.images)
    if count > spec.max_images:
        return f"takes {_images(spec.max_images)}, not {count}"
    if count < spec.min_images:
        return "only edits"
    return ""


def _images(count: int) -> str:
    if count == 0:
        return "no source image"
    return "1 source image" if count == 1 else f"{count} source images"
