"""The door in front of Gradio: which host names are answered, which of its own routes stay closed, and who the visitor is.

In local mode the server's keys can be spent by whoever reaches the page, so a page of another site must not reach it:
requests under a foreign host name are refused, and so is all but reading that comes from another origin. No answer may
be read by another origin either. In public mode each visitor is known by a random token in a cookie that scripts cannot
read, and a program by one that it sends in a header; its hash is the owner id.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.owners import owner_of_account, owner_of_token
from playground.services import LOCAL_OWNER, utc_now
from playground.settings import LOOPBACK_HOSTS, Settings
from playground.usage import Usage, asking_address
from ui.visitor_scope import VisitorScope

if TYPE_CHECKING:
    import gradio as gr  # takes seconds to load, which commands other than `serve` do without

Asker: TypeAlias = "HTTPConnection | gr.Request | None"
"""Whoever asks: a route's request, Gradio's around one, or nothing where a handler is given none."""

VISITOR_COOKIE = "diptych_visitor"
VISITOR_HEADER = "x-diptych-visitor"
"""Says the same token where a program asks."""
PRIVATE_COOKIE = "diptych_private"
"""Says that its visitor is in a private session; it ends with the browser."""
VISITOR_LIFE_S = 180 * 24 * 3600
_TOKEN_CHARS = 32
"""At least so long is a token of ours."""
_MOST_TOKEN_CHARS = 200

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

PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "microphone", "geolocation", "payment", "usb", "serial", "browsing-topics")
)
"""What no script of the page may ask a browser for."""

CLOSED = (
    # Gives a file to whoever knows its path, or fetches any public address for anyone who asks; ours are under `media`.
    "/gradio_api/file=",
    "/gradio_api/file/",
    "/gradio_api/stream/",
    "/gradio_api/proxy=",
    # Keeps and hands out what visitors typed, or calls what no page here calls.
    "/gradio_api/component_server",
    "/gradio_api/token",
    "/gradio_api/dev/",
    "/gradio_api/deep_link",
    "/gradio_api/run-history",
    "/gradio_api/runs",
    "/gradio_api/vibe",
    "/gradio_api/undo-vibe",
    "/gradio_api/process_recording",
    "/gradio_api/profiling",
    "/gradio_api/monitoring",
    "/monitoring",
)


class UnknownVisitor(Exception):
    """The browser sent no visitor token, so there is nobody to keep runs for."""


def owner_of(settings: Settings, request: Asker) -> str:
    """Whose runs and keys the request may use: `local`, a hash of the account that signed in, or of the visitor's token.

    Raises: UnknownVisitor in public mode when the browser keeps no cookie and no token comes in the header.
    """
    if settings.mode == "local":
        return LOCAL_OWNER
    account = account_of(settings, request)
    if account is not None:
        return owner_of_account(account.account_id)
    token = token_of(getattr(request, "headers", {}), request.cookies) if request is not None else ""
    if not token:
        raise UnknownVisitor("Your browser keeps no cookie for this page, so your runs cannot be told from others'.")
    return owner_of_token(token)


@dataclass(frozen=True, slots=True)
class Account:
    """Who signed in with Hugging Face."""

    account_id: str
    """Stays when the name changes."""
    name: str


def scope_of(request: Asker) -> Scope:
    """The connection that the request came by, which Gradio keeps one level deeper; empty where none is known."""
    return getattr(getattr(request, "request", request), "scope", None) or {}


def account_of(settings: Settings, request: Asker) -> Account | None:
    """Who signed in, from the session that Gradio signs; `None` where nobody did, or nobody can."""
    scope = scope_of(request)
    session = scope.get("session") if settings.public.can_sign_in else None
    told = session.get("oauth_info") if isinstance(session, dict) else None
    info = told.get("userinfo") if isinstance(told, dict) else None
    if not isinstance(info, dict) or not isinstance(info.get("sub"), str) or not info["sub"]:
        return None
    ends_at = told.get("expires_at") if isinstance(told, dict) else None
    if isinstance(ends_at, int | float) and ends_at <= time.time():
        return None
    return Account(info["sub"], str(info.get("preferred_username") or ""))


def token_of(headers: Mapping[str, str], cookies: Mapping[str, str]) -> str:
    """The visitor's token, from the header where a program asks; empty without one that can be ours."""
    lower = {name.lower(): value for name, value in dict(headers).items()}
    token = str(lower.get(VISITOR_HEADER) or dict(cookies).get(VISITOR_COOKIE, ""))
    return token if _TOKEN_CHARS <= len(token) <= _MOST_TOKEN_CHARS else ""


def is_private(request: Asker) -> bool:
    """Whether whoever asks is in a private session."""
    return request is not None and dict(getattr(request, "cookies", {})).get(PRIVATE_COOKIE) == "1"


