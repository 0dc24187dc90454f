"""The board of one category, whose ratings lean on those of the others as far as its own votes do not carry them. Pure.

It leans by the board's own method only, for which the pooling is made. Whoever asks for another one gets what that makes of the
category's own votes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from arena.ratings.cautions import Caution, Tally, cautions, tally
from arena.ratings.connections import islands, leagues
from arena.ratings.covariance import reference_of
from arena.ratings.maturity import MIN_BATTLES, Seen, maturity
from arena.ratings.method import Method
from arena.ratings.outcomes import CountedRow, Grouped, group_counts, merged, points
from arena.ratings.places import by_draws
from arena.ratings.pooling import pooled
from arena.ratings.prior import PRIOR
from arena.ratings.ranking import DRAWS, normal_noise
from arena.ratings.rated import Rated, rate_counts


def leans(method: Method) -> bool:
    """Whether boards of a category by this method lean on the other categories."""
    chosen = (method.kind, method.ties, method.prior, method.interval)
    return chosen == ("bradley-terry", "half", PRIOR, "sandwich")


def is_pooled(method: Method, category: str, by_category: Mapping[str, Collection[object]]) -> bool:
    """Whether the board of `category` leans: the method must, and there must be others with votes; so must it."""
    with_votes = {name for name, votes in by_category.items() if votes}
    return leans(method) and category in with_votes and len(with_votes) > 1


def leaning(category: str, by_category: Mapping[str, Sequence[CountedRow]], method: Method) -> Rated:
    """The board of a category by a method that leans."""
    everyone = {side for rows in by_category.values() for a, b, *_ in rows for side in (a, b)}
    rows = {
        name: group_counts(counts, ties=method.ties, both_bad=method.both_bad, competitors=everyone)
        for name, counts in by_category.items()
    }
    rated = rate_counts(by_category[category], method)
    found = pooled(rows, prior=method.prior).categories[category]
    by_name = {row.competitor: row for row in rated.rows}
    listed = [place for place, name in enumerate(found.names) if name in by_name]
    own, whole = tally(rows[category]), merged(list(rows.values()))
    groups = _among(listed, islands(points(whole)))
    careful = _cautions(whole, own, listed)
    ratings = found.among(listed, reference_of(careful))
    bounds = ratings.interval()
    draws = ratings.ratings + normal_noise(ratings.covariance, draws=DRAWS, seed=method.seed)
    made = []
    for index, place in enumerate(by_draws(ratings.ratings, bounds, draws, careful)):
        half_width = float(bounds[1][index] - bounds[0][index]) / 2
        seen = Seen(float(own.battles[listed[index]]), int(own.opponents[listed[index]]), half_width)
        made.append(
            replace(
                by_name[ratings.names[index]],
                rating=place.rating,
                low=place.low,
                high=place.high,
                rank=place.rank,
                rank_best=place.best,
                rank_worst=place.worst,
                p_best=place.p_best,
                maturity=maturity(seen, len(listed)),
                cautions=careful[index],
            )
        )
    return replace(
        rated,
        rows=tuple(sorted(made, key=lambda row: (-row.rating, row.competitor))),
        # First place hangs on the votes of all categories here, so that leaving out some of this one's tells little.
        fragility=None,
        islands=tuple(tuple(ratings.names[one] for one in group) for group in groups),
        fit=ratings,
    )


def _cautions(whole: Grouped, own: Tally, listed: Sequence[int]) -> tuple[frozenset[Caution], ...]:
    """Why to be careful with each of the listed: what is known of it in all categories, but battles of its own are few."""
    at, scored, known = list(listed), points(whole), tally(whole)
    counted = Tally(known.battles[at], known.wins[at], known.losses[at], known.ties[at], known.opponents[at])
    found = cautions(counted, _among(at, islands(scored)), _among(at, leagues(scored)))
    return tuple(
        (one - {"thin"}) | ({"thin"} if own.battles[place] < MIN_BATTLES and "no battles" not in one else set())
        for one, place in zip(found, at, strict=True)
    )


def _among(listed: Sequence[int], groups: Sequence[Sequence[int]]) -> list[list[int]]:
    """The groups as far as they are listed, by place in `listed`, the largest first."""
    place = {index: number for number, index in enumerate(listed)}
    left = [[place[index] for index in group if index in place] for group in groups]
    return sorted((group for group in left if group), key=lambda group: (-len(group), group[0]))
