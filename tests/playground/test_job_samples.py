"""Code samples for providers with jobs run as copied: uploaded, sent, followed to the end, fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from providers.types import ImageRequest
from tests.fakes import fal_faults
from tests.fakes.faults import Fault
from tests.fakes.replicate_server import BLOCKED_TEXT, JobFails
from tests.fakes.runware_faults import TaskFails
from tests.playground.job_world import PLAIN, mask, noise
from tests.playground.sample_runs import COMMANDS, NASTY, Case, SentByTheClient, check_sample, code_of, need, staged

LANGUAGES = [name for name in COMMANDS if name != "sdk"]
INLINE, LARGE = (noise(1), noise(2)), noise(3, 1600)
ONE_POLL, AT_ONCE = {"polls": 1}, {"polls": 0}


def asking(**fields: Any) -> ImageRequest:
    return ImageRequest(NASTY, **(PLAIN | fields))


CASES: dict[str, Case] = {
    "Replicate": Case("replicate/gpt-image-2.5-flare", asking(), ONE_POLL),
    "Replicate with two keys": Case("replicate/gpt-image-1-mini", asking(images=(*INLINE, LARGE)), AT_ONCE),
    "Runware": Case("runware/gpt-image-2.5-flare", asking(n=2), ONE_POLL),
    "an edit at Runware": Case("runware/gpt-image-2.5-flare", asking(images=INLINE), AT_ONCE),
    "fal": Case("fal/gpt-image-2", asking(n=2), ONE_POLL),
    "an edit at fal": Case("fal/gpt-image-2", asking(images=(*INLINE, LARGE), mask=mask()), AT_ONCE),
}


FAILURES: dict[str, tuple[Fault, str]] = {
    "replicate": (JobFails(BLOCKED_TEXT), "safety system"),
    "runware": (TaskFails("invalidProviderContent"), "invalidProviderContent"),
    "fal": (fal_faults.BLOCKED, "content_policy_violation"),
}


@pytest.fixture(scope="module")
def sent_by_the_client() -> SentByTheClient:
    return SentByTheClient()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CASES)
def test_a_sample_sends_what_the_client_sends_and_writes_the_images(
    name: str, language: str, tmp_path: Path, sent_by_the_client: SentByTheClient
) -> None:
    check_sample(CASES[name], language, tmp_path, sent_by_the_client(name, CASES[name]))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("provider", FAILURES)
def test_a_job_that_fails_is_shown_and_ends_in_a_failure(provider: str, language: str, tmp_path: Path) -> None:
    need(language)
    case = Case(f"{provider}/gpt-image-2.5-flare", asking(), AT_ONCE)
    with staged(case) as stage:
        fault, words = FAILURES[provider]
        stage.fake.always(fault)
        done = stage.run(code_of(stage, language), language, tmp_path)
        assert done.returncode != 0
        assert words in done.stderr.decode()
        assert list(tmp_path.glob("result-*")) == []
