"""`costs`: what was spent, the limits, and costs that nobody knows; with options that set a limit or settle one by hand.

Whoever sits at the shell is the operator: sums and lines are everybody's, also where the pages are public.
"""

from __future__ import annotations

import argparse
import asyncio

from playground import limits, spending
from playground.limits import EVERYBODYS, NAMES, Limit
from playground.money_settings import microusd_of
from playground.services import LOCAL_OWNER
from providers.checks import Problem
from storage.ledger_pages import LedgerEntry, LedgerFilter
from storage.records import LimitSpan
from ui import views
from ui.answering import Answer
from ui.app import App
from ui.commands.parts import Parts
from ui.failures import ALL_WELL, refused
from ui.plain_documents import Document

UNKNOWN_SHOWN = 100


def run(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Does what is asked and tells how things stand then; returns the exit code."""
    with parts.app() as app:
        problem = asyncio.run(_done(options, app))
        if problem is not None:
            return answer.fail(refused([problem]))
        return asyncio.run(_tell(answer, app))


async def _done(options: argparse.Namespace, app: App) -> Problem | None:
    """Sets, takes away or settles; what is wrong with it, where something is."""
    if options.set is not None:
        span, text = options.set
        amount = microusd_of(text)
        if amount is None:
            return Problem("set", f"{text[:40]!r} is no amount in US dollars, as 5 or 0.50.")
        if span not in NAMES:
            return Problem("set", f"{span[:40]!r} is no limit; expected one of {', '.join(NAMES)}.")
        known: LimitSpan = next(name for name in NAMES if name == span)
        await limits.set_limit(app.services, LOCAL_OWNER, known, amount, "warn" if options.warn else "block")
    elif options.unset is not None:
        await limits.remove_limit(app.services, LOCAL_OWNER, options.unset)
    elif options.settle is not None:
        line, text = options.settle
        amount = microusd_of(text)
        if amount is None:
            return Problem(
                "settle", f"{text[:40]!r} is no amount in US dollars, as 0.031, or 0 where nothing was billed."
            )
        if not await spending.settle_by_hand(app.services, LOCAL_OWNER, line, amount, options.note or ""):
            return Problem("settle", f"{line[:40]!r} is no line whose cost is unknown; `costs` lists those.")
    return None


async def _tell(answer: Answer, app: App) -> int:
    found = await spending.of_everybody(app.services, app.engine.session)
    unknown = await spending.lines_of(app.services, LedgerFilter(None, "unknown"), UNKNOWN_SHOWN)
    answer.document(
        {
            "day": found.day.isoformat(),
            "time_zone": found.zone,
            "today_microusd": found.today.settled_microusd,
            "month_microusd": found.month.settled_microusd,
            "all_time_microusd": found.all_time.settled_microusd,
            "reserved_microusd": found.all_time.reserved_microusd,
            "unknown_microusd": found.all_time.unknown_microusd,
            "limits": [_limit_document(limit, found.standing.of(limit.span)) for limit in found.limits],
            "unknown": [_line_document(entry) for entry in unknown],
        }
    )
    answer.line(f"{'today':14} {views.dollars(found.today.settled_microusd)}")
    answer.line(f"{'month':14} {views.dollars(found.month.settled_microusd)}")
    answer.line(f"{'all time':14} {views.dollars(found.all_time.settled_microusd)}")
    answer.line(f"{'reserved now':14} {views.dollars(found.all_time.reserved_microusd)}")
    ever = found.all_time
    if ever.unknown:
        held = views.dollars(ever.unknown_microusd)
        answer.line(f"{'unknown':14} {held} held for {views.counted(ever.unknown, 'run')}")
    for limit in found.limits:
        answer.line(f"limit {limit.span:8} {_limit_words(limit, found.standing.of(limit.span))}")
    for entry in unknown:
        held = "no price known" if entry.amount_microusd is None else f"{views.dollars(entry.amount_microusd)} held"
        answer.line(f"{'line':14} {entry.ledger_id}  {entry.reserved_at}  {entry.offer}  {held}")
    return ALL_WELL


def _limit_words(limit: Limit, held_microusd: int) -> str:
    amount = views.dollars(limit.amount_microusd)
    figure = f"{views.dollars(held_microusd)} of {amount}" if limit.span in EVERYBODYS else amount
    return f"{figure}, {limit.action}s, {'set where the app starts' if limit.is_fixed else 'set here'}"


def _limit_document(limit: Limit, held_microusd: int) -> Document:
    return {
        "span": limit.span,
        "amount_microusd": limit.amount_microusd,
        "action": limit.action,
        "is_fixed": limit.is_fixed,
        "held_microusd": held_microusd if limit.span in EVERYBODYS else None,
    }


def _line_document(entry: LedgerEntry) -> Document:
    return {
        "ledger_id": entry.ledger_id,
        "run_id": entry.run_id,
        "offer": entry.offer,
        "billed_by": entry.payer,
        "reserved_at": entry.reserved_at,
        "held_microusd": entry.amount_microusd,
    }
