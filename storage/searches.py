"""Searches of the history that somebody gave a name. Whoever calls owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass

from storage.curation import NotCurated
from storage.engine import Database
from storage.rows import changed, fetch, fetch_one, foreign_text
from storage.search import MAX_CHARACTERS
from storage.sorts import sort_of

MAX_SEARCHES = 50
"""Of one owner."""
MAX_NAME = 60


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search under its name."""

    name: str
    query: str
    """What stands in the search box."""
    sort: str


def save(db: Database, owner: str, search: SavedSearch, at: str) -> None:
    """Keeps a search under its name, instead of the one that had it.

    Raises:
        NotCurated: no name, too long a name, or too many searches.
        ValueError: no such order.
    """
    sort_of(search.sort)
    name = " ".join((foreign_text(search.name) or "").split())
    if not name or len(name) > MAX_NAME:
        raise NotCurated(f"A search needs a name of at most {MAX_NAME} characters.")
    others = fetch_one(db, "select count(*) as n from searches where owner = ? and name != ?", (owner, name))
    if others and others["n"] >= MAX_SEARCHES:
        raise NotCurated(f"{MAX_SEARCHES} searches are kept already. Forget one first.")
    db.conn.execute(
        """insert into searches (owner, name, query, sort, created_at) values (?, ?, ?, ?, ?)
        on conflict (owner, name) do update set query = excluded.query, sort = excluded.sort""",
        (owner, name, (foreign_text(search.query) or "")[:MAX_CHARACTERS], search.sort, at),
    )


def of_owner(db: Database, owner: str) -> list[SavedSearch]:
    """The owner's searches by name."""
    rows = fetch(db, "select name, query, sort from searches where owner = ? order by name", (owner,))
    return [SavedSearch(**row) for row in rows]


def forget(db: Database, owner: str, name: str) -> bool:
    """Drops a search; whether there was one."""
    return changed(db, "delete from searches where owner = :owner and name = :name", {"owner": owner, "name": name})
