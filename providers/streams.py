"""Reading an answer that comes as server-sent events: previews and images as they arrive, usage summed at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from providers.adapter import Adapter, Reply, StreamItem
from providers.client_events import ImageArrived, OnEvent
from providers.errors import MalformedReply, ProviderError
from providers.sse import Event, EventParser
from providers.transport import MAX_REPLY_BYTES, Access, Opened
from providers.types import Answered, GeneratedImage, ImageResult, PartialImage, Usage

T = TypeVar("T")

_OFF_LOOP_BYTES = 256 * 2**10
"""Answers larger than this are parsed in a thread, so that the event loop stays free."""


async def off_loop(size_bytes: int, work: Callable[[], T]) -> T:
    """What `work` returns; in a thread when there is much to read."""
    return await asyncio.to_thread(work) if size_bytes > _OFF_LOOP_BYTES else work()


async def read_stream(opened: Opened, adapter: Adapter, access: Access, on_event: OnEvent) -> ImageResult:
    """The result of a stream that ends after at least one finished image, readable or not.

    An error after the first preview may have been billed, whatever it is: work was done.
    """
    collected = _Collected()
    try:
        async for event in _events(opened):
            reply = Reply(200, opened.headers, access.clean(event.data), event.files)
            items = await off_loop(len(event.data), partial(adapter.parse_event, event.name, reply))
            await _take_items(items, collected, on_event)
            # What was handed on is not held beside the next one.
            del event, reply, items
    except ProviderError as error:
        error.may_have_been_billed |= collected.has_any
        raise
    if not collected.count and not collected.failures:
        raise MalformedReply(
            "The stream ended without a finished image.",
            request_id=opened.headers.get("x-request-id"),
            may_have_been_billed=True,
        )
    answered = _merged(collected.answers)
    if not collected.count and answered.usage is None and answered.cost_microusd is None:
        raise collected.failures[0]
    return ImageResult((), answered, tuple(collected.failures), made=len(collected.answers))


async def _events(opened: Opened) -> AsyncIterator[Event]:
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
    failures: list[MalformedReply] = field(default_factory=list)
    has_any: bool = False
    """Whether an image or a preview came."""


async def _take_items(items: Sequence[StreamItem], collected: _Collected, on_event: OnEvent) -> None:
    for item in items:
        collected.has_any |= not isinstance(item, Answered)
        if isinstance(item, PartialImage):
            await on_event(PartialImage(item.data, collected.count, item.partial_position))
        elif isinstance(item, GeneratedImage):
            collected.count += 1
            await on_event(ImageArrived(item, collected.count - 1))
        elif isinstance(item, MalformedReply):
            collected.failures.append(item)
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
