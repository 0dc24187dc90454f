"""Printed matter: an enamel shop plate, a concert poster and an architect's floor plan."""

from __future__ import annotations

import numpy as np
from PIL import Image

from arena.bank.drawing.canvas import Canvas, Point, fade, halo, jittered, mixed, random, smooth
from arena.bank.drawing.noise import fractal


def _arc(x: float, y: float, radius: float, start: float, end: float) -> list[Point]:
    angles = np.deg2rad(np.linspace(start, end, 90))
    return [(x + radius * float(np.cos(a)), y + radius * float(np.sin(a))) for a in angles]


def plate(size: tuple[int, int]) -> Image.Image:
    """A round enamel plate with a heron mark and the made-up name Quillmere Tea, on dark boards."""
    c = Canvas(size, 1000, "#33291f")
    for k in range(5):
        c.rect(k * 200 + 2, 0, k * 200 + 198, 1000, ("#4a3a2b", "#54412f", "#443527", "#503e2d", "#483829")[k])
    c.glaze(
        "#1d150e", lambda x, y: np.clip(fractal(x / 9 + 60 * np.floor(x / 200), y / 260, octaves=4) * 1.5 - 0.5, 0, 0.6)
    )
    c.shadow(_arc(500, 500, 410, 0, 360), shift=(22, 30), blur=22, strength=0.8)
    for radius, tone in ((412, "#c9a44c"), (400, "#8c6a22"), (396, "#0f3b3d"), (372, "#d9bd73"), (366, "#12484a")):
        c.disc(500, 500, radius, tone)
    face = c.mask(_arc(500, 500, 396, 0, 360))
    c.glaze("#061f22", halo(760, 820, 700, strength=0.7), within=face)
    gold = "#e8cf8b"
    c.disc(500, 398, 168, gold)
    c.disc(500, 398, 158, "#1b5a59")
    c.disc(560, 330, 62, "#f0dca2")
    for k, y in enumerate((470, 492, 514)):
        wide = (150, 128, 96)[k]
        c.stroke(
            [(500 - wide, y), (500 - wide / 2, y - 7), (500, y), (500 + wide / 2, y + 7), (500 + wide, y)], gold, 6
        )
    _heron(c, "#f7edd2")
    c.text(500, 632, "QUILLMERE", gold, 92, heavy=1.6)
    c.line([(300, 700), (440, 700)], gold, 4)
    c.line([(560, 700), (700, 700)], gold, 4)
    c.text(500, 700, "TEA", gold, 46, heavy=1)
    c.text(500, 760, "BLENDED BY THE LAKE", gold, 32, heavy=0.4)
    c.shape([(500, 812), (514, 830), (500, 848), (486, 830)], gold)
    c.glaze("#ffffff", lambda x, y: np.clip(0.9 - np.abs(x + y * 0.8 - 620) / 120, 0, 1) * 0.13, within=face)
    for x, y in ((500, 117), (500, 883), (117, 500), (883, 500)):
        c.disc(x, y, 11, "#8c6a22")
        c.disc(x - 2, y - 2, 8, "#f0dca2")
        c.line([(x - 5, y - 4), (x + 3, y + 2)], "#6b4f18", 2.4)
    return c.finished(paper=0.03)


def _heron(c: Canvas, colour: str) -> None:
    c.blob([(420, 420), (470, 380), (540, 392), (600, 440), (548, 446), (490, 448), (440, 444)], colour)
    c.stroke([(440, 424), (418, 376), (452, 336), (440, 296), (414, 288)], colour, 15)
    c.shape([(426, 278), (428, 298), (340, 306)], colour)
    c.stroke([(436, 284), (462, 276), (486, 282)], colour, 4)
    c.line([(486, 446), (482, 506)], colour, 5)
    c.line([(510, 446), (520, 478), (506, 512)], colour, 5)
    c.disc(424, 288, 3, "#12484a")


