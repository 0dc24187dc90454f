"""The engine owns runs; pages and commands only watch. One per process, on the process's event loop.

`submit` writes the group, its runs and their reservations in one transaction and returns; a task carries each run out.
Closing a page ends a watcher, never a run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext, suppress
from dataclasses import replace

from playground import entering, outcome
from playground.admission import Door
from playground.asked import request_of
from playground.carrying import LiveRun, carry_out
from playground.events import Hub, RunEvent
from playground.finishing import to_its_end
from playground.keeping import end_run
from playground.keys import FoundKey, KeyFinder
from playground.lock_keeping import lock_left
from playground.offered import access_of, with_secrets
from playground.parking import ParkingLot
from playground.places import Places
from playground.plan import Plan, PlannedRun, make_plan, plan_run
from playground.prices import offer_as_reserved, reprice
from playground.recovery import Found, take_up
from playground.refusals import PlanRefused as PlanRefused
from playground.run_keys import key_of
from playground.services import Services
from playground.uploads import UploadRefused, load_input
from playground.worker import Worker
from providers.checks import Problem
from providers.errors import MissingKey
from providers.types import ImageRequest
from storage import runs
from storage.engine import Database
from storage.errors import StoreBusy, StoreError
from storage.records import Group, GroupKind, Run

log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 2.0
"""A run may also end in another process, whose news does not reach this one."""
_TAKE_UP_EVERY_S = 30.0
_LOOK_FOR_DISK_S = 0.5


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
        self._parked = ParkingLot()
        self._keeper: asyncio.Task[None] | None = None
        self._locker: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._door = Door(services)

    @property
    def session(self) -> str:
        """Names this process in the ledger: what it reserves counts towards the limit of a session."""
        return self._worker.worker_id

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
                await asyncio.to_thread(reprice, self._services)
            except StoreError:
                log.exception("what others left could not be taken up; trying again in %d s", _TAKE_UP_EVERY_S)

    async def _take_up(self, *, claim_queued: bool = True) -> None:
        found = await asyncio.to_thread(take_up, self._services, self._worker, claim_queued=claim_queued)
        for each in found:
            try:
                await self._resume(each)
            except Exception:  # one run that cannot go on must not keep the others, or the app, from starting
                log.exception("run %s could not be taken up", each.run.run_id)
        for run_id in self._parked.too_late(self._services.clock()):
            await self._end_parked(run_id, "Its key did not come back in time.")
        if self._locker is None or self._locker.done():
            # Beside everything else: pictures take a while, and nobody's start should wait for them.
            self._locker = asyncio.create_task(self._lock_left(), name="lock what others left")

    async def _lock_left(self) -> None:
        try:
            await asyncio.to_thread(lock_left, self._services, self._worker, lambda: self._is_stopping)
        except StoreError:
            log.exception("images that are still to be locked could not be looked up")

    async def catch_up(self, wait_s: float) -> None:
        """For a command that only looks: takes up jobs and locks that an ended process left, waits `wait_s` for them at most.

        Nothing is sent; what is queued is left for a process that serves.
        """
        await self._take_up(claim_queued=False)
        tasks = [*self._tasks.values(), *([self._locker] if self._locker else [])]
        if tasks:
            await asyncio.wait(tasks, timeout=wait_s)

    async def submit(
        self,
        plan: Plan,
        owner: str,
        *,
        kind: GroupKind = "run",
        into: tuple[Group, int] | None = None,
        keys: KeyFinder | None = None,
    ) -> str:
        """Stores the plan's runs, starts them, and returns the group's id. `into`: a group there is, and its runs so far.
        `keys`: those of this call alone; without them the owner's.

        Raises: PlanRefused when something stands in the way, LimitReached where that is a limit; MissingKey when a provider
            has no key for this owner; EngineStopping; StoreError when nothing could be stored. In each case nothing was sent.
        """
        if self._is_stopping:
            raise EngineStopping("The app is shutting down. Nothing was sent; run this again in a moment.")
        if not plan.is_sendable:
            raise PlanRefused(plan.all_problems)
        services, finder = self._services, keys or self._services.keys
        found = [key_of(services, planned, owner, finder) for planned in plan.runs]
        group, first = into or (entering.group_of(plan, owner, kind, services), 0)
        if group.owner != owner:
            raise PlanRefused((Problem("group", "These runs are not there any more."),))
        rows = [
            entering.run_of(group, position, planned, key, self._worker.worker_id, services)
            for position, (planned, key) in enumerate(zip(plan.runs, found, strict=True), start=first)
        ]
        await self._door.admit(owner, len(plan.runs), self.running)
        task = asyncio.create_task(self._enter(group, rows, plan, found, finder))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)
        task.add_done_callback(self._door.entered(owner, len(plan.runs)))
        _, was_cancelled = await to_its_end(_result_of(task))
        if was_cancelled:
            # Nobody waits for the group's id any more, so nobody could stop it.
            await to_its_end(self.cancel_all(owner, group.group_id))
            raise asyncio.CancelledError
        return group.group_id

    async def _enter(self, group: Group, rows: list[Run], plan: Plan, keys: list[FoundKey], finder: KeyFinder) -> None:
        """Writes the runs and begins them. What may have been written without being begun is ended."""
        try:
            await asyncio.to_thread(entering.store, self._services, group, rows, plan, self.session)
        except StoreBusy:
            ended = outcome.stopped(outcome.UNPRICED, was_sent=False, why="The store was too busy to begin.")
            for run in rows:
                await asyncio.to_thread(end_run, self._services, run, ended)
            raise
        if self._is_stopping:
            return
        for run, planned, key in zip(rows, plan.runs, keys, strict=True):
            self._begin(run, planned, key, finder)

    async def follow(self, group_id: str, owner: str) -> AsyncIterator[RunEvent]:
        """News of the group until its last run has ended. Yields nothing when there is none or it is not the owner's."""
        async for event in self._news(owner, group_id):
            yield event

    async def follow_owner(self, owner: str) -> AsyncIterator[RunEvent]:
        """News of all the owner's groups until none is under way."""
        async for event in self._news(owner, None):
            yield event

    async def cancel(self, run_id: str, owner: str, why: str = "Stopped.") -> bool:
        """Stops the run; whether there was one to stop. Returns when its end is stored.

        A queued run leaves at once. A call under way is closed, and may still be billed.
        """
        live, task = self.live(run_id), self._tasks.get(run_id)
        if live is None or live.run.owner != owner:
            return False
        if task is None:
            await self._end_parked(run_id, why)
            return True
        live.stop_words = why
        # A task that is cancelled before its first step would never end its run.
        await asyncio.sleep(0)
        task.cancel()
        # What waits for the disk ends when there is room; nobody who presses Stop should wait for that.
        while not task.done() and not self._services.unsaved.waits(run_id):
            await asyncio.wait([task], timeout=_LOOK_FOR_DISK_S)
        return True

    async def cancel_all(self, owner: str, group_id: str | None = None) -> int:
        """Stops all runs of the owner, or of one group; how many."""
        ids = [
            run_id
            for run_id in (*self._live, *self._parked.of_owner(owner))
            if (live := self.live(run_id)) and live.run.owner == owner and group_id in (None, live.run.group_id)
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
        return self._live.get(run_id) or self._parked.live(run_id)

    def all_live(self) -> list[LiveRun]:
        """All runs that are under way or queued here."""
        return list(self._live.values())

    def place_in_line(self, run_id: str) -> int | None:
        """Place in its provider's line from 1, or `None` when it does not wait."""
        live = self._live.get(run_id)
        return self._places.in_line(live.planned.provider.provider_id, run_id) if live else None

    def running(self, owner: str) -> int:
        """How many runs of the owner are under way or queued here."""
        return sum(live.run.owner == owner for live in self._live.values())

    async def close(self, drain_s: float) -> None:
        """Takes no new runs, waits up to `drain_s` seconds for answers under way, leaves queued runs queued and jobs to
        their providers: the next start goes on with both.
        """
        self._is_stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
        if self._entering:
            await asyncio.wait(self._entering)
        await asyncio.sleep(0)
        for live in list(self._live.values()):
            live.step_back()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=drain_s)
            self._services.unsaved.close()
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        if self._locker is not None:
            await asyncio.wait([self._locker])
        self._worker.close()

    def _begin(
        self, run: Run, planned: PlannedRun, key: FoundKey, finder: KeyFinder, found: Found | None = None
    ) -> None:
        services = self._services
        is_resumed = found is not None and found.was_sent
        access = access_of(planned.provider, key, services.settings)
        # What only is asked for needs no key but its provider's.
        with suppress(MissingKey) if is_resumed else nullcontext():
            access = with_secrets(access, planned.call, finder, services.catalog, run.owner, planned.offer)
        jobs = found.jobs if found else {}
        live = LiveRun(run, planned, access, held=(key, finder), found=jobs, is_resumed=is_resumed)
        self._live[run.run_id] = live
        work = carry_out(services, live, self._places, self._hub, self._worker.worker_id)
        task = asyncio.create_task(work, name=f"run {run.run_id}")
        self._tasks[run.run_id] = task
        task.add_done_callback(self._forget(run.run_id))
        self._hub.publish(RunEvent(run.group_id, run.run_id, run.owner, "queued"))

    def _forget(self, run_id: str) -> Callable[[asyncio.Task[None]], None]:
        def forget(_task: asyncio.Task[None]) -> None:
            self._live.pop(run_id, None)
            self._tasks.pop(run_id, None)

        return forget

    async def _resume(self, found: Found) -> None:
        """Goes on with a run that an ended process left; without its key it waits for its owner to come back with it."""
        run = found.run
        try:
            offer = await asyncio.to_thread(offer_as_reserved, self._services, run)
            planned = plan_run(await self._request_of(found), offer, self._services.catalog)
        except (PlanRefused, ValueError) as error:
            await self._give_up(found, f"The app stopped before this run was done, and it cannot go on: {error}")
            return
        key, lacking = None, planned.provider.name
        try:
            key = key_of(self._services, planned, run.owner, self._services.keys, is_sent=found.was_sent)
        except MissingKey as error:
            lacking = error.provider
        if key is None or (run.key_source == "session" and key.source != "session"):
            # What was meant for a visitor's own key must not be paid for by the server's.
            access = access_of(planned.provider, FoundKey("none", None), self._services.settings)
            self._parked.put(found, LiveRun(run, planned, access), lacking)
            return
        self._begin(
            replace(run, worker=self._worker.worker_id, key_source=key.source), planned, key, self._services.keys, found
        )

    async def _request_of(self, found: Found) -> ImageRequest:
        """What the run asks. An input that is gone keeps nothing from being sent, but not a job from being asked for."""
        try:
            return await self._request(found.run)
        except PlanRefused:
            if not found.was_sent:
                raise
            return request_of(found.run.asked, (), None)

    async def key_arrived(self, owner: str) -> None:
        """Goes on with the owner's runs that waited for a key."""
        for run_id in self._parked.of_owner(owner):
            parked = self._parked.take(run_id)
            if parked is not None:
                await self._resume(parked.found)

    async def _end_parked(self, run_id: str, why: str) -> None:
        parked = self._parked.take(run_id)
        if parked is None:
            return
        await self._give_up(parked.found, why)
        run = parked.found.run
        self._hub.publish(RunEvent(run.group_id, run_id, run.owner, "finished"))

    async def _give_up(self, found: Found, why: str) -> None:
        estimate = outcome.FREE if found.run.estimate_microusd == 0 else outcome.UNPRICED
        ended = outcome.stopped(estimate, was_sent=found.was_sent, why=why)
        await asyncio.to_thread(end_run, self._services, found.run, ended)

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

    async def _is_unfinished(self, owner: str, group_id: str | None) -> bool:
        def read(db: Database) -> list[str]:
            return runs.unfinished_groups(db, owner)

        found = await asyncio.to_thread(self._services.store.read, read)
        return group_id in found if group_id else bool(found)

    async def _news(self, owner: str, group_id: str | None) -> AsyncIterator[RunEvent]:
        with self._hub.listening() as queue:
            while await self._is_unfinished(owner, group_id):
                # Whether all have ended is asked when one has, and now and then.
                while (event := await self._next(queue, owner, group_id)) is not None:
                    yield event
                    if event.what == "finished":
                        break

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


def _hashes(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
