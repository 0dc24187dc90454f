"""Nobody reaches what is another visitor's: every route there is, ours and Gradio's, asked with the other's ids."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from arena import opening
from arena.opening import Wanted
from playground import uploads
from playground.owners import owner_of_token
from playground.settings import Settings
from providers.types import ImageRequest
from tests.harness import Harness
from tests.ui import known_routes
from tests.ui.browser import RunningApp
from ui import routes

TOKEN_A, TOKEN_B = "a" * 43, "b" * 43
OWNER_A = owner_of_token(TOKEN_A)
PROMPT = "A zebra that nobody else may see"
KEY = "sk-of-a-and-of-nobody-else"
SESSION = "sessionofa"
OURS = {"X-Diptych": "1", "Connection": "close"}
EVIL = {"Origin": "https://evil.example"}


@dataclass(frozen=True)
class Mine:
    """What is A's."""

    ids: dict[str, str]
    upload: str
    event: str

    @property
    def named(self) -> set[str]:
        """What the stranger says themselves; the rest they cannot know."""
        return {*self.ids.values(), self.event}

    @property
    def secrets(self) -> list[str]:
        names = ("run", "group", "sha256", "upload_sha256", "image_id", "battle_id")
        return [PROMPT, KEY, OWNER_A, TOKEN_A, self.event, *(self.ids[name] for name in names)]


async def make(folder: Path) -> dict[str, str]:
    one = Harness(folder, key=None, settings=replace(Settings(), mode="public"))
    view, _ = await one.run(ImageRequest(PROMPT), "demo/flat", "demo/sketch", owner=OWNER_A)
    Image.new("RGB", (64, 64), "teal").save(folder.parent / "mine.png")
    taken = await uploads.take_upload(one.services, OWNER_A, folder.parent / "mine.png", "mine.png")
    battle = await opening.next_battle(one.services, OWNER_A, Wanted("any", None))
    assert battle is not None
    await one.stop()
    one.close()
    image = view.images[0]
    return {
        "run": view.run.run_id,
        "run_id": view.run.run_id,
        "group": view.run.group_id,
        "group_id": view.run.group_id,
        "image": image.image_id,
        "image_id": image.image_id,
        "sha256": image.sha256,
        "upload_sha256": taken.input.sha256,
        "battle_id": battle.battle_id,
        "name": f"{image.sha256}.png",
    }


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningApp, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("strangers")
    ids = asyncio.run(make(folder / "data"))
    agents = "on" if importlib.util.find_spec("mcp") else "off"
    limits = {"DIPTYCH_VISITOR_LIMITS": "uploads=2,upload_mb=2", "DIPTYCH_MCP": agents}
    one = RunningApp(folder / "data", folder / "log.txt", DIPTYCH_MODE="public", **limits)
    yield one, ids
    assert one.stop() == 0
    assert KEY not in one.log.read_text()


@pytest.fixture(scope="module")
def a(app: tuple[RunningApp, dict[str, str]]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app[0].url, headers={"X-Diptych-Visitor": TOKEN_A}, trust_env=False, timeout=20) as one:
        assert one.post("keys/openai", json={"key": KEY}, headers={"X-Diptych": "1"}).status_code == 200
        yield one


@pytest.fixture(scope="module")
def b(app: tuple[RunningApp, dict[str, str]]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app[0].url, headers={"X-Diptych-Visitor": TOKEN_B}, trust_env=False, timeout=20) as one:
        yield one


@pytest.fixture(scope="module")
def mine(app: tuple[RunningApp, dict[str, str]], a: httpx.Client) -> Mine:
    """A has an upload on its way, and an event in Gradio's queue whose stream nobody has read yet."""
    (path,) = a.post("gradio_api/upload", files={"files": ("mine.png", b"\x89PNG")}).json()
    asked = a.post(
        "gradio_api/queue/join", json={"data": [None], "fn_index": history_index(a), "session_hash": SESSION}
    )
    return Mine(app[1], path, asked.json()["event_id"])


def history_index(one: httpx.Client) -> int:
    """A listener that shows what is one's own."""
    listeners = one.get("config").json()["dependencies"]
    return next(row["id"] for row in listeners if row["api_name"].startswith("on_visit") and not row["inputs"])


def rows_of_a(folder: Path) -> dict[str, list[Any]]:
    with sqlite3.connect(f"file:{folder / 'diptych.sqlite3'}?mode=ro", uri=True) as db:
        return {
            table: db.execute(f"select * from {table} where {who} = ? order by 1, 2", [OWNER_A]).fetchall()
            for table, who in (("runs", "owner"), ("groups", "owner"), ("uploads", "owner"), ("battles", "voter"))
        } | {"images": db.execute("select * from images order by image_id").fetchall()}


