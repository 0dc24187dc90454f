"""Things on a table: vases, fruit, mugs, bottles; a product on its plinth."""

from __future__ import annotations

from providers.demo.colors import mix
from providers.demo.scenes.fruit import fruits
from providers.demo.scenes.growth import blossom
from providers.demo.scenes.stage import Stage
from providers.demo.scenes.vessels import VESSELS, vessel_shapes
from providers.demo.shapes import Shape, leaf, polygon, rectangle, ribbon, smooth


def still_life(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """Vessel and fruit on a table by a wall; a product shot stands on a slab in window light."""
    reading = stage.reading
    product = bool({"product", "photo", "shot", "packshot", "travertine", "studio"} & set(reading.words))
    table = stage.height * (0.72 if product else 0.66)
    shapes = _slab(stage, table) if product else _table(stage, table)
    vessel = next((name for name in reading.subjects if name in VESSELS), "mug" if product else "vase")
    kinds = [name for name in reading.subjects if name in {"citrus", "apple", "pear"}]
    if "fruit" in reading.words:
        kinds = ["apple", "citrus", "pear"]
    base = table + (0.06 if product else 0.12)
    size = {"mug": 0.32, "bowl": 0.24, "teapot": 0.3}.get(vessel, 0.52) * (1.12 if product else 1.0)
    size = min(size, (base - 0.06) * 0.85)
    only_fruit = bool(kinds) and "still" not in reading.words and not any(name in VESSELS for name in reading.subjects)
    middle = stage.width * (0.5 if product else stage.pick(0.58, 0.66))
    if not only_fruit:
        shapes += vessel_shapes(stage, vessel, middle, base, size, None)
        if "flower" in reading.subjects or (vessel == "vase" and stage.chance(0.25)):
            shapes = [*shapes[:-1], *_stems(stage, middle, base - size), shapes[-1]]
    if kinds or not product:
        shapes += fruits(stage, kinds, 0.5 * stage.width if only_fruit else middle, base, size, alone=only_fruit)
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
