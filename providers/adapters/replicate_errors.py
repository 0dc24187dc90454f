"""Replicate's errors in our words: problem objects with an HTTP status, and the text of a prediction that failed.

A failed prediction has no code of its own. Its text mostly is OpenAI's error as Python prints it, `Error code: 400 -
{'error': {…}}`, so OpenAI's status and code are read out of it; where there are none, the words decide.

Source: Replicate's SDKs, and refusals captured in public issue threads, read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from providers.adapter import Reply
from providers.adapters.replies import (
    error_from,
    json_or_empty,
    kind_of_status,
    may_have_run,
    retry_after_s,
    state_of,
    told_seconds,
)
from providers.errors import (
    ContentRefused,
    InvalidKey,
    InvalidRequest,
    JobCancelled,
    ModelUnavailable,
    NotPermitted,
    ProviderDown,
    ProviderError,
    QuotaExceeded,
    RateLimited,
)
from providers.redact import provider_words

_LOW_CREDIT = re.compile(r"less than \$[\d.,]+ in credit", re.IGNORECASE)
_SECONDS = re.compile(r"(?:resets in ~?|available in )(\d{1,6})\s?s", re.IGNORECASE)
_NO_VERSION = re.compile(r"invalid version|version does not exist", re.IGNORECASE)

# E005 also turns up inside of ids, which are hexadecimal.
_MODERATION = re.compile(
    r"moderation_blocked|safety system|flagged as sensitive|(?<![\w-])E005(?![\w-])|content[ _]policy|nsfw",
    re.IGNORECASE,
)
_VIOLATIONS = re.compile(r"safety_violations=\[([^\]]*)\]")
_BAD_KEY = re.compile(r"incorrect api key|invalid_api_key", re.IGNORECASE)
_NO_QUOTA = re.compile(
    r"insufficient_quota|billing_hard_limit|billing hard limit|spend_limit_exceeded|credit_balance_exhausted"
    r"|exceeded your current quota",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(r"model_not_found|\bmodel\b[^.]{0,200}\b(?:does not exist|not found)\b", re.IGNORECASE)
_STATUS = re.compile(r"\bError code: (\d{3})\b", re.IGNORECASE)
_PARAM = re.compile(r"'param': '([\w.\[\]]{1,60})'")


def error_of(reply: Reply) -> ProviderError:
    """The error of an answer whose status is not 2xx."""
    body = json_or_empty(reply.body)
    detail = _text(body.get("detail"))
    kind, sentence = _kind(reply.status, f"{_text(body.get('title'))} {detail}")
    said = provider_words(detail)
    message = f"{sentence} It said: “{said}”" if said and kind is not InvalidKey else sentence
    return error_from(kind, message, reply, param=_param(body), retry_after=_retry_after(body, reply, detail))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _kind(status: int, words: str) -> tuple[type[ProviderError], str]:
    if status == 429 and _LOW_CREDIT.search(words):
        return RateLimited, (
            "{provider} takes only a few calls a minute while the account has little credit. "
            "Wait a moment, or add credit there."
        )
    if status == 422 and _NO_VERSION.search(words):
        return ModelUnavailable, "{provider} does not have this model, or not for this key. Choose another."
    return kind_of_status(status)


def _param(body: Mapping[str, object]) -> str | None:
    """The first field that was refused; of a missing one Replicate names the parent."""
    fields = body.get("invalid_fields")
    first = fields[0] if isinstance(fields, list) and fields else None
    return _text(first.get("field")).removeprefix("input.") if isinstance(first, dict) else None


def _retry_after(body: Mapping[str, object], reply: Reply, detail: str) -> float | None:
    """Seconds to wait: in the body first, then the header, which may be missing, then the words."""
    told = told_seconds(body.get("retry_after"))
    if told is not None:
        return told
    header = retry_after_s(reply.headers)
    if header is not None or reply.status != 429:
        return header
    found = _SECONDS.search(detail)
    return float(found[1]) if found else None


def had_begun(body: Mapping[str, object]) -> bool:
    """Whether a prediction that was cancelled may have been at work: only one that says it was not certainly was not."""
    never_began = state_of(body) == "aborted" or ("started_at" in body and body["started_at"] is None)
    return not never_began


def job_error(body: Mapping[str, object], request_id: str | None) -> ProviderError | None:
    """The error a prediction ended with; `None` when it has not ended with one."""
    status = state_of(body)
    if status in ("canceled", "aborted"):
        error = JobCancelled(
            "The prediction was cancelled at {provider} before it had made an image.", request_id=request_id
        )
        error.has_begun = had_begun(body)
        return error
    if status != "failed":
        return None
    raw = body.get("error")
    text = "" if raw is None else str(raw)
    upstream = _STATUS.search(text)
    upstream_status = int(upstream[1]) if upstream else None
    kind, sentence = _job_kind(text, upstream_status)
    said = provider_words(text)
    param = _PARAM.search(text)
    return kind(
        f"{sentence} It said: “{said}”" if said and kind not in (ContentRefused, InvalidKey) else sentence,
        param=param[1] if param else None,
        request_id=request_id,
        # A refusal costs nothing. Of OpenAI's rate limit that is not certain: whether several images are one call to
        # OpenAI is not documented, and earlier ones may have been made.
        may_have_been_billed=kind in (RateLimited, ProviderDown),
    )


def _job_kind(text: str, status: int | None) -> tuple[type[ProviderError], str]:
    if status == 401 or _BAD_KEY.search(text):
        return InvalidKey, (
            "OpenAI refused the OpenAI key that {provider} passed on. Check the key of OpenAI in Settings; "
            "that of {provider} is good."
        )
    if _MODERATION.search(text):
        found = _VIOLATIONS.search(text)
        named = f" It names: {provider_words(found[1])}." if found and found[1].strip() else ""
        return ContentRefused, (
            "{provider} refused this prompt. A safety filter stopped the request before an image was made."
            f"{named} Change the wording, or set moderation to low."
        )
    if status is not None and status >= 500:
        return ProviderDown, f"OpenAI answered {{provider}} with error {status}."
    for matches, kind, sentence in (
        (status == 402 or _NO_QUOTA.search(text), QuotaExceeded,
         "The OpenAI account behind the model at {provider} has no credit left, or reached its limit."),
        (status == 404 or _NO_MODEL.search(text), ModelUnavailable,
         "OpenAI no longer has this model, or not for the key that {provider} passed on. Choose another."),
        (status == 403, NotPermitted,
         "OpenAI does not allow the key that {provider} passed on to make images."),
        (status == 429, RateLimited,
         "OpenAI is receiving too many requests from {provider}, or from the key it passed on. Wait, then retry."),
        (status is not None and status >= 400 and not may_have_run(status), InvalidRequest,
         "OpenAI refused the request that {provider} passed on."),
    ):  # fmt: skip
        if matches:
            return kind, sentence
    return ProviderDown, "{provider} failed while making the image."
