"""Things on a table: vases, fruit, mugs, bottles; a product on its plinth."""

from __future__ import annotations

from math import pi

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.stage import Stage, shadow
from providers.demo.shapes import Shape, circle, ellipse, lathe, leaf, polygon, rectangle, ribbon, sector, smooth

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


def still_life(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """Vessel and fruit on a table by a wall; a product shot stands on a slab in window light."""
    reading = stage.reading
    product = bool({"product", "photo", "shot", "packshot", "travertine", "studio"} & set(reading.words))
    table = stage.height * (0.72 if product else 0.66)
    shapes = _slab(stage, table) if product else _table(stage, table)
    vessel = next((name for name in reading.subjects if name in VESSELS), "mug" if product else "vase")
    fruits = [name for name in reading.subjects if name in {"citrus", "apple", "pear"}]
    base = table + (0.06 if product else 0.12)
    size = {"mug": 0.32, "bowl": 0.24, "teapot": 0.3}.get(vessel, 0.52) * (1.12 if product else 1.0)
    size = min(size, (base - 0.06) * 0.85)
    only_fruit = bool(fruits) and not any(name in VESSELS for name in reading.subjects)
    middle = stage.width * (0.5 if product else stage.pick(0.58, 0.66))
    if not only_fruit:
        shapes += vessel_shapes(stage, vessel, middle, base, size, None)
        if "flower" in reading.subjects or (vessel == "vase" and stage.chance(0.25)):
            shapes = [*shapes[:-1], *_stems(stage, middle, base - size), shapes[-1]]
    if fruits or not product:
        shapes += _fruits(stage, fruits, 0.5 * stage.width if only_fruit else middle, base, size, alone=only_fruit)
    return shapes, (stage.width * 0.12, -0.05)


def _table(stage: Stage, y: float) -> list[Shape]:
    palette, width = stage.palette, stage.width
    wall = (palette.sky_mid, mix(palette.sky_top, palette.dark, 0.3))
    wood = mix(palette.near, palette.second, 0.2)
    shapes = [
        Shape(
            (rectangle(-0.05, -0.05, width + 0.05, y + 0.01),),
            *wall,
            fill="round",
            texture="rock" if palette.is_dark else "plain",
            subject=False,
            outline=False,
        ),
        Shape(
            (rectangle(-0.05, y, width + 0.05, stage.height + 0.05),),
            wood,
            mix(wood, palette.dark, 0.6),
            texture="wood",
            subject=False,
        ),
        Shape(
            (rectangle(-0.05, y - 0.005, width + 0.05, y + 0.006),),
            palette.dark,
            soft=0.008,
            alpha=0.4,
            subject=False,
            outline=False,
        ),
    ]
    beam = polygon([(width * 0.05, 0), (width * 0.34, 0), (width * 0.75, y), (width * 0.42, y)])
    shapes.append(Shape((beam,), palette.glow, soft=0.05, alpha=0.13, glow=True, subject=False, outline=False))
    cloth = smooth(
        [
            (width * 0.08, y + 0.03),
            (width * 0.44, y + 0.02),
            (width * 0.6, y + 0.09),
            (width * 0.66, stage.height + 0.08),
            (width * 0.12, stage.height + 0.1),
        ],
        steps=6,
    )
    linen = mix(palette.light, palette.sky_mid, 0.2)
    shapes.append(Shape((cloth,), linen, mix(linen, palette.near, 0.35), texture="cloth", subject=False))
    for k in range(4):
        x = width * (0.16 + 0.11 * k)
        fold = ribbon([(x, y + 0.05 + 0.01 * k), (x + 0.03, y + 0.16), (x - 0.01, stage.height)], 0.004, 0.016)
        shapes.append(
            Shape((fold,), mix(linen, palette.near, 0.45), soft=0.006, alpha=0.5, subject=False, outline=False)
        )
    return shapes


def _slab(stage: Stage, y: float) -> list[Shape]:
    palette, width = stage.palette, stage.width
    stone = mix(palette.light, palette.second, 0.16)
    shapes = [
        Shape(
            (rectangle(-0.05, -0.05, width + 0.05, y + 0.02),),
            mix(palette.sky_low, palette.light, 0.1),
            mix(palette.sky_top, palette.near, 0.25),
            fill="round",
            subject=False,
            outline=False,
        ),
        Shape(
            (rectangle(-0.05, y, width + 0.05, stage.height * 0.9),),
            stone,
            mix(stone, palette.far, 0.5),
            texture="rock",
            subject=False,
        ),
        Shape(
            (rectangle(-0.05, stage.height * 0.9, width + 0.05, stage.height + 0.05),),
            mix(stone, palette.near, 0.3),
            mix(stone, palette.near, 0.6),
            texture="rock",
            subject=False,
        ),
    ]
    for k in range(2):
        for j in range(2):
            x, top = width * (0.06 + 0.17 * k), 0.05 + 0.24 * j
            pane = polygon([(x, top), (x + 0.14, top + 0.05), (x + 0.2, top + 0.26), (x + 0.06, top + 0.21)])
            shapes.append(
                Shape((pane,), palette.glow, soft=0.014, alpha=0.34, glow=True, subject=False, outline=False, fine=True)
            )
    veins = tuple(
        ribbon(
            [
                (-0.05, y + 0.03 + 0.05 * k),
                (width * 0.4, y + 0.035 + 0.05 * k + stage.pick(-0.015, 0.015)),
                (width + 0.05, y + 0.03 + 0.05 * k),
            ],
            stage.pick(0.002, 0.007),
            stage.pick(0.001, 0.004),
        )
        for k in range(4)
    )
    shapes.append(Shape(veins, mix(stone, palette.second, 0.5), soft=0.003, alpha=0.5, subject=False, outline=False))
    return shapes


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


def _stems(stage: Stage, x: float, y: float) -> list[Shape]:
    palette = stage.palette
    shapes = []
    for _ in range(7):
        tip = (x + stage.pick(-0.22, 0.22), max(0.08, y - stage.pick(0.12, 0.26)))
        stem = ribbon([(x, y + 0.01), ((x + tip[0]) / 2 - (tip[0] - x) * 0.2, (y + tip[1]) / 2), tip], 0.006, 0.003)
        shapes.append(Shape((stem,), palette.leaf, outline=False))
        shapes.append(
            Shape(
                (leaf((x + tip[0]) / 2, (y + tip[1]) / 2, 0.08, stage.pick(-2.8, -0.4), 0.34),),
                palette.leaf,
                mix(palette.leaf, palette.dark, 0.4),
                texture="leaf",
            )
        )
        shapes += blossom(
            stage, tip[0], tip[1], stage.pick(0.028, 0.045), mix(palette.accent, palette.second, stage.pick(0, 0.8))
        )
    return shapes


def blossom(stage: Stage, x: float, y: float, radius: float, color: Color) -> list[Shape]:
    """An open flower around (x, y)."""
    turn = stage.pick(0, 2)
    petals = tuple(leaf(x, y, radius * 1.25, turn + k * pi / 4, 0.7) for k in range(8))
    return [
        Shape(
            petals,
            mix(color, stage.palette.light, 0.25),
            mix(color, stage.palette.dark, 0.2),
            fill="round",
            texture="leaf",
        ),
        Shape(
            (circle(x, y, radius * 0.32),),
            mix(stage.palette.second, stage.palette.dark, 0.3),
            stage.palette.dark,
            fill="round",
        ),
    ]


def _fruits(stage: Stage, names: list[str], x: float, y: float, size: float, *, alone: bool) -> list[Shape]:
    count = min(9, stage.reading.count or (4 if alone else 3)) if names or not stage.reading.count else 3
    kinds = names or ["citrus", "apple"]
    radius = (0.105 if alone else 0.072) * (0.85 if count > 5 else 1.0)
    left = x - (radius * 1.0 * (count - 1) if alone else size * 0.52 + radius * 1.6 * (count - 1) * 0.6)
    places = []
    for i in range(count):
        step = radius * (2.05 if alone else 1.75)
        places.append(
            (left + step * i * (1 if alone else 0.95), y + (0.05 if i % 2 else -0.015) + (0.0 if alone else 0.03))
        )
    if not alone and count > 1:
        places[-1] = (x + size * 0.62, y + 0.06)
    shapes = []
    for i, (px, py) in enumerate(sorted(places, key=lambda place: place[1])):
        shapes += fruit(stage, kinds[i % len(kinds)], px, py, radius * stage.pick(0.9, 1.1))
    if "citrus" in kinds and not alone:
        px = min(place[0] for place in places) - radius * 1.4
        shapes += cut_citrus(stage, px, y + 0.07, radius * 0.9)
    return shapes


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
