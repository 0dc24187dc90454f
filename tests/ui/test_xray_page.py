"""X-ray in a real browser: opened, read, copied and closed, by mouse and by keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY
from tests.ui.browser import RunningApp, served
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser

HOSTILE = "A fox </script><img src=x onerror=\"document.title='owned'\"> `id` ${7*7} it's"
OPEN = "dialog.drawer[open]"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def app(fake: FakeOpenAI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with served(tmp_path_factory.mktemp("xray"), OPENAI_API_KEY=KEY, OPENAI_BASE_URL=fake.base_url) as one:
        yield one


def test_x_ray_shows_the_form_as_it_stands_and_its_code_can_be_copied(
    browser: Browser, app: RunningApp, fake: FakeOpenAI, tmp_path: Path
) -> None:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        permissions=["clipboard-read", "clipboard-write"],
        reduced_motion="reduce",
    )
    visit = Visit(context.new_page(), app)
    page = visit.page
    drawer = page.locator(OPEN)
    Image.new("RGB", (320, 240), "red").save(tmp_path / "holiday.png")
    visit.choose("openai/gpt-image-2", "demo/flat")
    visit.prompt(HOSTILE)
    page.set_input_files("#pg-upload input[type=file]", tmp_path / "holiday.png")
    expect(page.locator("#pg-refs")).to_contain_text("1 of 16")

    page.click("#pg-xray-open")
    assert page.evaluate("document.querySelector('dialog.drawer').getAnimations().length") == 0
    expect(drawer.get_by_role("tab", name="GPT Image 2 · OpenAI")).to_have_attribute("aria-selected", "true")
    expect(drawer.locator("[data-field=images]")).to_contain_text("image = 1 file")
    expect(drawer.locator("[data-testid=xray-cost]")).to_contain_text("All 2 runs together")
    expect(drawer.locator("[data-testid=xray-request]")).to_contain_text("Bearer $OPENAI_API_KEY")
    expect(drawer.locator("[data-testid=xray-request]")).to_contain_text(HOSTILE)
    assert page.title() != "owned"
    assert drawer.locator("img").count() == 0

    # Focus is in the drawer and stays there; arrow keys go through the offers and the languages.
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    drawer.get_by_role("tab", name="GPT Image 2 · OpenAI").focus()
    page.keyboard.press("ArrowRight")
    expect(drawer.get_by_role("tab", name="Demo, flat")).to_be_focused()
    expect(drawer.locator("[data-testid=xray-request]")).to_contain_text("http://demo.invalid/v1/images/edits")
    page.keyboard.press("ArrowLeft")

    drawer.get_by_role("tab", name="Python httpx").click()
    drawer.get_by_role("button", name="Copy the Python httpx code").click()
    expect(drawer.get_by_role("status")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == drawer.locator("[data-testid=xray-code]").text_content()
    assert json.dumps(HOSTILE) in copied
    with page.expect_download() as saved:
        drawer.get_by_role("link", name="image-1.png").click()
    assert saved.value.suggested_filename == "image-1.png"

    # Another look is taken when the form changes underneath.
    page.evaluate("document.querySelector('#pg-quality label:nth-of-type(2) input').click()")
    expect(drawer.locator("[data-field=quality]")).to_contain_text("quality = medium")

    page.keyboard.press("Escape")
    expect(page.locator(OPEN)).to_have_count(0)
    expect(page.locator("#pg-xray-open")).to_be_focused()
    assert KEY not in page.content()
    assert fake.calls == []

    # X opens it outside text fields only; a run's group has one too; the whole window on a phone.
    page.locator("#pg-prompt textarea").press("x")
    expect(page.locator(OPEN)).to_have_count(0)
    visit.choose("demo/flat")
    visit.prompt("A red fox")
    visit.run()
    expect(visit.tiles("done")).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 844})
    visit.newest().get_by_role("button", name="X-ray").click()
    expect(drawer).to_contain_text("What Again would send")
    expect(drawer.locator("[data-field=prompt]")).to_contain_text("prompt = A red fox")
    box = drawer.bounding_box()
    assert box is not None
    assert (round(box["x"]), round(box["width"]), round(box["height"])) == (0, 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    drawer.get_by_role("button", name="Close X-ray").click()
    expect(page.locator(OPEN)).to_have_count(0)
    page.locator("body").press("x")
    expect(drawer).to_contain_text("Exactly what Run will send")
    context.close()
    assert visit.foreign == []
    assert visit.errors == []
    assert KEY not in "".join(visit.bodies)
