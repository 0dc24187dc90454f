"""The best of the three manners: pigment that varies, soft light, edges broken by the brush, rough paper.

Every area is a wash from light to shade, unsettled by brush noise; then light is laid over the whole picture, the brush
breaks edges into dabs, and the paper's tooth shows through.
"""

from __future__ import annotations

import numpy as np

from providers.demo.noise import clouds, resized, unit, value_noise
from providers.demo.raster import Patch, patch
from providers.demo.shapes import Drawing, Field, Shape, Texture

PIGMENT: dict[Texture, tuple[str, float, float]] = {
    "plain": ("cloud", 0.022, 0.05),
    "sky": ("veil", 0.05, 0.28),
    "rock": ("crag", 0.09, 0.09),
    "water": ("streak", 0.12, 0.22),
    "leaf": ("dab", 0.10, 0.18),
    "wood": ("streak", 0.13, 0.18),
    "cloth": ("veil", 0.05, 0.12),
    "glaze": ("dab", 0.03, 0.06),
    "fur": ("dash", 0.13, 0.16),
}
"""Per material: which noise field, how far it moves the lightness, how far it moves light into shade."""


def paint(
    drawing: Drawing,
    canvas: tuple[int, int],
    level: int,
    rng: np.random.Generator,
    *,
    ground: Field | None = None,
    transparent: bool = False,
) -> Field:
    """The painted `drawing`, shape (height, width, 4); over `ground` (h, w, 3) if given, else on its own paper.

    `level` is 0, 1 or 2 for low, medium, high; `transparent` leaves out all that is not the subject.
    """
    scale = canvas[0] / drawing.height
    picture = np.empty((*canvas, 3), dtype=np.float32)
    picture[:] = drawing.paper if ground is None else ground
    alpha = np.zeros(canvas, dtype=np.float32) if transparent else np.ones(canvas, dtype=np.float32)
    fields = _brushes(canvas, scale, level, rng)
    for shape in drawing.shapes:
        if shape.level > level or (transparent and not shape.subject):
            continue
        part = patch(shape, canvas, scale)
        if part is not None:
            _lay(picture, alpha, shape, part, fields, transparent=transparent)
    if ground is None:
        _lighten(picture, drawing, scale)
    layers = np.concatenate([picture, alpha[..., None]], axis=2)
    if ground is None:
        layers = _broken_edges(layers, scale, rng)
        layers[..., :3] = tooth(layers[..., :3], scale, level, rng)
    return unit(layers)


def restyle(pixels: Field, level: int, rng: np.random.Generator, *, strength: float) -> Field:
    """A photograph or picture (h, w, 3) painted over; `strength` 0 to 1 says how far from the original."""
    scale = float(min(pixels.shape[:2]))
    layers = _broken_edges(pixels, scale, rng, reach=0.6 + 1.5 * strength)
    mist = clouds(rng, (pixels.shape[0], pixels.shape[1]), scale * 0.08, octaves=3)
    layers = layers * (1 + np.float32(0.07 * strength) * mist[..., None])
    return unit(tooth(layers, scale, level, rng))


def tooth(picture: Field, scale: float, level: int, rng: np.random.Generator) -> Field:
    """`picture` on rough paper, lit from the upper left."""
    shape = (picture.shape[0], picture.shape[1])
    grain = value_noise(rng, shape, max(1.3, scale * 0.0035), max(1.3, scale * 0.0035))
    grain += rng.random(shape, dtype=np.float32) * np.float32(0.5) - np.float32(0.25)
    relief = np.zeros(shape, dtype=np.float32)
    relief[1:, 1:] = grain[1:, 1:] - grain[:-1, :-1]
    return picture * (1 + np.float32(0.022 + 0.003 * level) * relief[..., None])


