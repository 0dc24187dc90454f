"""A brick street front with a shop whose sign is blank, in flat morning light."""

from __future__ import annotations

import numpy as np
from PIL import Image

from arena.bank.drawing.canvas import Canvas, Point, fade, halo, mixed, random

BRICK, MORTAR, TEAL = "#a9583f", "#c9a38a", "#1f4f57"


def _bricks(c: Canvas) -> None:
    c.rect(0, 0, 1500, 820, MORTAR)
    chance = random(3)
    for row, y in enumerate(np.arange(0, 820, 20.0)):
        for x in np.arange(-60, 1500, 60.0):
            left = float(x) + (30 if row % 2 else 0)
            tone = mixed(BRICK, ("#7f3b2c", "#c67a58")[int(chance.integers(2))], float(chance.uniform(0, 0.55)))
            c.rect(left + 1.5, float(y) + 1.5, left + 58.5, float(y) + 18.5, tone, round_by=1.5)


def _window(c: Canvas, x: float, y: float, *, lit: bool) -> None:
    """An upper window with stone frame, sash bars and a flower box."""
    c.shadow(_box(x - 18, y - 18, x + 158, y + 238), shift=(10, 12), blur=8, strength=0.45)
    c.rect(x - 18, y - 30, x + 158, y + 232, "#e6dac4", round_by=3)
    c.rect(x, y, x + 140, y + 220, "#2e3a44")
    glass = c.mask(_box(x + 6, y + 6, x + 134, y + 214))
    c.glaze("#f1c877" if lit else "#8fb1c2", fade(y + 240, y - 60, strength=0.9), within=glass)
    c.glaze("#ffffff", lambda a, b: (((a - b * 0.55) % 150) < 34) * 0.16, within=glass)
    for side in (0, 1):
        c.shape(
            [(x + side * 140, y), (x + 70 + (side * 2 - 1) * 26, y), (x + side * 140, y + 190)],
            "#efe6d6" if side else "#f7f1e4",
        )
    c.rect(x + 66, y, x + 74, y + 220, "#f4eee2")
    c.rect(x, y + 104, x + 140, y + 112, "#f4eee2")
    chance = random(int(x))
    c.rect(x - 26, y + 232, x + 166, y + 246, "#cdbfa6")
    c.rect(x - 10, y + 204, x + 150, y + 236, "#6b4a34", round_by=3)
    for _ in range(70):
        px, py = x + float(chance.uniform(-12, 152)), y + 202 - float(chance.uniform(-4, 24))
        c.disc(px, py, float(chance.uniform(5, 10)), mixed("#3f6a38", "#84a354", float(chance.uniform())))
    for _ in range(26):
        px, py = x + float(chance.uniform(-10, 150)), y + 198 - float(chance.uniform(-6, 24))
        c.disc(px, py, 5.5, ("#d8483f", "#f2b8b0", "#f5e6c8")[int(chance.integers(3))])


def _box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _shop(c: Canvas) -> None:
    c.shadow(_box(150, 372, 1110, 830), shift=(16, 12), blur=14, strength=0.5)
    c.rect(150, 372, 1110, 830, TEAL)
    c.glaze("#0f2f36", fade(372, 830, strength=0.45), within=c.mask(_box(150, 372, 1110, 830)))
    c.rect(140, 360, 1120, 384, "#2b646c", round_by=3)
    c.shadow(_box(200, 396, 1060, 476), shift=(4, 6), blur=5, strength=0.5)
    c.rect(200, 394, 1060, 474, "#efe5cf", round_by=5)
    c.rect(208, 402, 1052, 466, "#f7f0df", round_by=4)
    for x in (300, 630, 960):
        c.stroke([(x, 372), (x, 348), (x + 14, 340), (x + 22, 360)], "#20262a", 6)
        c.shape([(x + 4, 374), (x + 14, 352), (x + 34, 352), (x + 44, 374)], "#20262a")
    display = _box(196, 520, 730, 770)
    c.rect(188, 512, 738, 778, "#143a41")
    c.shape(display, "#f0d49a")
    glass = c.mask(display)
    c.glaze("#8c5a2b", fade(520, 800, strength=0.6), within=glass)
    _goods(c)
    c.glaze("#ffffff", lambda a, b: (((a + b * 0.7) % 330) < 62) * 0.13, within=glass)
    for x in (372, 554):
        c.rect(x, 512, x + 8, 778, "#143a41")
    c.rect(196, 790, 730, 826, "#2b646c")
    _door(c)
    _awning(c)


