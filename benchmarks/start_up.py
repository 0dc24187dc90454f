"""Start-up: commands against a Python that does nothing, and serving until the first answer against an empty Gradio app.

Time of processor and clock, the middle of several runs; the processor's is the one that tells on a busy machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import QUIET_GRADIO, ROOT, free_port, wait_for

ROUNDS, QUICK_ROUNDS = 7, 2


class Took(NamedTuple):
    """Milliseconds."""

    clock: float
    cpu: float


def measure(*, quick: bool = False) -> Iterator[str]:
    """Lines with milliseconds and ratios."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        floor = _middle([_command(["-c", "pass"], folder) for _ in range(rounds)])
        yield _line("python -c pass", floor)
        for arguments in (["models"], ["--help"], ["history"], ["estimate", "--offer", "demo/flat", "--prompt", "x"]):
            took = _middle([_command(["app.py", *arguments], folder) for _ in range(rounds)])
            yield _line(f"app.py {arguments[0]}", took, floor, "bare Python")
        loads = _middle([_command(["-c", "import gradio"], folder) for _ in range(rounds)])
        yield _line("python -c 'import gradio'", loads)
        empty = _middle([_served(["-m", "benchmarks.bare_gradio"], folder) for _ in range(rounds)])
        yield _line("an empty Gradio app, until its first answer", empty)
        ours = _middle([_served(["app.py", "serve"], folder) for _ in range(rounds)])
        yield _line("app.py serve, until its first answer", ours, empty, "empty Gradio")


def _command(arguments: list[str], folder: str) -> Took:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=_environment(folder), stdout=-3, stderr=-3)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    return Took((time.perf_counter() - began) * 1000, (used.ru_utime + used.ru_stime) * 1000)


def _served(arguments: list[str], folder: str) -> Took:
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments, f"--port={port}"], cwd=ROOT, env=_environment(folder), stdout=-3, stderr=-3
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        return Took((time.perf_counter() - began) * 1000, _cpu_ms(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=60)


def _cpu_ms(pid: int) -> float:
    """What the process has used so far; 0 where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _environment(folder: str) -> dict[str, str]:
    return {**os.environ, **QUIET_GRADIO, "NO_PROXY": "127.0.0.1,localhost", "DIPTYCH_DATA_DIR": f"{folder}/data"}


def _middle(runs: list[Took]) -> Took:
    return Took(statistics.median(one.clock for one in runs), statistics.median(one.cpu for one in runs))


def _line(name: str, took: Took, floor: Took | None = None, of: str = "") -> str:
    ratio = f"  {took.clock / floor.clock:5.2f}x clock, {took.cpu / floor.cpu:5.2f}x CPU of {of}" if floor else ""
    return f"  {name:46}{took.clock:8.0f} ms clock{took.cpu:8.0f} ms CPU{ratio}"


if __name__ == "__main__":
    for line in measure(quick="--quick" in sys.argv):
        print(line, flush=True)
