"""What is refused before anything is sent, and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.checks import problems_of, retirement_note
from providers.rows import CATALOG
from providers.sizes import nearest_size, size_problem
from providers.types import ImageRequest, InputImage


def image(width: int = 64, height: int = 64) -> InputImage:
    return InputImage(b"x", "image/png", width, height, "0" * 64)


def fields(offer: str, **changes: object) -> list[str]:
    request = ImageRequest(**{"prompt": "a fox", **changes})
    found = CATALOG.offer(offer)
    spec, provider = CATALOG.spec(found), CATALOG.provider(found.provider_id)
    problems = list(problems_of(request, spec, provider))
    assert all(problem.message.endswith(".") for problem in problems)
    return [problem.field for problem in problems]


CASES: list[tuple[str, dict[str, object], list[str]]] = [
    ("openai/gpt-image-2", {}, []),
    ("openai/gpt-image-2", {"prompt": ""}, ["prompt"]),
    ("openai/gpt-image-2", {"prompt": " \n\t "}, ["prompt"]),
    ("openai/gpt-image-2", {"prompt": "x" * 32_000}, []),
    ("openai/gpt-image-2", {"prompt": "x" * 32_001}, ["prompt"]),
    ("openai/gpt-image-2", {"n": 0}, ["n"]),
    ("openai/gpt-image-2", {"n": 11}, ["n"]),
    ("openai/gpt-image-2", {"size": "1920x1080"}, ["size"]),
    ("openai/gpt-image-2", {"size": "1920x1088"}, []),
    ("openai/gpt-image-2", {"size": "3840x2160"}, []),
    ("openai/gpt-image-2", {"size": "3856x2160"}, ["size"]),
    ("openai/gpt-image-2", {"size": "512x512"}, ["size"]),
    ("openai/gpt-image-2", {"size": "3072x1008"}, ["size"]),
    ("openai/gpt-image-2", {"size": "large"}, ["size"]),
    ("openai/gpt-image-2", {"size": "-16x16"}, ["size"]),
    ("openai/gpt-image-1.5", {"size": "1920x1088"}, ["size"]),
    ("openai/gpt-image-1.5", {"size": "1024x1536"}, []),
    ("openai/gpt-image-2", {"quality": "max"}, ["quality"]),
    ("openai/gpt-image-2.5-flare", {"quality": "max"}, []),
    ("openai/gpt-image-2", {"background": "transparent", "output_format": "jpeg"}, ["background"]),
    ("openai/gpt-image-2", {"background": "transparent"}, []),
    ("openai/gpt-image-2", {"output_format": "gif"}, []),
    ("openai/gpt-image-1.5", {"aspect_ratio": "16:9", "resolution": "4K"}, []),
    ("openai/gpt-image-2", {"size": "16:9"}, []),
    ("openai/gpt-image-2", {"aspect_ratio": "wide"}, ["aspect_ratio"]),
    ("openai/gpt-image-2", {"aspect_ratio": "0:9"}, ["aspect_ratio"]),
    ("openai/gpt-image-2", {"resolution": "huge"}, ["resolution"]),
    ("replicate/gpt-image-2", {"mask": image(), "images": (image(),), "lock_outside_mask": False}, ["mask"]),
    ("replicate/gpt-image-2", {"mask": image(), "images": (image(),), "lock_outside_mask": True}, []),
    ("replicate/gpt-image-2", {"mask": image(), "images": (image(),)}, []),
    ("replicate/gpt-image-2", {"mask": image(32, 64), "images": (image(),)}, ["mask"]),
    ("replicate/gpt-image-2", {"mask": image()}, ["mask"]),
    ("openai/gpt-image-2", {"lock_outside_mask": True}, ["lock_outside_mask"]),
    ("openai/gpt-image-2", {"lock_outside_mask": False}, []),
    ("lumenfall/fal/gpt-image-1-mini-edit", {}, ["images"]),
    ("openai/gpt-image-2", {"output_format": "bmp"}, ["output_format"]),
    ("openai/gpt-image-2", {"output_compression": 101}, ["output_compression"]),
    ("openai/gpt-image-2", {"partial_images": 4}, ["partial_images"]),
    ("openai/gpt-image-2", {"timeout_s": 5.0}, ["timeout_s"]),
    ("openai/gpt-image-2", {"moderation": "none"}, ["moderation"]),
    ("openai/gpt-image-1-mini", {"input_fidelity": "high", "images": (image(),)}, ["input_fidelity"]),
    ("openai/gpt-image-2", {"images": (image(),) * 16}, []),
    ("openai/gpt-image-2", {"images": (image(),) * 17}, ["images"]),
    ("openai/gpt-image-2", {"mask": image()}, ["mask"]),
    ("openai/gpt-image-2", {"mask": image(32, 64), "images": (image(),)}, ["mask"]),
    ("openai/gpt-image-2", {"prompt": "", "n": 0, "size": "1x1"}, ["prompt", "n", "size"]),
]


@pytest.mark.parametrize(("offer", "changes", "expected"), CASES)
def test_each_problem_names_its_field(offer: str, changes: dict[str, object], expected: list[str]) -> None:
    assert fields(offer, **changes) == expected


def test_a_wrong_size_comes_with_the_nearest_one() -> None:
    rule = CATALOG.spec(CATALOG.offer("openai/gpt-image-2")).sizes
    message = size_problem("1920x1080", rule)
    assert message is not None
    assert "multiples of 16" in message
    assert message.endswith("Nearest possible size: 1920x1088.")


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_the_nearest_size_is_always_legal(width: int, height: int) -> None:
    rule = CATALOG.spec(CATALOG.offer("openai/gpt-image-2")).sizes
    nearest = nearest_size((width, height), rule)
    assert nearest != "auto"
    assert size_problem(nearest, rule) is None


@given(st.text(max_size=20))
def test_any_text_as_a_size_gets_a_sentence_or_is_legal(text: str) -> None:
    rule = CATALOG.spec(CATALOG.offer("openai/gpt-image-2")).sizes
    message = size_problem(text, rule)
    assert message is None or message.endswith(".")


def test_retirement_is_told_with_its_day() -> None:
    from datetime import date

    mini = CATALOG.model("gpt-image-1-mini")
    two = CATALOG.model("gpt-image-2")
    assert mini is not None
    assert two is not None
    assert retirement_note(mini, date(2026, 11, 30)) == "Retires 1 Dec 2026"
    assert retirement_note(mini, date(2026, 12, 1)) == "Retired 1 Dec 2026"
    assert retirement_note(two, date(2026, 12, 1)) is None
