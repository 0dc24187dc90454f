"""Calls that cost nothing: asking for jobs until they end, and ending them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from providers.adapter import Adapter, FetchedJobs, HttpCall, JobAdapter, Reply, ResultCall
from providers.adapters import ADAPTERS
from providers.adapters.replies import json_or_empty
from providers.client_events import OnEvent, Progress
from providers.errors import ConnectionFailed, JobCancelled, JobUnknown, MalformedReply, ProviderError, TimedOut
from providers.streams import off_loop
from providers.transport import Access, Transport, read_all, read_error
from providers.types import ImageResult, Job, Pending, StopEnd

FREE_CALL_S = 30.0
"""For a call that costs nothing: a poll, a key check, a price check."""
MAX_POLL_WAIT_S = 60.0
_UNCLEAR_POLLS, _UNCLEAR_S = 5, 60.0
"""So often, and so long, a job may be unknown or its answers unreadable before it is given up: it may still be on its way
there, and a proxy may have answered."""
_LAST_LOOKS = 3
"""So often a job is asked for after it was told to end."""


class Jobs:
    """Makes free calls through a transport."""

    def __init__(self, transport: Transport, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._transport = transport
        self._sleep = sleep

    async def free(
        self,
        call: HttpCall,
        access: Access,
        adapter: Adapter,
        deadline: float | None = None,
        *,
        any_status: bool = False,
    ) -> Reply:
        """The answer to a free call. Raises: ProviderError, the refusal included unless `any_status`."""
        until = deadline or asyncio.get_running_loop().time() + FREE_CALL_S
        async with self._transport.open(call, access, until) as opened:
            if 200 <= opened.status < 300:
                return cleaned(await read_all(opened), access)
            refusal = cleaned(await read_error(opened), access)
        if any_status:
            return refusal
        raise adapter.parse_error(refusal)

    async def stop(self, job: Job, access: Access, *, had_begun: bool = False) -> ImageResult | StopEnd:
        """Ends a job. Its result, when it had ended with images all the same; else whether it costs anything."""
        adapter = _job_adapter(access)
        call = adapter.cancel(job)
        if call is not None:
            try:
                reply = await self.free(call, access, adapter)
                if adapter.is_cancelled(reply):
                    return "begun" if had_begun or adapter.has_begun(reply) else "free"
            except ProviderError:
                call = None
        so_far: ImageResult | None = None
        for _ in range(_LAST_LOOKS if call is not None else 1):
            try:
                last = await self._asked(job, access, adapter)
            except JobCancelled as error:
                return "begun" if had_begun or error.has_begun else "free"
            except ProviderError as error:
                return "unsure" if error.may_have_been_billed else "free"
            except _PollFailed:
                return "unsure"
            if isinstance(last, ImageResult):
                return last
            so_far = last.so_far or so_far
            await self._sleep(adapter.pace.first_s)
        return _with_error(so_far, _unfinished()) if so_far else "unsure"

    async def followed(
        self,
        pending: Pending,
        access: Access,
        deadline: float,
        on_event: OnEvent,
        *,
        at_once: bool = False,
    ) -> ImageResult:
        """What the job ends with. A poll that fails is asked again until the time limit: it is free, and the job goes on.

        Images that are there while others are not are its result, should those never come.
        """
        seen = _Seen(pending.so_far)
        try:
            return await self._followed(pending, access, deadline, on_event, seen, at_once=at_once)
        except ProviderError as error:
            if seen.so_far is None:
                raise
            return _with_error(seen.so_far, error)

    async def _followed(
        self,
        pending: Pending,
        access: Access,
        deadline: float,
        on_event: OnEvent,
        seen: _Seen,
        *,
        at_once: bool,
    ) -> ImageResult:
        loop, adapter = asyncio.get_running_loop(), _job_adapter(access)
        pause, waited, unclear = (0.0 if at_once else adapter.pace.first_s), 0.0, _Unclear()
        limit, has_begun = deadline - loop.time(), pending.has_begun
        await on_event(Progress(pending.words, has_begun))
        while True:
            waited += pause
            if loop.time() + pause >= deadline or waited >= limit:
                # What the last answers lacked says more than that they were the last.
                raise unclear.error or TimedOut(
                    "{provider} had not finished the job within the time limit, and may have billed it.",
                    may_have_been_billed=True,
                )
            await self._sleep(pause)
            pause = min(max(pause, adapter.pace.first_s) * adapter.pace.factor, adapter.pace.longest_s)
            try:
                now = await self._asked(pending.job, access, adapter)
            except (JobUnknown, MalformedReply) as error:
                if unclear.lasts(error, waited):
                    raise
            except JobCancelled as error:
                error.has_begun |= has_begun
                raise
            except _PollFailed as failed:
                pause = max(pause, min(failed.wait_s, MAX_POLL_WAIT_S))
            else:
                if isinstance(now, ImageResult):
                    return now
                unclear = _Unclear()
                has_begun |= now.has_begun
                seen.note(now.so_far)
                await on_event(Progress(now.words, has_begun))

    async def _asked(self, job: Job, access: Access, adapter: JobAdapter) -> ImageResult | Pending:
        """How the job stands. Raises: the error it ended with; JobUnknown; _PollFailed when asking again can help."""
        reply = await self._poll(adapter.poll(job), access, adapter)
        if not 200 <= reply.status < 300:
            raise _poll_error(reply, adapter)
        if not isinstance(adapter, FetchedJobs):
            return await off_loop(len(reply.body), partial(adapter.parse_poll, reply, job))
        says = await off_loop(len(reply.body), partial(adapter.parse_poll, reply, job))
        if not isinstance(says, HttpCall):
            return says
        result = await self._poll(says, access, adapter)
        told = says.error if isinstance(says, ResultCall) else None
        if told is not None and result.status != 429:
            return await off_loop(len(result.body), partial(_result_unless, told, result, job, adapter))
        if result.status == 429 or (result.status >= 500 and not json_or_empty(result.body)):
            # A proxy's page, not the provider's word on the job.
            raise _PollFailed(_asked_wait_s(result, adapter))
        return await off_loop(len(result.body), partial(adapter.parse_result, result, job))

    async def _poll(self, call: HttpCall, access: Access, adapter: Adapter) -> Reply:
        try:
            return await self.free(call, access, adapter, any_status=True)
        except (ConnectionFailed, TimedOut):
            raise _PollFailed(0.0) from None


def _job_adapter(access: Access) -> JobAdapter:
    adapter = ADAPTERS[access.provider.adapter]
    if not isinstance(adapter, JobAdapter):
        raise TypeError(f"the wire format {access.provider.adapter!r} has no jobs")
    return adapter


class _PollFailed(Exception):
    """A poll had no usable answer; asking again can help."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


