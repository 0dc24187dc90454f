"""What a person does, in a real browser on the real app: run, edit, reload in mid-run, meet an error, vote."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY
from tests.ui.browser import RunningApp
from tests.ui.makers import told_in
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def app(fake: FakeOpenAI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("journeys")
    one = RunningApp(folder / "data", folder / "log.txt", OPENAI_API_KEY=KEY, OPENAI_BASE_URL=fake.base_url)
    yield one
    assert one.stop() == 0
    log = one.log.read_text()
    assert "Traceback" not in log
    assert KEY not in log
    hidden = [path for path in (folder / "data").rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert hidden == []


@pytest.fixture
def visit(page: Page, app: RunningApp, fake: FakeOpenAI) -> Iterator[Visit]:
    fake.always(None)
    one = Visit(page, app)
    yield one
    kept = one.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    config = one.page.request.get(app.url + "config").text()
    assert one.foreign == []
    assert one.errors == []
    assert KEY not in "".join([kept, config, *one.bodies])


def test_a_page_opens_with_what_its_head_names_and_asks_again_when_one_comes_back(visit: Visit) -> None:
    visit.traffic.settle()
    loaded = visit.page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    named = re.findall(r'modulepreload"[^>]* href="\./(assets/[^"]+)"', visit.page.request.get(visit.app.url).text())
    entry = re.compile(r"assets/index-[\w-]+\.js")
    assets = [address for address in loaded if "/assets/" in address and not entry.search(address)]
    assert sorted(assets) == sorted(visit.app.url + name for name in named)
    assert len([address for address in loaded if "/queue/join" in address]) == 2
    with visit.traffic.answered():
        visit.tab("History")
        visit.tab("Playground")


COUNT_FRAMES = """
  const ask = window.requestAnimationFrame;
  window.asked = 0;
  window.requestAnimationFrame = (work) => { window.asked += 1; return ask.call(window, work); };
