"""Fish among weeds, under water."""

from __future__ import annotations

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Path, Shape, circle, moved, polygon, rectangle, ribbon, smooth

FISH_PLACES = ((0.5, 0.5), (0.2, 0.22), (0.8, 0.8), (0.82, 0.2), (0.16, 0.78), (0.5, 0.13))
"""Where fish swim, as parts of the frame; the large one first."""


def under_water(stage: Stage, coat: Color) -> tuple[list[Shape], tuple[float, float]]:
    """One large fish and its company among weeds; and where the light falls from."""
    palette, width, height = stage.palette, stage.width, stage.height
    top, deep = mix(palette.water, palette.sky_low, 0.35), mix(palette.water, palette.dark, 0.55)
    shapes = [
        Shape(
            (rectangle(-0.05, -0.05, width + 0.05, height + 0.05),),
            top,
            deep,
            texture="water",
            subject=False,
            outline=False,
        )
    ]
    for k in range(5):
        x = width * (0.12 + 0.18 * k)
        ray = polygon([(x, -0.02), (x + 0.08, -0.02), (x - 0.12, height), (x - 0.34, height)])
        shapes.append(Shape((ray,), palette.sun, soft=0.03, alpha=0.13, glow=True, subject=False, outline=False))
    for _ in range(11):
        x, tall = stage.pick(0, width), stage.pick(0.15, 0.42)
        weed = ribbon(
            [
                (x, height + 0.02),
                (x + 0.03, height - tall * 0.4),
                (x - 0.02, height - tall * 0.75),
                (x + 0.02, height - tall),
            ],
            0.03,
            0.004,
        )
        shapes.append(
            Shape(
                (weed,),
                mix(palette.leaf, deep, stage.pick(0.1, 0.6)),
                mix(palette.leaf, deep, 0.7),
                texture="leaf",
                subject=False,
            )
        )
    count = min(6, stage.reading.count or 3)
    for i in range(count):
        size = (0.5 if i == 0 else stage.pick(0.16, 0.28)) * min(1.0, height)
        x, y = (width * FISH_PLACES[i][0], height * FISH_PLACES[i][1])
        shapes += _fish(stage, coat if i == 0 else mix(coat, palette.second, 0.4), x, y, size)
    bubbles = tuple(circle(stage.pick(0, width), stage.pick(0, height), stage.pick(0.004, 0.013)) for _ in range(26))
    shapes.append(Shape(bubbles, palette.light, alpha=0.35, fine=True, subject=False))
    return shapes, (width * 0.3, -0.1)


def _fish(stage: Stage, coat: Color, x: float, y: float, size: float) -> list[Shape]:
    flip = stage.chance(0.5)
    lit, dim = mix(coat, stage.palette.glow, 0.25), mix(scaled(coat, 0.6), stage.palette.dark, 0.2)

    def at(points: list[tuple[float, float]]) -> Path:
        return moved(smooth(points, steps=8), x, y, size, flip=flip)

    fins = (
        at([(-0.36, 0.0), (-0.64, -0.24), (-0.56, 0.0), (-0.64, 0.26)]),
        at([(-0.1, -0.17), (0.02, -0.34), (0.2, -0.15)]),
        at([(-0.04, 0.18), (0.0, 0.33), (0.14, 0.17)]),
    )
    body = at(
        [
            (0.44, 0.0),
            (0.28, -0.15),
            (0.04, -0.21),
            (-0.22, -0.12),
            (-0.42, -0.02),
            (-0.42, 0.03),
            (-0.22, 0.13),
            (0.04, 0.21),
            (0.28, 0.15),
        ]
    )
    scales = tuple(
        moved(
            ribbon(
                [
                    (-0.24 + 0.11 * k, -0.09 + 0.06 * j),
                    (-0.2 + 0.11 * k, -0.06 + 0.06 * j),
                    (-0.24 + 0.11 * k, -0.03 + 0.06 * j),
                ],
                0.007,
            ),
            x,
            y,
            size,
            flip=flip,
        )
        for k in range(4)
        for j in range(3)
    )
    return [
        Shape(fins, mix(lit, stage.palette.light, 0.2), dim, texture="fur"),
        Shape((body,), lit, dim, texture="glaze"),
        Shape(
            (at([(0.1, -0.19), (0.2, -0.18), (0.16, 0.0), (0.2, 0.18), (0.1, 0.19), (0.06, 0.0)]),),
            stage.palette.light,
            alpha=0.85,
            fine=True,
        ),
        Shape(scales, mix(lit, stage.palette.light, 0.35), alpha=0.7, outline=False, fine=True),
        Shape((moved(circle(0.31, -0.035, 0.034), x, y, size, flip=flip),), stage.palette.light),
        Shape((moved(circle(0.315, -0.035, 0.019), x, y, size, flip=flip),), stage.palette.dark),
    ]
