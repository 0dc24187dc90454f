"""Which sizes are legal, which legal size lies nearest, and what size, aspect ratio and resolution come to. Pure; pixels.

Precedence: a size in pixels, then aspect ratio and resolution together, then aspect ratio, then resolution. Any ratio and
any tier is taken and mapped to the nearest one the model makes; what was changed is said. A tier stands for the area of its
square, so that every shape of it costs about the same.

Nearest, of fixed sizes: whose long edge exceeds the short one by nearest the same part of it. So between 4:5 and 5:4 a square
is nearest, beyond them 2:3 and 3:2; a ratio, a size that is refused and a first image all come to the same. Ties: of two sizes
the larger, so that exactly 4:5 is portrait and 5:4 landscape; of two sides the larger multiple.

Source: Lumenfall's parameter reference for the GPT Image models (size before aspect_ratio and resolution; `W:H` as size is an
aspect ratio), read 2026-11-21.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from providers.catalog import SizeRule
from providers.types import ImageRequest, InputImage

# ASCII: Python reads digits of every script as numbers, and no provider does.
_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})", re.ASCII)
_RATIO = re.compile(r"(\d{1,5}(?:\.\d{1,4})?):(\d{1,5}(?:\.\d{1,4})?)", re.ASCII)
_TIER = re.compile(r"(\d{1,2}(?:\.\d{1,2})?)K|([1-9]\d{2,4})", re.ASCII | re.IGNORECASE)

_TIER_EDGE = 1024


@dataclass(frozen=True, slots=True)
class SizeChoice:
    """What the asked size, aspect ratio and resolution come to for one model."""

    size: str | None
    """`WIDTHxHEIGHT`, `auto`, or `None` when nothing was said."""
    decided_by: tuple[str, ...] = ()
    """The fields it follows from; the others that were asked give way to them."""
    note: str = ""
    """What had to be changed, in words; empty when nothing was."""


def resolve_size(request: ImageRequest, rule: SizeRule) -> SizeChoice:
    """The one size to ask for. An illegal size in pixels is returned as asked: `checks` refuses it."""
    size, ratio_text, field = request.size, request.aspect_ratio, "aspect_ratio"
    if size is not None and parse_ratio(size):
        size, ratio_text, field = None, size, "size"
    if size is not None:
        return _auto(request.images, rule) if size == "auto" else SizeChoice(size, ("size",))
    if ratio_text is None and request.resolution is None:
        return SizeChoice(None)
    fields = tuple(name for name in (field if ratio_text else "", "resolution" if request.resolution else "") if name)
    ratio = parse_ratio(ratio_text or "1:1") or (1.0, 1.0)
    area = (parse_tier(request.resolution or "1K") or _TIER_EDGE) ** 2
    chosen = _of_ratio(ratio[0] / ratio[1], area, rule)
    return SizeChoice(chosen, fields, _changed_words(ratio_text, request.resolution, chosen))


def made_size(request: ImageRequest, rule: SizeRule) -> str | None:
    """The size that comes of the request, its provider's default included; `auto` or `None` where the model chooses."""
    size = resolve_size(request, rule).size
    if size is not None:
        return size
    unsaid = rule.unsaid_on_edits if request.images else rule.unsaid
    return unsaid and resolve_size(replace(request, size=unsaid), rule).size


def _auto(images: Sequence[InputImage], rule: SizeRule) -> SizeChoice:
    if rule.has_auto and (images or not rule.auto_on_edits_only):
        return SizeChoice("auto", ("size",))
    if not images:
        return SizeChoice(
            _of_ratio(1.0, _TIER_EDGE**2, rule), ("size",), "It cannot choose by itself; a square is asked for."
        )
    first = images[0]
    size = _of_ratio(first.width / first.height, _TIER_EDGE**2, rule)
    return SizeChoice(size, ("size",), f"It cannot choose by itself; {size} is nearest to image 1.")


def parse_ratio(text: str) -> tuple[float, float] | None:
    """Width and height of `W:H`, or `None` when the text is no ratio."""
    found = _RATIO.fullmatch(text.strip())
    if not found or not float(found[1]) or not float(found[2]):
        return None
    return float(found[1]), float(found[2])


def parse_tier(text: str) -> int | None:
    """Pixels of a square's edge in that tier: `1K` is 1024, `512` is 512; `None` when the text is no tier."""
    found = _TIER.fullmatch(text.strip())
    if not found:
        return None
    edge = round(float(found[1]) * _TIER_EDGE) if found[1] else int(found[2])
    return edge or None


def _of_ratio(ratio: float, area: float, rule: SizeRule) -> str:
    """The legal size of about that shape and area."""
    if rule.fixed:
        return _fixed_near(ratio, rule)
    ratio = min(max(ratio, 1 / rule.max_ratio), float(rule.max_ratio))
    area = min(max(area, rule.min_area), rule.max_area)
    step = rule.multiple
    width, height = (_rounded(math.sqrt(area * ratio), step), _rounded(math.sqrt(area / ratio), step))
    return f"{width}x{height}" if not _broken_rules((width, height), rule) else nearest_size((width, height), rule)


