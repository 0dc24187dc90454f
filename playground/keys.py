"""Keys: from the server's environment, or typed by a visitor and held in memory for a limited time.

Nothing here is ever written to disk. A visitor's key belongs to an owner id and ends by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from playground.settings import Secret, Settings, clean_key
from providers.catalog import Provider

KeySource = Literal["server", "session", "none"]

SESSION_KEY_LIFE_S = 12 * 3600.0
MAX_OWNERS = 5_000
"""Owners whose keys are held at once; the one that ends first goes when a new one comes."""


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key and where it came from. `secret` is `None` for a provider that needs none."""

    source: KeySource
    secret: Secret | None
    ends_in_s: float | None = None
    """Seconds until a session key is forgotten."""


class KeyFinder(Protocol):
    """Whoever knows keys."""

    def find(self, provider: Provider, owner: str) -> FoundKey | None:
        """The key for the provider, or `None` when there is none for this owner."""


class KeyRing:
    """Finds the key for a provider and an owner. Safe to use from several threads."""

    def __init__(self, settings: Settings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._session: dict[str, dict[str, tuple[float, Secret]]] = {}

    def find(self, provider: Provider, owner: str) -> FoundKey | None:
        """The owner's own key, else the server's where the mode allows it, else `None`."""
        if provider.key_variable is None:
            return FoundKey("none", None)
        held = self._held(owner).get(provider.provider_id)
        if held is not None:
            return FoundKey("session", held[1], held[0] - self._monotonic())
        secret = self._settings.keys.get(provider.provider_id)
        if secret is not None and self._settings.mode == "local":
            return FoundKey("server", secret)
        return FoundKey("none", None) if provider.key_is_optional else None

    def put(self, provider: Provider, owner: str, text: str) -> None:
        """Holds a typed key for the owner. Raises: SettingsError when the text cannot be a key."""
        secret = Secret(clean_key(text))
        with self._lock:
            if owner not in self._session and len(self._session) >= MAX_OWNERS:
                self._session.pop(min(self._session, key=self._ends_at))
            held = self._session.setdefault(owner, {})
            held[provider.provider_id] = (self._monotonic() + SESSION_KEY_LIFE_S, secret)

    def forget(self, provider: Provider, owner: str) -> bool:
        """Drops the owner's key for the provider; whether there was one."""
        with self._lock:
            return self._session.get(owner, {}).pop(provider.provider_id, None) is not None

    def _held(self, owner: str) -> dict[str, tuple[float, Secret]]:
        now = self._monotonic()
        with self._lock:
            held = self._session.get(owner, {})
            for provider_id in [name for name, (ends, _) in held.items() if ends <= now]:
                del held[provider_id]
            return dict(held)

    def _ends_at(self, owner: str) -> float:
        return max((ends for ends, _ in self._session[owner].values()), default=0.0)


class CallKeys:
    """Keys that came with one call, before those that are held. They are forgotten with the call's runs."""

    def __init__(self, ring: KeyFinder, secrets: Mapping[str, Secret]) -> None:
        self._ring = ring
        self._secrets = dict(secrets)

    def find(self, provider: Provider, owner: str) -> FoundKey | None:
        """The key of the call, else as the ring finds it."""
        secret = self._secrets.get(provider.provider_id)
        return FoundKey("session", secret) if secret is not None else self._ring.find(provider, owner)
