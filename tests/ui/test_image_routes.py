"""The picker's pages of own images: newest first, each once, nobody else's, and none of a battle that is still blind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.settings import Settings
from tests.arena.world import add_run
from tests.harness import Harness
from ui import guard, image_routes, routes

Page = Callable[[str], dict[str, Any]]


@pytest.fixture
def one(harness: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch) -> Harness:
    monkeypatch.setattr(image_routes, "PAGE", 2)
    return harness(settings=replace(Settings(), mode="public"), key=None)


def visitor(one: Harness) -> tuple[TestClient, str]:
    """A page and its owner's id."""
    app = Starlette(routes=routes.routes(one.app), middleware=guard.middleware(one.settings))
    page = TestClient(app, base_url="http://127.0.0.1")
    page.get("/")
    asked = type("Request", (), {"headers": {}, "cookies": dict(page.cookies)})()
    return page, guard.owner_of(one.settings, asked)


def test_pages_go_back_in_time_and_hold_the_visitors_images_only(one: Harness) -> None:
    (mine, me), (hers, her) = visitor(one), visitor(one)
    for prompt in ("first fox", "second owl", "third fox"):
        add_run(one.services, owner=me, prompt=prompt)
    add_run(one.services, owner=her, prompt="her fox")
    newest = mine.get("/images.json").json()
    assert [image["alt"] for image in newest["images"]] == ["third fox", "second owl"]
    older = mine.get("/images.json", params={"before": newest["next"]}).json()
    assert [image["alt"] for image in older["images"]] == ["first fox"]
    assert older["next"] is None
    found = mine.get("/images.json", params={"search": "fox"}).json()["images"]
    assert [image["alt"] for image in found] == ["third fox", "first fox"]
    assert [image["alt"] for image in hers.get("/images.json").json()["images"]] == ["her fox"]


def test_a_page_that_is_not_there_and_a_visitor_without_a_cookie(one: Harness) -> None:
    page, me = visitor(one)
    add_run(one.services, owner=me)
    assert page.get("/images.json", params={"before": "nonsense"}).status_code == 400
    page.cookies.clear()
    assert page.get("/images.json", headers={"Cookie": ""}).json()["images"] == []
