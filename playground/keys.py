"""Keys: from the server's environment, or typed by a visitor and held in memory for a limited time.

Nothing here is ever written to disk. A visitor's key belongs to an owner id and ends by itself: some hours after it was used
last, and at the latest half a day after it was typed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol
from weakref import WeakValueDictionary

from playground.owners import is_signed_in
from playground.settings import Secret, Settings, clean_key
from providers.catalog import Offer, Provider
from providers.redact import with_halves

KeySource = Literal["server", "session", "none"]

SESSION_KEY_LIFE_S = 12 * 3600.0
SESSION_KEY_IDLE_S = 4 * 3600.0
"""So long after it was asked for last a key is forgotten."""
MAX_OWNERS = 5_000
"""Owners whose keys are held at once; the one that ends first goes when a new one comes."""
SWEEP_S = 60.0
"""Seconds after which keys that have ended are looked for again; one that has is never given out meanwhile."""


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key and where it came from. `secret` is `None` for a provider that needs none."""

    source: KeySource
    secret: Secret | None
    ends_in_s: float | None = None
    """Seconds until a session key is forgotten, if it is not used again."""


@dataclass(slots=True)
class _Held:
    secret: Secret
    typed_at: float
    used_at: float

    @property
    def ends_at(self) -> float:
        return min(self.typed_at + SESSION_KEY_LIFE_S, self.used_at + SESSION_KEY_IDLE_S)


class KeyFinder(Protocol):
    """Whoever knows keys."""

    def find(self, provider: Provider, owner: str) -> FoundKey | None:
        """The owner's own key, else in local mode the server's; `None` when there is none."""

    def find_for(self, offer: Offer, provider: Provider, owner: str, *, is_use: bool = False) -> FoundKey | None:
        """The same for one offer, which in public mode may run on the server's key where the operator allows it."""


class KeyRing:
    """Finds the key for a provider and an owner. Safe to use from several threads."""

    def __init__(self, settings: Settings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._session: dict[str, dict[str, _Held]] = {}
        # By identity: two visitors may hold the same key, and one of them forget it.
        self._known: WeakValueDictionary[int, Secret] = WeakValueDictionary()
        self._swept = monotonic()

    def within(self, settings: Settings) -> KeyRing:
        """A ring under other settings that holds the same typed keys."""
        other = KeyRing(settings, self._monotonic)
        other._lock, other._session, other._known = self._lock, self._session, self._known
        return other

    def find(self, provider: Provider, owner: str) -> FoundKey | None:
        """The owner's own key, else in local mode the server's, else `None`. Looking does not keep a key from ending."""
        return self._find(provider, owner, serves=self._settings.mode == "local", is_use=False)

    def find_for(self, offer: Offer, provider: Provider, owner: str, *, is_use: bool = False) -> FoundKey | None:
        """The same for one offer, which in public mode may run on the server's key where the operator allows it.

        `provider`: the offer's, or another whose key its calls need too. `is_use`: a run is about to be sent with it.
        """
        return self._find(provider, owner, serves=self.serves(offer, owner), is_use=is_use)

    def serves(self, offer: Offer, owner: str) -> bool:
        """Whether the server's keys may pay for this offer when the owner runs it."""
        public = self._settings.public
        if self._settings.mode == "local":
            return True
        if public.server_keys == "off" or (public.server_keys == "signed-in" and not is_signed_in(owner)):
            return False
        # What has no price cannot be held against a limit.
        return offer.price is not None and (not public.server_offers or offer.offer_id in public.server_offers)

    def _find(self, provider: Provider, owner: str, *, serves: bool, is_use: bool) -> FoundKey | None:
        if provider.key_variable is None:
            return FoundKey("none", None)
        held = self._held(owner, provider.provider_id, is_use=is_use)
        if held is not None:
            return FoundKey("session", held.secret, held.ends_at - self._monotonic())
        secret = self._settings.keys.get(provider.provider_id)
        if secret is not None and serves:
            return FoundKey("server", secret)
        return FoundKey("none", None) if provider.key_is_optional else None

    def put(self, provider: Provider, owner: str, text: str) -> None:
        """Holds a typed key for the owner. Raises: SettingsError when the text cannot be a key."""
        secret, now = Secret(clean_key(text)), self._monotonic()
        self.know(secret)
        with self._lock:
            if now - self._swept >= SWEEP_S or len(self._session) >= MAX_OWNERS:
                self._drop_ended(now)
                self._swept = now
            if owner not in self._session and len(self._session) >= MAX_OWNERS:
                self._session.pop(min(self._session, key=self._ends_at))
            self._session.setdefault(owner, {})[provider.provider_id] = _Held(secret, now, now)

    def forget(self, provider: Provider, owner: str) -> bool:
        """Drops the owner's key for the provider; whether there was one."""
        with self._lock:
            return self._session.get(owner, {}).pop(provider.provider_id, None) is not None

    def forget_all(self, owner: str) -> int:
        """Drops all keys of the owner; how many there were."""
        with self._lock:
            return len(self._session.pop(owner, {}))

    def know(self, *secrets: Secret) -> None:
        """From now on, and for as long as anybody holds them, these are among `in_memory`."""
        with self._lock:
            self._known.update({id(secret): secret for secret in secrets})

    def in_memory(self) -> tuple[str, ...]:
        """Every visitor's key that this process holds now, to be taken out of whatever it says; the longest first.

        Those of runs under way are among them, however they came and whether or not they were forgotten meanwhile.
        """
        with self._lock:
            known = list(self._known.values())
        found = {part for secret in known for part in with_halves(secret.reveal())}
        return tuple(sorted(found, key=len, reverse=True))

    def _held(self, owner: str, provider_id: str, *, is_use: bool) -> _Held | None:
        now = self._monotonic()
        with self._lock:
            held = self._session.get(owner, {}).get(provider_id)
            if held is None:
                return None
            if held.ends_at <= now:
                del self._session[owner][provider_id]
                return None
            if is_use:
                held.used_at = now
            return held

    def _drop_ended(self, now: float) -> None:
        for owner in list(self._session):
            kept = {name: held for name, held in self._session[owner].items() if held.ends_at > now}
            if kept:
                self._session[owner] = kept
            else:
                del self._session[owner]

    def _ends_at(self, owner: str) -> float:
        return max((held.ends_at for held in self._session[owner].values()), default=0.0)


class CallKeys:
    """Keys that came with one call, before those that are held. They are forgotten with the call's runs."""

    def __init__(self, ring: KeyRing, secrets: Mapping[str, Secret]) -> None:
        self._ring = ring
        self._secrets = dict(secrets)
        ring.know(*self._secrets.values())

    def find(self, provider: Provider, owner: str) -> FoundKey | None:
        """The key of the call, else as the ring finds it."""
        secret = self._secrets.get(provider.provider_id)
        return FoundKey("session", secret) if secret is not None else self._ring.find(provider, owner)

    def find_for(self, offer: Offer, provider: Provider, owner: str, *, is_use: bool = False) -> FoundKey | None:
        """The same for one offer."""
        secret = self._secrets.get(provider.provider_id)
        if secret is not None:
            return FoundKey("session", secret)
        return self._ring.find_for(offer, provider, owner, is_use=is_use)
