"""For every prompt without a known thing in it: a composition of discs, arcs and planes of its own."""

from __future__ import annotations

from math import pi

from providers.demo.colors import Color, mix
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Shape, circle, polygon, rectangle, ribbon, sector


def abstract(stage: Stage) -> tuple[list[Shape], tuple[float, float] | None]:
    """One of three handsome arrangements; the dice of the prompt choose and place."""
    ways = (_great_disc, _tiles, _planes)
    return ways[int(stage.rng.integers(len(ways)))](stage), None


def _inks(stage: Stage) -> list[Color]:
    palette = stage.palette
    inks = [palette.accent, palette.second, palette.near, palette.water, palette.dark]
    stage.rng.shuffle(inks[2:])
    return inks


def _sheet(stage: Stage) -> Shape:
    ground = stage.palette.sky_top if stage.palette.is_dark else stage.palette.sky_low
    return Shape(
        (rectangle(-0.05, -0.05, stage.width + 0.05, stage.height + 0.05),),
        ground,
        mix(ground, stage.palette.sky_mid, 0.4),
        subject=False,
        outline=False,
    )


def _great_disc(stage: Stage) -> list[Shape]:
    """A disc cut into quarters, one replaced by a square with a dot; bars and an arc answer it."""
    inks, palette = _inks(stage), stage.palette
    x, y = stage.width * stage.pick(0.4, 0.6), stage.height * stage.pick(0.42, 0.52)
    radius = stage.pick(0.29, 0.35)
    start = int(stage.rng.integers(4))
    shapes = [_sheet(stage)]
    side = -1 if stage.chance(0.5) else 1
    bar = x + side * radius * 1.18
    shapes.append(
        Shape(
            (rectangle(bar - 0.02, y - radius * 1.35, bar + 0.02, y + radius * 1.35),),
            palette.dark if not palette.is_dark else palette.light,
        )
    )
    for k in range(3):
        arc = radius * (1.62 - 0.13 * k)
        shapes.append(
            Shape(
                (sector(x, y, arc, pi / 2 * start, pi / 2 * (start + 1)),),
                mix(inks[3 - k], palette.sky_low, 0.2),
                alpha=0.92,
            )
        )
    for k in range(4):
        turn = (start + k) % 4
        if k == 2:
            sx = x if turn in {0, 3} else x - radius
            sy = y if turn in {0, 1} else y - radius
            shapes.append(
                Shape((rectangle(sx, sy, sx + radius, sy + radius),), inks[1], mix(inks[1], palette.light, 0.2))
            )
            shapes.append(
                Shape(
                    (circle(sx + radius / 2, sy + radius / 2, radius * 0.27),),
                    palette.light,
                    mix(palette.light, palette.sky_mid, 0.3),
                )
            )
        else:
            ink = (inks[0], inks[2], None, inks[3])[k] or inks[0]
            shapes.append(
                Shape((sector(x, y, radius, turn * pi / 2, (turn + 1) * pi / 2),), ink, mix(ink, palette.dark, 0.15))
            )
    for k in range(4):
        cy = y + radius * (0.2 + 0.2 * k)
        shapes.append(
            Shape(
                (rectangle(x - side * radius * 1.75, cy, x - side * radius * 1.15, cy + 0.014),),
                inks[(k + 1) % 3],
                fine=True,
            )
        )
    shapes.append(
        Shape(
            (circle(x - side * radius * 1.2, y - radius * 0.95, radius * stage.pick(0.14, 0.22)),),
            inks[0],
            mix(inks[0], palette.dark, 0.25),
            fill="round",
        )
    )
    return shapes


