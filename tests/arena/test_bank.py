"""The prompt bank: enough of it, nothing twice, nothing that tells a maker, and pictures that are what they say."""

import hashlib
import itertools
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arena import bank
from arena.bank.drawing.gallery import PICTURES
from providers.rows import CATALOG

ALL = bank.prompts()
SOLIDS = ("studio", "interiors", "still_life", "landscape")
NOT_DRAWN_AGAIN = ("bottle", "living-room", "robot", "still-life")
"""They take seconds at any size. Their lights and solids are those of the others, which are drawn."""
IDS_DIGEST = "00a995ecfcb997b7"
BRANDS = (
    "gpt", "openai", "dall", "chatgpt", "sora", "google", "gemini", "imagen", "nano banana", "midjourney", "flux", "bfl",
    "stable diffusion", "sdxl", "stability", "ideogram", "recraft", "seedream", "bytedance", "qwen", "hunyuan", "kling",
    "firefly", "adobe", "leonardo", "replicate", "runware", "lumenfall", "fal", "grok", "reve", "krea", "anthropic", "claude",
)  # fmt: skip


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def likeness(one: str, other: str) -> float:
    """Share of words that two texts have in common (Jaccard)."""
    a, b = words(one), words(other)
    return len(a & b) / len(a | b)


def test_there_is_enough_of_every_kind() -> None:
    assert len(bank.prompts("generate")) >= 144
    assert len(bank.prompts("edit-single")) >= 24
    assert len(bank.prompts("edit-multi")) >= 12
    per_category = Counter(one.category for one in bank.prompts("generate"))
    assert len(per_category) >= 10
    assert min(per_category.values()) >= 8
    assert min(Counter(one.category for one in bank.prompts("edit")).values()) >= 5


def test_each_id_and_each_text_stands_once() -> None:
    assert len({one.prompt_id for one in ALL}) == len(ALL)
    assert len({one.prompt.casefold() for one in ALL}) == len(ALL)
    assert len({kind.slug for kind in bank.categories()}) == len(bank.categories())


def test_no_prompt_is_almost_another() -> None:
    pairs = itertools.combinations(ALL, 2)
    alike = [(a.prompt_id, b.prompt_id) for a, b in pairs if likeness(a.prompt, b.prompt) > 0.5]
    assert alike == [], "These prompts share more than half of their words: write one of them anew."


def test_likeness_sees_a_near_copy() -> None:
    assert likeness("Seven red pears on a plate", "Six red pears on a plate") > 0.5
    assert likeness("Seven red pears on a plate", "A ferry in the fog") < 0.2


def test_ids_are_as_they_were() -> None:
    """Votes name prompts by id: a changed id cuts its votes off, a reused one mixes two prompts in one."""
    listed = "\n".join(sorted(one.prompt_id for one in ALL))
    digest = hashlib.sha256(listed.encode()).hexdigest()[:16]
    assert digest == IDS_DIGEST, (
        "The list of prompt ids has changed. If you only ADDED prompts, put the new digest here. If one was renamed or "
        "removed, take that back: votes that are stored refer to it."
    )


def test_prompts_fit_every_model_and_name_no_maker() -> None:
    """The Demo's models are named with ordinary words ("Flat") and tell nothing."""
    real = [model for model in CATALOG.models if model.family != "Demo"]
    made = {name.casefold() for model in real for name in (model.model_id, model.name)}
    made |= {provider.name.casefold() for provider in CATALOG.providers} - {"demo"}
    for one in ALL:
        assert 20 <= len(one.prompt) <= 32_000, one.prompt_id
        assert one.prompt == one.prompt.strip()
        text = one.prompt.casefold()
        told = [name for name in {*BRANDS, *made} if re.search(rf"\b{re.escape(name)}\b", text)]
        assert not told, (one.prompt_id, told)


def test_board_and_operation_follow_from_the_sources() -> None:
    for one in ALL:
        count = len(one.sources)
        assert one.operation == ("edit" if count else "generate")
        assert one.board == ("generate", "edit-single", "edit-multi", "edit-multi")[count]
        assert len(set(one.sources)) == count


def test_sources_are_there_and_all_are_used() -> None:
    used = {name for one in ALL for name in one.sources}
    assert used == {image.source_id for image in bank.sources()} == {picture.source_id for picture in PICTURES}
    files = {file.name for file in bank.SOURCES_DIR.iterdir()} - {"sha256.txt"}
    assert files == {image.path for image in bank.sources()}
    assert len(files) >= 12


