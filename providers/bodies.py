"""Bodies on their way out: as they are shown and stored, and as they are sent. Pure.

Shown: files by type, size and SHA-256, keys by the name of their variable, our own id as such. Sent: everything filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import orjson
import pybase64

from providers.adapter import Attachment, CallId, HttpCall, SecretKey

NEW_ID = "a new UUID for each call"
"""Shown where the id of a call stands that was not sent yet."""


def call_document(call: HttpCall) -> dict[str, object]:
    """The call's body as JSON that can be shown and stored. A body that is a list stands under `tasks`."""
    if isinstance(call.json, list):
        return {"tasks": _shown(call.json)}
    if call.json is not None:
        return {name: _shown(value) for name, value in call.json.items()}
    if call.content is not None:
        return {"file": _shown(call.content)}
    parts: list[dict[str, object]] = [{"name": name, "value": value} for name, value in call.form]
    parts += [
        {
            "name": part.name,
            "filename": part.filename,
            "content_type": part.media_type,
            "bytes": len(part.data),
            "sha256": part.sha256,
        }
        for part in call.files
    ]
    return {"multipart": parts}


def _shown(value: object) -> object:
    if isinstance(value, SecretKey):
        return f"${value.variable}"
    if isinstance(value, CallId):
        return NEW_ID
    if isinstance(value, Attachment):
        return {
            "sent_as": "upload" if value.upload else value.form,
            "content_type": value.media_type,
            "bytes": len(value.data),
            "sha256": value.sha256,
        }
    if isinstance(value, Mapping):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return value


def with_call_id(call: HttpCall, call_id: str) -> HttpCall:
    """The call with the id of our own in its place."""
    return replace(call, json=_body(_replaced(call.json, {CallId: call_id})))


def attachments(call: HttpCall) -> tuple[Attachment, ...]:
    """The files in a JSON body that are to be uploaded first, each once."""
    found = (item for item in _leaves(call.json) if isinstance(item, Attachment) and item.upload)
    return tuple({item.sha256: item for item in found}.values())


def with_uploads(call: HttpCall, addresses: Mapping[str, str]) -> HttpCall:
    """The call with each uploaded file's address in its place. `addresses`: SHA-256 -> address."""

    def placed(value: object) -> object:
        if isinstance(value, Attachment) and value.sha256 in addresses:
            return addresses[value.sha256]
        if isinstance(value, Mapping):
            return {name: placed(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [placed(item) for item in value]
        return value

    return replace(call, json=_body(placed(call.json)))


def secrets_of(call: HttpCall) -> tuple[SecretKey, ...]:
    """The keys of other providers that the body needs."""
    return tuple(item for item in _leaves(call.json) if isinstance(item, SecretKey))


def encoded(call: HttpCall, keys: Mapping[str, str]) -> bytes:
    """The JSON body as it is sent. `keys`: provider_id -> key, for the body's secrets. Raises: KeyError for a missing one."""
    return orjson.dumps(_sent(call.json, keys))


def _sent(value: object, keys: Mapping[str, str]) -> object:
    if isinstance(value, SecretKey):
        return keys[value.provider_id]
    if isinstance(value, Attachment):
        text = pybase64.b64encode_as_string(value.data)
        return f"data:{value.media_type};base64,{text}" if value.form == "data_uri" else text
    if isinstance(value, Mapping):
        return {name: _sent(item, keys) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sent(item, keys) for item in value]
    return value


def _replaced(value: object, by_type: Mapping[type, object]) -> object:
    if type(value) in by_type:
        return by_type[type(value)]
    if isinstance(value, Mapping):
        return {name: _replaced(item, by_type) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(item, by_type) for item in value]
    return value


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _body(value: object) -> Mapping[str, object] | list[object] | None:
    if value is None or isinstance(value, Mapping | list):
        return value
    raise TypeError(f"a body is an object or a list, not {type(value).__name__}")
