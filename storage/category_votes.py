"""A board's votes by the category of their prompts, read in one go: a board of one category leans on those of all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from storage.engine import Database
from storage.tallies import ALL, ANSWERS, SIDES, BoardFilter, SideTally


def grouped(db: Database, wanted: BoardFilter) -> dict[str, list[SideTally]]:
    """What the boards of all categories are fitted on, whichever category is wanted, by their columns."""
    if not wanted.is_summed:
        return grouped_votes(db, wanted)
    sql = """select category, offer_a, quality_a, offer_b, quality_b, outcome, votes from tallies
        where board = :board and is_demo = :is_demo and question = :question and category <> :all
        order by category, offer_a, quality_a, offer_b, quality_b, outcome"""
    return _sorted_out(db, sql, wanted.named | {"all": ALL})


def grouped_votes(db: Database, wanted: BoardFilter) -> dict[str, list[SideTally]]:
    """The same from the votes themselves, one by one."""
    every = replace(wanted, category=None)
    answer = ANSWERS[wanted.question]
    sql = " ".join(
        [
            "select b.category,",
            SIDES,
            ",",
            answer,
            "as outcome, count(*) as votes",
            every.rows,
            "group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6",
        ]
    )
    return _sorted_out(db, sql, every.named)


def in_order(db: Database, wanted: BoardFilter) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Votes of all categories in their order, whichever is wanted: offer and quality of side a, of side b, answer, category.

    Read as they are asked for: use it up within the read job.
    """
    every = replace(wanted, category=None)
    answer = ANSWERS[wanted.question]
    sql = " ".join(["select", SIDES, ",", answer, "as outcome, b.category", every.rows, "order by v.seq"])
    yield from db.conn.execute(sql, every.named)


def _sorted_out(db: Database, sql: str, named: dict[str, object]) -> dict[str, list[SideTally]]:
    found: dict[str, list[SideTally]] = {}
    for category, *row in db.conn.execute(sql, named):
        found.setdefault(category, []).append(SideTally._make(row))
    return found
