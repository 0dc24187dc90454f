"""Who is let in: host names, other sites, Gradio's own doors, and visitors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.settings import Settings
from ui import guard

LOCAL = Settings()
PUBLIC = replace(LOCAL, mode="public", host="0.0.0.0")


def client(settings: Settings, **options: Any) -> TestClient:
    async def echo(request: Request) -> JSONResponse:
        return JSONResponse({"headers": sorted(request.headers), "owner": _owner(settings, request)})

    paths = ["/", "/gradio_api/{rest:path}", "/x"]
    app = Starlette(
        routes=[Route(path, echo, methods=["GET", "POST"]) for path in paths], middleware=guard.middleware(settings)
    )
    return TestClient(app, base_url=options.pop("base_url", "http://127.0.0.1:7860"), **options)


def _owner(settings: Settings, request: Request) -> str:
    try:
        return guard.owner_of(settings, request)
    except guard.UnknownVisitor:
        return "nobody"


@pytest.mark.parametrize(
    ("settings", "host", "known"),
    [
        (LOCAL, "127.0.0.1:7860", True),
        (LOCAL, "localhost", True),
        (LOCAL, "[::1]:7860", True),
        (LOCAL, "evil.example", False),
        (LOCAL, "192.168.1.5", False),
        (LOCAL, "", False),
        (replace(LOCAL, host="0.0.0.0"), "192.168.1.5:7860", True),
        (replace(LOCAL, host="0.0.0.0"), "rebound.example", False),
        (replace(LOCAL, allowed_hosts=("studio.example",)), "studio.example", True),
        (PUBLIC, "anything.example", True),
        (replace(PUBLIC, allowed_hosts=("a.hf.space",)), "a.hf.space", True),
        (replace(PUBLIC, allowed_hosts=("a.hf.space",)), "evil.example", False),
    ],
)
def test_only_known_host_names_are_answered(settings: Settings, host: str, known: bool) -> None:
    assert guard.is_known_host(host, settings) is known
    assert client(settings).get("/x", headers={"host": host}).status_code == (200 if known else 421)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_posts_of_other_sites_are_refused(site: str) -> None:
    page = client(LOCAL)
    assert page.post("/x", headers={"sec-fetch-site": site}).status_code == 403
    assert page.post("/x", headers={"sec-fetch-site": "same-origin"}).status_code == 200
    assert page.get("/x", headers={"sec-fetch-site": site}).status_code == 200


@pytest.mark.parametrize("path", ["file=http://x.invalid", "deep_link", "run-history", "FILE=HTTP://x", "proxy=x"])
def test_gradios_own_doors_stay_closed(path: str) -> None:
    assert client(LOCAL).get(f"/gradio_api/{path}").status_code == 404


def test_a_file_request_loses_its_cookies_and_every_answer_has_its_headers() -> None:
    answer = client(LOCAL).get("/gradio_api/file=x", headers={"cookie": "a=b", "authorization": "Bearer x"})
    assert not {"cookie", "authorization"} & set(answer.json()["headers"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


def test_public_visitors_are_told_apart_by_a_cookie_scripts_cannot_read() -> None:
    one, two = client(PUBLIC), client(PUBLIC)
    cookie = one.get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    two.get("/")
    owners = {page.get("/x").json()["owner"] for page in (one, two)}
    assert len(owners) == 2
    assert "set-cookie" not in one.get("/").headers
    assert client(PUBLIC).get("/x").json()["owner"] == "nobody"
    assert "local" not in owners


def test_behind_https_the_cookie_survives_in_a_frame() -> None:
    cookie = client(PUBLIC, base_url="https://127.0.0.1").get("/").headers["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in cookie


def test_local_mode_has_one_owner_and_sets_no_cookie() -> None:
    page = client(LOCAL)
    assert page.get("/").json()["owner"] == "local"
    assert "set-cookie" not in page.get("/").headers
