"""Vessels turned on a wheel: vase, bottle, bowl, mug, teapot."""

from __future__ import annotations

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.stage import Stage, shadow
from providers.demo.shapes import Shape, ellipse, lathe, rectangle, ribbon

VESSELS = {
    "vase": (
        (0.0, 0.22),
        (0.04, 0.2),
        (0.13, 0.15),
        (0.26, 0.17),
        (0.45, 0.36),
        (0.62, 0.42),
        (0.8, 0.35),
        (0.95, 0.22),
        (1.0, 0.2),
    ),
    "urn": (
        (0.0, 0.16),
        (0.03, 0.17),
        (0.1, 0.11),
        (0.22, 0.12),
        (0.38, 0.33),
        (0.55, 0.36),
        (0.78, 0.24),
        (1.0, 0.19),
    ),
    "bottle": (
        (0.0, 0.07),
        (0.04, 0.075),
        (0.08, 0.06),
        (0.34, 0.062),
        (0.46, 0.15),
        (0.55, 0.2),
        (0.75, 0.205),
        (0.97, 0.2),
        (1.0, 0.18),
    ),
    "bowl": ((0.0, 0.5), (0.1, 0.49), (0.5, 0.42), (0.8, 0.26), (0.92, 0.17), (1.0, 0.18)),
    "mug": ((0.0, 0.38), (0.02, 0.39), (0.3, 0.4), (0.7, 0.4), (0.92, 0.37), (1.0, 0.32)),
    "teapot": ((0.0, 0.17), (0.06, 0.22), (0.3, 0.42), (0.55, 0.5), (0.8, 0.42), (1.0, 0.3)),
}
"""Half widths by height, from the rim down, both as parts of the vessel's height."""


def vessel_shapes(stage: Stage, name: str, x: float, y: float, size: float, color: Color | None) -> list[Shape]:
    """A vessel of `VESSELS` standing at (x, y), `size` high, its shadow first and its body last."""
    palette = stage.palette
    named = bool(stage.reading.colors)
    choice = (palette.accent, palette.water, mix(palette.light, palette.second, 0.12), palette.leaf)
    glaze = color or (palette.accent if named else choice[int(stage.rng.integers(len(choice)))])
    if name == "vase" and stage.chance(0.4):
        name = "urn"
    profile = [(y - size + part * size, half * size) for part, half in VESSELS[name]]
    body = Shape(
        (lathe(x, profile),),
        mix(glaze, palette.light, 0.28),
        mix(scaled(glaze, 0.36), palette.dark, 0.3),
        fill="right",
        texture="glaze",
    )
    rim = profile[0][1]
    mouth = Shape(
        (ellipse(x, y - size + 0.002, rim, rim * 0.17),),
        mix(scaled(glaze, 0.42), palette.dark, 0.4),
        scaled(glaze, 0.7),
        outline=True,
    )
    shine = Shape(
        (
            ribbon(
                [
                    (x - profile[3][1] * 0.55, y - size * 0.72),
                    (x - profile[4][1] * 0.62, y - size * 0.5),
                    (x - profile[4][1] * 0.6, y - size * 0.3),
                ],
                size * 0.045,
                size * 0.02,
            ),
        ),
        palette.light,
        soft=0.012,
        alpha=0.6,
        glow=True,
        outline=False,
    )
    shapes = [shadow(x, y - 0.004, size * 0.42, stage, depth=0.16)]
    if name == "mug":
        ring = [
            (x + 0.37 * size, y - size * 0.78),
            (x + 0.68 * size, y - size * 0.74),
            (x + 0.66 * size, y - size * 0.36),
            (x + 0.35 * size, y - size * 0.22),
        ]
        shapes.append(
            Shape(
                (ribbon(ring, size * 0.085, size * 0.075),),
                mix(glaze, palette.light, 0.12),
                scaled(glaze, 0.5),
                texture="glaze",
            )
        )
    if name == "teapot":
        spout = ribbon(
            [(x - 0.4 * size, y - size * 0.35), (x - 0.62 * size, y - size * 0.5), (x - 0.72 * size, y - size * 0.82)],
            size * 0.2,
            size * 0.08,
        )
        grip = ribbon(
            [
                (x + 0.38 * size, y - size * 0.8),
                (x + 0.72 * size, y - size * 0.74),
                (x + 0.62 * size, y - size * 0.3),
                (x + 0.36 * size, y - size * 0.24),
            ],
            size * 0.075,
        )
        shapes.append(Shape((spout, grip), mix(glaze, palette.light, 0.12), scaled(glaze, 0.45), texture="glaze"))
        knob = (ellipse(x, y - size * 1.08, size * 0.06, size * 0.06), ellipse(x, y - size, rim * 1.05, rim * 0.3))
        return [*shapes, body, Shape(knob, mix(glaze, palette.light, 0.1), scaled(glaze, 0.6), fill="round"), shine]
    inside = [mouth]
    if name == "mug":
        inside.append(
            Shape(
                (ellipse(x, y - size + 0.008, rim * 0.9, rim * 0.12),),
                mix((0.30, 0.18, 0.10), palette.dark, 0.2),
                outline=False,
            )
        )
        inside += _steam(stage, x, y - size)
    if name == "bottle":
        label = rectangle(x - size * 0.19, y - size * 0.36, x + size * 0.19, y - size * 0.14)
        inside = [
            mouth,
            Shape(
                (label,),
                mix(palette.light, palette.sky_low, 0.2),
                mix(palette.light, palette.near, 0.4),
                fill="right",
                fine=True,
            ),
        ]
        for text in stage.reading.lettering[:1]:
            inside.append(
                Shape(
                    (rectangle(x - size * 0.14, y - size * 0.29, x + size * 0.14, y - size * 0.21),),
                    palette.dark,
                    lettering=text,
                )
            )
    if name == "vase" or name == "urn":
        band = [(part, half) for part, half in VESSELS[name] if 0.3 < part < 0.7]
        stripe = lathe(x, [(y - size + part * size, half * size * 0.999) for part, half in band])
        inside.append(
            Shape(
                (stripe,),
                mix(glaze, palette.dark, 0.12),
                mix(scaled(glaze, 0.3), palette.dark, 0.35),
                fill="right",
                texture="glaze",
                level=1,
                alpha=0.5,
                outline=False,
            )
        )
    return [*shapes, body, *inside, shine]


def _steam(stage: Stage, x: float, y: float) -> list[Shape]:
    return [
        Shape(
            (
                ribbon(
                    [(x + k, y), (x + k + 0.025, y - 0.07), (x + k - 0.02, y - 0.14), (x + k + 0.015, y - 0.22)],
                    0.012,
                    0.002,
                ),
            ),
            stage.palette.light,
            soft=0.008,
            alpha=0.35,
            outline=False,
            fine=True,
            subject=False,
        )
        for k in (-0.03, 0.035)
    ]
