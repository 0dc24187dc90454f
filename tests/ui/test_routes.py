"""Our own routes: whose files they give, and keys that go in but never come out."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from playground.settings import Settings
from providers.types import GeneratedImage, ImageRequest
from storage.errors import full
from tests.harness import KEY, Harness
from tests.storage.builders import make_run, picture
from ui import guard, routes
from ui.trouble import trouble_view

Make = Callable[..., Harness]
MINE = {"X-Diptych": "1"}


@pytest.fixture
def public(harness: Make) -> Iterator[tuple[Harness, Callable[[], TestClient]]]:
    one = harness(settings=replace(Settings(), mode="public"), key=None)
    app = Starlette(routes=routes.routes(one.app), middleware=guard.middleware(one.settings))

    def visitor() -> TestClient:
        page = TestClient(app, base_url="http://127.0.0.1")
        page.get("/")
        return page

    return one, visitor


def owner_of(page: TestClient) -> str:
    import hashlib

    return hashlib.sha256(page.cookies[guard.VISITOR_COOKIE].encode()).hexdigest()[:32]


@pytest.mark.asyncio
async def test_an_image_is_given_to_its_owner_and_to_nobody_else(
    public: tuple[Harness, Callable[[], TestClient]],
) -> None:
    one, visitor = public
    mine, other = visitor(), visitor()
    (view,) = await one.run(ImageRequest("a fox"), "demo/flat", owner=owner_of(mine))
    await one.stop()
    image = view.images[0]
    path = one.services.store.blobs.path(image.sha256, image.media_type)
    answer = mine.get(f"/media/{path.name}")
    assert answer.content == path.read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]
    saved = mine.get(f"/media/{path.name}?download")
    assert "attachment" in saved.headers["content-disposition"]
    assert mine.get(f"/thumbs/{image.sha256}.webp").headers["content-type"] == "image/webp"
    for stranger in (other, TestClient(mine.app, base_url="http://127.0.0.1")):
        for url in (f"/media/{path.name}", f"/thumbs/{image.sha256}.webp"):
            assert stranger.get(url).status_code == 404


@pytest.mark.asyncio
async def test_a_damaged_image_has_no_thumbnail_and_breaks_nothing(
    public: tuple[Harness, Callable[[], TestClient]],
) -> None:
    one, visitor = public
    mine = visitor()
    (view,) = await one.run(ImageRequest("a fox"), "demo/flat", owner=owner_of(mine))
    await one.stop()
    image, store = view.images[0], one.services.store
    path = store.blobs.path(image.sha256, image.media_type)
    path.write_bytes(path.read_bytes()[:300])
    store.thumbs.delete(image.sha256)
    assert mine.get(f"/thumbs/{image.sha256}.webp").status_code == 404
    assert mine.get(f"/media/{path.name}").status_code == 200


@pytest.mark.asyncio
async def test_images_that_could_not_be_written_are_given_to_their_owner_alone(
    public: tuple[Harness, Callable[[], TestClient]],
) -> None:
    one, visitor = public
    mine, other = visitor(), visitor()
    store, unsaved = one.services.store, one.services.unsaved
    assert mine.get("/unsaved").status_code == 404
    assert mine.post("/disk", headers=MINE).json() == {"trouble": None}
    assert mine.post("/disk").status_code == 403
    images = [GeneratedImage(picture(colour=colour)) for colour in (1, 2)]
    has_room = asyncio.Event()

    async def write() -> None:
        if not has_room.is_set():
            raise full(store.data_dir)

    store.blobs.trouble = full(store.data_dir)
    waiting = asyncio.create_task(unsaved.until_written(make_run(owner=owner_of(mine)), write, has_room.clear, images))
    await asyncio.sleep(0)
    told = await trouble_view(one.app, owner_of(mine))
    assert told is not None
    assert (told["title"], told["images"]) == ("The disk is full.", 2)
    assert str(store.data_dir) not in str(told)
    assert await trouble_view(one.app, owner_of(other)) == {**told, "images": 0}
    with zipfile.ZipFile(io.BytesIO(mine.get("/unsaved").content)) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [image.data for image in images]
    assert other.get("/unsaved").status_code == 404
    assert mine.post("/disk", headers=MINE).json() == {"trouble": None}  # the look tries, and there is room
    has_room.set()
    unsaved.close()
    await waiting
    await one.stop()


def raw(page: TestClient, path: str, chunks: Iterator[bytes] | None = None, **headers: str) -> tuple[int, bytes]:
    """What the application answers to exactly this path, which a client would have tidied: status and body."""
    scope: Scope = {
        "type": "http",
        "method": "GET" if chunks is None else "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), *((name.encode(), text.encode()) for name, text in headers.items())],
    }
    status, body = [], bytearray()

    async def receive() -> Message:
        chunk = next(chunks or iter(()), None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def send(message: Message) -> None:
        status.extend([message["status"]] if "status" in message else [])
        body.extend(message.get("body", b""))

    asyncio.run(page.app(scope, receive, send))
    return status[0], bytes(body)


@pytest.mark.parametrize(
    "name",
    [
        *("x.png", "0" * 64 + ".svg", "0" * 64 + ".png", "0" * 64 + ".png\n"),
        *(
            "..",
            "../diptych.sqlite3",
            "..\\diptych.sqlite3",
            "%2e%2e%2fdiptych.sqlite3",
            "../diptych.sqlite3\0.png",
            "/etc/passwd",
        ),
    ],
)
def test_other_names_are_not_found(name: str, public: tuple[Harness, Callable[[], TestClient]]) -> None:
    one, visitor = public
    assert (one.services.store.data_dir / "diptych.sqlite3").is_file()
    page = visitor()
    cookie = f"{guard.VISITOR_COOKIE}={page.cookies[guard.VISITOR_COOKIE]}"
    for path in (f"/media/{name}", f"/thumbs/{name}", f"/blind/{name}/a.webp", f"/blind/{'0' * 32}/{name}.webp"):
        status, body = raw(page, path, cookie=cookie)
        assert status == 404
        assert body.strip(b".").lower() == b"not found"


@pytest.mark.parametrize("name", ["..", "..\\diptych.sqlite3", "%2e%2e%2fdiptych.sqlite3", "0" * 64 + ".png\n"])
def test_strange_names_reach_the_route_and_end_there(
    name: str, public: tuple[Harness, Callable[[], TestClient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, visitor = public
    reached: list[str] = []

    class Seen:
        def fullmatch(self, given: str) -> None:
            reached.append(given)

    page = visitor()
    monkeypatch.setattr(routes, "_NAME", Seen())
    raw(page, f"/media/{name}", cookie=f"{guard.VISITOR_COOKIE}={page.cookies[guard.VISITOR_COOKIE]}")
    assert reached == [name]


def test_a_key_is_held_for_its_visitor_and_never_given_back(public: tuple[Harness, Callable[[], TestClient]]) -> None:
    _, visitor = public
    mine, other = visitor(), visitor()
    assert mine.get("/keys").json()[0]["source"] == "missing"
    put = mine.post("/keys/openai", json={"key": f" {KEY} "}, headers=MINE)
    assert put.json()["source"] == "session"
    assert put.json()["ends_in_s"] > 3 * 3600
    assert KEY not in put.text + mine.get("/keys").text
    assert other.get("/keys").json()[0]["source"] == "missing"
    assert mine.delete("/keys/openai", headers=MINE).json()["source"] == "missing"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/keys/openai", {"key": KEY}, {}, 403),
        ("/keys/openai", {"key": "two words"}, MINE, 400),
        ("/keys/openai", {"key": 7}, MINE, 400),
        ("/keys/openai", {"key": "x" * 9000}, MINE, 400),
        ("/keys/demo", {"key": KEY}, MINE, 400),
        ("/keys/nobody", {"key": KEY}, MINE, 400),
    ],
)
def test_wrong_keys_are_refused_in_words(
    path: str,
    body: object,
    headers: dict[str, str],
    status: int,
    public: tuple[Harness, Callable[[], TestClient]],
) -> None:
    _, visitor = public
    answer = visitor().post(path, json=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["message"].endswith(".")
    assert KEY not in answer.text


@pytest.mark.parametrize("body", [b"[" * 4000, b"[" * 2000 + b"]" * 2000, b"{", b"\xff", b"", b'{"key": "\\ud800"}'])
def test_a_body_that_cannot_be_read_is_refused_in_words(
    body: bytes, public: tuple[Harness, Callable[[], TestClient]]
) -> None:
    _, visitor = public
    answer = visitor().post("/keys/openai", content=body, headers=MINE)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].endswith(".")


def test_a_body_without_end_is_left_unread(public: tuple[Harness, Callable[[], TestClient]]) -> None:
    _, visitor = public
    page = visitor()
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        while len(taken) < 1000:
            taken.append(1)
            yield b"x" * 1024

    cookie = f"{guard.VISITOR_COOKIE}={page.cookies[guard.VISITOR_COOKIE]}"
    status, body = raw(page, "/keys/openai", endless(), cookie=cookie, **{"x-diptych": "1"})
    assert status == 400
    assert b"too long" in body
    assert len(taken) == 5
