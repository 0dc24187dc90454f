"""`history`: runs so far. What a crash left is taken up first, but nothing is sent."""

from __future__ import annotations

import argparse
import asyncio

from playground import library
from playground.refusals import PlanRefused
from providers.checks import Problem
from storage.search import parse_search
from storage.sorts import sort_of
from ui.answering import Answer
from ui.app import App
from ui.commands.parts import Parts
from ui.commands.texts import money_text, printable
from ui.documents import run_document
from ui.failures import ALL_WELL

CATCH_UP_S = 60.0
"""So long a command that only looks waits for jobs that an ended process left."""


def run(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Prints a page of it; returns the exit code. Raises: PlanRefused."""
    try:
        if options.before is not None:
            sort_of(options.sort).place(options.before)
    except ValueError as error:
        raise PlanRefused((Problem("before", f"{error} in this order"),)) from error
    with parts.app() as app:
        return _tell(options, answer, app)


def _tell(options: argparse.Namespace, answer: Answer, app: App) -> int:
    asyncio.run(_catch_up(app))
    page, count = asyncio.run(
        library.history_page(
            app.services, None, search=options.search, sort=options.sort, limit=options.limit, before=options.before
        )
    )
    for words in parse_search(options.search).misread:
        answer.say(words)
    answer.document(
        {"runs": [run_document(view, app.services) for view in page.runs], "next": page.next, "count": count}
    )
    for view in page.runs:
        first = printable(view.run.prompt[:60])
        answer.line(
            f"{view.run.queued_at}  {view.run.state:10} {money_text(view.cost_microusd):>9}  {view.run.offer}  {first}"
        )
    return ALL_WELL


async def _catch_up(app: App) -> None:
    """What a crash left, jobs at providers included; those that take longer go on at the next start."""
    try:
        await app.engine.catch_up(CATCH_UP_S)
    finally:
        await app.engine.close(0)
        await app.services.client.close()
