"""Each wrong request is refused as the service refuses it, and is written down as a violation."""

import base64
import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.pictures import picture
from tests.fakes.samples import FLARE, FOX, assert_valid, mask, upload

GONE: Any = object()
"""As a value: the field is left out."""


def generation(**changes: Any) -> dict[str, Any]:
    body = {"model": FLARE, "prompt": FOX} | changes
    return {name: value for name, value in body.items() if value is not GONE}


def assert_refused(fake: FakeOpenAI, reply: httpx.Response, status: int, code: str | None, param: str | None) -> None:
    assert_valid(reply.json(), "error")
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["param"]) == (status, code, param), error["message"]
    assert len(fake.violations) >= 1
    assert fake.served == []
    assert fake.posts == 1


WRONG_GENERATIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"response_format": "b64_json"}, "unknown_parameter", "response_format"),
    ({"style": "vivid"}, "unknown_parameter", "style"),
    ({"seed": 1}, "unknown_parameter", "seed"),
    ({"input_fidelity": "low"}, "unknown_parameter", "input_fidelity"),
    ({"prompt": GONE}, "missing_required_parameter", "prompt"),
    ({"prompt": ""}, "invalid_value", "prompt"),
    ({"prompt": "x" * 32_001}, "invalid_value", "prompt"),
    ({"prompt": None}, "invalid_type", "prompt"),
    ({"prompt": ["fox"]}, "invalid_type", "prompt"),
    ({"model": GONE}, "missing_required_parameter", "model"),
    ({"model": None}, "missing_required_parameter", "model"),
    ({"n": 0}, "invalid_value", "n"),
    ({"n": 11}, "invalid_value", "n"),
    ({"n": "1"}, "invalid_type", "n"),
    ({"n": 1.0}, "invalid_type", "n"),
    ({"n": True}, "invalid_type", "n"),
    ({"size": "1920x1080"}, "invalid_value", "size"),
    ({"size": "4096x4096"}, "invalid_value", "size"),
    ({"size": 1024}, "invalid_type", "size"),
    ({"model": "gpt-image-1.5", "size": "1024x768"}, "invalid_value", "size"),
    ({"model": "chatgpt-image-latest", "size": "2048x2048"}, "invalid_value", "size"),
    ({"quality": "ultra"}, "invalid_value", "quality"),
    ({"quality": "hd"}, "invalid_value", "quality"),
    ({"model": "gpt-image-2", "quality": "xhigh"}, "invalid_value", "quality"),
    ({"model": "gpt-image-1-mini", "quality": "max"}, "invalid_value", "quality"),
    ({"background": "white"}, "invalid_value", "background"),
    ({"background": "transparent", "output_format": "jpeg"}, "invalid_value", "background"),
    ({"output_format": "jpg"}, "invalid_value", "output_format"),
    ({"output_format": "gif"}, "invalid_value", "output_format"),
    ({"output_compression": 50}, "invalid_value", "output_compression"),
    ({"output_compression": 50, "output_format": "png"}, "invalid_value", "output_compression"),
    ({"output_compression": 101, "output_format": "webp"}, "invalid_value", "output_compression"),
    ({"output_compression": -1, "output_format": "webp"}, "invalid_value", "output_compression"),
    ({"output_compression": "50", "output_format": "webp"}, "invalid_type", "output_compression"),
    ({"moderation": "none"}, "invalid_value", "moderation"),
    ({"stream": "true"}, "invalid_type", "stream"),
    ({"stream": 1}, "invalid_type", "stream"),
    ({"partial_images": 2}, "invalid_value", "partial_images"),
    ({"partial_images": 2, "stream": False}, "invalid_value", "partial_images"),
    ({"partial_images": 4, "stream": True}, "invalid_value", "partial_images"),
    ({"user": None}, "invalid_type", "user"),
    ({"safety_identifier": 7}, "invalid_type", "safety_identifier"),
    ({"safety_identifier": "x" * 65}, "invalid_value", "safety_identifier"),
    ({"complexity": "high"}, "invalid_value", "complexity"),
    ({"frame_count": 4}, "invalid_value", "frame_count"),
    ({"svg": {"model": "x"}}, "invalid_value", "svg"),
]


