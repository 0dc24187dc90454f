"""Many large answers at once: peak memory and processor time for each image, as ratios to plain httpx in the same run.

Server and contenders have processes of their own. Contenders take turns, as the machine is faster at times than at others; the
middle of several runs counts, and of the ratios to the floor of the same turn.
`python -m benchmarks.many_answers --litellm-python PATH` takes litellm from another environment: it does not go together
with what this app needs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contenders.__main__ import NOT_INSTALLED

ROOT = Path(__file__).parents[1]
SCENARIOS = ((1, 32, 1.5), (16, 4, 1.5), (64, 1, 1.5), (1, 8, 8.0), (16, 1, 8.0), (64, 1, 8.0))
"""Calls together, rounds, and megabytes of a picture."""
QUICK_SCENARIOS = ((16, 1, 1.5), (64, 1, 1.5), (16, 1, 8.0))
RUNS, QUICK_RUNS = 5, 1
CONTENDERS: Mapping[str, str] = {
    "plain": "plain httpx + base64",
    "provider_layer": "our client + files",
    "openai_sdk": "openai SDK",
    "litellm_sdk": "litellm",
    "whole_engine": "our whole engine",
}
"""Module and what it is called; the first one is the floor."""
FIGURES = ("peak_mb", "cpu_ms", "wall_ms")

Figures = dict[str, float]


def measure(
    litellm_python: str = sys.executable, names: Sequence[str] = tuple(CONTENDERS), *, quick: bool = False
) -> Iterator[str]:
    """Lines with what each contender took, and its ratio to the floor."""
    runs = QUICK_RUNS if quick else RUNS
    for together, rounds, megabytes in QUICK_SCENARIOS if quick else SCENARIOS:
        found: dict[str, list[Figures]] = {name: [] for name in names}
        for _ in range(runs):
            for name in names:
                python = litellm_python if name == "litellm_sdk" else sys.executable
                one = _run(name, python, together, rounds, megabytes)
                found[name] += [one] if one else []
        yield f"{rounds} x {together} answers at once, PNGs of {megabytes} MB, {os.cpu_count()} cores, middle of {runs} runs"
        yield f"  {'':22}{'peak above start':>24}{'CPU per image':>24}{'clock per image':>26}"
        for name in names:
            yield _line(CONTENDERS[name], found[name], found[names[0]])


def _line(title: str, runs: list[Figures], floors: list[Figures]) -> str:
    if not runs:
        return f"  {title:22}{'not installed':>24}"
    cells = []
    for name, unit, width in zip(FIGURES, ("MB", "ms", "ms"), (14, 14, 16), strict=True):
        middle = statistics.median(one[name] for one in runs)
        ratio = statistics.median(one[name] / floor[name] for one, floor in zip(runs, floors, strict=True))
        cells.append(f"{middle:{width}.1f} {unit} {ratio:5.2f}x")
    return f"  {title:22}" + "".join(cells)


def _run(name: str, python: str, together: int, rounds: int, megabytes: float) -> Figures | None:
    """What the contender took in a new process; `None` when its library is missing there."""
    with _server(together, megabytes) as (port, image_bytes):
        arguments = [name, f"http://127.0.0.1:{port}/v1", f"--together={together}", f"--rounds={rounds}"]
        done = subprocess.run(
            [python, "-m", "benchmarks.contenders", *arguments, f"--image-bytes={image_bytes}"],
            cwd=ROOT,
            # litellm would otherwise fetch its price list.
            env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode == NOT_INSTALLED:
        return None
    if done.returncode:
        raise RuntimeError(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def _server(together: int, megabytes: float) -> Iterator[tuple[int, int]]:
    """Port of a running server, and the size of its images."""
    command = [sys.executable, "-m", "benchmarks.answer_server", f"--together={together}", f"--megabytes={megabytes}"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port, image_bytes = server.stdout.readline().split()
        try:
            yield int(port), int(image_bytes)
        finally:
            server.stdin.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Peak memory and CPU for many large answers at once.")
    parser.add_argument("--litellm-python", default=sys.executable, help="interpreter of an environment with litellm")
    parser.add_argument(
        "--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="the first is the floor"
    )
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    for line in measure(given.litellm_python, given.only, quick=given.quick):
        print(line, flush=True)
