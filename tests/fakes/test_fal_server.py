"""The fake of fal's queue: what it gives a client that keeps the rules, and that it sees every broken one."""

import base64
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.fakes import fal_faults as fates
from tests.fakes import faults
from tests.fakes.fal_asking import FLARE, TWO, TWO_EDIT, anonymous, finish, good, submit
from tests.fakes.fal_server import FakeFal
from tests.fakes.http_fake import RawReply
from tests.fakes.job_faults import GoneAfterwards, NeverEnds, PollBreaks
from tests.fakes.pictures import picture

CLOSED = (httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError)


@pytest.fixture
def fal() -> Iterator[FakeFal]:
    with FakeFal() as server:
        yield server


@pytest.fixture
def client(fal: FakeFal) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=fal.base_url, headers={"Authorization": f"Key {fal.key}"}, timeout=3, trust_env=False, verify=False
    ) as plain:
        yield plain


def test_a_job_from_submit_to_file(fal: FakeFal, client: httpx.Client) -> None:
    body = good(TWO, image_size={"width": 1536, "height": 1024}, num_images=1, output_format="png")
    reply = client.post(f"/{TWO}", json=body)
    queued = reply.json()
    request_id = queued["request_id"]
    assert reply.headers["x-fal-request-id"] == request_id
    below = f"{fal.origin}/q/openai/gpt-image-2/requests/{request_id}"
    assert queued == {
        "status": "IN_QUEUE",
        "request_id": request_id,
        "response_url": below,
        "status_url": f"{below}/status",
        "cancel_url": f"{below}/cancel",
        "queue_position": 0,
    }
    early = client.get(below)
    assert (early.status_code, early.json()) == (400, {"detail": "Request is still in progress"})
    polls = [client.get(queued["status_url"], params={"logs": "1"}) for _ in range(3)]
    assert [poll.status_code for poll in polls] == [202, 202, 200]
    assert polls[0].json() == {"status": "IN_QUEUE", "request_id": request_id, "queue_position": 1}
    assert (polls[1].json()["status"], len(polls[1].json()["logs"])) == ("IN_PROGRESS", 1)
    assert polls[2].json() == {"status": "COMPLETED", "logs": [], "metrics": {"inference_time": 14.2}}
    result = client.get(queued["response_url"])
    (image,) = result.json()["images"]
    assert client.get(queued["response_url"]).json() == result.json()
    assert anonymous(client, image["url"]).content == fal.served[0]
    assert {name: image[name] for name in ("content_type", "file_size", "width", "height")} == {
        "content_type": "image/png",
        "file_size": len(fal.served[0]),
        "width": 1536,
        "height": 1024,
    }
    assert image["file_name"].endswith(".png")
    assert fal.violations == []
    job = fal.jobs[request_id]
    assert (job.endpoint, job.body, job.status, job.polls, job.cancelled) == (TWO, body, "COMPLETED", 3, False)
    assert (fal.posts, fal.creates, len(fal.served)) == (1, 1, 1)


@pytest.mark.parametrize("polls", [0, 1, 5])
def test_the_number_of_polls_is_set(fal: FakeFal, client: httpx.Client, polls: int) -> None:
    fal.polls = polls
    queued = submit(client)
    finish(client, queued)
    assert fal.jobs[queued["request_id"]].polls == polls + 1
    assert fal.violations == []


def test_sync_mode_gives_data_uris(fal: FakeFal, client: httpx.Client) -> None:
    (image,) = finish(client, submit(client, FLARE, sync_mode=True, quality="max")).json()["images"]
    assert base64.b64decode(image["url"].removeprefix("data:image/png;base64,"), validate=True) == fal.served[0]
    assert (fal.media, fal.violations) == ({}, [])


@pytest.mark.parametrize(
    ("sent", "noted"),
    [("Key other:key", 0), (None, 1), ("Bearer fal-id-0123:fal-secret-4567", 1), ("fal-id-0123:fal-secret-4567", 1)],
)
def test_the_key_is_asked_for_everywhere(fal: FakeFal, client: httpx.Client, sent: str | None, noted: int) -> None:
    queued = submit(client)
    del client.headers["Authorization"]
    headers = {"Authorization": sent} if sent else {}
    replies = [
        client.post(f"/{TWO}", json=good(TWO), headers=headers),
        client.get(queued["status_url"], headers=headers),
        client.get(queued["response_url"], headers=headers),
        client.put(queued["cancel_url"], headers=headers),
        client.post(f"{fal.rest_url}/storage/auth/token?storage_type=fal-cdn-v3", json={}, headers=headers),
    ]
    for reply in replies:
        assert reply.status_code == 401
        assert reply.json() == {"detail": "Authentication is required to access this application"}
    assert len(fal.violations) == noted * len(replies)
    assert fal.creates == 1


