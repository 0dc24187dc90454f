"""The city: towers in depth, lit windows after dark, wet streets in rain."""

from __future__ import annotations

from providers.demo.colors import Color, mix
from providers.demo.scenes.stage import Stage, sky, weather
from providers.demo.shapes import Path, Shape, ellipse, polygon, rectangle


def city(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """A skyline over water or over its own roofs."""
    palette, width, height = stage.palette, stage.width, stage.height
    wet = stage.reading.wants("rain", "sea") or stage.chance(0.35)
    ground = height * (0.8 if wet else 1.02)
    air = sky(stage, height * 0.82, sun=(width * stage.pick(0.2, 0.8), height * stage.pick(0.16, 0.34)))
    haze = ellipse(width / 2, ground, width * 0.7, height * 0.22)
    shapes = [*air.shapes, Shape((haze,), palette.second, soft=0.1, alpha=0.3, glow=True, subject=False, outline=False)]
    for row in range(3):
        part = row / 2
        color = (
            mix(mix(palette.far, palette.sky_low, 0.45), palette.mid, part)
            if row < 2
            else mix(palette.near, palette.dark, 0.35)
        )
        top = ground - height * (0.6 - 0.13 * row)
        shapes += _row(stage, color, (top, ground), row)
        if row < 2:
            mist = rectangle(-0.05, ground - height * (0.2 - 0.06 * row), width + 0.05, ground + 0.02)
            shapes.append(Shape((mist,), palette.sky_low, soft=0.07, alpha=0.28, outline=False, subject=False))
    if wet:
        shapes += _wet_street(stage, ground)
    return [*shapes, *weather(stage)], air.sun


def _row(stage: Stage, color: Color, span: tuple[float, float], row: int) -> list[Shape]:
    """Towers side by side and, lit or not, their windows."""
    palette = stage.palette
    top, ground = span
    towers: list[Path] = []
    masts: list[Path] = []
    warm: list[Path] = []
    cool: list[Path] = []
    x = -stage.pick(0, 0.08)
    pane = 0.0055 + 0.0018 * row
    while x < stage.width + 0.02:
        wide = stage.pick(0.07, 0.14) * (0.85 + 0.15 * row)
        roof = top + stage.pick(-0.04, 0.24) * stage.height * 0.8
        towers += _tower(stage, x, roof, wide, ground)
        if stage.chance(0.22):
            masts.append(rectangle(x + wide / 2 - 0.0018, roof - stage.pick(0.04, 0.1), x + wide / 2 + 0.0018, roof))
        lit = stage.pick(0.35, 0.85)
        y = roof + 0.03
        while y < ground - 0.02:
            columns = int((wide - 0.024) / (pane * 2.1))
            for k in range(columns):
                if stage.chance(lit * (0.55 if row == 0 else 0.8)):
                    left = x + 0.012 + (k + 0.25) * (wide - 0.024) / max(1, columns)
                    (cool if stage.chance(0.12) else warm).append(rectangle(left, y, left + pane, y + pane * 1.35))
            y += pane * 3.0
        x += wide * stage.pick(0.92, 1.12)
    foot = mix(color, palette.sky_low, 0.35 if row < 2 else 0.06)
    shapes = [Shape((*towers, *masts), color, foot, texture="rock" if row == 2 else "plain")]
    if palette.is_dark:
        glow = mix(palette.glow, color, (0.55, 0.25, 0.0)[row])
        if row == 2:
            shapes.append(
                Shape(tuple(warm), palette.glow, soft=0.007, alpha=0.75, glow=True, outline=False, fine=True, level=0)
            )
        shapes.append(Shape(tuple(warm), glow, outline=False, fine=row == 0))
        shapes.append(Shape(tuple(cool), mix(palette.water, palette.light, 0.5), outline=False, fine=True))
    else:
        shapes.append(Shape((*warm, *cool), mix(color, palette.dark, 0.3), outline=False, alpha=0.55, fine=row < 2))
    return shapes


def _tower(stage: Stage, x: float, roof: float, wide: float, ground: float) -> list[Path]:
    body = rectangle(x, roof, x + wide, ground + 0.05)
    kind = int(stage.rng.integers(5))
    if kind == 0:
        return [body, rectangle(x + wide * 0.2, roof - 0.03, x + wide * 0.8, roof + 0.01)]
    if kind == 1:
        return [body, polygon([(x, roof), (x + wide, roof), (x + wide, roof - 0.05)])]
    if kind == 2:
        return [
            body,
            rectangle(x + wide * 0.28, roof - 0.05, x + wide * 0.72, roof),
            rectangle(x + wide * 0.42, roof - 0.08, x + wide * 0.58, roof),
        ]
    if kind == 3:
        return [body, polygon([(x + wide * 0.1, roof), (x + wide * 0.5, roof - 0.07), (x + wide * 0.9, roof)])]
    return [body]


def _wet_street(stage: Stage, ground: float) -> list[Shape]:
    """Water or wet asphalt that takes up the lights in long strokes."""
    palette, width, height = stage.palette, stage.width, stage.height
    shapes = [
        Shape(
            (rectangle(-0.05, ground, width + 0.05, height + 0.05),),
            mix(palette.mid, palette.dark, 0.3),
            palette.dark,
            texture="water",
            subject=False,
            outline=False,
        )
    ]
    depth = height - ground
    for color, count in ((palette.glow, 26), (palette.accent, 9), (palette.second, 12), (palette.water, 12)):
        strokes = []
        for _ in range(count):
            x, start = stage.pick(0, width), ground + depth * stage.pick(0.02, 0.3)
            wide = stage.pick(0.004, 0.014)
            strokes += [
                ellipse(
                    x + stage.pick(-0.004, 0.004), start + depth * 0.09 * k, wide * stage.pick(0.6, 1.5), depth * 0.035
                )
                for k in range(int(stage.rng.integers(3, 8)))
            ]
        shapes.append(
            Shape(
                tuple(strokes),
                color,
                soft=0.003,
                alpha=0.45 if palette.is_dark else 0.2,
                glow=palette.is_dark,
                outline=False,
                subject=False,
                fine=color != palette.glow,
            )
        )
    shapes.append(
        Shape(
            (rectangle(-0.05, ground - 0.004, width + 0.05, ground + 0.006),),
            palette.dark,
            subject=False,
            outline=False,
        )
    )
    return shapes
