"""Fetching result images: which addresses are touched at all, which never, and what is taken from those that are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.errors import ConnectionFailed, MalformedReply, ProviderError
from providers.fetching import Fetcher, FetchRules, UnsafeAddress, is_public, resolve_host
from tests.fakes import wire
from tests.fakes.loopback import LoopbackServer
from tests.fakes.wire import Head, Socket
from tests.harness import no_sleep

PUBLIC, OTHER_PUBLIC = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
BASE = "https://api.provider.example/v1"
IMAGE = b"\x89PNG and so on"
PUBLIC_ONLY, LOOPBACK = FetchRules(), FetchRules(loopback=True)

Route = bytes | Callable[[Socket], Awaitable[None]]


def reply(status: int = 200, body: bytes = IMAGE, **headers: str) -> bytes:
    told = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return wire.head_bytes(status, [(name, value) for name, value in told.items() if value]) + body


def redirect(to: str, status: int = 302) -> bytes:
    return reply(status, b"", location=to)


class Site(LoopbackServer):
    """A web server with one list of answers for each path; the last one stays."""

    def __init__(self, **paths: Sequence[Route]) -> None:
        super().__init__()
        self.paths: dict[str, list[Route]] = {f"/{name}": list(routes) for name, routes in paths.items()}
        self.heads: list[Head] = []
        self.connections = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{path}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while (head := await wire.read_head(reader)) is not None:
            self.heads.append(head)
            routes = self.paths.get(head.target, [reply(404, b"")])
            route = routes.pop(0) if len(routes) > 1 else routes[0]
            if callable(route):
                await route(Socket(reader, writer))
                return
            writer.write(route)
            await writer.drain()


class Wire:
    """Stands in for the connection itself: notes where it would go, and answers from a list."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []

    async def handle(self, _transport: object, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else httpx.Response(200, stream=httpx.ByteStream(IMAGE))

    @property
    def places(self) -> list[str]:
        return [request.url.host for request in self.requests]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """No connection is made; where one would go is noted."""
    made = Wire()

    async def handle(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        return await made.handle(self, request)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle)
    return made


class Names:
    """A name server: host -> its answers, one list for each time it is asked (the last one stays)."""

    def __init__(self, *default: str, **hosts: list[list[str]]) -> None:
        self.default = list(default)
        self.hosts = {name.replace("_", "."): answers for name, answers in hosts.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        try:
            return await resolve_host(host, port) if _is_number(host) else self._named(host)
        except OSError:
            return self.default

    def _named(self, host: str) -> list[str]:
        answers = self.hosts.get(host, [self.default])
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _is_number(host: str) -> bool:
    return ":" in host or host.replace(".", "").replace("x", "").isalnum() and host[0].isdigit()


def fetch(url: str, names: Any = None, rules: FetchRules = PUBLIC_ONLY, *, before: Sequence[str] = ()) -> bytes:
    """What lies at the address; `before` is fetched first by the same fetcher."""

    async def once() -> bytes:
        fetcher = Fetcher(resolve=names or Names("127.0.0.1"), sleep=no_sleep)
        try:
            for other in before:
                await fetcher.fetch(other, BASE, rules)
            return (await fetcher.fetch(url, BASE, rules)).data
        finally:
            await fetcher.close()

    return asyncio.run(once())


# Which addresses

NOT_PUBLIC = [
    *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.88.99.1"),
    *("198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:100.64.0.1", "::127.0.0.1"),
    *("::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1"),
    *("2001:db8::1", "100::1", "localhost", "", "1.2.3", "not an address", "3fff::1", "5f00::1", "2001:2::1"),
    # What clouds tell their machines, keys included: Azure's own address is none of the networks set aside.
    *("168.63.129.16", "::ffff:168.63.129.16", "169.254.169.254%eth0", "::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"),
    *("2002:a9fe:a9fe::", "2001:0:a9fe:a9fe::1", "fe80::1%25eth0", "0.1.2.3", "100.127.255.255", "4000::1"),
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, OTHER_PUBLIC, "8.8.8.8", "::ffff:8.8.8.8", "1.1.1.1", "172.32.0.1"])
def test_what_is_public(address: str) -> None:
    assert is_public(address)


def refused(url: str, names: Names, network: Wire, rules: FetchRules = PUBLIC_ONLY) -> str:
    with pytest.raises(UnsafeAddress) as raised:
        fetch(url, names, rules)
    assert raised.value.may_have_been_billed
    assert raised.value.kind == "malformed"
    return raised.value.message


@pytest.mark.parametrize("address", [text for text in NOT_PUBLIC if ":" in text or text.count(".") == 3])
def test_a_name_of_a_private_address_is_never_connected_to(address: str, network: Wire) -> None:
    message = refused("https://pictures.example/a.png", Names(address), network)
    assert "pictures.example" in message
    assert network.requests == []


NUMBERS = [
    *("127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:127.0.0.1]"),
    *("[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::]", "0.0.0.0", "2130706433", "0x7f000001", "017700000001", "127.1"),
    *("0x7f.0.0.1", "0177.0.0.01", "3232235777", "2852039166", "168.63.129.16", "2822734096", "0xa9fea9fe"),
    *("127\u30020\u30020\u30021", "0x7f.1", "[2002:7f00:1::]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]"),
]


@pytest.mark.parametrize("host", NUMBERS)
def test_a_private_address_in_any_spelling_is_never_connected_to(host: str, network: Wire) -> None:
    refused(f"https://{host}/a.png", Names(), network)
    assert network.requests == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1.", "169.254.169.254.", "localhost.", "[fe80::1%25eth0]", "metadata.internal"]
)
def test_a_spelling_that_only_some_systems_read_is_held_against_what_this_one_makes_of_it(
    host: str, network: Wire
) -> None:
    refused(f"https://{host}/a.png", Names("169.254.169.254"), network)
    refused(f"https://{host}/a.png", Names("169.254.169.254"), network, LOOPBACK)
    assert network.requests == []


