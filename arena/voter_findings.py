"""Who is to be left out of a board by its votes, and what only a person can judge. Pure.

Whoever many pushed together also moved the board, so it is fitted again without those found until nobody new is; and nobody
stays found who is not so on the board that is left. Where very many would be left out at once, there is no saying who of them
is the exception: then nobody is, and an alarm is raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from arena.ratings import bradley_terry
from arena.ratings.collusion import lean_spread, pushed_together
from arena.ratings.held_votes import MIN_VOTES, Ballot, Held, Reading, held
from arena.ratings.newcomers import Push, newcomers, pushes
from arena.ratings.outcomes import Grouped, VoteRow, group_counts
from arena.ratings.side_bias import side_bias
from arena.ratings.tastes import Tastes, leanings, tastes_of
from arena.ratings.voter_checks import Finding, findings

MIN_VOTERS = 5
"""Voters with `MIN_VOTES` votes on a board from which on they are held against each other."""
MOST_SHARE = 0.25
"""Of these voters, or of the votes where it is about newcomers, that may be left out at once without a person."""
_ROUNDS = 20

IsLifted = Callable[[Finding], bool]
"""Whether a person let the voter in again after the like."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the votes of one board came to."""

    found: Mapping[str, Finding]
    """Voter -> what speaks most against it."""
    alarms: tuple[str, ...] = ()
    """What a person should look at, in sentences that can be shown."""


def look(ballots: Sequence[Ballot], is_lifted: IsLifted) -> Looked:
    """Who is to be left out of the board of these votes, which stand in their order."""
    if not has_enough_voters(ballots):
        return Looked({})
    thin = newcomers(ballots)
    first = _of_newcomers(ballots, thin, is_lifted)
    known = _without(ballots, first.found)
    found = _found_among(known, is_lifted)
    judged = {one.voter for one in ballots} - thin
    # Speed is told by a clock, not by the others, so a majority cannot hide behind it.
    by_others = [voter for voter, one in found.items() if one.kind != "fast"]
    if len(by_others) > MOST_SHARE * len(judged):
        alarm = (
            f"{len(by_others)} of {len(judged)} voters judge otherwise than the rest. So many are no exception, and it cannot "
            "be told from votes which of the two sides pushes: none of them was left out."
        )
        fast = {voter: one for voter, one in found.items() if one.kind == "fast"}
        return Looked(fast, (alarm, *_alarms(_pushes(ballots, thin))))
    # Whoever was found among those of many votes may have hidden what newcomers push.
    again = _of_newcomers(_without(known, found), thin - first.found.keys(), is_lifted)
    return Looked({**first.found, **found, **again.found}, again.alarms)


def odd(ballots: Sequence[Ballot]) -> list[Finding]:
    """What is odd on the board of these votes as it is."""
    together = [finding for push in _pushes(ballots, newcomers(ballots)) for finding in push.found]
    return [*_findings(ballots, {}), *together]


def has_enough_voters(ballots: Iterable[Ballot]) -> bool:
    """Whether there are so many that they can be held against each other."""
    counts = Counter(one.voter for one in ballots)
    return sum(count >= MIN_VOTES for count in counts.values()) >= MIN_VOTERS


# Newcomers


def _of_newcomers(ballots: Sequence[Ballot], thin: Collection[str], is_lifted: IsLifted) -> Looked:
    """Newcomers who push together, and what is left of it without them."""
    found = {one.voter: one for push in _pushes(ballots, thin) for one in push.found if not is_lifted(one)}
    left = _without(ballots, found)
    if len(ballots) - len(left) > MOST_SHARE * len(ballots):
        return Looked({}, _alarms(_pushes(ballots, thin)))
    return Looked(found, _alarms(_pushes(left, thin)))


def _pushes(ballots: Sequence[Ballot], thin: Collection[str]) -> list[Push]:
    known = [one for one in ballots if one.voter not in thin]
    few = [one for one in ballots if one.voter in thin]
    if not few or not has_enough_voters(known):
        return []
    rows = _grouped(_counts(known), {side for one in few for side in (one.a, one.b)})
    reading = Reading(advantage=_advantage(rows), least=1, is_among=False)
    return pushes(few, bradley_terry.fit(rows), reading, _tastes(known))


