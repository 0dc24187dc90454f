"""What a picture is made of before anybody paints it: shapes in a frame, with colour, light and material.

The scenes say what stands where; the three manners (`painterly`, `flat`, `sketch`) say how it looks. Lengths are in
units of the frame's shorter side, x to the right, y down, so one scene fits every size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from providers.demo.colors import Color

Field = NDArray[np.float32]
"""Numbers over pixels: shape (height, width), or (height, width, 3) for colours, 0 to 1."""

Path = NDArray[np.float32]
"""A closed polygon, shape (points, 2)."""

Fill = Literal["flat", "down", "right", "round"]
Texture = Literal["plain", "sky", "rock", "water", "leaf", "wood", "cloth", "glaze", "fur"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One area of one material; several paths share its light as one body."""

    paths: tuple[Path, ...]
    color: Color
    """Colour in the light."""
    shade: Color | None = None
    """Colour at the far end of the fill; `None` paints all in `color`."""
    fill: Fill = "down"
    """How light falls: `down` fades from top to bottom, `right` turns like a column, `round` like a ball."""
    texture: Texture = "plain"
    soft: float = 0.0
    """Width of the blurred edge, in units."""
    alpha: float = 1.0
    glow: bool = False
    """Adds light instead of covering."""
    fine: bool = False
    """A finer wish of the prompt, which the weakest manner misses."""
    level: int = 0
    """Drawn from this quality on: 0 low, 1 medium, 2 high."""
    subject: bool = True
    """Stays when the background is transparent."""
    outline: bool = True
    """Gets a line where lines are drawn."""
    lettering: str = ""
    """Text set as large as fits into the first path's bounding box, instead of the path itself."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A composed picture: shapes from back to front in a frame of `width` x `height` units."""

    width: float
    height: float
    paper: Color
    shapes: tuple[Shape, ...]
    light_at: tuple[float, float] | None = None
    """Where the light comes from, in units; `None` when it has no place in the picture."""
    light_color: Color = (1.0, 0.95, 0.82)


def polygon(points: Iterable[tuple[float, float]]) -> Path:
    """The closed polygon through `points`."""
    return np.asarray(list(points), dtype=np.float32)


def rectangle(left: float, top: float, right: float, bottom: float) -> Path:
    """An upright rectangle."""
    return polygon([(left, top), (right, top), (right, bottom), (left, bottom)])


def ellipse(x: float, y: float, radius_x: float, radius_y: float, tilt: float = 0.0) -> Path:
    """An ellipse around (x, y), turned by `tilt` radians."""
    angle = np.linspace(0, 2 * pi, 72, endpoint=False, dtype=np.float32)
    along, across = radius_x * np.cos(angle), radius_y * np.sin(angle)
    return np.stack(
        [x + along * cos(tilt) - across * sin(tilt), y + along * sin(tilt) + across * cos(tilt)], axis=1
    ).astype(np.float32)


def circle(x: float, y: float, radius: float) -> Path:
    """A circle around (x, y)."""
    return ellipse(x, y, radius, radius)


def sector(x: float, y: float, radius: float, start: float, stop: float) -> Path:
    """A slice of a disc between two angles in radians, clockwise from the right."""
    angle = np.linspace(start, stop, 40, dtype=np.float32)
    rim = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
    return np.concatenate([np.array([[x, y]]), rim]).astype(np.float32)


def smooth(points: Sequence[tuple[float, float]], *, closed: bool = True, steps: int = 10) -> Path:
    """A Catmull-Rom curve through `points`."""
    knots = np.asarray(points, dtype=np.float32)
    ring = np.concatenate([knots[-1:], knots, knots[:2]]) if closed else np.concatenate([knots[:1], knots, knots[-1:]])
    before, start, stop, after = (ring[i : len(ring) - 3 + i, None, :] for i in range(4))
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (stop - before) * t
        + (2 * before - 5 * start + 4 * stop - after) * t**2
        + (3 * start - before - 3 * stop + after) * t**3
    )
    flat = curve.reshape(-1, 2)
    return (flat if closed else np.concatenate([flat, knots[-1:]])).astype(np.float32)


