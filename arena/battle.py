"""The vote and the reveal, and how a battle ends without one.

The vote is one transaction that ends the battle, writes the vote and reads the reveal, so a battle has one vote however
many are sent at once. How battles begin stands in `arena.opening`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal, get_args

from arena import copies, elo_days
from arena.elo_days import RatingChange
from playground.services import Services, timestamp
from playground.usage import UseRefused
from storage import battles, reports, votes
from storage.battles import Maker
from storage.engine import Database
from storage.records import Answer, Battle, BattleSource, BattleState, CostSource, Outcome, ReportReason, Vote

log = logging.getLogger(__name__)

MAX_DECIDED_MS = 24 * 3600 * 1000

REPEATED = "You have voted on these two images before."
CHOSEN = "You picked these two with their makers in sight, so your vote counts for your own board only."
LEFT_OUT = "Your votes are left out of everybody's boards. They are kept, and count for your own."
"""The finding is the operator's to tell; it stands in the export beside the votes."""

OUTCOMES: dict[str, Outcome] = {outcome: outcome for outcome in get_args(Outcome)}
ANSWERS: dict[str, Answer] = {answer: answer for answer in get_args(Answer)}

REPORT_REASONS: dict[str, ReportReason] = {reason: reason for reason in get_args(ReportReason)}
MAX_REPORT = 500
"""Characters of a report in somebody's own words that are kept."""

UNDO = timedelta(seconds=10)
"""So long a vote can be taken back."""

RefusedKind = Literal[
    "unknown_battle", "already_voted", "skipped", "reported", "expired", "unknown_outcome", "too_late", "too_many"
]

_WORDS: dict[str, str] = {
    "open": "This battle ran out of time. Nothing was counted; take the next one.",
    "expired": "This battle ran out of time. Nothing was counted; take the next one.",
    "voted": "This battle has its vote already. Only the first one counts.",
    "skipped": "This battle was skipped. Take the next one.",
    "reported": "This battle was reported and takes no vote. Take the next one.",
}
_KINDS: dict[str, RefusedKind] = {"voted": "already_voted", "skipped": "skipped", "reported": "reported"}


