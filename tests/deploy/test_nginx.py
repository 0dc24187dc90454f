"""The nginx of the documents before two small servers: who stays with whom from the first request on, what is sent again."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.deploy import nginx

PAGES = 40


class Replica:
    """Says its name to whoever asks; `dies`: closes the connection when a request has come whole."""

    def __init__(self, name: str) -> None:
        self.asked: Counter[str] = Counter()
        self.dies = False
        replica = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                replica.asked[f"{self.command} {self.path}"] += 1
                replica.told = dict(self.headers.items())
                if replica.dies:
                    return
                self.send_response_only(200)
                self.send_header("content-length", str(len(name)))
                self.end_headers()
                self.wfile.write(name.encode())

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.told: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def before_two(*, is_sticky: bool = True, path: str = "") -> Iterator[tuple[nginx.Front, dict[str, Replica]]]:
    nginx.need_nginx()
    with ExitStack() as stack:
        both = {name: Replica(name) for name in ("one", "two")}
        for replica in both.values():
            stack.callback(replica.close)
        yield (
            stack.enter_context(nginx.nginx([one.port for one in both.values()], is_sticky=is_sticky, path=path)),
            both,
        )


def ask(front: nginx.Front, path: str, method: str = "GET", **headers: str) -> tuple[int, str, str]:
    """Status, who answered, and the cookie that came along."""
    asking = http.client.HTTPConnection("127.0.0.1", front.port, timeout=20)
    asking.request(method, path, b"paid" if method == "POST" else None, headers)
    answer = asking.getresponse()
    told = answer.status, answer.read().decode(), answer.headers.get("set-cookie", "")
    asking.close()
    return told


@pytest.mark.parametrize("path", ["", "/diptych"])
def test_a_page_and_all_it_asks_for_reach_one_replica_from_the_first_request_on(path: str) -> None:
    with before_two(path=path) as (front, both):
        landed: Counter[str] = Counter()
        for _ in range(PAGES):
            _, first, cookie = ask(front, f"{path}/?tab=history")
            assert cookie.startswith("diptych_route=")
            assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")
            sent = cookie.partition(";")[0]
            said = [
                ask(front, path + asked, method, Cookie=f"diptych_visitor=x; {sent}")
                for asked, method in (
                    ("/gradio_api/queue/join", "POST"),
                    ("/gradio_api/queue/data", "GET"),
                    ("/", "GET"),
                )
            ]
            assert said == [(200, first, "")] * 3
            landed[first] += 1
        assert min(landed["one"], landed["two"]) > PAGES / 8, landed
        assert set(both[first].asked) == {
            "GET /?tab=history",
            "POST /gradio_api/queue/join",
            "GET /gradio_api/queue/data",
            "GET /",
        }
        told = both[first].told
        assert told["Host"] == f"127.0.0.1:{front.port}"
        assert told["X-Forwarded-For"] == "127.0.0.1"
        assert "X-Forwarded-Host" not in told


def test_a_program_without_cookies_stays_by_its_token_or_its_address() -> None:
    with before_two() as (front, _):
        by_token = {
            number: ask(front, "/gradio_api/call/run", "POST", **{"X-Diptych-Visitor": number * 32})[1]
            for number in "abcdefgh"
        }
        assert set(by_token.values()) == {"one", "two"}
        for number, name in by_token.items():
            assert ask(front, "/gradio_api/call/run/1", **{"X-Diptych-Visitor": number * 32}) == (200, name, "")
        assert len({ask(front, "/config")[1] for _ in range(8)}) == 1


def test_without_its_one_line_nginx_goes_round_robin() -> None:
    """What the page is tried against that says so."""
    with before_two(is_sticky=False) as (front, _):
        cookie = ask(front, "/")[2].partition(";")[0]
        assert {ask(front, "/replica", Cookie=cookie)[1] for _ in range(4)} == {"one", "two"}


@pytest.mark.parametrize("is_reached", [True, False])
def test_a_dead_replica_is_skipped_and_a_post_that_one_has_read_is_never_sent_again(is_reached: bool) -> None:
    with before_two() as (front, both):
        _, name, cookie = ask(front, "/")
        sent = cookie.partition(";")[0]
        dead, alive = both[name], next(one for other, one in both.items() if other != name)
        dead.dies = True
        if not is_reached:
            dead.close()
        status, _, _ = ask(front, "/gradio_api/queue/join", "POST", Cookie=sent)
        asked = dead.asked["POST /gradio_api/queue/join"], alive.asked["POST /gradio_api/queue/join"]
        assert (status, asked) == ((502, (1, 0)) if is_reached else (200, (0, 1)))
        # From now on it is left out, the visitor keeps the cookie, and nobody notices.
        assert ask(front, "/", Cookie=sent)[0] == 200
        assert dead.asked["GET /"] == 1
