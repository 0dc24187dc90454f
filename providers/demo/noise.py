"""Random fields for textures: smooth value noise, clouds of it, and the seeded generator behind every picture."""

from __future__ import annotations

import hashlib

import numpy as np
from PIL import Image

from providers.demo.shapes import Field


def seeded(*parts: object) -> np.random.Generator:
    """A generator that is the same for the same parts, on every machine: seeded from their SHA-256."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def unit(field: Field) -> Field:
    """`field` clipped to 0 to 1."""
    clipped: Field = np.clip(field, np.float32(0), np.float32(1))
    return clipped


def resized(field: Field, shape: tuple[int, int], how: Image.Resampling = Image.Resampling.BICUBIC) -> Field:
    """A (h, w) field at another (height, width)."""
    picture = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.array(picture.resize((shape[1], shape[0]), how), dtype=np.float32)


def value_noise(rng: np.random.Generator, shape: tuple[int, int], cell_x: float, cell_y: float) -> Field:
    """Smooth noise from about -1 to 1 whose bumps are `cell_x` by `cell_y` pixels."""
    rows, columns = int(shape[0] / max(1.0, cell_y)) + 3, int(shape[1] / max(1.0, cell_x)) + 3
    coarse = rng.uniform(-1, 1, (min(rows, shape[0]), min(columns, shape[1]))).astype(np.float32)
    return resized(coarse, shape)


def clouds(
    rng: np.random.Generator, shape: tuple[int, int], cell: float, *, octaves: int = 4, stretch: float = 1.0
) -> Field:
    """Summed noise from about -1 to 1; `stretch` above 1 draws it out sideways."""
    total = np.zeros(shape, dtype=np.float32)
    weight, size, reach = 1.0, cell, 0.0
    for _ in range(octaves):
        total += value_noise(rng, shape, size * stretch, size) * np.float32(weight)
        reach += weight
        weight, size = weight * 0.55, size / 2
    return total / np.float32(reach * 0.6)