@pytest.mark.parametrize(("changes", "code", "param"), WRONG_GENERATIONS)
def test_wrong_generation(
    fake: FakeOpenAI, client: httpx.Client, changes: dict[str, Any], code: str, param: str
) -> None:
    reply = client.post("/images/generations", json=generation(**changes))
    assert_refused(fake, reply, 400, code, param)


@pytest.mark.parametrize("model", ["gpt-image-1", "dall-e-3", "gpt-image-2.5", "gpt-5", "", "GPT-image-2"])
def test_gone_and_unknown_models(fake: FakeOpenAI, client: httpx.Client, model: str) -> None:
    reply = client.post("/images/generations", json=generation(model=model))
    assert_refused(fake, reply, 404, "model_not_found", None)
    assert "does not exist" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "gpt-image-2", "background": "transparent", "output_format": "png"},
        {"model": "gpt-image-2", "quality": "high", "size": "1360x768"},
        {"n": None, "size": None, "stream": None, "partial_images": None},
        {"output_format": "jpeg", "output_compression": 100},
        {"stream": True, "partial_images": 0},
        {"safety_identifier": "", "user": "someone"},
    ],
)
def test_right_but_unusual_generation(fake: FakeOpenAI, client: httpx.Client, changes: dict[str, Any]) -> None:
    client.post("/images/generations", json=generation(**changes)).raise_for_status()
    assert fake.violations == []


def test_every_broken_rule_is_written_down(fake: FakeOpenAI, client: httpx.Client) -> None:
    client.post("/images/generations", json=generation(n=0, quality="best", style="vivid", size="1x1"))
    assert len(fake.violations) == 4


@pytest.mark.parametrize(
    ("content_type", "content", "code"),
    [
        ("text/plain", json.dumps(generation()), "unsupported_content_type"),
        ("application/x-www-form-urlencoded", "model=x&prompt=y", "unsupported_content_type"),
        ("multipart/form-data; boundary=b", "--b--\r\n", "unsupported_content_type"),
        ("application/json", "{", None),
        ("application/json", '{"model": "x", "n": NaN}', None),
        ("application/json", b'{"prompt": "\xff"}', None),
        ("application/json", "[]", "invalid_type"),
        ("application/json", '{"n": 1, "n": 2}', "duplicate_parameter"),
        ("application/json", json.dumps(generation(prompt="\ud800")), "invalid_value"),
    ],
)
def test_wrong_bodies(
    fake: FakeOpenAI, client: httpx.Client, content_type: str, content: str | bytes, code: str | None
) -> None:
    reply = client.post("/images/generations", content=content, headers={"content-type": content_type})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)
    assert len(fake.violations) >= 1


@pytest.mark.parametrize(
    "authorization", ["", "sk-test-0123456789", "bearer sk-test-0123456789", "Bearer sk-other-987654321"]
)
def test_wrong_key(fake: FakeOpenAI, client: httpx.Client, authorization: str) -> None:
    reply = client.post("/images/generations", json=generation(), headers={"authorization": authorization})
    assert_refused(fake, reply, 401, "invalid_api_key", None)
    assert fake.key not in reply.text
    assert "987654" not in reply.text


def test_a_leaked_key_is_noticed(fake: FakeOpenAI, client: httpx.Client) -> None:
    client.post("/images/generations", json=generation(user=fake.key)).raise_for_status()
    assert fake.violations == ["POST /v1/images/generations: the key is in the body"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/images/generations", 405),
        ("POST", "/models", 405),
        ("POST", "/images/variations", 404),
        ("POST", "//images/generations", 404),
        ("GET", "/models?limit=1", 400),
    ],
)
def test_wrong_addresses(fake: FakeOpenAI, client: httpx.Client, method: str, path: str, status: int) -> None:
    url = fake.base_url + path
    assert client.request(method, url, headers={"content-type": "application/json"}).status_code == status
    assert len(fake.violations) == 1
    assert fake.posts == 0


# Edits as forms

FORM = {"model": FLARE, "prompt": "Put the hat on the fox"}
PNG = picture((64, 48), "png", number=1)
JPEG = picture((64, 48), "jpeg", number=2)


