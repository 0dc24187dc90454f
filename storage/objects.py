"""What an object store is to us: whole objects under names that are never written twice with other bytes.

A name is that of a blob's file, `ab/ab12….png`, below the folder of the place. `put` is all or nothing at every store here: S3
shows an object once its last byte is there and its length agrees, a bucket at the Hub once it was named after its bytes went
up, a folder once the finished file is renamed. Whatever is read is held against its hash all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store says of an object without giving its bytes."""

    name: str
    size_bytes: int
    changed_at: float
    """When it was put, in seconds since 1970 by the store's clock."""


class ObjectStore(Protocol):
    """A store of objects. Every method blocks, may be called from any thread, and raises ImagesAway and nothing else."""

    url: str
    """The place as it is shown; it holds no key."""

    def prepare(self, *, is_first: bool) -> None:
        """Called at each start. `is_first`: nothing of this data folder was ever put there."""

    def head(self, name: str) -> StoredObject | None:
        """What is there under the name."""

    def under(self, stem: str) -> list[StoredObject]:
        """What is there under the stem and any kept extension: `ab/ab12…` finds `ab/ab12….png`."""

    def get(self, name: str) -> bytes | None:
        """The object, as it came; `None` where there is none."""

    def put(self, name: str, data: bytes, media_type: str, *, replace: bool = False) -> None:
        """Puts an object. One that is there stays as it is, unless it is to be replaced."""

    def delete(self, name: str) -> None:
        """Deletes an object, if it is there."""

    def all(self) -> Iterator[StoredObject]:
        """Everything below the folder, in no order; others' files too."""

    def signed_address(self, name: str, media_type: str, for_s: int) -> str | None:
        """An address under which anybody can read the object for so many seconds; `None` where the store has no such thing."""
