"""A board with the hash of its votes: what the command line and the HTTP endpoint state, from the store or from a file.

Both ways end in the same functions on the same rows, so an export gives the numbers of the board it was made from.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arena import board
from arena.board import BoardQuery
from arena.category_board import is_pooled, leaning
from arena.ratings.method import Method, votes_digest
from arena.ratings.outcomes import CountedRow, VoteRow
from arena.ratings.rated import Rated, rate
from arena.votes_file import FileVotes, OrderedBy, VotesFileError, read_votes
from playground.services import Services
from storage.engine import Database


@dataclass(frozen=True, slots=True)
class StatedBoard:
    """A board and the hash of its votes."""

    rated: Rated
    votes_sha256: str
    category: str | None = None
    """The category whose board it is; `None`: all votes'."""
    is_pooled: bool = False
    """Whether the ratings of its category lean on those of the others."""
    is_demo: bool | None = None
    """Whether it is a board of drawn models; `None`: a file does not say."""
    left_out: int = 0
    """Rows of the file that say of themselves that they do not count."""
    ordered_by: OrderedBy = "seq"
    """What put the votes in order."""


async def of_store(services: Services, query: BoardQuery) -> StatedBoard:
    """The store's board, by the query's method."""

    def read(db: Database) -> StatedBoard:
        sha256 = board.sha256(db, services, query)
        if query.method.kind == "elo":
            is_demo = board.filter_of(db, query).is_demo
            rated = rate(board.all_votes(db, services, query), query.method)
            return StatedBoard(rated, sha256, query.category, is_demo=is_demo)
        found = board.read_board(db, services, query)
        return StatedBoard(found.rated, sha256, query.category, found.is_pooled, found.is_demo)

    return await asyncio.to_thread(services.store.read, read)


def of_file(path: Path, method: Method, category: str | None = None) -> StatedBoard:
    """The board of a file's votes; of one `category`, it leans on the others in the file as the store's would. Blocking.

    Raises:
        VotesFileError: the file cannot be read, or has no such category.
    """
    found = read_votes(path)
    rated, sha256, is_leaning = _rated(found, method, category)
    return StatedBoard(rated, sha256, category, is_leaning, left_out=found.left_out, ordered_by=found.ordered_by)


def _rated(found: FileVotes, method: Method, category: str | None) -> tuple[Rated, str, bool]:
    """The ratings, the hash of the votes they are made of, and whether they lean on other categories."""
    if category is None:
        return rate(found.votes, method), votes_digest(found.votes), False
    by_category = _by_category(found)
    if category not in by_category:
        names = ", ".join(sorted(name for name in by_category if name)[:20]) or "none; it has no column 'category'"
        raise VotesFileError(f"The file has no votes of the category {category!r}. Its categories: {names}.")
    if is_pooled(method, category, by_category):
        rated = leaning(category, {name: _counted(votes) for name, votes in by_category.items()}, method)
        votes = ((*vote, name) for vote, name in zip(found.votes, found.categories or (), strict=True))
        return rated, votes_digest(votes), True
    return rate(by_category[category], method), votes_digest(by_category[category]), False


def _by_category(found: FileVotes) -> dict[str, list[VoteRow]]:
    sorted_out: dict[str, list[VoteRow]] = {}
    for vote, category in zip(found.votes, found.categories or (), strict=False):
        sorted_out.setdefault(category, []).append(vote)
    return sorted_out


def _counted(votes: Sequence[VoteRow]) -> list[CountedRow]:
    return [(*vote, count) for vote, count in Counter(votes).items()]
