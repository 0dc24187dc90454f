"""What hosts need: a sign of life, and a page that bears the path of a proxy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.settings import Settings
from tests.harness import Harness
from ui import guard, launch, routes


def test_a_sign_of_life_follows_the_store_and_tells_nothing_else(harness: Callable[..., Harness]) -> None:
    one = harness()
    client = TestClient(Starlette(routes=routes.routes(one.app)))
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (200, {"ok": True})
    one.services.store.close()
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (503, {"ok": False})


def test_assets_and_cookie_are_found_below_a_proxys_path() -> None:
    settings = replace(Settings(), mode="public", root_path="/diptych")
    home = Route("/", lambda _: PlainTextResponse("here"))
    inside = Starlette(routes=[launch.assets_route(), home], middleware=guard.middleware(settings))
    # The proxy takes the path off; the server knows it all the same.
    client = TestClient(inside, root_path="/diptych")
    assert client.get(f"/dp/{launch.assets_hash()}/frame.js").status_code == 200
    assert client.get(f"/dp/{launch.assets_hash()}/..%2fapp.py").status_code == 404
    assert "Path=/diptych/;" in client.get("/").headers["set-cookie"]
