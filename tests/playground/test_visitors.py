"""What visitors of a public server may use: its keys within their caps, runs, uploads, room; and who they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from playground import visitor_settings
from playground.addresses import SettingsError
from playground.admission import Door
from playground.keys import SESSION_KEY_IDLE_S, SESSION_KEY_LIFE_S, KeyRing
from playground.operators import Operators
from playground.owners import is_signed_in, owner_of_account, owner_of_token
from playground.plan import make_plan
from playground.refusals import PlanRefused
from playground.run_keys import billed_here
from playground.settings import Secret, Settings
from playground.usage import Usage, UseRefused, asking_address, network_of
from playground.visitor_settings import PublicSettings, VisitorLimits, read_visitor_limits
from providers.errors import MissingKey
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage.rows import fetch
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness

Make = Callable[..., Harness]
PUBLIC = Settings(mode="public")
REQUEST = ImageRequest("a fox", size="1024x1024", quality="low")
PLAN = make_plan(REQUEST, [OFFER], CATALOG)
PRICE = PLAN.runs[0].estimate.high_microusd or 0


def served(who: str = "everyone", offers: frozenset[str] = frozenset(), **limits: int) -> Settings:
    caps = {"day": 100 * PRICE, "visitor_day": 100 * PRICE} | limits
    return replace(PUBLIC, public=PublicSettings(server_keys=who, server_offers=offers), limits=caps)


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


async def gather(one: Harness, owners: list[str]) -> list[str]:
    """What became of one press of each owner, all at the same moment."""

    async def press(owner: str) -> str:
        try:
            await one.engine.submit(PLAN, owner)
        except PlanRefused as error:
            return error.problems[0].message
        except MissingKey as error:
            return error.message
        return "sent"

    return await asyncio.gather(*(press(owner) for owner in owners))


@pytest.mark.asyncio
async def test_a_hundred_visitors_at_once_cannot_pass_the_cap_of_the_servers_keys(
    harness: Make, fake: FakeOpenAI
) -> None:
    one = harness(openai_url=fake.base_url, settings=served(day=7 * PRICE + PRICE // 2, visitor_day=2 * PRICE))
    told = await gather(one, [owner_of_token(f"visitor {n % 50}") for n in range(100)])
    await one.stop()
    assert told.count("sent") == 7
    assert fake.posts <= 7
    refused = next(words for words in told if words != "sent")
    assert "Nothing was sent." in refused
    assert "limit" in refused


@pytest.mark.asyncio
async def test_what_visitors_pay_themselves_uses_up_nothing_of_the_servers(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url, settings=served(day=PRICE, visitor_day=PRICE))
    one.services.keys.put(CATALOG.provider("openai"), "rich", KEY)
    assert billed_here(one.services, PLAN, "rich") == [0]
    assert await gather(one, ["rich", "rich", "rich"]) == ["sent"] * 3
    assert billed_here(one.services, PLAN, "poor") == [PRICE]
    assert (await gather(one, ["poor", "poor"])).count("sent") == 1
    await one.stop()
    (line,) = one.services.store.read(
        lambda db: fetch(db, "select session, owner from ledger where session like 'server %'")
    )
    assert line["owner"] == "poor"


@pytest.mark.parametrize(
    ("settings", "owner", "is_served"),
    [
        (PUBLIC, "v", False),
        (served("off"), "v", False),
        (served("everyone"), "v", True),
        (served("signed-in"), "v", False),
        (served("signed-in"), owner_of_account("17"), True),
        (served("everyone", frozenset({OFFER})), "v", True),
        (served("everyone", frozenset({"openai/gpt-image-1"})), "v", False),
    ],
)
def test_the_servers_keys_serve_whom_and_what_the_operator_allows(
    settings: Settings, owner: str, is_served: bool
) -> None:
    ring = KeyRing(replace(settings, keys={"openai": Secret(KEY)}))
    provider = CATALOG.provider("openai")
    found = ring.find_for(CATALOG.offer(OFFER), provider, owner)
    assert (found is not None and found.source == "server") is is_served
    # Without an offer, as when a key is tested, a visitor never gets it.
    assert ring.find(provider, owner) is None
    assert ring.find_for(CATALOG.offer("openai/a-model-typed-by-hand"), provider, owner) is None


def test_a_visitor_cannot_sign_in_by_choosing_a_token() -> None:
    assert not is_signed_in(owner_of_token("hf-" + "0" * 40))


@pytest.mark.parametrize(
    ("more", "variable"),
    [
        ({"DIPTYCH_SERVER_KEYS": "all"}, "DIPTYCH_SERVER_KEYS"),
        ({"DIPTYCH_SERVER_KEYS": "everyone", "DIPTYCH_LIMIT_DAY": "5"}, "DIPTYCH_LIMIT_VISITOR_DAY"),
        ({"DIPTYCH_OPERATOR_TOKEN": "short"}, "DIPTYCH_OPERATOR_TOKEN"),
        ({"DIPTYCH_VISITOR_LIMITS": "runs=many"}, "DIPTYCH_VISITOR_LIMITS"),
        ({"DIPTYCH_TRUSTED_PROXIES": "-1"}, "DIPTYCH_TRUSTED_PROXIES"),
    ],
)
def test_settings_that_would_let_anybody_spend_are_refused(more: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"DIPTYCH_MODE": "public"} | more, CATALOG)
    assert refused.value.variable == variable
    capped = {"DIPTYCH_SERVER_KEYS": "everyone", "DIPTYCH_LIMIT_DAY": "5", "DIPTYCH_LIMIT_VISITOR_DAY": "1"}
    assert Settings.from_env(capped, CATALOG).public.server_keys == "everyone"


def test_signing_in_is_offered_only_where_gradio_checks_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    client = {"OAUTH_CLIENT_ID": "id", "OAUTH_CLIENT_SECRET": "s" * 20, "OAUTH_SCOPES": "openid profile"}
    real = {"SPACE_ID": "me/app", "SYSTEM": "spaces", "OPENID_PROVIDER_URL": "https://hub.example", **client}
    assert Settings.from_env(real, CATALOG).public.can_sign_in
    for missing in real:
        assert not Settings.from_env({**real, missing: ""}, CATALOG).public.can_sign_in
    monkeypatch.setattr(visitor_settings, "find_spec", {"authlib": "there"}.get)
    assert not Settings.from_env(real, CATALOG).public.can_sign_in


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def usage(limits: str, clock: Clock) -> Usage:
    settings = replace(PUBLIC, public=PublicSettings(limits=read_visitor_limits(limits)))
    return Usage(settings, lambda: datetime(2026, 11, 21, 14, 0, tzinfo=UTC), clock)


def test_an_hours_limit_says_which_and_when_again_and_slides() -> None:
    clock = Clock()
    one = usage("runs=3", clock)
    one.take("runs", "v", 2)
    clock.s = 1800
    one.take("runs", "v")
    clock.s = 2400
    with pytest.raises(
        UseRefused, match=r"this server's limit for an hour: 3 runs\..*room again at 14:20 UTC, in 20 min"
    ):
        one.take("runs", "v", 2)
    one.take("runs", "other", 3)
    clock.s = 3601
    one.take("runs", "v", 2)
    with pytest.raises(UseRefused, match="more than an hour's limit"):
        one.take("runs", "v", 4)


def test_an_address_has_a_limit_of_its_own_that_new_visitors_do_not_lift() -> None:
    one = usage("votes=2,address=2", Clock())
    for n in range(4):
        one.seen(f"v{n}", "203.0.113.9")
        one.take("votes", f"v{n}")
    one.seen("v5", "203.0.113.9")
    with pytest.raises(UseRefused, match="Visitors at your network address"):
        one.take("votes", "v5")
    one.seen("v6", "203.0.113.10")
    one.take("votes", "v6")
    assert "203.0.113" not in repr({name: vars(one).get(name) for name in vars(one)})


def test_nothing_is_counted_in_local_mode() -> None:
    one = Usage(Settings(public=PublicSettings(limits=VisitorLimits(runs=1))), lambda: datetime.now(UTC))
    for _ in range(3):
        one.take("runs", "local", 50)
    one.refuse_running(500, 500)
    one.refuse_storage(10**12)


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "asked"),
    [
        ("203.0.113.9", "198.51.100.1", 0, "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9, 10.1.2.3", 1, "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 8.8.8.8, 1.1.1.1", 2, "8.8.8.8"),
        ("10.0.0.1", "", 1, ""),
        ("10.0.0.1", "192.168.0.4", 1, ""),
    ],
)
def test_only_what_trusted_proxies_add_is_believed(peer: str, forwarded: str, proxies: int, asked: str) -> None:
    # Documentation networks are not global, which stands for a proxy of the host's own here.
    public = forwarded.replace("198.51.100.1", "9.9.9.9").replace("203.0.113.9", "4.4.4.4")
    assert asking_address(peer, public, proxies) == asked.replace(
        "203.0.113.9", "4.4.4.4" if proxies else "203.0.113.9"
    )


def test_a_household_is_one_network() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:1::1")
    assert network_of("::ffff:203.0.113.9") == "203.0.113.9"


@pytest.mark.asyncio
async def test_only_so_many_runs_of_a_visitor_go_at_once_however_fast_they_press(harness: Make) -> None:
    one = harness(settings=replace(PUBLIC, public=PublicSettings(limits=VisitorLimits(running=3))), key=None)
    door = Door(one.services, one.worker.worker_id)
    told = await asyncio.gather(*(door.admit("v", 1, lambda _: 1) for _ in range(5)), return_exceptions=True)
    refused = [str(each) for each in told if isinstance(each, PlanRefused)]
    assert len(refused) == 3
    assert "At most 3 runs of one visitor" in refused[0]
    door.entered("v", 2)(None)
    await door.admit("v", 2, lambda _: 1)
    await door.admit("w", 3, lambda _: 0)


@pytest.mark.asyncio
@pytest.mark.parametrize("end", [asyncio.CancelledError, ZeroDivisionError])
async def test_a_press_that_ends_while_it_is_counted_takes_no_place_for_ever(
    end: type[BaseException], harness: Make
) -> None:
    one = harness(settings=replace(PUBLIC, public=PublicSettings(limits=VisitorLimits(running=1, runs=9))))
    clock = iter([end(), 0.0])

    def steady() -> float:
        now = next(clock)
        if isinstance(now, BaseException):
            raise now
        return now

    usage = Usage(one.settings, one.services.clock, steady)
    door = Door(replace(one.services, counted=usage), one.worker.worker_id)
    with pytest.raises(end):
        await door.admit("ann", 1, lambda _: 0)
    await door.admit("ann", 1, lambda _: 0)


@pytest.mark.asyncio
async def test_full_storage_takes_no_more_runs(harness: Make) -> None:
    one = harness(settings=replace(PUBLIC, public=PublicSettings(limits=VisitorLimits(storage_mb=1))), key=None)
    await one.run(ImageRequest("a fox"), "demo/flat", owner="v")
    one.services.store.write(lambda db: db.execute("update images set size_bytes = 2000000"))
    with pytest.raises(PlanRefused, match=r"one visitor may keep 1 MB here.*delete"):
        await one.run(ImageRequest("a fox"), "demo/flat", owner="v")
    await one.run(ImageRequest("a fox"), "demo/flat", owner="w")
    await one.stop()


def test_a_typed_key_ends_some_hours_after_it_was_used_last_and_at_the_latest_after_half_a_day() -> None:
    clock, provider, offer = Clock(), CATALOG.provider("openai"), CATALOG.offer(OFFER)
    ring = KeyRing(PUBLIC, clock)
    ring.put(provider, "v", KEY)
    assert ring.in_memory() == (KEY,)
    clock.s = SESSION_KEY_IDLE_S - 1
    assert ring.find(provider, "v") is not None
    clock.s = SESSION_KEY_IDLE_S + 1
    assert ring.find(provider, "v") is None
    ring.put(provider, "v", KEY)
    while clock.s < SESSION_KEY_IDLE_S + SESSION_KEY_LIFE_S:
        assert ring.find_for(offer, provider, "v", is_use=True) is not None
        clock.s += SESSION_KEY_IDLE_S - 1
    clock.s = SESSION_KEY_IDLE_S + SESSION_KEY_LIFE_S + 2
    assert ring.find(provider, "v") is None
    ring.put(provider, "v", KEY)
    assert ring.forget_all("v") == 1
    assert ring.in_memory() == ()


def test_the_operators_are_those_named_or_with_the_token() -> None:
    clock = Clock()
    public = PublicSettings(operators=frozenset({"ada"}), operator_token=Secret("t" * 20))
    one = Operators(replace(PUBLIC, public=public), clock)
    assert one.includes("v", "Ada")
    assert not one.includes("v", "eve")
    assert not one.enter("v", "")
    assert not one.enter("v", "t" * 19)
    assert one.enter("v", "t" * 20)
    assert one.includes("v")
    assert not one.includes("w")
    clock.s += 13 * 3600
    assert not one.includes("v")
    assert not Operators(PUBLIC, clock).enter("v", "")
