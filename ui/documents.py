"""Runs, plans and the catalogue as JSON documents: what the command line prints and every other door will answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from playground.lock_keeping import drift_of
from playground.offered import told_access
from playground.plan import Plan, PlannedRun
from playground.services import Services
from playground.settings import Settings
from providers.adapter import HttpCall
from providers.bodies import call_document
from providers.catalog import Catalog, ModelSpec, Offer, Price, Provider
from providers.checks import Problem, retirement_note
from providers.pricing import CostLine
from storage.records import DerivedImage, ImageLock, RunError, RunView, StoredImage

Document = dict[str, object]


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


def error_document(error: RunError | None) -> Document | None:
    """Why a run did not end well."""
    if error is None:
        return None
    return {
        "kind": error.kind,
        "message": error.message,
        "param": error.param,
        "status": error.status,
        "retryable": error.retryable,
        "retry_after_s": error.retry_after_s,
        "may_have_been_billed": error.may_have_been_billed,
    }


def failure_document(error: RunError, problems: Iterable[Problem], group_id: str | None = None) -> Document:
    """Why a command has no other answer. `group_id`: runs were stored before it failed."""
    return {
        "group_id": group_id,
        "runs": [],
        "problems": [_problem_document(problem) for problem in problems],
        "error": error_document(error),
    }


def _problem_document(problem: Problem) -> Document:
    return {"field": problem.field, "message": problem.message}


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
        "problems": [_problem_document(problem) for problem in plan.problems],
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
        "problems": [_problem_document(problem) for problem in run.problems],
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


def catalog_document(catalog: Catalog) -> Document:
    """Providers, models and offers with lifecycle, limits and prices."""
    return {
        "providers": [
            {
                "provider": row.provider_id,
                "name": row.name,
                "base_url": row.base_url,
                "base_url_variable": row.base_url_variable,
                "key_variable": row.key_variable,
                "accepts_any_model": row.accepts_any_model,
            }
            for row in catalog.providers
        ],
        "models": [_model_document(row) for row in catalog.models],
        "offers": [_offer_document(row) for row in catalog.offers],
    }


def _model_document(row: ModelSpec) -> Document:
    rule = row.sizes
    sizes: Document = {"fixed": list(rule.fixed)} if rule.fixed else {
        "multiple_of": rule.multiple,
        "max_edge": rule.max_edge,
        "min_area": rule.min_area,
        "max_area": rule.max_area,
        "max_ratio": rule.max_ratio,
        "suggested": list(rule.suggested),
    }  # fmt: skip
    return {
        "model": row.model_id,
        "name": row.name,
        "family": row.family,
        "maker": row.maker,
        "released_on": row.released_on.isoformat() if row.released_on else None,
        "retires_on": row.retires_on.isoformat() if row.retires_on else None,
        "snapshots": list(row.snapshots),
        "sizes": sizes,
        "qualities": list(row.qualities),
        "edit_qualities": list(row.edit_qualities),
        "backgrounds": list(row.backgrounds),
        "formats": list(row.formats),
        "moderation": list(row.moderation),
        "input_fidelity": list(row.input_fidelity),
        "mask": row.mask,
        "max_n": row.max_n,
        "max_n_per_call": row.max_n_per_call,
        "max_images": row.max_images,
        "max_prompt_chars": row.max_prompt_chars,
        "max_partials": row.max_partials,
        "note": row.note,
        "source": row.source,
    }


def _offer_document(row: Offer) -> Document:
    return {
        "offer": row.offer_id,
        "provider": row.provider_id,
        "model": row.model_id,
        "provider_model_id": row.provider_model_id,
        "price": _price_document(row.price) if row.price else None,
        "limits": _model_document(row.spec) if row.spec else None,
        "needs_key_of": list(row.needs_key_of),
    }


def _price_document(price: Price) -> Document:
    return {
        "price_id": price.price_id,
        "unit": "USD per million tokens",
        "text_in": str(price.text_in),
        "image_in": str(price.image_in),
        "image_out": str(price.image_out),
        "text_out": str(price.text_out) if price.text_out is not None else None,
        "usd_per_image": {
            quality: {size: str(usd) for size, usd in table.items()} for quality, table in price.per_image.items()
        },
        "usd_per_image_rounded_up_to": str(price.rounds_up_to) if price.rounds_up_to is not None else None,
        "usd_fee_per_image": str(price.fee_per_image),
        "tokens_billed_by": price.tokens_billed_by,
        "valid_from": price.valid_from.isoformat(),
        "source": price.source,
    }


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)
