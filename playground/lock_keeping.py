"""Making and keeping the locked image of each edit, from stored rows and bytes alone: so it goes on arrival as after a crash.

The lock of an image is due from the moment its row is written. It is made at once; what a crash or a full disk left due is made
by the next process that looks (`lock_left`). A lock that cannot be made becomes a note, and never touches its run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import asdict

from playground.locking import Drift, Locked, NotLockable, lock
from playground.masks import coverage_of
from playground.services import Services
from storage import locks, runs
from storage.engine import Database
from storage.errors import StoreError
from storage.images import UnreadableImage, decode
from storage.records import OPEN_STATES, DerivedImage, DerivedKind, Run, RunView, StoredImage
from storage.workers import Worker

log = logging.getLogger(__name__)

MAX_TRIES = 3
"""An image that ends the process while it is locked, as by taking all memory, must not do so at every start."""

_PNG = "image/png"
_LOCKERS = threading.BoundedSemaphore(2)
"""Images locked at once: the largest take several times their decoded size."""


def is_locked(run: Run) -> bool:
    """Whether the run's images are to be locked outside its mask."""
    return run.asked.get("lock_outside_mask") is True and bool(run.asked.get("mask")) and bool(run.asked.get("images"))


def lock_images(services: Services, run: Run, places: Collection[int]) -> None:
    """Makes what is due of the run's images at these places. Blocking. What the store cannot take now stays due."""
    if not is_locked(run):
        return
    try:
        due = services.store.read(lambda db: locks.due_of_run(db, run.run_id))
        for image_id in [due[place] for place in places if place in due]:
            _lock_one(services, run.run_id, image_id)
    except (StoreError, OSError):
        log.exception("run %s: an image could not be locked now; it stays due", run.run_id)


def lock_left(services: Services, worker: Worker, should_stop: Callable[[], bool]) -> int:
    """Makes what ended processes left due, and what could not be stored at the time; how many images were looked at. Blocking.

    Runs that a living process carries out are left to it. `should_stop` is asked before each image.
    """
    count = 0
    for view in services.store.read(_runs_with_dues):
        if view.run.state in OPEN_STATES and worker.is_alive(view.run.worker):
            continue
        for image_id in [each.image_id for each in view.locks if each.state == "due"]:
            if should_stop():
                return count
            count += 1
            try:
                _lock_one(services, view.run.run_id, image_id)
            except (StoreError, OSError):
                log.exception("run %s: an image could not be locked now; it stays due", view.run.run_id)
    return count


def _runs_with_dues(db: Database) -> list[RunView]:
    return [view for run_id in locks.due_runs(db) if (view := runs.get(db, run_id, None))]


def _lock_one(services: Services, run_id: str, image_id: str) -> None:
    """Makes one lock, or says why not. Raises: StoreError, OSError where that could not be stored."""
    view = services.store.read(lambda db: runs.get(db, run_id, None))
    image = next((each for each in view.all_images if each.image_id == image_id), None) if view else None
    if view and image:
        # Files that are kept elsewhere and cannot be had now are no try.
        needed = [(image.sha256, image.media_type), *((each.sha256, each.media_type) for each in view.inputs)]
        for sha256, media_type in needed:
            services.store.blobs.held(sha256, media_type)
    if not services.store.write(lambda db: locks.begin(db, image_id, MAX_TRIES)):
        _refuse(services, image_id, "The app ended each time it was put back, so it is not tried again.")
        return
    if view is None or image is None:  # deleted for ever since
        return
    try:
        with _LOCKERS:
            made = _locked(services, view, image)
    except NotLockable as error:
        _refuse(services, image_id, str(error))
        return
    except UnreadableImage as error:
        _refuse(services, image_id, f"The image could not be read: {error}.")
        return
    except (StoreError, OSError):
        raise
    except Exception:  # whatever is wrong with a picture, its run and the others go on
        log.exception("run %s: image %s could not be locked", run_id, image_id)
        _refuse(
            services,
            image_id,
            "Something failed inside the app while the original was put back. The log has the details.",
        )
        return
    _keep(services, image_id, made)


def _locked(services: Services, view: RunView, image: StoredImage) -> Locked:
    """Raises: NotLockable, UnreadableImage."""
    base = next((each for each in view.inputs if (each.role, each.position) == ("image", 0)), None)
    mask = next((each for each in view.inputs if each.role == "mask"), None)
    if base is None or mask is None:
        raise NotLockable("Image 1 or the mask is not known any more, so the original cannot be put back.")
    read = _reader(services)
    return lock(
        decode(read(base.sha256, base.media_type)),
        coverage_of(decode(read(mask.sha256, mask.media_type))),
        decode(read(image.sha256, image.media_type)),
    )


def _reader(services: Services) -> Callable[[str, str], bytes]:
    def read(sha256: str, media_type: str) -> bytes:
        try:
            return services.store.blobs.held(sha256, media_type).read_bytes()
        except FileNotFoundError:
            raise NotLockable("A file is not there any more, so the original cannot be put back.") from None

    return read


def _keep(services: Services, image_id: str, made: Locked) -> None:
    """Bytes first, rows after. Raises: StoreError."""
    now = services.now()

    def kept(kind: DerivedKind, data: bytes, size: tuple[int, int], figures: dict[str, object]) -> DerivedImage:
        sha256 = services.store.blobs.put(data, _PNG)
        return DerivedImage(image_id, kind, sha256, _PNG, *size, len(data), figures, now)

    derived = [
        kept("locked", made.image, made.size, {}),
        kept("drift", made.heat_map, made.heat_size, asdict(made.drift)),
    ]

    def write(db: Database) -> bool:
        return locks.made(db, image_id, derived, note=made.note, at=now)

    services.store.write(write)


def _refuse(services: Services, image_id: str, note: str) -> None:
    now = services.now()
    services.store.write(lambda db: locks.refuse(db, image_id, note=note, at=now))


def drift_of(derived: DerivedImage) -> Drift:
    """The figures of a heat map, as they were measured."""
    return Drift(**derived.figures)
