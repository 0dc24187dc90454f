"""The command line tells when a model it is asked for ends, or has ended, whoever sells it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from playground.plan import make_plan
from playground.settings import Settings
from providers.rows import CATALOG
from providers.types import ImageRequest
from ui.documents import lifecycle_notice, plan_document

OLD = [offer.offer_id for offer in CATALOG.offers if offer.model_id == "gpt-image-1"] + ["lumenfall/openai/gpt-image-1"]
TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("offer", OLD)
def test_a_model_that_has_ended_is_told_at_every_provider(offer: str) -> None:
    plan = make_plan(ImageRequest("A red fox"), [offer], CATALOG)
    words = "Retired 23 Oct 2026 at OpenAI: expect it to fail."
    assert lifecycle_notice(plan.runs[0], TODAY) == words
    document: Any = plan_document(plan, Settings(), TODAY)
    assert document["runs"][0]["notices"][0] == words


def test_a_model_that_will_end_and_one_that_goes_on() -> None:
    mini, two = make_plan(ImageRequest("x"), ["fal/gpt-image-1-mini", "openai/gpt-image-2"], CATALOG).runs
    assert lifecycle_notice(mini, TODAY) == "Retires 1 Dec 2026 at OpenAI."
    assert lifecycle_notice(two, TODAY) is None


def test_estimate_says_it_beside_the_document(here: Callable[..., Any]) -> None:
    code, document, messages = here("estimate", "--offer", "fal/gpt-image-1", "--prompt", "A red fox", "--json", env={})
    assert code == 0
    assert any("Retired 23 Oct 2026" in notice for notice in document["runs"][0]["notices"])
    assert "fal/gpt-image-1: Retired 23 Oct 2026 at OpenAI" in messages
