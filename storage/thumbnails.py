"""The small copies that lists show: new pictures without any of the original's metadata, which can all be made again.

A picture is decoded once, however many ask for it meanwhile: whoever keeps an image begins with its bytes while they are on
their way to the disk, and a page that asks for the thumbnail in between waits for that decoding.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from storage import errors
from storage.blobs import INCOMING, checked_sha256, sweep_leftovers
from storage.files import make_folder, write_whole
from storage.images import decoded

THUMBNAIL_EDGE_PX = 512
THUMBNAIL_QUALITY = 82

WEBP_METHOD = 1
"""WebP effort 0 to 6. Measured at 341x512: 1 takes 5 ms, 4 (the default) 16 ms for a file of much the same size."""

_DECODERS = 2
"""Pictures decoded at once: twice `images.MAX_PIXELS` is the most memory that thumbnails ever take."""
_NICENESS = 10
_REST_S, _MOST_REST_S = 0.2, 0.5
"""A browser has eight pictures on screen that long after they were looked at. Pictures without end hold nothing up for ever."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one decoding of a picture shows."""

    small: Image.Image
    """RGB or RGBA, upright, long edge at most `THUMBNAIL_EDGE_PX`."""
    lowest_alpha: int
    """Of all pixels of the picture itself, 0 to 255; 255 also where it has no transparency."""
    encoded: bytes
    """`small` as WebP."""


class ThumbnailFolder:
    """Small WebP copies by the original's hash: `thumbs/ab/ab12….webp`. May be used from any number of threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / INCOMING
        self._decoders, self._behind = (
            ThreadPoolExecutor(_DECODERS, thread_name_prefix=name, initializer=_step_back)
            for name in ("thumbnails", "behind")
        )
        self._lock = threading.Lock()
        self._at_work: dict[str, Future[Look]] = {}
        self._watchers = 0
        self._together = 0
        """Looks that began since none was under way."""
        self._rest_until = 0.0
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_folder(self._incoming)
        sweep_leftovers(self._incoming)

    def path(self, sha256: str) -> Path:
        """Where the thumbnail lies or would lie. Raises `ValueError` when the name is not a SHA-256."""
        return self.root / checked_sha256(sha256)[:2] / f"{sha256}.webp"

    def begin(self, sha256: str, data: bytes) -> Future[Look]:
        """Starts to look at bytes in a thread of its own and returns at once. Nothing is written: see `keep`.

        The result raises `UnreadableImage` where they are no picture we take, or are damaged.
        """
        with self._lock:
            under_way = self._at_work.get(sha256)
            if under_way is not None:
                return under_way
            self._together = self._together + 1 if self._at_work else 1
            begun = self._at_work[sha256] = self._decoders.submit(self._looked, sha256, data)
        return begun

    def behind(self, work: Callable[[], None]) -> Future[None]:
        """Starts some more work on pictures once no look that began before is still in line, with as little haste as looks.

        Where several pictures came together and are `watched`, it begins a moment later.
        """
        return self._behind.submit(self._when_looked, work, time.monotonic() + _MOST_REST_S)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While a browser waits for pictures: to fetch and paint several takes all the processor there is."""
        with self._lock:
            self._watchers += 1
        try:
            yield
        finally:
            with self._lock:
                self._watchers -= 1

    def _when_looked(self, work: Callable[[], None], latest: float) -> None:
        self._decoders.submit(_nothing).result()
        while (rest_s := min(self._rest_until, latest) - time.monotonic()) > 0:
            time.sleep(rest_s)
        work()

    def keep(self, sha256: str, look: Look) -> Path:
        """Writes the thumbnail of a look. Raises: StoreFull, StoreNotWritable."""
        path = self.path(sha256)
        try:
            # Not brought to disk, as its files are not: all of it can be made again.
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_whole(path, look.encoded, temporary_in=self._incoming)
        except OSError as error:
            raise errors.of_os(error, self.root) from error
        return path

    def ensure(self, sha256: str, source: Path) -> Path:
        """The thumbnail, made from the file `source` if it is not there yet. Raises as `look` does."""
        if self.there(sha256) is None:
            self.look(sha256, source)
        return self.path(sha256)

    def there(self, sha256: str) -> Path | None:
        """The thumbnail, if it was made. Raises `ValueError` when the name is not a SHA-256."""
        path = self.path(sha256)
        try:
            return path if path.stat().st_size else None
        except FileNotFoundError:
            return None

    def look(self, sha256: str, source: Path) -> Look:
        """Makes the thumbnail, and hands out what was seen on the way. It is upright, its long edge at most
        `THUMBNAIL_EDGE_PX`, with the picture's alpha and first frame. Blocking.

        Raises:
            UnreadableImage: `source` is no picture we take, or is damaged.
            FileNotFoundError: `source` is not there.
            StoreFull, StoreNotWritable: it cannot be written.
        """
        self.path(sha256)  # a name that is no hash is refused before anything is done
        under_way = self._at_work.get(sha256) or self.begin(sha256, source.read_bytes())
        look = under_way.result()
        self.keep(sha256, look)
        return look

    def delete(self, sha256: str) -> bool:
        """Delete the thumbnail; false if there was none. Raises `ValueError` when the name is not a SHA-256."""
        path = self.path(sha256)
        there = path.is_file()
        path.unlink(missing_ok=True)
        return there

    def _looked(self, sha256: str, data: bytes) -> Look:
        try:
            return _look(data)
        finally:
            # Here and not in a callback, which runs after whoever waits for the look goes on.
            with self._lock:
                del self._at_work[sha256]
                if self._watchers and self._together > 1:
                    self._rest_until = time.monotonic() + _REST_S


def _nothing() -> None:
    return


def _step_back() -> None:
    """Looking takes most of the machine's time: what came is written and told of first."""
    if sys.platform == "linux":  # elsewhere a thread has no niceness of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _look(data: bytes) -> Look:
    small, lowest_alpha = decoded(data, THUMBNAIL_EDGE_PX)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=THUMBNAIL_QUALITY, method=WEBP_METHOD)
    return Look(small, lowest_alpha, out.getvalue())
