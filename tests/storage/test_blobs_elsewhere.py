from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage import blob_home, blobs_elsewhere, uploading
from storage.blob_home import open_blobs
from storage.blob_places import BlobPlace, read_place
from storage.blobs import BlobFolder, sha256_of
from storage.blobs_elsewhere import BlobsElsewhere, Elsewhere
from storage.coming import Coming, announce
from storage.database import Store
from storage.errors import ImageDamaged, ImagesAway, ImagesElsewhere
from storage.freeing import sweep_copies
from storage.objects_folder import MARKER, FolderObjects
from storage.spool import Spool
from tests.fresh_store import fresh
from tests.storage.builders import store_everything
from tests.storage.object_stores import PLENTY, FaultyObjects, away, opened, soon

PNG = "image/png"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "_FIRST_PAUSE_S": 0.01,
        "_LONGEST_PAUSE_S": 0.05,
        "_LOOK_EVERY_S": 0.05,
        "_LOCK_EVERY_S": 0.02,
    }.items():
        monkeypatch.setattr(uploading, name, value)
    monkeypatch.setattr("storage.reach._LONGEST_S", 0.02)
    monkeypatch.setattr(blobs_elsewhere, "_DRAIN_S", 0.2)


@pytest.fixture
def objects(tmp_path: Path) -> FaultyObjects:
    return FaultyObjects(tmp_path / "store")


def stored(objects: FolderObjects) -> dict[str, int]:
    return {one.name: one.size_bytes for one in objects.all()}


def name_of(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}.png"


def forget_here(blobs: BlobFolder, sha256: str) -> None:
    """As if the disk's part had been let go."""
    blobs.path(sha256, PNG).unlink()


def test_what_is_put_is_on_this_disk_at_once_and_at_the_store_soon(tmp_path: Path, objects: FaultyObjects) -> None:
    objects.goes_on.clear()
    with opened(tmp_path / "data", objects) as blobs:
        sha256 = blobs.put(b"a picture", PNG)
        assert blobs.here(sha256).read_bytes() == b"a picture"
        assert stored(objects) == {}
        assert blobs.spool.count() == 1
        objects.goes_on.set()
        soon(lambda: blobs.spool.count() == 0)
        assert stored(objects) == {name_of(sha256): 9}
        forget_here(blobs, sha256)
        assert blobs.find(sha256).read_bytes() == b"a picture"
        assert blobs.held(sha256, PNG) == blobs.path(sha256, PNG)
    assert objects.get(name_of(sha256)) == b"a picture"


@pytest.mark.parametrize("why", ["silent", "refuses", "full"])
def test_a_store_that_takes_nothing_loses_nothing_and_is_told_of(
    tmp_path: Path, objects: FaultyObjects, why: str
) -> None:
    def refuse(call: str) -> None:
        if call == "put":
            raise ImagesAway("not now", why=why)

    with opened(tmp_path / "data", objects) as blobs:
        objects.fault = refuse
        hashes = [blobs.put(b"picture %d" % number, PNG) for number in range(40)]
        soon(lambda: blobs.away)
        assert blobs.away.why == why
        soon(lambda: objects.asked.count("put") > 50)  # it goes on trying
        assert blobs.spool.count() == 40
        assert blobs.trouble is None  # this disk takes all
        objects.fault = lambda _: None
        soon(lambda: blobs.spool.count() == 0)
        assert blobs.away is None
    assert stored(objects).keys() == {name_of(sha256) for sha256 in hashes}


def test_one_that_never_goes_up_holds_up_no_other(tmp_path: Path, objects: FaultyObjects) -> None:
    with opened(tmp_path / "data", objects) as blobs:
        bad = blobs.put(b"bad", PNG)
        soon(lambda: blobs.spool.count() == 0)
        objects.delete(name_of(bad))
        blobs.path(bad, PNG).write_bytes(b"BAD")  # the disk lost it: these are no bytes of that name
        blobs.spool.add(f"{bad}.png")
        good = blobs.put(b"good", PNG)
        soon(lambda: objects.get(name_of(good)))
        soon(lambda: blobs.spool.count() == 1)
        assert objects.get(name_of(bad)) is None


_VICTIM = """
import sys, threading
from pathlib import Path
from storage.blob_home import open_blobs
from storage.blobs_elsewhere import Elsewhere
from storage.objects_folder import FolderObjects

class Stuck(FolderObjects):
    def put(self, *_, **__):
        print("stuck\\n", end="", flush=True)  # in one piece: two threads speak
        threading.Event().wait()

blobs = open_blobs(Path(sys.argv[1]), Elsewhere(Stuck(Path(sys.argv[2])), 10**9))
print(blobs.put(b"paid for", "image/png") + "\\n", end="", flush=True)
threading.Event().wait()
"""


