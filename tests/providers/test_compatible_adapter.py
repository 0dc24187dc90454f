"""The adapter for OpenAI-compatible servers: smallest bodies, judged by six dialects' rules."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import orjson
import pytest

from providers.adapter import HttpCall, Reply
from providers.adapters.compatible import CompatibleAdapter, CompatibleFacts
from providers.bodies import encoded
from providers.catalog import Catalog
from providers.checks import problems_of
from providers.rows import openai
from providers.rows.compatible import server
from providers.types import FieldHandling, ImageRequest
from tests.fakes import compatible_rules
from tests.fakes.compatible_dialects import DIALECTS, DialectName
from tests.fakes.wire import Part
from tests.providers.building import built_by, made_image

MASKS = CompatibleFacts(mask_field="mask")
PROVIDER = server("local", "My server", "http://localhost:8080/v1/", key_variable="LOCAL_API_KEY", facts=MASKS)
CATALOG = Catalog((PROVIDER,), openai.MODELS, ())
ADAPTER = CompatibleAdapter()


IMAGE, MASK = made_image(), made_image("#00000000", "RGBA")
FOX = ImageRequest("A red fox")
SMALLEST = {"model": "flux", "prompt": "A red fox", "n": 1, "response_format": "b64_json"}


def built(
    request: ImageRequest, model: str = "flux", catalog: Catalog = CATALOG
) -> tuple[HttpCall, dict[str, FieldHandling]]:
    return built_by(ADAPTER, request, f"local/{model}", catalog)


def refusals(call: HttpCall, dialect: DialectName) -> list[tuple[str, str | None, bool]]:
    if call.json is not None:
        verdict = compatible_rules.judge_generation(call.json, DIALECTS[dialect], ["flux"], ())
    else:
        parts = [Part(name, None, None, value.encode()) for name, value in call.form]
        parts += [Part(part.name, part.filename, part.media_type, part.data) for part in call.files]
        verdict = compatible_rules.judge_edit(tuple(parts), DIALECTS[dialect], ["flux"], ())
    return [(found.kind, found.param, found.broken) for found in verdict.refusals]


def test_the_smallest_generation() -> None:
    call, rows = built(FOX)
    assert call == HttpCall("POST", "/images/generations", json=SMALLEST)
    assert list(rows) == ["prompt", "n"]


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "sdcpp"])
def test_every_server_takes_the_smallest_bodies(dialect: DialectName) -> None:
    assert refusals(built(replace(FOX, n=4, aspect_ratio="16:9"))[0], dialect) == []
    if DIALECTS[dialect].edits:
        assert refusals(built(replace(FOX, images=(IMAGE,)))[0], dialect) == []
        assert refusals(built(replace(FOX, images=(IMAGE, IMAGE)))[0], dialect) == []


@pytest.mark.parametrize("request_", [FOX, replace(FOX, images=(IMAGE,), mask=MASK)])
def test_a_server_that_refuses_the_answer_form_is_asked_without_it_once(request_: ImageRequest) -> None:
    call, _ = built(request_)
    assert refusals(call, "sdcpp") == [("unknown", "response_format", False)]
    reply = Reply(
        400, {}, b'{"error":{"message":"Unknown parameter: \'response_format\'.","code":"unknown_parameter"}}'
    )
    simpler = ADAPTER.simpler(call, reply)
    assert simpler is not None
    assert refusals(simpler, "sdcpp") == []
    assert (simpler.path, simpler.files) == (call.path, call.files)
    assert ADAPTER.simpler(simpler, reply) is None


@pytest.mark.parametrize(
    ("status", "body", "drops"),
    [
        (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "response_format"], "msg": "no"}]}, True),
        (400, {"error": "response_format is not supported"}, True),
        (400, {"error": {"message": "Bad value", "param": "response_format"}}, True),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "no", "input": {"response_format": "b64_json"}}]}, False),
        (500, {"error": "response_format is not supported"}, False),
        (400, {"error": "size is not supported"}, False),
    ],
)
def test_only_a_refusal_that_names_the_answer_form_drops_it(status: int, body: object, drops: bool) -> None:
    simpler = ADAPTER.simpler(built(FOX)[0], Reply(status, {}, orjson.dumps(body)))
    assert (simpler is not None) == drops
    if simpler is not None:
        assert simpler.json == {"model": "flux", "prompt": "A red fox", "n": 1}


@pytest.mark.parametrize(
    ("asked", "sent", "handling"),
    [
        ({"size": "auto"}, {}, "converted"),
        ({"size": "513x700"}, {"size": "513x700"}, "passthrough"),
        ({"size": "16:9"}, {"size": "1360x768"}, "converted"),
        ({"size": "large"}, {}, "refused"),
        ({"size": "9000x9000"}, {}, "refused"),
        ({"aspect_ratio": "16:9"}, {"size": "1360x768"}, "converted"),
        ({"aspect_ratio": "wide"}, {}, "refused"),
        ({"resolution": "2K"}, {"size": "2048x2048"}, "converted"),
        ({"resolution": "512"}, {"size": "512x512"}, "converted"),
        ({"aspect_ratio": "1:1", "size": "512x768"}, {"size": "512x768"}, "refused"),
        ({"quality": "hd"}, {"quality": "hd"}, "passthrough"),
        ({"quality": "auto"}, {}, "converted"),
        ({"background": "transparent"}, {"background": "transparent"}, "passthrough"),
        ({"moderation": "auto"}, {}, "converted"),
        ({"moderation": "low"}, {"moderation": "low"}, "passthrough"),
        ({"output_format": "webp"}, {"output_format": "webp"}, "passthrough"),
        ({"output_format": "avif"}, {}, "emulated"),
        ({"output_format": "bmp"}, {}, "refused"),
        (
            {"output_compression": 60, "output_format": "jpeg"},
            {"output_compression": 60, "output_format": "jpeg"},
            "passthrough",
        ),
        ({"output_compression": 60}, {}, "refused"),
        ({"output_compression": 160, "output_format": "jpeg"}, {"output_format": "jpeg"}, "refused"),
        ({"input_fidelity": "high"}, {}, "refused"),
        ({"partial_images": 2}, {}, "refused"),
        ({"user": "u-1"}, {"user": "u-1"}, "passthrough"),
        ({"mask": MASK}, {}, "refused"),
    ],
)
def test_a_field_of_a_generation(asked: dict[str, Any], sent: dict[str, object], handling: str) -> None:
    call, rows = built(replace(FOX, **asked))
    assert call.json == SMALLEST | sent
    assert rows[next(iter(asked))].handling == handling
    assert [found for found in refusals(call, "litellm") if found[2]] == []


def test_an_edit_is_these_parts() -> None:
    call, rows = built(replace(FOX, n=2, size="512x512", input_fidelity="high", images=(IMAGE, IMAGE), mask=MASK))
    assert (call.method, call.path, call.json) == ("POST", "/images/edits", None)
    assert call.form == (
        *(("model", "flux"), ("prompt", "A red fox"), ("n", "2"), ("size", "512x512")),
        *(("input_fidelity", "high"), ("response_format", "b64_json")),
    )
    assert [(part.name, part.filename) for part in call.files] == [
        *(("image[]", "image-1.png"), ("image[]", "image-2.png"), ("mask", "mask.png")),
    ]
    assert rows["images"].sent_as == "image[]"
    assert [part.name for part in built(replace(FOX, images=(IMAGE,)))[0].files] == ["image"]


def own(facts: CompatibleFacts, **limits: Any) -> Catalog:
    row = server("local", "My server", "http://localhost:8080", key_variable=None, facts=facts, **limits)
    return Catalog((row,), openai.MODELS, ())


def test_a_server_is_asked_as_its_owner_says() -> None:
    catalog = own(CompatibleFacts("image", "mask_image", "url", {"seed": 7, "lora": {"scale": 0.5}}))
    call, rows = built(replace(FOX, images=(IMAGE, IMAGE), mask=MASK), catalog=catalog)
    assert [part.name for part in call.files] == ["image", "image", "mask_image"]
    assert call.form == (
        *(("model", "flux"), ("prompt", "A red fox"), ("n", "1"), ("seed", "7"), ("lora", '{"scale":0.5}')),
        ("response_format", "url"),
    )
    assert (rows["images"].sent_as, rows["mask"].sent_as, rows["mask"].handling) == ("image", "mask_image", "renamed")
    assert (rows["seed"].value, rows["seed"].note) == (7, "Set for this server where the app starts.")
    call, _ = built(FOX, catalog=own(CompatibleFacts(answer_form=None, extra={"seed": 7})))
    assert call.json == {"model": "flux", "prompt": "A red fox", "n": 1, "seed": 7}


def test_references_can_stand_in_a_generation_as_bare_base64() -> None:
    call, rows = built(replace(FOX, images=(IMAGE,)), catalog=own(CompatibleFacts("ref_images")))
    body = orjson.loads(encoded(call, {}))
    assert (call.path, call.files, rows["images"].sent_as) == ("/images/generations", (), "ref_images")
    assert body == SMALLEST | {"ref_images": [base64.b64encode(IMAGE.data).decode()]}
    assert compatible_rules.judge_generation(body, DIALECTS["localai"], ["flux"], ()).refusals == []


@pytest.mark.parametrize(
    ("facts", "limits", "field", "words"),
    [
        (CompatibleFacts(), {}, "mask", "say in DIPTYCH_SERVERS what its field is called"),
        (CompatibleFacts("ref_images"), {}, "mask", "References in a generation have none."),
        (CompatibleFacts(), {"has_edits": False}, "images", "My server makes no edits. Remove the reference images"),
    ],
)
def test_what_a_server_cannot_do_is_a_problem_and_never_dropped_in_silence(
    facts: CompatibleFacts, limits: dict[str, Any], field: str, words: str
) -> None:
    catalog = own(facts, **limits)
    spec = catalog.spec(catalog.offer("local/flux"))
    asked = replace(FOX, images=(IMAGE,), mask=MASK, lock_outside_mask=False)
    found = {problem.field: problem.message for problem in problems_of(asked, spec, catalog.provider("local"))}
    assert words in found[field]
    call, rows = built(asked, catalog=catalog)
    assert rows["mask"].handling == "refused"
    assert [part.name for part in call.files if part.name != "image"] == []


def test_a_makers_model_behind_a_server_has_the_servers_rules() -> None:
    asked = replace(FOX, aspect_ratio="16:9", quality="max", partial_images=1, background="opaque")
    call, rows = built(asked, "gpt-image-1.5")
    assert call.json == SMALLEST | {
        "model": "gpt-image-1.5",
        "size": "1360x768",
        "quality": "max",
        "background": "opaque",
    }
    assert rows["partial_images"].handling == "refused"


def test_nothing_but_the_impossible_stops_a_request() -> None:
    spec = CATALOG.spec(CATALOG.offer("local/flux"))
    odd = replace(FOX, size="512x768", quality="hd", background="transparent", moderation="low", output_format="avif")
    assert list(problems_of(odd, spec, PROVIDER)) == []
    assert [problem.field for problem in problems_of(replace(FOX, n=11), spec, PROVIDER)] == ["n"]
    assert (spec.model_id, spec.max_n_per_call, spec.max_partials) == ("flux", 4, 0)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:8080", "http://localhost:8080/v1"),
        ("http://localhost:8080/", "http://localhost:8080/v1"),
        (" https://host/v1/ ", "https://host/v1"),
        ("https://host/openai/v1", "https://host/openai/v1"),
    ],
)
def test_a_base_url_with_or_without_v1(given: str, kept: str) -> None:
    row = server("a", "A", given, key_variable=None, base_url_variable="A_BASE_URL")
    assert (row.base_url, row.base_url_variable, row.key_is_optional) == (kept, "A_BASE_URL", True)
