"""The door in front of Gradio: which host names are answered, which of its own routes stay closed, and who the visitor is.

In local mode the server's keys can be spent by whoever reaches the page, so a page of another site must not reach it:
requests under a foreign host name and cross-site posts are refused. In public mode each visitor is known by a random
token in a cookie that scripts cannot read; its hash is the owner id.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from http.cookies import SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.services import LOCAL_OWNER
from playground.settings import LOOPBACK_HOSTS, Settings

VISITOR_COOKIE = "diptych_visitor"
VISITOR_LIFE_S = 180 * 24 * 3600

CLOSED = (
    # Fetches any public address for anyone who asks, or keeps and hands out what visitors typed.
    "/gradio_api/file=http",
    "/gradio_api/file/http",
    "/gradio_api/proxy=",
    "/gradio_api/deep_link",
    "/gradio_api/run-history",
    "/gradio_api/runs",
    "/gradio_api/vibe",
    "/gradio_api/process_recording",
    "/gradio_api/profiling",
    "/gradio_api/monitoring",
    "/monitoring",
)


class UnknownVisitor(Exception):
    """The browser sent no visitor token, so there is nobody to keep runs for."""


def owner_of(settings: Settings, request: Any) -> str:  # noqa: ANN401 - Gradio's and Starlette's requests alike
    """Whose runs and keys the request may use: `local`, or a hash of the visitor's token.

    Raises: UnknownVisitor in public mode when the browser keeps no cookie.
    """
    if settings.mode == "local":
        return LOCAL_OWNER
    token = dict(request.cookies).get(VISITOR_COOKIE, "") if request is not None else ""
    if len(token) < 32:
        raise UnknownVisitor("Your browser keeps no cookie for this page, so your runs cannot be told from others'.")
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def middleware(settings: Settings) -> list[Middleware]:
    """What Gradio's application is wrapped in."""
    return [Middleware(Guard, settings=settings)]


class Guard:
    """Refuses what must not get in; gives each public visitor a token; adds the security headers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if scope["path"].startswith("/gradio_api/file="):
            # A range request there is answered with the request's own headers.
            kept = [pair for pair in scope["headers"] if pair[0].lower() not in (b"authorization", b"cookie")]
            scope = {**scope, "headers": kept}
        await self._app(scope, receive, self._with_headers(scope, headers, send))

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        if not is_known_host(headers.get("host", ""), self._settings):
            return PlainTextResponse("This server does not answer under that host name.", 421)
        if scope["path"].lower().startswith(CLOSED):
            return PlainTextResponse("Not here.", 404)
        is_foreign = headers.get("sec-fetch-site", "") in ("cross-site", "same-site")
        if is_foreign and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            return PlainTextResponse("Requests from other sites are refused.", 403)
        return None

    def _with_headers(self, scope: Scope, headers: Headers, send: Send) -> Send:
        needs_token = (
            self._settings.mode == "public"
            and scope["path"] == "/"
            and VISITOR_COOKIE not in SimpleCookie(headers.get("cookie", ""))
        )

        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = MutableHeaders(scope=message)
                more.setdefault("x-content-type-options", "nosniff")
                more.setdefault("referrer-policy", "same-origin")
                if needs_token:
                    more.append("set-cookie", _cookie(is_https=_is_https(scope, headers)))
            await send(message)

        return send_more


def is_known_host(host: str, settings: Settings) -> bool:
    """Whether the page is answered under this `Host` header."""
    name = _host_name(host)
    if name in (*LOOPBACK_HOSTS, settings.host) or name in settings.allowed_hosts:
        return True
    if settings.mode == "public":
        return not settings.allowed_hosts
    # A name can be made to point here by its owner; an address cannot.
    return settings.host not in LOOPBACK_HOSTS and _is_address(name)


def _host_name(host: str) -> str:
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_https(scope: Scope, headers: Headers) -> bool:
    return scope.get("scheme") == "https" or headers.get("x-forwarded-proto", "") == "https"


def _cookie(*, is_https: bool) -> str:
    # Inside another site's frame, as on a Space, only a partitioned cross-site cookie is kept.
    site = "SameSite=None; Secure; Partitioned" if is_https else "SameSite=Lax"
    return f"{VISITOR_COOKIE}={secrets.token_urlsafe(32)}; Path=/; Max-Age={VISITOR_LIFE_S}; HttpOnly; {site}"
