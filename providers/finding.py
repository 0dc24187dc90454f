"""A job whose call had no usable answer, found again in the provider's list of jobs. Nothing is sent that costs anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from providers.adapter import HttpCall, JobAdapter, Reply
from providers.adapters import ADAPTERS
from providers.client_events import Claim, OnEvent, Progress
from providers.errors import ProviderError
from providers.jobs import Jobs
from providers.transport import Access
from providers.types import Job

_FIRST_WAIT_S, _LONGEST_GUESS_S, _LONGEST_ASKED_S = 1.0, 20.0, 60.0
"""Between two looks: the wait doubles up to the longest, unless the provider asks for more."""
_MOST_PAGES = 20
"""So many pages of a list are read in one look."""
_WORDS = "its answer was lost; the job is looked for"


@dataclass(frozen=True, slots=True)
class Errand:
    """A call that is to be made, and what is known about it."""

    call: HttpCall
    access: Access
    timeout_s: float
    call_id: str = ""
    """The id of our own that stands in the call."""
    sent: Mapping[str, object] | None = None
    """Its `call_document`, to find it again in a provider's list."""
    sent_at: str = ""
    """When it is sent, UTC text."""


async def find_job(
    jobs: Jobs,
    sleep: Callable[[float], Awaitable[None]],
    errand: Errand,
    claim: Claim,
    on_event: OnEvent,
    looks: int | None,
) -> Job | None:
    """The job of the call, claimed; `None` when it is not in the list, or there is no list.

    The list is read up to `looks` times, where nothing is said as often as its wire format says: it may be behind, and one
    answer of it may be lost like the other. A list that is refused for good is not asked for again.
    """
    adapter = ADAPTERS[errand.access.provider.adapter]
    if not isinstance(adapter, JobAdapter) or errand.sent is None:
        return None
    sent = {**errand.sent, "path": errand.call.path}
    listing = adapter.find(sent, errand.sent_at)
    if listing is None or (listing.base == "jobs" and errand.access.jobs_url is None):
        return None
    asked_wait_s = 0.0
    for look in range(adapter.find_looks if looks is None else looks):
        if look:
            await on_event(Progress(_WORDS))
            guess_s = min(_FIRST_WAIT_S * 2 ** (look - 1), _LONGEST_GUESS_S)
            await sleep(max(guess_s, min(asked_wait_s, _LONGEST_ASKED_S)))
        try:
            job = await _look(jobs, listing, errand, sent, adapter, claim)
        except ProviderError as error:
            if not error.retryable and error.status is not None:
                return None
            asked_wait_s = error.retry_after_s or 0.0
        else:
            if job is not None:
                return job
            asked_wait_s = 0.0
    return None


async def _look(
    jobs: Jobs, listing: HttpCall, errand: Errand, sent: Mapping[str, object], adapter: JobAdapter, claim: Claim
) -> Job | None:
    """The job in the list as it is now; claimed. Raises: ProviderError when a page of it cannot be read."""
    page: HttpCall | None = listing
    for _ in range(_MOST_PAGES):
        if page is None:
            break
        reply = await jobs.free(page, errand.access, adapter)
        # In a thread however short the answer is: the files in it, of many megabytes, are compared by their hashes.
        found, page = await asyncio.to_thread(_read, adapter, listing, reply, sent, errand.sent_at)
        for job in found:
            if await claim(job):
                return job
    return None


def _read(
    adapter: JobAdapter, listing: HttpCall, reply: Reply, sent: Mapping[str, object], sent_at: str
) -> tuple[Sequence[Job], HttpCall | None]:
    """The jobs of a page that may be the call's, and the page after it."""
    return adapter.parse_found(reply, sent, sent_at), adapter.further(listing, reply)
