"""How a run ended, in terms of the store: its state, its error and what to write into the ledger. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from providers.errors import ProviderError
from providers.pricing import Estimate, cost_of
from providers.types import Answered
from storage.records import CostSource, RunError, RunState

LedgerEntry = Literal["settle", "release", "unknown"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run."""

    state: RunState
    entry: LedgerEntry
    amount_microusd: int | None = None
    """For `settle`."""
    source: CostSource = "unknown"
    error: RunError | None = None
    got: dict[str, object] | None = None
    request_id: str | None = None


def answered(answer: Answered, estimate: Estimate, images: int, error: RunError | None) -> Outcome:
    """The end of a run whose provider answered; `error` says what was wrong with the images, if anything was."""
    got: dict[str, object] = dict(answer.got)
    if answer.usage is not None:
        got["usage"] = {
            "text_input_tokens": answer.usage.text_input_tokens,
            "image_input_tokens": answer.usage.image_input_tokens,
            "output_tokens": answer.usage.output_tokens,
            "text_output_tokens": answer.usage.text_output_tokens,
        }
    got["images"] = images
    amount, source = _cost(answer, estimate)
    known = amount is not None
    return Outcome(
        state="succeeded" if images else ("failed" if known else "unknown"),
        entry="settle" if known else "unknown",
        amount_microusd=amount,
        source=source,
        error=error,
        got=got,
        request_id=answer.request_id,
    )


def _cost(answer: Answered, estimate: Estimate) -> tuple[int | None, CostSource]:
    if answer.cost_microusd is not None:
        return answer.cost_microusd, "reported"
    computed = cost_of(answer.usage, estimate.price)
    if computed is not None:
        return computed, "computed"
    if estimate.high_microusd is not None and estimate.high_microusd == estimate.low_microusd:
        return estimate.high_microusd, "estimated"
    return None, "unknown"


def refused(error: ProviderError, estimate: Estimate) -> Outcome:
    """The end of a run whose call failed."""
    return _ended(
        RunError(
            kind=error.kind,
            message=error.message,
            param=error.param,
            status=error.status,
            retryable=error.retryable,
            retry_after_s=error.retry_after_s,
            may_have_been_billed=error.may_have_been_billed and not is_free(estimate),
        ),
        unbilled="failed",
        request_id=error.request_id,
    )


def stopped(estimate: Estimate, *, was_sent: bool, why: str) -> Outcome:
    """The end of a run that was cancelled, or whose process stopped. `why` is a sentence."""
    may_have_been_billed = was_sent and not is_free(estimate)
    money = (
        "The request had been sent, so the provider may still bill it."
        if may_have_been_billed
        else "Nothing was billed."
    )
    error = RunError("cancelled", f"{why} {money}", retryable=True, may_have_been_billed=may_have_been_billed)
    return _ended(error, unbilled="cancelled", request_id=None)


def left_behind(*, is_free: bool) -> Outcome:
    """The end of a run that was under way when its process ended without a word."""
    money = (
        "The Demo is free."
        if is_free
        else "The request had been sent, so the provider may have billed it; check there before you retry."
    )
    words = f"The app stopped while this run was under way, and its answer never came. {money}"
    error = RunError("unknown", words, retryable=True, may_have_been_billed=not is_free)
    return Outcome("unknown", "release" if is_free else "unknown", error=error)


def broken(message: str, *, was_sent: bool, estimate: Estimate) -> Outcome:
    """The end of a run that failed on our side. `message` is a sentence."""
    error = RunError("unknown", message, may_have_been_billed=was_sent and not is_free(estimate))
    return _ended(error, unbilled="failed", request_id=None)


def lost(message: str) -> Outcome:
    """The end of a run whose real end could not be stored; nobody knows any more what it cost."""
    return Outcome("unknown", "unknown", error=RunError("unknown", message, may_have_been_billed=True))


def _ended(error: RunError, *, unbilled: RunState, request_id: str | None) -> Outcome:
    if error.may_have_been_billed:
        return Outcome("unknown", "unknown", error=error, request_id=request_id)
    return Outcome(unbilled, "release", error=error, request_id=request_id)


def is_free(estimate: Estimate) -> bool:
    """Whether the run costs nothing, whatever happens."""
    return estimate.price is not None and estimate.price.is_free


UNPRICED = Estimate(None, None)
"""Stands in where a run ends before it could be planned."""
