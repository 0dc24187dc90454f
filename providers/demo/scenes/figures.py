"""A stylised bust: head, hair, clothes and one attribute (beard and cap, crown, long hair, helmet)."""

from __future__ import annotations

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.faces import around, beard_shapes, hair_shapes, head
from providers.demo.scenes.headwear import cap, crown
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Shape, circle, polygon, rectangle, ribbon, smooth

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
    long_hair = "long_hair" in reading.subjects or bool({"queen", "princess", "long"} & set(reading.words))
    if long_hair:
        shapes.append(
            Shape(
                (
                    around(
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
    shapes += head(stage, x, y, skin, hair, old=old)
    if sailor or (old and not long_hair and stage.chance(0.8)):
        shapes += beard_shapes(stage, x, y, hair if old else mix(hair, palette.light, 0.1))
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
        shapes += hair_shapes(stage, x, y, hair, long_hair=long_hair)
    return shapes, (width * 0.08, 0.0)


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
    collar = [around(x, top, [(-0.13, -0.05), (0.0, 0.02), (0.13, -0.05), (0.15, 0.06), (0.0, 0.13), (-0.15, 0.06)])]
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
