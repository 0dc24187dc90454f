"""Runs that wait for their owner to come back with a key: keys are never stored, so a restart forgets the typed ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from playground.carrying import LiveRun
from playground.keys import SESSION_KEY_LIFE_S
from playground.recovery import Found
from providers.catalog import Provider


@dataclass(frozen=True, slots=True)
class Parked:
    """A run that waits."""

    found: Found
    live: LiveRun
    until: datetime


class ParkingLot:
    """The runs of one process that wait for a key."""

    def __init__(self) -> None:
        self._parked: dict[str, Parked] = {}

    def put(self, found: Found, live: LiveRun, lacking: str) -> None:
        """Keeps the run until its key is there, or until it is too late. `lacking`: whose key it waits for, by name."""
        until = parked_until(found, live.planned.provider)
        live.parked = f"It goes on when your {lacking} key is here again: add it in Settings until {until:%H:%M} UTC."
        self._parked[found.run.run_id] = Parked(found, live, until)

    def take(self, run_id: str) -> Parked | None:
        """The run, which then waits no more."""
        return self._parked.pop(run_id, None)

    def live(self, run_id: str) -> LiveRun | None:
        """The run as it stands, while it waits."""
        parked = self._parked.get(run_id)
        return parked.live if parked else None

    def ids(self) -> list[str]:
        """All that wait here."""
        return [*self._parked]

    def of_owner(self, owner: str) -> list[str]:
        """Ids of the owner's waiting runs."""
        return [run_id for run_id, parked in self._parked.items() if parked.found.run.owner == owner]

    def owners(self) -> set[str]:
        """Whose runs wait here."""
        return {parked.found.run.owner for parked in self._parked.values()}

    def too_late(self, now: datetime) -> Iterator[str]:
        """Ids of runs that have waited too long."""
        yield from [run_id for run_id, parked in self._parked.items() if now > parked.until]


def parked_until(found: Found, provider: Provider) -> datetime:
    """How long waiting makes sense: as long as a typed key would have lived, or the provider keeps what it made."""
    start = datetime.fromisoformat(found.run.sent_at or found.run.queued_at)
    life_s = provider.keeps_results_s if found.was_sent else SESSION_KEY_LIFE_S
    return start + timedelta(seconds=life_s)
