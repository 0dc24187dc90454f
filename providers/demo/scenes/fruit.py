"""Fruit: whole, and cut open."""

from __future__ import annotations

from math import pi

from providers.demo.colors import mix, scaled
from providers.demo.scenes.stage import Stage, shadow
from providers.demo.shapes import Shape, circle, ellipse, lathe, leaf, ribbon, sector


def fruits(stage: Stage, names: list[str], x: float, y: float, size: float, *, alone: bool) -> list[Shape]:
    """Fruit of the kinds named lying about a vessel at (x, y) of `size`, or in a heap of their own around it."""
    count = min(9, stage.reading.count or (4 if alone else 3)) if names or not stage.reading.count else 3
    kinds = names or ["citrus", "apple"]
    if alone:
        radius = min(0.13, stage.width * 0.4 / max(3, (count + 1) // 2))
        places = _heap(count, x, y, radius)
    else:
        radius = 0.072 * (0.85 if count > 5 else 1.0)
        edge = stage.width - radius * 1.3
        places = [(min(edge, max(radius, px)), py) for px, py in _scattered(count, x, y, radius, size)]
    shapes = []
    for i, (px, py) in enumerate(sorted(places, key=_depth)):
        shapes += fruit(stage, kinds[i % len(kinds)], px, py, radius * stage.pick(0.92, 1.08))
    if "citrus" in kinds and not alone:
        left = min(place[0] for place in places) - radius * 1.4
        shapes += cut_citrus(stage, left, y + 0.07, radius * 0.9)
    return shapes


def _depth(place: tuple[float, float]) -> float:
    return place[1]


def _heap(count: int, x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """Two rows, the front one lower and in the gaps of the back one."""
    back = count // 2
    rows = ((back, -0.35), (count - back, 0.75))
    return [
        (x + (k - (many - 1) / 2 + (0.5 if count % 2 == 0 and drop < 0 else 0)) * radius * 2.1, y + drop * radius)
        for many, drop in rows
        for k in range(many)
    ]


def _scattered(count: int, x: float, y: float, radius: float, size: float) -> list[tuple[float, float]]:
    """In front of a vessel to its left, the last one to its right."""
    left = x - size * 0.52 - radius * 0.96 * (count - 1)
    places = [(left + radius * 1.66 * i, y + (0.08 if i % 2 else 0.015)) for i in range(count)]
    if count > 1:
        places[-1] = (x + size * 0.62, y + 0.06)
    return places


def fruit(stage: Stage, kind: str, x: float, y: float, radius: float) -> list[Shape]:
    """An apple, pear or citrus fruit whose lowest point is (x, y)."""
    palette = stage.palette
    citrus = ((0.95, 0.60, 0.14), (0.95, 0.80, 0.26), (0.91, 0.50, 0.12))
    named = palette.accent if stage.reading.colors else None
    if kind == "citrus":
        color = citrus[int(stage.rng.integers(3))]
    elif kind == "pear":
        color = named or mix((0.72, 0.7, 0.27), palette.second, 0.2)
    else:
        color = named or mix((0.74, 0.2, 0.13), palette.accent, 0.4)
    middle = y - radius * 0.94
    body = ellipse(x, middle, radius, radius * 0.94)
    if kind == "pear":
        body = lathe(
            x,
            [
                (y - radius * 2.5, radius * 0.16),
                (y - radius * 2.2, radius * 0.4),
                (y - radius * 1.5, radius * 0.58),
                (y - radius * 0.8, radius),
                (y - radius * 0.2, radius * 0.7),
                (y, radius * 0.25),
            ],
        )
    top = float(body[:, 1].min())
    shapes = [
        shadow(x, y - 0.004, radius, stage, depth=0.22),
        Shape(
            (body,),
            mix(color, palette.light, 0.2),
            mix(scaled(color, 0.5), palette.dark, 0.15),
            fill="round",
            texture="glaze",
        ),
        Shape(
            (ellipse(x - radius * 0.34, middle - radius * 0.4, radius * 0.2, radius * 0.14, -0.5),),
            palette.light,
            soft=0.008,
            alpha=0.6,
            glow=True,
            outline=False,
        ),
    ]
    if kind != "citrus":
        shapes.append(
            Shape(
                (
                    ribbon(
                        [(x, top + 0.012), (x + 0.006, top - radius * 0.2), (x + 0.018, top - radius * 0.4)],
                        0.008,
                        0.005,
                    ),
                ),
                palette.dark,
                outline=False,
            )
        )
        shapes.append(
            Shape(
                (leaf(x + 0.008, top - radius * 0.15, radius * 0.75, -0.5, 0.4),),
                palette.leaf,
                mix(palette.leaf, palette.dark, 0.4),
                fine=True,
            )
        )
    else:
        shapes.append(
            Shape(
                (circle(x + radius * 0.1, top + radius * 0.14, radius * 0.06),),
                mix(palette.leaf, palette.dark, 0.3),
                outline=False,
                fine=True,
            )
        )
    return shapes


def cut_citrus(stage: Stage, x: float, y: float, radius: float) -> list[Shape]:
    """Half an orange, its cut face to us."""
    palette = stage.palette
    peel = mix((0.93, 0.6, 0.16), palette.second, 0.2)
    middle = y - radius
    wedges = tuple(sector(x, middle, radius * 0.8, k * pi / 4 + 0.06, (k + 1) * pi / 4 - 0.06) for k in range(8))
    return [
        shadow(x, y, radius, stage, depth=0.22),
        Shape((circle(x, middle, radius),), peel, scaled(peel, 0.7), fill="round"),
        Shape((circle(x, middle, radius * 0.9),), mix(palette.light, peel, 0.25), outline=False, fine=True),
        Shape(wedges, mix(peel, palette.light, 0.12), scaled(peel, 0.85), fill="round", fine=True),
    ]