def test_killed_between_the_spool_and_the_store_it_goes_up_at_the_next_start(
    tmp_path: Path, objects: FaultyObjects
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    victim = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, data_dir, tmp_path / "store"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    said = {victim.stdout.readline().strip(), victim.stdout.readline().strip()}
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    (sha256,) = said - {"stuck"}
    assert stored(objects) == {}
    with opened(data_dir, objects) as blobs:
        soon(lambda: blobs.spool.count() == 0)
    assert objects.get(name_of(sha256)) == b"paid for"


def test_a_name_without_bytes_is_dropped_once_nobody_can_be_writing_them(
    tmp_path: Path, objects: FaultyObjects
) -> None:
    young, old = (f"{digit * 64}.png" for digit in "ab")
    (tmp_path / "data").mkdir()
    spool = Spool(tmp_path / "data" / "spool")
    spool.add_all((young, old))
    os.utime(tmp_path / "data" / "spool" / old, (1, 1))
    with opened(tmp_path / "data", objects) as blobs:
        blobs.put(b"x", PNG)
        soon(lambda: blobs.spool.count() == 1)
        assert blobs.spool.has(young)


def test_two_processes_share_a_store(tmp_path: Path, objects: FaultyObjects) -> None:
    other = FaultyObjects(tmp_path / "store")
    with opened(tmp_path / "one", objects) as one, opened(tmp_path / "two", other) as two:
        sha256 = one.put(b"shared", PNG)
        soon(lambda: one.spool.count() == 0)
        assert two.find(sha256).read_bytes() == b"shared"
        assert two.put(b"shared", PNG) == sha256  # not a byte of it goes up again
        soon(lambda: two.waiting() == 0 and not two.spool.is_going_up(two.here(sha256).name))
        assert "put" not in other.asked
        assert two.discard(sha256, unused_s=0)
        assert stored(objects) == {}
        assert not two.exists(sha256)


def test_two_processes_of_one_folder_bring_up_one_after_the_other(tmp_path: Path, objects: FaultyObjects) -> None:
    other = FaultyObjects(tmp_path / "store")
    with opened(tmp_path / "data", objects) as one:
        soon(lambda: one._uploader._lock.is_locked)
        with opened(tmp_path / "data", other) as two:
            sha256 = two.put(b"of the second", PNG)
            soon(lambda: objects.get(name_of(sha256)))
            assert "put" not in other.asked
            one.close()
            sha256 = two.put(b"once more", PNG)
            soon(lambda: "put" in other.asked)
            soon(lambda: stored(objects).get(name_of(sha256)))


def test_what_is_there_already_is_looked_at_once_more_when_nobody_can_be_deleting_it(
    tmp_path: Path, objects: FaultyObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path / "data", objects) as blobs:
        sha256 = blobs.put(b"again", PNG)
        soon(lambda: blobs.spool.count() == 0)
        before = objects.asked.count("head")
        blobs.put(b"again", PNG)
        soon(lambda: objects.asked.count("head") > before)
        assert blobs.spool.count() == 1
        soon(lambda: blobs.waiting() == 0)  # nobody is told that it waits
        objects.delete(name_of(sha256))  # another replica, for which no row spoke of it a moment ago
        monkeypatch.setattr(uploading, "SETTLED_S", 0.05)
        blobs._uploader._later.clear()
        blobs._uploader.wake()
        soon(lambda: blobs.spool.count() == 0)
    assert stored(objects) == {name_of(sha256): 5}


def test_an_object_cut_short_or_changed_is_refused_and_never_kept(tmp_path: Path, objects: FaultyObjects) -> None:
    with opened(tmp_path / "data", objects) as blobs:
        sha256 = blobs.put(b"a whole picture", PNG)
        soon(lambda: blobs.spool.count() == 0)
        forget_here(blobs, sha256)
        objects.short = 3
        with pytest.raises(ImageDamaged, match="damaged"):
            blobs.find(sha256)
        objects.short = 0
        (tmp_path / "store" / name_of(sha256)).write_bytes(b"A whole picture")
        with pytest.raises(ImageDamaged, match=sha256[:12]):
            blobs.held(sha256, PNG)
        assert blobs.here(sha256) is None
        assert blobs.away is None
        (tmp_path / "store" / name_of(sha256)).write_bytes(b"a who")
        blobs.put(b"a whole picture", PNG)  # whoever has the bytes mends it
        soon(lambda: objects.get(name_of(sha256)) == b"a whole picture")


def test_while_the_store_is_away_what_is_here_is_shown_and_the_rest_is_refused_at_once(
    tmp_path: Path, objects: FaultyObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path / "data", objects) as blobs:
        here, gone = blobs.put(b"here", PNG), blobs.put(b"gone", PNG)
        soon(lambda: blobs.spool.count() == 0)
        forget_here(blobs, gone)
        objects.fault = away
        monkeypatch.setattr("storage.reach._FIRST_S", 30.0)
        monkeypatch.setattr("storage.reach._LONGEST_S", 30.0)
        with pytest.raises(ImagesAway):
            blobs.held(gone, PNG)
        asked = objects.asked.count("get")
        for _ in range(5):
            with pytest.raises(ImagesAway, match="no answer"):
                blobs.held(gone, PNG)
        assert objects.asked.count("get") == asked
        assert blobs.find(here).read_bytes() == b"here"
        assert blobs.away is not None


def test_a_slow_store_takes_no_more_than_a_few_threads(
    tmp_path: Path, objects: FaultyObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs_elsewhere, "_WAITED_S", 0.05)
    goes_on = threading.Event()
    with opened(tmp_path / "data", objects) as blobs:
        hashes = [blobs.put(bytes([number]), PNG) for number in range(12)]
        soon(lambda: blobs.spool.count() == 0)
        for sha256 in hashes:
            forget_here(blobs, sha256)
        objects.fault = lambda call: goes_on.wait(10) if call == "get" else None
        with ThreadPoolExecutor(12) as pool:
            asked = [pool.submit(blobs.held, sha256, PNG) for sha256 in hashes]
            soon(lambda: sum(one.done() for one in asked) == 4)
            assert objects.asked.count("get") == 8
            goes_on.set()
        refused = [str(one.exception()) for one in asked if one.exception()]
        assert len(refused) == 4
        assert "is slow" in refused[0]


def test_what_another_replica_deleted_leaves_no_copy_here(tmp_path: Path, objects: FaultyObjects) -> None:
    other = FaultyObjects(tmp_path / "store")
    one = Store.open(fresh(tmp_path / "one"), Elsewhere(objects, PLENTY))
    with opened(tmp_path / "two", other) as two:
        sha = store_everything(one)
        deleted, new, coming = (one.blobs.put(data, PNG) for data in (b"deleted", b"its row comes soon", b"announced"))
        announce(one.blobs, Coming("r1", 7, coming))
        soon(lambda: one.blobs.waiting() == 0)
        assert two.delete(deleted)
        assert two.delete(coming)
        assert two.delete(sha["image"])  # a mistake: a row speaks of it
        objects.goes_on.clear()
        waits = one.blobs.put(b"waits", PNG)
        assert sweep_copies(one, unused_s=0) == 1
        objects.goes_on.set()
        kept = (new, coming, waits, sha["image"])
        assert [one.blobs.here(each) is None for each in (deleted, *kept)] == [True, False, False, False, False]
    one.close()


def test_what_is_deleted_while_the_store_is_away_is_deleted_there_later(tmp_path: Path, objects: FaultyObjects) -> None:
    with opened(tmp_path / "data", objects) as blobs:
        sha256, kept = blobs.put(b"mine", PNG), blobs.put(b"young", PNG)
        soon(lambda: blobs.spool.count() == 0)
        objects.fault = away
        assert blobs.discard_all([sha256], unused_s=0) == []
        assert blobs.here(sha256) is None
        objects.fault = lambda _: None
        soon(lambda: blobs.look_again() is None)
        assert blobs.discard_all([sha256, kept], unused_s=60) == []  # by the store's clock somebody put it just now
        assert blobs.discard_all([sha256], unused_s=0) == [sha256]
        assert stored(objects) == {name_of(kept): 5}


def test_what_is_deleted_while_it_goes_up_is_not_left_there(tmp_path: Path, objects: FaultyObjects) -> None:
    objects.goes_on.clear()
    with opened(tmp_path / "data", objects) as blobs:
        sha256 = blobs.put(b"deleted at once", PNG)
        soon(lambda: "put" in objects.asked)
        assert not blobs.discard(sha256, unused_s=0)
        objects.goes_on.set()
        soon(lambda: blobs.spool.count() == 0)
        assert blobs.discard(sha256, unused_s=0)
        assert stored(objects) == {}


def test_this_disks_part_is_bounded_and_only_what_the_store_has_is_let_go(
    tmp_path: Path, objects: FaultyObjects
) -> None:
    with opened(tmp_path / "data", objects) as blobs:
        hashes = [blobs.put(bytes([number]) * 300, PNG) for number in range(6)]
        soon(lambda: blobs.spool.count() == 0)
        objects.delete(name_of(hashes[1]))  # somebody's mistake
        for age, sha256 in enumerate(reversed(hashes), start=1):
            at = time.time() - 3600 * age
            os.utime(blobs.path(sha256, PNG), (at, at))
            blobs._used.clear()
        blobs._note_use(hashes[0])
        blobs._most_bytes = 1000  # until now nothing was let go beside the test
        blobs.trim()
        assert [blobs.here(sha256) is not None for sha256 in hashes] == [True, True, False, False, False, True]
        soon(lambda: objects.get(name_of(hashes[1])))
        assert blobs.find(hashes[2]).stat().st_size == 300


def test_what_was_in_use_when_room_was_looked_for_is_let_go_later(
    tmp_path: Path, objects: FaultyObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    with opened(tmp_path / "data", objects, most=1000) as blobs:
        trim = blobs.trim
        monkeypatch.setattr(blobs, "trim", lambda **how: (trim(**how), looked.append(len(stored(objects))))[0])
        hashes = [blobs.put(bytes([number]) * 300, PNG) for number in range(6)]
        soon(lambda: 6 in looked)
        assert all(blobs.here(sha256) for sha256 in hashes)
        for sha256 in hashes:
            os.utime(blobs.path(sha256, PNG), (1, 1))
        blobs._used.clear()
        soon(lambda: sum(blobs.here(sha256) is not None for sha256 in hashes) == 3)
        assert len(stored(objects)) == 6


def test_images_that_were_in_the_folder_go_to_the_store_and_it_is_known_from_then_on(
    tmp_path: Path, objects: FaultyObjects
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    sha256 = BlobFolder(data_dir / "blobs").put(b"from before", PNG)
    with opened(data_dir, objects) as blobs:
        soon(lambda: blobs.spool.count() == 0)
    assert objects.get(name_of(sha256)) == b"from before"
    for home in (None, Elsewhere(FolderObjects(tmp_path / "another"), PLENTY)):
        with pytest.raises(ImagesElsewhere, match="are kept at file://"):
            open_blobs(data_dir, home)
    assert not (tmp_path / "another").exists()
    (data_dir / blob_home.NAME).unlink()
    assert not isinstance(open_blobs(data_dir, None), BlobsElsewhere)


def test_a_disk_that_is_not_mounted_is_not_written_to(tmp_path: Path, objects: FaultyObjects) -> None:
    with opened(tmp_path / "data", objects):
        pass
    (tmp_path / "store").rename(tmp_path / "unplugged")
    (tmp_path / "store").mkdir()  # where it was mounted
    with opened(tmp_path / "data", objects) as blobs:
        sha256 = blobs.put(b"waits", PNG)
        soon(lambda: blobs.away)
        assert "mounted" in str(blobs.away)
        assert not list((tmp_path / "store").iterdir())
        (tmp_path / "store").rmdir()
        (tmp_path / "unplugged").rename(tmp_path / "store")
        soon(lambda: blobs.spool.count() == 0)
    assert (tmp_path / "store" / MARKER).is_file()
    assert stored(objects) == {name_of(sha256): 5}


def test_a_half_written_file_of_a_folder_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = FolderObjects(tmp_path / "store")
    objects.prepare(is_first=True)
    name = name_of(sha256_of(b"x"))

    def cut(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", cut)
    with pytest.raises(ImagesAway) as raised:
        objects.put(name, b"x", PNG)
    assert raised.value.why == "full"
    assert objects.get(name) is None
    assert stored(objects) == {}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://my-bucket", BlobPlace("s3", "my-bucket")),
        ("s3://my-bucket/a/b/", BlobPlace("s3", "my-bucket", "a/b")),
        ("hf://buckets/owner/name/pictures", BlobPlace("hf", "owner/name", "pictures")),
        ("file:///mnt/pictures%20here", BlobPlace("file", "/mnt/pictures here")),
    ],
)
def test_places_are_read_and_shown_as_they_are_written(text: str, place: BlobPlace) -> None:
    assert read_place(text) == place
    assert place.url == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    ["", "s3://", "s3://key:secret@bucket", "s3://UPPER", "hf://datasets/owner/name", "file://host/x", "file:///", "/data",
     "s3://bucket/../x", "s3://bucket/a?x=1", "https://bucket"],
)  # fmt: skip
def test_other_places_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="must be s3://bucket/folder") as raised:
        read_place(text)
    assert "secret" not in str(raised.value)
