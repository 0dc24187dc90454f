"""Runs and plans as JSON documents: what the command line prints and every other door will answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from playground.lock_keeping import drift_of
from playground.offered import told_access
from playground.plan import Plan, PlannedRun
from playground.services import Services
from playground.settings import Settings
from providers.adapter import HttpCall
from providers.bodies import call_document
from providers.catalog import Provider
from providers.checks import retirement_note
from providers.pricing import CostLine
from storage.records import DerivedImage, ImageLock, RunView, StoredImage
from ui.plain_documents import Document, error_document, problem_document


def run_document(view: RunView, services: Services) -> Document:
    """One run with its images; `path` is the file with the provider's bytes, untouched."""
    run = view.run
    return {
        "run_id": run.run_id,
        "group_id": run.group_id,
        "offer": run.offer,
        "operation": run.operation,
        "state": run.state,
        "asked": dict(run.asked),
        "sent": dict(run.sent) if run.sent is not None else None,
        "got": dict(run.got) if run.got is not None else None,
        "images": [_image_document(image, view.lock_of(image.image_id), services) for image in view.images],
        "partials": len(view.partials),
        "estimate_microusd": run.estimate_microusd,
        "cost_microusd": view.cost_microusd,
        "cost_source": view.cost_source if view.ledger_state == "settled" else "unknown",
        "ledger_state": view.ledger_state,
        "queued_at": run.queued_at,
        "finished_at": run.finished_at,
        "latency_ms": run.latency_ms,
        "first_preview_ms": run.first_preview_ms,
        "request_id": run.request_id,
        "remote_id": run.remote_id,
        "error": error_document(run.error),
    }


def _image_document(image: StoredImage, lock: ImageLock | None, services: Services) -> Document:
    return {
        "path": str(services.store.blobs.path(image.sha256, image.media_type).resolve()),
        "sha256": image.sha256,
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "bytes": image.size_bytes,
        "seed": image.seed,
        "revised_prompt": image.revised_prompt,
        "checks": list(image.checks),
        "converted_path": _converted_path(image, services),
        **_lock_document(lock, services),
    }


def _lock_document(lock: ImageLock | None, services: Services) -> Document:
    """What was made of the image by the lock outside its mask; `None` everywhere where none was asked."""
    drift = drift_of(lock.drift) if lock and lock.drift else None
    return {
        "locked_path": _derived_path(lock.locked if lock else None, services),
        "lock_note": _lock_note(lock),
        "drift_path": _derived_path(lock.drift if lock else None, services),
        "drift_percent": drift.percent if drift else None,
        "drift_visible_share": drift.visible_share if drift else None,
    }


def _lock_note(lock: ImageLock | None) -> str | None:
    if lock is None:
        return None
    return "The original is not put back yet; it is when the app looks next." if lock.state == "due" else lock.note


def _derived_path(derived: DerivedImage | None, services: Services) -> str | None:
    if derived is None:
        return None
    return str(services.store.blobs.path(derived.sha256, derived.media_type).resolve())


def _converted_path(image: StoredImage, services: Services) -> str | None:
    """The file in the format that was asked for, where it was made here."""
    if image.converted_sha256 is None or image.converted_type is None:
        return None
    return str(services.store.blobs.path(image.converted_sha256, image.converted_type).resolve())


def lifecycle_notice(run: PlannedRun, today: date) -> str | None:
    """That the run's model ends, or has ended, where its maker named a day."""
    note = retirement_note(run.spec, today)
    if note is None:
        return None
    maker = run.spec.maker or "its maker"
    return f"{note} at {maker}: expect it to fail." if run.spec.is_retired(today) else f"{note} at {maker}."


def plan_document(
    plan: Plan, settings: Settings, today: date, quotes: Mapping[str, int | str] | None = None
) -> Document:
    """What would be sent and what it would cost. `quotes`: offer -> the provider's own figure, or why there is none."""
    return {
        "total_microusd": plan.high_microusd,
        "total_low_microusd": plan.low_microusd,
        "problems": [problem_document(problem) for problem in plan.problems],
        "runs": [_planned_document(run, settings, today) | _quote(quotes, run) for run in plan.runs],
    }


def _quote(quotes: Mapping[str, int | str] | None, run: PlannedRun) -> Document:
    if quotes is None:
        return {}
    found = quotes.get(run.offer.offer_id, "This provider tells no price beforehand.")
    return {
        "quote_microusd": found if isinstance(found, int) else None,
        "quote_note": "" if isinstance(found, int) else found,
    }


def _planned_document(run: PlannedRun, settings: Settings, today: date) -> Document:
    base_url = told_access(run.provider, settings).base_url
    return {
        "offer": run.offer.offer_id,
        "estimate_microusd": run.estimate.high_microusd,
        "estimate_low_microusd": run.estimate.low_microusd,
        "price_id": run.estimate.price.price_id if run.estimate.price else None,
        "note": run.estimate.note,
        "lines": [_line_document(line) for line in run.estimate.lines],
        "problems": [problem_document(problem) for problem in run.problems],
        "fields": [
            {
                "field": row.field,
                "asked": row.asked,
                "handling": row.handling,
                "sent_as": row.sent_as,
                "value": row.value,
                "note": row.note,
            }
            for row in run.fields
        ],
        "notices": [*([ends] if (ends := lifecycle_notice(run, today)) else []), *run.notices],
        "calls": [call.images for call in run.calls],
        "request": _request_document(run.call, base_url, run.provider),
    }


def _line_document(line: CostLine) -> Document:
    return {
        "label": line.label,
        "unit": line.unit,
        "units": line.high_units,
        "units_low": line.low_units,
        "unit_microusd": _number(line.unit_microusd),
        "amount_microusd": _number(line.high_microusd),
        "amount_low_microusd": _number(line.low_microusd),
    }


def _request_document(call: HttpCall, base_url: str, provider: Provider) -> Document:
    headers = {"Content-Type": "multipart/form-data" if call.files else "application/json"}
    if provider.key_variable:
        headers["Authorization"] = f"{'Key' if provider.auth == 'key' else 'Bearer'} ${provider.key_variable}"
    return {
        "method": call.method,
        "url": base_url + call.path,
        "headers": headers | dict(call.headers),
        "body": call_document(call),
    }


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)
