"""Replicate's adapter with the reference's answers; what it builds is judged by the fake's rules."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from PIL import Image

from providers.adapter import HttpCall, Reply, SecretKey
from providers.adapters.replicate import ReplicateAdapter
from providers.bodies import attachments, call_document, encoded, with_uploads
from providers.catalog import Catalog
from providers.errors import ProviderError
from providers.rows import openai
from providers.rows.replicate import OFFERS, PROVIDER
from providers.types import (
    FieldHandling,
    ImageRequest,
    InputImage,
    Job,
)
from tests.fakes import replicate_rules

CATALOG = Catalog((PROVIDER,), openai.MODELS, OFFERS)
ADAPTER = ReplicateAdapter()
ONE, MINI, FIFTEEN, TWO, FLARE = (f"gpt-image-{name}" for name in ("1", "1-mini", "1.5", "2", "2.5-flare"))
OWN_KEY = SecretKey("openai", "OPENAI_API_KEY")
ID = "g6c2x7k1e1rme0ctfix01"
JOB = Job(ID)
SENT_AT = "2026-11-21T10:00:00.000Z"
URLS = ["https://replicate.delivery/xezq/fix/out-0.png", "https://replicate.delivery/xezq/fix/out-1.png"]
LOGS = (
    "Generating image...\nImage size: 378.3KB\nGenerated image in 12.4sec\nGenerated 2 images\n"
    "Input text token count: 9\nInput image token count: 0\nOutput token count: 800\n"
)
R1: dict[str, Any] = {
    "id": ID,
    "model": "openai/gpt-image-1-mini",
    "version": "5bdbb6c220da",
    "status": "starting",
    "output": None,
    "error": None,
    "logs": "",
    "input": {
        "openai_api_key": "[REDACTED]",
        "prompt": "A red fox",
        "aspect_ratio": "3:2",
        "quality": "low",
        "number_of_images": 2,
        "output_format": "png",
    },
    "created_at": "2026-11-21T10:00:00.123Z",
    "started_at": None,
    "completed_at": None,
    "data_removed": False,
    "metrics": {},
    "urls": {"get": f"https://api.replicate.com/v1/predictions/{ID}"},
}
R2 = R1 | {
    "status": "succeeded",
    "output": URLS,
    "logs": LOGS,
    "started_at": "2026-11-21T10:00:00.300Z",
    "completed_at": "2026-11-21T10:00:13.000Z",
    "metrics": {"predict_time": 12.7, "total_time": 12.9, "image_count": 2},
}


def reply(body: object, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, body if isinstance(body, bytes) else json.dumps(body).encode())


def picture(data_bytes: int | None = None) -> InputImage:
    """A small PNG, filled up to `data_bytes` behind its end."""
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "PNG")
    data = out.getvalue().ljust(data_bytes or 0, b"\0")
    return InputImage(data, "image/png", 60, 40, sha256(data).hexdigest())


def build(model: str, request: ImageRequest) -> tuple[HttpCall, dict[str, FieldHandling]]:
    """The call and its rows by field; the body is judged by the fake's rules on the way."""
    offer = CATALOG.offer(f"replicate/{model}")
    call, rows = ADAPTER.build(request, offer, CATALOG.spec(offer))
    assert len({row.field for row in rows}) == len(rows)
    uploaded = with_uploads(call, {file.sha256: "https://example.com/file" for file in attachments(call)})
    body = json.loads(encoded(uploaded, {"openai": "sk-test"}))
    verdict = replicate_rules.judge_prediction(body, replicate_rules.MODELS[f"openai/{model}"], lambda _: None)
    assert (verdict.problems, verdict.remarks) == ([], [])
    assert replicate_rules.prefer_problem(call.headers["Prefer"]) is None
    return call, {row.field: row for row in rows}


def sent_in(call: HttpCall) -> dict[str, Any]:
    assert isinstance(call.json, dict)
    assert list(call.json) == ["input"]
    sent: dict[str, Any] = call.json["input"]
    return sent


def input_of(model: str, request: ImageRequest) -> dict[str, Any]:
    return sent_in(build(model, request)[0])


def document(model: str = MINI, **changes: Any) -> dict[str, object]:
    asked = ImageRequest("A red fox", n=2, aspect_ratio="3:2", quality="low", output_format="png")
    return call_document(build(model, replace(asked, **changes))[0])


def failed(body: object, *, polled: bool = True) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        ADAPTER.parse_poll(reply(body), JOB) if polled else ADAPTER.parse(reply(body))
    return raised.value
