"""A room: armchair, floor lamp, window, books."""

from __future__ import annotations

from providers.demo.colors import mix, scaled
from providers.demo.scenes.stage import Stage, shadow
from providers.demo.shapes import Path, Shape, circle, ellipse, leaf, polygon, rectangle, ribbon, ridge, smooth


def interior(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """A corner to read in; what the prompt names is there, lamp and chair in any case."""
    palette, width, height = stage.palette, stage.width, stage.height
    floor = height * 0.78
    x = width / 2
    wall = mix(palette.sky_low, palette.accent, 0.08) if not palette.is_dark else palette.sky_mid
    boards = mix(palette.near, palette.second, 0.35)
    shapes = [
        Shape(
            (rectangle(-0.05, -0.05, width + 0.05, floor + 0.01),),
            wall,
            mix(wall, palette.mid, 0.5),
            fill="round",
            subject=False,
            outline=False,
        ),
        Shape(
            (rectangle(-0.05, floor, width + 0.05, height + 0.05),),
            boards,
            mix(boards, palette.dark, 0.5),
            texture="wood",
            subject=False,
        ),
        Shape((rectangle(-0.05, floor - 0.03, width + 0.05, floor),), mix(wall, palette.light, 0.4), subject=False),
    ]
    shapes += window(stage, x - 0.4, 0.12 * height, 0.3, 0.34 * height)
    shapes += _shelf(stage, x + 0.16, 0.2 * height, 0.28)
    rug = ellipse(x + 0.02, floor + 0.12, 0.44, 0.06)
    shapes.append(
        Shape(
            (rug,),
            mix(palette.accent, palette.light, 0.35),
            mix(palette.accent, palette.near, 0.3),
            texture="cloth",
            subject=False,
        )
    )
    shapes.append(
        Shape(
            (ellipse(x + 0.02, floor + 0.12, 0.36, 0.045),),
            mix(palette.second, palette.light, 0.4),
            texture="cloth",
            subject=False,
            fine=True,
        )
    )
    lamp = (x + 0.3, floor - 0.46)
    shapes += _lamp(stage, lamp, floor + 0.06)
    shapes += armchair(stage, x - 0.03, floor + 0.1, 0.42)
    shapes += _side_table(stage, x - 0.36, floor + 0.1)
    return shapes, lamp


def window(stage: Stage, left: float, top: float, wide: float, high: float) -> list[Shape]:
    """A window with its view, at (left, top)."""
    palette = stage.palette
    right, bottom = left + wide, top + high
    frame = mix(palette.light, palette.sky_low, 0.2)
    dark = "night" in stage.reading.moods or "dusk" in stage.reading.moods
    outside = ((0.12, 0.17, 0.31), (0.33, 0.36, 0.52)) if dark else ((0.62, 0.76, 0.82), (0.93, 0.91, 0.82))
    line = ridge(stage.rng, stage.width, bottom - high * 0.25, 0.03, bottom, rough=0.4)
    inside = line[(line[:, 0] > left) & (line[:, 0] < right) & (line[:, 1] < bottom)]
    hill = polygon([*[(float(a), float(b)) for a, b in inside], (right, bottom), (left, bottom)])
    bars = (
        rectangle(left + wide / 2 - 0.006, top, left + wide / 2 + 0.006, bottom),
        rectangle(left, top + high / 2 - 0.006, right, top + high / 2 + 0.006),
    )
    shapes = [
        Shape(
            (rectangle(left - 0.018, top - 0.018, right + 0.018, bottom + 0.018),), frame, mix(frame, palette.mid, 0.3)
        ),
        Shape((rectangle(left, top, right, bottom),), *outside, texture="sky"),
        Shape((circle(left + wide * 0.68, top + high * 0.3, 0.028),), (1.0, 0.96, 0.84), fine=True),
        Shape((hill,), mix(palette.leaf, outside[1], 0.4), palette.leaf, texture="leaf", fine=True),
        Shape(bars, frame),
        Shape(
            (rectangle(left - 0.035, bottom + 0.014, right + 0.035, bottom + 0.034),),
            frame,
            mix(frame, palette.near, 0.3),
        ),
    ]
    if stage.reading.wants("rain"):
        drops = tuple(ellipse(stage.pick(left, right), stage.pick(top, bottom), 0.0018, 0.008) for _ in range(40))
        shapes.insert(4, Shape(drops, palette.light, alpha=0.6, outline=False, fine=True))
    for side in (-1, 1):
        edge = left - 0.03 if side < 0 else right + 0.03
        cloth = smooth(
            [
                (edge - side * 0.02, top - 0.04),
                (edge + side * 0.07, top - 0.04),
                (edge + side * 0.08, bottom + 0.1),
                (edge - side * 0.005, bottom + 0.1),
            ],
            steps=5,
        )
        tint = mix(palette.second, palette.light, 0.35)
        shapes.append(Shape((cloth,), tint, mix(tint, palette.near, 0.4), fill="right", texture="cloth"))
    return shapes


def _shelf(stage: Stage, left: float, y: float, wide: float) -> list[Shape]:
    palette = stage.palette
    shapes = []
    for row in range(2):
        base = y + row * 0.17
        x = left
        while x < left + wide - 0.03:
            thick, tall = stage.pick(0.014, 0.026), stage.pick(0.075, 0.115)
            color = (palette.accent, palette.second, palette.water, palette.near, palette.leaf, palette.light)[
                int(stage.rng.integers(6))
            ]
            if stage.chance(0.12):
                x += 0.03
            shapes.append(
                Shape(
                    (rectangle(x, base - tall, x + thick, base),),
                    mix(color, palette.light, 0.12),
                    mix(color, palette.dark, 0.3),
                    outline=True,
                )
            )
            x += thick + 0.0015
        shapes.append(
            Shape(
                (rectangle(left - 0.02, base, left + wide + 0.02, base + 0.014),),
                mix(palette.near, palette.second, 0.25),
                palette.near,
                texture="wood",
            )
        )
    return shapes


def _lamp(stage: Stage, lamp: tuple[float, float], floor: float) -> list[Shape]:
    x, y = lamp
    palette = stage.palette
    shade = polygon([(x - 0.055, y - 0.07), (x + 0.055, y - 0.07), (x + 0.1, y + 0.06), (x - 0.1, y + 0.06)])
    pool = polygon([(x - 0.1, y + 0.06), (x + 0.1, y + 0.06), (x + 0.34, floor), (x - 0.42, floor)])
    return [
        Shape((circle(x, y, 0.2),), palette.glow, soft=0.1, alpha=0.55, glow=True, subject=False, outline=False),
        Shape((pool,), palette.glow, soft=0.05, alpha=0.26, glow=True, subject=False, outline=False),
        shadow(x, floor, 0.06, stage),
        Shape(
            (rectangle(x - 0.005, y + 0.05, x + 0.005, floor - 0.005), ellipse(x, floor - 0.005, 0.06, 0.014)),
            palette.dark,
        ),
        Shape(
            (shade,), mix(palette.glow, palette.light, 0.4), mix(palette.glow, palette.second, 0.55), texture="cloth"
        ),
    ]


def armchair(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    """An armchair standing at (x, y), `size` wide."""
    palette = stage.palette
    color = (
        palette.accent
        if stage.reading.colors
        else (palette.water, palette.accent, palette.leaf)[int(stage.rng.integers(3))]
    )
    light, dim = mix(color, palette.light, 0.16), mix(scaled(color, 0.5), palette.dark, 0.3)

    def soft_box(left: float, top: float, right: float, bottom: float, round_by: float) -> Path:
        return smooth(
            [
                (left, top + round_by),
                (left + round_by, top),
                (right - round_by, top),
                (right, top + round_by),
                (right, bottom - round_by * 0.5),
                (right - round_by * 0.5, bottom),
                (left + round_by * 0.5, bottom),
                (left, bottom - round_by * 0.5),
            ],
            steps=5,
        )

    s = size
    legs = tuple(
        ribbon([(x + k * s, y - 0.14 * s), (x + k * 1.06 * s, y - 0.07 * s), (x + k * 1.12 * s, y)], 0.02, 0.01)
        for k in (-0.36, 0.36)
    )
    buttons = tuple(circle(x + k * 0.13 * s, y - 0.78 * s + j * 0.15 * s, 0.005) for k in (-1, 0, 1) for j in (0, 1))
    return [
        Shape(
            (ellipse(x + 0.03, y, s * 0.55, 0.03),), palette.dark, soft=0.02, alpha=0.45, subject=False, outline=False
        ),
        Shape(legs, mix(palette.near, palette.dark, 0.4), texture="wood"),
        Shape(
            (soft_box(x - 0.37 * s, y - 1.02 * s, x + 0.37 * s, y - 0.2 * s, 0.13 * s),), light, dim, texture="cloth"
        ),
        Shape(buttons, dim, outline=False, fine=True),
        Shape(
            (soft_box(x - 0.36 * s, y - 0.46 * s, x + 0.36 * s, y - 0.28 * s, 0.06 * s),),
            mix(light, palette.light, 0.12),
            mix(color, dim, 0.3),
            texture="cloth",
        ),
        Shape(
            (soft_box(x - 0.36 * s, y - 0.32 * s, x + 0.36 * s, y - 0.1 * s, 0.05 * s),), color, dim, texture="cloth"
        ),
        Shape(
            (
                soft_box(x - 0.5 * s, y - 0.6 * s, x - 0.3 * s, y - 0.1 * s, 0.09 * s),
                soft_box(x + 0.3 * s, y - 0.6 * s, x + 0.5 * s, y - 0.1 * s, 0.09 * s),
            ),
            light,
            dim,
            texture="cloth",
        ),
        Shape(
            (soft_box(x - 0.2 * s, y - 0.68 * s, x + 0.12 * s, y - 0.4 * s, 0.06 * s),),
            mix(palette.second, palette.light, 0.3),
            palette.second,
            fill="round",
            texture="cloth",
            fine=True,
        ),
    ]


def _side_table(stage: Stage, x: float, y: float) -> list[Shape]:
    palette = stage.palette
    wood = mix(palette.near, palette.second, 0.25)
    shapes = [
        shadow(x, y, 0.09, stage),
        Shape(
            tuple(
                ribbon([(x + k * 0.04, y - 0.2), (x + k * 0.06, y - 0.1), (x + k * 0.085, y)], 0.011, 0.007)
                for k in (-1, 1)
            ),
            mix(wood, palette.dark, 0.3),
        ),
        Shape((ellipse(x, y - 0.2, 0.11, 0.022),), mix(wood, palette.light, 0.15), wood, texture="wood"),
        Shape(
            (polygon([(x - 0.035, y - 0.28), (x + 0.035, y - 0.28), (x + 0.026, y - 0.2), (x - 0.026, y - 0.2)]),),
            palette.light,
            palette.far,
            fill="right",
        ),
    ]
    for k in range(7):
        angle = -1.57 + (k - 3) * 0.36
        shapes.append(
            Shape(
                (leaf(x, y - 0.275, stage.pick(0.1, 0.15), angle, 0.34),),
                mix(palette.leaf, palette.light, 0.05 * k),
                mix(palette.leaf, palette.dark, 0.4),
                texture="leaf",
            )
        )
    return shapes
