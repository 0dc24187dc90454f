"""Birds on a branch."""

from __future__ import annotations

from math import pi

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Path, Shape, circle, leaf, moved, polygon, ribbon, smooth


def perched(stage: Stage, kind: str, coat: Color, x: float, y: float, size: float) -> list[Shape]:
    """A bird on a branch."""
    palette = stage.palette
    lit, dim = mix(coat, palette.glow, 0.12), mix(scaled(coat, 0.5), palette.dark, 0.35)
    pale = mix(coat, (0.97, 0.93, 0.85), 0.8)
    bark = mix(palette.near, palette.dark, 0.5)
    branch = ribbon(
        [(-0.05, y + 0.06), (x - 0.2, y + 0.015), (x + 0.2, y + 0.02), (stage.width + 0.05, y - 0.07)], 0.05, 0.022
    )
    shapes = [Shape((branch,), mix(bark, palette.mid, 0.25), bark, texture="wood")]
    for k in range(7):
        px = stage.width * (0.08 + 0.135 * k)
        shapes.append(
            Shape(
                (leaf(px, y + 0.02, 0.09, stage.pick(-2.4, 2.4), 0.4),),
                palette.leaf,
                mix(palette.leaf, palette.dark, 0.4),
                texture="leaf",
                outline=True,
            )
        )
    flip = stage.chance(0.5)

    def at(points: list[tuple[float, float]]) -> Path:
        return moved(smooth(points, steps=8), x, y, size, flip=flip)

    if kind == "owl":
        ears = (at([(-0.17, -0.62), (-0.2, -0.78), (-0.08, -0.68)]), at([(0.17, -0.62), (0.2, -0.78), (0.08, -0.68)]))
        body = at(
            [
                (0.0, -0.7),
                (0.18, -0.64),
                (0.23, -0.42),
                (0.22, -0.15),
                (0.1, 0.02),
                (-0.1, 0.02),
                (-0.22, -0.15),
                (-0.23, -0.42),
                (-0.18, -0.64),
            ]
        )
        eyes = tuple(moved(circle(s * 0.095, -0.52, 0.088), x, y, size) for s in (-1, 1))
        pupils = tuple(moved(circle(s * 0.09, -0.52, 0.045), x, y, size) for s in (-1, 1))
        spots = tuple(
            moved(leaf(0.055 * (k % 5 - 2), -0.36 + 0.075 * (k // 5), 0.05, pi / 2, 0.6), x, y, size) for k in range(20)
        )
        return [
            *shapes,
            Shape((*ears, body), lit, dim, fill="right", texture="fur"),
            Shape(
                (at([(0.0, -0.42), (0.14, -0.34), (0.13, -0.08), (0.0, 0.0), (-0.13, -0.08), (-0.14, -0.34)]),),
                pale,
                mix(pale, coat, 0.4),
                texture="fur",
            ),
            Shape(spots, dim, alpha=0.7, outline=False, fine=True),
            Shape(eyes, mix(pale, palette.glow, 0.4), mix(pale, coat, 0.3), fill="round"),
            Shape(pupils, palette.dark),
            Shape((at([(-0.035, -0.47), (0.035, -0.47), (0.0, -0.38)]),), palette.second),
        ]
    tail = at([(-0.26, -0.2), (-0.58, 0.02), (-0.54, 0.08), (-0.2, -0.06)])
    body = at(
        [
            (0.12, -0.5),
            (0.24, -0.46),
            (0.29, -0.34),
            (0.27, -0.18),
            (0.14, -0.03),
            (-0.06, 0.0),
            (-0.24, -0.08),
            (-0.3, -0.2),
            (-0.14, -0.32),
            (0.0, -0.44),
        ]
    )
    belly = at([(0.26, -0.32), (0.26, -0.18), (0.14, -0.04), (-0.04, -0.01), (0.06, -0.14), (0.16, -0.24)])
    wing = at(
        [(0.06, -0.36), (0.12, -0.24), (0.0, -0.12), (-0.2, -0.06), (-0.42, -0.02), (-0.24, -0.22), (-0.08, -0.34)]
    )
    feathers = tuple(
        moved(
            ribbon(
                [
                    (0.02 - 0.07 * k, -0.3 + 0.04 * k),
                    (-0.1 - 0.07 * k, -0.18 + 0.03 * k),
                    (-0.22 - 0.05 * k, -0.1 + 0.02 * k),
                ],
                0.008,
                0.003,
            ),
            x,
            y,
            size,
            flip=flip,
        )
        for k in range(3)
    )
    legs = tuple(
        moved(ribbon([(k, -0.03), (k + 0.01, 0.0), (k + 0.005, 0.04)], 0.016), x, y, size, flip=flip)
        for k in (0.0, 0.08)
    )
    return [
        *shapes,
        Shape(legs, palette.dark, outline=False),
        Shape((tail,), mix(dim, coat, 0.3), dim, texture="fur"),
        Shape((body,), lit, mix(coat, dim, 0.5), texture="fur"),
        Shape((belly,), pale, mix(pale, coat, 0.5), texture="fur"),
        Shape((wing,), mix(dim, coat, 0.4), dim, texture="fur"),
        Shape(feathers, mix(lit, pale, 0.3), outline=False, fine=True),
        Shape(
            (moved(polygon([(0.27, -0.42), (0.4, -0.37), (0.275, -0.35)]), x, y, size, flip=flip),),
            palette.second,
            scaled(palette.second, 0.6),
        ),
        Shape((moved(circle(0.2, -0.41, 0.024), x, y, size, flip=flip),), palette.dark),
        Shape((moved(circle(0.208, -0.418, 0.008), x, y, size, flip=flip),), (1.0, 1.0, 1.0), outline=False),
    ]