def test_only_documented_addresses(fal: FakeFal, client: httpx.Client) -> None:
    queued = submit(client)
    own = f"/openai/gpt-image-2/requests/{queued['request_id']}"
    tried = [
        ("POST", "/openai/gpt-image-2.6-flare"),
        ("POST", f"/{TWO}/"),
        ("GET", f"/{TWO}"),
        ("GET", own),
        ("GET", f"{own}/status"),
        ("GET", queued["status_url"] + "/stream"),
        ("POST", queued["cancel_url"]),
        ("GET", "/rest/"),
        ("GET", "/rest/storage/auth/token?storage_type=fal-cdn-v3"),
        ("GET", "/"),
    ]
    for method, path in tried:
        assert client.request(method, path).status_code == 404, path
    assert len(fal.violations) == len(tried)


def test_headers_and_queries(fal: FakeFal, client: httpx.Client) -> None:
    allowed = {
        "x-fal-no-retry": "1",
        "X-Fal-Request-Timeout": "120.5",
        "X-Fal-Store-IO": "0",
        "X-Fal-Object-Lifecycle-Preference": '{"expiration_duration_seconds": 3600}',
        "X-Fal-Queue-Priority": "low",
    }
    assert client.post(f"/{TWO}", json=good(TWO), headers=allowed).status_code == 200
    assert fal.violations == []
    (job,) = fal.jobs.values()
    assert job.headers["x-fal-store-io"] == "0"
    wrong = {
        "X-Fal-No-Retry": "true",
        "X-Fal-Request-Timeout": "soon",
        "X-Fal-Store-IO": "no",
        "X-Fal-Object-Lifecycle-Preference": "3600",
        "X-Fal-Queue-Priority": "high",
        "X-Fal-File-Name": "fox.png",
        "X-Fal-Anything": "1",
        "X-Own": fal.key,
    }
    for name, value in wrong.items():
        client.post(f"/{TWO}", json=good(TWO), headers={name: value})
        assert len(fal.violations) == 1, name
        fal.violations.clear()
    queued = submit(client)
    client.get(queued["status_url"], params={"logs": "yes"})
    client.get(queued["response_url"], params={"logs": "1"})
    client.request("GET", queued["status_url"], content=b"x")
    client.post(f"/{TWO}", params={"fal_webhook": "https://example.com"}, json=good(TWO))
    assert len(fal.violations) == 4


def test_the_key_goes_to_no_result_file(fal: FakeFal, client: httpx.Client) -> None:
    (image,) = finish(client, submit(client)).json()["images"]
    assert client.get(image["url"]).content == fal.served[0]
    assert len(fal.violations) == 1


def upload(fal: FakeFal, client: httpx.Client, data: bytes, **headers: str) -> httpx.Response:
    reply = client.post(f"{fal.rest_url}/storage/auth/token", params={"storage_type": "fal-cdn-v3"}, json={})
    given = reply.json()
    assert set(given) == {"token", "token_type", "base_url", "expires_at"}
    sent = {
        "Authorization": f"{given['token_type']} {given['token']}",
        "Content-Type": "image/png",
        "X-Fal-File-Name": "fox.png",
        **headers,
    }
    return client.post(f"{given['base_url']}/files/upload", content=data, headers=sent)


def test_an_uploaded_file_can_be_edited(fal: FakeFal, client: httpx.Client) -> None:
    data, mask = (picture((64, 48), "png", number=n, alpha=n == 2) for n in (1, 2))
    url, mask_url = (upload(fal, client, one).json()["access_url"] for one in (data, mask))
    assert anonymous(client, url).content == data
    submit(client, TWO_EDIT, image_urls=[url], mask_url=mask_url)
    assert (fal.posts, fal.violations) == (1, [])
    assert [(one.data, one.content_type, one.file_name, one.url) for one in fal.uploads] == [
        (data, "image/png", "fox.png", url),
        (mask, "image/png", "fox.png", mask_url),
    ]
    reply = client.post(f"/{TWO_EDIT}", json=good(TWO_EDIT, image_urls=[url + "x"]))
    assert reply.json()["detail"][0]["type"] == "file_download_error"


