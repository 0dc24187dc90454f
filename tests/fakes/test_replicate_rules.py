"""The fake of Replicate refuses, or at least notes, every flaw of a request."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fakes import replicate_rules, replicate_server
from tests.fakes.pictures import picture
from tests.fakes.replicate_asking import FIFTEEN, FLARE, FOX, KEY, MINI, PNG, TWO, create, data_uri, noisy_png, polled
from tests.fakes.replicate_server import FakeReplicate


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        yield server


@pytest.mark.parametrize("prefer", ["wait=0", "wait=61", "wait=5s", "respond-async", "wait = 5"])
def test_a_wrong_prefer_is_a_violation(fake: FakeReplicate, client: httpx.Client, prefer: str) -> None:
    assert create(client, prefer=prefer).status_code == 201
    assert len(fake.violations) == 1


@pytest.mark.parametrize(
    ("model", "changes", "kind", "place"),
    [
        (FLARE, {"size": "1024x1024"}, "additional_property_not_allowed", "input.size"),
        (FLARE, {"input_fidelity": "low"}, "additional_property_not_allowed", "input.input_fidelity"),
        (TWO, {"input_fidelity": "low"}, "additional_property_not_allowed", "input.input_fidelity"),
        (TWO, {"number_of_images": 2}, "number_lte", "input.number_of_images"),
        (TWO, {"background": "transparent"}, "enum", "input.background"),
        (TWO, {"quality": "max"}, "enum", "input.quality"),
        (TWO, {"aspect_ratio": "auto"}, "enum", "input.aspect_ratio"),
        (FIFTEEN, {"input_fidelity": "medium"}, "enum", "input.input_fidelity"),
        (FIFTEEN, {"number_of_images": 11}, "number_lte", "input.number_of_images"),
        (FLARE, {"number_of_images": 0}, "number_gte", "input.number_of_images"),
        (FLARE, {"number_of_images": "1"}, "invalid_type", "input.number_of_images"),
        (FLARE, {"number_of_images": True}, "invalid_type", "input.number_of_images"),
        (FLARE, {"output_compression": 101}, "number_lte", "input.output_compression"),
        (FLARE, {"output_format": "jpg"}, "enum", "input.output_format"),
        (FLARE, {"output_format": "jpeg", "background": "transparent"}, "enum", "input.background"),
        (FLARE, {"moderation": None}, "enum", "input.moderation"),
        (FLARE, {"user_id": 7}, "invalid_type", "input.user_id"),
        (FLARE, {"prompt": ["A fox"]}, "invalid_type", "input.prompt"),
        (MINI, {}, "required", "input"),
        ("gpt-image-1", {}, "required", "input"),
        (FLARE, {"input_images": data_uri(PNG)}, "invalid_type", "input.input_images"),
        (FLARE, {"input_images": [7]}, "invalid_type", "input.input_images.0"),
        (FLARE, {"input_images": ["fox.png"]}, "format", "input.input_images.0"),
        (FLARE, {"input_images": [data_uri(PNG, "image/jpeg")]}, "format", "input.input_images.0"),
        (FLARE, {"input_images": [data_uri(PNG[:-40])]}, "format", "input.input_images.0"),
        (FLARE, {"input_images": [data_uri(PNG) + "\n"]}, "format", "input.input_images.0"),
        (FLARE, {"input_images": [data_uri(PNG).rstrip("=")[:-1]]}, "format", "input.input_images.0"),
        (FLARE, {"input_images": [data_uri(b"<html></html>")]}, "format", "input.input_images.0"),
    ],
)
def test_a_wrong_input_is_refused_and_a_violation(
    fake: FakeReplicate, client: httpx.Client, model: str, changes: dict[str, Any], kind: str, place: str
) -> None:
    reply = create(client, model, **changes)
    assert reply.status_code == 422
    assert [(found["type"], found["field"]) for found in reply.json()["invalid_fields"]] == [(kind, place)]
    assert len(fake.violations) == 1
    assert (fake.creates, fake.posts, fake.jobs) == (0, 1, {})


def test_refusals_have_the_form_of_the_fixtures(fake: FakeReplicate, client: httpx.Client) -> None:
    bare = client.post(f"/v1/models/openai/{FLARE}/predictions", json={"input": {}})
    assert bare.json() == replicate_server.PROMPT_MISSING.body
    assert create(client, FIFTEEN, aspect_ratio="16:9").json() == replicate_server.BAD_ASPECT.body
    empty = client.post(f"/v1/models/openai/{FLARE}/predictions", json={})
    assert empty.json()["detail"] == "- input is required\n"
    both = create(client, FIFTEEN, aspect_ratio="16:9", seed=1).json()
    assert len(both["invalid_fields"]) == both["detail"].count("\n") == 2


def test_optional_and_required_keys(fake: FakeReplicate, client: httpx.Client) -> None:
    for model in ("gpt-image-1", MINI, FIFTEEN, TWO, FLARE):
        assert create(client, model, openai_api_key=KEY).json()["input"]["openai_api_key"] == "[REDACTED]"
    assert all(create(client, model).status_code == 201 for model in (FIFTEEN, TWO, FLARE))
    assert fake.violations == []
    assert KEY not in repr(fake.jobs)


def test_a_wrong_openai_key_fails_the_prediction(fake: FakeReplicate, client: httpx.Client) -> None:
    last = polled(client, create(client, MINI, openai_api_key="sk-bad"))[-1]
    assert (last["status"], last["error"]) == ("failed", replicate_server.BAD_OPENAI_KEY_TEXT)
    assert (fake.violations, fake.served, fake.creates) == ([], [], 1)


@pytest.mark.parametrize(
    "changes", [{"user_id": KEY}, {"prompt": f"my key is {KEY}"}, {"openai_api_key": "r8_test0123456789"}]
)
def test_a_misplaced_key_is_a_violation(fake: FakeReplicate, client: httpx.Client, changes: dict[str, str]) -> None:
    create(client, **({"openai_api_key": KEY} | changes))
    assert len(fake.violations) == 1


def test_a_key_in_the_address_or_in_a_header_is_a_violation(fake: FakeReplicate, client: httpx.Client) -> None:
    client.get("/v1/account", headers={"X-OpenAI-Key": KEY})
    client.get("/v1/account", headers={"Authorization": f"Bearer {KEY}"})
    assert len(fake.violations) == 2
    client.get("/v1/account", params={"token": fake.key})
    assert len(fake.violations) == 4, "the key, and the query"


def test_the_body_around_the_input(fake: FakeReplicate, client: httpx.Client) -> None:
    path = f"/v1/models/openai/{FLARE}/predictions"
    good: dict[str, Any] = {"input": {"prompt": FOX}}
    hook = {"webhook": "https://example.com/hook", "webhook_events_filter": ["completed"]}
    assert client.post(path, json=good | hook).status_code == 201
    assert fake.violations == []
    assert client.post(path, json=good | {"version": "e4564ecb"}).status_code == 201
    assert client.post(path, json=good | {"webhook": "ftp://example.com"}).status_code == 422
    assert client.post(path, json=good | {"webhook_events_filter": ["end"]}).status_code == 422
    assert client.post(path, content=b'{"input": {"prompt": "A fox"}}').status_code == 415
    assert client.post(path, content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
    assert client.post(path, json={"input": "A fox"}).json()["invalid_fields"][0]["type"] == "invalid_type"
    assert len(fake.violations) == 6


def test_good_input_images(fake: FakeReplicate, client: httpx.Client) -> None:
    file = client.post("/v1/files", files={"content": ("a.png", PNG, "image/png")}).json()["urls"]["get"]
    webp = data_uri(picture((64, 48), "webp", number=2), "image/webp")
    jpeg = data_uri(picture((64, 48), "jpeg", number=3), "image/jpeg")
    images = [file, "https://example.com/fox.png", data_uri(PNG), webp, jpeg]
    last = polled(client, create(client, input_images=images))[-1]
    assert "Input image token count: 970\n" in last["logs"]
    assert create(client, input_images=last["output"]).status_code == 201, "a result may be edited further"
    assert fake.violations == []
    for gone in (f"{fake.origin}/v1/files/file-fix-99", f"{fake.origin}/media/99.png"):
        assert create(client, input_images=[gone]).status_code == 422
    assert len(fake.violations) == 2


def test_large_data_uris(fake: FakeReplicate, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    large = noisy_png(600)
    assert len(large) > replicate_rules.DATA_URI_BYTES
    assert create(client, input_images=[data_uri(large)]).status_code == 201
    assert len(fake.violations) == 1
    assert "upload" in fake.violations[0]
    monkeypatch.setattr(replicate_rules, "DATA_URIS_BYTES", len(large) * 3 // 2)
    assert create(client, input_images=[data_uri(large)] * 2).status_code == 422


def test_fixture_r6(fake: FakeReplicate, client: httpx.Client) -> None:
    reply = client.post(
        "/v1/files", files={"content": ("a.png", PNG, "image/png"), "metadata": (None, b'{"a": 1}', "application/json")}
    )
    found = reply.json()
    assert reply.status_code == 201
    assert (found["name"], found["content_type"], found["size"]) == ("a.png", "image/png", len(PNG))
    assert found["metadata"] == {"a": 1}
    names = "id,name,content_type,size,etag,checksums,metadata,created_at,expires_at,urls"
    assert ",".join(found) == names
    assert found["urls"] == {"get": f"{fake.origin}/v1/files/{found['id']}"}
    assert (fake.uploads, fake.posts, fake.violations) == (1, 0, [])


@pytest.mark.parametrize(
    "files",
    [
        {"file": ("a.png", PNG, "image/png")},
        {"content": (None, PNG, "image/png")},
        {"content": ("a.png", PNG, "image/jpeg")},
        {"content": ("a.png", PNG, "application/octet-stream")},
        {"content": ("a.png", PNG[:-40], "image/png")},
        {"content": ("a.png", PNG, "image/png"), "purpose": (None, b"edit")},
        {"content": ("a.png", PNG, "image/png"), "metadata": (None, b"edit")},
    ],
)
def test_a_wrong_upload_is_refused(fake: FakeReplicate, client: httpx.Client, files: dict[str, Any]) -> None:
    assert client.post("/v1/files", files=files).status_code == 422
    assert fake.violations
    assert (fake.uploads, fake.files) == (0, {})


def test_uploads_have_a_limit_and_are_forms(
    fake: FakeReplicate, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.post("/v1/files", json={"content": "a"}).status_code == 422
    monkeypatch.setattr(replicate_rules, "FILE_BYTES", len(PNG) - 1)
    assert client.post("/v1/files", files={"content": ("a.png", PNG, "image/png")}).status_code == 422
    assert len(fake.violations) == 2