def turned_jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.new("RGB", (64, 48)).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def paletted_mask() -> bytes:
    stream = io.BytesIO()
    Image.new("P", (64, 48)).save(stream, "PNG", transparency=0)
    return stream.getvalue()


File = tuple[str, tuple[str | None, bytes, str]]
WRONG_FILES: list[tuple[list[File], str, str]] = [
    ([("image", upload(1)), ("image", upload(2))], "duplicate_parameter", "image"),
    ([("image", upload(1)), ("image[]", upload(2))], "duplicate_parameter", "image"),
    ([("image[]", upload(1)), ("mask", mask()), ("mask", mask())], "duplicate_parameter", "mask"),
    ([("mask", mask())], "missing_required_parameter", "image"),
    ([("images", upload(1))], "unknown_parameter", "images"),
    ([("image[]", upload(n)) for n in range(17)], "invalid_value", "image"),
    ([("image", ("a.png", PNG, "application/octet-stream"))], "unsupported_file_mimetype", "image"),
    ([("image", ("a.jpg", JPEG, "image/jpg"))], "unsupported_file_mimetype", "image"),
    ([("image", ("a.gif", b"GIF89a", "image/gif"))], "unsupported_file_mimetype", "image"),
    ([("image", ("a.png", JPEG, "image/png"))], "invalid_value", "image"),
    ([("image", ("a.png", PNG[:200], "image/png"))], "invalid_image_file", "image"),
    ([("image", ("", PNG, "image/png"))], "invalid_value", "image"),
    ([("image", (None, PNG, "image/png"))], "invalid_value", "image"),
    ([("image", ("a.png", PNG + bytes(50_000_000), "image/png"))], "invalid_value", "image"),
    ([("image", upload(1)), ("mask", upload(2))], "invalid_image_file", "mask"),
    ([("image", upload(1)), ("mask", upload(2, "jpeg"))], "unsupported_file_mimetype", "mask"),
    ([("image", upload(1)), ("mask", mask((48, 64)))], "invalid_value", "mask"),
    ([("image", upload(1)), ("mask", ("m.png", mask()[1] + bytes(4_000_000), "image/png"))], "invalid_value", "mask"),
    ([("image", upload(1)), ("mask", mask()), ("markup", mask())], "invalid_value", "markup"),
    ([("image", upload(1)), ("markup", upload(2))], "invalid_image_file", "markup"),
    ([("image", ("t.jpg", turned_jpeg(), "image/jpeg")), ("markup", mask())], "invalid_value", "markup"),
]


@pytest.mark.parametrize(("files", "code", "param"), WRONG_FILES, ids=range(len(WRONG_FILES)))
def test_wrong_files(fake: FakeOpenAI, client: httpx.Client, files: list[Any], code: str, param: str) -> None:
    assert_refused(fake, client.post("/images/edits", data=FORM, files=files), 400, code, param)


