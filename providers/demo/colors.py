"""Colours and the hand-mixed palettes; a prompt's colour words tint a palette, they never replace its balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

Color = tuple[float, float, float]
"""Red, green, blue, 0 to 1."""


def hex_color(text: str) -> Color:
    """The colour written as six hexadecimal digits."""
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


def mix(first: Color, second: Color, part: float) -> Color:
    """`first` with `part` (0 to 1) of it replaced by `second`."""
    red, green, blue = (a + (b - a) * part for a, b in zip(first, second, strict=True))
    return red, green, blue


def brightness(color: Color) -> float:
    """Perceived lightness, 0 to 1 (Rec. 601 weights)."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def scaled(color: Color, factor: float) -> Color:
    """`color` made `factor` times as bright, clipped."""
    red, green, blue = (min(1.0, max(0.0, c * factor)) for c in color)
    return red, green, blue


def toward(color: Color, target: Color, part: float) -> Color:
    """`color` with `part` of its hue taken from `target`, its lightness mostly kept."""
    wanted, have = brightness(color), max(0.02, brightness(target))
    if wanted <= have:
        matched = scaled(target, wanted / have)
    else:
        matched = mix(target, (1.0, 1.0, 1.0), min(1.0, (wanted - have) / max(1e-3, 1 - have)))
    return mix(color, mix(matched, target, 0.12), part)


@dataclass(frozen=True, slots=True)
class Palette:
    """Sixteen colours with a part to play; `is_dark` says that lamps and windows shine."""

    sky_top: Color
    sky_mid: Color
    sky_low: Color
    sun: Color
    far: Color
    mid: Color
    near: Color
    dark: Color
    light: Color
    accent: Color
    second: Color
    leaf: Color
    water: Color
    glow: Color
    is_dark: bool


def _mixed(row: str, *, is_dark: bool) -> Palette:
    names = [field.name for field in fields(Palette) if field.name != "is_dark"]
    colors = {name: hex_color(text) for name, text in zip(names, row.split(), strict=True)}
    return Palette(is_dark=is_dark, **colors)


_DARK = frozenset({"dusk", "violet", "night", "aurora", "storm", "umber", "nocturne"})
_ROWS = {
    "dusk": "3b4a6b 8d7f94 f0b283 ffe9c4 6d6c86 4a4a63 2c3042 1d202b f4ead6 c8503c e8a04c 4c6a58 4a6580 ffd98a",
    "violet": "2c2654 6e4f88 dd9488 ffdcb8 8a6796 5f467c 3d2e59 241c3a f6e6dc e4785a f0b35f 5b6a72 5d5a8c ffdf9c",
    "night": "0d1833 1c2f55 3c5578 f3efdc 2f4266 1f304e 141f35 0b1220 dfe2dd c9873f 7b93b5 2b4f45 27466b ffe08a",
    "aurora": "0b1c2c 12404a 3f7f78 eef3da 24505a 173c46 0e2733 081923 e2ebe2 d9a04e 6fb39a 2d6a58 1f5560 ffe9a0",
    "noon": "5f9fbf a3ccd6 e9efe2 fff6dc a3bfc0 74998a 4c7562 294a47 fbf5e6 d9583b eeb04a 4f8a5b 3f8c96 fff0b8",
    "dawn": "8ba6c2 dcbfc0 f8dcc0 fff3da b3b4c7 8588a2 585c79 373b54 fcf3e6 e07a5f f2b872 6b8f79 88a5b8 ffe7b0",
    "mist": "9fb7c1 ccd8d8 eeeadd fff6dc bccaca 84a3a0 4d7672 2a4e4e f5f2e8 c4714f dcb46a 4f7f6c 8fb0b3 fff0c9",
    "golden": "5f94a3 d9c496 f9dfa6 fff2cf cfa877 b07d4d 845534 4d3122 fff3dc c2502e e9a83e 7c8a45 5a99a0 ffe6a0",
    "desert": "6ea7b5 b9cfc4 f3dcb4 fff4d6 e6bf8c cf955c a9663b 6d3c27 fff1d8 c2502e e6a347 8a8f55 5f9ea6 ffe9b0",
    "autumn": "a99c8b dcc5a4 f4e1c0 fff0d0 b08c69 b0683a 7d4127 3f261d f9ecd4 c2431f e5a03a 86793a 7d9296 ffdf9a",
    "winter": "8ea8c1 c2d2df f0f1ee fffaf0 b9c9d8 8fa6bb 5d7790 2f4459 fbfbf7 c8573a dca765 4a6b66 7f9fb5 ffe6ae",
    "storm": "3e4a56 6b7780 aab0ab e6e4d4 78858e 535f6b 38434e 20282f e3e2da b8573f c9a25c 4c6157 4d6470 ffdc94",
    "spring": "a4ccd6 d5e6da f6f0dc fff8e0 aac7af 7dab89 508666 2c5544 fbf6ea e2725b f2bd4f 5a9a5f 6fb0b5 fff2bf",
    "nordic": "cfd9d6 e2e3da f1ebdf fdf6e6 a9bdbb 6f9394 3f6a6f 1f3f46 f8f3e9 d0693f e3b066 567f6d 4f8a92 ffeec6",
    "studio": "b5a68f d3c4aa e9dcc4 fff4dc c9b797 a98f6c 7a5c41 3b2d24 faf1e0 c0562f dfa53d 808d4c 4f7380 fff0cc",
    "umber": "28312f 46544f 6d7b72 f2e8cf 5d5a4c 70533a 543a28 1b1d1c efe6d2 b8492e e0a13a 8fa149 3f6f73 ffe0a0",
    "rose": "e3bfb2 efd5c6 f8e8da fff5e6 d8a898 bb7f72 8a5350 4b2c33 fdf3ea c4533f e9ae5c 7d8f6a 7b9aa3 fff0cf",
    "poster": "f0e5ce f3ead7 f7f0e0 e9b04a 8fb0a2 4f8577 2c5d52 1a2b2e faf4e6 cb5030 dea43a 2f6152 28518a ffe2a0",
    "nocturne": "14233f 1a2d4f 27406a f2c14e 3d6280 4f8f8f 2b4a6b 0e182b f7ecd7 ea6440 f0ae46 5fa08f 2f6f8f ffd880",
}
PALETTES: dict[str, Palette] = {name: _mixed(row, is_dark=name in _DARK) for name, row in _ROWS.items()}
"""Written by hand, each a time of day, a season or a room."""

