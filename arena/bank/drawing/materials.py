"""Surfaces with a pattern, for solids: wood, skins, cloth, printed faces."""

from __future__ import annotations

import numpy as np

from arena.bank.drawing.noise import Floats, fractal, value_noise, wood
from arena.bank.drawing.tracing import Paint, linear


def tones(*colours: str) -> list[Floats]:
    """Linear colours as columns that take part in sums over points."""
    return [np.array(linear(colour), dtype=np.float32)[:, None] for colour in colours]


def oak(p: Floats) -> Floats:
    """Oak boards that run from left to right."""
    board = np.floor(p[2] / 0.9)
    seam = np.clip(np.abs((p[2] / 0.9) % 1 - 0.5) * 2, 0, 1) > 0.985
    tone = wood(p[0] + board * 7.3, p[2], dark=linear("#7a4a28"), light=linear("#c08a55"), grain=9)
    return tone * np.where(seam, 0.35, 0.9 + 0.16 * value_noise(board, board * 0.0 + 3))


def speckled(base: str, spot: str, *, scale: float, share: float) -> Paint:
    """A skin with fine spots."""

    def paint(p: Floats) -> Floats:
        low, high = (np.array(linear(tone), dtype=np.float32)[:, None] for tone in (base, spot))
        cloud = fractal(p[0] * 2.2, p[1] * 2.2, p[2] * 2.2, octaves=3)
        dots = value_noise(p[0] * scale, p[1] * scale, p[2] * scale) > 1 - share
        found: Floats = low + (high - low) * np.clip((cloud - 0.35) * 1.6 + dots * 0.5, 0, 1)
        return found

    return paint


def planks(dark: str, light: str, *, along: int, across: int, board: float, grain: float) -> Paint:
    """Wood whose grain runs along one axis, in boards of a width (0 for one piece)."""

    def paint(p: Floats) -> Floats:
        number = np.floor(p[across] / np.float32(board)) if board else np.zeros_like(p[0])
        tone = wood(p[along] + number * 5.7, p[across], dark=linear(dark), light=linear(light), grain=grain)
        if not board:
            return tone
        seam = np.abs((p[across] / np.float32(board)) % 1 - 0.5) > 0.488
        return tone * np.where(seam, 0.4, 0.85 + 0.3 * value_noise(number * 1.7, number * 0))

    return paint


def woven(base: str, thread: str, *, scale: float) -> Paint:
    """Cloth: a fine weave with a cloud of wear."""

    def paint(p: Floats) -> Floats:
        low, high = tones(base, thread)
        weave = 0.5 + 0.25 * np.sin(p[0] * scale) * np.sin(p[1] * scale * 0.7 + p[2] * scale)
        cloud = fractal(p[0] * 5, p[1] * 5, p[2] * 5, octaves=3)
        found: Floats = low + (high - low) * np.clip(weave * 0.6 + cloud * 0.5, 0, 1)
        return found

    return paint