@pytest.mark.parametrize(
    "files",
    [
        [("image[]", upload(1))],
        [("image", ("t.jpg", turned_jpeg(), "image/jpeg")), ("mask", mask())],
        [("image", ("t.jpg", turned_jpeg(), "image/jpeg")), ("markup", mask((48, 64)))],
        [("image", upload(1)), ("mask", ("m.png", paletted_mask(), "image/png"))],
        [("image[]", upload(1)), ("image[]", upload(2, size=(9, 9))), ("mask", mask())],
    ],
    ids=range(5),
)
def test_right_files(fake: FakeOpenAI, client: httpx.Client, files: list[Any]) -> None:
    client.post("/images/edits", data=FORM, files=files).raise_for_status()
    assert fake.violations == []


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"moderation": "low"}, "unknown_parameter", "moderation"),
        ({"response_format": "b64_json"}, "unknown_parameter", "response_format"),
        ({"n": "two"}, "invalid_type", "n"),
        ({"n": "1.0"}, "invalid_type", "n"),
        ({"n": ""}, "invalid_type", "n"),
        ({"n": "11"}, "invalid_value", "n"),
        ({"n": ["1", "1"]}, "duplicate_parameter", "n"),
        ({"stream": "True"}, "invalid_type", "stream"),
        ({"stream": "1"}, "invalid_type", "stream"),
        ({"partial_images": "1"}, "invalid_value", "partial_images"),
        ({"prompt": ""}, "invalid_value", "prompt"),
        ({"input_fidelity": "high"}, "invalid_input_fidelity_model", "input_fidelity"),
        ({"input_fidelity": "low", "model": "gpt-image-2"}, "invalid_input_fidelity_model", "input_fidelity"),
        ({"input_fidelity": "low", "model": "gpt-image-2.6-flare"}, "invalid_input_fidelity_model", "input_fidelity"),
        ({"input_fidelity": "high", "model": "gpt-image-1-mini"}, "invalid_value", "input_fidelity"),
        ({"input_fidelity": "max", "model": "gpt-image-1.5"}, "invalid_value", "input_fidelity"),
    ],
)
def test_wrong_form_fields(
    fake: FakeOpenAI, client: httpx.Client, changes: dict[str, Any], code: str, param: str
) -> None:
    reply = client.post("/images/edits", data=FORM | changes, files={"image": upload(1)})
    assert_refused(fake, reply, 400, code, param)


def test_markup_needs_a_newer_model(fake: FakeOpenAI, client: httpx.Client) -> None:
    files = {"image": upload(1), "markup": mask()}
    reply = client.post("/images/edits", data=FORM | {"model": "gpt-image-2"}, files=files)
    assert_refused(fake, reply, 400, "invalid_value", "markup")


def test_a_text_field_sent_as_a_file(fake: FakeOpenAI, client: httpx.Client) -> None:
    files = [("image", upload(1)), ("n", ("n.txt", b"1", "text/plain"))]
    assert_refused(fake, client.post("/images/edits", data=FORM, files=files), 400, "invalid_type", "n")


def test_an_edit_without_any_image(fake: FakeOpenAI, client: httpx.Client) -> None:
    files: Any = [(name, (None, value.encode())) for name, value in FORM.items()]
    assert_refused(fake, client.post("/images/edits", files=files), 400, "missing_required_parameter", "image")


@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"--x\r\n\r\nno headers\r\n--x--\r\n", b"--y--\r\n"])
def test_broken_forms(fake: FakeOpenAI, client: httpx.Client, body: bytes) -> None:
    reply = client.post("/images/edits", content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    assert reply.status_code == 400
    assert len(fake.violations) >= 1


# Edits as JSON


def edit(image_url: str, **changes: Any) -> dict[str, Any]:
    return {"model": FLARE, "prompt": "A hat", "images": [{"image_url": image_url}]} | changes


def data_url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    "body",
    [
        edit(data_url(PNG), moderation="low", size="1536x1024"),
        edit("https://example.com/a.png"),
        edit(data_url(PNG), mask={"image_url": data_url(mask()[1])}),
        edit("https://example.com/a.png", images=[{"file_id": "file-1"}], mask={"file_id": "file-2"}),
    ],
)
def test_right_json_edits(fake: FakeOpenAI, client: httpx.Client, body: dict[str, Any]) -> None:
    client.post("/images/edits", json=body).raise_for_status()
    assert fake.violations == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (edit(data_url(PNG), size="1360x768"), "size"),
        (edit(data_url(PNG, "jpeg")), "image"),
        (edit("data:image/png;base64,***"), "images"),
        (edit("http://example.com/a.png"), "images"),
        (edit("data:image/png;base64," + "A" * 20_971_520), "images"),
        (edit("x", images=[]), "image"),
        (edit("x", images=[{"image_url": "https://e.com/a.png", "file_id": "file-1"}]), "images"),
        (edit(data_url(PNG), mask={"image_url": data_url(PNG)}), "mask"),
        (edit(data_url(PNG), markup={"image_url": data_url(PNG)}), "markup"),
    ],
    ids=range(9),
)
def test_wrong_json_edits(fake: FakeOpenAI, client: httpx.Client, body: dict[str, Any], param: str) -> None:
    reply = client.post("/images/edits", json=body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
    assert len(fake.violations) >= 1
