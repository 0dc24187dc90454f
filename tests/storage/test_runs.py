from __future__ import annotations

import math
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlite_utils import Database

from storage import ledger, runs, uploads
from storage.database import Store
from storage.records import OPEN_STATES, RunError, RunState
from tests.storage.builders import (
    LATER,
    NOW,
    SHA,
    end,
    insert,
    make_group,
    make_image,
    make_input,
    make_line,
    make_partial,
    make_run,
    make_upload,
)


def state_of(store: Store, run_id: str = "r1") -> str:
    view = store.read(lambda db: runs.get(db, run_id, None))
    assert view
    return view.run.state


def test_a_run_comes_back_as_it_was_written(store: Store) -> None:
    run = make_run(
        prompt='Ünïcode "quotes" \0 🐱',
        asked={"size": "1024x1024", "deep": {"list": [1, None, True]}},
        sent={"model": "gpt-image-2"},
        got={"quality": "low"},
        error=RunError("server", "it broke", param="size", status=500, retryable=True, retry_after_s=1.5),
        remote_id="job",
        worker="w1",
        key_source="server",
        latency_ms=5,
        estimate_microusd=None,
    )
    image = make_image(
        seed=7,
        revised_prompt="a better cat",
        checks=("size_differs", "blank"),
        converted_sha256="ef" * 32,
        converted_type="image/gif",
    )
    mask = make_input(role="mask", sha256="cd" * 32)

    def job(db: Database) -> None:
        runs.insert_group(db, make_group())
        runs.insert_runs(db, [run], [make_input(), mask], [make_line()])
        runs.add_image(db, image)
        runs.add_partial(db, make_partial(), first_preview_ms=None)

    store.write(job)
    view = store.read(lambda db: runs.get(db, "r1", "local"))
    assert view
    assert (view.run, view.images, view.inputs, view.partials) == (
        run,
        (image,),
        (make_input(), mask),
        (make_partial(),),
    )
    assert (view.cost_microusd, view.cost_source, view.ledger_state) == (None, "estimated", "reserved")
    assert store.read(lambda db: runs.get_group(db, "g1", "local")) == make_group()


