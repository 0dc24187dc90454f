"""A head: face, hair, beard."""

from __future__ import annotations

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Path, Shape, circle, ellipse, polygon, ribbon, smooth


def around(x: float, y: float, points: list[tuple[float, float]]) -> Path:
    """A rounded outline of points given relative to (x, y)."""
    return smooth([(x + dx, y + dy) for dx, dy in points])


def head(stage: Stage, x: float, y: float, skin: Color, hair: Color, *, old: bool) -> list[Shape]:
    """Neck, ears and face of a head around (x, y); `old` adds its lines."""
    palette = stage.palette
    dim = mix(scaled(skin, 0.62), palette.accent, 0.12)
    neck = polygon(
        [(x - 0.075, y + 0.1), (x + 0.075, y + 0.1), (x + 0.085, y + 0.28), (x, y + 0.32), (x - 0.085, y + 0.28)]
    )
    face = around(
        x,
        y,
        [
            (-0.15, -0.08),
            (-0.105, -0.185),
            (0.0, -0.22),
            (0.105, -0.185),
            (0.15, -0.08),
            (0.142, 0.06),
            (0.09, 0.165),
            (0.0, 0.205),
            (-0.09, 0.165),
            (-0.142, 0.06),
        ],
    )
    ears = tuple(ellipse(x + s * 0.15, y + 0.005, 0.022, 0.042) for s in (-1, 1))
    side = around(
        x,
        y,
        [
            (0.02, -0.2),
            (0.105, -0.185),
            (0.15, -0.08),
            (0.142, 0.06),
            (0.09, 0.165),
            (0.015, 0.2),
            (0.05, 0.1),
            (0.03, 0.04),
            (0.045, -0.06),
        ],
    )
    line = mix(dim, palette.dark, 0.6)
    brows = tuple(
        ribbon([(x + s * 0.035, y - 0.052), (x + s * 0.065, y - 0.066), (x + s * 0.1, y - 0.052)], 0.012, 0.006)
        for s in (-1, 1)
    )
    lids = tuple(
        ribbon([(x + s * 0.04, y - 0.02), (x + s * 0.067, y - 0.029), (x + s * 0.095, y - 0.016)], 0.007, 0.004)
        for s in (-1, 1)
    )
    pupils = tuple(ellipse(x + s * 0.067, y - 0.015, 0.0095, 0.011) for s in (-1, 1))
    nose = ribbon(
        [(x + 0.008, y - 0.045), (x + 0.022, y + 0.025), (x + 0.026, y + 0.053), (x + 0.004, y + 0.06)], 0.008, 0.009
    )
    mouth = ribbon([(x - 0.042, y + 0.107), (x, y + 0.115), (x + 0.042, y + 0.105)], 0.011, 0.008)
    shapes = [
        Shape((neck,), scaled(dim, 0.92), scaled(dim, 0.7)),
        Shape(ears, skin, dim, fill="round"),
        Shape((face,), skin, dim, fill="right", texture="glaze"),
        Shape((side,), dim, scaled(dim, 0.9), alpha=0.55, soft=0.006, outline=False),
        Shape(
            tuple(circle(x + s * 0.085, y + 0.058, 0.03) for s in (-1, 1)),
            (0.86, 0.4, 0.32),
            soft=0.016,
            alpha=0.3,
            outline=False,
        ),
        Shape(brows, mix(hair, palette.dark, 0.2 if not old else 0.05), outline=False),
        Shape(lids, line, outline=False),
        Shape(pupils, scaled(line, 0.6), outline=False),
        Shape((nose,), scaled(dim, 0.82), outline=False),
        Shape((mouth,), mix((0.62, 0.25, 0.22), dim, 0.3), outline=False),
    ]
    if old:
        creases = [
            ribbon([(x + s * 0.03, y + 0.065), (x + s * 0.062, y + 0.09), (x + s * 0.066, y + 0.12)], 0.004, 0.002)
            for s in (-1, 1)
        ]
        creases += [
            ribbon([(x + s * 0.105, y - 0.012), (x + s * 0.125, y - 0.02 + k * 0.014)], 0.003, 0.001)
            for s in (-1, 1)
            for k in range(3)
        ]
        creases += [
            ribbon(
                [(x - 0.06, y - 0.1 - k * 0.022), (x, y - 0.105 - k * 0.022), (x + 0.06, y - 0.098 - k * 0.022)], 0.003
            )
            for k in range(2)
        ]
        shapes.append(Shape(tuple(creases), scaled(dim, 0.75), alpha=0.8, outline=False, fine=True))
    return shapes


def hair_shapes(stage: Stage, x: float, y: float, hair: Color, *, long_hair: bool) -> list[Shape]:
    """Hair above the face around (x, y), to the chin when long."""
    top = [
        (-0.16, -0.02),
        (-0.175, -0.13),
        (-0.1, -0.235),
        (0.02, -0.265),
        (0.13, -0.225),
        (0.175, -0.12),
        (0.16, -0.01),
        (0.135, -0.09),
        (0.06, -0.155),
        (-0.05, -0.125),
        (-0.12, -0.09),
    ]
    if long_hair:
        top = [
            (-0.165, 0.1),
            (-0.185, -0.1),
            (-0.1, -0.24),
            (0.02, -0.27),
            (0.14, -0.225),
            (0.185, -0.1),
            (0.17, 0.1),
            (0.13, -0.07),
            (0.02, -0.175),
            (-0.12, -0.06),
        ]
    return [
        Shape(
            (around(x, y, top),), mix(hair, stage.palette.light, 0.16), scaled(hair, 0.5), fill="right", texture="fur"
        )
    ]


def beard_shapes(stage: Stage, x: float, y: float, hair: Color) -> list[Shape]:
    """A full beard and moustache on the face around (x, y)."""
    beard = around(
        x,
        y,
        [
            (-0.152, -0.02),
            (-0.125, 0.05),
            (-0.07, 0.075),
            (0.0, 0.082),
            (0.07, 0.075),
            (0.125, 0.05),
            (0.152, -0.02),
            (0.162, 0.12),
            (0.115, 0.25),
            (0.0, 0.315),
            (-0.115, 0.25),
            (-0.162, 0.12),
        ],
    )
    moustache = around(
        x,
        y,
        [
            (0.0, 0.07),
            (0.06, 0.075),
            (0.105, 0.115),
            (0.05, 0.112),
            (0.0, 0.1),
            (-0.05, 0.112),
            (-0.105, 0.115),
            (-0.06, 0.075),
        ],
    )
    strands = tuple(
        ribbon(
            [(x + k * 0.022, y + 0.13), (x + k * 0.025, y + 0.19), (x + k * 0.018, y + 0.265 - abs(k) * 0.012)],
            0.004,
            0.001,
        )
        for k in range(-5, 6)
    )
    return [
        Shape(
            (beard,),
            mix(hair, stage.palette.light, 0.2),
            mix(scaled(hair, 0.55), stage.palette.dark, 0.15),
            fill="right",
            texture="fur",
        ),
        Shape(strands, scaled(hair, 0.6), alpha=0.5, outline=False, fine=True),
        Shape((ellipse(x, y + 0.118, 0.036, 0.008),), (0.45, 0.2, 0.18), outline=False),
        Shape((moustache,), mix(hair, stage.palette.light, 0.4), scaled(hair, 0.75), fill="right", texture="fur"),
    ]
