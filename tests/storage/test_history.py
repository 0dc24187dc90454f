from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from storage import history, runs, uploads
from storage.database import Store
from tests.behind_the_store import check_text_index
from tests.fresh_store import fresh
from tests.storage.builders import (
    SHA,
    end,
    insert,
    make_group,
    make_image,
    make_input,
    make_partial,
    make_run,
    make_upload,
)


def found(store: Store, search: str, owner: str | None = "local") -> list[str]:
    page = store.read(lambda db: history.page(db, owner, search=search, limit=1000))
    assert store.read(lambda db: history.count(db, owner, search)) == len(page.runs)
    counted = store.read(lambda db: history.page(db, owner, search=search, limit=2, is_counted=True))
    assert counted.total == len(page.runs)
    assert replace(counted, total=None) == store.read(lambda db: history.page(db, owner, search=search, limit=2))
    return [view.run.run_id for view in page.runs]


PROMPTS = {
    "r1": 'A "quoted" word, and O\'Neill',
    "r2": "Ein Bär läuft über die Straße",
    "r3": "一只猫坐在屋顶上",
    "r4": "東京タワー at night",
    "r5": "🐱 on a mat",
    "r6": "caterpillar NEAR(a b) col:x -minus *",
    "r7": "кот на крыше",
    "r8": "100% cotton_shirt",
}


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("", ["r8", "r7", "r6", "r5", "r4", "r3", "r2", "r1"]),
        ("   \n", ["r8", "r7", "r6", "r5", "r4", "r3", "r2", "r1"]),
        ("quoted", ["r1"]),
        ('"quoted"', ["r1"]),
        ('"', ["r1"]),
        ('"quo', ["r1"]),
        ("word quot", ["r1"]),
        ("quot word", []),  # only the last word matches as a beginning
        ("o'neill", ["r1"]),
        ("baer", []),
        ("bar", ["r2"]),
        ("BÄR", ["r2"]),
        ("straße", ["r2"]),
        ("猫", ["r3"]),
        ("屋顶", ["r3"]),
        ("タワー night", ["r4"]),
        ("タワー day", []),
        ("🐱", ["r5"]),
        ("mat 🐱", ["r5"]),
        ("cat", ["r6"]),
        ("NEAR(", ["r6"]),
        ("col:x", ["r6"]),
        ("-minus", ["r8", "r7", "r5", "r4", "r3", "r2", "r1"]),
        ("cat -minus", []),
        ("cat -dog", ["r6"]),
        ("- cat", ["r6"]),
        ('"word and"', ["r1"]),
        ('"and word"', []),
        ('"qu"', []),
        ("cotton* 100%", ["r8"]),
        ("京タ", ["r4"]),
        ("on 🐱 mat", ["r5"]),
        ("colour:red cat", []),  # no filter: two more words
        ("*", ["r6"]),
        ("a AND b", []),
        ("КОТ", ["r7"]),
        ("%", ["r8"]),
        ("100%", ["r8"]),
        ("_", ["r8"]),
        ("\0", ["r8", "r7", "r6", "r5", "r4", "r3", "r2", "r1"]),
        ("\ud800", []),
        ("x" * 5000, []),
    ],
)
def test_searches(store: Store, search: str, expected: list[str]) -> None:
    store.write(lambda db: insert(db, *(make_run(run_id, prompt=prompt) for run_id, prompt in PROMPTS.items())))
    assert found(store, search) == expected


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("history")
    store = Store.open(fresh(folder))
    store.write(lambda db: insert(db, *(make_run(run_id, prompt=prompt) for run_id, prompt in PROMPTS.items())))
    yield store
    store.close()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="\"'*()-:^+{}\\ ANDORTNE\0ab猫", max_size=20))
@example('"')
@example('""')
@example('" "')
@example("NEAR(")
@example("prompt:")
@example("is:fav date:>2026-11 -tag:x size:1x1 stars:>>3 cost:1..2 note:猫 -")
@example('a"b*')
def test_any_text_is_a_search(filled: Store, text: str) -> None:
    found(filled, text)


