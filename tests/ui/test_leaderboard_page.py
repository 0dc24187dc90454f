"""The Leaderboard in a real browser, over a store full of votes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import Clock, make_services
from tests.ui.browser import PHONE, RunningApp, served
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser

FOUR = {
    "openai/gpt-image-2": 1_120.0,
    "fal/gpt-image-2": 1_050.0,
    "openai/gpt-image-1": 950.0,
    "fal/gpt-image-1": 900.0,
}
NINE = {
    "openai/gpt-image-2": 1_187.0,
    "fal/gpt-image-2": 1_171.0,
    "openai/gpt-image-2.5-flare": 1_118.0,
    "openai/gpt-image-1.5": 1_102.0,
    "fal/seedream-4": 1_089.0,
    "replicate/imagen-4": 1_031.0,
    "openai/gpt-image-1-mini": 964.0,
    "fal/qwen-image": 902.0,
    "replicate/ideogram-3": 1_010.0,
}
COSTS = dict(zip(NINE, (41_000, 40_000, 30_000, 34_000, 30_000, 40_000, 11_000, 20_000, 60_000), strict=True))
TIMES = dict(zip(NINE, (24_100, 19_600, 10_800, 17_200, 7_400, 11_300, 8_600, 6_900, 13_900), strict=True))
RARE = frozenset({"replicate/ideogram-3"})


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("leaderboard")
    services = make_services(folder / "data", clock=Clock(datetime.now(UTC)))
    nine = Field(NINE, rare=RARE, costs=COSTS, times=TIMES)
    add_votes(services, nine, Voting(1_200, days=40, categories=("own", "photo")))
    apart = (frozenset(list(FOUR)[:2]), frozenset(list(FOUR)[2:]))
    add_votes(services, Field(FOUR, apart=apart), Voting(200, board="edit-multi", seed=2))
    services.store.close()
    with served(folder) as one:
        yield one


def shown_names(page: Page) -> list[str]:
    return page.get_by_test_id("board").locator("tbody th b").all_inner_texts()


def has_no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


OVERLAPS = """(root) => {
  const boxes = [...root.querySelectorAll('.lb-label')].map((one) => one.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2;
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => meet(a, b))).length;
}"""


def test_a_visitor_reads_sorts_narrows_and_checks_the_board(page: Page, app: RunningApp) -> None:
    one = Visit(page, app)
    one.tab("Leaderboard")
    table = page.get_by_test_id("board")
    expect(table.locator("tbody tr")).to_have_count(9)
    expect(table.locator("tbody tr").last).to_contain_text("Provisional")
    assert shown_names(page)[-1] == "ideogram-3"
    assert has_no_sideways_scroll(page)

    table.get_by_role("button", name="Mean cost").click()
    expect(table.locator("th.lb-cost")).to_have_attribute("aria-sort", "ascending")
    assert shown_names(page)[0] == "GPT Image 1 mini"
    table.get_by_role("button", name="Mean cost").click()
    expect(table.locator("th.lb-cost")).to_have_attribute("aria-sort", "descending")
    assert shown_names(page)[0] == "ideogram-3"
    page.locator(".lb-menu summary", has_text="Columns").click()
    page.get_by_label("Places").check()
    expect(table.locator("th.lb-places")).to_be_visible()
    page.keyboard.press("Escape")

    for chart in ("chart-cost", "chart-time"):
        assert page.get_by_test_id(chart).locator(".lb-point").count() == 8
        assert page.get_by_test_id(chart).evaluate(OVERLAPS) == 0
        expect(page.get_by_test_id(chart)).to_contain_text("Not drawn: ideogram-3 (provisional).")
    assert page.get_by_test_id("chart-days").locator(".lb-line").count() == 9
    assert page.get_by_test_id("chart-matrix").locator("tbody tr").count() == 9
    expect(page.get_by_test_id("board-figures")).to_contain_text("1,200")
    expect(page.get_by_test_id("performance")).to_contain_text("GPT Image 2")

    proof = page.get_by_test_id("board-proof").locator("code").first
    expect(proof).to_have_attribute("title", page.request.get(app.url + "leaderboard.json").json()["votes_sha256"])
    page.get_by_role("button", name="Recompute").click()
    expect(page.get_by_test_id("board-notice").first).to_contain_text("every sum came out the same")

    page.get_by_label("Level").select_option("model")
    expect(table.locator("tbody tr")).to_have_count(8)
    page.get_by_label("Category").select_option("photo")
    expect(page.get_by_test_id("board-notice").first).to_contain_text("lean on other categories")
    expect(page).to_have_url(f"{app.url}#leaderboard/category=photo/level=model")
    page.reload()
    page.wait_for_selector("body.ready")
    expect(page.get_by_test_id("board").locator("tbody tr")).to_have_count(8)
    expect(page.get_by_label("Category")).to_have_value("photo")
    page.get_by_label("When").select_option("7")
    page.get_by_label("Votes by").select_option("me")
    expect(page).to_have_url(f"{app.url}#leaderboard/category=photo/level=model/voters=me/when=7")

    page.get_by_role("radio", name="Edit many").check(force=True)
    expect(page.get_by_test_id("board-empty")).to_contain_text("Nobody met another one here")
    page.get_by_role("button", name="Show models at providers").click()
    expect(page.get_by_test_id("board-notice").first).to_contain_text("2 groups that never met")
    page.get_by_role("radio", name="Edit one").check(force=True)
    expect(page.get_by_test_id("board-empty")).to_contain_text("No votes on edits of one image yet")
    one.open("#leaderboard/level=engine")
    expect(page.get_by_test_id("board-failed")).to_contain_text("Level 'engine' is unknown")
    page.get_by_role("button", name="Show all votes").click()
    assert (one.errors, one.foreign) == ([], [])


def test_on_a_phone_nothing_scrolls_sideways_and_filters_fold(page: Page, app: RunningApp) -> None:
    page.set_viewport_size(PHONE)
    one = Visit(page, app)
    one.tab("Leaderboard")
    expect(page.get_by_test_id("board").locator("tbody tr")).to_have_count(9)
    assert has_no_sideways_scroll(page)
    expect(page.locator("#lb-level")).to_be_hidden()
    page.locator(".lb-fold").click()
    expect(page.locator("#lb-level")).to_be_visible()
    assert has_no_sideways_scroll(page)
    rating = page.get_by_test_id("board").locator("tbody td.lb-rating").first.bounding_box()
    assert rating is not None
    assert rating["x"] + rating["width"] <= 390
    page.locator("#lb-ties").select_option("davidson")
    expect(page.get_by_test_id("board-meaning")).to_contain_text("Davidson's")
    for chart in ("chart-cost", "chart-time"):
        assert page.get_by_test_id(chart).evaluate(OVERLAPS) == 0
    small = page.locator("#tab-leaderboard :is(button, select, summary, a):visible").evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().height < 24).map((one) => one.outerHTML.slice(0, 120))"
    )
    assert small == []
    assert (one.errors, one.foreign) == ([], [])
