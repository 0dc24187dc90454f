"""How calls and runs ended, in terms of the store: state, error in words, and what to write into the ledger. Pure.

A run is made of calls. Each ends by itself as a `CallEnd`, with its share of the money; `combined` makes the run's end of
them: images that came are kept whatever happened to the others, and the cost is known only when every share is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Literal

from providers.catalog import Price
from providers.errors import ProviderError
from providers.pricing import CostPart, Estimate, cost_parts
from providers.types import Answered, Usage
from storage.records import CostSource, Document, RunError, RunState

LedgerEntry = Literal["settle", "release", "unknown"]

_BY_DOUBT: tuple[CostSource, ...] = ("unknown", "estimated", "by_hand", "computed", "reported")
"""A sum is only as good as its worst part."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run."""

    state: RunState
    entry: LedgerEntry
    amount_microusd: int | None = None
    """For `settle`."""
    others_microusd: int = 0
    """The part of it that somebody else than the provider bills."""
    source: CostSource = "unknown"
    error: RunError | None = None
    got: dict[str, object] | None = None
    request_id: str | None = None


APP_STOPPED = "The app stopped while this run was under way, and its answer never came."
"""What became of a run whose process ended."""
_IN_DOUBT = "It may have been billed; check there before you retry."


@dataclass(frozen=True, slots=True)
class CallEnd:
    """The end of one call of a run."""

    asked: int
    images: int
    """Images that came and are kept."""
    amount_microusd: int | None
    """What it cost; `None`: nobody knows, and it may be money. 0: certainly nothing."""
    source: CostSource
    error: RunError | None = None
    got: Mapping[str, object] = field(default_factory=dict)
    request_id: str | None = None
    was_answered: bool = False
    was_stopped: bool = False
    others_microusd: int = 0
    """The part of the amount that somebody else than the provider bills."""

    def document(self) -> dict[str, object]:
        """As JSON, for a call whose run goes on."""
        return asdict(self)


def call_of_document(document: Document) -> CallEnd:
    """The call's end that `CallEnd.document` wrote."""
    error = document.get("error")
    return CallEnd(**{**document, "error": RunError(**error) if error else None})


def answered(
    answer: Answered,
    estimate: Estimate,
    *,
    asked: int,
    images: int,
    made: int,
    share: Fraction,
    errors: Sequence[RunError],
) -> CallEnd:
    """The end of a call whose provider answered. `images`: kept here; `made`: there, and billed. `share`: the part of the
    run's images that is billed, 0 to 1. `errors`: what was wrong.
    """
    amount, source, parts = _cost(answer, estimate, made, share)
    got: dict[str, object] = dict(answer.got)
    if answer.usage is not None:
        got["usage"] = _usage_document(answer.usage)
    if len(parts) > 1:
        got["cost_lines"] = [{"label": part.label, "amount_microusd": part.amount_microusd} for part in parts]
    return CallEnd(
        asked=asked,
        images=images,
        amount_microusd=amount,
        source=source,
        error=errors[0] if errors else None,
        got=got,
        request_id=answer.request_id,
        was_answered=True,
        others_microusd=sum(part.amount_microusd for part in parts if part.is_anothers),
    )


def _cost(
    answer: Answered, estimate: Estimate, images: int, share: Fraction
) -> tuple[int | None, CostSource, tuple[CostPart, ...]]:
    if answer.cost_microusd is not None:
        return answer.cost_microusd, "reported", ()
    parts = cost_parts(answer.usage, estimate.price, images)
    if parts is not None:
        return sum(part.amount_microusd for part in parts), "computed", parts
    is_definite = estimate.high_microusd is not None and estimate.high_microusd == estimate.low_microusd
    if is_definite and estimate.high_microusd is not None and not (estimate.price and estimate.price.needs_report):
        return round(estimate.high_microusd * share), "estimated", ()
    return None, "unknown", ()


