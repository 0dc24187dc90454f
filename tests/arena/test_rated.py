"""Boards by every method: what the leaderboard tells, that it repeats itself, and that nothing breaks it."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.ratings import elo
from arena.ratings.method import Method, votes_digest
from arena.ratings.outcomes import BadVote, VoteRow
from arena.ratings.rated import Rated, RatedRow, rate, rate_counts
from tests.arena.simulated import simulated

STRENGTHS = [1.0, 0.6, 0.2, 0.0, -0.4, -0.6, -0.8]
VOTES = [
    (a, b, "both_bad" if outcome == "tie" and n % 3 == 0 else outcome)
    for n, (a, b, outcome) in enumerate(simulated(STRENGTHS, 1500, seed=1, nu=0.7))
]
KINDS = ("elo", "bradley-terry", "davidson")
METHODS = [
    Method(kind=kind, ties=ties, both_bad=both_bad, prior=prior, interval=interval)
    for kind, ties, both_bad, prior, interval in itertools.product(
        KINDS, ("half", "drop"), ("tie", "drop"), (1.0, 0.0), ("sandwich", "none")
    )
]
BOOTSTRAP = [Method(kind=kind, interval="bootstrap") for kind in KINDS]
FEW = st.lists(
    st.tuples(st.sampled_from("klm"), st.sampled_from("nop"), st.sampled_from(("a", "b", "tie", "both_bad"))),
    max_size=25,
)


def row(board: Rated, competitor: str) -> RatedRow:
    return next(one for one in board.rows if one.competitor == competitor)


def told(board: Rated) -> list[Any]:
    side = board.side_bias and (board.side_bias.delta_points, board.side_bias.z)
    return [board.rows, side, board.fragility, board.tie_parameter, board.islands, board.votes, board.counted]


@pytest.mark.parametrize("method", METHODS + BOOTSTRAP, ids=str)
def test_every_method_tells_the_same_counts_and_a_board_around_a_thousand(method: Method) -> None:
    board = rate(VOTES, method)
    cast = Counter(outcome for *_, outcome in VOTES)
    assert board.votes == 1500
    expected = cast["a"] + cast["b"]
    if method.ties == "half":
        expected += cast["tie"] + (cast["both_bad"] if method.both_bad == "tie" else 0)
    assert board.counted == expected
    assert sum(one.rating for one in board.rows) / 7 == pytest.approx(1000, abs=1e-6)
    assert [one.rating for one in board.rows] == sorted((one.rating for one in board.rows), reverse=True)
    assert sum(one.battles for one in board.rows) == 3000
    for one in board.rows:
        assert one.battles == one.wins + one.losses + one.ties + one.both_bad
        assert (one.low is None) == (one.high is None) == (one.p_best is None) == (not method.has_interval)
        if one.low is not None and one.high is not None:
            assert one.low < one.rating < one.high
            assert one.rank == 1 + sum(other.low is not None and other.low > one.high for other in board.rows)
            assert one.rank_best is not None
            assert one.rank_worst is not None
            assert 1 <= one.rank_best <= one.rank_worst <= 7
    if method.has_interval:
        assert sum(one.p_best or 0 for one in board.rows) == pytest.approx(1)
    assert (board.tie_parameter is None) == (method.kind != "davidson")
    assert (board.fragility is None) == (method.kind == "elo")
    assert board.side_bias is not None


def test_counts_are_those_that_were_cast_from_both_sides() -> None:
    votes = [("x", "y", "a"), ("y", "x", "a"), ("y", "x", "b"), ("x", "y", "tie"), ("y", "x", "both_bad")]
    x = row(rate(votes, Method(ties="drop")), "x")
    assert (x.battles, x.wins, x.losses, x.ties, x.both_bad) == (5, 2, 1, 1, 1)


@pytest.mark.parametrize("method", [Method(kind=kind) for kind in KINDS[1:]] + BOOTSTRAP[1:], ids=str)
def test_the_order_of_votes_changes_nothing_but_elo(method: Method) -> None:
    mixed = random.Random(1).sample(VOTES, len(VOTES))
    assert told(rate(mixed, method)) == told(rate(VOTES, method))
    counts = [(*vote, count) for vote, count in Counter(mixed).items()]
    assert told(rate_counts(counts, method)) == told(rate(VOTES, method))


def test_elo_is_the_replay_of_the_votes_that_count() -> None:
    board = rate(VOTES, Method(kind="elo", both_bad="drop"))
    replayed = elo.replay(vote for vote in VOTES if vote[2] != "both_bad")
    assert {one.competitor: one.rating for one in board.rows} == replayed
    assert rate(VOTES[::-1], Method(kind="elo", both_bad="drop")).rows != board.rows
    with pytest.raises(ValueError, match="order"):
        rate_counts([("x", "y", "a", 1)], Method(kind="elo"))


def test_a_seed_repeats_the_draws_and_another_changes_them() -> None:
    one, again, other = (rate(VOTES, Method(interval="bootstrap", seed=seed)) for seed in (3, 3, 4))
    assert one.rows == again.rows
    assert one.rows != other.rows
    assert [a.rating for a in one.rows] == [a.rating for a in other.rows]


def test_rows_are_provisional_until_enough_is_known() -> None:
    board = rate(VOTES, Method())
    assert {one.maturity for one in board.rows} == {"settled"}
    few = rate([*VOTES, ("new", "m00", "a"), ("new", "m01", "b")], Method())
    assert row(few, "new").is_provisional
    assert not row(few, "m00").is_provisional
    # Enough battles, but against two opponents only.
    narrow = [("new", f"m0{n % 2}", "ab"[n % 4 // 2]) for n in range(400)]
    assert row(rate(VOTES + narrow, Method()), "new").is_provisional
    assert row(rate(VOTES + narrow, Method(kind="elo")), "new").is_provisional
    pair = [("x", "y", "ab"[n % 2]) for n in range(400)]
    assert not row(rate(pair, Method()), "x").is_provisional, "there is nobody else to meet"


def test_prior_zero_is_the_plain_maximum() -> None:
    votes = [("x", "y", "a")] * 30 + [("x", "y", "b")] * 10
    board = rate(votes, Method(prior=0))
    assert row(board, "x").rating - row(board, "y").rating == pytest.approx(400 * math.log10(3), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(FEW, st.sampled_from(METHODS + BOOTSTRAP[1:]))
def test_no_board_breaks_or_claims_certainty(votes: list[VoteRow], method: Method) -> None:
    board = rate(votes, method, competitors=["lone"])
    assert {"lone"} <= {one.competitor for one in board.rows}
    for one in board.rows:
        assert math.isfinite(one.rating)
        assert one.is_provisional
        if one.low is not None and one.high is not None:
            assert math.isfinite(one.low)
            assert math.isfinite(one.high)
            assert one.high - one.low > 60
    if board.side_bias:
        assert math.isfinite(board.side_bias.z)
    assert board.tie_parameter is None or math.isfinite(board.tie_parameter)
    assert sum(len(island) for island in board.islands) == len(board.rows)


@pytest.mark.parametrize("kind", KINDS)
def test_one_competitor_and_nobody(kind: Any) -> None:
    board = rate([], Method(kind=kind), competitors=["x"])
    assert [(one.rating, one.rank, one.battles) for one in board.rows] == [(1000, 1, 0)]
    assert board.side_bias is None
    assert rate([], Method(kind=kind)).rows == ()


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_outcome_names_its_row(kind: Any) -> None:
    with pytest.raises(BadVote, match="vote 3"):
        rate([*VOTES[:2], ("x", "y", "bothbad")], Method(kind=kind, ties="drop"))


@pytest.mark.parametrize(
    "choice",
    [{"kind": "glicko"}, {"ties": "davidson"}, {"both_bad": "loss"}, {"prior": 0.5}, {"interval": "95"}, {"seed": -1}],
)
def test_a_choice_that_is_not_offered_is_refused(choice: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unknown|below"):
        Method(**choice)


def test_the_digest_is_that_of_the_votes_in_their_order() -> None:
    votes = [("x", "y", "a"), ("é", 'q"', "tie"), ("x", "y", "a")]
    text = '["x","y","a"]\n["é","q\\"","tie"]\n["x","y","a"]\n'
    assert votes_digest(votes) == hashlib.sha256(text.encode()).hexdigest()
    assert votes_digest(iter(votes)) == votes_digest(list(votes))
    different = [votes[::-1], votes[:2], [*votes[:1], ("é", "q", '"tie'), votes[2]], [("y", "x", "a"), *votes[1:]]]
    assert votes_digest(votes) not in {votes_digest(other) for other in different if other != votes}
    assert votes_digest([]) == hashlib.sha256(b"").hexdigest()
