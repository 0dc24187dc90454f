"""Carrying out one run: its calls side by side, and one end made of theirs. Whatever happens, the run ends with a sentence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from playground import calls, outcome
from playground.breakers import Breakers
from playground.calls import LiveCall
from playground.events import Hub, RunEvent, What
from playground.finishing import to_its_end
from playground.keeping import Kept, end_run
from playground.outcome import CallEnd, Outcome
from playground.places import Places
from playground.plan import PlannedRun
from playground.services import Services
from providers.bodies import call_document
from providers.transport import Access
from providers.types import Job
from storage import runs
from storage.engine import Database
from storage.errors import StoreError
from storage.records import Run, StoredJob

log = logging.getLogger(__name__)


@dataclass(slots=True)
class LiveRun:
    """A run this process is carrying out, as it stands now."""

    run: Run
    planned: PlannedRun
    access: Access
    held: tuple[object, ...] = field(default=(), repr=False)
    """What its keys came from, so that they are known as keys for as long as it lasts."""
    found: Mapping[int, StoredJob] = field(default_factory=dict)
    """Jobs of its calls that an ended process left, by the call's position."""
    is_resumed: bool = False
    """Whether an ended process had begun to send it: then nothing is sent any more, only asked for."""
    stop_words: str | None = None
    """Why it is being cancelled."""
    leave: bool = False
    """Set when the process stops: what was not sent stays queued, and jobs go on, for the next start."""
    was_sent: bool = False
    """Whether the store says that it is being sent."""
    started: float = 0.0
    kept: Kept = field(default_factory=Kept)
    calls: list[LiveCall] = field(default_factory=list)
    tasks: list[asyncio.Task[CallEnd | None]] = field(default_factory=list)
    """One for each call."""
    parked: str | None = None
    """Why nothing can be done for it yet, in words."""
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    def elapsed_ms(self) -> int:
        """Milliseconds since it was sent."""
        return round((time.monotonic() - self.started) * 1000)

    def latency_ms(self) -> int:
        """Milliseconds from the sending to the last byte of its answers, or to now where some call had none."""
        times = [call.answered_ms for call in self.calls]
        return max((each for each in times if each is not None), default=0) if None not in times else self.elapsed_ms()

    def first_byte_ms(self) -> int | None:
        """Milliseconds from the sending to the first byte of the first answer; `None` where none came."""
        return min((call.first_byte_ms for call in self.calls if call.first_byte_ms is not None), default=None)

    @property
    def note(self) -> str | None:
        """What it waits for, in words."""
        return self.parked or next((call.note for call in self.calls if call.note), None)

    def step_back(self) -> None:
        """The process stops: calls that can wait end here, for the next start. One whose answer is under way, or whose
        images are being fetched, comes to that end first.
        """
        self.leave = True
        for call, task in zip(self.calls, self.tasks, strict=True):
            call.is_left = True
            if not call.is_busy:
                task.cancel()

    def is_left(self, call: LiveCall) -> bool:
        """Whether the next start goes on with the call: it was not sent, or can be asked for or looked for."""
        may_run = call.job is not None or (call.is_asynchronous and call.may_be_billed)
        return self.leave and (may_run or not self.was_sent or self.is_resumed)


async def carry_out(services: Services, live: LiveRun, places: Places, hub: Hub, worker_id: str) -> None:
    """Takes the run to its end. What goes wrong is the run's outcome; a cancel ends it in order.

    The task must have begun before it is cancelled (`asyncio.sleep(0)` after it was made sees to that).
    """
    tell = _teller(hub, live.run)
    live.was_sent, live.started = live.is_resumed, time.monotonic()
    live.calls = [_live_call(live, position, tell) for position in range(len(live.planned.calls))]
    tasks = [asyncio.create_task(_carry_call(services, live, call, places, worker_id)) for call in live.calls]
    live.tasks = tasks
    was_cancelled = await _wait_for(tasks)
    while was_cancelled:
        for task in tasks:
            task.cancel()
        was_cancelled = await _wait_for(tasks)
    ends = [_end_of(task, call, live) for task, call in zip(tasks, live.calls, strict=True)]
    if None in ends:
        return
    ended = outcome.combined([end for end in ends if end is not None], live.planned.request.n)
    log.info("run %s %s %s in %d ms, cost %s", live.run.run_id, live.run.offer, ended.state, live.latency_ms(),
             ended.amount_microusd)  # fmt: skip
    await to_its_end(_end(services, live, ended))
    tell("finished")


async def _wait_for(tasks: list[asyncio.Task[CallEnd | None]]) -> bool:
    """Waits until all have ended; whether the waiting was cancelled."""
    try:
        await asyncio.sleep(0)  # each task has begun before it may be cancelled
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        return True
    return False


def _end_of(task: asyncio.Task[CallEnd | None], call: LiveCall, live: LiveRun) -> CallEnd | None:
    if task.cancelled():
        if live.is_left(call):
            return None
        why = live.stop_words or "The app was stopped."
        return outcome.call_stopped(
            live.planned.estimate, asked=call.planned.images, images=call.images, was_sent=call.may_be_billed, why=why
        )
    return task.result()


