"""By the water: a lighthouse on its headland, boats, the open sea."""

from __future__ import annotations

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.growth import tuft
from providers.demo.scenes.stage import Stage, sky, weather
from providers.demo.shapes import Shape, circle, ellipse, polygon, rectangle, ridge, smooth


def lighthouse(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """A striped tower on a headland over the sea, the keeper's house beside it; and where the light is."""
    palette, height = stage.palette, stage.height
    horizon = height * stage.pick(0.56, 0.66)
    flip = stage.chance(0.3)
    air = sky(stage, horizon, sun=(_side(stage, 0.17, 0.34, flip=flip), horizon - stage.pick(0.06, 0.2)))
    shapes = [*air.shapes, *water(stage, horizon, air.sun[0])]
    tower_x = _side(stage, 0.64, 0.74, flip=flip)
    ground = horizon + stage.pick(-0.05, 0.02)
    size = min(0.62, (ground - 0.05) / 1.24) * stage.pick(0.92, 1.0)
    shapes += headland(stage, tower_x, ground, flip=flip)
    lamp = (tower_x, ground - size * 1.03)
    if palette.is_dark:
        for side, alpha in ((-1, 0.5), (1, 0.28)):
            beam = polygon([lamp, (lamp[0] + side * 1.6, lamp[1] - 0.14), (lamp[0] + side * 1.6, lamp[1] + 0.1)])
            shapes.append(
                Shape((beam,), palette.glow, soft=0.012, alpha=alpha * 0.36, glow=True, outline=False, subject=False)
            )
    shapes += house(stage, tower_x + (-0.19 if flip else 0.07), ground + 0.014, 0.12)
    shapes += tower(stage, tower_x, ground + 0.02, size)
    return [*shapes, *weather(stage)], air.sun


def tower(stage: Stage, x: float, y: float, size: float) -> list[Shape]:
    """The lighthouse standing at (x, y), `size` high to its gallery."""
    palette, reading = stage.palette, stage.reading
    top, foot = size * 0.085, size * 0.135
    wall = mix(palette.light, palette.sky_mid, 0.10 if not palette.is_dark else 0.22)
    wall_shade = mix(scaled(wall, 0.62), palette.far, 0.35)
    band = mix(palette.accent, palette.dark, 0.22 if palette.is_dark else 0.0)
    shapes = []
    bands = int(stage.rng.integers(4, 7))
    for i in range(bands):
        upper, lower = i / bands, (i + 1) / bands
        ax, bx = top + (foot - top) * upper, top + (foot - top) * lower
        piece = polygon(
            [
                (x - ax, y - size * (1 - upper)),
                (x + ax, y - size * (1 - upper)),
                (x + bx, y - size * (1 - lower)),
                (x - bx, y - size * (1 - lower)),
            ]
        )
        lit, dim = (wall, wall_shade) if i % 2 == 0 else (band, mix(scaled(band, 0.55), palette.dark, 0.3))
        shapes.append(Shape((piece,), lit, dim, fill="right", texture="glaze"))
    gallery = y - size
    iron = mix(palette.dark, palette.near, 0.3)
    room = size * 0.055
    shapes += [
        Shape(
            (circle(x, gallery - size * 0.055, size * 0.17),),
            palette.glow,
            soft=0.05,
            alpha=0.75 if palette.is_dark else 0.3,
            glow=True,
            subject=False,
        ),
        Shape(
            (rectangle(x - room, gallery - size * 0.11, x + room, gallery),),
            scaled(palette.glow, 1.02),
            mix(palette.glow, palette.second, 0.3),
        ),
        Shape((rectangle(x - top * 1.35, gallery - size * 0.012, x + top * 1.35, gallery + size * 0.014),), iron),
        Shape(
            (
                polygon(
                    [
                        (x - room * 1.35, gallery - size * 0.105),
                        (x, gallery - size * 0.185),
                        (x + room * 1.35, gallery - size * 0.105),
                    ]
                ),
                circle(x, gallery - size * 0.19, size * 0.011),
            ),
            band,
            scaled(band, 0.6),
            fill="right",
        ),
        Shape(
            tuple(
                rectangle(x + k * room - 0.0012, gallery - size * 0.11, x + k * room + 0.0012, gallery)
                for k in (-1, -0.33, 0.33, 1)
            ),
            iron,
            outline=False,
        ),
    ]
    glass = palette.glow if palette.is_dark or reading.wants("lit") else mix(palette.dark, palette.sky_mid, 0.3)
    for part in (0.36,) if reading.count == 1 else (0.3, 0.62):
        pane = rectangle(x - size * 0.017, y - size * part - size * 0.05, x + size * 0.017, y - size * part)
        shapes.append(Shape((pane,), glass, fine=True))
    shapes.append(Shape((rectangle(x - size * 0.028, y - size * 0.085, x + size * 0.028, y - 0.004),), iron, level=1))
    return shapes


def house(stage: Stage, x: float, y: float, size: float, roof: Color | None = None) -> list[Shape]:
    """A small gabled house whose lower left corner is (x, y), `size` wide."""
    palette = stage.palette
    wall = mix(palette.light, palette.sky_mid, 0.24 if palette.is_dark else 0.06)
    cover = roof or mix(palette.accent, palette.dark, 0.2 if palette.is_dark else 0.0)
    glass = palette.glow if palette.is_dark or stage.reading.wants("lit") else mix(palette.dark, palette.sky_mid, 0.35)
    rise = size * 0.36
    shapes = [
        Shape((rectangle(x + size * 0.7, y - size * 0.95, x + size * 0.8, y - size * 0.6),), scaled(cover, 0.7)),
        Shape(
            (rectangle(x, y - size * 0.56, x + size, y),),
            wall,
            mix(scaled(wall, 0.72), palette.far, 0.25),
            fill="right",
        ),
        Shape(
            (
                polygon(
                    [
                        (x - size * 0.08, y - size * 0.54),
                        (x + size * 0.16, y - size * 0.54 - rise),
                        (x + size * 0.86, y - size * 0.54 - rise),
                        (x + size * 1.08, y - size * 0.54),
                    ]
                ),
            ),
            cover,
            scaled(cover, 0.72),
        ),
    ]
    panes = tuple(
        rectangle(x + size * at, y - size * 0.4, x + size * (at + 0.16), y - size * 0.18) for at in (0.16, 0.62)
    )
    if palette.is_dark:
        shapes.append(
            Shape(
                (ellipse(x + size * 0.5, y - size * 0.3, size * 0.5, size * 0.3),),
                palette.glow,
                soft=0.03,
                alpha=0.3,
                glow=True,
                subject=False,
            )
        )
    shapes.append(Shape(panes, glass, fine=True, outline=False))
    return shapes


def headland(stage: Stage, x: float, y: float, *, flip: bool) -> list[Shape]:
    """Rock that falls to the water, its flat top around (x, y)."""
    palette = stage.palette
    far = -0.06 if flip else stage.width + 0.06
    toe = x + (0.5 if flip else -0.5) * min(1.0, stage.width)
    slope = 1 if flip else -1
    back = smooth(
        [
            (far, y - 0.03),
            (x - slope * 0.12, y),
            (x + slope * 0.14, y + 0.012),
            (x + slope * 0.26, y + 0.07),
            (toe - slope * 0.1, y + 0.13),
            (toe, y + 0.19),
            (toe + slope * 0.02, y + 0.3),
        ],
        closed=False,
        steps=8,
    )
    face = [*[(float(px), float(py)) for px, py in back], (toe, stage.height + 0.1), (far, stage.height + 0.1)]
    lit = mix(palette.near, palette.mid, 0.5)
    shapes = [Shape((polygon(face),), lit, palette.dark, texture="rock")]
    front = smooth(
        [
            (far, y + 0.1),
            (x - slope * 0.05, y + 0.13),
            (x + slope * 0.2, y + 0.22),
            (toe - slope * 0.16, y + 0.3),
            (toe - slope * 0.08, y + 0.42),
        ],
        closed=False,
        steps=8,
    )
    near = [
        *[(float(px), float(py)) for px, py in front],
        (toe - slope * 0.08, stage.height + 0.1),
        (far, stage.height + 0.1),
    ]
    shapes.append(Shape((polygon(near),), palette.near, scaled(palette.dark, 0.85), texture="rock"))
    foam = tuple(
        ellipse(toe + slope * stage.pick(-0.02, 0.1), y + 0.3 + k * 0.07, stage.pick(0.02, 0.06), 0.004)
        for k in range(6)
    )
    shapes.append(Shape(foam, palette.light, soft=0.003, alpha=0.5, outline=False, subject=False))
    grass = tuple(path for _ in range(9) for path in tuft(stage, stage.pick(min(x, far), max(x, far)), y + 0.03, 0.03))
    shapes.append(Shape(grass, mix(palette.near, palette.leaf, 0.5), outline=False, level=1))
    return shapes


def water(stage: Stage, horizon: float, sun_x: float) -> list[Shape]:
    """Sea from `horizon` to the lower edge, the sun's path glittering on it."""
    palette = stage.palette
    deep = mix(scaled(palette.water, 0.62), palette.dark, 0.25)
    shapes = [
        Shape(
            (rectangle(-0.05, horizon, stage.width + 0.05, stage.height + 0.05),),
            mix(palette.water, palette.sky_low, 0.42),
            deep,
            texture="water",
            subject=False,
            outline=False,
        ),
    ]
    depth = stage.height - horizon
    for tint, alpha, count, level in (
        (mix(palette.sky_low, palette.light, 0.3), 0.30, 110, 0),
        (deep, 0.35, 90, 0),
        (palette.light, 0.35, 110, 1),
    ):
        lines = []
        for _ in range(count):
            part = stage.pick(0, 1) ** 1.6
            y, x = horizon + 0.006 + part * depth, stage.pick(0, stage.width)
            lines.append(ellipse(x, y, stage.pick(0.012, 0.05) * (0.5 + part), 0.0011 + 0.0022 * part))
        shapes.append(Shape(tuple(lines), tint, alpha=alpha, level=level, outline=False, subject=False))
    glitter = []
    for _ in range(130):
        part = stage.pick(0, 1)
        spread = 0.03 + 0.13 * part
        glitter.append(
            ellipse(
                sun_x + float(stage.rng.normal(0, spread)),
                horizon + 0.004 + part * depth * 0.9,
                stage.pick(0.008, 0.035),
                0.0012 + 0.0025 * part,
            )
        )
    shapes.append(Shape(tuple(glitter), palette.sun, alpha=0.55, outline=False, subject=False))
    return shapes


def boat(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """Sailing boats on a calm sea, one large and near."""
    palette, width, height = stage.palette, stage.width, stage.height
    horizon = height * stage.pick(0.5, 0.6)
    air = sky(stage, horizon)
    shapes = [*air.shapes]
    far = ridge(stage.rng, width, horizon - 0.03, 0.035, horizon + 0.01, rough=0.5)
    shapes.append(Shape((far,), mix(palette.far, palette.sky_low, 0.35), palette.far, texture="rock", subject=False))
    shapes += water(stage, horizon, air.sun[0])
    count = min(5, stage.reading.count or 2)
    for i in reversed(range(count)):
        size = 0.42 * (0.52**i) * min(1.25, height)
        x = width * (stage.pick(0.52, 0.64) if i == 0 else (0.22, 0.86, 0.1, 0.34)[i - 1] + stage.pick(-0.04, 0.04))
        y = horizon + (0.22 if i == 0 else 0.05 / i) * min(1.0, height)
        shapes += sailing_boat(stage, x, y, size, fine=i > 0 and stage.reading.count is None)
    return [*shapes, *weather(stage)], air.sun


def sailing_boat(stage: Stage, x: float, y: float, size: float, *, fine: bool = False) -> list[Shape]:
    """A small sloop with its waterline at (x, y), `size` high, and its image in the water."""
    palette = stage.palette
    hull = smooth(
        [
            (x - size * 0.34, y - size * 0.11),
            (x + size * 0.38, y - size * 0.13),
            (x + size * 0.25, y),
            (x - size * 0.26, y),
        ],
        steps=6,
    )
    main = smooth(
        [
            (x + size * 0.02, y - size * 0.98),
            (x + size * 0.03, y - size * 0.18),
            (x + size * 0.36, y - size * 0.2),
            (x + size * 0.22, y - size * 0.55),
        ],
        steps=8,
    )
    jib = smooth(
        [(x - size * 0.01, y - size * 0.86), (x - size * 0.32, y - size * 0.18), (x - size * 0.02, y - size * 0.2)],
        steps=8,
    )
    sail = mix(palette.light, palette.sky_low, 0.12)
    image = tuple(
        ellipse(x + stage.pick(-0.1, 0.1) * size, y + size * (0.03 + 0.07 * k), size * (0.24 - 0.03 * k), size * 0.012)
        for k in range(6)
    )
    return [
        Shape(image, sail, alpha=0.4, outline=False, subject=False, fine=fine),
        Shape((rectangle(x - size * 0.006, y - size, x + size * 0.006, y - size * 0.1),), palette.dark, fine=fine),
        Shape((main,), sail, mix(sail, palette.far, 0.45), fill="right", texture="cloth", fine=fine),
        Shape(
            (jib,),
            mix(palette.accent, palette.light, 0.1),
            scaled(palette.accent, 0.75),
            fill="right",
            texture="cloth",
            fine=fine,
        ),
        Shape((hull,), mix(palette.accent, palette.dark, 0.25), scaled(palette.dark, 0.9), texture="wood", fine=fine),
    ]


def open_sea(stage: Stage) -> tuple[list[Shape], tuple[float, float]]:
    """Waves rolling to a beach or under a cliff."""
    palette, width, height = stage.palette, stage.width, stage.height
    horizon = height * stage.pick(0.42, 0.52)
    air = sky(stage, horizon)
    shapes = [*air.shapes, *water(stage, horizon, air.sun[0])]
    if stage.chance(0.6):
        shapes += headland(stage, width * 0.86, horizon - 0.04, flip=False)
    depth = height - horizon
    for i in range(3):
        y = horizon + depth * (0.62 + 0.13 * i)
        crest = ridge(stage.rng, width, y, 0.02, height + 0.05, rough=0.25)
        body = mix(palette.water, palette.dark if i < 2 else palette.second, 0.12 + 0.1 * i)
        if i == 2:
            body = mix(palette.light, palette.second, 0.35)
        foam = crest.copy()
        foam[:, 1] -= 0.012
        shapes.append(Shape((foam,), palette.light, alpha=0.75, texture="water", outline=False, subject=False))
        shapes.append(Shape((crest,), body, scaled(body, 0.72 if i < 2 else 0.9), texture="water"))
    return [*shapes, *weather(stage)], air.sun


def _side(stage: Stage, low: float, high: float, *, flip: bool) -> float:
    part = stage.pick(low, high)
    return stage.width * (1 - part if flip else part)
