"""What is worn on the head."""

from __future__ import annotations

from providers.demo.colors import mix, scaled
from providers.demo.scenes.faces import around
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Shape, circle, polygon


def cap(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    """A peaked cap whose brim rests at (x, y), `size` wide."""
    palette, s = stage.palette, size
    cloth = mix(palette.dark, palette.water, 0.45)
    crown_path = around(
        x,
        y,
        [
            (-0.5 * s, -0.1 * s),
            (-0.56 * s, -0.34 * s),
            (-0.3 * s, -0.52 * s),
            (0.06 * s, -0.56 * s),
            (0.44 * s, -0.46 * s),
            (0.58 * s, -0.28 * s),
            (0.5 * s, -0.1 * s),
            (0.0, -0.02 * s),
        ],
    )
    band = around(
        x,
        y,
        [
            (-0.49 * s, -0.16 * s),
            (0.0, -0.1 * s),
            (0.49 * s, -0.16 * s),
            (0.47 * s, 0.0),
            (0.0, 0.07 * s),
            (-0.47 * s, 0.0),
        ],
    )
    brim = around(
        x,
        y,
        [
            (-0.44 * s, 0.02 * s),
            (0.0, 0.04 * s),
            (0.44 * s, 0.02 * s),
            (0.3 * s, 0.14 * s),
            (0.0, 0.19 * s),
            (-0.3 * s, 0.14 * s),
        ],
    )
    return [
        Shape((crown_path,), mix(cloth, palette.light, 0.16), scaled(cloth, 0.55), fill="right", texture="cloth"),
        Shape((band,), scaled(cloth, 0.75), scaled(cloth, 0.4), fill="right"),
        Shape((brim,), mix(palette.dark, palette.light, 0.1), scaled(palette.dark, 0.6)),
        Shape(
            (circle(x, y - 0.07 * s, 0.05 * s),), palette.second, scaled(palette.second, 0.6), fill="round", fine=True
        ),
    ]


def crown(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    """A crown resting at (x, y), `size` wide."""
    s, gold = size / 2, mix((0.88, 0.68, 0.24), stage.palette.second, 0.3)
    path = polygon(
        [
            (x - s, y),
            (x - s * 1.1, y - s * 0.9),
            (x - s * 0.5, y - s * 0.45),
            (x, y - s * 1.1),
            (x + s * 0.5, y - s * 0.45),
            (x + s * 1.1, y - s * 0.9),
            (x + s, y),
        ]
    )
    return [
        Shape((path,), mix(gold, stage.palette.light, 0.25), scaled(gold, 0.5), fill="right", texture="glaze"),
        Shape(
            tuple(circle(x + k * s * 0.55, y - s * 0.16, s * 0.1) for k in (-1, 0, 1)),
            stage.palette.accent,
            scaled(stage.palette.accent, 0.5),
            fill="round",
            fine=True,
        ),
    ]
