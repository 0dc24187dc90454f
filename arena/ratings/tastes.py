"""How far honest voters differ by taste, and how far each leans to a competitor beyond that. Pure.

A voter's own opinion of a competitor lies some logits from what all others think. Those of honest voters are taken for
normal, around 0, with one spread t for the board, or a wider one for a competitor that divides the voters. With A the
curvature of the voter's votes, what the voter gave competitor m beyond the expected has the variance

    A_mm + t^2 sum_k A_mk^2          (chance, and tastes for m and for those it met)

The board is that of the mean voter, whom those who push move; so where there are voters enough, each is held against the
median voter's opinion of a competitor. t is where the median of all squared totals over their variances is that of a squared
normal number: some who push do not move a median. How far somebody leans is then told by how much likelier any opinion makes
the votes than one by taste (`likelier`).

Source: for the median as a robust spread, Hampel 1974, JASA 69.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from arena.ratings.held_votes import Held
from arena.ratings.likelier import Battles
from arena.ratings.outcomes import Floats, Ints

MIN_BATTLES_WITH = 5
"""Battles with a competitor from which on it is said how a voter stands to it."""
MIN_VOTERS_OF_ONE = 20
"""Voters who met a competitor so often, from which on they say what the median one thinks of it, and how far they differ."""
MEDIAN = 0.4549364
"""Of the square of a standard normal number."""
AS_SURE = 2 / np.pi
"""A median is as sure as the mean of so large a share of the voters."""
LEAST = 1e-3
"""Logits: the spread of tastes where none can be seen."""
CLOSELY = 2.0
"""Standard errors by chance alone from which on a leaning is told by its likelihood."""
_LOOKS_AT_MEDIAN = 3
_HALVINGS = 40
_WIDEST = 10.0


@dataclass(frozen=True, slots=True)
class Tastes:
    """How far voters differ."""

    spread: float = LEAST
    """Standard deviation of opinions of a competitor, in logits."""
    wider: Mapping[str, float] = field(default_factory=dict)
    """Competitors that divide the voters more than that, with their spread."""
    usual: Mapping[str, float] = field(default_factory=dict)
    """How far above its place on the board the median voter sees a competitor, in logits; 0 for others."""
    crowd: float = 1.0
    """As many voters with equally many votes would make the board as unsure as those who voted."""

    def of(self, competitors: tuple[str, ...]) -> Floats:
        """(M,) the spread of each."""
        return np.array([max(self.wider.get(name, 0.0), self.spread, LEAST) for name in competitors])

    def held(self, votes: Held) -> Held:
        """The votes, held against what the median voter thinks."""
        return votes.shifted(np.array([self.usual.get(name, 0.0) for name in votes.competitors]))


@dataclass(frozen=True, slots=True, eq=False)
class Leanings:
    """V voters, and how they stand to M competitors."""

    voters: tuple[str, ...]
    competitors: tuple[str, ...]
    z: Floats
    """(V, M) how far the voter leans to the competitor beyond chance and taste, in standard errors."""
    met: Floats
    """(V, M) battles of the voter's with the competitor."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What V voters gave M competitors beyond what was expected; each array is (V, M)."""

    total: Floats
    chance: Floats
    """Variance of `total` by chance alone."""
    tastes: Floats
    """What it grows by for each logit squared that tastes vary."""
    met: Floats


def given(votes: Held) -> Given:
    """What each voter gave each competitor."""
    ones = np.ones(len(votes.voter))
    chance = votes.by_competitor(votes.variance, votes.variance)
    total = votes.by_competitor(votes.residual, -votes.residual)
    return Given(total, chance, chance**2 + _of_opponents(votes), votes.by_competitor(ones, ones))


def _of_opponents(votes: Held) -> Floats:
    """(V, M) squares of the curvatures between a competitor and each it met, summed up over these."""
    voters, size = len(votes.voters), len(votes.competitors)
    low, high = np.minimum(votes.a, votes.b), np.maximum(votes.a, votes.b)
    # Of V * M * M cells only as many are there as votes.
    pairs, which = np.unique((votes.voter * size + low) * size + high, return_inverse=True)
    squares = np.bincount(which, weights=votes.variance, minlength=len(pairs)) ** 2
    first, second = np.divmod(pairs, size) if size else (pairs, pairs)
    other = first // max(size, 1) * size + second
    sums = np.bincount(np.concatenate([first, other]), weights=np.tile(squares, 2), minlength=voters * size)
    return sums.astype(np.float64).reshape(voters, size)


