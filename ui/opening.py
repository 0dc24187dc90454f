"""How the page and Gradio's own files reach the browser: all of them named in the page's head, made once, zipped once.

Gradio writes the page anew for everybody who asks, and zips each file each time. Here page and files are what Gradio makes,
with three differences. The head names every script that will be needed, so the browser asks for all at once and not for one
after the other; all style sheets, Gradio's, the theme's and ours, are one file; and what only programs need (the endpoints,
which `/config` and `/gradio_api/info` tell them) is left out. Where Gradio's files are written in another way than is known
here, page and files are those of Gradio.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.bundling import Bundle
from ui.frontend import Needed, UnknownFrontend, needed

log = logging.getLogger(__name__)

FOREVER = "public, max-age=31536000, immutable"
_KEPT = [(b"cache-control", FOREVER.encode())]
_STYLE_NAME = "style-"
_ASSET = re.compile(r"/assets/([\w.-]+\.(?:js|css))")
_MEDIA = {".js": "text/javascript", ".css": "text/css"}
_CONFIG = "window.gradio_config = "
_INFO = re.compile(r"window\.gradio_api_info = .*?;</script>", re.S)
_NO_INFO = 'window.gradio_api_info = {"named_endpoints":{},"unnamed_endpoints":{}};</script>'
_OWN_STYLE = re.compile(r'<link rel="stylesheet" crossorigin href="\./assets/[\w.-]+\.css">')
_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", ord("'"): "\\u0027"}
_ADDRESS = ("host", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix")
"""What the page's own address in it is made of."""
_OF_BODY = (b"content-length", b"content-encoding", b"content-type", b"vary")
_MAX_PAGES = 32
"""Addresses under which one server is known at a time."""


@dataclass(frozen=True, slots=True)
class Ours:
    """Our own part of the page's head."""

    links: str
    """Font, icon and script, as markup."""
    style: Bundle
    at: str
    """Path below the page, as `dp/0123456789ab`, beside which the files lie that the style names."""


@dataclass(frozen=True, slots=True)
class _Page:
    headers: list[tuple[bytes, bytes]]
    """As Gradio gave them, but for those of the body's size."""
    text: Bundle
    style: Bundle | None


