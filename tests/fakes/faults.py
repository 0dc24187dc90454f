"""What can go wrong between a client and an image provider, as values to queue on a fake.

A fault is taken by the next paid POST: `fake.next(MODERATION_BLOCKED, None, Hang())`; None is an answer
without fault. Rules are judged all the same. A fault that changes a good answer needs a good request: to a
wrong one the refusal is sent, and the fault is used up.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

_SAFETY = (
    "Your request was rejected by the safety system. If you believe this is an error, contact us at help.openai.com"
    " and include the request ID {request_id}. safety_violations=[violence, self-harm]."
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Base of all faults."""


class UnfitFault(Exception):
    """A test planned a fault that this fake does not carry out: the test is wrong, and must not pass."""


@dataclass(frozen=True, slots=True)
class ErrorReply(Fault):
    """An error status. In `message`, {request_id}, {model}, {key} and {masked_key} are filled in."""

    status: int
    message: str = ""
    type: str = "invalid_request_error"
    code: str | None = None
    retry_after_s: float | None = None
    retry_after_form: Literal["seconds", "http_date", "ms"] = "seconds"
    html: str | None = None
    """Sent instead of the JSON error, as a proxy in between does."""


@dataclass(frozen=True, slots=True)
class Hang(Fault):
    """No answer until the client leaves; with `unread` the body is not even taken off the wire."""

    unread: bool = False


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """The good answer, late."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Held(Fault):
    """The good answer, once the test says so."""

    released: threading.Event


@dataclass(frozen=True, slots=True)
class Reset(Fault):
    """TCP reset, before the body is read or after."""

    after_body: bool = True


@dataclass(frozen=True, slots=True)
class CutHeaders(Fault):
    """The connection ends inside the answer's headers."""


@dataclass(frozen=True, slots=True)
class CutBody(Fault):
    """Half of what Content-Length promised (of a stream: half of its first event)."""


@dataclass(frozen=True, slots=True)
class Drip(Fault):
    """The good answer's body one byte at a time, so that no read ever times out."""

    interval_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Gzip(Fault):
    """The good answer with Content-Encoding: gzip, whatever the client accepts."""


@dataclass(frozen=True, slots=True)
class Redirect(Fault):
    """A redirect; by default to this server under another host name, where following is a violation."""

    status: Literal[301, 302, 303, 307, 308] = 307
    location: str | None = None


@dataclass(frozen=True, slots=True)
class InvalidJson(Fault):
    """200 with a body (of a stream: an event) that is not JSON."""

    text: str = '{"created": 1795248000, "data": [{"b64_json": "iVBORw0'


@dataclass(frozen=True, slots=True)
class WrongShape(Fault):
    """200 with valid JSON that is not the documented object.

    list: the object inside a list; no_data, null_data, empty_data, text_data: about `data`;
    null_b64, no_b64, number_b64: about `b64_json`. In a stream the kinds about `data` leave out `b64_json`.
    """

    kind: Literal["list", "no_data", "null_data", "empty_data", "text_data", "null_b64", "no_b64", "number_b64"]


@dataclass(frozen=True, slots=True)
class BadBase64(Fault):
    """Characters outside the alphabet.

    With `hidden` four of them stand in the middle: a decoder that is not strict drops them and gives garbage.
    """

    hidden: bool = False


@dataclass(frozen=True, slots=True)
class NotAnImage(Fault):
    """Good base64 of these bytes."""

    data: bytes = b"<html><body>This is no image.</body></html>"


@dataclass(frozen=True, slots=True)
class TruncatedImage(Fault):
    """The first half of each image file."""


@dataclass(frozen=True, slots=True)
class ImageBomb(Fault):
    """A valid PNG of about 100 kB and 30000 x 30000 pixels."""


@dataclass(frozen=True, slots=True)
class WrongSize(Fault):
    """Images of this size, while the answer claims the one that was asked for."""

    width: int = 512
    height: int = 768


@dataclass(frozen=True, slots=True)
class FewerImages(Fault):
    """So many images fewer than asked for."""

    missing: int = 1


@dataclass(frozen=True, slots=True)
class StreamIgnored(Fault):
    """One JSON answer although a stream was asked for."""


@dataclass(frozen=True, slots=True)
class StreamError(Fault):
    """A refusal inside a stream, after the first partial image, in one of the two known forms."""

    form: Literal["event", "bare"] = "event"


@dataclass(frozen=True, slots=True)
class StreamWithoutCompleted(Fault):
    """A stream that ends properly after its partial images."""


@dataclass(frozen=True, slots=True)
class StreamCut(Fault):
    """The connection ends after the first event of this kind; with `inside_next` in the middle of the next one."""

    after: Literal["partial", "completed"] = "partial"
    inside_next: bool = False


STREAM_ONLY = (StreamIgnored, StreamError, StreamWithoutCompleted, StreamCut)


