"""The fake of self-hosted servers answers as each dialect does, and notes every broken rule."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.fakes import compatible_server, faults
from tests.fakes.compatible_dialects import DIALECTS, DialectName
from tests.fakes.compatible_server import FakeCompatible
from tests.fakes.http_fake import RawReply, wait_until
from tests.fakes.samples import mask, upload

BODY: dict[str, Any] = {"model": "local-model", "prompt": "A red fox", "n": 1, "size": "64x48"}
FORM = {"model": "local-model", "prompt": "A hat", "size": "64x48"}
PNG = upload(1)

Serve = Callable[..., FakeCompatible]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a fake; at the end of the test it is stopped."""
    running: list[FakeCompatible] = []

    def start(dialect: DialectName = "plain", **options: Any) -> FakeCompatible:
        running.append(FakeCompatible(dialect=dialect, **options).__enter__())
        return running[-1]

    yield start
    for server in running:
        server.__exit__(None, None, None)


def client(server: FakeCompatible) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
    return httpx.Client(base_url=server.base_url, headers=headers, timeout=5, trust_env=False, verify=False)


def ask(server: FakeCompatible, **changes: Any) -> httpx.Response:
    sent = {name: value for name, value in (BODY | changes).items() if value is not ...}
    with client(server) as http:
        return http.post("/images/generations", json=sent)


def edit(server: FakeCompatible, files: Any, **changes: str) -> httpx.Response:
    with client(server) as http:
        return http.post("/images/edits", data=FORM | changes, files=files)


def item(reply: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = reply.raise_for_status().json()["data"][0]
    return found


def fetched(url: str) -> bytes:
    return httpx.get(url, trust_env=False, verify=False).raise_for_status().content


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "sdcpp"])
def test_base64_when_asked(serve: Serve, dialect: DialectName) -> None:
    server = serve(dialect)
    reply = ask(server, n=2, response_format="b64_json")
    assert [base64.b64decode(each["b64_json"], validate=True) for each in reply.json()["data"]] == server.served
    with Image.open(io.BytesIO(server.served[1])) as image:
        assert (image.format, image.size) == ("PNG", (64, 48))
    assert (len(server.served), server.posts, server.creates, server.violations) == (2, 1, 1, [])


@pytest.mark.parametrize("dialect", ["vllm", "litellm", "sdcpp"])
def test_base64_by_default(serve: Serve, dialect: DialectName) -> None:
    server = serve(dialect)
    assert base64.b64decode(item(ask(server))["b64_json"]) == server.served[0]


@pytest.mark.parametrize(("dialect", "created"), [("plain", 1795248000.5), ("aquiles", 1795248000.5)])
def test_a_relative_url_by_default(serve: Serve, dialect: DialectName, created: float) -> None:
    server = serve(dialect)
    reply = ask(server)
    assert reply.json()["created"] == created
    url = item(reply)["url"]
    assert url.startswith("/v1/images/")
    assert fetched(server.origin + url) == server.served[0]
    assert (server.media_reads, server.violations) == ([url], [])
    server.media_faults.append(RawReply(404, {"detail": "gone"}))
    with pytest.raises(httpx.HTTPStatusError):
        fetched(server.origin + url)


