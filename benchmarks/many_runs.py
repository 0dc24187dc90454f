"""A thousand runs of a Demo model through the endpoints for programs: what they leave behind in memory and in temporary files.

The app has a process of its own and starts with empty folders. Its memory after all runs is held against that after the first
hundred, each time when it had time to give back what is free. Beside the data, files may stay in Gradio's folder and in the
system's for temporary ones.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.processes import diptych_process
from benchmarks.resident import settled_mb

RUNS, FIRST, AT_ONCE = 1_000, 100, 8
GROWTH = 0.20
TEMPORARY_MB = 1.0
"""What is promised: by how much memory may be above that after the first runs, and what may stay in temporary files."""
WAIT_S = 120.0


def measure(runs: int = RUNS) -> Iterator[str]:
    """Lines with what was measured, and whether it keeps what is promised."""
    with tempfile.TemporaryDirectory() as folder:
        data, temporary = Path(folder) / "data", Path(folder) / "temporary"
        temporary.mkdir()
        # A household in a hurry: what a caller may ask for in a minute is not what is measured.
        more = {"TMPDIR": str(temporary), "DIPTYCH_CALLS_PER_MINUTE": "10000"}
        with diptych_process(more, data) as (url, pid):
            yield from asyncio.run(_measured(url, pid, runs))
            left = _megabytes(temporary) + _megabytes(data / "transfers")
        verdict = "kept" if left <= TEMPORARY_MB else "MISSED"
        yield f"  temporary files afterwards: {left:.2f} MB; promised {TEMPORARY_MB:g} at most: {verdict}"


async def _measured(url: str, pid: int, runs: int) -> list[str]:
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=WAIT_S + 30, limits=limits) as http:
        fresh, sizes, errors, began = await settled_mb(pid), [], 0, time.perf_counter()
        for first, last in ((0, FIRST), (FIRST, runs)):
            errors += await _made(http, range(first, last))
            sizes.append((last, time.perf_counter() - began, await settled_mb(pid)))
    (_, _, early), (_, seconds, late) = sizes
    share = late / early - 1
    return [
        f"  {os.cpu_count()} cores; {runs:,} runs, {AT_ONCE} at a time, {runs / seconds:.1f} a second; {errors} failed",
        f"  memory at the start {fresh:.0f} MB, after {FIRST} runs {early:.0f}, after all {late:.0f}: {share:+.0%}; promised "
        f"{GROWTH:+.0%} at most: " + ("kept" if share <= GROWTH and not errors else "MISSED"),
    ]


async def _made(http: httpx.AsyncClient, numbers: range) -> int:
    """Makes a run for each number; how many did not end well."""
    waiting, errors = iter(numbers), 0

    async def client() -> None:
        nonlocal errors
        for number in waiting:
            errors += not await _run(http, number)

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return errors


async def _run(http: httpx.AsyncClient, number: int) -> bool:
    """One run, asked for and waited for as a program does; whether its image came."""
    asked = {"prompt": f"A red boat with the number {number}", "offers": ["demo/flat"], "size": "1024x1024"}
    begun = await http.post("/gradio_api/call/generate", json={"data": [asked, WAIT_S]})
    answer = await http.get(f"/gradio_api/call/generate/{begun.json()['event_id']}")
    told = answer.text.rpartition("data: ")[2]
    (document,) = json.loads(told) or [{}]
    return [run["state"] for run in document.get("runs", ())] == ["succeeded"]


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_runs", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    for line in measure(parser.parse_args().runs):
        print(line, flush=True)
