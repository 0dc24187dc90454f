"""Brings blobs up to the object store, in a thread of its own: what waits longest first, with longer and longer pauses while
the store takes nothing. Of the processes of a data folder one at a time does so, which is known by a lock.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from storage.blobs import LEFTOVER_AFTER_S, media_type_of, sha256_of
from storage.errors import ImagesAway
from storage.objects import ObjectStore
from storage.spool import Spool, Waiting, age_s

log = logging.getLogger(__name__)

_AT_ONCE, _BATCH = 4, 32
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_WATCHED_PAUSE_S = 5.0
"""Between two tries while a page waits to say that the store is back."""
_LOOK_EVERY_S = 30.0
"""Without being woken: for what another process put, and whether a store that was away is back."""
_LOCK_EVERY_S = 5.0
_LAST_MOMENT_S = 0.5
"""For the thread to see that it is over; what is on its way then goes up at the next start."""
_COMING_S = 0.02
"""What was put just now has its bytes a moment later."""
SETTLED_S = 150.0
"""What was there already is looked at once more when it was put so long ago: whoever was just about to delete it, because no
row spoke of it, has done so by then. Longer than `freeing.UNUSED_S`."""


class Uploader:
    """The one that brings things up. `beside` is called when there is nothing to do."""

    def __init__(self, root: Path, spool: Spool, objects: ObjectStore, lock: Path, beside: Callable[[], None]) -> None:
        self._root, self._spool, self._objects, self._beside = root, spool, objects, beside
        self._lock = FileLock(lock, thread_local=False)
        self._wake, self._stopping, self._caught_up = threading.Event(), threading.Event(), threading.Event()
        self._due: deque[str] = deque()
        """Names that were listed and not tried since. A list of thousands is gone through before it is made anew."""
        self._failing: dict[str, ImagesAway] = {}
        self._later: dict[str, float] = {}
        self._seen_there: dict[str, float] = {}
        self._pause_s = 0.0
        self._not_before = self._tried_at = 0.0
        self._thread = threading.Thread(target=self._run, name="uploads", daemon=True)

    @property
    def trouble(self) -> ImagesAway | None:
        """Why something did not go up when it was tried last; `None` where nothing failed."""
        return next(iter(list(self._failing.values())), None)

    @property
    def to_go(self) -> int:
        """How many wait, without those that are there already and are only looked at once more."""
        return max(self._spool.count() - len(self._seen_there), 0)

    def start(self) -> None:
        """Begins. What an earlier process left goes up first."""
        self._thread.start()

    def wake(self) -> None:
        """Something was put."""
        self._caught_up.clear()
        self._wake.set()

    def try_soon(self) -> None:
        """Somebody waits to see whether the store is back: the pause is a few seconds and no longer."""
        self._not_before = min(self._not_before, self._tried_at + _WATCHED_PAUSE_S)
        self._wake.set()

    def close(self, within_s: float) -> None:
        """Ends. What can go up in so many seconds still does; the rest does at the next start."""
        ends_at = time.monotonic() + within_s
        if self._thread.is_alive() and self._lock.is_locked and self.trouble is None:
            self._caught_up.wait(within_s)
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(max(ends_at - time.monotonic(), _LAST_MOMENT_S))
        if not self._thread.is_alive():
            self._lock.release()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                wait_s = self._round() if self._is_mine() else _LOCK_EVERY_S
            except Exception:  # the edge of this thread: what it brings up was paid for, so it never ends
                log.exception("a fault in this program while images went up; trying again")
                wait_s = _LONGEST_PAUSE_S
            self._wake.wait(wait_s)

    def _is_mine(self) -> bool:
        if self._lock.is_locked:
            return True
        try:
            self._lock.acquire(timeout=0)
        except (Timeout, OSError):
            return False
        self._spool.give_all_back()
        return True

    def _round(self) -> float:
        """Brings up a batch; how many seconds may pass until the next round."""
        if (pause := self._not_before - time.monotonic()) > 0:
            return pause
        if not self._due and (wait_s := self._listed()) > 0:
            if not self._wake.is_set():
                self._caught_up.set()
            self._beside()
            return wait_s
        batch = [self._due.popleft() for _ in range(min(_BATCH, len(self._due)))]
        failed = self._bring_up(batch)
        if failed < len(batch):
            self._pause_s = 0.0
            return 0.0
        self._pause_s = min(max(self._pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self._tried_at = time.monotonic()
        self._not_before = self._tried_at + self._pause_s
        return self._pause_s

    def _listed(self) -> float:
        """Notes all that is due; where nothing is, in how many seconds to look again."""
        names = [one.name for one in self._spool.waiting()]
        self._forget_all_but(set(names))
        now = time.monotonic()
        self._due.extend(name for name in names if self._later.get(name, 0.0) <= now)
        return 0.0 if self._due else min([_LOOK_EVERY_S, *(self._later[name] - now for name in names)])

    def _forget_all_but(self, names: set[str]) -> None:
        for noted in (self._failing, self._later, self._seen_there):
            for name in noted.keys() - names:
                noted.pop(name)

    def _bring_up(self, batch: Sequence[str]) -> int:
        """How many of them failed. In threads that do not hold up the end of the process."""
        todo: queue.SimpleQueue[str] = queue.SimpleQueue()
        for name in batch:
            todo.put(name)
        failed: list[str] = []

        def work() -> None:
            with suppress(queue.Empty):
                while not self._stopping.is_set():
                    name = todo.get_nowait()
                    if not self._tried(name):
                        failed.append(name)

        threads = [threading.Thread(target=work, name="upload", daemon=True) for _ in range(min(_AT_ONCE, len(batch)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(failed)

    def _tried(self, name: str) -> bool:
        one = self._spool.claim(name)
        if one is None:
            return True
        try:
            again_in_s = self._up(one)
        except (ImagesAway, OSError) as error:
            self._spool.give_back(one.name)
            # Others go before it, should it be the only one that cannot go up.
            self._later[one.name] = time.monotonic() + _FIRST_PAUSE_S
            if not self._failing:
                log.warning("Images wait on this disk: %s", error)
            self._failing[one.name] = error if isinstance(error, ImagesAway) else ImagesAway(str(error))
            return False
        if self._failing.pop(one.name, None) and not self._failing:
            log.info("Images go up to %s again.", self._objects.url)
        if again_in_s <= 0:
            self._spool.done(one.name)
            self._seen_there.pop(one.name, None)
        else:
            self._spool.give_back(one.name)
            self._later[one.name] = time.monotonic() + again_in_s
        return True

    def _up(self, one: Waiting) -> float:
        """In how many seconds to look again; none where it is up. Raises: ImagesAway; OSError where it cannot be read here."""
        name = f"{one.name[:2]}/{one.name}"
        path = self._root / name
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            # Its name is written before its bytes: they may just be coming.
            age = age_s(one)
            return 0.0 if age > LEFTOVER_AFTER_S else min(max(age, _COMING_S), _LOOK_EVERY_S)
        if sha256_of(data) != path.stem:
            log.error("%s has other bytes on this disk than its name says; it does not go up", one.name)
            return _LOOK_EVERY_S
        there = self._objects.head(name)
        if there is not None and there.size_bytes == len(data):
            self._seen_there[one.name] = time.monotonic()
            return SETTLED_S - age_s(one)
        self._objects.put(name, data, media_type_of(path), replace=there is not None)
        return 0.0
