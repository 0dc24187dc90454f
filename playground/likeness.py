"""How alike two pictures look, whatever encoder, size, plain border or small crop lies between them. Pure.

Finding one among many takes two steps. First the 64 bits that are kept of every image (`delivery.phash_of`) are held against
those of a few `guesses`: how the picture would have looked before somebody put a border around it, or cut some of its edge off.
Then small copies of the nearest are laid over each other (`apart`), cut by cut, until they fit as well as they can.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy
from numpy.typing import NDArray
from PIL import Image

from playground.delivery import phash_of

MATCH_APART = 0.2
"""Default distance: up to it two pictures count as the same one. Measured: `benchmarks/recall.py`."""
NEAR_APART = 0.45
"""Up to here a picture is worth showing as one that looks similar."""

_CUTS = (0.03, 0.055, 0.085, 0.12)
"""Parts of the picture that may have been cut off on each side."""
_PLAIN_STEPS = 24
"""Of 255: so far a line of a plain border may be from one colour, with what an encoder adds."""
_MOST_BORDER = 0.4
"""Of the width or height: a plain border on one side is no wider."""
_EDGE = 32
"""Side of the copies that are laid over each other."""
_WORKING_PX = 128
_FLATTEST = 10.0
"""Of 255: how much a picture varies at least for its variation to be held against another's."""
_GAIN = (0.75, 1.33)
"""So much brighter or darker a copy may be and still be the same picture."""
_STEP = 0.0125
_CERTAIN = 0.1
"""A fit as good as this need not be looked for any further, """
_HOPELESS = 0.95
"""nor one as bad as this."""
_MOST_CUT = 0.16


class Pixels(NamedTuple):
    """A small copy of a picture, ready for comparing."""

    values: NDArray[numpy.float32]
    """Of all channels, less their mean."""
    mean: float
    square: float
    """The mean of the squares of `values`."""


Cut = tuple[float, float, float, float]
"""Left, top, right, bottom: parts of width or height that are left away."""
_ALIKE: tuple[Cut, ...] = ((0.0, 0.0, 0.0, 0.0), *((part, part, part, part) for part in _CUTS))


def bits_of(phash: str) -> int:
    """The hash as a number of 64 bits."""
    return int(phash, 16)


def guesses(picture: Image.Image) -> list[int]:
    """Hashes of how the picture may have looked: as it is, without its plain border, and before its edges were cut off."""
    flat = _small(picture)
    bare = without_border(flat)
    variants = [flat, bare] if bare.size != flat.size else [flat]
    variants += [_regrown(bare, (part, part, part, part)) for part in _CUTS]
    variants += [_regrown(bare, _one_side(side, part)) for side in range(4) for part in (0.05, 0.1)]
    return list(dict.fromkeys(bits_of(phash_of(each)) for each in variants))


def without_border(picture: Image.Image) -> Image.Image:
    """The picture without the plain borders around it; itself where it has none, or where nothing would be left."""
    pixels = numpy.asarray(picture.convert("RGB"), numpy.int16)
    height, width, _ = pixels.shape
    top, bottom = _plain_lines(pixels), _plain_lines(pixels[::-1])
    left, right = _plain_lines(pixels.swapaxes(0, 1)), _plain_lines(pixels.swapaxes(0, 1)[::-1])
    if max(top, bottom) > height * _MOST_BORDER or max(left, right) > width * _MOST_BORDER:
        return picture
    return picture.crop((left, top, width - right, height - bottom)) if left + top + right + bottom else picture


@dataclass(frozen=True, slots=True)
class Sketch:
    """A picture made ready to be held beside others."""

    variants: tuple[_Variant, ...]
    """As it is, and without its plain border where it has one."""

    @classmethod
    def of(cls, picture: Image.Image) -> Sketch:
        """The sketch of a picture; some 2 ms."""
        flat = _small(picture)
        bare = without_border(flat)
        kept = [flat] if bare.size == flat.size else [flat, bare]
        return cls(tuple(_Variant(each, tuple(_cut_out(each, cut) for cut in _ALIKE)) for each in kept))


@dataclass(frozen=True, slots=True)
class _Variant:
    picture: Image.Image
    cuts: tuple[Pixels, ...]
    """With each of `_ALIKE` cut away."""


def at_first_sight(query: Sketch, other: Sketch) -> float:
    """A bound of `apart` from above, with cuts of all sides alike only; a fraction of a millisecond."""
    return min(
        min(_alike_cuts(one, two)[0], _alike_cuts(two, one)[0]) for one in query.variants for two in other.variants
    )


