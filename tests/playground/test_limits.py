"""Limits hold: against presses at the same moment from threads and processes, over midnight, and whatever becomes of a run."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from playground import entering, limits
from playground.addresses import SettingsError
from playground.keeping import end_run
from playground.keys import FoundKey
from playground.limits import Limit, LimitReached
from playground.money_settings import microusd_of
from playground.outcome import Outcome
from playground.plan import make_plan
from playground.recovery import take_up
from playground.refusals import NotYours
from playground.services import new_ulid
from playground.settings import Settings
from playground.visitor_settings import PublicSettings
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage import ledger, ledger_audit, runs
from storage.limits import Standing, standing
from storage.rows import fetch
from storage.verify import verify
from tests.fresh_store import fresh
from tests.harness import OFFER, Harness

REQUEST = ImageRequest(prompt="a cat", size="1024x1024", quality="low")
PLAN = make_plan(REQUEST, [OFFER], CATALOG)
PRICE = PLAN.high_microusd or 0
FREE = make_plan(REQUEST, ["demo/flat"], CATALOG)


def with_limits(action: Any = "block", **amounts: int) -> Settings:
    return Settings(limits=amounts, limit_action=action)


def reserve(one: Harness, owner: str = "local", session: str = "s", plan: Any = PLAN) -> str | None:
    """The id of the reserved run, or `None` where a limit stood in the way."""
    group = entering.group_of(plan, owner, "run", one.services)
    key = FoundKey("server", None)
    rows = [entering.run_of(group, n, run, key, one.worker.worker_id, one.services) for n, run in enumerate(plan.runs)]
    try:
        entering.store(one.services, group, rows, plan, session)
    except LimitReached:
        return None
    return rows[0].run_id


def now(one: Harness, session: str = "s", owner: str = "local") -> Standing:
    at = one.services.now()
    return one.services.store.read(lambda db: standing(db, owner, session, at))


@pytest.mark.parametrize("span", ["session", "day", "month"])
def test_fifty_presses_at_once_never_go_over(harness: Callable[..., Harness], span: str) -> None:
    one = harness(settings=with_limits(**{span: 7 * PRICE + PRICE // 2}))
    with ThreadPoolExecutor(50) as threads:
        made = list(threads.map(lambda _: reserve(one), range(50)))
    assert len([run_id for run_id in made if run_id]) == 7
    assert now(one).day_microusd == 7 * PRICE
    assert len(one.services.store.read(lambda db: fetch(db, "select * from groups"))) == 7


def _press(folder: Path, times: int, answer: Any) -> None:
    one = Harness(folder, settings=with_limits(day=21 * PRICE))
    answer.put(sum(reserve(one) is not None for _ in range(times)))
    one.close()


def test_two_processes_never_go_over_together(harness: Callable[..., Harness], tmp_path: Path) -> None:
    fresh(tmp_path / "data")  # once, before both come
    forked = multiprocessing.get_context("fork")
    answer = forked.Queue()
    both = [forked.Process(target=_press, args=(tmp_path / "data", 20, answer)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    assert sum(answer.get(timeout=10) for _ in both) == 21
    assert now(harness()).day_microusd == 21 * PRICE


def test_what_was_not_billed_is_free_at_once_and_doubt_stays(harness: Callable[..., Harness]) -> None:
    one = harness(settings=with_limits(day=PRICE))
    first = reserve(one)
    assert first
    assert reserve(one) is None
    one.services.store.write(lambda db: ledger.release(db, first, one.services.now()))
    second = reserve(one)
    assert second
    one.services.store.write(lambda db: ledger.mark_unknown(db, second, one.services.now()))
    assert reserve(one) is None
    by_hand = {"amount_microusd": 0, "by": "local", "at": one.services.now()}
    line = one.services.store.read(
        lambda db: db.execute("select ledger_id from ledger where state = 'unknown'").fetchone()
    )
    assert one.services.store.write(lambda db: ledger.settle_by_hand(db, line[0], "local", **by_hand))
    assert reserve(one)


def test_each_run_is_held_against_the_limit_of_a_run_and_the_free_against_none(harness: Callable[..., Harness]) -> None:
    one = harness(settings=with_limits(run=PRICE, day=0))
    assert reserve(one) is None
    assert reserve(one, plan=FREE)
    one = harness(settings=with_limits(run=PRICE))
    both = make_plan(REQUEST, [OFFER, "openai/gpt-image-1.5"], CATALOG)
    assert reserve(one)
    assert reserve(one, plan=both) is None
    assert reserve(one, plan=replace(both, runs=(PLAN.runs[0], PLAN.runs[0])))


def test_visitors_have_limits_of_their_own_beside_everybodys(harness: Callable[..., Harness]) -> None:
    served = PublicSettings(server_keys="everyone")
    public = replace(with_limits(visitor_day=2 * PRICE, day=3 * PRICE), mode="public", public=served)
    one = harness(settings=public)
    assert [reserve(one, "a") is not None for _ in range(3)] == [True, True, False]
    assert [reserve(one, "b") is not None for _ in range(2)] == [True, False]
    told = {owner: limits.verdict(one.services, PLAN, owner, "s").words for owner in ("a", "b")}
    assert told["a"].startswith("Today's limit of $0.0177 would be passed, which all visitors share"), (
        "not what others spent"
    )
    assert "Whoever runs this server sets this limit." in told["b"]


def test_a_warning_lets_it_through_with_a_word(harness: Callable[..., Harness]) -> None:
    one = harness(settings=with_limits("warn", day=1))
    assert reserve(one)
    told = limits.verdict(one.services, PLAN, "local", "s")
    assert told.blocked is None
    assert told.words.startswith("Today's limit of $0.0001 would be passed")
    assert told.words.endswith("It only warns.")


@pytest.mark.asyncio
async def test_what_is_set_on_the_page_holds_beside_the_environment(harness: Callable[..., Harness]) -> None:
    one = harness(settings=with_limits(day=10 * PRICE))
    await limits.set_limit(one.services, "local", "day", PRICE, "block")
    assert [reserve(one) is not None for _ in range(2)] == [True, False]
    await limits.remove_limit(one.services, "local", "day")
    assert reserve(one)
    with pytest.raises(NotYours):
        await limits.set_limit(one.services, "a visitor", "day", 10**9, "block")


@pytest.mark.asyncio
async def test_a_refusal_names_limit_rest_end_and_a_way_on_through_every_door(harness: Callable[..., Harness]) -> None:
    one = harness(settings=replace(with_limits(day=5_000_000), time_zone="Europe/Berlin"))
    group = await one.engine.submit(FREE, "local")
    assert group
    with pytest.raises(LimitReached) as refused:
        await one.engine.submit(replace(PLAN, runs=PLAN.runs * (5_000_000 // PRICE + 1)), "local", kind="battle")
    (problem,) = refused.value.problems
    assert problem.field == "limit"
    for words in (
        "Today's limit of $5.00",
        "$0.00 is spent or held, $5.00 is left",
        "Nothing was sent.",
        "midnight (UTC)",
    ):
        assert words in problem.message
    assert "change DIPTYCH_LIMIT_DAY where the app starts" in problem.message
    await one.stop()


@pytest.mark.parametrize(
    ("microusd", "text"),
    [
        (0, "$0.00"),
        (5_000_000, "$5.00"),
        (31_000, "$0.031"),
        (1, "$0.0001"),
        (1_234_560_000, "$1,234.56"),
        (92_050, "$0.0921"),
    ],
)
def test_money_is_written_whole_and_never_too_small(microusd: int, text: str) -> None:
    assert limits.money(microusd) == text


@pytest.mark.parametrize(
    ("text", "microusd"),
    [("5", 5_000_000), ("$0.50", 500_000), ("1,200.00", 1_200_000_000), ("0.000001", 1), ("0", 0), (".5", 500_000)]
    + [(wrong, None) for wrong in ("", "-1", "1e3", "0.0000001", "five", "1.2.3", "1000000", "9" * 30, "NaN", "٣")],
)
def test_amounts_are_read_to_the_micro_dollar(text: str, microusd: int | None) -> None:
    assert microusd_of(text) == microusd


@pytest.mark.parametrize(
    "wrong", [{"DIPTYCH_LIMIT_DAY": "lots"}, {"DIPTYCH_LIMIT_ACTION": "maybe"}, {"DIPTYCH_TIME_ZONE": "Mars/Olympus"}]
)
def test_a_wrong_setting_is_named(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Settings.from_env(wrong, CATALOG)
    assert Settings.from_env({"DIPTYCH_LIMIT_DAY": "2.50"}, CATALOG).limits == {"day": 2_500_000}


def test_limits_are_near_and_reached() -> None:
    day = Limit("day", 1_000, "block", is_fixed=True)
    assert [limits.state_of(day, held) for held in (799, 800, 999, 1_000)] == ["well", "near", "near", "reached"]


# Whatever happens, in whatever order, the ledger says what the runs say, and nothing goes over.

TWO_PAYERS = make_plan(REQUEST, ["replicate/gpt-image-1-mini"], CATALOG)
FEE = 1_000
"""What Replicate itself bills of such a run; OpenAI bills the tokens."""

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["submit", "submit two", "finish", "free", "fail", "doubt", "cancel", "crash", "by_hand"]),
        st.integers(0, 7),
        st.integers(0, 2 * PRICE),
    ),
    max_size=25,
)
Lines = dict[tuple[str, str], tuple[str, int]]
"""(run, who bills) -> state and micro-dollars, as a person with pencil and paper keeps them."""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_ledger_is_the_sum_over_its_runs_whatever_happens(
    harness: Callable[..., Harness], tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    one = Harness(tmp_path_factory.mktemp("ledger"), settings=with_limits(day=5 * PRICE))
    expected: Lines = {}
    try:
        for what, which, amount in steps:
            _step(one, what, which, amount, expected)
            rows = one.services.store.read(
                lambda db: db.execute("select run_id, payer, state, amount_microusd from ledger").fetchall()
            )
            assert {(run, payer): (state, spent) for run, payer, state, spent in rows} == expected
            assert one.services.store.read(lambda db: list(ledger_audit.differences(db))) == []
            assert now(one).day_microusd == sum(spent for _, spent in expected.values())
        assert verify(one.services.store) == []
    finally:
        one.close()


def _step(one: Harness, what: str, which: int, amount: int, expected: Lines) -> None:
    if what.startswith("submit"):
        _submit(one, expected, plan=TWO_PAYERS if what == "submit two" else PLAN)
        return
    open_runs = list(dict.fromkeys(run_id for (run_id, _), (state, _) in expected.items() if state == "reserved"))
    if what == "crash":
        _crash(one, open_runs[: which + 1], expected)
    elif what == "by_hand" and expected:
        _by_hand(one, list(expected)[which % len(expected)], amount, expected)
    elif open_runs and what != "by_hand":
        _end(one, open_runs[which % len(open_runs)], what, amount, expected)


def _submit(one: Harness, expected: Lines, *, plan: Any) -> None:
    asked = plan.high_microusd
    run_id = reserve(one, plan=plan)
    assert (run_id is not None) == (sum(spent for _, spent in expected.values()) + asked <= 5 * PRICE)
    if run_id and plan is PLAN:
        expected[run_id, "openai"] = ("reserved", PRICE)
    elif run_id:
        expected[run_id, "replicate"] = ("reserved", FEE)
        expected[run_id, "openai"] = ("reserved", asked - FEE)


def _end(one: Harness, run_id: str, what: str, amount: int, expected: Lines) -> None:
    lines = [key for key in expected if key[0] == run_id]
    tokens = amount // 3 if len(lines) == 2 else 0
    ends = {
        "finish": Outcome("succeeded", "settle", amount, tokens, source="computed"),
        "free": Outcome("succeeded", "settle", 0, source="reported"),
        "fail": Outcome("failed", "release"),
        "doubt": Outcome("unknown", "unknown"),
        "cancel": Outcome("cancelled", "release"),
    }
    view = one.services.store.read(lambda db: runs.get(db, run_id, None))
    assert view
    assert end_run(one.services, view.run, ends[what])
    # An answer that comes after the end changes nothing.
    assert not end_run(one.services, view.run, Outcome("succeeded", "settle", amount + 1, source="computed"))
    for place, key in enumerate(lines):
        if what == "finish":
            expected[key] = ("settled", tokens if place else amount - tokens)
        elif what == "doubt":
            expected[key] = ("unknown", expected[key][1])
        else:
            expected[key] = ("settled" if what == "free" else "released", 0)


def _by_hand(one: Harness, key: tuple[str, str], amount: int, expected: Lines) -> None:
    """Any line is tried; only one that nobody knows the cost of is taken."""
    row = "select ledger_id from ledger where run_id = ? and payer = ?"
    (line,) = one.services.store.read(lambda db: db.execute(row, key).fetchone())
    told = {"amount_microusd": amount, "by": "local", "at": one.services.now()}
    done = one.services.store.write(lambda db: ledger.settle_by_hand(db, line, "local", **told))
    assert done == (expected[key][0] == "unknown")
    if done:
        expected[key] = ("settled" if amount else "released", amount)


def _crash(one: Harness, sent: list[str], expected: Lines) -> None:
    """These had gone out when their process ended; another takes them up. Replicate's jobs go on, and hold what they held."""

    def send(db: Database) -> None:
        for run_id in sent:
            db.execute("update runs set state = 'sending', worker = 'dead' where run_id = ?", [run_id])

    one.services.store.write(send)
    other = one.services.store.enlist(new_ulid())
    gone_on = {found.run.run_id for found in take_up(one.services, other, claim_queued=False)}
    other.close()
    assert gone_on == {run_id for run_id in sent if (run_id, "replicate") in expected}
    for run_id in set(sent) - gone_on:
        expected[run_id, "openai"] = ("unknown", PRICE)
