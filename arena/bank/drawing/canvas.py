"""Flat drawing with soft edges: shapes in units of their own, drawn at twice the size and brought down once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from arena.bank.drawing.noise import Floats, fractal

Point = tuple[float, float]
Shade = Callable[[Floats, Floats], Floats]
"""Places `(x, y)` in units to values of 0 to 1."""

OVER = 2


def rgb(colour: str) -> tuple[int, int, int]:
    """The parts of a `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mixed(one: str, other: str, share: float) -> str:
    """A colour on the way from one to another."""
    parts = [round(a + (b - a) * share) for a, b in zip(rgb(one), rgb(other), strict=True)]
    return "#{:02x}{:02x}{:02x}".format(*parts)


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 12) -> list[Point]:
    """A curve through the points (Catmull-Rom)."""
    p = np.array(points, dtype=np.float64)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    found: list[Point] = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        found += [(float(x), float(y)) for x, y in curve]
    return found if closed else [*found, (float(p[-2][0]), float(p[-2][1]))]


class Canvas:
    """A picture in the making; its width is `units` wide whatever its size in pixels."""

    def __init__(self, size: tuple[int, int], units: float, ground: str) -> None:
        self.size = size
        self.scale = size[0] * OVER / units
        self.image = Image.new("RGB", (size[0] * OVER, size[1] * OVER), ground)

    def places(self) -> tuple[Floats, Floats]:
        """The units of each pixel, right and down."""
        down, across = np.mgrid[0 : self.image.height, 0 : self.image.width].astype(np.float32)
        return across / np.float32(self.scale), down / np.float32(self.scale)

    def mask(self, points: Sequence[Point]) -> Image.Image:
        """Where a shape is."""
        found = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(found).polygon(self._px(points), fill=255)
        return found

    def shape(self, points: Sequence[Point], colour: str) -> None:
        """A filled shape."""
        ImageDraw.Draw(self.image).polygon(self._px(points), fill=colour)

    def blob(self, points: Sequence[Point], colour: str) -> None:
        """A filled shape with a smooth outline through the points."""
        self.shape(smooth(points), colour)

    def rect(self, left: float, top: float, right: float, bottom: float, colour: str, *, round_by: float = 0) -> None:
        """A rectangle."""
        box = [value * self.scale for value in (left, top, right, bottom)]
        ImageDraw.Draw(self.image).rounded_rectangle(box, round_by * self.scale, fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: str, *, tall: float | None = None) -> None:
        """A disc, or an ellipse that is `tall`."""
        high = radius if tall is None else tall
        box = [value * self.scale for value in (x - radius, y - high, x + radius, y + high)]
        ImageDraw.Draw(self.image).ellipse(box, fill=colour)

    def line(self, points: Sequence[Point], colour: str, width: float) -> None:
        """A stroke with round joints and ends."""
        pen, wide = ImageDraw.Draw(self.image), max(1, round(width * self.scale))
        pen.line(self._px(points), fill=colour, width=wide, joint="curve")
        for x, y in points if wide > 8 else (points[0], points[-1]):
            self.disc(x, y, width / 2, colour)

    def stroke(self, points: Sequence[Point], colour: str, width: float) -> None:
        """A smooth stroke through the points."""
        self.line(smooth(points, closed=False), colour, width)

    def text(self, x: float, y: float, words: str, colour: str, height: float, *, heavy: float = 0) -> None:
        """Words centred on a place; `height` is the type's size, `heavy` thickens it."""
        type_ = ImageFont.load_default(height * self.scale)
        place = (x * self.scale, y * self.scale)
        pen = ImageDraw.Draw(self.image)
        pen.text(place, words, fill=colour, font=type_, anchor="mm", stroke_width=heavy * self.scale)

    def glaze(self, colour: str, shade: Shade, *, within: Image.Image | None = None) -> None:
        """Lays a colour over, as strong as `shade` says, only `within` a mask if there is one."""
        cover = Image.fromarray(np.clip(shade(*self.places()) * 255, 0, 255).astype(np.uint8))
        self.image.paste(colour, mask=cover if within is None else ImageChops.multiply(cover, within))

    def shadow(self, points: Sequence[Point], *, shift: Point, blur: float, strength: float) -> None:
        """A soft shadow that a shape casts on what is there already."""
        moved = self.mask([(x + shift[0], y + shift[1]) for x, y in points])
        soft = moved.filter(ImageFilter.GaussianBlur(blur * self.scale))
        self.image.paste("#1c1410", mask=soft.point([round(value * strength) for value in range(256)]))

    def finished(self, *, paper: float = 0.0) -> Image.Image:
        """The picture at its size; `paper` gives it a tooth."""
        small = self.image.resize(self.size, Image.Resampling.LANCZOS)
        if not paper:
            return small
        down, across = np.mgrid[0 : self.size[1], 0 : self.size[0]].astype(np.float32) * (1000 / min(self.size))
        tooth = fractal(across / 5, down / 5, octaves=3) - np.float32(0.5)
        cloud = fractal(across / 160, down / 160, octaves=3) - np.float32(0.5)
        lit = np.asarray(small, dtype=np.float32) * (1 + np.float32(paper) * (tooth + cloud)[..., None])
        return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))

    def _px(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]


def fade(start: float, end: float, *, down: bool = True, strength: float = 1.0) -> Shade:
    """A shade that grows from `start` to `end` of an axis."""

    def shade(x: Floats, y: Floats) -> Floats:
        along = y if down else x
        return np.clip((along - start) / np.float32(end - start), 0, 1) * np.float32(strength)

    return shade


def halo(x: float, y: float, radius: float, *, strength: float = 1.0) -> Shade:
    """A round glow."""

    def shade(across: Floats, down: Floats) -> Floats:
        near = 1 - np.hypot(across - x, down - y) / np.float32(radius)
        return (np.clip(near, 0, 1) ** 2 * np.float32(strength)).astype(np.float32)

    return shade


def random(seed: int) -> np.random.Generator:
    """Chance that falls the same way each time."""
    return np.random.Generator(np.random.PCG64(seed))


def jittered(rng: np.random.Generator, points: Sequence[Point], by: float) -> list[Point]:
    """Points moved a little, as a hand would."""
    moves: NDArray[np.float64] = rng.uniform(-by, by, (len(points), 2))
    return [(x + float(dx), y + float(dy)) for (x, y), (dx, dy) in zip(points, moves, strict=True)]
