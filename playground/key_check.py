"""Testing a key with a call that costs nothing."""

from __future__ import annotations

import uuid

from playground.offered import access_of
from playground.services import Services
from providers.adapter import KeyCheckAdapter
from providers.adapters import ADAPTERS
from providers.bodies import with_call_id
from providers.catalog import Provider
from providers.errors import MissingKey, NotPermitted
from providers.jobs import in_words
from providers.types import KeyStatus


def has_free_check(provider: Provider) -> bool:
    """Whether the provider has a call that tells about a key and costs nothing."""
    return isinstance(ADAPTERS[provider.adapter], KeyCheckAdapter)


async def check_key(services: Services, provider: Provider, owner: str) -> KeyStatus | None:
    """What a free call tells about the owner's key; `None` when the provider has none, or none for this key.

    Takes 30 s at most.

    Raises: MissingKey when there is no key; ProviderError when the key is refused or nobody answers.
    """
    key = services.keys.find(provider, owner)
    if key is None:
        raise MissingKey(f"There is no key for {provider.name} to test. Save one first.", provider=provider.name)
    adapter = ADAPTERS[provider.adapter]
    if not isinstance(adapter, KeyCheckAdapter):
        return None
    access = access_of(provider, key, services.settings)
    # Runware wants an id of our own in every call, also in one that makes nothing.
    call = with_call_id(adapter.check(), str(uuid.uuid4()))
    async with in_words(access):
        try:
            return adapter.parse_check(await services.client.jobs.free(call, access, adapter))
        except NotPermitted:
            # A restricted key may not list models, and make images all the same.
            return None