def test_localai_gives_an_absolute_url_and_no_usage(serve: Serve) -> None:
    server = serve("localai")
    reply = ask(server).json()
    assert reply["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert reply["data"][0]["b64_json"] is None
    assert reply["data"][0]["url"].startswith(server.origin + "/generated-images/")
    assert fetched(reply["data"][0]["url"]) == server.served[0]


def test_the_forms_a_url_may_have(serve: Serve) -> None:
    server = serve()
    server.url_form = "absolute"
    assert fetched(item(ask(server))["url"]) == server.served[0]
    server.url_form = "data"
    assert base64.b64decode(item(ask(server))["url"].removeprefix("data:image/png;base64,")) == server.served[1]
    server.b64_form = "data_uri"
    given = item(ask(server, response_format="b64_json"))["b64_json"]
    assert base64.b64decode(given.removeprefix("data:image/png;base64,")) == server.served[2]
    server.answer_form, server.created = "url", None
    reply = ask(server, response_format="b64_json")
    assert list(reply.json()) == ["data"]
    assert list(item(reply)) == ["url"]


def test_what_each_dialect_adds(serve: Serve) -> None:
    assert "metrics" in ask(serve("vllm")).json()
    assert ask(serve("litellm")).headers["x-litellm-response-cost"] == "0.04"
    assert {"file_path", "resize"} < set(item(ask(serve("sglang"), response_format="b64_json")))
    assert "x-litellm-response-cost" not in ask(serve()).headers


@pytest.mark.parametrize(
    ("dialect", "asked", "body"),
    [
        ("vllm", {"response_format": "url"}, {"object": "error", "type": "BadRequestError", "code": 400}),
        ("sglang", {}, {}),
        ("sglang", {"response_format": "url"}, {}),
    ],
)
def test_no_url_there(serve: Serve, dialect: DialectName, asked: dict[str, str], body: dict[str, Any]) -> None:
    server = serve(dialect)
    reply = ask(server, **asked)
    assert reply.status_code == 400
    assert "response_format" in reply.text
    assert reply.json().items() >= body.items()
    assert (server.creates, server.violations) == (0, [])


def test_sdcpp_does_not_know_response_format(serve: Serve) -> None:
    server = serve("sdcpp", models=("sd-cpp-local",))
    reply = ask(server, model="sd-cpp-local", response_format="b64_json")
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["param"]) == (400, "unknown_parameter", "response_format")
    assert ask(server, model="sd-cpp-local", output_format="webp", output_compression=80).status_code == 200
    assert (server.repeats, server.violations) == (0, [])
    assert server.served[0][8:12] == b"WEBP"


@pytest.mark.parametrize("dialect", ["vllm", "aquiles"])
def test_an_unknown_field_as_pydantic_words_it(serve: Serve, dialect: DialectName) -> None:
    server = serve(dialect)
    reply = ask(server, quality="low")
    assert reply.status_code == 422
    assert reply.json() == {
        "detail": [
            {"type": "extra_forbidden", "loc": ["body", "quality"], "msg": "Extra inputs are not permitted"},
        ]
    }
    assert server.violations == []


@pytest.mark.parametrize(("dialect", "code"), [("plain", "unknown_parameter"), ("litellm", "400")])
def test_an_unknown_field_as_openai_words_it(serve: Serve, dialect: DialectName, code: str) -> None:
    server = serve(dialect)
    reply = ask(server, seed=1)
    assert (reply.status_code, reply.json()["error"]["param"], reply.json()["error"]["code"]) == (400, "seed", code)
    server.extra_fields = frozenset({"seed", "quality"})
    assert ask(server, seed=1, quality="low").status_code == 200
    assert server.violations == []


def test_fields_that_are_known_or_ignored(serve: Serve) -> None:
    assert ask(serve("vllm"), seed=1, negative_prompt="dogs", guidance_scale=1.5).status_code == 200
    assert ask(serve("sglang"), response_format="b64_json", anything={"a": 1}).status_code == 200
    assert ask(serve("litellm"), quality="low", background="opaque", stream=False).status_code == 200
    assert ask(serve("aquiles"), stream=True).headers["content-type"] == "application/json"
    assert ask(serve("localai"), step=25).status_code == 200


def test_localai_sizes_and_references(serve: Serve) -> None:
    server = serve("localai")
    for size in ("1024", "auto"):
        ask(server, size=size)
        with Image.open(io.BytesIO(server.served[-1])) as image:
            assert image.size == (512, 512)
    bare = base64.b64encode(PNG[1]).decode()
    assert ask(server, ref_images=[bare, "https://example.com/1.png"], file=bare).status_code == 200
    assert server.violations == []
    reply = ask(server, ref_images=[f"data:image/png;base64,{bare}"])
    assert (reply.status_code, list(reply.json())) == (400, ["error"])
    assert isinstance(reply.json()["error"], str)
    assert len(server.violations) == 1