def poster(size: tuple[int, int]) -> Image.Image:
    """A concert poster: a double bass as a tower above a town by night, with five lines of type."""
    c = Canvas(size, 1000, "#14213d")
    c.glaze("#3a2a5c", fade(300, 1100, strength=0.9))
    c.glaze("#d9653b", fade(760, 1180, strength=0.85))
    chance = random(21)
    for _ in range(170):
        y = float(chance.uniform(60, 800))
        c.disc(float(chance.uniform(60, 940)), y, float(chance.uniform(0.8, 2.6)), "#f4e3c1")
    c.glaze("#f7d58a", halo(700, 560, 420, strength=0.55))
    c.disc(700, 560, 150, "#f4d58d")
    c.glaze("#d9a55a", halo(760, 620, 130, strength=0.7))
    for radius in (200, 250, 300):
        c.line(_arc(700, 560, radius, 0, 360), mixed("#f4d58d", "#3a2a5c", (radius - 120) / 220), 2.5)
    for row, (base, tone) in enumerate(((1010, "#5d3358"), (1075, "#3a2348"), (1150, "#1a1530"))):
        _town(c, base, tone, row)
    _bass(c)
    c.rect(0, 1240, 1000, 1500, "#f1e4c8")
    c.text(500, 110, "HARBOUR", "#f4e3c1", 138, heavy=3)
    c.text(500, 207, "JAZZ NIGHTS", "#f0a35c", 84, heavy=2)
    c.text(500, 1296, "12 - 16 AUGUST", "#14213d", 84, heavy=2)
    c.text(500, 1378, "OLD ROPE FACTORY, PIER 7", "#9c3f24", 44, heavy=0.8)
    c.text(500, 1440, "DOORS 19:30   ENTRY 8", "#14213d", 36, heavy=0.4)
    for box in ((0, 0, 1000, 34), (0, 0, 34, 1500), (966, 0, 1000, 1500), (0, 1466, 1000, 1500)):
        c.rect(*box, "#f1e4c8")
    c.line([(60, 1250), (940, 1250)], "#9c3f24", 5)
    return c.finished(paper=0.10)


def _town(c: Canvas, base: float, tone: str, row: int) -> None:
    chance, x = random(40 + row), -20.0
    while x < 1000:
        wide, tall = float(chance.uniform(54, 120)), float(chance.uniform(60, 190))
        c.rect(x, base - tall, x + wide, 1260, tone)
        kind = int(chance.integers(3))
        if kind == 0:
            c.shape([(x - 6, base - tall), (x + wide / 2, base - tall - 46), (x + wide + 6, base - tall)], tone)
        elif kind == 1:
            c.rect(x + wide * 0.6, base - tall - 34, x + wide * 0.6 + 16, base - tall, tone)
        for wx in np.arange(x + 12, x + wide - 16, 24.0):
            for wy in np.arange(base - tall + 16, min(base + 60, 1220), 34.0):
                if chance.uniform() < 0.34:
                    c.rect(
                        float(wx),
                        float(wy),
                        float(wx) + 11,
                        float(wy) + 16,
                        ("#f2b45f", "#f4d58d")[int(chance.integers(2))],
                    )
        x += wide + 2