def _goods(c: Canvas) -> None:
    """Shelves of loaves, jars and a hanging lamp behind the glass."""
    for y in (648, 768):
        c.rect(196, y, 730, y + 10, "#6b4424")
    for k, x in enumerate(range(222, 372, 50)):
        c.disc(x + 12, 632, 24, ("#b87636", "#c98b48", "#a8642c")[k % 3], tall=17)
        for cut in (-8, 0, 8):
            c.line([(x + 8 + cut, 622), (x + 14 + cut, 632)], "#ecd2a0", 3)
    for k, x in enumerate((400, 446, 492)):
        c.rect(x, 592, x + 36, 648, ("#a8433a", "#d9a441", "#6d8a4a")[k], round_by=6)
        c.rect(x + 3, 584, x + 33, 595, "#3a2a1d", round_by=3)
        c.rect(x + 4, 612, x + 32, 632, "#f4ead2")
    for x, tall in ((586, 66), (622, 84), (658, 58), (692, 74)):
        c.disc(x, 648 - tall, 15, "#4f7444", tall=26)
        c.rect(x - 12, 626, x + 12, 648, "#b5673f", round_by=3)
    for k, x in enumerate(range(216, 700, 62)):
        c.rect(x, 722 - (k % 3) * 12, x + 46, 768, ("#c9b28a", "#8fa7a0", "#d2a489", "#b79a6b")[k % 4], round_by=4)
    for x in (284, 466, 642):
        c.line([(x, 520), (x, 548)], "#20262a", 3)
        c.shape([(x - 26, 566), (x - 10, 546), (x + 10, 546), (x + 26, 566)], "#20262a")
        c.glaze("#fff2c4", halo(x, 574, 80, strength=0.8))


def _door(c: Canvas) -> None:
    c.rect(800, 508, 1060, 826, "#143a41")
    c.rect(814, 522, 1046, 826, "#8a3b2d", round_by=2)
    c.rect(842, 548, 1018, 718, "#2b3a3f")
    pane = c.mask(_box(848, 554, 1012, 712))
    c.glaze("#e6c07a", fade(760, 520, strength=0.8), within=pane)
    c.glaze("#ffffff", lambda a, b: (((a + b * 0.7) % 330) < 70) * 0.16, within=pane)
    c.rect(842, 738, 1018, 806, "#74301f")
    c.disc(1030, 690, 9, "#e5bf5d")
    c.rect(892, 600, 968, 640, "#f7f0df", round_by=4)
    c.line([(900, 600), (930, 572), (960, 600)], "#3a2a1d", 2.5)
    c.rect(780, 822, 1080, 842, "#b9ab94")


def _awning(c: Canvas) -> None:
    left, right, top, low = 178, 1082, 476, 560
    c.shadow(_box(left, low, right, low + 20), shift=(0, 22), blur=14, strength=0.6)
    count = 16
    step = (right - left) / count
    for k in range(count):
        x = left + k * step
        tone = "#f4ead4" if k % 2 else "#c9573c"
        edge = x - 16 + k * 2.0
        wide = step + 2.0
        c.shape([(x, top), (x + step, top), (edge + wide, low), (edge, low)], tone)
        c.disc(edge + wide / 2, low, wide / 2, mixed(tone, "#5a2a20", 0.12), tall=18)
    c.glaze(
        "#3a1710", fade(470, 580, strength=0.22), within=c.mask([(left, top), (right, top), (1100, low), (160, low)])
    )


def _pavement(c: Canvas) -> None:
    c.rect(0, 820, 1500, 1000, "#b3aa9c")
    for k in range(-16, 40):
        x = k * 72
        c.line([(750 + (x - 750) * 0.86, 836), (750 + (x - 750) * 1.22, 946)], "#978d7f", 2.5)
    for y in (836, 868, 906):
        c.line([(0, y), (1500, y)], "#978d7f", 2.5)
    c.rect(0, 944, 1500, 962, "#d0c7b8")
    c.rect(0, 960, 1500, 1000, "#5a5a5c")
    c.glaze("#2b2320", fade(900, 826, strength=0.35), within=c.mask(_box(0, 820, 1500, 900)))


