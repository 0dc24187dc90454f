from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlite_utils import Database

from storage import battles, curation, deleting, history, runs, uploads
from storage.curation import Changed, NotCurated, Picked
from storage.database import Store
from storage.facts import facts_held
from storage.freeing import freed, sweep_freed
from storage.records import Battle, BattleState
from storage.verify import verify
from tests.behind_the_store import check_text_index, everything
from tests.storage.builders import (
    LATER,
    NOW,
    end,
    insert,
    make_group,
    make_image,
    make_input,
    make_line,
    make_run,
    make_upload,
    picture,
    store_everything,
)

BEFORE, AFTER = "2026-11-20T00:00:00.000Z", "2026-12-30T00:00:00.000Z"


def shown(store: Store, owner: str = "local") -> dict[str, list[str]]:
    """What the history lists: image ids by run."""
    page = store.read(lambda db: history.page(db, owner))
    return {view.run.run_id: [image.image_id for image in view.images] for view in page.runs}


def clean(store: Store) -> bool:
    """Whether rows, sums and bytes agree, where the test put no bytes at all."""
    return not [one for one in verify(store) if one.kind != "blob_missing"]


@pytest.fixture
def two(store: Store) -> Store:
    """Run a with images a0 and a1, run b with b0, both of `local`; run f of `local` failed; run x belongs to `other`."""

    def job(db: Database) -> None:
        insert(db, *(make_run(name, position=place) for place, name in enumerate("abf")))
        insert(db, make_run("x", group_id="g2", owner="other"))
        for place, name in enumerate(("a0", "a1", "b0", "x0")):
            sha = f"{place:02d}" * 32
            runs.add_image(db, make_image(name[0], image_id=name, position=int(name[1]), sha256=sha))
        for name in "abx":
            end(db, name)
        end(db, "f", state="failed")
        db.conn.execute("update ledger set state = 'settled'")

    store.write(job)
    return store


def test_marks_go_to_the_owners_images_only_and_say_what_they_changed(two: Store) -> None:
    everything = Picked(images=("a0", "x0", "none"), runs=("b", "x", "none"))
    changed = two.write(lambda db: curation.set_favourite(db, "local", everything, favourite=True))
    assert changed == Changed(images=("a0", "b0"))
    assert not two.write(lambda db: curation.set_favourite(db, "local", everything, favourite=True))
    assert two.write(lambda db: curation.set_stars(db, "local", Picked(runs=("a",)), 4)).images == ("a0", "a1")
    view = two.read(lambda db: runs.get(db, "a", "local"))
    assert view
    assert [(image.favourite, image.stars) for image in view.images] == [(True, 4), (False, 4)]
    with pytest.raises(NotCurated):
        two.write(lambda db: curation.set_stars(db, "local", everything, 6))
    other = two.read(lambda db: runs.get(db, "x", "other"))
    assert other
    assert not other.images[0].favourite
    assert clean(two)