def _rounded(pixels: float, step: int) -> int:
    return max(step, math.floor(pixels / step + 0.5) * step)


def _changed_words(ratio_text: str | None, tier: str | None, chosen: str) -> str:
    width, height = parse_size(chosen) or (1, 1)
    said = []
    if ratio_text:
        asked = parse_ratio(ratio_text) or (1.0, 1.0)
        off = _shape_distance((width, height), asked[0] / asked[1])
        # Sides in steps of 16 px are off by a few per cent at most; more than that is another shape.
        if off > 1.03:
            said.append(f"{ratio_text} is not made here; {width}:{height} is nearest.")
    if tier:
        edge = parse_tier(tier) or _TIER_EDGE
        # 3840 x 2160 is 4K by its long edge, 2048 x 2048 is 2K by its area: either will do.
        if not (0.85 < math.sqrt(width * height) / edge < 1.25 or 0.9 < max(width, height) / edge < 1.1):
            said.append(f"{tier} is not made here; {width} x {height} px is nearest.")
    return " ".join(said)


def parse_size(text: str) -> tuple[int, int] | None:
    """Width and height of `WIDTHxHEIGHT`, or `None` when the text is no size."""
    found = _SIZE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def size_problem(text: str, rule: SizeRule) -> str | None:
    """Why the size is not legal, with the nearest legal one; `None` when it is, or is `auto`."""
    if text == "auto":
        return None
    size = parse_size(text)
    if size is None:
        return f"{text!r} is no size. Write width x height in pixels, as 1536x1024, or auto."
    if rule.fixed:
        if text in rule.fixed:
            return None
        return f"{text} is not offered. Sizes: auto, {', '.join(rule.fixed)}. Nearest: {nearest_size(size, rule)}."
    broken = _broken_rules(size, rule)
    if not broken:
        return None
    return f"{text} is not possible: {'; '.join(broken)}. Nearest possible size: {nearest_size(size, rule)}."


def _broken_rules(size: tuple[int, int], rule: SizeRule) -> list[str]:
    width, height = size
    long, short = max(size), min(size)
    broken = []
    if width % rule.multiple or height % rule.multiple:
        broken.append(f"width and height must be multiples of {rule.multiple}")
    if long > rule.max_edge:
        broken.append(f"the long edge may have {rule.max_edge:,} px")
    if long > short * rule.max_ratio:
        broken.append(f"the long edge may be {rule.max_ratio} times the short one")
    if not rule.min_area <= width * height <= rule.max_area:
        broken.append(f"the area must lie between {rule.min_area:,} and {rule.max_area:,} px")
    return broken


def nearest_size(size: tuple[int, int], rule: SizeRule) -> str:
    """The legal size nearest to `size`: same shape first, then same area."""
    if rule.fixed:
        return _fixed_near(size[0] / size[1], rule)
    width, height = float(size[0]), float(size[1])
    if max(width, height) > min(width, height) * rule.max_ratio:
        width, height = (height * rule.max_ratio, height) if width > height else (width, width * rule.max_ratio)
    scale = max(1.0, (rule.min_area / (width * height)) ** 0.5)
    scale = min(scale, (rule.max_area / (width * height)) ** 0.5, rule.max_edge / max(width, height))
    return _legal_near(width * scale, height * scale, rule)


def _fixed_near(ratio: float, rule: SizeRule) -> str:
    def distance(text: str) -> tuple[float, int]:
        width, height = parse_size(text) or (1, 1)
        return abs(_excess(width / height) - _excess(ratio)), -width * height

    return min(rule.fixed, key=distance)


def _excess(ratio: float) -> float:
    """By which part of the short edge the long one exceeds it; below 0 for portraits."""
    return ratio - 1 if ratio >= 1 else 1 - 1 / ratio


def _shape_distance(size: tuple[int, int], ratio: float) -> float:
    own = size[0] / size[1]
    return max(own / ratio, ratio / own)


def _legal_near(width: float, height: float, rule: SizeRule) -> str:
    """The legal multiple pair closest to the wanted sides; steps outwards, so it ends within a few tries."""
    step = rule.multiple
    base_w, base_h = round(width / step), round(height / step)
    reach = 4
    legal = [
        (w * step, h * step)
        for w in range(max(1, base_w - reach), base_w + reach + 1)
        for h in range(max(1, base_h - reach), base_h + reach + 1)
        if not _broken_rules((w * step, h * step), rule)
    ]
    if not legal:
        return "auto"
    # A tie goes to the larger size: nothing of the image is lost.
    best = min(legal, key=lambda size: (abs(size[0] - width) + abs(size[1] - height), -size[0] * size[1]))
    return f"{best[0]}x{best[1]}"
