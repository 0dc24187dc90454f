"""Ratings against published tables, to the digits printed there."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from arena.ratings import bradley_terry, davidson
from arena.ratings.covariance import standard_errors
from arena.ratings.elo import expected_score
from arena.ratings.fit import Fit
from arena.ratings.outcomes import group_counts, group_votes
from arena.ratings.ranking import ranks_by_overlap
from arena.ratings.side_bias import side_bias
from tests.arena.simulated import published_counts, published_rows, published_votes

BASEBALL = group_votes(published_votes("agresti_baseball_1987.csv"))
STIGLER = group_counts(published_counts("stigler_citations.csv"))
PUDDING = group_counts(published_counts("davidson_pudding.csv"))


def against(fit: Fit, reference: str) -> dict[str, float]:
    """Strengths less that of `reference`."""
    zero = fit.strengths[fit.names.index(reference)]
    return {name: float(one - zero) for name, one in zip(fit.names, fit.strengths, strict=True)}


def se_against(fit: Fit, reference: str) -> dict[str, float]:
    """Standard errors as the information gives them, which is what the tables print."""
    v, zero = fit.posterior, fit.names.index(reference)
    return {name: float(np.sqrt(v[i, i] + v[zero, zero] - 2 * v[i, zero])) for i, name in enumerate(fit.names)}


def test_baseball_abilities_and_errors() -> None:
    fit = bradley_terry.fit(BASEBALL, prior=0)
    # Source: Agresti, Categorical Data Analysis (2002), table 10.11.
    assert against(fit, "Baltimore") == pytest.approx(
        {
            "Milwaukee": 1.58, "Detroit": 1.44, "Toronto": 1.29, "New York": 1.25, "Boston": 1.11, "Cleveland": 0.68,
            "Baltimore": 0.0,
        },
        abs=0.005,
    )  # fmt: skip
    # Source: the R package BradleyTerry2 1.1.2.
    assert se_against(fit, "Baltimore") == pytest.approx(
        {
            "Baltimore": 0.0, "Boston": 0.333878, "Cleveland": 0.331877, "Detroit": 0.339569, "Milwaukee": 0.343256,
            "New York": 0.335861, "Toronto": 0.336669,
        },
        abs=1e-5,
    )  # fmt: skip
    assert fit.ratings.mean() == pytest.approx(1000)
    assert dict(zip(fit.names, fit.se, strict=True)) == pytest.approx(
        {
            "Baltimore": 39.6851, "Boston": 33.6595, "Cleveland": 37.1786, "Detroit": 36.0735, "Milwaukee": 36.0723,
            "New York": 35.7458, "Toronto": 33.888,
        },
        abs=1e-3,
    )  # fmt: skip


def test_baseball_home_effect_is_a_side_bias() -> None:
    found = side_bias(BASEBALL, prior=0)
    assert found is not None
    # Source: Agresti (2002), page 438: the home team's advantage; standard error by BradleyTerry2.
    assert found.delta == pytest.approx(0.302, abs=5e-4)
    assert found.information_se == pytest.approx(0.130944, abs=1e-5)
    share = np.sort(np.exp(found.strengths) / np.exp(found.strengths).sum())[::-1]
    assert share == pytest.approx([0.220, 0.190, 0.164, 0.157, 0.137, 0.088, 0.044], abs=6e-4)


def test_citations_among_journals() -> None:
    fit = bradley_terry.fit(STIGLER, prior=0)
    # Source: Agresti (2002), page 448; standard errors by BradleyTerry2.
    assert against(fit, "Biometrika") == pytest.approx(
        {"Biometrika": 0.0, "Comm Statist": -2.949, "JASA": -0.480, "JRSS-B": 0.269}, abs=6e-4
    )
    assert se_against(fit, "Biometrika") == pytest.approx(
        {"Biometrika": 0.0, "Comm Statist": 0.10255, "JASA": 0.06059, "JRSS-B": 0.07083}, abs=1e-5
    )
    assert fit.ratings == pytest.approx([1137.2235, 624.9172, 1053.9137, 1183.9456], abs=1e-3)


def test_puddings_with_ties_as_an_outcome() -> None:
    fit = davidson.fit(PUDDING, prior=0)
    # Source: Davidson 1970, example 2, at the converged optimum (R's optim agrees).
    worth = np.exp(fit.strengths)
    assert worth / worth.sum() == pytest.approx([0.138803, 0.173001, 0.161747, 0.165373, 0.158685, 0.202389], abs=2e-6)
    assert fit.tie_parameter == pytest.approx(0.746823, abs=2e-6)
    errors = np.sqrt(np.diag(fit.posterior))
    assert errors[:6] == pytest.approx([0.121949, 0.121818, 0.126823, 0.122003, 0.127054, 0.126594], abs=2e-6)
    assert errors[6] == pytest.approx(0.082499, abs=2e-6)


def test_puddings_with_ties_as_half_wins() -> None:
    fit = bradley_terry.fit(PUDDING, prior=0)
    assert fit.ratings == pytest.approx([977.6757, 1005.5242, 997.018, 999.8213, 994.601, 1025.3599], abs=1e-3)
    assert fit.se == pytest.approx([15.3963, 15.8987, 16.0566, 15.3485, 15.5074, 16.0414], abs=1e-3)
    assert standard_errors(fit.posterior) == pytest.approx(
        [18.06, 18.0543, 18.7971, 18.0826, 18.8306, 18.7444], abs=1e-3
    )


def test_the_ranks_of_three_public_boards() -> None:
    boards = defaultdict(list)
    for row in published_rows("lmarena_image_ranks_2025-12.csv"):
        boards[row["board"]].append((float(row["lower"]), float(row["upper"]), int(row["rank"])))
    assert len(boards) == 3
    for rows in boards.values():
        low, high, rank = np.array(rows).T
        assert ranks_by_overlap(low, high).tolist() == rank.tolist()


def test_the_score_of_a_published_elo_tournament() -> None:
    # Source: Wikipedia, "Elo rating system": 1613 scores 2.5 of 5 where 2.88 were expected, and drops to 1601 with K 32.
    expected = sum(expected_score(1613, other) for other in (1609, 1477, 1388, 1586, 1720))
    assert expected == pytest.approx(2.88, abs=0.02)
    assert 1613 + 32 * (2.5 - expected) == pytest.approx(1601, abs=0.6)
