"""Settings in a real browser: a key that is used and found nowhere, a private session, and everything deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.openai_server import FakeOpenAI
from tests.ui.browser import RunningApp
from tests.ui.caller import Caller
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser

KEY = "key-without-a-known-shape-4711"
WRONG_KEY = "another-key-that-nobody-knows-0815"
SECRET_PROMPT = "A zebra nobody shall hear of"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings")


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[RunningApp]:
    (folder / "tmp").mkdir()
    with FakeOpenAI(key=KEY) as fake:
        one = RunningApp(
            folder / "data",
            folder / "log.txt",
            DIPTYCH_MODE="public",
            OPENAI_BASE_URL=fake.base_url,
            TMPDIR=str(folder / "tmp"),
        )
        yield one
        assert one.stop() == 0
        # One test comes with a wrong key.
        assert [one for one in fake.violations if "Incorrect API key" not in one] == []
    assert "Traceback" not in one.log.read_text()
    assert found_in(folder, KEY) == []


def found_in(folder: Path, words: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


def kept(visit: Visit) -> str:
    return visit.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )


def test_a_typed_key_stands_nowhere_and_everything_can_be_deleted(page: Page, app: RunningApp, folder: Path) -> None:
    visit = Visit(page, app)
    visit.open("#settings")
    page.get_by_test_id("st-key-openai").fill(KEY)
    page.get_by_test_id("key-openai").get_by_role("button", name="Save").click()
    expect(page.get_by_test_id("key-openai")).to_contain_text("Ready")
    visit.tab("Playground")
    visit.choose("openai/gpt-image-2")
    visit.prompt("A red fox in the snow")
    visit.run()
    expect(visit.tiles("done")).to_have_count(1)
    told = [
        page.request.get(app.url + path).text()
        for path in ("config", "gradio_api/info", "gradio_api/openapi.json", "keys")
    ]
    assert KEY not in "".join([kept(visit), *visit.bodies, *told])
    assert found_in(folder, KEY) == []
    visit.tab("Settings")
    page.select_option("#st-quality", "medium")
    expect(page.locator("#st-defaults")).to_contain_text("Kept.")
    page.click("#st-erase")
    page.fill("#st-erase-words", "delete everything")
    page.get_by_role("button", name="Delete for ever").click()
    expect(page.locator("#st-privacy")).to_contain_text("Deleted: 1 run and 1 image.")
    expect(page.locator("#st-privacy .cards")).to_contain_text("0 bytes")
    page.reload()
    page.wait_for_selector("body.ready")
    expect(page.get_by_test_id("key-openai")).to_contain_text("No key")
    visit.tab("Playground")
    expect(page.locator("[data-testid=group]")).to_have_count(0)
    assert (visit.errors, visit.foreign) == ([], [])


AN_OLDER_ANSWER_LATE = """() => {
  const element = document.createElement("div");
  element.innerHTML = "<div class='drawn defaults'></div>";
  document.body.append(element);
  const props = { value: null }, asked = [];
  let told;
  const trigger = (what, { changed }) => asked.push([what, changed]);
  diptych.mount("defaults", { element, props, trigger, watch: (_, tell) => (told = tell) });
  const choices = [["low", "Low"], ["medium", "Medium"], ["high", "High"]];
  const answer = (value, second, is_saved) => {
    const fields = [{ name: "of-test", label: "Quality", value, choices }];
    props.value = JSON.stringify({ fields, is_saved, as_of: `2026-01-01T00:00:0${second}.000Z` });
    told();
  };
  const select = () => element.querySelector("select");
  const seen = () => [select().value, element.querySelector(".st-kept").textContent];
  answer("low", 1, false);
  select().value = "medium";
  select().dispatchEvent(new Event("change", { bubbles: true }));
  answer("medium", 3, true);
  answer("low", 2, false);
  const late = [...seen(), JSON.parse(props.value).as_of.slice(-6)];
  answer("high", 4, false);
  const next = seen();
  element.remove();
  return [asked, late, next];
}"""


def test_what_somebody_chose_stays_shown_when_an_older_answer_comes_late(page: Page, app: RunningApp) -> None:
    visit = Visit(page, app)
    visit.open("#settings")
    asked, late, after = page.evaluate(AN_OLDER_ANSWER_LATE)
    assert asked == [["prefer", {"of-test": "medium"}]]
    assert (late, after) == (["medium", "Kept.", "3.000Z"], ["high", ""]), "what a later event hands to the server, too"


def test_changes_in_quick_succession_are_all_kept(page: Page, app: RunningApp) -> None:
    visit = Visit(page, app)
    visit.open("#settings")
    chosen = {"quality": "medium", "size": "1536x1024", "output_format": "webp", "n": "3", "timeout_s": "600"}
    for name, value in chosen.items():
        page.select_option(f"#st-{name}", value)
    expect(page.locator("#st-defaults")).to_contain_text("Kept.")
    for name, value in chosen.items():
        expect(page.locator(f"#st-{name}")).to_have_value(value)
    page.reload()
    page.wait_for_selector("body.ready")
    for name, value in chosen.items():
        expect(page.locator(f"#st-{name}")).to_have_value(value)
    assert visit.errors == []


def test_a_key_in_a_header_stands_nowhere_be_it_right_or_wrong(app: RunningApp, folder: Path) -> None:
    asked = {"offers": ["openai/gpt-image-2"], "prompt": "A red fox", "size": "1024x1024", "quality": "low"}
    for key, state in ((KEY, "succeeded"), (WRONG_KEY, "failed")):
        caller = Caller(app.url, "h" * 43)
        caller.http.headers["X-Diptych-Key-openai"] = key
        assert caller("generate", asked, 60)["runs"][0]["state"] == state
        caller("models")
        caller.http.close()
        assert key not in caller.said
        assert found_in(folder, key) == []


def test_a_private_session_leaves_nothing_on_disk_or_in_the_browser(page: Page, app: RunningApp, folder: Path) -> None:
    visit = Visit(page, app)
    visit.open("#settings")
    page.click("#st-private")
    expect(page.locator("#d-strip .private")).to_contain_text("Private")
    visit.tab("Playground")
    visit.choose("demo/flat")
    visit.prompt(SECRET_PROMPT)
    visit.run()
    expect(visit.tiles("done")).to_have_count(1)
    source = visit.tiles("done").first.locator("img").get_attribute("src")
    assert page.request.get(f"{app.url}{source}").headers["cache-control"] == "no-store"
    assert SECRET_PROMPT not in kept(visit)
    assert found_in(folder / "data", SECRET_PROMPT) == []
    visit.tab("Settings")
    page.click("#st-private")
    expect(page.locator("#st-private")).to_have_text("Begin")
    expect(page.locator("#d-strip .private")).to_have_count(0)
    visit.tab("Playground")
    expect(page.locator("[data-testid=group]")).to_have_count(0)
    assert found_in(folder, SECRET_PROMPT) == []
    assert visit.errors == []
