"""Odd documents for the fuzzers: what providers, files and scripts could say, most of it under names that are looked for."""

from __future__ import annotations

import base64
import json

import orjson
from hypothesis import strategies as st

from tests.hostile.images import png

PIXEL = base64.b64encode(png(16, 16)).decode()
NAMES = (
    "data", "b64_json", "url", "error", "errors", "message", "code", "type", "param", "status", "id", "output", "urls", "get",
    "cancel", "logs", "metrics", "predict_time", "images", "taskUUID", "taskType", "imageURL", "imageUUID", "imageBase64Data",
    "imageDataURI", "cost", "seed", "NSFWContent", "detail", "loc", "msg", "ctx", "request_id", "response_url", "status_url",
    "cancel_url", "queue_position", "usage", "input_tokens", "output_tokens", "input_tokens_details", "text_tokens",
    "image_tokens", "total_tokens", "size", "quality", "background", "output_format", "created", "created_at", "revised_prompt",
    "results", "input", "prompt", "model", "version", "title", "retry_after", "parameter", "content_type", "file_name", "width",
    "height", "has_nsfw_concepts", "partial_image_index", "upload_url", "file_url", "balance", "object", "total_cost",
)  # fmt: skip
WORDS = (
    "", "0", "succeeded", "failed", "processing", "starting", "canceled", "IN_QUEUE", "IN_PROGRESS", "COMPLETED", "success",
    "error", "imageInference", "getResponse", "image_generation.completed", "image_generation.partial_image",
    "image_edit.completed",
    "moderation_blocked", "insufficient_quota", "rate_limit_exceeded", "https://fal.run/x", "file:///etc/passwd", "http://[::1",
    "data:image/png;base64,", f"data:image/png;base64,{PIXEL}", PIXEL, PIXEL[:-3], "1024x1024",
    "9" * 400, "\ud800", "\0", "٣", "1e999",
    "Input tokens: 9" + "9" * 30, "<script>alert(1)</script>", "2026-99-99T99:99:99Z", "NaN",
)  # fmt: skip


def texts() -> st.SearchStrategy[str]:
    """Words that mean something, and any others."""
    return st.sampled_from(WORDS) | st.text(max_size=40)


def values() -> st.SearchStrategy[object]:
    """Any JSON value, mostly under the names that are looked for."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats()
        | st.sampled_from([0, 1, 200, 10**30, 1e308])
        | texts()
    )
    names = st.sampled_from(NAMES) | st.text(max_size=12)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
        max_leaves=25,
    )


def json_of(value: object) -> bytes:
    """As a server would write it, numbers beyond all bounds included."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode("utf-8", "surrogatepass")


def bodies() -> st.SearchStrategy[bytes]:
    """Bodies of answers: JSON of any shape, cut JSON, and no JSON at all."""
    whole = values().map(json_of)
    return whole | whole.map(lambda data: data[: len(data) * 2 // 3]) | st.binary(max_size=60) | st.just(b"[" * 5000)
