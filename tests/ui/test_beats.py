"""When a watcher of runs looks at the store again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import pytest

from playground.events import RunEvent, What
from ui.pages.playground.beats import GATHER_AT_MOST_S, PAINT_S, SHOW_EVERY_S, beats


async def _news(rounds: Sequence[tuple[float, What, Sequence[str]]]) -> AsyncIterator[RunEvent]:
    """After so many seconds, this of these runs."""
    for after_s, what, runs in rounds:
        await asyncio.sleep(after_s)
        for run in runs:
            yield RunEvent("a group", run, "an owner", what)


async def _beats_of(rounds: Sequence[tuple[float, What, Sequence[str]]], running: int) -> list[float]:
    """When there was a beat, in seconds from the start on."""
    clock = asyncio.get_running_loop().time
    seen, start = set[str](), clock()
    times = [clock() - start async for _ in beats(_news(rounds), seen, lambda: running)]
    assert seen == {"a group"}
    return times


async def _beaten(rounds: Sequence[tuple[float, What, Sequence[str]]], running: int) -> list[float]:
    """When there was a beat, in seconds from the first on."""
    times = await _beats_of(rounds, running)
    return [time - times[0] for time in times]


@pytest.mark.asyncio
async def test_pictures_that_come_together_are_one_beat_and_painted_before_their_figures_come() -> None:
    pictures: list[tuple[float, What, Sequence[str]]] = [(0.01, "image", [name]) for name in "abc"]
    times = await _beaten([*pictures, (0, "finished", "abc"), (GATHER_AT_MOST_S, "finished", "abc")], running=3)
    assert len(times) == 2
    assert times[1] >= PAINT_S


@pytest.mark.asyncio
async def test_one_piece_of_news_waits_for_others_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("GATHER_S", 0.6), ("LULL_S", 0.5), ("GATHER_AT_MOST_S", 3.0)):
        monkeypatch.setattr(f"ui.pages.playground.beats.{name}", seconds)
    first, *_ = await _beats_of([(0, "image", "a"), (2, "finished", "a")], running=2)
    assert 0.6 <= first < 1.0


@pytest.mark.asyncio
async def test_one_run_s_news_are_shown_at_once_six_times_a_second_at_most() -> None:
    times = await _beaten([(0, "started", "a"), (0.02, "partial", "a"), (2 * SHOW_EVERY_S, "image", "a")], running=1)
    assert len(times) >= 3
    assert all(later - sooner >= SHOW_EVERY_S for sooner, later in zip(times, times[1:], strict=False))


@pytest.mark.asyncio
async def test_a_watcher_that_goes_ends_its_listening() -> None:
    gone = asyncio.Event()

    async def endless() -> AsyncIterator[RunEvent]:
        try:
            yield RunEvent("a group", "a", "an owner", "started")
            await asyncio.Event().wait()
        finally:
            gone.set()

    async with aclosing(beats(endless(), set(), lambda: 1)) as watcher:
        await anext(watcher)
    await asyncio.wait_for(gone.wait(), 5)
