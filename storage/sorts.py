"""Orders of the history. Each walks an index of `run_facts` of its own, and a place in it is a cursor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_PAGE = 1000
"""Most runs on one page; each brings its images, inputs and previews along."""
NEWEST = "newest"
_CURSOR = re.compile(r"(?:(-?[0-9]{1,18})\.)?([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Sort:
    """An order, by a column of `run_facts` and then by when the run was made."""

    label: str
    column: str | None
    """`None`: by when it was made alone."""
    is_rising: bool = False

    def order(self, *, is_found: bool) -> str:
        """For `order by`; `is_found`: the text index `m` is walked, which has its own name for `seq`."""
        way = "asc" if self.is_rising else "desc"
        return f"f.{self.column} {way}, f.seq {way}" if self.column else f"{'m.rowid' if is_found else 'f.seq'} {way}"

    def after(self, *, is_found: bool) -> str:
        """The condition of what comes behind a place; `is_found` as in `order`."""
        sign = ">" if self.is_rising else "<"
        return (
            f"(f.{self.column}, f.seq) {sign} (:after, :after_seq)"
            if self.column
            else f"{'m.rowid' if is_found else 'f.seq'} {sign} :after_seq"
        )

    def stretches(self) -> tuple[str, ...]:
        """Conditions that one after the other give what comes behind a place, where no text index is walked.

        First what is equal, then the rest: an index that ends in the row's own number is not entered at both columns of one
        comparison, so all that is equal would be read to get to the place.
        """
        if not self.column:
            return (self.after(is_found=False),)
        sign = ">" if self.is_rising else "<"
        return (f"f.{self.column} = :after and f.seq {sign} :after_seq", f"f.{self.column} {sign} :after")

    def cursor(self, row: Mapping[str, object]) -> str:
        """The place of a row."""
        return f"{row[self.column]}.{row['seq']}" if self.column else str(row["seq"])

    def place(self, cursor: str) -> dict[str, int]:
        """Parameters of `after` for that place.

        Raises:
            ValueError: it is no place in this order.
        """
        found = _CURSOR.fullmatch(cursor)
        if not found or not cursor.isascii() or bool(found[1]) != bool(self.column):
            raise ValueError(f"{cursor[:40]!r} is not a place in the history")
        place = {"after_seq": int(found[2])}
        return place | {"after": int(found[1])} if self.column else place


SORTS: Mapping[str, Sort] = {
    NEWEST: Sort("Newest first", None),
    "oldest": Sort("Oldest first", None, is_rising=True),
    "dearest": Sort("Dearest first", "dearest"),
    "slowest": Sort("Slowest first", "slowest"),
    "stars": Sort("Most stars first", "stars"),
    "rating": Sort("Best in blind votes first", "rating"),
}
"""By name."""


def sort_of(name: str) -> Sort:
    """The order of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in SORTS:
        raise ValueError(f"{name[:40]!r} is no order of the history; expected one of {', '.join(SORTS)}")
    return SORTS[name]
