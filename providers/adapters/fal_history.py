"""fal's list of past requests, in which a submit is found again whose answer was lost. Pure.

Source: fal's Platform API reference (https://fal.ai/docs/platform-apis/v1/models/requests/by-endpoint, its OpenAPI schema) and
its pages on stored payloads, read as stored copies on 2026-11-21; not tried against the live service. Certain: the address
(GET https://api.fal.ai/v1/models/requests/by-endpoint), that any key of the account will do, the fields of the query, those
of the answer, and that inputs are kept for 30 days unless a call forbids it, which ours do not. Public programs call it so.

Not said: whether a request is listed before it has ended (the schema lets `ended_at` be missing, and sorts by it), to which
of its times `start` applies, and whether files in an input stay as they were sent. So the list is read for minutes, `start`
lies before the call, and a file counts as the same where nothing contradicts it. Everything else of an input must be equal:
where fal kept it in another way, no request is found, and the run stays unknown as it would without a list.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from urllib.parse import urlencode

import pybase64

from providers.adapter import HttpCall, Reply
from providers.adapters.replies import json_or_empty, text_or_none, time_or_none
from providers.types import Job

LOOKS = 20
"""With the pauses between them some five minutes: by then a request has ended, and is listed whatever the list leaves out."""
_PATH = "/models/requests/by-endpoint"
_PAGE_ITEMS = 25
"""Of at most 100: each may hold files of a few megabytes."""
_CLOCKS_APART = timedelta(seconds=10)
"""So much may fal's clock be behind ours."""
_REQUEST_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
"""It becomes part of a path, so nothing that means something there will do."""
_FILES = ("_url", "_urls")
"""How fields end that hold files: `image_urls`, `mask_url`, `mask_image_url`."""


def listing(sent: Mapping[str, object], sent_at: str) -> HttpCall | None:
    """Asks for the requests to the endpoint of a call, with their inputs, since it was sent. `None` without that time."""
    since = time_or_none(sent_at)
    if since is None:
        return None
    start = (since - _CLOCKS_APART).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = {"endpoint_id": _endpoint(sent), "start": start, "expand": "payloads", "limit": _PAGE_ITEMS}
    return HttpCall("GET", f"{_PATH}?{urlencode(query)}", base="jobs")


def further(first: HttpCall, reply: Reply) -> HttpCall | None:
    """The page after the one that was answered; `None` when that was the last."""
    body = json_or_empty(reply.body)
    cursor = text_or_none(body.get("next_cursor"))
    if cursor is None or body.get("has_more") is False:
        return None
    return HttpCall("GET", f"{first.path}&{urlencode({'cursor': cursor})}", base="jobs")


def matching_jobs(reply: Reply, sent: Mapping[str, object], sent_at: str) -> tuple[Job, ...]:
    """Requests to the same endpoint since `sent_at` with the same input, oldest first, with their documented addresses."""
    items, since, endpoint = json_or_empty(reply.body).get("items"), time_or_none(sent_at), _endpoint(sent)
    if not isinstance(items, list) or since is None:
        return ()
    wanted = {name: value for name, value in sent.items() if name != "path"}
    found = []
    for item in items:
        made_at = time_or_none(item.get("sent_at")) if isinstance(item, dict) else None
        if made_at is None or made_at - since < -_CLOCKS_APART or item.get("endpoint_id") != endpoint:
            continue
        if _is_same(wanted, item.get("json_input"), reply.files):
            found.append((made_at, item))
    ids = [item.get("request_id") for _, item in sorted(found, key=lambda pair: pair[0])]
    return tuple(_job(endpoint, name) for name in ids if isinstance(name, str) and _REQUEST_ID.fullmatch(name))


def _endpoint(sent: Mapping[str, object]) -> str:
    return str(sent.get("path", "")).removeprefix("/")


def _job(endpoint: str, request_id: str) -> Job:
    """The job with its addresses below the base URL. They hold owner and app, the first two parts of the endpoint."""
    root = f"/{'/'.join(endpoint.split('/')[:2])}/requests/{request_id}"
    return Job(request_id, {"status": f"{root}/status", "result": root, "cancel": f"{root}/cancel"})


def _is_same(wanted: Mapping[str, object], kept: object, files: Mapping[str, bytes]) -> bool:
    """Whether an input that fal kept is the one that was sent, of which `wanted` tells files by their SHA-256."""
    if not isinstance(kept, Mapping) or kept.keys() != wanted.keys():
        return False
    for name, value in wanted.items():
        if not name.endswith(_FILES):
            if kept[name] != value:
                return False
        elif not _may_be_same_files(list(_listed(value)), list(_listed(kept[name])), files):
            return False
    return True


def _listed(value: object) -> Iterator[object]:
    yield from value if isinstance(value, list) else [value]


def _may_be_same_files(wanted: list[object], kept: list[object], files: Mapping[str, bytes]) -> bool:
    """Whether as many files stand there, and none that stands there itself is another one. At an address any may lie."""
    if len(wanted) != len(kept):
        return False
    for asked, item in zip(wanted, kept, strict=True):
        data = _bytes_of(item, files)
        told = asked.get("sha256") if isinstance(asked, Mapping) else None
        if data is not None and told != hashlib.sha256(data).hexdigest():
            return False
    return True


def _bytes_of(item: object, files: Mapping[str, bytes]) -> bytes | None:
    """A file that stands in an input itself: as data URI, or taken out of the answer as that came. `None` at an address."""
    if not isinstance(item, str):
        return b""
    if item in files:
        return files[item]
    if not item.startswith("data:"):
        return None
    try:
        return pybase64.b64decode(item.partition(",")[2], validate=True)
    except ValueError:
        return b""
