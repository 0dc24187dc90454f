"""Rooms and tables: a living room with evening sun, and a table laid for one, seen from above."""

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
    ellipsoid,
    plane,
    rod,
    spun,
    turned,
    union,
    without,
)
from arena.bank.drawing.tracing import Scene, Solid, trace


def _rug(p: Floats) -> Floats:
    ground, stripe, border = tones("#c9b79a", "#a5523c", "#3d4a52")
    wave = (np.abs(p[0]) + 0.35 * np.abs((p[2] * 1.6) % 1 - 0.5)) % 0.62 < 0.2
    edge = (np.abs(p[0]) > 1.95) | (np.abs(p[2] - 0.6) > 1.0)
    return np.where(edge, border, np.where(wave, stripe, ground))


def _print(p: Floats) -> Floats:
    paper, sun, hill, sea = tones("#efe8da", "#d9772f", "#2f4858", "#7ba3a8")
    x, y = p[0] - 0.15, p[1] - 2.35
    shape = np.where(y < -0.22 + 0.12 * np.sin(x * 5), hill, np.where(y < -0.1 + 0.1 * np.cos(x * 4 + 1), sea, paper))
    inside = (np.abs(x) < 0.52) & (np.abs(y) < 0.4)
    disc = np.hypot(x + 0.1, y - 0.12) < 0.15
    return np.where(inside, np.where(disc, sun, shape), paper)


def _plant(at: Vector) -> tuple[Distance, Distance]:
    """Pot and leaves."""
    x, y, z = at
    pot = spun(at, [(0, 0), (0, 0), (0.3, 0), (0.3, 0), (0.42, 0.62), (0.42, 0.62), (0, 0.62)])
    leaves = []
    for lean, turn, tall in (
        (30, 0, 1.5),
        (42, 70, 1.2),
        (24, 140, 1.7),
        (50, 190, 1.1),
        (34, 255, 1.4),
        (10, 30, 1.9),
        (58, 320, 1.0),
    ) + ((38, 110, 1.0), (60, 30, 0.9), (28, 300, 1.15), (18, 215, 1.45)):
        reach = np.sin(np.deg2rad(lean)) * tall
        dx, dz = reach * np.cos(np.deg2rad(turn)), reach * np.sin(np.deg2rad(turn))
        top = (x + float(dx), y + 0.6 + float(np.cos(np.deg2rad(lean))) * tall, z + float(dz))
        stem = rod((x, y + 0.6, z), top, 0.022)
        blade = turned(ellipsoid(top, (0.42, 0.03, 0.24)), 20 - lean, about=top, axis=2)
        leaves.append(union(stem, turned(blade, -turn, about=top)))
    return pot, union(*leaves)


