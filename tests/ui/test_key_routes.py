"""Keys are tested with a free call, for their owner alone, and no answer holds one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import key_check
from playground.servers import Server
from playground.settings import Settings
from providers.errors import ConnectionFailed
from providers.types import KeyStatus
from tests.fakes.compatible_server import FakeCompatible
from tests.fakes.runware_server import FakeRunware
from tests.harness import Harness
from ui import guard, key_routes, routes

Make = Callable[..., Harness]
MINE = {"X-Diptych": "1"}
SECRET = "rw-test-0123456789"


@pytest.fixture
def fake() -> Iterator[FakeRunware]:
    with FakeRunware(key=SECRET) as server:
        yield server


def visitors(one: Harness) -> Callable[[], TestClient]:
    """Pages over one application. A page whose test reaches a provider is entered: it then has one event loop."""

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        await one.services.client.close()

    app = Starlette(routes=routes.routes(one.app), middleware=guard.middleware(one.settings), lifespan=lifespan)

    def visitor() -> TestClient:
        page = TestClient(app, base_url="http://127.0.0.1")
        page.get("/")
        return page

    return visitor


@pytest.fixture
def visitor(harness: Make, fake: FakeRunware) -> Callable[[], TestClient]:
    return visitors(harness(settings=replace(Settings(), mode="public"), key=None, urls={"runware": fake.base_url}))


def test_a_good_key_is_told_with_the_balance_and_costs_nothing(
    visitor: Callable[[], TestClient], fake: FakeRunware
) -> None:
    other = visitor()
    with visitor() as mine:
        mine.post("/keys/runware", json={"key": SECRET}, headers=MINE)
        answer = mine.post("/keys/runware/test", headers=MINE)
    assert answer.json() == {"result": "good", "words": "The key is good. Balance: $12.34.", "models": []}
    assert answer.headers["cache-control"] == "no-store"
    assert (fake.creates, fake.violations) == (0, [])
    stranger = other.post("/keys/runware/test", headers=MINE)
    assert stranger.json()["result"] == "failed"
    assert "no key for Runware" in stranger.json()["words"]
    assert SECRET not in answer.text + stranger.text


def test_a_bad_key_is_refused_in_words_that_do_not_hold_it(visitor: Callable[[], TestClient]) -> None:
    with visitor() as mine:
        mine.post("/keys/runware", json={"key": "rw-wrong-987654321"}, headers=MINE)
        answer = mine.post("/keys/runware/test", headers=MINE)
    assert answer.json()["result"] == "refused"
    assert answer.json()["words"] == "Runware refused the key. Paste it once more, or make a new one there."
    assert "987654321" not in answer.text


def test_an_error_that_quotes_the_key_does_not_get_out(
    visitor: Callable[[], TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionFailed(f"{{provider}} could not be reached with {SECRET}.")

    mine = visitor()
    mine.post("/keys/runware", json={"key": SECRET}, headers=MINE)
    monkeypatch.setattr(key_routes, "check_key", fail)
    answer = mine.post("/keys/runware/test", headers=MINE)
    assert answer.json()["words"] == "Runware could not be reached with [hidden]."


def test_a_provider_without_a_free_call_says_so(visitor: Callable[[], TestClient]) -> None:
    mine = visitor()
    mine.post("/keys/fal", json={"key": "fal-id-0123:fal-secret-4567"}, headers=MINE)
    answer = mine.post("/keys/fal/test", headers=MINE).json()
    assert answer["result"] == "untested"
    assert "no free way" in answer["words"]
    rows = {row["provider_id"]: row for row in mine.get("/keys").json()}
    assert (rows["fal"]["can_test"], rows["runware"]["can_test"]) == (False, True)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [("/keys/runware/test", {}, 403), ("/keys/demo/test", MINE, 400), ("/keys/nobody/test", MINE, 400)],
)
def test_what_is_no_test_of_ours_is_refused(
    path: str, headers: dict[str, str], status: int, visitor: Callable[[], TestClient]
) -> None:
    assert visitor().post(path, headers=headers).status_code == status
    assert visitor().get(path).status_code == 405


@pytest.mark.asyncio
async def test_one_test_at_a_time_for_each_visitor(harness: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = harness(key="sk-test-0123456789")
    goes_on, begun = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> KeyStatus:
        begun.set()
        await goes_on.wait()
        return KeyStatus("The key is good.")

    monkeypatch.setattr(key_routes, "check_key", slow)
    under_test: set[str] = set()
    scope = {"type": "http", "headers": [(b"x-diptych", b"1")], "path_params": {"provider_id": "openai"}}
    request = key_routes.Request(scope)
    first = asyncio.create_task(key_routes.test_key(one.app, under_test, request))
    await begun.wait()
    assert (await key_routes.test_key(one.app, under_test, request)).status_code == 429
    goes_on.set()
    assert (await first).status_code == 200
    assert under_test == set()


def test_a_server_lists_its_models_and_hides_its_address_from_the_public(harness: Make) -> None:
    with FakeCompatible(models=("sd-xl", "flux")) as fake:
        server = Server("sd", "sd", fake.base_url, "DIPTYCH_SERVER_SD_KEY")
        with visitors(harness(settings=replace(Settings(), servers=(server,))))() as local:
            answer = local.post("/keys/sd/test", headers=MINE).json()
            assert (answer["result"], answer["models"]) == ("good", ["sd-xl", "flux"])
            assert local.get("/keys").json()[-1]["address"] == fake.base_url
            assert local.get("/keys").json()[-1]["source"] == "none"
            fake.models_status = 404
            answer = local.post("/keys/sd/test", headers=MINE).json()
            assert answer["result"] == "untested"
            assert "Type the model's id" in answer["words"]
        public = visitors(harness(settings=replace(Settings(), servers=(server,), mode="public")))()
        assert fake.base_url not in public.get("/keys").text


@pytest.mark.asyncio
async def test_a_saved_key_lets_waiting_runs_go_on(harness: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = harness(key=None)
    arrived: list[str] = []

    async def note(owner: str) -> None:
        arrived.append(owner)

    monkeypatch.setattr(one.app.engine, "key_arrived", note)
    page = visitors(one)()
    page.post("/keys/replicate", json={"key": "two words"}, headers=MINE)
    page.delete("/keys/replicate", headers=MINE)
    assert arrived == []
    page.post("/keys/replicate", json={"key": "r8_test0123456789"}, headers=MINE)
    assert arrived == ["local"]


def test_every_provider_but_fal_and_the_demo_has_a_free_test() -> None:
    from providers.rows import CATALOG

    without = [row.provider_id for row in CATALOG.providers if row.key_variable and not key_check.has_free_check(row)]
    assert without == ["fal"]
