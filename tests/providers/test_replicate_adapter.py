"""Replicate's adapter: golden calls, judged by the fake's rules, and the reference's answers word for word."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from PIL import Image

from providers.adapter import Attachment, HttpCall, PollPace, Reply, SecretKey
from providers.adapters.replicate import ReplicateAdapter
from providers.bodies import attachments, call_document, encoded, with_uploads
from providers.catalog import Catalog
from providers.checks import problems_of
from providers.errors import MalformedReply, ProviderError
from providers.pricing import cost_of, estimate
from providers.rows import openai
from providers.rows.replicate import OFFERS, PROVIDER
from providers.types import (
    FieldHandling,
    GeneratedImage,
    ImageRequest,
    ImageResult,
    InputImage,
    Job,
    Pending,
    RemoteImage,
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


# Asking


def test_the_first_fixture_is_what_is_built() -> None:
    asked = ImageRequest("A red fox", n=2, aspect_ratio="3:2", quality="low", output_format="png")
    call, _ = build(MINI, asked)
    assert (call.method, call.path, call.base) == ("POST", "/v1/models/openai/gpt-image-1-mini/predictions", "api")
    assert call.headers == {"Prefer": "wait=1"}
    assert call.json == {"input": R1["input"] | {"openai_api_key": OWN_KEY}}
    assert document()["input"] == R1["input"] | {"openai_api_key": "$OPENAI_API_KEY"}


@pytest.mark.parametrize("fidelity", ["low", "high"])
@pytest.mark.parametrize("model", [ONE, MINI])
def test_the_seed_models_take_all_twelve_inputs(model: str, fidelity: str) -> None:
    image = picture()
    asked = ImageRequest(
        "A red fox",
        n=10,
        size="1024x1536",
        quality="high",
        background="transparent",
        output_format="webp",
        output_compression=70,
        moderation="low",
        input_fidelity=fidelity,
        user="u-1",
        images=(image,),
    )
    call, rows = build(model, asked)
    assert call.json == {
        "input": {
            "openai_api_key": OWN_KEY,
            "prompt": "A red fox",
            "aspect_ratio": "2:3",
            "input_images": [Attachment(image.data, "image/png", image.sha256, "image-1.png")],
            "number_of_images": 10,
            "quality": "high",
            "background": "transparent",
            "input_fidelity": fidelity,
            "moderation": "low",
            "output_format": "webp",
            "output_compression": 70,
            "user_id": "u-1",
        }
    }
    names = {name: row.handling for name, row in rows.items()}
    assert names == dict.fromkeys(("prompt", "quality", "background", "moderation"), "passthrough") | dict.fromkeys(
        ("output_format", "output_compression", "input_fidelity"), "passthrough"
    ) | dict.fromkeys(("n", "user", "images"), "renamed") | {"size": "converted"}


@pytest.mark.parametrize(
    ("model", "has_key"), [(ONE, True), (MINI, True), (FIFTEEN, False), (TWO, False), (FLARE, False)]
)
def test_a_bare_prompt_becomes_one_png_at_each_offer(model: str, has_key: bool) -> None:
    sent = {"prompt": "A fox", "number_of_images": 1, "output_format": "png"}
    assert input_of(model, ImageRequest("A fox")) == sent | ({"openai_api_key": OWN_KEY} if has_key else {})
    offer = CATALOG.offer(f"replicate/{model}")
    assert offer.provider_model_id == f"openai/{model}"
    assert offer.needs_key_of == (("openai",) if has_key else ())


@pytest.mark.parametrize(
    ("model", "asked", "handling", "ratio"),
    [
        (MINI, {"size": "1024x1024"}, "converted", "1:1"),
        (MINI, {"size": "1536x1024"}, "converted", "3:2"),
        (TWO, {"size": "2:3"}, "renamed", "2:3"),
        (TWO, {"size": "16:9"}, "converted", "3:2"),
        (TWO, {"size": "auto"}, "converted", "1:1"),
        (FLARE, {"size": "auto"}, "renamed", "auto"),
        (FIFTEEN, {"aspect_ratio": "2:3"}, "passthrough", "2:3"),
        (FIFTEEN, {"aspect_ratio": "16:9"}, "converted", "3:2"),
        (FLARE, {"resolution": "4K"}, "converted", "1:1"),
        (TWO, {"size": "2048x2048"}, "refused", None),
        (FLARE, {"size": "huge"}, "refused", None),
    ],
)
def test_shapes(model: str, asked: dict[str, str], handling: str, ratio: str | None) -> None:
    call, rows = build(model, ImageRequest("A fox", **asked))  # type: ignore[arg-type]
    name = next(iter(asked))
    assert rows[name].handling == handling
    assert sent_in(call).get("aspect_ratio") == rows[name].value == ratio
    assert rows[name].note or handling in ("passthrough", "renamed") or asked[name] in openai.FIXED_SIZES.fixed


def test_a_size_of_auto_takes_the_shape_of_the_first_image_where_it_cannot_be_said() -> None:
    asked = ImageRequest("A fox", size="auto", images=(picture(),))
    assert input_of(TWO, asked)["aspect_ratio"] == "3:2"
    assert input_of(FLARE, asked)["aspect_ratio"] == "auto"


@pytest.mark.parametrize(
    ("model", "asked", "field", "handling", "sent"),
    [
        (FLARE, {"quality": "xhigh"}, "quality", "passthrough", "xhigh"),
        (FLARE, {"quality": "max"}, "quality", "passthrough", "max"),
        (TWO, {"quality": "auto"}, "quality", "passthrough", "auto"),
        (TWO, {"quality": "max"}, "quality", "refused", None),
        (TWO, {"background": "opaque"}, "background", "passthrough", "opaque"),
        (TWO, {"background": "transparent"}, "background", "refused", None),
        (FLARE, {"background": "transparent"}, "background", "passthrough", "transparent"),
        (MINI, {"background": "transparent", "output_format": "jpeg"}, "background", "refused", None),
        (MINI, {"moderation": "auto"}, "moderation", "passthrough", "auto"),
        (MINI, {"moderation": "none"}, "moderation", "refused", None),
        (MINI, {"input_fidelity": "low"}, "input_fidelity", "refused", None),
        (MINI, {"input_fidelity": "high", "images": (picture(),)}, "input_fidelity", "passthrough", "high"),
        (FIFTEEN, {"input_fidelity": "high", "images": (picture(),)}, "input_fidelity", "passthrough", "high"),
        (TWO, {"input_fidelity": "low", "images": (picture(),)}, "input_fidelity", "refused", None),
        (TWO, {"output_format": "jpeg"}, "output_format", "passthrough", "jpeg"),
        (TWO, {"output_format": "gif"}, "output_format", "emulated", "png"),
        (TWO, {"output_format": "avif"}, "output_format", "emulated", "png"),
        (TWO, {"output_format": "bmp"}, "output_format", "refused", "png"),
        (TWO, {"output_compression": 0, "output_format": "jpeg"}, "output_compression", "passthrough", 0),
        (TWO, {"output_compression": 101, "output_format": "jpeg"}, "output_compression", "refused", None),
        (TWO, {"output_compression": 50}, "output_compression", "refused", None),
        (TWO, {"partial_images": 2}, "partial_images", "refused", None),
        (TWO, {"mask": picture(), "images": (picture(),)}, "mask", "refused", None),
        (FIFTEEN, {"n": 0}, "n", "refused", None),
        (FIFTEEN, {"n": 11}, "n", "refused", None),
    ],
)
def test_fields(model: str, asked: dict[str, Any], field: str, handling: str, sent: object) -> None:
    call, rows = build(model, ImageRequest("A fox", **asked))
    assert rows[field].handling == handling
    assert set(rows) == {"prompt", "n", *asked}
    assert bool(rows[field].note) == (handling in ("refused", "emulated"))
    assert sent_in(call).get(rows[field].sent_as or field) == sent


@pytest.mark.parametrize(
    ("data_bytes", "upload"), [(196_589, False), (196_590, False), (196_591, True), (196_608, True)]
)
def test_an_image_whose_data_uri_would_be_large_is_uploaded(data_bytes: int, upload: bool) -> None:
    offer = CATALOG.offer("replicate/gpt-image-2")
    asked = ImageRequest("A fox", images=(picture(), picture(data_bytes)))
    call = ADAPTER.build(asked, offer, CATALOG.spec(offer))[0]
    assert [len(file.data) for file in attachments(call)] == ([data_bytes] if upload else [])


def test_rows_tell_the_truth() -> None:
    flare, two, mini = (CATALOG.spec(CATALOG.offer(f"replicate/{model}")) for model in (FLARE, TWO, MINI))
    assert (flare.sizes.has_auto, two.sizes.has_auto, mini.sizes.has_auto) == (True, False, False)
    assert (two.max_n, two.max_n_per_call, flare.max_n_per_call) == (10, 1, 10)
    assert (mini.input_fidelity, two.input_fidelity, flare.input_fidelity) == (("low", "high"), (), ())
    asked = ImageRequest("A fox", input_fidelity="high", images=(picture(),))
    assert list(problems_of(asked, mini, PROVIDER)) == []
    assert all(row.spec and not row.spec.mask and not row.spec.max_partials for row in OFFERS)
    shape = {"size": "2048x2048", "background": "transparent", "quality": "max"}
    asked = ImageRequest("A", **shape, images=(picture(),), mask=picture(), lock_outside_mask=False)
    assert {problem.field for problem in problems_of(asked, two, PROVIDER)} == {"size", "background", "quality", "mask"}


# Prices


def test_own_key_prices_are_openais_with_a_fee() -> None:
    for model in (ONE, MINI):
        price = CATALOG.offer(f"replicate/{model}").price
        assert price is not None
        assert (price.price_id, price.valid_from) == (f"replicate/{model}@2026-11-21", date(2026, 11, 21))
        assert (price.fee_per_image, price.tokens_billed_by, price.needs_report) == (Decimal("0.001"), "OpenAI", True)
    for model in (FIFTEEN, TWO, FLARE):
        offer = CATALOG.offer(f"replicate/{model}")
        assert offer.price is None
        assert "not known" in estimate(ImageRequest("A fox"), CATALOG.spec(offer), offer).note


def test_the_second_fixture_costs_what_the_reference_says() -> None:
    result = ADAPTER.parse_poll(reply(R2), JOB)
    assert isinstance(result, ImageResult)
    assert cost_of(result.answered.usage, CATALOG.offer("replicate/gpt-image-1-mini").price, images=2) == 8418


# Reading


def test_the_fixtures_are_read() -> None:
    assert ADAPTER.parse(reply(R1, 201)) == Pending(JOB, "starting")
    assert (ADAPTER.pace, ADAPTER.own_job("x"), ADAPTER.poll(JOB).path) == (
        PollPace(1.0, 1.5, 3.0),
        None,
        f"/v1/predictions/{ID}",
    )
    for result in (ADAPTER.parse(reply(R2, 201)), ADAPTER.parse_poll(reply(R2), JOB)):
        assert isinstance(result, ImageResult)
        assert result.images == tuple(map(RemoteImage, URLS))
        assert result.answered.request_id == ID
        assert result.answered.got == {"metrics": R2["metrics"]}


def test_output_before_the_end_is_not_taken() -> None:
    assert ADAPTER.parse_poll(reply(R2 | {"status": "processing"}), JOB) == Pending(JOB, "processing", has_begun=True)


def test_a_single_text_and_data_uris_are_images_too() -> None:
    for output, image in ((URLS[0], RemoteImage(URLS[0])), ("data:image/png;base64,AAEC", GeneratedImage(b"\0\1\2"))):
        result = ADAPTER.parse_poll(reply(R2 | {"output": output}), JOB)
        assert isinstance(result, ImageResult)
        assert result.images == (image,)


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        ("Input text token count: 711\nInput image token count: 646\nOutput token count: 4160", (711, 646, 4160)),
        ("INFO input text tokens = 7, OUTPUT TOKENS: 4,160\n", (7, None, 4160)),
        ("Text input token count: 3\nImage input token count: 4", (3, 4, None)),
        ("Input text token count: 5\nOutput token count: 4160\nOutput token count: 4160", None),
        ("Output token count: 41.60\nInput text token count: 99999999999999", None),
        *((logs, None) for logs in ("Generating image...", "", None, 7, ["Output token count: 1"])),
    ],
)
def test_tokens_are_read_from_the_log(logs: object, expected: tuple[int | None, ...] | None) -> None:
    result = ADAPTER.parse_poll(reply(R2 | {"logs": logs}), JOB)
    assert isinstance(result, ImageResult)
    usage = result.answered.usage
    assert (usage and (usage.text_input_tokens, usage.image_input_tokens, usage.output_tokens)) == expected


@pytest.mark.parametrize(
    ("logs", "images", "cost"),
    [
        (LOGS, [], 8418),
        (LOGS.replace("Input image token count: 0\n", ""), [], 8418),
        (LOGS.replace("Input image token count: 0\n", ""), ["https://example.com/a.png"], None),
        (LOGS.replace("Input text token count: 9\n", ""), [], None),
        ("Input text token count: 9\n" + LOGS, [], None),
        ("Input image token count: 0\n" + LOGS, [], None),
        ("Output token count: 800\n" + LOGS, [], None),
        (LOGS.replace("Output token count: 800\n", ""), [], None),
    ],
)
def test_a_log_that_lacks_a_figure_or_tells_one_twice_prices_nothing(
    logs: str, images: list[str], cost: int | None
) -> None:
    body = R2 | {"logs": logs, "input": R2["input"] | ({"input_images": images} if images else {})}
    result = ADAPTER.parse_poll(reply(body), JOB)
    assert isinstance(result, ImageResult)
    price = CATALOG.offer("replicate/gpt-image-1-mini").price
    assert cost_of(result.answered.usage, price, images=2) == cost


OUTPUTS: list[object] = [None, [], "", {}, 7, [None], [""], [{"url": URLS[0]}], ["data:image/png;base64,"]]
UNKNOWN: list[object] = [{}, {"status": 401}, {"id": ID, "status": "queued"}, {"id": ID, "status": None}]
HOSTILE = [b"", b"null", b"[]", b"{", *UNKNOWN, *(R2 | {"output": output, "logs": ""} for output in OUTPUTS)]


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize("polled", [True, False])
def test_an_answer_that_cannot_be_read_says_so(body: object, polled: bool) -> None:
    error = failed(body, polled=polled)
    assert isinstance(error, MalformedReply)
    assert error.may_have_been_billed
    assert error.request_id == ID or not polled


@pytest.mark.parametrize("bad", [None, 7, "", "a/../../v1/account", f"{ID}?x=1", f"{ID}\n", "a" * 65, "ä" * 20])
def test_a_prediction_without_a_usable_id_is_no_job(bad: object) -> None:
    assert isinstance(failed(R1 | {"id": bad}, polled=False), MalformedReply)
    result = ADAPTER.parse(reply(R2 | {"id": bad}))
    assert isinstance(result, ImageResult)
    assert result.answered.request_id is None


@pytest.mark.parametrize("metrics", [None, [], {"predict_time": "12"}, {"predict_time": True}, {"other": 1}])
def test_only_numbers_are_reported_as_metrics(metrics: object) -> None:
    result = ADAPTER.parse_poll(reply(R2 | {"metrics": metrics}), JOB)
    assert isinstance(result, ImageResult)
    assert result.answered.got == {}


def test_deleted_images_are_called_that() -> None:
    error = failed(R2 | {"output": None, "data_removed": True})
    assert "deleted" in error.message
