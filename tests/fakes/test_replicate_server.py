"""The fake of Replicate answers in the documented shapes and fails as asked."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.fakes import replicate_server
from tests.fakes.faults import CutBody, CutHeaders, Fault, Hang, Reset, Slow
from tests.fakes.http_fake import RawReply, wait_until
from tests.fakes.job_faults import GoneAfterwards, NeverEnds, PollBreaks
from tests.fakes.replicate_asking import FLARE, FOX, KEY, MINI, TWO, create, polled, statuses
from tests.fakes.replicate_server import FakeReplicate


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        yield server


def test_fixture_r1_and_r2(fake: FakeReplicate, client: httpx.Client) -> None:
    asked = {"aspect_ratio": "3:2", "quality": "low", "number_of_images": 2}
    made = create(client, MINI, prefer="wait=5", openai_api_key=KEY, **asked)
    first = made.json()
    address = f"{fake.origin}/v1/predictions/{first['id']}"
    shown = {"prompt": FOX, "output_format": "png", "openai_api_key": "[REDACTED]", **asked}
    assert made.status_code == 201
    assert first == {
        "id": first["id"],
        "model": "openai/gpt-image-1-mini",
        "version": "5bdbb6c220da",
        "status": "starting",
        "input": shown,
        "output": None,
        "error": None,
        "logs": "",
        "created_at": first["created_at"],
        "started_at": None,
        "completed_at": None,
        "data_removed": False,
        "metrics": {},
        "urls": {"get": address, "cancel": f"{address}/cancel", "web": f"https://replicate.com/p/{first['id']}"},
    }
    *waiting, last = polled(client, made)
    assert [answer["status"] for answer in waiting] == ["starting", "processing"]
    assert (last["status"], last["input"], last["metrics"]["image_count"]) == ("succeeded", shown, 2)
    assert last["logs"].endswith(
        "Generated 2 images\nInput text token count: 9\nInput image token count: 0\nOutput token count: 800\n"
    )
    assert [httpx.get(url, trust_env=False, verify=False).content for url in last["output"]] == fake.served
    assert fake.violations == []
    assert fake.jobs[first["id"]].polls == 3
    assert (fake.creates, fake.posts) == (1, 1)


@pytest.mark.parametrize(
    ("asked", "size", "image_format"),
    [
        ({}, (1024, 1024), "PNG"),
        ({"aspect_ratio": "2:3", "output_format": "jpeg"}, (1024, 1536), "JPEG"),
        ({"aspect_ratio": "auto", "quality": "max"}, (1024, 1024), "PNG"),
        ({"aspect_ratio": "3:2", "output_format": "webp"}, (1536, 1024), "WEBP"),
    ],
)
def test_what_was_asked_is_drawn(
    fake: FakeReplicate, client: httpx.Client, asked: dict[str, Any], size: tuple[int, int], image_format: str
) -> None:
    polled(client, create(client, **asked))
    with Image.open(io.BytesIO(fake.served[0])) as shown:
        assert (shown.size, shown.format) == (size, image_format)
    assert fake.violations == []


def test_transparency_and_the_default_format(fake: FakeReplicate, client: httpx.Client) -> None:
    polled(client, create(client, background="transparent"))
    polled(client, client.post(f"/v1/models/openai/{TWO}/predictions", json={"input": {"prompt": FOX}}))
    with Image.open(io.BytesIO(fake.served[0])) as clear, Image.open(io.BytesIO(fake.served[1])) as plain:
        assert (clear.mode, plain.format) == ("RGBA", "WEBP")


def test_logs_may_hold_no_tokens(fake: FakeReplicate, client: httpx.Client) -> None:
    fake.logs_with_tokens = False
    assert "token" not in polled(client, create(client))[-1]["logs"]


@pytest.mark.parametrize(("prefer", "status"), [("wait", "succeeded"), ("wait=60", "succeeded"), (None, "starting")])
def test_a_create_ends_at_once_only_when_asked_to_wait(
    fake: FakeReplicate, client: httpx.Client, prefer: str | None, status: str
) -> None:
    fake.polls = 0
    made = create(client, prefer=prefer)
    assert (made.status_code, made.json()["status"]) == (201, status)
    assert statuses(client, made) == ["succeeded"]
    assert len(fake.served) == 1
    assert fake.violations == []


ROUTES = [
    ("POST", f"/v1/models/openai/{FLARE}/predictions"),
    ("GET", "/v1/predictions/x"),
    ("POST", "/v1/predictions/x/cancel"),
    ("GET", "/v1/predictions"),
    ("POST", "/v1/files"),
    ("GET", "/v1/account"),
]


@pytest.mark.parametrize("header", ["", "Bearer r8_wrong", "Token r8_test0123456789", "bearer r8_test0123456789"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_needs_the_key(
    fake: FakeReplicate, client: httpx.Client, method: str, path: str, header: str
) -> None:
    reply = client.request(method, path, headers={"Authorization": header})
    assert (reply.status_code, reply.json()) == (401, replicate_server.UNAUTHENTICATED.body)
    assert (fake.violations, fake.jobs) == ([], {})
    fake.violate_wrong_key = True
    client.request(method, path, headers={"Authorization": header})
    assert len(fake.violations) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/models/openai/gpt-image-9/predictions"),
        ("GET", f"/v1/models/openai/{FLARE}/predictions"),
        ("POST", "/v1/predictions"),
        ("DELETE", "/v1/predictions/x"),
        ("GET", "/v1/predictions/x/cancel"),
        ("GET", "/account"),
    ],
)
def test_other_routes_are_not_found(fake: FakeReplicate, client: httpx.Client, method: str, path: str) -> None:
    reply = client.request(method, path)
    assert (reply.status_code, reply.json()) == (404, replicate_server.NOT_FOUND.body)
    assert len(fake.violations) == 1


def test_an_unknown_prediction_is_no_violation(fake: FakeReplicate, client: httpx.Client) -> None:
    assert client.get("/v1/predictions/x").status_code == 404
    assert client.post("/v1/predictions/x/cancel").status_code == 404
    assert (fake.violations, fake.cancels) == ([], 0)


def test_account_and_list(fake: FakeReplicate, client: httpx.Client) -> None:
    assert set(client.get("/v1/account").json()) == {"type", "username", "name", "github_url"}
    ids = [create(client, MINI, prompt=f"fox {n}", openai_api_key=KEY).json()["id"] for n in range(3)]
    listed = client.get("/v1/predictions").json()
    assert (listed["next"], listed["previous"]) == (None, None)
    assert [found["id"] for found in listed["results"]] == ids[::-1]
    assert all(found["input"]["openai_api_key"] == "[REDACTED]" for found in listed["results"])
    assert fake.violations == []


def test_fixture_r4_cancel(fake: FakeReplicate, client: httpx.Client) -> None:
    made = create(client).json()
    client.get(made["urls"]["get"])
    reply = client.post(made["urls"]["cancel"])
    assert (reply.status_code, reply.json()["status"], reply.json()["output"]) == (200, "canceled", None)
    assert client.get(made["urls"]["get"]).json()["status"] == "canceled"
    assert (fake.cancels, fake.jobs[made["id"]].cancelled, fake.served) == (1, True, [])
    assert fake.violations == []
    client.post(made["urls"]["cancel"], json={})
    assert len(fake.violations) == 1


def test_a_cancel_after_the_end_changes_nothing(fake: FakeReplicate, client: httpx.Client) -> None:
    last = polled(client, create(client))[-1]
    assert client.post(last["urls"]["cancel"]).json() == last
    assert (fake.cancels, fake.jobs[last["id"]].cancelled) == (1, False)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (replicate_server.JobFails(replicate_server.BLOCKED_TEXT), ["starting", "processing", "failed"]),
        (replicate_server.JobFails(replicate_server.SENSITIVE_TEXT, after_polls=0), ["failed"]),
        (replicate_server.Aborted(), ["starting", "starting", "aborted"]),
        (replicate_server.OutputMissing(), ["starting", "processing", "succeeded"]),
    ],
)
def test_predictions_that_bring_nothing(
    fake: FakeReplicate, client: httpx.Client, fault: Fault, expected: list[str]
) -> None:
    fake.next(fault)
    seen = polled(client, create(client))
    assert [answer["status"] for answer in seen] == expected
    assert seen[-1]["output"] is None
    assert seen[-1]["error"] == getattr(fault, "error", None)
    assert (fake.served, fake.creates, fake.violations) == ([], 1, [])


def test_a_prediction_that_never_ends(fake: FakeReplicate, client: httpx.Client) -> None:
    fake.polls = 0
    fake.next(NeverEnds())
    made = create(client, prefer="wait").json()
    assert {client.get(made["urls"]["get"]).json()["status"] for _ in range(9)} == {"processing"}
    assert client.post(made["urls"]["cancel"]).json()["status"] == "canceled"


@pytest.mark.parametrize("status", [429, 500, 502])
def test_polls_that_break(fake: FakeReplicate, client: httpx.Client, status: Any) -> None:
    fake.next(PollBreaks(2, status))
    made = create(client)
    broken = [client.get(made.json()["urls"]["get"]) for _ in range(2)]
    assert [reply.status_code for reply in broken] == [status, status]
    assert broken[0].headers.get("retry-after") == ("1" if status == 429 else None)
    assert statuses(client, made) == ["starting", "processing", "succeeded"]
    assert fake.jobs[made.json()["id"]].polls == 5


@pytest.mark.parametrize("polls", [0, 2])
def test_output_before_the_end(fake: FakeReplicate, client: httpx.Client, polls: int) -> None:
    fake.polls = polls
    fake.next(replicate_server.ProcessingWithOutput())
    *_, early, last = polled(client, create(client))
    assert (early["status"], last["status"]) == ("processing", "succeeded")
    assert early["output"] == last["output"]
    assert len(fake.served) == 1


def test_result_files_that_are_gone(fake: FakeReplicate, client: httpx.Client) -> None:
    fake.next(GoneAfterwards())
    last = polled(client, create(client))[-1]
    assert httpx.get(last["output"][0], trust_env=False, verify=False).status_code == 404
    assert fake.violations == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (replicate_server.NO_CREDIT, 402),
        (replicate_server.NOT_FOUND, 404),
        (replicate_server.PROMPT_MISSING, 422),
        (replicate_server.LOW_CREDIT, 429),
        (replicate_server.THROTTLED, 429),
        (replicate_server.SERVER_ERROR, 500),
    ],
)
def test_documented_errors(fake: FakeReplicate, client: httpx.Client, fault: RawReply, status: int) -> None:
    fake.next(fault)
    reply = create(client)
    assert (reply.status_code, reply.json(), reply.json()["status"]) == (status, fault.body, status)
    assert reply.headers.get("retry-after") == ("1" if fault is replicate_server.THROTTLED else None)
    assert reply.json().get("retry_after") == (5 if fault is replicate_server.LOW_CREDIT else None)
    assert fake.creates == 0
    assert create(client).status_code == 201


@pytest.mark.parametrize("fault", [Hang(), Reset(), CutHeaders(), CutBody(), Slow(5)])
def test_a_lost_answer_leaves_a_prediction_behind(fake: FakeReplicate, client: httpx.Client, fault: Fault) -> None:
    fake.next(fault)
    with pytest.raises(httpx.TransportError):
        client.post(f"/v1/models/openai/{FLARE}/predictions", json={"input": {"prompt": FOX}}, timeout=0.2)
    wait_until(lambda: fake.creates == 1)
    (found,) = client.get("/v1/predictions").json()["results"]
    assert found["input"] == {"prompt": FOX}
    assert polled(client, httpx.Response(201, json=found))[-1]["status"] == "succeeded"
    assert fake.violations == []


@pytest.mark.parametrize("fault", [Hang(unread=True), Reset(after_body=False)])
def test_a_request_that_was_never_read_makes_nothing(fake: FakeReplicate, client: httpx.Client, fault: Fault) -> None:
    fake.next(fault)
    with pytest.raises(httpx.TransportError):
        client.post(f"/v1/models/openai/{FLARE}/predictions", json={"input": {"prompt": FOX}}, timeout=0.2)
    assert (fake.posts, fake.creates) == (1, 0)


def test_low_credit_allows_one_open_prediction(fake: FakeReplicate, client: httpx.Client) -> None:
    fake.low_credit = True
    made = create(client)
    refused = create(client)
    assert (refused.status_code, refused.json()["retry_after"]) == (429, 1)
    assert "less than $5.0 in credit" in refused.json()["detail"]
    polled(client, made)
    assert create(client).status_code == 201
    assert (fake.throttled, fake.creates, fake.posts, fake.violations) == (1, 2, 3, [])
    for job in fake.jobs.values():
        job.made_at -= 10
    assert create(client).status_code == 201, "the window has passed"


def test_creates_at_once_are_all_counted(fake: FakeReplicate, client: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: polled(client, create(client)), range(16)))
    assert fake.creates == len(fake.jobs) == len(fake.served) == len(set(fake.served)) == 16
    assert fake.violations == []
