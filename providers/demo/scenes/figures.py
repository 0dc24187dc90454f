"""A stylised bust: head, hair, clothes and one attribute (beard and cap, crown, long hair, helmet)."""

from __future__ import annotations

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Path, Shape, circle, ellipse, polygon, rectangle, ribbon, smooth

SKINS: tuple[Color, ...] = ((0.93, 0.76, 0.63), (0.82, 0.60, 0.45), (0.66, 0.44, 0.31), (0.45, 0.29, 0.21))


def portrait(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """Head and shoulders before a plain ground, lit from the left."""
    palette, width, height = stage.palette, stage.width, stage.height
    reading = stage.reading
    x, y = width / 2, height * 0.44 if height <= 1.2 else height * 0.42
    skin = SKINS[int(stage.rng.integers(len(SKINS)))]
    old = "old" in reading.subjects
    hair_choices = ((0.16, 0.13, 0.13), (0.36, 0.22, 0.14), (0.62, 0.4, 0.2), (0.5, 0.22, 0.12))
    hair = (0.86, 0.84, 0.8) if old else hair_choices[int(stage.rng.integers(4))]
    ground = palette.sky_mid if palette.is_dark else mix(palette.sky_low, palette.second, 0.22)
    shapes = [
        Shape(
            (rectangle(-0.05, -0.05, width + 0.05, height + 0.05),),
            mix(ground, palette.light, 0.15),
            mix(ground, palette.mid, 0.55),
            fill="round",
            texture="rock" if palette.is_dark else "plain",
            subject=False,
            outline=False,
        ),
        Shape(
            (circle(x, y - 0.02, 0.36),),
            mix(palette.second, ground, 0.45),
            mix(palette.accent, ground, 0.55),
            subject=False,
            outline=False,
            alpha=0.8,
        ),
    ]
    sailor = "sailor" in reading.subjects
    long_hair = "long_hair" in reading.subjects
    if long_hair:
        shapes.append(
            Shape(
                (
                    _around(
                        x,
                        y,
                        [
                            (-0.17, -0.18),
                            (-0.02, -0.27),
                            (0.16, -0.2),
                            (0.22, 0.02),
                            (0.24, 0.3),
                            (0.12, 0.38),
                            (-0.13, 0.38),
                            (-0.25, 0.28),
                            (-0.21, 0.02),
                        ],
                    ),
                ),
                mix(hair, palette.light, 0.1),
                scaled(hair, 0.55),
                texture="fur",
            )
        )
    shapes += _shoulders(stage, x, y, sailor=sailor)
    shapes += _head(stage, x, y, skin, hair, old=old)
    if sailor or (old and not long_hair and stage.chance(0.8)):
        shapes += _beard(stage, x, y, hair if old else mix(hair, palette.light, 0.1))
    if sailor or reading.wants("hat"):
        shapes += cap(stage, x, y - 0.135, 0.36)
    elif "crown" in reading.subjects:
        shapes += crown(stage, x, y - 0.16, 0.34)
    elif "astronaut" in reading.subjects:
        shapes.append(Shape((circle(x, y, 0.27),), palette.light, palette.water, fill="round", alpha=0.28))
        shapes.append(
            Shape(
                (ribbon([(x - 0.2, y - 0.1), (x - 0.14, y - 0.19), (x - 0.05, y - 0.24)], 0.018, 0.008),),
                palette.light,
                alpha=0.8,
                outline=False,
            )
        )
    else:
        shapes += _hair(stage, x, y, hair, long_hair=long_hair)
    return shapes, (width * 0.08, 0.0)


def _around(x: float, y: float, points: list[tuple[float, float]]) -> Path:
    return smooth([(x + dx, y + dy) for dx, dy in points])


def _shoulders(stage: Stage, x: float, y: float, *, sailor: bool) -> list[Shape]:
    palette, low = stage.palette, stage.height + 0.08
    coat = (
        palette.accent
        if stage.reading.colors
        else (
            mix(palette.water, palette.dark, 0.35)
            if sailor
            else (palette.near, palette.water, palette.accent, palette.leaf)[int(stage.rng.integers(4))]
        )
    )
    top = y + 0.27
    body = polygon(
        [
            (float(a), float(b))
            for a, b in smooth(
                [
                    (x - 0.1, top),
                    (x - 0.2, top + 0.045),
                    (x - 0.36, top + 0.12),
                    (x - 0.43, top + 0.28),
                    (x - 0.46, low),
                ],
                closed=False,
            )
        ]
        + [
            (float(a), float(b))
            for a, b in smooth(
                [
                    (x + 0.46, low),
                    (x + 0.43, top + 0.28),
                    (x + 0.36, top + 0.12),
                    (x + 0.2, top + 0.045),
                    (x + 0.1, top),
                ],
                closed=False,
            )
        ]
    )
    collar = [_around(x, top, [(-0.13, -0.05), (0.0, 0.02), (0.13, -0.05), (0.15, 0.06), (0.0, 0.13), (-0.15, 0.06)])]
    shapes = [
        Shape(
            (body,),
            mix(coat, palette.light, 0.12),
            mix(scaled(coat, 0.45), palette.dark, 0.25),
            fill="right",
            texture="cloth",
        )
    ]
    if sailor:
        stripes = tuple(
            ribbon(
                [(x - 0.4, top + 0.2 + k * 0.07), (x, top + 0.24 + k * 0.07), (x + 0.4, top + 0.2 + k * 0.07)], 0.012
            )
            for k in range(4)
        )
        shapes.append(
            Shape(
                stripes, mix(palette.light, palette.sky_low, 0.2), alpha=0.8, texture="cloth", fine=True, outline=False
            )
        )
    else:
        lapels = tuple(
            polygon(
                [
                    (x + s * 0.02, top + 0.2),
                    (x + s * 0.14, top + 0.01),
                    (x + s * 0.2, top + 0.12),
                    (x + s * 0.06, top + 0.36),
                ]
            )
            for s in (-1, 1)
        )
        shapes.append(Shape(lapels, mix(coat, palette.dark, 0.25), scaled(coat, 0.5), texture="cloth", fine=True))
    shapes.append(
        Shape(
            tuple(collar),
            mix(coat, palette.second if not sailor else palette.dark, 0.35),
            mix(scaled(coat, 0.5), palette.dark, 0.2),
            texture="cloth",
        )
    )
    return shapes


def _head(stage: Stage, x: float, y: float, skin: Color, hair: Color, *, old: bool) -> list[Shape]:
    palette = stage.palette
    dim = mix(scaled(skin, 0.62), palette.accent, 0.12)
    neck = polygon(
        [(x - 0.075, y + 0.1), (x + 0.075, y + 0.1), (x + 0.085, y + 0.28), (x, y + 0.32), (x - 0.085, y + 0.28)]
    )
    face = _around(
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
    side = _around(
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


def _hair(stage: Stage, x: float, y: float, hair: Color, *, long_hair: bool) -> list[Shape]:
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
            (_around(x, y, top),), mix(hair, stage.palette.light, 0.16), scaled(hair, 0.5), fill="right", texture="fur"
        )
    ]


def _beard(stage: Stage, x: float, y: float, hair: Color) -> list[Shape]:
    beard = _around(
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
    moustache = _around(
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


def cap(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    """A peaked cap whose brim rests at (x, y), `size` wide."""
    palette, s = stage.palette, size
    cloth = mix(palette.dark, palette.water, 0.45)
    crown_path = _around(
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
    band = _around(
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
    brim = _around(
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
