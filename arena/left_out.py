"""Votes that do not count: why, whose, and whether there are suddenly more of them. Blocking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from arena.voter_ids import shown_voter
from playground.services import timestamp
from storage import exclusions, install, votes
from storage.engine import Database
from storage.exclusions import Exclusion, Shares

RECENT = timedelta(days=7)
ALARM_Z = 3.0
"""Standard errors by which the recent share of votes left out may lie above the earlier one before it is called a jump."""
ALARM_LEAST = 10
"""Fewer votes left out are no jump."""
_LEAST_SHARE = 0.01
"""Taken for the earlier share where that is smaller: the first few votes left out are no jump either."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Votes that do not count."""

    reasons: Mapping[str, int]
    voters: Sequence[Exclusion] = ()
    share: float = 0.0
    """Of all votes, those left out because of their voters: 0 to 1."""
    recent_share: float = 0.0
    """The same among the votes of the last seven days."""
    is_alarming: bool = False
    """Whether the recent share lies far above the earlier one."""
    shown_as: Mapping[str, str] = field(default_factory=dict)
    """Voter -> the id under which exports and pages show it."""

    @property
    def votes(self) -> int:
        """How many."""
        return sum(self.reasons.values())


def left_out(db: Database, now: datetime) -> LeftOut:
    """What all boards leave out at `now`."""
    voters = exclusions.in_force(db)
    reasons = votes.left_out(db)
    if not voters:
        return LeftOut(reasons)
    everything, recent = exclusions.shares(db), exclusions.shares(db, since=timestamp(now - RECENT))
    earlier = Shares(everything.counted - recent.counted, everything.excluded - recent.excluded)
    usual = max(earlier.share, _LEAST_SHARE)
    size = max(1, recent.counted + recent.excluded)
    limit = usual + ALARM_Z * (usual * (1 - usual) / size) ** 0.5
    is_jump = recent.excluded >= ALARM_LEAST and recent.share > limit
    salt = install.voter_salt(db)
    shown_as = {one.voter: shown_voter(salt, one.voter) for one in voters}
    return LeftOut(reasons, voters, everything.share, recent.share, is_jump, shown_as)