WORDS = st.text(alphabet=st.sampled_from("abzäöüéñßçøłабвгдαβγאבجدクヶ猫屋ก한١٣7'_."), min_size=1, max_size=8)


@settings(max_examples=120, deadline=None)
@given(words=st.lists(WORDS, min_size=1, max_size=5), data=st.data())
def test_a_prompt_is_found_by_its_words_and_by_the_beginning_of_one(
    filled: Store, words: list[str], data: st.DataObject
) -> None:
    prompt = " ".join(words)
    chosen = data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=3))
    beginning = data.draw(st.sampled_from(words))
    cut = beginning[: data.draw(st.integers(1, len(beginning)))]

    class Undo(Exception):
        pass

    def job(db: Database) -> None:
        runs.insert_runs(db, [make_run("fuzz", prompt=prompt)], [], [])
        for search in (" ".join(chosen), cut, f"{words[0]} {cut}"):
            ids = [view.run.run_id for view in history.page(db, "local", search=search).runs]
            assert "fuzz" in ids, (prompt, search)
        raise Undo

    with pytest.raises(Undo):
        filled.write(job)


def walk(store: Store, owner: str | None, search: str = "", limit: int = 7) -> list[str]:
    ids: list[str] = []
    before: str | None = None
    while True:
        page = store.read(partial(history.page, owner=owner, search=search, limit=limit, before=before))
        ids += [view.run.run_id for view in page.runs]
        if page.next is None:
            return ids
        before = page.next


