"""Still life: three fruits, a jug and a bowl on an oak table, light from the left."""

from __future__ import annotations

from PIL import Image

from arena.bank.drawing.materials import oak, speckled
from arena.bank.drawing.solids import (
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
)
from arena.bank.drawing.tracing import Paint, Scene, Solid, trace


def apple(at: Vector, radius: float, paint: Paint) -> list[Solid]:
    """An apple with its stalk."""
    x, y, z = at
    outline = [(0, -0.74), (0.2, -0.86), (0.5, -0.84), (0.84, -0.5), (1.0, 0.12), (0.9, 0.6), (0.55, 0.86), (0.2, 0.76)]
    fruit = spun(at, [(r * radius, h * radius) for r, h in [*outline, (0, 0.5)]])
    stalk = rod((x, y + 0.5 * radius, z), (x + 0.16 * radius, y + 1.15 * radius, z), 0.045 * radius)
    return [
        Solid(fruit, paint, 0.5, 40, 0.03, bound=(at, radius * 1.05)),
        Solid(stalk, "#4a3320", bound=((x, y + radius, z), 0.6 * radius)),
    ]


def pear(at: Vector, size: float, lean: float, paint: Paint) -> list[Solid]:
    """A pear that leans by some degrees."""
    x, y, z = at
    body = blend(sphere(at, 0.5 * size), sphere((x, y + 0.62 * size, z), 0.25 * size), 0.42 * size)
    stalk = rod((x, y + 0.8 * size, z), (x + 0.08 * size, y + 1.12 * size, z), 0.025 * size)
    return [
        Solid(turned(body, lean, about=at, axis=2), paint, 0.25, 18, 0.015, bound=(at, 0.95 * size)),
        Solid(turned(stalk, lean, about=at, axis=2), "#3c2a1a", bound=(at, 1.2 * size)),
    ]


def lemon(at: Vector, size: float, degrees: float) -> Solid:
    """A lemon lying on its side."""
    x, y, z = at
    flesh = rod((x - 0.12 * size, y, z), (x + 0.12 * size, y, z), 0.36 * size)
    body = blend(flesh, rod((x - 0.5 * size, y, z), (x + 0.5 * size, y, z), 0.07 * size), 0.2 * size)
    skin = speckled("#d9a514", "#f0cb3a", scale=38, share=0.22)
    return Solid(turned(body, degrees, about=at), skin, 0.35, 22, 0.02, bound=(at, 0.65 * size))


def draw(size: tuple[int, int]) -> Image.Image:
    """The picture at any size of 3 to 2."""
    body = [(0, 0.05), (0.5, 0.05), (0.62, 0.2), (0.72, 0.62), (0.62, 1.05), (0.42, 1.45), (0.36, 1.72), (0.46, 2.05)]
    jug = union(spun((-1.5, 0, -0.45), body, 0.045), ring((-2.06, 1.22, -0.45), 0.42, 0.065, axis=2))
    bowl = spun((0.95, 0, -0.4), [(0, 0.08), (0.42, 0.06), (0.85, 0.32), (1.12, 0.78)], 0.045)
    red = speckled("#a3161b", "#d8552b", scale=16, share=0.12)
    green = speckled("#7f9a2b", "#a9b84a", scale=20, share=0.14)
    orange = speckled("#d9650f", "#e8801f", scale=44, share=0.2)
    skin = speckled("#8f9a35", "#c2ad45", scale=34, share=0.12)
    scene = Scene(
        solids=[
            Solid(plane((0, 1, 0), 0), oak, 0.10, 20),
            Solid(plane((0, 0, 1), -3.4), "#5d6b66"),
            Solid(jug, "#e6dfd0", 0.35, 50, 0.04, bound=((-1.65, 1.0, -0.45), 1.35)),
            Solid(bowl, "#34576b", 0.5, 60, 0.06, bound=((0.95, 0.45, -0.4), 1.26)),
            Solid(sphere((0.6, 0.68, -0.55), 0.45), orange, 0.3, 20, 0.02, bound=((0.6, 0.68, -0.55), 0.45)),
            Solid(sphere((1.42, 0.7, -0.62), 0.43), orange, 0.3, 20, 0.02, bound=((1.42, 0.7, -0.62), 0.43)),
            *apple((1.02, 0.86, -0.12), 0.44, red),
            *pear((-0.5, 0.48, 0.3), 0.98, 0, skin),
            *pear((-1.22, 0.42, 1.12), 0.86, -68, skin),
            *apple((0.25, 0.39, 1.0), 0.43, green),
            lemon((1.35, 0.30, 1.25), 0.85, 24),
            lemon((2.2, 0.30, 0.75), 0.82, -38),
            Solid(box((0.2, -0.4, 0.2), (3.6, 0.41, 0.01)), "#c08a55"),
        ],
        eye=(0.15, 2.25, 6.6),
        target=(0.08, 0.78, 0),
        lamp=(-5.5, 6.0, 4.2),
        zoom=3.0,
        lamp_colour=(3.1, 2.75, 2.25),
        sky=(0.42, 0.47, 0.55),
        ground=(0.30, 0.23, 0.16),
        softness=6,
        exposure=0.72,
    )
    return trace(scene, size)
