"""A store that was voted on, and its boards, for tests of what the Leaderboard shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena import board
from arena.board import Board, BoardQuery
from playground.services import Services
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import make_services
from ui.leaderboard import table

SIX = {
    "openai/gpt-image-2": 1_200.0,
    "fal/gpt-image-2": 1_150.0,
    "openai/gpt-image-1.5": 1_050.0,
    "openai/gpt-image-1": 950.0,
    "openai/gpt-image-1-mini": 900.0,
    "replicate/ideogram-3": 1_000.0,
}
COSTS: dict[str, int | None] = {
    "openai/gpt-image-2": 41_000,
    "fal/gpt-image-2": 39_000,
    "openai/gpt-image-1.5": 60_000,
    "openai/gpt-image-1": None,
    "openai/gpt-image-1-mini": 5_900,
    "replicate/ideogram-3": 60_000,
}
FIELD = Field(SIX, rare=frozenset({"replicate/ideogram-3"}), costs=COSTS)


@contextmanager
def voted_on(folder: Path) -> Iterator[Services]:
    made = make_services(folder)
    add_votes(made, FIELD, Voting(900, days=30, categories=("own", "photo"), seed=7))
    add_votes(made, Field({"demo/flat": 1_000.0, "demo/sketch": 1_100.0}), Voting(12, seed=2))
    yield made
    made.store.close()


def board_of(services: Services, **asked: Any) -> Board:
    return asyncio.run(board.leaderboard(services, BoardQuery(**asked)))


def short(found: Board, services: Services) -> dict[str, str]:
    return table.short_names(table.names(found, services.catalog))


def text_of(view: object) -> str:
    return json.dumps(view, ensure_ascii=False)