def apart(query: Sketch, other: Sketch) -> float:
    """How far two pictures are from each other: 0 the same, 1 nothing in common. Symmetric; some 10 ms.

    Encoders, sizes, a little more or less light, plain borders and cuts of up to `_MOST_CUT` a side make no difference.
    """
    return min(_best_fit(one, two) for one in query.variants for two in other.variants)


def nearest(guessed: Sequence[int], packed: NDArray[numpy.uint64], most: int) -> list[int]:
    """Places in `packed` of the hashes that differ least from any of the guesses, the nearest first; `most` at most."""
    if not len(packed) or not guessed:
        return []
    least = numpy.full(len(packed), 64, numpy.uint8)
    for guess in guessed:
        numpy.minimum(least, numpy.bitwise_count(packed ^ numpy.uint64(guess)), out=least)
    count = min(most, len(packed))
    places = numpy.argpartition(least, count - 1)[:count] if count < len(packed) else numpy.arange(len(packed))
    return [int(place) for place in places[numpy.argsort(least[places], kind="stable")]]


def _small(picture: Image.Image) -> Image.Image:
    """On white, as large as the work needs."""
    if "A" in picture.getbands():
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    small = picture.convert("RGB")
    small.thumbnail((_WORKING_PX, _WORKING_PX), Image.Resampling.BOX)
    return small


def _one_side(side: int, part: float) -> Cut:
    left, top, right, bottom = (part if side == place else 0.0 for place in range(4))
    return left, top, right, bottom


def _regrown(picture: Image.Image, cut: Cut) -> Image.Image:
    """The picture as large as it was before it was cut, its outermost pixels drawn out to the old edge."""
    left, top, right, bottom = cut
    width, height = picture.size[0] / (1 - left - right), picture.size[1] / (1 - top - bottom)
    pads = ((round(height * top), round(height * bottom)), (round(width * left), round(width * right)), (0, 0))
    return Image.fromarray(numpy.pad(numpy.asarray(picture), pads, "edge"))


def _plain_lines(lines: NDArray[numpy.int16]) -> int:
    """How many lines from the first on are all of one colour, the colour of the first."""
    colour = numpy.median(lines[0], axis=0)
    off = numpy.abs(lines - colour).max(axis=(1, 2))
    busy = numpy.flatnonzero(off > _PLAIN_STEPS)
    return int(busy[0]) if len(busy) else 0


def _best_fit(first: _Variant, second: _Variant) -> float:
    """The least distance over all cuts of either picture."""
    least, cut = _alike_cuts(first, second)
    other_least, other_cut = _alike_cuts(second, first)
    if min(least, other_least) < _CERTAIN or min(least, other_least) > _HOPELESS:
        return min(least, other_least)
    return min(
        _search(first.cuts[0], second.picture, cut, least),
        _search(second.cuts[0], first.picture, other_cut, other_least),
    )


def _alike_cuts(still: _Variant, moving: _Variant) -> tuple[float, Cut]:
    """The least distance over cuts of `moving` by the same part on each side, and that cut."""
    return min((_difference(still.cuts[0], pixels), cut) for pixels, cut in zip(moving.cuts, _ALIKE, strict=True))


def _search(still: Pixels, moving: Image.Image, best: Cut, least: float) -> float:
    """The least distance over cuts of `moving` near `best`: each side by itself, in ever smaller steps."""
    for step in (_STEP * 4, _STEP * 2, _STEP):
        for side in range(4):
            for change in (-step, step):
                cut = list(best)
                cut[side] = min(max(cut[side] + change, 0.0), _MOST_CUT)
                tried = (cut[0], cut[1], cut[2], cut[3])
                found = _difference(still, _cut_out(moving, tried))
                if found < least:
                    best, least = tried, found
    return least


def _cut_out(picture: Image.Image, cut: Cut) -> Pixels:
    width, height = picture.size
    left, top, right, bottom = cut
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    small = picture.resize((_EDGE, _EDGE), Image.Resampling.BOX, box=box)
    values = numpy.frombuffer(small.tobytes(), numpy.uint8).astype(numpy.float32)
    mean = float(values.mean())
    values -= mean
    return Pixels(values, mean, float(values @ values) / len(values))


def _difference(one: Pixels, other: Pixels) -> float:
    """What of `other` is left unexplained by `one` at its best brightness and contrast, as part of how much they vary."""
    both = float(one.values @ other.values) / len(one.values)
    gain = both / one.square if one.square > 1 else 1.0
    gain = min(max(gain, _GAIN[0]), _GAIN[1])
    rest = max(other.square - 2 * gain * both + gain * gain * one.square, 0.0)
    spread = max(one.square, other.square, _FLATTEST**2)
    shade = max(abs(one.mean - other.mean) - 40, 0.0) / 64
    return min(math.sqrt(rest / spread) + shade, 1.0)
