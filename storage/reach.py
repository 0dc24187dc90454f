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
    """What the newest call ran into. May be used from any number of threads."""

    def __init__(self) -> None:
        self.trouble: ImagesAway | None = None
        self._lock = threading.Lock()
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
        try:
            found = ask()
        except ImagesAway as error:
            with self._lock:
                self.trouble = error
                self._pause_s = min(max(self._pause_s * 2, _FIRST_S), _LONGEST_S)
                self._not_before = time.monotonic() + self._pause_s
            raise
        with self._lock:
            self.trouble, self._pause_s, self._not_before = None, 0.0, 0.0
        return found
