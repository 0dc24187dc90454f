"""`estimate`: what a request would send and cost. Sends nothing, opens no store."""

from __future__ import annotations

import argparse
import asyncio

from playground.quotes import quotes_of
from playground.services import utc_now
from ui.answering import Answer
from ui.commands.parts import Parts
from ui.commands.planning import planned, tell_ends
from ui.commands.texts import money_text
from ui.documents import plan_document
from ui.failures import ALL_WELL, WRONG_REQUEST


def run(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Tells plan and price; returns the exit code. Raises: PlanRefused, UploadRefused."""
    plan = planned(options, answer, parts.catalog)
    quotes = asyncio.run(quotes_of(plan, parts.settings, parts.catalog)) if options.quote else None
    answer.document(plan_document(plan, parts.settings, utc_now().date(), quotes))
    tell_ends(plan, answer)
    for row in plan.runs:
        quote = (quotes or {}).get(row.offer.offer_id)
        told = (
            f"  the provider says {money_text(quote) if isinstance(quote, int) else quote}" if quote is not None else ""
        )
        answer.line(f"{row.offer.offer_id:36} {money_text(row.estimate.high_microusd)}{told}")
    for problem in plan.all_problems:
        answer.say(f"{problem.field}: {problem.message}")
    return WRONG_REQUEST if plan.all_problems else ALL_WELL
