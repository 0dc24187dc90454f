"""Signing in with Hugging Face on a Space, over a stand-in for its provider: from the button to the owner, and out again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.sign_in import CLIENT_SECRET, FakeSignIn
from tests.harness import KEY
from tests.ui.browser import RunningApp

HOST = "owner-diptych.hf.space"
PAID = "openai/gpt-image-2"


class Person:
    """Somebody's browser at the Space: it keeps cookies, secure ones too, as one behind TLS does."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.cookies: dict[str, str] = {}
        self.get("")

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Host": HOST, "X-Forwarded-Proto": "https", "Cookie": "; ".join(map("=".join, self.cookies.items()))}
        answer = self._http.request(method, path, headers=headers, **more)
        for line in answer.headers.get_list("set-cookie"):
            pair, *kept = line.split("; ")
            name, _, value = pair.partition("=")
            self.cookies[name] = value
            assert {"secure", "httponly"} <= {attribute.lower() for attribute in kept}
        return answer

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def sign_in(self, name: str) -> None:
        """What a press of the button leads to, followed by hand."""
        to_provider = self.get("login/huggingface?_target_url=/").headers["location"]
        agreed = httpx.get(f"{to_provider}&login_hint={name}", trust_env=False)
        back = urlsplit(agreed.headers["location"])
        assert (back.scheme, back.netloc, back.path) == ("https", HOST, "/login/callback")
        answer = self.get(f"login/callback?{back.query}")
        assert (answer.status_code, answer.headers["location"]) == (307, "/")

    def call(self, name: str, *data: object) -> Any:
        """A named endpoint's answer, asked as the page asks."""
        event = self.ask("POST", f"gradio_api/call/{name}", json={"data": list(data)}).json()["event_id"]
        told = self.get(f"gradio_api/call/{name}/{event}").text
        return json.loads(told.split("data: ")[-1])[0]

    def ready(self) -> set[str]:
        return {row["offer"] for row in self.call("models")["offers"] if row["ready"]}

    def prompts(self) -> list[str]:
        return [run["asked"]["prompt"] for run in self.call("history", "", 20, "")["runs"]]

    def draw(self, prompt: str) -> str:
        """Makes a picture and gives its address."""
        made = self.call("generate", {"offers": ["demo/flat"], "prompt": prompt}, 60)
        return str(made["runs"][0]["images"][0]["url"])


New = Callable[[], Person]


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeSignIn]:
    with FakeSignIn(ada="17", ben="23") as fake:
        yield fake
    assert fake.refusals == []


@pytest.fixture(scope="module")
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as fake:
        yield fake


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, provider: FakeSignIn, openai: FakeOpenAI) -> Iterator[RunningApp]:
    space = {"SYSTEM": "spaces", "SPACE_ID": "owner/diptych", "SPACE_HOST": f"{HOST},images.example.org"}
    keys = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": openai.base_url, "DIPTYCH_SERVER_KEYS": "signed-in"}
    limits = {"DIPTYCH_LIMIT_DAY": "5", "DIPTYCH_LIMIT_VISITOR_DAY": "1", "DIPTYCH_OPERATORS": "Ada"}
    folder = tmp_path_factory.mktemp("sign-in")
    one = RunningApp(folder / "data", folder / "log.txt", **space, **keys, **limits, **provider.environment)
    yield one
    assert one.stop() == 0
    for secret in (CLIENT_SECRET, "hf_oauth_ada", KEY):
        assert secret not in one.log.read_text()


@pytest.fixture
def person(app: RunningApp) -> Iterator[New]:
    """Somebody who was never here, each time anew."""
    with httpx.Client(base_url=app.url, trust_env=False, timeout=60) as http:
        yield partial(Person, http)


def test_who_signs_in_owns_what_they_make_wherever_they_are(person: New) -> None:
    here, there, other, nobody = (person() for _ in range(4))
    here.draw("before signing in")
    here.sign_in("ada")
    address = here.draw("drawn by ada")
    assert here.prompts() == ["drawn by ada"]
    there.sign_in("ada")
    other.sign_in("ben")
    assert (there.prompts(), other.prompts(), nobody.prompts()) == (["drawn by ada"], [], [])
    assert [one.get(address).status_code for one in (here, there, other, nobody)] == [200, 200, 404, 404]
    here.get("logout?_target_url=/")
    # What this browser made by itself stays with it, and what the account made with the account.
    assert here.prompts() == ["before signing in"]
    assert here.get(address).status_code == 404
    assert there.prompts() == ["drawn by ada"]


def test_a_session_cannot_be_made_up_or_taken_from_another_place(person: New) -> None:
    one = person()
    one.sign_in("ada")
    signed = one.cookies["session"]
    forged = signed[:-4] + ("AAAA" if signed[-4:] != "AAAA" else "BBBB")
    stranger = person()
    stranger.cookies["session"] = forged
    assert stranger.prompts() == []
    # A callback that belongs to another browser's visit is taken by nobody.
    to_provider = one.get("login/huggingface").headers["location"]
    agreed = httpx.get(f"{to_provider}&login_hint=ben", trust_env=False)
    stolen = person()
    answer = stolen.get(f"login/callback?{urlsplit(agreed.headers['location']).query}")
    assert answer.headers["location"].startswith("/login/huggingface")
    assert PAID not in stolen.ready()


def test_the_servers_keys_pay_for_nobody_but_who_signed_in(person: New, openai: FakeOpenAI) -> None:
    visitor = person()
    asked = {"offers": [PAID], "prompt": "A fox", "size": "1024x1024", "quality": "low"}
    assert PAID not in visitor.ready()
    refused = visitor.call("generate", asked, 60)["error"]["message"]
    assert "sign in" in refused
    assert openai.posts == 0
    visitor.sign_in("ben")
    assert PAID in visitor.ready()
    made = visitor.call("generate", asked, 60)
    assert made["cost_microusd"] > 0
    assert openai.posts == 1
    visitor.get("logout")
    assert PAID not in visitor.ready()


def test_the_page_asks_for_nothing_that_is_closed(person: New) -> None:
    assert "file=" not in person().get("config").text


@pytest.mark.parametrize("target", ["https://evil.example/x", "//evil.example", "/\\evil.example"])
def test_nobody_is_led_elsewhere(person: New, target: str) -> None:
    place = person().ask("GET", "logout", params={"_target_url": target}).headers["location"]
    assert urlsplit(place).netloc == ""
    assert not place.startswith(("//", "/\\"))
