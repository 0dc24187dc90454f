"""Blobs whose home is an object store. The blob folder is what is on its way there, and a cache of what is.

What is put is on this disk before anything else happens (`spool`), and goes up in the background (`uploading`). What is asked
for and not here is fetched whole and held against its hash before anybody sees it. The disk's part is bounded: what was not
used for longest is let go, once the store has said that it holds it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from storage import errors
from storage.blobs import EXTENSIONS, BlobFolder, checked_sha256, is_blob_name, media_type_of, sha256_of
from storage.errors import ImageDamaged, ImagesAway
from storage.files import make_folder, write_durably
from storage.objects import ObjectStore
from storage.reach import Reach
from storage.spool import Spool
from storage.uploading import Uploader

T = TypeVar("T")
log = logging.getLogger(__name__)

SPOOL, LOCK = "spool", "spool.lock"
"""Beside the blobs: the names of what has to go up, and whose work that is."""
IDLE_S = 60.0
"""What was used so recently is not let go: somebody may be about to open it."""
_TRIMMED_TO = 0.9
_FETCHED_AT_ONCE, _WAITED_S = 8, 5.0
"""Blobs fetched at once, and how long others wait for their turn: a slow store must not take all threads of the server."""
_DELETED_AT_ONCE = 8
_REMEMBERED = 50_000
_DRAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An object store as the home of blobs."""

    objects: ObjectStore
    cache_bytes: int
    """Most that the disk's part may take, beyond what waits."""


