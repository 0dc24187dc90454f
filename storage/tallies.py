"""Sums of the votes that count, kept in the transaction of each change, so that a board need not read every vote.

`verify` compares them with the votes. Whoever calls owns the transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from storage.engine import Database
from storage.records import Battle, BoardName, Outcome, Question, Vote
from storage.rows import fetch

ANSWERS: Mapping[Question, str] = {"better": "v.outcome", "follows": "v.follows", "looks": "v.looks"}
"""Where a vote `v` has its answer to each question."""
SIDES = "b.offer_a, b.quality_a, b.offer_b, b.quality_b"
OWN = "v.counted = 1"
"""Whether a vote `v` counts on its voter's own board."""
PUBLIC = "v.counted = 1 and v.reason is null"
"""Whether a vote `v` counts on everybody's boards, as long as its voter is not left out."""
_LEFT_OUT = "exists (select 1 from exclusions as e where e.voter = v.voter and e.lifted_at is null)"
COUNTS = " and not ".join([PUBLIC, _LEFT_OUT])
"""Whether a vote `v` counts on everybody's boards."""
ALL = ""
"""The category under which the sums of all categories stand: what most boards are made of need not be summed for each."""
_BOARD = ("board", "is_demo", "question", "category")
_KEY = (*_BOARD, "offer_a", "quality_a", "offer_b", "quality_b", "outcome")

Key = tuple[object, ...]
"""The columns before the votes: of a tally, or of a total, which has the first four."""


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """Which votes a board counts."""

    board: BoardName = "generate"
    is_demo: bool = False
    question: Question = "better"
    category: str | None = None
    """`None`: all."""
    since: str | None = None
    """UTC text; `None`: from the first vote."""
    until: str | None = None
    """UTC text, not included."""
    voter: str | None = None
    """Only this voter's votes, whether or not others' boards leave them out; `None`: everybody's."""

    @property
    def is_summed(self) -> bool:
        """Whether `tallies` holds the answer."""
        return self.since is None and self.until is None and self.voter is None

    @property
    def named(self) -> dict[str, object]:
        """Parameters of `rows`."""
        return {
            "board": self.board,
            "is_demo": int(self.is_demo),
            "question": self.question,
            "category": self.category,
            "since": self.since,
            "until": self.until,
            "voter": self.voter,
        }

    @property
    def rows(self) -> str:
        """The counted votes `v` with their battles `b`, as the end of a statement."""
        whose = f"{OWN} and v.voter = :voter" if self.voter is not None else COUNTS
        return " ".join([_ROWS, "and", whose, "and", ANSWERS[self.question], "is not null"])


class SideTally(NamedTuple):
    """How often one answer was given between two sides, as they stood. A board has thousands, which are cheap like this."""

    offer_a: str
    quality_a: str
    offer_b: str
    quality_b: str
    outcome: Outcome
    votes: int


_ROWS = """from votes as v join battles as b on b.battle_id = v.battle_id
    where b.board = :board and b.is_demo = :is_demo and (:category is null or b.category = :category)
    and (:since is null or v.voted_at >= :since) and (:until is null or v.voted_at < :until)"""


def board_sizes(db: Database) -> dict[tuple[BoardName, bool], int]:
    """Counted votes of each board that has any: (board, whether drawn models) -> votes."""
    rows = fetch(
        db,
        "select board, is_demo, votes from tally_totals where question = 'better' and category = ''",
    )
    return {(row["board"], bool(row["is_demo"])): row["votes"] for row in rows}


def counted_votes(db: Database) -> int:
    """Votes that count, on all boards."""
    return sum(board_sizes(db).values())


def categories(db: Database, board: BoardName, *, is_demo: bool) -> dict[str, int]:
    """Counted votes of each category that has any."""
    rows = fetch(
        db,
        """select category, votes from tally_totals
        where board = :board and is_demo = :is_demo and question = 'better' and category <> ''""",
        {"board": board, "is_demo": int(is_demo)},
    )
    return {row["category"]: row["votes"] for row in rows}


def questions(db: Database, board: BoardName, *, is_demo: bool) -> dict[Question, int]:
    """Counted answers to each question that has any."""
    rows = fetch(
        db,
        """select question, votes from tally_totals
        where board = :board and is_demo = :is_demo and category = ''""",
        {"board": board, "is_demo": int(is_demo)},
    )
    return {row["question"]: row["votes"] for row in rows}


def grouped(db: Database, wanted: BoardFilter) -> list[SideTally]:
    """What a board is fitted on, by its columns: sums of fractions come out alike only in the same order."""
    if not wanted.is_summed:
        return grouped_votes(db, wanted)
    sql = """select offer_a, quality_a, offer_b, quality_b, outcome, votes from tallies
        where board = :board and is_demo = :is_demo and question = :question and category = :category
        order by offer_a, quality_a, offer_b, quality_b, outcome"""
    named = wanted.named | {"category": wanted.category or ALL}
    return list(map(SideTally._make, db.conn.execute(sql, named)))


def grouped_votes(db: Database, wanted: BoardFilter) -> list[SideTally]:
    """The same from the votes themselves, one by one."""
    answer = ANSWERS[wanted.question]
    sql = " ".join(
        [
            "select",
            SIDES,
            ",",
            answer,
            "as outcome, count(*) as votes",
            wanted.rows,
            "group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5",
        ]
    )
    return list(map(SideTally._make, db.conn.execute(sql, wanted.named)))