def _bass(c: Canvas) -> None:
    right: list[Point] = [
        (300, 640),
        (352, 652),
        (404, 700),
        (410, 764),
        (372, 812),
        (364, 856),
        (420, 906),
        (456, 990),
    ]
    right += [(440, 1090), (372, 1150), (300, 1166)]
    body = smooth([*right, *[(600 - x, y) for x, y in reversed(right[1:-1])]])
    c.shadow(body, shift=(22, 20), blur=22, strength=0.6)
    c.shape(body, "#8a3b1e")
    mask = c.mask(body)
    c.glaze("#d9803a", halo(240, 960, 260, strength=0.9), within=mask)
    c.glaze("#3f150c", fade(320, 470, down=False, strength=0.75), within=mask)
    c.line([*body, body[0]], "#f0a35c", 5)
    for side in (1, -1):
        c.stroke([(300 + side * 72, 842), (300 + side * 58, 890), (300 + side * 78, 940)], "#1a0d0a", 8)
        c.disc(300 + side * 66, 838, 9, "#1a0d0a")
        c.disc(300 + side * 84, 944, 9, "#1a0d0a")
    c.shape([(282, 330), (318, 330), (330, 800), (270, 800)], "#1d110d")
    c.shape([(262, 930), (338, 930), (330, 952), (270, 952)], "#e8c48f")
    c.shape([(282, 1000), (318, 1000), (326, 1120), (274, 1120)], "#1d110d")
    c.stroke([(300, 340), (290, 306), (306, 276), (330, 288), (322, 308)], "#8a3b1e", 20)
    for k in range(4):
        c.line([(289 + k * 7.4, 332), (280 + k * 13.5, 1004)], "#f1e4c8", 1.8)
    for y in (330, 362):
        c.line([(258, y), (342, y)], "#d9a55a", 8)
    c.line([(300, 1160), (300, 1236)], "#d9a55a", 8)


INK = "#26323c"


def floor_plan(size: tuple[int, int]) -> Image.Image:
    """A two-bedroom flat in pen and pencil on tinted paper, with room names and a scale."""
    c = Canvas(size, 1500, "#f3ecdc")
    _washed_paper(c)
    _plan_walls(c)
    _furniture(c)
    _room_names(c)
    _measures(c)
    return c.finished(paper=0.05)


def _washed_paper(c: Canvas) -> None:
    for x in range(0, 1500, 25):
        c.line([(x, 0), (x, 1000)], "#e3dcc8" if x % 125 else "#d5cdb6", 1)
        c.line([(0, x), (1500, x)], "#e3dcc8" if x % 125 else "#d5cdb6", 1)
    washes = (
        (150, 130, 640, 520, "#dfe3c4"),
        (640, 130, 960, 520, "#cfdde2"),
        (960, 130, 1350, 520, "#e9d6c0"),
        (150, 620, 560, 860, "#e9d6c0"),
        (560, 620, 800, 860, "#cfe0e0"),
        (800, 620, 1350, 860, "#e6dfb9"),
        (150, 520, 1350, 620, "#efe5cf"),
    )
    for left, top, right, bottom, tone in washes:
        c.rect(left, top, right, bottom, tone)


def _plan_walls(c: Canvas) -> None:
    chance = random(9)
    c.glaze("#8a7a58", lambda x, y: np.clip(fractal(x / 70, y / 70, octaves=4) - 0.52, 0, 1) * 0.5)
    walls: list[list[Point]] = [
        [(150, 130), (1350, 130)], [(1350, 130), (1350, 860)], [(1350, 860), (150, 860)], [(150, 860), (150, 620)],
        [(150, 520), (150, 130)], [(150, 520), (330, 520)], [(430, 520), (700, 520)], [(800, 520), (1060, 520)],
        [(1160, 520), (1350, 520)], [(150, 620), (400, 620)], [(490, 620), (600, 620)], [(680, 620), (900, 620)],
        [(1060, 620), (1350, 620)], [(640, 130), (640, 520)], [(960, 130), (960, 520)], [(560, 620), (560, 860)],
        [(800, 620), (800, 860)],
    ]  # fmt: skip
    for wall in walls:
        for _ in range(2):
            c.line(jittered(chance, wall, 1.6), INK, 13)
    for a, b in (
        ((250, 130), (520, 130)),
        ((720, 130), (880, 130)),
        ((1060, 130), (1250, 130)),
        ((960, 860), (1220, 860)),
        ((240, 860), (440, 860)),
    ):
        c.line([a, b], "#f3ecdc", 9)
        c.line([a, b], INK, 2.5)
    for x, y, r, start in (
        (330, 520, 100, 270),
        (700, 520, 100, 270),
        (1060, 520, 100, 270),
        (400, 620, 90, 0),
        (600, 620, 80, 0),
    ):
        c.line(_arc(x, y, r, start, start + 90), "#6c7a80", 2.5)
        c.line([(x, y), (x, y + (r if start == 0 else -r))], INK, 4)
    c.line(_arc(150, 520, 100, 0, 90), "#6c7a80", 2.5)
    c.line([(150, 520), (250, 520)], INK, 4)


