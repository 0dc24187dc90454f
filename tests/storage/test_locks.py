"""Locks and what is made of them, masks by image, and how images look."""

from __future__ import annotations

import sqlite3

import pytest

from storage import history, locks, masks, runs
from storage.database import Store
from storage.records import ImageLock
from tests.storage.builders import LATER, NOW, SHA, insert, make_derived, make_image, make_run

OTHER = "cd" * 32


def with_images(store: Store, count: int = 2) -> None:
    store.write(lambda db: insert(db, make_run(), make_run("r2", group_id="g2", owner="you")))
    for position in range(count):
        image = make_image(image_id=f"i{position}", position=position)
        store.write(lambda db, image=image: runs.add_image(db, image))
    store.write(lambda db: runs.add_image(db, make_image("r2")))


def lock_of(store: Store, image_id: str) -> ImageLock | None:
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    return view.lock_of(image_id)


def test_a_lock_is_due_until_it_is_made_and_made_once(store: Store) -> None:
    with_images(store)
    store.write(lambda db: locks.owe(db, "i1", NOW))
    assert store.read(lambda db: (locks.due_of_run(db, "r1"), locks.due_runs(db))) == ({1: "i1"}, ["r1"])
    assert lock_of(store, "i0") is None
    assert lock_of(store, "i1") == ImageLock("i1", "due", "", 0, NOW)
    assert store.write(lambda db: locks.begin(db, "i1", 2))
    derived = [
        make_derived("i1", kind="drift", figures={"percent": 1.5, "pixels": 9}),
        make_derived("i1", sha256=OTHER),
    ]
    assert store.write(lambda db: locks.made(db, "i1", derived, note="resized", at=LATER))
    made = lock_of(store, "i1")
    assert made == ImageLock("i1", "made", "resized", 1, LATER, locked=derived[1], drift=derived[0])
    assert store.read(lambda db: (locks.due_of_run(db, "r1"), locks.due_runs(db))) == ({}, [])
    assert not store.write(lambda db: locks.made(db, "i1", derived, note="again", at=NOW))
    assert not store.write(lambda db: locks.refuse(db, "i1", note="too late", at=NOW))
    assert not store.write(lambda db: locks.begin(db, "i1", 9))
    assert lock_of(store, "i1") == made


def test_a_refused_lock_says_why(store: Store) -> None:
    with_images(store)
    store.write(lambda db: locks.owe(db, "i0", NOW))
    assert store.write(lambda db: locks.refuse(db, "i0", note="Another shape.", at=LATER))
    assert lock_of(store, "i0") == ImageLock("i0", "refused", "Another shape.", 0, LATER)


def test_tries_have_a_bound(store: Store) -> None:
    with_images(store)
    store.write(lambda db: locks.owe(db, "i0", NOW))
    assert [store.write(lambda db: locks.begin(db, "i0", 3)) for _ in range(4)] == [True, True, True, False]


def test_locks_stand_in_the_order_of_the_images(store: Store) -> None:
    with_images(store, 3)
    for image_id in ("i2", "i0"):
        store.write(lambda db, image_id=image_id: locks.owe(db, image_id, NOW))
    views = store.read(lambda db: runs.of_group(db, "g1", None))
    assert [lock.image_id for view in views for lock in view.locks] == ["i0", "i2"]


def test_no_image_has_two_locks_and_no_lock_is_without_its_image(store: Store) -> None:
    with_images(store)
    store.write(lambda db: locks.owe(db, "i0", NOW))
    for image_id in ("i0", "nobody"):
        with pytest.raises(sqlite3.IntegrityError):
            store.write(lambda db, image_id=image_id: locks.owe(db, image_id, NOW))


def test_what_is_made_of_an_image_is_its_owners(store: Store) -> None:
    with_images(store)
    store.write(lambda db: locks.owe(db, "i0", NOW))
    store.write(lambda db: locks.made(db, "i0", [make_derived("i0", sha256=OTHER)], note="", at=NOW))
    owned = [store.read(lambda db, who=who: history.owns_blob(db, OTHER, who)) for who in ("local", "you", None)]
    assert owned == [True, False, True]
    found = store.read(lambda db: history.find_image(db, OTHER, "local"))
    assert found
    assert found.run_id == "r1"
    assert store.read(lambda db: history.find_image(db, OTHER, "you")) is None


def test_each_owner_has_one_mask_of_an_image(store: Store) -> None:
    assert store.read(lambda db: masks.get(db, "me", SHA)) is None
    for owner, mask in (("me", "11" * 32), ("you", "22" * 32), ("me", "33" * 32)):
        store.write(lambda db, owner=owner, mask=mask: masks.keep(db, owner, SHA, mask, NOW))
    assert [store.read(lambda db, who=who: masks.get(db, who, SHA)) for who in ("me", "you", "her")] == [
        "33" * 32,
        "22" * 32,
        None,
    ]
    assert [store.read(lambda db, sha=sha: history.owns_blob(db, sha, "me")) for sha in ("33" * 32, "22" * 32)] == [
        True,
        False,
    ]
    assert store.write(lambda db: masks.forget(db, "me", SHA))
    assert not store.write(lambda db: masks.forget(db, "me", SHA))
    assert store.read(lambda db: masks.get(db, "you", SHA)) == "22" * 32


def test_images_of_a_press_whose_look_is_known(store: Store) -> None:
    with_images(store)
    assert store.read(lambda db: runs.images_looked_at(db, "g1")) == []
    store.write(lambda db: runs.set_checks(db, "i1", ("blank",), "00ff" * 4))
    store.write(lambda db: runs.set_checks(db, "i-r2", (), "ff00" * 4))
    (found,) = store.read(lambda db: runs.images_looked_at(db, "g1"))
    assert (found.image_id, found.checks, found.phash) == ("i1", ("blank",), "00ff" * 4)
    store.write(lambda db: runs.set_checks(db, "i1", ("blank", "flagged")))
    (found,) = store.read(lambda db: runs.images_looked_at(db, "g1"))
    assert (found.checks, found.phash) == (("blank", "flagged"), "00ff" * 4), "a look is not forgotten"
