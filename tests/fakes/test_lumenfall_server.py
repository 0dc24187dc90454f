"""The fake gateway answers as the reference's fixtures do, and notes every broken rule."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.fakes import faults, lumenfall_rules, lumenfall_server
from tests.fakes import openai_facts as facts
from tests.fakes.http_fake import RawReply, wait_until
from tests.fakes.lumenfall_server import FakeLumenfall
from tests.fakes.samples import mask, upload

BODY: dict[str, Any] = {"model": "gpt-image-2", "prompt": "A red fox", "n": 1, "size": "1024x1024", "quality": "low"}
FORM = {"model": "gpt-image-1.5", "prompt": "A hat", "quality": "low"}
GENERATIONS = "/images/generations"


@pytest.fixture
def gateway() -> Iterator[FakeLumenfall]:
    with FakeLumenfall() as server:
        yield server


@pytest.fixture
def http(gateway: FakeLumenfall) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {gateway.key}"}
    with httpx.Client(base_url=gateway.base_url, headers=headers, timeout=5, trust_env=False, verify=False) as plain:
        yield plain


def ask(http: httpx.Client, **changes: Any) -> httpx.Response:
    sent = {name: value for name, value in (BODY | changes).items() if value is not ...}
    return http.post(GENERATIONS, json=sent)


def edit(http: httpx.Client, files: Any, **changes: str) -> httpx.Response:
    return http.post("/images/edits", data=FORM | changes, files=files)


def downloaded(reply: httpx.Response) -> list[bytes]:
    items = reply.raise_for_status().json()["data"]
    return [httpx.get(item["url"], trust_env=False, verify=False).content for item in items]


def opened(data: bytes) -> tuple[str | None, tuple[int, int]]:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.format, image.size


def test_the_worked_example(gateway: FakeLumenfall, http: httpx.Client) -> None:
    reply = ask(http, response_format="url", output_format="png")
    body = reply.json()
    assert downloaded(reply) == gateway.served
    assert body.pop("data")[0]["url"].startswith(gateway.origin + "/media/")
    assert body == {
        "created": 1795248000,
        "size": "1024x1024",
        "output_format": "png",
        "metadata": {
            "model": "gpt-image-2",
            "executed_model": "openai/gpt-image-2",
            "provider": "openai",
            "provider_name": "OpenAI",
            "cost": 0.005945,
            "cost_currency": "USD",
        },
    }
    assert reply.headers["x-lumenfall-provider"] == "openai"
    assert reply.headers["x-lumenfall-model"] == "gpt-image-2"
    assert reply.headers["x-lumenfall-request-id"] == "req_lf_1"
    assert (gateway.posts, gateway.creates, gateway.violations) == (1, 1, [])


def test_a_dry_run_tells_the_price_and_draws_nothing(gateway: FakeLumenfall, http: httpx.Client) -> None:
    gateway.always(lumenfall_server.INTERNAL)
    assert http.post(GENERATIONS, params={"dryRun": "true"}, json=BODY).json() == {
        "estimated": True,
        "model": "gpt-image-2",
        "provider": "openai",
        "total_cost_micros": 5945,
        "currency": "USD",
        "components": [
            {
                "type": "output",
                "metric": "image_tokens",
                "quantity": 196,
                "billable_quantity": 196,
                "unit_price": 0.00003,
                "total_cost": 0.00588,
            }
        ],
    }
    assert (gateway.posts, gateway.creates, gateway.served, gateway.log) == (0, 0, [], [])
    assert gateway.violations == []


@pytest.mark.parametrize(
    ("model", "quality", "n", "cost"),
    [
        ("gpt-image-1", "medium", 1, 1056 * 40e-6 + 13 * 5e-6),
        ("gpt-image-1-mini", "low", 2, 2 * (272 * 8e-6 + 13 * 2e-6)),
        ("gpt-image-1.5", "hd", 1, 4160 * 32e-6 + 13 * 5e-6),
        ("gpt-image-2", "standard", 1, 1756 * 30e-6 + 13 * 5e-6),
        ("replicate/gpt-image-1.5", "low", 1, 272 * 32e-6 + 13 * 5e-6),
    ],
)
def test_cost(gateway: FakeLumenfall, http: httpx.Client, model: str, quality: str, n: int, cost: float) -> None:
    metadata = ask(http, model=model, quality=quality, n=n).json()["metadata"]
    assert metadata["cost"] == round(cost, 6)
    assert metadata["executed_model"] == (model if "/" in model else f"openai/{model}")
    gateway.with_cost = False
    assert "cost" not in ask(http).json()["metadata"]
    assert len(gateway.served) == n + 1
    assert gateway.violations == []


@pytest.mark.parametrize("output_format", ["png", "jpeg", "gif", "webp", "avif"])
def test_every_format_is_real(gateway: FakeLumenfall, http: httpx.Client, output_format: str) -> None:
    reply = ask(http, output_format=output_format, output_compression=80, n=2, response_format="b64_json")
    sent = [base64.b64decode(item["b64_json"], validate=True) for item in reply.json()["data"]]
    assert [opened(data) for data in sent] == [(output_format.upper(), (1024, 1024))] * 2
    assert sent == gateway.served
    assert sent[0] != sent[1]
    assert gateway.violations == []


def test_the_other_form_than_asked(gateway: FakeLumenfall, http: httpx.Client) -> None:
    gateway.answer_form = "b64_json"
    assert list(ask(http).json()["data"][0]) == ["b64_json"]
    gateway.answer_form = "url"
    assert downloaded(ask(http, response_format="b64_json")) == gateway.served[1:]


def test_a_result_file_must_not_see_the_key(gateway: FakeLumenfall, http: httpx.Client) -> None:
    http.get(ask(http).json()["data"][0]["url"])
    assert len(gateway.violations) == 1


@pytest.mark.parametrize(
    ("model", "asked", "made"),
    [
        ("gpt-image-2", {"size": ...}, "1024x1024"),
        ("gpt-image-2", {"size": "1920x1080"}, "1920x1088"),
        ("gpt-image-2", {"size": "16:9"}, "1360x768"),
        ("gpt-image-2", {"size": ..., "aspect_ratio": "16:9"}, "1360x768"),
        ("gpt-image-2", {"size": "1:1", "aspect_ratio": "16:9"}, "1024x1024"),
        ("gpt-image-2", {"size": ..., "aspect_ratio": "1:1", "resolution": "2K"}, "2048x2048"),
        ("gpt-image-2", {"size": ..., "resolution": "512"}, "816x816"),
        ("gpt-image-1.5", {"size": "1920x1080"}, "1536x1024"),
        ("gpt-image-1-mini", {"size": "9:16"}, "1024x1536"),
        ("gpt-image-1", {"size": ..., "aspect_ratio": "21:20"}, "1024x1024"),
    ],
)
def test_sizes_are_snapped(
    gateway: FakeLumenfall, http: httpx.Client, model: str, asked: dict[str, Any], made: str
) -> None:
    reply = ask(http, model=model, response_format="b64_json", **asked)
    assert reply.json()["size"] == made
    assert "{}x{}".format(*opened(gateway.served[0])[1]) == made
    assert gateway.violations == []


@pytest.mark.parametrize("size", [(1, 99999), (99999, 1), (99999, 99999), (1, 1), (3000, 1000), (3840, 3840)])
def test_any_size_finds_a_legal_one(size: tuple[int, int]) -> None:
    made = lumenfall_rules.made_size({"size": "{}x{}".format(*size)}, facts.TWO)
    assert facts.size_problem("{}x{}".format(*made), facts.TWO) is None


BROKEN: list[dict[str, Any]] = [
    {"prompt": ...},
    {"prompt": ""},
    {"model": ...},
    {"n": 0},
    {"n": 11},
    {"n": "1"},
    {"n": True},
    {"size": "auto"},
    {"size": "0x16"},
    {"size": None},
    {"aspect_ratio": "1024x1024"},
    {"resolution": "1MP"},
    {"quality": "auto"},
    {"quality": "xhigh"},
    {"response_format": "png"},
    {"output_format": "svg"},
    {"output_compression": 101},
    {"background": "transparent"},
    {"background": "transparent", "model": "gpt-image-1.5", "output_format": "jpeg"},
    {"moderation": "auto"},
    {"moderation": "low", "model": "replicate/gpt-image-2"},
    {"user": "u1", "model": "replicate/gpt-image-1.5"},
    {"input_fidelity": "low"},
    {"model": "fal/gpt-image-1-mini-edit"},
    {"stream": False},
    {"partial_images": 0},
    {"seed": 1},
    {"safety_identifier": "x"},
]


@pytest.mark.parametrize("changes", BROKEN, ids=repr)
def test_a_broken_rule_is_refused_and_noted(
    gateway: FakeLumenfall, http: httpx.Client, changes: dict[str, Any]
) -> None:
    reply = ask(http, **changes)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert set(reply.json()["error"]) == {"message", "type", "code"}
    assert gateway.violations
    assert (gateway.posts, gateway.creates) == (1, 0)


def test_every_field_a_generation_may_have(gateway: FakeLumenfall, http: httpx.Client) -> None:
    reply = ask(
        http,
        model="openai/gpt-image-1.5",
        aspect_ratio="3:2",
        resolution="1K",
        quality="high",
        response_format="b64_json",
        output_format="webp",
        output_compression=0,
        background="transparent",
        moderation="low",
        user="u1",
        input_fidelity="high",
    )
    assert reply.status_code == 200
    with Image.open(io.BytesIO(gateway.served[0])) as image:
        assert image.has_transparency_data
    assert gateway.violations == []


def test_a_model_that_is_gone_breaks_no_rule(gateway: FakeLumenfall, http: httpx.Client) -> None:
    for model in ("gpt-image-9", "gpt-image-2.5-flare", "azure/gpt-image-2", "fal/gpt-image-2"):
        reply = ask(http, model=model)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "MODEL_NOT_FOUND")
    assert gateway.violations == []


def test_more_qualities_for_a_later_model(gateway: FakeLumenfall, http: httpx.Client) -> None:
    gateway.models["gpt-image-2.5-flare"] = lumenfall_rules.FLARE
    assert ask(http, model="gpt-image-2.5-flare", quality="max").status_code == 200
    assert gateway.violations == []


@pytest.mark.parametrize("output", ["png", "jpeg"])
def test_edits(gateway: FakeLumenfall, http: httpx.Client, output: str) -> None:
    assert edit(http, {"image": upload(1), "mask": mask()}, output_format=output, n="2").status_code == 200
    several = [("image[]", upload(number, "jpeg")) for number in range(10)]
    assert edit(http, several, input_fidelity="high", user="u1", moderation="low").status_code == 200
    assert edit(http, [("image[]", upload(1, "webp"))], model="gpt-image-2").status_code == 200
    assert gateway.violations == []
    assert (gateway.creates, len(gateway.served)) == (3, 4)


def test_the_flat_route_for_edits(gateway: FakeLumenfall, http: httpx.Client) -> None:
    reply = edit(http, {"image": upload(1)}, model="fal/gpt-image-1-mini-edit", n="3")
    metadata = reply.json()["metadata"]
    assert (metadata["cost"], metadata["executed_model"]) == (0.06, "fal/gpt-image-1-mini-edit")
    assert (metadata["provider"], metadata["model"]) == ("fal", "gpt-image-1-mini-edit")
    assert gateway.violations == []


PNG = upload(1)
BAD_FILES: list[tuple[Any, dict[str, str]]] = [
    ({}, {}),
    ([("image", PNG), ("image", PNG)], {}),
    ([("image", PNG), ("image[]", PNG)], {}),
    ([("image[]", PNG)] * 11, {}),
    ({"image": (None, PNG[1], "image/png")}, {}),
    ({"image": ("1.png", PNG[1], "application/octet-stream")}, {}),
    ({"image": ("1.png", PNG[1], "image/jpeg")}, {}),
    ({"image": ("1.png", PNG[1][:60], "image/png")}, {}),
    ({"image": PNG, "mask": mask((32, 32))}, {}),
    ({"image": PNG, "mask": PNG}, {}),
    ({"image": PNG, "mask": upload(2, "jpeg")}, {}),
    ({"image": PNG, "mask": mask()}, {"model": "fal/gpt-image-1-mini-edit"}),
    ({"image": PNG}, {"model": "fal/gpt-image-1-mini-edit", "user": "u1"}),
    ({"image": PNG}, {"n": "two"}),
    ({"image": PNG}, {"stream": "false"}),
    ({"image": PNG, "markup": mask()}, {}),
    ({"image": PNG, "prompt": ("p.txt", b"A hat", "text/plain")}, {}),
]


@pytest.mark.parametrize(("files", "changes"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_a_wrong_form_is_refused_and_noted(
    gateway: FakeLumenfall, http: httpx.Client, files: Any, changes: dict[str, str]
) -> None:
    reply = edit(http, files, **changes)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert gateway.violations
    assert gateway.creates == 0


def test_a_dry_run_of_an_edit_is_not_documented(gateway: FakeLumenfall, http: httpx.Client) -> None:
    http.post("/images/edits", params={"dryRun": "true"}, data=FORM, files={"image": PNG})
    assert (len(gateway.violations), gateway.posts) == (1, 1)


def test_models_balance_and_requests(gateway: FakeLumenfall, http: httpx.Client) -> None:
    models = http.get("/models").json()
    assert models["object"] == "list"
    assert {entry["id"] for entry in models["data"]} == set(lumenfall_rules.MODELS)
    assert http.get(f"{gateway.origin}/v1/balance").json() == {
        "object": "balance",
        "billing_type": "prepaid",
        "available": {"amount": "12.34", "currency": "usd"},
    }
    ask(http)
    ask(http, model="gpt-image-9")
    listed = http.get(f"{gateway.origin}/v1/requests").json()["data"]
    assert [(entry["id"], entry["status"], entry["error_code"]) for entry in listed] == [
        ("req_lf_2", "rejected", "MODEL_NOT_FOUND"),
        ("req_lf_1", "completed", None),
    ]
    done = http.get(f"{gateway.origin}/v1/requests", params={"limit": 1, "status": "completed"}).json()["data"]
    assert done == listed[1:]
    assert gateway.violations == []
    assert http.get(f"{gateway.origin}/v1/requests", params={"status": "done"}).status_code == 400
    assert http.get(f"{gateway.origin}/v1/requests", params={"limit": 0}).status_code == 400
    assert http.get(f"{gateway.origin}/v1/models").status_code == 404
    assert http.get(f"{gateway.base_url}/balance").status_code == 404
    assert len(gateway.violations) == 4


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer lmnfl_other"}, {"X-Api-Key": "k"}])
def test_every_request_needs_the_key(gateway: FakeLumenfall, headers: dict[str, str]) -> None:
    with httpx.Client(headers=headers, trust_env=False, verify=False) as plain:
        replies = [
            plain.get(f"{gateway.base_url}/models"),
            plain.get(f"{gateway.origin}/v1/balance"),
            plain.get(f"{gateway.origin}/v1/requests"),
            plain.post(f"{gateway.base_url}{GENERATIONS}", json=BODY),
            plain.post(f"{gateway.base_url}/images/edits", data=FORM, files={"image": PNG}),
        ]
    assert {(reply.status_code, json.dumps(reply.json())) for reply in replies} == {
        (401, json.dumps(lumenfall_server.BAD_KEY.body))
    }
    assert gateway.creates == 0


@pytest.mark.parametrize(
    ("planned", "status", "code"),
    [
        (lumenfall_server.BAD_KEY, 401, "AUTHENTICATION_FAILED"),
        (lumenfall_server.NO_BALANCE, 402, "INSUFFICIENT_BALANCE"),
        (lumenfall_server.PROMPT_TOO_LONG, 400, "INVALID_REQUEST"),
        (lumenfall_server.BLOCKED, 400, "CONTENT_POLICY_VIOLATION"),
        (lumenfall_server.MODEL_GONE, 404, "MODEL_NOT_FOUND"),
        (lumenfall_server.RATE_LIMITED, 429, "RATE_LIMITED"),
        (lumenfall_server.EXHAUSTED, 502, "ALL_PROVIDERS_EXHAUSTED"),
        (lumenfall_server.INTERNAL, 500, "INTERNAL_ERROR"),
        (lumenfall_server.UPSTREAM, 503, "UPSTREAM_ERROR"),
    ],
)
def test_planned_errors(gateway: FakeLumenfall, http: httpx.Client, planned: RawReply, status: int, code: str) -> None:
    gateway.next(planned)
    reply = ask(http)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert ask(http).status_code == 200
    assert (gateway.posts, gateway.creates) == (2, 1)


@pytest.mark.parametrize("fault", [faults.Hang(), faults.Reset(), faults.CutHeaders(), faults.CutBody()])
def test_a_lost_answer_still_costs(gateway: FakeLumenfall, http: httpx.Client, fault: faults.Fault) -> None:
    gateway.next(fault)
    with pytest.raises(httpx.TransportError):
        http.post(GENERATIONS, json=BODY, timeout=0.2)
    wait_until(lambda: gateway.creates == 1)
    assert gateway.log[0]["status"] == "completed"


def test_bent_answers(gateway: FakeLumenfall, http: httpx.Client) -> None:
    gateway.next(faults.FewerImages(), faults.WrongShape("null_data"), faults.NotAnImage(), faults.InvalidJson())
    assert len(ask(http, n=3).json()["data"]) == 2
    assert ask(http).json()["data"] is None
    assert downloaded(ask(http)) == [faults.NotAnImage().data]
    with pytest.raises(json.JSONDecodeError):
        ask(http).json()
    assert gateway.violations == []


def test_a_fault_nobody_would_carry_out_is_noticed(gateway: FakeLumenfall, http: httpx.Client) -> None:
    gateway.next(faults.Gzip())
    assert ask(http).status_code == 500
    assert "cannot carry out" in gateway.violations[0]
