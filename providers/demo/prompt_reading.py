"""A prompt understood: what to show, in which light and colours, with which words set in type.

Word lists and rules of precedence, no model. All three manners get the same reading, so that they answer alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from providers.demo.colors import COLOR_WORDS, PALETTES, Color, Palette, tinted
from providers.demo.vocabulary import (
    KIND_ORDER,
    KINDS,
    MOODS,
    NUMBERS,
    PORTRAIT_WORDS,
    STOP_CAPITALS,
    SUBJECTS,
    WEATHER,
    WIDE_WORDS,
    Kind,
)

QUOTED: Final = re.compile(r"[\"“„«「]([^\"”“»」]{1,40})[\"”“»」]|(?<!\w)['‘]([^'’]{2,40})['’](?!\w)")
CAPITALS: Final = re.compile(r"\b[A-Z][A-Z0-9&]+(?:[ ][A-Z0-9&]{2,})*\b")
TOKEN: Final = re.compile(r"[a-zà-öø-ÿ0-9]+|[\u3040-\u30ff\u4e00-\u9fff]")
KIND_MOODS: Final[dict[Kind, tuple[str, ...]]] = {
    "poster": ("poster", "nocturne", "nordic", "rose"),
    "logo": ("poster", "nordic", "rose", "spring"),
    "portrait": ("studio", "rose", "umber", "nordic"),
    "animal": ("mist", "golden", "spring", "dawn"),
    "lighthouse": ("dusk", "dawn", "noon", "golden"),
    "boat": ("dawn", "noon", "golden", "dusk"),
    "still_life": ("studio", "umber", "rose", "nordic"),
    "interior": ("studio", "rose", "nordic", "golden"),
    "plant": ("rose", "nordic", "spring", "studio"),
    "city": ("violet", "dusk", "dawn", "mist"),
    "house": ("dawn", "spring", "golden", "dusk"),
    "forest": ("mist", "spring", "golden", "autumn"),
    "dunes": ("desert", "golden", "dawn", "violet"),
    "ridges": ("mist", "dawn", "violet", "spring"),
    "sea": ("noon", "dawn", "golden", "dusk"),
    "field": ("golden", "spring", "dawn", "noon"),
    "space": ("night", "nocturne", "violet", "aurora"),
    "abstract": ("poster", "nocturne", "nordic", "rose", "umber"),
}
INDOORS: Final[frozenset[Kind]] = frozenset(
    {"poster", "logo", "portrait", "still_life", "interior", "plant", "abstract"}
)
INDOOR_MOODS: Final = {
    "night": "umber",
    "dusk": "umber",
    "dawn": "rose",
    "noon": "nordic",
    "winter": "nordic",
    "storm": "umber",
    "mist": "nordic",
    "desert": "studio",
    "golden": "studio",
}
NEIGHBOURS: Final = {
    "night": ("night", "aurora", "nocturne"),
    "dusk": ("dusk", "violet"),
    "dawn": ("dawn", "mist"),
    "noon": ("noon", "spring"),
    "golden": ("golden", "desert"),
    "mist": ("mist", "winter"),
    "storm": ("storm",),
    "winter": ("winter", "dawn"),
    "autumn": ("autumn", "golden"),
    "spring": ("spring", "noon"),
    "desert": ("desert", "golden"),
    "violet": ("violet", "nocturne"),
    "aurora": ("aurora",),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the pictures of one prompt have in common."""

    kind: Kind
    """The scene to compose."""
    kinds: frozenset[str]
    """All scenes the prompt names: the setting of a subject is among them."""
    subjects: tuple[str, ...]
    """Things named, in the prompt's order."""
    moods: tuple[str, ...]
    """Hour, season or weather palettes named, in the prompt's order."""
    wishes: frozenset[str]
    """Sun, moon, rain, birds and such, to be drawn into the scene."""
    colors: tuple[Color, ...]
    lettering: tuple[str, ...]
    """Words to set in type, at most three."""
    count: int | None
    """How many of the subject; `None` when the prompt does not say."""
    words: tuple[str, ...]

    def wants(self, *wishes: str) -> bool:
        """Whether the prompt names one of `wishes`, as a wish, a subject or a kind."""
        return any(wish in self.wishes or wish in self.subjects or wish in self.kinds for wish in wishes)