FORMS = [
    *("http://pictures.example/a.png", "ftp://pictures.example/a.png", "file:///etc/passwd", "gopher://x.example/_a"),
    *("javascript:alert(1)", "blob:https://pictures.example/1", "ws://pictures.example/", "HTTP://pictures.example/"),
    *("https://user:word@pictures.example/a.png", "https://user@pictures.example/", "https://:word@pictures.example/"),
    *("https://[::1", "https://[", "https://]/", "//[::1/a", "http://[x]/", "https://@/", "https://:443/"),
    *("https://\uff11\uff12\uff17.0.0.1/", "https://\u2460\u2461\u2466.0.0.1/", "https://0300.0250.1.1/"),
    *("https://pictures.example:99999/", "https://pictures.example:port/", "https://pictures.example:-1/"),
    *(
        "https://pictures.example:0/",
        "https://a\x00b.example/",
        "https://\ud800.example/",
        f"https://{'a' * 70_000}.example/",
    ),
]


@pytest.mark.parametrize("url", FORMS, ids=range(len(FORMS)))
def test_the_form_alone_can_forbid_it(url: str, network: Wire) -> None:
    names = Names(PUBLIC)
    message = refused(url, names, network)
    assert "word" not in message
    assert "user" not in message
    assert (network.requests, names.asked) == ([], [])


@pytest.mark.parametrize("port", [0, 22, 80, 444, 8443, 65535])
def test_a_public_host_has_no_other_port(port: int, network: Wire) -> None:
    refused(f"https://pictures.example:{port}/a.png", Names(PUBLIC), network)
    assert network.requests == []


@pytest.mark.parametrize("answers", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, OTHER_PUBLIC, "::1"]])
def test_one_private_answer_among_several_is_enough(answers: list[str], network: Wire) -> None:
    refused("https://pictures.example/a.png", Names(*answers), network)
    assert network.requests == []


def test_a_public_host_is_connected_to_at_the_checked_address_under_its_own_name(network: Wire) -> None:
    names = Names(pictures_example=[[PUBLIC], ["127.0.0.1"]])
    assert fetch("https://pictures.example/a.png?sig=1", names) == IMAGE
    (request,) = network.requests
    assert (network.places, names.asked) == ([PUBLIC], ["pictures.example"])
    assert (request.url.scheme, request.url.raw_path) == ("https", b"/a.png?sig=1")
    assert request.headers["host"] == "pictures.example"
    assert request.extensions["sni_hostname"] == "pictures.example"
    assert "authorization" not in request.headers
    assert request.headers["accept-encoding"] == "identity"


def test_a_name_that_turns_private_is_refused_when_it_is_asked_again(network: Wire) -> None:
    names = Names(pictures_example=[[PUBLIC], ["127.0.0.1"]])
    network.answers = [httpx.Response(503)]
    refused("https://pictures.example/a.png", names, network)
    assert network.places == [PUBLIC]