class Opening:
    """Serves the page, the one style sheet and Gradio's scripts; passes everything else on."""

    def __init__(self, app: ASGIApp, folder: Path, ours: Ours) -> None:
        self._app = app
        self._folder = folder
        self._ours = ours
        self._files: dict[str, Bundle] = {}
        self._pages: OrderedDict[tuple[str, ...], _Page] = OrderedDict()
        """By address, the one asked for last at the end."""
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        answer = await self._answer(scope, receive) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (answer or self._app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        accepted = Headers(scope=scope).get("accept-encoding", "")
        if scope["path"] == "/":
            page = await self._page(scope, receive)
            return await zipped(page.text, accepted, page.headers) if page else None
        if asset := _ASSET.fullmatch(scope["path"]):
            file = await asyncio.to_thread(self._file, asset[1])
            return await zipped(file, accepted) if file else None
        if scope["path"].startswith(f"/{self._ours.at}/{_STYLE_NAME}"):
            page = await self._page({**scope, "path": "/", "raw_path": b"/", "query_string": b""}, receive)
            is_this = page and page.style and scope["path"] == f"/{self._style_path(page.style)}"
            return await zipped(page.style, accepted) if page and page.style and is_this else None
        return None

    def _file(self, name: str) -> Bundle | None:
        """A file of Gradio's by its name, which holds a hash of what is in it."""
        path = self._folder / "assets" / name
        if name not in self._files:
            if not path.is_file():
                return None
            self._files[name] = Bundle(_MEDIA[path.suffix], path.read_bytes())
        return self._files[name]

    async def _page(self, scope: Scope, receive: Receive) -> _Page | None:
        """The page as it is under this address, `None` where Gradio gives none."""
        headers = Headers(scope=scope)
        key = (scope.get("scheme", ""), scope.get("root_path", ""), *(headers.get(name, "") for name in _ADDRESS))
        if key not in self._pages:
            # One at a time: who comes while a page is made waits for it, and strange addresses keep one thread busy at most.
            async with self._making:
                page = self._pages.get(key) or await self._new_page(scope, receive)
                if page is None:
                    return None
                self._pages[key] = page
                if len(self._pages) > _MAX_PAGES:
                    self._pages.popitem(last=False)
        self._pages.move_to_end(key)
        return self._pages[key]

    async def _new_page(self, scope: Scope, receive: Receive) -> _Page | None:
        status, given, body = await _asked(self._app, scope, receive)
        if status != 200 or _CONFIG.encode() not in body:
            return None
        _, _, theme = await _asked(self._app, {**scope, "path": "/theme.css", "raw_path": b"/theme.css"}, receive)
        kept = [pair for pair in given if pair[0].lower() not in _OF_BODY]
        return await asyncio.to_thread(self._made, kept, body.decode(), theme)

    def _made(self, headers: list[tuple[bytes, bytes]], body: str, theme: bytes) -> _Page:
        begin = body.index(_CONFIG) + len(_CONFIG)
        end = body.index(";</script>", begin)
        config = _for_browsers(orjson.loads(body[begin:end]))
        try:
            files = needed(self._folder, _types(config))
        except UnknownFrontend as error:
            log.warning("The page loads Gradio's files one after the other; not found in them: %s", error)
            return _Page(headers, Bundle("text/html", body.encode()), None)
        style = self._style(files, theme)
        head = self._head(files, style, f"{config['root']}/theme.css?v={config['theme_hash']}")
        # Behind the base address, on which the links depend.
        before, base, after = body[:begin].partition('<base href="./" />')
        told = orjson.dumps(config).decode().translate(_ESCAPES)
        rest = _OWN_STYLE.sub("", _INFO.sub(_NO_INFO, body[end:]))
        text = "".join([before, base, head, after, told, rest])
        return _Page(headers, Bundle("text/html; charset=utf-8", text.encode()), style)

    def _style(self, files: Needed, theme: bytes) -> Bundle:
        """In the order in which Gradio would add them to the page."""
        page, components = (
            [(self._folder / "assets" / name).read_bytes() for name in names]
            for names in (files.page_styles, files.component_styles)
        )
        return Bundle("text/css", b"\n".join([*page, theme, self._ours.style.text, *components]))

    def _style_path(self, style: Bundle) -> str:
        return f"{self._ours.at}/{_STYLE_NAME}{hashlib.sha256(style.text).hexdigest()[:12]}"

    def _head(self, files: Needed, style: Bundle, theme_at: str) -> str:
        sheets = [f"./assets/{name}" for name in (*files.page_styles, *files.component_styles)]
        return "".join(
            [
                f'<link rel="stylesheet" href="{self._style_path(style)}">',
                *(f'<link rel="modulepreload" crossorigin href="./assets/{name}">' for name in files.scripts),
                self._ours.links,
                # Gradio adds a sheet only where no link names it. These do, and load nothing: theirs is in the one above.
                *(f'<link rel="stylesheet" disabled href="{sheet}">' for sheet in [*sheets, theme_at]),
            ]
        )


def _types(config: dict[str, Any]) -> set[str]:
    """Kinds of components whose scripts Gradio loads at once: of those that are not invisible."""
    return {one["type"] for one in config["components"] if one["props"].get("visible") is not False}


def _for_browsers(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration without what only programs need, and without the head, which stands in the page already."""
    used = [one for one in config["dependencies"] if one["targets"] or one["trigger_after"] is not None]
    told = [one for one in config["components"] if one["type"] != "api"]
    ids = {one["id"] for one in told}
    layout = {**config["layout"], "children": [each for each in config["layout"]["children"] if each["id"] in ids]}
    whole = {"components": [one["id"] for one in told], "dependencies": [one["id"] for one in used], "layout": layout}
    return {
        **config,
        **{"head": None, "dependencies": used, "components": told, "layout": layout},
        "page": {name: {**page, **whole} for name, page in config["page"].items()},
    }


async def _asked(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of what the application answers, unzipped."""
    parts: list[bytes] = []
    start: Message = {}

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    plain = [
        pair for pair in scope["headers"] if pair[0].lower() not in (b"accept-encoding", b"if-none-match", b"range")
    ]
    await app({**scope, "headers": plain}, receive, keep)
    return start["status"], list(start.get("headers", ())), b"".join(parts)


async def zipped(text: Bundle, accepted: str, headers: Iterable[tuple[bytes, bytes]] = _KEPT) -> Response:
    """The text in a form that whoever asks understands, by their Accept-Encoding. Without headers it is kept for ever."""
    # In a thread: to zip it, which the first one waits for, takes 30 ms and more.
    encoding, body = await asyncio.to_thread(text.accepted, accepted)
    response = Response(body, media_type=text.media_type)
    more = [*headers, (b"vary", b"Accept-Encoding")]
    response.raw_headers += [*more, (b"content-encoding", encoding.encode())] if encoding else more
    return response
