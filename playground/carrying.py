"""Carrying out one run: send, keep what comes, end it. Whatever happens here, the run ends with a state and a sentence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlite_utils import Database

from playground import outcome
from playground.events import Hub, RunEvent, What
from playground.keeping import Kept, keep_image, keep_outcome, keep_partial
from playground.outcome import Outcome
from playground.places import Places
from playground.plan import PlannedRun
from playground.services import Services
from providers.adapter import call_document
from providers.client import ClientEvent, ImageArrived, Sending, Waiting
from providers.errors import ProviderError
from providers.transport import Access
from providers.types import ImageResult, PartialImage
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
    started: float = 0.0
    kept: Kept = field(default_factory=Kept)

    def elapsed_ms(self) -> int:
        """Milliseconds since it was sent."""
        return round((time.monotonic() - self.started) * 1000)


async def carry_out(services: Services, live: LiveRun, places: Places, hub: Hub, worker_id: str) -> None:
    """Takes the run from `queued` to its end. Never raises: what goes wrong is the run's outcome."""
    tell = _teller(hub, live.run)
    was_sent = False
    try:
        async with places.place(live.planned.provider.provider_id, live.run.run_id):
            was_sent = await _mark_sending(services, live, worker_id)
            if not was_sent:
                return
            tell("started")
            ended = await _call(services, live, tell)
    except asyncio.CancelledError:
        if live.leave_queued and not was_sent:
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
    await _end(services, live, ended, was_sent=was_sent)
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
        ended = _answered(live, result)
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
        live.note = f"{live.planned.provider.name} asks to wait {event.seconds:.0f} s."
        tell("waiting")
    elif isinstance(event, PartialImage):
        if await keep_partial(services, live.run, event, live.elapsed_ms()):
            tell("partial")
    elif isinstance(event, ImageArrived) and await keep_image(services, live.run, event.image, live.kept):
        tell("image")


def _answered(live: LiveRun, result: ImageResult) -> Outcome:
    kept, asked = live.kept, live.planned.request.n
    error = None
    if kept.unreadable_sha256 is not None:
        error = RunError(
            "malformed",
            f"{live.planned.provider.name} sent something that cannot be used as an image: {kept.why_unreadable} "
            "Its bytes are kept.",
            may_have_been_billed=result.answered.usage is None and not _is_free(live),
        )
    elif kept.images < asked:
        error = RunError("malformed", f"{kept.images} of {asked} images came.")
    return outcome.answered(result.answered, live.planned.estimate, kept.images, error)


def _is_free(live: LiveRun) -> bool:
    price = live.planned.offer.price
    return price is not None and price.is_free


async def _end(services: Services, live: LiveRun, ended: Outcome, *, was_sent: bool) -> None:
    latency_ms = live.elapsed_ms() if was_sent else None
    try:
        # Shielded: a second cancel must not leave the run without its end.
        await asyncio.shield(keep_outcome(services, live.run, ended, latency_ms=latency_ms, kept=live.kept))
    except (StoreError, OSError):
        log.exception("run %s: its end could not be stored; the next start takes it up", live.run.run_id)


def _teller(hub: Hub, run: Run) -> Callable[[What], None]:
    def tell(what: What) -> None:
        hub.publish(RunEvent(run.group_id, run.run_id, run.owner, what))

    return tell
