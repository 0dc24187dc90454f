"""What an edit's prompt adds to a picture: sun, moon, birds, snow, rain, flowers, a boat, a balloon, a frame, words."""

from __future__ import annotations

from collections.abc import Callable

from providers.demo.colors import mix, scaled
from providers.demo.scenes.botany import sprig
from providers.demo.scenes.growth import pine
from providers.demo.scenes.headwear import cap, crown
from providers.demo.scenes.quadrupeds import COATS, sitting
from providers.demo.scenes.sea import sailing_boat
from providers.demo.scenes.stage import Stage, birds, weather
from providers.demo.shapes import Shape, circle, ellipse, polygon, rectangle, ribbon, smooth, star


def additions(stage: Stage) -> list[Shape]:
    """The shapes to draw onto the base picture, back to front; empty when the prompt names nothing to add."""
    wishes: tuple[tuple[tuple[str, ...], Callable[[Stage], list[Shape]]], ...] = (
        (("sun",), _sun),
        (("moon",), _moon),
        (("stars",), _stars),
        (("clouds",), _clouds),
        (("birds", "bird"), _birds),
        (("balloon",), _balloon),
        (("tree",), _trees),
        (("boat",), _boat),
        (("fox", "cat", "dog", "bear", "rabbit", "deer"), _animal),
        (("hat",), _hat),
        (("crown",), _crown),
        (("heart",), _heart),
        (("flowers", "flower"), _flowers),
        (("rain", "snow", "fog"), weather),
        (("frame",), _frame),
    )
    shapes = [shape for names, drawn in wishes if stage.reading.wants(*names) for shape in drawn(stage)]
    return [*shapes, *_words(stage)]


def _sun(stage: Stage) -> list[Shape]:
    x, y = stage.width * stage.pick(0.68, 0.82), stage.height * stage.pick(0.15, 0.24)
    warm = mix((1.0, 0.86, 0.52), stage.palette.sun, 0.4)
    return [
        Shape((circle(x, y, 0.26),), warm, soft=0.12, alpha=0.5, glow=True),
        Shape((circle(x, y, 0.085),), warm, mix(warm, (0.95, 0.55, 0.2), 0.35)),
    ]


def _moon(stage: Stage) -> list[Shape]:
    x, y = stage.width * stage.pick(0.18, 0.32), stage.height * stage.pick(0.14, 0.22)
    bright = (0.97, 0.95, 0.86)
    craters = tuple(
        ellipse(x + dx, y + dy, r, r * 0.85)
        for dx, dy, r in ((-0.02, -0.02, 0.017), (0.03, 0.01, 0.012), (0.0, 0.035, 0.014))
    )
    return [
        Shape((circle(x, y, 0.22),), bright, soft=0.1, alpha=0.4, glow=True),
        Shape((circle(x, y, 0.08),), bright, scaled(bright, 0.8), fill="round"),
        Shape(craters, scaled(bright, 0.86), outline=False),
    ]


def _stars(stage: Stage) -> list[Shape]:
    paths = tuple(
        star(stage.pick(0, stage.width), stage.pick(0, stage.height * 0.5), stage.pick(0.004, 0.013), 4, 0.3)
        for _ in range(46)
    )
    return [Shape(paths, (1.0, 0.97, 0.86), outline=False)]


def _clouds(stage: Stage) -> list[Shape]:
    white = mix(stage.palette.light, (1.0, 1.0, 1.0), 0.5)
    shapes = []
    for _ in range(3):
        x, y, size = stage.width * stage.pick(0.1, 0.9), stage.height * stage.pick(0.08, 0.28), stage.pick(0.06, 0.1)
        puffs = tuple(
            ellipse(x + size * k, y - size * (0.35 if k in {-0.4, 0.5} else 0.1), size * 0.75, size * 0.5)
            for k in (-1.2, -0.4, 0.5, 1.3)
        )
        shapes.append(Shape(puffs, white, mix(white, stage.palette.sky_mid, 0.3), soft=0.006, alpha=0.92))
    return shapes


def _birds(stage: Stage) -> list[Shape]:
    return birds(stage, stage.height * 0.7, count=8)


def _balloon(stage: Stage) -> list[Shape]:
    palette = stage.palette
    x, y, r = stage.width * stage.pick(0.25, 0.7), stage.height * 0.27, 0.13
    envelope = smooth(
        [
            (x, y - r),
            (x + r * 0.95, y - r * 0.3),
            (x + r * 0.7, y + r * 0.6),
            (x + r * 0.2, y + r * 1.15),
            (x - r * 0.2, y + r * 1.15),
            (x - r * 0.7, y + r * 0.6),
            (x - r * 0.95, y - r * 0.3),
        ]
    )
    stripe = smooth(
        [
            (x, y - r),
            (x + r * 0.36, y - r * 0.3),
            (x + r * 0.28, y + r * 0.6),
            (x + r * 0.08, y + r * 1.15),
            (x - r * 0.08, y + r * 1.15),
            (x - r * 0.28, y + r * 0.6),
            (x - r * 0.36, y - r * 0.3),
        ]
    )
    ropes = tuple(ribbon([(x + s * r * 0.18, y + r * 1.1), (x + s * r * 0.14, y + r * 1.45)], 0.003) for s in (-1, 1))
    return [
        Shape(ropes, palette.dark),
        Shape(
            (envelope,),
            mix(palette.accent, palette.light, 0.15),
            scaled(palette.accent, 0.55),
            fill="round",
            texture="cloth",
        ),
        Shape((stripe,), palette.second, scaled(palette.second, 0.7), fill="right", texture="cloth"),
        Shape((rectangle(x - r * 0.17, y + r * 1.42, x + r * 0.17, y + r * 1.66),), palette.near, palette.dark),
    ]


