"""fal's errors in our words: the model's `detail` entries, the platform's `error_type`, and what a failed job costs.

Source: fal's pages on model errors, request errors and pricing, and fal-client 1.0.3, read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from providers.adapter import Reply
from providers.adapters.replies import error_from, json_or_empty, kind_of_status, text_or_none
from providers.errors import (
    ContentRefused,
    InvalidKey,
    InvalidRequest,
    ProviderDown,
    ProviderError,
    QuotaExceeded,
    TimedOut,
)
from providers.redact import provider_words

_REFUSED_CONTENT = "content_policy_violation"
_FLAGGED = re.compile(r"flagged by a content checker|content policy", re.IGNORECASE)
_NO_MONEY = re.compile(r"\b(balance|locked|top up)\b", re.IGNORECASE)

_LATE = (TimedOut, "{provider} ended the job because it took too long.")
_DOWN = (ProviderDown, "{provider} could not finish the job: a fault on its side.")
_ENDED = (ProviderDown, "{provider} ended the job because it was cancelled.")
_PLATFORM: Mapping[str, tuple[type[ProviderError], str]] = {
    "request_timeout": _LATE,
    "startup_timeout": _LATE,
    "internal_error": _DOWN,
    "client_cancelled": _ENDED,
    "client_disconnected": _ENDED,
    "bad_request": (InvalidRequest, "{provider} refused the request."),
}
_OWN_FAULTS = ("request_timeout", "startup_timeout", "internal_error")


@dataclass(frozen=True, slots=True)
class _Told:
    """What the body and headers of a refusal say."""

    type: str = ""
    said: str = ""
    place: tuple[str, ...] = ()
    """Names in `loc`, without the leading `body` and without positions."""
    has_detail: bool = False
    """Whether it is fal's own answer, not that of a proxy before it."""
    is_model: bool = False
    """Whether the model says it, in a list of what is wrong with the request."""

    @property
    def is_own_fault(self) -> bool:
        """Whether it names a fault on fal's side."""
        return self.type in _OWN_FAULTS or self.type.startswith("runner_")


def error_of(reply: Reply) -> ProviderError:
    """The error of an answer whose status is not 2xx."""
    return _error(_told(reply), reply)


def job_error(reply: Reply) -> ProviderError:
    """The error at the result's address of a job that has ended.

    fal charges neither a refused request nor a failure of its own (5xx). What does not say how the job ended, as a
    refused key or a proxy's page, leaves open whether there were images.
    """
    return _job_error(_told(reply), reply)


def completed_error(body: Mapping[str, object], reply: Reply) -> ProviderError | None:
    """The error that a job's status tells at its end, or `None` when it tells none; its result may say more."""
    kind, said = text_or_none(body.get("error_type")) or "", text_or_none(body.get("error")) or ""
    if not (kind or body.get("error")):
        return None
    return _job_error(_Told(kind, provider_words(said)), reply)


def _job_error(told: _Told, reply: Reply) -> ProviderError:
    error = _error(told, reply)
    names_fault = bool(told.place) or told.type == "bad_request"
    is_refusal = isinstance(error, ContentRefused) or (isinstance(error, InvalidRequest) and names_fault)
    is_own_fault = (told.has_detail and reply.status >= 500) or told.is_own_fault
    error.may_have_been_billed = not (is_refusal or is_own_fault)
    return error


def known_as(reply: Reply, request_id: str | None) -> Reply:
    """The answer with its id under the name that `replies` looks for."""
    return replace(reply, headers={**reply.headers, "x-request-id": request_id}) if request_id else reply


def _error(told: _Told, reply: Reply) -> ProviderError:
    kind, sentence = _kind(told, reply.status)
    hides = issubclass(kind, ContentRefused | InvalidKey)
    message = f"{sentence} It said: “{told.said}”" if told.said and not hides else sentence
    named = known_as(reply, reply.headers.get("x-fal-request-id"))
    error = error_from(kind, message, named, param=told.place[-1] if told.place else None)
    if reply.headers.get("x-fal-retryable", "").lower() == "false":
        error.retryable = False
    return error


def _kind(told: _Told, status: int) -> tuple[type[ProviderError], str]:
    if 200 <= status < 300 and told.is_model:
        # In an answer that says that all is well: it is judged as if its status were the usual one of such a list.
        status = 422
    if told.type == _REFUSED_CONTENT or ((status in (400, 422) or status < 300) and _FLAGGED.search(told.said)):
        return ContentRefused, _refusal(told.place)
    if told.type in _PLATFORM:
        return _PLATFORM[told.type]
    if told.type.startswith("runner_"):
        return _DOWN
    if status == 499:
        return _ENDED
    if status == 403 and _NO_MONEY.search(told.said):
        return QuotaExceeded, "The account at {provider} has no credit left. Add credit there."
    return kind_of_status(status)


def _refusal(place: tuple[str, ...]) -> str:
    """What the content checker stopped: the prompt, an image, or it does not say."""
    if "prompt" in place:
        return "{provider} refused the prompt. Its content checker stopped the request. Change the wording."
    if any("image" in name or "mask" in name for name in place):
        return "{provider} refused an input image. Its content checker stopped the request. Use another image."
    return "{provider} refused this request. Its content checker stopped it. Change the wording or the images."


def _told(reply: Reply) -> _Told:
    body = json_or_empty(reply.body)
    detail = body.get("detail")
    if isinstance(detail, list):
        return _told_by([entry for entry in detail if isinstance(entry, dict)])
    kind = text_or_none(body.get("error_type")) or reply.headers.get("x-fal-error-type", "")
    said = next((text for name in ("detail", "error", "message") if (text := text_or_none(body.get(name)))), "")
    return _Told(kind, provider_words(said), has_detail=bool(said or body.get("error_type")))


def _told_by(entries: list[dict[str, object]]) -> _Told:
    """What a list of errors says: all words, and type and place of the one that counts most."""
    if not entries:
        return _Told()
    first = next((entry for entry in entries if entry.get("type") == _REFUSED_CONTENT), entries[0])
    words = [text for entry in entries if (text := text_or_none(entry.get("msg")))]
    loc = first.get("loc")
    names = [item for item in loc if isinstance(item, str)] if isinstance(loc, list) else []
    # `["body"]` alone is fal's way to name no field.
    place = tuple(names[1:] if names[:1] == ["body"] else names)
    kind = text_or_none(first.get("type")) or ""
    return _Told(kind, provider_words(" ".join(words)), place, has_detail=True, is_model=True)
