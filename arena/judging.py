"""Voters whose votes do not look like judgements: looked for on every board, left out with the reason, and let in again.

Nothing is deleted: a vote of theirs is kept, exported with the reason, and counts again when a person lifts the exclusion. What
was lifted is not found again by itself. Whoever many pushed together also moved the board, so it is fitted again without those
found until nobody new is; and nobody stays found who is not so on the board that is left. Blocking, but for `VoterWatch`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from sqlite_utils import Database

from arena import elo_days
from arena.board import BOARDS
from arena.ratings import bradley_terry
from arena.ratings.collusion import pushed_together, taste_spread
from arena.ratings.outcomes import Grouped, VoteRow, group_counts
from arena.ratings.side_bias import side_bias
from arena.ratings.voter_checks import MIN_VOTES, Ballot, Finding, Leanings, findings, leanings
from arena.ratings.voter_checks import Kind as FindingKind
from arena.voter_ids import shown_voter
from playground.services import Services
from storage import exclusions, install, vote_counts, votes
from storage.errors import StoreError
from storage.exclusions import Exclusion
from storage.records import ExclusionKind
from storage.tallies import BoardFilter
from storage.vote_counts import VoterVotes

log = logging.getLogger(__name__)

MIN_VOTERS = 5
"""Voters with `MIN_VOTES` votes on a board from which on they are held against each other."""
EVERY = 25
"""New votes after which the voters are looked at again."""
LOOK_S = 5.0
"""Seconds between two looks whether there are so many."""
PAUSE_SHARE = 50
"""A look is followed by a pause of so many times its length, so that it takes no more than a fiftieth of a processor."""
_ROUNDS = 20

KINDS: Mapping[FindingKind, ExclusionKind] = {
    "favourite": "favourite",
    "left": "side",
    "agreement": "agreement",
    "fast": "too_fast",
}


class UnknownVoter(LookupError):
    """No voter is shown under this id, or nothing is to be changed for them. The message can be shown."""


@dataclass(frozen=True, slots=True)
class Voter:
    """A voter as the operator sees them."""

    shown_id: str
    votes: VoterVotes
    excluded: Exclusion | None
    findings: tuple[Finding, ...]
    """What is odd about the votes that count now; nothing is looked for in those of voters left out."""


Lifted = Collection[tuple[str, str]]
"""(voter, kind) that a person let in again."""


def check(services: Services) -> list[Exclusion]:
    """Leaves out those found on any board, and tells who they are."""
    before = services.store.read(exclusions.in_force)
    found = _found_anywhere(services)
    if found:
        now = services.now()

        def write(db: Database) -> None:
            lifted = exclusions.lifted(db)
            for voter, finding in found.items():
                if (voter, KINDS[finding.kind]) not in lifted:
                    exclusions.exclude(db, voter, KINDS[finding.kind], finding.words, now)

        services.store.write(write)
        # Their oldest vote emptied what was replayed from there on; the next vote must not have to wait for that.
        for wanted in _boards():
            elo_days.catch_up(services.store, wanted, "offer", elo_days.offers)
    known = {one.voter for one in before}
    return [one for one in services.store.read(exclusions.in_force) if one.voter not in known]


def voters(services: Services) -> list[Voter]:
    """All who ever voted, with what is odd about them now."""
    odd: dict[str, list[Finding]] = {}
    for wanted in _boards():
        for finding in _findings(_ballots(services, wanted), {}):
            odd.setdefault(finding.voter, []).append(finding)

    def read(db: Database) -> list[Voter]:
        salt = install.voter_salt(db)
        out = {one.voter: one for one in exclusions.in_force(db)}
        return [
            Voter(shown_voter(salt, one.voter), one, out.get(one.voter), tuple(odd.get(one.voter, ())))
            for one in vote_counts.by_voter(db)
        ]

    return services.store.read(read)


def exclude(services: Services, shown_id: str, reason: str) -> None:
    """Leaves a voter's votes out, by hand.

    Raises:
        UnknownVoter: there is none of this id, or their votes are left out already.
    """
    voter, now = _voter_of(services, shown_id), services.now()
    if not services.store.write(lambda db: exclusions.exclude(db, voter, "by_hand", reason, now)):
        raise UnknownVoter(f"The votes of {shown_id} are left out already.")


def readmit(services: Services, shown_id: str) -> None:
    """Counts a voter's votes again.

    Raises:
        UnknownVoter: there is none of this id, or their votes are counted.
    """
    voter, now = _voter_of(services, shown_id), services.now()
    if not services.store.write(lambda db: exclusions.readmit(db, voter, now)):
        raise UnknownVoter(f"The votes of {shown_id} are counted already.")


def _voter_of(services: Services, shown_id: str) -> str:
    def read(db: Database) -> str | None:
        salt = install.voter_salt(db)
        wanted = shown_id.strip().lower()
        return next((one.voter for one in vote_counts.by_voter(db) if shown_voter(salt, one.voter) == wanted), None)

    found = services.store.read(read)
    if found is None:
        raise UnknownVoter(f"No voter is shown as {shown_id[:40]!r}; `voters` lists them.")
    return found


# Looking


def _boards() -> list[BoardFilter]:
    return [BoardFilter(name, is_demo) for name, is_demo in product(BOARDS.values(), (False, True))]


def _ballots(services: Services, wanted: BoardFilter) -> list[Ballot]:
    def read(db: Database) -> list[Ballot]:
        return [
            Ballot(one.voter, one.offer_a, one.offer_b, one.outcome, one.decided_ms)
            for one in votes.in_order(db, wanted)
            if one.offer_a != one.offer_b
        ]

    return services.store.read(read)


def _found_anywhere(services: Services) -> dict[str, Finding]:
    """What speaks most against each voter that is odd on some board, without what was lifted."""
    lifted = services.store.read(exclusions.lifted)
    found: dict[str, Finding] = {}
    for wanted in _boards():
        ballots = [one for one in _ballots(services, wanted) if one.voter not in found]
        if _has_enough_voters(ballots):
            found |= _found_on(ballots, lifted)
    return found


def _found_on(ballots: Sequence[Ballot], lifted: Lifted) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for _ in range(_ROUNDS):
        left = [one for one in ballots if one.voter not in found]
        new = _against(_findings(left, _pushed(found)), lifted)
        if not new:
            break
        found |= new
    clean = Counter(one[1:4] for one in ballots if one.voter not in found)
    held = {voter: [one for one in ballots if one.voter == voter] for voter in found}
    again = {voter: _against(_alone(held[voter], clean, _pushed(found, voter)), lifted) for voter in found}
    # Honest voters can look odd beside many who are not; they do no more beside those who are left.
    return {voter: one[voter] for voter, one in again.items() if voter in one}


def _findings(ballots: Sequence[Ballot], pushed: Mapping[str, int]) -> list[Finding]:
    """What is odd on a board of these votes; `pushed`: competitor -> voters found to push it, whose votes are not here."""
    if not _has_enough_voters(ballots):
        return []
    return _read(ballots, Counter(one[1:4] for one in ballots), pushed)


def _alone(own: Sequence[Ballot], others: Counter[VoteRow], pushed: Mapping[str, int]) -> list[Finding]:
    """What is odd about one voter beside the votes of `others`."""
    return _read(own, others + Counter(one[1:4] for one in own), pushed)


def _read(ballots: Sequence[Ballot], counts: Mapping[VoteRow, int], pushed: Mapping[str, int]) -> list[Finding]:
    """What is odd about the voters of `ballots`, who are among those behind `counts`."""

    def spread(competitor: str, voters: Collection[str]) -> float:
        others = [one for one in ballots if one.voter not in voters]
        return taste_spread(_leanings(others, Counter(one[1:4] for one in others), [competitor]), competitor)

    rows = _grouped(counts)
    fit, advantage = bradley_terry.fit(rows), _advantage(rows)
    lean = leanings(ballots, fit, advantage=advantage)
    return [*findings(ballots, fit, advantage=advantage), *pushed_together(lean, spread, pushed)]


def _leanings(ballots: Sequence[Ballot], counts: Mapping[VoteRow, int], competitors: Collection[str]) -> Leanings:
    rows = _grouped(counts, competitors)
    return leanings(ballots, bradley_terry.fit(rows), advantage=_advantage(rows))


def _pushed(found: Mapping[str, Finding], but: str | None = None) -> dict[str, int]:
    """Competitor -> how many of those found push it, `but` one."""
    return Counter(one.about for voter, one in found.items() if one.about is not None and voter != but)


def _has_enough_voters(ballots: Iterable[Ballot]) -> bool:
    counts = Counter(one.voter for one in ballots)
    return sum(count >= MIN_VOTES for count in counts.values()) >= MIN_VOTERS


def _against(found: Iterable[Finding], lifted: Lifted) -> dict[str, Finding]:
    """Voter -> the finding that weighs most, of those that were not lifted."""
    worst: dict[str, Finding] = {}
    for one in found:
        if (one.voter, KINDS[one.kind]) not in lifted:
            worst[one.voter] = max(one, worst.get(one.voter, one), key=_weight)
    return worst


def _weight(finding: Finding) -> float:
    return abs(finding.z)


def _grouped(counts: Mapping[VoteRow, int], competitors: Collection[str] = ()) -> Grouped:
    return group_counts([(*vote, count) for vote, count in counts.items()], competitors=competitors)


def _advantage(rows: Grouped) -> float:
    bias = side_bias(rows)
    return bias.delta if bias else 0.0


# In the background


class VoterWatch:
    """Looks at the voters soon after the app starts, and again after every `EVERY` votes, off every request's path."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._seen: int | None = None

    async def run(self) -> None:
        """Goes on until it is cancelled. In local mode there is one owner, whom nobody is held against."""
        if self._services.settings.mode == "local":
            return
        pause = LOOK_S
        while True:
            # At the start too: the first page comes before the first look.
            await asyncio.sleep(pause)
            started = time.monotonic()
            try:
                await self.look()
            except StoreError as error:
                log.warning("the voters could not be looked at: %s", error)
            except Exception:
                # Nobody waits for this task; it must not end in silence.
                log.exception("a fault in the look at the voters")
            pause = max(LOOK_S, PAUSE_SHARE * (time.monotonic() - started))

    async def look(self) -> list[Exclusion]:
        """Those left out, if there are enough new votes to look at all."""
        async with self._lock:
            placed = await asyncio.to_thread(self._services.store.read, vote_counts.last_seq)
            if self._seen is not None and placed - self._seen < EVERY:
                return []
            self._seen = placed
            left_out = await asyncio.to_thread(check, self._services)
        for one in left_out:
            log.info("voter left out for %s: %d votes", one.kind, one.votes)
        return left_out
