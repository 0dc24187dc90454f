"""Fetching result images by the addresses providers give: from public hosts only, bounded, and without any key.

An address in an answer is text from outside. Each hop is checked before a byte is sent: https, no user name, and every
address the host resolves to is public; the connection then goes to a checked address, so a second look-up cannot give
another. Exceptions are what the operator named: the host of a base URL of their own, `DIPTYCH_IMAGE_HOSTS`, and loopback
where the base URL itself is loopback.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin

import httpx

from providers.errors import ConnectionFailed, MalformedReply, ProviderError
from providers.redact import provider_words

MAX_IMAGE_BYTES = 64 * 2**20
"""A PNG of 3840 x 2160 px has 10 to 25 MB."""
FETCH_S = 60.0
"""For one try, from the first look-up to the last byte."""
_TRIES, _FIRST_PAUSE_S, _MAX_REDIRECTS, _CONNECT_S = 4, 0.5, 3, 10.0

_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "fec0::/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "3fff::/20",
        # Where Azure tells a machine about itself, its keys included.
        "168.63.129.16/32",
    )
)
"""Networks that lead to private hosts by translation, or have no public ones, whatever a library calls them."""


class UnsafeAddress(MalformedReply):
    """The address may not be fetched from."""


@dataclass(frozen=True, slots=True)
class FetchRules:
    """What the operator allows beside public https hosts."""

    own_hosts: frozenset[str] = frozenset()
    """Host names, lower case, that may have any address and any port, with http too."""
    loopback: bool = False
    """Whether this machine itself may be fetched from."""


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """What lay at an address."""

    data: bytes
    content_type: str
    """As its host says it, without having looked; may be empty."""


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """The addresses of a host. Raises: OSError when it is unknown."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    inside = any(ip.version == network.version and ip in network for network in _NEVER)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not inside


@cache
def certificates() -> ssl.SSLContext:
    """The authorities that are trusted; reading them takes tens of milliseconds, so that is done once."""
    return httpx.create_ssl_context()


