"""Cloth: a printed botanical fabric that repeats, and a striped jumper laid flat."""

from __future__ import annotations

from functools import partial

import numpy as np
from PIL import Image, ImageFilter

from arena.bank.drawing.canvas import Canvas, Point, fade, smooth
from arena.bank.drawing.noise import Floats, fractal


def fabric(size: tuple[int, int]) -> Image.Image:
    """Poppies, leaves and small birds on navy linen; four by four repeats, every second one turned."""
    c = Canvas(size, 1000, "#1f2d4a")
    for row in range(-1, 5):
        for column in range(-1, 5):
            x, y = column * 250 + 125 + (125 if row % 2 else 0), row * 250 + 125
            _motif(c, x, y, -1 if (row + column) % 2 else 1)
    c.glaze("#0a1020", lambda x, y: np.clip(0.5 + 0.5 * np.sin(x * 2.2) * np.sin(y * 2.2), 0, 1) * 0.22)
    c.glaze("#ffffff", lambda x, y: np.clip(fractal(x / 4, y / 60, octaves=2) - 0.55, 0, 1) * 0.35)
    c.glaze("#050812", _folds)
    return c.finished(paper=0.06)


def _folds(x: Floats, y: Floats) -> Floats:
    wave = np.sin((x * 0.8 + y * 0.35) / 120 + 2.2 * fractal(x / 420, y / 420, octaves=2))
    return (np.clip(-wave, 0, 1) ** 2 * 0.34).astype(np.float32)


def _motif(c: Canvas, x: float, y: float, side: int) -> None:
    def at(dx: float, dy: float) -> Point:
        return x + side * dx, y + dy

    c.stroke([at(-16, 118), at(6, 40), at(-10, -30)], "#7f9a6a", 5)
    c.stroke([at(4, 50), at(48, 14), at(64, -30)], "#7f9a6a", 4)
    for dx, dy, tx, ty in ((2, 60, -62, 28), (0, 84, 56, 66), (-6, 104, -70, 88), (2, 34, -40, -8)):
        mx, my = (dx + tx) / 2, (dy + ty) / 2
        wide = 15
        c.blob([at(dx, dy), at(mx, my - wide), at(tx, ty), at(mx, my + wide)], "#5f8068")
        c.line([at(dx, dy), at(tx, ty)], "#9bb389", 2)
    for px, py, r in ((-12, -52, 46), (68, -48, 26)):
        for turn in range(5):
            a = turn * 1.2566 - 1.57
            c.disc(
                *at(px + r * 0.55 * float(np.cos(a)), py + r * 0.55 * float(np.sin(a))),
                r * 0.56,
                ("#d9573f", "#e3704f")[turn % 2],
            )
        c.disc(*at(px, py), r * 0.3, "#26202b")
        for turn in range(10):
            a = turn * 0.6283
            c.disc(*at(px + r * 0.42 * float(np.cos(a)), py + r * 0.42 * float(np.sin(a))), r * 0.05, "#f4d58d")
    c.blob([at(78, 64), at(98, 48), at(116, 56), at(112, 74), at(88, 82), at(62, 86)], "#efe3c8")
    c.blob([at(84, 66), at(100, 62), at(104, 72), at(86, 80)], "#c9a45c")
    c.shape([at(115, 58), at(128, 62), at(115, 66)], "#e0a23c")
    c.disc(*at(107, 57), 2.6, "#26202b")
    for dx, dy in ((-96, -70), (-84, 10), (112, 4), (26, 112), (-104, 60), (40, -104)):
        c.disc(*at(dx, dy), 5, "#e9b872")