def _planter(c: Canvas, x: float) -> None:
    c.shadow(_box(x - 44, 860, x + 44, 900), shift=(14, 8), blur=10, strength=0.5)
    chance = random(int(x) + 1)
    for _ in range(160):
        turn, far = float(chance.uniform(0, 6.28)), float(chance.uniform(0, 1)) ** 0.5 * 62
        px, py = x + far * float(np.cos(turn)), 726 + far * float(np.sin(turn))
        c.disc(
            px,
            py,
            float(chance.uniform(7, 13)),
            mixed("#2f5a33", "#8bab58", float(chance.uniform()) * (1.4 - (py - 660) / 140)),
        )
    c.line([(x, 780), (x, 830)], "#5a3c26", 12)
    c.shape([(x - 46, 822), (x + 46, 822), (x + 36, 898), (x - 36, 898)], "#c9b593")
    c.glaze("#6d5a40", fade(x - 30, x + 60, down=False, strength=0.7), within=c.mask(_box(x - 46, 822, x + 46, 898)))
    c.rect(x - 52, 812, x + 52, 832, "#d9c8a8", round_by=3)


def _bicycle(c: Canvas, x: float, y: float) -> None:
    for dx in (0, 190):
        c.shadow(
            [(x + dx - 66, y + 62), (x + dx + 66, y + 62), (x + dx + 66, y + 72), (x + dx - 66, y + 72)],
            shift=(10, 4),
            blur=6,
            strength=0.5,
        )
        c.line(
            [(x + dx + 64 * float(np.cos(a)), y + 64 * float(np.sin(a))) for a in np.linspace(0, 6.3, 60)], "#23262a", 7
        )
        for a in np.linspace(0, np.pi, 9)[:-1]:
            dy, ax = 60 * float(np.sin(a)), 60 * float(np.cos(a))
            c.line([(x + dx - ax, y - dy), (x + dx + ax, y + dy)], "#6d7174", 1.4)
        c.disc(x + dx, y, 6, "#23262a")
    frame = "#2f6f8f"
    c.line([(x, y), (x + 58, y - 88), (x + 158, y - 92), (x + 90, y + 4), (x, y)], frame, 8)
    c.line([(x + 50, y - 108), (x + 90, y + 4)], frame, 8)
    c.line([(x + 150, y - 118), (x + 190, y)], frame, 8)
    c.stroke([(x + 150, y - 118), (x + 146, y - 134), (x + 168, y - 142), (x + 186, y - 132)], "#23262a", 7)
    c.blob([(x + 22, y - 112), (x + 52, y - 122), (x + 82, y - 114), (x + 56, y - 104)], "#5a3420")
    c.disc(x + 90, y + 4, 15, "#6d7174")
    c.line([(x + 90, y + 4), (x + 104, y + 34)], "#23262a", 5)
    c.rect(x + 168, y - 128, x + 232, y - 84, "#b98d56", round_by=6)
    for k in range(5):
        c.line([(x + 172, y - 120 + k * 8), (x + 228, y - 120 + k * 8)], "#8a6236", 1.6)


def draw(size: tuple[int, int]) -> Image.Image:
    """The picture at any size of 3 to 2."""
    c = Canvas(size, 1500, "#b9d3df")
    _bricks(c)
    c.rect(0, 300, 1500, 322, "#d9c9ae")
    c.rect(0, 318, 1500, 328, "#a18c70")
    for x, lit in ((110, False), (410, True), (710, False), (1010, False), (1270, True)):
        _window(c, x, 24, lit=lit)
    _pavement(c)
    _shop(c)
    c.rect(1180, 470, 1400, 826, "#d9c9ae", round_by=2)
    c.rect(1204, 496, 1376, 826, "#33473a")
    for y in (520, 676):
        for x in (1222, 1298):
            c.rect(x, y, x + 60, y + 128, "#2a3b30", round_by=3)
            c.line([(x, y + 128), (x, y), (x + 60, y)], "#4d6553", 3)
    c.disc(1356, 672, 8, "#d9b45a")
    c.rect(1160, 824, 1420, 842, "#c7b99f")
    c.glaze("#fff0cf", halo(1290, 470, 140, strength=0.7))
    c.rect(1278, 436, 1302, 474, "#20262a", round_by=5)
    _planter(c, 770)
    _planter(c, 1110)
    _bicycle(c, 250, 866)
    c.glaze("#ffe3b0", fade(1100, 0, down=False, strength=0.16))
    c.glaze("#1b2a44", fade(500, 1500, down=False, strength=0.22))
    return c.finished(paper=0.05)
