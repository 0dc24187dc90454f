"""The board of one category, whose ratings lean on those of the others as far as its own votes do not carry them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from arena.ratings.maturity import Seen, maturity
from arena.ratings.outcomes import CountedRow, group_counts
from arena.ratings.pooling import pooled
from arena.ratings.prior import PRIOR
from arena.ratings.ranking import DRAWS, normal_noise, p_best, rank_intervals, ranks_by_overlap
from arena.ratings.rated import Rated


def leaning(rated: Rated, category: str, by_category: Mapping[str, Iterable[CountedRow]]) -> Rated:
    """`rated`, the category's board by its own votes, with ratings, bounds and places pooled over `by_category`."""
    counts = {name: list(rows) for name, rows in by_category.items()}
    competitors = {side for rows in counts.values() for a, b, *_ in rows for side in (a, b)}
    method = rated.method
    found = pooled(
        {
            name: group_counts(rows, ties=method.ties, both_bad=method.both_bad, competitors=competitors)
            for name, rows in counts.items()
        },
        # Without a prior a category of few votes has no finite ratings.
        prior=max(method.prior, PRIOR),
    ).categories[category]
    at = np.array([found.names.index(row.competitor) for row in rated.rows], dtype=np.intp)
    covariance = found.covariance[np.ix_(at, at)]
    low, high = (bound[at] for bound in found.interval())
    draws = found.ratings[at] + normal_noise(covariance, draws=DRAWS, seed=method.seed)
    ranks, leads, (best, worst) = ranks_by_overlap(low, high), p_best(draws), rank_intervals(draws)
    rows = [
        replace(
            row,
            rating=float(found.ratings[index]),
            low=float(low[place]),
            high=float(high[place]),
            rank=int(ranks[place]),
            rank_best=int(best[place]),
            rank_worst=int(worst[place]),
            p_best=float(leads[place]),
            maturity=maturity(
                Seen(
                    row.battles,
                    _opponents(counts[category], row.competitor),
                    float(high[place] - low[place]) / 2,
                ),
                len(rated.rows),
            ),
        )
        for place, (index, row) in enumerate(zip(at, rated.rows, strict=True))
    ]
    return replace(rated, rows=tuple(sorted(rows, key=lambda row: (-row.rating, row.competitor))))


def _opponents(counts: Iterable[CountedRow], name: str) -> int:
    return len({b if a == name else a for a, b, *_ in counts if name in (a, b)})
