"""`estimate --quote`: the provider's own price beforehand, free, beside our estimate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakes import lumenfall_server
from tests.fakes.lumenfall_server import FakeLumenfall

OFFER = "lumenfall/gpt-image-2"
ASK = ("estimate", "--offer", OFFER, "--offer", "openai/gpt-image-2", "--prompt", "A red fox", "--json")


def test_the_gateways_own_price_stands_beside_the_estimate(here: Callable[..., Any]) -> None:
    with FakeLumenfall() as fake:
        env = {"LUMENFALL_API_KEY": fake.key, "LUMENFALL_BASE_URL": fake.base_url, "OPENAI_API_KEY": "sk-test-012345"}
        code, document, _ = here(*ASK, "--quote", env=env)
        assert (code, fake.violations, fake.creates) == (0, [], 0)
    told, silent = document["runs"]
    assert told["quote_microusd"] == 5_945
    assert told["estimate_microusd"] == 196 * 30 + 3 * 5
    assert silent["quote_microusd"] is None
    assert silent["quote_note"] == "This provider tells no price beforehand."


def test_a_refused_question_is_told_and_the_estimate_stays(here: Callable[..., Any]) -> None:
    with FakeLumenfall() as fake:
        env = {"LUMENFALL_API_KEY": "lmnfl_wrong.0123456789", "LUMENFALL_BASE_URL": fake.base_url}
        code, document, _ = here(*ASK, "--quote", env=env)
    assert code == 0
    run = document["runs"][0]
    assert run["quote_microusd"] is None
    assert "refused the key" in run["quote_note"]
    assert run["estimate_microusd"] > 0
    assert lumenfall_server.BAD_KEY.status == 401


def test_without_the_option_nobody_is_asked(here: Callable[..., Any]) -> None:
    with FakeLumenfall() as fake:
        env = {"LUMENFALL_API_KEY": fake.key, "LUMENFALL_BASE_URL": fake.base_url}
        _, document, _ = here(*ASK, env=env)
        assert fake.calls == []
    assert "quote_microusd" not in document["runs"][0]
