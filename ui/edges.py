"""Where any error becomes an answer: what lies beyond could only say that something failed, or say nothing.

For routes, endpoints, tools, and handlers of the page that show an error in its own place; where a passing notice is enough,
`components.bound` makes one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
T = TypeVar("T")
Instead = TypeVar("Instead")


async def at_edge(work: Awaitable[T], told: Callable[[Exception], Instead]) -> T | Instead:
    """The answer, or what `told` makes of the error; it logs, or raises on, what nobody foresaw."""
    try:
        return await work
    # Whatever it is: somebody waits for an answer, and nothing beyond this line could give one in the form they read. What
    # nobody foresaw stays no secret: `told` logs it, or raises it on. To be cancelled is no `Exception`, so it passes.
    except Exception as error:  # noqa: BLE001
        return told(error)


def edged(handler: Callable[Given, Awaitable[T]], told: Callable[[Exception], T]) -> Callable[Given, Awaitable[T]]:
    """The handler of a route with `told` at its edge."""

    async def call(*args: Given.args, **named: Given.kwargs) -> T:
        return await at_edge(handler(*args, **named), told)

    return call