def test_an_unknown_host_is_tried_again_and_then_told(network: Wire) -> None:
    names = Names()
    with pytest.raises(ConnectionFailed, match=r"pictures\.example \(unknown host"):
        fetch("https://pictures.example/a.png", names)
    assert (len(names.asked), network.requests) == (4, [])


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("images/a.png", "https://api.provider.example/v1/images/a.png"),
        ("/images/a.png", "https://api.provider.example/images/a.png"),
        ("//cdn.provider.example/a.png", "https://cdn.provider.example/a.png"),
        ("../a.png", "https://api.provider.example/a.png"),
        ("?id=3", "https://api.provider.example/v1/?id=3"),
    ],
)
def test_a_relative_address_is_taken_from_the_base_url(url: str, place: str, network: Wire) -> None:
    names = Names(PUBLIC)
    fetch(url, names)
    (request,) = network.requests
    assert str(request.url.copy_with(host=names.asked[0])) == place


@given(st.one_of(st.text(max_size=40), st.text(max_size=30).map("https://{}".format), st.from_regex(r"https?://\S+")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_any_text_as_an_address_ends_in_a_sentence_and_touches_no_private_host(network: Wire, url: str) -> None:
    with pytest.raises(ProviderError) as raised:
        fetch(url, Names("192.168.0.1"))
    assert raised.value.message
    assert network.requests == []


# Redirects


@pytest.mark.parametrize(
    "url", ["https://private.example/", *FORMS[:11], "https://127.0.0.1/", "https://pictures.example:22/"]
)
def test_each_redirect_is_checked_as_the_first_address_was(url: str, network: Wire) -> None:
    names = Names(PUBLIC, private_example=[["10.0.0.1"]])
    network.answers = [httpx.Response(302, headers={"location": url})]
    refused("https://pictures.example/a.png", names, network)
    assert network.places == [PUBLIC]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_between_public_hosts_are_followed(status: int, network: Wire) -> None:
    names = Names(pictures_example=[[PUBLIC]], cdn_example=[[OTHER_PUBLIC]])
    hops = ["b.png", "https://cdn.example/c.png", "/d.png"]
    network.answers = [httpx.Response(status, headers={"location": url, "set-cookie": "a=b"}) for url in hops]
    assert fetch("https://pictures.example/a.png", names) == IMAGE
    assert network.places == [PUBLIC, PUBLIC, OTHER_PUBLIC, OTHER_PUBLIC]
    assert [request.url.path for request in network.requests] == ["/a.png", "/b.png", "/c.png", "/d.png"]
    assert {request.headers.get("authorization", request.headers.get("cookie")) for request in network.requests} == {
        None
    }


@pytest.mark.parametrize("location", ["https://pictures.example/a.png", "", "/a.png"])
def test_a_loop_of_redirects_ends(location: str, network: Wire) -> None:
    network.answers = [httpx.Response(302, headers={"location": location}) for _ in range(9)]
    with pytest.raises(MalformedReply, match="leads on and on"):
        fetch("https://pictures.example/a.png", Names(PUBLIC))
    assert len(network.requests) == 4


# What the operator allows


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(good=[reply()]) as running:
        yield running


def test_this_machine_is_fetched_from_only_where_that_is_allowed(site: Site) -> None:
    for host in ("127.0.0.1", "localhost"):
        assert fetch(site.url("good", host), rules=LOOPBACK) == IMAGE
        with pytest.raises(UnsafeAddress):
            fetch(site.url("good", host))
    assert site.connections == 2


@pytest.mark.parametrize("host", ["192.168.0.1", "10.0.0.1", "169.254.169.254", "[fe80::1]"])
def test_where_this_machine_is_allowed_other_private_hosts_are_not(host: str, network: Wire) -> None:
    refused(f"http://{host}/a.png", Names(), network, LOOPBACK)
    refused(f"https://{host}/a.png", Names(), network, LOOPBACK)
    # `localhost` by name only: a name server may say anything.
    refused("http://localhost/a.png", Names("192.168.0.1"), network, LOOPBACK)
    refused("http://pictures.example/a.png", Names("127.0.0.1"), network, LOOPBACK)
    assert network.requests == []


def test_an_own_host_may_have_any_address_and_port_and_a_name_below_it_may_not(site: Site, network: Wire) -> None:
    rules = FetchRules(own_hosts=frozenset({"pictures.lan"}))
    assert fetch("http://PICTURES.lan:8080/a.png", Names("192.168.0.7"), rules) == IMAGE
    assert network.places == ["192.168.0.7"]
    for url in (
        "http://a.pictures.lan/",
        "http://pictures.lan.example/",
        "http://user@pictures.lan/",
        "ftp://pictures.lan/",
    ):
        refused(url, Names("192.168.0.7"), network, rules)
    network.answers = [httpx.Response(302, headers={"location": "http://router.lan/"})]
    refused("http://pictures.lan/a.png", Names("192.168.0.7"), network, rules)
    assert network.places == ["192.168.0.7"] * 2
