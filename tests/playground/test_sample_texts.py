"""Code samples as text: quoting that survives anything, and what is said where a call cannot be said."""

from __future__ import annotations

import ast
import inspect
import json
import random
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.keys import FoundKey
from playground.offered import access_of
from playground.offering import catalog_of
from playground.plan import make_plan
from playground.samples import Subject, literal_request, openai_sdk, samples_of, shell, subject_of
from playground.samples.jobs import JOBS
from playground.samples.literals import JAVASCRIPT, JSON, PYTHON, Leaf, source
from playground.settings import Settings
from providers.adapter import JobAdapter
from providers.adapters import ADAPTERS
from providers.rows import CATALOG
from providers.types import ImageRequest
from tests.playground.job_world import mask, noise
from tests.playground.sample_runs import need

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def no_leaf(leaf: Leaf) -> str:
    raise AssertionError(leaf)


def subject(offer: str, has_key: bool = True, environ: dict[str, str] | None = None, **fields: Any) -> Subject:
    settings = Settings.from_env(environ or {}, CATALOG)
    request = ImageRequest(**({"prompt": "A red fox"} | fields))
    (run,) = make_plan(request, [offer], catalog_of(settings, CATALOG)).runs
    return subject_of(run, access_of(run.provider, FoundKey("none", None), settings), has_key=has_key)


def code(one: Subject) -> dict[str, str]:
    return {sample.sample_id: sample.code for sample in samples_of(one)}


def notes(one: Subject) -> dict[str, str]:
    return {sample.sample_id: " ".join(sample.notes) for sample in samples_of(one)}


@given(VALUES)
def test_a_value_is_the_same_in_python_and_json(value: object) -> None:
    assert ast.literal_eval(source(value, PYTHON, no_leaf)) == value
    assert json.loads(source(value, JSON, no_leaf)) == value


def test_texts_are_the_same_in_javascript() -> None:
    need("javascript")
    rng = random.Random(7)
    signs = "'\"`\\$ {}\n\r\t\0\x7f<>/!#%é漢🦊\u200d\u2028\u2029\u202e\ufeff"
    texts = ["".join(rng.choices(signs, k=rng.randrange(12))) for _ in range(400)] + ["</script>", "${1+1}"]
    program = f"process.stdout.write(JSON.stringify({source(texts, JAVASCRIPT, no_leaf)}))"
    done = subprocess.run(["node", "--input-type=module"], input=program.encode(), capture_output=True, check=True)
    assert json.loads(done.stdout) == texts


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60))
def test_a_text_is_one_word_of_a_shell(text: str) -> None:
    done = subprocess.run(["sh", "-c", f"printf %s {shell.quoted(text)}"], capture_output=True, check=True)
    assert done.stdout.decode() == text


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200b", "\x85", "\ud800"])
def test_what_does_not_show_or_turns_the_text_is_written_out(character: str) -> None:
    assert source(character, JSON, no_leaf) == f'"\\u{ord(character):04x}"'


def test_joined_emoji_stay_readable() -> None:
    assert source("👨‍👩‍👧", JSON, no_leaf) == '"👨‍👩‍👧"'


def test_a_base_address_of_the_operator_is_only_a_word() -> None:
    moved = subject("openai/gpt-image-2", environ={"OPENAI_BASE_URL": "https://host/$(id)`id`}\"'/v1"})
    line = code(moved)["curl"].splitlines()[2]
    done = subprocess.run(["sh", "-c", f'{line}; printf %s "$BASE"'], capture_output=True, check=True)
    assert done.stdout == b"https://host/$(id)`id`}\"'/v1"


def test_the_literal_request_names_keys_and_files() -> None:
    edit = subject("replicate/gpt-image-1-mini", images=(noise(1), noise(2, 700)))
    request = literal_request(edit)
    assert request.url == "https://api.replicate.com/v1/models/openai/gpt-image-1-mini/predictions"
    assert request.headers == (
        ("Accept", "application/json"),
        ("Authorization", "Bearer $REPLICATE_API_TOKEN"),
        ("Content-Type", "application/json"),
        ("Prefer", "wait=1"),
        ("User-Agent", "diptych"),
    )
    body = json.loads(request.body)["input"]
    assert body["openai_api_key"] == "$OPENAI_API_KEY"
    assert body["input_images"] == [
        f"<image-1.png, image/png, 4 kB, sha256 {noise(1).sha256[:12]}…, as data URI>",
        f"<image-2.png, image/png, 491 kB, sha256 {noise(2, 700).sha256[:12]}…, uploaded first, its address stands here>",
    ]


