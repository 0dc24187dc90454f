"""The Playground from end to end as a visitor of a public page: compare and remix, a locked edit, a sweep, two at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from urllib.parse import urljoin

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.ui.browser import WIDE, RunningApp, served
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with served(tmp_path_factory.mktemp("playground"), DIPTYCH_MODE="public") as one:
        yield one


def reload(visit: Visit) -> None:
    visit.page.reload()
    visit.page.wait_for_selector("body.ready")


def test_three_offers_are_watched_two_compared_and_one_remixed(visit: Visit) -> None:
    page = visit.page
    visit.choose("demo/painterly", "demo/flat", "demo/sketch")
    page.locator("#pg-quality").get_by_role("radio", name="High").check(force=True)
    visit.prompt("A heron")
    visit.run()
    expect(visit.newest().get_by_test_id("tile")).to_have_count(3)
    reload(visit)
    expect(visit.tiles("done")).to_have_count(3)
    for box in visit.newest().locator("[data-pick]").all()[:2]:
        box.check(force=True)
    page.get_by_test_id("compare-bar").get_by_role("button", name="Difference").click()
    drawer = page.get_by_test_id("compare")
    expect(drawer.locator(".heat-words")).to_contain_text("of the pixels differ visibly")
    drawer.get_by_role("button", name="Settings").click()
    expect(drawer.locator("tr.differs").first).to_contain_text("Demo, painterlyDemo, flat")
    page.keyboard.press("Escape")
    # What stands in the form by then is another thing.
    page.locator("#pg-quality").get_by_role("radio", name="Low").check(force=True)
    visit.choose("demo/flat")
    visit.prompt("An owl")
    visit.tiles("done").filter(has_text="sketch").get_by_role("button", name=re.compile("Remix")).click()
    expect(page.locator("#pg-prompt textarea")).to_have_value("A heron")
    expect(page.locator("#pg-offers input:checked")).to_have_count(1)
    expect(page.locator("#pg-offers input[value='demo/sketch']")).to_be_checked()
    expect(page.locator("#pg-quality").get_by_role("radio", name="High")).to_be_checked()


def photo(number: int) -> Image.Image:
    """Fine stripes, which no model repeats at another size."""
    rows = Image.linear_gradient("L").resize((96, 64)).point([(value * (7 + number)) % 256 for value in range(256)])
    return Image.merge("RGB", (rows, rows.rotate(180), rows))


def mask() -> Image.Image:
    """Its middle is clear."""
    made = Image.new("RGBA", (96, 64), "black")
    made.paste((0, 0, 0, 0), (32, 16, 64, 48))
    return made


def file(name: str, image: Image.Image) -> dict[str, object]:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": buffer.getvalue()}


def test_an_edit_stays_in_its_mask_says_how_far_the_model_went_and_is_built_on(visit: Visit) -> None:
    page = visit.page
    photos = [file("one.png", photo(1)), file("two.png", photo(2))]
    visit.choose("demo/flat")
    visit.prompt("A kite from image 2 in image 1")
    page.set_input_files("#pg-upload input[type=file]", photos)
    references = page.get_by_test_id("reference")
    expect(references).to_have_count(2)
    page.set_input_files("#pg-mask-upload input[type=file]", file("mask.png", mask()))
    expect(page.get_by_test_id("mask")).to_contain_text("Keep everything else exactly as it is")
    reload(visit)
    expect(references).to_have_count(2)
    expect(page.get_by_test_id("mask").locator("input[name=lock]")).to_be_checked()
    visit.run()
    lock = visit.newest().get_by_test_id("lock")
    expect(lock).to_contain_text("Outside the mask")
    tile = visit.tiles("done")
    locked = tile.get_attribute("data-original")
    lock.get_by_role("button", name="Show it as it came").click()
    expect(tile).not_to_have_attribute("data-original", locked or "")
    lock.get_by_role("button", name="Show the locked image").click()
    kept = Image.open(BytesIO(page.request.get(urljoin(visit.app.url, locked)).body())).convert("RGB")
    # Far from the mask's edge what was there is there, to the bit.
    corner = (0, 0, kept.width // 8, kept.height // 8)
    assert kept.crop(corner).tobytes() == photo(1).resize(kept.size).crop(corner).tobytes()
    with visit.traffic.answered():
        tile.get_by_role("button", name="Use as base").click()
    expect(references.first).to_have_attribute("data-sha", re.search("[0-9a-f]{64}", locked or "")[0])


def test_of_a_sweep_the_holes_alone_run_again(visit: Visit) -> None:
    page = visit.page
    visit.choose("demo/flat")
    visit.prompt("A red fox, at dusk")
    page.locator("#pg-sweep-fold button").first.click()
    for axis, vary, typed in (
        ("x", "prompt", "A fox\nA red fox\nA heron"),
        ("y", "replace_text", "fox\nowl\n[fail] hare"),
    ):
        page.locator(f"#pg-sweep [data-axis={axis}_vary]").select_option(vary)
        page.locator(f"#pg-sweep [data-axis={axis}_values]").fill(typed)
    start = page.locator("#pg-sweep [data-start]")
    expect(start).to_have_text("Add 7 runs · free")
    start.click()
    grid = page.get_by_test_id("grid")
    holes = grid.get_by_role("button", name="Run 2 holes again · free")
    expect(holes).to_be_visible()
    expect(visit.tiles("done")).to_have_count(7)
    assert grid.locator("td [data-state=failed]").count() == 2
    made = made_by(visit)
    reload(visit)
    expect(visit.tiles("failed")).to_have_count(2)
    with visit.traffic.answered():
        holes.click()
    expect(holes).to_be_visible()
    again = made_by(visit)
    assert len(again) == len(made)
    assert len(again - made) == 2
    # What had come stays as it was.
    assert {run for run, state in again & made} == {run for run, state in made if state == "done"}


def made_by(visit: Visit) -> set[tuple[str, str]]:
    """Each run that the grid shows, and how it ended."""
    tiles = visit.newest().locator("[data-testid=grid] [data-testid=tile]")
    return {tuple(one) for one in tiles.evaluate_all("all => all.map(one => [one.dataset.run, one.dataset.state])")}


def test_two_visitors_neither_see_nor_stop_each_others_running_run(visit: Visit, browser: Browser) -> None:
    visit.choose("demo/flat")
    visit.prompt("An owl [slow]")
    visit.run()
    expect(visit.tiles("running")).to_have_count(1)
    foreign = visit.tiles("running").get_attribute("data-run")
    two = Visit(browser.new_context(viewport=WIDE).new_page(), visit.app)
    expect(two.page.get_by_test_id("empty")).to_be_visible()
    expect(two.page.locator("#pg-stop")).to_be_disabled()
    two.choose("demo/sketch")
    two.prompt("A whale [slow]")
    two.run()
    expect(two.page.get_by_test_id("group")).to_have_count(1)
    stop = two.tiles("running").get_by_role("button", name="Stop")
    stop.evaluate("(button, run) => { button.dataset.run = run; }", foreign)
    stop.click()
    expect(two.page.locator(".toast-body")).to_contain_text("ended already")
    expect(two.tiles("running")).to_have_count(1)
    two.page.locator("#pg-stop").click()
    expect(two.tiles("stopped")).to_have_count(1)
    expect(visit.tiles("running")).to_have_count(1)
    assert "An owl" not in "".join(two.bodies)
    assert two.errors == []
    two.page.context.close()
    visit.page.locator("#pg-stop").click()
    expect(visit.tiles("stopped")).to_have_count(1)


def test_a_full_disk_is_told_on_every_tab_and_what_came_is_offered_and_saved_later(
    visit: Visit, app: RunningApp
) -> None:
    page = visit.page
    visit.choose("demo/flat")
    visit.prompt("[slow] A lantern")
    visit.run()
    expect(visit.newest().get_by_test_id("tile")).to_have_attribute("data-state", "running")
    app.fill_disk(is_full=True)
    try:
        banner = page.locator("#trouble-playground").get_by_test_id("trouble")
        expect(banner).to_contain_text("kept in memory")
        with page.expect_download() as download:
            banner.get_by_role("link", name="Download 1 image").click()
        data = download.value.path().read_bytes()
        assert data.startswith(b"\x89PNG")
        page.get_by_role("tab", name="History").click()
        expect(page.locator("#trouble-history").get_by_test_id("trouble")).to_be_visible()
        page.get_by_role("tab", name="Playground").click()
    finally:
        app.fill_disk(is_full=False)
    expect(visit.tiles("done")).to_have_count(1)
    expect(banner).to_have_count(0)
    address = urljoin(app.url, visit.tiles("done").get_attribute("data-original") or "")
    assert page.request.get(address).body() == data
