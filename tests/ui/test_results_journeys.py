"""The results in a real browser: previews that stay, what is sent for them, new runs that wait, and the filter by badges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.arena.world import add_run, make_services, picture
from tests.ui.browser import RunningApp, served
from tests.ui.recorder import Recorder
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("results")
    services = make_services(folder / "data")
    for number, checks in enumerate([("size_differs",), (), ("size_differs", "no_alpha")]):
        add_run(services, prompt=f"Kept fox {number}", data=picture(number=number), checks=checks)
    services.store.close()
    with served(folder) as one:
        yield one


def test_each_preview_and_the_image_come_once_by_their_address_and_stay_as_a_strip(page: Page, app: RunningApp) -> None:
    with Recorder(app.port) as door:
        page.goto(door.url)
        page.wait_for_selector("body.ready")
        page.wait_for_function("[...document.images].every((one) => one.complete)")
        door.take()
        asked: set[str] = set()
        page.on("request", lambda request: asked.add(urlsplit(request.url).path))
        page.fill("#pg-prompt textarea", "A lighthouse at dusk")
        page.click("#pg-run")
        newest = page.get_by_test_id("group").first
        expect(newest).to_contain_text("A lighthouse at dusk")
        expect(newest.locator("[data-state=done]")).to_have_count(2)
        expect(page.locator("#pg-stop")).to_be_disabled()
        newest.locator(".image-box").first.click()
        strip = page.get_by_test_id("filmstrip").locator("button")
        expect(strip).to_have_count(3)
        page.keyboard.press("ArrowUp")
        expect(strip.nth(1)).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_test_id("lightbox").locator(".lightbox-stage img")).to_have_attribute(
            "alt", re.compile("Preview 2")
        )
        page.wait_for_function("[...document.images].every((one) => one.complete)")
        told = door.take()
    images = {path for path in asked if path.startswith(("/media/", "/thumbs/"))}
    # Two images small, one of them large; its previews large while it was made, and small in the strip.
    assert len(images) >= 5
    sizes = [len(page.request.get(app.url + path[1:]).body()) for path in images]
    # Nothing comes twice, and no picture travels inside an event: all that was told of the two runs is short.
    assert len(told.pictures) == sum(sizes)
    assert b"base64" not in told.text
    assert b"lighthouse at dusk" in told.text
    assert len(told.text) < 200_000


def test_new_runs_wait_behind_a_button_when_that_is_wanted(visit: Visit) -> None:
    page = visit.page
    first = page.get_by_test_id("group").first
    before = first.get_attribute("data-group")
    page.locator("input[name=newest]").uncheck(force=True)
    page.mouse.move(1000, 500)
    page.mouse.wheel(0, 200)
    page.fill("#pg-prompt textarea", "A bowl of fruit")
    page.click("#pg-run")
    chip = page.get_by_test_id("new-runs")
    expect(chip).to_have_text("1 new")
    assert first.get_attribute("data-group") == before
    assert page.evaluate("document.activeElement.id") == "pg-run"
    chip.click()
    expect(first).to_contain_text("A bowl of fruit")
    expect(chip).to_have_count(0)
    assert page.evaluate("document.activeElement.dataset.group") == first.get_attribute("data-group")
    page.reload()
    page.wait_for_selector("body.ready")
    expect(page.locator("input[name=newest]")).not_to_be_checked()


def test_badges_are_counted_and_filter_the_results(visit: Visit) -> None:
    page = visit.page
    bar = page.get_by_test_id("badge-filter")
    expect(bar.get_by_role("button", name="Size differs 2")).to_be_visible()
    bar.get_by_role("button", name="No alpha 1").click()
    expect(page.get_by_test_id("tile")).to_have_count(1)
    expect(page.get_by_test_id("group")).to_contain_text("Kept fox 2")
    # The one image with it goes: what is left says so, and leads back.
    page.keyboard.press("j")
    page.keyboard.press("Delete")
    expect(page.get_by_test_id("no-badge")).to_contain_text("No image with “No alpha”")
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("tile")).to_have_count(1)
    bar.get_by_role("button", name="Show all").click()
    expect(page.get_by_test_id("group").filter(has_text="Kept fox 1")).to_be_visible()


ANSWERS_OUT_OF_ORDER = """() => {
  const element = document.createElement("div");
  element.innerHTML = "<div class='drawn templates'></div>";
  document.body.append(element);
  const asked = [], props = { value: null };
  let told;
  const trigger = (what, { turn }) => asked.push([what, turn]);
  diptych.mount("templates", { element, props, trigger, watch: (_, tell) => (told = tell) });
  const item = { id: "1", name: "Mine", prompt: "A fox", settings: "" };
  const answer = (turn, items) => {
    props.value = JSON.stringify({ items, most: 9, name_chars: 80, trouble: "", turn });
    told();
  };
  const press = (selector) => element.querySelector(selector).click();
  document.querySelector("#pg-prompt textarea").value = "A fox";
  press(".templates-open");
  answer("1", []);
  const field = element.querySelector(".template-save input");
  field.value = "Mine";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  press(".template-save button");
  answer("1", []);
  const before = field.value;
  answer("2", [item]);
  answer("1", []);
  return [asked, before, element.querySelector("li b")?.textContent, field.value];
}"""


def test_an_older_list_of_templates_that_comes_late_is_not_shown(visit: Visit) -> None:
    asked, before, shown, after = visit.page.evaluate(ANSWERS_OUT_OF_ORDER)
    assert asked == [["open", "1"], ["save", "2"], ["open", "3"]]
    assert (before, shown, after) == ("Mine", "Mine", ""), "saved is what the answer to it says"


def test_words_of_others_stay_text(visit: Visit) -> None:
    """A template's name, a tag and a file's name with markup; `visit` holds that no script failed or ran."""
    page = visit.page
    hostile = "<img src=x onerror=alert(1)> ${alert(1)} {{x}}"
    page.on("dialog", lambda dialog: visit.errors.append(dialog.message))
    page.fill("#pg-prompt textarea", hostile)
    page.get_by_role("button", name="Templates").click()
    page.get_by_label("Name of the new template").fill(hostile)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_test_id("templates").locator("li b")).to_have_text(hostile)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More", exact=True).first.click()
    page.get_by_role("menuitem", name="tags").click()
    page.get_by_label("New tags").fill("<img src=x onerror=alert(1)>${1}")
    page.keyboard.press("Enter")
    expect(page.locator(".tile-tags").first).to_have_text("#<img src=x onerror=alert(1)>${1}")
    page.keyboard.press("Escape")
    page.set_input_files(
        "#pg-upload input[type=file]", {"name": f"{hostile}.png", "mimeType": "image/png", "buffer": picture(number=9)}
    )
    expect(page.get_by_test_id("reference").locator("button")).to_have_attribute("title", re.compile("onerror"))
    assert page.locator("img[src=x]").count() == 0
