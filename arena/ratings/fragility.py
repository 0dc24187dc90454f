"""How few votes decide first place. Pure.

The votes whose influence holds the leader up most are left out, the board is fitted anew, and the smallest number that
dethrones the leader is bisected. It is the size of a set that was found: a smarter choice of votes may need fewer.

Source: arXiv 2508.11847 (influence c' H^+ x (s - p) of a vote on the gap of ranks 1 and 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from arena.ratings import davidson
from arena.ratings.covariance import inverse
from arena.ratings.fit import Fit
from arena.ratings.outcomes import Floats, Grouped, Ints
from arena.ratings.refits import refit
from arena.ratings.scale import sigmoid

SAME = 1e-9
"""Logits under which two strengths are level."""


@dataclass(frozen=True, slots=True)
class Fragility:
    """What first place hangs on."""

    leader: str
    runner_up: str
    votes: int
    """Votes on the board that count."""
    votes_to_flip: int | None
    """Votes that, left out, take the lead away; 0 if it is shared now, `None` if no such set was found."""


def fragility(rows: Grouped, fit: Fit) -> Fragility | None:
    """The votes that decide first place on the board `fit` of `rows`; `None` with fewer than two competitors or no votes."""
    if len(rows.names) < 2 or not rows.votes:
        return None
    leader, runner_up = np.argsort(-fit.strengths, kind="stable")[:2].tolist()
    order = _by_influence(rows, fit, leader, runner_up)

    def is_dethroned(dropped: int) -> bool:
        at = refit(without(rows, order, dropped), fit)
        return bool(np.max(np.delete(at, leader)) >= at[leader] - SAME)

    found = _least(is_dethroned, int(rows.count[order].sum()))
    return Fragility(rows.names[leader], rows.names[runner_up], round(rows.votes), found)


def without(rows: Grouped, order: Ints, dropped: int) -> Grouped:
    """The rows after `dropped` votes were left out, from the first of the rows `order` on."""
    left = rows.count.copy()
    before = np.concatenate([[0.0], np.cumsum(rows.count[order])[:-1]])
    left[order] -= np.clip(dropped - before, 0.0, rows.count[order])
    kept = left > 0
    share = (left / rows.count)[kept]
    return replace(
        rows,
        a=rows.a[kept],
        b=rows.b[kept],
        score=rows.score[kept],
        count=left[kept],
        weight=rows.weight[kept] * share,
        squared=rows.squared[kept] * share,
    )


def _by_influence(rows: Grouped, fit: Fit, leader: int, runner_up: int) -> Ints:
    """Rows that hold the leader up, the one whose single vote does most first."""
    bread = inverse(fit.curvature)
    towards = bread[leader] - bread[runner_up]
    influence = (rows.weight / rows.count) * _scores_along(rows, fit, towards)
    order = np.argsort(-influence, kind="stable")
    return order[influence[order] > 0]


def _scores_along(rows: Grouped, fit: Fit, towards: Floats) -> Floats:
    """(R,) slope of the log likelihood of each row's vote along `towards` (K,)."""
    across = towards[rows.a] - towards[rows.b]
    if not fit.tie_parameter:
        return across * (rows.score - sigmoid(fit.strengths[rows.a] - fit.strengths[rows.b]))
    points_over, ties_over = davidson.residuals(rows, np.append(fit.strengths, np.log(fit.tie_parameter)))
    return np.asarray(across * points_over + towards[-1] * ties_over)


def _least(is_enough: Callable[[int], bool], most: int) -> int | None:
    """The smallest number up to `most` that is enough, found by doubling and then halving; `None` if none is.

    That it is enough was tried; that none below it is, only where more never does less than fewer.
    """
    if is_enough(0):
        return 0
    low, high = 0, 1
    while high < most and not is_enough(high):
        low, high = high, 2 * high
    if high >= most:
        high = most
        if not is_enough(high):
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