def _usage_document(usage: Usage) -> dict[str, object]:
    return {
        "text_input_tokens": usage.text_input_tokens,
        "image_input_tokens": usage.image_input_tokens,
        "output_tokens": usage.output_tokens,
        "text_output_tokens": usage.text_output_tokens,
    }


def refused(error: ProviderError, estimate: Estimate, *, asked: int, images: int) -> CallEnd:
    """The end of a call that failed; `images` came before it did."""
    told = run_error(error, is_free=is_free(estimate))
    return CallEnd(
        asked, images, None if told.may_have_been_billed else 0, "unknown", error=told, request_id=error.request_id
    )


def run_error(error: ProviderError, *, is_free: bool = False) -> RunError:
    """The provider layer's error as the store keeps it and all doors tell it; what is free is never billed."""
    return RunError(
        kind=error.kind,
        message=error.message,
        param=error.param,
        status=error.status,
        retryable=error.retryable,
        retry_after_s=error.retry_after_s,
        may_have_been_billed=error.may_have_been_billed and not is_free,
    )


def call_stopped(
    estimate: Estimate, *, asked: int, images: int, was_sent: bool, why: str, token_payer: str | None = None
) -> CallEnd:
    """The end of a call that was cancelled. `was_sent`: the provider may have taken it, and may bill it. `token_payer`: who
    else may bill the tokens of what was under way. `why` is a sentence.
    """
    error = _stop_error(estimate, was_sent=was_sent, why=why, token_payer=token_payer)
    amount = None if error.may_have_been_billed else 0
    return CallEnd(asked, images, amount, "unknown", error=error, was_stopped=True)


def call_broken(message: str, estimate: Estimate, *, asked: int, images: int, was_sent: bool) -> CallEnd:
    """The end of a call that failed on our side. `message` is a sentence."""
    may_have_been_billed = was_sent and not is_free(estimate)
    error = RunError("unknown", message, may_have_been_billed=may_have_been_billed)
    return CallEnd(asked, images, None if may_have_been_billed else 0, "unknown", error=error)


def call_left_behind(estimate: Estimate, *, asked: int) -> CallEnd:
    """The end of a call that was under way when its process ended, and that cannot be found again."""
    ended = left_behind(APP_STOPPED, is_free=is_free(estimate))
    return CallEnd(asked, 0, 0 if is_free(estimate) else None, "unknown", error=ended.error)


def combined(ends: Sequence[CallEnd], asked: int) -> Outcome:
    """The end of a run whose calls ended so. `asked`: images of the whole run."""
    images = sum(end.images for end in ends)
    amounts = [end.amount_microusd for end in ends]
    known = None not in amounts
    total = sum(amount for amount in amounts if amount is not None)
    paid = [end for end in ends if end.was_answered]
    entry: LedgerEntry = ("settle" if paid else "release") if known else "unknown"
    state, error = _state(ends, images, is_known=known), _error(ends, images, asked)
    if state == "unknown" and error is not None and "bill" not in error.message:
        error = replace(error, message=f"{error.message} {_IN_DOUBT}")
    return Outcome(
        state=state,
        entry=entry,
        amount_microusd=total if entry == "settle" else None,
        others_microusd=sum(end.others_microusd for end in ends) if entry == "settle" else 0,
        source=min((end.source for end in paid), key=_BY_DOUBT.index) if entry == "settle" else "unknown",
        error=error,
        got=_got(paid, images) if paid or images else None,
        request_id=next((end.request_id for end in ends if end.request_id), None),
    )


def _state(ends: Sequence[CallEnd], images: int, *, is_known: bool) -> RunState:
    if images and any(end.was_answered for end in ends):
        return "succeeded"
    if not is_known:
        return "unknown"
    return "cancelled" if any(end.was_stopped for end in ends) else "failed"


