"""A private session runs like any other and leaves nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from arena import private_room
from arena.private_room import IDLE_S, PrivateRoom
from playground import entering, library, limits
from playground.engine import Engine
from playground.keys import FoundKey
from playground.limits import LimitReached
from playground.plan import Plan, make_plan
from playground.services import Services
from playground.settings import Settings
from playground.visitor_settings import PublicSettings
from providers.rows import CATALOG
from providers.types import ImageRequest
from tests.harness import KEY, OFFER, Harness

Make = Callable[..., Harness]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def files(folder: Path) -> dict[Path, bytes]:
    """Without the database's own side files, which reading touches."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite3-shm"}


def rooms(temporary: Path) -> list[Path]:
    return list(temporary.glob("diptych-private-*"))


async def run(services: Services, engine: Engine, owner: str) -> None:
    group_id = await engine.submit(make_plan(ImageRequest("A secret zebra"), ["demo/flat"], CATALOG), owner)
    async for _ in engine.follow(group_id, owner):
        pass
    found = await library.group(services, group_id, owner)
    assert found is not None
    assert found.runs[0].run.state == "succeeded"


@pytest.mark.asyncio
async def test_a_private_session_writes_nothing_and_is_gone_when_it_ends(harness: Make, temporary: Path) -> None:
    one = harness()
    before = files(one.services.store.data_dir)
    room = PrivateRoom(one.services, one.engine)
    services, engine, _ = await room.enter("local")
    await run(services, engine, "local")
    assert rooms(temporary)
    assert files(one.services.store.data_dir) == before
    await room.leave("local")
    assert rooms(temporary) == []
    assert files(one.services.store.data_dir) == before
    await one.stop()


@pytest.mark.asyncio
async def test_visitors_leave_a_private_room_one_by_one_and_the_idle_are_seen_out(
    harness: Make, temporary: Path
) -> None:
    one = harness(settings=replace(Settings(), mode="public"), key=None)
    now = [0.0]
    room = PrivateRoom(one.services, one.engine, monotonic=lambda: now[0])
    for owner in ("a", "b"):
        services, engine, _ = await room.enter(owner)
        await run(services, engine, owner)
    await room.leave("a")
    assert await library.recent_groups(services, "a", limit=9) == []
    assert len(await library.recent_groups(services, "b", limit=9)) == 1
    now[0] = IDLE_S + 1
    await room.end_idle()
    assert rooms(temporary) == []
    await room.enter("b")
    await room.close()
    assert rooms(temporary) == []
    await one.stop()


@pytest.mark.asyncio
async def test_private_visitors_bring_keys_of_their_own(harness: Make, temporary: Path) -> None:
    settings = replace(
        Settings(), mode="public", public=PublicSettings(server_keys="everyone"), limits={"day": 9, "visitor_day": 9}
    )
    one = harness(settings=settings)
    room = PrivateRoom(one.services, one.engine)
    services, _, _ = await room.enter("v")
    provider, offer = CATALOG.provider("openai"), CATALOG.offer(OFFER)
    assert one.services.keys.find_for(offer, provider, "v") is not None
    assert services.keys.find_for(offer, provider, "v") is None
    one.services.keys.put(provider, "v", KEY)
    assert services.keys.find_for(offer, provider, "v") is not None
    assert services.usage is one.services.usage
    await room.close()
    await one.stop()


@pytest.mark.asyncio
async def test_limits_hold_in_a_private_session_and_count_what_is_kept(harness: Make, temporary: Path) -> None:
    one = harness()
    plan = make_plan(ImageRequest("a cat", size="1024x1024", quality="low"), [OFFER], CATALOG)
    price = plan.high_microusd or 0
    await limits.set_limit(one.services, "local", "day", 2 * price, "block", is_operator=True)
    press(one.services, plan, one.engine.session)
    room = PrivateRoom(one.services, one.engine)
    services, engine, _ = await room.enter("local")
    assert limits.verdict(services, plan, "local", engine.session).blocked is None
    press(services, plan, engine.session)
    assert limits.verdict(services, plan, "local", engine.session).blocked is not None
    with pytest.raises(LimitReached):
        press(services, plan, engine.session)
    await room.close()
    await one.stop()


def press(services: Services, plan: Plan, session: str) -> None:
    group = entering.group_of(plan, "local", "run", services)
    rows = [entering.run_of(group, 0, plan.runs[0], FoundKey("server", None), "w", services)]
    entering.store(services, group, rows, plan, session)


def test_what_a_killed_process_left_is_deleted_and_what_lives_is_left(temporary: Path) -> None:
    dead, alive = temporary / "diptych-private-dead", temporary / "diptych-private-alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / "picture.png").write_bytes(b"x")
    holding = private_room.FileLock(alive / "alive.lock")
    with holding:
        private_room.delete_left_behind()
    assert rooms(temporary) == [alive]
