"""The least time of several rounds, and the line that tells it beside a floor."""

from __future__ import annotations

import time
from collections.abc import Callable

ROUNDS = 5


def least_s(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The least seconds of several rounds: what the work takes when nothing else runs."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def line_of(what: str, seconds: float, floor: tuple[str, float] | None = None) -> str:
    """The milliseconds, and how they stand to a floor: its name and its seconds."""
    end = f", {floor[0]} {floor[1] * 1000:9.1f} ms, ratio {seconds / floor[1]:.3f}" if floor else ""
    return f"{what:<60} {seconds * 1000:9.1f} ms{end}"
