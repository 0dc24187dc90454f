"""Edits with a mask through the whole engine: the raw image as it came, the locked one beside it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from playground import library, lock_keeping
from playground.engine import PlanRefused
from playground.lock_keeping import drift_of
from playground.plan import LOCKED_HERE, make_plan
from playground.services import LOCAL_OWNER
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage import history
from storage.verify import verify
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness
from tests.playground.job_world import World, only
from tests.playground.judges import names_in
from tests.playground.locked_edits import SIZE, check_locked, edit, given, mask, photo
from ui.documents import run_document

Make = Callable[..., Harness]


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server
        assert server.violations == []


# On arrival


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.asyncio
async def test_a_model_that_repaints_everything_is_undone_outside_the_mask(
    form: str, harness: Make, fake: FakeOpenAI
) -> None:
    one, base = harness(openai_url=fake.base_url), photo(form=form)
    (view,) = await one.run(edit(images=(base,), n=2))
    await one.stop()
    assert view.run.state == "succeeded"
    assert [image.sha256 for image in view.images] == [hashlib.sha256(data).hexdigest() for data in fake.served]
    check_locked(one, view, base)
    for lock in view.locks:
        assert lock.drift is not None
        drift = drift_of(lock.drift)
        assert drift.percent is not None
        assert drift.percent > 5
        assert lock.note == "The answer was resized from 1024 x 1024 to 192 x 192 px."
    assert view.run.asked["lock_outside_mask"] is True
    assert "lock" not in str(view.run.sent)


@pytest.mark.asyncio
async def test_a_model_that_changes_only_what_the_mask_marks_does_not_drift(harness: Make) -> None:
    size = (1024, 640)
    one, base = harness(), given(Image.radial_gradient("L").resize(size).convert("RGB"))
    (view,) = await one.run(ImageRequest("Add a red hat", images=(base,), mask=mask(size), quality="low"), "demo/flat")
    await one.stop()
    check_locked(one, view, base)
    (lock,) = view.locks
    assert lock.drift is not None
    assert drift_of(lock.drift).percent == 0.0
    assert lock.note == ""


@pytest.mark.asyncio
async def test_a_stream_locks_what_it_ends_with_and_no_preview(harness: Make, fake: FakeOpenAI) -> None:
    one, base = harness(openai_url=fake.base_url), photo()
    (view,) = await one.run(edit(partial_images=2))
    await one.stop()
    assert len(view.partials) == 2
    check_locked(one, view, base)


@pytest.mark.asyncio
async def test_without_the_lock_the_image_stays_as_it_comes(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (unlocked,) = await one.run(edit(lock_outside_mask=False))
    (plain,) = await one.run(edit(mask=None))
    again = await one.engine.retry(unlocked.run.run_id, LOCAL_OWNER)
    async for _ in one.engine.follow(again, LOCAL_OWNER):
        pass
    group = await library.group(one.services, again, LOCAL_OWNER)
    await one.stop()
    assert group is not None
    for view in (unlocked, plain, *group.runs):
        assert (view.run.state, view.locks) == ("succeeded", ())
    assert [view.run.asked["lock_outside_mask"] for view in (unlocked, plain, *group.runs)] == [False, None, False]


@pytest.mark.asyncio
async def test_a_run_from_before_the_lock_is_sent_again_as_it_was(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    sql = "update runs set asked = json_remove(asked, '$.lock_outside_mask')"
    one.services.store.write(lambda db: db.conn.execute(sql))
    again = await one.engine.retry(view.run.run_id, LOCAL_OWNER)
    async for _ in one.engine.follow(again, LOCAL_OWNER):
        pass
    group = await library.group(one.services, again, LOCAL_OWNER)
    await one.stop()
    assert group is not None
    assert group.runs[0].run.asked["lock_outside_mask"] is False
    assert group.runs[0].locks == ()


@pytest.mark.asyncio
async def test_an_answer_of_another_shape_is_kept_and_told(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit(size="1536x1024"))
    await one.stop()
    (lock,) = view.locks
    assert (view.run.state, view.run.error, len(view.images)) == ("succeeded", None, 1)
    assert (lock.state, lock.locked, lock.drift) == ("refused", None, None)
    assert lock.note.startswith("1536 x 1024 px came and image 1 is 192 x 192 px: another shape")
    document: Any = run_document(view, one.services)
    assert document["images"][0]["locked_path"] is None
    assert document["images"][0]["lock_note"] == lock.note
    assert verify(one.services.store) == []


@only("replicate")
@pytest.mark.asyncio
async def test_a_model_that_takes_no_mask_is_locked_all_the_same_and_the_plan_says_what_it_sees(world: World) -> None:
    one = world.process()
    plan = world.plan(one, edit())
    (run,) = plan.runs
    rows = {row.field: row for row in run.fields}
    assert plan.is_sendable
    assert (rows["mask"].handling, rows["mask"].sent_as) == ("refused", None)
    assert "does not see the mask" in rows["mask"].note
    assert "the lock still protects" in rows["mask"].note
    assert f"mask: {rows['mask'].note}" in run.notices
    assert (rows["lock_outside_mask"].handling, rows["lock_outside_mask"].note) == ("emulated", LOCKED_HERE)
    with pytest.raises(PlanRefused, match="takes no mask at Replicate"):
        await one.run(edit(lock_outside_mask=False), world.offer)
    assert "mask" not in names_in(run.call)
    (view,) = await one.run(edit(), world.offer)
    await one.stop()
    check_locked(one, view, photo())


@pytest.mark.asyncio
async def test_the_plan_says_that_another_shape_cannot_be_locked() -> None:
    (run,) = make_plan(edit(size="1536x1024"), [OFFER], CATALOG).runs
    assert run.problems == ()
    (notice,) = [notice for notice in run.notices if notice.startswith("lock outside mask")]
    assert "192 x 192 px, and 1536 x 1024 px is asked for" in notice
    (run,) = make_plan(edit(), [OFFER], CATALOG).runs
    assert run.notices == ()
    (run,) = make_plan(edit(lock_outside_mask=False), [OFFER], CATALOG).runs
    assert [notice.partition(":")[0] for notice in run.notices] == ["lock outside mask"]


@pytest.mark.asyncio
async def test_what_is_made_here_is_no_time_of_the_providers(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = lock_keeping.lock

    def slow(*given: Any) -> Any:
        time.sleep(0.2)
        return real(*given)

    monkeypatch.setattr(lock_keeping, "lock", slow)
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    (streamed,) = await one.run(edit(partial_images=0))
    await one.stop()
    for each in (view, streamed):
        assert [lock.state for lock in each.locks] == ["made"]
        sent, finished = (datetime.fromisoformat(at or "") for at in (each.run.sent_at, each.run.finished_at))
        took_ms = (finished - sent) / timedelta(milliseconds=1)
        assert each.run.latency_ms is not None
        assert took_ms - each.run.latency_ms > 190


@pytest.mark.asyncio
async def test_nobody_else_gets_a_locked_image(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    await one.stop()
    (lock,) = view.locks
    for derived in (lock.locked, lock.drift):
        assert derived is not None
        path = library.owned_file(one.services, derived.sha256, LOCAL_OWNER)
        assert path is not None
        assert path.stat().st_size == derived.size_bytes
        assert library.owned_thumbnail(one.services, derived.sha256, LOCAL_OWNER) is not None
        assert library.owned_file(one.services, derived.sha256, "somebody") is None
    assert verify(one.services.store) == []
    sha256 = lock.locked.sha256 if lock.locked else ""
    found = one.services.store.read(lambda db: history.find_image(db, sha256, LOCAL_OWNER))
    assert found is not None
    assert found.run_id == view.run.run_id


@pytest.mark.asyncio
async def test_the_document_of_a_run_leads_to_the_locked_image(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    (plain,) = await one.run(edit(mask=None))
    await one.stop()
    document: Any = run_document(view, one.services)
    (image,) = document["images"]
    with (
        Image.open(image["path"]) as raw,
        Image.open(image["locked_path"]) as locked,
        Image.open(image["drift_path"]) as heat,
    ):
        assert (raw.size, locked.size, heat.size) == ((1024, 1024), SIZE, SIZE)
    assert 0 < image["drift_percent"] < 100
    assert 0 < image["drift_visible_share"] <= 1
    (image,) = run_document(plain, one.services)["images"]
    assert {image[name] for name in image if "lock" in name or "drift" in name} == {None}
