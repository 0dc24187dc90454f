from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import pytest
from sqlite_utils import Database

from storage import curation, history, runs, searches
from storage.curation import NotCurated, Picked
from storage.database import Store
from storage.search import parse_search
from storage.searches import SavedSearch
from storage.sorts import SORTS
from tests.storage.builders import end, insert, make_image, make_run


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Runs a to e of `local`, oldest first; each differs in something."""
    opened = Store.open(tmp_path_factory.mktemp("search") / "data")

    def job(db: Database) -> None:
        days = {"a": "2026-10-31", "b": "2026-11-01", "c": "2026-11-21", "d": "2025-01-01", "e": "2026-12-01"}
        offers = {"a": "fal/gpt-image-2", "b": "openai/gpt-image-2", "c": "demo/painterly", "e": "fal/gpt-image-1-mini"}
        for name, day in days.items():
            run = make_run(
                name,
                group_id=f"g{name}",
                offer=offers.get(name, "openai/gpt-image-2"),
                prompt=f"a fox {name}",
                operation="edit" if name == "b" else "generate",
                asked={"size": "1536x1024", "quality": "high" if name == "a" else "low"},
                queued_at=f"{day}T12:00:00.000Z",
            )
            insert(db, run)
            if name != "d":
                runs.add_image(db, make_image(name, width=1024 if name != "c" else 8, height=1536))
            end(
                db, name, state="failed" if name == "d" else "succeeded", latency_ms={"a": 20_000, "b": 9_500}.get(name)
            )
        db.conn.execute("insert into inputs values ('b', 'mask', 0, ?, 'image/png', 8, 6)", ("ef" * 32,))
        db.conn.execute("insert into inputs values ('b', 'image', 0, ?, 'image/png', 8, 6)", ("ef" * 32,))
        for name, cost in (("a", 41_200), ("b", 20_000), ("c", 0)):
            db.conn.execute("update ledger set state = 'settled', amount_microusd = ? where run_id = ?", (cost, name))
        curation.set_favourite(db, "local", Picked(runs=("a",)), favourite=True)
        curation.set_stars(db, "local", Picked(runs=("b",)), 4)
        curation.add_tags(db, "local", Picked(runs=("c",)), ["red fox"])
        curation.set_note(db, "local", "c", "for the Müller poster")
        curation.trash(db, "local", Picked(runs=("e",)), "2026-12-02T00:00:00.000Z")

    opened.write(job)
    yield opened
    opened.close()


def found(store: Store, search: str, sort: str = "newest") -> str:
    page = store.read(lambda db: history.page(db, "local", search=search, sort=sort))
    assert store.read(lambda db: history.count(db, "local", search)) == len(page.runs)
    return "".join(view.run.run_id for view in page.runs)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("", "dcba"),
        ("provider:fal", "a"),
        ("provider:f", ""),
        ("model:gpt-image", "dba"),
        ("-provider:openai", "ca"),
        ("offer:fal/gpt", "a"),
        ("cost:>0.02", "a"),
        ("cost:>=0.02", "ba"),
        ("cost:$0.04", "a"),  # as it is shown
        ("cost:0.01..0.03", "b"),
        ("cost:0", "c"),
        ("cost:unknown", "d"),
        ("-cost:>0.02", "dcb"),  # an unknown cost is not above
        ("seconds:>10", "a"),
        ("seconds:<10", "b"),
        ("stars:>3", "b"),
        ("stars:4", "b"),
        ("is:unrated", "ca"),
        ("is:fav", "a"),
        ("is:FAVOURITE fox", "a"),
        ("is:failed", "d"),
        ("is:edit", "b"),
        ("is:trashed", "e"),
        ("is:trashed provider:openai", ""),
        ("has:mask", "b"),
        ("has:references", "b"),
        ("has:note", "c"),
        ("has:tag", "c"),
        ("size:1024x1536", "ba"),
        ("size:1536×1024", "d"),  # none came: as asked
        ("quality:high", "a"),
        ('tag:"Red  Fox"', "c"),
        ("tag:red", ""),
        ("note:muller", "c"),
        ("note:fox", ""),
        ("müller", "c"),
        ("date:2026-11", "cb"),
        ("date:>2026-11-01", "c"),
        ("date:>=2026-11-01", "cb"),
        ("date:<2026", "d"),
        ("date:2026-10..2026-11-01", "ba"),
        ("run:A", "a"),
        ("fox -c", "dba"),
        ("fo -c", "dba"),
        ("a -b", "dca"),
        ('"fox c" has:images', "c"),
    ],
)
def test_filters(store: Store, search: str, expected: str) -> None:
    assert found(store, search) == expected
    assert parse_search(search).misread == ()


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("https://fox", "“https:” is no filter"),
        ("cost:cheap", "a cost is written as"),
        ("cost:>1..2", "a cost is written as"),
        ("stars:many", "stars are written as"),
        ("seconds:1e9", "seconds are written as"),
        ("date:2026-13", "there is no day 2026-13"),
        ("date:soon", "a date is written as"),
        ("size:big", "a size is written as"),
        ("is:lost", "it takes fav"),
        ("has:all", "it takes mask"),
        ('note:"*"', "a note is searched for by words"),
    ],
)
def test_what_is_not_understood_is_said_and_searched_for_as_words(store: Store, search: str, words: str) -> None:
    (said,) = parse_search(search).misread
    assert words in said
    assert found(store, search) == ""


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("newest", "dcba"),
        ("oldest", "abcd"),
        ("dearest", "abcd"),
        ("slowest", "abdc"),
        ("stars", "bdca"),
        ("rating", "dcba"),
    ],
)
def test_each_order_is_walked_by_its_places_and_by_numbers(store: Store, sort: str, expected: str) -> None:
    for search in ("", "fox"):
        walked, before = "", None
        while True:
            one = partial(history.page, owner="local", search=search, sort=sort, limit=1)
            page = store.read(partial(one, before=before))
            by_number = store.read(partial(one, skip=len(walked)))
            assert [view.run.run_id for view in page.runs] == [view.run.run_id for view in by_number.runs]
            walked += page.runs[0].run.run_id
            before = page.next
            if before is None:
                break
        if sort == "dearest":
            assert walked[:3] == "abc"
        else:
            assert sorted(walked) == sorted(expected)
            assert sort not in ("newest", "oldest") or walked == expected
    assert set(SORTS) == {"newest", "oldest", "dearest", "slowest", "stars", "rating"}


def test_a_place_of_another_order_and_a_made_up_one_are_refused(store: Store) -> None:
    for sort, before in (("newest", "1.2"), ("dearest", "2"), ("dearest", "x.2"), ("odd", "2")):
        with pytest.raises(ValueError, match="not a place|no order"):
            store.read(lambda db, s=sort, b=before: history.page(db, "local", sort=s, before=b))
    with pytest.raises(ValueError, match="passed over"):
        store.read(lambda db: history.page(db, "local", skip=-1))


@pytest.mark.parametrize("sort", SORTS)
def test_each_order_is_read_from_an_index_and_goes_on_at_its_place_however_many_are_equal(
    store: Store, sort: str
) -> None:
    first = store.read(lambda db: history.page(db, "local", sort=sort, limit=1))

    def explain(db: Database, before: str | None) -> list[list[str]]:
        asked: list[str] = []
        db.conn.set_trace_callback(asked.append)
        history.page(db, "local", sort=sort, before=before)
        db.conn.set_trace_callback(None)
        lists = [each for each in asked if "order by f." in each]
        return [[row[3] for row in db.conn.execute(f"explain query plan {sql}").fetchall()] for sql in lists]

    for before in (None, first.next):
        plans = store.read(partial(explain, before=before))
        for steps in plans:
            assert "INDEX run_facts_" in steps[0]
            assert not any("TEMP B-TREE" in step for step in steps)
        if before:
            assert re.search(r"is_trashed=\? AND (\w+=\? AND )?seq[<>]\?\)", plans[0][0])


def test_all_that_match_are_named(store: Store) -> None:
    assert store.read(lambda db: history.matching(db, "local", "fox -provider:demo")) == ["a", "b", "d"]
    assert store.read(lambda db: history.matching(db, "other", "")) == []


def test_searches_are_kept_by_name_and_owner(store: Store) -> None:
    store.write(lambda db: searches.save(db, "me", SavedSearch(" dear  ones", "cost:>1", "dearest"), "t"))
    store.write(lambda db: searches.save(db, "me", SavedSearch("dear ones", "cost:>2", "dearest"), "t"))
    assert store.read(lambda db: searches.of_owner(db, "me")) == [SavedSearch("dear ones", "cost:>2", "dearest")]
    assert store.read(lambda db: searches.of_owner(db, "you")) == []
    for bad in ("", "x" * 61):
        with pytest.raises(NotCurated):
            store.write(lambda db, bad=bad: searches.save(db, "me", SavedSearch(bad, "", "newest"), "t"))
    assert store.write(lambda db: searches.forget(db, "you", "dear ones")) is False
    assert store.write(lambda db: searches.forget(db, "me", "dear ones")) is True
