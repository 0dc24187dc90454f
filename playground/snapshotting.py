"""Keeps a copy of the store somewhere else: on a timer, once more at the end, and puts it back at the start of an empty one.

Whatever fails here is told, in the log and on the Settings page, and ends nothing. Where a snapshot is there but could not
be put back, none is written in this life of the app: an empty store must not take the place of a full one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playground.services import Services
from playground.settings import Settings, SnapshotPlace
from playground.version import VERSION
from storage import snapshots
from storage.errors import StoreError
from storage.hub import shelf_at
from storage.snapshots import Shelf

log = logging.getLogger(__name__)

FIRST_AFTER_S = 20.0
"""So soon after the start it shows whether the place can be written."""
State = Literal["off", "begun", "kept", "failed", "blocked"]
OpenShelf = Callable[[SnapshotPlace], Shelf]


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the copy."""

    state: State
    place: str = ""
    kept_at: str | None = None
    """When the newest snapshot was taken that is there."""
    words: str = ""
    """Why the last one failed."""


def open_hub(place: SnapshotPlace) -> Shelf:
    """The shelf at the Hub."""
    return shelf_at(place.place, place.token.reveal() if place.token else None, place.endpoint)


def restore_at_start(settings: Settings, open_shelf: OpenShelf = open_hub) -> Standing:
    """Before the store is opened: puts the snapshot back where the data folder is empty. Never raises."""
    place = settings.snapshot
    if place is None:
        return Standing("off")
    if snapshots.holds_data(settings.data_dir):
        return Standing("begun", place.place)
    try:
        found = snapshots.restore(settings.data_dir.absolute(), open_shelf(place))
    except (StoreError, OSError) as error:
        log.error("The snapshot at %s could not be put back, so none is written either: %s", place.place, error)
        return Standing("blocked", place.place, words=str(error))
    if found is None:
        log.info("There is no snapshot at %s yet.", place.place)
        return Standing("begun", place.place)
    log.info("Put back the snapshot of %s from %s: %d files.", found.made_at, place.place, len(found.blobs) + 1)
    return Standing("begun", place.place, found.made_at)


class SnapshotKeeper:
    """Takes snapshots in a thread of its own. One for each app."""

    def __init__(self, services: Services, open_shelf: OpenShelf = open_hub) -> None:
        self._services = services
        self._open_shelf = open_shelf
        self._shelf: Shelf | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        place = services.settings.snapshot
        self.standing = Standing("begun", place.place) if place else Standing("off")
        """How it stands now; read from any thread."""

    @property
    def is_on(self) -> bool:
        """Whether snapshots are being written."""
        return self.standing.state not in ("off", "blocked")

    def go_on_from(self, standing: Standing) -> None:
        """Told what became of putting back, before `start`."""
        self.standing = standing

    def start(self) -> None:
        """Begins to take snapshots, where a place is named."""
        if self.is_on and self._thread is None:
            # It must not hold up the end of the process.
            self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)
            self._thread.start()

    def finish(self, within_s: float) -> None:
        """Takes the last snapshot, for which it waits so long and no longer."""
        self._stopping.set()
        if self._thread is None:
            return
        self._thread.join(within_s)
        if self._thread.is_alive():
            log.warning("The last snapshot was not done within %g s; the one before it stays.", within_s)

    def take(self) -> None:
        """One snapshot, now. Blocking; never raises."""
        services, place = self._services, self._services.settings.snapshot
        if place is None:
            return
        try:
            self._shelf = self._shelf or self._open_shelf(place)
            taken = snapshots.take(services.store, self._shelf, made_at=services.now(), version=VERSION)
        except (StoreError, OSError) as error:
            log.warning("No snapshot could be taken: %s", error)
            self.standing = Standing("failed", place.place, self.standing.kept_at, str(error))
            return
        if taken.aside:
            log.warning(
                "Another process had written to %s; its snapshot is kept there as %s.", place.place, taken.aside
            )
        if taken.new_files:
            log.info("Took a snapshot: %d new files at %s.", taken.new_files, place.place)
        self.standing = Standing("kept", place.place, taken.manifest.made_at)

    def _run(self) -> None:
        every_s = self._services.settings.snapshot.every_s if self._services.settings.snapshot else 0.0
        wait_s = min(FIRST_AFTER_S, every_s)
        while True:
            is_last = self._stopping.wait(wait_s)
            try:
                self.take()
            except Exception:  # the edge of this thread: the next one may succeed
                log.exception("a fault in this program while a snapshot was taken")
                self.standing = Standing(
                    "failed", self.standing.place, self.standing.kept_at, "The log has the details."
                )
            if is_last:
                return
            wait_s = every_s


def is_lost_at_restart(settings: Settings) -> bool:
    """Whether everything is gone when the app starts again: on a Space without a snapshot and without a disk of its own."""
    if not settings.on_space or settings.snapshot is not None:
        return False
    folder = settings.data_dir.absolute()
    return not any(parent.is_mount() for parent in (folder, *folder.parents) if parent != parent.parent)
