"""The page and Gradio's files as they reach a browser: whole, zipped once, and all named in the page's head."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import brotli
import gradio as gr
import httpx
import orjson
import pytest
from fastapi import FastAPI
from gradio.routes import BUILD_PATH_LIB
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from ui import launch
from ui.bundling import Bundle
from ui.frontend import UnknownFrontend, needed
from ui.opening import Opening, Ours

FOLDER = Path(BUILD_PATH_LIB).parent
OURS = Ours('<link rel="icon" href="dp/abc/mark.svg">', Bundle("text/css", b".ours { color: red; }"), "dp/abc")


def length_of(text: str) -> int:
    return len(text)


class Counted:
    """Gradio's application; counts how often it is asked for the page."""

    def __init__(self) -> None:
        demo = gr.Blocks(analytics_enabled=False)
        with demo:
            box = gr.Textbox("</script><b>'&", elem_id="box")
            gr.Dropdown(["a"], visible=False)
            box.input(str.upper, box, box)
            gr.api(length_of, api_name="length")
        self.pages = 0
        # As where it is mounted: theme and configuration are made then.
        self._app = gr.mount_gradio_app(FastAPI(), demo, path="", theme=gr.themes.Base())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.pages += scope["path"] == "/"
        await self._app(scope, receive, send)


@pytest.fixture(scope="module")
def inner() -> Counted:
    # Gradio leaves an event loop open where none is running.
    async def made() -> Counted:
        return Counted()

    return asyncio.run(made())


def client_of(inner: Counted, folder: Path = FOLDER) -> TestClient:
    return TestClient(Opening(inner, folder, OURS), base_url="http://127.0.0.1:7860")


def config_of(page: str) -> dict[str, object]:
    return orjson.loads(re.search(r"window\.gradio_config = (.*?);</script>", page)[1])


def test_what_components_load_is_found_in_the_installed_gradio() -> None:
    found = needed(FOLDER, ["textbox", "html"])
    for name in (*found.scripts, *found.page_styles, *found.component_styles):
        assert (FOLDER / "assets" / name).is_file(), name
    assert set(needed(FOLDER, ["html"]).scripts) < set(found.scripts)
    with pytest.raises(UnknownFrontend, match="no_such"):
        needed(FOLDER, ["no_such"])


def test_the_page_names_all_it_needs_and_tells_no_endpoints(inner: Counted) -> None:
    client = client_of(inner)
    answer = client.get("/")
    page, config = answer.text, config_of(answer.text)
    assert config["head"] is None
    assert [one["type"] for one in config["components"] if one["type"] in ("textbox", "api")] == ["textbox"]
    assert [one["api_name"] for one in config["dependencies"]] == ["upper"]
    assert config["page"][""]["dependencies"] == [one["id"] for one in config["dependencies"]]
    assert next(one["props"]["value"] for one in config["components"] if one["type"] == "textbox") == "</script><b>'&"
    assert {one["api_name"] for one in client.get("/config").json()["dependencies"]} == {"upper", "length"}
    assert OURS.links in page
    scripts = re.findall(r'rel="modulepreload" crossorigin href="\./assets/([\w.-]+)"', page)
    assert scripts == list(needed(FOLDER, {one["type"] for one in config["components"]} - {"dropdown"}).scripts)
    off = set(re.findall(r'<link rel="stylesheet" disabled href="([^"]+)"', page))
    on = set(re.findall(r'<link rel="stylesheet"(?! disabled)[^>]* href="([^"]+)"', page))
    assert f"http://127.0.0.1:7860/theme.css?v={config['theme_hash']}" in off
    style = client.get("/" + on.pop()).text
    assert not on
    for sheet in (one for one in off if "/assets/" in one):
        assert (FOLDER / sheet).read_text() in style, sheet
    assert ".ours" in style
    assert client.get("/theme.css").text in style


def test_a_page_is_made_once_for_each_address(inner: Counted) -> None:
    client = client_of(inner)
    before = inner.pages
    first, again = client.get("/"), client.get("/?tab=history")
    assert (first.content, inner.pages) == (again.content, before + 1)
    other = client.get("/", headers={"x-forwarded-host": "pictures.example", "x-forwarded-proto": "https"})
    assert config_of(other.text)["root"] == "https://pictures.example"


def test_the_addresses_asked_for_last_are_kept(inner: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.opening._MAX_PAGES", 2)
    client, before = client_of(inner), inner.pages
    for host in ("ours", "strange", "ours", "stranger", "ours"):
        assert client.get("/", headers={"x-forwarded-host": host}).status_code == 200
    assert inner.pages == before + 3


@pytest.mark.asyncio
async def test_many_who_come_first_wait_for_one_page(inner: Counted) -> None:
    before, transport = inner.pages, httpx.ASGITransport(Opening(inner, FOLDER, OURS))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(5)))
    assert ({answer.status_code for answer in answers}, inner.pages) == ({200}, before + 1)


def test_nothing_is_zipped_on_the_event_loop(inner: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    zipped, by_brotli = [], brotli.compress

    def compress(text: bytes, **how: Any) -> bytes:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        zipped.append(text)
        return by_brotli(text, **how)

    monkeypatch.setattr("ui.bundling.brotli.compress", compress)
    client = client_of(inner)
    style = re.search(r'<link rel="stylesheet" href="([^"]+)"', client.get("/").text)[1]
    assert client.get(f"/{style}").status_code == 200
    assert TestClient(Starlette(routes=[launch.assets_route()])).get(f"/dp/{launch.assets_hash()}/{launch.SCRIPT}").text
    assert len(zipped) == 3


def test_a_file_of_gradio_comes_zipped_and_for_ever_and_nothing_else_does(inner: Counted) -> None:
    client = client_of(inner)
    name = needed(FOLDER, []).scripts[0]
    with client.stream("GET", f"/assets/{name}", headers={"accept-encoding": "br"}) as answer:
        assert brotli.decompress(b"".join(answer.iter_raw())) == (FOLDER / "assets" / name).read_bytes()
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/javascript")
    for path in ("/assets/none.js", "/assets/..%2findex.html", "/dp/abc/style-000000000000"):
        assert client.get(path).status_code in (403, 404), path


def test_where_gradio_is_written_otherwise_its_page_is_given(inner: Counted, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html></html>")
    page = client_of(inner, tmp_path).get("/").text
    assert page == TestClient(inner, base_url="http://127.0.0.1:7860").get("/").text
