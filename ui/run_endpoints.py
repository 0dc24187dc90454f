"""What programs may ask about runs: models, price, make, edit, follow, stop, search. Each answers with a JSON document.

The endpoints (`api`) and the tools of agents (`mcp_door`) both end here, and this in the functions of the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import TypeGuard

from playground import library
from playground.engine import PlanRefused
from playground.library import GroupView
from playground.plan import Plan, make_plan
from playground.ready import sources_of
from providers.catalog import Catalog
from providers.checks import Problem
from providers.rows import DEFAULT_QUALITY
from providers.types import Operation
from storage.records import CostSource, RunView
from ui.app import App
from ui.callers import Caller
from ui.documents import plan_document, run_document
from ui.plain_documents import Document, catalog_document
from ui.told_requests import Asked, read_asked

MAX_WAIT_S = 600.0
MAX_PAGE = 100
_FILES = {"path": "url", "converted_path": "converted_url", "locked_path": "locked_url", "drift_path": "drift_url"}
_ENDED = ("succeeded", "failed", "cancelled", "unknown")


def models(app: App, caller: Caller | None) -> Document:
    """The catalogue, and which offers this caller can run now."""
    catalog = app.services.catalog
    document = catalog_document(catalog)
    if not _is_local(app):
        hidden = _servers(catalog)
        document["providers"] = [
            row | {"base_url": ""} if row["provider"] in hidden else row for row in rows(document["providers"])
        ]
    sources = sources_of(app.services, caller.owner, caller.keys) if caller else None
    usable = {offer.offer_id for offer in sources.usable()} if sources else set()
    document["offers"] = [row | {"ready": row["offer"] in usable} for row in rows(document["offers"])]
    return document


async def estimate(app: App, caller: Caller | None, told: object) -> Document:
    """What the request would send and cost. Raises: PlanRefused when it cannot be read."""
    services = app.services
    asked = await read_asked(services, caller.owner if caller else None, told)
    return plan_document(_plan(app, asked), services.settings, services.clock().date())


async def submit(app: App, caller: Caller, told: object, operation: Operation | None = None) -> Document:
    """Starts the runs and answers at once.

    Raises: TooOften; PlanRefused; and as `Engine.submit`. In each case nothing was sent.
    """
    asked = await read_asked(app.services, caller.owner, told)
    if operation == "edit" and not asked.request.images:
        raise PlanRefused((Problem("images", "An edit needs an image. Name one in images, or use generate."),))
    plan = _plan(app, asked)
    refuse_dear(plan, caller.max_microusd)
    # Counted before the call that may take long: whoever asks for more than its share waits first.
    await app.pace.count(caller.owner)
    group_id = await app.engine.submit(plan, caller.owner, keys=caller.keys)
    return {"group_id": group_id, "runs": len(plan.runs), "estimate_microusd": plan.high_microusd}


async def make(app: App, caller: Caller, told: object, *, operation: Operation | None, wait_s: object) -> Document:
    """Starts the runs and answers with their group when all have ended, or as it stands after `wait_s` seconds: `done` tells.

    Raises: as `submit`.
    """
    if not _is_number(wait_s):
        raise PlanRefused((Problem("wait_s", "wait_s must be a number of seconds."),))
    started = await submit(app, caller, told, operation)
    group_id = str(started["group_id"])
    try:
        async with asyncio.timeout(min(max(wait_s, 0.0), MAX_WAIT_S)):
            async for _ in app.engine.follow(group_id, caller.owner):
                pass
    except TimeoutError:
        pass
    return await group(app, caller, group_id)


async def group(app: App, caller: Caller, group_id: str) -> Document:
    """The runs of a group as they stand. Raises: PlanRefused when it is not there, not the caller's, or a battle's."""
    found = await library.group(app.services, group_id, caller.owner)
    if found is None or found.group.kind == "battle":
        # Before its vote a battle's runs would tell the makers; afterwards they stand in the history.
        raise PlanRefused((Problem("group_id", "There is no such group of yours."),))
    return group_document(app, found)


async def cancel(app: App, caller: Caller, run_id: str) -> Document:
    """Stops a run of the caller's; `stopped` is false where none was under way."""
    return {"run_id": run_id, "stopped": await app.engine.cancel(run_id, caller.owner)}


