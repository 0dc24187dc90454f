"""What people do with what is kept: favourites, stars, tags, notes, the trash. Each is one transaction, off the event loop.

An owner's actions touch nothing of anybody else's; what is not theirs is passed over as if it were not there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TypeVar

from playground.services import Services, timestamp
from storage import curation, deleting, history, searches
from storage.curation import Changed, Deleted, Picked
from storage.engine import Database
from storage.errors import StoreError
from storage.freeing import sweep_copies, sweep_freed
from storage.searches import SavedSearch

T = TypeVar("T")

TRASH_KEPT = timedelta(days=30)
"""So long the trash is kept before it is deleted for ever."""
TIDY_EVERY = timedelta(hours=1)
BULK_S = 120.0
"""Time limit of an action on all that match; a hundred thousand images take some seconds."""

log = logging.getLogger(__name__)


async def set_favourite(services: Services, owner: str, picked: Picked, *, favourite: bool) -> Changed:
    """Marks images as favourites, or takes the mark away."""
    return await _write(services, lambda db: curation.set_favourite(db, owner, picked, favourite=favourite))


async def set_stars(services: Services, owner: str, picked: Picked, stars: int) -> Changed:
    """Gives images 0 to 5 stars. Raises: NotCurated."""
    return await _write(services, lambda db: curation.set_stars(db, owner, picked, stars))


async def add_tags(services: Services, owner: str, picked: Picked, tags: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Puts tags on runs; each with the runs that did not have it. Raises: NotCurated."""
    return await _write(services, lambda db: curation.add_tags(db, owner, picked, tags))


async def remove_tags(
    services: Services, owner: str, picked: Picked, tags: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Takes tags from runs; each with the runs that had it. Raises: NotCurated."""
    return await _write(services, lambda db: curation.remove_tags(db, owner, picked, tags))


async def on_meant(
    services: Services, owner: str, picked: Picked, search: str | None, job: Callable[[Database, Picked], T]
) -> T:
    """Does something with what is picked, or with all runs that a search of the history finds, in one transaction."""
    blind_at = services.now()

    def work(db: Database) -> T:
        meant = picked if search is None else Picked(runs=history.matching(db, owner, search, blind_at=blind_at))
        return job(db, meant)

    return await asyncio.to_thread(services.store.write, work, timeout_s=BULK_S)


async def searches_of(services: Services, owner: str) -> list[SavedSearch]:
    """The owner's searches by name."""
    return await asyncio.to_thread(services.store.read, lambda db: searches.of_owner(db, owner))


async def save_search(services: Services, owner: str, search: SavedSearch) -> None:
    """Keeps a search under its name. Raises: NotCurated."""
    await _write(services, lambda db: searches.save(db, owner, search, services.now()))


async def forget_search(services: Services, owner: str, name: str) -> bool:
    """Drops a search; whether there was one."""
    return await _write(services, lambda db: searches.forget(db, owner, name))


async def trash_size(services: Services, owner: str) -> tuple[int, int, int]:
    """Images, runs without one, and bytes in the owner's trash."""
    return await asyncio.to_thread(services.store.read, lambda db: deleting.trash_size(db, owner))


async def tags_of(services: Services, owner: str) -> list[tuple[str, int]]:
    """The owner's tags with how many runs have each, the most used first."""
    return await asyncio.to_thread(services.store.read, lambda db: curation.tags_of(db, owner))


async def set_note(services: Services, owner: str, run_id: str, note: str) -> bool:
    """Keeps a note on a run; false when it is not the owner's. Raises: NotCurated."""
    return await _write(services, lambda db: curation.set_note(db, owner, run_id, note))


async def trash(services: Services, owner: str, picked: Picked) -> Changed:
    """Puts images, and runs without one, in the trash; runs that are still going stay."""
    return await _write(services, lambda db: curation.trash(db, owner, picked, services.now()))


async def restore(services: Services, owner: str, picked: Picked) -> Changed:
    """Takes images and runs out of the trash."""
    return await _write(services, lambda db: curation.restore(db, owner, picked))


async def delete_for_ever(services: Services, owner: str, picked: Picked) -> Deleted:
    """Deletes what is picked and in the trash. It cannot be undone."""
    deleted = await _write(services, lambda db: deleting.delete_for_ever(db, owner, picked, services.now()))
    await asyncio.to_thread(sweep_freed, services.store)
    return deleted


async def empty_trash(services: Services, owner: str) -> Deleted:
    """Deletes all of the owner's trash. It cannot be undone."""
    deleted = await _write(services, lambda db: deleting.empty_trash(db, owner, services.now()))
    await asyncio.to_thread(sweep_freed, services.store)
    return deleted


def tidy(services: Services) -> int:
    """Deletes what has been in the trash for `TRASH_KEPT`, and bytes that nobody needs; how many images went. Blocking.

    Raises:
        StoreError: the store cannot be written now.
    """
    before = timestamp(services.clock() - TRASH_KEPT)

    def delete(db: Database) -> int:
        owners = deleting.owners_with_trash(db, before)
        gone = [deleting.empty_trash(db, owner, services.now(), trashed_before=before) for owner in owners]
        return sum(each.images for each in gone)

    deleted = services.store.write(delete) if services.store.read(_has_old_trash(before)) else 0
    sweep_freed(services.store)
    sweep_copies(services.store)
    return deleted


async def keep_tidy(services: Services) -> None:
    """Tidies now and then until it is cancelled."""
    while True:
        try:
            await asyncio.to_thread(tidy, services)
        except (StoreError, OSError):
            log.exception("the trash could not be tidied; trying again in %s", TIDY_EVERY)
        await asyncio.sleep(TIDY_EVERY.total_seconds())


def _has_old_trash(before: str) -> Callable[[Database], bool]:
    def read(db: Database) -> bool:
        return bool(deleting.owners_with_trash(db, before))

    return read


async def _write(services: Services, job: Callable[[Database], T]) -> T:
    return await asyncio.to_thread(services.store.write, job)
