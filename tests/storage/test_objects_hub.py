"""The store at a bucket of the Hub. Its native uploader cannot be had on loopback: the client's methods, with their real
signatures, stand over a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import create_autospec

import httpx2
import pytest
from huggingface_hub import BucketFile, HfApi
from huggingface_hub.errors import BucketNotFoundError, EntryNotFoundError, HfHubHTTPError

from storage.blobs import sha256_of
from storage.errors import ImagesAway
from storage.hub import BucketShelf, shelf_at
from storage.objects_hub import BucketObjects

PLACE = "hf://buckets/owner/pictures/below"
SHA = sha256_of(b"a picture")
NAME = f"{SHA[:2]}/{SHA}.png"


class Bucket:
    """The client over a dictionary."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.api: Any = create_autospec(HfApi, instance=True)
        self.api.bucket_info.return_value = SimpleNamespace(private=True)
        self.api.batch_bucket_files.side_effect = self.write
        self.api.download_bucket_files.side_effect = self.read
        self.api.get_bucket_paths_info.side_effect = self.look
        self.api.list_bucket_tree.side_effect = lambda *_, **__: self.look("", list(self.held))
        shelf = shelf_at(PLACE, "hf_nobodys", api=self.api)
        assert isinstance(shelf, BucketShelf)
        self.objects = BucketObjects(PLACE, shelf)

    def write(self, _id: str, add: Sequence[tuple[bytes, str]] = (), delete: Sequence[str] = ()) -> None:
        self.held.update({path: data for data, path in add})
        for path in delete:
            del self.held[path]

    def read(self, _id: str, files: Sequence[tuple[str, Path]], *, raise_on_missing_files: bool) -> None:
        for name, path in files:
            if name not in self.held:
                raise EntryNotFoundError(name)
            path.write_bytes(self.held[name])

    def look(self, _id: str, names: Sequence[str]) -> Iterator[BucketFile]:
        at = "2026-11-22T10:00:00.000Z"
        for name in names:
            if name in self.held:
                row = {"type": "file", "path": name, "size": len(self.held[name]), "xetHash": "x", "uploadedAt": at}
                yield BucketFile(**row)


def answered(status: int) -> HfHubHTTPError:
    return HfHubHTTPError("no", response=httpx2.Response(status, request=httpx2.Request("GET", "http://127.0.0.1/")))


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


def test_an_object_comes_back_as_it_was_put_and_is_put_once(bucket: Bucket) -> None:
    objects = bucket.objects
    assert objects.head(NAME) is None
    assert objects.get(NAME) is None
    objects.put(NAME, b"a picture", "image/png")
    objects.put(NAME, b"another", "image/png")
    assert bucket.held == {f"below/{NAME}": b"a picture"}
    assert objects.get(NAME) == b"a picture"
    found = objects.head(NAME)
    assert found is not None
    assert (found.name, found.size_bytes, found.changed_at) == (NAME, 9, 1795341600.0)
    bucket.held["elsewhere/x"] = b"not ours"
    assert objects.under(NAME.removesuffix(".png")) == list(objects.all()) == [found]
    objects.delete(NAME)
    objects.delete(NAME)
    assert list(objects.all()) == []


@pytest.mark.parametrize(("status", "why"), [(401, "refuses"), (403, "refuses"), (413, "full"), (500, "silent")])
def test_why_it_fails_is_told(bucket: Bucket, status: int, why: str) -> None:
    bucket.api.batch_bucket_files.side_effect = answered(status)
    with pytest.raises(ImagesAway, match="owner/pictures") as raised:
        bucket.objects.put(NAME, b"a picture", "image/png")
    assert raised.value.why == why


def test_nothing_is_put_where_others_can_read_it(bucket: Bucket) -> None:
    bucket.api.bucket_info.return_value = SimpleNamespace(private=False)
    with pytest.raises(ImagesAway, match="public.*DIPTYCH_BLOBS_URL") as raised:
        bucket.objects.put(NAME, b"a picture", "image/png")
    assert raised.value.why == "refuses"
    assert bucket.held == {}
    none = httpx2.Response(404, request=httpx2.Request("GET", "http://127.0.0.1/"))
    bucket.api.bucket_info.side_effect = BucketNotFoundError("none", response=none)
    bucket.objects.put(NAME, b"a picture", "image/png")
    bucket.api.create_bucket.assert_called_once_with("owner/pictures", private=True, exist_ok=True)
