"""What voters say is wrong with battles, for the operator: voters under the ids of the export, images as files. Blocking."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arena.voter_ids import shown_voter
from playground.services import Services
from storage import install
from storage import reports as stored
from storage.engine import Database
from storage.reports import Report


@dataclass(frozen=True, slots=True)
class ShownReport:
    """A report, who made it, and where the two images lie."""

    report: Report
    shown_voter: str
    files: tuple[Path | None, Path | None]
    """Of sides a and b, as they came; `None` where a file is gone."""


def listed(services: Services, *, limit: int) -> list[ShownReport]:
    """At most so many reports, newest first."""

    def read(db: Database) -> tuple[str, list[Report]]:
        return install.voter_salt(db), stored.newest(db, limit)

    salt, found = services.store.read(read)
    blobs = services.store.blobs
    return [
        ShownReport(one, shown_voter(salt, one.voter), (blobs.find(one.sha256_a), blobs.find(one.sha256_b)))
        for one in found
    ]


def count(services: Services) -> int:
    """How many there are."""
    return services.store.read(stored.count)
