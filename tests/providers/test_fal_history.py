"""Finding a submit in fal's list of past requests: what is asked, and which of its items may be the lost call's.

The items have the shape of fal's published reference; https://fal.ai/docs/platform-apis/v1/models/requests/by-endpoint.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

import pytest

from providers.adapter import HttpCall, Reply
from providers.adapters.fal import FalAdapter
from providers.types import Job

ADAPTER = FalAdapter()
SENT_AT = "2026-11-21T10:00:00.123Z"
ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
PICTURE = b"a picture"
KEPT = {"prompt": "A red fox", "num_images": 2, "quality": "low"}
SENT: dict[str, object] = {**KEPT, "path": "/openai/gpt-image-2.5/flare/text-to-image"}
EDITED: dict[str, object] = {
    **SENT,
    "path": "/openai/gpt-image-2/edit",
    "image_urls": [{"sent_as": "data_uri", "sha256": sha256(PICTURE).hexdigest(), "bytes": 9}],
}


def item(**changes: Any) -> dict[str, Any]:
    one = {
        "request_id": ID,
        "endpoint_id": "openai/gpt-image-2.5/flare/text-to-image",
        "started_at": "2026-11-21T10:00:05Z",
        "sent_at": "2026-11-21T10:00:01Z",
        "json_input": KEPT,
    }
    return one | changes


def edited(*files: object, **changes: Any) -> dict[str, Any]:
    return item(endpoint_id="openai/gpt-image-2/edit", json_input={**KEPT, "image_urls": list(files), **changes})


def uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def found(*items: Any, sent: dict[str, object] = SENT, files: dict[str, bytes] | None = None) -> list[str]:
    body = {"items": list(items), "next_cursor": None, "has_more": False}
    return [
        job.remote_id
        for job in ADAPTER.parse_found(Reply(200, {}, json.dumps(body).encode(), files or {}), sent, SENT_AT)
    ]


def test_what_is_asked() -> None:
    start = "/models/requests/by-endpoint?endpoint_id=openai%2Fgpt-image-2.5%2Fflare%2Ftext-to-image"
    page = f"{start}&start=2026-11-21T09%3A59%3A50Z&expand=payloads&limit=25"
    listing = ADAPTER.find(SENT, SENT_AT)
    assert listing == HttpCall("GET", page, base="jobs")
    assert ADAPTER.find(SENT, "") is None
    more = Reply(200, {}, b'{"items": [], "next_cursor": "Mg==", "has_more": true}')
    assert ADAPTER.further(listing, more) == HttpCall("GET", f"{page}&cursor=Mg%3D%3D", base="jobs")
    for last in (b'{"next_cursor": null, "has_more": false}', b"[]", b"<html>", b'{"next_cursor": 2}'):
        assert ADAPTER.further(listing, Reply(200, {}, last)) is None


def test_the_same_request_is_found_with_its_documented_addresses() -> None:
    reply = Reply(200, {}, json.dumps({"items": [item()]}).encode())
    root = f"/openai/gpt-image-2.5/requests/{ID}"
    tracking = {"status": f"{root}/status", "result": root, "cancel": f"{root}/cancel"}
    assert ADAPTER.parse_found(reply, SENT, SENT_AT) == (Job(ID, tracking),)
    late, early = item(sent_at="2026-11-21T10:00:09Z"), item(request_id="first")
    assert found(late, early) == ["first", ID]


@pytest.mark.parametrize(
    "other",
    [
        item(sent_at="2026-11-21T09:59:49Z"),
        item(sent_at=None),
        item(endpoint_id="openai/gpt-image-2.5/sunburst/text-to-image"),
        item(json_input={**KEPT, "quality": "high"}),
        item(json_input={**KEPT, "background": "opaque"}),
        item(json_input={"prompt": "A red fox", "num_images": 2}),
        item(json_input=None),
        item(json_input=json.dumps(KEPT)),
        item(request_id="../../v1/account"),
        item(request_id=7),
        "no item",
        None,
    ],
)
def test_another_request_is_not(other: object) -> None:
    assert found(other) == []


def test_files_are_the_same_where_nothing_contradicts_it() -> None:
    assert found(edited(uri(PICTURE)), sent=EDITED) == [ID]
    assert found(edited("https://v3b.fal.media/files/b/1.png"), sent=EDITED) == [ID]
    assert found(edited("taken-out"), sent=EDITED, files={"taken-out": PICTURE}) == [ID]
    for files in ([], [uri(b"another")], [uri(PICTURE)] * 2, ["data:image/png;base64,%%"], [None]):
        assert found(edited(*files), sent=EDITED) == [], files
    assert found(edited("taken-out"), sent=EDITED, files={"taken-out": b"another"}) == []
    assert found(edited(uri(PICTURE), mask_url=uri(PICTURE)), sent=EDITED) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"items": {}}', b"<html>"])
def test_what_is_no_list_holds_nothing(body: bytes) -> None:
    assert ADAPTER.parse_found(Reply(200, {}, body), SENT, SENT_AT) == ()
