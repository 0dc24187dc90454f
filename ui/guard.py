"""The door in front of Gradio: which host names are answered, which of its own routes stay closed, and who the visitor is.

In local mode the server's keys can be spent by whoever reaches the page, so a page of another site must not reach it:
requests under a foreign host name are refused, and so is all but reading that comes from another origin. No answer may
be read by another origin either. In public mode each visitor is known by a random token in a cookie that scripts cannot
read, and a program by one that it sends in a header; its hash is the owner id.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.services import LOCAL_OWNER
from playground.settings import LOOPBACK_HOSTS, Settings

VISITOR_COOKIE = "diptych_visitor"
VISITOR_HEADER = "x-diptych-visitor"
"""Says the same token where a program asks."""
VISITOR_LIFE_S = 180 * 24 * 3600
_TOKEN_CHARS = 32
"""At least so long is a token of ours."""

_ADDRESS = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+?)\.?)(?::([0-9]{1,5}))?", re.ASCII)
"""A bracketed IPv6 address, or a name with or without the root's dot; then nothing or a port."""
_DEFAULT_PORTS = {"http": 80, "https": 443}

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Gradio's page starts by inline scripts, and makes functions from the templates of `gr.HTML`.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
"""The page loads from, posts to and speaks to its own server only. It does not keep script out, nor links to elsewhere."""

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

    Raises: UnknownVisitor in public mode when the browser keeps no cookie and no token comes in the header.
    """
    if settings.mode == "local":
        return LOCAL_OWNER
    token = _token_of(request) if request is not None else ""
    if len(token) < _TOKEN_CHARS:
        raise UnknownVisitor("Your browser keeps no cookie for this page, so your runs cannot be told from others'.")
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _token_of(request: Any) -> str:  # noqa: ANN401 - as above
    headers = {name.lower(): value for name, value in dict(getattr(request, "headers", {})).items()}
    return str(headers.get(VISITOR_HEADER) or dict(request.cookies).get(VISITOR_COOKIE, ""))


def middleware(settings: Settings) -> list[Middleware]:
    """What Gradio's application is wrapped in."""
    return [Middleware(_MovesOutermost, settings=settings)]


class _MovesOutermost:
    """Guards from where it was put, and from the outermost place once the server starts.

    Gradio puts its CORS answers outside of all middleware it is given: there a preflight is granted to any site, and
    any answer made readable to it, before a guard inside is asked (`App.create_app` of 6.31, 2026-11-21).
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._inside = app
        self._settings = settings
        self._door: ASGIApp = Guard(app, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] == "lifespan" and self._door is not self._inside:
            server = scope["app"]
            server.middleware_stack = Guard(server.middleware_stack, self._settings)
            self._door = self._inside
        await self._door(scope, receive, send)


class Guard:
    """Refuses what must not get in; gives each public visitor a token; sees to the security headers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            # Nothing here speaks WebSocket; before its handshake this is a 403.
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, self._with_headers(send, cookie=None))
            return
        cookie = _cookie(self._settings, is_https=is_https(scope, headers)) if self._needs_token(scope) else None
        if scope["path"].startswith("/gradio_api/file="):
            # A range request there is answered with the request's own headers.
            kept = [pair for pair in scope["headers"] if pair[0].lower() not in (b"authorization", b"cookie")]
            scope = {**scope, "headers": kept}
        await self._app(scope, receive, self._with_headers(send, cookie=cookie))

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not is_known_host(hosts[0], self._settings):
            return PlainTextResponse("This server does not answer under that host name.", 421)
        if scope["path"].lower().startswith(CLOSED):
            return PlainTextResponse("Not here.", 404)
        if scope["method"] not in ("GET", "HEAD") and _is_foreign(headers):
            return PlainTextResponse("Requests from other sites are refused.", 403)
        return None

    def _needs_token(self, scope: Scope) -> bool:
        if self._settings.mode == "local" or scope["path"] != "/":
            return False
        return len(HTTPConnection(scope).cookies.get(VISITOR_COOKIE, "")) < _TOKEN_CHARS

    def _with_headers(self, send: Send, *, cookie: str | None) -> Send:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The page is of one origin, which needs no leave; nobody else is given any.
                kept = [pair for pair in message.get("headers", ()) if not _gives_leave(pair[0])]
                message = {**message, "headers": kept}
                more = MutableHeaders(scope=message)
                more.setdefault("x-content-type-options", "nosniff")
                more.setdefault("referrer-policy", "same-origin")
                more.setdefault("content-security-policy", CONTENT_POLICY)
                if self._settings.mode == "local":
                    # A Space shows its page inside a frame of another site.
                    more["x-frame-options"] = "DENY"
                if cookie is not None:
                    more.append("set-cookie", cookie)
            await send(message)

        return send_more


def _gives_leave(header_name: bytes) -> bool:
    return header_name.lower().startswith(b"access-control-")


def is_known_host(host: str, settings: Settings) -> bool:
    """Whether the page is answered under this `Host` header."""
    name = _host_name(host)
    if name is None:
        return False
    if name in {_setting_name(one) for one in (*LOOPBACK_HOSTS, settings.host, *settings.allowed_hosts)}:
        return True
    if settings.mode == "public":
        return not settings.allowed_hosts
    # A name can be made to point here by its owner; an address cannot.
    return _setting_name(settings.host) not in LOOPBACK_HOSTS and _is_address(name)


def _is_foreign(headers: Headers) -> bool:
    """Whether a page of another origin made the request. Programs send neither header.

    Over plain http on anything but loopback, browsers send `Origin` only: `Sec-Fetch-Site` goes to trustworthy addresses.
    """
    if headers.get("sec-fetch-site", "") in ("cross-site", "same-site"):
        return True
    origins = headers.getlist("origin")
    return bool(origins) and (len(origins) > 1 or not _is_own_origin(origins[0], headers["host"]))


def _is_own_origin(origin: str, host: str) -> bool:
    """Whether both name one host and port. The origin's scheme decides the default: a proxy may have ended TLS."""
    scheme, _, address = origin.strip().lower().partition("://")
    default = _DEFAULT_PORTS.get(scheme)
    if default is None:
        return False
    asker, here = _host_and_port(address), _host_and_port(host)
    if asker is None or here is None:
        return False
    return (asker[0], asker[1] or default) == (here[0], here[1] or default)


def _host_and_port(address: str) -> tuple[str, int | None] | None:
    """Lower-case name and port, `None` for a port not given; `None` in all when it is no address."""
    found = _ADDRESS.fullmatch(address.strip().lower())
    if found is None:
        return None
    return found[1] or found[2], int(found[3]) if found[3] else None


def _host_name(address: str) -> str | None:
    found = _host_and_port(address)
    return found[0] if found else None


def _setting_name(given: str) -> str:
    """A host of the settings as `Host` headers are compared; there, IPv6 addresses come without brackets too."""
    return _host_name(given) or given.strip().lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_https(scope: Scope, headers: Headers) -> bool:
    """Whether the visitor's side of the connection is encrypted, as the server or a proxy in front of it says."""
    return scope.get("scheme") == "https" or headers.get("x-forwarded-proto", "") == "https"


def _cookie(settings: Settings, *, is_https: bool) -> str:
    # Inside another site's frame, as on a Space, only a partitioned cross-site cookie is kept.
    site = "SameSite=None; Secure; Partitioned" if is_https else "SameSite=Lax"
    below = f"Path={settings.root_path}/; Max-Age={VISITOR_LIFE_S}"
    return f"{VISITOR_COOKIE}={secrets.token_urlsafe(32)}; {below}; HttpOnly; {site}"
