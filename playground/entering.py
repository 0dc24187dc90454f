"""The rows of one press: group, runs, inputs and reservations, written in one transaction before anything is sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace

from playground import limits, outcome
from playground.admission import Check
from playground.asked import asked_document
from playground.keeping import end_run
from playground.keys import FoundKey
from playground.plan import Plan, PlannedRun
from playground.services import Services
from providers.pricing import shares
from providers.types import ImageRequest
from storage import limits as stored_limits
from storage import runs
from storage.engine import Database
from storage.errors import StoreError
from storage.records import Group, GroupKind, LedgerLine, Run, StoredInput

log = logging.getLogger(__name__)


def group_of(plan: Plan, owner: str, kind: GroupKind, services: Services) -> Group:
    """The row of a press."""
    many = kind == "run" and len(plan.runs) > 1
    return Group(
        group_id=services.new_id(),
        owner=owner,
        kind="compare" if many else kind,
        operation=plan.operation,
        template=plan.prompt,
        created_at=services.now(),
        layout=plan.layout,
    )


def run_of(group: Group, position: int, planned: PlannedRun, key: FoundKey, worker_id: str, services: Services) -> Run:
    """The row of one of its runs."""
    return Run(
        run_id=services.new_id(),
        group_id=group.group_id,
        owner=group.owner,
        position=position,
        offer=planned.offer.offer_id,
        operation=group.operation,
        prompt=planned.request.prompt,
        asked=asked_document(planned.request),
        state="queued",
        queued_at=services.now(),
        estimate_microusd=planned.estimate.high_microusd,
        worker=worker_id,
        key_source=key.source,
    )


def _let_in(_db: Database) -> None:
    """Nobody counts."""


def store(services: Services, group: Group, rows: list[Run], plan: Plan, session: str, check: Check = _let_in) -> None:
    """Input bytes first, then the group where it is new, runs, inputs and reservations in one transaction. Blocking.

    `session` names this process: what it reserves counts together towards the limit of a session. `check` is asked first.

    Raises: LimitReached when the press would pass a limit, and what `check` raises; then nothing is stored. As both are in
        the transaction that reserves, presses at the same moment cannot pass them together.
    """
    for request in {id(planned.request): planned.request for planned in plan.runs}.values():
        for image in [*request.images, *([request.mask] if request.mask else [])]:
            services.store.blobs.put(image.data, image.media_type)
    is_public = services.settings.mode == "public"
    served = {run.run_id for run in rows if is_public and run.key_source == "server"}
    inputs = [row for run, planned in zip(rows, plan.runs, strict=True) for row in inputs_of(run, planned.request)]
    lines = [
        line
        for run, planned in zip(rows, plan.runs, strict=True)
        for line in _reservations(services, run, planned, session)
    ]
    amounts = [run.estimate_microusd if not is_public or run.run_id in served else 0 for run in rows]

    beside = limits.kept_standing(services, group.owner, rows[0].queued_at)

    def insert(db: Database) -> None:
        check(db)
        limits.hold(db, services.settings, group.owner, session, rows[0].queued_at, amounts, beside)
        if rows[0].position == 0:
            runs.insert_group(db, group)
        shared = stored_limits.server_session(db, rows[0].queued_at)
        runs.insert_runs(
            db, rows, inputs, [replace(line, session=shared) if line.run_id in served else line for line in lines]
        )

    services.store.write(insert)


def _reservations(services: Services, run: Run, planned: PlannedRun, session: str) -> Iterable[LedgerLine]:
    """A line for each who bills: the provider, and where its price has a second payer, that one."""
    price = planned.offer.price
    for payer, amount in shares(planned.estimate, planned.request.n):
        yield LedgerLine(
            ledger_id=services.new_id(),
            run_id=run.run_id,
            state="reserved",
            amount_microusd=amount,
            source="estimated" if amount is not None else "unknown",
            price_id=price.price_id if price else None,
            at=run.queued_at,
            payer=payer and services.catalog.provider_id_of(payer),
            session=session,
        )


def inputs_of(run: Run, request: ImageRequest) -> Iterable[StoredInput]:
    """The rows that tie the run to its reference images and mask."""
    for position, image in enumerate(request.images):
        yield StoredInput(run.run_id, position, "image", image.sha256, image.media_type, image.width, image.height)
    if request.mask is not None:
        mask = request.mask
        yield StoredInput(run.run_id, 0, "mask", mask.sha256, mask.media_type, mask.width, mask.height)


class Unbegun:
    """Runs whose press was refused while nobody could say whether they are stored: if they are, they are ended, never begun.
    Lives on the engine's event loop.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._runs: dict[str, Run] = {}

    def ids(self) -> list[str]:
        """Those that may still stand as queued."""
        return [*self._runs]

    async def end(self, more: Iterable[Run] = ()) -> None:
        """Ends these and those from before, as far as the store lets it; the others are for the next call."""
        self._runs |= {run.run_id: run for run in more}
        ended = outcome.stopped(outcome.UNPRICED, was_sent=False, why="The store was too busy to begin.")
        for run in [*self._runs.values()]:
            try:
                # Behind what may still be on its way: writes come one after another.
                await asyncio.to_thread(end_run, self._services, run, ended)
            except StoreError as error:
                log.warning(
                    "%d runs that were refused may be stored, and cannot be ended yet: %s", len(self._runs), error
                )
                return
            self._runs.pop(run.run_id, None)
