"""Named endpoints for programs, by Gradio's `call` protocol: blind battles, votes on them, and leaderboards, as JSON.

They end in the same functions as the page. A refusal is an answer too: the error document of the command line. Before the vote
no answer names a maker, a price or a time: a battle is its id, its prompt and two addresses.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import get_args

import gradio as gr

from arena import bank, bank_battles, battle, contenders, drawing, opening
from arena.bank import BankError
from arena.battle import RevealedSide, VoteRefused
from arena.elo_days import RatingChange
from arena.opening import BattleOff, BlindBattle, Task, Wanted
from arena.stated_board import of_store
from playground.ready import sources_of
from playground.services import Services
from providers.checks import Problem
from storage import vote_counts
from storage.battles import board_of
from storage.records import RunError
from ui import battle_form, guard
from ui.app import App, owner_of
from ui.board_documents import board_document
from ui.board_queries import WrongQuery, board_method, board_query, chosen
from ui.components import bound
from ui.documents import Document, failure_document
from ui.failures import failure_of
from ui.views import thumb_url

log = logging.getLogger(__name__)

NO_TOKEN = "Say who you are: send the token that POST visitor gives as the header X-Diptych-Visitor."  # noqa: S105 - words
SOURCES = {"history": "history", "new": "new", "demo": "demo"}
AT_ONCE_S = 1.0
"""A board that is made within it follows every vote."""
PAUSE_SHARE = 10
"""One that takes longer stays for so many times what it took beyond that."""
TASKS: dict[str, Task] = {task: task for task in get_args(Task)}


def register(app: App) -> None:
    """Adds the endpoints to the Blocks that are being built."""
    boards = _Boards(app.services)

    async def leaderboard(
        board: str = "generate", method: str = "bradley-terry", ties: str = "half"
    ) -> dict[str, object]:
        """The document of `leaderboard --json`. `board`: generate, edit-single or edit-multi; `method`: bradley-terry, davidson
        or elo; `ties`: half or drop.
        """
        return await _answered(boards.stated(_texts(board=board, method=method, ties=ties)))

    for endpoint in (bound(new_battle, app), bound(vote, app), leaderboard):
        gr.api(endpoint, api_name=endpoint.__name__, concurrency_limit=None)


async def new_battle(
    app: App, request: gr.Request, task: str = "any", source: str = "history", category: str = ""
) -> dict[str, object]:
    """A blind battle. `task`: any, generate or edit; `category`: of the prompt bank, or empty for any. `source` "history" pairs
    images you made already and is free; "new" asks two models for a prompt of the bank, which costs what two images cost, paid
    with your keys; "demo" does so with the Demo's models, free. Then answers when both have. Look at `image_a` and `image_b`
    (addresses relative to this server), then call `vote`.
    """
    return await _answered(_new_battle(app, _texts(task=task, source=source, category=category), request))


async def vote(app: App, request: gr.Request, battle_id: str, outcome: str) -> dict[str, object]:
    """Your one vote on a battle: a, b, tie or both_bad. Answers whether it counts on everybody's boards, who made the two, and
    what it changed (`null` where that cannot be told now).
    """
    return await _answered(_vote(app, battle_id, outcome, request))


async def _new_battle(app: App, told: dict[str, str | None], request: gr.Request) -> Document:
    voter = owner_of(app, request)
    source, task = chosen(told, "source", SOURCES, "history"), chosen(told, "task", TASKS, "any")
    category = board_query(told).category
    if source == "history":
        _known_category(task, category)
        found = await opening.next_battle(app.services, voter, Wanted(task, category))
        if found is None:
            raise BattleOff("There is no pair of yours left to vote on. Make images, or ask for a new battle.")
        return _battle_document(found)
    return _battle_document(await _asked(app, voter, task, category, is_demo=source == "demo"))


async def _asked(app: App, voter: str, task: Task, category: str | None, *, is_demo: bool) -> BlindBattle:
    """Both models are asked for a prompt of the bank. Raises: BattleOff, BankError, and as `opening.start_new`."""
    prompt = bank_battles.draw_prompt(app.services.rng, "generate" if task == "any" else task, category)
    draft = battle_form.Draft(task=prompt.operation, prompt_id=prompt.prompt_id)
    asked = battle_form.request_of(draft, await asyncio.to_thread(battle_form.stand_ins, draft))
    ready = [
        row.offer_id for row in sources_of(app.services, voter).usable() if not is_demo or row.provider_id == "demo"
    ]
    field = contenders.field_of(asked, ready, app.services.catalog)
    meeting = await drawing.draw_offers(
        app.services, voter, field.offers, None, None, board=board_of(asked.operation, len(asked.images))
    )
    if meeting is None:
        raise BattleOff("There are no two ready models that can meet over this. Add a key, or choose another task.")
    return await opening.start_new(app.services, app.engine, voter, asked, meeting.offers, meeting.probability)


def _known_category(task: Task, category: str | None) -> None:
    """Raises: BankError where the bank has no such category; `own` is one of history."""
    if category not in (None, "own"):
        bank.prompts(None if task == "any" else task, category)


def _battle_document(found: BlindBattle) -> Document:
    return {
        "battle_id": found.battle_id,
        "task": found.operation,
        "prompt": found.prompt,
        "image_a": f"blind/{found.battle_id}/a.webp",
        "image_b": f"blind/{found.battle_id}/b.webp",
        "inputs": [thumb_url(sha256) for sha256 in found.inputs],
        "source": found.source,
        "category": found.category,
    }


async def _vote(app: App, battle_id: str, outcome: str, request: gr.Request) -> Document:
    result = await battle.vote(app.services, str(battle_id), owner_of(app, request), str(outcome))
    return {
        "counted": result.counted,
        "reason": result.reason,
        "reveal": {"a": _side_document(result.reveal.a), "b": _side_document(result.reveal.b)},
        "change": _change_document(result.change),
    }


def _change_document(change: RatingChange | None) -> Document | None:
    if change is None:
        return None
    return {
        "a": {"before": change.a_before, "after": change.a_after},
        "b": {"before": change.b_before, "after": change.b_after},
    }


def _side_document(side: RevealedSide) -> Document:
    provider, _, model = side.offer.partition("/")
    return {
        "offer": side.offer,
        "provider": provider,
        "model": model,
        "run_id": side.run_id,
        "sha256": side.sha256,
        "cost_microusd": side.cost_microusd,
        "cost_source": side.cost_source,
        "latency_ms": side.latency_ms,
    }


@dataclass(frozen=True, slots=True)
class _Made:
    standing: tuple[int, ...]
    document: Document
    good_until: float
    """On the monotonic clock: until then it is told though votes have come."""


class _Boards:
    """Boards as documents, made anew only when a vote could have changed them, and those that take long only now and then:
    whoever asks again and again costs no second count.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._made: dict[tuple[object, ...], _Made] = {}

    async def stated(self, told: dict[str, str | None]) -> Document:
        """The board that is asked for. Raises: WrongQuery."""
        query = board_query(told, board_method(told))
        key = (query.board, query.method.kind, query.method.ties)
        async with self._lock:
            standing = await asyncio.to_thread(self._services.store.read, vote_counts.standing)
            known = self._made.get(key)
            if known is None or (known.standing != standing and time.monotonic() > known.good_until):
                started = time.monotonic()
                document = board_document(await of_store(self._services, query))
                ended = time.monotonic()
                known = _Made(standing, document, ended + PAUSE_SHARE * max(0.0, ended - started - AT_ONCE_S))
                self._made[key] = known
        return known.document


