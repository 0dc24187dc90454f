"""One call of a run: from its place at the provider to its end. Whatever happens here, it ends with a sentence."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import TypeVar

from playground import outcome, unsaved
from playground.events import What
from playground.finishing import to_its_end
from playground.keeping import Kept, KeptImages, keep_images, keep_partial
from playground.outcome import CallEnd
from playground.plan import PlannedCall, PlannedRun
from playground.services import Services
from providers.adapter import JobAdapter
from providers.adapters import ADAPTERS
from providers.bodies import call_document, with_call_id
from providers.client import Errand
from providers.client_events import Answering, ClientEvent, Fetching, ImageArrived, OnEvent, Progress, Sending, Waiting
from providers.errors import JobCancelled, ProviderError, TimedOut
from providers.pricing import estimate_as_got
from providers.transport import Access
from providers.types import GeneratedImage, ImageResult, Job, PartialImage, said_type_of
from storage import jobs, runs
from storage.engine import Database
from storage.errors import StoreError
from storage.records import Run, RunError, StoredJob

log = logging.getLogger(__name__)

_LOOKS_BEFORE_STOP = 2
"""So often a list of jobs is read while somebody waits for a Stop."""
Tell = Callable[[What], None]
T = TypeVar("T")


@dataclass(slots=True)
class LiveCall:
    """A call as this process knows it."""

    position: int
    """Which call of its run, from 0."""
    planned: PlannedCall
    run: Run
    planned_run: PlannedRun
    access: Access
    kept: Kept
    elapsed_ms: Callable[[], int]
    tell: Tell
    is_found: bool = False
    """Taken up after a restart: the job is asked for, nothing is sent."""
    is_again: bool = False
    """Whether images of it may be stored already."""
    job: Job | None = None
    errand: Errand | None = None
    """What was sent, once it is made up."""
    may_be_billed: bool = False
    """Whether a try has left that the provider may have taken."""
    has_begun: bool = False
    """Whether its job was seen at work."""
    is_busy: bool = False
    """Whether something is under way that should come to its end: a call that is being answered, images that are fetched."""
    places: set[int] = field(default_factory=set)
    """Where in the run its images lie."""
    sizes: dict[int, str] = field(default_factory=dict)
    """Place -> size as measured, of those that this process kept."""
    why_unreadable: str = ""
    arrived_ms: int | None = None
    """Milliseconds from the sending of the run to the last bytes of an image so far."""
    answered_ms: int | None = None
    """The same for a whole answer: keeping its images, and what is made of them here, is no time of the provider's."""
    first_byte_ms: int | None = None
    """The same for the head of the answer to the try that counted; of a job, the answer that took it on."""
    note: str | None = None
    """What it waits for, in words."""
    is_left: bool = False
    """The process stops: its job goes on at the provider, and the next start takes it up."""

    @property
    def images(self) -> int:
        """How many images came and are kept."""
        return len(self.places)

    @property
    def is_asynchronous(self) -> bool:
        """Whether its provider can be asked later what became of it, or at least of its job."""
        return isinstance(ADAPTERS[self.planned_run.provider.adapter], JobAdapter)


async def send(services: Services, call: LiveCall) -> CallEnd:
    """Makes the call, or goes on with its job, and keeps what comes. Raises: CancelledError, StoreError, OSError."""

    async def on_event(event: ClientEvent) -> None:
        await _take(services, call, event)

    try:
        result = await _result(services, call, on_event)
    except ProviderError as error:
        late = await _after_timeout(services, call, error, on_event)
        if not isinstance(late, ImageResult):
            return outcome.refused(late, call.planned_run.estimate, asked=call.planned.images, images=call.images)
        result = late
    return await keep_result(services, call, result)


async def _result(services: Services, call: LiveCall, on_event: OnEvent) -> ImageResult:
    timeout_s = call.planned_run.request.timeout_s
    if call.is_found and call.job is not None:
        return await services.client.follow(call.job, call.access, timeout_s=timeout_s, on_event=on_event)
    call_id = str(uuid.uuid4())
    literal = with_call_id(call.planned.call, call_id)
    call.errand = Errand(literal, call.access, timeout_s, call_id, call_document(literal), services.now())
    return await services.client.generate(call.errand, on_event, partial(claim, services, call))


