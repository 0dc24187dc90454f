"""Voters whose votes do not look like judgements: looked for on every board, left out with the reason, and let in again.

Nothing is deleted: a vote of theirs is kept, exported with the reason, and counts again when a person lifts the exclusion. What
was lifted is not found again by itself. Blocking, but for `VoterWatch`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from arena import elo_days
from arena.board_choices import BOARDS
from arena.ratings.held_votes import Ballot
from arena.ratings.voter_checks import Finding
from arena.ratings.voter_checks import Kind as FindingKind
from arena.voter_findings import Looked, look, odd
from arena.voter_ids import shown_voter
from playground.services import Services
from storage import exclusions, install, vote_counts, votes
from storage.engine import Database
from storage.errors import StoreError
from storage.exclusions import Exclusion
from storage.records import ExclusionKind
from storage.tallies import BoardFilter
from storage.vote_counts import VoterVotes

log = logging.getLogger(__name__)

EVERY = 25
"""New votes after which the voters are looked at again."""
LOOK_S = 5.0
"""Seconds between two looks whether there are so many."""
PAUSE_SHARE = 50
"""A look is followed by a pause of so many times its length, so that it takes no more than a fiftieth of a processor."""
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


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at all voters came to."""

    left_out: list[Exclusion]
    """Those who are left out now and were not before."""
    alarms: tuple[str, ...]
    """What only a person can judge, in sentences that can be shown."""


def check(services: Services) -> Checked:
    """Leaves out those found on any board."""
    before = services.store.read(exclusions.in_force)
    seen = _looked_at_everywhere(services)
    if seen.found:
        now = services.now()

        def write(db: Database) -> None:
            lifted = exclusions.lifted(db)
            for voter, finding in seen.found.items():
                if (voter, KINDS[finding.kind]) not in lifted:
                    exclusions.exclude(db, voter, KINDS[finding.kind], finding.words, now)

        services.store.write(write)
        # Their oldest vote emptied what was replayed from there on; the next vote must not have to wait for that.
        for wanted in _boards():
            elo_days.catch_up(services.store, wanted, "offer", elo_days.offers)
    known = {one.voter for one in before}
    left_out = [one for one in services.store.read(exclusions.in_force) if one.voter not in known]
    return Checked(left_out, seen.alarms)


def alarms(services: Services) -> tuple[str, ...]:
    """What a look would leave to a person now, in sentences that can be shown. Leaves nobody out."""
    return _looked_at_everywhere(services).alarms


def voters(services: Services) -> list[Voter]:
    """All who ever voted, with what is odd about them now."""
    found: dict[str, list[Finding]] = {}
    for wanted in _boards():
        for finding in odd(_ballots(services, wanted)):
            found.setdefault(finding.voter, []).append(finding)

    def read(db: Database) -> list[Voter]:
        salt = install.voter_salt(db)
        out = {one.voter: one for one in exclusions.in_force(db)}
        return [
            Voter(shown_voter(salt, one.voter), one, out.get(one.voter), tuple(found.get(one.voter, ())))
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


def _looked_at_everywhere(services: Services) -> Looked:
    """What speaks most against each voter that is odd on some board, without what was lifted; and the alarms of all boards."""
    lifted = services.store.read(exclusions.lifted)

    def is_lifted(finding: Finding) -> bool:
        return (finding.voter, KINDS[finding.kind]) in lifted

    found: dict[str, Finding] = {}
    alarms: list[str] = []
    for wanted in _boards():
        seen = look([one for one in _ballots(services, wanted) if one.voter not in found], is_lifted)
        found |= seen.found
        alarms += [f"On the board {_name(wanted)}: {words}" for words in seen.alarms]
    return Looked(found, tuple(alarms))


def _name(wanted: BoardFilter) -> str:
    return f"{wanted.board!r}{' of drawn models' if wanted.is_demo else ''}"


# In the background


class VoterWatch:
    """Looks at the voters soon after the app starts, and again after every `EVERY` votes, off every request's path."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._seen: int | None = None
        self._alarms: tuple[str, ...] = ()

    @property
    def alarms(self) -> tuple[str, ...]:
        """What the last look left to a person, in sentences that can be shown."""
        return self._alarms

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
            seen = await asyncio.to_thread(check, self._services)
        for one in seen.left_out:
            log.info("voter left out for %s: %d votes", one.kind, one.votes)
        for words in set(seen.alarms) - set(self._alarms):
            log.warning("voters: %s", words)
        self._alarms = seen.alarms
        return seen.left_out
