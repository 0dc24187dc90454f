"""Edits: the first image is the canvas, done again in the manner; what the prompt adds is drawn on it, further images
are hung into it as prints. With a mask all of that happens inside its clear area, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from providers.demo.additions import additions
from providers.demo.colors import Palette, brightness, mix, scaled
from providers.demo.composing import compose
from providers.demo.noise import resized, seeded
from providers.demo.prompt_reading import Reading, palette_for, read_prompt
from providers.demo.scenes.stage import Stage
from providers.demo.shapes import Drawing, Field
from providers.demo.studio import LEVELS, MANNERS, Manner, Order, as_image, enlarged, work_canvas
from providers.demo.wire_requests import MAX_AREA, MAX_EDGE, MIN_AREA, size_problem

THINGS: Final = frozenset({"animal", "lighthouse", "boat", "still_life", "plant", "house", "portrait", "logo"})
"""Scenes whose subject stands alone when put into the clear area of a mask."""


@dataclass(frozen=True, slots=True)
class EditOrder:
    """One edited picture to make."""

    order: Order
    images: tuple[Image.Image, ...]
    """Base first, RGB."""
    mask: Image.Image | None
    """Mode L, of the base's size; 0 is repainted."""
    is_faithful: bool
    """Stay close to the base."""


def nearest_size(width: int, height: int) -> tuple[int, int]:
    """The legal size nearest to a picture's ratio, and to its own area where that is legal."""
    ratio = min(3.0, max(1 / 3, width / height))
    area = min(max(width * height, MIN_AREA * 1.02), MAX_AREA * 0.98)
    area = min(area, MAX_EDGE * MAX_EDGE * min(ratio, 1 / ratio))
    if size_problem(width, height) is None:
        return width, height
    wide, high = (area * ratio) ** 0.5, (area / ratio) ** 0.5
    choices = [(16 * (int(wide // 16) + i), 16 * (int(high // 16) + j)) for i in range(-1, 3) for j in range(-1, 3)]
    legal = [size for size in choices if size_problem(*size) is None]
    return min(legal, key=lambda size: (abs(size[0] / size[1] - ratio), abs(size[0] * size[1] - area)))


def draw_edit(edit: EditOrder) -> Image.Image:
    """The edited picture, RGB; with a mask of alpha 255 a pixel keeps the base's value exactly."""
    order = edit.order
    reading = read_prompt(order.prompt)
    level = LEVELS[order.quality]
    rng = seeded(order.model, order.prompt, order.index, "edit")
    palette = palette_for(reading, rng, order.index)
    base = ImageOps.fit(edit.images[0], order.size, Image.Resampling.LANCZOS)
    if edit.mask is not None:
        return _masked(edit, base, reading, palette, rng)
    canvas = work_canvas(order.size, level)
    manner = MANNERS[order.model]
    strength = 0.35 if edit.is_faithful else 0.8
    ground = manner.restyle(_field(base, canvas), level, rng, strength=strength)
    ground = _in_mood(ground, reading, palette, 0.12 if edit.is_faithful else 0.3)
    drawing = _added(reading, palette, order.size, rng)
    painted = manner.paint(drawing, canvas, level, rng, ground=ground)[..., :3]
    picture = enlarged(as_image(painted), order.size)
    return _hung(picture, edit.images[1:], manner, level, rng, palette)


def _masked(
    edit: EditOrder, base: Image.Image, reading: Reading, palette: Palette, rng: np.random.Generator
) -> Image.Image:
    order, mask = edit.order, edit.mask
    if mask is None:
        return base
    clear = ImageOps.invert(ImageOps.fit(mask, order.size, Image.Resampling.NEAREST))
    box = clear.point(_half_clear).getbbox() or clear.getbbox()
    if box is None:
        return base
    inside = _filling(edit, base, clear, reading, palette, box, rng)
    changed = base.copy()
    changed.paste(inside, box[:2])
    # `composite` copies the base where the mask is 0, so what was opaque stays as it came, to the bit.
    return Image.composite(changed, base, clear)


def _half_clear(value: int) -> int:
    return 255 if value > 127 else 0


def _filling(
    edit: EditOrder,
    base: Image.Image,
    clear: Image.Image,
    reading: Reading,
    palette: Palette,
    box: tuple[int, int, int, int],
    rng: np.random.Generator,
) -> Image.Image:
    """What goes into the clear area: another reference, a thing on its old ground, a scene, or new colour."""
    order = edit.order
    level, manner = LEVELS[order.quality], MANNERS[order.model]
    hole = (box[2] - box[0], box[3] - box[1])
    canvas = work_canvas(hole, level)
    if len(edit.images) > 1:
        print_ = ImageOps.fit(edit.images[1], hole, Image.Resampling.LANCZOS)
        scene = manner.restyle(_field(print_, canvas), level, rng, strength=0.5)
        return _hung(enlarged(as_image(scene), hole), edit.images[2:], manner, level, rng, palette)
    drawing = compose(reading, hole, rng, variation=order.index)
    if reading.kind in THINGS:
        ground = _field(_closed(base, clear, box), canvas)
        layers = manner.paint(drawing, canvas, level, rng, transparent=True)
        scene = ground + (layers[..., :3] - ground) * layers[..., 3:]
    else:
        scene = manner.paint(drawing, canvas, level, rng)[..., :3]
    return enlarged(as_image(scene), hole)


def _closed(base: Image.Image, clear: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """The area of `box` with what is clear in it filled softly from what surrounds it."""
    kept = ImageOps.invert(clear)
    small = (max(1, base.width // 4), max(1, base.height // 4))
    picture = np.asarray(base.resize(small, Image.Resampling.BOX), dtype=np.float32)
    opaque = np.asarray(kept.resize(small, Image.Resampling.BOX), dtype=np.float32) / np.float32(255)
    # A small picture's pixel counts only when nearly all of it is kept: its rim already holds what was taken out.
    weight = np.power(opaque, np.float32(4))[..., None]
    sizes = [small]
    while min(sizes[-1]) > 1:
        sizes.append((max(1, sizes[-1][0] // 2), max(1, sizes[-1][1] // 2)))
    filled = (picture * weight).sum(axis=(0, 1), keepdims=True) / max(float(weight.sum()), 1e-3)
    # Coarse to fine: each level fills what the finer one does not know, so the seam keeps the colours next to it.
    for size in reversed(sizes):
        known = _scaled_layers(weight, size)
        seen = _scaled_layers(picture * weight, size) / np.maximum(known, np.float32(1e-3))
        below = _scaled_layers(filled, size)
        filled = below + (seen - below) * np.minimum(known * np.float32(12), np.float32(1))
    return as_image(filled / np.float32(255)).resize(base.size, Image.Resampling.BICUBIC).crop(box)


def _scaled_layers(layers: Field, size: tuple[int, int]) -> Field:
    """Each layer of a field averaged or enlarged to `size` (width, height)."""
    how = Image.Resampling.BOX if layers.shape[0] > size[1] else Image.Resampling.BILINEAR
    return np.stack([resized(layers[..., i], (size[1], size[0]), how) for i in range(layers.shape[2])], axis=2)


def _field(picture: Image.Image, canvas: tuple[int, int]) -> Field:
    small = picture.resize((canvas[1], canvas[0]), Image.Resampling.LANCZOS)
    return np.asarray(small, dtype=np.float32) / np.float32(255)


def _in_mood(pixels: Field, reading: Reading, palette: Palette, strength: float) -> Field:
    """The light of the prompt's hour or colours laid over, as a pane of tinted glass would."""
    if not reading.colors and not reading.moods:
        strength *= 0.4
    else:
        strength *= 1.5
    tone = (pixels @ np.array([0.299, 0.587, 0.114], dtype=np.float32))[..., None]
    target = reading.colors[0] if reading.colors else mix(palette.sky_mid, palette.accent, 0.2)
    tint = np.asarray(mix(scaled(target, 1 / max(0.25, brightness(target))), (1.0, 1.0, 1.0), 0.3), dtype=np.float32)
    graded = tone * tint
    if palette.is_dark and "night" in reading.moods:
        graded = graded * np.float32(0.42)
    return (pixels + (graded - pixels) * np.float32(min(0.75, strength))).astype(np.float32)


def _added(reading: Reading, palette: Palette, size: tuple[int, int], rng: np.random.Generator) -> Drawing:
    short = min(size)
    stage = Stage(reading=reading, palette=palette, width=size[0] / short, height=size[1] / short, rng=rng)
    return Drawing(stage.width, stage.height, palette.light, tuple(additions(stage)))


def _hung(
    picture: Image.Image,
    prints: Sequence[Image.Image],
    manner: Manner,
    level: int,
    rng: np.random.Generator,
    palette: Palette,
) -> Image.Image:
    """`picture` with each further reference as a small mounted print along its lower edge, a little askew."""
    if not prints:
        return picture
    picture = picture.copy()
    short = min(picture.size)
    per_row = min(len(prints), max(2, int(picture.width / (0.26 * short))))
    rows = ceil(len(prints) / per_row)
    cell = min(picture.width / per_row, picture.height * 0.62 / rows, short * 0.4)
    left = (picture.width - cell * per_row) / 2
    for place, reference in enumerate(prints):
        row, column = divmod(place, per_row)
        card = _mounted(reference, cell * 0.8, manner, level, rng, palette).rotate(
            float(rng.uniform(-3.5, 3.5)), Image.Resampling.BICUBIC, expand=True
        )
        x = round(left + cell * (column + 0.5) - card.width / 2)
        y = round(picture.height - cell * (rows - row - 0.5) - card.height / 2 - short * 0.015)
        shade = Image.new("L", picture.size)
        shade.paste(card.getchannel("A").point(_faint), (x + round(cell * 0.015), y + round(cell * 0.03)))
        picture.paste((20, 18, 22), mask=shade.filter(ImageFilter.GaussianBlur(cell * 0.02)))
        picture.paste(card, (x, y), card)
    return picture


def _faint(value: int) -> int:
    return value * 2 // 5


def _mounted(
    reference: Image.Image, edge: float, manner: Manner, level: int, rng: np.random.Generator, palette: Palette
) -> Image.Image:
    """A reference in the manner, on a pale mount; RGBA, its longer side `edge` pixels."""
    scale = edge / max(reference.size)
    size = (max(8, round(reference.width * scale)), max(8, round(reference.height * scale)))
    rim = max(2, round(edge * 0.045))
    canvas = work_canvas(size, level)
    done = manner.restyle(_field(reference, canvas), level, rng, strength=0.3)
    mount = tuple(round(255 * (0.5 + 0.5 * channel)) for channel in palette.light)
    card = Image.new("RGBA", (size[0] + 4 * rim, size[1] + 4 * rim))
    ImageDraw.Draw(card).rectangle((rim, rim, size[0] + 3 * rim, size[1] + 3 * rim), fill=(*mount, 255))
    card.paste(enlarged(as_image(done), size), (2 * rim, 2 * rim))
    return card