@pytest.mark.parametrize(("dialect", "n", "made"), [("sglang", 12, 10), ("plain", 10, 10), ("plain", 11, None)])
def test_n(serve: Serve, dialect: DialectName, n: int, made: int | None) -> None:
    server = serve(dialect)
    reply = ask(server, n=n, response_format="b64_json")
    assert (len(reply.json()["data"]) if made else reply.status_code) == (made or 400)
    assert server.violations == []


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "changes",
    [{"prompt": ...}, {"prompt": ""}, {"model": ...}, {"n": "1"}, {"n": 0}, {"size": None}, {"response_format": "png"}],
    ids=repr,
)
def test_a_broken_rule_is_refused_and_noted(serve: Serve, dialect: DialectName, changes: dict[str, Any]) -> None:
    server = serve(dialect)
    assert ask(server, **changes).status_code in (400, 422)
    assert bool(server.violations) == (dialect != "sdcpp" or "response_format" not in changes)
    assert (server.posts, server.creates) == (1, 0)


@pytest.mark.parametrize(
    ("dialect", "status", "outer"),
    [
        ("plain", 404, "error"),
        ("localai", 404, "error"),
        ("vllm", 404, "message"),
        ("sglang", 404, "detail"),
        ("litellm", 400, "error"),
        ("sdcpp", 404, "error"),
        ("aquiles", 404, "detail"),
    ],
)
def test_another_model(serve: Serve, dialect: DialectName, status: int, outer: str) -> None:
    server = serve(dialect)
    asked = {} if dialect == "sdcpp" else {"response_format": "b64_json"}
    reply = ask(server, model="gpt-image-2", **asked)
    assert reply.status_code == status
    assert "gpt-image-2" in str(reply.json()[outer])
    assert server.violations == []


@pytest.mark.parametrize("size", ["auto", "64", "0x64", "9999x64", "64X64"])
def test_a_size_no_server_can_read(serve: Serve, size: str) -> None:
    server = serve()
    assert ask(server, size=size).status_code == 400
    assert (server.creates, server.violations) == (0, [])
    assert ask(server, size="1000x777").status_code == 200


def test_the_same_refusal_again_and_again(serve: Serve) -> None:
    server = serve()
    ask(server, quality="low")
    assert (server.repeats, server.violations) == (0, [])
    ask(server, quality="high")
    assert (server.repeats, server.violations) == (1, [])
    ask(server, quality="low")
    assert (server.repeats, len(server.violations)) == (2, 1)
    ask(server)
    ask(server, quality="low")
    assert (server.repeats, len(server.violations)) == (2, 1)


def test_localai_has_no_edits(serve: Serve) -> None:
    server = serve("localai")
    assert edit(server, {"image": PNG}).status_code == 404
    assert (server.creates, server.violations) == (0, [])


SEVERAL = [("image[]", PNG), ("image[]", upload(2, "jpeg"))]


@pytest.mark.parametrize("dialect", ["plain", "vllm", "sglang", "litellm", "sdcpp", "aquiles"])
def test_edits(serve: Serve, dialect: DialectName) -> None:
    server = serve(dialect)
    server.answer_form = "b64_json"
    assert edit(server, {"image": PNG}, n="2").status_code == 200
    assert edit(server, SEVERAL).status_code == 200
    assert base64.b64decode(item(edit(server, SEVERAL))["b64_json"]) == server.served[-1]
    name = "mask_image" if dialect == "vllm" else "mask"
    assert edit(server, {"image": PNG, name: mask()}).status_code == (422 if dialect == "aquiles" else 200)
    assert server.violations == []


@pytest.mark.parametrize(
    ("dialect", "files", "data", "status"),
    [
        ("plain", [("image", PNG)] * 2, {}, 400),
        ("plain", [("image", PNG), ("image[]", PNG)], {}, 400),
        ("litellm", [("image", PNG), ("image[]", PNG)], {}, 422),
        ("litellm", {"image": (None, PNG[1])}, {}, 422),
        ("sdcpp", {"image": upload(1, "webp")}, {}, 400),
        ("vllm", {"image": PNG, "mask_image": mask((8, 8))}, {}, 400),
        ("sglang", {"image": PNG, "mask": upload(2)}, {}, 400),
        ("sglang", {"x": (None, "y")}, {}, 422),
        ("vllm", {"x": (None, "y")}, {"url": "file:///etc/passwd"}, 422),
        ("aquiles", {"image": ("1.png", b"GIF89a", "image/png")}, {}, 400),
        ("plain", {"image": ("1.png", PNG[1], "application/octet-stream")}, {}, 400),
        ("plain", {"image": PNG}, {"n": "two"}, 400),
    ],
)
def test_a_wrong_form(serve: Serve, dialect: DialectName, files: Any, data: dict[str, str], status: int) -> None:
    server = serve(dialect)
    assert edit(server, files, **data).status_code == status
    assert server.violations
    assert server.creates == 0