class VoteRefused(ValueError):
    """A vote that cannot be taken; nothing was changed. The message can be shown."""

    def __init__(self, kind: RefusedKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class RevealedSide:
    """Who made one side, and how."""

    offer: str
    run_id: str
    sha256: str
    cost_microusd: int | None
    """Cost of this one image; `None` when nobody knows."""
    cost_source: CostSource
    latency_ms: int | None


@dataclass(frozen=True, slots=True)
class Reveal:
    """Both sides of a battle after its vote."""

    prompt: str
    a: RevealedSide
    b: RevealedSide


@dataclass(frozen=True, slots=True)
class VoteResult:
    """What became of a vote."""

    counted: bool
    """On everybody's boards."""
    is_own: bool
    """Whether it counts on the voter's own board, if not on everybody's."""
    reason: str | None
    """Why it does not count on everybody's boards, where it does not."""
    reveal: Reveal
    change: RatingChange | None
    """Ratings on this battle's board before and after the vote; `None` when they cannot be told now."""


@dataclass(frozen=True, slots=True)
class Reported:
    """The battle that a report was taken for, as it was before."""

    state: BattleState
    source: BattleSource


async def vote(
    services: Services,
    battle_id: str,
    voter: str,
    outcome: str,
    decided_ms: int | None = None,
    *,
    follows: str | None = None,
    looks: str | None = None,
) -> VoteResult:
    """Takes the vote and reveals the makers; it is on disk when this returns.

    `decided_ms` is the time from both images being seen to the answer, as the browser says; `None` or nonsense is kept
    as unknown. `follows`, `looks`: which follows the prompt or looks better: `a`, `b`, `tie`, or not said.

    Raises:
        VoteRefused: the battle is not the voter's, is over, or the outcome is unknown. Nothing was changed.
    """
    answer = OUTCOMES.get(outcome)
    if answer is None:
        raise VoteRefused("unknown_outcome", f"{outcome[:40]!r} is no answer. Choose A, B, tie or both bad.")
    second = _second(follows), _second(looks)
    now, decided = services.now(), _plausible(decided_ms)

    def write(db: Database) -> tuple[Battle, Reveal, Vote, int, bool, RatingChange | None]:
        count(db)
        makers = battles.ask_makers(db, battle_id)
        before, is_ended = battles.end_by_vote(db, battle_id, voter, now=now)
        battle = _ended(before.battle if before else None, is_ended=is_ended)
        is_repeated = before is not None and before.is_repeated
        reason = REPEATED if is_repeated else CHOSEN if battle.source == "chosen" else None
        row = Vote(battle_id, voter, answer, decided, not is_repeated, reason, now, *second)
        # Not in the row: the vote counts again once its voter does.
        is_out = before is not None and before.is_left_out
        reveal, seq = _reveal(battle, makers()), votes.insert(db, row, battle)
        return battle, reveal, row, seq, is_out, _change_at_once(db, battle, seq)

    try:
        count = await services.counted_use("votes", voter)
        battle, reveal, row, seq, is_out, change = await asyncio.to_thread(services.store.write, write)
    except UseRefused as error:
        raise VoteRefused("too_many", str(error).replace("Nothing was sent.", "This vote was not counted.")) from error
    reason = row.reason or (LEFT_OUT if is_out else None)
    if change is None:
        change = await _change_by(services, battle, seq)
    return VoteResult(reason is None, row.counted and reason is not None, reason, reveal, change)


def _change_at_once(db: Database, battle: Battle, seq: int) -> RatingChange | None:
    """What the vote changed, told in its own write job; `None` where that takes long or fails, since the vote must not."""
    try:
        with db.atomic():
            return elo_days.change_at_once(db, battle, seq)
    except Exception:
        if not db.conn.in_transaction:
            # As on a full disk: the vote is gone with it, and is not taken.
            raise
        log.exception("what a vote changed cannot be told at once")
        return None


async def _change_by(services: Services, battle: Battle, seq: int) -> RatingChange | None:
    """What the vote changed; `None` when that fails, because the vote is on disk whatever becomes of this."""

    def change(db: Database) -> RatingChange:
        return elo_days.change_by(db, battle, seq)

    try:
        return await asyncio.to_thread(services.store.write, change)
    except Exception:
        log.exception("a vote was taken, but what it changed cannot be told")
        return None


async def take_back(services: Services, battle_id: str, voter: str) -> None:
    """Takes the vote back: it stays in the record and counts no more. The makers are known, so there is no second one.

    Raises:
        VoteRefused: there is no such vote of theirs, it is older than `UNDO`, or another battle has begun since.
    """
    now = services.clock()

    def write(db: Database) -> None:
        battle = battles.get(db, battle_id, voter)
        if battle is None or battle.state != "voted":
            raise VoteRefused("unknown_battle", "There is no such vote of yours.")
        if not votes.take_back(db, battle, now=timestamp(now), since=timestamp(now - UNDO)):
            seconds = UNDO.total_seconds()
            raise VoteRefused(
                "too_late", f"A vote can be taken back for {seconds:.0f} s, before the next battle. It stays."
            )

    await asyncio.to_thread(services.store.write, write)


async def report(services: Services, battle_id: str, voter: str, reason: str, words: str = "") -> Reported:
    """Keeps what is wrong with a battle, and ends it unless it has its vote; its pair is never drawn again.

    Raises:
        VoteRefused: the battle is not the voter's, or the reason is unknown.
    """
    known = REPORT_REASONS.get(reason)
    if known is None:
        raise VoteRefused(
            "unknown_outcome", f"{reason[:40]!r} is no reason. Choose one of: {', '.join(REPORT_REASONS)}."
        )
    now = services.now()

    def write(db: Database) -> Reported:
        battle = battles.get(db, battle_id, voter)
        if battle is None:
            raise VoteRefused("unknown_battle", "There is no such battle of yours. Take the next one.")
        battles.end_reported(db, battle_id, voter)
        reports.add(db, battle_id, voter, known, words.strip()[:MAX_REPORT], now)
        return Reported(battle.state, battle.source)

    return await asyncio.to_thread(services.store.write, write)


async def skip(services: Services, battle_id: str, voter: str) -> None:
    """Ends the battle without a vote. A pair of the history comes again only when no other is left; one that was made for this
    battle never does, as its makers stand in the history from now on.

    Raises:
        VoteRefused: the battle is not the voter's, or is over.
    """
    now = services.now()

    def write(db: Database) -> None:
        battle = battles.get(db, battle_id, voter)
        _ended(battle, is_ended=battles.end(db, battle_id, voter, state="skipped", now=now))

    await asyncio.to_thread(services.store.write, write)


def blind_file(services: Services, battle_id: str, side: str, voter: str) -> Path | None:
    """The file of side `a` or `b`, when the battle is this voter's and its copies are kept. Blocking.

    It must be sent with `Cache-Control: no-store`.
    """
    if not copies.is_battle_id(battle_id) or side not in ("a", "b"):
        return None

    def read(db: Database) -> Battle | None:
        return battles.get(db, battle_id, voter)

    found = services.store.read(read)
    if found is None or found.expires_at <= services.now():
        return None
    path = copies.path_of(services.store.data_dir, battle_id, side)
    return path if path.is_file() else None


def _ended(battle: Battle | None, *, is_ended: bool) -> Battle:
    """The battle as it was. Raises: VoteRefused when the guarded change did not happen."""
    if battle is None:
        raise VoteRefused("unknown_battle", "There is no such battle of yours. Take the next one.")
    if not is_ended:
        raise VoteRefused(_KINDS.get(battle.state, "expired"), _WORDS[battle.state])
    return battle


def _reveal(battle: Battle, makers: Mapping[str, Maker]) -> Reveal:
    # Both are there: images are referenced by the battle's row, and runs by their images'.
    return Reveal(battle.prompt, _revealed(makers[battle.image_a]), _revealed(makers[battle.image_b]))


def _revealed(maker: Maker) -> RevealedSide:
    return RevealedSide(
        maker.offer, maker.run_id, maker.sha256, maker.cost_microusd, maker.cost_source, maker.latency_ms
    )


def _second(answer: str | None) -> Answer | None:
    """Raises: VoteRefused when it is no answer to a second question."""
    if answer is None:
        return None
    if answer in ANSWERS:
        return ANSWERS[answer]
    raise VoteRefused("unknown_outcome", f"{answer[:40]!r} is no answer. Choose A, B or alike.")


def _plausible(decided_ms: int | None) -> int | None:
    is_whole = isinstance(decided_ms, int) and not isinstance(decided_ms, bool)
    return decided_ms if is_whole and decided_ms is not None and 0 <= decided_ms <= MAX_DECIDED_MS else None
