"""What a call tells on its way, awaited in order by whoever makes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from providers.types import GeneratedImage, Job, PartialImage


@dataclass(frozen=True, slots=True)
class Sending:
    """A try begins; from here on the call may be billed."""

    attempt: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True)
class Answering:
    """The head of an answer has come, whatever it says; of a call that is sent again, one for each try."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The call was not taken and is sent again after `seconds`; nothing was billed."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What the provider says about a job that has not ended."""

    words: str
    has_begun: bool = False
    """Whether it is being worked on."""


@dataclass(frozen=True, slots=True)
class ImageArrived:
    """A finished image of a stream, or one that was fetched."""

    image: GeneratedImage
    position: int
    """0-based place among the images of the call."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """The job has ended well; its images are fetched."""

    count: int


ClientEvent = Sending | Answering | Waiting | Progress | PartialImage | Fetching | ImageArrived
OnEvent = Callable[[ClientEvent], Awaitable[None]]
Claim = Callable[[Job], Awaitable[bool]]
"""Keeps the job's id before it is asked for; `False` when another call has it already."""


async def unclaimed(_job: Job) -> bool:
    """For callers that keep no ids."""
    return True


async def unheard(_event: ClientEvent) -> None:
    """For callers that follow nothing."""
