"""The part of the audit that looks at an object store: every row has its object, or bytes here that are on their way there;
every object has its row; sizes agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storage.blobs import EXTENSIONS, BlobFolder, is_blob_name
from storage.blobs_elsewhere import BlobsElsewhere
from storage.errors import ImagesAway
from storage.problems import Problem


@dataclass(slots=True)
class ObjectsThere:
    """What the object store holds. Empty, and without a word, where images are kept in the data folder."""

    blobs: BlobsElsewhere | None = None
    """`None` also where the store could not be asked."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Of each object, by its name."""
    hashes: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    """Names of what was on its way there when the audit began."""
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, blobs: BlobFolder, *, reads_them: bool) -> ObjectsThere:
        """Lists the store, and with `reads_them` holds every object against its hash. Blocking, and slow for many objects."""
        found = cls()
        if not isinstance(blobs, BlobsElsewhere):
            return found
        found.waiting = {one.name for one in blobs.spool.waiting()}
        try:
            for one in blobs.objects.all():
                found.sizes[one.name] = one.size_bytes
            if reads_them:
                found.problems += _damaged(blobs, found.sizes)
        except ImagesAway as error:
            words = f"what is kept there could not be looked at: {error}"
            return cls(problems=[*found.problems, Problem("place_away", blobs.objects.url, words)])
        found.blobs = blobs
        found.hashes = {Path(name).stem for name in found.sizes if is_blob_name(Path(name))}
        return found

    def has(self, sha256: str) -> bool:
        """Whether there is an object with these bytes, by its name; true where the store could not be asked."""
        return sha256 in self.hashes or (self.blobs is None and bool(self.problems))

    def problem_of(self, sha256: str, media_type: str | None, size_bytes: int | None, holder: str) -> Problem | None:
        """What is wrong with the object of a row, if it has to have one."""
        if self.blobs is None:
            return None
        extension = EXTENSIONS.get(media_type or "")
        names = [f"{sha256}.{each}" for each in ([extension] if extension else EXTENSIONS.values())]
        size = next((self.sizes[path] for name in names if (path := f"{sha256[:2]}/{name}") in self.sizes), None)
        if size is not None:
            if size_bytes is not None and size != size_bytes:
                words = f"{holder} has {size_bytes} bytes, its object at {self.blobs.objects.url} {size}"
                return Problem("size_differs", sha256, words)
            return None
        if any(name in self.waiting or self.blobs.spool.has(name) for name in names) or self._came_since(sha256, names):
            return None
        if self.blobs.here(sha256) is None:
            return None  # then it is nowhere, and told of as any file that is missing
        words = f"the bytes of {holder} are on this disk alone, and not on their way to {self.blobs.objects.url}"
        return Problem("blob_missing", sha256, words)

    def problems_of_others(self, known: set[str]) -> Iterator[Problem]:
        """Objects that no row speaks of, and what is none of ours; what reading them showed, and why they could not be read."""
        yield from self.problems
        for name in self.sizes if self.blobs else ():
            if not is_blob_name(Path(name)):
                yield Problem("stray_file", name, "this object is none of ours")
            elif Path(name).stem not in known:
                yield Problem("blob_unknown", Path(name).stem, "no row speaks of this object")

    def _came_since(self, sha256: str, names: list[str]) -> bool:
        """Whether it went up after the list was made; true where that cannot be known."""
        try:
            return self.blobs is not None and any(self.blobs.objects.head(f"{sha256[:2]}/{name}") for name in names)
        except ImagesAway:
            return True


def _damaged(blobs: BlobsElsewhere, sizes: dict[str, int]) -> Iterator[Problem]:
    for name in sizes:
        path = Path(name)
        if is_blob_name(path) and blobs.sha256_there(name) not in (path.stem, None):
            yield Problem("blob_damaged", path.stem, f"the object {name} has other bytes than its name says")
