"""Measures one contender in this process and prints what it took as JSON. Started by `benchmarks.many_answers`.

A contender is a module with `calls(base_url, folder)`: an async context manager that gives an async function, which makes
one call and leaves its image as a file below `folder`.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import re
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

NOT_INSTALLED = 3
"""Exit status when the contender's library is missing."""


async def measured(name: str, base_url: str, *, together: int, rounds: int, image_bytes: int) -> dict[str, float]:
    """Megabytes above the memory before the calls, and milliseconds of processor and clock for each image."""
    contender = importlib.import_module(f"benchmarks.contenders.{name}")
    images = together * rounds
    # Not in memory: a folder of the system's own for temporary files may be a RAM disk.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        async with contender.calls(base_url, Path(folder)) as call:
            await call()
            before = _resident_bytes()
            _forget_peak()
            cpu, clock = time.process_time(), time.perf_counter()
            await _all(call, together, rounds)
            cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
            peak = _peak_bytes() - before
        kept = _files_of(Path(folder), image_bytes)
        if kept != images + 1:
            raise RuntimeError(f"{name} kept {kept} of {images + 1} images")
    return {"peak_mb": peak / 1e6, "cpu_ms": cpu * 1000 / images, "wall_ms": clock * 1000 / images}


def _files_of(folder: Path, size: int) -> int:
    """How many files of so many bytes lie anywhere in the folder."""
    return sum(path.is_file() and path.stat().st_size == size for path in folder.rglob("*"))


async def _all(call: Callable[[], Awaitable[None]], together: int, rounds: int) -> None:
    for _ in range(rounds):
        await asyncio.gather(*(call() for _ in range(together)))


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return _peak_bytes()
    return int(statm.read_text().split()[1]) * resource.getpagesize()


def _forget_peak() -> None:
    """What was held while modules were loaded is none of the calls'. Where the system cannot forget, it counts."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # Not what `getrusage` says: that begins with what the process held which started this one.
        [peak_kb] = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        return int(peak_kb) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("base_url")
    for option in ("--together", "--rounds", "--image-bytes"):
        parser.add_argument(option, type=int, required=True)
    given = parser.parse_args()
    try:
        found = asyncio.run(
            measured(
                given.name,
                given.base_url,
                together=given.together,
                rounds=given.rounds,
                image_bytes=given.image_bytes,
            )
        )
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_INSTALLED)
    print(json.dumps(found))
