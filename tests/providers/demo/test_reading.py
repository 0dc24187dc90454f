"""What a prompt says is what the pictures show."""

import colorsys

import numpy as np
import pytest
from PIL import Image

from providers.demo.prompt_reading import read_prompt
from providers.demo.studio import MANNERS, Order, draw

MODELS = tuple(MANNERS)


def picture(prompt: str, model: str = "painterly", index: int = 0) -> Image.Image:
    return draw(Order(model, prompt, (512, 320), "low", transparent=False, index=index))


def mean_hue(image: Image.Image) -> float:
    """Hue of the mean colour, 0 to 1."""
    red, green, blue = np.asarray(image, dtype=np.float64).mean(axis=(0, 1)) / 255
    return colorsys.rgb_to_hsv(red, green, blue)[0]


def lightness(image: Image.Image) -> float:
    return float(np.asarray(image.convert("L")).mean())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("scene", ["dunes", "abstract composition"])
def test_colour_words_rule_the_palette(model: str, scene: str) -> None:
    red, blue = mean_hue(picture(f"{scene} in red", model)), mean_hue(picture(f"{scene} in blue", model))

    assert min(red, 1 - red) < 0.14
    assert 0.45 < blue < 0.75


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("scene", ["city", "lighthouse"])
def test_night_is_darker_than_noon(model: str, scene: str) -> None:
    assert lightness(picture(f"{scene} at night", model)) < lightness(picture(f"{scene} at noon", model)) - 15


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("A lighthouse on a basalt headland at dusk, gouache on rough paper, one lit window", "lighthouse"),
        ("Product photo of a ceramic mug on travertine, soft window light", "still_life"),
        ("A travel poster for a botanic garden, the word HERBARIUM", "poster"),
        ("Morning ridges in mist", "ridges"),
        ("City at night, windows lit, rain", "city"),
        ("Still life with a stoneware vase and citrus, north light, oil on linen", "still_life"),
        ("Potted plant, lino cut", "plant"),
        ("A red fox in a snowy forest", "animal"),
        ("Logo for a bakery, wheat and sun", "logo"),
        ("A cosy reading corner with a floor lamp and an armchair", "interior"),
        ("Portrait of an old sailor", "portrait"),
        ("Abstract composition in teal and orange", "abstract"),
        ("Two sailing boats", "boat"),
        ("猫", "animal"),
        ("hello world", "abstract"),
        ("Leaves and flowers", "plant"),
    ],
)
def test_prompt_chooses_the_scene(prompt: str, kind: str) -> None:
    assert read_prompt(prompt).kind == kind


@pytest.mark.parametrize(
    ("prompt", "lettering"),
    [
        ("the word HERBARIUM set large", ("HERBARIUM",)),
        ('a poster saying "Open late"', ("Open late",)),
        ("a poster with “JAZZ NIGHT” and 'free'", ("JAZZ NIGHT", "free")),
        ("a sign in 4K with 3D letters, USA", ()),
        ("don't shout, it's fine", ()),
        ("a sign 『猫』", ()),
    ],
)
def test_lettering_is_found(prompt: str, lettering: tuple[str, ...]) -> None:
    assert read_prompt(prompt).lettering == lettering


def test_numbers_count_the_subject() -> None:
    assert read_prompt("three apples").count == 3
    assert read_prompt("apples").count is None


def test_letters_show_in_the_picture() -> None:
    first, second = (np.asarray(picture(f'poster "{word}"', "flat").convert("L")) for word in ("HERBARIUM", "NOCTURNE"))

    assert np.abs(first[240:].astype(int) - second[240:]).mean() > 1


PROMPTS = (
    "x", "🙂", "a" * 32_000, '"', "POSTER 'é'", "poster", "logo «ÅÄÖ»", "three cats in a room", "owl at night",
    "five fish", "a bear in autumn", "nine apples and pears", "a teapot, a bowl", "bottle of perfume \"NEROLI\"",
    "cactus", "tulips", "queen", "astronaut portrait", "planet with rings", "wheat field", "cottage in winter",
    "beach with waves", "snowy mountains", "rainy street", "deer in fog", "rabbit", "dog", "bird on a branch",
)  # fmt: skip


@pytest.mark.parametrize("size", [(768, 256), (256, 768)])
def test_every_scene_can_be_drawn_in_extreme_shapes(size: tuple[int, int]) -> None:
    for place, prompt in enumerate(PROMPTS[size[0] > size[1] :: 2]):
        index = place % 2
        image = draw(Order(MODELS[place % 3], prompt, size, "low", transparent=place % 5 == 4, index=index))
        assert image.size == size
        assert np.asarray(image.convert("L")).std() > 4, prompt
