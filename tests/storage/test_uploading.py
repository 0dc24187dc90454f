"""How what waits is brought up: in the order in which it waits, without looking through all of it again and again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from storage import uploading
from storage.blobs import BlobFolder
from storage.objects_folder import FolderObjects
from storage.spool import Spool, Waiting
from tests.storage.object_stores import opened, soon

NAME = f"{'a' * 64}.png"


def test_what_waits_is_listed_once_for_many_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[int] = []
    waiting = Spool.waiting

    def listing(spool: Spool) -> list[Waiting]:
        found = waiting(spool)
        listed.append(len(found))
        return found

    monkeypatch.setattr(Spool, "waiting", listing)
    monkeypatch.setattr(uploading, "_BATCH", 2)
    for number in range(40):  # from before there was an object store
        BlobFolder(tmp_path / "data" / "blobs").put(b"picture %d" % number, "image/png")
    objects = FolderObjects(tmp_path / "store")
    with opened(tmp_path / "data", objects) as blobs:
        soon(lambda: blobs.spool.count() == 0)
        assert [length for length in listed if length] == [40]
    assert len(list(objects.all())) == 40


def test_what_was_put_again_since_it_was_listed_has_waited_since_then(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.add(NAME)
    os.utime(tmp_path / "spool" / NAME, (1, 1))
    assert spool.waiting() == [Waiting(NAME, 1.0)]
    spool.add(NAME)
    claimed = spool.claim(NAME)
    assert claimed is not None
    assert abs(claimed.since - time.time()) < 60
    assert spool.claim(NAME) is None
    assert spool.is_going_up(NAME)
