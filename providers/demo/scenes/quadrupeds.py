"""Four-legged animals, sitting, their faces towards us."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from providers.demo.colors import Color, mix, scaled
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Path, Shape, circle, ellipse, leaf, moved, polygon, ribbon, smooth

COATS: dict[str, Color] = {
    "fox": (0.83, 0.40, 0.15),
    "cat": (0.32, 0.30, 0.31),
    "dog": (0.66, 0.46, 0.28),
    "bear": (0.38, 0.26, 0.19),
    "rabbit": (0.66, 0.58, 0.50),
    "deer": (0.62, 0.41, 0.24),
    "owl": (0.50, 0.38, 0.27),
    "bird": (0.78, 0.36, 0.22),
    "fish": (0.90, 0.48, 0.20),
}


def _ears(inner: float, outer: float, tip_x: float, tip_y: float) -> list[list[tuple[float, float]]]:
    return [[(-0.08 + s * inner, -0.84), (-0.08 + s * tip_x, tip_y), (-0.08 + s * outer, -0.74)] for s in (-1, 1)]


EARS: dict[str, list[list[tuple[float, float]]]] = {
    "fox": _ears(0.03, 0.2, 0.17, -1.03),
    "cat": _ears(0.02, 0.19, 0.16, -0.98),
    "dog": _ears(0.05, 0.16, 0.1, -0.88),
    "bear": [
        [(-0.08 + s * x, y) for x, y in ((0.08, -0.84), (0.11, -0.92), (0.18, -0.92), (0.21, -0.84), (0.15, -0.78))]
        for s in (-1, 1)
    ],
    "rabbit": [
        [(-0.08 + s * x, y) for x, y in ((0.02, -0.8), (0.03, -1.1), (0.08, -1.24), (0.12, -1.1), (0.11, -0.8))]
        for s in (-1, 1)
    ],
    "deer": _ears(0.09, 0.13, 0.27, -0.88),
}
"""Corners of each ear in parts of the animal's height, the foot at 0."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an animal sits: its paths are drawn around the origin with height 1."""

    x: float
    y: float
    size: float
    flip: bool

    def path(self, path: Path) -> Path:
        return moved(path, self.x, self.y, self.size, flip=self.flip)

    def paths(self, outlines: list[list[tuple[float, float]]]) -> tuple[Path, ...]:
        """Three corners stay pointed, more are rounded."""
        return tuple(self.path(polygon(points) if len(points) == 3 else smooth(points, steps=8)) for points in outlines)


def sitting(stage: Stage, kind: str, coat: Color, x: float, y: float, size: float) -> list[Shape]:
    """A four-legged animal sitting at (x, y), its head towards us, `size` high."""
    palette = stage.palette
    flip = stage.chance(0.5)
    lit, dim = mix(coat, palette.glow, 0.14), mix(scaled(coat, 0.5), palette.dark, 0.3)
    pale = mix(coat, (0.97, 0.94, 0.88), 0.85)
    dark = mix(scaled(coat, 0.3), palette.dark, 0.4)

    def at(points: list[tuple[float, float]]) -> Path:
        return moved(smooth(points, steps=8), x, y, size, flip=flip)

    tail_wide, tail_end = {"fox": (0.16, 0.05), "cat": (0.06, 0.045), "dog": (0.075, 0.05)}.get(kind, (0.1, 0.09))
    if kind in {"bear", "rabbit", "deer"}:
        tail = moved(circle(0.3, -0.1, 0.07), x, y, size, flip=flip)
    else:
        tail = moved(
            ribbon([(0.16, -0.05), (0.36, -0.03), (0.5, -0.12), (0.49, -0.3), (0.42, -0.4)], tail_wide, tail_end),
            x,
            y,
            size,
            flip=flip,
        )
    shapes = [
        Shape(
            (moved(ellipse(0.08, 0.005, 0.42, 0.045), x, y, size, flip=flip),),
            palette.dark,
            soft=0.02,
            alpha=0.4,
            outline=False,
            subject=False,
        ),
        Shape((tail,), lit, dim, texture="fur"),
    ]
    if kind == "fox":
        shapes.append(
            Shape((moved(leaf(0.475, -0.26, 0.24, -1.95, 0.5), x, y, size, flip=flip),), pale, texture="fur", fine=True)
        )
    body = at(
        [
            (-0.1, -0.62),
            (0.08, -0.6),
            (0.2, -0.42),
            (0.29, -0.2),
            (0.27, -0.02),
            (0.12, 0.0),
            (-0.12, 0.0),
            (-0.2, -0.06),
            (-0.19, -0.35),
        ]
    )
    haunch = at([(0.06, -0.3), (0.22, -0.3), (0.31, -0.14), (0.26, -0.01), (0.08, 0.0), (0.0, -0.08)])
    chest = at([(-0.14, -0.56), (0.02, -0.56), (0.03, -0.38), (-0.06, -0.2), (-0.15, -0.36)])
    shapes += [
        Shape((body,), lit, dim, texture="fur"),
        Shape((haunch,), mix(lit, dim, 0.12), dim, fill="round", texture="fur"),
        Shape((chest,), pale, mix(pale, coat, 0.5), texture="fur"),
        Shape(
            (
                at([(-0.18, -0.36), (-0.08, -0.36), (-0.085, -0.05), (-0.08, 0.0), (-0.2, 0.0), (-0.17, -0.05)]),
                at([(-0.06, -0.34), (0.04, -0.34), (0.02, -0.05), (0.03, 0.0), (-0.08, 0.0), (-0.06, -0.05)]),
            ),
            mix(lit, dim, 0.1),
            dark if kind in {"fox", "deer"} else dim,
            texture="fur",
        ),
    ]
    return [*shapes, *_face(kind, (lit, dim, pale, dark), _Place(x, y, size, flip))]