def no_cookies() -> CookieJar:
    """A jar that stays empty: what a host sets for one person's call must not come back with another's."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.split("%")[0]).is_loopback
    except ValueError:
        return False


class _PinnedTransport(httpx.AsyncHTTPTransport):
    """Resolves once, checks every address, and connects to a checked one."""

    def __init__(self, resolve: Resolve) -> None:
        # No connection is kept: two names can share an address, and the second would be asked under the first one's TLS.
        super().__init__(verify=certificates(), trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        rules: FetchRules = request.extensions["rules"]
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise httpx.ConnectError("unknown host") from None
        if host.lower() not in rules.own_hosts:
            is_allowed = is_public if request.url.scheme == "https" and port == 443 else _never
            if not all(is_allowed(ip) or (rules.loopback and _is_loopback(ip)) for ip in addresses):
                raise UnsafeAddress(_refusal(host), may_have_been_billed=True)
        if not addresses:
            raise httpx.ConnectError("unknown host")
        # TLS still checks the name, and the Host header was made from it.
        request.extensions = {**request.extensions, "sni_hostname": host}
        for address in addresses[:-1]:
            request.url = request.url.copy_with(host=address)
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await super().handle_async_request(request)
        request.url = request.url.copy_with(host=addresses[-1])
        return await super().handle_async_request(request)


def _never(_address: str) -> bool:
    return False


class Fetcher:
    """Fetches files. One for the whole app; `resolve` and `sleep` are passed in for tests."""

    def __init__(
        self, *, resolve: Resolve = resolve_host, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            transport=_PinnedTransport(resolve),
            trust_env=False,
            follow_redirects=False,
            cookies=no_cookies(),
            timeout=httpx.Timeout(FETCH_S, connect=_CONNECT_S),
            headers={"user-agent": "diptych", "accept": "image/*", "accept-encoding": "identity"},
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.aclose()

    async def fetch(self, url: str, base_url: str, rules: FetchRules) -> FetchedFile:
        """The file. A relative address is taken from `base_url`. Tried again where that can help.

        Raises: UnsafeAddress; MalformedReply when it is gone or too large; ConnectionFailed. Each may have been billed.
        """
        try:
            address = urljoin(base_url.rstrip("/") + "/", url)
        except ValueError:
            raise UnsafeAddress(_refusal("no address"), may_have_been_billed=True) from None
        for attempt in range(_TRIES):
            try:
                async with asyncio.timeout(FETCH_S):
                    return await self._follow(address, rules)
            except (TimeoutError, httpx.TransportError, _TryAgain) as error:
                if attempt == _TRIES - 1:
                    raise ConnectionFailed(
                        f"{{provider}} made the image, but it could not be fetched from {_host_of(address)} ({_plain(error)}).",
                        may_have_been_billed=True,
                    ) from None
            except (httpx.InvalidURL, ValueError):
                raise UnsafeAddress(_refusal(_host_of(address)), may_have_been_billed=True) from None
            await self._sleep(_FIRST_PAUSE_S * 2**attempt)
        raise AssertionError("the last try returns or raises")

    async def _follow(self, address: str, rules: FetchRules) -> FetchedFile:
        for _ in range(_MAX_REDIRECTS + 1):
            found = await self._once(_checked(address, rules), rules)
            if isinstance(found, FetchedFile):
                return found
            address = urljoin(address, found)
        raise MalformedReply("{provider} made the image, but its address leads on and on.", may_have_been_billed=True)

    async def _once(self, address: str, rules: FetchRules) -> FetchedFile | str:
        """The file, or where a redirect leads."""
        request = self._http.build_request("GET", address, extensions={"rules": rules})
        response = await self._http.send(request, stream=True)
        try:
            if response.status_code in (301, 302, 303, 307, 308):
                return str(response.headers.get("location", ""))
            if response.status_code in (408, 425, 429) or response.status_code >= 500:
                raise _TryAgain(str(response.status_code))
            if response.status_code != 200:
                raise _gone(response.status_code)
            return FetchedFile(await _body(response), response.headers.get("content-type", ""))
        finally:
            await response.aclose()


class _TryAgain(Exception):
    """The host answered, and may answer better later."""


async def _body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise MalformedReply(
            "The image of {provider} comes compressed once more, which is not accepted.", may_have_been_billed=True
        )
    pieces, size = [], 0
    async for piece in response.aiter_raw():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_IMAGE_BYTES:
            raise MalformedReply(
                f"The image of {{provider}} has over {MAX_IMAGE_BYTES // 2**20} MB and was not read to its end.",
                may_have_been_billed=True,
            )
    return b"".join(pieces)


def _checked(address: str, rules: FetchRules) -> str:
    """The address itself. Raises: UnsafeAddress when its form alone forbids it."""
    url = httpx.URL(address)
    host = url.host.lower()
    is_own = host in rules.own_hosts or (rules.loopback and (host == "localhost" or _is_loopback(host)))
    has_port = url.port is None or 1 <= url.port <= 65535
    if not host or not has_port or url.userinfo or url.scheme not in (("http", "https") if is_own else ("https",)):
        raise UnsafeAddress(_refusal(host), may_have_been_billed=True)
    return address


def _refusal(host: str) -> str:
    where = provider_words(host) or "without a host"
    return (
        f"{{provider}} made the image, but its address ({where}) is not a public https address, so it was not fetched. "
        "If the host is yours, name it in DIPTYCH_IMAGE_HOSTS."
    )


def _gone(status: int) -> ProviderError:
    return MalformedReply(
        f"{{provider}} made the image, but it is not at its address any more ({status}).", may_have_been_billed=True
    )


def _host_of(address: str) -> str:
    try:
        return provider_words(httpx.URL(address).host) or "its address"
    except (httpx.InvalidURL, ValueError):
        return "its address"


def _plain(error: Exception) -> str:
    if isinstance(error, _TryAgain):
        return f"error {error}"
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "too slow"
    return "unknown host or broken connection"
