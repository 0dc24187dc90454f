"""What came while the disk took nothing: images in memory, until they can be written.

They are paid for, so nobody lets go of them: their run stays under way, tries again every few seconds, and goes on by itself
once there is room. Meanwhile their owner can download them. No further call goes out either, since each begins with a write.
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from providers.types import GeneratedImage
from storage.blobs import EXTENSIONS
from storage.errors import ImagesAway, ServerAway, StoreBusy, StoreError, StoreFull, StoreNotWritable
from storage.images import UnreadableImage, read_header
from storage.records import Run

T = TypeVar("T")

RETRY_S = 3.0
_WHY = "the disk takes nothing, or another program holds the database"
WAITS = f"Nothing can be saved: {_WHY}. It goes on by itself."
HELD = f"The picture is here, in memory, and cannot be saved: {_WHY}. It is saved by itself."


@dataclass(slots=True)
class _Waiting:
    """A run that waits for the disk, with the images it has in memory."""

    run: Run
    images: list[GeneratedImage] = field(default_factory=list)


class Unsaved:
    """The runs of this process that wait for the disk. Lives on the engine's event loop."""

    def __init__(self, retry_s: float = RETRY_S) -> None:
        self._retry_s = retry_s
        self._waiting: list[_Waiting] = []
        self._is_closing = asyncio.Event()

    async def until_written(
        self,
        run: Run,
        work: Callable[[], Awaitable[T]],
        on_wait: Callable[[], None],
        images: Sequence[GeneratedImage] = (),
    ) -> T:
        """What `work` returns, tried again for as long as nothing can be written; `on_wait` is called when it has to wait.

        Raises: what `work` raises otherwise; StoreFull, StoreNotWritable, StoreBusy once the app closes.
        """
        try:
            return await work()
        except StoreError as error:
            if self._is_closing.is_set() or not _may_pass(error):
                raise
        with self._held(run, images):
            on_wait()
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._is_closing.wait(), self._retry_s)
                try:
                    return await work()
                except StoreError as error:
                    if self._is_closing.is_set() or not _may_pass(error):
                        raise

    def waits(self, run_id: str) -> bool:
        """Whether the run waits for the disk."""
        return any(each.run.run_id == run_id for each in self._waiting)

    def images(self, owner: str) -> list[tuple[str, bytes]]:
        """Name and bytes of the owner's images that are in memory only, in the order in which they came."""
        found = [(each.run.run_id, image) for each in self._waiting if each.run.owner == owner for image in each.images]
        return [
            (f"diptych-{run_id}-{number}.{_extension(image.data)}", image.data)
            for number, (run_id, image) in enumerate(found, start=1)
        ]

    def close(self) -> None:
        """No further tries: what waits is given up, since the process ends."""
        self._is_closing.set()

    @contextmanager
    def _held(self, run: Run, images: Sequence[GeneratedImage]) -> Iterator[None]:
        entry = _Waiting(run, list(images))
        self._waiting.append(entry)
        try:
            yield
        finally:
            self._waiting.remove(entry)


def _may_pass(error: StoreError) -> bool:
    """Whether nothing was saved, and there is no more to do than to try again."""
    return isinstance(error, StoreFull | StoreNotWritable) or (isinstance(error, StoreBusy) and not error.may_be_saved)


def as_zip(images: Sequence[tuple[str, bytes]]) -> bytes:
    """One archive of these names and bytes, made in memory: there is no disk to make it on."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in images:
            archive.writestr(name, data)
    return out.getvalue()


def words_of(trouble: StoreError, *, is_public: bool) -> tuple[str, str]:
    """What stands in the way, as a title and what to do. Where the data lies is told to its owner alone."""
    title = "The disk is full." if isinstance(trouble, StoreFull) else "Nothing can be saved."
    if is_public:
        return (
            title,
            "New runs wait. Images that came are kept in memory until this app can save them; download them to be safe.",
        )
    way = "Free some space" if isinstance(trouble, StoreFull) else "Make the data folder writable again"
    if isinstance(trouble, ServerAway):
        way = "Bring the database server back"
    return title, f"New images are kept in memory while the app runs. {way}, and they are saved by themselves."


def words_of_away(away: ImagesAway, waiting: int, *, is_public: bool) -> tuple[str, str]:
    """How it stands with an object store that cannot be used, as a title and what to do. Its words are for the owner alone."""
    title = {
        "silent": "The place of the images does not answer.",
        "refuses": "The place of the images refuses.",
        "full": "The place of the images is full.",
    }[away.why]
    gone = "Older images may not be shown until it can be used again."
    if is_public:
        return title, f"New images are safe. {gone}"
    one = waiting == 1
    safe = f"{waiting:,} new image{'' if one else 's'} {'is' if one else 'are'} safe on this disk and will go there by "
    return (
        title,
        f"{safe if waiting else 'New images are kept on this disk and will go there by '}themselves. {gone} {away}",
    )


def _extension(data: bytes) -> str:
    with suppress(UnreadableImage):
        return EXTENSIONS[read_header(data).media_type]
    return "bin"
