"""One call to one offer, from the request to the images: build, send, retry where that is safe, poll, fetch.

What happens on the way is told to `on_event`, awaited in order. The client keeps nothing. A call that may have been taken
is never sent again: where the job has an id of our own, or the provider lists its jobs, it is looked for instead.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

from providers.adapter import Adapter, HttpCall, JobAdapter, KeyCheckAdapter, QuoteAdapter, Reply, UploadAdapter
from providers.adapters import ADAPTERS
from providers.bodies import attachments, with_uploads
from providers.client_events import (
    Answering,
    Claim,
    ClientEvent,
    Fetching,
    ImageArrived,
    OnEvent,
    Progress,
    Sending,
    Waiting,
    unclaimed,
    unheard,
)
from providers.errors import (
    ConnectionFailed,
    JobUnknown,
    MalformedReply,
    ProviderDown,
    ProviderError,
    RateLimited,
    TimedOut,
)
from providers.finding import Errand, find_job
from providers.jobs import Jobs, cleaned, in_words, with_words, worded
from providers.streams import off_loop, read_stream
from providers.throttle import Throttle
from providers.transport import Access, Transport, read_all, read_error
from providers.types import GeneratedImage, ImageResult, Job, KeyStatus, Pending, RemoteImage, StopEnd, said_type_of

__all__ = ["Client", "ClientEvent", "Errand", "Fetching", "ImageArrived", "Progress", "Sending", "Waiting"]

MAX_TRIES = 4
MAX_WAIT_S = 60.0
"""A provider that asks to wait longer is reported instead of waited for."""
_FIRST_WAIT_S, _LONGEST_GUESS_S = 1.0, 20.0
_FETCHES_AT_ONCE = 4


class Client:
    """Makes calls through a transport. `sleep` and `rng` are passed in, so that a test does not wait."""

    def __init__(
        self,
        transport: Transport,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._transport = transport
        self._sleep = sleep
        self._rng = rng or random.Random()
        self.jobs = Jobs(transport, sleep)
        self._throttles: dict[tuple[str, str | None], Throttle] = {}

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    async def generate(self, errand: Errand, on_event: OnEvent, claim: Claim = unclaimed) -> ImageResult:
        """The images of one paid call. Those of a stream, and those that had to be fetched, are told to `on_event` as they
        arrive, and are not in the result.

        Sent again only when it certainly never ran. `timeout_s` bounds everything but the fetching of what is ready.

        Raises: ProviderError, whose `may_have_been_billed` says whether money may be gone. Images told before stay told.
        """
        access = errand.access
        adapter = ADAPTERS[access.provider.adapter]
        deadline = asyncio.get_running_loop().time() + errand.timeout_s
        async with in_words(access):
            call = await self._uploaded(errand.call, access, adapter, deadline, on_event)
            ended = await self._ended(replace(errand, call=call), adapter, deadline, on_event, claim)
            return with_words(await self._fetched(ended, access, on_event), access)

    async def follow(self, job: Job, access: Access, *, timeout_s: float, on_event: OnEvent) -> ImageResult:
        """The images of a job that was begun before, as by a process that died. Nothing is sent a second time.

        Raises: ProviderError; always with `may_have_been_billed` unless the job itself was refused.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        async with in_words(access):
            ended = await self.jobs.followed(Pending(job), access, deadline, on_event, at_once=True)
            return with_words(await self._fetched(ended, access, on_event), access)

    async def find(
        self, errand: Errand, claim: Claim, on_event: OnEvent = unheard, *, looks: int | None = None
    ) -> Job | None:
        """The job of a call whose answer was lost, in the provider's list of jobs; claimed. `None` when it is not there.

        The list is read up to `looks` times, where nothing is said as often as its wire format says.
        """
        return await find_job(self.jobs, self._sleep, errand, claim, on_event, looks)

    async def stop(
        self, job: Job, access: Access, on_event: OnEvent, *, had_begun: bool = False
    ) -> ImageResult | StopEnd:
        """Ends a job. Its result, when it had ended with images all the same; else whether it costs anything.

        `had_begun`: whether it was seen at work.
        """
        async with in_words(access):
            ended = await self.jobs.stop(job, access, had_begun=had_begun)
            return (
                with_words(await self._fetched(ended, access, on_event), access)
                if isinstance(ended, ImageResult)
                else ended
            )

    async def check(self, access: Access) -> KeyStatus | None:
        """What a free call tells about the key; `None` when the provider has no such call. Raises: ProviderError."""
        adapter = ADAPTERS[access.provider.adapter]
        if not isinstance(adapter, KeyCheckAdapter):
            return None
        async with in_words(access):
            return adapter.parse_check(await self.jobs.free(adapter.check(), access, adapter))

    async def quote(self, call: HttpCall, access: Access) -> int | None:
        """Micro-dollars the provider says the call would cost; nothing is made. `None` when it cannot tell.

        Raises: ProviderError.
        """
        adapter = ADAPTERS[access.provider.adapter]
        if not isinstance(adapter, QuoteAdapter):
            return None
        asking = adapter.quote(call)
        if asking is None:
            return None
        async with in_words(access):
            return adapter.parse_quote(await self.jobs.free(asking, access, adapter))

    # Sending

    async def _ended(
        self, errand: Errand, adapter: Adapter, deadline: float, on_event: OnEvent, claim: Claim
    ) -> ImageResult:
        """What the call ends with, or the job that it began."""
        own = adapter.own_job(errand.call_id, errand.call) if isinstance(adapter, JobAdapter) else None
        if own is not None:
            await claim(own)
        lost: ProviderError | None = None
        try:
            answer = await self._with_retries(errand, adapter, deadline, on_event)
            if own is None:
                await _claim_job(answer, claim)
            elif isinstance(answer, Pending):
                answer = replace(answer, job=own)
        except ProviderError as error:
            job = await self._behind(error, errand, adapter, own, claim, on_event)
            if job is None:
                raise
            lost, answer = error, Pending(job)
        if isinstance(answer, ImageResult):
            return answer
        try:
            at_once = lost is not None and own is None
            return await self.jobs.followed(answer, errand.access, deadline, on_event, at_once=at_once)
        except JobUnknown:
            if lost is None:
                raise
            # What became of the call says more than that it began no job.
            raise lost from None

    async def _behind(
        self,
        error: ProviderError,
        errand: Errand,
        adapter: Adapter,
        own: Job | None,
        claim: Claim,
        on_event: OnEvent,
    ) -> Job | None:
        """The job that may be carried out although the answer to its call was lost, or named another call's job."""
        if not error.may_have_been_billed or not isinstance(adapter, JobAdapter):
            return None
        return own or await self.find(errand, claim, on_event)

    async def _with_retries(
        self, errand: Errand, adapter: Adapter, deadline: float, on_event: OnEvent
    ) -> ImageResult | Pending:
        loop = asyncio.get_running_loop()
        call, access = errand.call, errand.access
        throttle = self._throttle(access)
        attempt, tries, taken = 0, 0, throttle.taken
        while True:
            attempt, tries = attempt + 1, tries + 1
            await self._wait_turn(throttle.turn_s(), deadline)
            await on_event(Sending(attempt))
            try:
                until = min(deadline, loop.time() + adapter.submit_s) if isinstance(adapter, JobAdapter) else deadline
                answer = await self._once(call, access, adapter, until, on_event)
            except _Refused as refused:
                # The provider did nothing; the smaller call is another one, and is sent once.
                call = refused.simpler
            except ProviderError as error:
                if isinstance(error, RateLimited) and throttle.taken != taken:
                    # Others of this key got through meanwhile: the line moves, and this call is only not yet first in it.
                    tries, taken = 1, throttle.taken
                wait = self._wait_before(error, tries)
                if wait is None:
                    raise
                if loop.time() + wait >= deadline:
                    raise _too_late(error) from error
                if isinstance(error, RateLimited):
                    throttle.slow_down(wait)
                await on_event(Waiting(wait, error.message.replace("{provider}", access.provider.name)))
                await self._sleep(wait)
            else:
                throttle.taken += 1
                return answer

    async def _wait_turn(self, seconds: float, deadline: float) -> None:
        if not seconds:
            return
        if asyncio.get_running_loop().time() + seconds >= deadline:
            raise TimedOut(
                "{provider} takes calls slowly, and the time limit ended before this one's turn. Nothing was sent."
            )
        await self._sleep(seconds)

    def _throttle(self, access: Access) -> Throttle:
        name = (access.provider.provider_id, access.key)
        if name not in self._throttles:
            self._throttles = {key: held for key, held in self._throttles.items() if not held.is_idle}
            self._throttles[name] = Throttle(asyncio.get_running_loop().time)
        return self._throttles[name]

    def _wait_before(self, error: ProviderError, attempt: int) -> float | None:
        """Seconds until the next try, or `None` when there must be none."""
        never_ran = isinstance(error, RateLimited | ConnectionFailed) or (
            isinstance(error, ProviderDown) and error.status == 503
        )
        if not (never_ran and error.retryable) or error.may_have_been_billed:
            return None
        return self._pause_before(error, attempt)

    def _pause_before(self, error: ProviderError, attempt: int) -> float | None:
        """Seconds between this try and the next one: those asked for, or a growing guess; `None` when it is the last."""
        if attempt >= MAX_TRIES:
            return None
        asked = error.retry_after_s or 0.0
        if asked > MAX_WAIT_S:
            return None
        guess = min(_LONGEST_GUESS_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
        return max(asked, self._rng.uniform(guess / 2, guess))

    async def _once(
        self, call: HttpCall, access: Access, adapter: Adapter, deadline: float, on_event: OnEvent
    ) -> ImageResult | Pending:
        async with self._transport.open(call, access, deadline) as opened:
            await on_event(Answering())
            if not 200 <= opened.status < 300:
                refusal = cleaned(await read_error(opened), access)
                simpler = adapter.simpler(call, refusal)
                if simpler is not None:
                    raise _Refused(simpler)
                raise adapter.parse_error(refusal)
            if opened.headers.get("content-type", "").startswith("text/event-stream"):
                return await read_stream(opened, adapter, access, on_event)
            reply = await read_all(opened)
        return await off_loop(len(reply.body), lambda: adapter.parse(cleaned(reply, access)))

    async def _uploaded(
        self, call: HttpCall, access: Access, adapter: Adapter, deadline: float, on_event: OnEvent
    ) -> HttpCall:
        """The call with its large files uploaded. That costs nothing, so a failure never does either."""
        if not access.upload_url or not isinstance(adapter, UploadAdapter):
            return call
        addresses: dict[str, str] = {}
        for file in attachments(call):
            steps = adapter.upload(file)
            try:
                step = next(steps)
                while True:
                    step = steps.send(await self._upload_step(step, access, adapter, deadline, on_event))
            except StopIteration as done:
                addresses[file.sha256] = str(done.value)
            except ProviderError as error:
                error.may_have_been_billed = False
                error.message = f"An input image could not be uploaded. {error.message}"
                raise
        return with_uploads(call, addresses) if addresses else call

    async def _upload_step(
        self, step: HttpCall, access: Access, adapter: Adapter, deadline: float, on_event: OnEvent
    ) -> Reply:
        """The answer to one call of an upload. Tried again whatever broke it, where that can help: nothing is paid for yet."""
        loop = asyncio.get_running_loop()
        tries = 0
        while True:
            tries += 1
            try:
                return await self.jobs.free(step, access, adapter, deadline)
            except ProviderError as error:
                wait = self._pause_before(error, tries) if error.retryable else None
                if wait is None or loop.time() + wait >= deadline:
                    raise
                words = worded(error, access).message
                await on_event(Waiting(wait, f"An input image could not be uploaded yet. {words}"))
                await self._sleep(wait)

    async def _fetched(self, result: ImageResult, access: Access, on_event: OnEvent) -> ImageResult:
        """The result without addresses: every image that lay at one is fetched at once and told, with those beside it."""
        if not any(isinstance(image, RemoteImage) for image in result.images):
            return result
        await on_event(Fetching(len(result.images)))
        places = asyncio.Semaphore(_FETCHES_AT_ONCE)

        async def fetch(position: int, image: GeneratedImage | RemoteImage) -> ProviderError | None:
            try:
                async with places:
                    await on_event(ImageArrived(await self._image(image, access), position))
            except ProviderError as error:
                return error
            return None

        failures = await asyncio.gather(*(fetch(position, image) for position, image in enumerate(result.images)))
        missing = tuple(error for error in failures if error)
        return replace(
            result, images=(), failures=(*result.failures, *missing), made=max(result.made, len(result.images))
        )

    async def _image(self, image: GeneratedImage | RemoteImage, access: Access) -> GeneratedImage:
        if isinstance(image, GeneratedImage):
            return image
        file = await self._transport.fetcher.fetch(image.url, access.base_url, access.fetch_rules)
        said = said_type_of(file.content_type)
        return GeneratedImage(file.data, image.seed, image.revised_prompt, image.is_flagged, said)


class _Refused(Exception):
    """The provider refused the call, and a smaller one may do."""

    def __init__(self, simpler: HttpCall) -> None:
        super().__init__()
        self.simpler = simpler


async def _claim_job(answer: ImageResult | Pending, claim: Claim) -> None:
    """Claims the job that an answer names. Raises: MalformedReply when another call has it."""
    if answer.job is not None and not await claim(answer.job):
        raise MalformedReply("{provider} answered with a job that another call has.", may_have_been_billed=True)


def _too_late(error: ProviderError) -> TimedOut:
    return TimedOut(
        "The time limit ended while waiting to send again. Nothing was run. " + error.message,
        status=error.status,
        retry_after_s=error.retry_after_s,
    )
