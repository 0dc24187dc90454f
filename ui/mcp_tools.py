"""The tools of agents: what each is called, takes and answers. Plain values; `mcp_door` speaks the protocol.

They end in the functions of the named endpoints. An answer is short, because all of it is read by a model: ids, links, cost
and where that figure comes from, and small previews instead of images.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from arena import battle, copies
from playground import library
from playground.engine import PlanRefused
from playground.plan import make_plan
from playground.ready import sources_of
from providers.checks import Problem
from providers.rows import DEFAULT_QUALITY
from providers.types import ImageRequest
from ui import battle_endpoints, run_endpoints
from ui.app import App
from ui.arguments import DEFAULT_SIZE
from ui.battle_endpoints import Boards, texts
from ui.callers import Caller
from ui.plain_documents import Document
from ui.told_requests import FIELDS

WAIT_S = 50.0
"""Many agents give a tool a minute. What is not done by then is told by `group`."""
PREVIEWS = 4
_MAX_USD = {"type": "number", "minimum": 0, "description": "Most US dollars that this call may be expected to cost."}
_DRAWN = ("partial_images", "user")
"""Fields that mean nothing to an agent."""

Told = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool says."""

    document: Document
    previews: Sequence[tuple[str, bytes]] = ()
    """Small WebP images, each with its name."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What tools work with: the app, the boards, and where the page is for whoever asks."""

    app: App
    boards: Boards
    link: str = ""
    """Address of the page, ending in `/`."""


