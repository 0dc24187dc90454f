"""Masks: any picture read as one, what was guessed said, and every change exact in pixels."""

from __future__ import annotations

import io
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from playground import masks
from playground.image_hygiene import UploadRefused
from playground.masks import MAX_STEP_PX, Coverage, MaskChange
from tests.fakes.pictures import bomb_png

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")

Box = tuple[int, int, int, int]
HOLE: Box = (8, 8, 24, 24)


def png(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def grey(size: tuple[int, int] = (64, 48), *, ground: int = 0, box: Box = HOLE, inside: int = 255) -> Image.Image:
    image = Image.new("L", size, ground)
    image.paste(inside, box)
    return image


def clear(size: tuple[int, int] = (64, 48), box: Box = HOLE) -> Image.Image:
    image = Image.new("RGBA", size, (255, 255, 255, 255))
    image.paste((0, 0, 0, 0), box)
    return image


def covered(size: tuple[int, int] = (64, 48), box: Box = HOLE) -> Coverage:
    return numpy.array(grey(size, box=box))


def alpha_of(data: bytes) -> Coverage:
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode) == ("PNG", "RGBA")
        return numpy.array(image.getchannel("A"))


# Reading, and what is guessed

SKY: Box = (0, 0, 64, 16)
READ: list[tuple[str, Image.Image, str, str, Box]] = [
    ("transparent", clear(), "transparent", "", HOLE),
    ("white on black", grey(), "white", "because black lies along the edge", HOLE),
    ("black on white", grey(ground=255, inside=0), "black", "because white lies along the edge", HOLE),
    ("a white sky", grey(box=SKY), "white", "because it is the smaller part", SKY),
    ("a black sky", grey(ground=255, box=SKY, inside=0), "black", "because it is the smaller part", SKY),
    ("a white half", grey(box=(0, 0, 64, 24)), "white", "as is usual", (0, 0, 64, 24)),
    ("a large white part", grey(box=(2, 2, 62, 46)), "white", "because black lies along the edge", (2, 2, 62, 46)),
]


@pytest.mark.parametrize(("image", "polarity", "why", "box"), [row[1:] for row in READ], ids=[row[0] for row in READ])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_what_marks_is_guessed_and_said(image: Image.Image, polarity: str, why: str, box: Box, form: str) -> None:
    if form == "JPEG" and image.mode == "RGBA":
        return
    read = masks.read_mask(png(image, form, **({"lossless": True} if form == "WEBP" else {})), "m")
    assert read.polarity == polarity
    assert [why in note and f"{polarity} was taken as the part to repaint" in note for note in read.notes] == (
        [True] if why else []
    )
    # JPEG moves a few pixels beside the edge.
    assert (read.coverage != covered(box=box)).mean() < 0.02


def test_a_guess_can_be_turned_around() -> None:
    read = masks.read_mask(png(grey()), "m")
    assert "invert it if that is wrong" in read.notes[0]
    turned = masks.changed(read.coverage, MaskChange(is_inverted=True))
    assert (turned == 255 - read.coverage).all()
    assert masks.share(turned) == pytest.approx(1 - masks.share(read.coverage))


def test_soft_edges_of_a_black_and_white_picture_stay_soft() -> None:
    # A bell of white on black: half of it is neither.
    soft = masks.feathered(covered((64, 64), (16, 16, 48, 48)), 6)
    read = masks.read_mask(png(Image.fromarray(soft)), "m")
    assert len(set(read.coverage.ravel().tolist())) > 20
    assert (numpy.abs(read.coverage.astype(int) - soft) <= 16).all()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello " * 9, "text file"),
        (bomb_png(), "too many pixels"),
        (png(Image.new("1", (9000, 20))), "at most 8192"),
        (png(Image.new("1", (8, 8))), "at least 16"),
        (png(grey())[:70], "damaged"),
        (png(Image.effect_noise((64, 48), 90).convert("RGB")), "no mask"),
        (png(Image.new("RGB", (64, 48), (230, 30, 30))), "no mask"),
        (png(Image.new("L", (64, 48), 255)), "marks the whole image"),
        (png(Image.new("L", (64, 48), 0)), "marks nothing"),
        (png(clear((64, 64))), "64 x 64 pixels and its image 64 x 48"),
        (png(clear((65, 48))), "65 x 48 pixels and its image 64 x 48"),
    ],
)
def test_what_is_no_mask_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(UploadRefused, match=words):
        masks.clean_mask(data, "mask.png", (64, 48))


def test_flipped_bytes_never_bring_a_decoders_exception() -> None:
    data = png(clear())
    for place in range(0, len(data), 2):
        hurt = bytearray(data)
        hurt[place] ^= 0xFF
        try:
            masks.clean_mask(bytes(hurt), "m.png", (64, 48))
        except UploadRefused:
            continue


@pytest.mark.parametrize("size", [(64, 48), (128, 96), (640, 480), (639, 480), (65, 49), (32, 24)])
def test_another_size_is_resized_when_the_shape_is_within_one_per_cent(size: tuple[int, int]) -> None:
    box = (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2)
    clean = masks.clean_mask(png(clear(size, box)), "m.png", (64, 48))
    assert alpha_of(clean.data).shape == (48, 64)
    assert set(alpha_of(clean.data).ravel().tolist()) == {0, 255}, "hard edges stay hard"
    notes = [f"resized from {size[0]} x {size[1]} to 64 x 48" in note for note in clean.notes]
    assert notes == ([] if size == (64, 48) else [True])


