"""From a reading to a drawing: which scene is played, with which palette, in which frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from providers.demo.prompt_reading import Reading, palette_for
from providers.demo.scenes.abstract import abstract
from providers.demo.scenes.animals import animal
from providers.demo.scenes.botany import plant
from providers.demo.scenes.city import city
from providers.demo.scenes.figures import portrait
from providers.demo.scenes.interior import interior
from providers.demo.scenes.land import dunes, field, forest, homestead, ridges, space
from providers.demo.scenes.poster import logo, poster
from providers.demo.scenes.sea import boat, lighthouse, open_sea
from providers.demo.scenes.stage import Stage
from providers.demo.scenes.still_life import still_life
from providers.demo.shapes import Drawing, Shape
from providers.demo.vocabulary import Kind

Scene = Callable[[Stage], tuple[list[Shape], tuple[float, float] | None]]

SCENES: dict[Kind, Scene] = {
    "poster": poster,
    "logo": logo,
    "portrait": portrait,
    "animal": animal,
    "lighthouse": lighthouse,
    "boat": boat,
    "still_life": still_life,
    "interior": interior,
    "plant": plant,
    "city": city,
    "house": homestead,
    "forest": forest,
    "dunes": dunes,
    "ridges": ridges,
    "sea": open_sea,
    "field": field,
    "space": space,
    "abstract": abstract,
}


def compose(reading: Reading, size: tuple[int, int], rng: np.random.Generator, *, variation: int = 0) -> Drawing:
    """The scene of `reading` for a picture of `size` (width, height) pixels; `variation` counts within one request."""
    short = min(size)
    palette = palette_for(reading, rng, variation)
    stage = Stage(reading=reading, palette=palette, width=size[0] / short, height=size[1] / short, rng=rng)
    shapes, light_at = SCENES[reading.kind](stage)
    return Drawing(
        width=stage.width,
        height=stage.height,
        paper=palette.light,
        shapes=tuple(shapes),
        light_at=light_at,
        light_color=palette.glow,
    )
