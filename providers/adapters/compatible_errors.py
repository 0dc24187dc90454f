"""Errors of OpenAI-compatible servers in our words: the status decides, the many places of the words are tried in turn.

Source: documents of LocalAI, vLLM-Omni, SGLang, LiteLLM and Aquiles-Image, read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from providers.adapter import Reply
from providers.adapters import openai_errors
from providers.adapters.openai_errors import QUOTA_WORDS, SAFETY_WORDS
from providers.adapters.replies import error_from, json_or_empty, kind_of_status, text_or_none
from providers.errors import (
    ContentRefused,
    InvalidKey,
    InvalidRequest,
    ModelUnavailable,
    ProviderDown,
    ProviderError,
    QuotaExceeded,
    RateLimited,
)
from providers.redact import provider_words

_MAX_DETAILS = 5
"""Complaints of one answer that are shown; a server that checks each part of a form can send hundreds."""
_MAX_TEXT = 4000
"""Characters of a message that are looked at."""

_UNKNOWN_FIELD = re.compile(
    r"extra inputs are not permitted|unrecognized request argument|(unknown|unsupported) parameter"
    r"|unexpected keyword argument|does not support param|unsupportedparams",
    re.IGNORECASE,
)
_FIELD_NAME = re.compile(r"(?:arguments? supplied|parameters?|argument)\s*:?\s*[\[`'\"]*([a-z][a-z_]*)")
_KEY = re.compile(r"api[ _-]?key", re.IGNORECASE)
_NO_KEY = re.compile(r"\b(missing|no api[ _-]?key|not provided|did(n't| not) provide)\b", re.IGNORECASE)
_NO_SUCH_MODEL = re.compile(r"\bmodel\b.{0,200}\b(does not exist|not found)\b|\binvalid model\b", re.IGNORECASE)
_NOT_LOADED = re.compile(r"\bmodel\b.{0,200}\b(not|isn't) (\w+ )?(loaded|available|ready)\b", re.IGNORECASE)

_FORM_NAMES = {"image": "images", "image[]": "images", "mask[]": "mask", "mask_image": "mask"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a refusal says, wherever the server put it."""

    words: str = ""
    code: str = ""
    param: str | None = None
    is_unknown_field: bool = False

    @property
    def everything(self) -> str:
        """All of it as one text, to search in."""
        return f"{self.code} {self.param or ''} {self.words}"


def told_by(reply: Reply) -> Told:
    """The words of an answer: `error.message`, `error`, `detail`, `message`, or the bare text."""
    body = json_or_empty(reply.body)
    error, detail = body.get("error"), body.get("detail")
    if isinstance(error, dict):
        return _told_by_object(error)
    if isinstance(error, str) and error:
        return _told(error)
    if isinstance(detail, list) and detail:
        return _told_by_details(detail)
    if isinstance(detail, str) and detail:
        return _told(detail)
    if isinstance(detail, dict):
        return _told_by_object(detail)
    if body.get("message"):
        return _told_by_object(body)
    text = reply.body[:_MAX_TEXT].decode("utf-8", "replace")
    # A proxy's own page: its words matter, its markup does not.
    return _told(re.sub(r"<[^<>]*>", " ", text))


def error_of(reply: Reply) -> ProviderError:
    """The error of an answer whose status is not 2xx."""
    return _error_from_told(told_by(reply), reply, reply.status)


def reported_error(body: Mapping[str, object], reply: Reply) -> ProviderError | None:
    """The error inside an answer with status 200, if it holds one; unless it was refused, work may have been done."""
    is_error_object = body.get("object") == "error"
    if not body.get("error") and not is_error_object:
        return None
    code = body.get("code")
    status = code if is_error_object and isinstance(code, int) and 400 <= code < 600 else reply.status
    error = _error_from_told(told_by(reply), reply, status)
    never_ran = ContentRefused | InvalidKey | InvalidRequest | QuotaExceeded | ModelUnavailable | RateLimited
    error.may_have_been_billed = not isinstance(error, never_ran)
    return error


def _told_by_object(raw: Mapping[str, object]) -> Told:
    message = raw.get("message") or raw.get("msg") or raw.get("detail") or ""
    code = raw.get("code") or raw.get("type")
    param = text_or_none(raw.get("param"))
    return _told(str(message), code=str(code or ""), param=None if param == "None" else param)