def room(size: tuple[int, int]) -> Image.Image:
    """A living room: sofa, lamp, print, plant and rug, sun through a window on the left."""
    shell = without(
        box((0, 1.9, 0), (4.4, 2.1, 3.2)),
        box((0, 1.9, 0.6), (4.0, 1.9, 3.4)),
        box((-4.2, 2.15, 0.75), (0.6, 1.0, 0.95)),
    )
    bars = union(box((-4.15, 2.15, 0.75), (0.04, 1.0, 0.04)), box((-4.15, 2.15, 0.75), (0.04, 0.04, 0.95)))
    sofa = union(
        box((0.15, 0.48, -1.75), (1.55, 0.22, 0.6), 0.08),
        box((0.15, 0.95, -2.28), (1.55, 0.5, 0.2), 0.14),
        box((-1.45, 0.68, -1.75), (0.2, 0.42, 0.62), 0.13),
        box((1.75, 0.68, -1.75), (0.2, 0.42, 0.62), 0.13),
    )
    seats = union(box((-0.5, 0.76, -1.68), (0.72, 0.13, 0.56), 0.1), box((0.82, 0.76, -1.68), (0.72, 0.13, 0.56), 0.1))
    pillow = turned(box((1.15, 1.12, -1.9), (0.36, 0.34, 0.13), 0.13), 14, about=(1.15, 1.12, -1.9), axis=2)
    feet = union(*(rod((x, 0, z), (x, 0.3, z), 0.05) for x in (-1.4, 1.7) for z in (-1.3, -2.2)))
    low_table = union(
        spun((0.1, 0, 0.55), [(0, 0.62), (0, 0.62), (0.82, 0.62), (0.86, 0.66), (0.82, 0.7), (0.82, 0.7), (0, 0.7)]),
        *(rod((0.1 + x, 0, 0.55 + z), (0.1 + x * 0.6, 0.64, 0.55 + z * 0.6), 0.045) for x, z in _three()),
    )
    vase = spun((-0.12, 0.7, 0.5), [(0, 0.02), (0.12, 0.02), (0.19, 0.16), (0.1, 0.34), (0.12, 0.42)], 0.02)
    books = union(box((0.45, 0.735, 0.6), (0.24, 0.035, 0.17), 0.01), box((0.47, 0.8, 0.6), (0.2, 0.03, 0.15), 0.01))
    lamp_stand = union(
        rod((2.75, 0.03, -2.05), (2.75, 2.1, -2.05), 0.03),
        spun((2.75, 0, -2.05), [(0, 0), (0.34, 0), (0.34, 0.05), (0, 0.06)]),
    )
    shade = spun((2.75, 2.05, -2.05), [(0.46, 0), (0.46, 0), (0.3, 0.6), (0.3, 0.6)], 0.02)
    pot, leaves = _plant((-2.55, 0, -1.6))
    scene = Scene(
        solids=[
            Solid(shell, _walls),
            Solid(bars, "#f4f1ea", bound=((-4.15, 2.15, 0.75), 1.45)),
            Solid(box((0, 0.012, 0.6), (2.1, 0.02, 1.15), 0.01), _rug, bound=((0, 0, 0.6), 2.4)),
            Solid(union(sofa, seats), woven("#2f5d50", "#4b8271", scale=120), 0.03, bound=((0.15, 0.75, -1.85), 2.1)),
            Solid(pillow, woven("#c98b2b", "#e2b25b", scale=150), bound=((1.15, 1.12, -1.9), 0.55)),
            Solid(feet, "#6b4426", 0.1, bound=((0.15, 0.15, -1.75), 1.75)),
            Solid(
                low_table,
                planks("#6d4224", "#a9713f", along=0, across=2, board=0, grain=6),
                0.25,
                40,
                0.03,
                bound=((0.1, 0.4, 0.55), 1.05),
            ),
            Solid(vase, "#d8cfc0", 0.3, 40, 0.03, bound=((-0.12, 0.92, 0.5), 0.4)),
            Solid(books, "#8c3b2e", 0.1, bound=((0.46, 0.77, 0.6), 0.36)),
            Solid(lamp_stand, "#2b2b2b", 0.5, 40, bound=((2.75, 1.05, -2.05), 1.2)),
            Solid(shade, "#f3dfb8", glow=0.75, bound=((2.75, 2.35, -2.05), 0.62)),
            Solid(
                without(box((0.15, 2.35, -2.76), (0.74, 0.6, 0.05)), box((0.15, 2.35, -2.7), (0.66, 0.52, 0.05))),
                "#3a2a1d",
                0.2,
                bound=((0.15, 2.35, -2.76), 1.0),
            ),
            Solid(box((0.15, 2.35, -2.78), (0.67, 0.53, 0.04)), _print, bound=((0.15, 2.35, -2.78), 0.9)),
            Solid(pot, "#b5673f", 0.08, bound=((-2.55, 0.3, -1.6), 0.6)),
            Solid(leaves, "#3f7044", 0.2, 24, bound=((-2.55, 1.35, -1.6), 1.75)),
        ],
        eye=(0.25, 1.85, 6.9),
        target=(0.02, 1.36, 0),
        lamp=(-15.0, 7.4, 2.3),
        zoom=2.75,
        lamp_colour=(6.4, 5.2, 3.7),
        sky=(0.74, 0.74, 0.76),
        ground=(0.86, 0.76, 0.66),
        softness=30,
        backdrop="#dbe9f2",
        exposure=0.76,
    )
    return trace(scene, size)


def _three() -> list[tuple[float, float]]:
    return [(0.62, 0.36), (-0.62, 0.36), (0.0, -0.72)]


def _walls(p: Floats) -> Floats:
    plaster, white = tones("#d9cdb8", "#efece4")
    floor = planks("#7d5331", "#b98755", along=2, across=0, board=0.42, grain=12)(p)
    skirting = (p[1] < 0.16) & (p[1] > 0.012)
    return np.where(p[1] <= 0.012, floor, np.where(skirting | (p[1] > 3.78), white, plaster))