def test_uploads_are_judged(fal: FakeFal, client: httpx.Client) -> None:
    data = picture((64, 48), "png", number=1)
    cases: list[tuple[bytes, dict[str, str], int]] = [
        (data, {"Authorization": f"Key {fal.key}"}, 401),
        (data, {"Authorization": f"Bearer {fal.key}"}, 401),
        (data, {"Authorization": "Bearer made-up"}, 401),
        (data, {"Content-Type": "image/jpeg"}, 400),
        (data, {"X-Fal-File-Name": ""}, 400),
        (data[:100], {}, 400),
    ]
    for content, headers, status in cases:
        assert upload(fal, client, content, **headers).status_code == status
        assert len(fal.violations) == 1, headers
        fal.violations.clear()
    client.post(f"{fal.rest_url}/storage/auth/token", json={})
    assert (len(fal.violations), fal.uploads) == (1, [])


def test_cancel(fal: FakeFal, client: httpx.Client) -> None:
    queued = submit(client)
    reply = client.put(queued["cancel_url"])
    assert (reply.status_code, reply.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
    state = client.get(queued["status_url"]).json()
    assert (state["status"], state["error_type"]) == ("COMPLETED", "client_cancelled")
    result = client.get(queued["response_url"])
    assert (result.status_code, result.headers["x-fal-error-type"]) == (499, "client_cancelled")
    assert fal.jobs[queued["request_id"]].cancelled
    done = submit(client)
    finish(client, done)
    reply = client.put(done["cancel_url"])
    assert (reply.status_code, reply.json()) == (400, {"status": "ALREADY_COMPLETED"})
    assert not fal.jobs[done["request_id"]].cancelled
    assert fal.cancels == [queued["request_id"], done["request_id"]]
    assert fal.violations == []


@pytest.mark.parametrize(
    ("fault", "header"),
    [
        (fates.BLOCKED, ("x-fal-retryable", "false")),
        (fates.BAD_VALUE, None),
        (fates.TIMED_OUT, ("x-fal-error-type", "request_timeout")),
        (fates.RUNNER, ("x-fal-error-type", "internal_error")),
    ],
)
def test_results_that_fail(
    fal: FakeFal, client: httpx.Client, fault: fates.ResultFails, header: tuple[str, str] | None
) -> None:
    fal.next(fault)
    queued = submit(client)
    result = finish(client, queued)
    assert (result.status_code, result.json()) == (fault.status, fault.body)
    assert header is None or result.headers[header[0]] == header[1]
    assert result.headers["x-fal-request-id"] == queued["request_id"]
    assert (fal.creates, fal.served, fal.violations) == (1, [], [])
    assert finish(client, submit(client)).status_code == 200


def test_the_other_fates_of_a_job(fal: FakeFal, client: httpx.Client) -> None:
    fal.next(
        fates.CompletedWithError("It broke."),
        fates.NoImages(),
        fates.NullSizes(),
        GoneAfterwards(),
        faults.Slow(0),
    )
    queued = submit(client)
    failed = finish(client, queued)
    state = client.get(queued["status_url"]).json()
    assert (state["error"], state["error_type"]) == ("It broke.", "runner_server_error")
    assert failed.status_code == 500
    assert failed.json() == {"detail": "It broke.", "error_type": "runner_server_error"}
    assert finish(client, submit(client)).json() == {"images": []}
    (image,) = finish(client, submit(client)).json()["images"]
    assert (image["width"], image["height"], image["file_size"]) == (None, None, None)
    (image,) = finish(client, submit(client)).json()["images"]
    assert anonymous(client, image["url"]).status_code == 404
    assert finish(client, submit(client)).status_code == 200
    assert fal.violations == []


def test_a_job_that_never_ends_can_be_cancelled(fal: FakeFal, client: httpx.Client) -> None:
    fal.next(NeverEnds())
    queued = submit(client)
    states = [client.get(queued["status_url"]).json()["status"] for _ in range(20)]
    assert states == ["IN_QUEUE"] + ["IN_PROGRESS"] * 19
    assert client.get(queued["response_url"]).status_code == 400
    assert client.put(queued["cancel_url"]).status_code == 202
    assert finish(client, queued).status_code == 499


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_polls_that_break(fal: FakeFal, client: httpx.Client, status: int) -> None:
    fal.next(PollBreaks(2, status))
    queued = submit(client)
    statuses = [client.get(queued["status_url"]).status_code for _ in range(5)]
    assert statuses == [status, status, 202, 202, 200]
    assert client.get(queued["response_url"]).status_code == 200
    assert (fal.jobs[queued["request_id"]].polls, fal.violations) == (5, [])


@pytest.mark.parametrize(
    ("reply", "status", "words"),
    [
        (fates.UNAUTHORIZED, 401, "Authentication is required"),
        (fates.EXHAUSTED, 403, "Exhausted balance"),
        (fates.FORBIDDEN, 403, "detail"),
        (fates.NOT_FOUND, 404, "detail"),
        (fates.RATE_LIMITED, 429, "detail"),
        (fates.SERVER_ERROR, 500, "internal_error"),
        (fates.UNAVAILABLE, 503, "runner_scheduling_failure"),
        (fates.INGRESS, 502, "nginx"),
    ],
)
def test_submits_that_are_refused(fal: FakeFal, client: httpx.Client, reply: RawReply, status: int, words: str) -> None:
    fal.next(reply)
    answer = client.post(f"/{TWO}", json=good(TWO))
    assert answer.status_code == status
    assert words in answer.text
    assert (reply is fates.INGRESS) == (answer.headers["content-type"] == "text/html")
    assert (fal.posts, fal.creates, fal.jobs, fal.violations) == (1, 0, {}, [])
    assert not re.search("exhausted", str(fates.FORBIDDEN.body), re.IGNORECASE)


@pytest.mark.parametrize(
    ("fault", "ran"),
    [
        (faults.Hang(), 1),
        (faults.Hang(unread=True), 0),
        (faults.Reset(after_body=True), 1),
        (faults.Reset(after_body=False), 0),
        (faults.CutHeaders(), 1),
        (faults.CutBody(), 1),
    ],
)
def test_a_lost_answer_may_have_run(fal: FakeFal, client: httpx.Client, fault: faults.Fault, ran: int) -> None:
    fal.next(fault)
    with pytest.raises(CLOSED):
        client.post(f"/{TWO}", json=good(TWO), timeout=0.3)
    assert (fal.posts, fal.creates, len(fal.jobs), fal.violations) == (1, ran, ran, [])


def test_a_fault_it_does_not_know_fails_the_test(fal: FakeFal, client: httpx.Client) -> None:
    fal.next(faults.Gzip())
    assert client.post(f"/{TWO}", json=good(TWO)).status_code == 500
    assert "not a fault" in fal.violations[0]


def test_the_list_of_past_requests(fal: FakeFal, client: httpx.Client) -> None:
    place = f"{fal.platform_url}/models/requests/by-endpoint"
    first, second = submit(client), submit(client, quality="medium")
    submit(client, TWO_EDIT)
    finish(client, first)
    bare = client.get(place, params={"endpoint_id": TWO}).json()
    assert [item["request_id"] for item in bare["items"]] == [first["request_id"], second["request_id"]]
    assert all("json_input" not in item for item in bare["items"])
    assert ["ended_at" in item for item in bare["items"]] == [True, False]
    assert (bare["next_cursor"], bare["has_more"]) == (None, False)
    paged = {"endpoint_id": TWO, "expand": "payloads", "limit": "1", "start": "2020-01-01T00:00:00Z"}
    page = client.get(place, params=paged).json()
    assert (page["has_more"], page["items"][0]["json_input"]["quality"]) == (True, "low")
    after = client.get(place, params=paged | {"cursor": page["next_cursor"]}).json()
    assert [item["request_id"] for item in after["items"]] == [second["request_id"]]
    assert client.get(place, params=paged | {"start": "2999-01-01"}).json()["items"] == []
    known = client.get(f"/{TWO}/requests/{first['request_id']}")
    assert known.json() == client.get(first["response_url"]).json()
    assert fal.violations == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"endpoint_id": "openai/none"},
        {"endpoint_id": TWO, "since": "2026-01-01"},
        {"endpoint_id": TWO, "start": "yesterday"},
        {"endpoint_id": TWO, "limit": "101"},
        {"endpoint_id": TWO, "expand": "everything"},
        {"endpoint_id": TWO, "sort_by": "sent_at"},
        {"endpoint_id": TWO, "cursor": "%%"},
    ],
)
def test_the_list_refuses_what_its_documentation_does_not_name(
    fal: FakeFal, client: httpx.Client, query: dict[str, str]
) -> None:
    client.get(f"{fal.platform_url}/models/requests/by-endpoint", params=query)
    assert len(fal.violations) == 1
    fal.violations.clear()