def read_prompt(prompt: str) -> Reading:
    """What `prompt` asks for; a prompt without a known word becomes an abstract composition of its own."""
    lettering = _lettering(prompt)
    words = tuple(_singular(word) for word in TOKEN.findall(prompt.lower()))
    kinds = {KINDS[word] for word in words if word in KINDS}
    named = [kind for kind in KIND_ORDER if kind in kinds]
    kind: Kind = named[0] if named else "abstract"
    if "abstract" in words or "geometric" in words or "bauhaus" in words:
        kind = "abstract"
    if kind == "interior" and "still_life" in kinds and ("product" in words or "still" in words):
        kind = "still_life"
    subjects = tuple(dict.fromkeys(SUBJECTS[word] for word in words if word in SUBJECTS))
    return Reading(
        kind=_settled(kind, kinds, words),
        kinds=frozenset(kinds),
        subjects=subjects,
        moods=tuple(dict.fromkeys(MOODS[word] for word in words if word in MOODS)),
        wishes=frozenset(WEATHER[word] for word in words if word in WEATHER),
        colors=tuple(dict.fromkeys(COLOR_WORDS[word] for word in _color_words(words, kind))),
        lettering=lettering,
        count=next((NUMBERS[word] for word in words if word in NUMBERS), None),
        words=words,
    )


def palette_for(reading: Reading, rng: np.random.Generator, variation: int) -> Palette:
    """The palette of one picture: the hour named, else one that suits the scene; later variations take a neighbour."""
    candidates = KIND_MOODS[reading.kind]
    mood = _strongest_mood(reading)
    if mood is not None:
        indoors = (INDOOR_MOODS.get(mood, candidates[0]), *candidates[1:])
        candidates = indoors if reading.kind in INDOORS else NEIGHBOURS[mood]
    # The first picture takes the surest palette most of the time: a newcomer's first look is no gamble.
    if variation == 0:
        choice = candidates[0] if mood or rng.random() < 0.6 else candidates[int(rng.integers(len(candidates)))]
    else:
        choice = candidates[variation % len(candidates)]
    strength = 0.25 if _names_a_thing(reading) else 0.62
    return tinted(PALETTES[choice], reading.colors, strength)


def page_shape(prompt: str) -> tuple[int, int]:
    """Width and height in pixels for size `auto`: upright or wide when the words suggest it, else square."""
    words = {_singular(word) for word in TOKEN.findall(prompt.lower())}
    if words & WIDE_WORDS:
        return 1536, 1024
    if words & PORTRAIT_WORDS:
        return 1024, 1536
    return 1024, 1024


def _singular(word: str) -> str:
    known = (KINDS, SUBJECTS, MOODS, WEATHER, COLOR_WORDS, NUMBERS)
    if any(word in table for table in known):
        return word
    for ending, instead in (("ies", "y"), ("ves", "f"), ("es", ""), ("s", "")):
        stem = word.removesuffix(ending) + instead
        if word.endswith(ending) and any(stem in table for table in known):
            return stem
    return word


def _settled(kind: Kind, kinds: set[str], words: tuple[str, ...]) -> Kind:
    """`kind`, unless the words around it say otherwise."""
    if kind == "still_life" and "interior" in kinds and {"armchair", "room", "interior", "corner"} & set(words):
        return "interior"
    if kind == "plant" and {"forest", "city", "house"} & kinds and "garden" in words:
        return "house" if "house" in kinds else "plant"
    return kind


def _color_words(words: tuple[str, ...], kind: Kind) -> list[str]:
    """The words that name a colour; in a still life an orange is a fruit."""
    fruit = kind == "still_life" and "orange" in words
    return [word for word in words if word in COLOR_WORDS and not (fruit and word == "orange")]


def _lettering(prompt: str) -> tuple[str, ...]:
    quoted = [first or second for first, second in QUOTED.findall(prompt)]
    plain = QUOTED.sub(" ", prompt)
    shouting = plain.isupper() and len(plain.split()) > 3
    capitals = [] if shouting else [word for word in CAPITALS.findall(plain) if word not in STOP_CAPITALS]
    texts = (_printable(text) for text in (*quoted, *capitals))
    return tuple(dict.fromkeys(text for text in texts if text))[:3]


def _printable(text: str) -> str:
    """What the bundled typeface can set: Latin letters, digits and plain punctuation."""
    return "".join(char for char in text if char.isascii() and char.isprintable() or "À" <= char <= "ž").strip()[:28]


def _strongest_mood(reading: Reading) -> str | None:
    """The mood that decides the palette: the hour before the season, both before the rest."""
    order = ("night", "aurora", "dusk", "winter", "storm", "autumn", "dawn", "golden", "mist")
    if reading.kind in {"abstract", "logo"}:
        return next((mood for mood in ("night",) if mood in reading.moods), None)
    return next((mood for mood in (*order, *reading.moods) if mood in reading.moods), None)


def _names_a_thing(reading: Reading) -> bool:
    """Whether the colour belongs to a thing (a red fox) rather than to the whole picture."""
    return reading.kind in {"animal", "still_life", "boat", "portrait", "house", "interior"}
