"""Every source image: its id, its size and the function that draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from arena.bank.drawing import figures, graphics, interiors, landscape, still_life, street, studio, textiles

SQUARE, WIDE, TALL = (1024, 1024), (1536, 1024), (1024, 1536)


@dataclass(frozen=True, slots=True)
class Picture:
    """A source image that can be drawn again at any size of its shape."""

    source_id: str
    size: tuple[int, int]
    draw: Callable[[tuple[int, int]], Image.Image]


PICTURES = (
    Picture("bottle", SQUARE, studio.bottle),
    Picture("cat", SQUARE, figures.cat),
    Picture("chair", SQUARE, studio.chair),
    Picture("concert-poster", TALL, graphics.poster),
    Picture("enamel-plate", SQUARE, graphics.plate),
    Picture("fabric", SQUARE, textiles.fabric),
    Picture("floor-plan", WIDE, graphics.floor_plan),
    Picture("gardener", TALL, figures.gardener),
    Picture("jumper", SQUARE, textiles.jumper),
    Picture("living-room", WIDE, interiors.room),
    Picture("mountain-lake", WIDE, landscape.draw),
    Picture("mug", SQUARE, studio.mug),
    Picture("robot", SQUARE, studio.robot),
    Picture("still-life", WIDE, still_life.draw),
    Picture("street-front", WIDE, street.draw),
    Picture("table-setting", SQUARE, interiors.table),
)
