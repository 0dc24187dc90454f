"""The Runware adapter against golden tasks, the calls of fixtures W1 and W2, and the strict fake."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import pytest

from providers.adapter import CALL_ID, HttpCall, Reply
from providers.adapters.runware import RunwareAdapter
from providers.bodies import encoded, with_call_id
from providers.catalog import Catalog
from providers.checks import problems_of
from providers.errors import JobUnknown, TimedOut
from providers.pricing import estimate
from providers.rows import openai
from providers.rows.runware import OFFERS, PROVIDER
from providers.types import (
    FieldHandling,
    ImageRequest,
    ImageResult,
    InputImage,
    Job,
    Pending,
)
from tests.fakes import runware_rules
from tests.fakes.faults import Fault
from tests.fakes.job_faults import PollBreaks
from tests.fakes.pictures import picture
from tests.fakes.runware_faults import ErrorItems, MissingImage, OneByOne, PartialFailure, TaskFails
from tests.fakes.runware_server import FakeRunware

CATALOG = Catalog((PROVIDER,), openai.MODELS, OFFERS)
ADAPTER = RunwareAdapter()
MODELS = [offer.model_id for offer in OFFERS]
OLD = ("gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5")
FLARE, MINI = "gpt-image-2.5-flare", "gpt-image-1-mini"

W1_ID = "2b6f0cc9-04d8-4f0e-9a3e-1c1d3c1b7a01"


def given_image(number: int = 1, size: tuple[int, int] = (48, 32)) -> InputImage:
    data = picture(size, "png", number=number)
    return InputImage(data, "image/png", *size, sha256(data).hexdigest())


def built(model: str, request: ImageRequest) -> tuple[HttpCall, dict[str, FieldHandling]]:
    offer = CATALOG.offer(f"runware/{model}")
    call, rows = ADAPTER.build(request, offer, CATALOG.spec(offer))
    assert len({row.field for row in rows}) == len(rows), "one row for each field"
    return call, {row.field: row for row in rows}


def sent(call: HttpCall, call_id: str = W1_ID) -> dict[str, Any]:
    """The one task of the call as it goes out, judged by the rules of the reference."""
    (task,) = json.loads(encoded(with_call_id(call, call_id), {}))
    judged = runware_rules.judge_inference(task, known=())
    assert not isinstance(judged, list), judged
    return dict(task)


def json_of(call: HttpCall) -> dict[str, object]:
    assert isinstance(call.json, list)
    (task,) = call.json
    assert isinstance(task, dict)
    return task


# Calls


def test_w1_is_this_task() -> None:
    request = ImageRequest("A red fox", n=2, size="1024x1024", quality="low", background="auto", output_format="png")
    call, rows = built(FLARE, request)
    assert (call.method, call.path, call.base, dict(call.headers)) == ("POST", "", "api", {})
    w1 = (
        '[{"taskType":"imageInference","taskUUID":"2b6f0cc9-04d8-4f0e-9a3e-1c1d3c1b7a01","model":'
        '"openai:gpt-image@2.5-flare","positivePrompt":"A red fox","width":1024,"height":1024,"numberResults":2,'
        '"outputType":"URL","outputFormat":"PNG","includeCost":true,"settings":{"quality":"low","background":"auto"}}]'
    )
    # The fixture's call is held open; ours is fetched later under its own id, from an address that lives for a day.
    assert [sent(call)] == [{**json.loads(w1)[0], "deliveryMethod": "async", "ttl": 86_400}]
    handled = {name: (row.handling, row.sent_as, row.value) for name, row in rows.items()}
    assert handled == {
        "prompt": ("renamed", "positivePrompt", "A red fox"),
        "n": ("renamed", "numberResults", 2),
        "size": ("converted", "width, height", "1024, 1024"),
        "quality": ("renamed", "settings.quality", "low"),
        "background": ("renamed", "settings.background", "auto"),
        "output_format": ("converted", "outputFormat", "PNG"),
        "delivery": ("converted", "deliveryMethod", "async"),
        "ttl": ("converted", "ttl", 86_400),
    }
    assert all(rows[name].note and rows[name].asked is None for name in ("delivery", "ttl"))


def test_w2_an_edit_by_mini_with_a_clear_background() -> None:
    image = given_image()
    request = ImageRequest("make it a sticker", size="1024x1024", quality="medium", background="transparent")
    call, rows = built(MINI, replace(request, images=(image,)))
    w2 = (
        '[{"taskType":"imageInference","taskUUID":"7e0e7f7c-6f52-4b39-8a55-0d1c2b3a4f02","model":"openai:1@2",'
        '"positivePrompt":"make it a sticker","width":1024,"height":1024,"outputType":"base64Data",'
        '"outputFormat":"PNG","inputs":{"referenceImages":["data:image/png;base64,PNG1"]},"providerSettings":{'
        '"openai":{"quality":"medium","background":"transparent"}},"includeCost":true}]'
    ).replace("PNG1", base64.b64encode(image.data).decode())
    # The fixture says nothing of `numberResults`, and wants bytes where we want addresses.
    ours = {"outputType": "URL", "numberResults": 1, "deliveryMethod": "async", "ttl": 86_400}
    assert sent(call, "7e0e7f7c-6f52-4b39-8a55-0d1c2b3a4f02") == json.loads(w2)[0] | ours
    assert (rows["images"].asked, rows["images"].sent_as) == ([image.sha256], "inputs.referenceImages")
    assert rows["quality"].sent_as == "providerSettings.openai.quality"


EXAMPLES = [(1, "1024x1024", "0.011"), (4, "1536x1024", "0.015"), (8, "1024x1536", "0.015"), (0, "1024x1024", "0.011")]


@pytest.mark.parametrize(("references", "size", "usd"), EXAMPLES)
def test_the_four_example_requests_of_minis_page(references: int, size: str, usd: str) -> None:
    images = tuple(given_image(number) for number in range(references))
    request = ImageRequest("An example", size=size, quality="medium", images=images)
    offer = CATALOG.offer(f"runware/{MINI}")
    assert list(problems_of(request, CATALOG.spec(offer), PROVIDER)) == []
    task = sent(built(MINI, request)[0])
    assert f"{task['width']}x{task['height']}" == size
    assert len(task.get("inputs", {}).get("referenceImages", ())) == references
    expected = int(Decimal(usd) * 10**6)
    cost = estimate(request, CATALOG.spec(offer), offer)
    assert (cost.low_microusd, cost.high_microusd) == (expected, expected)


AIRS = {
    "gpt-image-1": "openai:1@1",
    "gpt-image-1-mini": "openai:1@2",
    "gpt-image-1.5": "openai:4@1",
    "gpt-image-2": "openai:gpt-image@2",
    "gpt-image-2.5-flare": "openai:gpt-image@2.5-flare",
    "gpt-image-2.5-sunburst": "openai:gpt-image@2.5-sunburst",
}


@pytest.mark.parametrize("model", MODELS)
def test_the_smallest_request_and_its_air_id(model: str) -> None:
    call, _ = built(model, ImageRequest("A red fox"))
    task = sent(call)
    assert task["model"] == AIRS[model]
    needs_size = model in ("gpt-image-1", "gpt-image-1-mini")
    assert (task.get("width"), task.get("height")) == ((1024, 1024) if needs_size else (None, None))
    assert {"settings", "providerSettings"}.isdisjoint(task)
    assert json_of(call)["taskUUID"] is CALL_ID


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("field", ["quality", "background", "output_format", "size", "moderation"])
def test_whatever_is_asked_the_task_is_legal(model: str, field: str) -> None:
    values = {
        "quality": ("auto", "low", "medium", "high", "xhigh", "max", "silly"),
        "background": ("auto", "opaque", "transparent", "silly"),
        "output_format": ("png", "jpeg", "webp", "gif", "avif", "bmp"),
        "size": ("auto", "1024x1024", "1920x1080", "2048x2048", "16:9", "8x8", "silly", "3:1"),
        "moderation": ("auto", "low", "silly"),
    }[field]
    spec = CATALOG.spec(CATALOG.offer(f"runware/{model}"))
    for value in values:
        for background in ("transparent", None):
            request = ImageRequest("A red fox", background=background)
            request = replace(request, **{field: value})
            call, rows = built(model, request)
            sent(call)
            assert field in rows
            blocked = {problem.field for problem in problems_of(request, spec, PROVIDER)}
            # What blocks is not sent; a background can be in the way of JPEG.
            if field in blocked:
                assert rows[field].handling == "refused", value


@pytest.mark.parametrize(
    ("model", "asked", "expected"),
    [
        (FLARE, {"size": "auto"}, ("converted", None, None)),
        (FLARE, {"size": "2048x1152"}, ("converted", "width, height", "2048, 1152")),
        (FLARE, {"aspect_ratio": "16:9"}, ("converted", "width, height", "1360, 768")),
        (FLARE, {"resolution": "2K"}, ("converted", "width, height", "2048, 2048")),
        ("gpt-image-1.5", {"size": "auto"}, ("converted", "width, height", "1024, 1024")),
        ("gpt-image-1", {"aspect_ratio": "16:9"}, ("converted", "width, height", "1536, 1024")),
        (FLARE, {"quality": "max"}, ("renamed", "settings.quality", "max")),
        (FLARE, {"quality": "auto"}, ("renamed", "settings.quality", "auto")),
        ("gpt-image-2", {"quality": "max"}, ("refused", None, None)),
        ("gpt-image-2", {"background": "transparent"}, ("refused", None, None)),
        ("gpt-image-2", {"background": "auto"}, ("converted", None, None)),
        ("gpt-image-2", {"background": "opaque"}, ("renamed", "settings.background", "opaque")),
        (FLARE, {"background": "transparent"}, ("renamed", "settings.background", "transparent")),
        (FLARE, {"moderation": "low"}, ("renamed", "settings.moderation", "low")),
        (FLARE, {"moderation": "auto"}, ("converted", "safety.checkContent", True)),
        (MINI, {"moderation": "auto"}, ("converted", "safety.checkContent", True)),
        (MINI, {"moderation": "low"}, ("refused", None, None)),
        (FLARE, {"output_format": "jpeg"}, ("converted", "outputFormat", "JPG")),
        (FLARE, {"output_format": "webp"}, ("converted", "outputFormat", "WEBP")),
        (FLARE, {"output_format": "avif"}, ("emulated", "outputFormat", "PNG")),
        (FLARE, {"output_compression": 80}, ("refused", None, None)),
        (FLARE, {"output_compression": 80, "output_format": "jpeg"}, ("renamed", "outputQuality", 80)),
        (FLARE, {"output_compression": 0, "output_format": "jpeg"}, ("converted", "outputQuality", 20)),
        (FLARE, {"output_compression": 100, "output_format": "webp"}, ("converted", "outputQuality", 99)),
        (FLARE, {"user": "u-1"}, ("refused", None, None)),
        ("gpt-image-1.5", {"input_fidelity": "high"}, ("refused", None, None)),
        (FLARE, {"partial_images": 2}, ("refused", None, None)),
    ],
)
def test_each_field(model: str, asked: dict[str, Any], expected: tuple[object, ...]) -> None:
    call, rows = built(model, ImageRequest("A red fox", **asked))
    row = rows[next(iter(asked))]
    assert (row.handling, row.sent_as, row.value) == expected
    assert row.note or row.handling != "refused"
    task = sent(call)
    if row.sent_as is None:
        assert next(iter(asked)) not in json.dumps(task)


@pytest.mark.parametrize("model", MODELS)
def test_the_content_check_is_asked_for_where_moderation_is_auto_and_only_there(model: str) -> None:
    assert sent(built(model, ImageRequest("A red fox", moderation="auto"))[0])["safety"] == {"checkContent": True}
    for moderation in (None, "low"):
        assert "safety" not in sent(built(model, ImageRequest("A red fox", moderation=moderation))[0])


WRONG_EXTRAS: list[dict[str, object]] = [
    {"safety": True},
    {"safety": {"checkContent": "true"}},
    {"safety": {"checkNSFW": True}},
    {"checkNSFW": True},
    {"ttl": 59},
    {"ttl": "3600"},
    {"ttl": 3600.0},
    {"outputType": "dataURI"},
    {"deliveryMethod": "later"},
]


@pytest.mark.parametrize("wrong", WRONG_EXTRAS)
def test_the_fake_takes_safety_and_ttl_as_they_are_documented_and_no_other_way(wrong: dict[str, object]) -> None:
    task = sent(built(FLARE, ImageRequest("A red fox", moderation="auto"))[0])
    assert isinstance(runware_rules.judge_inference(task | wrong, known=()), list)


def test_a_size_is_chosen_after_the_first_reference_where_one_is_needed() -> None:
    for asked in (None, "auto"):
        task = sent(built(MINI, ImageRequest("A red fox", size=asked, images=(given_image(size=(32, 48)),)))[0])
        assert (task["width"], task["height"]) == (1024, 1536)


def test_one_character_is_made_two_where_two_are_needed() -> None:
    call, rows = built("gpt-image-1.5", ImageRequest("猫"))
    assert sent(call)["positivePrompt"] == "猫 "
    assert (rows["prompt"].handling, rows["prompt"].asked) == ("converted", "猫")
    assert built(MINI, ImageRequest("猫"))[1]["prompt"].handling == "renamed"


def test_masks_and_too_many_references_are_not_sent() -> None:
    image = given_image()
    for model in MODELS:
        call, rows = built(model, ImageRequest("A red fox", images=(image,) * 17, mask=image))
        assert "inputs" not in sent(call)
        assert (rows["mask"].handling, rows["images"].handling) == ("refused", "refused")


def test_rows_tell_what_runware_sells() -> None:
    assert sorted(MODELS) == sorted(AIRS)
    for offer in OFFERS:
        spec = CATALOG.spec(offer)
        assert (spec.mask, spec.takes_user, spec.max_partials, spec.input_fidelity) == (False, False, 0, ())
        assert (spec.max_n, spec.max_n_per_call, spec.max_images) == (10, 10, 16)
        assert (spec.moderation, spec.sizes.has_auto) == (
            ((), False) if spec.model_id in OLD else (("auto", "low"), True)
        )
        assert spec.retires_on == openai.BY_ID[spec.model_id].retires_on
        assert offer.price is not None
        assert offer.price.price_id == f"runware/{spec.model_id}@2026-11-21"
        judged = runware_rules.MODELS[offer.provider_model_id].prices
        for quality, prices in (judged or {}).items():
            for size, micro in zip(("1024x1024", "1024x1536", "1536x1024"), prices, strict=True):
                assert offer.price.per_image[quality][size] * 10**6 == micro
        if judged is None:
            rates = (offer.price.text_in, offer.price.image_in, offer.price.image_out)
            assert rates == (Decimal(5), Decimal(8), Decimal(30))
    assert "transparent" not in CATALOG.spec(CATALOG.offer("runware/gpt-image-2")).backgrounds


# Against the strict fake, over the wire


def run(fake: FakeRunware, request: ImageRequest, model: str = FLARE) -> ImageResult:
    call = with_call_id(built(model, request)[0], str(uuid4()))
    with httpx.Client(headers={"Authorization": f"Bearer {fake.key}"}, trust_env=False) as client:

        def ask(call: HttpCall) -> Reply:
            headers = {"content-type": "application/json"}
            got = client.request(call.method, fake.base_url + call.path, content=encoded(call, {}), headers=headers)
            return Reply(got.status_code, {name.lower(): value for name, value in got.headers.items()}, got.content)

        answer = ADAPTER.parse(ask(call))
        if isinstance(answer, Pending):
            answer = replace(answer, job=ADAPTER.own_job(answer.job.remote_id, call))
        for _ in range(9):
            if isinstance(answer, ImageResult):
                return answer
            polled = ask(ADAPTER.poll(answer.job))
            if polled.status < 500:
                answer = ADAPTER.parse_poll(polled, answer.job)
    raise AssertionError("it never ended")


@pytest.mark.parametrize(
    ("fault", "images", "failures"),
    [(None, 3, 0), (PartialFailure(1), 2, 1), (MissingImage(), 3, 0), (PollBreaks(2), 3, 0), (OneByOne(), 3, 0)],
)
def test_a_run_against_the_fake(fault: Fault | None, images: int, failures: int) -> None:
    with FakeRunware() as fake:
        if fault is not None:
            fake.next(fault)
        result = run(fake, ImageRequest("A red fox", n=3, size="1024x1024", quality="low", images=(given_image(),)))
        assert fake.violations == []
        assert fake.creates == 1
    assert (len(result.images), len(result.failures)) == (images, failures)
    assert result.answered.cost_microusd == 6005 * images


@pytest.mark.parametrize("fault", [TaskFails("timeoutProvider"), ErrorItems("timeoutProvider")])
def test_a_failed_run_against_the_fake(fault: Fault) -> None:
    with FakeRunware() as fake:
        fake.next(fault)
        with pytest.raises(TimedOut) as raised:
            run(fake, ImageRequest("A red fox"))
        assert raised.value.may_have_been_billed
        unknown = httpx.post(
            fake.base_url,
            content=encoded(ADAPTER.poll(Job(W1_ID)), {}),
            headers={"Authorization": f"Bearer {fake.key}", "content-type": "application/json"},
            trust_env=False,
        )
    error = ADAPTER.parse_error(Reply(unknown.status_code, {}, unknown.content))
    assert isinstance(error, JobUnknown)
    assert error.may_have_been_billed