def _error(ends: Sequence[CallEnd], images: int, asked: int) -> RunError | None:
    errors = [end.error for end in ends if end.error is not None]
    # A failure tells more than a stop, and doubt about money more than both.
    errors.sort(key=lambda error: (not error.may_have_been_billed, error.kind == "cancelled"))
    if images and images < asked and any(end.was_answered for end in ends):
        words = f"{images} of {asked} images came."
        if not errors:
            return RunError("malformed", words)
        return replace(errors[0], message=f"{words} {errors[0].message}")
    return errors[0] if errors else None


def _got(ends: Sequence[CallEnd], images: int) -> dict[str, object]:
    got: dict[str, object] = {}
    for end in ends:
        for name, value in end.got.items():
            if name == "usage" and isinstance(value, dict):
                got[name] = _sums(got.get(name), value)
            elif name == "cost_lines" and isinstance(value, list):
                got[name] = _lines(got.get(name), value)
            else:
                got.setdefault(name, value)
    return got | {"images": images}


def _sums(one: object, other: Mapping[str, object]) -> dict[str, object]:
    if not isinstance(one, dict):
        return dict(other)
    return {
        name: first + second if isinstance(first := one.get(name), int) and isinstance(second, int) else None
        for name, second in other.items()
    }


def _lines(one: object, other: list[object]) -> list[object]:
    sums: dict[str, int] = {}
    for line in [*(one if isinstance(one, list) else []), *other]:
        if isinstance(line, dict):
            sums[str(line["label"])] = sums.get(str(line["label"]), 0) + int(line["amount_microusd"])
    return [{"label": label, "amount_microusd": amount} for label, amount in sums.items()]


def stopped(estimate: Estimate, *, was_sent: bool, why: str) -> Outcome:
    """The end of a run that was cancelled, or whose process stopped. `why` is a sentence."""
    return _ended(_stop_error(estimate, was_sent=was_sent, why=why), unbilled="cancelled")


def tokens_in_doubt(payer: str) -> str:
    """What is open about a job that ended at work, where its tokens are another's."""
    return f"{payer} may still bill the tokens that were used until then."


def _stop_error(estimate: Estimate, *, was_sent: bool, why: str, token_payer: str | None = None) -> RunError:
    may_have_been_billed = (was_sent or token_payer is not None) and not is_free(estimate)
    if not may_have_been_billed:
        money = "Nothing was billed."
    elif was_sent or token_payer is None:
        money = "The request had been sent, so the provider may still bill it."
    else:
        money = tokens_in_doubt(token_payer)
    return RunError("cancelled", f"{why} {money}", retryable=True, may_have_been_billed=may_have_been_billed)


def left_behind(why: str, *, is_free: bool) -> Outcome:
    """The end of a run that was under way when it was left without a word. `why` is a sentence."""
    money = (
        "The Demo is free."
        if is_free
        else "The request had been sent, so the provider may have billed it; check there before you retry."
    )
    error = RunError("unknown", f"{why} {money}", retryable=True, may_have_been_billed=not is_free)
    return Outcome("unknown", "release" if is_free else "unknown", error=error)


def broken(message: str, *, was_sent: bool, estimate: Estimate) -> Outcome:
    """The end of a run that failed on our side. `message` is a sentence."""
    return _ended(
        RunError("unknown", message, may_have_been_billed=was_sent and not is_free(estimate)), unbilled="failed"
    )


def lost(message: str) -> Outcome:
    """The end of a run whose real end could not be stored; nobody knows any more what it cost."""
    return Outcome("unknown", "unknown", error=RunError("unknown", message, may_have_been_billed=True))


def _ended(error: RunError, *, unbilled: RunState) -> Outcome:
    if error.may_have_been_billed:
        return Outcome("unknown", "unknown", error=error)
    return Outcome(unbilled, "release", error=error)


def is_free(estimate: Estimate) -> bool:
    """Whether the run costs nothing, whatever happens."""
    return estimate.price is not None and estimate.price.is_free


FREE = Estimate(0, 0, price=Price("free", date(2026, 1, 1), "drawn on this machine"))
"""Stands in for a run of the Demo whose offer is not at hand."""
UNPRICED = Estimate(None, None)
"""Stands in where a run ends before it could be planned."""
