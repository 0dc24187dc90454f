"""The engine owns runs; pages and commands only watch. One per process, on the process's event loop.

`submit` writes the group, its runs and their reservations in one transaction and returns; a task carries each run out.
Closing a page ends a watcher, never a run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace

from sqlite_utils import Database

from playground import outcome
from playground.asked import asked_document, request_of
from playground.carrying import LiveRun, carry_out
from playground.events import Hub, RunEvent
from playground.finishing import to_its_end
from playground.keeping import end_run
from playground.keys import FoundKey
from playground.places import Places
from playground.plan import Plan, PlannedRun, make_plan, plan_run
from playground.recovery import take_up
from playground.services import Services
from playground.uploads import UploadRefused, load_input
from playground.worker import Worker
from providers.checks import Problem
from providers.errors import MissingKey
from providers.transport import Access
from providers.types import ImageRequest
from storage import runs
from storage.errors import StoreBusy, StoreError
from storage.records import Group, GroupKind, LedgerLine, Run, StoredInput

log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 2.0
"""A run may also end in another process, whose news does not reach this one."""
_TAKE_UP_EVERY_S = 30.0


class PlanRefused(ValueError):
    """The plan has problems; nothing was stored or sent."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


class EngineStopping(RuntimeError):
    """The app is shutting down and takes no new runs."""


