"""Which key a run is sent with: the owner's, or the server's where it may pay."""

from __future__ import annotations

from dataclasses import replace

from playground.keys import FoundKey, KeyFinder, KeyRing
from playground.offered import missing_words
from playground.plan import Plan, PlannedRun
from playground.services import Services
from providers.errors import MissingKey


def key_of(services: Services, planned: PlannedRun, owner: str, keys: KeyFinder, *, is_sent: bool = False) -> FoundKey:
    """The key for the run's provider; its source is `session` when any key that the run needs was typed.

    Raises: MissingKey, unless `is_sent` also for another provider's key that its body needs.
    """
    provider, offer = planned.provider, planned.offer
    key = keys.find_for(offer, provider, owner, is_use=True)
    if key is None:
        raise MissingKey(
            f"There is no key for {provider.name}. {_what_to_do(services, planned)}", provider=provider.name
        )
    for other_id in offer.needs_key_of:
        other = services.catalog.provider(other_id)
        found = keys.find_for(offer, other, owner, is_use=True)
        if found is None and not is_sent:
            raise MissingKey(missing_words(provider, other), provider=other.name)
        # A bill of the server's beside one of the visitor's would be held against no limit.
        if found is not None and {found.source, key.source} == {"server", "session"} and _is_public(services):
            raise MissingKey(missing_words(provider, other), provider=other.name)
        if found is not None and found.source == "session":
            key = replace(key, source="session")
    if key.source == "server" and _is_public(services) and planned.estimate.high_microusd is None:
        raise MissingKey(
            f"Nobody can say what this will cost at {provider.name}, so this server does not pay for it. Choose a size and a "
            "quality, or add a key of your own in Settings. Nothing was sent.",
            provider=provider.name,
        )
    return key


def billed_here(services: Services, plan: Plan, owner: str) -> list[int | None]:
    """What limits hold of a plan, in micro-dollars for each run: all of it, or in public mode what the server's keys pay."""
    return [
        run.estimate.high_microusd if not _is_public(services) or _is_served(services.keys, run, owner) else 0
        for run in plan.runs
    ]


def _is_served(keys: KeyRing, run: PlannedRun, owner: str) -> bool:
    found = keys.find_for(run.offer, run.provider, owner)
    return found is not None and found.source == "server"


def _is_public(services: Services) -> bool:
    return services.settings.mode == "public"


def _what_to_do(services: Services, planned: PlannedRun) -> str:
    if not _is_public(services):
        return f"Add one in Settings, or set {planned.provider.key_variable} where the app starts. Nothing was sent."
    if services.settings.public.server_keys == "signed-in" and services.settings.public.can_sign_in:
        return "Add one of your own in Settings, or sign in there to see what this server pays for. Nothing was sent."
    return "Add one of your own in Settings; the Demo needs none. Nothing was sent."
