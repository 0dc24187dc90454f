"""Where any error becomes an answer: what lies beyond could only say that something failed, or say nothing.

For routes, endpoints, tools, and handlers of the page that show an error in its own place; where a passing notice is enough,
`components.bound` makes one.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, ParamSpec, TypeVar

Given = ParamSpec("Given")
T = TypeVar("T")
Instead = TypeVar("Instead")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told(Generic[Instead]):
    """What is said of an error."""

    shown: Instead
    """In the form whoever waits can read."""
    is_fault: bool = False
    """Whether nobody foresaw it, so that the log gets its traceback."""


async def at_edge(work: Awaitable[T], told_of: Callable[[Exception], Told[Instead]]) -> T | Instead:
    """The answer, or what `told_of` makes of the error, whatever it is; to be cancelled passes."""
    try:
        return await work
    except Exception as error:
        told = told_of(error)
        if told.is_fault:
            log.error("a fault in this program", exc_info=error)
        return told.shown


def edged(
    handler: Callable[Given, Awaitable[T]], told_of: Callable[[Exception], Told[T]]
) -> Callable[Given, Awaitable[T]]:
    """The handler of a route with `told_of` at its edge."""

    async def call(*args: Given.args, **named: Given.kwargs) -> T:
        return await at_edge(handler(*args, **named), told_of)

    return call
