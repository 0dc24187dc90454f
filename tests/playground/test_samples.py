"""Code samples run as copied: what arrives is what the client sends for the same plan, and the images land on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground.samples import samples_of
from providers.types import ImageRequest
from tests.fakes import faults
from tests.playground.job_world import mask, noise
from tests.playground.sample_runs import COMMANDS, NASTY, Case, SentByTheClient, check_sample, code_of, need, staged

PLAIN: dict[str, Any] = {"size": "1024x1024", "quality": "low"}
TWO = (noise(1), noise(2))
EXTRA = {"DIPTYCH_SERVER_COMPATIBLE_EXTRA": '{"seed": 7}'}
BROKEN = faults.ErrorReply(500, "Our safety system had an error.", "server_error")


def asking(prompt: str = NASTY, **fields: Any) -> ImageRequest:
    return ImageRequest(prompt, **(PLAIN | fields))


CASES: dict[str, Case] = {
    "a generation": Case("openai/gpt-image-2", asking(n=2, output_format="webp", output_compression=70, user="u'1")),
    "a stream": Case("openai/gpt-image-2", asking(partial_images=2)),
    "an edit": Case("openai/gpt-image-2", asking("A fox", images=TWO[:1])),
    "an edit of two with a mask": Case("openai/gpt-image-2", asking(images=TWO, mask=mask(), output_format="jpeg")),
    "an edit as a stream": Case("openai/gpt-image-2", asking("A fox", images=TWO, partial_images=1)),
    "a server of one's own": Case("compatible/local-model", ImageRequest(NASTY, n=2), environ=EXTRA),
    "a server with addresses": Case("compatible/local-model", ImageRequest(NASTY), server=";response_format=url"),
    "a server with references": Case(
        "compatible/local-model", ImageRequest(NASTY, images=TWO), {"dialect": "localai"}, ";images=ref_images"
    ),
    # OpenAI's client makes no difference between these and the ones above.
    "a gateway": Case("lumenfall/gpt-image-2", asking(), but=("sdk",)),
    "an edit at a gateway": Case("lumenfall/gpt-image-1.5", asking(images=TWO), but=("sdk",)),
    "the Demo": Case("demo/flat", ImageRequest(NASTY, images=TWO, quality="low"), but=("sdk",)),
    # Longer than an argument of a command may be.
    "a long prompt": Case("openai/gpt-image-2", asking("🦊’" * 15_990 + "$'"), but=("python", "sdk", "javascript")),
}
RUNS = [(name, language) for name, case in CASES.items() for language in COMMANDS if language not in case.but]


@pytest.fixture(scope="module")
def sent_by_the_client() -> SentByTheClient:
    return SentByTheClient()


@pytest.mark.parametrize(("name", "language"), RUNS)
def test_a_sample_sends_what_the_client_sends_and_writes_the_images(
    name: str, language: str, tmp_path: Path, sent_by_the_client: SentByTheClient
) -> None:
    check_sample(CASES[name], language, tmp_path, sent_by_the_client(name, CASES[name]))


@pytest.mark.parametrize("fault", [faults.MODERATION_BLOCKED, BROKEN], ids=["refused", "broken"])
@pytest.mark.parametrize("language", COMMANDS)
def test_a_failure_is_shown_and_the_call_is_not_sent_again(language: str, fault: faults.Fault, tmp_path: Path) -> None:
    need(language)
    with staged(CASES["a generation"]) as stage:
        stage.fake.always(fault)
        done = stage.run(code_of(stage, language), language, tmp_path)
        assert done.returncode != 0
        assert b"safety system" in done.stderr
        assert stage.fake.posts == 1
        assert list(tmp_path.glob("result-*")) == []


def test_the_key_is_nowhere_but_in_the_environment() -> None:
    for case in CASES.values():
        with staged(case) as stage:
            for sample in samples_of(stage.subject()):
                assert all(key not in sample.code for key in stage.keys.values() if key)
