"""Testing a key costs nothing, tells what the provider tells, and never takes one that may do little for a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from playground.key_check import check_key, has_free_check
from playground.services import LOCAL_OWNER
from providers.errors import InvalidKey, MissingKey, ProviderDown
from providers.rows import CATALOG
from providers.types import KeyStatus
from tests.fakes.fal_server import FakeFal
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.replicate_server import FakeReplicate
from tests.fakes.runware_server import FakeRunware
from tests.harness import Harness
from tests.providers.test_fetching import Site, reply

Make = Callable[..., Harness]
FAKES: dict[str, Any] = {"openai": FakeOpenAI, "replicate": FakeReplicate, "runware": FakeRunware}


async def checked(harness: Make, provider_id: str, url: str, key: str | None) -> KeyStatus | None:
    one = harness(urls={provider_id: url}, key=None, keys={provider_id: key} if key else {})
    try:
        return await check_key(one.services, CATALOG.provider(provider_id), LOCAL_OWNER)
    finally:
        await one.stop()
        one.close()


@pytest.mark.parametrize("provider_id", FAKES)
@pytest.mark.asyncio
async def test_a_good_key_is_good_and_a_wrong_one_is_refused(provider_id: str, harness: Make) -> None:
    with FAKES[provider_id]() as fake:
        status = await checked(harness, provider_id, fake.base_url, fake.key)
        assert status is not None
        assert "good" in status.words or "Signed in as test-account" in status.words
        if provider_id == "openai":
            assert "gpt-image-2" in status.models
        if provider_id == "runware":
            assert status.balance_microusd == 12_340_000
        assert (fake.posts, fake.violations) == (0, [])
        with pytest.raises(InvalidKey):
            await checked(harness, provider_id, fake.base_url, f"{fake.key}-and-more")


@pytest.mark.asyncio
async def test_a_provider_without_a_free_call_is_not_asked(harness: Make) -> None:
    with FakeFal() as fake:
        assert not has_free_check(CATALOG.provider("fal"))
        assert await checked(harness, "fal", fake.base_url, fake.key) is None
        assert fake.calls == []


@pytest.mark.asyncio
async def test_a_key_that_may_not_list_models_is_not_called_a_bad_one(harness: Make) -> None:
    """Restricted keys of OpenAI can make images and not list models: the answer 403 says nothing about images."""
    words = {"error": {"message": "Missing scopes: api.model.read", "type": "invalid_request_error", "code": None}}
    with Site(**{"v1/models": [reply(403, orjson.dumps(words))]}) as site:
        assert await checked(harness, "openai", site.url("v1"), "sk-restricted-0123456789") is None


@pytest.mark.asyncio
async def test_no_key_and_no_answer_are_told(harness: Make) -> None:
    with pytest.raises(MissingKey, match="There is no key for OpenAI"):
        await checked(harness, "openai", "http://127.0.0.1:9/v1", None)
    with Site(**{"v1/models": [reply(500, b"")]}) as site, pytest.raises(ProviderDown):
        await checked(harness, "openai", site.url("v1"), "sk-0123456789")
