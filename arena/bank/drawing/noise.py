"""Noise that depends on the place alone, so a drawing comes out alike on every machine and at every size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32] | NDArray[np.float64]
"""Numbers, mostly in single precision."""


def _lattice(x: NDArray[np.int64], y: NDArray[np.int64], z: NDArray[np.int64]) -> Floats:
    mixed = (x * 374761393 + y * 668265263 + z * 2147483647 + 1013904223) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 16)) & 0xFFFF).astype(np.float32) / np.float32(65535)


def value_noise(x: Floats, y: Floats, z: Floats | float = 0.0) -> Floats:
    """Smooth noise of 0 to 1 with features about one unit wide."""
    place = [np.asarray(axis, dtype=np.float32) for axis in np.broadcast_arrays(x, y, z)]
    cell = [np.floor(axis).astype(np.int64) for axis in place]
    part = [axis - np.floor(axis) for axis in place]
    u, v, w = (axis * axis * (3 - 2 * axis) for axis in part)
    total = np.zeros_like(u)
    for i in (0, 1):
        for j in (0, 1):
            for k in (0, 1):
                weight = (u if i else 1 - u) * (v if j else 1 - v) * (w if k else 1 - w)
                total += weight * _lattice(cell[0] + i, cell[1] + j, cell[2] + k)
    return total


def fractal(x: Floats, y: Floats, z: Floats | float = 0.0, *, octaves: int = 4) -> Floats:
    """Noise of several sizes at once, 0 to 1."""
    x, y, z = (np.asarray(axis, dtype=np.float32) for axis in (x, y, z))
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=np.float32)
    weight, scale, weights = 1.0, 1.0, 0.0
    for octave in range(octaves):
        total += np.float32(weight) * value_noise(x * scale + 17 * octave, y * scale - 9 * octave, z * scale)
        weights += weight
        weight, scale = weight / 2, scale * 2.03
    return (total / weights).astype(np.float32)


def wood(along: Floats, across: Floats, *, dark: tuple[float, ...], light: tuple[float, ...], grain: float) -> Floats:
    """Colours `(3, n)` of planed wood whose grain runs `along`; `grain` is rings for each unit across."""
    warp = fractal(along * 0.9, across * 2.2, octaves=3)
    rings = (across * grain + warp * grain * 0.42) % 1.0
    band = np.clip(np.abs(rings - 0.5) * 2, 0, 1) ** 1.4
    fibre = value_noise(along * 6, across * 160)
    mix = np.clip(0.25 + 0.5 * band + 0.25 * fibre, 0, 1)
    low, high = (np.array(tone, dtype=np.float32)[:, None] for tone in (dark, light))
    found: Floats = (low + (high - low) * mix.reshape(1, -1)).astype(np.float32)
    return found
