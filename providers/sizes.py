"""Which sizes are legal, and which legal size lies nearest. Pure; pixels throughout."""

from __future__ import annotations

import re

from providers.catalog import SizeRule

_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")


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
        ratio = size[0] / size[1]
        return min(rule.fixed, key=lambda text: _shape_distance(parse_size(text) or (1, 1), ratio))
    width, height = float(size[0]), float(size[1])
    if max(width, height) > min(width, height) * rule.max_ratio:
        width, height = (height * rule.max_ratio, height) if width > height else (width, width * rule.max_ratio)
    scale = max(1.0, (rule.min_area / (width * height)) ** 0.5)
    scale = min(scale, (rule.max_area / (width * height)) ** 0.5, rule.max_edge / max(width, height))
    return _legal_near(width * scale, height * scale, rule)


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
