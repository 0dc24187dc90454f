"""Advice with its sample, and silence where the sample does not carry it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arena.coach import MIN_VOTES, CheaperQuality, EstimateOff, UnknownCosts, advice_of, is_carried, tail
from providers.rows import CATALOG
from storage.costs import Compared, QualitySpend, Sum
from storage.quality_votes import QualityVotes
from ui.costs.coach_views import sentences

OFFER = "openai/gpt-image-2"
MODEL = "gpt-image-2"
# By hand: 40 images at high cost $6.40 this month; low cost $0.60 for 100, so $0.24 for 40: $6.16 less.
MONTH = [QualitySpend(OFFER, "high", 6_400_000, 40), QualitySpend(OFFER, "low", 60_000, 10)]
EVER = [QualitySpend(OFFER, "low", 600_000, 100), QualitySpend(OFFER, "high", 9_000_000, 60)]
NOTHING = Sum()


def votes(won: int, tied: int, lost: int, both_bad: int = 0) -> list[QualityVotes]:
    """`high` stands before `low` in the alphabet, so `lost` of high is `won` of low."""
    told = {"lost": won, "tie": tied, "won": lost, "both_bad": both_bad}
    return [QualityVotes(MODEL, "high", "low", outcome, number) for outcome, number in told.items() if number]


def advice(some: list[QualityVotes], **changes: object) -> tuple[object, ...]:
    told = {"month": MONTH, "ever": EVER, "total": NOTHING, "compared": []} | changes
    return advice_of(some, **told)


def test_the_sample_of_the_design_is_carried_and_told() -> None:
    (found,) = advice(votes(7, 4, 5))
    assert found == CheaperQuality(MODEL, OFFER, "low", "high", 11, 16, 40, 6_160_000)
    (words,) = sentences([found], CATALOG)
    assert words == (
        "Low won or tied high of GPT Image 2 at OpenAI in 11 of 16 of your votes; making this month's 40 images at low would "
        "have saved $6.16."
    )


@pytest.mark.parametrize("some", [votes(5, 3, 8), votes(11, 0, 0), votes(0, 0, 16), votes(2, 0, 0, both_bad=40), []])
def test_what_the_votes_do_not_carry_is_not_said(some: list[QualityVotes]) -> None:
    assert advice(some) == ()


def test_no_saving_no_word() -> None:
    assert advice(votes(16, 0, 0), month=[QualitySpend(OFFER, "high", 120_000, 6)]) == ()
    assert advice(votes(16, 0, 0), ever=[QualitySpend(OFFER, "low", 24_000, 4)]) == ()
    assert advice(votes(16, 0, 0), month=[replace(MONTH[0], offer="openai/gpt-image-1.5")]) == ()


def test_the_bound_is_the_exact_tail() -> None:
    # P(X >= 11 | n 16, p 0.4) = 0.0191: a table of the binomial distribution.
    assert tail(11, 16, 0.4) == pytest.approx(0.0191, abs=0.00005)
    assert tail(0, 5, 0.4) == pytest.approx(1)
    assert [good for good in range(MIN_VOTES + 1) if is_carried(good, MIN_VOTES)][0] == 9


def test_unknown_costs_and_estimates_that_are_off_are_told_from_a_number_on() -> None:
    few, many = Sum(unknown=2, unknown_microusd=80_000), Sum(unknown=3, unknown_microusd=120_000)
    off = [Compared(OFFER, 20, 1_000_000, 1_120_000), Compared("fal/gpt-image-2", 19, 1_000_000, 2_000_000)]
    assert advice([], total=few) == ()
    found = advice([], total=many, compared=off)
    assert found == (UnknownCosts(3, 120_000), EstimateOff(OFFER, 20, 12))
    assert sentences(found, CATALOG)[1].startswith("20 runs of GPT Image 2 at OpenAI cost 12 % more than estimated")


def test_never_more_than_three() -> None:
    models = ["gpt-image-2", "gpt-image-1.5", "gpt-image-1", "gpt-image-1-mini"]
    some = [replace(row, model=model) for model in models for row in votes(16, 0, 0)]
    month = [QualitySpend(f"openai/{model}", "high", 6_400_000, 40) for model in models]
    ever = [QualitySpend(f"openai/{model}", "low", 600_000, 100) for model in models]
    assert len(advice(some, month=month, ever=ever, total=Sum(unknown=9))) == 3