# Keeping them


def add_vote(db: Database, battle: Battle, vote: Vote, sign: int) -> None:
    """Count a vote (`sign` 1), or count it no more (-1)."""
    sides = (battle.offer_a, battle.quality_a, battle.offer_b, battle.quality_b)
    answers = (("better", vote.outcome), ("follows", vote.follows), ("looks", vote.looks))
    _add(
        db,
        {
            (battle.board, int(battle.is_demo), question, battle.category, *sides, outcome): sign
            for question, outcome in answers
            if outcome is not None
        },
    )


def add_voter(db: Database, voter: str, sign: int) -> int | None:
    """Count all votes of a voter, or none of them any more; the place of the first such vote, if there is one."""
    first: int | None = None
    for question, answer in ANSWERS.items():
        for *key, votes, seq in db.conn.execute(
            _of_votes(answer, f"v.voter = :voter and {PUBLIC}"), _q(question, voter)
        ):
            _add(db, {tuple(key): sign * votes})
            first = seq if first is None else min(first, seq)
    return first


def recounted(db: Database) -> dict[Key, int]:
    """What `tallies` should hold, from the votes themselves."""
    return _sums(
        {
            tuple(key): votes
            for question, answer in ANSWERS.items()
            for *key, votes, _ in db.conn.execute(_of_votes(answer, COUNTS), _q(question, ""))
        }
    )


def make_anew(db: Database) -> None:
    """Put what the votes say in the place of what was held."""
    for table, names, rows in _by_table(recounted(db)):
        db.conn.execute(" ".join(["delete from", table]))
        db.conn.executemany(_raising(table, names, 1), rows)


def held(db: Database) -> dict[Key, int]:
    """What `tallies` and `tally_totals` hold."""
    return {
        tuple(key): votes
        for table, columns in (("tallies", _KEY), ("tally_totals", _BOARD))
        for *key, votes in db.conn.execute(" ".join(["select", ", ".join(columns), ", votes from", table]))
    }


def _summed_under(key: Sequence[object]) -> list[Key]:
    """All sums that a vote of this tally is in: with its category and over all, of its sides and of the whole board."""
    of_all = (*key[:3], ALL, *key[4:])
    return [tuple(key), of_all, tuple(key[:4]), of_all[:4]]


def _q(question: Question, voter: str) -> dict[str, str]:
    return {"question": question, "voter": voter}


def _of_votes(answer: str, which: str) -> str:
    return " ".join(
        [
            "select b.board, b.is_demo, :question as question, b.category,",
            SIDES,
            ",",
            answer,
            "as outcome, count(*), min(v.seq) from votes as v join battles as b on b.battle_id = v.battle_id",
            "where :voter is not null and",
            which,
            "and",
            answer,
            "is not null group by 1, 2, 4, 5, 6, 7, 8, 9",
        ]
    )


def _sums(tallied: Mapping[Key, int]) -> dict[Key, int]:
    """All sums that these tallies are in."""
    sums: Counter[Key] = Counter()
    for key, votes in tallied.items():
        for one in _summed_under(key):
            sums[one] += votes
    return dict(sums)


def _add(db: Database, tallied: Mapping[Key, int]) -> None:
    sums = _sums(tallied)
    _raise(db, {key: votes for key, votes in sums.items() if votes > 0})
    for key, votes in sums.items():
        if votes < 0:
            _lower(db, key, votes)


def _raise(db: Database, sums: Mapping[Key, int]) -> None:
    for table, names, rows in _by_table(sums):
        if rows:
            # In one statement: a vote waits for each.
            db.conn.execute(_raising(table, names, len(rows)), list(chain.from_iterable(rows)))


def _by_table(sums: Mapping[Key, int]) -> list[tuple[str, tuple[str, ...], list[Key]]]:
    """Each table with its key's columns, and its rows."""
    return [
        (table, names, [(*key, votes) for key, votes in sums.items() if len(key) == len(names)])
        for table, names in (("tallies", _KEY), ("tally_totals", _BOARD))
    ]


def _raising(table: str, names: Sequence[str], rows: int) -> str:
    columns, marks = ", ".join(names), f"({', '.join('?' * (len(names) + 1))})"
    return " ".join(
        [
            *("insert into", table, "(", columns, ", votes) values", ", ".join([marks] * rows)),
            *("on conflict (", columns, ") do update set votes =", f"{table}.votes", "+ excluded.votes"),
        ]
    )


def _lower(db: Database, key: Key, votes: int) -> None:
    table = "tallies" if len(key) == len(_KEY) else "tally_totals"
    columns, marks = ", ".join(_KEY[: len(key)]), ", ".join("?" * len(key))
    where = " ".join(["where (", columns, ") = (", marks, ")"])
    # A sum is never 0, not even on the way: the row goes first.
    if not db.conn.execute(" ".join(["delete from", table, where, "and votes <= ?"]), (*key, -votes)).rowcount:
        db.conn.execute(" ".join(["update", table, "set votes = votes + ?", where]), (votes, *key))