def _room_names(c: Canvas) -> None:
    for x, y, name, area in (
        (440, 375, "LIVING", "19.1 sq m"), (868, 425, "KITCHEN", "12.5 sq m"), (1240, 440, "BEDROOM 1", "15.2 sq m"),
        (322, 700, "STUDY", "9.8 sq m"), (705, 800, "BATH", "5.8 sq m"), (1225, 770, "BEDROOM 2", "13.2 sq m"),
    ):  # fmt: skip
        c.text(x, y, name, INK, 27, heavy=0.5)
        c.text(x, y + 27, area, "#7b6a52", 20)


def _measures(c: Canvas) -> None:
    c.text(730, 571, "HALL", INK, 27, heavy=0.5)
    c.line([(150, 80), (1350, 80)], "#9c4a32", 2)
    for x in (150, 640, 960, 1350):
        c.line([(x - 8, 88), (x + 8, 72)], "#9c4a32", 3)
    for x, words in ((395, "4.90"), (800, "3.20"), (1155, "3.90")):
        c.text(x, 62, words, "#9c4a32", 24)
    c.text(330, 940, "GROUND FLOOR  1 : 50", INK, 30, heavy=0.4)
    for k in range(5):
        c.rect(1000 + k * 70, 928, 1070 + k * 70, 942, INK if k % 2 else "#f3ecdc")
    c.line([(1000, 928), (1350, 928), (1350, 942), (1000, 942), (1000, 928)], INK, 2)
    c.text(1000, 962, "0", INK, 22)
    c.text(1350, 962, "5 m", INK, 22)
    c.line(_arc(1430, 900, 34, 0, 360), INK, 2.5)
    c.shape([(1430, 856), (1444, 916), (1430, 904), (1416, 916)], "#9c4a32")
    c.text(1430, 838, "N", INK, 26, heavy=0.5)


def _furniture(c: Canvas) -> None:
    chance = random(14)

    def outline(left: float, top: float, right: float, bottom: float) -> None:
        corners: list[Point] = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        c.line(jittered(chance, corners, 1.5), "#4d5b63", 3)

    for box in (
        (180, 200, 250, 430), (180, 200, 206, 430), (300, 240, 400, 300), (560, 170, 620, 330), (680, 150, 930, 200),
        (740, 290, 860, 380), (1080, 170, 1250, 390), (1080, 170, 1250, 235), (980, 400, 1030, 505), (190, 650, 240, 780),
        (260, 800, 440, 848), (580, 640, 640, 790), (740, 700, 785, 760), (940, 660, 1100, 840), (940, 660, 1000, 840),
        (1250, 640, 1335, 700),
    ):  # fmt: skip
        outline(*box)
    for x, y, r in ((710, 175, 16), (750, 175, 16), (880, 175, 18), (610, 665, 12), (762, 730, 14), (350, 782, 18)):
        c.line(_arc(x, y, r, 0, 360), "#4d5b63", 2.5)
    for x, y in ((725, 315), (725, 355), (875, 315), (875, 355)):
        c.line(_arc(x, y, 14, 0, 360), "#4d5b63", 2.5)
    for x, y in ((600, 480), (1310, 170)):
        for turn in range(0, 360, 40):
            a = np.deg2rad(turn)
            c.stroke(
                [
                    (x, y),
                    (x + 14 * float(np.cos(a)), y + 14 * float(np.sin(a))),
                    (x + 24 * float(np.cos(a + 0.3)), y + 24 * float(np.sin(a + 0.3))),
                ],
                "#5f7d4a",
                2.5,
            )
