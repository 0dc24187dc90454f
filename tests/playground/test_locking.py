"""The lock: outside the mask the original to the byte, inside it the answer, and an honest figure for what the model did."""

from __future__ import annotations

import io
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from playground import locking, masks
from playground.locking import NotLockable, draw_heat, lock, measure
from storage.images import decode

Size = tuple[int, int]


def noise(size: Size, seed: int, mode: str = "RGB") -> Image.Image:
    channels = len(mode)
    return Image.fromarray(
        numpy.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), dtype=numpy.uint8), mode
    )


def stored(image: Image.Image, form: str, **options: Any) -> Image.Image:
    """The picture as it is decoded from a file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return decode(buffer.getvalue())


def pixels(image: Image.Image | bytes) -> Any:
    if isinstance(image, bytes):
        image = Image.open(io.BytesIO(image))
    return numpy.asarray(image).astype(int)


def hole(size: Size, feather: int = 0) -> masks.Coverage:
    coverage = numpy.zeros((size[1], size[0]), numpy.uint8)
    coverage[size[1] // 4 : size[1] // 2, size[0] // 4 : size[0] // 2] = 255
    return masks.feathered(coverage, feather)


# The locked image

FILES: list[tuple[str, dict[str, Any], str]] = [
    ("PNG", {}, "RGB"),
    ("PNG", {}, "RGBA"),
    ("JPEG", {"quality": 60}, "RGB"),
    ("WEBP", {"quality": 60}, "RGB"),
    ("WEBP", {"lossless": True, "exact": True}, "RGBA"),
]


@pytest.mark.parametrize("size", [(64, 48), (37, 53), (1, 5), (257, 16)])
@pytest.mark.parametrize("feather", [0, 5])
@pytest.mark.parametrize(("form", "options", "mode"), FILES)
@pytest.mark.parametrize("answer_mode", ["RGB", "RGBA"])
def test_outside_the_mask_every_byte_is_the_originals_and_inside_the_answers(
    form: str, options: dict[str, Any], mode: str, answer_mode: str, size: Size, feather: int
) -> None:
    base, answer = stored(noise(size, 1, mode), form, **options), noise(size, 2, answer_mode)
    coverage = hole(size, feather)
    made = lock(base, coverage, answer)
    locked = Image.open(io.BytesIO(made.image))
    assert (locked.format, locked.size, made.size) == ("PNG", size, size)
    assert locked.mode == ("RGBA" if "RGBA" in (base.mode, answer_mode) else "RGB")
    outside, inside = coverage == 0, coverage == 255
    assert (pixels(locked)[outside] == pixels(base.convert(locked.mode))[outside]).all()
    assert (pixels(locked.convert(base.mode))[outside] == pixels(base)[outside]).all()
    assert (pixels(locked)[inside] == pixels(answer.convert(locked.mode))[inside]).all()
    assert not locked.info, "no metadata"


@settings(max_examples=60, deadline=None)
@given(coverage=arrays.arrays(numpy.uint8, (9, 13)), seed=st.integers(0, 99))
def test_any_mask_at_all_keeps_what_it_does_not_mark(coverage: masks.Coverage, seed: int) -> None:
    base, answer = noise((13, 9), seed), noise((13, 9), seed + 100)
    locked = pixels(lock(base, coverage, answer).image)
    one, other = pixels(base), pixels(answer)
    assert (locked[coverage == 0] == one[coverage == 0]).all()
    assert (locked[coverage == 255] == other[coverage == 255]).all()
    weight = coverage[..., None] / 255
    assert numpy.abs(locked - (one * (1 - weight) + other * weight)).max() <= 0.51, "between them a blend"


def test_what_is_clear_has_no_say_in_the_colour_of_a_soft_edge() -> None:
    base = Image.new("RGBA", (4, 4), (10, 20, 30, 255))
    answer = Image.new("RGBA", (4, 4), (255, 0, 255, 0))
    coverage = numpy.full((4, 4), 128, numpy.uint8)
    assert (pixels(lock(base, coverage, answer).image) == [10, 20, 30, 127]).all()
    assert (pixels(lock(answer, coverage, answer).image)[..., 3] == 0).all(), "clear over clear is clear"


def test_pictures_of_several_stripes_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    size = (40, 33)
    base, answer, coverage = noise(size, 1, "RGBA"), noise(size, 2, "RGBA"), hole(size, 4)
    whole = lock(base, coverage, answer)
    monkeypatch.setattr(locking, "_STRIPE_PIXELS", 300)
    assert lock(base, coverage, answer) == whole


@pytest.mark.parametrize("size", [(128, 96), (32, 24), (645, 480)])
def test_an_answer_of_another_size_and_the_same_shape_is_brought_to_the_size_of_the_base(size: Size) -> None:
    base, coverage = noise((64, 48), 1), hole((64, 48))
    made = lock(base, coverage, Image.new("RGB", size, (9, 99, 199)))
    locked = pixels(made.image)
    assert made.size == (64, 48)
    assert (locked[coverage == 0] == pixels(base)[coverage == 0]).all()
    assert (locked[coverage == 255] == [9, 99, 199]).all()
    assert made.note == f"The answer was resized from {size[0]} x {size[1]} to 64 x 48 px."


@pytest.mark.parametrize("size", [(48, 64), (64, 64), (66, 48)])
def test_an_answer_of_another_shape_is_not_locked_and_says_why(size: Size) -> None:
    with pytest.raises(NotLockable, match=f"{size[0]} x {size[1]} px came and image 1 is 64 x 48 px: another shape"):
        lock(noise((64, 48), 1), hole((64, 48)), noise(size, 2))


def test_a_mask_of_another_size_than_the_base_is_not_used() -> None:
    with pytest.raises(NotLockable, match="The mask is 32 x 24 px and image 1 is 64 x 48 px"):
        lock(noise((64, 48), 1), hole((32, 24)), noise((64, 48), 2))


# The drift


def test_an_answer_that_keeps_what_it_should_has_no_drift() -> None:
    base, coverage = noise((64, 48), 1), hole((64, 48), 5)
    answer = pixels(base)
    answer[coverage > 0] = 255 - answer[coverage > 0]
    made = lock(base, coverage, Image.fromarray(answer.astype(numpy.uint8)))
    assert (made.drift.percent, made.drift.visible_share, made.drift.largest_steps) == (0.0, 0.0, 0)
    assert made.drift.pixels == int((coverage == 0).sum())
    assert not pixels(Image.open(io.BytesIO(made.heat_map)).convert("RGBA"))[..., 3].any()


def test_the_drift_is_the_mean_difference_in_per_cent_and_the_share_that_shows() -> None:
    base, coverage = Image.new("RGB", (20, 10), (100, 100, 100)), hole((20, 10))
    answer = numpy.array(base)
    answer[0, :8] = (110, 100, 100)  # off by ten: not to be seen
    answer[1, :4] = (100, 89, 100)  # by eleven
    answer[coverage > 0] = 0
    drift, off = measure(base, coverage, Image.fromarray(answer))
    outside = 200 - int((coverage > 0).sum())
    assert drift.pixels == outside
    assert drift.percent == pytest.approx(100 * (8 * 10 + 4 * 11) / (255 * 3 * outside))
    assert drift.visible_share == pytest.approx(4 / outside)
    assert drift.largest_steps == 11
    assert (off[0, :8] == 10).all()
    assert (off[1, :4] == 11).all()
    assert not off[coverage > 0].any()


def test_what_drifts_more_has_the_larger_figure() -> None:
    base, coverage = noise((64, 48), 1), hole((64, 48))
    apart = noise((64, 48), 2)
    found = [measure(base, coverage, Image.blend(base, apart, part))[0].percent for part in (0, 0.05, 0.2, 0.5, 1)]
    assert found == sorted(found)
    assert len(set(found)) == 5


@pytest.mark.parametrize(("colour", "alpha", "percent"), [(255, 0, 0.0), (0, 255, 0.0), (255, 255, 75.0)])
def test_alpha_counts_and_hidden_colours_do_not(colour: int, alpha: int, percent: float) -> None:
    base = Image.new("RGBA", (8, 8), (0, 0, 0, alpha))
    answer = Image.new("RGBA", (8, 8), (colour, colour, colour, alpha))
    assert measure(base, hole((8, 8)), answer)[0].percent == percent
    opaque, clear = Image.new("RGBA", (8, 8), (0, 0, 0, 255)), Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert measure(opaque, hole((8, 8)), clear)[0].percent == 25.0


def test_where_nothing_lies_outside_there_is_no_figure() -> None:
    drift, off = measure(noise((8, 8), 1), numpy.full((8, 8), 1, numpy.uint8), noise((8, 8), 2))
    assert (drift.percent, drift.visible_share, drift.pixels) == (None, None, 0)
    assert not off.any()


@pytest.mark.parametrize("scale", [2, 4])
def test_pixels_that_the_provider_does_not_make_are_no_drift(scale: int) -> None:
    photo = noise((40, 30), 3).resize((400, 300), Image.Resampling.BICUBIC)
    coverage = hole((400, 300))
    repainted = numpy.array(photo)
    repainted[coverage > 0] = 0
    answer = Image.fromarray(repainted).resize((400 // scale, 300 // scale), Image.Resampling.LANCZOS)
    made = lock(photo, coverage, answer)
    assert (made.drift.percent, made.drift.largest_steps) == (0.0, 0)
    assert made.heat_size == (400 // scale, 300 // scale)


# The heat map


def test_the_heat_map_is_clear_where_equal_and_warmer_the_further_off() -> None:
    off = numpy.arange(256, dtype=numpy.uint8).reshape(16, 16)
    data, size = draw_heat(off)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("PNG", size)
        red, green, blue, alpha = numpy.moveaxis(pixels(image.convert("RGBA")).reshape(256, 4), 1, 0)
    assert alpha[0] == 0
    assert (alpha[1:] > 0).all()
    assert (numpy.diff(alpha) >= 0).all()
    warmth = red - blue
    assert warmth[1] < 40, "begins neutral"
    assert warmth[255] > 200
    assert red[255] > green[255]


def test_a_large_heat_map_is_made_smaller_and_loses_no_pixel_that_is_off() -> None:
    off = numpy.zeros((5, 5001), numpy.uint8)
    off[4, 5000] = 255
    data, size = draw_heat(off)
    assert size == (1251, 2)
    with Image.open(io.BytesIO(data)) as image:
        alpha = numpy.asarray(image.convert("RGBA"))[..., 3]
    assert numpy.argwhere(alpha).tolist() == [[1, 1250]]
