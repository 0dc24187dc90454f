"""Plants: a pot with leaves, a cactus, a bunch of flowers."""

from __future__ import annotations

from math import cos, pi, sin

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.growth import blossom
from providers.demo.scenes.stage import Stage, shadow
from providers.demo.shapes import Path, Shape, circle, ellipse, lathe, leaf, polygon, rectangle, ribbon


def plant(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """One potted plant before a quiet wall."""
    palette, width, height = stage.palette, stage.width, stage.height
    floor = height * 0.8
    wall, ground = palette.sky_low, mix(palette.sky_low, palette.second, 0.22)
    if palette.is_dark:
        wall, ground = palette.sky_mid, palette.near
    shapes = [
        Shape(
            (rectangle(-0.05, -0.05, width + 0.05, height + 0.05),),
            wall,
            mix(wall, palette.sky_top, 0.35),
            fill="round",
            subject=False,
            outline=False,
        ),
        Shape(
            (rectangle(-0.05, floor, width + 0.05, height + 0.05),),
            ground,
            mix(ground, palette.near, 0.25),
            subject=False,
            outline=False,
        ),
    ]
    x, size = width / 2, min(1.0, height * 0.86)
    if stage.chance(0.55):
        shapes.append(
            Shape(
                (circle(x + 0.08, floor - size * 0.42, 0.3),),
                mix(palette.second, wall, 0.4),
                mix(palette.accent, wall, 0.45),
                subject=False,
                outline=False,
            )
        )
    foot, pot = floor + 0.06, size * 0.23
    shapes.append(shadow(x, foot, pot * 0.9, stage, depth=0.16))
    rim = foot - pot
    if "cactus" in stage.reading.subjects:
        shapes += _cactus(stage, x, rim + 0.02, size * 0.5)
    elif "flower" in stage.reading.subjects:
        shapes += flowers(stage, x, rim + 0.02, size * 0.52)
    elif stage.chance(0.5):
        shapes += _rosette(stage, x, rim + 0.02, size * 0.48)
    else:
        shapes += _fronds(stage, x, rim + 0.02, size * 0.52)
    return [*shapes, *_pot(stage, x, foot, pot)], (width * 0.1, 0.0)


def _pot(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    palette = stage.palette
    clay = mix(palette.accent, (0.72, 0.4, 0.26), 0.4)
    light, dim = mix(clay, palette.light, 0.18), mix(scaled(clay, 0.5), palette.dark, 0.2)
    body = lathe(
        x, [(y - size, size * 0.52), (y - size * 0.5, size * 0.47), (y - size * 0.03, size * 0.37), (y, size * 0.35)]
    )
    lip = rectangle(x - size * 0.58, y - size * 1.02, x + size * 0.58, y - size * 0.8)
    return [
        Shape((body,), light, dim, fill="right", texture="glaze"),
        Shape(
            (rectangle(x - size * 0.52, y - size * 0.8, x + size * 0.52, y - size * 0.74),),
            palette.dark,
            soft=0.008,
            alpha=0.3,
            outline=False,
        ),
        Shape((lip,), mix(light, palette.light, 0.1), dim, fill="right", texture="glaze"),
    ]


def _blade(
    stage: Stage, x: float, y: float, length: float, angle: float, color: Color, width: float = 0.36
) -> list[Shape]:
    """A leaf with its rib and, from medium quality on, side veins."""
    palette = stage.palette
    bend = 0.16 * cos(angle)
    pale = mix(color, palette.light, 0.5)
    rib = [
        (
            x + t * length * cos(angle) - bend * t * t * length * sin(angle),
            y + t * length * sin(angle) + bend * t * t * length * cos(angle),
        )
        for t in (0.0, 0.3, 0.6, 0.93)
    ]
    veins: list[Path] = []
    for part in (0.25, 0.4, 0.55, 0.7):
        at = (
            x + part * length * cos(angle) - bend * part**2 * length * sin(angle),
            y + part * length * sin(angle) + bend * part**2 * length * cos(angle),
        )
        reach = length * width * 0.42 * (1 - abs(part - 0.45))
        veins += [
            ribbon(
                [at, (at[0] + reach * cos(angle + side * 0.75), at[1] + reach * sin(angle + side * 0.75))],
                0.0022,
                0.001,
            )
            for side in (-1, 1)
        ]
    return [
        Shape(
            (leaf(x, y, length, angle, width, bend),),
            mix(color, palette.light, 0.1),
            mix(color, palette.dark, 0.38),
            texture="leaf",
        ),
        Shape((ribbon(rib, 0.0045, 0.0015),), pale, outline=False, fine=True),
        Shape(tuple(veins), pale, alpha=0.75, outline=False, fine=True, level=0),
    ]


def _rosette(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    palette = stage.palette
    greens = (
        palette.leaf,
        mix(palette.leaf, palette.dark, 0.3),
        mix(palette.leaf, palette.light, 0.25),
        mix(palette.accent, palette.leaf, 0.15),
    )
    shapes = []
    order = sorted(((i - 6) / 6 for i in range(13)), key=lambda side: -abs(side) + 0.3 * (side * 37 % 1))
    for i, side in enumerate(order):
        angle = -pi / 2 + side * 1.5
        length = size * (0.98 - 0.22 * abs(side) + stage.pick(-0.08, 0.1))
        color = greens[3] if i in {4, 9} else greens[int(stage.rng.integers(3))]
        shapes += _blade(stage, x + side * 0.03, y, length, angle, color)
    for side in (-0.5, 0.05, 0.55):
        shapes += _blade(
            stage,
            x + side * 0.03,
            y + 0.01,
            size * stage.pick(0.5, 0.66),
            -pi / 2 + side * 1.3,
            greens[int(stage.rng.integers(3))],
            0.42,
        )
    return shapes


def _fronds(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    """Arching stems with a large leaf at each end (a rubber plant's cousin)."""
    palette = stage.palette
    shapes = []
    for i in range(9):
        side = (i - 4) / 4
        reach = size * (1.0 - 0.35 * abs(side) + stage.pick(-0.06, 0.06))
        tip = (x + side * size * 0.55, y - reach * 0.66)
        shapes.append(
            Shape(
                (ribbon([(x, y), (x + side * size * 0.16, y - reach * 0.42), tip], 0.011, 0.006),),
                mix(palette.leaf, palette.dark, 0.3),
                outline=False,
            )
        )
        color = mix(palette.leaf, (palette.dark, palette.light, palette.second)[i % 3], 0.22)
        shapes += _blade(stage, tip[0], tip[1], size * stage.pick(0.36, 0.44), -pi / 2 + side * 1.25, color, 0.62)
    return shapes


def _cactus(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    palette = stage.palette
    green, dim = mix(palette.leaf, palette.light, 0.15), mix(palette.leaf, palette.dark, 0.55)
    trunk = lathe(
        x, [(y - size, 0.01), (y - size * 0.95, size * 0.1), (y - size * 0.7, size * 0.145), (y, size * 0.13)]
    )
    arms = [
        ribbon(
            [
                (x + s * size * 0.1, y - size * a),
                (x + s * size * 0.3, y - size * (a + 0.02)),
                (x + s * size * 0.31, y - size * (a + 0.3)),
            ],
            size * 0.12,
            size * 0.1,
        )
        for s, a in ((-1, 0.34), (1, 0.48))
    ]
    ribs = tuple(
        ribbon(
            [(x + k * size * 0.05, y - size * 0.92), (x + k * size * 0.065, y - size * 0.5), (x + k * size * 0.06, y)],
            0.003,
        )
        for k in (-1.2, 0, 1.2)
    )
    return [
        Shape(tuple(arms), green, dim, fill="right", texture="leaf"),
        Shape((trunk,), green, dim, fill="right", texture="leaf"),
        Shape(ribs, mix(green, palette.light, 0.4), alpha=0.7, outline=False),
        *blossom(stage, x, y - size, size * 0.09, palette.accent),
    ]


def flowers(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    """A loose bunch rising from (x, y)."""
    palette = stage.palette
    stems: list[Shape] = []
    heads: list[Shape] = []
    count = min(9, max(3, stage.reading.count or 7))
    for i in range(count):
        side = (i - (count - 1) / 2) / max(1.0, (count - 1) / 2)
        tip = (x + side * size * 0.55, y - size * (0.95 - 0.34 * abs(side)) + stage.pick(-0.05, 0.05))
        stems.append(
            Shape(
                (ribbon([(x, y), (x + side * size * 0.16, y - size * 0.45), tip], 0.008, 0.005),),
                palette.leaf,
                outline=False,
            )
        )
        color = palette.accent if stage.reading.colors else mix(palette.accent, palette.second, stage.pick(0, 0.9))
        heads += blossom(stage, *tip, size * stage.pick(0.13, 0.18), color)
    for i in range(8):
        angle = -pi / 2 + (i - 3.5) * 0.4
        stems += _blade(
            stage, x, y, size * stage.pick(0.4, 0.62), angle, mix(palette.leaf, palette.dark, stage.pick(0, 0.35)), 0.3
        )
    return [*stems, *heads]


def sprig(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    """A small flower for a corner: stem at (x, y), `size` high."""
    stem = ribbon([(x, y), (x + size * 0.08, y - size * 0.5), (x, y - size * 0.86)], size * 0.05, size * 0.03)
    side = polygon(leaf(x + size * 0.04, y - size * 0.3, size * 0.42, -0.6, 0.4).tolist())
    return [
        Shape((stem, side), stage.palette.leaf, mix(stage.palette.leaf, stage.palette.dark, 0.3)),
        *blossom(stage, x, y - size * 0.86, size * 0.28, stage.palette.accent),
        Shape((ellipse(x, y - size * 0.86, size * 0.05, size * 0.05),), stage.palette.second, outline=False),
    ]