def test_the_providers_form_is_transparent_where_to_repaint() -> None:
    coverage = numpy.zeros((20, 30), numpy.uint8)
    coverage[5:9, 4:8], coverage[2, 2] = 255, 100
    data = masks.encoded(coverage, "m").data
    assert (alpha_of(data) == 255 - coverage).all()
    with Image.open(io.BytesIO(data)) as image:
        assert (masks.coverage_of(image) == coverage).all()
        assert not masks.coverage_of(image.convert("RGB")).any(), "without alpha nothing is marked"


def test_a_mask_over_the_limit_gets_hard_edges_or_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    soft = numpy.random.default_rng(3).integers(0, 256, (64, 64), dtype=numpy.uint8)
    hard = numpy.where(soft >= 128, 255, 0).astype(numpy.uint8)
    limit = len(masks.encoded(hard, "m").data)
    monkeypatch.setattr(masks, "MAX_MASK_BYTES", limit)
    clean = masks.encoded(soft, "m")
    assert (alpha_of(clean.data) == 255 - hard).all()
    assert ["made hard" in note for note in clean.notes] == [True]
    monkeypatch.setattr(masks, "MAX_MASK_BYTES", limit - 1)
    with pytest.raises(UploadRefused, match="larger, calmer shapes"):
        masks.encoded(soft, "m")


# Changing

BOXES = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20))


def distance_to(box: Box, size: tuple[int, int]) -> Any:
    """Of each pixel's centre to the nearest pixel of the box, in steps along rows and columns."""
    y, x = numpy.mgrid[0 : size[1], 0 : size[0]]
    across = numpy.maximum(0, numpy.maximum(box[0] - x, x - (box[2] - 1)))
    down = numpy.maximum(0, numpy.maximum(box[1] - y, y - (box[3] - 1)))
    return across, down


@settings(max_examples=60, deadline=None)
@given(box=BOXES, by=st.integers(0, 25))
def test_a_box_grows_by_exactly_so_many_pixels(box: Box, by: int) -> None:
    size = (64, 60)
    box = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    across, down = distance_to(box, size)
    marked = masks.grown(covered(size, box), by) == 255
    straight = (across == 0) | (down == 0)
    assert (marked[straight] == (across + down <= by)[straight]).all(), "sides move by exactly that"
    distance = numpy.hypot(across, down)
    assert marked[distance <= by - 1].all(), "at least what a circle holds"
    assert not marked[distance > 1.083 * by + 1].any(), "at most what its octagon holds"


@settings(max_examples=40, deadline=None)
@given(coverage=arrays.arrays(numpy.uint8, (14, 17)), by=st.integers(0, 9))
def test_shrinking_is_growing_what_is_kept(coverage: Coverage, by: int) -> None:
    assert (masks.grown(coverage, -by) == 255 - masks.grown(255 - coverage, by)).all()
    assert (masks.grown(coverage, by) >= coverage).all()
    assert (masks.grown(masks.grown(coverage, by), -by) >= coverage).all()


def test_shrinking_leaves_the_edge_of_the_image_alone() -> None:
    half = covered((40, 30), (0, 0, 20, 30))
    assert (masks.grown(half, -5) == covered((40, 30), (0, 0, 15, 30))).all()


@settings(max_examples=40, deadline=None)
@given(box=BOXES, radius=st.integers(0, 14))
def test_a_feather_ends_after_its_radius(box: Box, radius: int) -> None:
    size = (64, 60)
    box = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    coverage = covered(size, box)
    soft = masks.feathered(coverage, radius)
    across, down = distance_to(box, size)
    assert not soft[(across > radius) | (down > radius)].any()
    deep = masks.grown(coverage, -radius - 1) == 255
    assert (soft[deep] == 255).all()
    assert bool((soft == coverage).all()) is (radius == 0)


def test_a_feather_falls_steadily_on_both_sides_of_the_edge() -> None:
    soft = masks.feathered(covered((200, 40), (0, 0, 100, 40)), 30)[20].astype(int)
    assert (numpy.diff(soft) <= 0).all()
    assert (soft[:70] == 255).all()
    assert (soft[130:] == 0).all()
    assert 100 < soft[99] < 155
    assert numpy.abs(numpy.diff(soft)).max() < 20


@pytest.mark.parametrize("step", [MAX_STEP_PX + 1, -MAX_STEP_PX - 1])
def test_steps_have_a_bound(step: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 512"):
        masks.grown(covered(), step)
    with pytest.raises(ValueError, match="between 0 and 512"):
        masks.feathered(covered(), abs(step))
    with pytest.raises(ValueError, match="between 0 and 512"):
        masks.feathered(covered(), -1)
    assert (masks.grown(covered(), MAX_STEP_PX) == 255).all()


def test_changes_come_in_one_order() -> None:
    change = MaskChange(is_inverted=True, grow_px=3, feather_px=4)
    assert (masks.changed(covered(), change) == masks.feathered(masks.grown(255 - covered(), 3), 4)).all()
    assert (masks.changed(covered(), MaskChange()) == covered()).all()


def test_the_share_counts_soft_edges_by_their_coverage() -> None:
    assert masks.share(covered((32, 32), (0, 0, 16, 16))) == 0.25
    assert masks.share(numpy.full((4, 4), 51, numpy.uint8)) == 0.2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((1000, 1000), (1010, 1000), True),
        ((1000, 1000), (1011, 1000), False),
        ((1536, 1024), (1500, 1000), True),
        ((1536, 1024), (1024, 1536), False),
        ((4032, 3024), (1365, 1024), True),
    ],
)
def test_shapes_are_the_same_within_one_per_cent(one: tuple[int, int], other: tuple[int, int], same: bool) -> None:
    assert masks.is_same_shape(one, other) is same
