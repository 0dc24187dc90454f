"""Studio pieces: a bottle, a mug, a chair and a tin robot, each alone before a seamless backdrop."""

from __future__ import annotations

import numpy as np
from PIL import Image

from arena.bank.drawing.materials import planks, tones, woven
from arena.bank.drawing.noise import Floats
from arena.bank.drawing.solids import (
    Distance,
    Vector,
    blend,
    box,
    plane,
    ring,
    rod,
    sphere,
    spun,
    turned,
    union,
    without,
)
from arena.bank.drawing.tracing import Scene, Solid, trace


def seamless(depth: float) -> Distance:
    """A floor that bends up into a wall behind."""
    return blend(plane((0, 1, 0), 0), plane((0, 0, 1), -depth), 2.4)


def bottle(size: tuple[int, int]) -> Image.Image:
    """An amber bottle with a blank label on a round stone."""
    glass = spun(
        (0, 0.5, 0),
        [(0, 0), (0.5, 0), (0.6, 0.06), (0.62, 0.2), (0.62, 1.5), (0.58, 1.72), (0.32, 1.96), (0.24, 2.1), (0.24, 2.2)]
        + [(0.0, 2.2)],
    )
    cap = without(
        spun((0, 2.62, 0), [(0, 0), (0, 0), (0.27, 0), (0.27, 0), (0.29, 0.3), (0.27, 0.42), (0.24, 0.44), (0, 0.44)]),
        *(rod((0.3 * c, 2.6, 0.3 * s), (0.3 * c, 2.98, 0.3 * s), 0.014) for c, s in _spokes(30)),
    )

    def amber(p: Floats) -> Floats:
        deep, bright, label, line = tones("#3b1606", "#a4551a", "#efe7d6", "#b9a988")
        edge = np.clip(1.2 - p[2] / 0.6, 0, 1)
        body = deep + (bright - deep) * np.clip(0.25 + 0.5 * edge * (p[0] < 0.1) + 0.1 * p[1], 0, 1)
        paper = (np.abs(p[1] - 1.32) < 0.44) & (p[2] > -0.1)
        rule = paper & (np.abs(np.abs(p[1] - 1.32) - 0.385) < 0.012)
        return np.where(rule, line, np.where(paper, label, body))

    scene = Scene(
        solids=[
            Solid(seamless(3.0), "#cfc3b4"),
            Solid(
                spun((0, 0, 0), [(0, 0), (1.25, 0), (1.34, 0.1), (1.34, 0.4), (1.25, 0.5), (1.25, 0.5), (0, 0.5)]),
                planks("#a39c90", "#c9c2b4", along=0, across=2, board=0, grain=2.2),
                0.05,
                bound=((0, 0.25, 0), 1.42),
            ),
            Solid(glass, amber, 0.55, 70, 0.07, bound=((0, 1.6, 0), 1.35)),
            Solid(cap, "#17150f", 0.6, 30, 0.03, bound=((0, 2.84, 0), 0.42)),
            Solid(_leaf((1.0, 0.56, 0.62), 35), "#5f7550", 0.1, 12, bound=((1.0, 0.56, 0.62), 0.65)),
            Solid(_leaf((-1.02, 0.56, 0.5), -60), "#6f8560", 0.1, 12, bound=((-1.02, 0.56, 0.5), 0.65)),
        ],
        eye=(0, 2.3, 8.4),
        target=(0, 1.52, 0),
        lamp=(-4.8, 5.2, 4.4),
        zoom=3.6,
        lamp_colour=(2.7, 2.5, 2.2),
        sky=(0.6, 0.6, 0.6),
        ground=(0.36, 0.32, 0.28),
        softness=5,
        exposure=0.7,
    )
    return trace(scene, size)


def _spokes(count: int) -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return [(float(np.cos(a)), float(np.sin(a))) for a in angles]


def _leaf(at: Vector, degrees: float) -> Distance:
    x, y, z = at
    stem = rod((x - 0.4, y, z), (x + 0.45, y + 0.12, z), 0.012)
    blades = [
        rod((x + i * 0.11, y + 0.02 + i * 0.02, z), (x + i * 0.11 + 0.13, y + 0.06, z + side * 0.19), 0.03, 0.012)
        for i in range(-3, 4)
        for side in (-1, 1)
    ]
    return turned(union(stem, *blades), degrees, about=at)


