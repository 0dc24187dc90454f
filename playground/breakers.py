"""Leaving a provider in peace that keeps failing: after some failures in a row nothing is sent for a while, then one call is.

What counts is what says something of the provider: it cannot be reached, or answers with a server error. That it asks to slow
down says something of the key alone. Any other answer, a refusal too, ends the row; a call that was stopped, or ran into its
time limit, says nothing. Nothing is kept: a process that starts anew asks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from providers.errors import ProviderDown, ProviderError, RateLimited
from storage.records import RunError

FAILURES = 5
"""So many failures in a row, and the provider is left in peace."""
PAUSE_S = 30.0
"""So long; then one call goes out, and as long as none ended well, one more after each such time."""
_FORGOTTEN_AFTER_S = 600.0
_ANSWERS = ("auth", "permission", "validation", "moderation", "quota", "not_found", "malformed")
"""Kinds of errors of a provider that works."""

Scope = tuple[str, str | None]
"""A provider, and the key where the key is what it is about."""


@dataclass(slots=True)
class _Row:
    """Failures in a row."""

    failures: int = 0
    last_at: float = 0.0
    """When the last one ended, or the last call went out to find out whether it works again."""


class Breakers:
    """All providers' failures. Lives on one event loop. `now` gives seconds that only grow."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._rows: dict[Scope, _Row] = {}

    def refusal(self, provider_id: str, name: str, key: str | None) -> ProviderError | None:
        """Why no call goes out to the provider now; `None`: it may, and how it ends is to be told by `ended`."""
        now = self._now()
        rows = [(scope, self._rows[scope]) for scope in _scopes(provider_id, key) if scope in self._rows]
        long = [(scope, row) for scope, row in rows if row.failures >= FAILURES]
        for (_, of_key), row in long:
            wait_s = row.last_at + PAUSE_S - now
            if wait_s > 0:
                return _left_in_peace(row.failures, wait_s, name, is_of_key=of_key is not None)
        # The call that goes out now is the one that finds out; the next waits as long again.
        for _, row in long:
            row.last_at = now
        return None

    def ended(self, provider_id: str, key: str | None, error: RunError | None) -> None:
        """Takes in how a call ended that went out."""
        of_provider, of_key = _scopes(provider_id, key)
        if error is None or error.kind in _ANSWERS:
            self._rows.pop(of_provider, None)
            self._rows.pop(of_key, None)
        elif error.kind == "rate_limit":
            self._rows.pop(of_provider, None)
            self._count(of_key)
        elif error.kind == "network" or (error.kind == "server" and error.status is not None and error.status >= 500):
            self._count(of_provider)

    def _count(self, scope: Scope) -> None:
        now = self._now()
        self._rows = {one: row for one, row in self._rows.items() if now - row.last_at < _FORGOTTEN_AFTER_S}
        row = self._rows.setdefault(scope, _Row())
        row.failures, row.last_at = row.failures + 1, now


def _scopes(provider_id: str, key: str | None) -> tuple[Scope, Scope]:
    return (provider_id, None), (provider_id, key or "")


def _left_in_peace(failures: int, wait_s: float, name: str, *, is_of_key: bool) -> ProviderError:
    did = "has asked to slow down" if is_of_key else "has failed"
    error = RateLimited if is_of_key else ProviderDown
    words = f"{name} {did} {failures} times in a row. It is asked again in {ceil(wait_s)} s. Nothing was sent."
    return error(words, retry_after_s=wait_s)
