"""Reading answers: JSON, base64, token counts, times to wait, and what a bare HTTP status means. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime

import orjson
import pybase64

from providers.adapter import Reply
from providers.errors import (
    InvalidKey,
    InvalidRequest,
    MalformedReply,
    ModelUnavailable,
    NotPermitted,
    ProviderDown,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
)

MAX_COST_USD = 10_000
"""No call costs more; a larger figure is a fault of whoever reports it."""


def json_object(reply: Reply, headers: Mapping[str, str] | None = None) -> dict[str, object]:
    """The body of a good answer; images that were decoded as it came stand in it as bytes. `headers` tell the request's
    id, where the answer's own do not. Raises: MalformedReply when it is no JSON object.
    """
    headers = reply.headers if headers is None else headers
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        raise malformed("it is no JSON", headers) from None
    if not isinstance(body, dict):
        raise malformed("it is no JSON object", headers)
    return {name: _filled(value, reply.files) for name, value in body.items()} if reply.files else body


def _filled(value: object, files: Mapping[str, bytes]) -> object:
    if isinstance(value, str):
        return files.get(value, value)
    if isinstance(value, list):
        return [_filled(item, files) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, files) for name, item in value.items()}
    return value


def json_or_empty(data: bytes) -> dict[str, object]:
    """The body of a refusal, or an empty object when it is none: the status decides then."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def bytes_of_base64(text: object, headers: Mapping[str, str]) -> bytes:
    """The bytes of an image in an answer. Raises: MalformedReply."""
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str) or not text:
        raise malformed("an image in it has no bytes", headers)
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        raise malformed("an image in it is no valid base64", headers) from None


def inline_bytes(value: object, headers: Mapping[str, str]) -> bytes | None:
    """The bytes of an image that stands in the answer itself, decoded already or as `data:image/png;base64,…`; `None`
    when the value is something else, as an address. Raises: MalformedReply.
    """
    if isinstance(value, str) and value.startswith("data:"):
        return bytes_of_base64(value.partition(",")[2], headers)
    return value if isinstance(value, bytes) else None


def malformed(what: str, headers: Mapping[str, str]) -> MalformedReply:
    """The error for an answer that came and cannot be used."""
    return MalformedReply(
        f"The answer of {{provider}} cannot be read: {what}.",
        request_id=headers.get("x-request-id"),
        may_have_been_billed=True,
    )


def whole(value: object) -> int | None:
    """A count in an answer, or `None` when it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def text_or_none(value: object) -> str | None:
    """A text in an answer, or `None` when it is none or empty."""
    return value if isinstance(value, str) and value else None


def microusd(usd: object) -> int | None:
    """A cost in US dollars, number or text, as whole micro-dollars; `None` when it is no possible cost."""
    if isinstance(usd, bool) or not isinstance(usd, int | float | str):
        return None
    try:
        amount = Decimal(str(usd))
    except ArithmeticError:
        return None
    if not amount.is_finite() or not 0 <= amount <= MAX_COST_USD:
        return None
    return int((amount * 10**6).to_integral_value())


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


def kind_of_status(status: int) -> tuple[type[ProviderError], str]:
    """What a status means when nothing else in the answer says more. `{provider}` is filled in by the client."""
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
        (200 <= status < 300, ProviderDown, "{provider} broke off while making the image."),
    ):  # fmt: skip
        if matches:
            return kind, sentence
    return InvalidRequest, "{provider} refused the request."


def may_have_run(status: int) -> bool:
    """Whether a call with this answer may have been carried out all the same: only 503 says that nothing was begun."""
    return status in (408, 409) or (status >= 500 and status != 503)


def error_from(
    kind: type[ProviderError], message: str, reply: Reply, *, param: object = None, retry_after: float | None = None
) -> ProviderError:
    """The error with what every answer tells: status, request id, time to wait, whether money may be gone."""
    return kind(
        message,
        status=None if 200 <= reply.status < 300 else reply.status,
        param=param if isinstance(param, str) and param else None,
        request_id=reply.headers.get("x-request-id"),
        retry_after_s=retry_after if retry_after is not None else retry_after_s(reply.headers),
        may_have_been_billed=may_have_run(reply.status),
    )
