"""Fetching result images: answers that are late, broken, endless or wrong, from a server on this machine."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from providers import fetching
from providers.errors import ConnectionFailed, MalformedReply
from providers.fetching import FetchRules
from tests.fakes import wire
from tests.fakes.wire import Socket
from tests.providers.test_fetching import IMAGE, LOOPBACK, Names, Route, Site, fetch, redirect, reply

SMALL = 1000
CHUNKED = wire.head_bytes(200, [("transfer-encoding", "chunked")])


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_IMAGE_BYTES", SMALL)


async def endless(sock: Socket) -> None:
    await sock.send(CHUNKED)
    while True:
        await sock.send(wire.chunk_bytes(b"x" * 600))


async def until_closed(sock: Socket) -> None:
    await sock.send(wire.head_bytes(200, [("connection", "close")]) + IMAGE)


async def long_until_closed(sock: Socket) -> None:
    await sock.send(wire.head_bytes(200, [("connection", "close")]) + b"x" * (SMALL + 1))


async def lying(sock: Socket) -> None:
    await sock.send(reply(200, IMAGE, content_length=str(len(IMAGE) + 5)))


async def dripping(sock: Socket) -> None:
    await sock.send(CHUNKED)
    await sock.drip(b"x" * 200, 0.02, chunked=True)


async def silent(sock: Socket) -> None:
    await sock.left_within(None)


async def reset(sock: Socket) -> None:
    await sock.send(reply()[:-3])
    sock.reset()


async def garbage(sock: Socket) -> None:
    await sock.send(b"SSH-2.0-OpenSSH_9.6\r\n")


def test_an_image_as_large_as_the_limit_is_taken_and_not_a_byte_more() -> None:
    with Site(full=[reply(body=b"x" * SMALL)], over=[reply(body=b"x" * (SMALL + 1))], bare=[long_until_closed]) as site:
        assert fetch(site.url("full"), rules=LOOPBACK) == b"x" * SMALL
        for path in ("over", "bare"):
            with pytest.raises(MalformedReply, match="was not read to its end"):
                fetch(site.url(path), rules=LOOPBACK)
        assert len(site.heads) == 3


def test_an_endless_body_is_left() -> None:
    with Site(endless=[endless]) as site, pytest.raises(MalformedReply, match="was not read to its end"):
        fetch(site.url("endless"), rules=LOOPBACK)


def test_a_body_without_a_length_is_taken() -> None:
    with Site(a=[until_closed]) as site:
        assert fetch(site.url("a"), rules=LOOPBACK) == IMAGE


@pytest.mark.parametrize("form", ["gzip", "br", "deflate, gzip", "GZIP"])
def test_a_compressed_body_is_refused_unread(form: str) -> None:
    bomb = gzip.compress(b"\x00" * 10**6)
    with Site(bomb=[reply(body=bomb, content_encoding=form)]) as site:
        with pytest.raises(MalformedReply, match="compressed once more") as raised:
            fetch(site.url("bomb"), rules=LOOPBACK)
        assert raised.value.may_have_been_billed
        assert site.heads[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "bad",
    [
        *(reply(status, b"") for status in (408, 425, 429, 500, 502, 503, 504)),
        *(lying, reset, garbage),
    ],
)
def test_what_may_be_better_later_is_tried_again(bad: Route) -> None:
    with Site(a=[bad, bad, bad, reply()]) as site:
        assert fetch(site.url("a"), rules=LOOPBACK) == IMAGE
        assert len(site.heads) == 4


@pytest.mark.parametrize(("bad", "why"), [(reply(503, b""), "error 503"), (lying, "broken connection")])
def test_the_fourth_failure_is_told(bad: Route, why: str) -> None:
    with Site(a=[bad]) as site:
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1 .*{why}") as raised:
            fetch(site.url("a"), rules=LOOPBACK)
        assert raised.value.may_have_been_billed
        assert len(site.heads) == 4


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410])
def test_an_image_that_is_gone_is_not_asked_for_again(status: int) -> None:
    head = wire.head_bytes(status, [] if status in (204, 304) else [("content-length", "0")])
    with Site(a=[head]) as site:
        with pytest.raises(MalformedReply, match=rf"not at its address any more \({status}\)") as raised:
            fetch(site.url("a"), rules=LOOPBACK)
        assert raised.value.may_have_been_billed
        assert len(site.heads) == 1


@pytest.mark.parametrize("bad", [dripping, silent])
def test_one_try_has_one_time_limit_however_the_bytes_come(bad: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FETCH_S", 0.1)
    with Site(a=[bad]) as site, pytest.raises(ConnectionFailed, match="too slow"):
        fetch(site.url("a"), rules=LOOPBACK)
    with Site(a=[bad, reply()]) as site:
        assert fetch(site.url("a"), rules=LOOPBACK) == IMAGE


def test_the_time_limit_covers_the_look_up_and_redirects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FETCH_S", 0.1)

    async def slow_names(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(0.06)
        return ["127.0.0.1"]

    hops = Site(a=[redirect("/b")], b=[redirect("/c")], c=[reply()])
    with hops as site, pytest.raises(ConnectionFailed, match="too slow"):
        fetch(site.url("a"), slow_names, LOOPBACK)


def test_no_key_and_no_cookie_is_ever_sent_along() -> None:
    with Site(a=[reply(200, IMAGE, set_cookie="who=me; Path=/")]) as site:
        assert fetch(site.url("a"), rules=LOOPBACK, before=[site.url("a")] * 2) == IMAGE
        assert len(site.heads) == 3
        for head in site.heads:
            assert not {"authorization", "cookie", "x-api-key", "referer"} & set(head.headers)


def test_a_connection_made_for_one_host_is_not_used_for_another() -> None:
    """Two names can share an address: over TLS the second would be answered under the first one's certificate."""
    rules = FetchRules(own_hosts=frozenset({"one.lan", "two.lan"}))
    with Site(a=[reply()]) as site:
        assert fetch(site.url("a", "one.lan"), Names("127.0.0.1"), rules, before=[site.url("a", "two.lan")]) == IMAGE
        assert [head.headers["host"].partition(":")[0] for head in site.heads] == ["two.lan", "one.lan"]
        assert site.connections == 2


def test_of_several_addresses_the_next_is_tried_when_one_cannot_be_reached() -> None:
    rules = FetchRules(own_hosts=frozenset({"one.lan"}))
    with Site(a=[reply()]) as site:
        assert fetch(site.url("a", "one.lan"), Names("127.0.0.9", "127.0.0.1"), rules) == IMAGE
        assert len(site.heads) == 1


def test_a_refused_connection_is_told() -> None:
    with Site(a=[reply()]) as site:
        gone = site.url("a")
    with pytest.raises(ConnectionFailed, match="unknown host or broken connection"):
        fetch(gone, rules=LOOPBACK)
