"""The fake Runware takes what the reference allows, refuses the rest by name, and prices what it made."""

import base64
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.fakes.runware_asking import (
    FLARE,
    MINI,
    MODELS,
    ONE,
    ONE_FIVE,
    PNG64,
    PNG_DATA,
    PNG_URI,
    SUNBURST,
    TWO,
    Caller,
    images,
    task,
)
from tests.fakes.runware_server import FakeRunware


@pytest.fixture
def fake() -> Iterator[FakeRunware]:
    with FakeRunware() as server:
        yield server


@pytest.fixture
def call(fake: FakeRunware) -> Iterator[Caller]:
    with Caller.of(fake) as caller:
        yield caller


@pytest.mark.parametrize(
    ("model", "quality", "size", "cost"),
    [
        (ONE, "high", (1536, 1024), 0.25),
        (MINI, "low", (1024, 1536), 0.006),
        (ONE_FIVE, "medium", (1536, 1024), 0.05),
        (ONE_FIVE, "medium", (1024, 1536), 0.051),
        (TWO, "high", (1024, 1024), 0.210845),
        (SUNBURST, "max", (1536, 1024), 0.164765),
        (FLARE, "xhigh", (1024, 768), 0.064325),
    ],
)
def test_costs(call: Caller, model: str, quality: str, size: tuple[int, int], cost: float) -> None:
    width, height = size
    reply = call.create(model, width=width, height=height, settings={"quality": quality}, includeCost=True)
    assert reply.json()["data"][0]["cost"] == cost


GOOD: list[tuple[str, dict[str, object]]] = [
    *((model, {}) for model in MODELS),
    (ONE_FIVE, {"settings": {"quality": "auto", "background": "transparent"}, "outputFormat": "WEBP"}),
    (ONE, {"providerSettings": {"openai": {}}}),
    (TWO, {"settings": {"background": "opaque", "moderation": "low"}}),
    (FLARE, {"width": 1520, "height": 512, "settings": {"quality": "low"}}),
    (TWO, {"inputs": {"referenceImages": [PNG64] * 15 + ["https://example.com/a.png"]}}),
    (
        FLARE,
        {"outputQuality": 20, "ttl": 60, "webhookURL": "https://h.example/x", "uploadEndpoint": "https://u.example"},
    ),
    (FLARE, {"positivePrompt": "x" * 32_000, "deliveryMethod": "sync", "safety": {"mode": "none"}}),
]


@pytest.mark.parametrize(("model", "fields"), GOOD)
def test_what_is_allowed(fake: FakeRunware, call: Caller, model: str, fields: dict[str, object]) -> None:
    call.create(model, **fields).raise_for_status()
    assert fake.violations == []


def openai(**settings: object) -> dict[str, object]:
    return {"providerSettings": {"openai": settings}}