@dataclass(slots=True)
class _Seen:
    """What a job that goes on has shown."""

    so_far: ImageResult | None

    def note(self, so_far: ImageResult | None) -> None:
        """Remembers the images of an answer, unless an earlier one had more of them."""
        known = len(self.so_far.images) if self.so_far else 0
        if so_far is not None and len(so_far.images) >= known:
            self.so_far = so_far


def _with_error(so_far: ImageResult, error: ProviderError) -> ImageResult:
    """The images that are there, and why no others came: that first, because it may be about money."""
    return replace(so_far, failures=(error, *so_far.failures))


def _unfinished() -> TimedOut:
    return TimedOut(
        "{provider} had not finished the others, and may make and bill them all the same.", may_have_been_billed=True
    )


@dataclass(slots=True)
class _Unclear:
    """Polls in a row that told nothing about the job."""

    polls: int = 0
    since_s: float = 0.0
    error: ProviderError | None = None
    """What was wrong with the last one."""

    def lasts(self, error: ProviderError, waited_s: float) -> bool:
        """Counts one more, after `waited_s` seconds of waiting for the job; whether it is time to give up."""
        if not self.polls:
            self.since_s = waited_s
        self.polls += 1
        self.error = error
        return self.polls >= _UNCLEAR_POLLS and waited_s - self.since_s >= _UNCLEAR_S


def _result_unless(told: ProviderError, result: Reply, job: Job, adapter: FetchedJobs) -> ImageResult:
    """The result of a job that ended with the error `told`. Raises: the result's own where it says how the job ended."""
    try:
        return adapter.parse_result(result, job)
    except ProviderError as error:
        if error.may_have_been_billed:
            raise told from error
        raise


def _asked_wait_s(reply: Reply, adapter: Adapter) -> float:
    """Seconds a refused poll asks to wait, in its headers or as the provider writes it into the body."""
    return adapter.parse_error(reply).retry_after_s or 0.0


def _poll_error(reply: Reply, adapter: Adapter) -> Exception:
    """What a poll's refusal means. The job is there, so whatever is said, it may have been billed."""
    if reply.status in (408, 429) or reply.status >= 500:
        return _PollFailed(_asked_wait_s(reply, adapter))
    error = adapter.parse_error(reply)
    if reply.status == 404:
        error = JobUnknown("{provider} does not know the job it was given, and may have billed it.", status=404)
    error.may_have_been_billed = True
    return error


def cleaned(reply: Reply, access: Access) -> Reply:
    """The answer without the keys, should the provider repeat them; headers were cleaned as they came."""
    return replace(reply, body=access.clean(reply.body))


@asynccontextmanager
async def in_words(access: Access) -> AsyncIterator[None]:
    """Finishes an error's words: the provider's name in, keys out."""
    try:
        yield
    except ProviderError as error:
        worded(error, access)
        raise


def worded(error: ProviderError, access: Access) -> ProviderError:
    """The error with the provider's name in its words and without keys."""
    error.provider = access.provider.name
    error.message = access.clean_text(error.message.replace("{provider}", access.provider.name))
    error.param = access.clean_text(error.param) if error.param else None
    error.args = (error.message,)
    return error


def with_words(result: ImageResult, access: Access) -> ImageResult:
    """The result with the words of its failures finished."""
    return replace(result, failures=tuple(worded(failure, access) for failure in result.failures))
