"""A visit to the running app in a real browser: what a person does, and what the page said and asked for meanwhile."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Error, Page, expect

from tests.ui.browser import PATIENCE_MS, RunningApp
from tests.ui.traffic import Traffic


class Visit:
    """A page with what it said and asked for."""

    def __init__(self, page: Page, app: RunningApp) -> None:
        self.page, self.app = page, app
        self.foreign: list[str] = []
        self.bodies: list[str] = []
        self.errors: list[str] = []
        self.typed = ""
        self.traffic = Traffic(page)
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", self._on_request)
        page.on("response", self._on_response)
        page.on("pageerror", self._on_error)
        self.open()

    def _on_request(self, request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.port != self.app.port:
            self.foreign.append(request.url)

    def _on_response(self, response) -> None:
        kind = response.headers.get("content-type", "")
        if "json" in kind or "html" in kind:
            try:
                self.bodies.append(response.text())
            except Error:
                # The body of a page that was left is gone.
                return

    def _on_error(self, error) -> None:
        self.errors.append(str(error))

    def open(self, where: str = "") -> None:
        self.page.goto(self.app.url + where)
        self.page.wait_for_selector("body.ready")

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def choose(self, *names: str) -> None:
        """Ticks exactly these offers."""
        offers = self.page.locator("#pg-offers")
        offers.locator("input[type=checkbox]").first.wait_for()
        everything = offers.get_by_role("button", name="All ")
        if everything.count():
            everything.click()
        # The list follows a key that was just typed a moment later.
        for name in names:
            offers.locator(f"input[value='{name}']:not([disabled])").wait_for(state="attached")
        for name in offers.locator("input:checked").evaluate_all("all => all.map(one => one.value)"):
            if name not in names:
                offers.locator(f"input[value='{name}']").uncheck(force=True)
        for name in names:
            offers.locator(f"input[value='{name}']").check(force=True)

    def prompt(self, text: str) -> None:
        self.typed = text
        self.page.fill("#pg-prompt textarea", text)

    def run(self) -> None:
        """Presses Run and waits for the group of what was typed."""
        self.page.click("#pg-run")
        expect(self.newest()).to_contain_text(self.typed, timeout=PATIENCE_MS)

    def newest(self):
        return self.page.locator("[data-testid=group]").first

    def tiles(self, state: str):
        return self.newest().locator(f"[data-testid=tile][data-state={state}]")
