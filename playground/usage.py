"""What visitors of a public server have used of it, in memory: counted for each visitor and for each network address.

A window slides: what counts is the last hour. Addresses are kept as hashes under a secret of this process, and go with it.
In local mode nothing is counted. Where several replicas share a database they count there together (`shared_usage`).
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from playground.settings import Settings
from storage import uses
from storage.engine import Database

Kind = Literal["runs", "votes", "uploads", "upload_bytes", "key_tries"]

WINDOW_S = uses.WINDOW_S
MINE, SHARED = "You have", "Visitors at your network address have"
"""Whose limit it is, in words."""
MAX_SUBJECTS = 20_000
"""Visitors and addresses that are remembered; the one that asked longest ago goes first."""
_MEGABYTE = 1_000_000

_DONE: dict[Kind, str] = {
    "runs": "{limit:,} runs",
    "votes": "{limit:,} votes",
    "uploads": "{limit:,} uploaded files",
    "upload_bytes": "{megabytes:,} MB of uploads",
    "key_tries": "{limit:,} keys typed or tested",
}


class UseRefused(Exception):
    """A visitor has used what they may; nothing was done. The message says which limit, and when it is free again."""

    def __init__(self, message: str, *, again_in_s: float | None = None) -> None:
        super().__init__(message)
        self.again_in_s = again_in_s
        """Seconds until it can be tried again; `None` when time alone does not help."""


@dataclass(slots=True)
class _Subject:
    """One visitor or address."""

    used: dict[Kind, deque[tuple[float, int]]] = field(default_factory=dict)
    address: str = ""
    """Of a visitor: hash of the address they were seen at last."""


class Usage:
    """Counts, and refuses what would pass a limit. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = settings.public.limits
        self._is_counting = settings.mode == "public"
        self._clock = clock
        self._monotonic = monotonic
        self._salt = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._subjects: OrderedDict[str, _Subject] = OrderedDict()

    def seen(self, owner: str, address: str) -> None:
        """Remembers from where the owner asks; `address` is an IP address, or empty when it is not known."""
        if self._is_counting and address:
            hashed = self._hashed(address)
            with self._lock:
                self._subject(owner).address = hashed

    uncounted_bytes: int = 0
    """So many bytes of an upload may come before they are counted."""

    async def count(self, kind: Kind, owner: str, amount: int = 1, *, address: str = "") -> None:
        """As `take`, wherever it is counted."""
        self.take(kind, owner, amount, address=address)

    async def counted(
        self, kind: Kind, owner: str, amount: int = 1, *, is_apart: bool = False
    ) -> Callable[[Database], None]:
        """As `take`. What is counted in the store is counted by the job, which belongs into the transaction of what is done;
        `is_apart`: that is another store's.
        """
        job = None if is_apart else self._job(kind, owner, amount, "")
        if job is None:
            await self.count(kind, owner, amount)
        return job or _nothing_to_do

    def _job(self, _kind: Kind, _owner: str, _amount: int, _address: str, /) -> Callable[[Database], None] | None:
        """Counts in the store, where that is counted there."""
        return None

    def take(self, kind: Kind, owner: str, amount: int = 1, *, address: str = "") -> None:
        """Counts so much for the owner and their address. `address`: where it is known better than by `seen`.

        Raises: UseRefused when that would pass a limit of either; then nothing is counted.
        """
        limit = self._limit(kind)
        if not self._is_counting or not limit:
            return
        now = self._monotonic()
        with self._lock:
            mine = self._subject(owner)
            hashed = self._hashed(address) if address else mine.address
            shared = self._subject(hashed) if hashed else None
            self._refuse_over(kind, _used(mine, kind, now), limit, amount, now, whose=MINE)
            if shared is not None and self._limits.address:
                whole = limit * self._limits.address
                self._refuse_over(kind, _used(shared, kind, now), whole, amount, now, whose=SHARED)
            for subject in filter(None, (mine, shared)):
                subject.used.setdefault(kind, deque()).append((now, amount))

    def refuse_running(self, running: int, more: int) -> None:
        """Raises: UseRefused when so many more runs would be too many at once for one visitor."""
        limit = self._limits.running
        if self._is_counting and limit and running + more > limit:
            under_way = f"{running} of yours are under way. " if running else ""
            raise UseRefused(
                f"At most {limit} runs of one visitor go at the same time here. {under_way}Nothing was sent; run fewer, or "
                "wait until some have ended."
            )

    def refuse_storage(self, held_bytes: int, more_bytes: int = 0) -> None:
        """Raises: UseRefused when the visitor's images take more room than they may."""
        limit = self._limits.storage_mb
        if self._is_counting and limit and held_bytes + more_bytes > limit * _MEGABYTE:
            raise UseRefused(
                f"Your images take {held_bytes / _MEGABYTE:,.0f} MB; one visitor may keep {limit:,} MB here. Nothing was sent. "
                "Download what you want to keep, then delete images for ever in History or everything in Settings."
            )

    def _refuse_over(
        self, kind: Kind, used: Iterable[tuple[float, int]], limit: int, amount: int, now: float, *, whose: str
    ) -> None:
        """`used`: when, in seconds as `now`, and how much in the last hour."""
        used = [*used]
        total = sum(count for _, count in used)
        if total + amount <= limit:
            return
        over, wait = total + amount - limit, WINDOW_S
        for at, count in used:
            over -= count
            if over <= 0:
                wait = at + WINDOW_S - now
                break
        raise UseRefused(self._words(kind, limit, total, amount, wait, whose), again_in_s=wait)

    def _words(self, kind: Kind, limit: int, total: int, amount: int, wait_s: float, whose: str) -> str:
        most = _DONE[kind].format(limit=limit, megabytes=limit // _MEGABYTE)
        if amount > limit:
            return f"This is more than an hour's limit here: {most}. Nothing was sent; ask for less at once."
        again = (self._clock() + timedelta(seconds=wait_s)).astimezone(UTC)
        minutes = max(1, round(wait_s / 60))
        reached = "reached" if total >= limit else "nearly reached"
        return (
            f"{whose} {reached} this server's limit for an hour: {most}. Nothing was sent. There is room again at "
            f"{again:%H:%M} UTC, in {minutes} min."
        )

    def _limit(self, kind: Kind) -> int:
        return {
            "runs": self._limits.runs,
            "votes": self._limits.votes,
            "uploads": self._limits.uploads,
            "upload_bytes": self._limits.upload_mb * _MEGABYTE,
            "key_tries": self._limits.key_tries,
        }[kind]

    def _subject(self, name: str) -> _Subject:
        found = self._subjects.get(name)
        if found is None:
            found = self._subjects[name] = _Subject()
            if len(self._subjects) > MAX_SUBJECTS:
                self._subjects.popitem(last=False)
        self._subjects.move_to_end(name)
        return found

    def _hashed(self, address: str) -> str:
        return hashlib.blake2b(network_of(address).encode(), key=self._salt, digest_size=16).hexdigest()


def _used(subject: _Subject, kind: Kind, now: float) -> Iterable[tuple[float, int]]:
    """What counts by now; what does not any more is forgotten."""
    used = subject.used.get(kind, deque())
    while used and used[0][0] <= now - WINDOW_S:
        used.popleft()
    return used


def _nothing_to_do(_db: Database) -> None:
    """It is counted already."""


def network_of(address: str) -> str:
    """What one household or machine has: an IPv4 address, or the first 64 bits of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)


def asking_address(peer: str, forwarded: str, trusted_proxies: int) -> str:
    """Who asked: the other end of the connection, or what the proxies in front say. Empty when it is not known.

    Each proxy adds to the end of `X-Forwarded-For` whom it was asked by, so what stands before the trusted entries is
    anybody's words. A private address there is one more proxy of the host's own.
    """
    if not trusted_proxies:
        return peer
    chain = [name.strip() for name in forwarded.split(",") if name.strip()]
    place = len(chain) - trusted_proxies
    while place > 0 and _is_private(chain[place]):
        place -= 1
    return chain[place] if 0 <= place < len(chain) and not _is_private(chain[place]) else ""


def _is_private(address: str) -> bool:
    try:
        return not ipaddress.ip_address(address).is_global
    except ValueError:
        return False