def _told(words: str, *, code: str = "", param: str | None = None) -> Told:
    words = words[:_MAX_TEXT]
    is_unknown = code in ("unknown_parameter", "unsupported_parameter") or _UNKNOWN_FIELD.search(words) is not None
    if is_unknown and param is None:
        named = _FIELD_NAME.search(words)
        param = named[1] if named else None
    return Told(words, code, _canonical(param), is_unknown)


def _told_by_details(details: list[object]) -> Told:
    """A list of complaints as FastAPI writes it; the first one about an unknown field names the field to switch off."""
    items = [item for item in details if isinstance(item, dict)][:_MAX_DETAILS]
    if not items:
        return _told(str(details[0]))
    unknown = [item for item in items if item.get("type") == "extra_forbidden" or _UNKNOWN_FIELD.search(_message(item))]
    words = "; ".join(f"{name}: {_message(item)}" if (name := _field(item)) else _message(item) for item in items)
    return Told(words, "", _canonical(_field((unknown or items)[0])), bool(unknown))


def _message(item: Mapping[str, object]) -> str:
    return str(item.get("msg") or item.get("message") or "")[:_MAX_TEXT]


def _field(item: Mapping[str, object]) -> str | None:
    """The last name of `loc`, as `quality` of `["body", "quality"]`."""
    place = item.get("loc")
    names = [part for part in place if isinstance(part, str)] if isinstance(place, list) else []
    return names[-1] if names and names[-1] != "body" else None


def _canonical(name: str | None) -> str | None:
    return _FORM_NAMES.get(name, name) if name else None


def _error_from_told(told: Told, reply: Reply, status: int) -> ProviderError:
    known = openai_errors.error_of(reply)
    # Proxies hand on OpenAI's own codes for a safety filter and an empty account.
    if isinstance(known, ContentRefused | QuotaExceeded):
        return known
    kind, sentence = _kind(told, status)
    said = provider_words(told.words)
    message = f"{sentence} It said: “{said}”" if said and kind not in (ContentRefused, InvalidKey) else sentence
    return error_from(kind, message, reply, param=told.param)


def _kind(told: Told, status: int) -> tuple[type[ProviderError], str]:
    if status in (401, 403):
        return _kind_of_lock(told, status)
    if status == 404:
        return _kind_of_missing(told)
    if status in (405, 501):
        return kind_of_status(status)[0], _NO_ROUTE
    if status < 500 and QUOTA_WORDS.search(told.everything):
        return kind_of_status(402)
    if 400 <= status < 500 and status != 429:
        return _kind_of_refusal(told, status)
    if status >= 500 and _NOT_LOADED.search(told.words):
        return ProviderDown, "{provider} has not loaded this model. Load it there, then retry."
    return kind_of_status(status)


def _kind_of_lock(told: Told, status: int) -> tuple[type[ProviderError], str]:
    if status == 403 and not _KEY.search(told.everything):
        if SAFETY_WORDS.search(told.everything):
            return _SAFETY_KIND
        return kind_of_status(402 if QUOTA_WORDS.search(told.everything) else 403)
    if _NO_KEY.search(told.words):
        return InvalidKey, "{provider} asks for a key. Enter it in Settings."
    return kind_of_status(401)


_SAFETY_KIND = (
    ContentRefused,
    "{provider} refused this prompt. A safety filter stopped the request before an image was made. Change the wording.",
)
_NO_ROUTE = (
    "{provider} has no such route. Many servers make images but have no edits route: remove the input images. "
    "Without input images, check the base URL."
)


def _kind_of_missing(told: Told) -> tuple[type[ProviderError], str]:
    if "edits" in told.words:
        return ModelUnavailable, "{provider} has no edits route. Remove the input images, or choose another server."
    if told.code == "model_not_found" or re.search(r"\bmodel\b", told.words, re.IGNORECASE):
        return kind_of_status(404)
    return ModelUnavailable, _NO_ROUTE


def _kind_of_refusal(told: Told, status: int) -> tuple[type[ProviderError], str]:
    if told.is_unknown_field:
        name = f"the field “{provider_words(told.param)}”" if told.param else "one of the fields"
        return InvalidRequest, f"{{provider}} does not know {name}. Switch it off, then run again."
    if SAFETY_WORDS.search(told.everything):
        return _SAFETY_KIND
    if told.code == "model_not_found" or _NO_SUCH_MODEL.search(told.words) or _NOT_LOADED.search(told.words):
        return kind_of_status(404)
    return kind_of_status(status)
