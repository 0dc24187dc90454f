"""OpenAI's errors in our words: status first, then the code, words last.

Source: OpenAI's error reference and captured answers, read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from providers.adapter import Reply
from providers.adapters.replies import error_from, json_or_empty, kind_of_status
from providers.errors import (
    ContentRefused,
    InvalidKey,
    InvalidRequest,
    ModelUnavailable,
    ProviderError,
    QuotaExceeded,
)
from providers.redact import provider_words

_QUOTA_CODES = {
    "insufficient_quota",
    "billing_hard_limit_reached",
    "project_spend_limit_exceeded",
    "organization_spend_limit_exceeded",
    "credit_balance_exhausted",
}
_MODERATION_CODES = {"moderation_blocked", "content_policy_violation"}
_NO_SUCH_MODEL = re.compile(r"\bmodel\b.*\b(does not exist|not found)\b", re.IGNORECASE)
_VIOLATIONS = re.compile(r"safety_violations=\[([^\]]*)\]")

SAFETY_WORDS = re.compile(r"safety_violations|safety system|content[ _]?policy|moderation_blocked", re.IGNORECASE)
QUOTA_WORDS = re.compile(
    r"exceeded your current quota|insufficient_quota|billing[ _]hard[ _]limit|no credits remaining"
    r"|spend_limit_exceeded|credit_balance_exhausted",
    re.IGNORECASE,
)
"""How OpenAI says it in words. Gateways hand on the words and often not the code."""


def error_of(reply: Reply) -> ProviderError:
    """The error of an answer whose status is not 2xx."""
    return _classify(_error_object(reply.body), reply)


def reported_error(body: Mapping[str, object], reply: Reply) -> ProviderError | None:
    """The error inside an answer or an event that came with status 200, if it holds one.

    Work had begun when it came, so unless the request itself was refused it may have been billed.
    """
    raw = body.get("error")
    if not raw:
        return None
    error = _classify(raw if isinstance(raw, dict) else {"message": raw}, reply)
    error.may_have_been_billed = not isinstance(error, ContentRefused | InvalidKey | InvalidRequest | QuotaExceeded)
    return error


def _error_object(body: bytes) -> Mapping[str, object]:
    raw = json_or_empty(body).get("error")
    if isinstance(raw, dict):
        return raw
    return {"message": raw} if isinstance(raw, str) else {}


def _classify(raw: Mapping[str, object], reply: Reply) -> ProviderError:
    kind, sentence = _kind(raw, reply.status)
    said = provider_words(raw.get("message") or "")
    message = f"{sentence} It said: “{said}”" if said and kind not in (ContentRefused, InvalidKey) else sentence
    return error_from(kind, message, reply, param=raw.get("param"))


def _kind(raw: Mapping[str, object], status: int) -> tuple[type[ProviderError], str]:
    code, said = str(raw.get("code") or ""), str(raw.get("message") or "")
    found = _kind_by_code(code, str(raw.get("type") or ""), said)
    return found or _kind_by_words(said, status) or kind_of_status(status)


def _kind_by_code(code: str, type_: str, said: str) -> tuple[type[ProviderError], str] | None:
    if code in _MODERATION_CODES:
        return _refused_content(said)
    if code in _QUOTA_CODES or type_ in ("insufficient_quota", "billing_limit_user_error"):
        return _NO_CREDIT
    if code == "model_not_found":
        return _NO_MODEL
    if code == "invalid_api_key":
        return InvalidKey, "{provider} refused the key. Check it in Settings, or make a new one."
    return None


def _kind_by_words(said: str, status: int) -> tuple[type[ProviderError], str] | None:
    # A server error is one, whatever it quotes; and a key that is refused says nothing about the prompt.
    if status < 500 and status != 401:
        if SAFETY_WORDS.search(said):
            return _refused_content(said)
        if QUOTA_WORDS.search(said):
            return _NO_CREDIT
    return _NO_MODEL if _NO_SUCH_MODEL.search(said) else None


def _refused_content(said: str) -> tuple[type[ProviderError], str]:
    found = _VIOLATIONS.search(said)
    named = f" It names: {provider_words(found[1])}." if found and found[1].strip() else ""
    return ContentRefused, (
        "{provider} refused this prompt. Its safety filter stopped the request before an image was made."
        f"{named} Change the wording, or set moderation to low."
    )


_NO_CREDIT = (
    QuotaExceeded,
    "The account at {provider} has no credit left, or reached its limit. Add credit there.",
)
_NO_MODEL = (
    ModelUnavailable,
    "{provider} does not have this model, or not for this key. Choose another.",
)
