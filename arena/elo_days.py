"""The Elo replay day by day: what a vote changed, and ratings over time. Blocking.

Ratings follow from the votes alone. What is kept of the replay is a shortcut past votes that cannot change any more; any
change of older votes empties it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from arena.ratings.elo import START, EloReplay
from arena.ratings.method import METHOD_VERSION
from arena.ratings.outcomes import VoteRow
from storage import elo_days as kept_days
from storage import votes
from storage.database import Store
from storage.elo_days import EloDay
from storage.engine import Database
from storage.records import Battle
from storage.tallies import BoardFilter
from storage.votes import CountedVote

MANY = 2_000
"""Votes from which on a replay is worth a catch-up of its own."""

Competing = Callable[[str, str], str]
"""(offer, quality) -> who competes."""


@dataclass(frozen=True, slots=True)
class RatingChange:
    """Ratings of both sides before and after one vote, on their board."""

    a_before: float
    a_after: float
    b_before: float
    b_after: float


def offers(offer: str, _quality: str) -> str:
    """Competitors of a board of offers."""
    return offer


def brought_up(db: Database, wanted: BoardFilter, level: str, competing: Competing) -> list[EloDay]:
    """Each day's ratings with all votes in them, oldest day first; what is new is kept. Needs a write job."""
    kept = kept_days.kept(db, wanted, level, METHOD_VERSION)
    new = list(_days(votes.in_order(db, wanted, after=kept[-1].last_seq if kept else 0), kept, competing))
    if new:
        kept_days.keep(db, wanted, level, METHOD_VERSION, new)
    return [day for day in kept if not new or day.day < new[0].day] + new


def kept_whole(db: Database, wanted: BoardFilter, level: str) -> list[EloDay] | None:
    """What is kept, oldest day first; `None` where votes came that are not in it yet."""
    kept = kept_days.kept(db, wanted, level, METHOD_VERSION)
    newer = next(votes.in_order(db, wanted, after=kept[-1].last_seq if kept else 0), None)
    return kept if newer is None else None


def catch_up(store: Store, wanted: BoardFilter, level: str, competing: Competing) -> None:
    """Replays what is not kept yet and keeps it, without holding up whoever writes: a million votes take seconds. Blocking.

    Where votes change meanwhile it keeps nothing; `brought_up` then has the more to do.
    """

    def read(db: Database) -> tuple[list[EloDay], list[EloDay]]:
        kept = kept_days.kept(db, wanted, level, METHOD_VERSION)
        rows = votes.in_order(db, wanted, after=kept[-1].last_seq if kept else 0)
        return kept, list(_days(rows, kept, competing))

    kept, new = store.read(read)

    def keep(db: Database) -> None:
        if kept_days.kept(db, wanted, level, METHOD_VERSION) == kept:
            kept_days.keep(db, wanted, level, METHOD_VERSION, new)

    if sum(day.votes for day in new[-1:]) - sum(day.votes for day in kept[-1:]) >= MANY:
        store.write(keep)


def replayed(rows: Iterable[CountedVote], competing: Competing) -> list[EloDay]:
    """Each day's ratings after `rows`, which come in their order, from the first vote on; nothing is kept."""
    return list(_days(iter(rows), [], competing))


def change_at_once(db: Database, battle: Battle, seq: int) -> RatingChange | None:
    """What the vote changed that this write job has just placed at `seq`; kept. No vote has come behind it yet, so only what is
    not kept before it is replayed. `None` where that may be too much to hold up others.
    """
    wanted = BoardFilter(battle.board, battle.is_demo)
    newest, rows = votes.behind_kept(db, wanted, "offer", METHOD_VERSION, most=MANY)
    if seq - (newest.last_seq if newest else 0) > MANY:
        return None
    kept = [newest] if newest else []
    new = list(_days((row for row in rows if row.seq < seq), kept, offers))
    before = (kept + new)[-1:]
    new += _days((row for row in rows if row.seq >= seq), before, offers)
    if new:
        kept_days.keep(db, wanted, "offer", METHOD_VERSION, new)
    was = before[0].ratings if before else {}
    now = new[-1].ratings if new else was
    a, b = battle.offer_a, battle.offer_b
    return RatingChange(was.get(a, START), now.get(a, START), was.get(b, START), now.get(b, START))


def change_by(db: Database, battle: Battle, seq: int) -> RatingChange:
    """What the vote placed at `seq` changed on its board of offers. Needs a write job."""
    wanted = BoardFilter(battle.board, battle.is_demo)
    kept = [day for day in kept_days.kept(db, wanted, "offer", METHOD_VERSION) if day.last_seq < seq]
    before = kept[-1].ratings if kept else {}
    for day in _days(votes.in_order(db, wanted, after=kept[-1].last_seq if kept else 0, before=seq), kept, offers):
        before = day.ratings
    days = brought_up(db, wanted, "offer", offers)
    a_before, b_before = before.get(battle.offer_a, START), before.get(battle.offer_b, START)
    own = next(votes.in_order(db, wanted, after=seq - 1, before=seq + 1), None)
    if own is None or not days:
        return RatingChange(a_before, a_before, b_before, b_before)
    replay = EloReplay({battle.offer_a: a_before, battle.offer_b: b_before})
    replay.take((battle.offer_a, battle.offer_b, own.outcome))
    return RatingChange(a_before, replay.ratings[battle.offer_a], b_before, replay.ratings[battle.offer_b])


def _days(rows: Iterator[CountedVote], kept: list[EloDay], competing: Competing) -> Iterator[EloDay]:
    """The days of `rows`, going on from the last of `kept`, whose day may not have been over."""
    last = kept[-1] if kept else EloDay("", 0, 0, {})
    replay = EloReplay(dict(last.ratings), last.votes)
    for day, votes_of_day in groupby(rows, key=_day_of):
        seen = _Seen(last.last_seq)
        replay.take_all(_as_rows(votes_of_day, competing, seen))
        last = EloDay(day, seen.seq, replay.votes, dict(replay.ratings))
        yield last


def _day_of(vote: CountedVote) -> str:
    return vote.voted_at[:10]


@dataclass(slots=True)
class _Seen:
    seq: int


def _as_rows(rows: Iterable[CountedVote], competing: Competing, seen: _Seen) -> Iterator[VoteRow]:
    for row in rows:
        seen.seq = row.seq
        a, b = competing(row.offer_a, row.quality_a), competing(row.offer_b, row.quality_b)
        if a != b:
            yield a, b, row.outcome
