"""Shapes in space as distance functions: each takes points `(3, n)` and says how far their surface is.

A distance may be too small, never too large, so that a ray that walks by it cannot step through a surface.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from arena.bank.drawing.noise import Floats

Distance = Callable[[Floats], Floats]
Vector = tuple[float, float, float]


def vector(values: Sequence[float]) -> NDArray[np.float32]:
    """A column that adds to points."""
    return np.array(values, dtype=np.float32).reshape(3, 1)


def length(points: Floats) -> Floats:
    """Distance from the origin."""
    x, y, z = points
    found: Floats = np.sqrt(x * x + y * y + z * z)
    return found


def dot(one: Floats, other: Floats) -> Floats:
    """The scalar product of each pair."""
    found: Floats = one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
    return found


def plane(normal: Vector, height: float) -> Distance:
    """All on the far side of a plane."""
    n = vector(normal)
    return lambda p: dot(p, n) - np.float32(height)


def sphere(centre: Vector, radius: float) -> Distance:
    """A ball."""
    c = vector(centre)
    return lambda p: length(p - c) - np.float32(radius)


def ellipsoid(centre: Vector, radii: Vector) -> Distance:
    """A ball stretched along the axes."""
    c, r = vector(centre), vector(radii)

    def distance(p: Floats) -> Floats:
        near = length((p - c) / r)
        far = length((p - c) / (r * r))
        estimate = near * (near - 1) / np.maximum(far, 1e-6)
        # Beside a flat one the estimate is far too small, which would show as shade: the ball around it does better.
        return np.maximum(estimate, length(p - c) - np.float32(max(radii)))

    return distance


def box(centre: Vector, half: Vector, rounding: float = 0.0) -> Distance:
    """A box with rounded edges; `half` is measured to the outside."""
    c, h = vector(centre), vector(half) - np.float32(rounding)

    def distance(p: Floats) -> Floats:
        q = np.abs(p - c) - h
        found: Floats = (
            length(np.maximum(q, 0)) + np.minimum(np.maximum(np.maximum(q[0], q[1]), q[2]), 0) - np.float32(rounding)
        )
        return found

    return distance


def rod(start: Vector, end: Vector, radius: float, end_radius: float | None = None) -> Distance:
    """A stick with round ends, tapering to `end_radius`."""
    a, along = vector(start), vector(end) - vector(start)
    squared = float((along * along).sum())
    change = np.float32((radius if end_radius is None else end_radius) - radius)

    def distance(p: Floats) -> Floats:
        part = np.clip(dot(p - a, along) / squared, 0, 1)
        return length(p - a - along * part) - np.float32(radius) - change * part

    return distance


def ring(centre: Vector, radius: float, thickness: float, *, axis: int = 1) -> Distance:
    """A torus around an axis."""
    c = vector(centre)
    flat = [i for i in range(3) if i != axis]

    def distance(p: Floats) -> Floats:
        q = p - c
        around = np.hypot(q[flat[0]], q[flat[1]]) - np.float32(radius)
        found: Floats = np.hypot(around, q[axis]) - np.float32(thickness)
        return found

    return distance


def _curve(points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """A smooth line through the points (Catmull-Rom); a point given twice stays a corner."""
    p = np.array(points, dtype=np.float64)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, 9)[:-1, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.vstack([*pieces, p[-2:-1]])


def _table(curve: NDArray[np.float64], around: NDArray[np.float64], up: NDArray[np.float64], *, solid: bool) -> Floats:
    """Distance to a line at each (height, radius); inside the closed line it is negative where `solid`."""
    best = np.full((up.size, around.size), 1e9)
    inside = np.zeros(best.shape, dtype=bool)
    r, h = around[None, :], up[:, None]
    for (r0, h0), (r1, h1) in zip(curve[:-1], curve[1:], strict=True):
        dr, dh = r1 - r0, h1 - h0
        part = np.clip(((r - r0) * dr + (h - h0) * dh) / max(dr * dr + dh * dh, 1e-12), 0, 1)
        best = np.minimum(best, (r - r0 - dr * part) ** 2 + (h - h0 - dh * part) ** 2)
        if dh:
            inside ^= ((h0 <= h) != (h1 <= h)) & (r < r0 + (h - h0) * dr / dh)
    signs = np.where(inside, -1.0, 1.0) if solid else 1.0
    found: Floats = (np.sqrt(best) * signs).astype(np.float32)
    return found


def spun(centre: Vector, outline: Sequence[tuple[float, float]], thickness: float = 0.0) -> Distance:
    """A shape turned on a wheel: `outline` lists (radius, height) smoothly joined; a point given twice is a corner.

    With a `thickness` it is a vessel whose wall follows the outline, else it is solid, and the outline runs from the
    axis at the bottom to the axis at the top.
    """
    c, curve = vector(centre), _curve(outline)
    margin, cells = 0.75, 420
    low, high = curve.min(axis=0) - margin, curve.max(axis=0) + margin
    around, up = np.linspace(0, high[0], cells), np.linspace(low[1], high[1], cells)
    table = _table(curve, around, up, solid=not thickness).ravel()
    per_r, per_h = np.float32((cells - 1) / high[0]), np.float32((cells - 1) / (high[1] - low[1]))

    def distance(p: Floats) -> Floats:
        q = p - c
        r, h = np.hypot(q[0], q[2]), q[1]
        outside = np.maximum(np.maximum(r - high[0], np.maximum(low[1] - h, h - high[1])), 0)
        u = np.clip(r * per_r, 0, cells - 1.001)
        v = np.clip((h - low[1]) * per_h, 0, cells - 1.001)
        i, j = u.astype(np.int32), v.astype(np.int32)
        u, v = u - i, v - j
        at = j * cells + i
        below = table[at] * (1 - u) + table[at + 1] * u
        above = table[at + cells] * (1 - u) + table[at + cells + 1] * u
        near = below * (1 - v) + above * v - np.float32(thickness)
        found: Floats = np.where(outside > 0, outside + np.float32(margin - thickness), near).astype(np.float32)
        return found

    return distance


def union(*shapes: Distance) -> Distance:
    """All of the shapes."""

    def distance(p: Floats) -> Floats:
        best = shapes[0](p)
        for shape in shapes[1:]:
            best = np.minimum(best, shape(p))
        return best

    return distance


def blend(one: Distance, other: Distance, width: float) -> Distance:
    """Two shapes grown together over `width`."""

    def distance(p: Floats) -> Floats:
        a, b = one(p), other(p)
        near = np.maximum(width - np.abs(a - b), 0) / np.float32(width)
        return np.minimum(a, b) - near * near * np.float32(width / 4)

    return distance


def without(shape: Distance, *holes: Distance) -> Distance:
    """A shape less the holes."""
    hole = union(*holes)
    return lambda p: np.maximum(shape(p), -hole(p))


def turned(shape: Distance, degrees: float, *, about: Vector = (0, 0, 0), axis: int = 1) -> Distance:
    """A shape turned around an axis through `about`."""
    angle = np.deg2rad(degrees)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    c = vector(about)

    def distance(p: Floats) -> Floats:
        q = p - c
        r = q.copy()
        r[i], r[j] = cos * q[i] + sin * q[j], cos * q[j] - sin * q[i]
        return shape(r + c)

    return distance
