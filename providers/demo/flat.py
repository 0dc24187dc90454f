"""The middle manner: a printed vector poster. Few flat colours, each body in two tones, a little grain of the press."""

from __future__ import annotations

import numpy as np

from providers.demo.noise import resized, unit, value_noise
from providers.demo.raster import Patch, patch
from providers.demo.shapes import Drawing, Field, Shape

TONE_EDGE = {"right": 0.42, "round": 0.62}
"""Where the light tone ends and the shade begins, by how the light falls."""


def paint(
    drawing: Drawing,
    canvas: tuple[int, int],
    level: int,
    rng: np.random.Generator,
    *,
    ground: Field | None = None,
    transparent: bool = False,
) -> Field:
    """The printed `drawing`, shape (height, width, 4); the arguments are those of `painterly.paint`."""
    scale = canvas[0] / drawing.height
    picture = np.empty((*canvas, 3), dtype=np.float32)
    picture[:] = drawing.paper if ground is None else ground
    alpha = np.zeros(canvas, dtype=np.float32) if transparent else np.ones(canvas, dtype=np.float32)
    for shape in drawing.shapes:
        if shape.level > level or (transparent and not shape.subject):
            continue
        part = patch(shape, canvas, scale)
        if part is not None:
            _print(picture, alpha, shape, part, scale)
    if ground is None:
        picture = _pressed(picture, scale, rng)
    return unit(np.concatenate([picture, alpha[..., None]], axis=2))


def restyle(pixels: Field, level: int, rng: np.random.Generator, *, strength: float) -> Field:
    """A picture (h, w, 3) cut into few flat tones; `strength` 0 to 1 says how far from the original."""
    shape = (pixels.shape[0], pixels.shape[1])
    small = (max(2, shape[0] // 4), max(2, shape[1] // 4))
    calm = np.stack([resized(resized(pixels[..., i], small), shape) for i in range(3)], axis=2)
    tone = (calm @ np.array([0.299, 0.587, 0.114], dtype=np.float32))[..., None]
    steps = np.float32(5 + 2 * level)
    # A narrow ramp between two tones instead of a hard step: the cut edge stays free of stairs.
    place = tone * steps - np.float32(0.5)
    whole = np.floor(place)
    ramp = np.clip((place - whole - np.float32(0.5)) * 7 + np.float32(0.5), 0, 1)
    cut = calm * ((whole + ramp + np.float32(0.5)) / np.maximum(tone * steps, np.float32(0.3)))
    cut = cut + (cut - cut.mean(axis=2, keepdims=True)) * np.float32(0.25)
    picture = pixels + (cut - pixels) * np.float32(0.45 + 0.5 * strength)
    return unit(_pressed(picture, float(min(shape)), rng))


def _print(picture: Field, alpha: Field, shape: Shape, part: Patch, scale: float) -> None:
    box = (part.rows, part.columns)
    color = np.asarray(shape.color, dtype=np.float32)
    cover = part.cover * np.float32(shape.alpha * (0.6 if shape.glow else 1.0))
    if shape.shade is None:
        ink: Field = np.broadcast_to(color, (*cover.shape, 3)).astype(np.float32)
    else:
        step = np.asarray(shape.shade, dtype=np.float32) - color
        ink = color + step * _two_tones(shape, part.light, scale)[..., None]
    below = alpha[box]
    share = cover / np.maximum(cover + below * (1 - cover), 1e-4)
    under = picture[box]
    under += (ink - under) * share[..., None]
    alpha[box] = below + (1 - below) * cover


def _two_tones(shape: Shape, light: Field, scale: float) -> Field:
    if shape.texture == "sky" or not shape.subject:
        return light
    if shape.fill == "down":
        # A body lit from above is one colour on a poster; the shade only tempers it.
        return np.full_like(light, 0.35)
    edge = TONE_EDGE.get(shape.fill, 0.5)
    reach = max(0.01, float(np.ptp(np.concatenate(shape.paths)[:, 0])))
    sharp = np.float32(scale * reach * 0.35)
    return unit((light - np.float32(edge)) * sharp + np.float32(0.5)) * np.float32(0.8)


def _pressed(picture: Field, scale: float, rng: np.random.Generator) -> Field:
    shape = (picture.shape[0], picture.shape[1])
    grain = value_noise(rng, shape, max(1.2, scale * 0.002), max(1.2, scale * 0.002))
    return picture * (1 + np.float32(0.016) * grain[..., None])