def _trees(stage: Stage) -> list[Shape]:
    green = mix(stage.palette.leaf, stage.palette.dark, 0.35)
    trees = tuple(pine(stage, stage.width * x, stage.height * 1.01, stage.pick(0.3, 0.5)) for x in (0.06, 0.16, 0.9))
    return [Shape(trees, mix(green, stage.palette.leaf, 0.4), green, texture="leaf")]


def _boat(stage: Stage) -> list[Shape]:
    return sailing_boat(stage, stage.width * stage.pick(0.3, 0.6), stage.height * 0.86, 0.3)


def _animal(stage: Stage) -> list[Shape]:
    kind = next(name for name in stage.reading.subjects if name in COATS)
    coat = mix(stage.reading.colors[0], COATS[kind], 0.3) if stage.reading.colors else COATS[kind]
    return sitting(stage, kind, coat, stage.width * stage.pick(0.62, 0.76), stage.height * 0.97, 0.42)


def _hat(stage: Stage) -> list[Shape]:
    return cap(stage, stage.width / 2, stage.height * 0.24, 0.34)


def _crown(stage: Stage) -> list[Shape]:
    return crown(stage, stage.width / 2, stage.height * 0.26, 0.34)


def _heart(stage: Stage) -> list[Shape]:
    x, y, s = stage.width * stage.pick(0.65, 0.8), stage.height * 0.24, 0.1
    path = smooth(
        [
            (x, y - s * 0.35),
            (x + s * 0.5, y - s * 0.85),
            (x + s, y - s * 0.3),
            (x + s * 0.62, y + s * 0.35),
            (x, y + s),
            (x - s * 0.62, y + s * 0.35),
            (x - s, y - s * 0.3),
            (x - s * 0.5, y - s * 0.85),
        ]
    )
    red = (0.8, 0.2, 0.22)
    return [Shape((path,), mix(red, stage.palette.light, 0.2), scaled(red, 0.7), fill="round")]


def _flowers(stage: Stage) -> list[Shape]:
    shapes: list[Shape] = []
    for k in range(round(9 * stage.width)):
        x = stage.width * (k + 0.5) / round(9 * stage.width) + stage.pick(-0.03, 0.03)
        shapes += sprig(stage, x, stage.height + 0.02, stage.pick(0.16, 0.3))
    return shapes


def _frame(stage: Stage) -> list[Shape]:
    palette, rim = stage.palette, 0.055
    wide, high = stage.width, stage.height
    wood = mix(palette.near, palette.second, 0.35)
    sides = (
        ((0, 0), (wide, 0), (wide - rim, rim), (rim, rim)),
        ((0, 0), (rim, rim), (rim, high - rim), (0, high)),
        ((wide, 0), (wide, high), (wide - rim, high - rim), (wide - rim, rim)),
        ((0, high), (rim, high - rim), (wide - rim, high - rim), (wide, high)),
    )
    tones = (
        mix(wood, palette.light, 0.3),
        mix(wood, palette.light, 0.12),
        mix(wood, palette.dark, 0.25),
        mix(wood, palette.dark, 0.4),
    )
    shapes = [
        Shape((polygon([(float(x), float(y)) for x, y in side]),), tone, texture="wood")
        for side, tone in zip(sides, tones, strict=True)
    ]
    inner = rim * 1.25
    lines = (
        rectangle(rim, rim, wide - rim, inner),
        rectangle(rim, high - inner, wide - rim, high - rim),
        rectangle(rim, rim, inner, high - rim),
        rectangle(wide - inner, rim, wide - rim, high - rim),
    )
    return [*shapes, Shape(lines, palette.second, outline=False)]


def _words(stage: Stage) -> list[Shape]:
    if not stage.reading.lettering:
        return []
    text = stage.reading.lettering[0]
    x, y = stage.width / 2, stage.height * 0.86
    half = min(stage.width * 0.42, 0.045 * len(text) + 0.04)
    band = rectangle(x - half - 0.035, y - 0.075, x + half + 0.035, y + 0.075)
    return [
        Shape((band,), stage.palette.light, alpha=0.92),
        Shape((rectangle(x - half, y - 0.045, x + half, y + 0.045),), stage.palette.dark, lettering=text),
    ]
