"""One call to one offer, from the request to the images: build, send, retry where that is safe, parse.

What happens on the way is told to `on_event`, awaited in order. The client keeps nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from providers.adapter import Adapter, HttpCall
from providers.adapters import ADAPTERS
from providers.errors import ConnectionFailed, MalformedReply, ProviderDown, ProviderError, RateLimited, TimedOut
from providers.redact import without_keys
from providers.sse import EventParser
from providers.transport import MAX_ERROR_BYTES, MAX_REPLY_BYTES, Access, Opened, Transport, read_all
from providers.types import Answered, GeneratedImage, ImageResult, PartialImage, Usage

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
    """A finished image, `position` counted from 0 in the order of arrival."""

    image: GeneratedImage
    position: int


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
        """The images of one paid call; each is told to `on_event` as it arrives.

        Sent again only when it certainly never ran. `timeout_s` bounds everything, waiting between tries included.

        Raises: ProviderError, whose `may_have_been_billed` says whether money may be gone. Images told before stay told.
        """
        adapter = ADAPTERS[access.provider.adapter]
        try:
            return await self._with_retries(call, access, adapter, timeout_s, on_event)
        except ProviderError as error:
            error.provider = access.provider.name
            error.message = without_keys(error.message.replace("{provider}", access.provider.name), access.key)
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
        if attempt == MAX_TRIES or not never_ran or error.may_have_been_billed:
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
                raise adapter.parse_error(await read_all(opened, MAX_ERROR_BYTES))
            if opened.headers.get("content-type", "").startswith("text/event-stream"):
                return await _read_stream(opened, adapter, on_event)
            reply = await read_all(opened)
        parse = asyncio.to_thread(adapter.parse, reply) if len(reply.body) > _OFF_LOOP_BYTES else None
        result = await parse if parse else adapter.parse(reply)
        for position, image in enumerate(result.images):
            await on_event(ImageArrived(image, position))
        return result


async def _read_stream(opened: Opened, adapter: Adapter, on_event: OnEvent) -> ImageResult:
    """The result of a stream that ends after at least one finished image.

    An error after the first preview may have been billed, whatever it is: work was done.
    """
    collected = _Collected()
    try:
        async for name, data in _events(opened):
            await _take_event(name, data, opened.headers, adapter, collected, on_event)
    except ProviderError as error:
        error.may_have_been_billed |= collected.has_any
        raise
    if not collected.images:
        raise MalformedReply(
            "The stream ended without a finished image.",
            request_id=opened.headers.get("x-request-id"),
            may_have_been_billed=True,
        )
    return ImageResult(tuple(collected.images), _merged(collected.answers))


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
    images: list[GeneratedImage] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    has_any: bool = False
    """Whether an image or a preview came."""


async def _take_event(
    name: str,
    data: bytes,
    headers: Mapping[str, str],
    adapter: Adapter,
    collected: _Collected,
    on_event: OnEvent,
) -> None:
    if len(data) > _OFF_LOOP_BYTES:
        items = await asyncio.to_thread(adapter.parse_event, name, data, headers)
    else:
        items = adapter.parse_event(name, data, headers)
    for item in items:
        collected.has_any |= not isinstance(item, Answered)
        if isinstance(item, PartialImage):
            await on_event(PartialImage(item.data, len(collected.images), item.partial_position))
        elif isinstance(item, GeneratedImage):
            collected.images.append(item)
            await on_event(ImageArrived(item, len(collected.images) - 1))
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
    )
