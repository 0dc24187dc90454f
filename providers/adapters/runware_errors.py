"""Runware's errors in our words: by the family of the code, else by status.

A code is put into its family as Runware's own client does it (runware-sdk 1.8.0, read 2026-11-21): single codes change,
their families stay. An error stands in an answer with an error status, or with status 200 beside the images that came.
"""

from __future__ import annotations

import re

from providers.adapter import Reply
from providers.adapters.replies import error_from, json_or_empty, kind_of_status, text_or_none
from providers.errors import (
    ContentRefused,
    InvalidKey,
    InvalidRequest,
    JobUnknown,
    ModelUnavailable,
    NotPermitted,
    ProviderDown,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
)
from providers.redact import provider_words
from providers.types import Json

_Kind = tuple[type[ProviderError], str]

_REFUSALS = (ContentRefused, InvalidKey, NotPermitted, InvalidRequest, QuotaExceeded, RateLimited, ModelUnavailable)
"""Nothing was made, so nothing is billed."""

_QUOTA: _Kind = (QuotaExceeded, "The account at {provider} has no credit left, or reached its limit. Add credit there.")
_THIRD_PARTY: _Kind = (
    QuotaExceeded,
    "{provider} runs OpenAI's models only for accounts with a paid invoice or at least $5 of credit. Add credit there.",
)
_NO_TASK: _Kind = (JobUnknown, "{provider} does not know this task, and may have billed it.")
_ACCOUNT: _Kind = (InvalidKey, "{provider} refused the key, or its account. Check both in Settings and there.")

# In order: the first that matches decides. Names are matched in any case, because `timeoutProvider` and
# `providerTimeout` are the same thing.
#
# `forbidden` and `permissionDenied`: Runware's client counts them with the bad keys. Here they are a permission, as status
# 403 is at every provider: the key is good, and another one would not do better. A code that names key, token or account
# is about who asks, whatever the status.
_FAMILIES: tuple[tuple[re.Pattern[str], _Kind], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"^thirdPartyInsufficientCredits$", _THIRD_PARTY),
        (r"credits|quota|balance|^paymentRequired$|^environmentPaused$", _QUOTA),
        (r"rateLimit", kind_of_status(429)),
        (
            r"^((provider)?contentPolicyViolation|sensitiveContentDetected|unsafeContentDetected"
            r"|nsfwContentDetected|promptBlocked|imageBlocked|moderationFailed|invalidProviderContent)$",
            (
                ContentRefused,
                "{provider} refused this: a safety filter stopped it. Change the wording or the reference images.",
            ),
        ),
        (r"apiKey|^unauthorized$|^token", kind_of_status(401)),
        (r"^account", _ACCOUNT),
        (r"^(forbidden|permissionDenied)$", kind_of_status(403)),
        (r"timeout", (TimedOut, "{provider} gave up waiting for the image, and may have billed it.")),
        (r"^task\w*(notFound|expired)$", _NO_TASK),
        (r"^taskCancelled$", (ModelUnavailable, "The task was cancelled at {provider}.")),
        (r"^(unknownModel|model\w*(notFound|expired))$", kind_of_status(404)),
        (r"(notFound|expired)$", (ModelUnavailable, "{provider} did not find something that the request names.")),
        (
            r"^(internalServerError|serviceUnavailable|serverUnavailable|standardError|unknownError)$",
            (ProviderDown, "{provider} had an error of its own."),
        ),
        (
            r"^(inferenceError|processingFailed|taskFailed|downloadFailed|uploadFailed|noAvailableServer"
            r"|modelUnavailable|modelDisabled|modelNotReady)$|^provider",
            (ProviderDown, "{provider} could not make the image."),
        ),
        (
            r"^(invalid|missing|conflict|duplicate|unsupported|value|array|max)|^(unknown|incompatible)Parameters?$",
            (InvalidRequest, "{provider} refused the request."),
        ),
    )
)
_STATUS_SAYS_ENOUGH = (401, 402, 429)


def error_of(reply: Reply) -> ProviderError:
    """The error of an answer whose status is not 2xx."""
    found = errors_in(json_or_empty(reply.body))
    return reported_error(found[0] if found else {}, reply)


def errors_in(body: Json) -> tuple[Json, ...]:
    """The error objects of an answer; a bare text becomes one with that message."""
    raw = body.get("errors") or body.get("error")
    found = raw if isinstance(raw, list) else [raw] if raw else []
    return tuple(item if isinstance(item, dict) else {"message": item} for item in found if item)


def reported_error(raw: Json, reply: Reply) -> ProviderError:
    """One error object, or item with status `error`, as the error it stands for."""
    code = str(raw.get("code") or "")
    kind, sentence = _kind(code, reply.status, is_poll=raw.get("taskType") == "getResponse")
    said = provider_words(raw.get("message") or "")
    message = f"{sentence} It said: “{said}”" if said and kind not in (ContentRefused, InvalidKey) else sentence
    error = error_from(kind, message, reply, param=_first(raw.get("parameter")))
    error.request_id = text_or_none(raw.get("taskUUID")) or error.request_id
    error.may_have_been_billed = _may_have_been_billed(error, code, reply.status)
    return error


def is_of_another(raw: Json, remote_id: str) -> bool:
    """Whether an item or error names another task than this."""
    named = text_or_none(raw.get("taskUUID"))
    return named is not None and named.lower() != remote_id.lower()


def is_of_task(raw: Json, remote_id: str) -> bool:
    """Whether the error is what the task ended with, and no trouble with asking for it."""
    kind = raw.get("taskType")
    return kind == "imageInference" or (kind is None and raw.get("taskUUID") == remote_id)


def _kind(code: str, status: int, *, is_poll: bool) -> _Kind:
    found = next((kind for pattern, kind in _FAMILIES if pattern.search(code)), None)
    if found is not None and found[0] is QuotaExceeded:
        return found
    if status in _STATUS_SAYS_ENOUGH:
        return kind_of_status(status)
    if found is None:
        return _unlisted(code, status)
    if found[0] is ProviderDown and status == 503:
        return kind_of_status(status)
    return _NO_TASK if is_poll and found[0] is ModelUnavailable else found


def _unlisted(code: str, status: int) -> _Kind:
    """A code of no family is unknown, unless the status has a meaning of its own; 400 and 422 only say that it failed."""
    is_vague = 200 <= status < 300 or (bool(code) and status in (400, 422))
    if not is_vague:
        return kind_of_status(status)
    named = f" “{provider_words(code)}”" if code else ""
    return ProviderError, f"{{provider}} reported an error{named} that is not known here."


def _may_have_been_billed(error: ProviderError, code: str, status: int) -> bool:
    # A conflict says that our id has arrived before: the first sending ran, though nobody heard of it. A cancelled task
    # had begun.
    if code in ("conflictTaskUUID", "taskCancelled"):
        return True
    if type(error) is ProviderError and 400 <= status < 500:
        return False
    return not isinstance(error, _REFUSALS) and status != 503 and not 300 <= status < 400


def _first(parameter: object) -> object:
    return parameter[0] if isinstance(parameter, list) and parameter else parameter
