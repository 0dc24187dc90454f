"""Printed matter: posters with large type, and logos."""

from __future__ import annotations

from math import cos, pi, sin

from providers.demo.colors import Color, brightness, mix
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Path, Shape, circle, ellipse, leaf, polygon, rectangle, ribbon, sector, star


def poster(stage: Stage) -> tuple[list[Shape], None]:
    """A sheet with one large figure and the prompt's words set below it."""
    width, height = stage.width, stage.height
    ground, inks = _inks(stage)
    text_color = inks[0]
    margin = 0.075
    lettering = stage.reading.lettering or (_title(stage),)
    type_height = min(0.2, 0.15 * height)
    top = height - margin - type_height - 0.07
    shapes = [Shape((rectangle(-0.05, -0.05, width + 0.05, height + 0.05),), ground, subject=False, outline=False)]
    art = (margin, margin, width - margin, top - 0.05)
    figures = (_grid, _arches, _sun_and_waves, _leaves)
    wanted = _leaves if stage.reading.wants("plant", "flower", "flowers") else None
    if stage.reading.wants("sea", "boat", "lighthouse", "ridges", "dunes"):
        wanted = _sun_and_waves
    figure = wanted if wanted and stage.chance(0.85) else figures[int(stage.rng.integers(len(figures)))]
    shapes += figure(stage, art, inks)
    main = lettering[0]
    shapes.append(Shape((rectangle(margin, top, width - margin, top + type_height),), text_color, lettering=main))
    shapes.append(
        Shape(
            (rectangle(margin, top + type_height + 0.022, width - margin, top + type_height + 0.026),),
            text_color,
            outline=False,
            fine=True,
        )
    )
    small = " · ".join(lettering[1:]) or _subtitle(stage)
    shapes.append(
        Shape(
            (
                rectangle(
                    margin, top + type_height + 0.036, margin + min(0.5, 0.0165 * len(small)), top + type_height + 0.07
                ),
            ),
            mix(text_color, ground, 0.1),
            lettering=small,
            fine=True,
        )
    )
    return shapes, None


def _inks(stage: Stage) -> tuple[Color, list[Color]]:
    palette = stage.palette
    ground = palette.sky_low if not palette.is_dark else palette.sky_top
    strong = [palette.accent, palette.near, palette.second, palette.water, palette.mid]
    if "three" in stage.reading.words:
        strong = strong[:3]
    lettering = palette.dark if brightness(ground) > 0.45 else palette.light
    return ground, [lettering, *strong]


def _title(stage: Stage) -> str:
    skip = {"poster", "travel", "a", "an", "the", "for", "of", "in", "with", "and", "on"}
    words = [word for word in stage.reading.words if word.isascii() and word not in skip and len(word) > 3]
    return max(words[:6], key=len).upper()[:12] if words else "NUMBER ONE"


def _subtitle(stage: Stage) -> str:
    if stage.reading.wants("plant", "flower"):
        return "Botanic Garden, spring to autumn"
    if {"concert", "jazz", "music"} & set(stage.reading.words):
        return "Nine concerts by the river"
    return "12.09 to 04.11, open daily"


