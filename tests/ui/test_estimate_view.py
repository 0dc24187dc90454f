"""The details of the estimate: each offer's lines, source and range; nothing where all is free."""

from __future__ import annotations

from typing import Any

from providers.rows import CATALOG
from providers.types import ImageRequest
from ui.pages.playground.estimate_view import OPEN, estimate_view
from ui.pages.playground.planning import plan_of


def details(*offers: str, rows: tuple[dict[str, str], ...] = (), **asked: Any) -> dict[str, Any]:
    request = ImageRequest(
        **({"prompt": "A {animal}" if rows else "A fox", "size": "1024x1024", "quality": "low"} | asked)
    )
    found = estimate_view(plan_of(request, offers, CATALOG, rows))
    assert found is not None
    return found


def test_each_offer_says_what_it_is_made_of_and_where_its_price_is_from() -> None:
    said = details("openai/gpt-image-2", "demo/flat", rows=({"animal": "fox"}, {"animal": "owl"}))
    assert (said["runs"], said["total"], said["open"]) == ("4 runs", "about $0.012", "")
    openai, demo = said["offers"]
    assert (openai["model"], openai["provider"], openai["runs"]) == ("GPT Image 2", "OpenAI", "2 runs")
    assert openai["sum"] == "about $0.012"
    assert "tokens at $30.00 per million" in openai["cost"]["lines"][0]["label"]
    assert "read " in openai["cost"]["source"]
    assert (demo["sum"], demo["cost"]["lines"]) == ("free", [])


def test_what_auto_leaves_open_is_a_range_and_said() -> None:
    said = details("openai/gpt-image-2", quality="auto")
    assert " to " in said["total"]
    assert said["open"] == OPEN


def test_where_all_is_free_there_is_nothing_to_tell() -> None:
    assert estimate_view(plan_of(ImageRequest(prompt="x"), ("demo/flat",), CATALOG)) is None


def test_an_unknown_price_is_said_and_never_free() -> None:
    said = details("openai/typed-by-hand")
    assert said["total"] == "price unknown"
    assert said["offers"][0]["cost"]["note"]