def mug(size: tuple[int, int]) -> Image.Image:
    """A plain white mug, its handle to the right, on a pale table."""
    wall = [(0, 0.08), (0.72, 0.08), (0.84, 0.16), (0.86, 0.4), (0.86, 1.85)]
    handle = turned(ring((0.98, 1.0, 0), 0.5, 0.1, axis=2), 0)
    cup = union(spun((0, 0, 0), wall, 0.055), without(handle, rod((0, 0, 0), (0, 2, 0), 0.84)))
    coffee = spun((0, 0, 0), [(0, 1.62), (0, 1.62), (0.82, 1.62), (0.82, 1.62), (0.82, 1.7), (0.82, 1.7), (0, 1.7)])
    scene = Scene(
        solids=[
            Solid(seamless(3.4), "#b9c4c4"),
            Solid(cup, "#f1efe9", 0.45, 60, 0.05, bound=((0.2, 0.95, 0), 1.65)),
            Solid(coffee, "#2a1409", 0.3, 40, 0.05, bound=((0, 1.66, 0), 0.9)),
            Solid(
                spun((0, 0, 0), [(0, 0.02), (1.3, 0.02), (1.34, 0.05), (1.3, 0.08), (1.3, 0.08), (0, 0.08)]),
                planks("#8d5f3a", "#c79a68", along=0, across=2, board=0, grain=7),
                0.08,
                bound=((0, 0.05, 0), 1.4),
            ),
        ],
        eye=(0.3, 2.9, 6.6),
        target=(0.14, 0.86, 0),
        lamp=(-4.5, 6.0, 3.8),
        zoom=3.7,
        lamp_colour=(2.5, 2.4, 2.2),
        sky=(0.62, 0.66, 0.7),
        ground=(0.42, 0.40, 0.38),
        softness=5,
        exposure=0.66,
    )
    return trace(scene, size)


def chair(size: tuple[int, int]) -> Image.Image:
    """A beech chair with a woven blue seat, turned a little."""
    legs = [rod((x, 0.04, z), (x * 0.86, 1.42, z * 0.86), 0.055, 0.085) for x in (-0.85, 0.85) for z in (-0.78, 0.78)]
    posts = [rod((x * 0.86, 1.42, -0.67), (x * 0.92, 3.1, -0.98), 0.085, 0.06) for x in (-0.85, 0.85)]
    rails = [rod((-0.76, h, -0.52 - h * 0.145), (0.76, h, -0.52 - h * 0.145), 0.05) for h in (2.08, 2.42)]
    top = blend(
        rod((-0.84, 2.95, -0.95), (0.84, 2.95, -0.95), 0.13), rod((-0.5, 3.0, -0.99), (0.5, 3.0, -0.99), 0.16), 0.1
    )
    stretchers = [
        *(rod((x * 0.93, 0.62, -0.7), (x * 0.93, 0.62, 0.7), 0.04) for x in (-0.85, 0.85)),
        rod((-0.8, 0.8, 0.7), (0.8, 0.8, 0.7), 0.04),
        rod((-0.8, 0.8, -0.7), (0.8, 0.8, -0.7), 0.04),
    ]
    frame = union(*legs, *posts, *rails, top, *stretchers, box((0, 1.4, 0), (0.86, 0.09, 0.8), 0.05))
    centre = (0.0, 0.0, 0.0)
    seat = box((0, 1.54, 0.02), (0.86, 0.12, 0.8), 0.11)
    scene = Scene(
        solids=[
            Solid(seamless(3.2), "#d9d2c6"),
            Solid(
                turned(frame, 28, about=centre),
                planks("#8a5a34", "#c4935f", along=1, across=0, board=0, grain=5),
                0.16,
                26,
                bound=((0, 1.6, 0), 2.05),
            ),
            Solid(
                turned(seat, 28, about=centre),
                woven("#24476a", "#4d7ba3", scale=90),
                0.03,
                bound=((0, 1.54, 0), 1.25),
            ),
        ],
        eye=(0.2, 3.3, 9.2),
        target=(0, 1.5, 0),
        lamp=(-4.6, 7.0, 5.0),
        zoom=4.1,
        lamp_colour=(2.6, 2.45, 2.2),
        sky=(0.62, 0.63, 0.65),
        ground=(0.4, 0.36, 0.32),
        softness=5,
        exposure=0.68,
    )
    return trace(scene, size)


