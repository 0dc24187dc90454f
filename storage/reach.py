"""Whether something far away answers. While it does not, whoever asks is told so at once, and only now and then one asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from storage.errors import ImagesAway

T = TypeVar("T")

_FIRST_S, _LONGEST_S = 0.5, 5.0


class Reach:
    """What the newest call ran into, by when it was asked. May be used from any number of threads."""

    def __init__(self) -> None:
        self.trouble: ImagesAway | None = None
        self._lock = threading.Lock()
        self._asked = self._known = 0
        """Calls so far, and the newest of them whose outcome is known."""
        self._pause_s = 0.0
        self._not_before = 0.0

    def call(self, ask: Callable[[], T]) -> T:
        """What `ask` returned. Raises: ImagesAway, also without asking while it is too soon for another try."""
        with self._lock:
            trouble, now = self.trouble, time.monotonic()
            if trouble is not None and now < self._not_before:
                raise ImagesAway(str(trouble), why=trouble.why)
            # The next one has to wait for what becomes of this.
            self._not_before = now + self._pause_s
            self._asked += 1
            number = self._asked
        try:
            found = ask()
        except ImagesAway as error:
            self._note(number, error)
            raise
        self._note(number, None)
        return found

    def _note(self, number: int, trouble: ImagesAway | None) -> None:
        with self._lock:
            if number < self._known:
                return
            self._known, self.trouble = number, trouble
            self._pause_s = min(max(self._pause_s * 2, _FIRST_S), _LONGEST_S) if trouble else 0.0
            self._not_before = time.monotonic() + self._pause_s if trouble else 0.0
