"""The Costs tab: figures out of sums, lines page by page, and what only the operator may do."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlite_utils import Database

from playground import spending
from playground.owners import owner_of_token
from playground.refusals import NotYours
from playground.services import timestamp
from playground.settings import Secret, Settings
from playground.visitor_settings import PublicSettings
from storage import days, ledger, portable, runs
from storage.ledger_pages import LedgerFilter
from storage.portable import Wanted
from storage.portable_columns import TABLES
from storage.records import CostSource, LedgerState
from tests.harness import Harness
from tests.storage.builders import make_group, make_line, make_run
from ui import header
from ui.costs import views
from ui.costs.ledger_views import csv_head, csv_lines
from ui.pages import costs as page

pytestmark = pytest.mark.asyncio


def spend(one: Harness, number: int, amount: int | None, *, days_ago: int = 0, **told: Any) -> str:
    """A run of its own with one line of this amount; its id."""
    at = timestamp(one.services.clock() - timedelta(days=days_ago))
    run_id = f"run{number:04}"
    owner = owner_of_token(told["token"]) if "token" in told else "local"
    state: LedgerState = told.get("state", "settled")
    source: CostSource = "computed" if state == "settled" else "unknown"

    def write(db: Database) -> None:
        if runs.get_group(db, owner, None) is None:
            runs.insert_group(db, make_group(owner, owner=owner))
        run = make_run(run_id, group_id=owner, owner=owner, offer=told.get("offer", "openai/gpt-image-2"),
                       prompt=told.get("prompt", "a cat"),
                       asked={"quality": told.get("quality", "low")}, state="succeeded", queued_at=at)  # fmt: skip
        line = make_line(
            run_id,
            ledger_id=f"line{number:04}",
            state=state,
            amount_microusd=amount,
            source=source,
            at=at,
            session=told.get("session", ""),
        )
        runs.insert_runs(db, [run], [], [line])

    one.services.store.write(write)
    return run_id


async def shown(one: Harness, by: Any = "provider", period: str = "30") -> Any:
    found = await spending.of_owner(one.services, "local", by, spending.PERIODS[period], "s")
    return views.costs_view(found, by, period, one.services.catalog, can_set=True)


def event(**told: Any) -> Any:
    return SimpleNamespace(**told)


async def test_cards_and_bars_are_what_the_lines_come_to(harness: Callable[..., Harness]) -> None:
    one = harness()
    spend(one, 1, 1_000_000)
    spend(one, 2, 250_000, offer="fal/gpt-image-2", quality="high")
    spend(one, 3, 2_000_000, days_ago=29)
    spend(one, 4, 4_000_000, days_ago=200)
    spend(one, 5, 31_000, state="unknown")
    view = await shown(one)
    cards = {card["key"]: card["figure"] for card in view["cards"]}
    assert (cards["today"], cards["all"], cards["unknown"]) == ("$1.25", "$7.25", "1 run")
    assert [(series["name"], series["total"]) for series in view["bars"]["series"]] == [
        ("OpenAI", "$3.00"),
        ("fal", "$0.25"),
    ]
    assert len(view["bars"]["bars"]) == 30
    assert view["bars"]["bars"][-1]["words"].endswith("$1.25. OpenAI $1.00, fal $0.25, reserved or unknown $0.031")
    assert [tick["text"] for tick in view["bars"]["ticks"]] == ["$0", "$0.50", "$1.00", "$1.50", "$2.00"]
    by_quality = await shown(one, "quality", "365")
    assert [series["name"] for series in by_quality["bars"]["series"]] == ["Low", "High"]
    assert sum(bar["total_microusd"] for bar in by_quality["bars"]["bars"]) == 7_281_000
    assert len(by_quality["bars"]["bars"]) == 12
    assert "more than estimated" in view["compared"]["words"]


@pytest.mark.parametrize("day", ["2026-03-31", "2026-11-22", "2027-01-01", "2028-02-29"])
async def test_twelve_months_are_twelve_whatever_the_day(day: str) -> None:
    today, year = date.fromisoformat(day), spending.PERIODS["365"]
    first = spending.first_day(today, year)
    assert (first.day, (today.year - first.year) * 12 + today.month - first.month) == (1, 11)


async def test_bars_by_tag_add_up_to_the_others(harness: Callable[..., Harness]) -> None:
    one = harness()
    for number, tags in enumerate((("logo", "zebra"), ("logo",), ())):
        run_id = spend(one, number, 1_000_000 * (number + 1))
        for tag in tags:
            one.services.store.write(
                lambda db, run=run_id, tag=tag: db.execute("insert into tags values (?, ?)", [run, tag]) and None
            )
    bars = (await shown(one, "tag"))["bars"]
    assert [(series["name"], series["total"]) for series in bars["series"]] == [("No tag", "$3.00"), ("logo", "$3.00")]
    assert bars["bars"][-1]["total_microusd"] == 6_000_000


async def test_an_empty_ledger_has_a_way_on_and_its_limits(harness: Callable[..., Harness]) -> None:
    view = await shown(harness())
    assert view["state"] == "empty"
    assert view["limits"]["rows"] == []
    assert [row["span"] for row in view["limits"]["editor"]] == ["run", "session", "day", "month"]


async def test_a_limit_is_set_told_and_taken_away_on_the_page(harness: Callable[..., Harness]) -> None:
    one = harness()
    spend(one, 1, 4_500_000)
    wrong, _ = await page.on_set_limit(one.app, {}, event(span="day", amount="five", action="block"), None)
    assert wrong["said"] == {"span": "day", "text": "“five” is no amount. Write US dollars, as 5 or 0.50."}
    view, strip = await page.on_set_limit(one.app, {}, event(span="day", amount="5", action="warn"), None)
    limits: Any = view["limits"]
    (row,) = limits["rows"]
    assert (row["name"], row["action"], row["figure"], row["percent"], row["word"]) == (
        "Day",
        "warns",
        "$4.50 of $5.00",
        90,
        "Near",
    )
    assert (strip["spent"], strip["limit"]) == ("$4.50", "$5.00")
    view, strip = await page.on_remove_limit(one.app, view, event(span="day"), None)
    assert (view["limits"]["rows"], strip["limit"]) == ([], "")


async def test_on_a_public_server_the_operator_sets_limits_and_nobody_else(harness: Callable[..., Harness]) -> None:
    public = PublicSettings(operator_token=Secret("t" * 20))
    one = harness(settings=replace(Settings(), mode="public", public=public), key=None)
    visitor: Any = SimpleNamespace(headers={"x-diptych-visitor": "v" * 43}, cookies={})
    wanted = event(span="visitor_day", amount="5", action="block")
    with pytest.raises(NotYours):
        await page.on_set_limit(one.app, {}, wanted, visitor)
    assert one.app.operators.enter(owner_of_token("v" * 43), "t" * 20)
    view, _ = await page.on_set_limit(one.app, {}, wanted, visitor)
    limits: Any = view["limits"]
    assert [row["name"] for row in limits["rows"]] == ["Each visitor's day"]


OPERATOR, VISITOR, STRANGER = "o" * 43, "v" * 43, "w" * 43


def as_visitor(token: str) -> Any:
    return SimpleNamespace(headers={"x-diptych-visitor": token}, cookies={})


def public_app(harness: Callable[..., Harness], **limits: int) -> Harness:
    public = PublicSettings(operator_token=Secret("t" * 20), server_keys="everyone")
    one = harness(settings=replace(Settings(), mode="public", public=public, limits=limits), key=None)
    assert one.app.operators.enter(owner_of_token(OPERATOR), "t" * 20)
    return one


async def ledger_of(one: Harness, token: str, **told: Any) -> Any:
    wanted = {"state": "", "offer": "", "trail": [], "others": []} | told
    return await page.on_turn(one.app, event(**wanted), as_visitor(token))


async def test_on_a_public_server_the_operator_settles_what_visitors_left_unknown(
    harness: Callable[..., Harness],
) -> None:
    one = public_app(harness)
    for number in range(28):
        token, session = (VISITOR, "server 2026-11-21") if number % 2 else (STRANGER, "s")
        spend(one, number, 1_000 + number, state="unknown", token=token, session=session, prompt="a secret zebra")
    spend(one, 90, 5_000, token=VISITOR)
    spend(one, 91, 5_000, state="unknown", token=OPERATOR)
    view = await ledger_of(one, OPERATOR)
    others = view["others"]
    assert (others["count"], others["held"], len(others["rows"])) == ("28 unknown", "$0.028 held", 25)
    assert {row["key"] for row in others["rows"]} == {"server's key", "visitor's own key"}
    assert "zebra" not in str(others)
    older = (await ledger_of(one, OPERATOR, others=[others["next"]]))["others"]
    assert sorted(row["id"] for row in (*others["rows"], *older["rows"])) == [f"line{n:04}" for n in range(28)]
    assert [row["id"] for row in view["rows"]] == ["line0091"], "what is the operator's own stands in their own ledger"

    told = {"line": "line0003", "note": "bill", "state": "", "offer": "", "trail": [], "others": [], "amount": "0.002"}
    with pytest.raises(NotYours):
        await page.on_settle(one.app, {}, event(**told), as_visitor(STRANGER))
    view, *_ = await page.on_settle(one.app, {}, event(**told), as_visitor(OPERATOR))
    assert view["others"]["count"] == "27 unknown"
    mine = await ledger_of(one, VISITOR)
    assert mine["others"] is None
    settled = next(row for row in mine["rows"] if row["id"] == "line0003")
    assert (settled["cost"], settled["word"]) == ("$0.002", "Settled, by hand")
    assert "settled by hand by the operator" in settled["title"]
    lines = [*spending.all_lines(one.services, LedgerFilter(owner_of_token(VISITOR)))]
    told_csv = csv_lines(some for group in lines for some in group)
    assert ",operator,bill," in told_csv
    wanted = Wanted(owner_of_token(VISITOR), one.services.now())
    exported = one.services.store.read(lambda db: list(portable.rows_of(db, TABLES["ledger"], wanted)))
    assert {row["settled_by"] for row in exported} == {None, "operator"}
    assert owner_of_token(OPERATOR) not in f"{told_csv} {exported} {mine}"


async def test_a_visitor_settles_what_their_own_keys_pay_and_nothing_else(harness: Callable[..., Harness]) -> None:
    one = public_app(harness)
    spend(one, 1, 1_000, state="unknown", token=VISITOR, session="s")
    spend(one, 2, 1_000, state="unknown", token=VISITOR, session="server 2026-11-21")
    spend(one, 3, 1_000, state="unknown", token=STRANGER, session="s")
    rows = (await ledger_of(one, VISITOR))["rows"]
    assert {row["id"]: row["can_settle"] for row in rows} == {"line0001": True, "line0002": False}
    told = {"note": "", "state": "", "offer": "", "trail": [], "others": [], "amount": "0"}
    await page.on_settle(one.app, {}, event(line="line0001", **told), as_visitor(VISITOR))
    for line in ("line0002", "line0003"):
        with pytest.raises(NotYours):
            await page.on_settle(one.app, {}, event(line=line, **told), as_visitor(VISITOR))
    states = one.services.store.read(
        lambda db: [row[0] for row in db.execute("select state from ledger order by ledger_id")]
    )
    assert states == ["released", "unknown", "unknown"]


async def test_on_a_public_server_what_stands_beside_a_limit_is_what_the_limit_counts(
    harness: Callable[..., Harness],
) -> None:
    one = public_app(harness, day=1_000_000, visitor_day=500_000)
    today = one.services.clock().date()
    one.services.store.write(lambda db: days.set_time_zone(db, "UTC") and None)
    spend(one, 1, 9_000_000, token=STRANGER, session="s")
    spend(one, 2, 200_000, token=VISITOR, session=f"server {today}")
    for token, card, own, spent in ((VISITOR, "of $0.50", "$0.20 of $0.50", "$0.50"),
                                    (STRANGER, "own keys have no limit", "$0 of $0.50", "")):  # fmt: skip
        costs, _ = await page.on_visit(one.app, {}, {}, as_visitor(token))
        view: Any = costs
        assert view["cards"][0]["note"] == card
        assert [row["figure"] for row in view["limits"]["rows"]] == ["$1.00 for all together", own]
        assert (await header.strip(one.app, owner_of_token(token)))["limit"] == spent
    costs, _ = await page.on_visit(one.app, {}, {}, as_visitor(OPERATOR))
    shown: Any = costs["limits"]
    assert [(row["name"], row["figure"]) for row in shown["rows"]] == [
        ("Day", "$0.20 of $1.00"),
        ("Each visitor's day", "up to $0.50"),
    ]
    assert [row["span"] for row in shown["editor"]] == ["run", "day", "month", "visitor_day", "visitor_month"]
    everybody = await spending.of_everybody(one.services, "s")
    assert everybody.standing.day_microusd == 200_000


async def test_the_ledger_turns_its_pages_without_losing_or_doubling_a_line(harness: Callable[..., Harness]) -> None:
    one = harness()
    for number in range(60):
        spend(one, number, 1_000 + number, days_ago=number % 7, quality="high" if number % 2 else "low")
    seen: list[str] = []
    trail: list[str] = []
    while True:
        view: Any = await page.on_turn(one.app, event(state="settled", offer="", trail=trail), None)
        seen += [row["id"] for row in view["rows"]]
        if not view["next"]:
            break
        trail = [*trail, view["next"]]
    assert len(trail) == 2
    assert sorted(seen) == [f"line{number:04}" for number in range(60)]
    back: Any = await page.on_turn(one.app, event(state="settled", offer="", trail=trail[:1]), None)
    assert [row["id"] for row in back["rows"]] == seen[25:50]
    none: Any = await page.on_turn(one.app, event(state="reserved", offer="", trail=["nonsense"]), None)
    assert (none["rows"], none["page"]) == ([], 1)


async def test_an_unknown_is_settled_by_the_operator_and_nobody_else(harness: Callable[..., Harness]) -> None:
    one = harness()
    spend(one, 1, 31_000, state="unknown")
    told = {"line": "line0001", "note": "bill", "state": "", "offer": "", "trail": []}
    wrong, *_ = await page.on_settle(one.app, {}, event(amount="", **told), None)
    assert wrong["said"]["id"] == "line0001"
    with pytest.raises(NotYours):
        await spending.settle_by_hand(one.services, "visitor", "line0001", 1, "")
    view, *_ = await page.on_settle(one.app, {}, event(amount="0.029", **told), None)
    (row,) = view["rows"]
    assert (row["cost"], row["word"], row["can_settle"]) == ("$0.029", "Settled, by hand", False)
    assert "settled by hand by you" in row["title"]


async def test_the_file_has_every_line_whole_micro_dollars_and_no_formula(harness: Callable[..., Harness]) -> None:
    one = harness()
    spend(one, 1, 31_234, prompt="=1+1")
    spend(one, 2, None, state="unknown", prompt='say "hi", twice')
    pieces = [csv_head(), *(csv_lines(some) for some in spending.all_lines(one.services, LedgerFilter("local")))]
    rows = list(csv.DictReader(io.StringIO("".join(pieces))))
    assert [(row["amount_microusd"], row["state"], row["prompt"]) for row in rows] == [
        ("", "unknown", 'say "hi", twice'),
        ("31234", "settled", "'=1+1"),
    ]


async def test_what_a_waiting_battle_cost_stands_nowhere(harness: Callable[..., Harness], monkeypatch: Any) -> None:
    one = harness()
    spend(one, 1, 1_000_000)
    hidden = spend(one, 2, 70_000, offer="fal/gpt-image-2")
    of = "storage.unrevealed.UNREVEALED"
    secret = f"select run_id from runs where run_id = '{hidden}' and :owner is not null and :blind_at is not null"
    for name in (of, "storage.ledger.UNREVEALED"):
        monkeypatch.setattr(name, f"{secret} and :making_since is not null")
    one.services.store.write(
        lambda db: db.execute("insert into limits values ('day', 5000000, 'block', 'local', '')") and None
    )
    for by in views.BY:
        text = str(await shown(one, by))
        assert "1.07" not in text
        assert "0.07" not in text
        assert "fal" not in text
    assert "shows after your vote" in str(await shown(one))
    page_of_lines = await spending.ledger_page(one.services, LedgerFilter("local"), None)
    assert [entry.run_id for entry in page_of_lines.entries] == ["run0001"]
    assert page_of_lines.offers == ("openai/gpt-image-2",)
    totals = one.services.store.read(lambda db: ledger.totals(db, "local", blind_at=one.services.now()))
    assert totals.settled_microusd == 1_000_000
