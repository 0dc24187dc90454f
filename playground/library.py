"""What is kept, as the doors ask for it: recent groups, one page of history, one file. Slow work leaves the event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from playground.services import Services
from storage import history, runs
from storage.history import HistoryPage
from storage.records import Group, RunView

PAGE_SIZE = 24


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group with its runs in order."""

    group: Group
    runs: tuple[RunView, ...]


async def recent_groups(services: Services, owner: str, *, limit: int, before: str | None = None) -> list[GroupView]:
    """The owner's newest groups first; `before` is the id of the last group already shown."""

    def read(db: Database) -> list[GroupView]:
        found = runs.recent_groups(db, owner, limit=limit, before=before)
        return [GroupView(group, tuple(runs.of_group(db, group.group_id, owner))) for group in found]

    return await asyncio.to_thread(services.store.read, read)


async def group(services: Services, group_id: str, owner: str) -> GroupView | None:
    """The group with its runs, or `None` when it is not the owner's."""

    def read(db: Database) -> GroupView | None:
        found = runs.get_group(db, group_id, owner)
        return GroupView(found, tuple(runs.of_group(db, group_id, owner))) if found else None

    return await asyncio.to_thread(services.store.read, read)


async def run(services: Services, run_id: str, owner: str) -> RunView | None:
    """The run, or `None` when it is not the owner's."""

    def read(db: Database) -> RunView | None:
        return runs.get(db, run_id, owner)

    return await asyncio.to_thread(services.store.read, read)


async def history_page(
    services: Services, owner: str | None, *, search: str = "", limit: int = PAGE_SIZE, before: str | None = None
) -> tuple[HistoryPage, int]:
    """One page of runs, newest first, and how many match in all. Without an owner: of everybody, for the operator.

    Runs made for a battle that is being made or waits for the owner's vote are left out, so that it stays blind.
    """
    blind_at = services.now() if owner is not None else None

    def read(db: Database) -> tuple[HistoryPage, int]:
        page = history.page(db, owner, search=search, limit=limit, before=before, blind_at=blind_at)
        return page, history.count(db, owner, search, blind_at=blind_at)

    return await asyncio.to_thread(services.store.read, read)


def owned_file(services: Services, sha256: str, owner: str) -> Path | None:
    """The file of an image, input or preview, when it is there and the owner's. Blocking."""

    def read(db: Database) -> bool:
        return history.owns_blob(db, sha256, owner)

    return services.store.blobs.find(sha256) if services.store.read(read) else None


def owned_thumbnail(services: Services, sha256: str, owner: str) -> Path | None:
    """The thumbnail of such a file, made now if it is missing. Blocking."""
    original = owned_file(services, sha256, owner)
    return services.store.thumbs.ensure(sha256, original) if original else None