def jumper(size: tuple[int, int]) -> Image.Image:
    """A knitted jumper with cream and rust stripes, laid flat on pale boards."""
    c = Canvas(size, 1000, "#d9cbb5")
    for k in range(6):
        c.rect(
            0, k * 170 + 2, 1000, k * 170 + 168, ("#dccfba", "#d3c5ae", "#e0d4c0", "#d6c8b2", "#dacdb8", "#d1c2ab")[k]
        )
    c.glaze("#8f7a5c", lambda x, y: np.clip(fractal(x / 240, y / 8 + 40 * np.floor(y / 170), octaves=4) - 0.45, 0, 0.6))
    half: list[Point] = [(500, 250), (590, 232), (640, 240), (730, 290), (800, 420), (900, 740), (870, 790), (790, 800)]
    half += [(770, 760), (706, 540), (716, 800), (700, 862), (500, 872)]
    outline = smooth([*half, *[(1000 - px, py) for px, py in reversed(half[1:-1])]], steps=10)
    c.shadow(outline, shift=(16, 22), blur=16, strength=0.6)
    c.shape(outline, "#efe4cf")
    mask = c.mask(outline)
    for top in range(300, 820, 104):
        c.glaze("#b4532f", partial(_stripe, top), within=mask)
    hem: list[Point] = [(270, 812), (730, 812), (730, 890), (270, 890)]
    right_cuff: list[Point] = [(740, 752), (930, 706), (930, 860), (740, 860)]
    for cuff in (hem, right_cuff, [(1000 - px, py) for px, py in right_cuff]):
        c.glaze("#8c3c20", _all_of_it, within=_both(mask, c.mask(cuff)))
    c.glaze("#3a1c10", _knit, within=mask)
    for side in (1, -1):
        seam = smooth([(500 + side * 204, 330), (500 + side * 196, 420), (500 + side * 207, 560)], closed=False)
        c.line(seam, "#8f6a4a", 4)
    soft = mask.filter(ImageFilter.GaussianBlur(22 * c.scale))
    inner = np.asarray(soft, dtype=np.float32) / 255
    edge = (np.clip(1 - inner, 0, 1) * 0.75).astype(np.float32)
    c.glaze("#2b160c", partial(_as_drawn, edge), within=mask)
    c.glaze("#2b160c", lambda x, y: np.clip(fractal(x / 130, y / 190, octaves=3) - 0.5, 0, 1) * 0.9, within=mask)
    neck = smooth([(404, 246), (450, 290), (500, 304), (550, 290), (596, 246), (550, 226), (500, 232), (450, 226)])
    c.shape(neck, "#6d2f1a")
    c.stroke([(400, 238), (446, 290), (500, 308), (554, 290), (600, 238)], "#b4532f", 30)
    c.stroke([(404, 236), (450, 226), (500, 230), (550, 226), (596, 236)], "#8c3c20", 18)
    c.rect(474, 244, 526, 270, "#f4ecdc", round_by=3)
    c.glaze("#2a1a0c", fade(200, 1300, strength=0.25))
    return c.finished(paper=0.05)


def _both(one: Image.Image, other: Image.Image) -> Image.Image:
    return Image.fromarray(np.minimum(np.asarray(one), np.asarray(other)))


def _all_of_it(x: Floats, _y: Floats) -> Floats:
    return np.ones_like(x)


def _as_drawn(shade: Floats, _x: Floats, _y: Floats) -> Floats:
    """A shade that was worked out already, pixel by pixel."""
    return shade


def _stripe(top: float, x: Floats, y: Floats) -> Floats:
    """A band across the body that bends down along the sleeves."""
    out = np.maximum(np.abs(x - 500) - 205, 0)
    level = y - out * 0.35 + 6 * np.sin(x / 90)
    found: Floats = np.clip(np.minimum(level - top, top + 52 - level) / 1.5, 0, 1).astype(np.float32)
    return found


def _knit(x: Floats, y: Floats) -> Floats:
    column = np.abs((x / 9) % 1 - 0.5) * 2
    row = (y / 8 + column * 0.8) % 1
    return (np.clip(np.abs(row - 0.5) * 2 - 0.35, 0, 1) * 0.30 + (column > 0.9) * 0.12).astype(np.float32)
