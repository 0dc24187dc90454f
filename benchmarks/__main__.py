"""Runs every benchmark, prints its lines and writes them to `benchmarks/RESULTS.md`; what is missing of a peer is said.

`--quick` takes small sizes and few rounds. Names run only those, and print only. `--litellm-python` and `--peers-python` name
interpreters of other environments, for peers that do not go together with what this app needs.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    board_from_store,
    click_to_picture,
    history_pages,
    ledger,
    many_answers,
    page_load,
    provider_call,
    ratings,
    start_up,
    visitors,
    votes,
    votes_at_once,
)

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = ("gradio", "sqlite-utils", "httpx", "pillow", "numpy", "orjson", "pybase64", "uvloop", "httptools", "openai")
PEER_PACKAGES = ("litellm", "choix", "statsmodels", "scikit-learn", "arena-rank")

Benchmark = Callable[[], Iterable[str]]


def benchmarks(litellm_python: str, peers_python: Path | None, *, quick: bool) -> Mapping[str, tuple[str, Benchmark]]:
    """By name: what it is called, and what gives its lines."""
    return {
        "start_up": ("Start-up", lambda: start_up.measure(quick=quick)),
        "page_load": ("First load of the page", lambda: page_load.measure(quick=quick)),
        "click_to_picture": ("From the click to the picture", lambda: click_to_picture.measure(quick=quick)),
        "many_answers": (
            "Provider calls at once, against plain httpx and other clients",
            lambda: many_answers.measure(litellm_python, quick=quick),
        ),
        "provider_call": (
            "One provider call, with everything the engine adds",
            lambda: asyncio.run(provider_call.measure(quick=quick)),
        ),
        "votes_at_once": ("Votes a second", lambda: votes_at_once.measure(quick=quick)),
        "votes": ("Votes through the store and its chain", lambda: votes.measure(*((1_200,) if quick else ()))),
        "visitors": (
            "Many visitors of a public server",
            lambda: visitors.measure(*((40, 100) if quick else ())),
        ),
        "ratings": ("Ratings", lambda: ratings.measure(peers_python, quick=quick)),
        "board_from_store": ("Boards out of a store", lambda: board_from_store.measure(quick=quick)),
        "history_pages": ("Pages of the history", lambda: history_pages.measure(quick=quick)),
        "ledger": ("Money: limits and the Costs tab", lambda: ledger.measure(quick=quick)),
    }


def told(chosen: Iterable[tuple[str, Benchmark]]) -> Iterator[str]:
    """Sections in Markdown, line by line as they come. A benchmark that fails says so, and the others go on."""
    for title, measure in chosen:
        yield f"## {title}"
        yield ""
        yield "```"
        try:
            yield from measure()
        except Exception as error:  # noqa: BLE001 - hours of other figures are not to be lost for one
            yield f"  failed: {type(error).__name__}: {error}"
        yield "```"
        yield ""


def heading(pythons: Iterable[str], *, quick: bool) -> str:
    """Machine, date and versions."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    versions = [f"{name} {found}" for name in PACKAGES if (found := _version(sys.executable, name))]
    peers = [f"{name} {found}" for name in PEER_PACKAGES for python in pythons if (found := _version(python, name))]
    size = "small sizes and few rounds (`--quick`)" if quick else "full sizes"
    return (
        "# What was measured\n\n"
        "Written by `make bench`. Times depend on the machine and on what else it did; the ratios are to a floor or a peer\n"
        "of the same run.\n\n"
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit.stdout.strip() or 'unknown'}, {size}\n"
        f"- {_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB, {platform.system()} {platform.release()}; "
        f"load before {os.getloadavg()[0]:.1f}\n"
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {', '.join(versions)}\n"
        f"- peers: {', '.join(dict.fromkeys(peers)) or 'none installed'}\n"
    )


def _version(python: str, package: str) -> str:
    if python == sys.executable:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return ""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def _processor() -> str:
    told_by_system = Path("/proc/cpuinfo")
    lines = told_by_system.read_text().splitlines() if told_by_system.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures; prints ratios to floors and peers."
    )
    parser.add_argument("--litellm-python", default=sys.executable, help="interpreter of an environment with litellm")
    parser.add_argument("--peers-python", type=Path, help="interpreter of an environment with the peers of the ratings")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; nothing is written then")
    given = parser.parse_args()
    known = benchmarks(given.litellm_python, given.peers_python, quick=given.quick)
    unknown = [name for name in given.names if name not in known]
    if unknown:
        parser.error(f"{unknown[0]!r} is none of {', '.join(known)}")
    pythons = [given.litellm_python, *([str(given.peers_python)] if given.peers_python else [])]
    lines = [heading(pythons, quick=given.quick)]
    print(lines[0])
    for line in told(known[name] for name in given.names or known):
        print(line, flush=True)
        lines.append(line)
    if not given.names:
        RESULTS.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