class Engine:
    """Carries runs out and tells who listens."""

    def __init__(self, services: Services, worker: Worker) -> None:
        self._services = services
        self._worker = worker
        self._hub = Hub()
        self._places = Places(services.catalog)
        self._live: dict[str, LiveRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._entering: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._is_stopping = False

    async def start(self) -> None:
        """Takes up what ended processes left: ends what was under way, goes on with what was queued. Then keeps an eye
        on it: a command beside a running page may be killed at any time.
        """
        await self._take_up()
        self._keeper = asyncio.create_task(self._keep_taking_up(), name="take up what others leave")

    async def _keep_taking_up(self) -> None:
        while True:
            await asyncio.sleep(_TAKE_UP_EVERY_S)
            try:
                await self._take_up()
            except StoreError:
                log.exception("what others left could not be taken up; trying again in %d s", _TAKE_UP_EVERY_S)

    async def _take_up(self) -> None:
        for run in await asyncio.to_thread(take_up, self._services, self._worker):
            try:
                await self._resume(run)
            except Exception:  # noqa: BLE001 - one run that cannot go on must not keep the others, or the app, from starting
                log.exception("run %s could not be taken up", run.run_id)

    async def submit(self, plan: Plan, owner: str, *, kind: GroupKind = "run") -> str:
        """Stores the plan's runs, starts them, and returns the group's id.

        Raises: PlanRefused when something stands in the way; MissingKey when a provider has no key for this owner;
            EngineStopping; StoreError when nothing could be stored. In each case nothing was sent.
        """
        if self._is_stopping:
            raise EngineStopping("The app is shutting down. Nothing was sent; run this again in a moment.")
        if not plan.is_sendable:
            raise PlanRefused(plan.all_problems)
        keys = [self._key(planned, owner) for planned in plan.runs]
        group = self._group(plan, owner, kind)
        rows = [self._run(group, position, *pair) for position, pair in enumerate(zip(plan.runs, keys, strict=True))]
        entering = asyncio.create_task(self._enter(group, rows, plan, keys))
        self._entering.add(entering)
        entering.add_done_callback(self._entering.discard)
        _, was_cancelled = await to_its_end(_result_of(entering))
        if was_cancelled:
            # Nobody waits for the group's id any more, so nobody could stop it.
            await to_its_end(self.cancel_all(owner, group.group_id))
            raise asyncio.CancelledError
        return group.group_id

    async def _enter(self, group: Group, rows: list[Run], plan: Plan, keys: list[FoundKey]) -> None:
        """Writes the runs and begins them. What may have been written without being begun is ended."""
        try:
            await asyncio.to_thread(self._store, group, rows, plan)
        except StoreBusy:
            ended = outcome.stopped(outcome.UNPRICED, was_sent=False, why="The store was too busy to begin.")
            for run in rows:
                await asyncio.to_thread(end_run, self._services, run, ended)
            raise
        if self._is_stopping:
            return
        for run, planned, key in zip(rows, plan.runs, keys, strict=True):
            self._begin(run, planned, key)

    async def follow(self, group_id: str, owner: str) -> AsyncIterator[RunEvent]:
        """News of the group until its last run has ended. Yields nothing when there is none or it is not the owner's."""
        with self._hub.listening() as queue:
            while group_id in await self._unfinished(owner):
                event = await self._next(queue, owner, group_id)
                if event is not None:
                    yield event

    async def follow_owner(self, owner: str) -> AsyncIterator[RunEvent]:
        """News of all the owner's groups until none is under way."""
        with self._hub.listening() as queue:
            while await self._unfinished(owner):
                event = await self._next(queue, owner, None)
                if event is not None:
                    yield event

    async def cancel(self, run_id: str, owner: str, why: str = "Stopped.") -> bool:
        """Stops the run; whether there was one to stop. Returns when its end is stored.

        A queued run leaves at once. A call under way is closed, and may still be billed.
        """
        live, task = self._live.get(run_id), self._tasks.get(run_id)
        if live is None or task is None or live.run.owner != owner:
            return False
        live.stop_words = why
        # A task that is cancelled before its first step would never end its run.
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return True

    async def cancel_all(self, owner: str, group_id: str | None = None) -> int:
        """Stops all runs of the owner, or of one group; how many."""
        ids = [
            run_id
            for run_id, live in self._live.items()
            if live.run.owner == owner and group_id in (None, live.run.group_id)
        ]
        stopped = await asyncio.gather(*(self.cancel(run_id, owner) for run_id in ids))
        return sum(stopped)

    async def retry(self, run_id: str, owner: str) -> str:
        """A new group with one run that asks the same of the same offer; its id.

        Raises: as `submit`; PlanRefused also when the run or one of its inputs is gone.
        """
        run = await self._stored(run_id, owner)
        if run is None:
            raise PlanRefused((Problem("run", "This run is not there any more."),))
        return await self.submit(make_plan(await self._request(run), [run.offer], self._services.catalog), owner)

    def live(self, run_id: str) -> LiveRun | None:
        """The run as this process knows it, while it is under way."""
        return self._live.get(run_id)

    def place_in_line(self, run_id: str) -> int | None:
        """Place in its provider's line from 1, or `None` when it does not wait."""
        live = self._live.get(run_id)
        return self._places.in_line(live.planned.provider.provider_id, run_id) if live else None

    def running(self, owner: str) -> int:
        """How many runs of the owner are under way or queued here."""
        return sum(live.run.owner == owner for live in self._live.values())

    async def close(self, drain_s: float) -> None:
        """Takes no new runs, waits up to `drain_s` seconds for calls under way, leaves queued ones queued."""
        self._is_stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
        if self._entering:
            await asyncio.wait(self._entering)
        await asyncio.sleep(0)
        for run_id, live in self._live.items():
            if self.place_in_line(run_id) is not None:
                live.leave_queued = True
                self._tasks[run_id].cancel()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=drain_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        self._worker.close()

    def _begin(self, run: Run, planned: PlannedRun, key: FoundKey) -> None:
        provider = planned.provider
        base_url = self._services.settings.base_urls.get(provider.provider_id, provider.base_url)
        access = Access(provider, base_url, key.secret.reveal() if key.secret else None)
        live = LiveRun(run, planned, access)
        self._live[run.run_id] = live
        work = carry_out(self._services, live, self._places, self._hub, self._worker.worker_id)
        task = asyncio.create_task(work, name=f"run {run.run_id}")
        self._tasks[run.run_id] = task
        task.add_done_callback(self._forget(run.run_id))
        self._hub.publish(RunEvent(run.group_id, run.run_id, run.owner, "queued"))

    def _forget(self, run_id: str) -> Callable[[asyncio.Task[None]], None]:
        def forget(_task: asyncio.Task[None]) -> None:
            self._live.pop(run_id, None)
            self._tasks.pop(run_id, None)

        return forget

    def _key(self, planned: PlannedRun, owner: str) -> FoundKey:
        provider = planned.provider
        key = self._services.keys.find(provider, owner)
        if key is None:
            raise MissingKey(
                f"There is no key for {provider.name}. Add one in Settings, or set {provider.key_variable} "
                "where the app starts. Nothing was sent.",
                provider=provider.name,
            )
        return key

    def _group(self, plan: Plan, owner: str, kind: GroupKind) -> Group:
        many = kind == "run" and len(plan.runs) > 1
        return Group(
            group_id=self._services.new_id(),
            owner=owner,
            kind="compare" if many else kind,
            operation=plan.operation,
            template=plan.prompt,
            created_at=self._services.now(),
        )

    def _run(self, group: Group, position: int, planned: PlannedRun, key: FoundKey) -> Run:
        return Run(
            run_id=self._services.new_id(),
            group_id=group.group_id,
            owner=group.owner,
            position=position,
            offer=planned.offer.offer_id,
            operation=group.operation,
            prompt=planned.request.prompt,
            asked=asked_document(planned.request),
            state="queued",
            queued_at=self._services.now(),
            estimate_microusd=planned.estimate.high_microusd,
            worker=self._worker.worker_id,
            key_source=key.source,
        )

    def _store(self, group: Group, rows: list[Run], plan: Plan) -> None:
        """Input bytes first, then group, runs, inputs and reservations in one transaction. Blocking."""
        for request in {id(planned.request): planned.request for planned in plan.runs}.values():
            for image in [*request.images, *([request.mask] if request.mask else [])]:
                self._services.store.blobs.put(image.data, image.media_type)
        inputs = [row for run, planned in zip(rows, plan.runs, strict=True) for row in inputs_of(run, planned.request)]
        lines = [self._reservation(run, planned) for run, planned in zip(rows, plan.runs, strict=True)]

        def insert(db: Database) -> None:
            runs.insert_group(db, group)
            runs.insert_runs(db, rows, inputs, lines)

        self._services.store.write(insert)

    def _reservation(self, run: Run, planned: PlannedRun) -> LedgerLine:
        price = planned.offer.price
        return LedgerLine(
            ledger_id=self._services.new_id(),
            run_id=run.run_id,
            state="reserved",
            amount_microusd=run.estimate_microusd,
            source="estimated" if run.estimate_microusd is not None else "unknown",
            price_id=price.price_id if price else None,
            at=run.queued_at,
        )

    async def _resume(self, run: Run) -> None:
        """Goes on with a run that was queued when its process ended."""
        try:
            request = await self._request(run)
            planned = plan_run(request, self._services.catalog.offer(run.offer), self._services.catalog)
            key = self._key(planned, run.owner)
            if run.key_source == "session" and key.source != "session":
                # It was not meant to be paid for by the server's key.
                raise MissingKey("the key it was to use was typed in an earlier session.")
        except (PlanRefused, MissingKey, ValueError) as error:
            why = f"The app stopped before this run was sent, and it cannot go on: {error}"
            ended = outcome.stopped(outcome.UNPRICED, was_sent=False, why=why)
            await asyncio.to_thread(end_run, self._services, run, ended)
            return
        self._begin(replace(run, worker=self._worker.worker_id, key_source=key.source), planned, key)

    async def _request(self, run: Run) -> ImageRequest:
        """What the run asks, with the bytes of its inputs. Raises: PlanRefused when an input is gone."""
        try:
            images = [
                await load_input(self._services, run.owner, sha256) for sha256 in _hashes(run.asked.get("images"))
            ]
            masks = [await load_input(self._services, run.owner, sha256) for sha256 in _hashes([run.asked.get("mask")])]
        except UploadRefused as error:
            raise PlanRefused((Problem("images", str(error)),)) from error
        return request_of(run.asked, images, masks[0] if masks else None)

    async def _stored(self, run_id: str, owner: str) -> Run | None:
        def read(db: Database) -> Run | None:
            view = runs.get(db, run_id, owner)
            return view.run if view else None

        return await asyncio.to_thread(self._services.store.read, read)

    async def _unfinished(self, owner: str) -> list[str]:
        def read(db: Database) -> list[str]:
            return runs.unfinished_groups(db, owner)

        return await asyncio.to_thread(self._services.store.read, read)

    @staticmethod
    async def _next(queue: asyncio.Queue[RunEvent], owner: str, group_id: str | None) -> RunEvent | None:
        """The next event that concerns the watcher, or `None` when it is time to look at the store again."""
        try:
            async with asyncio.timeout(_LOOK_AGAIN_S):
                while True:
                    event = await queue.get()
                    if event.owner == owner and group_id in (None, event.group_id):
                        return event
        except TimeoutError:
            return None


async def _result_of(task: asyncio.Task[None]) -> None:
    await asyncio.wait([task])
    task.result()


def inputs_of(run: Run, request: ImageRequest) -> Iterable[StoredInput]:
    """The rows that tie the run to its reference images and mask."""
    for position, image in enumerate(request.images):
        yield StoredInput(run.run_id, position, "image", image.sha256, image.media_type, image.width, image.height)
    if request.mask is not None:
        mask = request.mask
        yield StoredInput(run.run_id, 0, "mask", mask.sha256, mask.media_type, mask.width, mask.height)


def _hashes(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