@pytest.mark.parametrize("search", ["", "cat", "🐱", "猫"])
def test_pages_cover_every_run_once_while_runs_are_added(store: Store, search: str) -> None:
    store.write(lambda db: insert(db, *(make_run(f"old{n:03}", prompt="a cat 🐱 猫") for n in range(100))))
    stop = threading.Event()

    def add() -> None:
        number = 0
        while not stop.is_set():
            store.write(lambda db, n=number: insert(db, make_run(f"new{n}", prompt="a cat 🐱 猫")))
            number += 1

    thread = threading.Thread(target=add)
    thread.start()
    try:
        walks = [walk(store, "local", search) for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    for ids in walks:
        assert [name for name in ids if name.startswith("old")] == [f"old{n:03}" for n in reversed(range(100))]
        assert len(ids) == len(set(ids))


def test_the_last_full_page_has_no_next(store: Store) -> None:
    store.write(lambda db: insert(db, *(make_run(f"r{n}") for n in range(4))))
    assert store.read(lambda db: history.page(db, None, limit=4)).next is None
    assert store.read(lambda db: history.page(db, None, limit=3)).next == "2"
    assert store.read(lambda db: history.page(db, None, limit=4, before="1")) == history.HistoryPage((), None)


@pytest.mark.parametrize("before", ["", "x", "-1", "1.5", "9" * 30, "٣", "1; drop table runs"])
def test_a_made_up_cursor_is_refused(store: Store, before: str) -> None:
    with pytest.raises(ValueError, match="not a place"):
        store.read(lambda db: history.page(db, None, before=before))


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_the_size_of_a_page_is_bounded(store: Store, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        store.read(lambda db: history.page(db, None, limit=limit))


def test_owners_see_their_own(store: Store) -> None:
    store.write(lambda db: insert(db, *(make_run(f"r{n}", group_id=f"g{n % 2}", owner=f"o{n % 2}") for n in range(6))))
    assert found(store, "", "o0") == found(store, "cat", "o0") == ["r4", "r2", "r0"]
    assert len(found(store, "", None)) == len(found(store, "cat", None)) == 6
    assert found(store, "", "nobody") == found(store, "cat", "nobody") == []


def plan_of(store: Store, job: Callable[[Database], object], fragment: str) -> list[str]:
    """How sqlite carries out the query of `job` that has `fragment` in it."""

    def explain(db: Database) -> list[str]:
        asked: list[str] = []
        db.conn.set_trace_callback(asked.append)
        job(db)
        db.conn.set_trace_callback(None)
        (sql,) = [each for each in asked if fragment in each]
        return [row[3] for row in db.conn.execute(f"explain query plan {sql}").fetchall()]

    return store.read(explain)


def test_a_page_of_one_owner_is_read_from_the_index_in_order(store: Store) -> None:
    steps = plan_of(store, lambda db: history.page(db, "local"), "order by f.seq")
    assert "COVERING INDEX run_facts_newest" in steps[0]
    assert not any("TEMP B-TREE" in step for step in steps)


@pytest.mark.parametrize(
    ("job", "fragment"),
    [
        (lambda db: history.page(db, "local", search="cat", before="9"), "order by m.rowid"),
        (lambda db: history.count(db, "local", "cat"), "count(*)"),
    ],
)
def test_a_search_walks_the_text_index_and_not_the_owners_runs(
    store: Store, job: Callable[[Database], object], fragment: str
) -> None:
    steps = plan_of(store, job, fragment)
    assert steps[0].startswith("SCAN m VIRTUAL TABLE")
    assert not any("TEMP B-TREE" in step for step in steps)


def test_finding_an_image_by_its_bytes(store: Store) -> None:
    store.write(lambda db: insert(db, make_run("r1"), make_run("r2"), make_run("r3", group_id="gy", owner="you")))
    store.write(lambda db: [runs.add_image(db, make_image(run_id)) for run_id in ("r1", "r2", "r3")])

    def name(owner: str | None) -> str | None:
        run = store.read(lambda db: history.find_image(db, SHA, owner))
        return run.run_id if run else None

    assert (name("local"), name("you"), name(None), name("nobody")) == ("r2", "r3", "r3", None)
    assert store.read(lambda db: history.find_image(db, "00" * 32, None)) is None


@pytest.mark.parametrize("kind", ["image", "converted", "input", "partial", "unreadable", "upload"])
def test_bytes_belong_to_who_made_or_brought_them(store: Store, kind: str) -> None:
    def job(db: Database) -> None:
        runs.insert_group(db, make_group(owner="me"))
        runs.insert_runs(db, [make_run(owner="me")], [make_input()] if kind == "input" else [], [])
        if kind == "image":
            runs.add_image(db, make_image())
        if kind == "converted":
            runs.add_image(db, make_image(sha256="cd" * 32))
            runs.set_converted(db, "i-r1", SHA, "image/gif")
        if kind == "partial":
            runs.add_partial(db, make_partial(), first_preview_ms=None)
        if kind == "unreadable":
            end(db, state="failed", unreadable_sha256=SHA)
        if kind == "upload":
            uploads.add(db, make_upload(owner="me"))

    def owned(owner: str | None) -> bool:
        return store.read(lambda db: history.owns_blob(db, SHA, owner))

    assert not owned("me")
    store.write(job)
    assert (owned("me"), owned(None), owned("you")) == (True, True, False)


def test_whose_bytes_they_are_is_read_from_indexes(store: Store) -> None:
    steps = plan_of(store, lambda db: history.owns_blob(db, SHA, "me"), "users")
    assert any("images_by_converted" in step for step in steps)
    assert not any(step.startswith("SCAN") and step != "SCAN CONSTANT ROW" for step in steps)


def test_the_text_index_follows_a_prompt_that_changes_or_goes(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    store.write(lambda db: db.conn.execute("update runs set prompt = 'a dog'").rowcount)
    assert (found(store, "cat"), found(store, "dog")) == ([], ["r1"])
    store.write(
        lambda db: db.conn.execute("delete from ledger").rowcount + db.conn.execute("delete from runs").rowcount
    )
    assert found(store, "dog") == []
    check_text_index(store)