def _alarms(found: Iterable[Push]) -> tuple[str, ...]:
    return tuple(
        f"{one.voters} voters of few votes each, who came one after the other, take {one.competitor!r} for better than all "
        f"others do ({one.z:.0f} standard errors). They may be one person."
        for one in found
    )


# Voters with enough votes


def _found_among(ballots: Sequence[Ballot], is_lifted: IsLifted) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for _ in range(_ROUNDS):
        new = _against(_findings(_without(ballots, found), _pushed(found)), is_lifted)
        if not new:
            break
        found |= new
    clean = _without(ballots, found)
    counts, tastes = _counts(clean), _tastes(clean)
    own = {voter: [one for one in ballots if one.voter == voter] for voter in found}
    again = {
        voter: _against(_read(cast, counts + _counts(cast), tastes, _pushed(found, voter)), is_lifted)
        for voter, cast in own.items()
    }
    # Honest voters can look odd beside many who are not; they do no more beside those who are left.
    return {voter: one[voter] for voter, one in again.items() if voter in one}


def _findings(ballots: Sequence[Ballot], pushed: Mapping[str, int]) -> list[Finding]:
    """What is odd on a board of these votes; `pushed`: competitor -> voters found to push it, whose votes are not here."""
    if not has_enough_voters(ballots):
        return []
    return _read(ballots, _counts(ballots), _tastes(ballots), pushed)


def _read(
    ballots: Sequence[Ballot], counts: Mapping[VoteRow, int], tastes: Tastes, pushed: Mapping[str, int]
) -> list[Finding]:
    """What is odd about the voters of `ballots`, who are among those behind `counts`."""

    def spread(competitor: str, voters: Collection[str]) -> float:
        votes = _held(_without(ballots, voters), [competitor])
        return lean_spread(leanings(votes, tastes_of(votes)), competitor)

    rows = _grouped(counts)
    fit, reading = bradley_terry.fit(rows), Reading(advantage=_advantage(rows))
    lean = leanings(held(ballots, fit, reading), tastes)
    return [*findings(ballots, fit, reading, tastes=tastes), *pushed_together(lean, spread, pushed)]


def _tastes(ballots: Sequence[Ballot]) -> Tastes:
    return tastes_of(_held(ballots))


def _held(ballots: Sequence[Ballot], competitors: Collection[str] = ()) -> Held:
    rows = _grouped(_counts(ballots), competitors)
    return held(ballots, bradley_terry.fit(rows), Reading(advantage=_advantage(rows)))


def _pushed(found: Mapping[str, Finding], but: str | None = None) -> dict[str, int]:
    """Competitor -> how many of those found push it, `but` one."""
    return Counter(one.about for voter, one in found.items() if one.about is not None and voter != but)


def _against(found: Iterable[Finding], is_lifted: IsLifted) -> dict[str, Finding]:
    """Voter -> the finding that weighs most, of those that were not lifted."""
    worst: dict[str, Finding] = {}
    for one in found:
        if not is_lifted(one):
            worst[one.voter] = max(one, worst.get(one.voter, one), key=_weight)
    return worst


def _weight(finding: Finding) -> float:
    return abs(finding.z)


def _without(ballots: Iterable[Ballot], voters: Collection[str]) -> list[Ballot]:
    return [one for one in ballots if one.voter not in voters]


def _counts(ballots: Iterable[Ballot]) -> Counter[VoteRow]:
    return Counter(one[1:4] for one in ballots)


def _grouped(counts: Mapping[VoteRow, int], competitors: Collection[str] = ()) -> Grouped:
    return group_counts([(*vote, count) for vote, count in counts.items()], competitors=competitors)


def _advantage(rows: Grouped) -> float:
    bias = side_bias(rows)
    return bias.delta if bias else 0.0
