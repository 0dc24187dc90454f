"""The ledger's sums, days and hands: what limits and the Costs page stand on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlite_utils import Database

from storage import days, ledger, ledger_audit, limits, runs
from storage.database import Store
from storage.ledger import LedgerTotals
from storage.migrations import migrations
from storage.verify import verify
from tests.storage.builders import LATER, NOW, insert, make_group, make_image, make_line, make_run

BERLIN = ZoneInfo("Europe/Berlin")


def differences(store: Store) -> list[tuple[str, str]]:
    return store.read(lambda db: list(ledger_audit.differences(db)))


def held(store: Store, at: str = NOW, owner: str = "local", session: str = "") -> limits.Standing:
    return store.read(lambda db: limits.standing(db, owner, session, at))


@pytest.mark.parametrize(
    ("at", "day", "hours"),
    [
        ("2026-03-28T23:00:00.000Z", "2026-03-29", 23),  # clocks go forward that night
        ("2026-10-24T22:00:00.000Z", "2026-10-25", 25),  # and back that one
        ("2026-10-25T22:59:59.999Z", "2026-10-25", 0),
        ("2026-11-21T22:59:59.999Z", "2026-11-21", 0),
        ("2026-11-21T23:00:00.000Z", "2026-11-22", 24),
    ],
)
def test_a_day_is_the_operators_whatever_the_clocks_do(at: str, day: str, hours: int) -> None:
    assert days.day_of(at, BERLIN) == day
    left = days.end_of_day(at, BERLIN) - datetime.fromisoformat(at)
    assert round(left.total_seconds() / 3600) == hours


def test_a_month_ends_where_the_operator_is() -> None:
    assert days.end_of_month("2026-10-31T22:59:59.999Z", BERLIN).isoformat() == "2026-10-31T23:00:00+00:00"
    assert days.end_of_month("2026-12-31T23:30:00.000Z", BERLIN).isoformat() == "2027-01-31T23:00:00+00:00"


def test_a_run_over_midnight_counts_where_it_was_reserved(store: Store) -> None:
    store.write(lambda db: days.set_time_zone(db, "Europe/Berlin"))
    before, after = "2026-11-21T22:59:59.000Z", "2026-11-21T23:00:09.000Z"
    line = make_line(at=before)
    store.write(lambda db: insert(db, make_run()) or db.execute("delete from ledger") and ledger.insert(db, [line]))
    assert held(store, before).day_microusd == 31_000
    assert held(store, after).day_microusd == 0
    store.write(lambda db: ledger.settle(db, "r1", 40_000, "computed", None, after))
    assert (held(store, before).day_microusd, held(store, after).day_microusd) == (40_000, 0)
    assert store.read(lambda db: ledger.totals(db, "local", "2026-11-22")) == LedgerTotals(0, 0, 0, 0)


def test_another_zone_moves_old_lines_and_their_sums(store: Store) -> None:
    line = make_line(at="2026-11-21T23:30:00.000Z")
    store.write(lambda db: insert(db, make_run()) or db.execute("delete from ledger") and ledger.insert(db, [line]))
    assert store.write(lambda db: days.set_time_zone(db, "Europe/Berlin")) == 1
    assert held(store, "2026-11-22T10:00:00.000Z").day_microusd == 31_000
    assert differences(store) == []
    assert store.write(lambda db: days.set_time_zone(db, "Europe/Berlin")) == 0


def test_what_counts_is_settled_reserved_and_unknown_by_owner_and_session(store: Store) -> None:
    some = [make_run(f"r{n}", owner="me" if n < 4 else "you", group_id="gm" if n < 4 else "gy") for n in range(5)]

    def job(db: Database) -> None:
        runs.insert_group(db, make_group("gm", owner="me"))
        runs.insert_group(db, make_group("gy", owner="you"))
        runs.insert_runs(db, some, [], [make_line(run.run_id, session="s1") for run in some])
        ledger.settle(db, "r0", 5, "computed", None, LATER)
        ledger.release(db, "r1", LATER)
        ledger.mark_unknown(db, "r2", LATER)

    store.write(job)
    mine = held(store, owner="me", session="s1")
    assert (mine.session_microusd, mine.visitor_day_microusd, mine.visitor_month_microusd) == (62_005,) * 3
    assert (mine.day_microusd, mine.month_microusd) == (93_005, 93_005)
    assert held(store, owner="me", session="s2").session_microusd == 0
    assert held(store, "2026-12-01T00:00:00.000Z", owner="me").month_microusd == 0
    assert differences(store) == []


def test_two_payers_are_settled_each_with_its_part(store: Store) -> None:
    run = make_run(offer="replicate/gpt-image-1-mini")
    lines = [make_line(amount_microusd=1_000), make_line(ledger_id="l2", amount_microusd=11_000, payer="openai")]
    store.write(lambda db: insert(db, run) or db.execute("delete from ledger") and ledger.insert(db, lines))
    store.write(lambda db: ledger.settle(db, "r1", 9_500, "computed", None, LATER, others_microusd=8_500))
    view = store.read(lambda db: runs.get(db, "r1", None))
    assert view
    assert (view.cost_microusd, view.ledger_state) == (9_500, "settled")
    by_payer = store.read(
        lambda db: db.execute(
            "select payer, amount_microusd from spend_days where owner = 'local' order by 1"
        ).fetchall()
    )
    assert by_payer == [("openai", 8_500), ("replicate", 1_000)]
    assert differences(store) == []


def test_an_unknown_is_settled_by_hand_once_and_says_who(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()))

    def by_hand(owner: str | None, amount: int = 29_000) -> bool:
        return store.write(
            lambda db: ledger.settle_by_hand(db, "l-r1", owner, amount, by="local", at=LATER, note="bill of 1 Dec")
        )

    assert not by_hand("local")  # still reserved
    store.write(lambda db: ledger.mark_unknown(db, "r1", NOW))
    assert not by_hand("somebody else")
    with pytest.raises(sqlite3.IntegrityError):
        by_hand("local", -1)
    assert by_hand("local")
    assert not by_hand("local", 1)
    (row,) = store.read(
        lambda db: db.execute("select settled_by, at, note, source, amount_microusd from ledger").fetchall()
    )
    assert row == ("local", LATER, "bill of 1 Dec", "by_hand", 29_000)
    assert held(store).day_microusd == 29_000
    assert differences(store) == []


def test_images_are_counted_when_their_run_is_settled(store: Store) -> None:
    store.write(lambda db: insert(db, make_run()) or runs.add_image(db, make_image()))
    store.write(lambda db: ledger.settle(db, "r1", 10, "computed", None, LATER))
    assert store.read(lambda db: db.execute("select images from spend_days where owner = ''").fetchall()) == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "update spend_days set amount_microusd = amount_microusd + 1 where owner = ''",
        "update spend_spans set amount_microusd = 0 where span like 'day %' and owner != ''",
        "update ledger set owner = 'you'",
        "update ledger set day = '2026-11-20'",
    ],
)
def test_the_audit_finds_a_sum_that_is_not_that_of_its_lines(store: Store, statement: str) -> None:
    store.write(lambda db: insert(db, make_run()))
    assert [problem for problem in verify(store) if problem.kind == "ledger_sum_differs"] == []
    store.write(lambda db: db.execute(statement) and None)
    assert "ledger_sum_differs" in {problem.kind for problem in verify(store)}


def test_lines_of_before_get_their_owner_day_and_sums(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "diptych.sqlite3")) as conn:
        db = Database(conn, execute_plugins=False)
        migrations.apply(db, stop_before="m009_money")
        with db.atomic():
            old = make_run(
                offer="fal/gpt-image-2", asked={"quality": "low"}, state="succeeded", estimate_microusd=30_000
            )
            insert(db, old, make_run("r2", queued_at="2026-11-30T23:59:59.999Z"))
            db.execute("update ledger set state = 'settled', amount_microusd = 29500 where run_id = 'r1'")
            runs.add_image(db, make_image())
    store = Store.open(tmp_path)
    rows = store.read(
        lambda db: db.execute(
            "select owner, offer, quality, payer, reserved_microusd, images, day from ledger"
        ).fetchall()
    )
    assert rows == [
        ("local", "fal/gpt-image-2", "low", "fal", 30_000, 1, "2026-11-21"),
        ("local", "openai/gpt-image-2", "auto", "openai", 31_000, 0, "2026-11-30"),
    ]
    assert held(store).month_microusd == 60_500
    assert differences(store) == []
    store.close()


def statement_plan(db: Database, sql: str) -> Any:
    return " ".join(row[3] for row in db.execute(f"explain query plan {sql}").fetchall())


def test_looking_up_what_counts_reads_no_line(store: Store) -> None:
    plan = store.read(
        lambda db: statement_plan(
            db, "select sum(amount_microusd) from spend_spans where owner = 'local' and span = 'day 2026-11-21'"
        )
    )
    assert "SEARCH spend_spans USING PRIMARY KEY (owner=? AND span=?)" in plan
