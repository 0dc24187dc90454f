"""One benchmark, in this process: `python -m benchmarks.one NAME [--quick]` prints its lines."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from benchmarks import (
    board_from_store,
    click_to_picture,
    history_pages,
    ledger,
    many_answers,
    many_runs,
    page_load,
    provider_call,
    ratings,
    start_up,
    thumbnails,
    visitors,
    votes_at_once,
)

Benchmark = Callable[[argparse.Namespace], Iterable[str]]

BENCHMARKS: Mapping[str, tuple[str, Benchmark]] = {
    "start_up": ("Start-up", lambda given: start_up.measure(quick=given.quick)),
    "page_load": ("First load of the page", lambda given: page_load.measure(quick=given.quick)),
    "click_to_picture": ("From the click to the picture", lambda given: click_to_picture.measure(quick=given.quick)),
    "thumbnails": ("Looking at a new picture", lambda given: thumbnails.measure(quick=given.quick)),
    "many_answers": (
        "Provider calls at once, against plain httpx and other clients",
        lambda given: many_answers.measure(given.litellm_python, quick=given.quick),
    ),
    "provider_call": (
        "One provider call, with everything the engine adds",
        lambda given: asyncio.run(provider_call.measure(quick=given.quick)),
    ),
    "votes_at_once": ("Votes a second", lambda given: votes_at_once.measure(quick=given.quick)),
    "visitors": (
        "Many visitors of a public server",
        lambda given: visitors.measure(*((40, 100) if given.quick else ())),
    ),
    "many_runs": ("What many runs leave behind", lambda given: many_runs.measure(*((200,) if given.quick else ()))),
    "ratings": ("Ratings", lambda given: ratings.measure(given.peers_python, quick=given.quick)),
    "board_from_store": ("Boards out of a store", lambda given: board_from_store.measure(quick=given.quick)),
    "history_pages": ("Pages of the history", lambda given: history_pages.measure(quick=given.quick)),
    "ledger": ("Money: limits and the Costs tab", lambda given: ledger.measure(quick=given.quick)),
}
"""By name: what it is called, and what gives its lines for these options."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What every benchmark may be told."""
    parser.add_argument("--litellm-python", default=sys.executable, help="interpreter of an environment with litellm")
    parser.add_argument("--peers-python", type=Path, help="interpreter of an environment with the peers of the ratings")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")


def main() -> None:
    """Reads the arguments and measures; an error ends it as it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one", description="Measures one thing.")
    add_options(parser)
    parser.add_argument("name", choices=BENCHMARKS)
    given = parser.parse_args()
    for line in BENCHMARKS[given.name][1](given):
        print(line, flush=True)


if __name__ == "__main__":
    main()
