from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.blob_home import open_blobs
from storage.blobs import EXTENSIONS, BlobFolder, media_type_of
from storage.errors import StoreFull, StoreNotWritable
from tests.storage.object_stores import home_of

HOSTILE = (
    "",
    "a" * 63,
    "a" * 65,
    "A" * 64,
    "../" + "a" * 61,
    "a" * 64 + "\n",
    "a" * 62 + "/.",
    "\0" * 64,
    "٣" * 64,
    "../../etc/passwd",
)


@pytest.fixture(params=["folder", "file", pytest.param("s3", marks=pytest.mark.thorough)])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobFolder]:
    """The same for each home of images."""
    with home_of(request.param, tmp_path, request) as elsewhere:
        opened = open_blobs(tmp_path, elsewhere)
        yield opened
        opened.close()


@pytest.mark.parametrize("media_type", EXTENSIONS)
def test_bytes_come_back_as_they_went_in(blobs: BlobFolder, media_type: str) -> None:
    sha256 = blobs.put(b"some bytes", media_type)
    assert sha256 == hashlib.sha256(b"some bytes").hexdigest()
    path = blobs.root / sha256[:2] / f"{sha256}.{EXTENSIONS[media_type]}"
    assert blobs.path(sha256, media_type) == blobs.find(sha256) == path
    assert media_type_of(path) == media_type
    with blobs.open(sha256) as file:
        assert file.read() == b"some bytes"
    assert list(blobs.all()) == [(sha256, path)]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_bytes_again_are_not_written_again(blobs: BlobFolder) -> None:
    sha256 = blobs.put(b"once", "image/png")
    before = blobs.path(sha256, "image/png").stat()
    assert blobs.put(b"once", "image/png") == sha256
    after = blobs.path(sha256, "image/png").stat()
    assert before.st_ino == after.st_ino


def test_a_file_cut_short_is_mended_by_the_same_bytes(blobs: BlobFolder) -> None:
    sha256 = blobs.put(b"a whole picture", "image/png")
    blobs.path(sha256, "image/png").write_bytes(b"a who")
    blobs.put(b"a whole picture", "image/png")
    assert blobs.path(sha256, "image/png").read_bytes() == b"a whole picture"


def test_many_threads_may_put_the_same_bytes(blobs: BlobFolder) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: blobs.put(b"x" * 100_000, "image/png"), range(64)))) == 1
    assert not list((blobs.root / "incoming").iterdir())


def test_deleting(blobs: BlobFolder) -> None:
    sha256 = blobs.put(b"gone soon", "image/gif")
    assert blobs.exists(sha256)
    assert blobs.delete(sha256)
    assert not blobs.exists(sha256)
    assert not blobs.delete(sha256)
    with pytest.raises(FileNotFoundError):
        blobs.open(sha256)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_lead_nowhere(blobs: BlobFolder, name: str) -> None:
    for use in (blobs.find, blobs.open, blobs.exists, blobs.delete, lambda name: blobs.path(name, "image/png")):
        with pytest.raises(ValueError, match="not a SHA-256"):
            use(name)


def test_what_cannot_be_kept_is_refused(blobs: BlobFolder) -> None:
    with pytest.raises(ValueError, match="not kept"):
        blobs.put(b"<svg/>", "image/svg+xml")
    with pytest.raises(ValueError, match="without bytes"):
        blobs.put(b"", "image/png")
    with pytest.raises(ValueError, match="no extension"):
        media_type_of(Path("picture.svg"))


@pytest.mark.parametrize(
    ("number", "error"), [(28, StoreFull), (122, StoreFull), (30, StoreNotWritable), (13, StoreNotWritable)]
)
def test_a_disk_that_refuses_is_named_and_nothing_stays(
    blobs: BlobFolder, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr("os.fsync", refuse)
    monkeypatch.setattr("storage.blobs.make_folder", lambda folder: folder.mkdir(exist_ok=True))
    with pytest.raises(error, match=str(blobs.root)):
        blobs.put(b"bytes", "image/png")
    assert list(blobs.all()) == []
    assert not list((blobs.root / "incoming").iterdir())


def test_other_files_are_passed_over(blobs: BlobFolder) -> None:
    sha256 = blobs.put(b"ours", "image/png")
    folder = blobs.root / sha256[:2]
    (folder / "notes.txt").write_text("mine")
    (folder / f"{'0' * 64}.png").write_bytes(b"in the wrong folder")
    assert [name for name, _ in blobs.all()] == [sha256]
