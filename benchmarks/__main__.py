"""Runs every benchmark and prints its lines; a peer whose library is missing is said to be so.

`--litellm-python` and `--peers-python` name interpreters of other environments, for peers that do not go together with
what this app needs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import (
    board_from_store,
    click_to_picture,
    history_pages,
    ledger,
    many_answers,
    provider_call,
    ratings,
    visitors,
    votes,
)


def measure(litellm_python: str = sys.executable, peers_python: Path | None = None) -> Iterator[str]:
    """The lines of all benchmarks, each under its name."""
    yield "Ratings"
    yield from ratings.measure(peers_python)
    yield ""
    yield "Boards out of a store"
    yield from board_from_store.measure()
    yield ""
    yield "Votes through the store"
    yield from votes.measure()
    yield ""
    yield "Money: limits and the Costs tab"
    yield from ledger.measure()
    yield ""
    yield "Pages of the history"
    yield from history_pages.measure()
    yield ""
    yield "One provider call, with everything the engine adds"
    yield from asyncio.run(provider_call.measure())
    yield ""
    yield "Many large answers at once"
    yield from many_answers.measure(litellm_python)
    yield ""
    yield "From the click to the picture"
    yield from click_to_picture.measure()
    yield ""
    yield "Many visitors of a public server"
    yield from visitors.measure()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures; prints ratios to floors and peers."
    )
    parser.add_argument("--litellm-python", default=sys.executable, help="interpreter of an environment with litellm")
    parser.add_argument("--peers-python", type=Path, help="interpreter of an environment with the peers of the ratings")
    given = parser.parse_args()
    for line in measure(given.litellm_python, given.peers_python):
        print(line, flush=True)
