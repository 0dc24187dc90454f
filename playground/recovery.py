"""What a process that ended left behind, taken up at the next start, or by another replica.

A run that was queued was never sent: it goes on. A job at a provider goes on by itself: it is asked for, and its images are
fetched. A synchronous call that was under way has lost its answer: the run becomes `unknown`, with the images whose bytes were
there already. Nothing is ever sent again by itself. Runs of a process that still lives are left alone.

Bytes that were only on the disk of another machine come back with it: its own look at what it announced gives them their
rows, also where another replica has ended their run by then.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from playground import outcome
from playground.keeping import end_run, take_in
from playground.services import Services
from providers.adapter import JobAdapter
from providers.adapters import ADAPTERS
from providers.catalog import UnknownOffer
from storage import carriers, coming, jobs, runs
from storage.coming import Coming
from storage.engine import Database
from storage.records import Run, StoredJob
from storage.workers import Worker

log = logging.getLogger(__name__)

_UNSTORED = "How this run ended could not be stored."


@dataclass(frozen=True, slots=True)
class Found:
    """A run that now is ours to end."""

    run: Run
    jobs: dict[int, StoredJob]
    """By the position of the call; empty for a run that was queued."""

    @property
    def was_sent(self) -> bool:
        """Whether something of it may have left."""
        return self.run.state != "queued"


def take_up(services: Services, worker: Worker, *, claim_queued: bool = True) -> list[Found]:
    """Ends what cannot go on, and returns what can and this process now owns. Blocking.

    With `claim_queued` off, queued runs are left for a process that carries runs out.
    """

    left = coming.left_over(services.store.blobs)
    all_open = services.store.read(runs.open_runs)
    is_alive = {name: worker.is_alive(name) for name in {run.worker for run in all_open}}
    mine = []
    for run in all_open:
        if is_alive[run.worker] or (run.state == "queued" and not claim_queued) or not _claim(services, run, worker):
            continue
        mine.append(_found_or_ended(services, replace(run, worker=worker.worker_id), left, outcome.APP_STOPPED))
    # The others are settled with their images.
    going = {run.run_id for run in all_open}
    _take_in_late(services, [one for one in left if one.run_id not in going])
    return [found for found in mine if found]


def take_again(services: Services, worker: Worker, run_ids: Collection[str]) -> list[Found]:
    """As `take_up`, for open runs that are this process's while nothing in it carries them. Blocking."""
    mine = services.store.read(partial(carriers.open_among, worker=worker.worker_id, run_ids=run_ids))
    left = coming.left_over(services.store.blobs)
    again = [_found_or_ended(services, run, left, _UNSTORED) for run in mine]
    return [found for found in again if found]


def _found_or_ended(services: Services, run: Run, left: Sequence[Coming], why: str) -> Found | None:
    """The run, which is ours, with its jobs; `None` where it cannot go on: then it is ended, with its images that are `left`.
    `why` tells what happened, as a sentence.
    """

    def read(db: Database) -> list[StoredJob]:
        return jobs.of_run(db, run.run_id)

    found = Found(run, {job.position: job for job in services.store.read(read)})
    if not found.was_sent or _can_go_on(services, found):
        return found
    _end(services, run, [one for one in left if one.run_id == run.run_id], why)
    return None


def _take_in_late(services: Services, left: Sequence[Coming]) -> None:
    """Images that this disk has of runs that are over: mostly they have their rows, unless another replica ended the run."""
    for run_id in {one.run_id for one in left}:
        view = services.store.read(partial(runs.get, run_id=run_id, owner=None))
        some = [one for one in left if one.run_id == run_id]
        taken_in = take_in(services, view.run, some) if view else 0
        coming.settle(services.store.blobs, some)
        if taken_in:
            log.info("run %s had ended; %d images that had come before are with it now", run_id, taken_in)


def _can_go_on(services: Services, found: Found) -> bool:
    """Whether the provider can be asked what became of it."""
    try:
        provider = services.catalog.provider(services.catalog.offer(found.run.offer).provider_id)
    except UnknownOffer:
        return False
    return isinstance(ADAPTERS[provider.adapter], JobAdapter)


def _end(services: Services, run: Run, left: Sequence[Coming], why: str) -> None:
    taken_in = take_in(services, run, left)
    coming.settle(services.store.blobs, left)
    # What is free was reserved as 0; the offer itself may have left the catalogue since.
    ended = outcome.left_behind(why, is_free=run.estimate_microusd == 0)
    if end_run(services, run, ended):
        log.warning(
            "run %s was left under way; it is now %s, with %d images that had come",
            run.run_id,
            ended.state,
            taken_in,
        )


def _claim(services: Services, run: Run, worker: Worker) -> bool:
    def claim(db: Database) -> bool:
        return runs.take_over(db, run.run_id, from_worker=run.worker, worker=worker.worker_id)

    return services.store.write(claim)
