"""What the price on Run is made of: each offer with its lines, its source and, where it is open, its range. Pure."""

from __future__ import annotations

from playground.plan import Plan, PlannedRun
from providers.pricing import Estimate
from ui import views
from ui.pages.playground.xray_view import cost_view

Json = dict[str, object]

OPEN = "A range: where something is left to the model (size, quality, previews), nobody knows before how much it makes."


def estimate_view(plan: Plan) -> Json | None:
    """The details of the estimate; `None` where every run is free or there is none: then there is nothing to tell."""
    if all(run.estimate.high_microusd == 0 for run in plan.runs):
        return None
    offers: dict[str, list[PlannedRun]] = {}
    for run in plan.runs:
        offers.setdefault(run.offer.offer_id, []).append(run)
    total = views.total([(run.estimate.low_microusd, run.estimate.high_microusd) for run in plan.runs])
    return {
        "total": total.about(),
        "runs": views.counted(len(plan.runs), "run"),
        "offers": [_offer(runs) for runs in offers.values()],
        "open": OPEN if total.low_microusd != total.high_microusd else "",
    }


def _offer(runs: list[PlannedRun]) -> Json:
    """Runs of one offer may differ in their prompts: the lines are those of the dearest."""
    dearest = max(runs, key=_dearness)
    model, provider = dearest.spec.name, dearest.provider.name
    total = views.total([(run.estimate.low_microusd, run.estimate.high_microusd) for run in runs])
    return {
        "id": dearest.offer.offer_id,
        "model": model,
        "provider": "" if model.startswith(provider) else provider,
        "runs": f"{len(runs)} runs" if len(runs) > 1 else "",
        "sum": total.about(),
        "cost": cost_view(dearest.estimate),
    }


def _dearness(run: PlannedRun) -> int:
    estimate: Estimate = run.estimate
    return estimate.high_microusd or 0
