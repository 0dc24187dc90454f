"""Rows from counts and ratings."""

from __future__ import annotations

import pytest

from arena.leaderboard import PROVISIONAL_BELOW, ranked


def test_counts_are_told_from_both_sides() -> None:
    rows = {
        row.competitor: row
        for row in ranked([("x", "y", "a", 3), ("y", "x", "a", 1), ("x", "y", "tie", 2), ("y", "x", "both_bad", 4)], {})
    }
    x, y = rows["x"], rows["y"]
    assert (x.battles, x.wins, x.losses, x.ties, x.both_bad) == (10, 3, 1, 2, 4)
    assert (y.battles, y.wins, y.losses, y.ties, y.both_bad) == (10, 1, 3, 2, 4)
    assert x.win_rate == pytest.approx(0.6)
    assert x.win_rate + y.win_rate == pytest.approx(1)
    assert x.both_bad_rate == pytest.approx(0.4)


def test_rank_follows_the_rating_and_equal_ratings_share_it() -> None:
    many = PROVISIONAL_BELOW
    counts = [("p", "q", "tie", many), ("r", "s", "tie", many)]
    rows = ranked(counts, {"p": 1010.0, "q": 990.0, "r": 1000.0, "s": 1000.0})
    assert [(row.rank, row.competitor) for row in rows] == [(1, "p"), (2, "r"), (2, "s"), (4, "q")]


def test_rows_with_few_battles_stand_last_without_a_rank() -> None:
    many = PROVISIONAL_BELOW
    rows = ranked([("p", "q", "tie", many), ("new", "p", "a", many - 1)], {"new": 1100.0, "p": 990.0, "q": 1000.0})
    assert [(row.rank, row.competitor) for row in rows] == [(1, "q"), (2, "p"), (None, "new")]


def test_an_unknown_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="bothbad"):
        ranked([("x", "y", "bothbad", 1)], {})


def test_no_votes_make_no_rows() -> None:
    assert ranked([], {}) == []
