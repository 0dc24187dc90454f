"""One call to one offer, from the request to the images: build, send, retry where that is safe, parse.

What happens on the way is told to `on_event`, awaited in order. The client keeps nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from providers.adapter import Adapter, HttpCall, Reply, StreamItem
from providers.adapters import ADAPTERS
from providers.errors import ConnectionFailed, MalformedReply, ProviderDown, ProviderError, RateLimited, TimedOut
from providers.redact import bytes_without_key, without_keys
from providers.sse import EventParser
from providers.transport import MAX_REPLY_BYTES, Access, Opened, Transport, read_all, read_error
from providers.types import Answered, GeneratedImage, ImageResult, PartialImage, Usage

T = TypeVar("T")

MAX_TRIES = 4
MAX_WAIT_S = 60.0
"""A provider that asks to wait longer is reported instead of waited for."""
_FIRST_WAIT_S, _LONGEST_GUESS_S = 1.0, 20.0
_OFF_LOOP_BYTES = 256 * 2**10
"""Answers larger than this are parsed in a thread, so that the event loop stays free."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A try begins; from here on the call may be billed."""

    attempt: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The call was not taken and is sent again after `seconds`; nothing was billed."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class ImageArrived:
    """A finished image of a stream."""

    image: GeneratedImage


ClientEvent = Sending | Waiting | PartialImage | ImageArrived
OnEvent = Callable[[ClientEvent], Awaitable[None]]


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

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    async def generate(self, call: HttpCall, access: Access, *, timeout_s: float, on_event: OnEvent) -> ImageResult:
        """The images of one paid call. Of a stream each is told to `on_event` as it arrives, and is not in the result.

        Sent again only when it certainly never ran. `timeout_s` bounds everything, waiting between tries included.

        Raises: ProviderError, whose `may_have_been_billed` says whether money may be gone. Images told before stay told.
        """
        adapter = ADAPTERS[access.provider.adapter]
        try:
            return await self._with_retries(call, access, adapter, timeout_s, on_event)
        except ProviderError as error:
            error.provider = access.provider.name
            error.message = without_keys(error.message.replace("{provider}", access.provider.name), access.key)
            error.param = without_keys(error.param, access.key) if error.param else None
            error.args = (error.message,)
            raise

    async def _with_retries(
        self, call: HttpCall, access: Access, adapter: Adapter, timeout_s: float, on_event: OnEvent
    ) -> ImageResult:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        for attempt in range(1, MAX_TRIES + 1):
            await on_event(Sending(attempt))
            try:
                return await self._once(call, access, adapter, deadline, on_event)
            except ProviderError as error:
                wait = self._wait_before(error, attempt)
                if wait is None:
                    raise
                if loop.time() + wait >= deadline:
                    raise TimedOut(
                        "The time limit ended while waiting to send again. Nothing was run. " + error.message,
                        status=error.status,
                        retry_after_s=error.retry_after_s,
                    ) from error
                await on_event(Waiting(wait, error.message.replace("{provider}", access.provider.name)))
                await self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _wait_before(self, error: ProviderError, attempt: int) -> float | None:
        """Seconds until the next try, or `None` when there must be none."""
        never_ran = isinstance(error, RateLimited | ConnectionFailed) or (
            isinstance(error, ProviderDown) and error.status == 503
        )
        if attempt == MAX_TRIES or not (never_ran and error.retryable) or error.may_have_been_billed:
            return None
        asked = error.retry_after_s or 0.0
        if asked > MAX_WAIT_S:
            return None
        guess = min(_LONGEST_GUESS_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
        return max(asked, self._rng.uniform(guess / 2, guess))

    async def _once(
        self, call: HttpCall, access: Access, adapter: Adapter, deadline: float, on_event: OnEvent
    ) -> ImageResult:
        async with self._transport.open(call, access, deadline) as opened:
            if not 200 <= opened.status < 300:
                raise adapter.parse_error(_cleaned(await read_error(opened), access.key))
            if opened.headers.get("content-type", "").startswith("text/event-stream"):
                return await _read_stream(opened, adapter, access.key, on_event)
            reply = await read_all(opened)
        return await _off_loop(len(reply.body), lambda: adapter.parse(_cleaned(reply, access.key)))


def _cleaned(reply: Reply, key: str | None) -> Reply:
    """The answer without the key, should the provider repeat it; headers were cleaned as they came."""
    return replace(reply, body=bytes_without_key(reply.body, key))


async def _off_loop(size_bytes: int, work: Callable[[], T]) -> T:
    """What `work` returns; in a thread when there is much to read."""
    return await asyncio.to_thread(work) if size_bytes > _OFF_LOOP_BYTES else work()


async def _read_stream(opened: Opened, adapter: Adapter, key: str | None, on_event: OnEvent) -> ImageResult:
    """The result of a stream that ends after at least one finished image.

    An error after the first preview may have been billed, whatever it is: work was done.
    """
    collected = _Collected()
    try:
        async for name, data in _events(opened):
            cleaned = bytes_without_key(data, key)
            items = await _off_loop(len(data), partial(adapter.parse_event, name, cleaned, opened.headers))
            await _take_items(items, collected, on_event)
    except ProviderError as error:
        error.may_have_been_billed |= collected.has_any
        raise
    if not collected.count:
        raise MalformedReply(
            "The stream ended without a finished image.",
            request_id=opened.headers.get("x-request-id"),
            may_have_been_billed=True,
        )
    return ImageResult((), _merged(collected.answers))


async def _events(opened: Opened) -> AsyncIterator[tuple[str, bytes]]:
    parser, size = EventParser(), 0
    async for chunk in opened.chunks:
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise MalformedReply("The stream is too large and was not read to its end.", may_have_been_billed=True)
        for event in parser.feed(chunk):
            yield event
    for event in parser.close():
        yield event


@dataclass(slots=True)
class _Collected:
    count: int = 0
    """Finished images; their bytes are handed on, not held."""
    answers: list[Answered] = field(default_factory=list)
    has_any: bool = False
    """Whether an image or a preview came."""


async def _take_items(items: Sequence[StreamItem], collected: _Collected, on_event: OnEvent) -> None:
    for item in items:
        collected.has_any |= not isinstance(item, Answered)
        if isinstance(item, PartialImage):
            await on_event(PartialImage(item.data, collected.count, item.partial_position))
        elif isinstance(item, GeneratedImage):
            collected.count += 1
            await on_event(ImageArrived(item))
        else:
            collected.answers.append(item)


def _merged(answers: list[Answered]) -> Answered:
    """What the stream said in all: the last word on settings, the sum of tokens and cost."""
    usages = [answer.usage for answer in answers]
    costs = [answer.cost_microusd for answer in answers]
    return Answered(
        got=answers[-1].got,
        usage=_sum_of_usages([usage for usage in usages if usage]) if all(usages) else None,
        cost_microusd=sum(cost for cost in costs if cost is not None) if None not in costs else None,
        request_id=answers[-1].request_id,
    )


def _sum_of_usages(usages: list[Usage]) -> Usage:
    def total(values: list[int | None]) -> int | None:
        return None if None in values else sum(value for value in values if value is not None)

    return Usage(
        text_input_tokens=total([usage.text_input_tokens for usage in usages]),
        image_input_tokens=total([usage.image_input_tokens for usage in usages]),
        output_tokens=total([usage.output_tokens for usage in usages]),
        text_output_tokens=total([usage.text_output_tokens or 0 for usage in usages]),
        input_tokens=total([usage.input_tokens for usage in usages]),
    )
