"""Two browsers on one public server: nothing of the first is within reach of the second, its key goes to the provider alone.

Whatever the first browser asked of the server while its visitor used every tab, the second asks again, word for word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, expect

from tests.fakes.openai_server import FakeOpenAI
from tests.ui.browser import WIDE, RunningApp, served
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser

KEY = "sk-of-the-first-visitor-alone-4711"
PROMPT, DRAFT = "A zebra on a frozen lake at noon", "A draft that was never sent"
TABS = ("Playground", "Arena", "Leaderboard", "History", "Costs", "Settings")
PATIENCE_MS = 3_000
"""A stream of somebody else's stays open without a word; longer is not listened."""
_OWN_NAMES = re.compile(r"\b(?:01[0-9a-hjkmnp-tv-z]{24}|[0-9a-f]{64})\b")
"""Ids of runs, groups and battles, and hashes of images."""


@dataclass(frozen=True)
class Asked:
    """One request of the page."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (made := tmp_path_factory.mktemp("visitors") / "temporary").mkdir()
    return made.parent


@pytest.fixture(scope="module")
def app(folder: Path, fake: FakeOpenAI) -> Iterator[RunningApp]:
    given = {"DIPTYCH_MODE": "public", "OPENAI_BASE_URL": fake.base_url, "TMPDIR": str(folder / "temporary")}
    with served(folder, **given) as one:
        yield one
    assert fake.violations == []


class Recorded(Visit):
    """A visit in a browser of its own that notes what it asks and hears, streams included."""

    def __init__(self, browser: Browser, app: RunningApp) -> None:
        self.context: BrowserContext = browser.new_context(viewport=WIDE, accept_downloads=True)
        self.asked: list[Asked] = []
        page = self.context.new_page()
        page.on("request", self._note)
        page.on("requestfinished", self._hear)
        super().__init__(page, app)

    def _note(self, request: Any) -> None:
        if request.url.startswith("http"):
            headers = {name: text for name, text in request.headers.items() if name not in ("cookie", "referer")}
            self.asked.append(Asked(request.method, request.url, headers, request.post_data_buffer))

    def _hear(self, request: Any) -> None:
        if "/queue/data" in request.url:
            try:
                self.bodies.append(request.response().text())
            except Error:
                return  # the page was left meanwhile

    def kept(self) -> str:
        """All that this browser keeps."""
        return str(
            self.page.evaluate(
                "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
            )
        )


@pytest.fixture(scope="module")
def first(browser: Browser, app: RunningApp, fake: FakeOpenAI, folder: Path) -> Iterator[Recorded]:
    """A visitor with a key, a paid edit, a free pair and a vote on it, exports, a draft, and a look at every tab."""
    one = Recorded(browser, app)
    page = one.page
    one.tab("Settings")
    page.fill("#st-key-openai", KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("key-openai")).to_contain_text("Yours for this session")
    one.tab("Playground")
    one.choose("demo/flat", "demo/sketch")
    one.prompt(f"{PROMPT}, drawn")
    one.run()
    expect(one.tiles("done")).to_have_count(2)
    one.newest().get_by_role("link", name="Vote blind").click()
    board = page.locator("#ar-board")
    board.get_by_role("button", name="A better").click()
    expect(board).to_contain_text("Your vote counted")
    one.tab("Playground")
    one.choose("openai/gpt-image-2")
    Image.new("RGB", (320, 240), "teal").save(folder / "photo.png")
    page.set_input_files("#pg-upload input[type=file]", folder / "photo.png")
    expect(page.locator("#pg-refs")).to_contain_text("1 of 16")
    one.prompt(PROMPT)
    one.run()
    expect(one.tiles("done")).to_have_count(1)
    one.prompt(DRAFT)
    for tab in ("Leaderboard", "Costs", "Settings", "History"):
        one.tab(tab)
        one.traffic.settle()
    page.locator(".hi-tile").first.click()
    expect(page.get_by_test_id("details")).to_contain_text("Queued")
    page.wait_for_timeout(500)
    assert fake.posts == 1
    yield one
    assert one.errors == []
    assert one.foreign == []
    one.context.close()


@pytest.fixture(scope="module")
def second(browser: Browser, app: RunningApp, first: Recorded) -> Iterator[Recorded]:
    one = Recorded(browser, app)
    yield one
    assert one.errors == []
    one.context.close()


def names_of(one: Recorded) -> set[str]:
    """Ids and hashes of what is theirs, from all that the server told them but its own assets."""
    return set(_OWN_NAMES.findall("".join(one.bodies)))


def test_the_second_visitor_sees_nothing_of_the_first_on_any_tab(first: Recorded, second: Recorded) -> None:
    for tab in TABS:
        second.tab(tab)
        second.traffic.settle()
    heard = "".join(second.bodies)
    assert PROMPT in "".join(first.bodies)
    assert [words for words in (PROMPT, DRAFT, KEY) if words in heard + second.page.content() + second.kept()] == []
    expect(second.page.get_by_test_id("key-openai")).not_to_contain_text("Yours")


@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_what_the_first_browser_asked_gives_the_second_nothing(
    first: Recorded, second: Recorded, fake: FakeOpenAI, app: RunningApp, origin: str | None
) -> None:
    before, calls = pictures_of(first), fake.posts
    sent = "".join((one.body or b"").decode(errors="replace") for one in first.asked)
    # What the second says itself it may hear again.
    secrets = {PROMPT, DRAFT, KEY, *(names_of(first) - names_of(second) - set(_OWN_NAMES.findall(sent)))}
    assert len(secrets) >= 8
    leaks = []
    for one in first.asked:
        said = again(second.context, one, origin)
        leaks += [f"{one.method} {one.url}: {name}" for name in secrets if name in said and name not in one.url]
    assert leaks == []
    assert fake.posts == calls
    assert pictures_of(first) == before


def again(context: BrowserContext, one: Asked, origin: str | None) -> str:
    """What the server says to the same request. Its prompts are others, as the second may make the same pictures itself."""
    headers = {**one.headers, **({"origin": origin} if origin else {})}
    body = one.body and one.body.replace(PROMPT.encode(), b"Another prompt").replace(DRAFT.encode(), b"Another draft")
    try:
        answer = context.request.fetch(
            one.url, method=one.method, headers=headers, data=body, timeout=PATIENCE_MS, max_redirects=0
        )
        return answer.text()
    except (Error, UnicodeDecodeError) as error:
        return str(error) if "Timeout" not in str(error) else ""


def pictures_of(one: Recorded) -> Sequence[str]:
    """The pictures that the visitor finds in History."""
    one.tab("History")
    one.traffic.settle()
    return sorted(one.page.locator(".hi-tile img").evaluate_all("all => all.map(one => `${one.alt} ${one.src}`)"))


def test_the_key_is_nowhere_but_in_the_request_to_the_provider(
    first: Recorded, app: RunningApp, fake: FakeOpenAI, folder: Path
) -> None:
    assert any(f"Bearer {KEY}" in call.headers.get("authorization", "") for call in fake.calls)
    holding = [path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert holding == []
    public = [first.context.request.get(app.url + path).text() for path in ("config", "gradio_api/info")]
    assert KEY not in "".join([*first.bodies, *public, first.kept(), app.log.read_text()])
    typed = [one for one in first.asked if KEY.encode() in (one.body or b"")]
    assert [one.url.removeprefix(app.url) for one in typed] == ["keys/openai"]
