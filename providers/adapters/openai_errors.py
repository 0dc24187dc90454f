"""OpenAI's errors in our words: status first, then the code, words last.

Source: OpenAI's error reference and captured answers, read 2026-11-21.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import orjson

from providers.adapter import Reply
from providers.errors import (
    ContentRefused,
    InvalidKey,
    InvalidRequest,
    ModelUnavailable,
    NotPermitted,
    ProviderDown,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
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
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    raw = parsed.get("error") if isinstance(parsed, dict) else None
    if isinstance(raw, dict):
        return raw
    return {"message": raw} if isinstance(raw, str) else {}


def _classify(raw: Mapping[str, object], reply: Reply) -> ProviderError:
    kind, sentence = _kind(raw, reply.status)
    said = provider_words(raw.get("message") or "")
    message = f"{sentence} It said: “{said}”" if said and kind not in (ContentRefused, InvalidKey) else sentence
    param = raw.get("param")
    return kind(
        message,
        status=None if reply.status == 200 else reply.status,
        param=param if isinstance(param, str) and param else None,
        request_id=reply.headers.get("x-request-id"),
        retry_after_s=retry_after_s(reply.headers),
        # A gateway or server that broke may have run the job; only 503 says that nothing was begun.
        may_have_been_billed=reply.status in (408, 409) or (reply.status >= 500 and reply.status != 503),
    )


def _kind(raw: Mapping[str, object], status: int) -> tuple[type[ProviderError], str]:
    code, said = str(raw.get("code") or ""), str(raw.get("message") or "")
    by_code = _kind_by_code(code, str(raw.get("type") or ""), said)
    if by_code is not None:
        return by_code
    for matches, kind, sentence in (
        (status == 401, InvalidKey, "{provider} refused the key. Check it in Settings, or make a new one."),
        (status == 402, QuotaExceeded, "The account at {provider} has no credit left. Add credit there."),
        (status == 403, NotPermitted, "{provider} does not allow this key to make images."),
        (status == 404, ModelUnavailable, "{provider} does not have this model, or not for this key. Choose another."),
        (status == 408, TimedOut, "{provider} ended the call because it took too long."),
        (status == 429, RateLimited, "{provider} is receiving too many requests from this key. Wait a moment, then retry."),
        (status == 503, ProviderDown, "{provider} is overloaded. Nothing was run. Retry in a minute."),
        (status >= 500 or status == 409, ProviderDown, f"{{provider}} answered with error {status}."),
        (300 <= status < 400, ProviderDown, f"{{provider}} answered with a redirect ({status}), which is not followed: "
         "the key would go along. Check the base URL."),
        (status == 200, ProviderDown, "{provider} broke off while making the image."),
    ):  # fmt: skip
        if matches:
            return kind, sentence
    return InvalidRequest, "{provider} refused the request."


def _kind_by_code(code: str, type_: str, said: str) -> tuple[type[ProviderError], str] | None:
    if code in _MODERATION_CODES:
        found = _VIOLATIONS.search(said)
        named = f" It names: {provider_words(found[1])}." if found and found[1].strip() else ""
        return ContentRefused, (
            "{provider} refused this prompt. Its safety filter stopped the request before an image was made."
            f"{named} Change the wording, or set moderation to low."
        )
    if code in _QUOTA_CODES or type_ in ("insufficient_quota", "billing_limit_user_error"):
        return QuotaExceeded, "The account at {provider} has no credit left, or reached its limit. Add credit there."
    if code == "model_not_found" or _NO_SUCH_MODEL.search(said):
        return ModelUnavailable, "{provider} does not have this model, or not for this key. Choose another."
    if code == "invalid_api_key":
        return InvalidKey, "{provider} refused the key. Check it in Settings, or make a new one."
    return None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds the provider asks to wait: `retry-after-ms`, or `Retry-After` as seconds or date; `None` if it does not."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after", "").strip()
        if not text:
            return None
        return max(0.0, float(text))
    except ValueError:
        return _seconds_until(headers.get("retry-after", ""))


def _seconds_until(text: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