def test_a_run_goes_through_its_states(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    assert store.write(lambda db: runs.take_over(db, "r1", from_worker=None, worker="w1"))
    assert state_of(store) == "queued"
    assert store.write(lambda db: runs.mark_sending(db, "r1", worker="w1", sent={"n": 1}, sent_at=NOW))
    assert state_of(store) == "sending"
    assert store.write(lambda db: runs.set_remote_id(db, "r1", "job-1"))
    assert state_of(store) == "waiting"
    assert store.write(lambda db: runs.mark_downloading(db, "r1"))
    assert state_of(store) == "downloading"
    assert store.write(lambda db: end(db, got={"quality": "low"}, request_id="req"))
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert (view.run.state, view.run.worker, view.run.sent, view.run.remote_id) == (
        "succeeded",
        "w1",
        {"n": 1},
        "job-1",
    )
    assert (view.run.finished_at, view.run.latency_ms, view.run.got, view.run.request_id) == (
        LATER,
        900,
        {"quality": "low"},
        "req",
    )


def test_a_run_ends_once(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    barrier = threading.Barrier(8)

    def end_as(number: int) -> bool:
        barrier.wait()
        return store.write(lambda db: end(db, state="failed", latency_ms=number))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(end_as, range(8))) == [False] * 7 + [True]


@pytest.mark.parametrize("state", runs.ENDED_STATES)
def test_a_run_that_is_over_moves_no_more(store: Store, state: RunState) -> None:
    store.write(lambda db: insert(db, make_run(state=state)))
    for move in (
        lambda db: runs.take_over(db, "r1", from_worker=None, worker="w"),
        lambda db: runs.mark_sending(db, "r1", worker="w", sent={}, sent_at=NOW),
        lambda db: runs.set_remote_id(db, "r1", "job"),
        lambda db: runs.mark_downloading(db, "r1"),
        lambda db: end(db, state="unknown"),
    ):
        assert store.write(move) is False
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert view.run == make_run(state=state)


def test_a_run_is_sent_once_and_only_by_its_owner(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    assert store.write(lambda db: runs.take_over(db, "r1", from_worker=None, worker="w1"))
    assert not store.write(lambda db: runs.take_over(db, "r1", from_worker=None, worker="w2"))
    assert not store.write(lambda db: runs.mark_sending(db, "r1", worker="w2", sent={}, sent_at=NOW))
    assert store.write(lambda db: runs.mark_sending(db, "r1", worker="w1", sent={}, sent_at=NOW))
    assert not store.write(lambda db: runs.mark_sending(db, "r1", worker="w1", sent={}, sent_at=NOW))


@pytest.mark.parametrize("state", OPEN_STATES)
def test_a_dead_workers_run_is_taken_over_by_one(store: Store, state: RunState) -> None:
    store.write(lambda db: insert(db, make_run(state=state, worker="dead")))
    assert store.write(lambda db: runs.take_over(db, "r1", from_worker="dead", worker="w1"))
    assert not store.write(lambda db: runs.take_over(db, "r1", from_worker="dead", worker="w2"))
    assert state_of(store) == state


def test_an_id_of_our_own_is_stored_before_the_call(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    assert store.write(lambda db: runs.set_remote_id(db, "r1", "our-uuid"))
    assert state_of(store) == "queued"
    assert store.write(lambda db: runs.mark_sending(db, "r1", worker="w", sent={}, sent_at=NOW))


@pytest.mark.parametrize("state", ["queued", "done", ""])
def test_a_run_ends_in_an_end_state_only(store: Store, state: Any) -> None:
    store.write(lambda db: insert(db, make_run()))
    with pytest.raises(ValueError, match="cannot end as"):
        store.write(lambda db: end(db, state=state))


def test_previews_may_come_twice_and_the_first_ones_time_stays(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    store.write(lambda db: runs.add_partial(db, make_partial(), first_preview_ms=100))
    store.write(lambda db: runs.add_partial(db, make_partial(), first_preview_ms=200))
    store.write(lambda db: runs.add_partial(db, make_partial(partial_position=1), first_preview_ms=300))
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert (view.run.first_preview_ms, len(view.partials)) == (100, 2)


def test_an_image_that_is_fetched_again_is_not_added_again(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    first = make_image(seed=7)
    assert store.write(lambda db: runs.add_image(db, first)) is True
    again = make_image(image_id="other", created_at=LATER)
    assert store.write(lambda db: runs.add_image(db, again)) is False
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert view.images == (first,)
    # The same bytes at another place are another image of the run.
    assert store.write(lambda db: runs.add_image(db, make_image(image_id="other", position=1))) is True


@pytest.mark.parametrize("changes", [{"image_id": "other", "sha256": "cd" * 32}, {"position": 1}])
def test_a_taken_place_or_id_of_an_image_is_refused(store: Store, changes: dict[str, Any]) -> None:
    store.write(lambda db: insert(db, make_run()))
    store.write(lambda db: runs.add_image(db, make_image()))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        store.write(lambda db: runs.add_image(db, make_image(**changes)))


def test_a_converted_copy_is_named_beside_the_original(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    store.write(lambda db: [runs.add_image(db, make_image(image_id=f"i{n}", position=n)) for n in range(2)])
    store.write(lambda db: runs.set_converted(db, "i1", "ef" * 32, "image/avif"))
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert view.images == (
        make_image(image_id="i0"),
        make_image(image_id="i1", position=1, converted_sha256="ef" * 32, converted_type="image/avif"),
    )
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        store.write(lambda db: runs.set_converted(db, "i1", "short", "image/avif"))


def test_odd_answers_of_providers_can_be_stored(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    store.write(lambda db: runs.add_image(db, make_image(seed=2**64 - 1, revised_prompt="lone \ud83d half")))
    store.write(
        lambda db: end(db, got={"text": "lone \ud83d half", "score": math.nan, "top": [math.inf]}, request_id="\udc00")
    )
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert (view.images[0].seed, view.images[0].revised_prompt) == (None, "lone ? half")
    assert (view.run.got, view.run.request_id) == ({"text": "lone \ud83d half", "score": None, "top": [None]}, "?")


def test_what_belongs_to_nothing_is_refused(store: Store) -> None:
    for job in (
        lambda db: runs.insert_runs(db, [make_run(group_id="none")], [], []),
        lambda db: runs.add_image(db, make_image()),
        lambda db: runs.add_partial(db, make_partial(), first_preview_ms=None),
        lambda db: runs.insert_runs(db, [], [make_input()], []),
        lambda db: runs.insert_runs(db, [], [], [make_line()]),
    ):
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            store.write(job)


def test_others_see_nothing(store: Store) -> None:
    store.write(lambda db: insert(db, make_run(owner="me")))

    def seen(db: Database, owner: str | None) -> list[bool]:
        return [
            runs.get(db, "r1", owner) is not None,
            bool(runs.of_group(db, "g1", owner)),
            runs.get_group(db, "g1", owner) is not None,
            bool(runs.open_runs(db, owner)),
            bool(runs.unfinished_groups(db, owner)),
            bool(runs.recent_groups(db, owner, limit=5)),
        ]

    assert store.read(lambda db: seen(db, "me")) == [True] * 6
    assert store.read(lambda db: seen(db, None)) == [True] * 6
    assert store.read(lambda db: seen(db, "you")) == [False] * 6


def test_open_runs_and_unfinished_groups(store: Store) -> None:
    store.write(lambda db: insert(db, *(make_run(f"r{n}", group_id=f"g{n // 2}", position=n % 2) for n in range(6))))
    for run_id in ("r0", "r2", "r3"):
        store.write(lambda db, run_id=run_id: end(db, run_id))
    assert [run.run_id for run in store.read(runs.open_runs)] == ["r1", "r4", "r5"]
    assert store.read(lambda db: runs.unfinished_groups(db, "local")) == ["g0", "g2"]


def test_groups_page_newest_first(store: Store) -> None:
    store.write(
        lambda db: [runs.insert_group(db, make_group(f"g{n}", owner="me" if n % 2 else "you")) for n in range(6)]
    )

    def names(owner: str | None, before: str | None = None) -> list[str]:
        return [g.group_id for g in store.read(lambda db: runs.recent_groups(db, owner, limit=2, before=before))]

    assert (names(None), names(None, "g4"), names("me"), names("me", "g3")) == (
        ["g5", "g4"],
        ["g3", "g2"],
        ["g5", "g3"],
        ["g1"],
    )
    with pytest.raises(ValueError, match="below 1"):
        store.read(lambda db: runs.recent_groups(db, None, limit=-1))


def test_views_take_as_many_queries_for_fifty_runs_as_for_one(store: Store) -> None:
    store.write(lambda db: insert(db, *(make_run(f"r{n:02}", position=n) for n in range(50))))
    store.write(lambda db: [runs.add_image(db, make_image(f"r{n:02}")) for n in range(50)])

    def queries(db: Database, run: str | None) -> tuple[int, int]:
        asked: list[str] = []
        db.conn.set_trace_callback(asked.append)
        views = runs.of_group(db, "g1", "local") if run is None else [runs.get(db, run, "local")]
        db.conn.set_trace_callback(None)
        return len(views), len(asked)

    assert store.read(lambda db: queries(db, "r07")) == (1, 6)
    assert store.read(lambda db: queries(db, None)) == (50, 6)
    views = store.read(lambda db: runs.of_group(db, "g1", "local"))
    assert [view.run.position for view in views] == list(range(50))
    assert all(view.images[0].run_id == view.run.run_id for view in views)


def test_uploads_are_found_by_who_brought_them(store: Store) -> None:
    store.write(lambda db: uploads.add(db, make_upload(owner="me")))
    store.write(lambda db: uploads.add(db, make_upload(owner="me", name="again.png", created_at=LATER)))
    assert store.read(lambda db: uploads.get(db, "me", SHA)) == make_upload(owner="me")
    assert store.read(lambda db: uploads.get(db, None, SHA)) == make_upload(owner="me")
    assert store.read(lambda db: uploads.get(db, "you", SHA)) is None


def test_a_reservation_is_settled_once(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    assert store.write(lambda db: ledger.settle(db, "r1", 29_500, "computed", "openai/gpt-image-2@2026-11-21", LATER))
    assert not store.write(lambda db: ledger.settle(db, "r1", 1, "computed", None, LATER))
    assert not store.write(lambda db: ledger.release(db, "r1", LATER))
    assert not store.write(lambda db: ledger.mark_unknown(db, "r1", LATER))
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert (view.cost_microusd, view.cost_source, view.ledger_state) == (29_500, "computed", "settled")


@pytest.mark.parametrize(
    ("close", "shown"),
    [
        (lambda db: ledger.release(db, "r1", LATER), (0, "estimated", "released")),
        (lambda db: ledger.mark_unknown(db, "r1", LATER), (None, "estimated", "unknown")),
        (lambda db: ledger.settle(db, "r1", 0, "reported", None, LATER), (0, "reported", "settled")),
    ],
)
def test_other_ends_of_a_reservation(store: Store, close: Any, shown: tuple[object, ...]) -> None:
    store.write(lambda db: insert(db, make_run()))
    assert store.write(close)
    assert not store.write(close)
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert (view.cost_microusd, view.cost_source, view.ledger_state) == shown


def test_several_reservations_of_a_run_settle_to_one_sum(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))
    store.write(lambda db: runs.insert_runs(db, [], [], [make_line(ledger_id="second")]))
    store.write(lambda db: ledger.settle(db, "r1", 50, "reported", None, LATER))
    assert store.read(lambda db: ledger.totals(db, None)) == ledger.LedgerTotals(50, 0, 0, 0)
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert (view.cost_microusd, view.ledger_state) == (50, "settled")


@pytest.mark.parametrize("amount", [1.5, "much", -1])
def test_money_is_whole_and_not_negative(store: Store, amount: Any) -> None:
    store.write(lambda db: insert(db, make_run()))
    with pytest.raises(sqlite3.IntegrityError):
        store.write(lambda db: ledger.settle(db, "r1", amount, "computed", None, LATER))
    with pytest.raises(sqlite3.IntegrityError):
        store.write(lambda db: runs.insert_runs(db, [], [], [make_line(ledger_id="x", amount_microusd=amount)]))
    assert store.read(lambda db: ledger.totals(db, None, "")).reserved_microusd == 31_000


def test_totals_by_owner_and_time(store: Store) -> None:
    yesterday, today = "2026-11-20T23:59:59.999Z", "2026-11-21T00:00:00.000Z"
    some = [make_run(f"r{n}", group_id="gm" if n < 5 else "gy", owner="me" if n < 5 else "you") for n in range(6)]
    lines = [
        make_line("r0", state="settled", amount_microusd=10, at=today),
        make_line("r1", state="settled", amount_microusd=5, at=yesterday),
        make_line("r2", state="reserved", amount_microusd=7, at=yesterday),
        make_line("r3", state="unknown", amount_microusd=None, at=today),
        make_line("r4", state="unknown", amount_microusd=3, at=today),
        make_line("r5", state="settled", amount_microusd=100, at=today),
    ]

    def job(db: Database) -> None:
        runs.insert_group(db, make_group("gm", owner="me"))
        runs.insert_group(db, make_group("gy", owner="you"))
        runs.insert_runs(db, some, [], lines)

    store.write(job)
    assert store.read(lambda db: ledger.totals(db, "me", "2026-11-21")) == ledger.LedgerTotals(10, 7, 2, 3)
    assert store.read(lambda db: ledger.totals(db, "me", "2026-11-20")).settled_microusd == 15
    assert store.read(lambda db: ledger.totals(db, None, "2026-11-21")).settled_microusd == 110