async def _after_timeout(
    services: Services, call: LiveCall, error: ProviderError, on_event: OnEvent
) -> ImageResult | ProviderError:
    """A job that outlives its time limit is told to end; what it still brings is taken. Whose tokens it used may be billed."""
    payer = _token_payer(services, call)
    if isinstance(error, JobCancelled) and error.has_begun and payer:
        error.may_have_been_billed = True
        error.message = f"{error.message} {outcome.tokens_in_doubt(payer)}"
    if not isinstance(error, TimedOut) or call.job is None:
        return error
    call.is_again = True
    ended = await services.client.stop(call.job, call.access, on_event, had_begun=call.has_begun)
    if isinstance(ended, ImageResult):
        return ended
    if ended != "unsure" and error.may_have_been_billed:
        error.may_have_been_billed = ended == "begun" and payer is not None
        name = call.planned_run.provider.name
        money = outcome.tokens_in_doubt(payer) if error.may_have_been_billed and payer else "Nothing is billed."
        error.message = f"{name} had not finished the job within the time limit. It was told to stop and did. {money}"
    return error


async def keep_result(services: Services, call: LiveCall, result: ImageResult) -> CallEnd:
    """Keeps the images and says what the call came to.

    The answer is here and paid for: a Stop that comes now is too late to save money, and must not lose an image.
    """
    said = said_type_of(result.answered.got.get("output_format"))
    told = tuple(
        replace(image, said_type=image.said_type or said)
        for image in result.images
        if isinstance(image, GeneratedImage)
    )
    if told:
        await to_its_end(_keep(services, call, told, 0))
    call.answered_ms = call.arrived_ms if call.arrived_ms is not None else call.elapsed_ms()
    # What could not be fetched was made, and is billed, all the same.
    made = max(result.made, len(told), call.images)
    run = call.planned_run
    is_free = outcome.is_free(run.estimate)
    return outcome.answered(
        result.answered,
        estimate_as_got(run.request, run.spec, run.offer, tuple(call.sizes.values())),
        asked=call.planned.images,
        images=call.images,
        made=made,
        share=Fraction(min(made or call.planned.images, call.planned.images), run.request.n),
        errors=[
            *_unreadable(call),
            *(outcome.run_error(error, is_free=is_free) for error in result.failures),
        ],
    )


def _token_payer(services: Services, call: LiveCall) -> str | None:
    """Who bills the tokens to an account of the person's own, where that is not the provider."""
    offer = call.planned_run.offer
    if offer.price is not None and offer.price.tokens_billed_by:
        return offer.price.tokens_billed_by
    return " and ".join(services.catalog.provider(name).name for name in offer.needs_key_of) or None


def _unreadable(call: LiveCall) -> list[RunError]:
    if not call.why_unreadable:
        return []
    name = call.planned_run.provider.name
    words = (
        f"{name} sent something that cannot be used as an image: {call.why_unreadable.rstrip('.')}. Its bytes are kept."
    )
    return [RunError("malformed", words, may_have_been_billed=not outcome.is_free(call.planned_run.estimate))]


async def _keep(services: Services, call: LiveCall, images: tuple[GeneratedImage, ...], index: int) -> KeptImages:
    first = call.planned.first_position + index
    start = call.planned.first_position
    call.arrived_ms = call.elapsed_ms()
    again = range(start, start + call.planned.images) if call.is_again else None
    loop = asyncio.get_running_loop()

    def on_sight() -> None:
        loop.call_soon_threadsafe(call.tell, "image")

    async def keep() -> KeptImages:
        return await asyncio.to_thread(
            keep_images, services, call.run, images, first, call.kept, again, on_sight=on_sight
        )

    done = await services.unsaved.until_written(call.run, keep, waiter(call, unsaved.HELD), images)
    call.note = None
    call.places.update(done.places)
    call.sizes.update(zip(done.places, done.sizes, strict=True))
    call.why_unreadable = call.why_unreadable or done.why_unreadable
    return done


async def _take(services: Services, call: LiveCall, event: ClientEvent) -> None:
    if isinstance(event, Sending):
        call.may_be_billed, call.is_busy, call.note = True, True, None
    elif isinstance(event, Answering):
        call.first_byte_ms = call.elapsed_ms()
    elif isinstance(event, Waiting):
        call.may_be_billed = call.is_busy = False
        call.note = f"{event.reason} It is sent again in {event.seconds:.0f} s."
        call.tell("waiting")
        _go_on_unless(was_cancelled=call.is_left)
    elif isinstance(event, Progress):
        call.is_busy = False
        call.has_begun |= event.has_begun
        if event.words != call.note:
            call.note = event.words or None
            call.tell("waiting")
        _go_on_unless(was_cancelled=call.is_left)
    elif isinstance(event, Fetching):
        call.is_busy = True
        await _written(services, call, partial(_mark_downloading, call.run))
        call.note = None
    elif isinstance(event, PartialImage):
        place = replace(event, image_position=call.planned.first_position + event.image_position)
        work = asyncio.to_thread(keep_partial, services, call.run, place, call.elapsed_ms())
        was_kept, was_cancelled = await to_its_end(work)
        if was_kept:
            call.tell("partial")
        _go_on_unless(was_cancelled=was_cancelled)
    elif isinstance(event, ImageArrived):
        _, was_cancelled = await to_its_end(_keep(services, call, (event.image,), event.position))
        call.tell("image")
        _go_on_unless(was_cancelled=was_cancelled)


