"""What programs may ask about battles and boards, as JSON: a blind battle, its vote, and who leads.

Before the vote no answer names a maker, a price or a time: a battle is its id, its prompt and two addresses.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import get_args

from arena import bank, bank_battles, battle, contenders, drawing, opening
from arena.battle import RevealedSide
from arena.elo_days import RatingChange
from arena.opening import BattleOff, BlindBattle, Task, Wanted
from arena.stated_board import of_store
from playground.plan import make_plan
from playground.ready import sources_of
from playground.services import Services
from storage import vote_counts
from storage.battles import board_of
from ui import battle_form
from ui.app import App
from ui.board_documents import board_document
from ui.board_queries import board_method, board_query, chosen
from ui.callers import Caller
from ui.plain_documents import Document
from ui.run_endpoints import refuse_dear
from ui.views import thumb_url

SOURCES = {"history": "history", "new": "new", "demo": "demo"}
AT_ONCE_S = 1.0
"""A board that is made within it follows every vote."""
PAUSE_SHARE = 10
"""One that takes longer stays for so many times what it took beyond that."""
TASKS: dict[str, Task] = {task: task for task in get_args(Task)}

Texts = dict[str, str | None]


async def new_battle(app: App, caller: Caller, told: Texts) -> Document:
    """A blind battle: of images made already, or made now.

    Raises: BattleOff, BankError, WrongQuery, TooOften, PlanRefused, and as `opening.start_new`.
    """
    voter = caller.owner
    source, task = chosen(told, "source", SOURCES, "history"), chosen(told, "task", TASKS, "any")
    category = board_query(told).category
    if source == "history":
        _known_category(task, category)
        found = await opening.next_battle(app.services, voter, Wanted(task, category))
        if found is None:
            raise BattleOff("There is no pair of yours left to vote on. Make images, or ask for a new battle.")
        return _battle_document(found)
    await app.pace.count(voter)
    return _battle_document(await _asked(app, caller, task, category, is_demo=source == "demo"))


async def _asked(app: App, caller: Caller, task: Task, category: str | None, *, is_demo: bool) -> BlindBattle:
    """Both models are asked for a prompt of the bank. Raises: BattleOff, BankError, and as `opening.start_new`."""
    voter = caller.owner
    prompt = bank_battles.draw_prompt(app.services.rng, "generate" if task == "any" else task, category)
    draft = battle_form.Draft(task=prompt.operation, prompt_id=prompt.prompt_id)
    asked = battle_form.request_of(draft, await asyncio.to_thread(battle_form.stand_ins, draft))
    ready = [
        row.offer_id
        for row in sources_of(app.services, voter, caller.keys).usable()
        if not is_demo or row.provider_id == "demo"
    ]
    field = contenders.field_of(asked, ready, app.services.catalog)
    meeting = await drawing.draw_offers(
        app.services, voter, field.offers, None, None, board=board_of(asked.operation, len(asked.images))
    )
    if meeting is None:
        raise BattleOff("There are no two ready models that can meet over this. Add a key, or choose another task.")
    fair = replace(asked, n=1, quality=None)
    plan = make_plan(fair, meeting.offers, app.services.catalog, default_quality=asked.quality)
    refuse_dear(plan, caller.max_microusd)
    return await opening.start_new(
        app.services, app.engine, voter, asked, meeting.offers, meeting.probability, keys=caller.keys
    )


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


async def vote(app: App, caller: Caller, battle_id: str, outcome: str) -> Document:
    """The one vote on a battle. Raises: VoteRefused."""
    result = await battle.vote(app.services, battle_id, caller.owner, outcome)
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


class Boards:
    """Boards as documents, made anew only when a vote could have changed them, and those that take long only now and then:
    whoever asks again and again costs no second count.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._made: dict[tuple[object, ...], _Made] = {}

    async def stated(self, told: Texts) -> Document:
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


def texts(**given: object) -> Texts:
    """What came from outside, whatever its kind, as texts to be looked up."""
    return {name: None if value is None else str(value) for name, value in given.items()}
