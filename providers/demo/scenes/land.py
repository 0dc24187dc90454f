"""Open country: ridges, dunes, forest, fields, a house on a hill, planets."""

from __future__ import annotations

from math import sin

from providers.demo.colors import mix
from providers.demo.scenes.growth import foliage, pine, tuft
from providers.demo.scenes.sea import house
from providers.demo.scenes.stage import Stage, sky, weather
from providers.demo.shapes import Path, Shape, circle, ellipse, leaf, polygon, rectangle, ribbon, ridge, smooth

CONIFERS = frozenset({"pine", "spruce", "fir", "conifer"})


def ridges(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """Ridges one behind the other, paler with distance, mist between them."""
    palette, width, height = stage.palette, stage.width, stage.height
    first = height * stage.pick(0.36, 0.46)
    air = sky(stage, height * 0.72, sun=(width * stage.pick(0.25, 0.75), first - stage.pick(0.04, 0.16)))
    shapes = [*air.shapes]
    count = int(stage.rng.integers(5, 8))
    peaks = stage.reading.wants("snow") or bool(
        {"alp", "peak", "alpine", "mountain", "fuji"} & set(stage.reading.words)
    )
    for i in range(count):
        part = i / (count - 1)
        y = first + (height * 0.96 - first) * part**1.15
        color = mix(mix(palette.far, palette.mid, min(1.0, part * 2)), palette.near, max(0.0, part * 2 - 1))
        color = mix(color, palette.sky_low, 0.35 * (1 - part))
        rise = (0.15 if peaks and i < 2 else 0.065) * stage.pick(0.85, 1.25)
        line = ridge(stage.rng, width, y, rise, height + 0.05, rough=0.75 if i < count - 2 else 0.45)
        foot = mix(color, palette.sky_low, 0.6 * (1 - part) + 0.12)
        if peaks and i < 2:
            shapes.append(Shape((line,), palette.light, color, texture="rock"))
            lower = line.copy()
            lower[:-2, 1] += 0.05 + 0.5 * (lower[:-2, 1] - lower[:-2, 1].min()) * 0.4
            shapes.append(Shape((lower,), color, foot, texture="rock", outline=False))
        else:
            shapes.append(Shape((line,), color, foot if i < count - 1 else palette.dark, texture="rock"))
        if i >= count - 2:
            shapes += _tree_line(stage, line, color=mix(color, palette.dark, 0.35), size=0.03 + 0.04 * (i - count + 2))
        elif i > 0:
            veil = ellipse(stage.pick(0.1, 0.9) * width, y + 0.06, width * 0.5, 0.02)
            shapes.append(
                Shape(
                    (veil,),
                    mix(palette.sky_low, palette.light, 0.3),
                    soft=0.035,
                    alpha=0.4,
                    outline=False,
                    subject=False,
                )
            )
    return [*shapes, *weather(stage)], air.sun


def _tree_line(stage: Stage, line: Path, *, color: tuple[float, float, float], size: float) -> list[Shape]:
    trees = []
    for x, y in line[4:-8:5]:
        if stage.chance(0.42):
            trees.append(pine(stage, float(x), float(y) + size * 0.15, size * stage.pick(0.6, 1.2)))
    return [Shape(tuple(trees), color, outline=False, fine=True)] if trees else []


def dunes(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """Dunes with one lit and one shaded flank each, under an open sky."""
    palette, width, height = stage.palette, stage.width, stage.height
    horizon = height * stage.pick(0.42, 0.52)
    air = sky(stage, horizon + 0.05, sun=(width * stage.pick(0.55, 0.8), horizon - stage.pick(0.12, 0.24)))
    shapes = [*air.shapes]
    count = 6
    for i in range(count):
        part = i / (count - 1)
        base = horizon + (height - horizon) * (part**1.2) * 0.9
        color = mix(palette.far, palette.mid, min(1.0, part * 1.6))
        color = mix(color, palette.near, max(0.0, part - 0.55))
        line = ridge(stage.rng, width, base, 0.05 + 0.03 * part, height + 0.05, rough=0.05)
        shapes.append(Shape((line,), mix(color, palette.light, 0.28), mix(color, palette.near, 0.35), texture="cloth"))
        shapes.append(_dune_shade(stage, line, mix(color, palette.dark, 0.42 + 0.2 * part)))
        for k in range(1, 4):
            ripple = line[: len(line) - 2] + (0, 0.022 * k * (0.5 + part))
            mark = ribbon([(float(x), float(y)) for x, y in ripple[::12]], 0.0018, 0.0006)
            shapes.append(Shape((mark,), mix(color, palette.dark, 0.4), alpha=0.3, outline=False, level=1))
    if "camel" in stage.reading.words or stage.reading.wants("flowers"):
        shapes.append(Shape(tuft(stage, width * 0.3, height * 0.9, 0.1), palette.leaf))
    return [*shapes, *weather(stage)], air.sun


def _dune_shade(stage: Stage, line: Path, color: tuple[float, float, float]) -> Shape:
    """The flank turned from the light: all that lies right of an edge winding down from the crest."""
    top = line[:-2]
    inner = top[30:170, 1]
    crest = int(inner.argmin()) + 30
    x, y = float(top[crest, 0]), float(top[crest, 1])
    drop, lean = stage.pick(0.3, 0.5), stage.pick(-0.3, 0.25)
    swing = stage.pick(0.05, 0.13)
    edge = smooth(
        [(x + lean * t + swing * sin(t * 5.2), y + drop * t) for t in (1.0, 0.8, 0.6, 0.4, 0.2, 0.05, 0.0)],
        closed=False,
    )
    # The flank ends where the next crest further on turns into the light again.
    after = top[crest + 12 :, 1]
    stop = crest + 12 + int(after.argmax()) if len(after) else len(top) - 1
    right = top[crest : stop + 1]
    valley = (float(right[-1, 0]), float(right[-1, 1]))
    back = smooth([valley, (valley[0] - 0.04, valley[1] + drop * 0.3), (x + lean + 0.1, y + drop)], closed=False)
    outline = [*right.tolist(), *back.tolist(), *edge.tolist()]
    return Shape(
        (polygon([(float(a), float(b)) for a, b in outline]),),
        color,
        mix(color, stage.palette.mid, 0.55),
        texture="cloth",
        outline=False,
    )


def forest(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """Trees in depth with light falling between them."""
    palette, width, height = stage.palette, stage.width, stage.height
    horizon = height * 0.7
    air = sky(stage, height * 0.78, sun=(width * stage.pick(0.4, 0.62), height * stage.pick(0.25, 0.42)))
    shapes = [*air.shapes, *wood(stage, horizon)]
    path = polygon(
        [
            (width * 0.47, horizon + 0.03),
            (width * 0.51, horizon + 0.03),
            (width * 0.72, height + 0.05),
            (width * 0.3, height + 0.05),
        ]
    )
    shapes.insert(
        len(air.shapes) + 4,
        Shape((path,), palette.light, palette.sky_mid, soft=0.015, alpha=0.4, subject=False, outline=False),
    )
    return [*shapes, *weather(stage)], air.sun


def wood(stage: Stage, horizon: float) -> list[Shape]:
    """Rows of trees behind each other from `horizon` to the lower edge, leaving the middle open."""
    palette, width, height = stage.palette, stage.width, stage.height
    snowy = stage.reading.wants("snow") or "winter" in stage.reading.moods
    broad = "autumn" in stage.reading.moods or (
        not snowy and not CONIFERS & set(stage.reading.words) and stage.chance(0.3)
    )
    earth = palette.light if snowy else mix(palette.leaf, palette.near, 0.45)
    shapes: list[Shape] = []
    for i in range(4):
        part = i / 3
        y = horizon + (height - horizon) * part * 0.75
        color = mix(mix(palette.far, palette.leaf, 0.3 + 0.3 * part), palette.dark, 0.12 + 0.5 * part)
        color = mix(color, palette.sky_low, 0.55 * (1 - part))
        size = (0.34 + 0.3 * part) * min(1.3, height)
        xs = [stage.pick(-0.05, width + 0.05) for _ in range(round((15 - 3 * i) * width))]
        if i >= 2:
            xs = [x for x in xs if abs(x - width / 2) > width * (0.2 + 0.08 * part)]
        if broad:
            shapes += _broad_trees(stage, xs, y, size, color, part)
        else:
            trees = tuple(pine(stage, x, y + stage.pick(0.0, 0.03), size * stage.pick(0.75, 1.2)) for x in xs)
            if trees:
                shapes.append(Shape(trees, color, mix(color, palette.dark, 0.25), texture="leaf"))
        floor = ridge(stage.rng, width, y, 0.015, height + 0.05, rough=0.3)
        ground = mix(earth, palette.sky_low, 0.5 * (1 - part))
        shapes.append(
            Shape(
                (floor,),
                ground,
                mix(ground, palette.mid if snowy else palette.dark, 0.25 + 0.2 * part),
                texture="cloth" if snowy else "leaf",
                subject=False,
            )
        )
    return shapes


def _broad_trees(
    stage: Stage, xs: list[float], y: float, size: float, color: tuple[float, float, float], part: float
) -> list[Shape]:
    palette = stage.palette
    trunks = tuple(
        ribbon([(x, y + 0.01), (x + 0.01, y - size * 0.4), (x, y - size * 0.8)], size * 0.06, size * 0.02) for x in xs
    )
    shapes = [Shape(trunks, mix(palette.dark, color, 0.3), texture="wood", outline=False)] if trunks else []
    for x in xs:
        warm = (
            mix(palette.second, palette.accent, stage.pick(0, 1)) if "autumn" in stage.reading.moods else palette.leaf
        )
        crown = mix(mix(color, warm, 0.65), palette.sky_low, 0.35 * (1 - part))
        shapes.append(
            Shape(
                foliage(stage, x, y - size * 0.72, size * 0.27), crown, mix(crown, palette.dark, 0.45), texture="leaf"
            )
        )
    return shapes


def field(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """Furrows running to a low horizon, flowers or corn in front."""
    palette, width, height = stage.palette, stage.width, stage.height
    horizon = height * stage.pick(0.44, 0.54)
    air = sky(stage, horizon)
    hills = ridge(stage.rng, width, horizon - 0.02, 0.03, height, rough=0.3)
    shapes = [
        *air.shapes,
        Shape((hills,), mix(palette.far, palette.leaf, 0.3), palette.mid, texture="leaf", subject=False),
    ]
    point = (width * stage.pick(0.3, 0.7), horizon)
    rows = 22
    for i in range(rows):
        left, right = ((k / rows * 3.4 - 1.2) * width for k in (i, i + 1))
        tone = mix(palette.second, palette.leaf, 0.15 if i % 2 else 0.6)
        strip = polygon([point, (point[0] + 0.001, point[1]), (right, height + 0.05), (left, height + 0.05)])
        shapes.append(
            Shape(
                (strip,), mix(tone, palette.sky_low, 0.35), mix(tone, palette.near, 0.25), texture="leaf", outline=False
            )
        )
    stalks: list[Path] = []
    heads: list[Path] = []
    for _ in range(46):
        x, y = stage.pick(0, width), height + 0.02
        tip = (x + stage.pick(-0.03, 0.03), height - stage.pick(0.08, 0.24))
        stalks.append(ribbon([(x, y), ((x + tip[0]) / 2 + 0.01, (y + tip[1]) / 2), tip], 0.005, 0.002))
        heads.append(
            ellipse(tip[0], tip[1], 0.008, 0.022)
            if stage.reading.wants("wheat")
            else circle(*tip, stage.pick(0.008, 0.017))
        )
    shapes.append(Shape(tuple(stalks), palette.leaf, palette.dark, outline=False))
    shapes.append(Shape(tuple(heads), mix(palette.accent, palette.second, 0.3), palette.accent, texture="leaf"))
    return [*shapes, *weather(stage)], air.sun


def homestead(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """A house among hills and trees."""
    palette, width, height = stage.palette, stage.width, stage.height
    horizon = height * stage.pick(0.55, 0.62)
    air = sky(stage, horizon)
    snowy = "winter" in stage.reading.moods
    shapes = [*air.shapes]
    for i in range(3):
        tone = mix(mix(palette.far, palette.mid, i / 2), palette.sky_low, 0.25 - 0.1 * i)
        line = ridge(stage.rng, width, horizon - 0.1 + 0.07 * i, 0.06, height + 0.05, rough=0.4)
        shapes.append(Shape((line,), tone, mix(tone, palette.sky_low, 0.3), texture="rock", subject=False))
    meadow = palette.light if snowy else mix(palette.leaf, palette.second, 0.22)
    hill = ridge(stage.rng, width, horizon + 0.12, 0.03, height + 0.05, rough=0.1)
    shapes.append(Shape((hill,), meadow, mix(meadow, palette.near, 0.55), texture="leaf"))
    for x in (0.12, 0.22, 0.84, 0.92):
        size = stage.pick(0.2, 0.34)
        tree = pine(stage, width * x, horizon + 0.17, size)
        shapes.append(Shape((tree,), mix(palette.leaf, palette.dark, 0.35), palette.dark, texture="leaf"))
    x = width * stage.pick(0.4, 0.52)
    path = ribbon([(x + 0.16, horizon + 0.18), (x + 0.1, horizon + 0.3), (width * 0.42, height + 0.05)], 0.03, 0.16)
    shapes.append(
        Shape((path,), mix(palette.light, palette.second, 0.25), outline=False, subject=False, texture="cloth")
    )
    shapes += house(stage, x, horizon + 0.18, 0.32)
    for _ in range(26):
        shapes.append(
            Shape(
                tuft(stage, stage.pick(0, width), stage.pick(horizon + 0.24, height), 0.035, 5),
                mix(meadow, palette.near, stage.pick(0.4, 0.8)),
                outline=False,
                level=1,
                subject=False,
            )
        )
    return [*shapes, *weather(stage)], air.sun


def space(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """A ringed planet, its moons and a band of stars."""
    palette, width, height = stage.palette, stage.width, stage.height
    shapes = [
        Shape(
            (rectangle(-0.05, -0.05, width + 0.05, height + 0.05),),
            palette.sky_top,
            mix(palette.sky_top, palette.sky_mid, 0.6),
            texture="sky",
            subject=False,
            outline=False,
        )
    ]
    for _ in range(9):
        part = stage.pick(0, 1)
        band = ellipse(width * part, height * (0.85 - 0.7 * part) + stage.pick(-0.1, 0.1), 0.3, 0.1, -0.6)
        shapes.append(
            Shape(
                (band,),
                mix(palette.sky_low, palette.accent, stage.pick(0, 0.5)),
                soft=0.09,
                alpha=0.28,
                texture="sky",
                subject=False,
                outline=False,
            )
        )
    for low, high, count in ((0.001, 0.0026, 220), (0.003, 0.0052, 22)):
        stars = tuple(circle(stage.pick(0, width), stage.pick(0, height), stage.pick(low, high)) for _ in range(count))
        shapes.append(Shape(stars, palette.sun, alpha=0.9, outline=False, subject=False))
    x, y, radius = width * stage.pick(0.42, 0.6), height * stage.pick(0.42, 0.56), stage.pick(0.2, 0.25)
    tilt = stage.pick(-0.5, -0.2)
    ring = ellipse(x, y, radius * 1.75, radius * 0.42, tilt)
    hole = ellipse(x, y, radius * 1.3, radius * 0.27, tilt)
    half = len(ring) // 2
    for is_back in (True, False):
        span = slice(half, None) if is_back else slice(0, half)
        arc = polygon(
            [*[(float(a), float(b)) for a, b in ring[span]], *[(float(a), float(b)) for a, b in hole[span][::-1]]]
        )
        if is_back:
            shapes.append(Shape((arc,), palette.second, mix(palette.second, palette.dark, 0.5)))
            shapes.append(
                Shape(
                    (circle(x, y, radius),),
                    mix(palette.accent, palette.sun, 0.35),
                    mix(palette.accent, palette.dark, 0.75),
                    fill="round",
                    texture="water",
                )
            )
        else:
            shapes.append(Shape((arc,), mix(palette.second, palette.sun, 0.3), mix(palette.second, palette.dark, 0.3)))
    for at, size in (((0.16, 0.22), 0.05), ((0.85, 0.76), 0.03)):
        shapes.append(
            Shape(
                (circle(width * at[0], height * at[1], size),),
                palette.light,
                mix(palette.far, palette.dark, 0.5),
                fill="round",
                texture="rock",
            )
        )
    if "rocket" in stage.reading.words:
        shapes.append(
            Shape((leaf(width * 0.24, height * 0.8, 0.2, -0.8, 0.3),), palette.light, palette.accent, fill="right")
        )
    return shapes, (x - radius, y - radius)
