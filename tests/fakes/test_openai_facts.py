"""The numbers the fake bills by agree with the published tables, and its pictures are what they claim."""

import io

import pytest
from PIL import Image

from tests.fakes import openai_facts as facts
from tests.fakes.pictures import Format, bomb_png, picture

TOKENS = {
    "1024x1024": (196, 439, 1756, 3122, 7024),
    "1536x1024": (158, 343, 1372, 2459, 5488),
    "1024x1536": (158, 343, 1372, 2459, 5488),
    "1024x768": (134, 301, 1204, 2140, 4815),
    "1920x1088": (148, 344, 1325, 2356, 5300),
    "2048x2048": (397, 892, 3568, 6343, 14272),
    "2560x1440": (205, 478, 1843, 3276, 7370),
    "3840x2160": (371, 865, 3336, 5930, 13342),
}
"""Output tokens for the factors 16, 24, 48, 64 and 96, which are 2.5's low, medium, high, xhigh and max."""


@pytest.mark.parametrize("size", TOKENS)
def test_output_tokens_match_the_published_table(size: str) -> None:
    width, height = (int(side) for side in size.split("x"))
    qualities = ("low", "medium", "high", "xhigh", "max")
    counted = [facts.output_tokens(facts.TWO_FIVE, (width, height), quality) for quality in qualities]
    assert tuple(counted) == TOKENS[size]
    assert facts.output_tokens(facts.TWO, (width, height), "high") == TOKENS[size][4]


@pytest.mark.parametrize(
    ("size", "quality", "tokens"),
    [((1024, 1024), "low", 272), ((1024, 1536), "medium", 1584), ((1536, 1024), "high", 6208)],
)
def test_fixed_size_models_bill_by_their_own_table(size: facts.Size, quality: str, tokens: int) -> None:
    assert facts.output_tokens(facts.FIXED, size, quality) == tokens


@pytest.mark.parametrize(
    ("family", "size", "tokens"),
    [
        (facts.MINI, (1024, 1024), 194),
        (facts.TWO, (1024, 1024), 1024),
        (facts.TWO, (512, 512), 1024),
        (facts.TWO, (1254, 1254), 1536),
        (facts.TWO, (8000, 6000), 1536),
    ],
)
def test_input_images_are_counted(family: facts.Family, size: facts.Size, tokens: int) -> None:
    assert facts.image_tokens(family, size, high_fidelity=False) == tokens


@pytest.mark.parametrize("size", ["auto", "1024x1024", "1920x1088", "3840x2160", "3840x1280", "640x1024", "2880x2880"])
def test_legal_sizes(size: str) -> None:
    assert facts.size_problem(size, facts.TWO) is None


@pytest.mark.parametrize(
    "size",
    [
        "1920x1080",
        "4096x2048",
        "4096x4096",
        "1552x512",
        "2896x2880",
        "512x512",
        "0x0",
        "1024",
        "1024X1024",
        " 1024x1024",
    ]
    + ["01024x1024", "1024x1024x1", "-1024x1024", "1024x１０２４", ""],
)
def test_illegal_sizes(size: str) -> None:
    assert facts.size_problem(size, facts.TWO) is not None


@pytest.mark.parametrize("image_format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", [(16, 48), (1024, 1024), (3840, 2160)])
def test_pictures_are_real_and_no_two_are_alike(image_format: Format, size: facts.Size) -> None:
    first, second = (picture(size, image_format, number=number) for number in (1, 2))
    assert first != second
    with Image.open(io.BytesIO(first)) as shown:
        shown.load()
        assert (shown.format, shown.size, shown.mode) == (image_format.upper(), size, "RGB")
    assert b"OpenAI" in first


@pytest.mark.parametrize("image_format", ["png", "webp"])
def test_transparent_pictures_have_clear_and_opaque_pixels(image_format: Format) -> None:
    with Image.open(io.BytesIO(picture((64, 64), image_format, number=3, alpha=True))) as shown:
        assert shown.getchannel("A").getextrema() == (0, 255)


def test_the_bomb_is_small_and_valid() -> None:
    assert len(bomb_png()) < 200_000
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(bomb_png()))
    with Image.open(io.BytesIO(bomb_png.__wrapped__(3000))) as small:
        small.load()
        assert small.size == (3000, 3000)
