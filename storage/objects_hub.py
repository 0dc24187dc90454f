"""A storage bucket at the Hugging Face Hub as an object store, over the bucket that `storage.hub` knows to ask.

The Hub takes the bytes first and names them in a call of its own, so a file is there whole or not at all. It has no "only if
there is none": a file is looked for before it is put, and whoever comes in between puts the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from storage.blob_places import BlobPlace
from storage.blobs import EXTENSIONS
from storage.errors import ImagesAway, SnapshotFailed, Why
from storage.hub import BucketShelf, Shelved, shelf_at
from storage.objects import StoredObject

T = TypeVar("T")

_REFUSED, _FULL = (401, 403), (402, 413, 507)


def bucket_at(place: BlobPlace, token: str | None, endpoint: str | None = None) -> BucketObjects:
    """The store at a bucket, which is made, for its owner alone, where there is none."""
    shelf = shelf_at(place.url, token, endpoint)
    if not isinstance(shelf, BucketShelf):
        raise TypeError(f"{place.url} is no bucket")
    return BucketObjects(place.url, shelf)


class BucketObjects:
    """Files of a bucket. Nothing is put into one that others can read."""

    def __init__(self, url: str, shelf: BucketShelf) -> None:
        self.url = url
        self._shelf = shelf

    def prepare(self, *, is_first: bool) -> None:
        """Nothing: the bucket is made, and its privacy looked at, before the first file is put."""

    def head(self, name: str) -> StoredObject | None:
        """See `ObjectStore`."""
        return next((_stored(row) for row in self._asked(lambda: self._shelf.look([name]))), None)

    def under(self, stem: str) -> list[StoredObject]:
        """See `ObjectStore`."""
        names = [f"{stem}.{extension}" for extension in EXTENSIONS.values()]
        return [_stored(row) for row in self._asked(lambda: self._shelf.look(names))]

    def get(self, name: str) -> bytes | None:
        """See `ObjectStore`."""
        return self._asked(lambda: self._shelf.read(name))

    def put(self, name: str, data: bytes, media_type: str, *, replace: bool = False) -> None:
        """See `ObjectStore`."""
        del media_type  # the Hub goes by the name
        if replace or self.head(name) is None:
            self._asked(lambda: self._shelf.put({name: data}))

    def delete(self, name: str) -> None:
        """See `ObjectStore`."""
        if self.head(name) is not None:
            self._asked(lambda: self._shelf.delete([name]))

    def all(self) -> Iterator[StoredObject]:
        """See `ObjectStore`."""
        return map(_stored, self._asked(self._shelf.listed))

    def signed_address(self, name: str, media_type: str, for_s: int) -> str | None:
        """None: the Hub's addresses are signed for whoever has the token, at the moment they are asked for."""
        del name, media_type, for_s
        return None

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except SnapshotFailed as error:
            message = (
                str(error).replace("DIPTYCH_SNAPSHOT", "DIPTYCH_BLOBS_URL").replace("a snapshot holds", "it would hold")
            )
            raise ImagesAway(message, why=_why(error)) from error


def _why(error: SnapshotFailed) -> Why:
    status = getattr(getattr(error.__cause__, "response", None), "status_code", None)
    # Without a cause it is our own no, to a bucket that others can read.
    if status in _REFUSED or error.__cause__ is None:
        return "refuses"
    return "full" if status in _FULL else "silent"


def _stored(row: Shelved) -> StoredObject:
    return StoredObject(row.name, row.size_bytes, row.changed_at)
