"""Boards fitted anew on other votes of the same competitors: one at a time, or hundreds together. Pure.

Strengths only, without covariances. Many boards go through Newton's method as one batch of small matrices: a thousand of a
dozen competitors take 0.03 s, where one after another they take 0.5 s; of fifty competitors both take as long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from arena.ratings import bradley_terry, davidson
from arena.ratings.fit import Fit
from arena.ratings.newton import RIDGE
from arena.ratings.outcomes import Floats, Grouped, points
from arena.ratings.prior import FORCED_PRIOR, standing
from arena.ratings.scale import sigmoid

SETTLED = 1e-6
"""Largest step in logits after which a refit has settled: the next would be its square."""
LONGEST_STEP = 1.0
"""Logits a refit moves at most at once; near a separated draw a full step would overshoot."""
MAX_STEPS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Boards:
    """Votes of D boards over the same M competitors."""

    scored: Floats
    """(D, M, M) what the row's competitor scored against the column's."""
    tied: Floats
    """(D, M, M) ties between each two; each stands in one of the two places."""


def refit(rows: Grouped, fit: Fit) -> Floats:
    """(M,) strengths, not centred, of `rows` by the model and the prior of `fit`, from where it stands."""
    scored, start = points(rows), fit.strengths + fit.shift
    prior = fit.prior or standing(scored, fit.prior).prior
    if not fit.tie_parameter or not np.any(rows.score == 0.5):
        return bradley_terry.strengths_of(scored, prior, start)
    whole = np.append(start, np.log(fit.tie_parameter))
    tied = davidson.ties(rows)
    return davidson.parameters_of(scored, tied, whole, prior=prior, tie_prior=FORCED_PRIOR)[:-1]


def refits(boards: Boards, fit: Fit) -> Floats:
    """(D, M) strengths, not centred, of each of the `boards` by the model of `fit`.

    Without a prior, a draw of votes may leave somebody unbeaten; so the refits of a plain fit use the least prior.
    """
    start, prior = fit.strengths + fit.shift, max(fit.prior, FORCED_PRIOR)
    if not fit.tie_parameter:
        return _settled(
            lambda at, chosen: _steps(at, boards.scored[chosen], prior),
            lambda index: bradley_terry.strengths_of(boards.scored[index], prior, start),
            np.tile(start, (len(boards.scored), 1)),
        )
    whole = np.append(start, np.log(fit.tie_parameter))
    found = _settled(
        lambda at, chosen: _davidson_steps(at, boards.scored[chosen], boards.tied[chosen], prior),
        lambda index: davidson.parameters_of(
            boards.scored[index], boards.tied[index], whole, prior=prior, tie_prior=FORCED_PRIOR
        ),
        np.tile(whole, (len(boards.scored), 1)),
    )
    return found[:, :-1]


def _settled(
    steps: Callable[[Floats, np.ndarray], Floats], one_alone: Callable[[int], Floats], start: Floats
) -> Floats:
    """(D, K) parameters after Newton's steps from `start`; those that do not settle are fitted alone, with halved steps."""
    at, waiting = start, np.arange(len(start))
    for _ in range(MAX_STEPS):
        step = steps(at[waiting], waiting)
        longest = np.abs(step).max(axis=1)
        at[waiting] -= step * np.minimum(1.0, LONGEST_STEP / np.maximum(longest, SETTLED))[:, None]
        waiting = waiting[longest > SETTLED]
        if not len(waiting):
            return at
    for index in waiting.tolist():
        at[index] = one_alone(index)
    return at


def _steps(at: Floats, scored: Floats, prior: float) -> Floats:
    """(D, M) Bradley-Terry's Newton steps at `at` (D, M), to be taken off it."""
    # As worths, since exp of M strengths is far cheaper than that of M * M gaps; the prior keeps them within reach of exp.
    worth = np.exp(at)
    p = worth[:, :, None] / (worth[:, :, None] + worth[:, None, :])
    rest = np.swapaxes(p, 1, 2)
    missed = scored * rest
    alone = sigmoid(at)
    gradient = missed.sum(axis=1) - missed.sum(axis=2) + prior * (alone - 0.5)
    curvature = (scored + np.swapaxes(scored, 1, 2)) * p
    curvature *= -rest
    own = -curvature.sum(axis=2) + prior * alone * (1 - alone)
    _add_to_diagonal(curvature, own)
    return _solved(curvature, gradient)


def _davidson_steps(at: Floats, scored: Floats, tied: Floats, prior: float) -> Floats:
    """(D, M + 1) Davidson's Newton steps at `at` (D, M + 1), to be taken off it; log nu has the least prior."""
    size = at.shape[1] - 1
    worth, nu = np.exp(at[:, :-1]), np.exp(at[:, -1])
    root = np.sqrt(worth)
    p_tie = nu[:, None, None] * root[:, :, None] * root[:, None, :]
    whole = worth[:, :, None] + worth[:, None, :] + p_tie
    p_tie /= whole
    p_win = worth[:, :, None] / whole
    p_lose = np.swapaxes(p_win, 1, 2)
    decided, ties_of = p_win + p_lose, tied + np.swapaxes(tied, 1, 2)
    won = scored - ties_of / 2
    games = won + np.swapaxes(won, 1, 2) + ties_of
    alone, even = sigmoid(at[:, :-1]), nu / (nu + 2)
    missed = won * (p_lose + p_tie / 2)
    uneven = ties_of * (p_win - p_lose) / 2
    gradient = np.empty_like(at)
    gradient[:, :-1] = missed.sum(axis=1) - missed.sum(axis=2) + uneven.sum(axis=2) + prior * (alone - 0.5)
    gradient[:, -1] = (won * p_tie - ties_of * decided / 2).sum(axis=(1, 2)) + FORCED_PRIOR * (even - 0.5)
    curvature = np.zeros((len(at), size + 1, size + 1))
    curvature[:, :-1, :-1] = -games * (p_win * p_lose + decided * p_tie / 4)
    own = -curvature[:, :-1, :-1].sum(axis=2) + prior * alone * (1 - alone)
    _add_to_diagonal(curvature[:, :-1, :-1], own)
    curvature[:, :-1, -1] = curvature[:, -1, :-1] = (games * p_tie * (p_lose - p_win) / 2).sum(axis=2)
    curvature[:, -1, -1] = (games * p_tie * decided).sum(axis=(1, 2)) / 2 + FORCED_PRIOR * even * (1 - even)
    return _solved(curvature, gradient)


def _add_to_diagonal(matrices: Floats, figures: Floats) -> None:
    diagonal = np.arange(figures.shape[1])
    matrices[:, diagonal, diagonal] += figures


def _solved(curvature: Floats, gradient: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        # One board of the batch is flat to the last digit; a touch of curvature moves no optimum.
        steepest = np.diagonal(curvature, axis1=1, axis2=2).max(axis=1)
        held = curvature + RIDGE * steepest[:, None, None] * np.eye(curvature.shape[1])
        return np.asarray(np.linalg.solve(held, gradient[:, :, None])[:, :, 0], dtype=np.float64)