def _brushes(canvas: tuple[int, int], scale: float, level: int, rng: np.random.Generator) -> dict[str, Field]:
    octaves = 3 + level
    cloud = clouds(rng, canvas, scale * 0.10, octaves=octaves)
    streak = clouds(rng, canvas, scale * 0.014, octaves=2, stretch=9)
    veil = clouds(rng, canvas, scale * 0.17, octaves=octaves, stretch=2.6)
    crag = clouds(rng, canvas, scale * 0.035, octaves=octaves, stretch=2.2)
    dab = clouds(rng, canvas, scale * 0.03, octaves=octaves)
    dash = clouds(rng, (canvas[1], canvas[0]), scale * 0.007, octaves=2, stretch=5).T
    return {
        "cloud": cloud,
        "streak": streak,
        "veil": veil,
        "crag": crag,
        "dab": dab,
        "dash": np.ascontiguousarray(dash),
    }


def _lay(
    picture: Field, alpha: Field, shape: Shape, part: Patch, fields: dict[str, Field], *, transparent: bool
) -> None:
    box = (part.rows, part.columns)
    name, tone, drift = PIGMENT[shape.texture]
    noise = fields[name][box]
    color = np.asarray(shape.color, dtype=np.float32)
    cover = part.cover * np.float32(shape.alpha)
    if shape.glow:
        picture[box] += (1 - picture[box]) * (cover[..., None] * color)
        alpha[box] = np.maximum(alpha[box], cover)
        return
    if shape.shade is None:
        pigment = color * (1 + np.float32(tone) * noise)[..., None]
    else:
        turn = np.clip(part.light + np.float32(drift) * noise, 0, 1)
        step = np.asarray(shape.shade, dtype=np.float32) - color
        pigment = (color + step * turn[..., None]) * (1 + np.float32(tone * 0.7) * noise)[..., None]
    under = picture[box]
    under += (pigment - under) * _over(cover, alpha[box], transparent=transparent)[..., None]
    alpha[box] += (1 - alpha[box]) * cover


def _over(cover: Field, below: Field, *, transparent: bool) -> Field:
    """The share of the new pigment where what lies below may itself be see-through."""
    if not transparent:
        return cover
    share = cover / np.maximum(cover + below * (1 - cover), 1e-4)
    return share.astype(np.float32)


def _lighten(picture: Field, drawing: Drawing, scale: float) -> None:
    """Warm light around its source and a quiet darkening to the corners; made small, since both are smooth."""
    height, width = picture.shape[:2]
    small = (max(8, height // 8), max(8, width // 8))
    y = np.linspace(0, height / scale, small[0], dtype=np.float32)[:, None]
    x = np.linspace(0, width / scale, small[1], dtype=np.float32)[None, :]
    middle = np.hypot((x - drawing.width / 2) / drawing.width, (y - drawing.height / 2) / drawing.height)
    corner = np.clip(middle - 0.38, 0, 1) ** 1.5 * np.float32(0.75)
    picture *= resized(1 - corner, (height, width))[..., None]
    if drawing.light_at is None:
        return
    away = np.hypot(x - drawing.light_at[0], y - drawing.light_at[1])
    halo = np.float32(0.34) * np.exp(-away * 5.5) + np.float32(0.13) * np.exp(-away * 1.9)
    shine = resized(halo.astype(np.float32), (height, width))[..., None]
    picture += (1 - picture) * shine * np.asarray(drawing.light_color, dtype=np.float32)


def _broken_edges(layers: Field, scale: float, rng: np.random.Generator, *, reach: float = 1.0) -> Field:
    """Each pixel taken from a little way off, the same way within one dab: what a flat brush does to an edge."""
    shape = (layers.shape[0], layers.shape[1])
    amount = np.float32(scale * 0.001 * reach)
    down = value_noise(rng, shape, scale * 0.018, scale * 0.012) * amount
    across = value_noise(rng, shape, scale * 0.012, scale * 0.018) * amount
    # Less than a pixel between the two directions would show as stairs: the dice round each pixel its own way.
    dither = (rng.random(shape, dtype=np.float32) - np.float32(0.5)) * np.float32(0.8)
    down += dither
    across -= dither
    rows = np.clip(np.rint(down) + np.arange(shape[0], dtype=np.float32)[:, None], 0, shape[0] - 1).astype(np.int32)
    columns = np.clip(np.rint(across) + np.arange(shape[1], dtype=np.float32)[None, :], 0, shape[1] - 1)
    place = rows * np.int32(shape[1]) + columns.astype(np.int32)
    taken: Field = layers.reshape(-1, layers.shape[2])[place]
    return taken
