"""Calls that cost nothing: asking for jobs until they end, and ending them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from providers.adapter import Adapter, HttpCall, Reply
from providers.adapters import ADAPTERS
from providers.adapters.replies import json_or_empty, retry_after_s
from providers.client_events import OnEvent, Progress
from providers.errors import ConnectionFailed, JobUnknown, MalformedReply, ProviderError, TimedOut
from providers.streams import off_loop
from providers.transport import Access, Transport, read_all, read_error
from providers.types import ImageResult, Job, Pending

FREE_CALL_S = 30.0
"""For a call that costs nothing: a poll, a key check, a price check."""
MAX_POLL_WAIT_S = 60.0
_UNCLEAR_POLLS = 5
"""So often a job may be unknown, or an answer unreadable, before it is given up: it may still be on its way there, and a
proxy may have answered."""
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

    async def stop(self, job: Job, access: Access) -> ImageResult | bool:
        """Ends a job. Its result, when it had ended with images all the same; else whether it certainly costs nothing."""
        adapter = ADAPTERS[access.provider.adapter]
        call = adapter.cancel(job)
        if call is not None:
            try:
                if adapter.is_cancelled(await self.free(call, access, adapter)):
                    return True
            except ProviderError:
                call = None
        for _ in range(_LAST_LOOKS if call is not None else 1):
            try:
                last = await self._asked(job, access, adapter)
            except ProviderError as error:
                return not error.may_have_been_billed
            except _PollFailed:
                return False
            if isinstance(last, ImageResult):
                return last
            await self._sleep(adapter.pace.first_s)
        return False

    async def followed(
        self,
        pending: Pending,
        access: Access,
        adapter: Adapter,
        deadline: float,
        on_event: OnEvent,
        *,
        at_once: bool = False,
    ) -> ImageResult:
        """What the job ends with. A poll that fails is asked again until the time limit: it is free, and the job goes on."""
        loop = asyncio.get_running_loop()
        pause, waited, unclear = (0.0 if at_once else adapter.pace.first_s), 0.0, 0
        limit = deadline - loop.time()
        await on_event(Progress(pending.words))
        while True:
            waited += pause
            if loop.time() + pause >= deadline or waited >= limit:
                raise TimedOut(
                    "{provider} had not finished the job within the time limit, and may have billed it.",
                    may_have_been_billed=True,
                )
            await self._sleep(pause)
            pause = min(max(pause, adapter.pace.first_s) * adapter.pace.factor, adapter.pace.longest_s)
            try:
                now = await self._asked(pending.job, access, adapter)
            except (JobUnknown, MalformedReply):
                unclear += 1
                if unclear >= _UNCLEAR_POLLS:
                    raise
            except _PollFailed as failed:
                pause = max(pause, min(failed.wait_s, MAX_POLL_WAIT_S))
            else:
                if isinstance(now, ImageResult):
                    return now
                await on_event(Progress(now.words))

    async def _asked(self, job: Job, access: Access, adapter: Adapter) -> ImageResult | Pending:
        """How the job stands. Raises: the error it ended with; JobUnknown; _PollFailed when asking again can help."""
        reply = await self._poll(adapter.poll(job), access, adapter)
        if not 200 <= reply.status < 300:
            raise _poll_error(reply, adapter)
        says = await off_loop(len(reply.body), lambda: adapter.parse_poll(reply, job))
        if not isinstance(says, HttpCall):
            return says
        result = await self._poll(says, access, adapter)
        if result.status == 429 or (result.status >= 500 and not json_or_empty(result.body)):
            # A proxy's page, not the provider's word on the job.
            raise _PollFailed(retry_after_s(result.headers) or 0.0)
        return await off_loop(len(result.body), lambda: adapter.parse_result(result, job))

    async def _poll(self, call: HttpCall, access: Access, adapter: Adapter) -> Reply:
        try:
            return await self.free(call, access, adapter, any_status=True)
        except (ConnectionFailed, TimedOut):
            raise _PollFailed(0.0) from None


class _PollFailed(Exception):
    """A poll had no usable answer; asking again can help."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


def _poll_error(reply: Reply, adapter: Adapter) -> Exception:
    """What a poll's refusal means. The job is there, so whatever is said, it may have been billed."""
    if reply.status in (408, 429) or reply.status >= 500:
        return _PollFailed(retry_after_s(reply.headers) or 0.0)
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
