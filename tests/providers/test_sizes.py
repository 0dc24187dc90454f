"""What size, aspect ratio and resolution come to for each kind of model."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from providers.catalog import SizeRule
from providers.rows.openai import FIXED_SIZES, FREE_SIZES
from providers.sizes import (
    SizeChoice,
    made_size,
    nearest_size,
    parse_ratio,
    parse_size,
    parse_tier,
    resolve_size,
    size_problem,
)
from providers.types import ImageRequest, InputImage

WITHOUT_AUTO = replace(FIXED_SIZES, has_auto=False)
FREE_WITHOUT_AUTO = replace(FREE_SIZES, has_auto=False)
ANY_PIXEL = SizeRule(multiple=1, min_area=1, max_area=2**26, max_edge=8192, max_ratio=8192)


def image(width: int, height: int) -> InputImage:
    return InputImage(b"x", "image/png", width, height, "0" * 64)


def chosen(rule: SizeRule = FREE_SIZES, **fields: Any) -> SizeChoice:
    return resolve_size(ImageRequest("A red fox", **fields), rule)


PRECEDENCE: list[tuple[dict[str, Any], str | None, tuple[str, ...]]] = [
    ({}, None, ()),
    ({"size": "auto"}, "auto", ("size",)),
    ({"size": "1024x1536"}, "1024x1536", ("size",)),
    ({"size": "1024x1536", "aspect_ratio": "16:9", "resolution": "4K"}, "1024x1536", ("size",)),
    ({"size": "auto", "aspect_ratio": "16:9", "resolution": "4K"}, "auto", ("size",)),
    ({"aspect_ratio": "16:9"}, "1360x768", ("aspect_ratio",)),
    ({"resolution": "2K"}, "2048x2048", ("resolution",)),
    ({"aspect_ratio": "16:9", "resolution": "4K"}, "3840x2160", ("aspect_ratio", "resolution")),
    ({"size": "16:9"}, "1360x768", ("size",)),
    ({"size": "16:9", "resolution": "4K"}, "3840x2160", ("size", "resolution")),
    ({"size": "16:9", "aspect_ratio": "1:1"}, "1360x768", ("size",)),
    # An illegal size is left as it was asked, for the checks to refuse.
    ({"size": "1920x1080", "aspect_ratio": "1:1"}, "1920x1080", ("size",)),
    ({"size": "wide"}, "wide", ("size",)),
]


@pytest.mark.parametrize(("fields", "size", "decided_by"), PRECEDENCE)
def test_a_size_goes_before_a_ratio_and_a_ratio_works_with_a_tier(
    fields: dict[str, Any], size: str | None, decided_by: tuple[str, ...]
) -> None:
    found = chosen(**fields)
    assert (found.size, found.decided_by) == (size, decided_by)


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        ("1:1", "1024x1024"),
        ("16:9", "1360x768"),
        ("9:16", "768x1360"),
        ("21:9", "1568x672"),
        ("9:21", "672x1568"),
        ("3:2", "1248x832"),
        ("2:3", "832x1248"),
        ("4:3", "1184x880"),
        ("3:1", "1776x592"),
        ("1:3", "592x1776"),
        # Beyond what the model makes: its longest shape, and it is said.
        ("5:1", "1776x592"),
        ("1:100", "592x1776"),
        ("99999:0.0001", "1776x592"),
    ],
)
def test_a_ratio_becomes_about_a_megapixel(ratio: str, size: str) -> None:
    found = chosen(aspect_ratio=ratio)
    assert found.size == size
    asked = parse_ratio(ratio)
    assert asked is not None
    is_beyond = max(asked[0] / asked[1], asked[1] / asked[0]) > 3
    assert (found.note != "") == is_beyond
    if is_beyond:
        assert found.note.startswith(f"{ratio} is not made here")


@pytest.mark.parametrize(
    ("tier", "size", "is_said"),
    [
        ("1K", "1024x1024", False),
        ("1k", "1024x1024", False),
        ("1.5K", "1536x1536", False),
        ("2K", "2048x2048", False),
        ("2048", "2048x2048", False),
        ("1000", "1008x1008", False),
        ("4K", "2880x2880", True),
        ("99K", "2880x2880", True),
        ("512", "816x816", True),
        ("0.5K", "816x816", True),
    ],
)
def test_a_tier_is_the_area_of_its_square(tier: str, size: str, is_said: bool) -> None:
    found = chosen(resolution=tier)
    assert (found.size, found.note != "") == (size, is_said)
    if is_said:
        assert found.note.startswith(f"{tier} is not made here")


@pytest.mark.parametrize(
    ("ratio", "tier", "size"),
    [
        ("16:9", "2K", "2736x1536"),
        ("16:9", "4K", "3840x2160"),
        ("9:16", "4K", "2160x3840"),
        ("3:1", "4K", "3840x1280"),
        ("21:9", "2K", "3136x1344"),
        ("16:9", "512", "1088x608"),
    ],
)
def test_a_ratio_and_a_tier_together(ratio: str, tier: str, size: str) -> None:
    found = chosen(aspect_ratio=ratio, resolution=tier)
    assert found.size == size
    assert ratio not in found.note


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        ("1:1", "1024x1024"),
        ("3:2", "1536x1024"),
        ("2:3", "1024x1536"),
        ("16:9", "1536x1024"),
        ("1:9", "1024x1536"),
        # The borders lie at 4:5 and 5:4, and belong to the long shapes.
        ("4:5", "1024x1536"),
        ("5:4", "1536x1024"),
        ("0.8001:1", "1024x1024"),
        ("0.7999:1", "1024x1536"),
        ("1.2499:1", "1024x1024"),
        ("1.2501:1", "1536x1024"),
        ("8:10", "1024x1536"),
        ("10:8", "1536x1024"),
        ("6:5", "1024x1024"),
    ],
)
@pytest.mark.parametrize("rule", [FIXED_SIZES, WITHOUT_AUTO])
def test_of_three_fixed_sizes_the_nearest_shape(ratio: str, size: str, rule: SizeRule) -> None:
    found = chosen(rule, aspect_ratio=ratio)
    assert (found.size, found.decided_by) == (size, ("aspect_ratio",))
    assert (found.note == "") == (ratio in ("1:1", "3:2", "2:3"))


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_a_ratio_a_refused_size_and_the_first_image_all_come_to_the_same_fixed_size(width: int, height: int) -> None:
    size = nearest_size((width, height), FIXED_SIZES)
    assert chosen(FIXED_SIZES, aspect_ratio=f"{width}:{height}").size == size
    assert chosen(WITHOUT_AUTO, size="auto", images=(image(width, height),)).size == size


def test_of_other_fixed_sizes_the_nearest_shape_is_taken_too() -> None:
    rule = SizeRule(fixed=("1024x1024", "1792x1024", "1024x1792"))
    found = [chosen(rule, aspect_ratio=ratio).size for ratio in ("16:9", "3:2", "11:8", "1.37:1", "1:2")]
    assert found == ["1792x1024", "1792x1024", "1792x1024", "1024x1024", "1024x1792"]


@pytest.mark.parametrize("tier", ["1K", "2K", "4K"])
def test_a_tier_that_is_not_made_is_told_where_sizes_are_fixed(tier: str) -> None:
    found = chosen(FIXED_SIZES, aspect_ratio="3:2", resolution=tier)
    assert found.size == "1536x1024"
    assert (found.note == "") == (tier == "1K")


# Choosing by itself


@pytest.mark.parametrize("rule", [FREE_SIZES, FIXED_SIZES])
@pytest.mark.parametrize("images", [(), (image(900, 300),)])
def test_auto_is_passed_on_where_the_provider_can_choose(rule: SizeRule, images: tuple[InputImage, ...]) -> None:
    assert chosen(rule, size="auto", images=images) == SizeChoice("auto", ("size",))


@pytest.mark.parametrize(
    ("rule", "images", "size"),
    [
        (WITHOUT_AUTO, (), "1024x1024"),
        (FREE_WITHOUT_AUTO, (), "1024x1024"),
        (WITHOUT_AUTO, (image(640, 480), image(1, 9)), "1536x1024"),
        (WITHOUT_AUTO, (image(480, 640),), "1024x1536"),
        (WITHOUT_AUTO, (image(500, 480),), "1024x1024"),
        (WITHOUT_AUTO, (image(5, 4),), "1536x1024"),
        (FREE_WITHOUT_AUTO, (image(1920, 1080),), "1360x768"),
        (FREE_WITHOUT_AUTO, (image(9000, 10),), "1776x592"),
    ],
)
def test_auto_follows_the_first_image_where_it_cannot(
    rule: SizeRule, images: tuple[InputImage, ...], size: str
) -> None:
    found = chosen(rule, size="auto", images=images)
    assert (found.size, found.decided_by) == (size, ("size",))
    assert found.note.startswith("It cannot choose by itself")
    assert (size in found.note) == bool(images)


def test_nothing_said_stays_unsaid() -> None:
    assert chosen(WITHOUT_AUTO, images=(image(640, 480),)) == SizeChoice(None)


def test_auto_may_be_for_edits_alone() -> None:
    rule = replace(FIXED_SIZES, auto_on_edits_only=True)
    assert chosen(rule, size="auto").size == "1024x1024"
    assert chosen(rule, size="auto", images=(image(640, 480),)).size == "auto"


MADE: list[tuple[SizeRule, dict[str, Any], str | None]] = [
    (FREE_SIZES, {}, None),
    (FREE_SIZES, {"size": "auto"}, "auto"),
    (FREE_SIZES, {"aspect_ratio": "16:9"}, "1360x768"),
    (replace(FREE_SIZES, unsaid="1024x768"), {}, "1024x768"),
    (replace(FREE_SIZES, unsaid="1024x768"), {"size": "1024x1024"}, "1024x1024"),
    (replace(FREE_SIZES, unsaid="1024x768"), {"images": (image(640, 480),)}, None),
    (replace(FREE_SIZES, unsaid="1024x768", unsaid_on_edits="auto"), {"images": (image(640, 480),)}, "auto"),
    (replace(WITHOUT_AUTO, unsaid="auto", unsaid_on_edits="auto"), {}, "1024x1024"),
    (replace(WITHOUT_AUTO, unsaid="auto", unsaid_on_edits="auto"), {"images": (image(640, 480),)}, "1536x1024"),
]


@pytest.mark.parametrize(("rule", "fields", "size"), MADE)
def test_what_is_made_when_no_size_is_said(rule: SizeRule, fields: dict[str, Any], size: str | None) -> None:
    assert made_size(ImageRequest("A red fox", **fields), rule) == size


# Ties


TIES = [
    # Both neighbours are as far away: the larger.
    ((1000, 1000), "1008x1008"),
    ((1032, 1032), "1040x1040"),
    ((1016, 1016), "1024x1024"),
    ((1368, 776), "1376x784"),
    ((1920, 1080), "1920x1088"),
    ((1080, 1920), "1088x1920"),
]


@pytest.mark.parametrize(("size", "nearest"), TIES)
def test_a_tie_goes_to_the_larger_size(size: tuple[int, int], nearest: str) -> None:
    assert nearest_size(size, FREE_SIZES) == nearest


def test_of_two_multiples_as_far_away_the_larger_is_taken() -> None:
    # An edge of 1064 px lies in the middle between 1056 and 1072.
    assert chosen(resolution="1064").size == "1072x1072"
    assert chosen(resolution="1063").size == "1056x1056"


# Any text, any number


RATIOS = st.tuples(st.floats(0.001, 99_999), st.floats(0.001, 99_999)).map(lambda r: f"{r[0]:.4f}:{r[1]:.4f}")
TIERS = st.one_of(st.none(), st.integers(100, 99_999).map(str), st.floats(0.01, 99).map(lambda k: f"{k:.2f}K"))
RULES = st.builds(
    SizeRule,
    multiple=st.sampled_from([1, 8, 16, 32, 64]),
    max_edge=st.sampled_from([2048, 3840, 8192]),
    min_area=st.sampled_from([1, 262_144, 655_360]),
    max_area=st.sampled_from([1_572_864, 8_294_400]),
    max_ratio=st.sampled_from([2, 3, 4]),
)


@given(st.one_of(st.none(), RATIOS), TIERS, st.one_of(st.just(FREE_SIZES), st.just(ANY_PIXEL), RULES))
def test_whatever_is_asked_the_size_is_legal(ratio: str | None, tier: str | None, rule: SizeRule) -> None:
    assume(ratio or tier)
    found = chosen(rule, aspect_ratio=ratio, resolution=tier)
    assert found.size not in (None, "auto")
    assert size_problem(found.size or "", rule) is None


@given(RATIOS, TIERS)
def test_a_shape_that_is_made_is_kept_and_an_area_is_kept(ratio: str, tier: str | None) -> None:
    width, height = parse_size(chosen(aspect_ratio=ratio, resolution=tier).size or "") or (0, 0)
    asked, edge = parse_ratio(ratio), parse_tier(tier or "1K")
    assume(asked is not None and edge is not None)
    assert asked is not None
    assert edge is not None
    wanted = min(max(asked[0] / asked[1], 1 / 3), 3.0)
    assert math.isclose(width / height, wanted, rel_tol=0.04)
    # The largest area of a shape is bounded by its long edge too.
    most = min(8_294_400, 3840 * 3840 / max(wanted, 1 / wanted))
    assert math.isclose(width * height, min(max(edge * edge, 655_360), most), rel_tol=0.06)


@given(st.integers(1, 30_000), st.integers(1, 30_000), RULES)
def test_the_nearest_size_is_legal_and_a_legal_one_is_its_own(width: int, height: int, rule: SizeRule) -> None:
    nearest = nearest_size((width, height), rule)
    assert size_problem(nearest, rule) is None
    if size_problem(f"{width}x{height}", rule) is None:
        assert nearest == f"{width}x{height}"
    assert nearest_size(parse_size(nearest) or (0, 0), rule) == nearest


@given(st.text(max_size=12))
def test_any_text_is_read_or_is_none(text: str) -> None:
    for read in (parse_size, parse_ratio, parse_tier):
        found = read(text)
        assert found is None or text.isascii()
    choice = chosen(size=text, aspect_ratio=text, resolution=text)
    assert choice.size is not None


@pytest.mark.parametrize("text", ["1٠24x1024", "1٦:9", "2\u212a", "１K", "0x16", "016x16", "1x", "16x9x1", "-16x16"])
def test_what_is_no_size_ratio_or_tier(text: str) -> None:
    assert (parse_size(text), parse_ratio(text), parse_tier(text)) == (None, None, None)
