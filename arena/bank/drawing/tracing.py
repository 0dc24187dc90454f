"""Pictures of solids: rays walk from the eye to a surface, which is lit by one lamp with soft shadows and by the sky.

Light is added in linear space and brought to the screen once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from arena.bank.drawing.noise import Floats
from arena.bank.drawing.solids import Distance, Vector, dot, length, vector

Paint = Callable[[Floats], Floats]
"""Points `(3, n)` to linear colours `(3, n)`."""

STEPS = 110
TILE_PX = 96
"""Rays are walked by square tiles: few solids concern one tile, and its numbers stay in the processor's cache."""


def linear(colour: str) -> tuple[float, float, float]:
    """The linear light of a `#rrggbb`."""
    red, green, blue = ((int(colour[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5))
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Solid:
    """A shape and what its surface is like."""

    distance: Distance
    paint: str | Paint
    """A colour `#rrggbb`, or a colour for each point."""
    shine: float = 0.0
    """Strength of the lamp's highlight."""
    polish: float = 30.0
    """Smallness of the highlight."""
    mirror: float = 0.0
    """Share of light that is reflected straight on; more at grazing angles."""
    glow: float = 0.0
    """Light of its own, in units of its colour."""
    bound: tuple[Vector, float] | None = None
    """A ball that holds all of it; saves looking at it closely from afar. `None` for what has no end."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a picture is made of."""

    solids: Sequence[Solid]
    eye: Vector
    target: Vector
    lamp: Vector
    """The place the light comes from."""
    zoom: float = 2.0
    """Focal length in half picture heights."""
    lamp_colour: Vector = (3.0, 2.75, 2.4)
    sky: Vector = (0.55, 0.62, 0.75)
    ground: Vector = (0.30, 0.25, 0.20)
    softness: float = 7.0
    """Small for soft shadows, large for hard ones."""
    backdrop: str = "#d8d4cc"
    exposure: float = 1.0
    far: float = 40.0


def trace(scene: Scene, size: tuple[int, int]) -> Image.Image:
    """The picture of a scene, with edges smoothed by looking there again."""
    width, height = size
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    flat = _seen(scene, across.ravel() + 0.5, down.ravel() + 0.5, size)
    picture = flat.reshape(3, height, width)
    rough = _edges(picture).ravel()
    where = np.flatnonzero(rough)
    if where.size:
        total = np.zeros((3, where.size), dtype=np.float32)
        offsets = ((0.125, 0.375), (0.375, 0.875), (0.625, 0.125), (0.875, 0.625), (0.5, 0.5), (0.2, 0.7))
        for right, below in offsets:
            total += _seen(scene, across.ravel()[where] + right, down.ravel()[where] + below, size)
        flat[:, where] = total / len(offsets)
    pixels = np.clip(flat.reshape(3, height, width).transpose(1, 2, 0) * 255 + 0.5, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def _edges(picture: Floats) -> NDArray[np.bool_]:
    step = np.zeros(picture.shape[1:], dtype=np.float32)
    across = np.abs(np.diff(picture, axis=2)).max(axis=0)
    down = np.abs(np.diff(picture, axis=1)).max(axis=0)
    step[:, 1:], step[:, :-1] = across, np.maximum(step[:, :-1], across)
    step[1:], step[:-1] = np.maximum(step[1:], down), np.maximum(step[:-1], down)
    return step > 0.045


def _seen(scene: Scene, across: Floats, down: Floats, size: tuple[int, int]) -> Floats:
    """Screen colours of places in the picture, given in pixels."""
    width, height = size
    eye = vector(scene.eye)
    forward = vector(scene.target) - eye
    forward /= length(forward)
    right = np.cross(forward[:, 0], (0, 1, 0)).reshape(3, 1).astype(np.float32)
    right /= length(right)
    up = np.cross(right[:, 0], forward[:, 0]).reshape(3, 1).astype(np.float32)
    out = np.empty((3, across.size), dtype=np.float32)
    tile = (down // TILE_PX).astype(np.int64) * width + (across // TILE_PX).astype(np.int64)
    order = np.argsort(tile, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(tile[order])) + 1):
        x = (2 * across[part] - width) / np.float32(height)
        y = (height - 2 * down[part]) / np.float32(height)
        rays = forward * np.float32(scene.zoom) + right * x + up * y
        light = _light(scene, np.repeat(eye, x.size, axis=1), rays / length(rays), mirrors=True)
        vignette = 1 - 0.05 * (x * x + y * y)
        out[:, part] = _screen(light * vignette * np.float32(scene.exposure))
    return out


def _screen(light: Floats) -> Floats:
    """Linear light to screen values 0 to 1, with a soft shoulder (a curve of the filmic kind)."""
    filmic = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
    return np.clip(filmic, 0, 1) ** np.float32(1 / 2.2)


def _room(solid: Solid, points: Floats, care: Floats | float) -> Floats:
    """Distance to a solid: exact where less than `care`, else perhaps too small, but never less than `care`."""
    if solid.bound is None:
        return solid.distance(points)
    centre, radius = solid.bound
    room = length(points - vector(centre)) - np.float32(radius)
    near = np.flatnonzero(room < care)
    if near.size == room.size:
        return solid.distance(points)
    if near.size:
        room[near] = solid.distance(points[:, near])
    return room


def _nearest(solids: Sequence[Solid], points: Floats, care: Floats | float) -> Floats:
    best = np.full(points.shape[1], 1e6, dtype=np.float32)
    for solid in solids:
        best = np.minimum(best, _room(solid, points, care))
    return best


def _in_the_way(solids: Sequence[Solid], origin: Floats, rays: Floats, *, spread: float) -> list[Solid]:
    """The solids that some ray could touch; a ray widens by `spread` for each unit it goes."""
    found = []
    for solid in solids:
        if solid.bound is not None:
            to = vector(solid.bound[0]) - origin
            along = np.maximum(dot(to, rays), 0)
            if (length(to - rays * along) > solid.bound[1] + 0.02 + (along + solid.bound[1]) * spread).all():
                continue
        found.append(solid)
    return found


def _walk(scene: Scene, origin: Floats, rays: Floats) -> Floats:
    """How far each ray goes until it meets a surface; `scene.far` or more when it meets none."""
    gone = np.full(rays.shape[1], 0.01, dtype=np.float32)
    alive = np.arange(rays.shape[1])
    solids = _in_the_way(scene.solids, origin, rays, spread=0)
    for _ in range(STEPS):
        step = _nearest(solids, origin[:, alive] + rays[:, alive] * gone[alive], 0.05)
        gone[alive] += step
        alive = alive[(step > 0.0004 * gone[alive]) & (gone[alive] < scene.far)]
        if not alive.size:
            break
    return gone


def _light(scene: Scene, origin: Floats, rays: Floats, *, mirrors: bool) -> Floats:
    """Linear light that comes along each ray."""
    gone = _walk(scene, origin, rays)
    out = np.repeat(vector(linear(scene.backdrop)), rays.shape[1], axis=1)
    hit = np.flatnonzero(gone < scene.far)
    if hit.size:
        out[:, hit] = _shaded(scene, origin[:, hit] + rays[:, hit] * gone[hit], rays[:, hit], mirrors=mirrors)
    return out


def _shaded(scene: Scene, points: Floats, view: Floats, *, mirrors: bool) -> Floats:
    """Light that surfaces at these points send back along the view."""
    which = np.stack([_room(solid, points, 0.01) for solid in scene.solids]).argmin(axis=0)
    normals = _normals(scene, points, which)
    sun = vector(scene.lamp) - points
    away = length(sun)
    sun = sun / away
    lit = np.maximum(dot(normals, sun), 0) * _shadow(scene, points + normals * 0.006, sun, away)
    half = sun - view
    gleam = np.maximum(dot(normals, half / length(half)), 0)
    dome = vector(scene.ground) + (vector(scene.sky) - vector(scene.ground)) * (normals[1] * 0.5 + 0.5)
    ambient = dome * _hollow(scene, points, normals)
    shaded = np.empty_like(points)
    for index in np.unique(which):
        own, solid = np.flatnonzero(which == index), scene.solids[index]
        at, seen = points[:, own], normals[:, own]
        base = solid.paint(at) if callable(solid.paint) else vector(linear(solid.paint))
        light = base * (lit[own] * vector(scene.lamp_colour) + ambient[:, own] + np.float32(solid.glow))
        light += solid.shine * lit[own] * gleam[own] ** np.float32(solid.polish) * vector(scene.lamp_colour)
        if solid.mirror and mirrors:
            cosine = -dot(view[:, own], seen)
            share = solid.mirror + (1 - solid.mirror) * np.clip(1 - cosine, 0, 1) ** 5 * 0.6
            bounced = _light(scene, at + seen * 0.01, view[:, own] + 2 * cosine * seen, mirrors=False)
            light = light * (1 - share) + bounced * share
        shaded[:, own] = light
    return shaded


def _normals(scene: Scene, points: Floats, which: NDArray[np.intp]) -> Floats:
    """The direction each point's own solid faces there."""
    total = np.zeros_like(points)
    for index in np.unique(which):
        own = np.flatnonzero(which == index)
        for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
            step = vector(corner) * np.float32(0.010)
            total[:, own] += vector(corner) * scene.solids[index].distance(points[:, own] + step)
    return total / np.maximum(length(total), 1e-9)


def _shadow(scene: Scene, points: Floats, sun: Floats, away: Floats) -> Floats:
    """The share of the lamp that is seen from each point."""
    share = np.ones(points.shape[1], dtype=np.float32)
    gone = np.full(points.shape[1], 0.02, dtype=np.float32)
    alive = np.arange(points.shape[1])
    solids = _in_the_way(scene.solids, points, sun, spread=1 / scene.softness)
    for _ in range(STEPS):
        reach = gone[alive]
        room = _nearest(solids, points[:, alive] + sun[:, alive] * reach, np.maximum(reach / scene.softness, 0.05))
        share[alive] = np.minimum(share[alive], scene.softness * room / reach)
        gone[alive] += np.clip(room, 0.012, 0.6)
        alive = alive[(share[alive] > 0.003) & (gone[alive] < away[alive] - 0.05)]
        if not alive.size:
            break
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def _hollow(scene: Scene, points: Floats, normals: Floats) -> Floats:
    """How open to the sky each point is, 0 to 1."""
    closed = np.zeros(points.shape[1], dtype=np.float32)
    reach = 0.5
    near = [
        solid
        for solid in scene.solids
        if solid.bound is None or (length(points - vector(solid.bound[0])) < solid.bound[1] + 2 * reach).any()
    ]
    for step, weight in ((0.03, 1.0), (0.09, 0.85), (0.2, 0.65), (reach, 0.45)):
        room = _nearest(near, points + normals * np.float32(step), step)
        closed += np.float32(weight) * np.maximum(step - room, 0) / np.float32(step)
    found: Floats = np.clip(1 - closed / 2.95, 0.08, 1)
    return found