async def _written(services: Services, call: LiveCall, job: Callable[[Database], T]) -> T:
    """What the job of the store gives, once it can be written."""
    done = await services.unsaved.until_written(
        call.run, partial(asyncio.to_thread, services.store.write, job), waiter(call)
    )
    if call.note == unsaved.WAITS:
        call.note = None
    return done


def waiter(call: LiveCall, words: str = unsaved.WAITS) -> Callable[[], None]:
    """Tells whoever follows the call that it has to wait until something can be written."""

    def on_wait() -> None:
        call.note = words
        call.tell("waiting")

    return on_wait


def _mark_downloading(run: Run, db: Database) -> bool:
    return runs.mark_downloading(db, run.run_id, worker=run.worker)


def _go_on_unless(*, was_cancelled: bool) -> None:
    if was_cancelled:
        raise asyncio.CancelledError


async def claim(services: Services, call: LiveCall, job: Job) -> bool:
    """Stores the job's id, before it is asked for the first time; `False` when another call has it."""
    row = StoredJob(
        run_id=call.run.run_id,
        position=call.position,
        provider=call.planned_run.provider.provider_id,
        remote_id=job.remote_id,
        tracking=dict(job.tracking),
        images=call.planned.images,
        first_position=call.planned.first_position,
        claimed_at=services.now(),
    )

    def write(db: Database) -> bool:
        return jobs.claim(db, row)

    # The job is at the provider: nobody would know it, should this be given up.
    was_claimed, was_cancelled = await to_its_end(_written(services, call, write))
    if was_claimed:
        call.job = job
        call.tell("waiting")
    _go_on_unless(was_cancelled=was_cancelled)
    return was_claimed


async def stopped(services: Services, call: LiveCall, why: str) -> CallEnd:
    """The end of a call that was cancelled: its job is ended at the provider, and what that still brings is kept."""

    async def on_event(event: ClientEvent) -> None:
        await _take(services, call, event)

    was_sent, payer, call.is_again = call.may_be_billed, None, True
    if call.job is None and was_sent and call.errand is not None:
        # The answer that names the job was broken off; where jobs are listed it is found, and can be ended.
        try:
            await services.client.find(call.errand, partial(claim, services, call), looks=_LOOKS_BEFORE_STOP)
        except (StoreError, OSError):
            log.exception("run %s: its job could not be claimed", call.run.run_id)
    if call.job is not None and not outcome.is_free(call.planned_run.estimate):
        try:
            ended = await services.client.stop(call.job, call.access, on_event, had_begun=call.has_begun)
        except ProviderError as error:
            ended = "unsure" if error.may_have_been_billed else "free"
        except (StoreError, OSError):
            log.exception("run %s: stopping its job failed", call.run.run_id)
            ended = "unsure"
        if isinstance(ended, ImageResult):
            return await keep_result(services, call, ended)
        was_sent = ended == "unsure"
        payer = _token_payer(services, call) if ended == "begun" else None
    return outcome.call_stopped(
        call.planned_run.estimate,
        asked=call.planned.images,
        images=call.images,
        was_sent=was_sent,
        why=why,
        token_payer=payer,
    )


async def look_for(services: Services, call: LiveCall) -> CallEnd | None:
    """For a call whose process ended before its job's id was stored: finds the job where the provider lists its jobs.

    `None` when it was found, and can be asked for.
    """
    provider, estimate = call.planned_run.provider, call.planned_run.estimate
    adapter = ADAPTERS[provider.adapter]
    if isinstance(adapter, JobAdapter) and adapter.own_job("") is not None:
        # An id of our own is stored before the call: where there is none, nothing was sent.
        why = "The app stopped before this part was sent."
        return outcome.call_stopped(estimate, asked=call.planned.images, images=0, was_sent=False, why=why)
    sent = call_document(call.planned.call)
    errand = Errand(
        call.planned.call, call.access, call.planned_run.request.timeout_s, "", sent, call.run.sent_at or ""
    )

    async def on_event(event: ClientEvent) -> None:
        await _take(services, call, event)

    if await services.client.find(errand, partial(claim, services, call), on_event) is not None:
        call.is_found = True
        return None
    return outcome.call_left_behind(estimate, asked=call.planned.images)


async def note_end(services: Services, call: LiveCall, ended: CallEnd) -> None:
    """Stores the end of a job, so that it is not asked for again should its run be taken up after a crash."""
    if call.job is None:
        return

    def write(db: Database) -> None:
        jobs.end(db, call.run.run_id, call.position, ended.document())

    await asyncio.to_thread(services.store.write, write)
