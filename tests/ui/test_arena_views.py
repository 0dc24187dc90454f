"""Words and figures of the board pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.rows import CATALOG
from storage.records import Run, RunError, RunView, StoredImage
from storage.verify import Problem
from ui import arena_views, history_views, views

RUN = Run(
    run_id="r1", group_id="g1", owner="local", position=0, offer="openai/gpt-image-2", operation="generate",
    prompt="A red fox", asked={"prompt": "A red fox", "size": "1024x1024", "quality": "low", "n": 1, "output_format": "png"},
    state="succeeded", queued_at="2026-11-21T10:15:30.123Z", estimate_microusd=5_900,
    sent={"prompt": "A red fox", "size": "1024x1024", "quality": "low", "n": 1},
    got={"size": "1024x1024", "quality": "medium"}, latency_ms=24_800, first_preview_ms=6_100, request_id="req_1",
)  # fmt: skip
IMAGE = StoredImage("i1", "r1", 0, "a" * 64, "image/png", 1536, 1024, 2_410_000, "2026-11-21T10:15:30.123Z")
VIEW = RunView(RUN, (IMAGE,), (), (), 41_200, "reported", "settled")


def test_what_was_got_differently_is_marked() -> None:
    rows = {row["label"]: row for row in history_views.field_rows(VIEW, IMAGE)}
    assert (rows["Size"]["asked"], rows["Size"]["got"], rows["Size"]["differs"]) == ("1024 × 1024", "1536 × 1024", True)
    assert (rows["Quality"]["sent"], rows["Quality"]["got"], rows["Quality"]["differs"]) == ("low", "medium", True)
    assert (rows["Format"]["sent"], rows["Format"]["got"], rows["Format"]["differs"]) == ("–", "png", False)
    assert (rows["Prompt"]["asked"], rows["Prompt"]["sent"], rows["Prompt"]["differs"]) == (
        "3 words",
        "the same",
        False,
    )
    assert "Moderation" not in rows


def test_auto_never_differs_and_a_rewritten_prompt_does() -> None:
    run = replace(RUN, asked={**RUN.asked, "size": "auto", "quality": "auto"})
    image = replace(IMAGE, revised_prompt="A red fox, painted")
    rows = {row["label"]: row for row in history_views.field_rows(replace(VIEW, run=run), image)}
    assert [label for label, row in rows.items() if row["differs"]] == ["Prompt"]
    assert (
        history_views.details_view(replace(VIEW, run=run, images=(image,)), 0, CATALOG)["revised"]
        == "A red fox, painted"
    )


def test_details_name_the_offer_the_times_and_the_file() -> None:
    facts = {fact["label"]: fact["text"] for fact in history_views.details_view(VIEW, 0, CATALOG)["facts"]}
    assert facts["Offer"] == "GPT Image 2 at OpenAI"
    assert facts["Time"] == "first preview 6.1 s · done 24.8 s"
    assert facts["File"] == "PNG, 2.41 MB"
    assert facts["Made"] == "21 Nov 2026, 10:15 UTC"
    assert facts["Request id"] == "req_1"


def test_a_run_without_an_image_has_its_error_and_no_base() -> None:
    error = RunError("timeout", "No answer in 300 s.", may_have_been_billed=True)
    view = RunView(replace(RUN, state="unknown", error=error, got=None), (), (), (), None, "unknown", "unknown")
    details = history_views.details_view(view, 0, CATALOG)
    assert details["image"] is None
    assert details["use_as_base"] is None
    assert details["error"] == {"message": "No answer in 300 s.", "billed": True}
    assert [chip["word"] for chip in details["chips"]] == ["Unknown", "cost unknown"]
    assert history_views.run_view(view, CATALOG)["cost"] == "cost unknown"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (312, "312 bytes"),
        (18_400, "18 kB"),
        (2_410_000, "2.41 MB"),
        (312_000_000, "312 MB"),
        (5_800_000_000, "5.80 GB"),
    ],
)
def test_sizes_in_words(size: int, text: str) -> None:
    assert views.bytes_text(size) == text


def test_an_audit_with_many_problems_shows_some_and_counts_the_rest() -> None:
    problems = [Problem("blob_missing", f"{n}", "gone") for n in range(25)]
    view = history_views.verified_view(problems)
    assert view["text"] == "25 problems found. Nothing was changed."
    assert view["problems"][-1] == "and 5 more"


@pytest.mark.parametrize(("points", "text"), [(2.0, "+2.0"), (-1.94, "−1.9"), (0.0, "0"), (-0.01, "0")])
def test_rating_changes_in_words(points: float, text: str) -> None:
    assert arena_views.signed(points) == text


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        ("openai/gpt-image-2", ("GPT Image 2", "OpenAI")),
        ("demo/flat", ("Demo, flat", "")),
        ("gone/old-model", ("old-model", "gone")),
    ],
)
def test_makers_are_named_even_when_they_left_the_catalogue(offer: str, words: tuple[str, str]) -> None:
    assert arena_views.maker(CATALOG, offer) == words


def test_the_start_button_says_its_price() -> None:
    assert arena_views.start_label(0, 0) == "Start battle · free"
    assert arena_views.start_label(11_000, 11_000) == "Start battle · about $0.011"
    assert arena_views.start_label(11_000, 80_000) == "Start battle · $0.011 to $0.08"
    assert arena_views.start_label(None, None) == "Start battle · price unknown"