def rate_limited(seconds: float | None = 12, form: Literal["seconds", "http_date", "ms"] = "seconds") -> ErrorReply:
    """429 that says when to come back, as seconds, as an HTTP date or as `retry-after-ms`; None says nothing."""
    message = (
        "Rate limit reached for {model} in organization org-test on input-images per min: Limit 5, Used 5, Requested 1."
        f" Please try again in {seconds or 12:g}s."
    )
    return ErrorReply(429, message, "input-images", "rate_limit_exceeded", seconds, form)


def unavailable(seconds: float | None = None) -> ErrorReply:
    """503, with or without Retry-After."""
    return ErrorReply(503, _SERVER_WORDS, "server_error", retry_after_s=seconds)


_SERVER_WORDS = "The server had an error while processing your request. Sorry about that!"
_KEY_WORDS = "You can find your API key at https://platform.openai.com/account/api-keys."

WRONG_KEY = ErrorReply(401, "Incorrect API key provided: {masked_key}. " + _KEY_WORDS, code="invalid_api_key")
KEY_ECHOED = ErrorReply(401, "Incorrect API key provided: {key}. " + _KEY_WORDS, code="invalid_api_key")
"""An error that repeats the whole key, as careless gateways do: it must reach no page, no log and no table."""
ORG_NOT_VERIFIED = ErrorReply(
    403,
    "Your organization must be verified to use the model `{model}`. Please go to:"
    " https://platform.openai.com/settings/organization/general and click on Verify Organization. If you just"
    " verified, it can take up to 15 minutes for access to propagate.",
)
MODERATION_BLOCKED = ErrorReply(400, _SAFETY, "image_generation_user_error", "moderation_blocked")
MODEL_GONE = ErrorReply(
    404, "The model `{model}` does not exist or you do not have access to it.", code="model_not_found"
)
NO_CREDIT = ErrorReply(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota",
    "insufficient_quota",
)
HARD_LIMIT = ErrorReply(
    400, "Billing hard limit has been reached.", "billing_limit_user_error", "billing_hard_limit_reached"
)
SERVER_ERROR = ErrorReply(500, _SERVER_WORDS, "server_error")
BAD_GATEWAY = ErrorReply(502, html="<html><head><title>502 Bad Gateway</title></head></html>")
GATEWAY_TIMEOUT = ErrorReply(504, html="<html><head><title>504 Gateway Time-out</title></head></html>")
REQUEST_TIMEOUT = ErrorReply(408, "The request timed out.", "server_error")
CONFLICT = ErrorReply(409, "The request conflicts with another one in progress.")

NAMED: Mapping[str, Fault] = MappingProxyType(
    {
        "wrong-key": WRONG_KEY,
        "key-echoed": KEY_ECHOED,
        "org-not-verified": ORG_NOT_VERIFIED,
        "moderation-blocked": MODERATION_BLOCKED,
        "model-gone": MODEL_GONE,
        "rate-limited": rate_limited(12),
        "rate-limited-date": rate_limited(12, "http_date"),
        "rate-limited-ms": rate_limited(1.5, "ms"),
        "no-credit": NO_CREDIT,
        "hard-limit": HARD_LIMIT,
        "server-error": SERVER_ERROR,
        "bad-gateway": BAD_GATEWAY,
        "unavailable": unavailable(),
        "unavailable-retry": unavailable(2),
        "gateway-timeout": GATEWAY_TIMEOUT,
        "request-timeout": REQUEST_TIMEOUT,
        "conflict": CONFLICT,
        "hang": Hang(),
        "hang-unread": Hang(unread=True),
        "slow": Slow(10),
        "reset-before-body": Reset(after_body=False),
        "reset-after-body": Reset(),
        "cut-headers": CutHeaders(),
        "cut-body": CutBody(),
        "drip": Drip(),
        "gzip": Gzip(),
        "redirect-302": Redirect(302),
        "redirect-307": Redirect(307),
        "invalid-json": InvalidJson(),
        "json-list": WrongShape("list"),
        "data-missing": WrongShape("no_data"),
        "data-null": WrongShape("null_data"),
        "data-empty": WrongShape("empty_data"),
        "data-text": WrongShape("text_data"),
        "b64-null": WrongShape("null_b64"),
        "b64-missing": WrongShape("no_b64"),
        "b64-number": WrongShape("number_b64"),
        "b64-invalid": BadBase64(),
        "b64-hidden": BadBase64(hidden=True),
        "not-an-image": NotAnImage(),
        "truncated-image": TruncatedImage(),
        "image-bomb": ImageBomb(),
        "wrong-size": WrongSize(),
        "fewer-images": FewerImages(),
        "stream-ignored": StreamIgnored(),
        "stream-error": StreamError(),
        "stream-error-bare": StreamError("bare"),
        "stream-without-completed": StreamWithoutCompleted(),
        "stream-cut-partial": StreamCut(),
        "stream-cut-completed": StreamCut("completed"),
    }
)
"""Every fault under the name the command line takes, with its usual parameters."""