def filled(path: str, mine: Mine) -> str:
    known = mine.ids | {
        "session_hash": SESSION,
        "event_id": mine.event,
        "fn": "on_visit",
        "api_name": "vote",
        "side": "a",
        "path": mine.upload.lstrip("/"),
        "path_or_url": mine.upload,
        "provider_id": "openai",
    }
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: known.get(found[1], mine.ids["run"]), path).lstrip("/")


def leaks(text: str, mine: Mine) -> list[str]:
    return [secret for secret in mine.secrets if secret in text]


@pytest.mark.asyncio
async def test_every_route_there_is_is_known(tmp_path: Path) -> None:
    has_agents = importlib.util.find_spec("mcp") is not None
    one = Harness(tmp_path, key=None, settings=replace(Settings(), mode="public", mcp=has_agents))
    found = known_routes.routes_of(one) | {"* /mcp"}
    one.close()
    known = known_routes.FILES | known_routes.STREAMS | known_routes.CLOSED | known_routes.OPEN
    # A new one is put down in `known_routes`, and is then walked by a stranger below.
    assert (found - known, known - found) == (set(), set())


def test_every_route_gives_a_stranger_nothing_and_changes_nothing(
    app: tuple[RunningApp, dict[str, str]], b: httpx.Client, mine: Mine
) -> None:
    folder = app[0].log.parent / "data"
    before = rows_of_a(folder)
    query = {**mine.ids, "session_hash": SESSION, "upload_id": SESSION, "group": mine.ids["group"], "q": PROMPT[:0]}
    body = {
        **mine.ids,
        "session_hash": SESSION,
        "event_id": mine.event,
        "fn_index": 0,
        "data": [mine.ids["battle_id"], "a"],
    }
    for route in sorted(known_routes.OPEN | known_routes.CLOSED):
        method, template = route.replace("* ", "POST ").split(" ", 1)
        for headers in (OURS, OURS | EVIL):
            given: dict[str, Any] = {"json": body} if method == "POST" and headers == OURS else {}
            with b.stream(method, filled(template, mine), params=query, headers=headers, **given) as answer:
                said = (
                    "" if "event-stream" in answer.headers.get("content-type", "") else answer.read().decode("latin1")
                )
                at = f"{method} {template} {headers}"
                assert answer.status_code == 404 or route in known_routes.OPEN, at
                if method not in ("GET", "HEAD") and "Origin" in headers:
                    assert answer.status_code in (403, 404), at
                assert not [name for name in answer.headers if name.startswith("access-control-")], at
                # A refusal may name what it was asked for.
                found = leaks(said, mine)
                assert [one for one in found if answer.is_success or one not in mine.named] == [], at
    assert rows_of_a(folder) == before


def test_a_strangers_streams_and_events_are_not_there(b: httpx.Client, a: httpx.Client, mine: Mine) -> None:
    for path in (f"queue/data?session_hash={SESSION}", f"call/vote/{mine.event}", f"call/v2/vote/{mine.event}"):
        with b.stream("GET", f"gradio_api/{path}") as answer:
            told = next(answer.iter_text(), "")
            assert mine.event not in told, path
            assert "queue/data" in path or answer.status_code == 404, path
    cancel = {"session_hash": SESSION, "event_id": mine.event, "fn_index": 0}
    assert b.post("gradio_api/cancel", json=cancel).status_code == 404
    theirs = {"path": mine.upload, "meta": {"_type": "gradio.FileData"}}
    join = {"data": [[theirs]], "fn_index": 0, "session_hash": "mine"}
    assert b.post("gradio_api/queue/join", json=join).status_code == 404
    assert b.get(f"gradio_api/file={mine.upload}").status_code == 404
    # It was there all the time, for whom it is.
    with a.stream("GET", f"gradio_api/queue/data?session_hash={SESSION}") as answer:
        assert any(mine.event in line for line in answer.iter_lines())


