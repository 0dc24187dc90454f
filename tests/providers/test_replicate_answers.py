"""What Replicate answers: the reference's fixtures, figures in the log, and answers that cannot be read."""

from __future__ import annotations

import pytest

from providers.adapter import PollPace
from providers.errors import MalformedReply
from providers.pricing import cost_of
from providers.types import (
    GeneratedImage,
    ImageResult,
    Pending,
    RemoteImage,
)
from tests.providers.replicate_world import (
    ADAPTER,
    CATALOG,
    ID,
    JOB,
    LOGS,
    R1,
    R2,
    URLS,
    failed,
    reply,
)


def test_the_second_fixture_costs_what_the_reference_says() -> None:
    result = ADAPTER.parse_poll(reply(R2), JOB)
    assert isinstance(result, ImageResult)
    assert cost_of(result.answered.usage, CATALOG.offer("replicate/gpt-image-1-mini").price, images=2) == 8418


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
