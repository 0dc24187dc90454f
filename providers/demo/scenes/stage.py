"""Where a scene is set: its reading, palette, frame and dice; and the weather every outdoor scene shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from providers.demo.colors import Palette, mix
from providers.demo.prompt_reading import Reading
from providers.demo.shapes import Path, Shape, circle, ellipse, polygon, rectangle, ribbon


@dataclass(frozen=True, slots=True)
class Stage:
    """All a scene is composed from; lengths in units of the frame's shorter side."""

    reading: Reading
    palette: Palette
    width: float
    height: float
    rng: np.random.Generator

    def pick(self, low: float, high: float) -> float:
        """A random number between `low` and `high`."""
        return float(self.rng.uniform(low, high))

    def chance(self, part: float) -> bool:
        """True in `part` (0 to 1) of the cases."""
        return float(self.rng.random()) < part


@dataclass(frozen=True, slots=True)
class Sky:
    """A sky and where its sun or moon stands, in units."""

    shapes: tuple[Shape, ...]
    sun: tuple[float, float]


def sky(stage: Stage, horizon: float, *, sun: tuple[float, float] | None = None) -> Sky:
    """Air down to `horizon`, with sun or moon, stars and clouds as the prompt and the hour ask."""
    palette, reading = stage.palette, stage.reading
    half = horizon * 0.58
    # One wash and a soft band over it: two washes side by side would show where they meet.
    whole = rectangle(-0.05, -0.05, stage.width + 0.05, horizon + 0.06)
    band = rectangle(-1.0, half * 0.66, stage.width + 1.0, half * 1.3)
    air = [
        Shape((whole,), palette.sky_top, palette.sky_low, texture="sky", subject=False, outline=False),
        Shape((band,), palette.sky_mid, texture="sky", soft=half * 0.3, alpha=0.9, subject=False, outline=False),
    ]
    x, y = sun or (stage.width * stage.pick(0.18, 0.45), horizon * stage.pick(0.3, 0.72))
    night = palette.is_dark and ("night" in reading.moods or reading.wants("moon", "stars"))
    if night:
        air.extend(_stars(stage, horizon))
    wet = reading.wants("rain") and not reading.wants("sun", "moon")
    radius = stage.pick(0.055, 0.085)
    if not wet:
        air.append(Shape((circle(x, y, radius * 3.2),), palette.sun, soft=0.09, alpha=0.30, glow=True, subject=False))
        disc = _crescent(x, y, radius) if night and stage.chance(0.5) else circle(x, y, radius)
        air.append(Shape((disc,), palette.sun, mix(palette.sun, palette.sky_low, 0.15), subject=False))
    air.extend(cloud_bands(stage, horizon, count=5 if reading.wants("clouds", "rain") else 3))
    if reading.wants("birds") or (not palette.is_dark and stage.chance(0.35)):
        air.extend(birds(stage, horizon))
    return Sky(tuple(air), (x, y))


def _crescent(x: float, y: float, radius: float) -> Path:
    """A waxing moon: the outer limb, and back along a flatter inner one."""
    angle = np.linspace(-1.25, 1.25, 40)
    outer = np.stack([np.cos(angle + 2.6), np.sin(angle + 2.6)], axis=1)
    ends = np.linspace(outer[-1], outer[0], 40)
    bulge = np.sin(np.linspace(0, np.pi, 40))[:, None] * np.array([np.cos(2.6), np.sin(2.6)]) * 0.28
    path: Path = (np.concatenate([outer, ends + bulge]) * radius + np.array([x, y])).astype(np.float32)
    return path


def cloud_bands(stage: Stage, horizon: float, count: int) -> list[Shape]:
    """Long low clouds, lit from below when the air is dark."""
    palette = stage.palette
    bands = []
    for _ in range(count):
        x, y = stage.pick(-0.1, stage.width), horizon * stage.pick(0.08, 0.8)
        tint = mix(palette.sky_low, palette.light, 0.25 if palette.is_dark else 0.6)
        paths = tuple(
            ellipse(
                x + stage.pick(-0.2, 0.2),
                y + stage.pick(-0.012, 0.012),
                stage.pick(0.12, 0.34),
                stage.pick(0.008, 0.02),
            )
            for _ in range(4)
        )
        bands.append(Shape(paths, tint, soft=0.012, alpha=0.34, texture="sky", subject=False, outline=False))
    return bands


def birds(stage: Stage, horizon: float, count: int = 5) -> list[Shape]:
    """A few gulls, two strokes each."""
    x, y = stage.width * stage.pick(0.5, 0.75), horizon * stage.pick(0.2, 0.45)
    color = mix(stage.palette.dark, stage.palette.sky_mid, 0.25)
    paths: list[Path] = []
    for _ in range(count):
        px, py, size = x + stage.pick(-0.16, 0.16), y + stage.pick(-0.07, 0.07), stage.pick(0.014, 0.026)
        for side in (-1, 1):
            wing = [(px, py), (px + side * size * 0.5, py - size * 0.5), (px + side * size, py - size * 0.25)]
            paths.append(ribbon(wing, size * 0.16, size * 0.05))
    return [Shape(tuple(paths), color, fine=True, outline=False, subject=False)]


def _stars(stage: Stage, horizon: float) -> list[Shape]:
    count = 90 if stage.reading.wants("stars") else 40
    paths = tuple(
        circle(stage.pick(0, stage.width), stage.pick(0, 0.85) ** 1.3 * horizon, stage.pick(0.0012, 0.0034))
        for _ in range(count)
    )
    return [Shape(paths, stage.palette.sun, alpha=0.85, fine=True, outline=False, subject=False)]


def weather(stage: Stage) -> list[Shape]:
    """What falls in front of everything: rain, snow or drifting fog, when the prompt asks for it."""
    reading, palette = stage.reading, stage.palette
    falling: list[Shape] = []
    if reading.wants("fog"):
        falling.extend(
            Shape(
                (ellipse(stage.pick(0, stage.width), stage.height * y, stage.width * 0.6, 0.05),),
                mix(palette.sky_low, palette.light, 0.4),
                soft=0.06,
                alpha=0.42,
                subject=False,
                outline=False,
            )
            for y in (0.5, 0.64, 0.8)
        )
    if reading.wants("rain"):
        drops = []
        for _ in range(230):
            x, y, size = stage.pick(0, stage.width), stage.pick(0, stage.height), stage.pick(0.03, 0.075)
            drops.append(
                polygon([(x, y), (x + 0.0016, y), (x - size * 0.22 + 0.0016, y + size), (x - size * 0.22, y + size)])
            )
        falling.append(
            Shape(
                tuple(drops),
                mix(palette.sky_low, palette.light, 0.6),
                alpha=0.36,
                fine=True,
                outline=False,
                subject=False,
            )
        )
    if reading.wants("snow"):
        for soft, low, high, count in ((0.0, 0.002, 0.005, 170), (0.004, 0.006, 0.011, 26)):
            flakes = tuple(
                circle(stage.pick(0, stage.width), stage.pick(0, stage.height), stage.pick(low, high))
                for _ in range(count)
            )
            falling.append(Shape(flakes, palette.light, soft=soft, alpha=0.85, outline=False, subject=False))
    return falling


def shadow(x: float, y: float, width: float, stage: Stage, *, depth: float = 0.12) -> Shape:
    """The soft dark under a thing that stands at (x, y)."""
    return Shape(
        (ellipse(x + width * 0.22, y, width * 0.75, width * depth),),
        stage.palette.dark,
        soft=0.02,
        alpha=0.42,
        outline=False,
        subject=False,
    )
