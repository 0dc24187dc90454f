"""Shelves for snapshots at the Hugging Face Hub: a dataset or a bucket. The one file that knows its client.

A snapshot holds everything that everybody made, so nothing is ever written to a place that others can read.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import huggingface_hub as hub  # by names behind a dot, which it loads when they are used: 0.15 s of the processor
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
from huggingface_hub.utils.logging import set_verbosity
from huggingface_hub.utils.tqdm import disable_progress_bars

from storage.errors import SnapshotFailed
from storage.hub_places import PLACE

T = TypeVar("T")

_DOWNLOADS_AT_ONCE = 8


def shelf_at(place: str, token: str | None, endpoint: str | None = None, api: hub.HfApi | None = None) -> HubShelf:
    """The shelf at such a place. `endpoint`: another Hub than the public one; `api`: another client.

    Raises: ValueError when the place is not written like one.
    """
    found = PLACE.fullmatch(place)
    if found is None:
        raise ValueError(f"{place[:80]!r} is no place at the Hub")
    disable_progress_bars()
    # It tells each try on a stream of its own; what became of them is ours to say.
    set_verbosity(logging.ERROR)
    # Without a token of its own it must not fall back on one that lies on the machine.
    client = api or hub.HfApi(endpoint, token=token or False)
    kind = DatasetShelf if found["kind"] == "datasets" else BucketShelf
    return kind(client, found["id"], found["folder"].strip("/"))


class HubShelf(ABC):
    """What both kinds share: names below a folder, and errors as sentences. See `storage.snapshots.Shelf`."""

    kind = ""

    def __init__(self, api: hub.HfApi, place_id: str, folder: str) -> None:
        self._api = api
        self._id = place_id
        self._below = f"{folder}/" if folder else ""
        self._is_checked = False

    def names(self) -> set[str]:
        """All files below the folder; none where nothing is there yet."""
        try:
            found = self._asked("list", self._all)
        except _NotThere:
            return set()
        return {name.removeprefix(self._below) for name in found if name.startswith(self._below)}

    def read(self, name: str) -> bytes | None:
        """A small file, or `None` when it is not there."""
        with TemporaryDirectory() as folder:
            try:
                self._asked("read", partial(self._download, [name], Path(folder)))
            except _NotThere:
                return None
            return (Path(folder) / name).read_bytes()

    def fetch(self, names: Sequence[str], folder: Path) -> None:
        """Writes each file to its name below the folder."""
        self._asked("read", partial(self._download, names, folder))

    def put(self, files: Mapping[str, Path | bytes]) -> None:
        """Writes files; the place is made, for its owner alone, where there is none."""
        if not self._is_checked:
            self._asked("look at", self._make_private)
            self._is_checked = True
        self._asked("write", partial(self._upload, {self._below + name: data for name, data in files.items()}))

    def delete(self, names: Sequence[str]) -> None:
        """Deletes files."""
        self._asked("delete in", partial(self._remove, [self._below + name for name in names]))

    @abstractmethod
    def _all(self) -> list[str]: ...

    @abstractmethod
    def _download(self, names: Sequence[str], folder: Path) -> None: ...

    @abstractmethod
    def _is_private(self) -> bool: ...

    @abstractmethod
    def _make(self) -> None: ...

    @abstractmethod
    def _upload(self, files: Mapping[str, Path | bytes]) -> None: ...

    @abstractmethod
    def _remove(self, paths: Sequence[str]) -> None: ...

    def _make_private(self) -> None:
        """Raises: SnapshotFailed when the place can be read by others."""
        try:
            is_private = self._is_private()
        except HfHubHTTPError as error:
            if error.response.status_code != 404:
                raise
            self._make()
            return
        if not is_private:
            raise SnapshotFailed(
                f"The {self.kind} {self._id} is public, and a snapshot holds everything that everybody made. "
                "Make it private, or name another one in DIPTYCH_SNAPSHOT."
            )

    def _asked(self, what: str, ask: Callable[[], T]) -> T:
        """Raises: SnapshotFailed with a sentence that names the place and holds no key."""
        try:
            return ask()
        except SnapshotFailed:
            raise
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status == 404:
                raise _NotThere(f"The {self.kind} {self._id} has not all of what was asked for.") from error
            raise SnapshotFailed(f"The Hub refused to {what} the {self.kind} {self._id}{_advice(status)}.") from error
        except Exception as error:
            if type(error) is EntryNotFoundError:
                # Not its kinds: one of them is what the client makes of a connection that failed.
                raise _NotThere(f"The {self.kind} {self._id} has not all of what was asked for.") from error
            # Of its HTTP library, of its native uploader, of the disk; their words may hold addresses with signatures.
            raise SnapshotFailed(f"Could not {what} the {self.kind} {self._id}: {type(error).__name__}.") from error


class _NotThere(SnapshotFailed):
    """The place, or a file in it, is not there."""


class DatasetShelf(HubShelf):
    """A dataset repository. Each write is a commit, and what was deleted stays in its history."""

    kind = "dataset"

    def _all(self) -> list[str]:
        return self._api.list_repo_files(self._id, repo_type="dataset")

    def _download(self, names: Sequence[str], folder: Path) -> None:
        if len(names) == 1:
            # No thread for it: one that waits for the Hub would hold up the end of the process.
            self._move(self._download_one(str(folder / ".one"), names[0]), folder / names[0])
            return
        with TemporaryDirectory(dir=folder) as whole, ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as at_once:
            for name, path in zip(names, at_once.map(partial(self._download_one, whole), names), strict=True):
                self._move(path, folder / name)

    @staticmethod
    def _move(path: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(path).replace(target)

    def _download_one(self, folder: str, name: str) -> str:
        # Into a folder of its own: kept nowhere else, and one that was there before is not taken for it.
        return str(self._api.hf_hub_download(self._id, self._below + name, repo_type="dataset", local_dir=folder))

    def _is_private(self) -> bool:
        return bool(self._api.dataset_info(self._id).private)

    def _make(self) -> None:
        self._api.create_repo(self._id, repo_type="dataset", private=True, exist_ok=True)

    def _upload(self, files: Mapping[str, Path | bytes]) -> None:
        self._commit("Add to the snapshot", [hub.CommitOperationAdd(path, data) for path, data in files.items()])

    def _remove(self, paths: Sequence[str]) -> None:
        self._commit("Remove what is not listed", [hub.CommitOperationDelete(path) for path in paths])

    def _commit(self, message: str, operations: Sequence[hub.CommitOperationAdd | hub.CommitOperationDelete]) -> None:
        self._api.create_commit(self._id, operations, commit_message=message, repo_type="dataset")


@dataclass(frozen=True, slots=True)
class Shelved:
    """A file of a bucket."""

    name: str
    size_bytes: int
    changed_at: float
    """Seconds since 1970; 0 where the Hub does not say."""


class BucketShelf(HubShelf):
    """A storage bucket: no history, what is deleted is gone."""

    kind = "bucket"

    def look(self, names: Sequence[str]) -> list[Shelved]:
        """Those of the files that are there, in no order."""
        try:
            return self._asked("look at", partial(self._look, names))
        except _NotThere:
            return []

    def listed(self) -> list[Shelved]:
        """All files below the folder; none where nothing is there yet."""
        try:
            return self._asked("list", self._rows)
        except _NotThere:
            return []

    def _look(self, names: Sequence[str]) -> list[Shelved]:
        return [
            self._shelved(row)
            for row in self._api.get_bucket_paths_info(self._id, [self._below + name for name in names])
        ]

    def _rows(self) -> list[Shelved]:
        found = self._api.list_bucket_tree(self._id, self._below.strip("/") or None, recursive=True)
        return [
            self._shelved(row) for row in found if isinstance(row, hub.BucketFile) and row.path.startswith(self._below)
        ]

    def _shelved(self, row: hub.BucketFile) -> Shelved:
        at = row.uploaded_at or row.mtime
        return Shelved(row.path.removeprefix(self._below), row.size, at.timestamp() if at else 0.0)

    def _all(self) -> list[str]:
        found = self._api.list_bucket_tree(self._id, self._below.strip("/") or None, recursive=True)
        return [row.path for row in found if row.type == "file"]

    def _download(self, names: Sequence[str], folder: Path) -> None:
        files: list[tuple[str | hub.BucketFile, str | Path]] = []
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            files.append((self._below + name, folder / name))
        self._api.download_bucket_files(self._id, files, raise_on_missing_files=True)

    def _is_private(self) -> bool:
        return bool(self._api.bucket_info(self._id).private)

    def _make(self) -> None:
        self._api.create_bucket(self._id, private=True, exist_ok=True)

    def _upload(self, files: Mapping[str, Path | bytes]) -> None:
        self._api.batch_bucket_files(self._id, add=[(data, path) for path, data in files.items()])

    def _remove(self, paths: Sequence[str]) -> None:
        self._api.batch_bucket_files(self._id, delete=list(paths))


def _advice(status: int | None) -> str:
    if status in (401, 403):
        return ": HF_TOKEN is missing, or may not write there"
    return f" (status {status})" if status else ""
