"""The doors of the real server: what Gradio adds outside of our middleware is inside of the guard all the same."""

from __future__ import annotations

import http.client
import select
from collections.abc import Iterator

import pytest

from tests.harness import KEY
from tests.ui.browser import RunningApp, served

EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with served(tmp_path_factory.mktemp("doors"), DIPTYCH_HOST="0.0.0.0") as one:
        yield one


def ask(
    app: RunningApp, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """The answer to exactly this path, under the machine's address in the local network."""
    line = http.client.HTTPConnection("127.0.0.1", app.port, timeout=20)
    given = {"Host": f"192.168.1.5:{app.port}", **{name.replace("_", "-"): text for name, text in headers.items()}}
    try:
        line.request(method, path, body=body, headers=given)
        answer = line.getresponse()
        return answer, answer.read()
    finally:
        line.close()


def _cross_site_headers(answer: http.client.HTTPResponse) -> list[str]:
    return [name for name, _ in answer.getheaders() if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    ("method", "path", "kind", "body"),
    [
        ("POST", "/keys/openai", "application/json", b'{"key": "sk-of-somebody-else"}'),
        ("DELETE", "/keys/openai", "application/json", None),
        ("POST", "/gradio_api/queue/join", "application/json", b'{"fn_index": 0, "data": [], "session_hash": "x"}'),
        ("POST", "/gradio_api/upload", "multipart/form-data; boundary=b", b"--b--\r\n"),
        ("OPTIONS", "/keys/openai", "", None),
        ("OPTIONS", "/gradio_api/queue/join", "", None),
    ],
)
@pytest.mark.parametrize("origin", [EVIL, "null"])
def test_another_site_may_change_nothing_over_plain_http(
    app: RunningApp, method: str, path: str, kind: str, body: bytes | None, origin: str
) -> None:
    given = {"Content_Type": kind, "Access_Control_Request_Method": "POST", "X_Diptych": "1"}
    answer, said = ask(app, method, path, body, Origin=origin, **given)
    assert answer.status == 403, said
    assert _cross_site_headers(answer) == []


@pytest.mark.parametrize("path", ["/", "/keys", "/config", "/gradio_api/info", "/media/x"])
def test_another_site_may_read_nothing(app: RunningApp, path: str) -> None:
    answer, _ = ask(app, "GET", path, Origin=EVIL)
    assert _cross_site_headers(answer) == []
    assert answer.getheader("X-Frame-Options") == "DENY"
    assert answer.getheader("X-Content-Type-Options") == "nosniff"


def test_the_page_itself_and_programs_are_let_in(app: RunningApp) -> None:
    body = f'{{"key": "{KEY}"}}'.encode()
    given = {"Content_Type": "application/json", "X_Diptych": "1"}
    own = f"http://192.168.1.5:{app.port}"
    for origin in ({"Origin": own}, {}):
        answer, said = ask(app, "POST", "/keys/openai", body, **given, **origin)
        assert answer.status == 200, said
        assert KEY.encode() not in said


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/media/../diptych.sqlite3",
            "/media/..%2fdiptych.sqlite3",
            "/media/%2e%2e/diptych.sqlite3",
            "/media/..%5cdiptych.sqlite3",
        ),
        *(
            "/media/%252e%252e%252fdiptych.sqlite3",
            "/thumbs/..%2f..%2fetc%2fpasswd",
            "/blind/..%2fdiptych.sqlite3/a.webp",
        ),
        *("/dp/../app.py", "/gradio_api/file=../diptych.sqlite3", "/static/..%2f..%2froutes.py"),
    ],
)
def test_nothing_outside_is_served(app: RunningApp, path: str) -> None:
    answer, said = ask(app, "GET", path)
    assert answer.status in (403, 404)
    assert not said.startswith((b"SQLite", b"root:", b'"""', b"from"))


def test_database_and_source_are_no_files_of_gradios(app: RunningApp) -> None:
    data_dir = app.log.parent / "data"
    assert (data_dir / "diptych.sqlite3").is_file()
    for path in (data_dir / "diptych.sqlite3", data_dir, "app.py", "/etc/passwd"):
        answer, _ = ask(app, "GET", f"/gradio_api/file={path}")
        assert answer.status in (403, 404)


def test_a_websocket_is_refused(app: RunningApp) -> None:
    key = {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Version": "13"}
    answer, _ = ask(app, "GET", "/gradio_api/queue/join", Connection="Upgrade", Upgrade="websocket", **key)
    assert answer.status in (403, 404, 405)


def test_a_connection_between_two_requests_stays_open_as_long_as_a_proxy_counts_on(app: RunningApp) -> None:
    app.wait_until_it_says("http://")  # it answers a moment before all of it is set up
    line = http.client.HTTPConnection("127.0.0.1", app.port, timeout=20)
    try:
        line.request("GET", "/", headers={"Host": f"192.168.1.5:{app.port}"})
        line.getresponse().read()
        # The server that Gradio starts would have closed it after 5 s.
        closed, _, _ = select.select([line.sock], [], [], 6.0)
        assert closed == []
    finally:
        line.close()


def test_a_stream_of_a_session_that_nobody_has_ends_in_order(app: RunningApp) -> None:
    answer, said = ask(app, "GET", "/gradio_api/queue/data?session_hash=of-nobody")
    assert answer.status == 200
    assert b'"session_not_found":true' in said
    assert "Traceback" not in app.log.read_text()