def lathe(x: float, profile: Sequence[tuple[float, float]]) -> Path:
    """A body turned around the upright axis at x, from (y, half width) pairs, top first."""
    right = smooth([(half, y) for y, half in profile], closed=False)
    left = right[::-1] * np.array([-1, 1], dtype=np.float32)
    return (np.concatenate([right, left]) + np.array([x, 0], dtype=np.float32)).astype(np.float32)


def ribbon(points: Sequence[tuple[float, float]], width: float, end_width: float | None = None) -> Path:
    """A smooth stroke along `points`, from `width` to `end_width` (the same when not given)."""
    line = smooth(points, closed=False, steps=8)
    step = np.gradient(line, axis=0)
    length = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-6)[:, None]
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / length
    half = np.linspace(width, width if end_width is None else end_width, len(line))[:, None] / 2
    return np.concatenate([line + normal * half, (line - normal * half)[::-1]]).astype(np.float32)


def leaf(x: float, y: float, length: float, angle: float, width: float = 0.3, bend: float = 0.0) -> Path:
    """A pointed leaf from its stem at (x, y); `angle` in radians, `width` and `bend` as parts of its length."""
    along = np.linspace(0, 1, 22, dtype=np.float32)
    half = width * np.sin(pi * along**0.8) * (1 - along * 0.35)
    middle = bend * along**2
    body = np.concatenate([np.stack([along, middle - half / 2], 1), np.stack([along, middle + half / 2], 1)[::-1]])
    turn = np.array([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]])
    blade: Path = (body * length @ turn + np.array([x, y])).astype(np.float32)
    return blade


def star(x: float, y: float, radius: float, points: int, inner: float = 0.5, turn: float = -pi / 2) -> Path:
    """A star with `points` tips; `inner` is the notches' part of the radius."""
    angle = turn + np.arange(points * 2) * pi / points
    reach = np.where(np.arange(points * 2) % 2 == 0, radius, radius * inner)
    return np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1).astype(np.float32)


def blob(rng: np.random.Generator, x: float, y: float, radius_x: float, radius_y: float, wobble: float) -> Path:
    """A rounded lump around (x, y); `wobble` is the part of the radius by which it leaves the ellipse."""
    count = 11
    reach = 1 + wobble * rng.uniform(-1, 1, count)
    angle = np.arange(count) * 2 * pi / count
    return smooth(
        [
            (x + radius_x * r * cos(a), y + radius_y * r * sin(a))
            for r, a in zip(reach.tolist(), angle.tolist(), strict=True)
        ]
    )


def ridge(rng: np.random.Generator, width: float, y: float, height: float, bottom: float, *, rough: float) -> Path:
    """A skyline around `y` that rises and falls by `height`, filled down to `bottom`; `rough` 0 rolls, 1 is craggy."""
    x = np.linspace(-0.05, width + 0.05, 220)
    line = np.zeros_like(x)
    for octave in range(6):
        step = 2**octave
        knots = rng.uniform(-1, 1, int(np.ceil(width * step * 1.6)) + 4)
        place = (x + 0.05) / (width + 0.1) * (len(knots) - 2.001)
        whole = place.astype(int)
        part = place - whole
        part = part * part * (3 - 2 * part)
        line += (knots[whole] * (1 - part) + knots[whole + 1] * part) * (0.3 + 0.28 * rough) ** octave
    top = np.stack([x, y - line * height], axis=1)
    corners = np.array([[width + 0.05, bottom], [-0.05, bottom]])
    return np.concatenate([top, corners]).astype(np.float32)


def moved(path: Path, x: float, y: float, scale: float = 1.0, *, flip: bool = False) -> Path:
    """`path`, drawn around the origin, at (x, y), `scale` times as large, mirrored when `flip`."""
    factor = np.array([-scale if flip else scale, scale], dtype=np.float32)
    return (path * factor + np.array([x, y], dtype=np.float32)).astype(np.float32)
