"""Drawn beings: a tabby cat on a cushion, and a young gardener in profile light."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from PIL import Image

from arena.bank.drawing.canvas import Canvas, Point, fade, halo, mixed, random, smooth
from arena.bank.drawing.noise import Floats, fractal

FUR, DARK, CREAM = "#d9893d", "#9a4f1d", "#f6e3c3"


def _mirror(points: Sequence[Point], x: float = 500) -> list[Point]:
    return [(2 * x - px, py) for px, py in points]


def cat(size: tuple[int, int]) -> Image.Image:
    """A sitting ginger tabby with a blue collar, facing the viewer."""
    c = Canvas(size, 1000, "#2f5a5e")
    c.glaze("#4f8582", halo(500, 430, 620, strength=0.9))
    for x, y, turn in ((110, 170, 0), (890, 210, 1), (150, 560, 1), (865, 600, 0), (300, 70, 1), (720, 70, 0)):
        _sprig(c, x, y, "#3c6f70" if turn else "#437a78", 1 if turn else -1)
    cushion = [(110, 850), (180, 775), (500, 745), (820, 775), (890, 850), (830, 940), (500, 965), (170, 940)]
    c.shadow(smooth(cushion), shift=(0, 26), blur=16, strength=0.5)
    c.blob(cushion, "#b8433f")
    c.glaze("#7c2630", fade(820, 970, strength=0.8), within=c.mask(smooth(cushion)))
    for k in range(-4, 5):
        c.stroke([(500 + k * 42, 762), (500 + k * 82, 850), (500 + k * 74, 950)], "#cf615a", 4)
    tail = [(640, 830), (780, 850), (860, 770), (830, 660), (800, 640), (790, 680), (800, 760), (740, 785), (640, 760)]
    body = [(500, 410), (610, 470), (680, 620), (705, 780), (650, 850), (500, 862), (350, 850), (295, 780), (320, 620)]
    body.append((390, 470))
    c.blob(tail, FUR)
    for x, y in ((818, 800), (842, 730), (815, 672)):
        c.stroke([(x - 34, y + 6), (x, y + 12), (x + 22, y - 6)], DARK, 15)
    c.shadow(smooth(body), shift=(12, 14), blur=18, strength=0.4)
    c.blob(body, FUR)
    shape = c.mask(smooth(body))
    c.glaze(DARK, fade(560, 760, down=False, strength=0.45), within=shape)
    c.blob([(500, 520), (570, 590), (585, 730), (500, 800), (415, 730), (430, 590)], CREAM)
    for side in (1, -1):
        for y in (610, 670, 730):
            stripe = [(330 - (y - 610) * 0.1, y), (372, y + 10), (398, y + 34)]
            c.stroke(stripe if side > 0 else _mirror(stripe), DARK, 15)
        haunch = [(345, 720), (420, 700), (455, 780), (430, 855), (335, 850), (305, 790)]
        c.blob(haunch if side > 0 else _mirror(haunch), mixed(FUR, DARK, 0.12))
        leg = [(455, 640), (490, 660), (494, 800), (490, 862), (430, 866), (422, 836), (448, 790)]
        c.blob(leg if side > 0 else _mirror(leg), mixed(FUR, CREAM, 0.18))
        paw = [(420, 838), (455, 815), (496, 832), (498, 870), (455, 880), (416, 868)]
        c.blob(paw if side > 0 else _mirror(paw), CREAM)
        for x in (442, 468):
            toe: list[Point] = [(x, 850), (x, 872)]
            c.line(toe if side > 0 else _mirror(toe), "#c9a27a", 4)
    _cat_head(c)
    return c.finished(paper=0.07)


def _cat_head(c: Canvas) -> None:
    head = [(500, 170), (610, 190), (690, 280), (700, 370), (640, 450), (500, 488), (360, 450), (300, 370), (310, 280)]
    head.append((390, 190))
    for side in (1, -1):
        ear: list[Point] = [(312, 300), (306, 120), (330, 96), (460, 196)]
        inner: list[Point] = [(334, 262), (330, 150), (342, 142), (420, 204)]
        c.shape(ear if side > 0 else _mirror(ear), FUR)
        c.shape(inner if side > 0 else _mirror(inner), "#e7a58d")
    c.shadow(smooth(head), shift=(0, 22), blur=16, strength=0.35)
    c.blob(head, FUR)
    c.glaze(DARK, fade(540, 760, down=False, strength=0.4), within=c.mask(smooth(head)))
    c.blob([(500, 340), (590, 372), (600, 430), (500, 482), (400, 430), (410, 372)], CREAM)
    for stripe in ([(500, 182), (500, 270)], [(446, 192), (464, 262)], [(554, 192), (536, 262)]):
        c.line(stripe, DARK, 17)
    for side in (1, -1):
        for y in (352, 392):
            cheek = [(312, y - 8), (348, y), (372, y + 18)]
            c.stroke(cheek if side > 0 else _mirror(cheek), DARK, 13)
        x = 425 if side > 0 else 575
        c.disc(x, 330, 47, "#4a2a14", tall=43)
        c.disc(x, 330, 42, "#a9c23f", tall=38)
        c.glaze("#5f7d1d", fade(330, 370, strength=0.6), within=c.mask(_oval(x, 330, 42, 38)))
        c.disc(x, 330, 17, "#15120c", tall=34)
        c.disc(x - 13, 314, 10, "#ffffff")
        for dy in (-16, 0, 16):
            whisker = [(420, 424 + dy * 0.4), (330, 418 + dy), (236, 424 + dy * 2.2)]
            c.stroke(whisker if side > 0 else _mirror(whisker), "#fbf3e2", 3.4)
    c.blob([(470, 392), (530, 392), (516, 416), (500, 424), (484, 416)], "#c8626a")
    c.stroke([(500, 420), (498, 442), (470, 456), (446, 446)], "#6b3a22", 5)
    c.stroke([(500, 420), (502, 442), (530, 456), (554, 446)], "#6b3a22", 5)
    c.stroke([(398, 478), (450, 506), (500, 514), (550, 506), (602, 478)], "#23517f", 26)
    c.disc(500, 536, 27, "#b9891f")
    c.disc(497, 533, 22, "#efc54c")


def _oval(x: float, y: float, wide: float, tall: float) -> list[Point]:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    return [(x + wide * float(np.cos(a)), y + tall * float(np.sin(a))) for a in angles]


def _sprig(c: Canvas, x: float, y: float, colour: str, side: int) -> None:
    c.stroke([(x, y + 90), (x + 8 * side, y), (x + 34 * side, y - 90)], colour, 5)
    for k in range(5):
        at = y + 70 - k * 36
        for way in (-1, 1):
            tip = (x + side * (6 + k * 6) + way * 56, at - 34)
            root = (x + side * (4 + k * 6), at)
            middle = ((root[0] + tip[0]) / 2, (root[1] + tip[1]) / 2)
            c.blob([root, (middle[0] - 8, middle[1] - 13), tip, (middle[0] + 8, middle[1] + 13)], colour)


def gardener(size: tuple[int, int]) -> Image.Image:
    """A young gardener with a straw hat and green overalls, three quarters, before a trellis of roses."""
    c = Canvas(size, 1000, "#e9d8b6")
    c.glaze("#f6edd4", halo(360, 420, 760))
    c.glaze("#a9b78d", fade(700, 1500, strength=0.55))
    _trellis(c)
    skin, shade, hair = "#b9774c", "#8d5232", "#2b1a17"
    braid = [(640, 560), (712, 640), (724, 780), (690, 930), (650, 935), (652, 800), (612, 660)]
    c.blob(braid, hair)
    for y in (650, 715, 780, 845):
        c.stroke([(640, y), (680, y + 28), (716, y + 6)], "#4a302a", 6)
    c.disc(671, 925, 30, "#c9503f", tall=20)
    torso = [(470, 860), (620, 860), (770, 930), (860, 1060), (920, 1540), (100, 1540), (150, 1080), (230, 940)]
    c.shadow(smooth(torso), shift=(20, 10), blur=30, strength=0.35)
    c.blob(torso, "#efe6d2")
    chest = c.mask(smooth(torso))
    c.glaze("#b79f86", fade(560, 900, down=False, strength=0.55), within=chest)
    for x in range(120, 960, 44):
        c.glaze("#6f8fa6", partial(_thread, x), within=chest)
    bib = [(330, 1120), (690, 1120), (740, 1540), (290, 1540)]
    for strap in ([(300, 925), (350, 1020), (372, 1150)], [(715, 925), (672, 1020), (650, 1150)]):
        c.stroke(strap, "#3f5f43", 58)
    c.shadow(bib, shift=(8, 10), blur=10, strength=0.35)
    c.shape(bib, "#4a6b4c")
    c.glaze("#2d4632", fade(480, 760, down=False, strength=0.7), within=c.mask(bib))
    c.rect(410, 1250, 610, 1420, "#54785a", round_by=16)
    c.line([(410, 1288), (610, 1288)], "#2f4a36", 5)
    for x in (374, 648):
        c.disc(x, 1158, 20, "#c9a43e")
        c.disc(x - 4, 1154, 12, "#ecd07a")
    neck = [(438, 760), (582, 760), (592, 880), (520, 945), (440, 890)]
    c.blob(neck, shade)
    c.shape([(400, 880), (450, 850), (520, 950), (470, 1030)], "#f7f0df")
    c.shape([(640, 880), (590, 850), (520, 950), (570, 1030)], "#dccfb6")
    _face(c, skin=skin, shade=shade, hair=hair)
    return c.finished(paper=0.08)


def _trellis(c: Canvas) -> None:
    for left in range(-700, 1100, 170):
        c.line([(left, 0), (left + 900, 1500)], "#d3bd93", 15)
        c.line([(left + 900, 0), (left, 1500)], "#dac69f", 15)
    chance = random(5)
    for _ in range(150):
        edge = float(chance.uniform(0, 1)) ** 2 * 300
        x = edge if chance.uniform() < 0.5 else 1000 - edge
        y, turn, long = float(chance.uniform(0, 1400)), float(chance.uniform(0, 6.28)), float(chance.uniform(28, 52))
        dx, dy = long * float(np.cos(turn)), long * float(np.sin(turn))
        tone = mixed("#5d7d4a", "#a3b36f", float(chance.uniform()))
        c.blob([(x - dx, y - dy), (x - dy * 0.4, y + dx * 0.4), (x + dx, y + dy), (x + dy * 0.4, y - dx * 0.4)], tone)
    for x, y, r in ((90, 250, 58), (930, 160, 62), (60, 700, 50), (945, 640, 54), (140, 1000, 44), (900, 420, 40)):
        for ring_, tone in enumerate(("#a93a48", "#c5525b", "#d9747a", "#b8434f", "#e39a98")):
            c.disc(x + ring_ * 3, y - ring_ * 2, r * (1 - ring_ * 0.19), tone)


def _face(c: Canvas, *, skin: str, shade: str, hair: str) -> None:
    c.blob([(366, 470), (500, 380), (640, 430), (690, 560), (660, 700), (590, 640), (400, 560)], hair)
    face = [(380, 480), (500, 440), (610, 490), (640, 600), (610, 730), (530, 820), (450, 815), (385, 730), (362, 600)]
    outline = smooth(face)
    c.shadow(outline, shift=(6, 30), blur=16, strength=0.35)
    c.shape(outline, skin)
    mask = c.mask(outline)
    c.glaze(shade, fade(480, 680, down=False, strength=0.85), within=mask)
    c.glaze("#d98f63", halo(420, 670, 90, strength=0.7), within=mask)
    c.glaze("#c9724f", halo(580, 680, 80, strength=0.6), within=mask)
    c.blob([(628, 600), (662, 580), (668, 640), (632, 680)], shade)
    c.disc(650, 684, 9, "#e8c35a")
    c.blob([(385, 500), (470, 440), (640, 470), (655, 580), (610, 520), (500, 492), (420, 520), (378, 590)], hair)
    for x, wide in ((438, 1.0), (556, 0.95)):
        c.blob([(x - 40 * wide, 612), (x, 592), (x + 40 * wide, 614), (x, 630)], "#fbf3e6")
        c.disc(x - 3, 611, 18, "#3f2717")
        c.disc(x - 9, 604, 6, "#ffffff")
        c.stroke([(x - 44 * wide, 612), (x - 4, 587), (x + 43 * wide, 611)], "#1f1210", 8)
        c.stroke([(x - 42 * wide, 568), (x - 2, 553), (x + 40 * wide, 564)], hair, 9)
    c.stroke([(492, 600), (476, 672), (466, 694), (486, 706), (508, 700)], shade, 8)
    c.blob([(432, 742), (468, 738), (490, 743), (514, 738), (556, 742), (494, 784)], "#a8443f")
    c.stroke([(424, 736), (448, 752), (492, 760), (540, 752), (566, 734)], "#6f2626", 5)
    for x, y in ((404, 668), (424, 686), (396, 694), (566, 676), (586, 694)):
        c.disc(x, y, 4, "#8a4f30")
    _hat(c)


def _hat(c: Canvas) -> None:
    brim = [(170, 522), (300, 422), (520, 394), (730, 432), (850, 542), (700, 516), (510, 490), (320, 502)]
    crown = [(330, 450), (350, 312), (430, 242), (560, 234), (660, 292), (694, 450), (520, 432)]
    c.shadow(smooth(brim), shift=(0, 42), blur=20, strength=0.45)
    c.blob(crown, "#dcb565")
    straw = c.mask(smooth(crown))
    c.glaze("#9b6d2c", fade(480, 720, down=False, strength=0.75), within=straw)
    c.glaze("#8f6427", _weave, within=straw)
    c.stroke([(330, 438), (430, 404), (560, 396), (692, 432)], "#3a5a78", 46)
    c.blob(brim, "#e6c47a")
    under = c.mask(smooth(brim))
    c.glaze("#a3752f", fade(480, 900, down=False, strength=0.7), within=under)
    c.glaze("#8f6427", _weave, within=under)


def _thread(at: float, x: Floats, y: Floats) -> Floats:
    """A thin line down a shirt that sways a little."""
    found: Floats = ((np.abs(x - at - 12 * np.sin(y / 90)) < 4) * 0.5).astype(np.float32)
    return found


def _weave(x: Floats, y: Floats) -> Floats:
    lines = np.sin(y / 3.2 + 2.5 * np.sin(x / 130)) * np.sin(x / 3.6)
    return np.clip(lines * 0.35 + fractal(x / 40, y / 20, octaves=2) * 0.2, 0, 0.4).astype(np.float32)
