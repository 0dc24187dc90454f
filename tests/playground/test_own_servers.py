"""OpenAI-compatible servers that their owner named, in every dialect known: from the environment to stored images."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from playground.addresses import SettingsError
from playground.engine import PlanRefused
from playground.key_check import check_key
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from providers.errors import InvalidKey, ModelUnavailable
from providers.rows import CATALOG
from tests.fakes.compatible_dialects import DIALECTS, DialectName
from tests.fakes.compatible_server import (
    BAD_KEY_DETAIL,
    BUSY,
    NOT_AVAILABLE,
    NOT_LOADED,
    VLLM_BAD_REQUEST,
    FakeCompatible,
)
from tests.fakes.http_fake import RawReply
from tests.harness import Harness
from tests.playground.test_gateways import FOX, IMAGES, MASK, check_kept, ran

Make = Callable[..., Harness]
KEY = "local-key-0123456789"
OFFER = "sd/local-model"
ALL: list[DialectName] = list(DIALECTS)
WITH_EDITS = [name for name in ALL if DIALECTS[name].edits]


def named(harness: Make, fake: FakeCompatible, *, key: str = "", **environ: str) -> Harness:
    """The application as its operator starts it, with the server under the name `sd`."""
    environ = environ or {"DIPTYCH_SERVERS": f" sd = {fake.base_url}/ , other=http://127.0.0.1:9"}
    environ |= {"DIPTYCH_SERVER_SD_KEY": key} if key else {}
    settings = Settings.from_env(environ, CATALOG)
    keys = {name: secret.reveal() for name, secret in settings.keys.items()}
    return harness(settings=settings, key=None, keys=keys)


def authorizations(fake: FakeCompatible) -> set[str | None]:
    return {call.headers.get("authorization") for call in fake.calls}


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.asyncio
async def test_a_server_without_a_key_makes_images_and_sees_none(dialect: DialectName, harness: Make) -> None:
    with FakeCompatible(dialect=dialect) as fake:
        view = await ran(named(harness, fake), replace(FOX, n=3, size="640x480"), OFFER)
        check_kept(view, fake)
        assert {(image.width, image.height) for image in view.images} == {(640, 480)}
        assert authorizations(fake) == {None}
        # One dialect refuses the field `response_format`, and is asked once more without it.
        assert (fake.posts, fake.repeats, fake.creates) == (2 if dialect == "sdcpp" else 1, 0, 1)
    told = dialect == "litellm"
    assert (view.cost_microusd, view.ledger_state) == ((40_000, "settled") if told else (None, "unknown"))
    assert view.run.estimate_microusd is None


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.asyncio
async def test_a_server_with_a_key_gets_it_with_calls_and_not_with_files(dialect: DialectName, harness: Make) -> None:
    with FakeCompatible(dialect=dialect, key=KEY) as fake:
        fake.answer_form, fake.url_form = "url", "absolute"
        check_kept(await ran(named(harness, fake, key=KEY), FOX, OFFER), fake)
        posts = [call for call in fake.calls if call.method == "POST"]
        assert {call.headers.get("authorization") for call in posts} == {f"Bearer {KEY}"}
        assert {call.headers.get("authorization") for call in fake.calls if call.method == "GET"} <= {None}
        assert len(fake.media_reads) == 1


@pytest.mark.parametrize("url_form", ["absolute", "relative", "data"])
@pytest.mark.parametrize("dialect", ["plain", "localai", "aquiles"])
@pytest.mark.asyncio
async def test_every_form_of_address_leads_to_the_image(dialect: DialectName, url_form: Any, harness: Make) -> None:
    with FakeCompatible(dialect=dialect) as fake:
        fake.answer_form, fake.url_form = "url", url_form
        check_kept(await ran(named(harness, fake), replace(FOX, n=2), OFFER), fake)


@pytest.mark.parametrize("created", [None, 1795248000.5])
@pytest.mark.asyncio
async def test_base64_may_be_a_data_uri_and_the_time_may_be_missing(created: float | None, harness: Make) -> None:
    with FakeCompatible() as fake:
        fake.b64_form, fake.created = "data_uri", created
        check_kept(await ran(named(harness, fake), replace(FOX, n=4), OFFER), fake)


@pytest.mark.asyncio
async def test_the_one_server_has_its_own_two_variables(harness: Make) -> None:
    with FakeCompatible(key=KEY) as fake:
        environ = {"DIPTYCH_OPENAI_BASE_URL": fake.origin, "DIPTYCH_OPENAI_API_KEY": KEY}
        # Without a path /v1 is meant, as every known server has it.
        check_kept(await ran(named(harness, fake, **environ), FOX, "compatible/local-model"), fake)


@pytest.mark.parametrize(("changes", "counts"), [({"n": 4}, [4]), ({"n": 5}, [4, 1]), ({"n": 10}, [4, 4, 2])])
@pytest.mark.asyncio
async def test_many_images_are_several_calls(changes: dict[str, Any], counts: list[int], harness: Make) -> None:
    with FakeCompatible() as fake:
        check_kept(await ran(named(harness, fake), replace(FOX, **changes), OFFER), fake)
        assert sorted(call.json()["n"] for call in fake.calls if call.method == "POST") == sorted(counts)


# Edits


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("dialect", WITH_EDITS)
@pytest.mark.asyncio
async def test_edits(dialect: DialectName, count: int, harness: Make) -> None:
    with FakeCompatible(dialect=dialect) as fake:
        check_kept(await ran(named(harness, fake), replace(FOX, images=IMAGES[:count]), OFFER), fake)


MASKED = replace(FOX, images=IMAGES[:2], mask=MASK)
WITH_MASKS = [(name, field) for name in WITH_EDITS for field in DIALECTS[name].mask_fields]


@pytest.mark.parametrize(("dialect", "field"), WITH_MASKS)
@pytest.mark.asyncio
async def test_a_mask_goes_by_the_name_the_owner_gives(dialect: DialectName, field: str, harness: Make) -> None:
    with FakeCompatible(dialect=dialect) as fake:
        environ = {"DIPTYCH_SERVERS": f"sd={fake.base_url}; mask={field}"}
        check_kept(await ran(named(harness, fake, **environ), MASKED, OFFER), fake)
        assert [part.name for part in fake.calls[0].parts() if part.filename] == ["image[]", "image[]", field]


@pytest.mark.asyncio
async def test_a_mask_is_not_sent_to_a_server_that_may_ignore_it(harness: Make) -> None:
    with FakeCompatible() as fake:
        one = named(harness, fake)
        with pytest.raises(PlanRefused) as raised:
            await one.run(replace(MASKED, lock_outside_mask=False), OFFER)
        assert fake.calls == []
        (view,) = await one.run(MASKED, OFFER)
        await one.stop()
        assert [part.name for part in fake.calls[0].parts() if part.filename] == ["image[]", "image[]"]
    assert [problem.field for problem in raised.value.problems] == ["mask"]
    (lock,) = view.locks
    assert (view.run.state, lock.state) == ("succeeded", "refused")
    assert "another shape" in lock.note


@pytest.mark.asyncio
async def test_a_mask_under_a_wrong_name_is_refused_by_the_server_that_looks(harness: Make) -> None:
    with FakeCompatible(dialect="vllm") as fake:
        view = await ran(named(harness, fake, DIPTYCH_SERVERS=f"sd={fake.base_url};mask=mask"), MASKED, OFFER)
        assert (fake.posts, fake.violations) == (1, [])
    assert view.run.error is not None
    assert (view.run.error.kind, view.run.error.param) == ("validation", "mask")
    assert "“mask”" in view.run.error.message


@pytest.mark.asyncio
async def test_options_and_further_fields_reach_the_server(harness: Make) -> None:
    with FakeCompatible(dialect="vllm") as fake:
        environ = {"DIPTYCH_SERVERS": f"sd={fake.base_url};max_n=1;images=image[];mask=mask_image"}
        environ["DIPTYCH_SERVER_SD_EXTRA"] = '{"seed": 7, "negative_prompt": "rain"}'
        one = named(harness, fake, **environ)
        (view,) = await one.run(replace(FOX, n=2), OFFER)
        check_kept(view, fake)
        assert [(call.json()["n"], call.json()["seed"]) for call in fake.calls] == [(1, 7), (1, 7)]
        (view,) = await one.run(replace(FOX, images=IMAGES[:1]), OFFER)
        await one.stop()
        assert view.run.state == "succeeded"
        texts = {part.name: part.data for part in fake.calls[-1].parts() if not part.filename}
        assert (texts["seed"], texts["negative_prompt"]) == (b"7", b"rain")
        assert [part.name for part in fake.calls[-1].parts() if part.filename] == ["image[]"]
        assert fake.violations == []


@pytest.mark.asyncio
async def test_localai_takes_references_in_a_generation(harness: Make) -> None:
    with FakeCompatible(dialect="localai") as fake:
        environ = {"DIPTYCH_OPENAI_BASE_URL": f"{fake.base_url};images=ref_images;response_format=url"}
        view = await ran(named(harness, fake, **environ), replace(FOX, images=IMAGES[:2]), "compatible/local-model")
        check_kept(view, fake)
        assert len(fake.calls[0].json()["ref_images"]) == 2
        assert fake.calls[0].json()["response_format"] == "url"


WRONG = [
    ("DIPTYCH_SERVERS", f"sd=http://h/v1;{option}", "images=ref_images")
    for option in ("mask", "mask=", "mask=a b", "mask=prompt", "max_n=0", "max_n=11", "max_n=two", "edits=maybe", "x=1")
]
WRONG += [
    ("DIPTYCH_SERVERS", "sd=http://h/v1;images=files", "images=ref_images"),
    ("DIPTYCH_SERVERS", "sd=http://h/v1;response_format=png", "response_format=no"),
    ("DIPTYCH_SERVERS", "sd=http://h/v1;max_n=1;max_n=2", "cannot be read"),
    ("DIPTYCH_SERVERS", "sd=http://h/v1;edits=no;mask=mask", "a mask and no edits"),
    ("DIPTYCH_SERVERS", "sd=http://h/v1;images=ref_images;mask=mask", "a mask and no edits"),
    ("DIPTYCH_OPENAI_BASE_URL", "http://h/v1;max_n=many", "max_n=1 to 10"),
    *(("DIPTYCH_SERVER_SD_EXTRA", text, "no JSON object") for text in ("seed=7", "[1]", "7", '{"seed": null}')),
    ("DIPTYCH_SERVER_SD_EXTRA", '{"prompt": "x"}', "'prompt'"),
    ("DIPTYCH_SERVER_SD_EXTRA", '{"a b": 1}', "no field's"),
]


@pytest.mark.parametrize(("variable", "value", "words"), WRONG)
def test_a_wrong_option_is_told_before_anything_starts(variable: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)) as raised:
        Settings.from_env({"DIPTYCH_SERVERS": "sd=http://h/v1", variable: value}, CATALOG)
    assert raised.value.variable == variable


@pytest.mark.asyncio
async def test_a_server_without_an_edits_route_says_so(harness: Make) -> None:
    with FakeCompatible(dialect="localai") as fake:
        view = await ran(named(harness, fake), replace(FOX, images=IMAGES[:1]), OFFER)
        assert (fake.posts, fake.violations) == (1, [])
    assert view.run.error is not None
    assert (view.run.state, view.run.error.kind) == ("failed", "not_found")
    assert "emove the input images" in view.run.error.message


# Refusals


FIELDS = {"quality": "high", "background": "opaque", "moderation": "low", "user": "u-1", "output_format": "webp"}


STRICT: list[DialectName] = ["plain", "vllm", "aquiles", "sdcpp"]
UNKNOWN = [(name, field) for name in STRICT for field in FIELDS if field not in (DIALECTS[name].fields or ())]


@pytest.mark.parametrize(("dialect", "field"), UNKNOWN)
@pytest.mark.asyncio
async def test_a_field_the_server_does_not_know_is_named_and_not_sent_again(
    dialect: DialectName, field: str, harness: Make
) -> None:
    with FakeCompatible(dialect=dialect) as fake:
        view = await ran(named(harness, fake), replace(FOX, **{field: FIELDS[field]}), OFFER)
        assert (fake.posts <= 2, fake.repeats, fake.creates, fake.violations) == (True, 0, 0, [])
    assert view.run.error is not None
    assert (view.run.state, view.run.error.kind, view.run.error.param) == ("failed", "validation", field)
    assert f"“{field}”" in view.run.error.message
    assert not view.run.error.retryable


@pytest.mark.asyncio
async def test_a_server_that_goes_on_refusing_is_asked_twice_at_most(harness: Make) -> None:
    words = "Unknown parameter: 'response_format'."
    with FakeCompatible() as fake:
        fake.always(
            RawReply(400, {"error": {"message": words, "code": "unknown_parameter", "param": "response_format"}})
        )
        view = await ran(named(harness, fake), FOX, OFFER)
        assert fake.posts == 2
        assert ["response_format" in call.json() for call in fake.calls] == [True, False]
    assert view.run.error is not None
    assert (view.run.state, view.run.error.kind) == ("failed", "validation")


SHAPES = [
    # Answer, kind, words, times sent
    (BAD_KEY_DETAIL, "auth", "refused the key", 1),
    (RawReply(401, {"error": {"message": "Invalid API key", "type": "x", "code": "401"}}), "auth", "refused the key", 1),
    (RawReply(403, {"detail": "API key missing"}), "auth", "asks for a key", 1),
    (RawReply(403, {"detail": "Forbidden"}), "permission", "does not allow", 1),
    (RawReply(404, {"error": {"message": "The model 'x' does not exist."}}), "not_found", "does not have this model", 1),
    (RawReply(404, b"<html><body>Not Found</body></html>"), "not_found", "no such route", 1),
    (RawReply(405, {"detail": "Method Not Allowed"}), "validation", "no such route", 1),
    (RawReply(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "n"], "msg": "Extra inputs are not permitted"}]}),
     "validation", "does not know the field “n”", 1),
    (RawReply(422, {"detail": "Cannot specify both image and image[]"}), "validation", "Cannot specify both", 1),
    (VLLM_BAD_REQUEST, "validation", "The prompt is too long.", 1),
    (BUSY, "rate_limit", "too many requests", 4),
    (NOT_AVAILABLE, "server", "Model not available", 4),
    (NOT_LOADED, "server", "has not loaded this model", 1),
    (RawReply(502, b"<html><h1>502 Bad Gateway</h1></html>"), "server", "502 Bad Gateway", 1),
    (RawReply(400, {"error": "model not loaded"}), "not_found", "does not have this model", 1),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "kind", "words", "posts"), SHAPES)
@pytest.mark.asyncio
async def test_every_shape_of_refusal_is_read(
    fault: RawReply, kind: str, words: str, posts: int, harness: Make
) -> None:
    with FakeCompatible() as fake:
        fake.always(fault)
        view = await ran(named(harness, fake), FOX, OFFER)
        assert (fake.posts, fake.violations) == (posts, [])
    assert view.run.error is not None
    assert view.run.error.kind == kind
    is_doubtful = fault.status in (500, 502)
    assert (view.cost_microusd, view.ledger_state) == ((None, "unknown") if is_doubtful else (0, "released"))
    assert words in view.run.error.message
    assert "{provider}" not in view.run.error.message
    assert view.run.error.message.startswith("sd ")


@pytest.mark.parametrize(
    "body", [{"data": None}, {"data": []}, {}, {"data": [{}]}, {"data": [None]}, [], b"", b"<html>"]
)
@pytest.mark.asyncio
async def test_an_answer_without_images_is_told(body: object, harness: Make) -> None:
    with FakeCompatible() as fake:
        fake.always(RawReply(200, body))
        view = await ran(named(harness, fake), FOX, OFFER)
        assert fake.posts == 1
    assert view.run.error is not None
    assert (view.run.state, view.run.error.kind, view.cost_microusd) == ("unknown", "malformed", None)


# Free calls


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.asyncio
async def test_a_probe_lists_the_models_and_makes_nothing(dialect: DialectName, harness: Make) -> None:
    with FakeCompatible(dialect=dialect, models=("one", "two")) as fake:
        one = named(harness, fake)
        provider = one.services.catalog.provider("sd")
        status = await check_key(one.services, provider, LOCAL_OWNER)
        assert status is not None
        assert (status.words, status.models) == ("The server answers and lists 2 models.", ("one", "two"))
        fake.models_status = 404
        with pytest.raises(ModelUnavailable) as raised:
            await check_key(one.services, provider, LOCAL_OWNER)
        assert raised.value.status == 404
        await one.stop()
        assert (fake.posts, fake.creates, fake.violations) == (0, 0, [])


@pytest.mark.parametrize("dialect", ["plain", "aquiles", "vllm"])
@pytest.mark.asyncio
async def test_a_probe_without_the_key_tells_that_one_is_needed(dialect: DialectName, harness: Make) -> None:
    with FakeCompatible(dialect=dialect, key=KEY) as fake:
        one = named(harness, fake)
        with pytest.raises(InvalidKey, match="asks for a key"):
            await check_key(one.services, one.services.catalog.provider("sd"), LOCAL_OWNER)
        await one.stop()
