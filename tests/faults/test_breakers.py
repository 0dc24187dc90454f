"""A provider that keeps failing is left in peace for a while, then asked by one call; the page says so, and nothing is paid."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.breakers import FAILURES, PAUSE_S, Breakers
from providers.types import ImageRequest
from storage.records import RunError
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, Harness
from ui.failed_tiles import failure_view
from ui.tiles import end_of

DOWN = RunError("server", "It answered with error 500.", status=500)
GONE = RunError("network", "It could not be reached.")
SLOW_DOWN = RunError("rate_limit", "Too many.", status=429)


class Time:
    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def time() -> Time:
    return Time()


def fail(breakers: Breakers, error: RunError, times: int = FAILURES, key: str = "k") -> None:
    for _ in range(times):
        assert breakers.refusal("p", "P", key) is None
        breakers.ended("p", key, error)


@pytest.mark.parametrize("error", [DOWN, GONE])
def test_after_failures_in_a_row_one_call_goes_out_for_each_pause(time: Time, error: RunError) -> None:
    breakers = Breakers(time)
    fail(breakers, error)
    why = breakers.refusal("p", "P", "another")
    assert why is not None, "whatever the key"
    assert why.message == "P has failed 5 times in a row. It is asked again in 30 s. Nothing was sent."
    assert (why.kind, why.may_have_been_billed, why.retry_after_s) == ("server", False, PAUSE_S)
    assert breakers.refusal("q", "Q", "k") is None
    time.s += PAUSE_S + 1
    assert breakers.refusal("p", "P", "k") is None, "one finds out"
    assert breakers.refusal("p", "P", "k") is not None, "and only one"
    breakers.ended("p", "k", error)
    again = breakers.refusal("p", "P", "k")
    assert again is not None
    assert "6 times" in again.message
    time.s += PAUSE_S
    assert breakers.refusal("p", "P", "k") is None
    breakers.ended("p", "k", None)
    fail(breakers, error, FAILURES - 1)
    assert breakers.refusal("p", "P", "k") is None, "the row began anew"


def test_a_call_that_was_stopped_while_finding_out_keeps_nobody_from_it(time: Time) -> None:
    breakers = Breakers(time)
    fail(breakers, GONE)
    time.s += PAUSE_S
    assert breakers.refusal("p", "P", "k") is None
    breakers.ended("p", "k", RunError("cancelled", "Stopped."))
    assert breakers.refusal("p", "P", "k") is not None
    time.s += PAUSE_S
    assert breakers.refusal("p", "P", "k") is None


def test_a_key_that_is_told_to_slow_down_stops_no_other(time: Time) -> None:
    breakers = Breakers(time)
    fail(breakers, SLOW_DOWN)
    why = breakers.refusal("p", "P", "k")
    assert why is not None
    assert why.kind == "rate_limit"
    assert breakers.refusal("p", "P", "another") is None
    assert breakers.refusal("p", "P", None) is None


@pytest.mark.parametrize("kind", ["moderation", "validation", "auth", "quota", "malformed", "not_found", "permission"])
def test_a_refusal_is_an_answer(time: Time, kind: str) -> None:
    breakers = Breakers(time)
    fail(breakers, DOWN, FAILURES - 1)
    breakers.ended("p", "k", RunError(kind, "No.", status=400))
    fail(breakers, DOWN, FAILURES - 1)
    assert breakers.refusal("p", "P", "k") is None


@pytest.mark.parametrize("kind", ["timeout", "cancelled", "unknown"])
def test_what_says_nothing_of_the_provider_counts_neither_way(time: Time, kind: str) -> None:
    breakers = Breakers(time)
    fail(breakers, DOWN, FAILURES - 1)
    breakers.ended("p", "k", RunError(kind, "…"))
    assert breakers.refusal("p", "P", "k") is None
    breakers.ended("p", "k", DOWN)
    assert breakers.refusal("p", "P", "k") is not None


def test_rows_of_long_ago_are_forgotten(time: Time) -> None:
    breakers = Breakers(time)
    for number in range(50):
        breakers.ended("p", f"key {number}", SLOW_DOWN)
    time.s += 1000
    breakers.ended("p", "k", SLOW_DOWN)
    assert len(breakers._rows) == 1


@pytest.mark.asyncio
async def test_runs_to_a_provider_left_in_peace_fail_at_once_and_free(
    harness: Callable[..., Harness], time: Time
) -> None:
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.SERVER_ERROR)
        one = harness(openai_url=fake.base_url)
        one.engine._places.breakers = Breakers(time)
        for _ in range(FAILURES):
            await one.one()
        # Several calls of one run, too.
        (view,) = await one.run(ImageRequest("A red fox", n=10))
        assert fake.posts == FAILURES
        assert view.run.error is not None
        assert (view.run.state, view.ledger_state, view.cost_microusd) == ("failed", "released", 0)
        tile = failure_view(view, end_of(view), "OpenAI")
        assert tile["title"] == "OpenAI had an error"
        assert tile["text"] == "OpenAI has failed 5 times in a row. It is asked again in 30 s. Nothing was sent."
        assert (await one.one(offer="demo/flat")).run.state == "succeeded"
        fake.always(None)
        time.s += PAUSE_S
        found = await one.one()
        after = await one.one()
        await one.stop()
    assert (found.run.state, after.run.state) == ("succeeded", "succeeded")