def test_sources_decode_at_their_size_without_metadata() -> None:
    total = 0
    for picture in PICTURES:
        image = bank.source(picture.source_id)
        raw = bank.path_of(image).read_bytes()
        total += len(raw)
        assert hashlib.sha256(raw).hexdigest() == image.sha256, f"{image.path} was changed by hand"
        with Image.open(bank.path_of(image)) as opened:
            assert (opened.format, opened.mode, opened.size) == ("JPEG", "RGB", picture.size)
            assert opened.size in ((1024, 1024), (1536, 1024), (1024, 1536))
            assert set(opened.info) <= {
                "jfif",
                "jfif_version",
                "jfif_unit",
                "jfif_density",
                "progressive",
                "progression",
            }
            assert not opened.getexif()
            assert np.asarray(opened.convert("L").resize((64, 64))).std() > 15
        assert image.media_type == "image/jpeg"
        assert image.alt.endswith(".")
        assert len(image.alt) > 40
    assert total <= 2_500_000


DRAWN_AGAIN = [picture for picture in PICTURES if picture.source_id not in NOT_DRAWN_AGAIN]


@pytest.mark.parametrize("picture", DRAWN_AGAIN, ids=lambda picture: picture.source_id)
def test_drawing_again_gives_the_shipped_image(picture) -> None:
    """At a small size, which is quick. Thin lines need more pixels than solids in light, which in turn take longer."""
    shrink = 16 if picture.draw.__module__.endswith(SOLIDS) else 8
    width, height = (side // shrink for side in picture.size)
    again = picture.draw((width, height))
    with Image.open(bank.path_of(bank.source(picture.source_id))) as opened:
        shipped = opened.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    coarse = tuple(side // 64 for side in picture.size)
    one, other = (np.asarray(image.resize(coarse, Image.Resampling.BOX), dtype=float) for image in (again, shipped))
    assert np.abs(one - other).mean() < 5, "The script draws something else now: run python -m arena.bank.drawing"


def test_prompts_are_found_by_task_and_category() -> None:
    assert bank.prompts("edit") == bank.prompts("edit-single") + bank.prompts("edit-multi")
    assert {one.category for one in bank.prompts(category="counting")} == {"counting"}
    assert bank.prompts("edit", "counting") == ()
    assert bank.prompt(ALL[0].prompt_id) is ALL[0]


@pytest.mark.parametrize(
    ("ask", "error", "named"),
    [
        (lambda: bank.prompt("portrait-nobody"), bank.UnknownPrompt, "portrait-nobody"),
        (lambda: bank.source("sea-monster"), bank.UnknownSource, "sea-monster"),
        (lambda: bank.prompts(category="cooking"), bank.UnknownCategory, "cooking"),
        (lambda: bank.prompts("paint"), bank.UnknownTask, "paint"),
    ],
)
def test_what_is_not_there_is_said_by_name(ask, error, named) -> None:
    with pytest.raises(error, match=named):
        ask()


def write_bank(folder: Path, prompts: str, edits: str) -> None:
    (folder / "sources").mkdir()
    (folder / "sources" / "sha256.txt").write_text("00  cup.jpg\n")
    (folder / "sources.toml").write_text('[cup]\nname = "Cup"\nalt = "A cup."\n')
    (folder / "prompts.toml").write_text(prompts)
    (folder / "edits.toml").write_text(edits)


HEAD = '[art]\nname = "Art"\nabout = "Art."\n[art.prompts]\n'


@pytest.mark.parametrize(
    ("prompts", "edits", "fault"),
    [
        (HEAD + 'Bad_Key = "x"\n', "", "no slug"),
        (HEAD + 'one = ""\n', HEAD.replace("art", "art2") + 'two = { sources = ["mug"], prompt = "y" }\n', "mug"),
        (HEAD + "one = 3\n", "", "needs a text"),
        (HEAD + 'one = "x"\n', HEAD + 'one = { sources = ["cup"], prompt = "y" }\n', "twice"),
        ('[art]\nname = "Art"\nabout = "Art."\n', "", "no prompts"),
        ('[art]\nname = "Art"\n[art.prompts]\none = "x"\n', "", "about"),
    ],
)
def test_a_broken_bank_says_what_is_wrong(tmp_path, prompts, edits, fault) -> None:
    write_bank(tmp_path, prompts, edits)
    with pytest.raises(bank.BrokenBank, match=fault):
        bank.load_bank(tmp_path)
