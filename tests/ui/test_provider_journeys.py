"""Several providers at once in a real browser: tick, run, test a key, use a model that a server lists, make a GIF."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.compatible_server import FakeCompatible
from tests.fakes.fal_server import FakeFal
from tests.fakes.runware_server import FakeRunware
from tests.ui.browser import PHONE, RunningApp
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runware() -> Iterator[FakeRunware]:
    with FakeRunware(polls=1) as server:
        yield server


@pytest.fixture(scope="module")
def fal() -> Iterator[FakeFal]:
    with FakeFal(polls=1) as server:
        yield server


@pytest.fixture(scope="module")
def app(runware: FakeRunware, fal: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("providers")
    with FakeCompatible(models=("sd-xl", "stabilityai/sdxl-turbo")) as own:
        given = {"RUNWARE_BASE_URL": runware.base_url, "RUNWARE_API_KEY": runware.key}
        given |= {"FAL_BASE_URL": fal.base_url, "DIPTYCH_SERVERS": f"sd={own.base_url}"}
        given |= dict.fromkeys(
            ("OPENAI_API_KEY", "LUMENFALL_API_KEY", "REPLICATE_API_TOKEN"), "so-that-a-filter-is-needed"
        )
        one = RunningApp(folder / "data", folder / "log.txt", **given)
        yield one
        assert one.stop() == 0
        assert own.violations == []
    log = one.log.read_text()
    assert "Traceback" not in log
    assert runware.key not in log
    assert fal.key not in log


@pytest.fixture
def visit(page: Page, app: RunningApp, runware: FakeRunware, fal: FakeFal) -> Iterator[Visit]:
    page.set_viewport_size(PHONE)
    one = Visit(page, app)
    yield one
    kept = one.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    assert one.foreign == []
    assert one.errors == []
    for key in (runware.key, fal.key):
        assert key not in "".join([kept, *one.bodies])


def test_a_key_is_typed_and_tested_and_two_providers_run_side_by_side(
    visit: Visit, runware: FakeRunware, fal: FakeFal
) -> None:
    page = visit.page
    page.locator("#pg-offers").get_by_role("link", name="Add a key for fal").click()
    expect(page.locator("#st-key-fal")).to_be_focused()
    page.keyboard.type(fal.key)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("key-fal")).to_contain_text("Yours for this session")
    row = page.get_by_test_id("key-runware")
    row.get_by_role("button", name="Test").click()
    expect(row).to_contain_text("The key is good. Balance: $12.34.")
    visit.tab("Playground")
    visit.choose("runware/gpt-image-2", "fal/gpt-image-2")
    visit.prompt("A lighthouse on a headland at dusk")
    expect(page.locator("#pg-run")).to_contain_text("Run 2 · about $0.01")
    visit.run()
    expect(visit.tiles("done")).to_have_count(2)
    for provider in ("Runware", "fal"):
        expect(visit.tiles("done").filter(has_text=provider)).to_have_count(1)
    assert (runware.creates, fal.creates) == (1, 1)
    assert runware.violations + fal.violations == []


def test_a_model_that_a_server_lists_is_used_and_its_image_saved_as_gif(visit: Visit) -> None:
    page = visit.page
    visit.tab("Settings")
    page.get_by_role("button", name="Test sd").click()
    page.get_by_role("link", name="Use this model: stabilityai/sdxl-turbo").click()
    ticked = page.locator("#pg-offers input:checked")
    expect(page.locator("input[value='sd/stabilityai/sdxl-turbo']")).to_be_checked()
    visit.choose("sd/stabilityai/sdxl-turbo", "demo/flat")
    expect(ticked).to_have_count(2)
    visit.prompt("A red fox")
    page.locator("#pg-more button").first.click()
    page.locator("#pg-format").get_by_role("radio", name="GIF").check()
    line = page.get_by_test_id("notices")
    expect(line).to_contain_text("Not sent as asked")
    line.locator("summary").click()
    expect(line).to_contain_text("sd decides")
    visit.run()
    expect(visit.tiles("done")).to_have_count(2)
    link = visit.tiles("done").get_by_role("link", name="Download GIF").first
    saved = page.request.get(visit.app.url + (link.get_attribute("href") or ""))
    assert saved.headers["content-type"] == "image/gif"
    assert saved.body()[:4] == b"GIF8"


def test_ticking_by_keyboard_moves_nothing(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("button", name="All ").click()
    offer = page.locator("#pg-offers input[value='runware/gpt-image-2']")
    offer.scroll_into_view_if_needed()
    before = offer.bounding_box()
    offer.focus()
    with visit.traffic.answered():
        page.keyboard.press("Space")
    expect(offer).to_be_checked()
    expect(offer).to_be_focused()
    assert offer.bounding_box() == before
    page.fill("#pg-filter", "nothing like it")
    expect(offer).to_be_visible()
    expect(page.locator("#pg-offers input[value='runware/gpt-image-2.5-sunburst']")).to_have_count(0)