COLOR_WORDS: dict[str, Color] = {
    word: hex_color(code)
    for code, words in {
        "c8362b": "red rot rouge rojo rosso scarlet crimson ruby vermilion cherry 赤 红 红色",
        "b5513a": "rust brick terracotta",
        "e2762f": "orange apricot tangerine amber copper",
        "e9b53a": "yellow gelb mustard saffron lemon ochre 黄",
        "d9a23a": "gold golden brass honey",
        "4f9a55": "green grün vert verde emerald sage 緑 绿",
        "7b8b45": "olive moss",
        "2f8f8c": "teal turquoise cyan aqua petrol",
        "2f62b0": "blue blau bleu azul cobalt navy azure 青 蓝",
        "4b4aa0": "indigo ultramarine",
        "7a4fa0": "purple violet lila plum lavender magenta mauve",
        "dc7f98": "pink rosa blush coral",
        "7a5236": "brown braun brun chocolate umber sepia",
        "23262b": "black schwarz noir negro charcoal ebony",
        "f4f1ea": "white weiss blanc blanco ivory 白",
        "8d9196": "grey gray silver grau slate",
        "ead9b8": "beige cream sand",
    }.items()
    for word in words.split()
}
"""Colour names a prompt may use, several tongues, one calm pigment each."""


def tinted(palette: Palette, colors: Sequence[Color], strength: float) -> Palette:
    """`palette` leaning to the prompt's colours by `strength` (0 to 1); the first leads, the second answers it."""
    if not colors:
        return palette
    lead = colors[0]
    answer = colors[1] if len(colors) > 1 else lead
    second = answer if len(colors) > 1 else mix(palette.second, lead, 0.25)
    return replace(
        palette,
        sky_top=toward(palette.sky_top, lead, strength),
        sky_mid=toward(palette.sky_mid, lead, strength),
        sky_low=toward(palette.sky_low, lead, strength),
        far=toward(palette.far, lead, strength),
        mid=toward(palette.mid, lead, strength),
        near=toward(palette.near, answer, strength),
        dark=toward(palette.dark, lead, strength),
        leaf=toward(palette.leaf, answer, strength),
        water=toward(palette.water, answer, strength),
        accent=lead,
        second=second,
        sun=toward(palette.sun, lead, strength * 0.3),
        light=toward(palette.light, lead, strength * 0.15),
    )
