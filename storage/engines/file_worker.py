"""A process over one data folder. It holds a lock on a file of its own for as long as it lives; the operating system drops
the lock when the process ends, however it ends. So a run whose worker's lock can be taken was left behind.
"""

from __future__ import annotations

import re
from pathlib import Path

from filelock import FileLock, Timeout

from storage.workers import Heard

_PROBE_S = 0.2
_LOOK_EVERY_S = 30.0
_NAME = re.compile(r"[0-9a-z]{1,64}")


class FileWorker:
    """This process, known by the lock it holds; a `storage.workers.Worker`. Others look at the rows now and then."""

    def __init__(self, data_dir: Path, worker_id: str) -> None:
        """`worker_id` is a fresh id; a lock file of that name is made below the data folder."""
        self.worker_id = worker_id
        self.look_every_s = _LOOK_EVERY_S
        self._folder = data_dir / "workers"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._path(worker_id), thread_local=False)
        self._lock.acquire(timeout=0)

    def is_alive(self, worker_id: str | None) -> bool:
        """Whether the process of that id still runs."""
        if worker_id is None or not _NAME.fullmatch(worker_id):
            return False
        if worker_id == self.worker_id:
            return True
        path = self._path(worker_id)
        if not path.exists():
            return False
        probe = FileLock(path, thread_local=False)
        try:
            # Another process may be probing at this moment; it lets go at once, a living worker does not.
            probe.acquire(timeout=_PROBE_S, poll_interval=_PROBE_S / 10)
        except Timeout:
            return True
        probe.release()
        path.unlink(missing_ok=True)
        return False

    def tell(self, _news: str, /) -> None:
        """Nothing: others look."""

    def hear(self, _heard: Heard, /) -> None:
        """Nothing is told."""

    def close(self) -> None:
        """Gives the lock back."""
        self._lock.release()
        self._path(self.worker_id).unlink(missing_ok=True)

    def _path(self, worker_id: str) -> Path:
        return self._folder / f"{worker_id}.lock"
