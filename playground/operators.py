"""Who runs a public server: whoever signed in under a name of the settings, or typed the operator's token."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable

from playground.owners import LOCAL_OWNER
from playground.settings import Settings

OPERATOR_LIFE_S = 12 * 3600.0
"""So long a typed token holds."""


class Operators:
    """Knows the operators of this process. Safe to use from several threads."""

    def __init__(self, settings: Settings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    @property
    def has_token(self) -> bool:
        """Whether there is a token to type."""
        return self._settings.public.operator_token is not None

    def includes(self, owner: str, account_name: str = "") -> bool:
        """Whether the owner runs this server. `account_name`: under which they signed in, empty if they did not."""
        if self._settings.mode == "local":
            return owner == LOCAL_OWNER
        if account_name and account_name.lower() in self._settings.public.operators:
            return True
        with self._lock:
            return self._until.get(owner, 0.0) > self._monotonic()

    def enter(self, owner: str, token: str) -> bool:
        """Takes the owner for an operator if the token is right; whether it was. Whoever calls limits the tries."""
        known = self._settings.public.operator_token
        if known is None or not hmac.compare_digest(known.reveal().encode(), token.strip().encode("utf-8", "replace")):
            return False
        with self._lock:
            now = self._monotonic()
            self._until = {name: until for name, until in self._until.items() if until > now}
            self._until[owner] = now + OPERATOR_LIFE_S
        return True

    def leave(self, owner: str) -> None:
        """The owner is a visitor like others again."""
        with self._lock:
            self._until.pop(owner, None)