def table(size: tuple[int, int]) -> Image.Image:
    """A table laid for one from above: plate, bowl, cutlery, napkin, glass, a sprig."""
    plate = spun((0, 0, 0), [(0, 0.05), (0.85, 0.05), (1.0, 0.09), (1.34, 0.19)], 0.035)
    small = spun((0, 0.1, 0), [(0, 0.05), (0.5, 0.06), (0.72, 0.2), (0.8, 0.36)], 0.03)
    soup = spun((0, 0.1, 0), [(0, 0.2), (0, 0.2), (0.68, 0.2), (0.68, 0.2), (0.68, 0.25), (0.68, 0.25), (0, 0.25)])
    tines = [rod((-1.86 + i * 0.075, 0.07, -0.62), (-1.86 + i * 0.075, 0.1, -0.95), 0.026) for i in range(4)]
    fork = union(
        rod((-1.75, 0.06, 1.0), (-1.75, 0.06, -0.4), 0.06, 0.035),
        box((-1.75, 0.07, -0.55), (0.14, 0.03, 0.12), 0.03),
        *tines,
    )
    knife = union(
        rod((1.72, 0.06, 1.0), (1.72, 0.06, 0.1), 0.07, 0.055), box((1.74, 0.06, -0.45), (0.085, 0.02, 0.56), 0.018)
    )
    spoon = union(
        rod((2.06, 0.06, 1.0), (2.06, 0.06, -0.4), 0.06, 0.035),
        without(ellipsoid((2.06, 0.1, -0.66), (0.19, 0.09, 0.3)), ellipsoid((2.06, 0.17, -0.66), (0.17, 0.1, 0.27))),
    )
    glass = spun((1.55, 0, -1.55), [(0, 0.05), (0.3, 0.05), (0.36, 0.1), (0.42, 0.85)], 0.03)
    napkin = turned(box((-1.78, 0.02, 0.1), (0.5, 0.03, 1.15), 0.02), 3, about=(-1.78, 0, 0.1))
    dots = [(0.16, 0.1), (-0.2, -0.12), (0.05, -0.28), (-0.3, 0.2), (0.32, -0.1), (0.0, 0.34)]
    leaves = union(*(ellipsoid((x, 0.36, z), (0.09, 0.02, 0.05)) for x, z in dots))
    bread = blend(
        ellipsoid((-1.5, 0.22, -1.6), (0.62, 0.24, 0.34)), ellipsoid((-1.2, 0.2, -1.55), (0.4, 0.2, 0.3)), 0.2
    )
    cuts = [rod((-1.85 + i * 0.24, 0.5, -1.75), (-1.65 + i * 0.24, 0.46, -1.42), 0.055) for i in range(5)]
    bread = turned(without(bread, *cuts), 24, about=(-1.5, 0.2, -1.6))
    scene = Scene(
        solids=[
            Solid(plane((0, 1, 0), 0), planks("#54606a", "#76838c", along=0, across=2, board=1.1, grain=5), 0.06),
            Solid(napkin, _checked, bound=((-1.78, 0.02, 0.1), 1.3)),
            Solid(plate, "#ece6da", 0.3, 50, 0.03, bound=((0, 0.1, 0), 1.42)),
            Solid(small, "#c4775a", 0.3, 50, 0.03, bound=((0, 0.28, 0), 0.92)),
            Solid(soup, "#d98a24", 0.25, 40, 0.03, bound=((0, 0.32, 0), 0.72)),
            Solid(leaves, "#4f7a3a", bound=((0, 0.36, 0), 0.5)),
            Solid(fork, "#aab0b4", 0.9, 60, 0.3, bound=((-1.75, 0.06, 0), 1.15)),
            Solid(union(knife, spoon), "#aab0b4", 0.9, 60, 0.3, bound=((1.88, 0.06, 0), 1.2)),
            Solid(glass, "#9fc0c4", 0.7, 80, 0.12, bound=((1.55, 0.45, -1.55), 0.75)),
            Solid(bread, woven("#8a5526", "#c98d4d", scale=9), bound=((-1.45, 0.2, -1.6), 0.85)),
        ],
        eye=(0, 8.6, 2.0),
        target=(0.05, 0, -0.18),
        lamp=(-5.5, 7.5, -4.5),
        zoom=3.25,
        lamp_colour=(2.8, 2.6, 2.3),
        sky=(0.52, 0.56, 0.62),
        ground=(0.3, 0.3, 0.3),
        softness=6,
        exposure=0.7,
    )
    return trace(scene, size)


def _checked(p: Floats) -> Floats:
    light, dark = tones("#efe9dd", "#a8433a")
    share = ((p[0] * 6.0) % 1 < 0.4) * 0.5 + ((p[2] * 6.0) % 1 < 0.4) * 0.5
    found: Floats = light + (dark - light) * share * 0.8
    return found
