"""What grows: conifers, leafy crowns, grass, open flowers."""

from __future__ import annotations

from math import pi

from providers.demo.colors import Color, mix
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Path, Shape, blob, circle, leaf, polygon


def pine(stage: Stage, x: float, y: float, size: float) -> Path:
    """A conifer standing at (x, y), `size` high, as one ragged silhouette."""
    tiers = 7
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    for tier in range(tiers):
        part = (tier + 1) / tiers
        reach = size * 0.24 * part * stage.pick(0.85, 1.15)
        edge = y - size * (1 - part * 0.94)
        left += [(x - reach, edge + size * 0.02), (x - reach * 0.45, edge - size * 0.012)]
        right += [(x + reach * stage.pick(0.85, 1.1), edge + size * 0.02), (x + reach * 0.45, edge - size * 0.012)]
    trunk = [
        (x + size * 0.02, y - size * 0.06),
        (x + size * 0.02, y),
        (x - size * 0.02, y),
        (x - size * 0.02, y - size * 0.06),
    ]
    return polygon([(x, y - size), *right, *trunk, *left[::-1]])


def tuft(stage: Stage, x: float, y: float, size: float, blades: int = 7) -> tuple[Path, ...]:
    """A tuft of grass at (x, y)."""
    return tuple(
        leaf(
            x + stage.pick(-0.3, 0.3) * size,
            y,
            size * stage.pick(0.6, 1.1),
            -1.57 + stage.pick(-0.6, 0.6),
            0.09,
            stage.pick(-0.2, 0.2),
        )
        for _ in range(blades)
    )


def foliage(stage: Stage, x: float, y: float, radius: float, lumps: int = 7) -> tuple[Path, ...]:
    """The crown of a broad-leaved tree around (x, y)."""
    return tuple(
        blob(
            stage.rng,
            x + stage.pick(-0.75, 0.75) * radius,
            y + stage.pick(-0.5, 0.45) * radius,
            radius * stage.pick(0.4, 0.62),
            radius * stage.pick(0.36, 0.55),
            0.12,
        )
        for _ in range(lumps)
    )


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