def _texts(**given: object) -> dict[str, str | None]:
    """What came from outside, whatever its kind, as texts to be looked up."""
    return {name: None if value is None else str(value) for name, value in given.items()}


async def _answered(work: Awaitable[Document]) -> Document:
    """The answer, or why there is none."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - the edge of this door: nothing may pass it
        return _refusal(error)


def _refusal(error: Exception) -> Document:
    match error:
        case guard.UnknownVisitor():
            return failure_document(RunError("permission", NO_TOKEN), [])
        case WrongQuery():
            return _wrong(error.field, str(error))
        case VoteRefused(kind="unknown_outcome"):
            return _wrong("outcome", str(error))
        case VoteRefused(kind="unknown_battle"):
            return failure_document(RunError("not_found", str(error)), [Problem("battle_id", str(error))])
        case VoteRefused():
            return _wrong("battle_id", str(error))
        case BankError():
            return _wrong("category", str(error))
        case BattleOff():
            # Its reasons name makers, whose images may still meet.
            return failure_document(RunError("not_found", str(error)), [])
    failure = failure_of(error)
    if failure.is_fault:
        log.error("a fault in this program", exc_info=error)
    return failure_document(failure.error, failure.problems)


def _wrong(field: str, words: str) -> Document:
    return failure_document(RunError("validation", words), [Problem(field, words)])
