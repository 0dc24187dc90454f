"""Runs need a store, these documents need none: the catalogue, and why there is no other answer."""

from __future__ import annotations

from collections.abc import Iterable

from providers.catalog import Catalog, ModelSpec, Offer, Price
from providers.checks import Problem
from storage.records import RunError

Document = dict[str, object]


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
        "problems": [problem_document(problem) for problem in problems],
        "error": error_document(error),
    }


def problem_document(problem: Problem) -> Document:
    """A problem with its field."""
    return {"field": problem.field, "message": problem.message}


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
