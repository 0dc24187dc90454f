"""Who is let in: host names, other sites, Gradio's own doors, and visitors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from playground.settings import Settings
from ui import guard

LOCAL = Settings()
LAN = replace(LOCAL, host="0.0.0.0")
PUBLIC = replace(LOCAL, mode="public", host="0.0.0.0")


def client(settings: Settings, **options: Any) -> TestClient:
    async def echo(request: Request) -> JSONResponse:
        return JSONResponse(
            {
                "headers": sorted(request.headers),
                "owner": _owner(settings, request),
                "query": dict(request.query_params),
            }
        )

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield

    paths = ["/", "/gradio_api/{rest:path}", "/x"]
    routes = [Route(path, echo, methods=["GET", "POST", "DELETE"]) for path in paths]
    app = Starlette(
        routes=[*routes, WebSocketRoute("/talk", talk)],
        # As Gradio does: its own middleware is put outside of what it is given.
        middleware=[
            Middleware(CORSMiddleware, allow_origin_regex=".*", allow_credentials=True, allow_methods=["*"]),
            *guard.middleware(settings),
        ],
        lifespan=lifespan,
    )
    return TestClient(app, base_url=options.pop("base_url", "http://127.0.0.1:7860"), **options)


def started(page: TestClient, is_started: bool) -> AbstractContextManager[object]:
    """The server with its lifespan, or without, as when it is mounted in another."""
    return page if is_started else nullcontext()


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
        (replace(LOCAL, allowed_hosts=("Studio.Example",)), "studio.example:7860", True),
        (replace(LOCAL, allowed_hosts=("studio.example:8080",)), "STUDIO.example", True),
        (replace(LOCAL, allowed_hosts=("studio.example.",)), "studio.example", True),
        (replace(LOCAL, allowed_hosts=("studio.example",)), "studio.example.:80", True),
        (replace(LOCAL, allowed_hosts=("2001:db8::1",)), "[2001:db8::1]:7860", True),
        (replace(LOCAL, allowed_hosts=("no name",)), "no name", False),
        (replace(LOCAL, host="Studio.Example"), "studio.example", True),
        (LOCAL, "localhost.", True),
        (LOCAL, "[127.0.0.1]evil.example", False),
        (LOCAL, "127.0.0.1:80@evil.example", False),
        (LOCAL, "127.0.0.1:", False),
        (LOCAL, "127.0.0.1:80:80", False),
        (LOCAL, "127.0.0.1/x", False),
        (LOCAL, "localhost..", False),
        (LAN, "[192.168.1.5]evil.example", False),
        (PUBLIC, "anything.example:80@evil.example", False),
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


AT_LAN = {"host": "192.168.1.5:7860"}
ON_SPACE = {"host": "maker-app.hf.space"}


@pytest.mark.parametrize("is_started", [True, False])
@pytest.mark.parametrize(
    ("settings", "host", "origin", "is_own"),
    [
        (LAN, "192.168.1.5:7860", "http://192.168.1.5:7860", True),
        (LAN, "192.168.1.5:7860", "http://evil.example", False),
        (LAN, "192.168.1.5:7860", "http://evil.example:7860", False),
        (LAN, "192.168.1.5:7860", "http://192.168.1.5:3000", False),
        (LAN, "192.168.1.5:7860", "http://192.168.1.5", False),
        (LAN, "192.168.1.5", "http://192.168.1.5", True),
        (LAN, "192.168.1.5:80", "http://192.168.1.5", True),
        (LAN, "192.168.1.5:7860", "http://192.168.1.5:7860@evil.example", False),
        (LAN, "192.168.1.5:7860", "http://192.168.1.5:7860.evil.example", False),
        (LAN, "192.168.1.5:7860", "file://192.168.1.5:7860", False),
        (LAN, "192.168.1.5:7860", "null", False),
        (LAN, "192.168.1.5:7860", "", False),
        (LOCAL, "127.0.0.1:7860", "http://localhost:7860", False),
        (LOCAL, "LocalHost:7860", "http://localhost:7860", True),
        (LOCAL, "[::1]:7860", "http://[::1]:7860", True),
        (PUBLIC, "maker-app.hf.space", "https://maker-app.hf.space", True),
        (PUBLIC, "maker-app.hf.space:443", "https://Maker-App.hf.space", True),
        (PUBLIC, "maker-app.hf.space", "https://other-app.hf.space", False),
        (PUBLIC, "maker-app.hf.space", "null", False),
    ],
)
def test_a_foreign_origin_may_change_nothing_and_read_nothing(
    settings: Settings, host: str, origin: str, is_own: bool, is_started: bool
) -> None:
    page = client(settings)
    given = {"host": host, "origin": origin}
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,x-diptych"}
    with started(page, is_started):
        answers = [
            page.post("/x", headers=given),
            page.delete("/x", headers=given),
            page.options("/x", headers=given),
            page.get("/x", headers=given),
        ]
        if is_started:
            # Before the start the guard is not the outermost yet.
            answers.append(page.options("/x", headers={**given, **preflight}))
            assert not [name for answer in answers for name in answer.headers if name.startswith("access-control-")]
    asked = [answer.request.method for answer in answers if answer.status_code == 403]
    assert asked == ([] if is_own else ["POST", "DELETE", "OPTIONS", *(["OPTIONS"] if is_started else [])])


def test_programs_that_send_no_origin_are_let_in() -> None:
    assert client(LAN).post("/x", headers=AT_LAN).status_code == 200
    assert client(PUBLIC).post("/x", headers=ON_SPACE).status_code == 200


def test_the_name_in_a_forwarded_header_is_not_believed() -> None:
    given = {**AT_LAN, "origin": "http://evil.example", "x-forwarded-host": "evil.example"}
    assert client(LAN).post("/x", headers=given).status_code == 403


@pytest.mark.parametrize("name", ["host", "origin"])
def test_a_doubled_header_is_refused(name: str) -> None:
    given = [("host", "127.0.0.1:7860"), ("origin", "http://127.0.0.1:7860")]
    page = client(LOCAL)
    assert page.post("/x", headers=given).status_code == 200
    assert page.post("/x", headers=[*given, (name, "http://evil.example")]).status_code in (403, 421)


@pytest.mark.parametrize("is_started", [True, False])
def test_websockets_are_refused(is_started: bool) -> None:
    page = client(LOCAL)
    with started(page, is_started), pytest.raises(WebSocketDisconnect), page.websocket_connect("/talk"):
        pass


def test_a_server_started_twice_has_one_door() -> None:
    page = client(PUBLIC)
    for _ in range(2):
        with page:
            page.cookies.clear()
            assert len(page.get("/").headers.get_list("set-cookie")) == 1


def test_only_the_local_page_is_kept_out_of_frames() -> None:
    for answer in (client(LOCAL).get("/x"), client(LOCAL).get("/x", headers={"host": "evil.example"})):
        assert answer.headers["x-frame-options"] == "DENY"
    assert "x-frame-options" not in client(PUBLIC).get("/x").headers


@pytest.mark.parametrize(
    "path", ["file=http://x.invalid", "deep_link", "run-history", "FILE=HTTP://x", "proxy=x", "file=/x", "token"]
)
def test_gradios_own_doors_stay_closed(path: str) -> None:
    assert client(LOCAL).get(f"/gradio_api/{path}").status_code == 404


def test_every_answer_has_its_headers() -> None:
    answer = client(LOCAL).get("/x")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


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


@pytest.mark.parametrize("other", ["a/b=1", 'x={"a":1}', "=", "x", "a[]=1; b@c=2"])
def test_other_cookies_in_the_jar_do_not_hide_the_visitor(other: str) -> None:
    page = client(PUBLIC)
    assert page.get("/", headers={"cookie": other}).status_code == 200
    token = page.cookies[guard.VISITOR_COOKIE]
    page.cookies.clear()
    given = {"cookie": f"{other}; {guard.VISITOR_COOKIE}={token}"}
    answer = page.get("/", headers=given)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.json()["owner"] not in ("nobody", "local")


@pytest.mark.parametrize("name", ["session_hash", "upload_id"])
def test_what_one_visitor_calls_a_stream_is_another_one_where_another_calls_it_so(name: str) -> None:
    asked = ["queue/data", "upload_progress"] if name == "session_hash" else ["upload_progress", "upload"]

    def told(token: str) -> set[str]:
        page = client(PUBLIC, headers={guard.VISITOR_HEADER: token * 43})
        answers = [
            page.request("POST" if path == "upload" else "GET", f"/gradio_api/{path}?{name}=x") for path in asked
        ]
        return {answer.json()["query"][name] for answer in answers}

    (of_a,), (of_b,) = told("a"), told("b")
    assert len({of_a, of_b, "x"}) == 3


def test_a_token_that_is_too_short_is_replaced() -> None:
    answer = client(PUBLIC).get("/", headers={"cookie": f"{guard.VISITOR_COOKIE}=short"})
    assert guard.VISITOR_COOKIE in answer.headers["set-cookie"]


def test_behind_https_the_cookie_survives_in_a_frame() -> None:
    cookie = client(PUBLIC, base_url="https://127.0.0.1").get("/").headers["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in cookie


def test_local_mode_has_one_owner_and_sets_no_cookie() -> None:
    page = client(LOCAL)
    assert page.get("/").json()["owner"] == "local"
    assert "set-cookie" not in page.get("/").headers
