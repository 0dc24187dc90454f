"""What a process that ended left behind, taken up at the next start.

A run that was queued was never sent: it goes on. A synchronous call that was under way has lost its answer: the run
becomes `unknown`, and is never sent again by itself. Runs of a process that still lives are left alone.
"""

from __future__ import annotations

import logging

from sqlite_utils import Database

from playground import outcome
from playground.keeping import end_run
from playground.services import Services
from playground.worker import Worker
from storage import runs
from storage.records import Run

log = logging.getLogger(__name__)


def take_up(services: Services, worker: Worker, *, claim_queued: bool = True) -> list[Run]:
    """Ends what was under way in dead processes; returns the queued runs that this process now owns. Blocking.

    With `claim_queued` off, queued runs are left for a process that carries runs out.
    """

    def read(db: Database) -> list[Run]:
        return runs.open_runs(db)

    abandoned = [run for run in services.store.read(read) if not worker.is_alive(run.worker)]
    queued = [run for run in abandoned if run.state == "queued"]
    for run in abandoned:
        if run.state != "queued":
            _end(services, run)
    return [run for run in queued if claim_queued and _claim(services, run, worker)]


def _end(services: Services, run: Run) -> None:
    # What is free was reserved as 0; the offer itself may have left the catalogue since.
    ended = outcome.left_behind(is_free=run.estimate_microusd == 0)
    if end_run(services, run, ended):
        log.warning("run %s was under way when its process ended; it is now %s", run.run_id, ended.state)


def _claim(services: Services, run: Run, worker: Worker) -> bool:
    def claim(db: Database) -> bool:
        return runs.take_over(db, run.run_id, from_worker=run.worker, worker=worker.worker_id)

    return services.store.write(claim)