def test_a_form_is_shown_field_by_field() -> None:
    request = literal_request(subject("openai/gpt-image-2", images=(noise(1),), mask=mask()))
    assert ("Content-Type", "multipart/form-data") in request.headers
    assert request.body.splitlines()[:3] == ["model: gpt-image-2", "prompt: A red fox", "n: 1"]
    assert request.body.splitlines()[-1].startswith("mask: <mask.png, image/png, ")


def test_a_server_without_a_key_is_sent_none() -> None:
    local = subject("sd/x", has_key=False, environ={"DIPTYCH_SERVERS": "sd=http://127.0.0.1:1234/v1"})
    assert "Authorization" not in dict(literal_request(local).headers)
    assert all("uthorization" not in text for text in code(local).values())
    assert 'api_key="none"' in code(local)["sdk"]


def test_the_demo_has_no_address_and_says_so() -> None:
    demo = subject("demo/flat", has_key=False)
    assert 'BASE="${BASE_URL:?' in code(demo)["curl"]
    assert "has no address: set BASE_URL" in notes(demo)["curl"]
    assert "demo.invalid" not in "".join(code(demo).values())


def test_where_openais_client_cannot_make_the_call_it_is_said() -> None:
    for offer in ("replicate/gpt-image-2", "runware/gpt-image-2.5-flare", "fal/gpt-image-2"):
        assert code(subject(offer))["sdk"] == ""
        assert notes(subject(offer))["sdk"].startswith("OpenAI’s client does not speak the format of ")
    own = {"DIPTYCH_SERVERS": "sd=http://127.0.0.1:1234/v1;images=image;mask=mask_image"}
    for fields in ({"images": (noise(1), noise(2))}, {"images": (noise(1),), "mask": mask()}):
        assert notes(subject("sd/x", environ=own, **fields))["sdk"].startswith("OpenAI’s client has names of its own")
    assert code(subject("sd/x", environ=own, images=(noise(1),)))["sdk"]


def test_its_arguments_are_those_of_openais_client() -> None:
    client = pytest.importorskip(
        "openai", reason="The openai package is not installed: its arguments are not compared."
    )
    assert set(inspect.signature(client.resources.Images.generate).parameters) >= openai_sdk.GENERATE
    assert set(inspect.signature(client.resources.Images.edit).parameters) >= openai_sdk.EDIT | {"image", "mask"}
    assert openai_sdk.EDIT.isdisjoint({"moderation", "style"})


def test_a_nul_in_a_form_is_for_no_command_line() -> None:
    edit = subject("openai/gpt-image-2", prompt="a\0b", images=(noise(1),))
    assert (code(edit)["curl"], notes(edit)["curl"]) == (
        "",
        "The prompt holds a NUL character, which no command line can pass on.",
    )
    assert "a\\u0000b" in code(edit)["python"]
    assert code(subject("openai/gpt-image-2", prompt="a\0b"))["curl"]


def test_one_of_several_calls_says_how_many_there_are() -> None:
    several = subject("fal/gpt-image-2", n=6)
    assert several.calls == (4, 2)
    assert "The first of 2 calls that go out at once, for 4 and 2 images." in notes(several)["python"]


def test_what_is_read_and_written_is_said() -> None:
    edit = subject("openai/gpt-image-2", images=(noise(1), noise(2)), mask=mask(), output_format="webp")
    words = "Reads image-1.png, image-2.png and mask.png from its folder and writes result-1.webp."
    assert all(words in text for text in notes(edit).values())


def test_every_format_with_jobs_follows_them_to_the_end() -> None:
    assert {name for name, adapter in ADAPTERS.items() if isinstance(adapter, JobAdapter)} == set(JOBS)


def test_text_of_the_prompt_adds_no_imports() -> None:
    assert "import time" not in code(subject("openai/gpt-image-2", prompt="Once upon a time. uuid. json."))["python"]


def test_python_samples_are_python() -> None:
    for offer in ("openai/gpt-image-2", "fal/gpt-image-2", "runware/gpt-image-2.5-flare", "replicate/gpt-image-2"):
        for fields in ({}, {"images": (noise(1),)}):
            texts = code(subject(offer, **fields))
            for name in ("python", "sdk"):
                ast.parse(texts[name])
