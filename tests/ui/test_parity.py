"""One model at several providers: when it is told, what stands in the table, and the sentence of what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from providers.rows import CATALOG
from storage.records import RunView
from tests.storage.builders import make_image, make_run
from ui.parity import parity_view


def run_at(provider: str, **given: Any) -> RunView:
    model = given.pop("model", "gpt-image-2")
    run = make_run(
        provider, offer=f"{provider}/{model}", state=given.pop("state", "succeeded"), latency_ms=given.pop("ms", 9_000),
        asked={"prompt": "a cat", "size": "1024x1024", "quality": "low", "n": 1, "output_format": "png"},
    )  # fmt: skip
    images = (
        make_image(provider, width=1024, height=1024, size_bytes=900_000, media_type=given.pop("type", "image/png")),
    )
    view = RunView(run, images, (), (), given.pop("cost", 6_000), "reported", "settled")
    return replace(view, **given)


def told(*runs: RunView) -> tuple[dict[str, dict[str, str]], str]:
    found = parity_view(runs, CATALOG)
    assert found is not None
    rows: Any = found["rows"]
    return {row["provider"]: row for row in rows}, str(found["finding"])


def test_the_cheapest_and_the_fastest_are_named_with_what_differs() -> None:
    rows, finding = told(
        run_at("openai", cost=6_000, ms=12_300), run_at("fal", cost=9_000, ms=8_200, type="image/jpeg")
    )
    assert finding == (
        "OpenAI was the cheapest ($0.006, fal $0.009); fal was the fastest (8.2 s, OpenAI 12.3 s); "
        "OpenAI delivered 1024 × 1024 PNG, fal delivered 1024 × 1024 JPEG."
    )
    assert rows["fal"]["paid"] == "$0.009 reported"
    assert rows["fal"]["asked"] == "$0.031"
    assert rows["OpenAI"]["changed"] == "nothing"
    assert "size converted" in rows["fal"]["changed"]
    assert "ttl" not in rows["fal"]["changed"]


def test_what_is_alike_is_called_alike_and_a_failure_is_not_left_out() -> None:
    broken = run_at("runware", images=(), cost_microusd=None, cost_source="unknown", ledger_state="unknown")
    rows, finding = told(run_at("openai"), run_at("fal"), broken)
    assert finding == (
        "All cost about the same ($0.006); all took about the same (9.0 s); all delivered 1024 × 1024 PNG; "
        "Runware made no image."
    )
    assert (rows["Runware"]["paid"], rows["Runware"]["got"]) == ("unknown", "nothing")
    assert (
        told(replace(run_at("fal"), images=()), replace(run_at("openai"), images=()))[1] == "No provider made an image."
    )


def test_only_one_model_on_one_prompt_at_several_providers_is_told_and_only_at_the_end() -> None:
    assert parity_view([run_at("openai")], CATALOG) is None
    assert parity_view([run_at("openai"), run_at("fal", model="gpt-image-1.5")], CATALOG) is None
    assert parity_view([run_at("openai"), run_at("openai")], CATALOG) is None
    assert parity_view([run_at("openai"), run_at("fal", state="sending")], CATALOG) is None
    other = run_at("fal")
    assert parity_view([run_at("openai"), replace(other, run=replace(other.run, prompt="a dog"))], CATALOG) is None
