"""Which process carries a run out, whether it still lives, and what processes over the same rows tell each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

LEASE_S = 20.0
"""How long a process on another machine may be silent before it counts as dead."""

Heard = Callable[[str], None]


class Worker(Protocol):
    """This process, as others over the same rows know it."""

    @property
    def worker_id(self) -> str:
        """Under which its runs are written."""

    @property
    def look_every_s(self) -> float:
        """How often to look what others left behind."""

    def is_alive(self, worker_id: str | None) -> bool:
        """Whether the process of that id still runs; a run without a worker belongs to nobody. Blocking.

        Raises: StoreError, where nobody can tell now.
        """

    def tell(self, news: str, /) -> None:
        """Say something to all others, ids and no more. Never waits; what is told while the way is broken is lost."""

    def hear(self, heard: Heard, /) -> None:
        """From now on `heard` is called with what others tell, on a thread of its own, and with an empty text when something
        may have been missed, or others may have taken this process for dead.
        """

    def close(self) -> None:
        """Others know from here on that it has ended. Calling it again is harmless."""