class BlobsElsewhere(BlobFolder):
    """Bytes by hash, as `BlobFolder`, with an object store behind. Also raises ImagesAway where it has to ask it."""

    def __init__(self, root: Path, elsewhere: Elsewhere) -> None:
        super().__init__(root)
        self.home = elsewhere.objects.url
        self.objects, self._most_bytes = elsewhere.objects, elsewhere.cache_bytes
        self.spool = Spool(root.parent / SPOOL)
        self._uploader = Uploader(root, self.spool, self.objects, root.parent / LOCK, self._when_idle)
        self._asking = Reach()
        self._slots = threading.BoundedSemaphore(_FETCHED_AT_ONCE)
        self._fetching = [threading.Lock() for _ in range(64)]
        self._used: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._is_new, self._is_grown, self._is_short = True, True, False
        """What to do when nothing is left to bring up: ask the store for the first time, measure the disk's part, make room."""

    def start(self) -> None:
        """Begins to bring up what waits."""
        self._uploader.start()

    def close(self) -> None:
        """Ends; what can go up in a few seconds still does."""
        self._uploader.close(_DRAIN_S)

    @property
    def away(self) -> ImagesAway | None:
        """Why the store cannot be used now; `None` where it could when it was asked last."""
        return self._uploader.trouble or self._asking.trouble

    def waiting(self) -> int:
        """As there."""
        return self._uploader.to_go

    def look_again(self) -> ImagesAway | None:
        """Asks the store whether it answers by now, where it did not. Blocking."""
        self._uploader.try_soon()
        if self._asking.trouble is not None:
            self._ask_anything()
        return self.away

    def put(self, data: bytes, media_type: str, *, sha256: str | None = None) -> str:
        """As there; it goes up afterwards."""
        try:
            if data and media_type in EXTENSIONS:
                sha256 = sha256 or sha256_of(data)
                self._name(self.path(sha256, media_type).name)
            put = super().put(data, media_type, sha256=sha256)
        except errors.StoreFull:
            # Room is made while the caller tries again, as it does.
            self._is_short = True
            self._uploader.wake()
            raise
        self._note_use(put)
        self._is_grown = True
        self._uploader.wake()
        return put

    def _name(self, name: str) -> None:
        try:
            self.spool.add(name)
        except OSError as error:
            self.trouble = errors.of_os(error, self.root)
            raise self.trouble from error

    def find(self, sha256: str) -> Path | None:
        """As there; fetched where it is not here. Raises: ImagesAway, ImageDamaged."""
        path = self.here(sha256)
        if path is None:
            found = self._ask(partial(self.objects.under, _stem(sha256)))
            path = next((path for one in found if (path := self._fetch(sha256, one.name))), None)
        if path is not None:
            self._note_use(sha256)
        return path

    def held(self, sha256: str, media_type: str) -> Path:
        """As there; fetched where it is not here. Raises: ImagesAway, ImageDamaged."""
        path = self.path(sha256, media_type)
        if not path.is_file():
            self._fetch(sha256, f"{sha256[:2]}/{path.name}")
        self._note_use(sha256)
        return path

    def exists(self, sha256: str) -> bool:
        """As there; the store is asked where they are not here. Raises: ImagesAway."""
        return self.here(sha256) is not None or bool(self._ask(partial(self.objects.under, _stem(sha256))))

    def delete(self, sha256: str) -> bool:
        """As there, and at the store. Raises: ImagesAway; then it is gone here and not there."""
        was_here = super().delete(sha256)
        self._keep_down(sha256)
        return self._delete_there(sha256, 0.0)[1] > 0 or was_here

    def discard(self, sha256: str, *, unused_s: float) -> bool:
        """As there, and at the store. False also where the store cannot be asked, or the bytes are just on their way to it:
        they are gone here, and whoever asks again later deletes them there.
        """
        if not super().discard(sha256, unused_s=unused_s):
            return False
        for name in _names(sha256):
            self.spool.drop(name)
        if any(map(self.spool.is_going_up, _names(sha256))):
            return False
        try:
            found, deleted = self._delete_there(sha256, unused_s)
        except ImagesAway:
            return False
        return found == deleted

    def discard_all(self, hashes: Iterable[str], *, unused_s: float) -> list[str]:
        """As there, several at once: each takes a few round trips."""
        listed = list(hashes)
        with ThreadPoolExecutor(_DELETED_AT_ONCE, thread_name_prefix="discard") as pool:
            gone = pool.map(partial(self.discard, unused_s=unused_s), listed)
            return [sha256 for sha256, is_gone in zip(listed, gone, strict=True) if is_gone]

    def drop_copy(self, sha256: str, *, unused_s: float) -> bool:
        """As there. Raises: ImagesAway."""
        if any(map(self.spool.has, _names(sha256))) or self._ask(partial(self.objects.under, _stem(sha256))):
            return False
        return super().discard(sha256, unused_s=unused_s)

    def only_here(self) -> Iterable[tuple[str, Path]]:
        """Those that the store does not have yet."""
        return ((sha256, path) for sha256, path in self.all() if self.spool.has(path.name))

    def address(self, sha256: str, for_s: int) -> str | None:
        """An address at the store under which anybody can read the bytes for so many seconds; `None` where it gives
        none, or does not have them yet. Raises: ImagesAway.
        """
        here = self.here(sha256)
        found = [here.name] if here else [one.name[3:] for one in self._ask(partial(self.objects.under, _stem(sha256)))]
        names = [name for name in found if not self.spool.has(name)]
        if not names:
            return None
        return self.objects.signed_address(f"{sha256[:2]}/{names[0]}", media_type_of(Path(names[0])), for_s)

    def sha256_there(self, name: str) -> str | None:
        """SHA-256 of the object's bytes as the store gives them now; `None` where it is not there. Raises: ImagesAway."""
        data = self.objects.get(name)
        return sha256_of(data) if data is not None else None

    def adopt(self) -> None:
        """Names all that is here as what has to go up. Raises: OSError."""
        self.spool.add_all(path.name for _, path in self.all())

    def trim(self, *, makes_room: bool = False) -> bool:
        """Lets go what was not used for longest, until the disk's part is within its bounds; half of all to make room. Whether
        it is within them now: what is in use, or not up yet, is let go another time.

        Raises: ImagesAway; OSError.
        """
        found = [(*self._use_and_size(sha256, path), path) for sha256, path in self.all()]
        total = sum(size for _, size, _ in found)
        most = min(self._most_bytes, total // 2) if makes_room else self._most_bytes
        if total <= most:
            return True
        for used_at, size, path in sorted(found):
            if total <= most * _TRIMMED_TO or used_at > time.time() - IDLE_S:
                break
            if self._let_go(path, size):
                total -= size
        return total <= most

    def _let_go(self, path: Path, size: int) -> bool:
        if self.spool.has(path.name):
            return False
        there = self.objects.head(f"{path.parent.name}/{path.name}")
        if there is None or there.size_bytes != size:
            log.warning("%s is not at %s as it is here; it goes up again", path.name, self.objects.url)
            self.spool.add(path.name)
            return False
        return super().discard(path.stem, unused_s=IDLE_S)

    def _when_idle(self) -> None:
        if self._is_new or self._asking.trouble is not None:
            self._is_new = False
            self._ask_anything()
        if self._is_grown or self._is_short:
            makes_room, self._is_grown, self._is_short = self._is_short, False, False
            is_within = False
            with suppress(ImagesAway, FileNotFoundError):  # somebody else deletes them, too
                is_within = self.trim(makes_room=makes_room)
            if not is_within:
                self._is_grown = True

    def _ask_anything(self) -> None:
        with suppress(ImagesAway):
            self._ask(partial(self.objects.head, f"00/{'0' * 64}.bin"))

    def _fetch(self, sha256: str, name: str) -> Path | None:
        """The file, fetched unless somebody else just did, or `None` where the store has none. Raises as `find`."""
        path = self.root / name
        if not is_blob_name(path):
            return None
        with self._turn(sha256):
            if path.is_file():
                return path
            data = self._ask(partial(self.objects.get, name))
            if data is None:
                return None
            self._keep(path, data)
        self._is_grown = True
        self._uploader.wake()
        return path

    def _keep(self, path: Path, data: bytes) -> None:
        if sha256_of(data) != path.stem:
            log.error("%s gave %d bytes for %s that are not those it was given", self.objects.url, len(data), path.name)
            raise ImageDamaged(
                f"The object store's copy of the image {path.stem[:12]}… is damaged, so it is not shown."
            )
        try:
            make_folder(path.parent)
            write_durably(path, data, temporary_in=self._incoming)
        except OSError as error:
            raise errors.of_os(error, self.root) from error

    @contextmanager
    def _turn(self, sha256: str) -> Iterator[None]:
        """One at a time for the same blob, few at a time for all."""
        mine = self._fetching[int(sha256[:2], 16) % len(self._fetching)]
        slow = ImagesAway(f"The object store {self.objects.url} is slow: too many images wait for it.")
        if not mine.acquire(timeout=_WAITED_S):
            raise slow
        try:
            if not self._slots.acquire(timeout=_WAITED_S):
                raise slow
            try:
                yield
            finally:
                self._slots.release()
        finally:
            mine.release()

    def _ask(self, ask: Callable[[], T]) -> T:
        return self._asking.call(ask)

    def _keep_down(self, sha256: str) -> None:
        """Takes it out of what goes up, and waits for what is going up at this moment."""
        for name in _names(sha256):
            self.spool.drop(name)
            ends_at = time.monotonic() + _WAITED_S
            while self.spool.is_going_up(name) and time.monotonic() < ends_at:
                time.sleep(0.01)

    def _delete_there(self, sha256: str, unused_s: float) -> tuple[int, int]:
        """How many objects there were, and how many were deleted as nobody had put them in the last `unused_s` seconds."""
        found = self._ask(partial(self.objects.under, _stem(sha256)))
        old = [one for one in found if not unused_s or time.time() - one.changed_at >= unused_s]
        for one in old:
            self._ask(partial(self.objects.delete, one.name))
        return len(found), len(old)

    def _note_use(self, sha256: str) -> None:
        with self._lock:
            self._used[sha256] = time.time()
            self._used.move_to_end(sha256)
            if len(self._used) > _REMEMBERED:
                self._used.popitem(last=False)

    def _use_and_size(self, sha256: str, path: Path) -> tuple[float, int]:
        """When it was used last, in seconds since 1970, and its bytes."""
        stat = path.stat()
        with self._lock:
            return max(self._used.get(sha256, 0.0), stat.st_mtime), stat.st_size


def _stem(sha256: str) -> str:
    return f"{checked_sha256(sha256)[:2]}/{sha256}"


def _names(sha256: str) -> list[str]:
    return [f"{checked_sha256(sha256)}.{extension}" for extension in EXTENSIONS.values()]