BAD: list[tuple[str, dict[str, object], str]] = [
    (FLARE, {"taskUUID": None}, "missingTaskUUID"),
    (FLARE, {"taskUUID": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}, "invalidTaskUUID"),
    (FLARE, {"taskUUID": 7}, "invalidTaskUUID"),
    (FLARE, {"model": None, "positivePrompt": None}, "missingModel missingPositivePrompt"),
    ("openai:gpt-image@2.6-flare", {}, "unknownModel"),
    (FLARE, {"model": ["x"]}, "unknownModel"),
    (FLARE, {"positivePrompt": ""}, "invalidPositivePrompt"),
    (FLARE, {"positivePrompt": "x" * 32_001}, "invalidPositivePrompt"),
    (ONE_FIVE, {"positivePrompt": "x"}, "invalidPositivePrompt"),
    (FLARE, {"width": 1024}, "missingDimensionParameters"),
    (ONE, {"width": None, "height": None}, "missingDimensionParameters"),
    (MINI, {"height": None}, "missingDimensionParameters"),
    (ONE_FIVE, {"width": 1024, "height": 768}, "unsupportedDimensions"),
    (FLARE, {"width": 1920, "height": 1080}, "unsupportedDimensions"),
    (FLARE, {"width": 2048, "height": 512}, "unsupportedDimensions"),
    (TWO, {"width": 768, "height": 768}, "unsupportedDimensions"),
    (TWO, {"width": 3840, "height": 3840}, "unsupportedDimensions"),
    (FLARE, {"width": 3856, "height": 1600}, "invalidWidth unsupportedDimensions"),
    (FLARE, {"width": "1024", "height": 1024}, "invalidWidth"),
    (FLARE, {"numberResults": 0}, "invalidNumberResults"),
    (FLARE, {"numberResults": 21}, "invalidNumberResults"),
    (FLARE, {"numberResults": True}, "invalidNumberResults"),
    (FLARE, {"outputType": "base64"}, "invalidOutputType"),
    (FLARE, {"outputType": ["URL"]}, "invalidOutputType"),
    (FLARE, {"outputFormat": "png"}, "invalidOutputFormat"),
    (FLARE, {"outputQuality": 19}, "invalidOutputQuality"),
    (FLARE, {"outputQuality": 100}, "invalidOutputQuality"),
    (FLARE, {"includeCost": "true"}, "invalidIncludeCost"),
    (FLARE, {"deliveryMethod": "stream"}, "invalidDeliveryMethod"),
    (FLARE, {"ttl": 59}, "invalidTtl"),
    (FLARE, {"ttl": 60, "outputType": "dataURI"}, "unsupportedTtl"),
    (FLARE, {"webhookURL": "nowhere"}, "invalidWebhookURL"),
    (FLARE, {"uploadEndpoint": 1}, "invalidUploadEndpoint"),
    (FLARE, {"safety": {"mode": "full"}}, "invalidMode"),
    (FLARE, {"safety": {"checkContent": 1}}, "invalidCheckContent"),
    (FLARE, {"safety": {"level": 1}}, "unknownParameter"),
    (FLARE, {"steps": 20}, "unknownParameter"),
    (FLARE, {"referenceImages": [PNG_URI]}, "unknownParameter"),
    (FLARE, {"settings": {"input_fidelity": "high"}}, "unknownParameter"),
    (FLARE, {"settings": "low"}, "invalidSettings"),
    (FLARE, {"settings": {"quality": "best"}}, "invalidQuality"),
    (TWO, {"settings": {"quality": "xhigh"}}, "invalidQuality"),
    (TWO, {"settings": {"background": "transparent"}, "outputFormat": "PNG"}, "invalidBackground"),
    (FLARE, {"settings": {"background": "transparent"}}, "unsupportedBackground"),
    (FLARE, {"settings": {"moderation": "none"}}, "invalidModeration"),
    (FLARE, openai(quality="low"), "unsupportedParameter"),
    (ONE, openai(quality="max"), "invalidQuality"),
    (ONE, openai(moderation="low"), "unsupportedParameter"),
    (ONE, openai(background="transparent"), "unsupportedBackground"),
    (ONE, {"providerSettings": {"bfl": {}}}, "unknownParameter"),
    (ONE, openai(quality="low") | {"settings": {"quality": "low"}}, "invalidSettings"),
    (FLARE, {"inputs": {"mask": PNG_URI}}, "unsupportedParameter"),
    (FLARE, {"inputs": {"image": PNG_URI}}, "unknownParameter"),
    (FLARE, images(), "invalidReferenceImages"),
    (FLARE, images(*[PNG_URI] * 17), "invalidReferenceImages"),
    (FLARE, images(7), "invalidReferenceImages"),
    (FLARE, images(PNG_URI.replace("png", "jpeg")), "invalidReferenceImages"),
    (FLARE, images(PNG64[:-1]), "invalidReferenceImages"),
    (FLARE, images(PNG64[:60] + "\n" + PNG64[60:]), "invalidReferenceImages"),
    (FLARE, images(base64.b64encode(PNG_DATA[:-40]).decode()), "invalidReferenceImages"),
    (FLARE, images("http://example.com/a.png"), "invalidReferenceImages"),
    (FLARE, images(str(uuid4())), "invalidReferenceImages"),
]


@pytest.mark.parametrize(("model", "fields", "codes"), BAD)
def test_what_is_refused(fake: FakeRunware, call: Caller, model: str, fields: dict[str, object], codes: str) -> None:
    reply = call.create(model, **fields)
    assert reply.status_code == 400
    errors = reply.json()["errors"]
    assert [error["code"] for error in errors] == codes.split()
    assert all(error["message"] and error["parameter"] for error in errors)
    assert {error["taskType"] for error in errors} == {"imageInference"}
    assert len(fake.violations) == len(errors)
    assert (fake.posts, fake.creates, fake.served) == (1, 0, [])


def test_refusals_name_the_parameter(call: Caller) -> None:
    sent = task(width=1000, height=1000, settings={"tone": 1, "quality": "best"})
    unknown, quality, size = call.send(sent).json()["errors"]
    assert (unknown["parameter"], quality["parameter"]) == ("settings.tone", "settings.quality")
    assert "xhigh" in quality["allowedValues"]
    assert size["parameter"] == ["width", "height"]
    assert size["taskUUID"] == sent["taskUUID"]
