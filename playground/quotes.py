"""What a provider itself says a run would cost, where it tells that for free. Nothing is made, and nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from playground.keys import KeyRing
from playground.offered import access_of, with_secrets
from playground.plan import Plan, PlannedRun
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from providers.catalog import Catalog
from providers.client import Client
from providers.errors import ProviderError
from providers.transport import Transport


async def quotes_of(plan: Plan, settings: Settings, catalog: Catalog) -> Mapping[str, int | str]:
    """Micro-dollars by offer, or in words why there is no figure; an offer whose provider cannot tell is left out.

    For the operator at the shell, with the keys of the environment.
    """
    client, keys = Client(Transport()), KeyRing(replace(settings, mode="local"))
    try:
        return await _asked(plan, client, keys, settings, catalog)
    finally:
        await client.close()


async def _asked(
    plan: Plan, client: Client, keys: KeyRing, settings: Settings, catalog: Catalog
) -> Mapping[str, int | str]:
    async def ask(run: PlannedRun) -> tuple[str, int | str | None]:
        key = keys.find(run.provider, LOCAL_OWNER)
        if key is None:
            return run.offer.offer_id, f"There is no key for {run.provider.name}."
        try:
            access = with_secrets(
                access_of(run.provider, key, settings), run.call, keys, catalog, LOCAL_OWNER, run.offer
            )
            found = [await client.quote(call.call, access) for call in run.calls]
        except ProviderError as error:
            return run.offer.offer_id, error.message
        return run.offer.offer_id, None if None in found else sum(amount for amount in found if amount is not None)

    asked = await asyncio.gather(*(ask(run) for run in plan.runs if not run.problems))
    return {offer: quote for offer, quote in asked if quote is not None}