def _face(kind: str, tones: tuple[Color, Color, Color, Color], place: _Place) -> list[Shape]:
    """Ears, head, muzzle and eyes; what tells one animal from the other."""
    lit, dim, pale, dark = tones
    middle = (-0.08, -0.72)
    shapes = [Shape(place.paths(EARS[kind]), lit, dim, texture="fur")]
    if kind in {"fox", "cat", "rabbit"}:
        inner = [[(middle[0] + (x - middle[0]) * 0.98, y * 0.985) for x, y in ear] for ear in EARS[kind]]
        shapes.append(
            Shape(
                tuple(_shrunk(path, 0.55) for path in place.paths(inner)),
                mix(pale, (0.8, 0.5, 0.45), 0.4),
                fine=True,
                outline=False,
            )
        )
    if kind == "deer":
        antlers = tuple(
            place.path(
                ribbon([(-0.08 + s * 0.08, -0.86), (-0.08 + s * 0.16, -1.0), (-0.08 + s * 0.13, -1.18)], 0.022, 0.008)
            )
            for s in (-1, 1)
        ) + tuple(
            place.path(
                ribbon([(-0.08 + s * 0.155, -1.0), (-0.08 + s * 0.24, -1.06), (-0.08 + s * 0.26, -1.15)], 0.016, 0.007)
            )
            for s in (-1, 1)
        )
        shapes.insert(0, Shape(antlers, mix(dim, pale, 0.35), outline=False))
    wide = {"fox": 0.21, "cat": 0.19, "bear": 0.21, "rabbit": 0.16, "deer": 0.15}.get(kind, 0.18)
    chin = {"fox": 0.2, "deer": 0.24, "dog": 0.2}.get(kind, 0.155)
    x, y = middle
    head = [
        (x, y - 0.155),
        (x + wide * 0.7, y - 0.12),
        (x + wide, y + 0.015),
        (x + wide * 0.55, y + chin * 0.66),
        (x, y + chin),
        (x - wide * 0.55, y + chin * 0.66),
        (x - wide, y + 0.015),
        (x - wide * 0.7, y - 0.12),
    ]
    shapes.append(Shape((place.path(smooth(head, steps=8)),), lit, mix(lit, dim, 0.55), texture="fur"))
    if kind == "fox":
        cheeks = [
            [
                (x + s * 0.015, y + 0.05),
                (x + s * 0.1, y + 0.0),
                (x + s * 0.2, y + 0.025),
                (x + s * 0.11, y + 0.13),
                (x + s * 0.02, y + 0.19),
            ]
            for s in (-1, 1)
        ]
        shapes.append(Shape(place.paths(cheeks), pale, texture="fur"))
    else:
        shapes.append(
            Shape(
                (place.path(ellipse(x, y + chin * 0.52, wide * 0.5, chin * 0.38)),),
                mix(pale, lit, 0.15),
                mix(pale, lit, 0.4),
                texture="fur",
            )
        )
    if kind == "dog":
        flaps = [
            [
                (x + s * 0.13, y - 0.13),
                (x + s * 0.23, y - 0.1),
                (x + s * 0.27, y + 0.06),
                (x + s * 0.2, y + 0.13),
                (x + s * 0.15, y),
            ]
            for s in (-1, 1)
        ]
        shapes.append(Shape(place.paths(flaps), mix(dim, lit, 0.3), dim, texture="fur"))
    eyes = tuple(place.path(ellipse(x + s * wide * 0.45, y - 0.005, 0.02, 0.025)) for s in (-1, 1))
    iris = tuple(place.path(ellipse(x + s * wide * 0.45, y - 0.005, 0.034, 0.034)) for s in (-1, 1))
    if kind == "cat":
        shapes.append(Shape(iris, (0.85, 0.75, 0.3), fine=True))
        eyes = tuple(place.path(ellipse(x + s * wide * 0.45, y - 0.005, 0.012, 0.03)) for s in (-1, 1))
    glints = tuple(place.path(circle(x + s * wide * 0.45 + 0.007, y - 0.014, 0.0065)) for s in (-1, 1))
    tip = y + (chin * 0.82 if kind in {"fox", "deer"} else chin * 0.36)
    nose = place.path(smooth([(x - 0.032, tip - 0.014), (x + 0.032, tip - 0.014), (x, tip + 0.026)], steps=6))
    ink = scaled(dark, 0.6)
    shapes += [
        Shape(eyes, ink, outline=False),
        Shape(glints, (1.0, 1.0, 1.0), outline=False, fine=True),
        Shape((nose,), ink, outline=False),
    ]
    if kind in {"cat", "rabbit"}:
        whiskers = tuple(
            place.path(
                ribbon(
                    [
                        (x + s * 0.06, tip + 0.03 + 0.012 * k),
                        (x + s * 0.17, tip + 0.02 + 0.02 * k),
                        (x + s * 0.27, tip + 0.03 * k),
                    ],
                    0.005,
                    0.002,
                )
            )
            for s in (-1, 1)
            for k in (-1, 0, 1)
        )
        shapes.append(Shape(whiskers, pale, alpha=0.85, outline=False, fine=True))
    if kind not in {"fox", "deer"}:
        smile = tuple(
            place.path(ribbon([(x, tip + 0.02), (x + s * 0.02, tip + 0.045), (x + s * 0.05, tip + 0.04)], 0.007, 0.004))
            for s in (-1, 1)
        )
        shapes.append(Shape(smile, ink, outline=False))
    return shapes


def _shrunk(path: Path, part: float) -> Path:
    middle = path.mean(axis=0)
    smaller: Path = ((path - middle) * part + middle).astype(np.float32)
    return smaller
