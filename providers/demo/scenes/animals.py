"""Animals as simple, friendly silhouettes in the setting the prompt names."""

from __future__ import annotations

from dataclasses import replace

from providers.demo.colors import mix
from providers.demo.scenes.fishes import under_water
from providers.demo.scenes.growth import tuft
from providers.demo.scenes.land import wood
from providers.demo.scenes.quadrupeds import COATS, sitting
from providers.demo.scenes.stage import Stage, sky, weather
from providers.demo.scenes.winged import perched
from providers.demo.shapes import Shape, rectangle, ridge


def animal(stage: Stage) -> tuple[list[Shape], tuple[float, float] | None]:
    """The animal named first, sitting in the middle of its world."""
    kind = next((name for name in stage.reading.subjects if name in COATS), "fox")
    coat = COATS[kind]
    if stage.reading.colors:
        coat = mix(stage.reading.colors[0], coat, 0.45 if kind == "fox" else 0.15)
    if kind == "fish":
        return under_water(stage, coat)
    around, light_at = _setting(stage)
    shapes = [replace(shape, subject=False) for shape in around]
    middle, foot = stage.width * stage.pick(0.46, 0.54), stage.height * 0.86
    size = min(0.62, stage.height * 0.6)
    if kind in {"bird", "owl"}:
        shapes += perched(stage, kind, coat, middle, foot - size * 0.1, size * 0.9)
    else:
        count = min(3, stage.reading.count or 1)
        for i in range(count):
            x = middle + (i - (count - 1) / 2) * size * 0.72
            shapes += sitting(stage, kind, coat, x, foot - (0.03 if i % 2 else 0), size * (1 if count == 1 else 0.7))
    return [*shapes, *weather(stage)], light_at


def _setting(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    reading, palette = stage.reading, stage.palette
    if reading.wants("forest") or "winter" in reading.moods:
        air = sky(
            stage,
            stage.height * 0.74,
            sun=(stage.width * stage.pick(0.14, 0.24), stage.height * stage.pick(0.14, 0.24)),
        )
        return [*air.shapes, *wood(stage, stage.height * 0.62)], air.sun
    if reading.wants("interior", "house"):
        sill = stage.height * 0.8
        wall = mix(palette.sky_low, palette.second, 0.2)
        return [
            Shape(
                (rectangle(-0.05, -0.05, stage.width + 0.05, sill),),
                wall,
                mix(wall, palette.mid, 0.5),
                fill="round",
                subject=False,
                outline=False,
            ),
            Shape(
                (rectangle(-0.05, sill, stage.width + 0.05, stage.height + 0.05),),
                palette.near,
                palette.dark,
                texture="wood",
                subject=False,
            ),
        ], (stage.width * 0.1, 0.0)
    horizon = stage.height * 0.66
    air = sky(stage, horizon, sun=(stage.width * stage.pick(0.14, 0.24), stage.height * stage.pick(0.14, 0.26)))
    shapes = [*air.shapes]
    for i in range(3):
        tone = mix(mix(palette.far, palette.leaf, i / 3), palette.sky_low, 0.4 - 0.18 * i)
        line = ridge(stage.rng, stage.width, horizon - 0.06 + 0.075 * i, 0.05, stage.height + 0.05, rough=0.2)
        shapes.append(Shape((line,), tone, mix(tone, palette.near, 0.3), texture="leaf", subject=False))
    blades = tuple(
        path
        for _ in range(34)
        for path in tuft(stage, stage.pick(0, stage.width), stage.height * stage.pick(0.82, 1.02), 0.07, 5)
    )
    shapes.append(Shape(blades, mix(palette.leaf, palette.near, 0.5), outline=False, subject=False))
    return shapes, air.sun