def _live_call(live: LiveRun, position: int, tell: Callable[[What], None]) -> LiveCall:
    found = live.found.get(position)
    call = LiveCall(
        position, live.planned.calls[position], live.run, live.planned, live.access, live.kept, live.elapsed_ms, tell
    )
    call.may_be_billed = live.is_resumed
    if found is not None:
        call.is_found = call.is_again = True
        call.job = Job(found.remote_id, {name: str(value) for name, value in found.tracking.items()})
    return call


async def _carry_call(
    services: Services, live: LiveRun, call: LiveCall, places: Places, worker_id: str
) -> CallEnd | None:
    """The call's end; `None` when the run is not ours to end: another process has it, or the next start goes on with it."""
    found = live.found.get(call.position)
    if found is not None and found.ended is not None:
        return outcome.call_of_document(found.ended)
    try:
        async with places.place(live.planned.provider.provider_id, live.run.run_id):
            refused = None if live.is_resumed else _left_in_peace(live, call, places.breakers)
            if refused is not None:
                return refused
            begin = partial(_begin, services, live, worker_id)
            if not await services.unsaved.until_written(live.run, begin, calls.waiter(call)):
                return None
            call.note = None
            unfound = await calls.look_for(services, call) if live.is_resumed and found is None else None
            ended = unfound or await calls.send(services, call)
            places.breakers.ended(live.planned.provider.provider_id, live.access.key, ended.error)
    except asyncio.CancelledError:
        if live.is_left(call):
            return None
        why = live.stop_words or "The app was stopped."
        ended, _ = await to_its_end(calls.stopped(services, call, why))
    except (StoreError, OSError) as error:
        log.exception("run %s: the store failed", live.run.run_id)
        ended = _broken(live, call, f"The result could not be kept: {error}")
    except Exception:  # the edge of a task: nothing above it could tell the person
        log.exception("run %s: a fault in this program", live.run.run_id)
        ended = _broken(live, call, "Something failed inside the app. The log has the details.")
    call.note = None
    try:
        await to_its_end(calls.note_end(services, call, ended))
    except (StoreError, OSError):
        log.exception("run %s: the end of one of its calls could not be stored", live.run.run_id)
    return ended


def _left_in_peace(live: LiveRun, call: LiveCall, breakers: Breakers) -> CallEnd | None:
    provider = live.planned.provider
    why = breakers.refusal(provider.provider_id, provider.name, live.access.key)
    if why is None:
        return None
    return outcome.refused(why, live.planned.estimate, asked=call.planned.images, images=0)


def _broken(live: LiveRun, call: LiveCall, words: str) -> CallEnd:
    return outcome.call_broken(
        words, live.planned.estimate, asked=call.planned.images, images=call.images, was_sent=call.may_be_billed
    )


async def _begin(services: Services, live: LiveRun, worker_id: str) -> bool:
    """Writes that the run is being sent, once for all its calls; whether it is ours to send."""
    async with live.sending:
        if live.was_sent:
            return True
        live.was_sent, was_cancelled = await to_its_end(_mark_sending(services, live, worker_id))
        if live.was_sent:
            live.started = time.monotonic()
    if was_cancelled:
        raise asyncio.CancelledError
    if live.was_sent:
        live.calls[0].tell("started")
    return live.was_sent


async def _mark_sending(services: Services, live: LiveRun, worker_id: str) -> bool:
    documents = [call_document(call.call) for call in live.planned.calls]
    sent: dict[str, object] = documents[0] if len(documents) == 1 else {"calls": documents}
    now = services.now()

    def mark(db: Database) -> bool:
        return runs.mark_sending(db, live.run.run_id, worker=worker_id, sent=sent, sent_at=now)

    return await asyncio.to_thread(services.store.write, mark)


async def _end(services: Services, live: LiveRun, ended: Outcome) -> None:
    # Of a run that another process had sent, nobody here knows when that was by this machine's steady clock.
    is_timed = live.was_sent and not live.is_resumed
    price = live.planned.offer.price
    end = partial(
        end_run,
        services,
        live.run,
        latency_ms=live.latency_ms() if is_timed else None,
        first_byte_ms=live.first_byte_ms() if is_timed else None,
        unreadable_sha256=live.kept.unreadable_sha256,
        price_id=price.price_id if price else None,
    )
    try:
        await services.unsaved.until_written(
            live.run, partial(asyncio.to_thread, end, ended), calls.waiter(live.calls[0])
        )
    except (StoreError, OSError):
        log.exception(
            "run %s: its end could not be stored; a later look, or the next start, takes it up", live.run.run_id
        )
    except Exception:  # whatever was wrong with the figures, the run must end
        log.exception("run %s: its end was refused by the store", live.run.run_id)
        words = "The end of this run could not be stored as it was. The provider may have billed it. The log has the details."
        await asyncio.to_thread(end, outcome.lost(words))


def _teller(hub: Hub, run: Run) -> Callable[[What], None]:
    def tell(what: What) -> None:
        hub.publish(RunEvent(run.group_id, run.run_id, run.owner, what))

    return tell
