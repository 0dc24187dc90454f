"""How each provider that this installation offers is reached, and with whose keys."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from playground.keys import FoundKey, KeyFinder
from playground.settings import LOOPBACK_HOSTS, Settings
from providers.adapter import HttpCall
from providers.bodies import secrets_of
from providers.catalog import Catalog, Offer, Provider
from providers.errors import MissingKey
from providers.fetching import FetchRules
from providers.transport import Access

UNTOLD = "https://address-not-told.example"
"""Stands for the address of an operator's own server, which visitors are not told; by RFC 2606 nobody has it."""


def access_of(provider: Provider, key: FoundKey, settings: Settings) -> Access:
    """How the provider is reached with that key; `secrets` are added by `with_secrets`."""
    moved = settings.base_urls.get(provider.provider_id)
    upload_url = settings.upload_urls.get(provider.provider_id)
    if upload_url is None and provider.upload_url == provider.base_url:
        upload_url = moved or provider.base_url
    elif upload_url is None and moved is None:
        # A provider that moved takes uploads where its operator says, and otherwise none: files then travel in the call.
        upload_url = provider.upload_url
    # Nor is a moved provider's key taken to the usual list of jobs.
    jobs_url = settings.jobs_urls.get(provider.provider_id) or (provider.jobs_url if moved is None else None)
    return Access(
        provider,
        moved or provider.base_url,
        key.secret.reveal() if key.secret else None,
        upload_url=upload_url,
        jobs_url=jobs_url,
        fetch_rules=fetch_rules(
            moved or provider.base_url, settings, is_own=moved is not None or _is_server(provider, settings)
        ),
    )


def told_access(provider: Provider, settings: Settings) -> Access:
    """How the provider is reached, without any key, as whoever asks may be told it.

    In public mode a provider that the operator moved stands at its usual address, and a server of theirs at `UNTOLD`.
    """
    if settings.mode != "local":
        provider = replace(provider, base_url=UNTOLD) if _is_server(provider, settings) else provider
        settings = replace(settings, base_urls={}, upload_urls={}, jobs_urls={})
    return access_of(provider, FoundKey("none", None), settings)


def is_told(provider: Provider, settings: Settings) -> bool:
    """Whether `told_access` is the way that calls really go."""
    here = provider.provider_id in (*settings.base_urls, *settings.upload_urls) or _is_server(provider, settings)
    return settings.mode == "local" or not here


def fetch_rules(base_url: str, settings: Settings, *, is_own: bool) -> FetchRules:
    """Where images may be fetched from. `is_own`: the operator set the base URL, so its host is trusted with any address."""
    host = _host(base_url)
    loopback = host in LOOPBACK_HOSTS
    own = {host} if is_own and host and not loopback else set()
    return FetchRules(frozenset(own | set(settings.image_hosts)), loopback)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _is_server(provider: Provider, settings: Settings) -> bool:
    return any(server.server_id == provider.provider_id for server in settings.servers)


def with_secrets(access: Access, call: HttpCall, keys: KeyFinder, catalog: Catalog, owner: str, offer: Offer) -> Access:
    """The access with the owner's keys of other providers that the call's body needs. Raises: MissingKey."""
    secrets = {}
    for secret in secrets_of(call):
        other = catalog.provider(secret.provider_id)
        found = keys.find_for(offer, other, owner, is_use=True)
        if found is None or found.secret is None:
            raise MissingKey(missing_words(access.provider, other), provider=other.name)
        secrets[secret.provider_id] = found.secret.reveal()
    return replace(access, secrets=secrets) if secrets else access


def missing_words(provider: Provider, other: Provider) -> str:
    """What to do when a provider's model needs the key of another."""
    return (
        f"This model at {provider.name} runs on your own {other.name} key, and there is none. Add it in Settings, or set "
        f"{other.key_variable} where the app starts. Nothing was sent."
    )