def private_cookie(settings: Settings, request: Request, *, is_on: bool) -> str:
    """What begins or ends a private session in the browser."""
    below = f"Path={settings.root_path}/; HttpOnly; {_site(is_https=is_https(request.scope, request.headers))}"
    return f"{PRIVATE_COOKIE}=1; {below}" if is_on else f"{PRIVATE_COOKIE}=; {below}; Max-Age=0"


def new_token() -> str:
    """A token for a new visitor: 256 random bits."""
    return secrets.token_urlsafe(32)


def address_of(settings: Settings, scope: Scope, headers: Mapping[str, str]) -> str:
    """From where the request comes, as far as it can be believed; empty when that is not known."""
    client = scope.get("client")
    forwarded = dict(headers).get("x-forwarded-for", "")
    return asking_address(str(client[0]) if client else "", forwarded, settings.public.trusted_proxies)


Wrap: TypeAlias = Callable[[ASGIApp], ASGIApp]


def middleware(settings: Settings, usage: Usage | None = None, inside: Wrap | None = None) -> list[Middleware]:
    """What Gradio's application is wrapped in. `usage` counts what visitors upload; `inside` wraps what is let in."""
    return [Middleware(_MovesOutermost, settings=settings, usage=usage or Usage(settings, utc_now), inside=inside)]


class _MovesOutermost:
    """Guards from where it was put, and from the outermost place once the server starts.

    Gradio puts its CORS answers outside of all middleware it is given: there a preflight is granted to any site, and
    any answer made readable to it, before a guard inside is asked (`App.create_app` of 6.31, 2026-11-21).
    """

    def __init__(self, app: ASGIApp, settings: Settings, usage: Usage, inside: Wrap | None = None) -> None:
        self._inside = app
        self._settings = settings
        self._usage = usage
        self._wrap = inside
        self._door: ASGIApp = Guard(app, settings, usage, inside)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] == "lifespan" and self._door is not self._inside:
            server = scope["app"]
            server.middleware_stack = Guard(server.middleware_stack, self._settings, self._usage, self._wrap)
            self._door = self._inside
        await self._door(scope, receive, send)


class Guard:
    """Refuses what must not get in; gives each public visitor a token; sees to the security headers."""

    def __init__(self, app: ASGIApp, settings: Settings, usage: Usage, inside: Wrap | None = None) -> None:
        self._settings = settings
        zipped = _PagesZipped(app)
        self._app = _StreamsEnded(inside(zipped) if inside else zipped)
        self._visitors = VisitorScope(self._app, usage) if settings.mode == "public" else None

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
        say = self._with_headers(send, cookie=cookie)
        if self._visitors is None:
            await self._app(scope, receive, say)
            return
        token = token_of(headers, HTTPConnection(scope).cookies)
        visitor = owner_of_token(token) if token else ""
        await self._visitors(scope, receive, say, visitor, address_of(self._settings, scope, headers))

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
                more.setdefault("permissions-policy", PERMISSIONS)
                more.setdefault("cross-origin-resource-policy", "same-origin")
                if self._settings.mode == "local":
                    # A Space shows its page inside a frame of another site.
                    more["x-frame-options"] = "DENY"
                if cookie is not None:
                    more.append("set-cookie", cookie)
            await send(message)

        return send_more


class _PagesZipped:
    """Zips pages and their configuration, which Gradio sends as they are. Never images, and never streams of events."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._zipped = GZipMiddleware(app, minimum_size=2048, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["path"] in _PAGES
        await (self._zipped if is_page else self._app)(scope, receive, send)


class _StreamsEnded:
    """Ends a stream of events in order that is asked for under the name of no session: after a restart, or by a guess.

    Gradio says so in the stream, and then raises as if nothing had been said.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:
            if not (
                scope.get("path", "").startswith("/gradio_api/queue/data")
                and isinstance(error.__cause__, HTTPException)
            ):
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})


_PAGES = ("/", "/config", "/gradio_api/info", "/gradio_api/openapi.json", "/theme.css", "/gradio_api/theme.css")


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


def is_https(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether the visitor's side of the connection is encrypted, as the server or a proxy in front of it says."""
    return scope.get("scheme") == "https" or headers.get("x-forwarded-proto", "") == "https"


def _cookie(settings: Settings, *, is_https: bool) -> str:
    below = f"Path={settings.root_path}/; Max-Age={VISITOR_LIFE_S}"
    return f"{VISITOR_COOKIE}={new_token()}; {below}; HttpOnly; {_site(is_https=is_https)}"


def _site(*, is_https: bool) -> str:
    # Inside another site's frame, as on a Space, only a partitioned cross-site cookie is kept.
    return "SameSite=None; Secure; Partitioned" if is_https else "SameSite=Lax"