async def history(app: App, caller: Caller, search: str, limit: object, before: str | None) -> Document:
    """One page of the caller's runs, newest first. Raises: PlanRefused when limit or cursor cannot be used."""
    if not isinstance(limit, int) or not 1 <= limit <= MAX_PAGE:
        raise PlanRefused((Problem("limit", f"limit must be a whole number from 1 to {MAX_PAGE}."),))
    try:
        page, count = await library.history_page(
            app.services, caller.owner, search=search[:1000], limit=limit, before=before or None
        )
    except ValueError:
        raise PlanRefused((Problem("before", "before must be `next` of the page before."),)) from None
    return {"runs": [_run(app, view) for view in page.runs], "next": page.next, "count": count}


def group_document(app: App, found: GroupView) -> Document:
    """A group, with what it was expected to cost and what it did."""
    views = found.runs
    costs = [view.cost_microusd if view.ledger_state == "settled" else None for view in views]
    estimates = [view.run.estimate_microusd for view in views]
    return {
        "group_id": found.group.group_id,
        "operation": found.group.operation,
        "done": all(view.run.state in _ENDED for view in views),
        "estimate_microusd": _sum(estimates),
        "cost_microusd": _sum(costs),
        "cost_source": _weakest(views),
        "runs": [_run(app, view) for view in views],
    }


def _plan(app: App, asked: Asked) -> Plan:
    return make_plan(asked.request, asked.offers, app.services.catalog, default_quality=DEFAULT_QUALITY)


def refuse_dear(plan: Plan, most_microusd: int | None) -> None:
    """Raises: PlanRefused when the plan may cost more than that, or nobody knows what."""
    if most_microusd is None or not plan.is_sendable:
        return
    expected = plan.high_microusd
    most = f"the ${most_microusd / 1e6:g} that one call may cost"
    if expected is None:
        words = f"What this costs is not known beforehand, so it cannot be held against {most}. Nothing was sent."
    elif expected > most_microusd:
        words = f"This may cost ${expected / 1e6:.4f}, more than {most}. Nothing was sent."
    else:
        return
    raise PlanRefused((Problem("max_usd", words),))


def _run(app: App, view: RunView) -> Document:
    document = run_document(view, app.services)
    document["images"] = [_with_addresses(image, is_local=_is_local(app)) for image in rows(document["images"])]
    return document


def _with_addresses(image: Document, *, is_local: bool) -> Document:
    """Where its files are served, relative to this server. Where they lie on its disk is told to its owner alone."""
    found = dict(image)
    for name, address in _FILES.items():
        path = image.get(name)
        found[address] = f"media/{PurePath(path).name}" if isinstance(path, str) else None
        found[name] = path if is_local else None
    return found | {"thumb_url": f"thumbs/{image['sha256']}.webp"}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sum(amounts: Iterable[int | None]) -> int | None:
    total = 0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _weakest(views: Iterable[RunView]) -> CostSource:
    """A sum is known no better than its worst part."""
    order: tuple[CostSource, ...] = ("reported", "computed", "estimated", "unknown")
    found = [view.cost_source if view.ledger_state == "settled" else "unknown" for view in views]
    return max(found, key=order.index, default="unknown")


def _servers(catalog: Catalog) -> set[str]:
    """Providers whose addresses are nobody's but the host's."""
    return {row.provider_id for row in catalog.providers if row.key_is_optional}


def _is_local(app: App) -> bool:
    return app.services.settings.mode == "local"


def rows(value: object) -> list[Document]:
    """The objects of a list in a document."""
    return [dict(row) for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
