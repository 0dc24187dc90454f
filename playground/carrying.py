"""Carrying out one run: send, keep what comes, end it. Whatever happens here, the run ends with a state and a sentence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from sqlite_utils import Database

from playground import outcome
from playground.events import Hub, RunEvent, What
from playground.finishing import to_its_end
from playground.keeping import Kept, end_run, keep_images, keep_partial
from playground.outcome import Outcome
from playground.places import Places
from playground.plan import PlannedRun
from playground.services import Services
from providers.adapter import call_document
from providers.client import ClientEvent, ImageArrived, Sending, Waiting
from providers.errors import ProviderError
from providers.transport import Access
from providers.types import Answered, PartialImage
from storage import runs
from storage.errors import StoreError
from storage.records import Run, RunError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class LiveRun:
    """A run this process is carrying out, as it stands now."""

    run: Run
    planned: PlannedRun
    access: Access
    note: str | None = None
    """What it waits for, in words."""
    may_be_billed: bool = False
    """Whether a try has left that the provider may have taken."""
    stop_words: str | None = None
    """Why it is being cancelled."""
    leave_queued: bool = False
    """Set when the process stops before the run was sent: it stays queued for the next start."""
    was_sent: bool = False
    """Whether the store says that it is being sent."""
    started: float = 0.0
    kept: Kept = field(default_factory=Kept)

    def elapsed_ms(self) -> int:
        """Milliseconds since it was sent."""
        return round((time.monotonic() - self.started) * 1000)


async def carry_out(services: Services, live: LiveRun, places: Places, hub: Hub, worker_id: str) -> None:
    """Takes the run from `queued` to its end. What goes wrong is the run's outcome; a cancel ends it in order.

    The task must have begun before it is cancelled (`asyncio.sleep(0)` after it was made sees to that).
    """
    tell = _teller(hub, live.run)
    try:
        async with places.place(live.planned.provider.provider_id, live.run.run_id):
            live.was_sent, was_cancelled = await to_its_end(_mark_sending(services, live, worker_id))
            if not live.was_sent:
                return
            if was_cancelled:
                raise asyncio.CancelledError
            tell("started")
            ended = await _call(services, live, tell)
    except asyncio.CancelledError:
        if live.leave_queued and not live.was_sent:
            return
        words = live.stop_words or "The app was stopped."
        ended = outcome.stopped(live.planned.estimate, was_sent=live.may_be_billed, why=words)
    except (StoreError, OSError) as error:
        log.exception("run %s: the store failed", live.run.run_id)
        words = f"The result could not be kept: {error}"
        ended = outcome.broken(words, was_sent=live.may_be_billed, estimate=live.planned.estimate)
    except Exception:  # noqa: BLE001 - the edge of a task: nothing above it could tell the person
        log.exception("run %s: a fault in this program", live.run.run_id)
        words = "Something failed inside the app. The log has the details."
        ended = outcome.broken(words, was_sent=live.may_be_billed, estimate=live.planned.estimate)
    await to_its_end(_end(services, live, ended))
    tell("finished")


async def _mark_sending(services: Services, live: LiveRun, worker_id: str) -> bool:
    sent, now = call_document(live.planned.call), services.now()

    def mark(db: Database) -> bool:
        return runs.mark_sending(db, live.run.run_id, worker=worker_id, sent=sent, sent_at=now)

    marked = await asyncio.to_thread(services.store.write, mark)
    live.started = time.monotonic()
    return marked


async def _call(services: Services, live: LiveRun, tell: Callable[[What], None]) -> Outcome:
    async def on_event(event: ClientEvent) -> None:
        await _take(services, live, event, tell)

    request = live.planned.request
    try:
        result = await services.client.generate(
            live.planned.call, live.access, timeout_s=request.timeout_s, on_event=on_event
        )
    except ProviderError as error:
        ended = outcome.refused(error, live.planned.estimate)
    else:
        # The answer is here and paid for: a Stop that comes now is too late to save money, and must not lose an image.
        await to_its_end(asyncio.to_thread(keep_images, services, live.run, result.images, live.kept))
        ended = _answered(live, result.answered)
    log.info(
        "run %s %s %s in %d ms, cost %s",
        live.run.run_id,
        live.run.offer,
        ended.state,
        live.elapsed_ms(),
        ended.amount_microusd,
    )
    return ended


async def _take(services: Services, live: LiveRun, event: ClientEvent, tell: Callable[[What], None]) -> None:
    if isinstance(event, Sending):
        live.may_be_billed, live.note = True, None
    elif isinstance(event, Waiting):
        live.may_be_billed = False
        live.note = f"{event.reason} It is sent again in {event.seconds:.0f} s."
        tell("waiting")
    elif isinstance(event, PartialImage):
        work = asyncio.to_thread(keep_partial, services, live.run, event, live.elapsed_ms())
        was_kept, was_cancelled = await to_its_end(work)
        if was_kept:
            tell("partial")
        _go_on_unless(was_cancelled)
    elif isinstance(event, ImageArrived):
        work_of_image = asyncio.to_thread(keep_images, services, live.run, (event.image,), live.kept)
        _, was_cancelled = await to_its_end(work_of_image)
        tell("image")
        _go_on_unless(was_cancelled)


def _go_on_unless(was_cancelled: bool) -> None:  # noqa: FBT001 - one flag, and the name says which
    if was_cancelled:
        raise asyncio.CancelledError


def _answered(live: LiveRun, answer: Answered) -> Outcome:
    kept, asked = live.kept, live.planned.request.n
    error = None
    if kept.unreadable_sha256 is not None:
        error = RunError(
            "malformed",
            f"{live.planned.provider.name} sent something that cannot be used as an image: {kept.why_unreadable} "
            "Its bytes are kept.",
            may_have_been_billed=not outcome.is_free(live.planned.estimate),
        )
    elif kept.images < asked:
        error = RunError("malformed", f"{kept.images} of {asked} images came.")
    return outcome.answered(answer, live.planned.estimate, kept.images, error)


async def _end(services: Services, live: LiveRun, ended: Outcome) -> None:
    latency_ms = live.elapsed_ms() if live.was_sent else None
    price = live.planned.offer.price
    end = partial(
        end_run,
        services,
        live.run,
        latency_ms=latency_ms,
        unreadable_sha256=live.kept.unreadable_sha256,
        price_id=price.price_id if price else None,
    )
    try:
        await asyncio.to_thread(end, ended)
    except (StoreError, OSError):
        log.exception("run %s: its end could not be stored; the next start takes it up", live.run.run_id)
    except Exception:  # noqa: BLE001 - whatever was wrong with the figures, the run must end
        log.exception("run %s: its end was refused by the store", live.run.run_id)
        words = "The end of this run could not be stored as it was. The provider may have billed it. The log has the details."
        await asyncio.to_thread(end, outcome.lost(words))


def _teller(hub: Hub, run: Run) -> Callable[[What], None]:
    def tell(what: What) -> None:
        hub.publish(RunEvent(run.group_id, run.run_id, run.owner, what))

    return tell