"""
IS_AT_REST = "() => { const before = window.before; window.before = window.asked; return before === window.asked; }"


def test_a_page_at_rest_asks_for_no_frames(visit: Visit) -> None:
    visit.page.add_init_script(COUNT_FRAMES)
    visit.open()
    # Not at each frame, as is the default: that would bring the frames which are not to be there.
    visit.page.wait_for_function(IS_AT_REST, polling=400)


def test_a_newcomer_types_runs_and_finds_the_image_again(visit: Visit) -> None:
    visit.choose("demo/painterly", "demo/flat", "demo/sketch")
    visit.prompt("A lighthouse on a headland at dusk")
    expect(visit.page.locator("#pg-run")).to_contain_text("Run 3 · free")
    visit.run()
    expect(visit.tiles("done")).to_have_count(3)
    expect(visit.newest()).to_contain_text("A lighthouse on a headland at dusk")
    source = visit.tiles("done").first.locator("img").get_attribute("src")
    assert source is not None
    assert visit.page.request.get(visit.app.url + source).ok
    visit.page.reload()
    visit.page.wait_for_selector("body.ready")
    expect(visit.tiles("done")).to_have_count(3)
    expect(visit.page.locator("#pg-prompt textarea")).to_have_value("A lighthouse on a headland at dusk")


def test_the_price_is_on_the_button_before_and_on_the_tile_after(visit: Visit, fake: FakeOpenAI) -> None:
    visit.choose("openai/gpt-image-2")
    visit.prompt("A red fox in the snow")
    expect(visit.page.locator("#pg-run")).to_contain_text("about $0.0059")
    visit.run()
    expect(visit.tiles("done")).to_have_count(1)
    expect(visit.tiles("done").first).to_contain_text("computed")
    assert fake.violations == []


def test_two_photos_are_edited_in_their_order(visit: Visit, fake: FakeOpenAI, tmp_path: Path) -> None:
    photos = []
    for name, colour in (("one.jpg", "red"), ("two.png", "blue")):
        Image.new("RGB", (320, 240), colour).save(tmp_path / name)
        photos.append(tmp_path / name)
    visit.choose("openai/gpt-image-2", "demo/flat")
    visit.prompt("Put image 1 beside image 2")
    visit.page.set_input_files("#pg-upload input[type=file]", photos)
    expect(visit.page.locator("#pg-refs")).to_contain_text("2 of 16")
    before = fake.posts
    visit.run()
    expect(visit.tiles("done")).to_have_count(2)
    assert fake.posts == before + 1
    parts = fake.calls[-1].parts("image[]")
    assert [part.content_type for part in parts] == ["image/jpeg", "image/png"]
    assert fake.violations == []


def test_a_reload_in_mid_run_loses_nothing(visit: Visit, fake: FakeOpenAI) -> None:
    released = threading.Event()
    fake.next(faults.Held(released))
    visit.choose("openai/gpt-image-2")
    visit.prompt("A fox that takes its time")
    before = fake.posts
    visit.run()
    expect(visit.tiles("running")).to_have_count(1)
    visit.page.reload()
    visit.page.wait_for_selector("body.ready")
    expect(visit.tiles("running")).to_have_count(1)
    released.set()
    expect(visit.tiles("done")).to_have_count(1)
    assert fake.posts == before + 1


def test_a_refusal_and_a_lost_answer_are_told_in_words(visit: Visit, fake: FakeOpenAI) -> None:
    visit.choose("openai/gpt-image-2", "demo/flat")
    fake.next(faults.MODERATION_BLOCKED)
    visit.prompt("Something the filter stops")
    visit.run()
    expect(visit.tiles("refused")).to_have_count(1)
    expect(visit.tiles("refused")).to_contain_text("OpenAI refused this prompt")
    expect(visit.tiles("done")).to_have_count(1)
    fake.next(faults.CutBody())
    visit.choose("openai/gpt-image-2")
    visit.prompt("Something that is lost on the way")
    visit.run()
    expect(visit.tiles("unknown")).to_have_count(1)
    expect(visit.tiles("unknown")).to_contain_text("may have billed")
    expect(visit.tiles("unknown")).to_contain_text("A new charge is possible")


def test_stop_ends_a_call_and_says_what_it_may_cost(visit: Visit, fake: FakeOpenAI) -> None:
    fake.next(faults.Hang())
    visit.choose("openai/gpt-image-2")
    visit.prompt("A fox that never comes")
    visit.run()
    expect(visit.tiles("running")).to_have_count(1)
    visit.page.click("#pg-stop")
    expect(visit.tiles("stopped")).to_have_count(1)
    expect(visit.tiles("stopped")).to_contain_text("may still bill")


def test_bad_input_is_told_beside_the_form_which_keeps_what_was_typed(
    visit: Visit, fake: FakeOpenAI, tmp_path: Path
) -> None:
    before = fake.posts
    visit.choose("openai/gpt-image-2")
    visit.prompt("   ")
    visit.page.click("#pg-run")
    expect(visit.page.locator("#pg-side")).to_contain_text("prompt is empty")
    text = tmp_path / "notes.png"
    text.write_text("this is no image")
    visit.page.set_input_files("#pg-upload input[type=file]", text)
    expect(visit.page.locator("#pg-side")).to_contain_text("notes.png")
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(60_000_000)
    visit.page.set_input_files("#pg-upload input[type=file]", large)
    expect(visit.page.locator("#pg-side")).to_contain_text("at most 50 MB can be sent")
    expect(visit.page.locator("#pg-prompt textarea")).to_have_value("   ")
    assert fake.posts == before


def test_what_people_type_is_text_everywhere_and_never_runs(visit: Visit) -> None:
    text = "${window.ran=1}{{value}}<img src=x onerror='window.ran=2'><script>window.ran=3</script> `\\` fox"
    visit.choose("demo/flat", "demo/sketch")
    visit.prompt(text)
    visit.run()
    expect(visit.tiles("done")).to_have_count(2)
    expect(visit.newest()).to_contain_text("${window.ran=1}")
    visit.newest().get_by_role("link", name="Vote blind").click()
    expect(visit.page.locator("#ar-board")).to_contain_text("onerror")
    visit.tab("History")
    visit.page.locator("#hi-search textarea, #hi-search input").first.fill("onerror fox")
    expect(visit.page.get_by_test_id("history-count")).to_contain_text("2")
    visit.page.locator("#hi-grid [data-testid^=tile]").first.click()
    expect(visit.page.get_by_test_id("details")).to_contain_text("<script>")
    assert visit.page.evaluate("window.ran") is None


def test_a_vote_is_blind_counts_once_and_moves_the_table(visit: Visit) -> None:
    visit.open("?__theme=dark")
    visit.choose("demo/painterly", "demo/sketch")
    visit.prompt("A quiet harbour, boats at night")
    visit.run()
    expect(visit.tiles("done")).to_have_count(2)
    visit.page.evaluate("window.isTheSamePage = true")
    visit.traffic.settle()
    visit.bodies.clear()
    with visit.traffic.answered():
        visit.newest().get_by_role("link", name="Vote blind").click()
    board = visit.page.locator("#ar-board")
    expect(board.get_by_role("button", name="A better")).to_be_enabled()
    expect(board).to_contain_text("A quiet harbour, boats at night")
    assert visit.page.evaluate("window.isTheSamePage"), "a link within the page does not load it anew"
    said = json.dumps(visit.bodies) + board.inner_html()
    assert "A quiet harbour" in said
    assert told_in(said, "A quiet harbour, boats at night") == []
    visit.page.keyboard.press("1")
    expect(board).to_contain_text("Your vote counted")
    expect(board).to_contain_text("Demo, ")
    visit.tab("Leaderboard")
    expect(visit.page.locator("#lb-board")).to_contain_text("1,002")
    expect(visit.page.locator("#lb-board")).to_contain_text("998")


def test_every_tab_keeps_to_the_content_policy(visit: Visit) -> None:
    said: list[str] = []
    visit.page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    visit.page.reload()
    visit.page.wait_for_selector("body.ready")
    names = [name.strip() for name in visit.page.get_by_role("tab").all_inner_texts()]
    for name in names:
        visit.tab(name)
        visit.page.get_by_role("tab", name=name, selected=True).wait_for()
        visit.traffic.settle()
    assert len(names) == 6
    assert [text for text in said if "Content Security Policy" in text] == []
