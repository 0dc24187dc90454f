"""Runs every benchmark, each in a process of its own; prints its lines and writes them to `benchmarks/RESULTS.md` as they come.

What is missing of a peer is said. A benchmark that fails loses nothing of the others: its section tells of it, and the command
ends with 1. `--quick` takes small sizes and few rounds. Names run only those, and print only. `--litellm-python` and
`--peers-python` name interpreters of other environments, for peers that do not go together with what this app needs.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.one import BENCHMARKS, add_options
from benchmarks.sections import Section, write_all

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = (
    "gradio",
    "sqlite-utils",
    "httpx",
    "pillow",
    "numpy",
    "orjson",
    "pybase64",
    "deflate",
    "uvloop",
    "httptools",
    "openai",
)
PEER_PACKAGES = ("litellm", "choix", "statsmodels", "scikit-learn", "arena-rank")


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


def options_of(given: argparse.Namespace) -> Sequence[str]:
    """The same options as arguments for another process."""
    peers = [f"--peers-python={given.peers_python}"] if given.peers_python else []
    return [f"--litellm-python={given.litellm_python}", *peers, *(["--quick"] if given.quick else [])]


def printed(line: str) -> None:
    """Shows a line at once."""
    print(line, flush=True)


def measured(names: Iterable[str], given: argparse.Namespace, keep: Callable[[str], object]) -> list[str]:
    """The heading and a section for each name; the titles of those that failed."""
    keep(heading([given.litellm_python, *([str(given.peers_python)] if given.peers_python else [])], quick=given.quick))
    options = options_of(given)
    return write_all((Section(BENCHMARKS[name][0], ["-m", "benchmarks.one", name, *options]) for name in names), keep)


def main() -> int:
    """Reads the arguments and measures; the exit code says whether all went well."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures; prints ratios to floors and peers."
    )
    add_options(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; nothing is written then")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"{unknown[0]!r} is none of {', '.join(BENCHMARKS)}")
    if given.names:
        failed = measured(given.names, given, printed)
    else:
        with RESULTS.open("w", encoding="utf-8", buffering=1) as results:

            def keep(line: str) -> None:
                printed(line)
                results.write(line + "\n")

            failed = measured(BENCHMARKS, given, keep)
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
