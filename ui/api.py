"""Named endpoints for programs, by Gradio's `call` protocol, as JSON: runs, blind battles, votes and leaderboards.

They end in the same functions as the page. A refusal is an answer too: the error document of the command line. Whoever calls
is known by headers (`callers`). Their docstrings are what `/gradio_api/info` says of them.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from providers.types import Operation
from ui import battle_endpoints, guard, run_endpoints
from ui.app import App
from ui.battle_endpoints import Boards, texts
from ui.callers import Caller, caller_of
from ui.components import bound
from ui.document_answers import answered
from ui.plain_documents import Document

WAIT_S = 120.0
"""So long `generate` and `edit` wait for the end of their runs, where nothing else is said."""


def register(app: App) -> None:
    """Adds the endpoints to the Blocks that are being built."""
    boards = Boards(app.services)

    async def leaderboard(
        board: str = "generate", method: str = "bradley-terry", ties: str = "half"
    ) -> dict[str, object]:
        """The document of `leaderboard --json`. `board`: generate, edit-single or edit-multi; `method`: bradley-terry, davidson
        or elo; `ties`: half or drop.
        """
        return await answered(boards.stated(texts(board=board, method=method, ties=ties)))

    ours = (models, estimate, submit, generate, edit, group, cancel, history, new_battle, vote)
    for endpoint in (*(bound(each, app) for each in ours), leaderboard):
        gr.api(endpoint, api_name=endpoint.__name__, concurrency_limit=None)


async def models(app: App, http: gr.Request) -> dict[str, object]:
    """The document of `models --json`: providers, models and offers, with limits, prices and whether each offer is `ready` for
    you.
    """

    async def work() -> Document:
        return run_endpoints.models(app, _known(app, http))

    return await answered(work())


async def estimate(app: App, http: gr.Request, request: dict[str, Any]) -> dict[str, object]:
    """What a request would send and cost, and what stands in its way; sends and stores nothing. `request`: an object with the
    fields of the command line: `offers`, `prompt`, `images`, `mask`, `n`, `size`, `quality` and so on.
    """

    async def work() -> Document:
        return await run_endpoints.estimate(app, _known(app, http), request)

    return await answered(work())


async def submit(app: App, http: gr.Request, request: dict[str, Any]) -> dict[str, object]:
    """Starts what `estimate` tells the price of, and answers at once with the `group_id` to ask `group` about. May cost
    money.
    """

    async def work() -> Document:
        return await run_endpoints.submit(app, caller_of(app, http), request)

    return await answered(work())


async def generate(
    app: App,
    http: gr.Request,
    request: dict[str, Any],
    wait_s: float = WAIT_S,
) -> dict[str, object]:
    """Makes images and answers when they are made: each run with its images, its cost and where that figure comes from. After
    `wait_s` seconds it answers with what there is: `done` is false, and `group` tells the rest. May cost money.
    """
    return await answered(_made(app, http, request, wait_s))


async def edit(
    app: App,
    http: gr.Request,
    request: dict[str, Any],
    wait_s: float = WAIT_S,
) -> dict[str, object]:
    """As `generate`, over `images`: each the sha256 of an image of yours or a data URI; with a `mask` or without. May cost
    money.
    """
    return await answered(_made(app, http, request, wait_s, operation="edit"))


async def group(app: App, http: gr.Request, group_id: str) -> dict[str, object]:
    """The runs of one press as they stand, in the document of `generate --json`; `done` when all have ended."""

    async def work() -> Document:
        return await run_endpoints.group(app, caller_of(app, http), str(group_id))

    return await answered(work())


async def cancel(app: App, http: gr.Request, run_id: str) -> dict[str, object]:
    """Stops a run: a queued one leaves, a call under way is closed and may still be billed."""

    async def work() -> Document:
        return await run_endpoints.cancel(app, caller_of(app, http), str(run_id))

    return await answered(work())


async def history(app: App, http: gr.Request, search: str = "", limit: int = 24, before: str = "") -> dict[str, object]:
    """Your runs, newest first. `search`: words of the prompt; `before`: `next` of the page before."""

    async def work() -> Document:
        return await run_endpoints.history(app, caller_of(app, http), str(search), limit, str(before))

    return await answered(work())


async def new_battle(
    app: App, http: gr.Request, task: str = "any", source: str = "history", category: str = ""
) -> dict[str, object]:
    """A blind battle. `task`: any, generate or edit; `category`: of the prompt bank, or empty for any. `source` "history" pairs
    images you made already and is free; "new" asks two models for a prompt of the bank, which costs what two images cost, paid
    with your keys; "demo" does so with the Demo's models, free. Then answers when both have. Look at `image_a` and `image_b`
    (addresses relative to this server), then call `vote`.
    """

    async def work() -> Document:
        told = texts(task=task, source=source, category=category)
        return await battle_endpoints.new_battle(app, caller_of(app, http), told)

    return await answered(work())


async def vote(app: App, http: gr.Request, battle_id: str, outcome: str) -> dict[str, object]:
    """Your one vote on a battle: a, b, tie or both_bad. Answers whether it counts on everybody's boards, who made the two, and
    what it changed (`null` where that cannot be told now).
    """

    async def work() -> Document:
        return await battle_endpoints.vote(app, caller_of(app, http), str(battle_id), str(outcome))

    return await answered(work())


async def _made(
    app: App, http: gr.Request, request: dict[str, Any], wait_s: float, *, operation: Operation | None = None
) -> Document:
    return await run_endpoints.make(app, caller_of(app, http), request, operation=operation, wait_s=wait_s)


def _known(app: App, http: gr.Request) -> Caller | None:
    """Who asks, where that is said; prices are for everybody."""
    try:
        return caller_of(app, http)
    except guard.UnknownVisitor:
        return None
