"""The weakest manner: a pencil on paper. Wobbling outlines, hatching for tone, a pale wash of colour.

It overlooks the finer wishes of a prompt (`Shape.fine`), so that a blind vote has something to find.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from providers.demo.noise import clouds, unit, value_noise
from providers.demo.raster import Patch, patch
from providers.demo.shapes import Drawing, Field, Path, Shape

PAPER = (0.953, 0.943, 0.922)
PENCIL = (0.20, 0.19, 0.21)
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def paint(
    drawing: Drawing,
    canvas: tuple[int, int],
    level: int,
    rng: np.random.Generator,
    *,
    ground: Field | None = None,
    transparent: bool = False,
) -> Field:
    """The sketched `drawing`, shape (height, width, 4); the arguments are those of `painterly.paint`."""
    scale = canvas[0] / drawing.height
    wash = np.empty((*canvas, 3), dtype=np.float32)
    wash[:] = drawing.paper if ground is None else ground
    lines = np.zeros(canvas, dtype=np.float32)
    alpha = np.zeros(canvas, dtype=np.float32)
    for shape in drawing.shapes:
        if shape.level > level or shape.fine or (transparent and not shape.subject):
            continue
        part = patch(shape, canvas, scale)
        if part is None:
            continue
        _shade(wash, alpha, shape, part)
        if shape.glow:
            continue
        box = (part.rows, part.columns)
        lines[box] *= 1 - part.cover * np.float32(min(1.0, shape.alpha * 1.1))
        if shape.outline and shape.soft == 0 and not shape.lettering:
            _outline(lines, shape.paths, scale, rng, level)
    drawn = _on_paper(wash, lines, scale, rng, paper=None if ground is None else ground, touched=alpha)
    cover = alpha if transparent else np.ones(canvas, dtype=np.float32)
    return unit(np.concatenate([drawn, np.maximum(cover, lines if transparent else cover)[..., None]], axis=2))


def restyle(pixels: Field, level: int, rng: np.random.Generator, *, strength: float) -> Field:
    """A picture (h, w, 3) drawn after in pencil; `strength` 0 to 1 says how much of its colour is lost."""
    del level
    tone = pixels @ LUMA
    soft = np.asarray(Image.fromarray(tone).resize((tone.shape[1] // 2, tone.shape[0] // 2)), dtype=np.float32)
    soft = np.asarray(Image.fromarray(soft).resize((tone.shape[1], tone.shape[0])), dtype=np.float32)
    down, across = np.gradient(soft)
    lines = np.clip((np.hypot(down, across) - np.float32(0.012)) * 11, 0, 1).astype(np.float32)
    scale = float(min(tone.shape))
    drawn = _on_paper(pixels, lines, scale, rng, paper=None, touched=np.ones_like(tone))
    return unit(drawn + (pixels - drawn) * np.float32(0.35 * (1 - strength)))


def _shade(wash: Field, alpha: Field, shape: Shape, part: Patch) -> None:
    box = (part.rows, part.columns)
    color = np.asarray(shape.color, dtype=np.float32)
    cover = part.cover * np.float32(shape.alpha * (0.5 if shape.glow else 1.0))
    ink: Field = np.broadcast_to(color, (1, 1, 3)).astype(np.float32)
    if shape.shade is not None:
        ink = color + (np.asarray(shape.shade, dtype=np.float32) - color) * part.light[..., None]
    under = wash[box]
    under += (ink - under) * cover[..., None]
    alpha[box] += (1 - alpha[box]) * cover


def _outline(lines: Field, paths: tuple[Path, ...], scale: float, rng: np.random.Generator, level: int) -> None:
    """Two passes of an unsteady hand around each path, added to `lines`."""
    width = max(1, round(scale * (0.0018 + 0.0004 * level) * 2))
    points = np.concatenate(paths) * scale
    low = np.floor(points.min(axis=0) - 4 * width - 4).astype(int)
    high = np.ceil(points.max(axis=0) + 4 * width + 4).astype(int)
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(lines.shape[1], int(high[0])), min(lines.shape[0], int(high[1]))
    if right - left < 2 or bottom - top < 2:
        return
    sheet = Image.new("L", ((right - left) * 2, (bottom - top) * 2))
    pen = ImageDraw.Draw(sheet)
    for path in paths:
        for strength in (190, 110):
            trace = _unsteady(path * scale, scale, rng) - np.array([left, top], dtype=np.float32)
            pen.line((np.concatenate([trace, trace[:2]]) * 2).ravel().tolist(), fill=strength, width=width)
    stroke = np.asarray(sheet.reduce(2), dtype=np.float32) / np.float32(255)
    box = (slice(top, bottom), slice(left, right))
    lines[box] = np.maximum(lines[box], stroke)


def _unsteady(path: Path, scale: float, rng: np.random.Generator) -> Path:
    if len(path) < 12:
        steps = np.linspace(0, 1, 10, endpoint=False, dtype=np.float32)[None, :, None]
        corners = np.concatenate([path, path[:1]])
        path = (corners[:-1, None] + (corners[1:, None] - corners[:-1, None]) * steps).reshape(-1, 2)
    knots = rng.normal(0, 1, (max(4, len(path) // 6), 2))
    place = np.linspace(0, len(knots) - 1, len(path))
    drift = np.stack([np.interp(place, np.arange(len(knots)), knots[:, i]) for i in range(2)], axis=1)
    return (path + drift * scale * 0.0028 + rng.normal(0, scale * 0.0012, 2)).astype(np.float32)


def _on_paper(
    wash: Field, lines: Field, scale: float, rng: np.random.Generator, *, paper: Field | None, touched: Field
) -> Field:
    """Pale colour, hatching where it is dark, then the lines, on toothy paper (or on an earlier picture)."""
    canvas = lines.shape
    shape = (canvas[0], canvas[1])
    patchy = clouds(rng, shape, scale * 0.11, octaves=3)
    tone = wash @ LUMA
    sheet: Field = np.broadcast_to(np.asarray(PAPER, dtype=np.float32), (*shape, 3)).astype(np.float32)
    strength = np.clip(np.float32(0.74) + np.float32(0.09) * patchy, 0.4, 0.95)[..., None]
    pale = np.float32(0.16) + np.float32(0.84) * wash
    drawn: Field = sheet * (1 - strength + strength * pale)
    ink = np.maximum(_hatching(1 - tone, scale, rng), lines * np.float32(0.85))
    tooth = value_noise(rng, shape, max(1.3, scale * 0.0026), max(1.3, scale * 0.0026))
    ink = np.clip(ink * (np.float32(0.82) + np.float32(0.42) * tooth), 0, 1)[..., None]
    drawn += (np.asarray(PENCIL, dtype=np.float32) - drawn) * ink
    drawn *= 1 + np.float32(0.014) * tooth[..., None]
    if paper is None:
        return drawn
    over: Field = paper + (drawn - paper) * np.maximum(touched, lines)[..., None]
    return over


def _hatching(dark: Field, scale: float, rng: np.random.Generator) -> Field:
    """Pencil strokes in three directions; the darker the tone, the more directions and the heavier the strokes."""
    shape = (dark.shape[0], dark.shape[1])
    bend = value_noise(rng, shape, scale * 0.2, scale * 0.2) * np.float32(scale * 0.006)
    weight = value_noise(rng, shape, scale * 0.03, scale * 0.03) * np.float32(0.16)
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    x = np.arange(shape[1], dtype=np.float32)[None, :]
    gap = max(4.0, scale * 0.0125)
    ink = np.zeros(shape, dtype=np.float32)
    for slope_x, slope_y, begin in ((0.72, 0.7, 0.30), (0.75, -0.66, 0.62), (0.2, 0.98, 0.80)):
        phase = np.mod((x * np.float32(slope_x) + y * np.float32(slope_y) + bend) / np.float32(gap), 1)
        ridge = 1 - np.abs(phase - np.float32(0.5)) * 2
        amount = np.clip((dark - np.float32(begin)) * np.float32(1.1) + weight * (dark > begin), 0, 0.8)
        stroke = np.clip((ridge - (1 - amount)) * np.float32(gap * 0.45), 0, 1) * np.float32(0.5)
        ink = np.maximum(ink, stroke)
    return ink
