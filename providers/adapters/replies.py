"""Reading answers: JSON, base64, token counts, times to wait, and what a bare HTTP status means. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
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
from providers.types import Answered, GeneratedImage, ImageResult, RemoteImage

_MAX_RETRY_S = 86_400
MAX_COST_USD = 10_000
"""No call costs more; a larger figure is a fault of whoever reports it."""
_MAX_BALANCE_USD = 10**9
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITE_SPACE = b" \t\r\n\v\f"


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


def result_of(
    items: object,
    answered: Answered,
    headers: Mapping[str, str],
    read: Callable[[object, Mapping[str, str]], GeneratedImage | RemoteImage],
) -> ImageResult:
    """The result of an answer's list of images: those that `read` can read, and a failure for each other. So what was
    paid for is not lost to its neighbour, and what it cost is known also where nothing can be read.

    Raises: MalformedReply when there is no image, and nothing either that tells what the call cost.
    """
    listed: list[object] = items if isinstance(items, list) else []
    images: list[GeneratedImage | RemoteImage] = []
    failures: list[ProviderError] = []
    for item in listed:
        try:
            images.append(read(item, headers))
        except MalformedReply as error:
            failures.append(error)
    if not listed:
        failures.append(malformed("it holds no images", headers))
    if not images and answered.cost_microusd is None and answered.usage is None:
        raise failures[0]
    # What stands in the list was made, and is billed by its number where that counts.
    return ImageResult(tuple(images), answered, tuple(failures), made=len(listed) if failures else 0)


def bytes_of_base64(text: object, headers: Mapping[str, str]) -> bytes:
    """The bytes of an image in an answer; text that is no base64 at all as it stands, to be kept as it came.

    Raises: MalformedReply when there is no text.
    """
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str) or not text:
        raise malformed("an image in it has no bytes", headers)
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        return _leniently_decoded(text.encode("utf-8", "replace"))


def _leniently_decoded(text: bytes) -> bytes:
    """Base64 with line breaks, in the alphabet for addresses, or without its padding; other text as it is."""
    bare = text.translate(_URL_SAFE, _WHITE_SPACE).rstrip(b"=")
    try:
        return pybase64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except ValueError:
        return text


def inline_bytes(value: object, headers: Mapping[str, str]) -> bytes | None:
    """The bytes of an image that stands in the answer itself, decoded already or as `data:image/png;base64,…`; `None`
    when the value is something else, as an address. Raises: MalformedReply.
    """
    if isinstance(value, str) and value.startswith("data:"):
        return bytes_of_base64(value.partition(",")[2], headers)
    return value if isinstance(value, bytes) else None


def untested(what: str, headers: Mapping[str, str]) -> MalformedReply:
    """The error for an answer to a key check that is not the provider's own: it proves nothing, and cost nothing."""
    return MalformedReply(
        f"{{provider}} did not answer as it does: {what}. So nobody knows whether the key is good. "
        "Is the base URL right?",
        request_id=headers.get("x-request-id"),
        may_have_been_billed=False,
    )


def error_of_check(error: ProviderError, headers: Mapping[str, str]) -> ProviderError:
    """The error that stands in an answer with status 200 to a key check; one that says nothing about the key as that."""
    return untested("it sent an error", headers) if error.kind in ("server", "unknown") else error


def malformed(what: str, headers: Mapping[str, str]) -> MalformedReply:
    """The error for an answer that came and cannot be used."""
    return MalformedReply(
        f"The answer of {{provider}} cannot be read: {what}.",
        request_id=headers.get("x-request-id"),
        may_have_been_billed=True,
    )


def state_of(item: object) -> str:
    """The word an answer has for the state of a job, or of one image, in small letters; empty when it has none."""
    status = item.get("status") if isinstance(item, dict) else None
    return status.lower() if isinstance(status, str) else ""


def whole(value: object) -> int | None:
    """A count in an answer, or `None` when it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def time_or_none(value: object) -> datetime | None:
    """A time in an answer as ISO 8601, in UTC where it names no zone; `None` when it is none."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def text_or_none(value: object) -> str | None:
    """A text in an answer, or `None` when it is none or empty."""
    return value if isinstance(value, str) and value else None


def microusd(usd: object) -> int | None:
    """A cost in US dollars, number or text, as whole micro-dollars; `None` when it is no possible cost."""
    return _whole_microusd(usd, 0, MAX_COST_USD)


def balance_microusd(usd: object) -> int | None:
    """Money left in an account in US dollars, number or text, as whole micro-dollars; below zero where it is owed."""
    return _whole_microusd(usd, -_MAX_BALANCE_USD, _MAX_BALANCE_USD)


def _whole_microusd(usd: object, least: int, most: int) -> int | None:
    if isinstance(usd, bool) or not isinstance(usd, int | float | str):
        return None
    try:
        amount = Decimal(str(usd))
    except ArithmeticError:
        return None
    if not amount.is_finite() or not least <= amount <= most:
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


def told_seconds(value: object) -> float | None:
    """A time to wait as a body tells it, number or text; `None` when it is none, or longer than a day."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _MAX_RETRY_S else None


def _retry_after_in(data: bytes) -> float | None:
    """Seconds to wait as the body of a refusal says: at its top, or in the error object that it holds."""
    body = json_or_empty(data)
    inner = body.get("error") or body.get("errors")
    first = inner[0] if isinstance(inner, list) and inner else inner
    for place in (body, first):
        if isinstance(place, dict):
            for name in ("retry_after", "retryAfter"):
                seconds = told_seconds(place.get(name))
                if seconds is not None:
                    return seconds
    return None


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
        # LiteLLM, and others written in Python, say it so when there is none.
        param=param if isinstance(param, str) and param not in ("", "None") else None,
        request_id=reply.headers.get("x-request-id"),
        retry_after_s=next(
            (told for told in (retry_after, retry_after_s(reply.headers)) if told is not None),
            _retry_after_in(reply.body) if reply.status in (429, 503) else None,
        ),
        may_have_been_billed=may_have_run(reply.status),
    )
