"""Mountains, forest and a still lake on a clear summer morning."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from arena.bank.drawing.canvas import random, rgb
from arena.bank.drawing.noise import Floats, fractal

SHORE = 0.60
"""Where the water begins, as a share of the height."""


def _tone(colour: str) -> Floats:
    return np.array(rgb(colour), dtype=np.float32) / 255


def _over(below: Floats, colour: Floats, share: Floats) -> Floats:
    return below + (colour - below) * share[..., None]


def _sky(x: Floats, y: Floats) -> Floats:
    height = np.clip(y / SHORE, 0, 1)[..., None]
    sky = _tone("#3f7fbd") + (_tone("#dcebf0") - _tone("#3f7fbd")) * height**0.85
    cloud = fractal(x * 2.4 + 4, y * 9 + 2, octaves=6)
    thin = np.clip((cloud - 0.56) * 5, 0, 1) * np.clip(1.15 - y / 0.42, 0, 1)
    return _over(sky, _tone("#fbfaf4"), thin * 0.9)


def _ridge(x: Floats, *, height: float, rough: float, scale: float, seed: float) -> Floats:
    row = fractal(x[0] * scale + seed, np.full_like(x[0], seed), octaves=7)
    return (height - rough * (row - 0.5))[None, :]


def _peak(x: Floats, y: Floats, picture: Floats) -> Floats:
    """The bare mountain with snow, lit from the left."""
    bend = 0.16 * np.exp(-(((x - 0.86) / 0.23) ** 2)) + 0.20 * np.exp(-(((x - 0.44) / 0.17) ** 2))
    crest = _ridge(x, height=0.43, rough=0.34, scale=4.2, seed=3.7) - bend
    inside = np.clip((y - crest) * 500, 0, 1)
    relief = fractal(x * 9 + y * 5, y * 7 - x * 4, octaves=7)
    shifted = fractal((x + 0.006) * 9 + (y + 0.004) * 5, (y + 0.004) * 7 - (x + 0.006) * 4, octaves=7)
    light = np.clip(0.5 + (relief - shifted) * 16, 0, 1)
    rock = _tone("#4c5a6b") + (_tone("#b4aca6") - _tone("#4c5a6b")) * light[..., None]
    snow_line = crest + 0.05 + 0.16 * (relief - 0.35)
    snow = np.clip((snow_line - y) * 60 + 0.3, 0, 1) * np.clip(0.35 + light, 0, 1)
    rock = _over(rock, _tone("#aebfd6") + (_tone("#fdfbf6") - _tone("#aebfd6")) * light[..., None], snow)
    haze = np.clip((y - 0.30) / 0.34, 0, 1) * 0.62
    return _over(picture, _over(rock, _tone("#c3d5dd"), haze), inside)


def _wooded(x: Floats, y: Floats, picture: Floats, *, at: float, seed: float, near: float) -> Floats:
    """A slope of firs; `near` of 0 to 1 makes them larger and darker."""
    hill = _ridge(x, height=at, rough=0.16, scale=2.1, seed=seed)
    step = 0.010 + 0.014 * near
    column = x / step + fractal(x * 30, x * 0 + seed, octaves=2) * 1.5
    tall = step * (1.5 + 2.4 * fractal(np.floor(column), np.floor(column) * 0 + seed, octaves=1))
    inside = np.abs(column - np.floor(column) - 0.5) * 2
    crest = hill - tall * (1 - inside)
    cover = np.clip((y - crest) * 420, 0, 1)
    light = fractal(x * 70, y * 90 + seed, octaves=4) * 0.8 + fractal(x * 6, y * 8, octaves=3) * 0.5 - 0.25
    dark, bright = _tone("#56788a"), _tone("#84a59a")
    deep, green = _tone("#14301f"), _tone("#4f7a35")
    low, high = dark + (deep - dark) * near, bright + (green - bright) * near
    return _over(picture, low + (high - low) * np.clip(light, 0, 1)[..., None], cover)


def _meadow(x: Floats, y: Floats, picture: Floats) -> Floats:
    """The near bank with grass, stones and flowers."""
    edge = 0.905 + 0.07 * np.sin(x * 2.6 + 2.3) - 0.02 * (fractal(x * 9, x * 0, octaves=4) - 0.5)
    blades = fractal(x * 220, y * 26, octaves=3)
    cover = np.clip((y - edge + (blades - 0.5) * 0.03) * 160, 0, 1)
    patch = fractal(x * 7, y * 14, octaves=4)
    mix = np.clip(blades * 0.9 + patch * 0.7 - 0.45, 0, 1)[..., None]
    grass = _tone("#2c4a1c") + (_tone("#a9b552") - _tone("#2c4a1c")) * mix
    return _over(picture, grass, cover)


def _flowers(image: Image.Image) -> None:
    """Flowers in the near meadow, smaller farther off."""
    pen, chance = ImageDraw.Draw(image), random(11)
    for _ in range(230):
        x, below = float(chance.uniform(0, 1.5)), float(chance.uniform(0.0, 0.16))
        y = 0.92 + 0.07 * float(np.sin(x * 2.6 + 2.3)) + below
        petal = image.height * (0.0016 + 0.022 * below)
        tone = ("#f6efd6", "#d77fb0", "#f0c84a")[int(chance.integers(3))]
        for turn in range(5):
            dx, dy = petal * np.cos(turn * 1.2566), petal * 0.75 * np.sin(turn * 1.2566)
            px, py, r = x * image.height + dx, y * image.height + dy, petal * 0.6
            pen.ellipse((px - r, py - r, px + r, py + r), fill=tone)
        r, px, py = petal * 0.5, x * image.height, y * image.height
        pen.ellipse((px - r, py - r, px + r, py + r), fill="#8a5a1c")


def draw(size: tuple[int, int]) -> Image.Image:
    """The picture at any size of 3 to 2."""
    width, height = size[0] * 2, size[1] * 2
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = across / height, down / height
    land = _peak(x, y, _sky(x, y))
    land = _wooded(x, y, land, at=0.545, seed=8.1, near=0.15)
    land = _wooded(x, y, land, at=0.600, seed=2.6, near=0.55)
    land = _wooded(x, y + 0.32 * np.clip(np.abs(x - 0.72) - 0.02, 0, 0.16), land, at=0.655, seed=5.2, near=0.95)
    water = y > SHORE
    depth = np.clip((y - SHORE) / (1 - SHORE), 0, 1)
    ripple = (fractal(x * 9, y * 150, octaves=3) - 0.5) * (0.004 + 0.05 * depth)
    mirrored = np.clip((2 * SHORE - y + ripple * 0.8) * height, 0, height - 1).astype(np.int64)
    sideways = np.clip(across + ripple * height * 0.25, 0, width - 1).astype(np.int64)
    lake = land[mirrored, sideways] * 0.88
    lake = _over(lake, _tone("#1f5468"), np.clip(0.10 + 0.55 * depth, 0, 1))
    glints = np.clip((fractal(x * 26, y * 300, octaves=2) - 0.72) * 5, 0, 1) * np.clip(1 - depth * 1.3, 0, 1)
    lake = _over(lake, _tone("#f2f6f2"), glints * 0.45)
    line = np.exp(-(((y - SHORE) / 0.004) ** 2))
    lake = _over(lake, _tone("#b9c7bd"), line * 0.6)
    picture = np.where(water[..., None], lake, land)
    picture = _meadow(x, y, picture)
    pixels = np.clip(picture * 255, 0, 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    _flowers(image)
    return image.resize(size, Image.Resampling.LANCZOS)