def _tiles(stage: Stage) -> list[Shape]:
    """A wall of quarter circles, leaves and dots, calm where the dice leave gaps."""
    inks, palette = _inks(stage), stage.palette
    columns = int(stage.rng.integers(4, 6))
    cell = min(stage.width, stage.height) * 0.86 / columns
    across, down = max(1, int(stage.width * 0.92 / cell)), max(1, int(stage.height * 0.92 / cell))
    left, top = (stage.width - across * cell) / 2, (stage.height - down * cell) / 2
    shapes = [_sheet(stage)]
    for i in range(across * down):
        x, y = left + (i % across) * cell, top + (i // across) * cell
        first, other = (inks[int(stage.rng.integers(len(inks)))] for _ in range(2))
        turn, kind = int(stage.rng.integers(4)), int(stage.rng.integers(6))
        corners = [(x, y), (x + cell, y), (x + cell, y + cell), (x, y + cell)]
        if kind < 4:
            shapes.append(
                Shape(
                    (rectangle(x, y, x + cell + 0.001, y + cell + 0.001),),
                    mix(first, palette.light, 0.06 if kind else 0.5),
                    outline=False,
                )
            )
        if kind in {0, 1}:
            shapes.append(
                Shape(
                    (sector(*corners[turn], cell, turn * pi / 2, (turn + 1) * pi / 2),),
                    other,
                    mix(other, palette.dark, 0.12),
                )
            )
            shapes.append(Shape((sector(*corners[turn], cell * 0.5, turn * pi / 2, (turn + 1) * pi / 2),), first))
        elif kind == 2:
            shapes.append(
                Shape(
                    (circle(x + cell / 2, y + cell / 2, cell * 0.38),),
                    other,
                    mix(other, palette.dark, 0.2),
                    fill="round",
                )
            )
        elif kind == 3:
            shapes.append(Shape((polygon([corners[turn], corners[(turn + 1) % 4], corners[(turn + 2) % 4]]),), other))
        elif kind == 4:
            stripes = tuple(rectangle(x, y + cell * k / 5, x + cell, y + cell * (k + 0.5) / 5) for k in range(5))
            shapes.append(Shape(stripes, first))
    return shapes


def _planes(stage: Stage) -> list[Shape]:
    """Overlapping see-through planes, a thin line, one small strong disc."""
    inks, palette = _inks(stage), stage.palette
    shapes = [_sheet(stage)]
    x, y = stage.width * 0.5, stage.height * 0.5
    shapes.append(
        Shape(
            (circle(x + stage.pick(-0.14, 0.14), y - 0.06, stage.pick(0.27, 0.34)),),
            inks[0],
            mix(inks[0], inks[1], 0.5),
            fill="down",
        )
    )
    for k in range(5):
        angle_x, wide, high = stage.pick(-0.24, 0.24), stage.pick(0.16, 0.46), stage.pick(0.2, 0.6)
        cx, cy, lean = x + stage.pick(-0.32, 0.32) * stage.width, y + stage.pick(-0.3, 0.3) * stage.height, angle_x
        plane = polygon(
            [
                (cx - wide / 2 + lean * high, cy - high / 2),
                (cx + wide / 2 + lean * high, cy - high / 2),
                (cx + wide / 2 - lean * high, cy + high / 2),
                (cx - wide / 2 - lean * high, cy + high / 2),
            ]
        )
        ink = inks[(k + 1) % len(inks)]
        shapes.append(Shape((plane,), ink, mix(ink, palette.sky_low, 0.35), alpha=0.78, texture="cloth"))
    sweep = [
        (0.06, y + 0.26),
        (x * 0.7, y + stage.pick(-0.2, 0.3)),
        (x * 1.2, y + stage.pick(-0.3, 0.1)),
        (stage.width - 0.06, y - 0.28),
    ]
    shapes.append(
        Shape((ribbon(sweep, 0.012, 0.004),), palette.dark if not palette.is_dark else palette.light, outline=False)
    )
    shapes.append(
        Shape(
            (circle(x + stage.pick(0.1, 0.3), y + stage.pick(0.1, 0.28), stage.pick(0.06, 0.09)),),
            palette.second,
            mix(palette.second, palette.dark, 0.4),
            fill="round",
        )
    )
    return shapes
