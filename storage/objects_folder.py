"""A folder as an object store: another disk, or one that several machines have mounted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from storage.blobs import EXTENSIONS, sweep_leftovers
from storage.errors import ImagesAway, StoreFull, of_os
from storage.files import make_folder, write_durably
from storage.objects import StoredObject

MARKER = "DIPTYCH-IMAGES"
"""File that says that the folder is the one meant. A disk that is not mounted leaves an empty folder of the same name, and
nothing may be put into that."""
_INCOMING = ".incoming"


class FolderObjects:
    """Files below a folder, each brought to disk under another name and then renamed."""

    def __init__(self, folder: Path) -> None:
        self.url = folder.as_uri()
        self._folder = folder
        self._incoming = folder / _INCOMING

    def prepare(self, *, is_first: bool) -> None:
        """Makes the folder, the first time; later it has to be there."""
        try:
            if is_first and not (self._folder / MARKER).exists():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                make_folder(self._incoming)
                write_durably(self._folder / MARKER, b"Images of Diptych, by SHA-256.\n", temporary_in=self._incoming)
            self._check()
            sweep_leftovers(self._incoming)
        except OSError as error:
            raise self._away(error) from error

    def head(self, name: str) -> StoredObject | None:
        """See `ObjectStore`."""
        try:
            self._check()
            return self._stored(self._folder / name)
        except OSError as error:
            raise self._away(error) from error

    def under(self, stem: str) -> list[StoredObject]:
        """See `ObjectStore`."""
        return [found for extension in EXTENSIONS.values() if (found := self.head(f"{stem}.{extension}"))]

    def get(self, name: str) -> bytes | None:
        """See `ObjectStore`."""
        try:
            self._check()
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._away(error) from error

    def put(self, name: str, data: bytes, media_type: str, *, replace: bool = False) -> None:
        """See `ObjectStore`. Two that put the same name at once both write the same bytes."""
        del media_type  # a file has no place for it but its name
        if not replace and self.head(name) is not None:
            return
        path = self._folder / name
        try:
            make_folder(self._incoming)
            make_folder(path.parent)
            write_durably(path, data, temporary_in=self._incoming)
        except OSError as error:
            raise self._away(error) from error

    def delete(self, name: str) -> None:
        """See `ObjectStore`."""
        try:
            self._check()
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._away(error) from error

    def all(self) -> Iterator[StoredObject]:
        """See `ObjectStore`."""
        try:
            self._check()
            for path in self._folder.rglob("*"):
                found = None if _INCOMING in path.parts or path.name == MARKER else self._stored(path)
                if found is not None:
                    yield found
        except OSError as error:
            raise self._away(error) from error

    def signed_address(self, name: str, media_type: str, for_s: int) -> str | None:
        """None: a folder has no addresses."""
        del name, media_type, for_s
        return None

    def _stored(self, path: Path) -> StoredObject | None:
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        if not path.is_file():
            return None
        return StoredObject(path.relative_to(self._folder).as_posix(), found.st_size, found.st_mtime)

    def _check(self) -> None:
        if not (self._folder / MARKER).is_file():
            raise ImagesAway(
                f"The folder of the images, {self.url}, is not there or is another one (it has no file {MARKER}). "
                "Is its disk mounted?"
            )

    def _away(self, error: OSError) -> ImagesAway:
        is_full = isinstance(of_os(error, self._folder), StoreFull)
        return ImagesAway(
            f"The folder of the images, {self.url}, cannot be used: {error.strerror}.",
            why="full" if is_full else "silent",
        )
