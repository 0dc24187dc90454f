"""The store at S3 against a server that we did not write, with and without faults."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import blobs_elsewhere, uploading
from storage.blob_places import read_place
from storage.blobs import sha256_of
from storage.errors import ImageDamaged, ImagesAway
from tests.fakes import s3
from tests.storage.object_stores import opened, s3_objects, soon

PNG = "image/png"
SHA = sha256_of(b"a picture")
NAME = f"{SHA[:2]}/{SHA}.png"


@pytest.fixture
def objects(s3_server: s3.S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {"_FIRST_PAUSE_S": 0.01, "_LONGEST_PAUSE_S": 0.05, "_LOOK_EVERY_S": 0.05}.items():
        monkeypatch.setattr(uploading, name, value)
    monkeypatch.setattr("storage.reach._LONGEST_S", 0.02)
    monkeypatch.setattr(blobs_elsewhere, "_DRAIN_S", 0.2)
    monkeypatch.setattr("storage.objects_s3.SILENT_S", 0.3)
    return s3_objects(s3_server, monkeypatch)


def test_an_object_comes_back_as_it_was_put_and_is_put_once(objects: Any, s3_server: s3.S3) -> None:
    assert objects.head(NAME) is None
    assert objects.get(NAME) is None
    assert objects.under(NAME.removesuffix(".png")) == list(objects.all()) == []
    objects.put(NAME, b"a picture", PNG)
    objects.put(NAME, b"another", PNG)  # as somebody would whose head came a moment too soon
    assert objects.get(NAME) == b"a picture"
    found = objects.head(NAME)
    assert (found.name, found.size_bytes) == (NAME, 9)
    assert (
        [one.name for one in objects.under(NAME.removesuffix(".png"))] == [one.name for one in objects.all()] == [NAME]
    )
    objects.put(NAME, b"mended", PNG, replace=True)
    assert objects.get(NAME) == b"mended"
    objects.delete(NAME)
    objects.delete(NAME)
    assert objects.get(NAME) is None


def test_a_signed_address_gives_the_object_and_nothing_without_the_signature_is_asked_for(objects: Any) -> None:
    objects.put(NAME, b"a picture", PNG)
    address = objects.signed_address(NAME, PNG, 60)
    assert "X-Amz-Signature" in address
    assert s3.KEYS["AWS_SECRET_ACCESS_KEY"] not in address
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"a picture"
        assert answer.headers["content-type"] == PNG
        assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("fault", "why", "words"),
    [
        ("down", "silent", "gives no answer"),
        ("silent", "silent", "gives no answer"),
        ((403, "AccessDenied"), "refuses", "AccessDenied"),
        ((503, "SlowDown"), "silent", "SlowDown"),
        ((500, "InternalError"), "silent", "InternalError"),
        ((507, "QuotaExceeded"), "full", "QuotaExceeded"),
    ],
)
def test_a_store_that_fails_loses_nothing_says_why_and_gets_all_when_it_is_back(
    objects: Any, s3_server: s3.S3, tmp_path: Path, fault: Any, why: str, words: str
) -> None:
    with opened(tmp_path / "data", objects) as blobs:
        s3_server.fault = fault
        hashes = [blobs.put(b"picture %d" % number, PNG) for number in range(3)]
        soon(lambda: blobs.away)
        with pytest.raises(ImagesAway) as raised:
            objects.get(NAME)
        # To a HEAD there is no body, so only the status tells.
        assert raised.value.why == why
        assert words in str(raised.value)
        assert s3.KEYS["AWS_SECRET_ACCESS_KEY"] not in str(raised.value)
        assert blobs.spool.count() == 3
        s3_server.fault = None
        s3_server.let_go.set()
        soon(lambda: blobs.spool.count() == 0)
        soon(lambda: blobs.look_again() is None)
    bucket = read_place(objects.url).root
    assert [s3_server.object(bucket, f"pictures/{each[:2]}/{each}.png") for each in hashes] == [
        b"picture %d" % number for number in range(3)
    ]


def test_an_answer_that_is_cut_is_never_taken_for_the_picture(objects: Any, s3_server: s3.S3, tmp_path: Path) -> None:
    with opened(tmp_path / "data", objects) as blobs:
        sha256 = blobs.put(b"a whole picture", PNG)
        soon(lambda: blobs.spool.count() == 0)
        blobs.path(sha256, PNG).unlink()
        s3_server.fault = "cut"
        with pytest.raises((ImagesAway, ImageDamaged)):
            blobs.held(sha256, PNG)
        assert blobs.here(sha256) is None
        s3_server.fault = None
        soon(lambda: blobs.look_again() is None)
        assert blobs.held(sha256, PNG).read_bytes() == b"a whole picture"


def test_a_bucket_or_a_key_that_is_missing_is_told_in_words(
    objects: Any, s3_server: s3.S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from storage.objects_s3 import S3Objects

    with pytest.raises(ImagesAway, match="There is no bucket 'not-there'"):
        S3Objects(read_place("s3://not-there/x")).put(NAME, b"a picture", PNG)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ImagesAway, match="key missing") as raised:
        S3Objects(read_place(objects.url)).get(NAME)
    assert raised.value.why == "refuses"