def _grid(stage: Stage, art: tuple[float, float, float, float], inks: list[Color]) -> list[Shape]:
    """Quarter discs, leaves and dots in a grid."""
    left, top, right, bottom = art
    columns = int(stage.rng.integers(4, 6))
    cell = (right - left) / columns
    rows = max(2, int((bottom - top) / cell))
    cell = min(cell, (bottom - top) / rows)
    left += ((right - left) - cell * columns) / 2
    shapes = []
    for i in range(rows * columns):
        x, y = left + (i % columns) * cell, top + (i // columns) * cell
        color = inks[int(stage.rng.integers(len(inks)))]
        kind = int(stage.rng.integers(5))
        turn = int(stage.rng.integers(4))
        corner = [(x, y), (x + cell, y), (x + cell, y + cell), (x, y + cell)]
        if kind == 0:
            path: Path = sector(*corner[turn], cell * 0.985, turn * pi / 2, (turn + 1) * pi / 2)
        elif kind == 1:
            path = circle(x + cell / 2, y + cell / 2, cell * 0.49)
        elif kind == 2:
            path = polygon([corner[turn], corner[(turn + 1) % 4], corner[(turn + 2) % 4]])
        elif kind == 3:
            first = corner[turn % 2]
            path = leaf(*first, cell * 2**0.5, pi / 4 if turn % 2 == 0 else 3 * pi / 4, 0.62)
        else:
            path = rectangle(x, y, x + cell * 0.985, y + cell * 0.985)
        shapes.append(Shape((path,), color))
        if kind in {1, 4} and stage.chance(0.5):
            other = inks[int(stage.rng.integers(len(inks)))]
            shapes.append(Shape((circle(x + cell / 2, y + cell / 2, cell * 0.22),), other))
    return shapes


def _arches(stage: Stage, art: tuple[float, float, float, float], inks: list[Color]) -> list[Shape]:
    """Nested arches over a ball."""
    left, top, right, bottom = art
    x, radius = (left + right) / 2, min((right - left) / 2, (bottom - top) * 0.66)
    y = top + radius + 0.01
    shapes = []
    bands = 9
    order = int(stage.rng.integers(3))
    for i in range(bands):
        color = inks[(i + order) % len(inks)]
        shapes.append(Shape((sector(x, y, radius * (1 - i / bands), pi, 2 * pi),), color))
    shapes.append(Shape((rectangle(x - radius, y, x + radius, y + 0.045),), inks[(order + 2) % len(inks)]))
    ball = min(0.13, (bottom - y - 0.06) / 2)
    if ball > 0.03:
        shapes.append(Shape((circle(x, y + 0.07 + ball, ball),), inks[1]))
    return shapes


def _sun_and_waves(stage: Stage, art: tuple[float, float, float, float], inks: list[Color]) -> list[Shape]:
    """A sun over banded hills or waves."""
    left, top, right, bottom = art
    wide, high = right - left, bottom - top
    shapes = [Shape((rectangle(left, top, right, bottom),), mix(inks[3 % len(inks)], stage.palette.light, 0.45))]
    shapes.append(
        Shape((circle(left + wide * stage.pick(0.3, 0.7), top + high * 0.34, min(wide, high) * 0.2),), inks[1])
    )
    for i in range(5):
        y = top + high * (0.5 + 0.1 * i)
        phase, swing = stage.pick(0, 6), high * 0.05
        line = [(left + wide * t / 40, y + swing * sin(phase + t / 40 * 2 * pi * (1 + 0.2 * i))) for t in range(41)]
        color = mix(inks[2 % len(inks)], inks[0], i / 6) if i % 2 else inks[(4 + i) % len(inks)]
        shapes.append(Shape((polygon([*line, (right, bottom), (left, bottom)]),), color))
    return shapes


def _leaves(stage: Stage, art: tuple[float, float, float, float], inks: list[Color]) -> list[Shape]:
    """One tall plant in flat colours before a disc."""
    left, top, right, bottom = art
    x, high = (left + right) / 2, bottom - top
    disc = min((right - left) * 0.44, high * 0.4)
    shapes = [Shape((circle(x, top + high * 0.42, disc),), inks[3 % len(inks)])]
    stem = ribbon([(x, bottom), (x + 0.012, top + high * 0.6), (x, top + high * 0.14)], 0.016, 0.008)
    shapes.append(Shape((stem,), inks[0]))
    pairs = 6
    for i in range(pairs):
        y = bottom - high * (0.08 + 0.13 * i)
        reach = min((right - left) * 0.5, high * 0.4) * (1 - 0.1 * i)
        for side in (-1, 1):
            angle = -pi / 2 + side * (1.15 - 0.11 * i)
            color = inks[2 % len(inks)] if (i + side) % 3 else inks[1]
            blade = leaf(x, y, reach, angle, 0.34, 0.06 * side)
            shapes.append(Shape((blade,), color))
            vein = ribbon(
                [
                    (x, y),
                    (x + cos(angle) * reach * 0.45, y + sin(angle) * reach * 0.45),
                    (x + cos(angle) * reach * 0.86, y + sin(angle) * reach * 0.86),
                ],
                0.005,
                0.002,
            )
            shapes.append(Shape((vein,), stage.palette.light, outline=False))
    shapes.append(Shape((leaf(x, top + high * 0.2, high * 0.18, -pi / 2, 0.4),), inks[1]))
    return shapes


def logo(stage: Stage) -> tuple[list[Shape], None]:
    """A mark in the middle of an empty sheet, a name under it when the prompt gives one."""
    palette, width, height = stage.palette, stage.width, stage.height
    ground = palette.light if not palette.is_dark else palette.sky_top
    ink = palette.dark if brightness(ground) > 0.45 else palette.light
    x, y, size = width / 2, height * (0.43 if stage.reading.lettering else 0.5), 0.27
    shapes = [Shape((rectangle(-0.05, -0.05, width + 0.05, height + 0.05),), ground, subject=False, outline=False)]
    if stage.reading.wants("sun") or stage.chance(0.3):
        rays = tuple(star(x, y, size * 1.28, 20, 0.86) for _ in range(1))
        shapes.append(Shape(rays, palette.second))
        shapes.append(Shape((circle(x, y, size * 1.02),), ground, outline=False))
    shapes.append(Shape((circle(x, y, size * 0.96),), palette.accent))
    if stage.reading.wants("wheat"):
        shapes += _ears(stage, x, y, size, ground)
    elif stage.reading.wants("plant", "flower", "forest", "field"):
        for k in range(5):
            shapes.append(
                Shape(
                    (leaf(x, y + size * 0.62, size * 1.15, -pi / 2 + (k - 2) * 0.52, 0.34),),
                    ground if k % 2 == 0 else palette.second,
                )
            )
    elif stage.reading.wants("ridges", "sea", "boat"):
        shapes.append(
            Shape(
                (
                    polygon(
                        [
                            (x - size * 0.7, y + size * 0.42),
                            (x - size * 0.12, y - size * 0.5),
                            (x + size * 0.3, y + size * 0.42),
                        ]
                    ),
                ),
                ground,
            )
        )
        shapes.append(
            Shape(
                (
                    polygon(
                        [
                            (x - size * 0.1, y + size * 0.42),
                            (x + size * 0.34, y - size * 0.16),
                            (x + size * 0.74, y + size * 0.42),
                        ]
                    ),
                ),
                palette.second,
            )
        )
    else:
        turn = int(stage.rng.integers(4)) * pi / 2
        shapes.append(Shape((sector(x, y, size * 0.96, turn, turn + pi),), palette.near))
        shapes.append(Shape((circle(x + cos(turn) * size * 0.4, y + sin(turn) * size * 0.4, size * 0.26),), ground))
        shapes.append(
            Shape((circle(x - cos(turn) * size * 0.4, y - sin(turn) * size * 0.4, size * 0.26),), palette.second)
        )
    for text in stage.reading.lettering[:1]:
        shapes.append(
            Shape((rectangle(x - 0.3, y + size * 1.45, x + 0.3, y + size * 1.45 + 0.1),), ink, lettering=text)
        )
    return shapes, None


def _ears(stage: Stage, x: float, y: float, size: float, ground: Color) -> list[Shape]:
    shapes = []
    for lean in (-0.42, 0.0, 0.42):
        tip = (x + sin(lean) * size * 0.75, y - cos(lean) * size * 0.62)
        foot = (x + lean * size * 0.06, y + size * 0.7)
        shapes.append(
            Shape(
                (ribbon([foot, ((foot[0] + tip[0]) / 2, (foot[1] + tip[1]) / 2), tip], size * 0.035),),
                ground,
                outline=False,
            )
        )
        grains = []
        for k in range(5):
            part = 0.45 + 0.13 * k
            gx, gy = foot[0] + (tip[0] - foot[0]) * part, foot[1] + (tip[1] - foot[1]) * part
            grains += [leaf(gx, gy, size * 0.24, -pi / 2 + lean + side * 0.62, 0.42) for side in (-1, 1)]
        grains.append(leaf(*tip, size * 0.24, -pi / 2 + lean, 0.42))
        shapes.append(Shape(tuple(grains), ground if lean == 0 else stage.palette.second))
    shapes.append(Shape((ellipse(x, y + size * 0.68, size * 0.3, size * 0.02),), ground, outline=False))
    return shapes
