"""What is kept, as the doors ask for it: recent groups, one page of history, one file. Slow work leaves the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from playground.services import Services
from storage import history, ledger, lineage, runs, votes
from storage.curation import Picked
from storage.engine import Database
from storage.errors import ImagesNotYet
from storage.history import HistoryPage, RestOfGroup
from storage.lineage import Branch
from storage.records import Group, GroupKind, LedgerLine, RunView
from storage.sorts import NEWEST
from storage.votes import Said

PAGE_SIZE = 24
MAX_PICKED = 2000
"""Runs that are taken along at once."""


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
    services: Services,
    owner: str | None,
    *,
    search: str = "",
    sort: str = NEWEST,
    limit: int = PAGE_SIZE,
    before: str | None = None,
    skip: int = 0,
) -> tuple[HistoryPage, int]:
    """One page of runs and how many match in all. Without an owner: of everybody, for the operator.

    Runs made for a battle that is being made or waits for the owner's vote are left out, so that it stays blind.

    Raises:
        ValueError: no such order, or `before` is no place in it.
    """
    blind_at = services.now() if owner is not None else None

    def read(db: Database) -> tuple[HistoryPage, int]:
        found = history.page(
            db,
            owner,
            search=search,
            sort=sort,
            limit=limit,
            before=before,
            skip=skip,
            blind_at=blind_at,
            is_counted=True,
        )
        return found, found.total or 0

    return await asyncio.to_thread(services.store.read, read)


async def rest_of_groups(
    services: Services, owner: str, found: HistoryPage, *, search: str, sort: str
) -> dict[str, RestOfGroup]:
    """What of the groups on a page stands on others, by group id; `search` and `sort` as the page was asked for."""
    blind_at = services.now()

    def read(db: Database) -> dict[str, RestOfGroup]:
        return history.rest_of_groups(db, owner, found, search=search, sort=sort, blind_at=blind_at)

    return await asyncio.to_thread(services.store.read, read)


async def count_runs(services: Services, owner: str) -> int:
    """How many runs of the owner are not in the trash."""
    blind_at = services.now()
    return await asyncio.to_thread(services.store.read, lambda db: history.count(db, owner, blind_at=blind_at))


async def picked(
    services: Services, owner: str, what: Picked, *, search: str | None = None, limit: int = MAX_PICKED
) -> list[RunView]:
    """The owner's runs that are meant, newest first, with only those images that are; with a search all that it finds."""
    blind_at = services.now()

    def read(db: Database) -> list[RunView]:
        meant = what if search is None else Picked(runs=history.matching(db, owner, search, blind_at=blind_at)[-limit:])
        return history.picked(db, owner, meant, limit=limit)

    return await asyncio.to_thread(services.store.read, read)


@dataclass(frozen=True, slots=True)
class Details:
    """A run with what is told of it alone."""

    view: RunView
    template: str
    """The prompt as typed, before variables were filled in."""
    kind: GroupKind
    lines: tuple[LedgerLine, ...]
    came_from: Branch
    led_to: Branch
    same: tuple[str, ...]
    """Runs that asked exactly the same."""
    said: Said
    """What blind votes said of its images."""


async def details(services: Services, run_id: str, owner: str) -> Details | None:
    """All that is known of a run, or `None` when it is not the owner's, or may not be told of before a vote."""
    blind_at = services.now()

    def read(db: Database) -> Details | None:
        view = runs.get(db, run_id, owner)
        found = runs.get_group(db, view.run.group_id, owner) if view else None
        if view is None or found is None or history.is_unrevealed(db, run_id, owner, blind_at):
            return None
        return Details(
            view,
            found.template,
            found.kind,
            tuple(ledger.lines_of(db, run_id)),
            lineage.came_from(db, run_id, owner),
            lineage.led_to(db, run_id, owner),
            tuple(lineage.same_request(db, run_id, owner)),
            votes.said_of_run(db, run_id),
        )

    return await asyncio.to_thread(services.store.read, read)


def owned_file(services: Services, sha256: str, owner: str) -> Path | None:
    """The file of an image, input or preview, when it is there and the owner's. Blocking.

    Raises: ImagesAway, ImageDamaged, where it is kept elsewhere; ImagesNotYet, where another replica may bring it there.
    """
    return _found(services, sha256) if _owns(services, sha256, owner) else None


def owned_thumbnail(services: Services, sha256: str, owner: str) -> Path | None:
    """The thumbnail of such a file, made now if it is missing. Blocking. Raises as `owned_file`."""
    if not _owns(services, sha256, owner):
        return None
    made = services.store.thumbs.there(sha256)
    original = _found(services, sha256) if made is None else None
    return services.store.thumbs.ensure(sha256, original) if original else made


def thumbnails(services: Services, hashes: Iterable[str], owner: str) -> dict[str, bytes]:
    """The thumbnails of those of these files that are there, by hash. Blocking. Raises: ImagesAway, ImageDamaged."""
    found = {}
    for sha256 in hashes:
        with suppress(ImagesNotYet):
            if path := owned_thumbnail(services, sha256, owner):
                found[sha256] = path.read_bytes()
    return found


def owned_address(services: Services, sha256: str, owner: str, for_s: int) -> str | None:
    """An address elsewhere under which anybody can read such a file for so many seconds, where there is one. Blocking.

    Raises: ImagesAway.
    """
    return services.store.blobs.address(sha256, for_s) if _owns(services, sha256, owner) else None


def _found(services: Services, sha256: str) -> Path | None:
    path = services.store.blobs.find(sha256)
    if path is None and services.store.is_shared and services.store.blobs.home is not None:
        raise ImagesNotYet
    return path


def _owns(services: Services, sha256: str, owner: str) -> bool:
    def read(db: Database) -> bool:
        return history.owns_blob(db, sha256, owner)

    return services.store.read(read)