def tastes_of(votes: Held) -> Tastes:
    """How far these voters differ; they should be many."""
    usual = np.zeros(len(votes.competitors))
    for _ in range(_LOOKS_AT_MEDIAN):
        usual += _median_opinions(given(votes.shifted(usual)))
    seen = given(votes.shifted(usual))
    enough = seen.met >= MIN_BATTLES_WITH
    spread = _spread(seen.total[enough], seen.chance[enough], seen.tastes[enough])
    wider = {}
    for place, name in enumerate(votes.competitors):
        one = enough[:, place]
        if one.sum() >= MIN_VOTERS_OF_ONE:
            own = _spread_below(seen.total[one, place], seen.chance[one, place], seen.tastes[one, place])
            if own > spread:
                wider[name] = own
    named = dict(zip(votes.competitors, usual.tolist(), strict=True))
    return Tastes(spread, wider, named, _crowd(votes.votes) * (AS_SURE if usual.any() else 1.0))


def _crowd(cast: Floats) -> float:
    """As many voters with equally many votes would tell as much as those who cast so many each (V,)."""
    return float(cast.sum() ** 2 / (cast**2).sum()) if len(cast) else 1.0


def _median_opinions(seen: Given) -> Floats:
    """(M,) what half of the votes lies above, of those of voters who met the competitor often enough."""
    found = np.zeros(seen.total.shape[1])
    for place in range(len(found)):
        one = seen.met[:, place] >= MIN_BATTLES_WITH
        if one.sum() >= MIN_VOTERS_OF_ONE:
            opinion = seen.total[one, place] / seen.chance[one, place]
            order = np.argsort(opinion, kind="stable")
            # A voter of many battles knows its own mind better, but is still one voter.
            weight = np.sqrt(seen.chance[one, place])[order].cumsum()
            found[place] = opinion[order][np.searchsorted(weight, weight[-1] / 2)]
    return found


def leanings(votes: Held, tastes: Tastes) -> Leanings:
    """How far each voter leans to each competitor; `votes` are held against the board, and here against the median voter."""
    votes = tastes.held(votes)
    seen, spread = given(votes), tastes.of(votes.competitors)
    z = seen.total / np.sqrt(np.maximum(seen.chance + spread**2 * seen.tastes, 1e-12))
    plain = seen.total / np.sqrt(np.where(seen.chance > 0, seen.chance, 1.0))
    (cells,) = np.nonzero(((np.abs(plain) > CLOSELY) & (seen.met >= MIN_BATTLES_WITH)).ravel())
    # Tastes for the others that were met are taken as so much more spread of the taste for this one.
    variance = (spread**2 * seen.tastes / np.where(seen.chance > 0, seen.chance, 1.0) ** 2).ravel()[cells]
    told = z.ravel()
    told[cells] = np.sign(plain.ravel()[cells]) * _beyond_taste(votes, cells, variance)
    return Leanings(votes.voters, votes.competitors, told.reshape(z.shape), seen.met)


def _spread(total: Floats, chance: Floats, tastes: Floats, rank: float = 0.5) -> float:
    """The spread at which the squares, over their variances, have `MEDIAN` at this rank among them (0 to 1)."""

    def is_too_little(variance: float) -> bool:
        return float(np.quantile(total**2 / (chance + variance * tastes), rank)) > MEDIAN

    if not len(total) or not is_too_little(0.0):
        return 0.0
    low, high = 0.0, _WIDEST**2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_too_little(middle) else (low, middle)
    return float(np.sqrt(high))


def _spread_below(total: Floats, chance: Floats, tastes: Floats) -> float:
    """The spread that one competitor has at least, by those who lean to it less than most: who pushes is not among them."""
    below = total < 0
    # Few tell a median only roughly: three standard errors below it, so that noise makes no competitor a divisive one.
    rank = max(0.0, 0.5 - 1.5 / np.sqrt(max(int(below.sum()), 1)))
    return _spread(total[below], chance[below], tastes[below], rank)


def _beyond_taste(votes: Held, cells: Ints, variance: Floats) -> Floats:
    """(C,) how far the opinions in these cells of (V, M) lie beyond taste, in standard errors, each above 0."""
    size = len(votes.competitors)
    label = np.full(len(votes.voters) * size, -1, dtype=np.intp)
    label[cells] = np.arange(len(cells))
    on_a, on_b = label[votes.voter * size + votes.a], label[votes.voter * size + votes.b]
    a, b = on_a >= 0, on_b >= 0
    battles = Battles(
        np.concatenate([on_a[a], on_b[b]]),
        np.concatenate([votes.ahead[a], -votes.ahead[b]]),
        np.ones(int(a.sum() + b.sum())),
        np.concatenate([votes.score[a], 1 - votes.score[b]]),
    )
    return battles.likelier(1 / variance, np.zeros(len(cells)))