def test_an_action_on_many_runs_renews_what_lists_go_by_once_and_a_broken_one_changes_nothing(two: Store) -> None:
    everything = Picked(runs=("a", "b", "f"))

    def renewals(job: Callable[[Database], object]) -> int:
        """The most times that the facts of one run were written."""

        def counted(db: Database) -> int:
            db.conn.execute("create temp table written (seq integer)")
            for event in ("insert", "update"):
                db.conn.execute(
                    f"create temp trigger on_{event} after {event} on main.run_facts "
                    "begin insert into written values (new.seq); end"
                )
            job(db)
            found = db.conn.execute("select max(c) from (select count(*) as c from written group by seq)").fetchone()[0]
            for what in ("trigger on_insert", "trigger on_update", "table written"):
                db.conn.execute(f"drop {what}")
            return int(found or 0)

        most = two.write(counted)
        assert clean(two)
        return most

    assert renewals(lambda db: curation.set_favourite(db, "local", everything, favourite=True)) == 1
    assert renewals(lambda db: curation.set_stars(db, "local", everything, 3)) == 1
    assert renewals(lambda db: curation.trash(db, "local", everything, NOW)) == 1
    assert renewals(lambda db: curation.restore(db, "local", everything)) == 1
    assert renewals(lambda db: db.conn.execute("update images set stars = 2 where run_id = 'a'")) == 2
    assert [view.run.run_id for view in two.read(lambda db: history.page(db, "local", search="stars:3")).runs] == ["b"]
    two.write(lambda db: curation.trash(db, "local", everything, NOW))
    assert renewals(lambda db: deleting.empty_trash(db, "local", NOW)) == 0  # nothing is left of them

    def broken(db: Database) -> None:
        with facts_held(db):
            db.conn.execute("update images set favourite = 1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        two.write(broken)
    assert clean(two)
    assert renewals(lambda db: curation.set_favourite(db, "other", Picked(runs=("x",)), favourite=True)) == 1
    assert [row[0] for row in two.read(lambda db: db.conn.execute("select held from facts_hold").fetchall())] == []


def test_tags_and_notes_are_found_and_go_again(two: Store) -> None:
    picked = Picked(images=("a0", "x0"), runs=("b",))
    assert two.write(lambda db: curation.add_tags(db, "local", picked, ["Red  Fox", "夕焼け", "red fox"])) == {
        "red fox": ("a", "b"),
        "夕焼け": ("a", "b"),
    }
    assert two.read(lambda db: curation.tags_of(db, "local")) == [("red fox", 2), ("夕焼け", 2)]
    assert two.read(lambda db: curation.tags_of(db, "other")) == []
    assert two.write(lambda db: curation.set_note(db, "local", "f", "  try 猫 again ")) is True
    assert two.write(lambda db: curation.set_note(db, "other", "f", "mine")) is False

    def found(words: str) -> list[str]:
        return [view.run.run_id for view in two.read(lambda db: history.page(db, "local", search=words)).runs]

    assert (found("fox"), found("夕焼"), found("猫"), found("again")) == (["b", "a"], ["b", "a"], ["f"], ["f"])
    assert two.write(lambda db: curation.remove_tags(db, "local", Picked(runs=("a", "f")), ["Red fox"])) == {
        "red fox": ("a",)
    }
    assert (found("fox"), found("夕焼")) == (["b"], ["b", "a"])
    for bad in ("", " , ", "x" * 41):
        with pytest.raises(NotCurated):
            two.write(lambda db, bad=bad: curation.add_tags(db, "local", picked, [bad]))
    with pytest.raises(NotCurated):
        two.write(lambda db: curation.add_tags(db, "local", picked, [f"t{n}" for n in range(51)]))
    assert "t1" not in [tag for tag, _ in two.read(lambda db: curation.tags_of(db, "local"))]
    check_text_index(two)


def test_what_is_in_the_trash_is_in_no_list_and_comes_back(two: Store) -> None:
    everything = shown(two)
    assert two.write(lambda db: curation.trash(db, "local", Picked(images=("a1", "x0")), NOW)).images == ("a1",)
    assert shown(two)["a"] == ["a0"]
    changed = two.write(lambda db: curation.trash(db, "local", Picked(runs=("a", "f")), NOW))
    assert changed == Changed(images=("a0",), runs=("f",))
    assert shown(two) == {"b": ["b0"]}
    assert [view.run.run_id for view in two.read(lambda db: runs.of_group(db, "g1", "local"))] == ["b"]
    assert [one.image_id for one in two.read(lambda db: battles.candidates(db, "local"))] == ["b0"]
    assert two.read(lambda db: history.owns_blob(db, "00" * 32, "local"))
    assert len(two.read(lambda db: runs.recent_groups(db, "local", limit=9))) == 1
    two.write(lambda db: curation.trash(db, "local", Picked(runs=("b",)), NOW))
    assert two.read(lambda db: runs.recent_groups(db, "local", limit=9)) == []
    assert two.read(lambda db: deleting.trash_size(db, "local")) == (3, 1, 300)
    assert clean(two)
    back = two.write(lambda db: curation.restore(db, "local", Picked(images=("a1",), runs=("b", "f", "x"))))
    assert back == Changed(images=("a1", "b0"), runs=("f",))
    two.write(lambda db: curation.restore(db, "local", Picked(images=("a0",))))
    assert shown(two) == everything
    assert clean(two)


def test_a_run_that_is_still_going_cannot_be_trashed(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    store.write(lambda db: runs.add_image(db, make_image()))
    picked = Picked(runs=("r1",), images=("i-r1",))
    assert not store.write(lambda db: curation.trash(db, "local", picked, NOW))


def test_deleting_for_ever_leaves_the_ledger_and_no_words(store: Store) -> None:
    sha = store_everything(store)
    picked = Picked(runs=("r1",))
    store.write(lambda db: curation.add_tags(db, "local", picked, ["logo"]))
    spent = store.read(lambda db: db.conn.execute("select * from ledger").fetchall())
    assert store.write(lambda db: deleting.delete_for_ever(db, "local", picked, NOW)).images == 0  # not in the trash
    store.write(lambda db: curation.trash(db, "local", picked, NOW))
    assert store.write(lambda db: deleting.delete_for_ever(db, "other", picked, NOW)).images == 0
    deleted = store.write(lambda db: deleting.delete_for_ever(db, "local", picked, LATER))
    assert (deleted.images, deleted.runs) == (1, 1)
    assert verify(store) == []  # as a kill at this moment would leave it
    assert sweep_freed(store) == 0  # the bytes are too young to go
    assert sweep_freed(store, unused_s=0) == len(sha) - 1
    assert {name for name, sha256 in sha.items() if store.blobs.exists(sha256)} == {"upload"}
    assert verify(store) == []
    assert store.read(lambda db: db.conn.execute("select * from ledger").fetchall()) == spent
    assert store.read(lambda db: runs.get(db, "r1", "local")) is None
    dump = everything(store)
    assert "a cat" not in dump
    assert "logo" not in dump


def test_bytes_that_anybody_else_needs_stay(store: Store) -> None:
    data = [picture(colour=shade) for shade in range(3)]
    own, lent, brought = (store.blobs.put(each, "image/png") for each in data)

    def job(db: Database) -> None:
        runs.insert_group(db, make_group())
        runs.insert_group(db, make_group("g2", owner="other"))
        lines = [make_line(name, state="settled") for name in ("r1", "r2")]
        runs.insert_runs(
            db,
            [make_run(), make_run("r2", group_id="g2", owner="other")],
            [make_input("r2", sha256=lent)],
            lines,
        )
        for place, (sha256, bytes_) in enumerate(zip((own, lent, brought), data, strict=True)):
            image = make_image(image_id=f"i{place}", position=place, sha256=sha256, size_bytes=len(bytes_))
            runs.add_image(db, image)
        uploads.add(db, make_upload(owner="other", sha256=brought, size_bytes=len(data[2])))
        for name in ("r1", "r2"):
            end(db, name)
        curation.trash(db, "local", Picked(runs=("r1",)), NOW)

    store.write(job)
    deleted = store.write(lambda db: deleting.empty_trash(db, "local", LATER))
    assert deleted == deleting.Deleted(3, 1, len(data[0]), 0)
    assert sweep_freed(store, unused_s=0) == 1
    assert [store.blobs.exists(each) for each in (own, lent, brought)] == [False, True, True]
    assert verify(store) == []


def test_bytes_that_are_put_again_before_they_go_stay(store: Store) -> None:
    sha = store_everything(store)
    store.write(lambda db: curation.trash(db, "local", Picked(runs=("r1",)), NOW))
    store.write(lambda db: deleting.empty_trash(db, "local", LATER))
    store.blobs.put(picture(colour=0), "image/png")  # as whoever is about to write its row does
    sweep_freed(store)
    assert store.blobs.exists(sha["image"])
    store.write(lambda db: uploads.add(db, make_upload(sha256=sha["image"], size_bytes=len(picture(colour=0)))))
    sweep_freed(store, unused_s=0)
    assert store.blobs.exists(sha["image"])
    assert store.read(freed) == set()
    assert verify(store) == []


def test_an_image_of_a_battle_keeps_its_row_and_its_battle(two: Store) -> None:
    def battle(name: str, state: BattleState) -> Any:
        return lambda db: battles.insert(
            db,
            Battle(name, "local", "generate", "p", "a0", "b0", "x/x", "y/y", "history", False, 1.0, state, NOW, AFTER),
        )

    two.write(battle("open", "open"))
    two.write(battle("voted", "voted"))
    two.write(lambda db: curation.trash(db, "local", Picked(runs=("a",)), NOW))
    assert two.write(lambda db: deleting.empty_trash(db, "local", LATER)).images == 2
    assert two.read(
        lambda db: [each.state for name in ("open", "voted") if (each := battles.get(db, name, "local"))]
    ) == [
        "expired",
        "voted",
    ]
    side = two.read(lambda db: battles.side(db, "a0", "local"))
    assert side
    assert (side.image.deleted_at, side.view.all_images) == (LATER, ())
    assert clean(two)


def test_only_old_trash_goes_by_itself(two: Store) -> None:
    two.write(lambda db: curation.trash(db, "local", Picked(images=("a0",), runs=("f",)), BEFORE))
    two.write(lambda db: curation.trash(db, "local", Picked(images=("a1",)), LATER))
    assert two.read(lambda db: deleting.owners_with_trash(db, BEFORE)) == []
    assert two.read(lambda db: deleting.owners_with_trash(db, NOW)) == ["local"]
    deleted = two.write(lambda db: deleting.empty_trash(db, "local", AFTER, trashed_before=NOW))
    assert (deleted.images, deleted.runs, deleted.without_image) == (1, 1, 1)
    assert two.read(lambda db: deleting.trash_size(db, "local")) == (1, 0, 100)
    assert clean(two)
