"""The engine owns runs; pages and commands only watch. One per process, on the process's event loop.

`submit` writes the group, its runs and their reservations in one transaction and returns; a task carries each run out.
Closing a page ends a watcher, never a run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext, suppress
from functools import partial

from playground import entering, seats
from playground.admission import Check, Door
from playground.carrying import LiveRun, carry_out
from playground.events import Hub, RunEvent, event_of
from playground.finishing import to_its_end
from playground.following import news_of
from playground.handing_over import Handover
from playground.keys import FoundKey, KeyFinder
from playground.lock_keeping import lock_left
from playground.offered import access_of, with_secrets
from playground.places import places_of
from playground.plan import Plan, PlannedRun, make_plan
from playground.prices import reprice
from playground.recovery import Found, take_up
from playground.refusals import PlanRefused as PlanRefused
from playground.resuming import Resumption, stored_request
from playground.run_keys import key_of
from playground.services import Services
from playground.stopping import stop_elsewhere
from providers.checks import Problem
from providers.errors import MissingKey
from storage import carriers, runs, stops
from storage.engine import Database
from storage.errors import StoreBusy, StoreError
from storage.records import Group, GroupKind, Run
from storage.workers import Worker

log = logging.getLogger(__name__)

_LOOK_FOR_DISK_S = 0.5
_STOPPED = "Stopped."


class EngineStopping(RuntimeError):
    """The app is shutting down and takes no new runs."""


class Engine:
    """Carries runs out and tells who listens."""

    def __init__(self, services: Services, worker: Worker) -> None:
        self._services = services
        self._worker = worker
        self._hub = Hub(worker)
        self._places = places_of(services, worker)
        self._live: dict[str, LiveRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._entering: dict[asyncio.Task[None], list[str]] = {}
        """The tasks that write runs, with the ids of these."""
        self._unbegun = entering.Unbegun(services)
        self._resumption = Resumption(services, self._hub, self._go_on)
        self._parked = self._resumption.parked
        self._handover = Handover(services, worker, self._resumption)
        self._keeper: asyncio.Task[None] | None = None
        self._look = asyncio.Event()
        self._locker: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._door = Door(services, worker.worker_id)

    @property
    def session(self) -> str:
        """Names this process in the ledger: what it reserves counts towards the limit of a session."""
        return self._worker.worker_id

    async def start(self) -> None:
        """Takes up what ended processes left: ends what was under way, goes on with what was queued. Then keeps an eye
        on it: a command beside a running page, or another replica, may be killed at any time.
        """
        self._worker.hear(partial(_on_loop, asyncio.get_running_loop(), self._on_news))
        await self._take_up()
        self._keeper = asyncio.create_task(self._keep_looking(), name="take up what others leave")

    def _on_news(self, news: str) -> None:
        """What another replica told; empty: something may have been missed."""
        kind, _, about = news.partition(" ")
        if kind == seats.FREED:
            self._places.seats.look_again(about)
        elif event := event_of(news):
            self._hub.pass_on(event)
        else:
            self._handover.on_news(kind, about)
            self._hub.pass_on(None)
            self._look.set()

    async def _keep_looking(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), self._worker.look_every_s)
            self._look.clear()
            await self._look_after()

    async def _look_after(self) -> None:
        """One look: each step by itself, since a fault in one must not keep the others from being done."""
        steps: list[Callable[[], Awaitable[None]]] = [
            self._let_go_of_taken,
            self._take_up,
            self._unbegun.end,
            partial(self._handover.look, self._known),
            self._heed_stops,
            partial(asyncio.to_thread, reprice, self._services),
        ]
        for step in steps:
            try:
                await step()
            except StoreError:
                log.exception("what others left could not be taken up; trying again in %g s", self._worker.look_every_s)
                return
            except Exception:
                log.exception("a look at what others left met a fault in this program")

    async def _take_up(self, *, claim_queued: bool = True) -> None:
        found = await asyncio.to_thread(take_up, self._services, self._worker, claim_queued=claim_queued)
        for each in found:
            await self._resumption.go_on(each)
        await self._resumption.end_late()
        if self._locker is None or self._locker.done():
            # Beside everything else: pictures take a while, and nobody's start should wait for them.
            self._locker = asyncio.create_task(self._lock_left(), name="lock what others left")

    async def _let_go_of_taken(self) -> None:
        """Leaves runs to those who took this process for dead. An answer that is under way still brings its images."""
        carried = [*self._live, *self._parked.ids()]
        if not carried:
            return
        read = partial(carriers.taken_from, worker=self._worker.worker_id, run_ids=carried)
        for run_id in await asyncio.to_thread(self._services.store.read, read):
            log.warning("run %s is carried by another process now", run_id)
            self._parked.take(run_id)
            if live := self._live.get(run_id):
                live.step_back()

    def _known(self) -> set[str]:
        """Ids of all runs that this process has to do with."""
        coming = [run_id for ids in self._entering.values() for run_id in ids]
        return {*self._live, *self._parked.ids(), *coming, *self._unbegun.ids()}

    async def _heed_stops(self) -> None:
        """Stops what was asked to be stopped at another replica."""
        store = self._services.store
        asked = await asyncio.to_thread(store.read, partial(stops.of_worker, worker=self._worker.worker_id))
        if asked:
            await asyncio.gather(*(self._cancel_here(run_id, owner, why) for run_id, owner, why in asked))
            await asyncio.to_thread(store.write, stops.forget_heeded)

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
        check = await self._door.admit(owner, len(plan.runs), self.running)
        task = asyncio.create_task(self._enter(group, rows, plan, found, finder, check))
        self._entering[task] = [run.run_id for run in rows]
        task.add_done_callback(self._entering.pop)
        task.add_done_callback(self._door.entered(owner, len(plan.runs)))
        _, was_cancelled = await to_its_end(_result_of(task))
        if was_cancelled:
            # Nobody waits for the group's id any more, so nobody could stop it.
            await to_its_end(self.cancel_all(owner, group.group_id))
            raise asyncio.CancelledError
        return group.group_id

    async def _enter(
        self, group: Group, rows: list[Run], plan: Plan, keys: list[FoundKey], finder: KeyFinder, check: Check
    ) -> None:
        """Writes the runs and begins them. What may have been written without being begun is ended, now or at a later look."""
        try:
            await asyncio.to_thread(entering.store, self._services, group, rows, plan, self.session, check)
        except StoreBusy as error:
            if error.may_be_saved:
                await self._unbegun.end(rows)
            raise
        if self._is_stopping:
            return
        for run, planned, key in zip(rows, plan.runs, keys, strict=True):
            self._begin(run, planned, key, finder)

    async def follow(self, group_id: str, owner: str) -> AsyncIterator[RunEvent]:
        """News of the group until its last run has ended. Yields nothing when there is none or it is not the owner's."""
        async for event in news_of(self._services, self._hub, owner, group_id):
            yield event

    async def follow_owner(self, owner: str) -> AsyncIterator[RunEvent]:
        """News of all the owner's groups until none is under way."""
        async for event in news_of(self._services, self._hub, owner, None):
            yield event

    async def cancel(self, run_id: str, owner: str, why: str = _STOPPED) -> bool:
        """Stops the run; whether there was one to stop. Returns when its end is stored.

        A queued run leaves at once. A call under way is closed, and may still be billed. Where another replica carries the run
        it is asked to.
        """
        if await self._cancel_here(run_id, owner, why):
            return True
        return await stop_elsewhere(self._services, self._worker, self._hub, owner, why, run_id=run_id) > 0

    async def _cancel_here(self, run_id: str, owner: str, why: str) -> bool:
        live, task = self.live(run_id), self._tasks.get(run_id)
        if live is None or live.run.owner != owner:
            return False
        if task is None:
            await self._resumption.end_parked(run_id, why)
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
        elsewhere = stop_elsewhere(self._services, self._worker, self._hub, owner, _STOPPED, group_id=group_id)
        return sum(await asyncio.gather(*(self._cancel_here(run_id, owner, _STOPPED) for run_id in ids), elsewhere))

    async def retry(self, run_id: str, owner: str) -> str:
        """A new group with one run that asks the same of the same offer; its id.

        Raises: as `submit`; PlanRefused also when the run or one of its inputs is gone.
        """
        run = await self._stored(run_id, owner)
        if run is None:
            raise PlanRefused((Problem("run", "This run is not there any more."),))
        return await self.submit(
            make_plan(await stored_request(self._services, run), [run.offer], self._services.catalog), owner
        )

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
        await self._unbegun.end()
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
        await self._places.seats.close()
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

    def _go_on(self, run: Run, planned: PlannedRun, key: FoundKey, found: Found) -> None:
        self._begin(run, planned, key, self._services.keys, found)

    async def key_arrived(self, owner: str) -> None:
        """Goes on with the owner's runs that waited for a key, here or at another replica."""
        await self._resumption.key_arrived(owner)
        self._handover.ask(owner)

    async def _stored(self, run_id: str, owner: str) -> Run | None:
        def read(db: Database) -> Run | None:
            view = runs.get(db, run_id, owner)
            return view.run if view else None

        return await asyncio.to_thread(self._services.store.read, read)


async def _result_of(task: asyncio.Task[None]) -> None:
    await asyncio.wait([task])
    task.result()


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[str], None], news: str) -> None:
    """Hands news of another thread to the loop, unless that is over."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, news)