def test_what_only_some_edits_take(serve: Serve) -> None:
    vllm, aquiles = serve("vllm"), serve("aquiles")
    assert edit(vllm, {"url[]": (None, "https://example.com/1.png")}, size="auto").status_code == 200
    assert edit(vllm, {"image": PNG, "mask": mask()}).status_code == 422
    assert edit(aquiles, [("image", PNG), ("image[]", PNG)], input_fidelity="high").status_code == 200
    assert edit(aquiles, [("image", PNG)] * 10, prompt="x" * 1000).status_code == 200
    assert edit(aquiles, {"image": PNG}, prompt="x" * 1001).status_code == 422
    assert edit(aquiles, [("image", PNG)] * 11).status_code == 400
    assert vllm.violations + aquiles.violations == []


def test_no_key_may_be_sent_where_none_was_given(serve: Serve) -> None:
    server = serve()
    for path in ("/models", "/images/generations"):
        httpx.request(
            "GET", server.base_url + path, headers={"Authorization": "Bearer x"}, trust_env=False, verify=False
        )
    assert sum("given no key" in words for words in server.violations) == 2


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_that_is_needed(serve: Serve, dialect: DialectName) -> None:
    server = serve(dialect, key="sk-local")
    status = 403 if dialect == "aquiles" else 401
    for headers, words in [({}, "API key missing"), ({"Authorization": "Bearer other"}, "Invalid API key")]:
        for _ in range(4):
            reply = httpx.get(f"{server.base_url}/models", headers=headers, trust_env=False, verify=False)
            assert (reply.status_code, words in reply.text) == (status, True)
    if dialect == "aquiles":
        assert reply.json() == compatible_server.BAD_KEY_DETAIL.body
    with client(server) as http:
        assert http.get("/models").status_code == 200
    assert (server.repeats, server.violations) == (0, [])


def test_models(serve: Serve) -> None:
    server = serve(models=("a", "b"))
    with client(server) as http:
        assert [entry["id"] for entry in http.get("/models").json()["data"]] == ["a", "b"]
        server.models_status = 404
        assert http.get("/models").status_code == 404
        assert server.violations == []
        http.get("/health")
        http.post(f"{server.origin}/images/generations", json=BODY)
        http.post("/images/generations", content=b"{}")
    assert len(server.violations) == 3


@pytest.mark.parametrize(
    ("planned", "status"),
    [
        (compatible_server.BAD_KEY_DETAIL, 403),
        (compatible_server.NOT_LOADED, 500),
        (compatible_server.VLLM_BAD_REQUEST, 400),
        (compatible_server.BUSY, 429),
        (compatible_server.NOT_AVAILABLE, 503),
    ],
)
def test_planned_errors(serve: Serve, planned: RawReply, status: int) -> None:
    server = serve()
    server.next(planned)
    reply = ask(server)
    assert (reply.status_code, reply.json(), server.creates) == (status, planned.body, 0)
    assert ask(server).status_code == 200


@pytest.mark.parametrize("fault", [faults.Hang(), faults.Reset(), faults.CutHeaders(), faults.CutBody()])
def test_a_lost_answer_may_have_run(serve: Serve, fault: faults.Fault) -> None:
    server = serve()
    server.next(fault)
    with client(server) as http, pytest.raises(httpx.TransportError):
        http.post("/images/generations", json=BODY, timeout=0.2)
    wait_until(lambda: server.creates == 1)


def test_bent_answers(serve: Serve) -> None:
    server = serve("vllm")
    server.next(faults.WrongShape("null_data"), faults.BadBase64(), faults.FewerImages(3), faults.TruncatedImage())
    assert ask(server).json()["data"] is None
    assert item(ask(server))["b64_json"] == "!!! not base64 !!!"
    assert ask(server, n=3).json()["data"] == []
    assert base64.b64decode(item(ask(server))["b64_json"]) == server.served[-1]
    assert server.violations == []