def test_every_listener_gives_a_stranger_nothing_and_changes_nothing(
    app: tuple[RunningApp, dict[str, str]], b: httpx.Client, mine: Mine
) -> None:
    folder = app[0].log.parent / "data"
    before, told = rows_of_a(folder), ""
    ids = mine.ids
    data = {
        **ids,
        "battle": ids["battle_id"],
        "outcome": "a",
        "reason": "broken",
        "position": 0,
        "images": [ids["image_id"]],
        "runs": [ids["run"]],
        "named": f"{ids['run']}-0/{ids['run']}-1",
        "text": PROMPT[:7],
    }
    draft = {"references": [{"sha256": ids["upload_sha256"], "media_type": "image/png", "width": 64, "height": 64}]}
    waits = set()
    config = b.get("config").json()
    drawn = {row["id"]: row["type"] in ("html", "state") for row in config["components"]}
    value = {row["id"]: draft if drawn[row["id"]] else row["props"].get("value") for row in config["components"]}
    for row in config["dependencies"]:
        if not row["backend_fn"]:
            continue
        join = {
            "data": [value[name] for name in row["inputs"]],
            "event_data": data,
            "fn_index": row["id"],
            "trigger_id": row["targets"][0][0] if row["targets"] else None,
            "session_hash": SESSION,
        }
        answer = b.post("gradio_api/queue/join", json=join)
        if answer.status_code == 200:
            waits.add(answer.json()["event_id"])
    assert len(waits) > 30
    with b.stream("GET", f"gradio_api/queue/data?session_hash={SESSION}") as stream:
        for line in stream.iter_lines():
            told += line
            message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if message.get("msg") == "process_completed":
                waits.discard(message["event_id"])
            if not waits:
                break
    # What the stranger said comes back to them; what they only named does not.
    assert [secret for secret in leaks(told, mine) if secret not in mine.named] == []
    assert f"{ids['sha256']}." not in told
    assert rows_of_a(folder) == before


@pytest.mark.parametrize(
    "path",
    [
        *("deep_link?session_hash=x", "run-history/records", "runs", "monitoring/x", "profiling/summary", "vibe-code"),
        *(
            "process_recording",
            "proxy=https://example.com/x",
            "file=/etc/passwd",
            "file/x",
            "stream/a/b/c/playlist-file",
        ),
        *("component_server", "token", "dev/reload"),
    ],
)
def test_what_nobody_needs_of_gradio_is_closed(b: httpx.Client, path: str) -> None:
    assert b.get(f"gradio_api/{path}").status_code == 404
    assert b.post(f"gradio_api/{path}", headers={"Connection": "close"}).status_code == 404


def test_the_page_is_zipped_and_shut_in_and_tells_nobody_about_anybody(b: httpx.Client) -> None:
    page = b.get("")
    assert page.headers["content-encoding"] in ("br", "gzip")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "same-origin"
    assert "object-src 'none'" in page.headers["content-security-policy"]
    assert "geolocation=()" in page.headers["permissions-policy"]
    config = b.get("config").json()
    assert (config["analytics_enabled"], config["enable_queue"]) == (False, True)
    assert not config.get("run_history")
    assert not config.get("is_space")
    listeners = [row for row in config["dependencies"] if row["targets"] and row["targets"][0][0] is not None]
    assert {row["api_visibility"] for row in listeners} == {"private"}


def test_uploads_need_a_visitor_and_are_counted(app: tuple[RunningApp, dict[str, str]], b: httpx.Client) -> None:
    files = {"files": ("x.png", b"x")}
    assert httpx.post(f"{app[0].url}gradio_api/upload", files=files, trust_env=False).status_code == 403
    big = {"files": ("x.png", b"x" * 2_500_000)}
    with httpx.Client(base_url=app[0].url, headers={"X-Diptych-Visitor": "c" * 43}, trust_env=False) as other:
        told = [other.post("gradio_api/upload", files=files).status_code for _ in range(3)]
        assert told == [200, 200, 429]
        refused = other.post("gradio_api/upload", files=files)
        assert "2 uploaded files" in refused.text
        assert int(refused.headers["retry-after"]) > 3000
        assert other.post("gradio_api/upload", files=big, headers={"X-Diptych-Visitor": "d" * 43}).status_code == 429
    assert b.post("gradio_api/queue/join", content=b"[" * 17_000_000).status_code == 413


def test_every_route_of_ours_knows_private_sessions_or_is_known_to_need_none(tmp_path: Path) -> None:
    one = Harness(tmp_path, key=None)
    one.close()
    plain = {
        row.path for row in routes.routes(one.app) if "own.<locals>" not in getattr(row.endpoint, "__qualname__", "")
    }
    # Keys, the sessions themselves and who runs the server; boards and votes, which are everybody's.
    assert plain == {
        *("/keys", "/keys/{provider_id}", "/keys/{provider_id}/test", "/private", "/operator", "/visitor", "/healthz"),
        *("/bank/{source_id}.jpg", "/votes.csv", "/votes.jsonl"),
        *("/leaderboard.json", "/leaderboard.md", "/leaderboard/standing"),
    }