def robot(size: tuple[int, int]) -> Image.Image:
    """A tin toy robot in red and mint, one arm raised."""
    body = box((0, 1.55, 0), (0.66, 0.7, 0.45), 0.1)
    head = box((0, 2.72, 0), (0.5, 0.36, 0.4), 0.12)
    steel = union(
        rod((0, 2.2, 0), (0, 2.5, 0), 0.16),
        rod((-0.35, 0.3, 0), (-0.35, 1.0, 0), 0.15),
        rod((0.35, 0.3, 0), (0.35, 1.0, 0), 0.15),
        rod((-0.62, 2.0, 0), (-1.02, 1.55, 0.1), 0.11),
        rod((-1.02, 1.55, 0.1), (-1.0, 1.1, 0.4), 0.10),
        rod((0.62, 2.0, 0), (1.1, 2.15, 0.1), 0.11),
        rod((1.1, 2.15, 0.1), (1.2, 2.75, 0.15), 0.10),
        rod((0, 3.05, 0), (0, 3.42, 0), 0.035),
        ring((0, 1.72, 0.46), 0.24, 0.035, axis=2),
    )
    mint = union(
        box((-0.36, 0.16, 0.12), (0.27, 0.16, 0.46), 0.1),
        box((0.36, 0.16, 0.12), (0.27, 0.16, 0.46), 0.1),
        sphere((-1.0, 1.05, 0.42), 0.19),
        sphere((1.2, 2.82, 0.15), 0.19),
        sphere((-0.56, 2.7, 0), 0.14),
        sphere((0.56, 2.7, 0), 0.14),
    )
    eyes = union(sphere((-0.2, 2.78, 0.37), 0.12), sphere((0.2, 2.78, 0.37), 0.12))
    mouth = union(*(box((x, 2.5, 0.4), (0.025, 0.06, 0.03), 0.01) for x in (-0.2, -0.1, 0, 0.1, 0.2)))
    knobs = union(*(sphere((x, 1.2, 0.45), 0.075) for x in (-0.3, 0, 0.3)), mouth)
    dial = rod((0, 1.72, 0.42), (0.13, 1.84, 0.47), 0.03)
    turn, bound = 16.0, ((0.0, 1.7, 0.0), 2.0)
    scene = Scene(
        solids=[
            Solid(seamless(3.2), "#d9b98a"),
            Solid(turned(union(body, head), turn), "#b3261e", 0.45, 46, 0.06, bound=bound),
            Solid(turned(steel, turn), "#8e9499", 0.8, 40, 0.22, bound=bound),
            Solid(turned(mint, turn), "#7fc0a3", 0.4, 40, 0.05, bound=bound),
            Solid(turned(eyes, turn), "#ffe9a8", 0.6, 60, 0.05, glow=0.9, bound=((0, 2.78, 0.3), 0.6)),
            Solid(turned(union(knobs, dial), turn), "#22252a", 0.5, 50, 0.04, bound=((0, 1.9, 0.3), 1.0)),
            Solid(sphere((0, 3.46, 0), 0.1), "#f0c53c", 0.6, 50, 0.05, bound=((0, 3.46, 0), 0.1)),
        ],
        eye=(0.1, 2.6, 9.0),
        target=(0.06, 1.72, 0),
        lamp=(-4.6, 6.0, 5.4),
        zoom=3.9,
        lamp_colour=(2.7, 2.5, 2.2),
        sky=(0.58, 0.6, 0.64),
        ground=(0.42, 0.34, 0.26),
        softness=5,
        exposure=0.7,
    )
    return trace(scene, size)
