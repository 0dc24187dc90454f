"""What is counted of an owner, against which their room is held, and of everybody."""

from __future__ import annotations

from pathlib import Path

from storage import curation, deleting, footprint, runs
from storage.curation import Picked
from storage.database import Store
from storage.footprint import Footprint
from tests.storage.builders import NOW, insert, make_image, make_run, store_everything
from tests.storage.test_votes import Votes


def test_files_of_everybody_count_once_however_often_they_are_spoken_of(store: Store) -> None:
    assert store.read(footprint.of_all) == (0, 0)
    sha = store_everything(store)
    kept = [store.blobs.held(sha[kind], "image/png").stat().st_size for kind in ("image", "locked", "drift", "upload")]
    assert store.read(footprint.of_all) == (4, sum(kept))
    again = make_image("again", sha256=sha["image"], size_bytes=kept[0])
    store.write(lambda db: (insert(db, make_run("again", group_id="g2")), runs.add_image(db, again)))
    assert store.read(footprint.of_all) == (4, sum(kept))
    assert store.read(lambda db: footprint.of_owner(db, "local")) == Footprint(2, 2, 2 * kept[0], 1, kept[3], 0)
    assert store.read(lambda db: footprint.bytes_of_owner(db, "local")) == 2 * kept[0] + kept[3]
    assert store.read(lambda db: footprint.of_owner(db, "somebody")) == Footprint(0, 0, 0, 0, 0, 0)


def test_what_is_deleted_for_ever_takes_no_room_though_its_vote_stays(tmp_path: Path) -> None:
    votes = Votes(tmp_path / "data")
    votes.vote("a")
    store, picked = votes.store, Picked(images=votes.images)
    before = store.read(lambda db: footprint.of_owner(db, "local"))
    assert (before.runs, before.images, before.votes) == (2, 2, 1)
    assert store.read(lambda db: footprint.bytes_of_owner(db, "local")) == before.all_bytes > 0
    store.write(lambda db: curation.trash(db, "local", picked, NOW))
    assert store.read(lambda db: footprint.of_owner(db, "local")) == before
    store.write(lambda db: deleting.delete_for_ever(db, "local", picked, NOW))
    assert store.read(lambda db: footprint.of_owner(db, "local")) == Footprint(0, 0, 0, 0, 0, 1)
    assert store.read(lambda db: footprint.bytes_of_owner(db, "local")) == 0
    assert store.read(footprint.of_all) == (0, 0)
    store.close()
