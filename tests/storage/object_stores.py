"""Object stores for tests: one in a folder whose faults can be set, and an S3 server on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.blob_home import open_blobs
from storage.blob_places import read_place
from storage.blobs_elsewhere import BlobsElsewhere, Elsewhere
from storage.errors import ImagesAway
from storage.objects import ObjectStore, StoredObject
from storage.objects_folder import FolderObjects
from tests.fakes import s3

PLENTY = 10**9


class FaultyObjects(FolderObjects):
    """A folder as a store. `fault` is called before each call with its name, and may raise; `short` cuts what is given."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fault: Callable[[str], None] = lambda _: None
        self.short = 0
        self.asked: list[str] = []
        self.goes_on = threading.Event()
        self.goes_on.set()

    def head(self, name: str) -> StoredObject | None:
        self._meet("head")
        return super().head(name)

    def get(self, name: str) -> bytes | None:
        self._meet("get")
        data = super().get(name)
        return data[: len(data) - self.short] if data is not None else None

    def put(self, name: str, data: bytes, media_type: str, *, replace: bool = False) -> None:
        self._meet("put")
        self.goes_on.wait(10)
        super().put(name, data, media_type, replace=replace)

    def delete(self, name: str) -> None:
        self._meet("delete")
        super().delete(name)

    def _meet(self, call: str) -> None:
        self.asked.append(call)
        self.fault(call)


def away(_: str) -> None:
    raise ImagesAway("no answer")


@contextmanager
def home_of(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Elsewhere | None]:
    """The home of images of that kind: `folder`, `file` or `s3`."""
    if kind == "folder":
        yield None
    elif kind == "file":
        yield Elsewhere(FolderObjects(tmp_path / "object store"), PLENTY)
    else:
        yield Elsewhere(
            s3_objects(request.getfixturevalue("s3_server"), request.getfixturevalue("monkeypatch")), PLENTY
        )


def s3_objects(server: s3.S3, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A new bucket's folder."""
    from storage.objects_s3 import S3Objects

    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return S3Objects(read_place(f"s3://{server.new_bucket()}/pictures"))


@contextmanager
def opened(data_dir: Path, objects: FolderObjects, *, most: int = PLENTY) -> Iterator[BlobsElsewhere]:
    data_dir.mkdir(exist_ok=True)
    blobs = open_blobs(data_dir, Elsewhere(objects, most))
    assert isinstance(blobs, BlobsElsewhere)
    try:
        yield blobs
    finally:
        blobs.close()


def soon(is_so: Callable[[], object], within_s: float = 10) -> None:
    """Waits until it is so."""
    ends_at = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > ends_at:
            pytest.fail("it did not become so")
        time.sleep(0.005)