Do = Callable[[Desk, Caller, Told], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool."""

    name: str
    words: str
    do: Do
    properties: Mapping[str, object]
    required: tuple[str, ...] = ()
    is_paid: bool = False
    """Whether it may cost money."""
    changes: bool = False
    """Whether it changes what is kept."""

    def schema(self) -> dict[str, object]:
        """What it takes, as JSON schema."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }


async def generate(desk: Desk, caller: Caller, told: Told) -> Answer:
    """Makes images."""
    return await _made(desk, caller, told, is_edit=False)


async def edit(desk: Desk, caller: Caller, told: Told) -> Answer:
    """Edits images."""
    return await _made(desk, caller, told, is_edit=True)


async def _made(desk: Desk, caller: Caller, told: Told, *, is_edit: bool) -> Answer:
    asked, capped = _capped(caller, told)
    document = await run_endpoints.make(desk.app, capped, asked, operation="edit" if is_edit else None, wait_s=WAIT_S)
    return await _group_answer(desk, caller, document)


async def group(desk: Desk, caller: Caller, told: Told) -> Answer:
    """The runs of one press as they stand."""
    return await _group_answer(desk, caller, await run_endpoints.group(desk.app, caller, str(told.get("group_id", ""))))


async def estimate(desk: Desk, caller: Caller, told: Told) -> Answer:
    """The price before."""
    found = await run_endpoints.estimate(desk.app, caller, told)
    rows = [
        {name: row[name] for name in ("offer", "estimate_microusd", "note", "problems", "notices")}
        for row in run_endpoints.rows(found["runs"])
    ]
    limit = {"max_microusd_of_one_call": caller.max_microusd}
    return Answer({name: found[name] for name in ("total_microusd", "problems")} | limit | {"runs": rows})


async def models(desk: Desk, caller: Caller, told: Told) -> Answer:
    """Which offers can be run."""
    sources = sources_of(desk.app.services, caller.owner, caller.keys)
    catalog = desk.app.services.catalog
    probe = ImageRequest("A red fox in snow", size=DEFAULT_SIZE)
    found = []
    for offer in catalog.offers:
        is_ready, spec = sources.is_usable(offer.offer_id), catalog.spec(offer)
        if is_ready or told.get("all") is True:
            plan = make_plan(probe, [offer.offer_id], catalog, default_quality=DEFAULT_QUALITY)
            found.append(
                {
                    "offer": offer.offer_id,
                    "name": spec.name,
                    "ready": is_ready,
                    "low_square_microusd": plan.high_microusd,
                    "qualities": list(spec.qualities),
                    "max_images_in": spec.max_images,
                    "mask": spec.mask,
                    "retires_on": spec.retires_on.isoformat() if spec.retires_on else None,
                }
            )
    return Answer({"offers": found})


async def cancel(desk: Desk, caller: Caller, told: Told) -> Answer:
    """Stops a run."""
    return Answer(await run_endpoints.cancel(desk.app, caller, str(told.get("run_id", ""))))


async def history(desk: Desk, caller: Caller, told: Told) -> Answer:
    """Earlier runs."""
    before = told.get("before")
    found = await run_endpoints.history(
        desk.app, caller, str(told.get("search", "")), told.get("limit", 10), str(before) if before else None
    )
    runs = [_short_run(desk, row, has_prompt=True) for row in run_endpoints.rows(found["runs"])]
    return Answer(found | {"runs": runs})


async def new_battle(desk: Desk, caller: Caller, told: Told) -> Answer:
    """Two images of one prompt, blind."""
    asked, capped = _capped(caller, told)
    wanted = texts(**{name: asked.get(name) for name in ("task", "source", "category")})
    found = await battle_endpoints.new_battle(desk.app, capped, wanted)
    battle_id = str(found["battle_id"])
    previews = await asyncio.to_thread(_blind_previews, desk.app, battle_id, caller.owner)
    links = {name: desk.link + str(found[name]) for name in ("image_a", "image_b")}
    return Answer(found | links, previews)


async def vote(desk: Desk, caller: Caller, told: Told) -> Answer:
    """The vote on a battle."""
    battle_id, outcome = str(told.get("battle_id", "")), str(told.get("outcome", ""))
    return Answer(await battle_endpoints.vote(desk.app, caller, battle_id, outcome))


async def leaderboard(desk: Desk, _caller: Caller, told: Told) -> Answer:
    """Who leads; the same for whoever asks."""
    return Answer(await desk.boards.stated(texts(**{name: told.get(name) for name in ("board", "method", "ties")})))


def _capped(caller: Caller, told: Told) -> tuple[dict[str, object], Caller]:
    """What is asked without the limit that the agent set itself, and the caller with that limit; it can only be lower."""
    asked = dict(told)
    own = asked.pop("max_usd", None)
    if own is None:
        return asked, caller
    if isinstance(own, bool) or not isinstance(own, int | float) or not 0 <= own < 1e6:
        raise PlanRefused((Problem("max_usd", "max_usd must be an amount in US dollars, as 0.5."),))
    limits = [int(Decimal(str(own)) * 10**6), *([caller.max_microusd] if caller.max_microusd is not None else [])]
    return asked, replace(caller, max_microusd=min(limits))


async def _group_answer(desk: Desk, caller: Caller, document: Document) -> Answer:
    found = run_endpoints.rows(document["runs"])
    hashes = [str(image["sha256"]) for run in found for image in run_endpoints.rows(run["images"])][:PREVIEWS]
    previews = await asyncio.to_thread(library.thumbnails, desk.app.services, hashes, caller.owner)
    note = {} if document["done"] else {"note": "Not all runs have ended. Ask group with this group_id in a moment."}
    return Answer(document | {"runs": [_short_run(desk, row) for row in found]} | note, [*previews.items()])


def _short_run(desk: Desk, run: Document, *, has_prompt: bool = False) -> Document:
    names = (
        "run_id",
        "group_id",
        "offer",
        "state",
        "estimate_microusd",
        "cost_microusd",
        "cost_source",
        "latency_ms",
        "error",
    )
    images = [
        {name: image[name] for name in ("sha256", "media_type", "width", "height", "revised_prompt")}
        | {"link": f"{desk.link}{image['url']}"}
        for image in run_endpoints.rows(run["images"])
    ]
    asked = run["asked"]
    prompt = {"prompt": asked.get("prompt")} if has_prompt and isinstance(asked, Mapping) else {}
    return {name: run[name] for name in names} | prompt | {"images": images}


def _blind_previews(app: App, battle_id: str, voter: str) -> list[tuple[str, bytes]]:
    """Blocking. The neutral copies, made small: what their files are called or hold tells nothing."""
    sides: list[tuple[str, Path | None]] = [
        (side.upper(), battle.blind_file(app.services, battle_id, side, voter)) for side in ("a", "b")
    ]
    return [(side, copies.small(path)) for side, path in sides if path is not None]


_OFFERED = {name: field.schema() for name, field in FIELDS.items() if name not in _DRAWN}
_MADE = {
    name: schema
    for name, schema in _OFFERED.items()
    if name not in ("images", "mask", "lock_outside_mask", "input_fidelity")
}
_COST = "Costs are micro-dollars (1,000,000 = $1); null is unknown, 0 is free."


def _text(words: str, *choices: str) -> dict[str, object]:
    return {"type": "string", "description": words} | ({"enum": list(choices)} if choices else {})


TOOLS: tuple[Tool, ...] = (
    Tool(
        "generate",
        f"Makes images of a prompt by one or several models and waits for them. Tells run ids, links, cost and small previews. "
        f"May cost money: ask estimate first. demo/… offers are free drawings. {_COST}",
        generate,
        {**_MADE, "max_usd": _MAX_USD},
        ("prompt", "offers"),
        is_paid=True,
        changes=True,
    ),
    Tool(
        "edit",
        f"Changes images, with a mask or without, or makes one after several references; as generate. {_COST}",
        edit,
        {**_OFFERED, "max_usd": _MAX_USD},
        ("prompt", "offers", "images"),
        is_paid=True,
        changes=True,
    ),
    Tool(
        "estimate",
        f"What generate or edit would cost and what stands in its way; sends nothing. {_COST}",
        estimate,
        _OFFERED,
        ("prompt", "offers"),
    ),
    Tool(
        "models",
        f"Offers (provider/model) that can be run now, with the price of one square image at low quality. {_COST}",
        models,
        {"all": {"type": "boolean", "description": "Those too that have no key yet."}},
    ),
    Tool(
        "group",
        "How the runs of one call stand, and their previews.",
        group,
        {"group_id": _text("From generate or edit.")},
        ("group_id",),
    ),
    Tool(
        "cancel",
        "Stops a run; a call under way may still be billed.",
        cancel,
        {"run_id": _text("From generate.")},
        ("run_id",),
        changes=True,
    ),
    Tool(
        "history",
        "Your earlier runs, newest first.",
        history,
        {
            "search": _text("Words of the prompt."),
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Runs on a page; default 10."},
            "before": _text("`next` of the page before."),
        },
    ),
    Tool(
        "new_battle",
        "Two images of one prompt without their makers, to be judged by vote. Source history (default) pairs images you made "
        "and is free; demo makes two drawings, free; new asks two models, which costs what two images cost.",
        new_battle,
        {
            "task": _text("Default any.", "any", "generate", "edit"),
            "source": _text("Default history.", "history", "new", "demo"),
            "category": _text("Of the prompt bank."),
            "max_usd": _MAX_USD,
        },
        is_paid=True,
        changes=True,
    ),
    Tool(
        "vote",
        "Your one vote on a battle; answers who made the two. Vote only on what was looked at.",
        vote,
        {"battle_id": _text("From new_battle."), "outcome": _text("Which is better.", "a", "b", "tie", "both_bad")},
        ("battle_id", "outcome"),
        changes=True,
    ),
    Tool(
        "leaderboard",
        "Ratings of models by blind votes, with 95 % intervals.",
        leaderboard,
        {
            "board": _text("Default generate.", "generate", "edit-single", "edit-multi"),
            "method": _text("Default bradley-terry.", "bradley-terry", "davidson", "elo"),
            "ties": _text("Default half.", "half", "drop"),
        },
    ),
)
